//! The steps of a round, in the order that makes it safe.

use std::collections::{BTreeMap, BTreeSet};

use super::{Backed, Job, Known, RoundError, Vault};
use crate::backup::flaw::{Flaw, flaw};
use crate::backup::gather::{Device, Gathered, Items, Ring, gather};
use crate::backup::item::{Bundle, Digest, Head, Item, KeyItem, Kid, MAX_EPOCH, Name};
use crate::backup::record;
use crate::keychain::KeychainError;
use crate::vault::{DeviceId, Entry, EntryId, Slot, State, Unlocked};

/// A head that says nothing new is written again after so many seconds: its time tells that the device is alive.
const STALE: u64 = 24 * 3600;

/// One round, from the first step to the last; none when it has to begin again. `first` says that it did not yet.
pub(super) fn once(
    items: &dyn Items,
    vault: &mut dyn Vault,
    job: &Job<'_>,
    known: &mut Known,
    first: bool,
) -> Result<Option<(Backed, Gathered)>, RoundError> {
    let earlier = vault.unlocked().slots().to_vec();
    // 1. Everything that lies there is joined before anything is written.
    let Some(Joined { all, ring, met }) = join(items, vault, job, known, first)? else { return Ok(None) };
    // 2. A key of our own, safe in the vault's file before anything is sealed with it.
    choose_key(vault, job, &ring)?;
    // 3. Accounts, keys and slots of one moment: a password or a key that changes meanwhile belongs to the next round.
    let now = vault.unlocked().duplicate();
    let ring = Ring::of(&now, job.identity);
    let Some(pin) = usable_pin(&now.state, job.identity) else { return Ok(None) };
    let Plan { epoch, parts, accounts, left_out } = plan(items, &now.state, job, &all, &met);
    let mut writing = Writing { items, job, all: &all, now: &now, ring: &ring, pin, epoch, written: BTreeSet::new() };
    // 4. Key items first: nothing is sealed with a key that nobody could get back.
    let pinned = writing.keys(if flaw(Flaw::SlotsEarlier) { &earlier } else { now.slots() })?;
    if flaw(Flaw::OldEpochFirst) {
        delete_old(items, &all, job.device, epoch)?;
    }
    // 5. Then the bundles that differ, then the head.
    let Some(digests) = writing.bundles(parts, known)? else { return Ok(None) };
    let (head, revisions) = writing.head(accounts, &digests)?;
    // 6. All of it is read back, not only what was written just now: a store may have lost the rest long ago.
    writing.read_back(head, pinned, &digests)?;
    // 7. Only now, and only of what is new, others are told: a look of theirs then finds it whole, and two that look because
    // of each other come to rest.
    let name = Name::Head { device: job.device };
    if writing.written.contains(&name) {
        items.announce(name, revisions[&job.device]);
    }
    // 8. Only now what the new bundles replace may go, and then the keys that nothing needs any more.
    let written = writing.written.len();
    delete_old(items, &all, job.device, epoch)?;
    delete_unused_keys(items, &all, job.device, pin)?;

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

/// What was read, and is in the vault now.
struct Joined {
    all: Gathered,
    /// All keys that are known by now.
    ring: Ring,
    /// Every entry that was met in the store.
    met: BTreeSet<EntryId>,
}

/// Reads the store and joins it into the vault; none where something may be on its way, to look once more.
fn join(
    items: &dyn Items,
    vault: &mut dyn Vault,
    job: &Job<'_>,
    known: &mut Known,
    first: bool,
) -> Result<Option<Joined>, RoundError> {
    let mut ring = Ring::of(vault.unlocked(), job.identity);
    let own_before = ring.keys.len();
    let skip = |name: Name, announced: Digest| {
        (!job.full || flaw(Flaw::NeverWhole))
            && name.device() != job.device
            && known.0.get(&name).is_some_and(|(digest, _)| *digest == announced)
    };
    let all = gather(items, &mut ring, &skip)?;
    // Listed and gone never means that something was deleted.
    if first && !all.missing.is_empty() {
        return Ok(None);
    }
    if flaw(Flaw::MissingMeansDeleted) {
        let lost: Vec<EntryId> =
            all.missing.iter().filter_map(|name| known.0.get(name)).flat_map(|k| k.1.clone()).collect();
        vault.change(&mut |state, _| lost.iter().filter(|id| state.purge(**id)).count() > 0)?;
    }
    let joined = all.joined(&ring);
    let mut met: BTreeSet<EntryId> = joined.entries.keys().copied().collect();
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
            for kid in ring.old.iter().flatten() {
                changed |= record::mark_old(state, job.identity, *kid, stamp);
            }
        }
        changed
    })?;
    for (name, (digest, bundle)) in &all.bundles {
        known.0.insert(*name, (*digest, bundle.records.entries.keys().copied().collect()));
    }
    Ok(Some(Joined { all, ring, met }))
}

/// The chosen key, where it is one that the vault has.
fn usable_pin(state: &State, identity: &str) -> Option<Kid> {
    let keys = record::keys(state, identity);
    record::pinned(state, identity).filter(|kid| keys.contains_key(kid))
}

