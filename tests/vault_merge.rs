//! The laws of the join, over states that three devices with mad clocks can reach, with files that go back and come again; and
//! that no account is ever lost.
//!
//! 100,000 stories, a million with `OTPANEL_TEST_LONG=1`, or as many as `OTPANEL_TEST_STORIES` says. A story is made of a
//! number, so that one which breaks a law can be told again: the shortest that still does is printed.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use otpanel::otp::{Account, Algorithm, Digits, Kind, Seed};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::{Body, Core, Counter, DeviceId, Entry, EntryId, Life, State, Value, changes, field, payload};

const DEVICES: usize = 3;
const IDS: u8 = 2;

/// What a user does on a device, at a time that its wall clock claims.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Add { n: u8, hotp: bool },
    Set { value: u8 },
    Tag { tag: u8, on: bool },
    Trash,
    Restore,
    Purge,
    Advance,
    Reset { next: u8 },
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Edit {
        device: usize,
        target: usize,
        wall: u64,
        edit: Edit,
    },
    Sync {
        from: usize,
        to: usize,
    },
    /// The device's file is copied aside.
    Keep {
        device: usize,
    },
    /// The device's file goes back to a copy.
    Rewind {
        device: usize,
        copy: usize,
    },
    /// A copy is joined again.
    Replay {
        device: usize,
        copy: usize,
    },
}

/// Numbers by SplitMix64 (Steele, Lea, Flood, 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn is(&mut self) -> bool {
        self.below(2) == 0
    }
}

fn story(number: u64) -> Vec<Step> {
    let mut numbers = Numbers(number);
    (0..numbers.below(48)).map(|_| step(&mut numbers)).collect()
}

fn step(numbers: &mut Numbers) -> Step {
    let device = numbers.below(DEVICES as u64) as usize;
    match numbers.below(24) {
        0..4 => return Step::Sync { from: device, to: numbers.below(DEVICES as u64) as usize },
        4..6 => return Step::Keep { device },
        6..8 => return Step::Rewind { device, copy: numbers.below(8) as usize },
        8 => return Step::Replay { device, copy: numbers.below(8) as usize },
        _ => {}
    }
    let target = numbers.below(8) as usize;
    // Clocks stand still, jump ahead, go back, are mad.
    let wall = match numbers.below(4) {
        0 => 0,
        1 => 7,
        2 => numbers.below(50),
        _ => u64::MAX,
    };
    let edit = match numbers.below(16) {
        0..3 => Edit::Add { n: numbers.below(u64::from(IDS)) as u8, hotp: numbers.is() },
        3..6 => Edit::Set { value: numbers.below(3) as u8 },
        6..8 => Edit::Tag { tag: numbers.below(2) as u8, on: numbers.is() },
        8..11 => Edit::Trash,
        11..13 => Edit::Restore,
        13 => Edit::Purge,
        14 => Edit::Advance,
        _ => Edit::Reset { next: numbers.below(9) as u8 },
    };
    Step::Edit { device, target, wall, edit }
}

fn id(device: u8, n: u8) -> EntryId {
    let mut bytes = [0; 16];
    (bytes[0], bytes[1]) = (device, n);
    EntryId(bytes)
}

/// What users deleted on any device.
#[derive(Default)]
struct Deleted {
    trashed: BTreeSet<EntryId>,
    purged: BTreeSet<EntryId>,
}

/// What came of a story.
struct Told {
    /// Each device's state.
    states: [State; DEVICES],
    /// Copies that were kept of them.
    copies: Vec<State>,
    deleted: Deleted,
    added: BTreeMap<EntryId, Vec<u8>>,
}

