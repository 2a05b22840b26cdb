//! Whose an entry is, and entries that came without their secret. An entry's identity is written once: moving an account
//! is a new entry there and a purge here, so that no join and no device can carry one over by itself. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::{Body, Core, Counter, Entry, EntryId, Life, Stamp, State, field};
use crate::otp::Account;
use crate::secret::Secret;

/// What an entry that is enrolled again keeps of the one without a secret, beside what its owner types.
const KEPT: [&str; 4] = [field::FAVOURITE, field::POSITION, field::COLOUR, field::ICON];

impl Entry {
    /// Whether its secret was never stored here: it came from a backup of names only.
    pub fn is_name_only(&self) -> bool {
        self.core().is_some_and(|core| core.secret.expose().is_empty())
    }
}

impl State {
    /// Moves a live entry to another identity: a new entry with the same secret, fields, tags and counter, and a purge.
    /// False when there is no such live entry, or it is of that identity already.
    pub fn move_to(&mut self, id: EntryId, fresh: EntryId, identity: &str, stamp: Stamp) -> bool {
        let Some(entry) = self.entries.get(&id).filter(|entry| entry.is_live() && entry.identity() != identity) else {
            return false;
        };
        let Some(body) = &entry.body else { return false };
        let core = Core {
            kind: body.core.kind.clone(),
            secret: body.core.secret.duplicate(),
            pin: body.core.pin.as_ref().map(Secret::duplicate),
            identity: identity.to_owned(),
        };
        let body = Body { core: Arc::new(core), fields: body.fields.clone(), tags: body.tags.clone() };
        let counter = Counter { epoch: 0, next: entry.counter.next };
        let moved = Entry { id: fresh, incarnation: 0, life: Life::Live, counter, body: Some(body) };
        self.entries.insert(fresh, moved);
        self.purge(id);
        self.note(stamp);
        true
    }

    /// Gives a live entry without a secret its account: a new entry of the same identity, and a purge of the old one.
    /// False when there is no such entry.
    pub fn enrol(&mut self, id: EntryId, fresh: EntryId, account: &Account, stamp: Stamp) -> bool {
        let Some(entry) = self.entries.get(&id).filter(|entry| entry.is_live() && entry.is_name_only()) else {
            return false;
        };
        let identity = entry.identity().to_owned();
        self.add(fresh, account, &identity, "enrolled again", stamp);
        self.replace(id, fresh, &KEPT, stamp);
        true
    }

    /// After entries were added: purges those without a secret that they stand for, of the same identity, kind and names.
    /// Their notes and tags go over to the first of them. Gives how many were purged. One pass, however many were added.
    pub fn settle(&mut self, added: &[EntryId], stamp: Stamp) -> usize {
        let names =
            |entry: &Entry| [entry.identity(), entry.kind_name(), entry.issuer(), entry.name()].map(str::to_owned);
        let mut waiting: HashMap<_, Vec<EntryId>> = HashMap::new();
        for entry in self.live().filter(|entry| entry.is_name_only()) {
            waiting.entry(names(entry)).or_default().push(entry.id);
        }
        let mut settled = 0;
        for new in added {
            if waiting.is_empty() {
                break;
            }
            let with_secret = self.entries.get(new).filter(|entry| entry.is_live() && !entry.is_name_only());
            for old in with_secret.and_then(|entry| waiting.remove(&names(entry))).unwrap_or_default() {
                let tags = self.entries.get(&old).and_then(|entry| entry.body.as_ref()).map(|body| body.tags.clone());
                if let Some(body) = self.entries.get_mut(new).and_then(|entry| entry.body.as_mut()) {
                    for (tag, register) in tags.into_iter().flatten() {
                        body.tags.entry(tag).or_insert(register);
                    }
                }
                let [favourite, position, colour, icon] = KEPT;
                self.replace(old, *new, &[favourite, position, colour, icon, field::NOTE], stamp);
                settled += 1;
            }
        }
        settled
    }

