//! The protocol: one round of a backup, forgetting a device, wiping what is ours. Its order is what makes it safe, and each
//! step says why. The model check in `model.rs` runs this very code against stores that lose, replay and crash.

use std::collections::{BTreeMap, BTreeSet};

use super::flaw::{Flaw, flaw};
pub use super::gather::{Device, Gathered, Items, Ring, WentBack, gather};
use super::item::{BackupKey, Bundle, Digest, Head, Item, KeyItem, Kid, MAX_EPOCH, Name};
use super::record;
use crate::keychain::KeychainError;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::{DeviceId, EntryId, FileError, SlotId, Stamp, State, Unlocked};

/// How often a round begins again because others write meanwhile.
const TRIES: usize = 8;
/// A head that says nothing new is written again after so many seconds: its time tells that the device is alive.
const STALE: u64 = 24 * 3600;

/// The vault that is backed up: joined from the store, and saved, in the middle of a round.
pub trait Vault {
    /// It as it is now.
    fn unlocked(&self) -> &Unlocked;
    /// Changes its state and saves it when the change says true.
    ///
    /// # Errors
    /// [`FileError`]; then what was changed is in no file, and the round ends.
    fn change(&mut self, change: &mut dyn FnMut(&mut State, Stamp) -> bool) -> Result<(), FileError>;
}

/// What one round is about.
pub struct Job<'a> {
    /// Whose accounts.
    pub identity: &'a str,
    /// The writer.
    pub device: DeviceId,
    /// What it calls itself.
    pub label: &'a str,
    /// The moment.
    pub now: UnixTime,
    /// Key items may hold the data key: a keychain, and a vault that the keychain opens.
    pub by_itself: bool,
    /// Leave the secrets out.
    pub names_only: bool,
    /// The highest revision that was seen of each device's head.
    pub seen: &'a BTreeMap<DeviceId, u64>,
    /// Read every bundle; else those of others only where their heads announce something new.
    pub full: bool,
    /// A new key and its name.
    pub fresh: &'a dyn Fn() -> (Kid, BackupKey),
}

/// What others' bundles were joined already: spares reading them in a quick round. It is of one open session of a vault
/// and dies with it, since a vault that goes back forgets what it had joined.
#[derive(Default, Clone)]
pub struct Known(BTreeMap<Name, (Digest, BTreeSet<EntryId>)>);

/// A round that ended well: everything was read back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backed {
    /// Live accounts in this device's bundles.
    pub accounts: usize,
    /// The devices with a head, this one among them.
    pub devices: Vec<Device>,
    /// Items that are listed or announced and cannot be had.
    pub missing: usize,
    /// Items under a key that is not known here.
    pub foreign: usize,
    /// Items that do not open although their key is known.
    pub damaged: usize,
    /// Accounts too large for this store.
    pub left_out: Vec<EntryId>,
    /// Items written.
    pub written: usize,
    /// The highest revision of each head that is there, for noticing one that goes back.
    pub revisions: BTreeMap<DeviceId, u64>,
    /// Heads that had gone back when the round began. This device's own is written anew by the round.
    pub went_back: Vec<WentBack>,
}

/// Why a round did not end well. The vault is as it was, or has more.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] KeychainError),
    /// The vault could not be saved.
    #[error(transparent)]
    Vault(#[from] FileError),
    /// What was written is not what can be read.
    #[error("the store does not keep what is written to it")]
    NotKept,
    /// A folder, given by its path, that held a backup and holds nothing of it now.
    #[error("the folder {0} holds nothing of the backup any more")]
    Emptied(String),
    /// Others kept writing.
    #[error("others write there all the time")]
    Restless,
    /// For forgetting: something of that device cannot be read, so nothing of it may go.
    #[error("not everything of that device can be read")]
    Incomplete,
    /// For forgetting: that device has slots that this vault does not know.
    #[error("that device has a newer password or key than this one")]
    NewerSlots,
}

/// One round: joins what others wrote, writes what differs, reads it back. Only then it says that all is backed up.
///
/// # Errors
/// [`RoundError`]. A crash or an error anywhere leaves a store from which as much can be restored as before.
pub fn round(items: &dyn Items, vault: &mut dyn Vault, job: &Job<'_>, known: &mut Known) -> Result<Backed, RoundError> {
    until_done(items, vault, job, known).map(|(backed, _)| backed)
}

/// A round, and what it read.
fn until_done(
    items: &dyn Items,
    vault: &mut dyn Vault,
    job: &Job<'_>,
    known: &mut Known,
) -> Result<(Backed, Gathered), RoundError> {
    for attempt in 0..TRIES {
        if let Some(done) = once(items, vault, job, known, attempt == 0)? {
            return Ok(done);
        }
    }
    Err(RoundError::Restless)
}