fn run(steps: &[Step]) -> Told {
    let mut states: [State; DEVICES] = std::array::from_fn(|_| State::default());
    let (mut deleted, mut added, mut copies) = (Deleted::default(), BTreeMap::new(), Vec::<State>::new());
    for step in steps {
        match step {
            Step::Sync { from, to } => {
                let theirs = states[*from].clone();
                states[*to].join(&theirs);
            }
            Step::Keep { device } => copies.push(states[*device].clone()),
            Step::Rewind { device, copy } => {
                // What was there is in the history.
                if let Some(copy) = copies.get(*copy % copies.len().max(1)).cloned() {
                    copies.push(std::mem::replace(&mut states[*device], copy));
                }
            }
            Step::Replay { device, copy } => {
                if let Some(copy) = copies.get(*copy % copies.len().max(1)) {
                    states[*device].join(copy);
                }
            }
            Step::Edit { device, target, wall, edit } => {
                let state = &mut states[*device];
                let stamp = state.next_stamp(UnixTime(*wall), DeviceId([*device as u8; 8]));
                // Of the entries that the device knows, one.
                let known = state.entries.keys().nth(target % state.entries.len().max(1)).copied();
                let target = known.unwrap_or(id(0, 0));
                match edit {
                    Edit::Add { n, hotp } => {
                        let own = id(*device as u8, *n);
                        if state.get(&own).is_none() {
                            let seed = vec![*device as u8 + 1, *n + 1];
                            state.add(own, &account(*hotp, &seed), "personal", "", stamp);
                            added.insert(own, seed);
                        }
                    }
                    Edit::Set { value } => {
                        state.set(target, field::NOTE, Value::Text(value.to_string()), stamp);
                    }
                    Edit::Tag { tag, on } => {
                        state.tag(target, &tag.to_string(), *on, stamp);
                    }
                    Edit::Trash => {
                        if state.trash(target, stamp) {
                            deleted.trashed.insert(target);
                        }
                    }
                    Edit::Restore => {
                        state.restore(target, stamp);
                    }
                    Edit::Purge => {
                        if state.purge(target) {
                            deleted.purged.insert(target);
                        }
                    }
                    Edit::Advance => {
                        state.advance(target);
                    }
                    Edit::Reset { next } => {
                        state.reset_counter(target, u64::from(*next));
                    }
                }
            }
        }
    }
    Told { states, copies, deleted, added }
}

fn account(hotp: bool, seed: &[u8]) -> Account {
    let kind =
        if hotp { Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 0 } } else { Kind::totp() };
    Account::new("Site", "me", kind, Seed::new(seed.to_vec()).unwrap())
}

fn joined(one: &State, other: &State) -> State {
    let mut out = one.clone();
    let changed = out.join(other);
    assert_eq!(changed, !same(&out, one), "join says whether it changed something");
    out
}

/// Equality, secrets and all; far quicker than comparing texts.
fn same(one: &State, other: &State) -> bool {
    let same_core = |a: &Core, b: &Core| {
        let pins = (a.pin.as_ref().map(Secret::expose), b.pin.as_ref().map(Secret::expose));
        a.kind == b.kind && a.secret.expose() == b.secret.expose() && pins.0 == pins.1 && a.identity == b.identity
    };
    let same_body = |a: &Body, b: &Body| {
        (Arc::ptr_eq(&a.core, &b.core) || same_core(&a.core, &b.core)) && a.fields == b.fields && a.tags == b.tags
    };
    let same_entry = |a: &Entry, b: &Entry| {
        let bodies = match (&a.body, &b.body) {
            (Some(a), Some(b)) => same_body(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        (a.id, a.incarnation, a.life, a.counter) == (b.id, b.incarnation, b.life, b.counter) && bodies
    };
    one.seen == other.seen
        && one.meta == other.meta
        && one.entries.len() == other.entries.len()
        && one.entries.values().zip(other.entries.values()).all(|(a, b)| same_entry(a, b))
}

/// One state has one text, so this is equality.
fn text(state: &State) -> Vec<u8> {
    payload::encode(state).expose().clone()
}

fn hold(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

/// Tells stories on all cores and holds a law over each.
fn in_every_story(law: impl Fn(u64, &[Step]) -> Result<(), String> + Sync) {
    let set = std::env::var("OTPANEL_TEST_STORIES").ok().and_then(|n| n.parse().ok());
    let long = std::env::var_os("OTPANEL_TEST_LONG").is_some_and(|value| value == "1");
    let stories: u64 = set.unwrap_or(if long { 1_000_000 } else { 100_000 });
    let (next, broken) = (AtomicU64::new(0), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= stories || broken.lock().unwrap().is_some() {
                        break;
                    }
                    let steps = story(number);
                    if law(number, &steps).is_err() {
                        *broken.lock().unwrap() = Some((number, shortest(number, steps, &law)));
                    }
                }
            });
        }
    });
    println!("{stories} stories");
    if let Some((number, steps)) = broken.into_inner().unwrap() {
        panic!("story {number} breaks a law: {}\n{steps:#?}", law(number, &steps).unwrap_err());
    }
}

