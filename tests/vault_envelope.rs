//! The envelope under attack: every byte changed, every length, slots carried about, bounds, newer versions; and the golden
//! vault that must open for ever.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use otpanel::otp::{Account, Kind, Seed};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::kdf::KdfError;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{
    DataKey, DeviceId, EntryId, Error, KdfParams, Key, Locked, SlotId, SlotKind, Stamp, State, Unlocked, Value, VaultId,
};

const DEK: [u8; 32] = [0xd; 32];
const VAULT: VaultId = VaultId([3; 16]);
const CHAIN: [u8; 32] = [0xc; 32];

fn dek() -> DataKey {
    DataKey::new(Secret::new(DEK))
}

fn slot(n: u8) -> Slot {
    let fresh = Fresh { id: SlotId([n; 16]), salt: [n; 32] };
    Slot::wrap(&dek(), VAULT, Key::Keychain(&Secret::new(CHAIN)), KdfParams::DEFAULT, &fresh).unwrap()
}

fn stamp(time: u64) -> Stamp {
    Stamp { time, device: DeviceId([1; 8]) }
}

fn vault_with(slots: Vec<Slot>) -> Unlocked {
    let mut state = State::default();
    let account = Account::new("Site", "me", Kind::totp(), Seed::new(b"12345678901234567890".to_vec()).unwrap());
    state.add(EntryId([7; 16]), &account, "personal", "a test", stamp(5));
    Unlocked::create(VAULT, dek(), slots, state)
}

fn bytes() -> Vec<u8> {
    vault_with(vec![slot(1)]).seal([9; 32]).unwrap()
}

fn parse(bytes: Vec<u8>) -> Result<Locked, Error> {
    Locked::parse(bytes)
}

fn refusal(bytes: Vec<u8>) -> Error {
    parse(bytes).err().expect("it was taken")
}

fn open(bytes: Vec<u8>) -> Result<Unlocked, Error> {
    parse(bytes)?.open_with(&dek())
}

#[test]
fn a_vault_is_sealed_to_a_bucket_and_opens_again() {
    let sealed = bytes();
    assert_eq!(sealed.len(), 92 + 20 + 80 + 32 + 4096 + 16);
    let locked = parse(sealed.clone()).unwrap();
    assert_eq!((locked.vault_id(), locked.version(), locked.slots().len()), (VAULT, (1, 0), 1));
    let opened = locked.open(&Key::Keychain(&Secret::new(CHAIN))).map_err(|e| e.to_string()).unwrap();
    assert_eq!(opened.state.live().count(), 1);
    assert_eq!(opened.opened_by().map(|slot| slot.id), Some(SlotId([1; 16])));
    assert_eq!(opened.seal([9; 32]).unwrap(), sealed, "the same state, slots and salt are the same bytes");
    assert_ne!(opened.seal([8; 32]).unwrap()[1000..], sealed[1000..]);
}

#[test]
fn no_byte_can_be_changed() {
    let good = bytes();
    for at in 0..good.len() {
        // Every bit of what is parsed before the MAC is checked, one bit of every byte after that.
        let masks = if at < 224 { (0..8).map(|bit| 1 << bit).collect() } else { vec![1u8 << (at % 8)] };
        for mask in masks {
            let mut bad = good.clone();
            bad[at] ^= mask;
            assert!(open(bad).is_err(), "byte {at} changed by {mask:#x} was taken");
        }
    }
    assert!(open(good).is_ok());
}

#[test]
fn a_glance_shows_the_names_and_nothing_of_an_altered_file() {
    let good = bytes();
    let names = |bytes: Vec<u8>, dek: &DataKey| {
        parse(bytes).ok()?.glance(dek, |glance| {
            let entry = glance.entry(0).map(|entry| entry.id);
            (glance.live.iter().map(|one| format!("{} {}", one.issuer, one.account)).collect::<Vec<_>>(), entry)
        })
    };
    assert_eq!(names(good.clone(), &dek()), Some((vec![String::from("Site me")], Some(EntryId([7; 16])))));
    assert_eq!(names(good.clone(), &DataKey::new(Secret::new([0xe; 32]))), None);
    for at in 0..good.len() {
        for flip in [1u8, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            assert_eq!(names(bad, &dek()), None, "byte {at}");
        }
    }
}

#[test]
fn no_length_but_the_right_one_is_taken() {
    let good = bytes();
    for len in 0..good.len() {
        let error = refusal(good[..len].to_vec());
        let is_cut = matches!(error, Error::Truncated { found, .. } if found == len as u64);
        assert!(if len == 0 { error == Error::Empty } else { is_cut }, "{len}: {error}");
    }
    let mut long = good;
    long.push(0);
    assert_eq!(refusal(long), Error::Trailing(1));
}

