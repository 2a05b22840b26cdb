//! How the backups of a vault stand, in figures and in words: for `otpanel backup status` and for the panel.

use std::collections::BTreeSet;

use super::here::{BackupError, digest, version};
use super::ledger::{Done, Ledger};
use super::place::{self, Destination, Store};
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

/// What waits for the first account.
const NO_ACCOUNT: &str = "backup starts with the first account";
/// What waits for its first round.
const NOT_YET: &str = "not yet backed up";

impl Status {
    /// Whether nothing is in its way: it waits for its first round, or for something to back up.
    pub fn begins(&self) -> bool {
        self.standing == Standing::Waiting && [NO_ACCOUNT, NOT_YET].contains(&self.brief)
    }
}

/// Why a place cannot be used now, in two or three words.
pub const fn brief(store: &Store, probe: &Probe) -> &'static str {
    match (store, probe) {
        (_, Probe::Locked) => "keychain locked",
        (_, Probe::NoFolder(_)) => "the folder is gone",
        (Store::Folder(_), _) => "the folder cannot be used",
        (_, Probe::NoKeyring(_)) => "its keyring is missing",
        _ => "no keychain",
    }
}

/// Looks how a destination stands, without a prompt and without reading items.
pub fn status(to: &Destination, probe: &Probe, vault: &Unlocked, ledger: &Ledger) -> Status {
    let live = live(vault, to);
    let pending = match ledger.done.get(&to.id()) {
        None => live,
        Some(done) if done.records == digest(&vault.state, to) => 0,
        Some(done) => newer(&vault.state, to, done).max(1),
    };
    judged(to, probe, live, pending, ledger)
}

/// Accounts that are to be kept there.
fn live(vault: &Unlocked, to: &Destination) -> usize {
    vault.state.live().filter(|entry| entry.identity() == to.identity).count()
}

fn judged(to: &Destination, probe: &Probe, live: usize, pending: usize, ledger: &Ledger) -> Status {
    let id = to.id();
    let done = ledger.done.get(&id);
    let left_out = done.map_or(0, |done| done.left_out);
    let (standing, brief, reason) = match (to.on, probe, ledger.failed.get(&id)) {
        (false, ..) => {
            (Standing::Off, "off", Some("It was turned off; `otpanel backup enable` turns it on.".to_owned()))
        }
        (true, Probe::Locked, _) => (Standing::Waiting, brief(&to.store, probe), Some(probe.describe())),
        (true, Probe::Ready, Some(why)) => (Standing::Waiting, "the last try failed", Some(why.clone())),
        (true, Probe::Ready, None) if done.is_none() && live == 0 => {
            (Standing::Waiting, NO_ACCOUNT, Some("The backup starts with the first account.".to_owned()))
        }
        (true, Probe::Ready, None) if done.is_none() => {
            (Standing::Waiting, NOT_YET, Some("It is about to be backed up for the first time.".to_owned()))
        }
        (true, Probe::Ready, None) if left_out > 0 => {
            let why = "One account or more is too large for it: shorten its name. All others are there.";
            (Standing::Waiting, "too large for it", Some(why.to_owned()))
        }
        (true, Probe::Ready, None) => (Standing::On, "", None),
        (true, other, _) => (Standing::Unavailable, brief(&to.store, other), Some(instead(other))),
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
    sort(&mut all);
    all
}

fn sort(all: &mut [Status]) {
    all.sort_by_key(|status| (status.to.identity == PERSONAL, status.standing, status.last.is_none()));
}

/// How all destinations stood when they were looked at last, by what this machine remembers, for the first frame: none of them
/// is asked, and no record is digested. Empty where that does not tell of every account: where a backup is on that has not kept
/// the vault as it is now.
pub fn remembered(vault: &Unlocked, ledger: &Ledger, enabled: bool, policy: &Policy) -> Vec<Status> {
    let now = version(&vault.state);
    let to = place::destinations(ledger, enabled, policy);
    let kept = |to: &&Destination| ledger.done.get(&to.id()).is_some_and(|done| done.seen == now);
    let mut known: Vec<Status> = (to.iter().filter(|to| !to.on || kept(to)))
        .map(|to| judged(to, &Probe::Ready, live(vault, to), 0, ledger))
        .collect();
    let on: Vec<&Destination> = to.iter().filter(|to| to.on && live(vault, to) > 0).collect();
    if on.is_empty() && to.iter().any(|to| to.on)
        || on.iter().any(|to| known.iter().all(|status| !status.to.on || status.to.identity != to.identity))
    {
        return Vec::new();
    }
    sort(&mut known);
    known
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

    #[test]
    fn what_is_remembered_tells_of_every_account_or_of_nothing() {
        let (two, none) = (vault(2), Policy::default());
        let tells = |vault: &Unlocked, ledger: &Ledger, policy: &Policy| {
            let all = remembered(vault, ledger, true, policy);
            all.iter().map(|status| (status.standing, status.accounts, status.pending)).collect::<Vec<_>>()
        };
        assert_eq!(tells(&two, &kept(&two, 0), &none), [(Standing::On, 2, 0)]);
        assert_eq!(tells(&two, &kept(&vault(1), 0), &none), [], "one is newer here");
        assert_eq!(tells(&two, &Ledger::default(), &none), [], "never backed up");
        let off = Ledger { off: true, ..kept(&two, 0) };
        assert_eq!(tells(&vault(1), &off, &none), [(Standing::Off, 2, 0)], "whatever was kept once");
        let mut failed = kept(&two, 0);
        failed.failed.insert(keychain().id(), "why".into());
        assert_eq!(tells(&two, &failed, &none), [(Standing::Waiting, 2, 0)]);
        // The organisation's place has nothing to keep yet, and says nothing.
        let managed = crate::policy::parse("(identity: (name: \"Contoso\"))", "ada").unwrap();
        assert_eq!(tells(&two, &kept(&two, 0), &managed), [(Standing::On, 2, 0)]);
        // It has: of that account nothing is known.
        let mut mixed = vault(2);
        let stamp = mixed.state.next_stamp(UnixTime(1_800_000_000_000), DeviceId([1; 8]));
        std::sync::Arc::make_mut(&mut mixed.state).move_to(
            EntryId([0; 16]),
            EntryId([9; 16]),
            "managed/Contoso",
            stamp,
        );
        assert_eq!(tells(&mixed, &kept(&mixed, 0), &managed), []);
        // An empty vault has nothing to tell of.
        assert_eq!(tells(&vault(0), &Ledger::default(), &none), []);
    }
}
