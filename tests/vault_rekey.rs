//! A new data key of a vault: which copies still open, what a copy under the old key may bring, and what a save does that meets
//! another key.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use otpanel::backup::here::{BackupError, Here, InFile};
use otpanel::backup::place::{Destination, Store};
use otpanel::backup::round::{Known, RoundError};
use otpanel::entropy;
use otpanel::local::Local;
use otpanel::otp::{Account, Algorithm, Digits, Kind, Seed};
use otpanel::policy::PERSONAL;
use otpanel::rollback::{self, WentBack};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::history::Reason;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{
    DataKey, DeviceId, EntryId, Error, FileError, KdfParams, Key, Life, Locked, Place, SlotId, State, Unlocked, Value,
    VaultId, field,
};

const VAULT: VaultId = VaultId([3; 16]);
const ID: EntryId = EntryId([7; 16]);
/// Counters that each of several programs takes.
const EACH: u64 = 10;

fn dek(n: u8) -> DataKey {
    DataKey::new(Secret::new([n; 32]))
}

fn slot(n: u8) -> Slot {
    let fresh = Fresh { id: SlotId([n; 16]), salt: [n; 32] };
    Slot::wrap(&dek(n), VAULT, Key::Keychain(&Secret::new([n; 32])), KdfParams::DEFAULT, &fresh).unwrap()
}

fn edit(vault: &mut Unlocked, edit: impl FnOnce(&mut State, otpanel::vault::Stamp)) {
    let stamp = vault.state.next_stamp(UnixTime::now(), DeviceId([1; 8]));
    edit(Arc::make_mut(&mut vault.state), stamp);
}

fn add(vault: &mut Unlocked, id: EntryId, name: &str) {
    let account = Account::new("Site", name, Kind::totp(), Seed::new(vec![1; 20]).unwrap());
    edit(vault, |state, stamp| state.add(id, &account, "personal", "", stamp));
}

/// A vault of one account under the key 1.
fn old() -> Unlocked {
    let mut vault = Unlocked::create(VAULT, dek(1), vec![slot(1)], State::default());
    add(&mut vault, ID, "first");
    vault
}

/// The same under another key.
fn under(vault: &Unlocked, key: u8) -> Unlocked {
    let mut new = vault.duplicate();
    let stamp = new.state.next_stamp(UnixTime::now(), DeviceId([2; 8]));
    new.rekey(dek(key), vec![slot(key)], stamp).unwrap();
    new
}

fn sealed(vault: &Unlocked) -> Locked {
    Locked::parse(vault.seal(entropy::bytes()).unwrap()).unwrap()
}

/// A place with a vault in it.
fn place(vault: &mut Unlocked) -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("vault.otpv"), folder.path().join("state"));
    place.create_known(vault).unwrap();
    (folder, place)
}

/// A vault in its file under a new key, and one that was opened before it had that: the file's folder and place, the late one,
/// the one of now.
fn rekeyed_meanwhile() -> (tempfile::TempDir, Place, Unlocked, Unlocked) {
    let mut first = old();
    let (folder, place) = place(&mut first);
    let mut new = under(&first, 2);
    place.save(&mut new).unwrap();
    (folder, place, first, new)
}

#[test]
fn the_new_key_opens_what_was_sealed_before_and_the_old_one_nothing_since() {
    let first = old();
    let (second, third) = (under(&first, 2), under(&under(&first, 2), 3));
    for copy in [&first, &second, &third] {
        assert!(third.open_copy(&sealed(copy)).is_ok());
    }
    assert!(matches!(second.open_copy(&sealed(&third)), Err(Error::Altered)));
    assert!(matches!(first.open_copy(&sealed(&second)), Err(Error::Altered)));
    let again = sealed(&third).open_with(&dek(3)).ok().unwrap();
    assert_eq!(again.slots().iter().map(|slot| slot.id).collect::<Vec<_>>(), [SlotId([3; 16])]);
    assert_eq!(again.retired_keys().len(), 2);
}

