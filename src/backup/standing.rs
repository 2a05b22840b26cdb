//! How the backups of a vault stand, in figures and in words: for `otpanel backup status` and for the panel.

use std::collections::BTreeSet;

use super::ledger::{Done, Ledger};
use super::place::{self, BackupError, Destination, Store, digest};
use super::record;
use super::words::{self, instead};
use crate::keychain::Probe;
use crate::policy::{PERSONAL, Policy};
use crate::text::clean;
use crate::time::UnixTime;
use crate::vault::{Stamp, State, Unlocked};

/// How a destination stands, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Everything is there.
    On,
    /// Something waits: for the first account, for the keychain to be unlocked, for the next try.
    Waiting,
    /// It cannot be had here.
    Unavailable,
    /// Turned off.
    Off,
}

impl Standing {
    /// `on`, `off`, `waiting`, `unavailable`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Waiting => "waiting",
            Self::Unavailable => "unavailable",
        }
    }
}

/// How a destination stands, with its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which.
    pub to: Destination,
    /// In a word.
    pub standing: Standing,
    /// Live accounts in the last good backup.
    pub accounts: usize,
    /// Accounts that are not there yet, or older there.
    pub pending: usize,
    /// When the last good backup was.
    pub last: Option<UnixTime>,
    /// Why it is not on, in two or three words; empty where it is.
    pub brief: &'static str,
    /// Why it is not on, and what to do.
    pub reason: Option<String>,
    /// Devices whose head is older there than it was: somebody has put an old state back.
    pub went_back: Vec<String>,
}

/// Looks how a destination stands, without a prompt and without reading items.
pub fn status(to: &Destination, probe: &Probe, vault: &Unlocked, ledger: &Ledger) -> Status {
    let id = to.id();
    let done = ledger.done.get(&id);
    let live = vault.state.live().filter(|entry| entry.identity() == to.identity).count();
    let pending = match done {
        None => live,
        Some(done) if done.records == digest(&vault.state, to) => 0,
        Some(done) => newer(&vault.state, to, done).max(1),
    };
    let left_out = done.map_or(0, |done| done.left_out);
    let (standing, brief, reason) = match (to.on, probe, ledger.failed.get(&id)) {
        (false, ..) => {
            (Standing::Off, "off", Some("It was turned off; `otpanel backup enable` turns it on.".to_owned()))
        }
        (true, Probe::Locked, _) => (Standing::Waiting, "keychain locked", Some(probe.describe())),
        (true, Probe::Ready, Some(why)) => (Standing::Waiting, "the last try failed", Some(why.clone())),
        (true, Probe::Ready, None) if done.is_none() && live == 0 => {
            let (brief, reason) = ("backup starts with the first account", "The backup starts with the first account.");
            (Standing::Waiting, brief, Some(reason.to_owned()))
        }
        (true, Probe::Ready, None) if done.is_none() => {
            (Standing::Waiting, "not yet backed up", Some("It is about to be backed up for the first time.".to_owned()))
        }
        (true, Probe::Ready, None) if left_out > 0 => {
            let why = "One account or more is too large for it: shorten its name. All others are there.";
            (Standing::Waiting, "too large for it", Some(why.to_owned()))
        }
        (true, Probe::Ready, None) => (Standing::On, "", None),
        (true, other, _) => {
            let brief = match (&to.store, other) {
                (_, Probe::NoFolder(_)) => "the folder is gone",
                (Store::Folder(_), _) => "the folder cannot be used",
                (_, Probe::NoKeyring(_)) => "its keyring is missing",
                _ => "no keychain",
            };
            (Standing::Unavailable, brief, Some(instead(other)))
        }
    };
    let (accounts, last) = (done.map_or(0, |done| done.accounts), done.map(|done| UnixTime(done.time)));
    let went_back = done.map(|done| done.went_back.clone()).unwrap_or_default();
    Status { to: to.clone(), standing, accounts, pending: pending + left_out, last, brief, reason, went_back }
}

/// Entries with a stamp that the last backup had not seen.
fn newer(state: &State, to: &Destination, done: &Done) -> usize {
    let records = record::project(state, &to.identity, &BTreeSet::new(), to.names_only);
    let is_newer = |stamp: Stamp| done.seen.get(&stamp.device.to_string()).is_none_or(|seen| *seen < stamp.time);
    let bodies = records.entries.values().filter_map(|entry| entry.body.as_ref());
    bodies.filter(|body| body.fields.values().any(|register| is_newer(register.stamp))).count()
}

