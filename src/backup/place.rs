//! Where the backups of a vault go, and doing them: rounds, looks, and their state in words. The door to the protocol for
//! the command line and the panel.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::gather::{Items as _, Why};
use super::item::Name;
use super::ledger::{self, Done, Ledger};
use super::record;
use super::round::{self, Backed, Job, Known, RoundError, Vault, WentBack};
use super::sealed::{self, Sealed};
use super::words;
use crate::keychain::folder::FolderKeychain;
use crate::keychain::{Keychain, KeychainError, Probe, system};
use crate::local::{self, Local};
use crate::paths;
use crate::policy::{self, ManagedStore, PERSONAL, Policy};
use crate::time::UnixTime;
use crate::vault::file::FileError;
use crate::vault::{DeviceId, Place, SlotKind, Stamp, State, Unlocked, Value, VaultId, payload};

/// The most bytes of one item: what Windows takes, what Apple syncs well, and on the Secret Service large ones, since
/// gnome-keyring writes its whole file twice for each item, however small, and KeePassXC bears few at a time. 10,000 accounts are
/// 16 bundles of this size; as 128 of 32 KiB they made gnome-keyring write 402 MB instead.
const ITEM_LEN: usize = if cfg!(windows) {
    2_400
} else if cfg!(target_vendor = "apple") {
    16 << 10
} else {
    256 << 10
};
/// In a folder each change is one file that is carried elsewhere: small ones travel better.
const FOLDER_ITEM_LEN: usize = 32 << 10;

/// The kind of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// The platform's keychain; in the keyring of this label, where one is named.
    Keychain {
        /// The label of a Secret Service collection.
        keyring: Option<String>,
    },
    /// A folder.
    Folder(PathBuf),
}

impl Store {
    /// The keychain as it comes, in no keyring of its own.
    pub const KEYCHAIN: Self = Self::Keychain { keyring: None };

    /// It is the platform's keychain.
    pub const fn is_keychain(&self) -> bool {
        matches!(self, Self::Keychain { .. })
    }
}

/// A backup of one identity in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Whose accounts: `personal` or `managed/NAME`.
    pub identity: String,
    /// Where.
    pub store: Store,
    /// It is wanted.
    pub on: bool,
    /// Leave the secrets out.
    pub names_only: bool,
}

impl Destination {
    /// A name for remembering it by.
    pub fn id(&self) -> String {
        match &self.store {
            Store::Keychain { keyring: Some(label) } => format!("{} keychain/{label}", self.identity),
            _ => format!("{} {}", self.identity, self.store_name()),
        }
    }