#[test]
fn nothing_that_would_open_it_is_no_new_key() {
    let mut vault = old();
    let stamp = vault.state.next_stamp(UnixTime::now(), DeviceId([2; 8]));
    let newer = Slot { kind: 0x10, id: SlotId([9; 16]), body: vec![1] };
    for slots in [vec![], vec![newer]] {
        assert!(matches!(vault.rekey(dek(2), slots, stamp), Err(Error::Slots(_))));
    }
    assert!(sealed(&vault).open_with(&dek(1)).is_ok(), "it is as it was");
}

#[test]
fn a_copy_under_the_old_key_brings_accounts_and_edits_from_either_side() {
    let first = old();
    let new = under(&first, 2);
    let mut late = first.duplicate();
    add(&mut late, EntryId([8; 16]), "second");
    edit(&mut late, |state, stamp| {
        state.set(ID, field::ISSUER, Value::Text("Forge".into()), stamp);
    });
    let (mut one, mut other) = (new.duplicate(), late.duplicate());
    assert!(one.absorb(&late) && other.absorb(&new));
    for joined in [&one, &other] {
        assert_eq!(joined.data_key().expose(), &[2; 32], "the later key is in force");
        assert_eq!(joined.slots().iter().map(|slot| slot.id).collect::<Vec<_>>(), [SlotId([2; 16])]);
        assert_eq!((joined.state.live().count(), joined.state.get(&ID).unwrap().issuer()), (2, "Forge"));
    }
    assert!(!one.absorb(&late), "nothing is new the second time");
}

#[test]
fn who_has_the_old_key_deletes_nothing_for_good_and_changes_no_key() {
    let first = old();
    let mut new = under(&first, 2);
    let mut thief = first.duplicate();
    edit(&mut thief, |state, stamp| {
        state.note(stamp);
        state.purge(ID);
        state.set_meta("backup/personal/pin", Value::Text("0101010101010101".into()), stamp);
        state.set_meta(&format!("slot/{}", SlotId([2; 16])), Value::Flag(false), stamp);
        state.set_meta("key/0000000000000000", Value::Text("AQEB".into()), stamp);
    });
    new.absorb(&thief);
    assert_eq!(new.state.get(&ID).unwrap().life, Life::Live);
    assert!(!new.was_removed(SlotId([2; 16])) && !new.state.meta.contains_key("backup/personal/pin"));
    assert_eq!(new.retired_keys().len(), 1);
    // A vault of the thief's own that claims to have come of ours: it opens with nothing that is here.
    assert!(new.open_copy(&sealed(&under(&thief, 9))).is_err());
}

#[test]
fn a_key_under_the_name_of_another_is_no_key_of_ours() {
    let mut new = under(&old(), 2);
    let name = new.state.meta.keys().find(|name| name.starts_with("key/")).unwrap().clone();
    edit(&mut new, |state, stamp| {
        state.set_meta(&name, Value::Text("CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk".into()), stamp);
    });
    assert!(new.retired_keys().is_empty());
}

#[test]
fn a_save_that_meets_another_key_overwrites_nothing_and_says_so() {
    let (_folder, place, mut late, mut new) = rekeyed_meanwhile();
    add(&mut late, EntryId([8; 16]), "second");
    let bytes = place.read().unwrap();
    assert!(matches!(place.save(&mut late), Err(FileError::Rekeyed(_))));
    assert_eq!((place.read().unwrap(), late.state.live().count()), (bytes.clone(), 2));
    // A damaged file is told from one under another key.
    let mut damaged = bytes.unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&place.path, damaged).unwrap();
    assert!(matches!(place.save(&mut new), Err(FileError::Damaged { error: Error::Altered, .. })));
}

#[test]
fn a_save_under_the_new_key_takes_in_a_file_under_the_old_one() {
    let mut first = old();
    let (_folder, place) = place(&mut first);
    let mut new = under(&first, 2);
    add(&mut first, EntryId([8; 16]), "second");
    place.save(&mut first).unwrap();
    place.save(&mut new).unwrap();
    assert_eq!(new.state.live().count(), 2);
    assert!(place.load().unwrap().open_with(&dek(1)).is_err());
}