#[test]
fn each_kind_of_damage_has_its_own_error() {
    let good = bytes();
    let changed = |at: usize, with: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + with.len()].copy_from_slice(with);
        bad
    };
    assert_eq!(refusal(b"{\"version\": 1}".to_vec()), Error::NotAVault);
    assert_eq!(refusal(vec![0; 5000]), Error::NotAVault);
    assert_eq!(refusal(changed(8, &[2, 0, 7, 0])), Error::Newer { major: 2, minor: 7 });
    assert_eq!(refusal(changed(8, &[0, 0])), Error::Newer { major: 0, minor: 0 });
    assert_eq!(refusal(good[..8].iter().chain(&[2, 0, 0, 0]).copied().collect()), Error::Newer { major: 2, minor: 0 });
    assert!(matches!(refusal(changed(12, &65_537u32.to_le_bytes())), Error::Limits(_)));
    assert!(matches!(refusal(changed(16, &((64u64 << 20) + 1).to_le_bytes())), Error::Limits(_)));
    assert!(matches!(refusal(changed(16, &u64::MAX.to_le_bytes())), Error::Limits(_)));
    assert!(matches!(refusal(changed(16, &[23, 0, 0, 0])), Error::Limits(_)));
    assert!(matches!(refusal(changed(92 + 2, &[0xff, 0xff])), Error::Slots(_)));
    assert!(matches!(refusal(changed(92 + 2, &[79, 0])), Error::Slots(_)));
    assert!(matches!(open(changed(200, &[0xff])), Err(Error::Altered)));
    assert!(matches!(open(changed(4000, &[0xff, 0xfe])), Err(Error::Altered)));
}

#[test]
fn a_transfer_as_text_is_told_from_a_file_of_another_kind() {
    let good = bytes();
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|window| window == from).unwrap();
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    for mangled in [
        replaced(b"\r\n", b"\n"),
        replaced(b"\n", b"\r\n"),
        replaced(b"\x89", b"\xef\xbf\xbd"),
        replaced(b"\x89", b"\xc2\x89"),
        replaced(b"\x89", b"\x09"),
        replaced(b"\x1a", b""),
    ] {
        assert_eq!(refusal(mangled), Error::TextDamaged);
    }
}

#[test]
fn a_wrong_key_is_told_from_an_altered_file() {
    let locked = parse(bytes()).unwrap();
    let opened = |key: Key<'_>| locked.open(&key).err();
    assert_eq!(opened(Key::Keychain(&Secret::new([1; 32]))), Some(Error::WrongKey));
    assert_eq!(opened(Key::Password(&Secret::new(String::new()))), Some(Error::NoSlot(SlotKind::Password)));
    assert_eq!(opened(Key::Recovery(&Secret::new([0; 20]))), Some(Error::NoSlot(SlotKind::Recovery)));
    let mut altered = bytes();
    altered[75] = 1;
    assert_eq!(parse(altered).unwrap().open(&Key::Keychain(&Secret::new(CHAIN))).err(), Some(Error::Altered));
    assert_eq!(locked.open_with(&DataKey::new(Secret::new([1; 32]))).err(), Some(Error::Altered));
}

#[test]
fn a_slot_carried_into_another_vault_opens_nothing() {
    // An attacker who knows the password of a vault of his own puts its slot into the victim's file.
    let own = VaultId([0xa; 16]);
    let fresh = Fresh { id: SlotId([1; 16]), salt: [1; 32] };
    let carried = Slot::wrap(&dek(), own, Key::Keychain(&Secret::new([2; 32])), KdfParams::DEFAULT, &fresh).unwrap();
    let spliced = vault_with(vec![carried]).seal([9; 32]).unwrap();
    assert_eq!(parse(spliced).unwrap().open(&Key::Keychain(&Secret::new([2; 32]))).err(), Some(Error::WrongKey));
    // And a slot that does unwrap, but to the attacker's own data key, meets the MAC.
    let other_dek = DataKey::new(Secret::new([0xe; 32]));
    let planted =
        Slot::wrap(&other_dek, VAULT, Key::Keychain(&Secret::new([2; 32])), KdfParams::DEFAULT, &fresh).unwrap();
    let mut file = bytes();
    file[92 + 20..92 + 100].copy_from_slice(&planted.body);
    assert_eq!(parse(file).unwrap().open(&Key::Keychain(&Secret::new([2; 32]))).err(), Some(Error::Altered));
}