    /// `keychain` or `folder`.
    pub const fn store_name(&self) -> &'static str {
        match self.store {
            Store::Keychain { .. } => "keychain",
            Store::Folder(_) => "folder",
        }
    }

    /// How far a copy there reaches; "backed up" is never said without it.
    pub fn reach(&self) -> String {
        match &self.store {
            Store::Keychain { .. } if cfg!(all(target_vendor = "apple", feature = "icloud")) => {
                String::from("this account on all devices")
            }
            Store::Keychain { .. } => String::from("this computer"),
            Store::Folder(path) => format!("wherever {} goes", path.display()),
        }
    }

    /// Where an item of a vault lies there, for people.
    fn at(&self, vault: VaultId, name: Name) -> String {
        let (service, user) = (sealed::service(&self.identity), format!("{}/{name}", sealed::vault8(vault)));
        match &self.store {
            Store::Folder(folder) => folder.join(service).join(user).display().to_string(),
            Store::Keychain { .. } => format!("{service} {user}"),
        }
    }

    /// The store itself: for what the user has just asked for it may show the keychain's dialog.
    pub fn open(&self, may_prompt: bool) -> Box<dyn Keychain> {
        match &self.store {
            Store::Folder(path) => Box::new(FolderKeychain::new(path)),
            Store::Keychain { keyring } => {
                let keychain = if may_prompt { system::asking() } else { system::system() };
                Box::new(keychain.within(keyring.as_deref()))
            }
        }
    }

    /// The items of a vault there. Where they may not open by themselves, none is believed that does: a vault that only a
    /// password opens would else take keys from any program that can write to the keychain.
    fn items<'a>(&'a self, keychain: &'a dyn Keychain, vault: VaultId, by_itself: bool) -> Sealed<'a> {
        let item_len = if matches!(self.store, Store::Folder(_)) { FOLDER_ITEM_LEN } else { ITEM_LEN };
        Sealed { keychain, identity: &self.identity, vault, item_len, by_itself }
    }

    /// Refuses a folder that was backed up to and holds nothing of it any more: most often the place of a disk or a share that
    /// is not connected, which must not be filled in its stead.
    fn still_holds(&self, items: &Sealed<'_>, seen: &BTreeMap<DeviceId, u64>) -> Result<(), RoundError> {
        match &self.store {
            Store::Folder(path) if !seen.is_empty() && items.list()?.is_empty() => {
                Err(RoundError::Emptied(path.display().to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Key items may hold the data key: in a keychain, of a vault that a keychain opens anyway.
    fn by_itself(&self, vault: &Unlocked) -> bool {
        self.store.is_keychain() && vault.slots().iter().any(|slot| slot.kind() == SlotKind::Keychain)
    }
}

/// Where a vault's backups go: that of the organisation, where one manages the machine, then the user's own, the keychain
/// first. `enabled` is what the config says.
pub fn destinations(ledger: &Ledger, enabled: bool, policy: &Policy) -> Vec<Destination> {
    let wanted = enabled && !ledger.off;
    let managed = policy.identity.as_ref().map(|managed| Destination {
        identity: managed.identity(),
        store: match &managed.store {
            ManagedStore::Keychain { collection } => Store::Keychain { keyring: collection.clone() },
            ManagedStore::Folder(path) => Store::Folder(path.clone()),
        },
        on: match policy.backup {
            policy::Backup::Required => true,
            policy::Backup::Allowed => wanted,
            policy::Backup::Forbidden => false,
        },
        names_only: policy.secrets == policy::Secrets::NamesOnly,
    });
    let stores = std::iter::once(Store::KEYCHAIN).chain(ledger.folder.clone().map(Store::Folder));
    let on = wanted && policy.identity_for(true).is_ok();
    let own = stores.map(|store| Destination { on, ..own_in(store) });
    managed.into_iter().chain(own).collect()
}

/// Turns the backup on, and makes a folder one of its places. A folder that holds nothing yet is as new: that there was a
/// backup before, there or in another folder, says nothing of it.
///
/// What it replaced is handed back, for [`take_back_failed`].
pub fn enable(ledger: &mut Ledger, folder: Option<&Path>) -> Replaced {
    ledger.off = false;
    let id = own_in(Store::Folder(PathBuf::new())).id();
    let before = Replaced {
        folder: ledger.folder.clone(),
        done: ledger.done.get(&id).cloned(),
        failed: ledger.failed.get(&id).cloned(),
    };
    let Some(folder) = folder else { return before };
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if empty || ledger.folder.as_deref() != Some(folder) {
        ledger.done.remove(&id);
        ledger.failed.remove(&id);
    }
    ledger.folder = Some(folder.to_owned());
    before
}

/// What was remembered of the folder before another was made a place of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replaced {
    folder: Option<PathBuf>,
    done: Option<Done>,
    failed: Option<String>,
}

/// Puts back the folder of before where the first backup to the new one failed: a slip of the finger must not end the backup
/// that works. True where it was put back.
pub fn take_back_failed(ledger: &mut Ledger, before: Replaced) -> bool {
    let id = own_in(Store::Folder(PathBuf::new())).id();
    if ledger.folder == before.folder || ledger.failed.remove(&id).is_none() {
        return false;
    }
    ledger.folder = before.folder;
    ledger.done.remove(&id);
    ledger.done.extend(before.done.map(|done| (id.clone(), done)));
    ledger.failed.extend(before.failed.map(|why| (id, why)));
    true
}

/// A place of the user's own accounts.
fn own_in(store: Store) -> Destination {
    Destination { identity: PERSONAL.into(), store, on: true, names_only: false }
}

/// A folder to keep backups in, by its whole path: it is there, or is made.
///
/// # Errors
/// What the system says.
pub fn folder(path: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(path).and_then(|()| paths::real(path))
}

/// A vault in its file, for rounds.
pub struct InFile<'a> {
    /// The file.
    pub place: &'a Place,
    /// What is open of it.
    pub unlocked: &'a mut Unlocked,
    /// The writer.
    pub device: DeviceId,
}

impl InFile<'_> {
    /// Refuses a vault that was given a new key since it was opened: its backup would be sealed under the old one.
    fn has_its_key(&self) -> Result<(), FileError> {
        let file = self.place.load().ok().filter(|file| !self.unlocked.knows(&file.digest()));
        match file.map(|file| self.place.open_again(self.unlocked, &file)) {
            Some(Err(error @ FileError::Rekeyed(_))) => Err(error),
            // Whatever else is wrong with the file, a copy of what is open does no harm.
            _ => Ok(()),
        }
    }
}

impl Vault for InFile<'_> {
    fn unlocked(&self) -> &Unlocked {
        self.unlocked
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut State, Stamp) -> bool) -> Result<(), FileError> {
        let stamp = self.unlocked.state.next_stamp(UnixTime::now(), self.device);
        if change(Arc::make_mut(&mut self.unlocked.state), stamp) {
            self.place.save(self.unlocked)?;
        }
        Ok(())
    }
}