/// Leaves out steps as long as the law stays broken.
fn shortest(number: u64, mut steps: Vec<Step>, law: &impl Fn(u64, &[Step]) -> Result<(), String>) -> Vec<Step> {
    while let Some(shorter) = (0..steps.len()).find_map(|at| {
        let mut shorter = steps.clone();
        shorter.remove(at);
        law(number, &shorter).is_err().then_some(shorter)
    }) {
        steps = shorter;
    }
    steps
}

#[test]
fn the_join_is_commutative_associative_and_idempotent() {
    in_every_story(|number, steps| {
        let Told { states, copies, .. } = run(steps);
        // Any three of what lies about: a device that went back may have written two things at one time.
        let all: Vec<State> = states.into_iter().chain(copies).collect();
        let mut numbers = Numbers(!number);
        let mut any = || all[numbers.below(all.len() as u64) as usize].clone();
        let (a, b, c) = (any(), any(), any());
        let (ab, bc) = (joined(&a, &b), joined(&b, &c));
        hold(same(&ab, &joined(&b, &a)), "commutative")?;
        hold(same(&joined(&ab, &c), &joined(&a, &bc)), "associative")?;
        hold(same(&joined(&a, &a), &a), "idempotent")?;
        hold(same(&joined(&ab, &a), &ab), "above both")?;
        hold(changes(&ab, &joined(&ab, &b)).is_empty(), "nothing to tell where nothing changed")
    });
}

#[test]
fn no_account_is_lost_that_no_user_deleted() {
    in_every_story(|number, steps| {
        let Told { states, copies, deleted, added } = run(steps);
        let all = states.iter().chain(&copies).fold(State::default(), |all, state| joined(&all, state));
        for (id, seed) in &added {
            let Some(entry) = all.get(id) else { return Err(format!("{id} disappeared")) };
            if !deleted.trashed.contains(id) && !deleted.purged.contains(id) {
                hold(entry.life == Life::Live, "an account left without being deleted")?;
            }
            if !deleted.purged.contains(id) {
                let kept = entry.seed().is_ok_and(|own| own.expose() == seed);
                hold(kept, "a secret went without a purge")?;
            }
            let known = states.iter().chain(&copies).filter_map(|state| state.get(id));
            let highest: Counter = known.map(|entry| entry.counter).max().unwrap_or_default();
            hold(entry.counter == highest, "a counter went back")?;
        }
        // Writing and reading take far longer than joining.
        if number.is_multiple_of(16) {
            let again = payload::decode(&text(&all)).map_err(|e| e.to_string())?;
            hold(same(&again, &all) && text(&again) == text(&all), "not all of it came back from the file")?;
        }
        Ok(())
    });
}

