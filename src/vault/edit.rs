//! The edits that a user makes. Each is a step upwards in the order of [`super::merge`], so that no later join can undo
//! it by accident; the entry's id, the time and the device come from the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Body, Core, Counter, Entry, EntryId, Life, Register, Stamp, State, Value, field};
use super::view::seed_text;
use crate::otp::{Account, Algorithm, Digits, Kind, Period};
use crate::secret::Secret;

impl State {
    /// Adds an account as a new live entry. `identity` is `personal` or `managed/NAME`, `source` where it came from.
    /// What a reader would assume anyway (SHA-1, 6 digits, 30 s, empty texts) is not written.
    pub fn add(&mut self, id: EntryId, account: &Account, identity: &str, source: &str, stamp: Stamp) {
        let mut fields = BTreeMap::new();
        let mut put = |name: &'static str, value: Value| {
            fields.insert(name.into(), Register { stamp, value });
        };
        let texts = [
            (field::ISSUER, account.issuer.as_str()),
            (field::ACCOUNT, &account.account),
            (field::NOTE, &account.note),
            (field::ICON, account.icon.as_deref().unwrap_or("")),
            (field::SOURCE, source),
        ];
        for (name, text) in texts {
            if !text.is_empty() {
                put(name, Value::Text(text.to_owned()));
            }
        }
        if account.favourite {
            put(field::FAVOURITE, Value::Flag(true));
        }
        put(field::ADDED, Value::Number(i64::try_from(stamp.time).unwrap_or(i64::MAX)));
        let mut counter = Counter::default();
        let mut pin = None;
        let shape = match &account.kind {
            Kind::Totp { algorithm, digits, period } => (*algorithm, *digits, *period),
            Kind::Hotp { algorithm, digits, counter: next } => {
                counter.next = *next;
                (*algorithm, *digits, Period::THIRTY)
            }
            Kind::Steam => Default::default(),
            Kind::Motp { pin: own } | Kind::Yandex { pin: own } => {
                pin = Some(Secret::new(own.expose().to_owned()));
                Default::default()
            }
        };
        if shape.0 != Algorithm::Sha1 {
            put(field::ALGORITHM, Value::Text(shape.0.name().to_owned()));
        }
        if shape.1 != Digits::SIX {
            put(field::DIGITS, Value::Number(i64::from(shape.1.get())));
        }
        if shape.2 != Period::THIRTY {
            put(field::PERIOD, Value::Number(shape.2.secs() as i64));
        }
        let core = Core {
            kind: account.kind.name().to_owned(),
            secret: seed_text(&account.seed),
            pin,
            identity: identity.to_owned(),
        };
        let groups = account.groups.iter().map(|group| group.trim()).filter(|group| !group.is_empty());
        let tags = groups.map(|group| (group.to_owned(), (true, stamp))).collect();
        let body = Some(Body { core: Arc::new(core), fields, tags });
        let entry = Entry { id, incarnation: 0, life: Life::Live, counter, body };
        // An id is random and never met twice; were it, joining loses nothing where replacing would.
        match self.entries.get_mut(&id) {
            Some(old) => {
                old.join(&entry);
            }
            None => {
                self.entries.insert(id, entry);
            }
        }
        self.note(stamp);
    }

    /// Writes a field of a live entry. False when there is no such live entry, or it says so already.
    pub fn set(&mut self, id: EntryId, name: &'static str, value: Value, stamp: Stamp) -> bool {
        let Some(body) = self.live_body(id) else { return false };
        if body.fields.get(name).is_some_and(|register| register.value == value) {
            return false;
        }
        body.fields.insert(name.into(), Register { stamp, value });
        self.note(stamp);
        true
    }

    /// Sets a tag or takes it away. False when there is no such live entry, or it is so already.
    pub fn tag(&mut self, id: EntryId, tag: &str, on: bool, stamp: Stamp) -> bool {
        let Some(body) = self.live_body(id) else { return false };
        if body.tags.get(tag).is_some_and(|(is_on, _)| *is_on) == on {
            return false;
        }
        body.tags.insert(tag.to_owned(), (on, stamp));
        self.note(stamp);
        true
    }

    /// Puts a live entry into the trash, whole. False when there is no such live entry.
    pub fn trash(&mut self, id: EntryId, stamp: Stamp) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.life == Life::Live) else { return false };
        entry.life = Life::Trashed;
        if let Some(body) = &mut entry.body {
            let value = Value::Number(i64::try_from(stamp.time).unwrap_or(i64::MAX));
            body.fields.insert(field::TRASHED_AT.into(), Register { stamp, value });
        }
        self.note(stamp);
        true
    }

    /// Brings an entry back from the trash: the next incarnation, with the same body. False when it is not there.
    pub fn restore(&mut self, id: EntryId, stamp: Stamp) -> bool {
        let is_there = self.entries.get(&id).is_some_and(|entry| entry.life == Life::Trashed);
        let is_back = is_there && self.revive(id).is_some();
        if is_back {
            self.note(stamp);
        }
        is_back
    }

    /// Deletes an entry for good, its secret with it; id, incarnation and counter stay as a tombstone, so that no old
    /// copy brings it back. False when there is nothing to delete. Call [`Self::note`] beside it.
    pub fn purge(&mut self, id: EntryId) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.life != Life::Purged) else { return false };
        entry.life = Life::Purged;
        entry.body = None;
        true
    }

    /// Takes the next counter of a live HOTP entry and moves on. Save before the code is shown. None when there is no
    /// such entry, or its counter is used up. Call [`Self::note`] beside it.
    pub fn advance(&mut self, id: EntryId) -> Option<u64> {
        let entry = self.entries.get_mut(&id).filter(|entry| entry.is_live() && entry.kind_name() == "hotp")?;
        let used = entry.counter.next;
        entry.counter.next = used.checked_add(1)?;
        Some(used)
    }

    /// Sets the counter of a live HOTP entry, upwards or back: a new epoch, which wins over every older one. False
    /// when there is no such entry, or it stands there already. Call [`Self::note`] beside it.
    pub fn reset_counter(&mut self, id: EntryId, next: u64) -> bool {
        let entry = self.entries.get_mut(&id).filter(|entry| entry.is_live() && entry.kind_name() == "hotp");
        let Some(entry) = entry.filter(|entry| entry.counter.next != next) else { return false };
        let Some(epoch) = entry.counter.epoch.checked_add(1) else { return false };
        entry.counter = Counter { epoch, next };
        true
    }

    /// Writes a value of the vault itself. False when it says so already.
    pub fn set_meta(&mut self, name: &str, value: Value, stamp: Stamp) -> bool {
        if self.meta.get(name).is_some_and(|register| register.value == value) {
            return false;
        }
        self.meta.insert(name.to_owned(), Register { stamp, value });
        self.note(stamp);
        true
    }

    fn live_body(&mut self, id: EntryId) -> Option<&mut Body> {
        self.entries.get_mut(&id).filter(|entry| entry.life == Life::Live)?.body.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::DeviceId;
    use super::*;
    use crate::otp::Seed;
    use crate::time::UnixTime;

    const ID: EntryId = EntryId([7; 16]);
    const DEVICE: DeviceId = DeviceId([1; 8]);

    fn one(kind: Kind) -> (State, Stamp) {
        let mut state = State::default();
        let stamp = state.next_stamp(UnixTime(1_000), DEVICE);
        let seed = Seed::new(b"12345678901234567890".to_vec()).unwrap();
        state.add(ID, &Account::new("Site", "me", kind, seed), "personal", "a test", stamp);
        let next = state.next_stamp(UnixTime(1_000), DEVICE);
        (state, next)
    }

    #[test]
    fn every_edit_is_noted_in_the_version_vector() {
        let (mut state, _) = one(Kind::totp());
        let mut expected = state.seen[&DEVICE];
        let edits: [fn(&mut State, Stamp) -> bool; 5] = [
            |state, stamp| state.set(ID, field::NOTE, Value::Text("x".into()), stamp),
            |state, stamp| state.tag(ID, "work", true, stamp),
            |state, stamp| state.trash(ID, stamp),
            |state, stamp| state.restore(ID, stamp),
            |state, stamp| state.set_meta("name", Value::Text("mine".into()), stamp),
        ];
        for edit in edits {
            let stamp = state.next_stamp(UnixTime(0), DEVICE);
            assert!(edit(&mut state, stamp));
            expected += 1;
            assert_eq!(state.seen[&DEVICE], expected);
        }
    }

    #[test]
    fn an_edit_that_changes_nothing_says_so() {
        let (mut state, stamp) = one(Kind::totp());
        assert!(!state.set(ID, field::ISSUER, Value::Text("Site".into()), stamp));
        assert!(!state.tag(ID, "work", false, stamp), "a tag that was never set is not taken away");
        assert!(!state.restore(ID, stamp), "what lives is not restored");
        assert!(!state.set(EntryId([9; 16]), field::ISSUER, Value::Text("x".into()), stamp));
    }

    #[test]
    fn the_trash_keeps_everything_and_restoring_brings_it_back_in_a_new_incarnation() {
        let (mut state, stamp) = one(Kind::totp());
        assert!(state.trash(ID, stamp));
        assert_eq!((state.live().count(), state.trashed().count()), (0, 1));
        assert_eq!(state.get(&ID).unwrap().number(field::TRASHED_AT), Some(stamp.time as i64));
        assert!(!state.set(ID, field::NOTE, Value::Text("x".into()), stamp), "the trash is not edited");
        let later = state.next_stamp(UnixTime(0), DEVICE);
        assert!(state.restore(ID, later));
        let entry = state.get(&ID).unwrap();
        assert_eq!((entry.incarnation, entry.life, entry.issuer()), (1, Life::Live, "Site"));
    }

    #[test]
    fn a_purge_drops_the_secret_and_leaves_a_tombstone() {
        let (mut state, stamp) = one(Kind::totp());
        assert!(state.purge(ID));
        assert!(!state.purge(ID));
        assert!(!state.restore(ID, stamp), "nothing is left to restore");
        let entry = state.get(&ID).unwrap();
        assert_eq!((entry.life, entry.body.is_none()), (Life::Purged, true));
    }

    #[test]
    fn a_counter_moves_on_and_goes_back_only_in_a_new_epoch() {
        let (mut state, _) = one(Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 5 });
        assert_eq!((state.advance(ID), state.advance(ID)), (Some(5), Some(6)));
        assert!(state.reset_counter(ID, 2));
        assert_eq!(state.get(&ID).unwrap().counter, Counter { epoch: 1, next: 2 });
        assert!(!state.reset_counter(ID, 2));
        let (mut totp, _) = one(Kind::totp());
        assert_eq!(totp.advance(ID), None);
        assert!(!totp.reset_counter(ID, 9));
    }

    #[test]
    fn a_counter_that_is_used_up_stays_where_it_is() {
        let (mut state, _) = one(Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: u64::MAX });
        assert_eq!(state.advance(ID), None);
        assert_eq!(state.get(&ID).unwrap().counter.next, u64::MAX);
    }
}