/// Chooses a key where none is chosen that can be used.
fn choose_key(vault: &mut dyn Vault, job: &Job<'_>, ring: &Ring) -> Result<(), RoundError> {
    if usable_pin(&vault.unlocked().state, job.identity).is_some() {
        return Ok(());
    }
    // One that others use already is better than one more. Of several, as a restore may find them, nobody knows here
    // which one somebody was shut out from.
    let (kid, key) = match ring.keys.iter().next() {
        Some((kid, key)) if ring.keys.len() == 1 && ring.old.iter().flatten().next().is_none() => {
            (*kid, key.duplicate())
        }
        _ => (job.fresh)(),
    };
    vault.change(&mut |state, stamp| {
        record::add_key(state, job.identity, kid, &key, stamp) | record::pin(state, job.identity, kid, stamp)
    })?;
    Ok(())
}

/// What is to lie there.
struct Plan {
    epoch: u8,
    /// The records of each bucket.
    parts: BTreeMap<u16, State>,
    /// Live accounts among them.
    accounts: usize,
    /// Accounts too large for this store.
    left_out: Vec<EntryId>,
}

/// Into how many buckets the records go so that each fits into one item.
fn plan(items: &dyn Items, state: &State, job: &Job<'_>, all: &Gathered, met: &BTreeSet<EntryId>) -> Plan {
    let own_epoch = |name: &Name| match name {
        Name::Bundle { device, epoch, .. } if *device == job.device => Some(*epoch),
        _ => None,
    };
    let listed = all.names.iter().filter_map(own_epoch);
    let announced = all.heads.get(&job.device).map(|(_, head)| head.epoch);
    let mut epoch = listed.chain(announced).max().unwrap_or(0);
    // What lies there under a key that we do not know may be all that is left of something: it stays, we go on beside it.
    while all.foreign.iter().filter_map(own_epoch).any(|foreign| foreign == epoch) && epoch < MAX_EPOCH {
        epoch += 1;
    }
    let mut records = record::project(state, job.identity, met, job.names_only);
    let mut left_out = Vec::new();
    let mut weighed = false;
    loop {
        let parts = record::buckets(&records, epoch);
        let full: Vec<&State> = parts.values().filter(|part| !items.fits(part)).collect();
        if full.is_empty() {
            return Plan { epoch, parts, accounts: record::live(&records), left_out };
        }
        let mut out: Vec<EntryId> = Vec::new();
        if !weighed {
            // What fits into no item is no reason to cut everything else into ever smaller ones. It is in a full part at once.
            let alone = |entry: &Entry| State { entries: [(entry.id, entry.clone())].into(), ..State::default() };
            let in_full = full.iter().flat_map(|part| part.entries.values());
            out.extend(in_full.filter(|entry| !items.fits(&alone(entry))).map(|entry| entry.id));
            weighed = true;
        }
        if out.is_empty() && epoch < MAX_EPOCH {
            epoch += 1;
            continue;
        }
        if out.is_empty() {
            out.extend(full[0].entries.keys().take(1));
        }
        for id in out {
            records.entries.remove(&id);
            left_out.push(id);
        }
    }
}

/// The writing half of a round: what lies there already as it shall be is not written again.
struct Writing<'a> {
    items: &'a dyn Items,
    job: &'a Job<'a>,
    all: &'a Gathered,
    /// The vault of the moment that is written.
    now: &'a Unlocked,
    ring: &'a Ring,
    /// The key that bundles are sealed with.
    pin: Kid,
    epoch: u8,
    written: BTreeSet<Name>,
}

