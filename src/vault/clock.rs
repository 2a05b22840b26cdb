//! The hybrid clock: time that never goes back for anyone who has seen an edit, whatever the wall clock does.
//!
//! A stamp is the greater of the wall clock and every stamp known, and one more; so an edit always wins over the edits
//! that its editor had seen. Reads no clock: the wall time is an argument.

use std::collections::BTreeMap;

use super::entry::{DeviceId, Stamp, State};
use crate::time::UnixTime;

/// The latest time that a wall clock is believed, in milliseconds: far past any real one, and far enough below the top
/// of the range that counting on from it never reaches the end.
const LATEST_WALL: u64 = 1 << 53;

/// A stamp in a file may be as high as this and no higher; 2^62 edits lie above the latest believable wall clock.
pub const LATEST_STAMP: u64 = 1 << 62;

/// Above the latest believable wall clock there is room for so many edits that nobody makes them: what is later yet was
/// written by a broken program, or by somebody who means harm.
const LATEST_LIKELY: u64 = LATEST_WALL + (1 << 40);

impl State {
    /// The stamp for an edit on this device now.
    pub fn next_stamp(&self, wall: UnixTime, device: DeviceId) -> Stamp {
        let highest = self.seen.values().copied().max().unwrap_or(0);
        Stamp { time: wall.0.min(LATEST_WALL).max(highest).saturating_add(1), device }
    }

    /// Records a stamp in the version vector. The edits that carry a stamp do so themselves; purges and counters, which
    /// carry none, leave it to the caller, so that an older file is known as older.
    pub fn note(&mut self, stamp: Stamp) {
        let seen = self.seen.entry(stamp.device).or_insert(0);
        *seen = (*seen).max(stamp.time);
    }

    /// Takes stamps that no clock makes for the latest that a wall clock may say, so that edits made from now on are later
    /// than they, and their own stamps do not leave the range. To be called with every state that is read.
    pub fn believe(&mut self) {
        if self.seen.values().all(|time| *time <= LATEST_LIKELY) {
            return;
        }
        let times = self.entries.values_mut().filter_map(|entry| entry.body.as_mut()).flat_map(|body| {
            let fields = body.fields.values_mut().map(|register| &mut register.stamp.time);
            fields.chain(body.tags.values_mut().map(|tag| &mut tag.1.time))
        });
        let times = times.chain(self.meta.values_mut().map(|register| &mut register.stamp.time));
        for time in times.chain(self.seen.values_mut()).filter(|time| **time > LATEST_LIKELY) {
            *time = LATEST_WALL;
        }
    }

    /// True when this state lacks an edit that `seen` (a version vector remembered from earlier) has: an older file
    /// came back, and the newest history copy should be joined.
    pub fn is_behind(&self, seen: &BTreeMap<DeviceId, u64>) -> bool {
        is_behind(&self.seen, seen)
    }
}

/// As [`State::is_behind`], of a version vector alone.
pub fn is_behind(own: &BTreeMap<DeviceId, u64>, seen: &BTreeMap<DeviceId, u64>) -> bool {
    seen.iter().any(|(device, time)| own.get(device).is_none_or(|own| own < time))
}

#[cfg(test)]
mod tests {
    use super::super::entry::Value;
    use super::*;

    const A: DeviceId = DeviceId([1; 8]);
    const B: DeviceId = DeviceId([2; 8]);

    #[test]
    fn a_stamp_is_above_the_wall_clock_and_above_everything_seen() {
        let mut state = State::default();
        assert_eq!(state.next_stamp(UnixTime(100), A).time, 101);
        state.note(Stamp { time: 5_000, device: B });
        assert_eq!(state.next_stamp(UnixTime(100), A).time, 5_001, "a clock that went back loses no edit");
        assert_eq!(state.next_stamp(UnixTime(9_000), A).time, 9_001);
    }

    #[test]
    fn a_mad_wall_clock_leaves_room_above_it() {
        let mut state = State::default();
        let mad = state.next_stamp(UnixTime(u64::MAX), A);
        state.note(mad);
        assert!(state.next_stamp(UnixTime(0), B) > mad);
        assert!(mad.time < LATEST_STAMP);
    }

    #[test]
    fn a_stamp_that_no_clock_makes_is_beaten_by_the_next_edit_and_leaves_room_above_it() {
        let far = Stamp { time: LATEST_STAMP, device: B };
        let mut state = State::default();
        state.set_meta("name", Value::Text("theirs".into()), far);
        state.believe();
        let theirs = state.clone();
        let ours = state.next_stamp(UnixTime(1_000), A);
        assert!(ours.time < LATEST_STAMP && ours > theirs.meta["name"].stamp);
        state.set_meta("name", Value::Text("ours".into()), ours);
        state.join(&theirs);
        assert_eq!(state.meta["name"].value, Value::Text("ours".into()));
        let before = state.clone();
        state.believe();
        assert!(state.meta == before.meta && state.seen == before.seen, "what was believed once stays as it is");
    }

    #[test]
    fn an_older_file_is_known_by_its_version_vector() {
        let mut newer = State::default();
        newer.note(Stamp { time: 10, device: A });
        let older = newer.clone();
        newer.note(Stamp { time: 11, device: A });
        assert!(older.is_behind(&newer.seen));
        assert!(!newer.is_behind(&older.seen));
        newer.note(Stamp { time: 1, device: B });
        assert!(!newer.is_behind(&older.seen));
    }
}