    /// Hands over the named fields that the new entry does not have, and purges the old one.
    fn replace(&mut self, old: EntryId, new: EntryId, names: &[&str], stamp: Stamp) {
        let fields = self.entries.get(&old).and_then(|entry| entry.body.as_ref()).map(|body| body.fields.clone());
        if let Some(body) = self.entries.get_mut(&new).and_then(|entry| entry.body.as_mut()) {
            for (name, register) in fields.into_iter().flatten().filter(|(name, _)| names.contains(&name.as_ref())) {
                body.fields.entry(name).or_insert(register);
            }
        }
        self.purge(old);
        self.note(stamp);
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{DeviceId, Value};
    use super::super::view::Unusable;
    use super::*;
    use crate::otp::{Algorithm, Digits, Kind, Seed};
    use crate::time::UnixTime;

    const OLD: EntryId = EntryId([1; 16]);
    const NEW: EntryId = EntryId([2; 16]);

    fn stamp(state: &State) -> Stamp {
        state.next_stamp(UnixTime(1_000), DeviceId([1; 8]))
    }

    fn account(kind: Kind) -> Account {
        let mut account = Account::new("VPN", "ada", kind, Seed::new(vec![7; 20]).unwrap());
        account.note = String::from("a note");
        account.groups = vec![String::from("work")];
        account.favourite = true;
        account
    }

    fn one(kind: Kind, identity: &str) -> State {
        let mut state = State::default();
        state.add(OLD, &account(kind), identity, "a test", stamp(&state));
        state
    }

    /// The same without its secret.
    fn name_only(identity: &str) -> State {
        let mut state = one(Kind::totp(), identity);
        let core = Core {
            kind: String::from("totp"),
            secret: Secret::new(String::new()),
            pin: None,
            identity: identity.to_owned(),
        };
        state.entries.get_mut(&OLD).unwrap().body.as_mut().unwrap().core = Arc::new(core);
        state
    }

    #[test]
    fn a_moved_account_is_a_new_entry_with_all_it_had_and_the_old_one_is_gone() {
        let hotp = Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::EIGHT, counter: 41 };
        let mut state = one(hotp, "personal");
        assert!(state.move_to(OLD, NEW, "managed/Contoso", stamp(&state)));
        let (old, new) = (state.get(&OLD).unwrap(), state.get(&NEW).unwrap());
        assert_eq!((old.life, old.body.is_none()), (Life::Purged, true));
        assert_eq!((new.identity(), new.issuer(), new.note()), ("managed/Contoso", "VPN", "a note"));
        assert_eq!((new.favourite(), new.tags().collect::<Vec<_>>()), (true, vec!["work"]));
        assert_eq!((new.counter.next, new.seed().unwrap().expose()), (41, &[7; 20][..]));
        assert!(!state.move_to(NEW, OLD, "managed/Contoso", stamp(&state)), "it is there already");
        assert!(!state.move_to(OLD, NEW, "personal", stamp(&state)), "what is gone is not moved");
    }

    #[test]
    fn a_join_with_an_older_copy_does_not_bring_a_moved_account_back() {
        let before = one(Kind::totp(), "personal");
        let mut state = before.clone();
        state.move_to(OLD, NEW, "managed/Contoso", stamp(&state));
        state.join(&before);
        let identities: Vec<&str> = state.live().map(Entry::identity).collect();
        assert_eq!(identities, ["managed/Contoso"]);
    }

    #[test]
    fn an_entry_without_a_secret_says_so_and_takes_one_under_its_own_identity() {
        let mut state = name_only("managed/Contoso");
        assert_eq!(state.get(&OLD).unwrap().account().unwrap_err(), Unusable::NameOnly);
        let mut typed = Account::new("VPN", "ada", Kind::totp(), Seed::new(vec![9; 20]).unwrap());
        typed.note = String::from("typed");
        assert!(state.enrol(OLD, NEW, &typed, stamp(&state)));
        let new = state.get(&NEW).unwrap();
        assert_eq!((new.identity(), new.note(), new.favourite()), ("managed/Contoso", "typed", true));
        assert_eq!(state.get(&OLD).unwrap().life, Life::Purged);
        assert!(!state.enrol(NEW, OLD, &typed, stamp(&state)), "it has its secret");
    }

    #[test]
    fn an_added_account_stands_for_the_same_one_without_a_secret_of_its_own_identity_alone() {
        for (identity, settled) in [("managed/Contoso", 1), ("personal", 0)] {
            let mut state = name_only("managed/Contoso");
            let plain = Account::new("VPN", "ada", Kind::totp(), Seed::new(vec![9; 20]).unwrap());
            state.add(NEW, &plain, identity, "", stamp(&state));
            assert_eq!(state.settle(&[NEW], stamp(&state)), settled, "{identity}");
            let new = state.get(&NEW).unwrap();
            assert_eq!((new.note() == "a note", new.tags().count()), (settled == 1, settled));
            assert_eq!(state.live().count(), 2 - settled);
        }
        let mut state = name_only("managed/Contoso");
        state.set(OLD, field::ISSUER, Value::Text("Other".into()), stamp(&state));
        let plain = Account::new("VPN", "ada", Kind::totp(), Seed::new(vec![9; 20]).unwrap());
        state.add(NEW, &plain, "managed/Contoso", "", stamp(&state));
        assert_eq!(state.settle(&[NEW], stamp(&state)), 0);
    }
}