#[test]
fn an_edit_wins_over_every_edit_that_its_editor_had_seen() {
    in_every_story(|number, steps| {
        let Told { states, .. } = run(steps);
        let mut numbers = Numbers(!number);
        let device = numbers.below(DEVICES as u64) as usize;
        let wall = if numbers.is() { numbers.next() } else { numbers.below(100) };
        let mut own = states[device].clone();
        let targets: Vec<EntryId> = own.live().map(|entry| entry.id).collect();
        for target in targets {
            let stamp = own.next_stamp(UnixTime(wall), DeviceId([device as u8; 8]));
            own.set(target, field::NOTE, Value::Text(String::from("the last word")), stamp);
        }
        let again = joined(&states[device], &own);
        for entry in own.live() {
            hold(again.get(&entry.id).is_some_and(|e| e.note() == "the last word"), "an edit lost to an older one")?;
        }
        Ok(())
    });
}

#[test]
fn restoring_a_copy_takes_nothing_away_and_all_devices_agree_on_it() {
    in_every_story(|_, steps| {
        let Told { states: [a, b, _], copies, .. } = run(steps);
        let Some(copy) = copies.first() else { return Ok(()) };
        let (before, mut restored) = (joined(&a, copy), a.clone());
        restored.join(copy);
        let stamp = restored.next_stamp(UnixTime(3), DeviceId([0; 8]));
        let back = restored.bring_back(copy, stamp);
        for entry in copy.live() {
            hold(restored.get(&entry.id).is_some_and(Entry::is_live), "the copy had it in use")?;
        }
        for entry in before.live() {
            hold(restored.get(&entry.id).is_some_and(Entry::is_live), "restoring took something away")?;
        }
        let (here, there) = (joined(&restored, &b), joined(&b, &restored));
        hold(same(&here, &there), "two devices differ after a restore")?;
        // What came back stays, but for what another device has deleted in a later life.
        let stays = |id: &EntryId| {
            let own = restored.get(id).map(|e| e.incarnation);
            here.get(id).is_some_and(|e| e.is_live() || Some(e.incarnation) >= own)
        };
        hold(back.iter().all(stays), "a restored account went again")
    });
}

/// Why life is not a last-writer register whose body goes with a purge, as is usual: that join is not associative, so two
/// devices that hear the same news in another order would differ for ever.
#[test]
fn life_as_a_last_writer_register_is_not_associative() {
    type Naive = ((u64, Life), Option<BTreeSet<&'static str>>);
    let join = |one: &Naive, other: &Naive| -> Naive {
        let life = one.0.max(other.0);
        let fields: BTreeSet<_> = one.1.iter().chain(&other.1).flatten().copied().collect();
        (life, (life.1 != Life::Purged).then_some(fields))
    };
    let edited: Naive = ((1, Life::Live), Some(BTreeSet::from(["an edit"])));
    let purged: Naive = ((2, Life::Purged), None);
    let restored: Naive = ((3, Life::Live), Some(BTreeSet::from(["the body"])));
    let left = join(&join(&edited, &purged), &restored);
    let right = join(&edited, &join(&purged, &restored));
    assert_eq!(left.1.unwrap(), BTreeSet::from(["the body"]));
    assert_eq!(right.1.unwrap(), BTreeSet::from(["an edit", "the body"]));
}

/// The same story with incarnations, in every order.
#[test]
fn a_purge_and_a_restore_elsewhere_agree_in_every_order() {
    let mut base = State::default();
    let target = id(0, 0);
    let stamp = |state: &State, device| state.next_stamp(UnixTime(9), DeviceId([device; 8]));
    base.add(target, &account(false, b"seed"), "personal", "", stamp(&base, 0));
    let (mut edited, mut trashed) = (base.clone(), base.clone());
    edited.set(target, field::NOTE, Value::Text(String::from("an edit")), stamp(&base, 1));
    trashed.trash(target, stamp(&base, 2));
    let (mut purged, mut restored) = (trashed.clone(), trashed.clone());
    purged.purge(target);
    restored.restore(target, stamp(&trashed, 2));
    let all = [&edited, &purged, &restored];
    let mut texts = BTreeSet::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let joined = order.iter().fold(State::default(), |sum, at| joined(&sum, all[*at]));
        assert_eq!(joined.get(&target).unwrap().life, Life::Live, "a restore wins over a purge of what it restored");
        texts.insert(text(&joined));
    }
    assert_eq!(texts.len(), 1);
}