#[test]
fn slots_are_bounded_in_number_and_named_once() {
    let unknown = |n: u8| Slot { kind: 0x10, id: SlotId([n; 16]), body: vec![n; 3] };
    let with = |slots: Vec<Slot>| {
        // By hand, as no vault would seal these.
        let section: Vec<u8> = slots
            .iter()
            .flat_map(|slot| {
                let head = [slot.kind.to_le_bytes(), (slot.body.len() as u16).to_le_bytes()].concat();
                [head, slot.id.0.to_vec(), slot.body.clone()].concat()
            })
            .collect();
        let good = bytes();
        let mut file = good[..92].to_vec();
        file[12..16].copy_from_slice(&(section.len() as u32).to_le_bytes());
        [file, section, good[192..].to_vec()].concat()
    };
    assert!(parse(with((0..32).map(unknown).collect())).is_ok());
    assert!(matches!(refusal(with((0..33).map(unknown).collect())), Error::Limits(_)));
    assert_eq!(refusal(with(vec![unknown(1), unknown(1)])), Error::Slots("two have the same id"));
    assert!(matches!(vault_with(vec![]).seal([0; 32]), Err(Error::Slots(_))), "nothing would open it");
    let mut full = vault_with((0..32).map(slot).collect());
    assert!(matches!(full.add_slot(slot(40), stamp(6)), Err(Error::Limits(_))));
}

#[test]
fn a_hostile_key_derivation_is_refused_in_less_than_a_millisecond() {
    let hostile = |memory: u32, passes: u32, lanes: u32, count: u8| {
        let slots = (0..count).map(|n| {
            let mut body = [memory, passes, lanes].map(u32::to_le_bytes).concat();
            body.resize(92, n);
            [vec![1, 0, 92, 0], vec![n; 16], body].concat()
        });
        let section = slots.collect::<Vec<_>>().concat();
        let good = bytes();
        let mut file = good[..92].to_vec();
        file[12..16].copy_from_slice(&(section.len() as u32).to_le_bytes());
        let file = [file, section, good[192..].to_vec()].concat();
        let once = || {
            let (file, started) = (file.clone(), Instant::now());
            let error = parse(file).err();
            (started.elapsed(), error)
        };
        // Whatever else the machine does only adds to a time.
        let tries = std::iter::repeat_with(once).take(50);
        let (took, error) = tries.min_by_key(|(took, _)| *took).unwrap();
        assert!(took < Duration::from_millis(1), "{took:?}");
        error
    };
    for (memory, passes, lanes) in [
        (8191, 1, 1),
        (1 << 21, 1, 1),
        (u32::MAX, 1, 1),
        (65_536, 0, 1),
        (65_536, 17, 1),
        (65_536, 3, 0),
        (65_536, 3, 17),
    ] {
        let error = hostile(memory, passes, lanes, 1);
        assert!(matches!(error, Some(Error::Kdf(KdfError::Bounds(_)))), "{memory} {passes} {lanes}");
    }
    assert!(matches!(hostile(1 << 20, 16, 16, 2), Some(Error::Kdf(KdfError::Total(_)))));
    assert_eq!(hostile(65_536, 3, 4, 32), None);
}

#[test]
fn what_a_newer_minor_version_wrote_is_kept_byte_for_byte() {
    let unknown = Slot { kind: 0x10, id: SlotId([0x77; 16]), body: vec![1, 2, 3, 4, 5] };
    let mut newer = vault_with(vec![slot(1), unknown.clone()]);
    Arc::make_mut(&mut newer.state).set_meta("from/the future", Value::Text(String::from("kept")), stamp(9));
    let mut file = newer.seal([9; 32]).unwrap();
    // A minor version and reserved bytes of a newer version, under the right MAC: sealed by hand.
    file[10] = 7;
    file[72..92].copy_from_slice(&[0x5a; 20]);
    let file = resealed(file);

    let opened = open(file.clone()).map_err(|e| e.to_string()).unwrap();
    assert!(opened.slots().contains(&unknown));
    let again = opened.seal([9; 32]).unwrap();
    assert_eq!(again, file);
    let mut older = vault_with(vec![slot(1)]);
    assert!(older.absorb(&opened));
    assert_eq!(older.seal([9; 32]).unwrap(), file, "a join takes it over");
}

/// Seals a changed head anew, with the primitives rather than the code under test.
fn resealed(mut file: Vec<u8>) -> Vec<u8> {
    use aes_gcm::aead::{Aead, KeyInit, Payload};
    use hmac::Mac;
    let salt: [u8; 32] = file[40..72].try_into().unwrap();
    let derive = |info: &[u8]| {
        let mut out = [0; 32];
        hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &DEK).expand(info, &mut out).unwrap();
        out
    };
    let mac_at = 92 + u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
    let original_aad = {
        // The text itself does not change; it is opened under what was sealed.
        let mut head = file[..mac_at + 32].to_vec();
        head[10] = 0;
        head[72..92].fill(0);
        head
    };
    let cipher = aes_gcm::Aes256Gcm::new(&derive(b"otpanel/v1/payload").into());
    let nonce = aes_gcm::Nonce::default();
    let text = cipher.decrypt(&nonce, Payload { msg: &file[mac_at + 32..], aad: &original_aad }).unwrap();
    let mut mac = <hmac::Hmac<sha2::Sha256> as KeyInit>::new_from_slice(&derive(b"otpanel/v1/header")).unwrap();
    mac.update(&file[..mac_at]);
    file.truncate(mac_at);
    file.extend(mac.finalize().into_bytes());
    let sealed = cipher.encrypt(&nonce, Payload { msg: &text, aad: &file }).unwrap();
    file.extend(sealed);
    file
}