/// Why a backup did not happen.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The protocol stopped.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// Local state could not be kept, or another program of this machine does not end its own round.
    #[error("the backup's own state cannot be used: {0}")]
    Local(#[from] io::Error),
}

impl From<KeychainError> for BackupError {
    fn from(error: KeychainError) -> Self {
        Self::Round(error.into())
    }
}

/// The machine, as heads name it.
pub struct Here<'a> {
    /// The folder of local state.
    pub state_dir: &'a Path,
    /// This device.
    pub device: DeviceId,
    /// Its name.
    pub label: String,
    /// The moment.
    pub now: UnixTime,
}

impl<'p> Here<'p> {
    /// This machine, now, by its local state; where none can be kept, for this once only.
    pub fn new(place: &'p Place) -> Self {
        let local = Local::open_or_unkept(&place.state_dir);
        let (device, label) = (DeviceId(local.device()), local::label());
        Self { state_dir: &place.state_dir, device, label, now: UnixTime::now() }
    }

    fn job<'a>(
        &'a self,
        to: &'a Destination,
        vault: &Unlocked,
        seen: &'a BTreeMap<DeviceId, u64>,
        full: bool,
    ) -> Job<'a> {
        Job {
            identity: &to.identity,
            device: self.device,
            label: &self.label,
            now: self.now,
            by_itself: to.by_itself(vault),
            names_only: to.names_only,
            seen,
            full,
            fresh: &round::fresh,
        }
    }

    /// The highest revision that this machine saw of each head in a destination.
    fn seen_heads(&self, to: &Destination, vault: VaultId) -> BTreeMap<DeviceId, u64> {
        Ledger::load(self.state_dir, vault).done.get(&to.id()).map(Done::seen_heads).unwrap_or_default()
    }

    /// One round to a destination; what comes of it is remembered.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn back_up(
        &self,
        to: &Destination,
        keychain: &dyn Keychain,
        vault: &mut InFile<'_>,
        known: &mut Known,
        full: bool,
    ) -> Result<Backed, BackupError> {
        let id = vault.unlocked.vault_id();
        let _lock = ledger::lock(self.state_dir, id)?;
        let seen = self.seen_heads(to, id);
        let job = self.job(to, vault.unlocked, &seen, full);
        let result = vault.has_its_key().map_err(RoundError::from);
        let items = to.items(keychain, id, job.by_itself);
        let result = result.and_then(|()| to.still_holds(&items, &seen));
        let result = result.and_then(|()| round::round(&items, vault, &job, known));
        let name = to.id();
        match result {
            Ok(backed) => {
                let records = digest(&vault.unlocked.state, to);
                let seen = version(&vault.unlocked.state);
                let revisions = backed.revisions.iter().map(|(d, n)| (d.to_string(), *n)).collect();
                let (accounts, left_out) = (backed.accounts, backed.left_out.len());
                // Its own was written anew.
                let others = backed.went_back.iter().filter(|head| head.device != self.device);
                let went_back = others.map(|head| head.label.clone()).collect();
                let done = Done { time: self.now.0, accounts, seen, records, left_out, revisions, went_back };
                Ledger::change(self.state_dir, id, |ledger| {
                    ledger.failed.remove(&name);
                    // Should it fail again some day, that is news.
                    for topic in Ledger::topics(&name) {
                        ledger.told.remove(&topic);
                    }
                    ledger.done.insert(name, done);
                })?;
                Ok(backed)
            }
            Err(error) => {
                Ledger::change(self.state_dir, id, |ledger| drop(ledger.failed.insert(name, words::words(&error))))?;
                Err(error.into())
            }
        }
    }

    /// Deletes what this device has in a destination. Cut short, the next call goes on.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn wipe(&self, to: &Destination, keychain: &dyn Keychain, vault: VaultId) -> Result<(), BackupError> {
        let _lock = ledger::lock(self.state_dir, vault)?;
        round::wipe(&to.items(keychain, vault, false), self.device)?;
        Ok(Ledger::change(self.state_dir, vault, |ledger| drop(ledger.done.remove(&to.id())))?)
    }

    /// Deletes what this device has in all of these: each that was reached, with what came of it. Where nothing was ever kept
    /// nothing need be reached.
    pub fn wipe_all<'d>(
        &self,
        all: &'d [Destination],
        may_prompt: bool,
        vault: VaultId,
    ) -> Vec<(&'d Destination, Result<(), BackupError>)> {
        let done = Ledger::load(self.state_dir, vault).done;
        let reached = all.iter().map(|to| (to, to.open(may_prompt)));
        reached
            .filter(|(to, keychain)| keychain.probe() == Probe::Ready || done.contains_key(&to.id()))
            .map(|(to, keychain)| (to, self.wipe(to, &*keychain, vault)))
            .collect()
    }

    /// Deletes what another device has in a destination, once all of it is here.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn forget(
        &self,
        to: &Destination,
        keychain: &dyn Keychain,
        vault: &mut InFile<'_>,
        device: DeviceId,
    ) -> Result<(), BackupError> {
        let id = vault.unlocked.vault_id();
        let _lock = ledger::lock(self.state_dir, id)?;
        let seen = self.seen_heads(to, id);
        let job = self.job(to, vault.unlocked, &seen, true);
        vault.has_its_key().map_err(RoundError::from)?;
        Ok(round::forget(&to.items(keychain, id, job.by_itself), vault, &job, &mut Known::default(), device)?)
    }

    /// Opens every item and looks whether all accounts could be restored from it.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn verify(&self, to: &Destination, keychain: &dyn Keychain, vault: &Unlocked) -> Result<Verified, BackupError> {
        let id = vault.vault_id();
        let mut ring = round::Ring::of(vault, &to.identity);
        let all = round::gather(&to.items(keychain, id, to.by_itself(vault)), &mut ring, &|_, _| false)?;
        let stored = all.joined(&ring);
        let wanted = record::project(&vault.state, &to.identity, &BTreeSet::new(), to.names_only);
        let lacking = wanted
            .entries
            .iter()
            .filter(|(entry, ours)| stored.entries.get(entry).is_none_or(|theirs| theirs.clone().join(ours)));
        Ok(Verified {
            items: all.names.len(),
            accounts: record::live(&stored),
            lacking: lacking.count(),
            unread: all.unread_items().map(|(name, why)| Unread { at: to.at(id, name), why }).collect(),
            devices: all.devices(),
            went_back: all.went_back(&self.seen_heads(to, id)),
        })
    }
}

