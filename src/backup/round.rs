//! The protocol: one round of a backup, forgetting a device, wiping what is ours. Its order is what makes it safe, and each
//! step, in `pass.rs`, says why. The model check in `model.rs` runs this very code against stores that lose, replay and crash.

mod pass;

use std::collections::{BTreeMap, BTreeSet};

use super::flaw::{Flaw, flaw};
pub use super::gather::{Device, Gathered, Items, Ring, WentBack, gather};
use super::item::{BackupKey, Digest, Kid, Name};
use crate::keychain::KeychainError;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::{DeviceId, EntryId, FileError, SlotId, Stamp, State, Unlocked};

/// How often a round begins again because others write meanwhile.
const TRIES: usize = 8;

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
        if let Some(done) = pass::once(items, vault, job, known, attempt == 0)? {
            return Ok(done);
        }
    }
    Err(RoundError::Restless)
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

/// A key and its name from the system's randomness.
pub fn fresh() -> (Kid, BackupKey) {
    (Kid(crate::entropy::bytes()), BackupKey(Secret::new(crate::entropy::bytes())))
}
