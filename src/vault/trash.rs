//! The end of the trash, and the way back from an older copy. Pure.

use std::sync::Arc;

use super::entry::{Entry, EntryId, Life, Stamp, State, field};
use crate::time::UnixTime;

const DAY_MS: u64 = 86_400_000;
/// A wall clock that is further ahead of the newest edit than this is not believed where something is to be deleted.
const BELIEVED_DAYS: u64 = 90;

impl State {
    /// Deletes for good what has lain in the trash for more than so many days; 0 keeps it for ever. Gives what went.
    ///
    /// No clock may empty a trash too soon: one that is far ahead of every edit that this state knows deletes nothing. The
    /// next edit makes it believed.
    pub fn empty_trash(&mut self, days: u32, now: UnixTime, stamp: Stamp) -> Vec<EntryId> {
        let newest = self.seen.values().copied().max().unwrap_or(0);
        if days == 0 || now.0 > newest.saturating_add(BELIEVED_DAYS * DAY_MS) {
            return Vec::new();
        }
        let limit = u64::from(days) * DAY_MS;
        let is_old = |at: i64| u64::try_from(at).is_ok_and(|at| now.0 > at.saturating_add(limit));
        let gone: Vec<EntryId> = (self.trashed())
            .filter(|entry| entry.number(field::TRASHED_AT).is_some_and(is_old))
            .map(|entry| entry.id)
            .collect();
        for id in &gone {
            self.purge(*id);
        }
        if !gone.is_empty() {
            self.note(stamp);
        }
        gone
    }

    /// After a join with an older copy: brings the accounts back that were in use there and are in the trash or gone now.
    /// Each is the next incarnation, with the body that the trash still has, else with the copy's. Takes nothing away. Gives
    /// what came back.
    pub fn bring_back(&mut self, copy: &Self, stamp: Stamp) -> Vec<EntryId> {
        let mut back = Vec::new();
        for (id, old) in copy.entries.iter().filter(|(_, old)| old.life == Life::Live) {
            let Some(entry) = self.entries.get_mut(id).filter(|entry| entry.life != Life::Live) else { continue };
            entry.incarnation = entry.incarnation.max(old.incarnation);
            if entry.body.is_none() {
                entry.body.clone_from(&old.body);
            }
            back.extend(self.revive(*id));
        }
        if !back.is_empty() {
            self.note(stamp);
        }
        back
    }

    /// Gives an entry that is not in use its next incarnation, and its id. After the last one it goes on as another entry, the
    /// same on every device: ids are random, and no join takes this one back. None where that one is in use by now, or has come
    /// to its last as well.
    pub(super) fn revive(&mut self, id: EntryId) -> Option<EntryId> {
        let entry = self.entries.get_mut(&id)?;
        if let Some(next) = entry.incarnation.checked_add(1) {
            (entry.incarnation, entry.life) = (next, Life::Live);
            return Some(id);
        }
        let other = EntryId(id.0.map(|byte| !byte));
        let incarnation = match self.entries.get(&other) {
            None => 0,
            Some(there) if there.is_live() => return None,
            Some(there) => there.incarnation.checked_add(1)?,
        };
        let entry = self.entries.get_mut(&id)?;
        entry.life = Life::Purged;
        let body = entry.body.take();
        let again = Entry { id: other, body: None, ..*entry };
        let again = self.entries.entry(other).or_insert(again);
        again.body = again.body.take().or(body);
        (again.incarnation, again.life) = (incarnation, Life::Live);
        Some(other)
    }

    /// What restoring a copy would make of this state.
    #[must_use]
    pub fn restored(self: &Arc<Self>, copy: &Self, stamp: Stamp) -> Arc<Self> {
        let mut state = Arc::clone(self);
        let inner = Arc::make_mut(&mut state);
        inner.join(copy);
        inner.bring_back(copy, stamp);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Account, Kind, Seed};
    use crate::vault::{DeviceId, payload};

    const ID: EntryId = EntryId([1; 16]);
    const BEGIN: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn stamp(state: &State, now: UnixTime) -> Stamp {
        state.next_stamp(now, DeviceId([1; 8]))
    }

    fn trashed() -> State {
        let mut state = State::default();
        let account = Account::new("Site", "me", Kind::totp(), Seed::new(vec![1; 20]).unwrap());
        state.add(ID, &account, "personal", "", stamp(&state, BEGIN));
        state.trash(ID, stamp(&state, BEGIN));
        state
    }

    #[test]
    fn the_trash_is_emptied_after_its_days_and_never_where_none_are_set() {
        let after = |days: u64| BEGIN.plus_secs(days * 86_400 + 60);
        let emptied = |days, now| trashed().empty_trash(days, now, stamp(&trashed(), now)).len();
        assert_eq!(emptied(30, after(29)), 0);
        assert_eq!(emptied(30, after(30)), 1);
        assert_eq!(emptied(0, after(60)), 0);
    }

    #[test]
    fn an_account_that_came_back_for_the_last_time_under_both_its_ids_stays_in_the_trash_with_all_of_it() {
        let mut state = trashed();
        state.entries.get_mut(&ID).unwrap().incarnation = u32::MAX;
        let other = EntryId([!1; 16]);
        let twin = Entry { id: other, ..state.entries[&ID].clone() };
        state.entries.insert(other, twin);
        let before = state.clone();
        assert!(!state.restore(ID, stamp(&before, BEGIN)) && !state.restore(other, stamp(&before, BEGIN)));
        assert!(payload::encode(&state).expose() == payload::encode(&before).expose());
    }

    #[test]
    fn a_clock_that_jumped_far_ahead_empties_no_trash() {
        let mut state = trashed();
        let mad = BEGIN.plus_secs(400 * 86_400);
        assert!(state.empty_trash(30, mad, stamp(&state, mad)).is_empty());
        assert_eq!(state.get(&ID).unwrap().life, Life::Trashed);
    }

    #[test]
    fn emptying_is_known_to_the_version_vector() {
        let mut state = trashed();
        let before = state.clone();
        let now = BEGIN.plus_secs(31 * 86_400);
        state.empty_trash(30, now, stamp(&state, now));
        assert!(before.is_behind(&state.seen));
    }

    #[test]
    fn what_an_older_copy_had_in_use_comes_back_from_the_trash_and_from_a_purge() {
        let mut copy = State::default();
        let account = Account::new("Site", "me", Kind::totp(), Seed::new(vec![1; 20]).unwrap());
        copy.add(ID, &account, "personal", "", stamp(&copy, BEGIN));
        for purge in [false, true] {
            let mut state = copy.clone();
            state.trash(ID, stamp(&state, BEGIN));
            if purge {
                state.purge(ID);
            }
            let gone = state.clone();
            state.join(&copy);
            assert!(!state.get(&ID).unwrap().is_live(), "a join alone never brings back what was deleted");
            assert_eq!(state.bring_back(&copy, stamp(&state, BEGIN)), [ID]);
            assert_eq!(state.get(&ID).unwrap().seed().unwrap().expose(), [1; 20]);
            state.join(&gone);
            assert!(state.get(&ID).unwrap().is_live(), "and no other device takes it away again");
            assert!(state.bring_back(&copy, stamp(&state, BEGIN)).is_empty());
        }
    }
}