#[test]
fn two_cores_under_one_id_never_happen_and_end_the_same_everywhere_if_they_do() {
    let make = |seed: &[u8]| {
        let mut state = State::default();
        let stamp = state.next_stamp(UnixTime(9), DeviceId([1; 8]));
        state.add(id(0, 0), &account(false, seed), "personal", "", stamp);
        state
    };
    let (one, other, third) = (make(b"one"), make(b"other"), make(b"third"));
    assert_eq!(text(&joined(&one, &other)), text(&joined(&other, &one)));
    assert_eq!(text(&joined(&joined(&one, &other), &third)), text(&joined(&one, &joined(&other, &third))));
}

#[test]
fn a_join_of_equal_copies_shares_rather_than_copies() {
    let mut state = State::default();
    let stamp = state.next_stamp(UnixTime(9), DeviceId([1; 8]));
    state.add(id(0, 0), &account(false, b"seed"), "personal", "", stamp);
    let copy = state.clone();
    let core = |state: &State| Arc::clone(&state.get(&id(0, 0)).unwrap().body.as_ref().unwrap().core);
    assert!(Arc::ptr_eq(&core(&state), &core(&copy)), "a seed lies in memory once");
}

#[test]
fn what_a_join_changed_is_told_by_kind() {
    let mut before = State::default();
    for n in 0..6 {
        let stamp = before.next_stamp(UnixTime(9), DeviceId([1; 8]));
        before.add(id(0, n), &account(n == 5, &[n + 1]), "personal", "", stamp);
    }
    let next = |state: &State| state.next_stamp(UnixTime(0), DeviceId([1; 8]));
    let stamp = next(&before);
    before.trash(id(0, 3), stamp);
    let mut after = before.clone();
    let at = next(&after);
    after.set(id(0, 0), field::NOTE, Value::Text(String::from("x")), at);
    after.trash(id(0, 1), at);
    after.purge(id(0, 2));
    after.restore(id(0, 3), at);
    after.advance(id(0, 5));
    after.add(id(1, 0), &account(false, b"new"), "personal", "", at);
    let told = changes(&before, &after);
    assert_eq!(told.added, [id(1, 0)]);
    assert_eq!(told.changed, [id(0, 0), id(0, 5)]);
    assert_eq!(told.trashed, [id(0, 1)]);
    assert_eq!(told.purged, [id(0, 2)]);
    assert_eq!(told.restored, [id(0, 3)]);
    assert!(changes(&after, &after).is_empty());
}

/// A device whose file went back may write two things at one time: the value decides then, of a field, a tag and a meta value
/// alike, so that all devices decide the same.
#[test]
fn what_was_written_twice_at_one_time_ends_the_same_everywhere() {
    let mut base = State::default();
    let at = |state: &State| state.next_stamp(UnixTime(9), DeviceId([1; 8]));
    base.add(id(0, 0), &account(false, b"seed"), "personal", "", at(&base));
    let once = at(&base);
    let write = |value: &str, on: bool| {
        let mut state = base.clone();
        state.set(id(0, 0), field::NOTE, Value::Text(value.to_owned()), once);
        let body = state.entries.get_mut(&id(0, 0)).unwrap().body.as_mut().unwrap();
        body.tags.insert(String::from("work"), (on, once));
        state
    };
    for (one, other) in [(write("a", true), write("b", false)), (write("a", false), write("b", true))] {
        let (here, there) = (joined(&one, &other), joined(&other, &one));
        assert!(same(&here, &there));
        let entry = here.get(&id(0, 0)).unwrap();
        assert_eq!((entry.note(), entry.tags().collect::<Vec<_>>()), ("b", vec!["work"]));
    }
}
