//! The laws of the join, over states that three devices with mad clocks can reach; and that no account is ever lost.
//!
//! `PROPTEST_CASES` says how many cases; 2,000 where it is not set.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use otpanel::otp::{Account, Algorithm, Digits, Kind, Seed};
use otpanel::time::UnixTime;
use otpanel::vault::{Counter, DeviceId, EntryId, Life, State, Value, changes, field, payload};
use proptest::prelude::*;

const DEVICES: usize = 3;
const IDS: u8 = 4;

/// What a user does on a device, at a time that its wall clock claims.
#[derive(Debug, Clone)]
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

#[derive(Debug, Clone)]
enum Step {
    Edit { device: usize, target: (u8, u8), wall: u64, edit: Edit },
    Sync { from: usize, to: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let edit = prop_oneof![
        3 => (0..IDS, any::<bool>()).prop_map(|(n, hotp)| Edit::Add { n, hotp }),
        3 => (0..3u8).prop_map(|value| Edit::Set { value }),
        2 => (0..2u8, any::<bool>()).prop_map(|(tag, on)| Edit::Tag { tag, on }),
        3 => Just(Edit::Trash),
        2 => Just(Edit::Restore),
        1 => Just(Edit::Purge),
        1 => Just(Edit::Advance),
        1 => (0..9u8).prop_map(|next| Edit::Reset { next }),
    ];
    // Clocks stand still, jump ahead, go back, are mad.
    let wall = prop_oneof![Just(0), Just(7), 0..50u64, Just(u64::MAX)];
    let target = (0..DEVICES as u8, 0..IDS);
    let step = prop_oneof![
        4 => (0..DEVICES, target, wall, edit)
            .prop_map(|(device, target, wall, edit)| Step::Edit { device, target, wall, edit }),
        1 => (0..DEVICES, 0..DEVICES).prop_map(|(from, to)| Step::Sync { from, to }),
    ];
    prop::collection::vec(step, 0..32)
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

/// Runs the steps and gives each device's state, and what was deleted anywhere.
fn run(steps: &[Step]) -> ([State; DEVICES], Deleted, BTreeMap<EntryId, Vec<u8>>) {
    let mut states: [State; DEVICES] = std::array::from_fn(|_| State::default());
    let (mut deleted, mut added) = (Deleted::default(), BTreeMap::new());
    for step in steps {
        match step {
            Step::Sync { from, to } => {
                let theirs = states[*from].clone();
                states[*to].join(&theirs);
            }
            Step::Edit { device, target, wall, edit } => {
                let state = &mut states[*device];
                let stamp = state.next_stamp(UnixTime(*wall), DeviceId([*device as u8; 8]));
                let target = id(target.0, target.1);
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
    (states, deleted, added)
}

fn account(hotp: bool, seed: &[u8]) -> Account {
    let kind =
        if hotp { Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 0 } } else { Kind::totp() };
    Account::new("Site", "me", kind, Seed::new(seed.to_vec()).unwrap())
}

fn joined(one: &State, other: &State) -> State {
    let mut out = one.clone();
    let changed = out.join(other);
    assert_eq!(changed, text(&out) != text(one), "join says whether it changed something");
    out
}

/// One state has one text, so this is equality.
fn text(state: &State) -> Vec<u8> {
    payload::encode(state).expose().clone()
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_join_is_commutative_associative_and_idempotent(steps in steps()) {
        let ([a, b, c], ..) = run(&steps);
        let (ab, bc) = (joined(&a, &b), joined(&b, &c));
        prop_assert_eq!(text(&ab), text(&joined(&b, &a)), "commutative");
        prop_assert_eq!(text(&joined(&ab, &c)), text(&joined(&a, &bc)), "associative");
        prop_assert_eq!(text(&joined(&a, &a)), text(&a), "idempotent");
        prop_assert_eq!(text(&joined(&ab, &a)), text(&ab), "above both");
        prop_assert!(changes(&ab, &joined(&ab, &b)).is_empty());
    }

    #[test]
    fn no_account_is_lost_that_no_user_deleted(steps in steps()) {
        let (states, deleted, added) = run(&steps);
        let all = states.iter().fold(State::default(), |all, state| joined(&all, state));
        for (id, seed) in &added {
            let entry = all.get(id).expect("an entry never disappears");
            if !deleted.trashed.contains(id) && !deleted.purged.contains(id) {
                prop_assert_eq!(entry.life, Life::Live);
            }
            if !deleted.purged.contains(id) {
                prop_assert_eq!(entry.seed().unwrap().expose().to_vec(), seed.clone(), "a secret goes only by a purge");
            }
            let highest: Counter = states.iter().filter_map(|state| state.get(id)).map(|entry| entry.counter).max().unwrap();
            prop_assert_eq!(entry.counter, highest, "a counter never goes back");
        }
        let again = payload::decode(&text(&all)).unwrap();
        prop_assert_eq!(text(&again), text(&all), "and it all comes back from the file");
    }

    #[test]
    fn an_edit_wins_over_every_edit_that_its_editor_had_seen(steps in steps(), device in 0..DEVICES, wall in any::<u64>()) {
        let (states, ..) = run(&steps);
        let mut own = states[device].clone();
        let targets: Vec<EntryId> = own.live().map(|entry| entry.id).collect();
        for target in targets {
            let stamp = own.next_stamp(UnixTime(wall), DeviceId([device as u8; 8]));
            own.set(target, field::NOTE, Value::Text(String::from("the last word")), stamp);
        }
        let again = joined(&states[device], &own);
        for entry in own.live() {
            prop_assert_eq!(again.get(&entry.id).unwrap().note(), "the last word");
        }
    }
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
