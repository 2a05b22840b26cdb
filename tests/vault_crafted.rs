//! Vaults that are sealed with the right key and are odd all the same: written by a broken program, or by somebody who has
//! the key and means harm. What is asserted everywhere: the user's accounts stay, the vault can still be saved and opened,
//! and what the user does next counts.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use otpanel::entropy;
use otpanel::otp::{Account, Kind, Seed};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::clock::LATEST_STAMP;
use otpanel::vault::file::SaveWarning;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{
    DataKey, DeviceId, EntryId, KdfParams, Key, Life, Place, SlotId, Stamp, State, Unlocked, Value, VaultId, field,
};

const VAULT: VaultId = VaultId([3; 16]);
const OURS: DeviceId = DeviceId([1; 8]);
const THEIRS: DeviceId = DeviceId([0xff; 8]);
const MINE: EntryId = EntryId([7; 16]);

fn dek() -> DataKey {
    DataKey::new(Secret::new([0xd; 32]))
}

fn slot(key: &Key<'_>, id: u8) -> Slot {
    Slot::wrap(&dek(), VAULT, *key, KdfParams::WEAKEST, &Fresh { id: SlotId([id; 16]), salt: [id; 32] }).unwrap()
}

/// Slots of a kind that this version does not know.
fn unknown(from: u8, count: u8) -> Vec<Slot> {
    (from..from + count).map(|n| Slot { kind: 99, id: SlotId([n; 16]), body: vec![n; 8] }).collect()
}

fn keychain() -> Slot {
    slot(&Key::Keychain(&Secret::new([1; 32])), 1)
}

fn with_slots(slots: Vec<Slot>) -> Unlocked {
    let mut unlocked = Unlocked::create(VAULT, dek(), slots, State::default());
    let account = Account::new("Mine", "me", Kind::totp(), Seed::new(vec![7; 20]).unwrap());
    let stamp = Stamp { time: 1_000, device: OURS };
    Arc::make_mut(&mut unlocked.state).add(MINE, &account, "personal", "", stamp);
    unlocked
}

fn sealed(unlocked: &Unlocked) -> Vec<u8> {
    unlocked.seal(entropy::bytes()).unwrap()
}

struct Home {
    _folder: tempfile::TempDir,
    place: Place,
}

impl Home {
    fn with(unlocked: &mut Unlocked) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("data/vault.otpv"), folder.path().join("state"));
        place.create_known(unlocked).unwrap();
        Self { _folder: folder, place }
    }

    fn open(&self) -> Unlocked {
        self.place.load().unwrap().open_with(&dek()).unwrap_or_else(|e| panic!("{e}"))
    }

    fn copy(&self) -> PathBuf {
        self.place.path.with_file_name("vault.sync-conflict-20260101-000000-ABCDEFG.otpv")
    }
}

fn rename(unlocked: &mut Unlocked, issuer: &str) {
    let state = Arc::make_mut(&mut unlocked.state);
    let stamp = state.next_stamp(UnixTime(2_000), OURS);
    assert!(state.set(MINE, field::ISSUER, Value::Text(issuer.into()), stamp));
}

fn issuer(unlocked: &Unlocked) -> &str {
    unlocked.state.get(&MINE).unwrap().issuer()
}

#[test]
fn a_clock_at_the_end_of_time_neither_freezes_a_name_nor_makes_the_vault_unreadable() {
    let mut unlocked = with_slots(vec![keychain()]);
    let home = Home::with(&mut unlocked);
    let far = Stamp { time: LATEST_STAMP, device: THEIRS };
    assert!(Arc::make_mut(&mut unlocked.state).set(MINE, field::ISSUER, Value::Text("Frozen".into()), far));
    let theirs = sealed(&unlocked);
    fs::write(&home.place.path, &theirs).unwrap();

    let mut open = home.open();
    rename(&mut open, "Mine again");
    home.place.save(&mut open).unwrap();
    assert_eq!(issuer(&home.open()), "Mine again");

    // Nor when the copy that said so comes once more.
    fs::write(home.copy(), &theirs).unwrap();
    let mut open = home.open();
    rename(&mut open, "Mine for good");
    home.place.save(&mut open).unwrap();
    assert_eq!(issuer(&home.open()), "Mine for good");
}