/// None when it has to begin again.
#[allow(clippy::too_many_lines, reason = "the order of the steps is the protocol; it is read in one piece")]
fn once(
    items: &dyn Items,
    vault: &mut dyn Vault,
    job: &Job<'_>,
    known: &mut Known,
    first: bool,
) -> Result<Option<(Backed, Gathered)>, RoundError> {
    // 1. Everything that lies there is joined before anything is written.
    let mut ring = Ring::of(vault.unlocked(), job.identity);
    let own_before = ring.keys.len();
    let earlier = vault.unlocked().slots().to_vec();
    let skip = |name: Name, announced: Digest| {
        (!job.full || flaw(Flaw::NeverWhole))
            && name.device() != job.device
            && known.0.get(&name).is_some_and(|(digest, _)| *digest == announced)
    };
    let all = gather(items, &mut ring, &skip)?;
    // What is listed and gone may be on its way: look once more. It never means that something was deleted.
    if first && !all.missing.is_empty() {
        return Ok(None);
    }
    if flaw(Flaw::MissingMeansDeleted) {
        let lost: Vec<EntryId> =
            all.missing.iter().filter_map(|name| known.0.get(name)).flat_map(|k| k.1.clone()).collect();
        vault.change(&mut |state, _| lost.iter().filter(|id| state.purge(**id)).count() > 0)?;
    }
    let mut met: BTreeSet<EntryId> = BTreeSet::new();
    let joined = all.joined();
    met.extend(joined.entries.keys());
    for name in &all.skipped {
        met.extend(known.0.get(name).into_iter().flat_map(|(_, ids)| ids));
    }
    let new_keys = ring.keys.len() > own_before;
    vault.change(&mut |state, stamp| {
        let mut changed = state.join(&joined);
        if new_keys {
            for (kid, key) in &ring.keys {
                changed |= record::add_key(state, job.identity, *kid, key, stamp);
            }
        }
        changed
    })?;
    for (name, (digest, bundle)) in &all.bundles {
        known.0.insert(*name, (*digest, bundle.records.entries.keys().copied().collect()));
    }
    // A key of our own, safe in the vault's file before anything is sealed with it.
    let usable = |state: &State| {
        let keys = record::keys(state, job.identity);
        record::pinned(state, job.identity).filter(|kid| keys.contains_key(kid))
    };
    if usable(&vault.unlocked().state).is_none() {
        // One that others use already is better than one more.
        let (kid, key) = match ring.keys.iter().next() {
            Some((kid, key)) => (*kid, key.duplicate()),
            None => (job.fresh)(),
        };
        vault.change(&mut |state, stamp| {
            record::add_key(state, job.identity, kid, &key, stamp) | record::pin(state, job.identity, kid, stamp)
        })?;
    }

    // 4. Accounts, keys and slots of one moment: a password or a key that changes meanwhile belongs to the next round.
    let now = vault.unlocked().duplicate();
    let ring = Ring::of(&now, job.identity);
    let Some(pin) = usable(&now.state) else { return Ok(None) };
    let own_head = all.heads.get(&job.device);
    let own_epoch = |name: &Name| match name {
        Name::Bundle { device, epoch, .. } if *device == job.device => Some(*epoch),
        _ => None,
    };
    let listed = all.names.iter().filter_map(own_epoch);
    let mut epoch = listed.chain(own_head.map(|(_, head)| head.epoch)).max().unwrap_or(0);
    // What lies there under a key that we do not know may be all that is left of something: it stays, we go on beside it.
    while all.foreign.iter().filter_map(own_epoch).any(|foreign| foreign == epoch) && epoch < MAX_EPOCH {
        epoch += 1;
    }
    let mut records = record::project(&now.state, job.identity, &met, job.names_only);
    let mut left_out = Vec::new();
    let parts = loop {
        let parts = record::buckets(&records, epoch);
        let full: Vec<&State> = parts.values().filter(|part| !items.fits(part)).collect();
        if full.is_empty() {
            break parts;
        }
        let alone: Vec<EntryId> =
            full.iter().filter(|part| part.entries.len() == 1).flat_map(|part| part.entries.keys().copied()).collect();
        if epoch < MAX_EPOCH && alone.is_empty() {
            epoch += 1;
        } else {
            let out = if alone.is_empty() { full[0].entries.keys().take(1).copied().collect() } else { alone };
            for id in out {
                records.entries.remove(&id);
                left_out.push(id);
            }
        }
    };

    let (mut written, mut changed) = (0, BTreeSet::new());
    // 5. Key items first: nothing is sealed with a key that nobody could get back.
    let in_use: BTreeSet<Kid> = (all.bundles.values().map(|(_, bundle)| bundle.kid))
        .chain(all.heads.values().map(|(_, head)| head.kid))
        .chain([pin])
        .collect();
    let mut pinned_item = None;
    for kid in in_use {
        let Some(key) = ring.keys.get(&kid) else { continue };
        let name = Name::Key { kid, device: job.device };
        let old = all.keys.get(&name);
        let slots = if flaw(Flaw::SlotsEarlier) { earlier.clone() } else { now.slots().to_vec() };
        let digest = match old {
            Some((digest, old))
                if old.slots == slots
                    && old.by_itself == job.by_itself
                    && old.data.expose() == now.data_key().expose() =>
            {
                *digest
            }
            _ => {
                // Above those of all devices: on a new machine the highest tells which data key came last.
                let revision = all.keys.values().map(|(_, item)| item.revision).max().unwrap_or(0) + 1;
                let (data, key) = (now.data_key().duplicate(), key.duplicate());
                let item = KeyItem { revision, slots, by_itself: job.by_itself, data, key };
                written += 1;
                changed.insert(name);
                items.write(name, &Item::Key(item), &ring)?
            }
        };
        if kid == pin {
            pinned_item = Some((name, digest));
        }
    }

    if flaw(Flaw::OldEpochFirst) {
        delete_old(items, &all, job.device, epoch)?;
    }
    // 6. Then the bundles that differ, then the head.
    let mut digests = BTreeMap::new();
    for (bucket, part) in parts {
        let name = Name::Bundle { device: job.device, epoch, bucket };
        let old = all.bundles.get(&name);
        let digest = match old {
            Some((digest, old)) if old.kid == pin && old.records.holds_the_same(&part) => *digest,
            _ => {
                // Somebody may have put back an older one since it was read: what it holds must be joined first.
                let there = items.read(name, &ring)?.map(|read| read.digest);
                if there != old.map(|(digest, _)| *digest) && !all.damaged.contains(&name) {
                    return Ok(None);
                }
                let revision = old.map_or(0, |(_, old)| old.revision) + 1;
                let ids = part.entries.keys().copied().collect();
                written += 1;
                changed.insert(name);
                let digest = items.write(name, &Item::Bundle(Bundle { kid: pin, revision, records: part }), &ring)?;
                known.0.insert(name, (digest, ids));
                digest
            }
        };
        digests.insert(bucket, digest);
    }
    let accounts = record::live(&records);
    let name = Name::Head { device: job.device };
    let mut revisions = job.seen.clone();
    revisions.retain(|device, _| all.heads.contains_key(device) || *device == job.device);
    for (device, (_, head)) in &all.heads {
        let highest = revisions.entry(*device).or_default();
        *highest = head.revision.max(*highest);
    }
    let own = revisions.entry(job.device).or_default();
    let head_digest = match own_head {
        // One that went back is written anew, above all that was seen.
        Some((digest, head))
            if head.revision >= *own
                && (head.kid, head.epoch, head.accounts, &head.digests) == (pin, epoch, accounts, &digests)
                && head.label == job.label
                && job.now.secs_since(head.time) < STALE =>
        {
            *digest
        }
        _ => {
            *own += 1;
            let (revision, label) = (*own, job.label.to_owned());
            let head = Head { kid: pin, revision, label, time: job.now, accounts, epoch, digests: digests.clone() };
            written += 1;
            changed.insert(name);
            items.write(name, &Item::Head(head), &ring)?
        }
    };

    // 7. All of it is read back, not only what was written just now: a store may have lost the rest long ago.
    let mut kept = vec![(name, head_digest)];
    kept.extend(pinned_item);
    kept.extend(digests.iter().map(|(bucket, d)| (Name::Bundle { device: job.device, epoch, bucket: *bucket }, *d)));
    for (name, digest) in kept.into_iter().filter(|(name, _)| changed.contains(name) || !flaw(Flaw::ReadBackChanged)) {
        match items.read(name, &ring)? {
            Some(read) if read.digest == digest && !matches!(read.item, Item::Foreign | Item::Damaged) => {}
            _ => return Err(RoundError::NotKept),
        }
    }

    // Only now, and only of what is new, others are told: a look of theirs then finds it whole, and two that look because of
    // each other come to rest.
    if changed.contains(&name) {
        items.announce(name, revisions[&job.device]);
    }

    // 8. Only now what the new bundles replace may go, and then the keys that nothing needs any more.
    delete_old(items, &all, job.device, epoch)?;
    let others_bundles = all.bundles.iter().filter(|(name, _)| name.device() != job.device);
    let others_heads = all.heads.iter().filter(|(device, _)| **device != job.device);
    let used: BTreeSet<Kid> = (others_bundles.map(|(_, (_, bundle))| bundle.kid))
        .chain(others_heads.map(|(_, (_, head))| head.kid))
        .chain([pin])
        .collect();
    // Where something cannot be read, nobody knows which key it needs.
    if all.unread() == 0 && all.skipped.is_empty() {
        for name in all.of_device(job.device) {
            if matches!(name, Name::Key { kid, .. } if !used.contains(&kid)) {
                items.delete(name)?;
            }
        }
    }

    let mut devices: Vec<Device> = all.devices().into_iter().filter(|device| device.id != job.device).collect();
    devices.insert(0, Device { id: job.device, label: job.label.to_owned(), accounts, time: job.now });
    let backed = Backed {
        accounts,
        devices,
        missing: all.missing.iter().filter(|name| name.device() != job.device).count(),
        foreign: all.foreign.len(),
        damaged: all.damaged.iter().filter(|name| name.device() != job.device).count(),
        left_out,
        written,
        revisions,
        went_back: all.went_back(job.seen),
    };
    Ok(Some((backed, all)))
}

