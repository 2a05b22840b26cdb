//! What this machine does with the backups of a vault: rounds, looks, wiping and forgetting, and remembering what came of
//! them. The door to the protocol for the command line and the panel.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::gather::Why;
use super::ledger::{self, Done, Ledger};
use super::place::Destination;
use super::record;
use super::round::{self, Backed, Job, Known, RoundError, Vault, WentBack};
use super::words;
use crate::keychain::{Keychain, KeychainError, Probe};
use crate::local::{self, Local};
use crate::time::UnixTime;
use crate::vault::file::FileError;
use crate::vault::{DeviceId, Place, Stamp, State, Unlocked, Value, VaultId, payload};

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