#[test]
fn a_copy_that_would_fill_the_vault_beyond_its_limits_is_left_where_it_is() {
    let mut unlocked = with_slots(vec![keychain()]);
    let home = Home::with(&mut unlocked);
    let mut theirs = with_slots(unknown(100, 32));
    rename(&mut theirs, "Theirs");
    fs::write(home.copy(), sealed(&theirs)).unwrap();

    let mut open = home.open();
    assert!(!home.place.gather(&mut open), "nothing of it is taken in");
    rename(&mut open, "Mine again");
    let saved = home.place.save(&mut open).unwrap();
    assert_eq!((issuer(&home.open()), saved.conflicts), ("Mine again", vec![]));
    assert_eq!(saved.warnings, [SaveWarning::CopyLeft(home.copy())]);
    assert!(home.copy().exists());
}

#[test]
fn a_file_that_does_not_go_together_with_what_is_held_is_not_written_over_and_what_is_held_can_still_be_sealed() {
    let mut unlocked = with_slots(vec![keychain()]);
    let home = Home::with(&mut unlocked);
    let theirs = sealed(&with_slots(unknown(100, 32)));
    fs::write(&home.place.path, &theirs).unwrap();
    rename(&mut unlocked, "Mine again");
    home.place.save(&mut unlocked).unwrap_err();
    assert_eq!(fs::read(&home.place.path).unwrap(), theirs);
    sealed(&unlocked);
    assert_eq!((issuer(&unlocked), unlocked.slots().len()), ("Mine again", 1));
}

#[test]
fn an_account_whose_incarnations_are_used_up_comes_back_all_the_same() {
    for life in [Life::Trashed, Life::Purged] {
        let before = with_slots(vec![keychain()]).state;
        let mut state = State::clone(&before);
        let entry = state.entries.get_mut(&MINE).unwrap();
        (entry.incarnation, entry.life) = (u32::MAX, life);
        if life == Life::Purged {
            entry.body = None;
        }
        let theirs = state.clone();
        let stamp = state.next_stamp(UnixTime(3_000), OURS);
        match life {
            Life::Trashed => assert!(state.restore(MINE, stamp)),
            _ => assert_eq!(state.bring_back(&before, stamp).len(), 1),
        }
        let twice = state.bring_back(&before, stamp);
        assert!(twice.is_empty(), "once is enough");
        state.join(&theirs);
        state.join(&before);
        let live: Vec<_> =
            state.live().map(|entry| (entry.issuer(), entry.seed().unwrap().expose().to_vec())).collect();
        assert_eq!(live, [("Mine", vec![7; 20])]);
    }
}

#[test]
fn two_devices_that_each_take_away_the_others_last_way_in_lock_nobody_out() {
    let (word, chain, recovery) = (Secret::new("word".to_owned()), Secret::new([1; 32]), Secret::new([1; 20]));
    let (word, chain) = (slot(&Key::Password(&word), 5), slot(&Key::Keychain(&chain), 6));
    let all = vec![word.clone(), chain.clone(), slot(&Key::Recovery(&recovery), 7)];
    let first = with_slots(all);
    let (mut one, mut other) = (first.duplicate(), first.duplicate());
    assert!(one.remove_slot(word.id, Stamp { time: 2_000, device: OURS }));
    assert!(other.remove_slot(chain.id, Stamp { time: 2_000, device: THEIRS }));
    let (mut a, mut b) = (one.duplicate(), other.duplicate());
    a.absorb(&other);
    b.absorb(&one);
    let ids = |unlocked: &Unlocked| unlocked.slots().iter().map(|slot| slot.id.0[0]).collect::<Vec<_>>();
    assert_eq!((ids(&a), ids(&b)), (vec![5, 6, 7], vec![5, 6, 7]));
    // What is made anew counts, and the removed ones go.
    let fresh = slot(&Key::Keychain(&Secret::new([2; 32])), 8);
    a.add_slot(fresh, Stamp { time: 3_000, device: OURS }).unwrap();
    b.absorb(&a);
    assert_eq!(ids(&b), [7, 8]);
}
