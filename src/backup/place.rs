//! Where the backups of a vault go, and doing them: rounds, looks, and their state in words. The door to the protocol for
//! the command line and the panel.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::ledger::{self, Done, Ledger};
use super::record;
use super::round::{self, Backed, Job, Known, RoundError, Vault};
use super::sealed::Sealed;
use crate::keychain::folder::FolderKeychain;
use crate::keychain::{Keychain, KeychainError, Probe, system};
use crate::local::{self, Local};
use crate::paths;
use crate::policy::{self, ManagedStore, PERSONAL, Policy};
use crate::time::UnixTime;
use crate::vault::file::FileError;
use crate::vault::{DeviceId, Place, SlotKind, Stamp, State, Unlocked, Value, VaultId, payload};

/// The most bytes of one item: what Windows takes, what Apple syncs well, else what one write of a keyring bears.
const ITEM_LEN: usize = if cfg!(windows) {
    2_400
} else if cfg!(target_vendor = "apple") {
    16 << 10
} else {
    32 << 10
};
const FOLDER_ITEM_LEN: usize = 32 << 10;

/// The kind of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// The platform's keychain.
    Keychain,
    /// A folder.
    Folder(PathBuf),
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
        format!("{} {}", self.identity, self.store_name())
    }

    /// `keychain` or `folder`.
    pub const fn store_name(&self) -> &'static str {
        match self.store {
            Store::Keychain => "keychain",
            Store::Folder(_) => "folder",
        }
    }

    /// How far a copy there reaches; "backed up" is never said without it.
    pub fn reach(&self) -> String {
        match &self.store {
            Store::Keychain => String::from("this computer"),
            Store::Folder(path) => format!("wherever {} goes", path.display()),
        }
    }

    /// The store itself: for what the user has just asked for it may show the keychain's dialog.
    pub fn open(&self, may_prompt: bool) -> Box<dyn Keychain> {
        match &self.store {
            Store::Folder(path) => Box::new(FolderKeychain::new(path)),
            Store::Keychain if may_prompt => Box::new(system::asking()),
            Store::Keychain => Box::new(system::system()),
        }
    }

    fn items<'a>(&'a self, keychain: &'a dyn Keychain, vault: VaultId) -> Sealed<'a> {
        let item_len = if matches!(self.store, Store::Folder(_)) { FOLDER_ITEM_LEN } else { ITEM_LEN };
        Sealed { keychain, identity: &self.identity, vault, item_len }
    }

    /// Key items may hold the data key: in a keychain, of a vault that a keychain opens anyway.
    fn by_itself(&self, vault: &Unlocked) -> bool {
        self.store == Store::Keychain && vault.slots().iter().any(|slot| slot.kind() == SlotKind::Keychain)
    }
}