/// Own bundles of older epochs, where they were opened and so joined in this round.
fn delete_old(items: &dyn Items, all: &Gathered, device: DeviceId, epoch: u8) -> Result<(), KeychainError> {
    for name in all.bundles.keys() {
        if matches!(name, Name::Bundle { device: d, epoch: old, .. } if *d == device && *old < epoch) {
            items.delete(*name)?;
        }
    }
    Ok(())
}

/// Deletes all items of another device, after everything of it was joined and is backed up by this one. A device that is
/// alive writes itself back.
///
/// # Errors
/// [`RoundError`]; nothing was deleted unless it is one of the store while deleting.
pub fn forget(
    items: &dyn Items,
    vault: &mut dyn Vault,
    job: &Job<'_>,
    known: &mut Known,
    device: DeviceId,
) -> Result<(), RoundError> {
    let job = Job { full: true, ..*job };
    let (_, all) = until_done(items, vault, &job, known)?;
    let theirs: Vec<Name> = all.of_device(device).collect();
    let unread = |name: &&Name| all.missing.contains(name) || all.foreign.contains(name) || all.damaged.contains(name);
    if theirs.iter().any(|name| unread(&name)) || all.missing.iter().any(|name| name.device() == device) {
        return Err(RoundError::Incomplete);
    }
    let ours: BTreeSet<SlotId> = vault.unlocked().slots().iter().map(|slot| slot.id).collect();
    let removed = |id: SlotId| vault.unlocked().was_removed(id);
    let newer = (theirs.iter().filter_map(|name| all.keys.get(name)))
        .flat_map(|(_, item)| &item.slots)
        .any(|slot| !ours.contains(&slot.id) && !removed(slot.id));
    if newer && !flaw(Flaw::ForgetNewer) {
        return Err(RoundError::NewerSlots);
    }
    let ring = Ring::of(vault.unlocked(), job.identity);
    for name in in_order_of_deletion(theirs) {
        // It may have written since.
        if matches!(name, Name::Bundle { .. }) {
            let there = items.read(name, &ring)?.map(|read| read.digest);
            if there.is_some() && there != all.bundles.get(&name).map(|(digest, _)| *digest) {
                return Err(RoundError::Restless);
            }
        }
        items.delete(name)?;
    }
    Ok(())
}