#[test]
fn a_new_key_is_put_in_force_over_all_that_others_wrote_meanwhile() {
    let mut first = old();
    let (_folder, place) = place(&mut first);
    let mut other = first.duplicate();
    add(&mut other, EntryId([8; 16]), "second");
    edit(&mut other, |state, stamp| {
        state.note(stamp);
        state.purge(ID);
    });
    place.save(&mut other).unwrap();
    let rekey = |vault: &mut Unlocked| {
        let stamp = vault.state.next_stamp(UnixTime::now(), DeviceId([2; 8]));
        vault.rekey(dek(2), vec![slot(2)], stamp)
    };
    place.save_changing(&mut first, Reason::Password, &mut { rekey }).unwrap();
    assert_eq!((first.data_key().expose(), first.state.live().count()), (&[2; 32], 1));
    assert_eq!(first.state.get(&ID).unwrap().life, Life::Purged, "what was deleted before it stays deleted");
    assert!(place.history(VAULT).unwrap().iter().any(|version| version.reason == Reason::Password));
    // What fails changes nothing in memory either.
    let mut again = first.duplicate();
    let fails = place.save_changing(&mut again, Reason::Save, &mut |_| Err(Error::Slots("on purpose")));
    assert!(matches!(fails, Err(FileError::Seal(_))));
    assert!(again.shares_key(&first));
}

#[test]
fn a_round_of_the_backup_is_not_made_under_a_key_that_is_no_longer_in_force() {
    let (folder, place, mut late, mut new) = rekeyed_meanwhile();
    std::fs::create_dir(folder.path().join("sync")).unwrap();
    let store = Store::Folder(folder.path().join("sync"));
    let to = Destination { identity: PERSONAL.into(), store, on: true, names_only: false };
    let here = Here::new(&place);
    let round = |vault: &mut Unlocked| {
        let mut vault = InFile { place: &place, unlocked: vault, device: here.device };
        here.back_up(&to, &*to.open(false), &mut vault, &mut Known::default(), true)
    };
    assert!(matches!(round(&mut late), Err(BackupError::Round(RoundError::Vault(FileError::Rekeyed(_))))));
    assert_eq!(round(&mut new).unwrap().accounts, 1);
}

#[test]
fn what_was_not_saved_when_the_key_changed_comes_along_with_the_next_opening() {
    let (_folder, place, mut late, _) = rekeyed_meanwhile();
    add(&mut late, EntryId([8; 16]), "second");
    rollback::keep_for_later(&place, &late).unwrap();
    let mut local = Local::open(&place.state_dir).unwrap();
    let mut again = place.load().unwrap().open_with(&dek(2)).ok().unwrap();
    assert_eq!(rollback::heal(&place, &mut again, &mut local), Some(WentBack::Healed(1)));
    assert_eq!(again.state.live().count(), 2);
}

#[test]
fn a_counter_is_taken_once_however_many_take_it() {
    let mut vault = Unlocked::create(VAULT, dek(1), vec![slot(1)], State::default());
    let kind = Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 0 };
    let account = Account::new("Bank", "me", kind, Seed::new(vec![1; 20]).unwrap());
    edit(&mut vault, |state, stamp| state.add(ID, &account, "personal", "", stamp));
    let (_folder, place) = place(&mut vault);
    let takers = (0..6u8).map(|n| {
        let (place, mut own) = (place.clone(), vault.duplicate());
        std::thread::spawn(move || {
            let mut taken = Vec::new();
            for _ in 0..EACH {
                let mut counter = None;
                let mut take = |vault: &mut Unlocked| {
                    counter = vault.take_counter(ID, UnixTime::now(), DeviceId([n; 8]));
                    Ok(())
                };
                place.save_changing(&mut own, Reason::Save, &mut take).unwrap();
                taken.push(counter.unwrap());
            }
            taken
        })
    });
    let takers: Vec<_> = takers.collect();
    let mut taken: Vec<u64> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
    taken.sort_unstable();
    assert_eq!(taken, (0..6 * EACH).collect::<Vec<_>>());
}