/// Where a vault's backups go: that of the organisation, where one manages the machine, then the user's own, the keychain
/// first. `enabled` is what the config says.
pub fn destinations(ledger: &Ledger, enabled: bool, policy: &Policy) -> Vec<Destination> {
    let wanted = enabled && !ledger.off;
    let managed = policy.identity.as_ref().map(|managed| Destination {
        identity: managed.identity(),
        store: match &managed.store {
            ManagedStore::Keychain { .. } => Store::Keychain,
            ManagedStore::Folder(path) => Store::Folder(path.clone()),
        },
        on: match policy.backup {
            policy::Backup::Required => true,
            policy::Backup::Allowed => wanted,
            policy::Backup::Forbidden => false,
        },
        names_only: policy.secrets == policy::Secrets::NamesOnly,
    });
    let stores = std::iter::once(Store::Keychain).chain(ledger.folder.clone().map(Store::Folder));
    let on = wanted && policy.identity_for(true).is_ok();
    let own = stores.map(|store| Destination { identity: PERSONAL.into(), store, on, names_only: false });
    managed.into_iter().chain(own).collect()
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
        let local = Local::open(&place.state_dir).unwrap_or_else(|_| Local::unkept());
        let (device, label) = (DeviceId(local.device()), local::label());
        Self { state_dir: &place.state_dir, device, label, now: UnixTime::now() }
    }

    fn job<'a>(&'a self, to: &'a Destination, vault: &Unlocked, full: bool) -> Job<'a> {
        Job {
            identity: &to.identity,
            device: self.device,
            label: &self.label,
            now: self.now,
            by_itself: to.by_itself(vault),
            names_only: to.names_only,
            full,
            fresh: &round::fresh,
        }
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
        let job = self.job(to, vault.unlocked, full);
        let result = vault.has_its_key().map_err(RoundError::from);
        let result = result.and_then(|()| round::round(&to.items(keychain, id), vault, &job, known));
        let name = to.id();
        match result {
            Ok(backed) => {
                let records = digest(&vault.unlocked.state, to);
                let seen = vault.unlocked.state.seen.iter().map(|(d, time)| (d.to_string(), *time)).collect();
                let revisions = backed.revisions.iter().map(|(d, n)| (d.to_string(), *n)).collect();
                let (accounts, left_out) = (backed.accounts, backed.left_out.len());
                let done = Done { time: self.now.0, accounts, seen, records, left_out, revisions };
                Ledger::change(self.state_dir, id, |ledger| {
                    ledger.failed.remove(&name);
                    ledger.done.insert(name, done);
                })?;
                Ok(backed)
            }
            Err(error) => {
                Ledger::change(self.state_dir, id, |ledger| drop(ledger.failed.insert(name, words(&error))))?;
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
        round::wipe(&to.items(keychain, vault), self.device)?;
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
        let job = self.job(to, vault.unlocked, true);
        vault.has_its_key().map_err(RoundError::from)?;
        Ok(round::forget(&to.items(keychain, id), vault, &job, &mut Known::default(), device)?)
    }

    /// Opens every item and looks whether all accounts could be restored from it.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn verify(&self, to: &Destination, keychain: &dyn Keychain, vault: &Unlocked) -> Result<Verified, BackupError> {
        let id = vault.vault_id();
        let mut ring = round::Ring::of(vault, &to.identity);
        let all = round::gather(&to.items(keychain, id), &mut ring, &|_, _| false)?;
        let stored = all.joined();
        let wanted = record::project(&vault.state, &to.identity, &BTreeSet::new(), to.names_only);
        let lacking = wanted
            .entries
            .iter()
            .filter(|(entry, ours)| stored.entries.get(entry).is_none_or(|theirs| theirs.clone().join(ours)));
        Ok(Verified {
            items: all.names.len(),
            accounts: record::live(&stored),
            lacking: lacking.count(),
            unread: all.unread(),
            devices: all.devices(),
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
    pub unread: usize,
    /// The devices.
    pub devices: Vec<round::Device>,
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

/// The command that makes a folder a destination.
const FOLDER: &str = "`otpanel backup enable --folder DIR`.";

/// Why no backup can be made, and the way out that always is there.
pub(super) fn instead(probe: &Probe) -> String {
    let said = probe.describe();
    let said = said.replace(", or use a password.", ".").replace(" Use a password.", "");
    format!("{said} Or choose a folder: {FOLDER}")
}

/// Why a round stopped, in words, with what to do.
pub fn words(error: &RoundError) -> String {
    match error {
        RoundError::Store(KeychainError::Unavailable(probe)) => instead(probe),
        RoundError::Store(KeychainError::Locked) => Probe::Locked.describe(),
        RoundError::Store(error) => {
            format!("{error}. It is tried again with the next change, or by `otpanel backup now`.")
        }
        RoundError::Vault(error) => format!("The vault could not be saved: {error}."),
        RoundError::NotKept => {
            String::from("What was written to it could not be read back. Choose a folder: ") + FOLDER
        }
        RoundError::Restless => "Another device writes there at this moment. `otpanel backup now` tries again.".into(),
        RoundError::Incomplete => "Not everything of that device can be read, so nothing of it was deleted.".into(),
        RoundError::NewerSlots => {
            "That device has a newer password or key than this one. Bring the vault file of that device here first."
                .into()
        }
    }
}