/// Deletes all items of one device, its own: what switching off without keeping means. Begins again where it stopped.
///
/// # Errors
/// [`KeychainError`].
pub fn wipe(items: &dyn Items, device: DeviceId) -> Result<(), RoundError> {
    let own = items.list()?.into_iter().filter(|name| name.device() == device);
    for name in in_order_of_deletion(own.collect()) {
        items.delete(name)?;
    }
    Ok(())
}

/// The bundles, then the head, then the key items: what opens the others goes last.
fn in_order_of_deletion(mut names: Vec<Name>) -> Vec<Name> {
    names.sort_by_key(|name| match name {
        Name::Bundle { .. } => 0,
        Name::Head { .. } => 1,
        Name::Key { .. } => 2,
    });
    names
}

/// A new backup key, for bundles that a lost machine shall not open.
///
/// # Errors
/// [`FileError`].
pub fn rotate(vault: &mut dyn Vault, job: &Job<'_>) -> Result<(), FileError> {
    let (kid, key) = (job.fresh)();
    vault.change(&mut |state, stamp| {
        record::add_key(state, job.identity, kid, &key, stamp) | record::pin(state, job.identity, kid, stamp)
    })
}

/// A key and its name from the system's randomness.
pub fn fresh() -> (Kid, BackupKey) {
    (Kid(crate::entropy::bytes()), BackupKey(Secret::new(crate::entropy::bytes())))
}