/// What a look at every item found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Items there.
    pub items: usize,
    /// Live accounts that can be restored.
    pub accounts: usize,
    /// Entries of this vault that are not there, or older there.
    pub lacking: usize,
    /// Items that are missing or do not open.
    pub unread: Vec<Unread>,
    /// The devices.
    pub devices: Vec<round::Device>,
    /// Heads that are older than what this machine saw before.
    pub went_back: Vec<WentBack>,
}

/// An item that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where it lies: its file, or its service and its name in the keychain.
    pub at: String,
    /// Why.
    pub why: Why,
}

/// The version vector of a state, devices in hex.
pub fn version(state: &State) -> BTreeMap<String, u64> {
    state.seen.iter().map(|(device, time)| (device.to_string(), *time)).collect()
}

pub(super) fn digest(state: &State, to: &Destination) -> String {
    let records = record::project(state, &to.identity, &BTreeSet::new(), to.names_only);
    // Purged entries have no identity any more; that one was of this identity, its absence here tells.
    let keys = state.meta.iter().filter(|(name, _)| name.starts_with("slot/"));
    let mut hash = Sha256::new_with_prefix(payload::encode(&records).expose());
    for (name, register) in keys {
        hash.update(name.as_bytes());
        hash.update([u8::from(matches!(register.value, Value::Flag(_)))]);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}