#[test]
fn a_removed_slot_stays_removed_whatever_copy_comes_back() {
    let mut ours = vault_with(vec![slot(1), slot(2)]);
    let mut theirs = ours.duplicate();
    assert!(ours.remove_slot(SlotId([1; 16]), stamp(10)));
    assert!(!ours.remove_slot(SlotId([1; 16]), stamp(11)));
    assert!(!ours.remove_slot(SlotId([2; 16]), stamp(11)), "the last one stays");
    theirs.add_slot(slot(3), stamp(12)).unwrap();
    let ids = |vault: &Unlocked| vault.slots().iter().map(|slot| slot.id.0[0]).collect::<Vec<_>>();
    let before = theirs.duplicate();
    assert!(theirs.absorb(&ours));
    assert!(ours.absorb(&before));
    assert_eq!((ids(&ours), ids(&theirs)), (vec![2, 3], vec![2, 3]));
    assert!(!ours.absorb(&before), "nothing new the second time");
    assert_eq!(ours.slot_created(SlotId([3; 16])), Some(12));
    let reopened = open(before.seal([4; 32]).unwrap()).map_err(|e| e.to_string()).unwrap();
    assert_eq!(ids(&reopened), [1, 2, 3], "the older file itself knows no better");
}

#[test]
fn two_devices_that_removed_each_others_slots_do_not_lock_the_vault_for_ever() {
    let mut ours = vault_with(vec![slot(1), slot(2)]);
    let mut theirs = ours.duplicate();
    assert!(ours.remove_slot(SlotId([1; 16]), stamp(10)));
    assert!(theirs.remove_slot(SlotId([2; 16]), stamp(11)));
    assert!(ours.absorb(&theirs));
    assert_eq!(ours.slots().len(), 2);
    assert!(open(ours.seal([9; 32]).unwrap()).is_ok());
}

#[test]
fn a_copy_of_another_vault_is_not_joined() {
    let mut ours = vault_with(vec![slot(1)]);
    let mut state = State::default();
    state.note(stamp(99));
    let other = Unlocked::create(VaultId([4; 16]), dek(), vec![slot(2)], state);
    assert!(!ours.absorb(&other));
    assert_eq!(ours.slots().len(), 1);
}

#[test]
fn sizes_shine_through_by_bucket_only() {
    let size = |accounts: u8| {
        let mut vault = vault_with(vec![slot(1)]);
        let state = Arc::make_mut(&mut vault.state);
        for n in 0..accounts {
            let account = Account::new("A site", "me", Kind::totp(), Seed::new(vec![n; 20]).unwrap());
            let at = state.next_stamp(UnixTime(0), DeviceId([1; 8]));
            state.add(EntryId([n; 16]), &account, "personal", "", at);
        }
        vault.seal([1; 32]).unwrap().len() - 240
    };
    assert_eq!(size(1), size(8));
    let sizes: std::collections::BTreeSet<usize> = (0..200).map(size).collect();
    assert!(sizes.len() < 60, "{} sizes for 200 vaults", sizes.len());
    assert!(sizes.iter().all(|size| size.trailing_zeros() >= 8), "{sizes:?}");
}

/// Written by version 1.0 and never to be written again: `docs/vault.md` promises that it opens for ever.
#[test]
fn the_golden_vault_opens_by_each_of_its_keys() {
    let golden = include_bytes!("golden/v1.otpv").to_vec();
    let locked = parse(golden).unwrap();
    let password = Secret::new(String::from("correct horse battery staple"));
    let chain = Secret::new([0x42; 32]);
    let recovery = otpanel::vault::recovery::read(include_str!("golden/v1.recovery-key")).unwrap();
    for key in [
        Key::Password(&password),
        Key::Keychain(&chain),
        Key::Recovery(&recovery),
        Key::PasswordAndKeychain(&password, &chain),
    ] {
        let opened = locked.open(&key).map_err(|e| e.to_string()).unwrap();
        let text = otpanel::vault::payload::encode(&opened.state);
        assert_eq!(String::from_utf8_lossy(text.expose()), include_str!("golden/v1.ron"));
    }
}