impl Writing<'_> {
    fn write(&mut self, name: Name, item: &Item) -> Result<Digest, KeychainError> {
        self.written.insert(name);
        self.items.write(name, item, self.ring)
    }

    /// A key item for every key in use, opened by these slots; that of the chosen key is handed back.
    fn keys(&mut self, slots: &[Slot]) -> Result<Option<(Name, Digest)>, RoundError> {
        let (all, job) = (self.all, self.job);
        let in_use: BTreeSet<Kid> = (all.bundles.values().map(|(_, bundle)| bundle.kid))
            .chain(all.heads.values().map(|(_, head)| head.kid))
            .chain([self.pin])
            .collect();
        let mut pinned = None;
        for kid in in_use {
            let Some(key) = self.ring.keys.get(&kid) else { continue };
            let name = Name::Key { kid, device: job.device };
            let data = self.now.data_key();
            let stays = |old: &KeyItem| {
                old.slots == slots && old.by_itself == job.by_itself && old.data.expose() == data.expose()
            };
            let digest = match all.keys.get(&name) {
                Some((digest, old)) if stays(old) => *digest,
                _ => {
                    // Above those of all devices: on a new machine the highest tells which data key came last.
                    let highest = all.keys.values().map(|(_, item)| item.revision).max().unwrap_or(0);
                    let item = KeyItem {
                        revision: highest.saturating_add(1),
                        slots: slots.to_vec(),
                        by_itself: job.by_itself,
                        data: data.duplicate(),
                        key: key.duplicate(),
                    };
                    self.write(name, &Item::Key(item))?
                }
            };
            if kid == self.pin {
                pinned = Some((name, digest));
            }
        }
        Ok(pinned)
    }

    /// The bundles, by bucket; none where somebody wrote one of them since it was read.
    fn bundles(
        &mut self,
        parts: BTreeMap<u16, State>,
        known: &mut Known,
    ) -> Result<Option<BTreeMap<u16, Digest>>, RoundError> {
        let all = self.all;
        let mut digests = BTreeMap::new();
        for (bucket, part) in parts {
            let name = Name::Bundle { device: self.job.device, epoch: self.epoch, bucket };
            let old = all.bundles.get(&name);
            let digest = match old {
                Some((digest, old)) if old.kid == self.pin && old.records.holds_the_same(&part) => *digest,
                _ => {
                    // Somebody may have put back an older one: what it holds must be joined first.
                    let there = self.items.read(name, self.ring)?.map(|read| read.digest);
                    if there != old.map(|(digest, _)| *digest) && !all.damaged.contains(&name) {
                        return Ok(None);
                    }
                    let revision = old.map_or(0, |(_, old)| old.revision).saturating_add(1);
                    let ids = part.entries.keys().copied().collect();
                    let digest = self.write(name, &Item::Bundle(Bundle { kid: self.pin, revision, records: part }))?;
                    known.0.insert(name, (digest, ids));
                    digest
                }
            };
            digests.insert(bucket, digest);
        }
        Ok(Some(digests))
    }

    /// The head, and the highest revision of each head that is there.
    fn head(
        &mut self,
        accounts: usize,
        digests: &BTreeMap<u16, Digest>,
    ) -> Result<(Digest, BTreeMap<DeviceId, u64>), RoundError> {
        let (all, job) = (self.all, self.job);
        let mut revisions = job.seen.clone();
        revisions.retain(|device, _| all.heads.contains_key(device) || *device == job.device);
        for (device, (_, head)) in &all.heads {
            let highest = revisions.entry(*device).or_default();
            *highest = head.revision.max(*highest);
        }
        let own = revisions.entry(job.device).or_default();
        // One that went back is written anew, above all that was seen.
        let stays = |head: &Head| {
            head.revision >= *own
                && (head.kid, head.epoch, head.accounts, &head.digests) == (self.pin, self.epoch, accounts, digests)
                && head.label == job.label
                && job.now.secs_since(head.time) < STALE
        };
        let digest = match all.heads.get(&job.device) {
            Some((digest, head)) if stays(head) => *digest,
            _ => {
                *own = own.saturating_add(1);
                let head = Head {
                    kid: self.pin,
                    revision: *own,
                    label: job.label.to_owned(),
                    time: job.now,
                    accounts,
                    epoch: self.epoch,
                    digests: digests.clone(),
                };
                self.write(Name::Head { device: job.device }, &Item::Head(head))?
            }
        };
        Ok((digest, revisions))
    }

    /// Reads the head, the chosen key's item and all bundles.
    fn read_back(
        &self,
        head: Digest,
        pinned: Option<(Name, Digest)>,
        digests: &BTreeMap<u16, Digest>,
    ) -> Result<(), RoundError> {
        let (device, epoch) = (self.job.device, self.epoch);
        let bundles = digests.iter().map(|(bucket, digest)| (Name::Bundle { device, epoch, bucket: *bucket }, *digest));
        for (name, digest) in [(Name::Head { device }, head)].into_iter().chain(pinned).chain(bundles) {
            if flaw(Flaw::ReadBackChanged) && !self.written.contains(&name) {
                continue;
            }
            match self.items.read(name, self.ring)? {
                Some(read)
                    if read.digest == digest && !matches!(read.item, Item::Foreign | Item::Closed | Item::Damaged) => {}
                _ => return Err(RoundError::NotKept),
            }
        }
        Ok(())
    }
}

/// Deletes own bundles of older epochs, where they were opened and so joined in this round.
fn delete_old(items: &dyn Items, all: &Gathered, device: DeviceId, epoch: u8) -> Result<(), KeychainError> {
    for name in all.bundles.keys() {
        if matches!(name, Name::Bundle { device: d, epoch: old, .. } if *d == device && *old < epoch) {
            items.delete(*name)?;
        }
    }
    Ok(())
}

/// Deletes own items of keys that neither another device nor this one uses any more.
fn delete_unused_keys(items: &dyn Items, all: &Gathered, device: DeviceId, pin: Kid) -> Result<(), KeychainError> {
    // Where something cannot be read, nobody knows which key it needs.
    if all.unread() > 0 || !all.skipped.is_empty() {
        return Ok(());
    }
    let others_bundles = all.bundles.iter().filter(|(name, _)| name.device() != device);
    let others_heads = all.heads.iter().filter(|(other, _)| **other != device);
    let used: BTreeSet<Kid> = (others_bundles.map(|(_, (_, bundle))| bundle.kid))
        .chain(others_heads.map(|(_, (_, head))| head.kid))
        .chain([pin])
        .collect();
    for name in all.of_device(device) {
        if matches!(name, Name::Key { kid, .. } if !used.contains(&kid)) {
            items.delete(name)?;
        }
    }
    Ok(())
}