/// How all destinations stand, asked without a prompt: the identity in force first, then the best, which is what the user
/// relies on; of equal ones that which holds something.
pub fn all(vault: &Unlocked, ledger: &Ledger, enabled: bool, policy: &Policy) -> Vec<Status> {
    let mut all: Vec<Status> = (place::destinations(ledger, enabled, policy).iter())
        .map(|to| status(to, &to.open(false).probe(), vault, ledger))
        .collect();
    all.sort_by_key(|status| (status.to.identity == PERSONAL, status.standing, status.last.is_none()));
    all
}

/// The destinations that are on and have something to keep, now or before.
pub fn wanted(state: &State, ledger: &Ledger, enabled: bool, policy: &Policy) -> Vec<Destination> {
    let has = |to: &Destination| {
        ledger.done.contains_key(&to.id()) || state.entries.values().any(|entry| entry.identity() == to.identity)
    };
    place::destinations(ledger, enabled, policy).into_iter().filter(|to| to.on && has(to)).collect()
}

/// That the copies of these devices had gone back, with what it means; none where none had.
pub fn went_back<'a>(labels: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let names: Vec<String> = labels.into_iter().map(|label| clean(label).into_owned()).collect();
    if names.is_empty() {
        return None;
    }
    Some(format!(
        "an older copy of {} was put back there. Nothing of this vault is lost by that; if nobody restored the keychain or \
         the folder to an older state, ask what did",
        names.join(", ")
    ))
}

/// Why a backup was not done, with what to do.
pub fn cause(error: &BackupError) -> String {
    match error {
        BackupError::Round(error) => words::words(error),
        BackupError::Local(error) => format!("{error}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Account, Kind, Seed};
    use crate::secret::Secret;
    use crate::vault::{DataKey, DeviceId, EntryId, VaultId};

    fn vault(accounts: u8) -> Unlocked {
        let mut state = State::default();
        for n in 0..accounts {
            let stamp = state.next_stamp(UnixTime(1_800_000_000_000), DeviceId([1; 8]));
            let account =
                Account::new("Issuer", format!("name-{n}"), Kind::totp(), Seed::new(vec![n + 1; 20]).unwrap());
            state.add(EntryId([n; 16]), &account, PERSONAL, "", stamp);
        }
        Unlocked::create(VaultId([3; 16]), DataKey::new(Secret::new([0xd; 32])), Vec::new(), state)
    }

    fn keychain() -> Destination {
        Destination { identity: PERSONAL.into(), store: Store::KEYCHAIN, on: true, names_only: false }
    }

    /// A ledger after a good backup of a vault.
    fn kept(vault: &Unlocked, left_out: usize) -> Ledger {
        let seen = vault.state.seen.iter().map(|(device, time)| (device.to_string(), *time)).collect();
        let records = digest(&vault.state, &keychain());
        let done = Done { time: 5, accounts: 2, seen, records, left_out, ..Done::default() };
        let mut ledger = Ledger::default();
        ledger.done.insert(keychain().id(), done);
        ledger
    }

    #[test]
    fn good_is_only_what_is_there_whole() {
        let (two, to) = (vault(2), keychain());
        let stands = |probe, ledger: &Ledger| {
            let status = status(&to, &probe, &two, ledger);
            (status.standing, status.pending, status.reason.is_some())
        };
        assert_eq!(stands(Probe::Ready, &kept(&two, 0)), (Standing::On, 0, false));
        assert_eq!(stands(Probe::Ready, &kept(&two, 1)), (Standing::Waiting, 1, true), "too large for an item");
        assert_eq!(stands(Probe::Ready, &kept(&vault(1), 0)), (Standing::On, 1, false), "one is newer here");
        assert_eq!(stands(Probe::Locked, &kept(&vault(1), 0)), (Standing::Waiting, 1, true));
        assert_eq!(stands(Probe::NoBus, &Ledger::default()), (Standing::Unavailable, 2, true));
        let mut failed = kept(&two, 0);
        failed.failed.insert(to.id(), "why".into());
        assert_eq!(stands(Probe::Ready, &failed), (Standing::Waiting, 0, true));
    }
}
