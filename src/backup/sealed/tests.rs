//! Whole rounds on a keychain in memory: what lies there, what comes back, what is refused.

use super::super::restore;
use super::super::round::{Backed, Job, Known, RoundError, Vault, fresh, round};
use super::*;
use crate::keychain::Probe;
use crate::keychain::folder::FolderKeychain;
use crate::keychain::memory::MemoryKeychain;
use crate::otp::{Account, Kind, Seed};
use crate::vault::slots::Fresh;
use crate::vault::{DeviceId, EntryId, FileError, KdfParams, Key, Life, SlotId, Stamp, Unlocked, Value, field};
use std::sync::{Arc, Mutex};

const VAULT: VaultId = VaultId([3; 16]);

/// A vault in memory.
pub struct Held {
    pub open: Unlocked,
    pub device: DeviceId,
}

impl Vault for Held {
    fn unlocked(&self) -> &Unlocked {
        &self.open
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut State, Stamp) -> bool) -> Result<(), FileError> {
        let stamp = self.open.state.next_stamp(UnixTime(1_800_000_000_000), self.device);
        change(Arc::make_mut(&mut self.open.state), stamp);
        Ok(())
    }
}

fn password() -> Secret<String> {
    Secret::new("word".into())
}

fn held(device: u8, accounts: u8) -> Held {
    let dek = DataKey::new(Secret::new([0xd; 32]));
    let (word, fresh) = (password(), Fresh { id: SlotId([1; 16]), salt: [1; 32] });
    let slot = Slot::wrap(&dek, VAULT, Key::Password(&word), KdfParams::WEAKEST, &fresh).unwrap();
    let mut held =
        Held { open: Unlocked::create(VAULT, dek, vec![slot], State::default()), device: DeviceId([device; 8]) };
    for n in 0..accounts {
        add(&mut held, n, "personal");
    }
    held
}

fn add(held: &mut Held, n: u8, identity: &str) {
    let account = Account::new("Issuer", format!("name-{n}"), Kind::totp(), Seed::new(vec![n + 1; 20]).unwrap());
    held.change(&mut |state, stamp| {
        state.add(EntryId([n; 16]), &account, identity, "", stamp);
        true
    })
    .unwrap();
}

fn all(restored: &restore::Restored) -> State {
    record::joined(&restored.records, |_| true)
}

fn sealed<'a>(keychain: &'a dyn Keychain, identity: &'a str, item_len: usize) -> Sealed<'a> {
    Sealed { keychain, identity, vault: VAULT, item_len, by_itself: true }
}

fn back_up(items: &Sealed<'_>, held: &mut Held, by_itself: bool) -> Result<Backed, RoundError> {
    let job = Job {
        identity: items.identity,
        device: held.device,
        label: "laptop",
        now: UnixTime(1_800_000_000_000),
        by_itself,
        names_only: false,
        seen: &std::collections::BTreeMap::new(),
        full: true,
        fresh: &fresh,
    };
    round(items, held, &job, &mut Known::default())
}

#[test]
fn a_typical_user_has_three_items_and_a_second_round_writes_nothing() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 40));
    let items = sealed(&keychain, "personal", 32 << 10);
    assert_eq!(back_up(&items, &mut held, false).unwrap().accounts, 40);
    assert_eq!(keychain.items().len(), 3);
    assert_eq!(back_up(&items, &mut held, false).unwrap().written, 0);
    add(&mut held, 41, "personal");
    assert_eq!(back_up(&items, &mut held, false).unwrap().written, 2, "one bundle and one head");
}

#[test]
fn others_are_told_of_a_head_that_was_written_and_of_nothing_else() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 2));
    let items = sealed(&keychain, "personal", 32 << 10);
    back_up(&items, &mut held, false).unwrap();
    let head = String::from("0303030303030303/head/0101010101010101");
    assert_eq!(keychain.announced(), [(head.clone(), 1)]);
    back_up(&items, &mut held, false).unwrap();
    assert_eq!(keychain.announced().len(), 1, "a look that writes nothing is silent: two devices come to rest");
    add(&mut held, 9, "personal");
    // Written and not kept: nobody is sent to look at that.
    keychain.lose_writes(2);
    assert!(matches!(back_up(&items, &mut held, false), Err(RoundError::NotKept)));
    assert_eq!(keychain.announced().len(), 1);
    back_up(&items, &mut held, false).unwrap();
    assert_eq!(keychain.announced()[1].0, head);
    assert!(keychain.announced()[1].1 > 1, "{:?}", keychain.announced());
    assert_eq!(writer_of_head(VAULT, "otpanel.backup.personal", &head), Some(held.device));
    assert_eq!(writer_of_head(VaultId([4; 16]), "otpanel.backup.personal", &head), None);
    assert_eq!(writer_of_head(VAULT, "otpanel", &head), None);
}

#[test]
fn nothing_readable_lies_in_the_store() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 3));
    back_up(&sealed(&keychain, "personal", 32 << 10), &mut held, false).unwrap();
    for (service, user, secret) in keychain.items() {
        assert_eq!(service, "otpanel.backup.personal");
        assert!(user.chars().all(|c| c.is_ascii_hexdigit() || "/keybhad".contains(c)), "{user}");
        for word in ["Issuer", "name-", "laptop", "personal"] {
            assert!(!secret.windows(word.len()).any(|at| at == word.as_bytes()), "{word} in {user}");
        }
        assert!(!secret.windows(32).any(|at| at == [0xd; 32]), "the data key in {user}");
    }
}

/// A folder in which one item may not be read, until another is put in its place.
struct Closing<'a>(&'a MemoryKeychain, Mutex<String>);

impl Keychain for Closing<'_> {
    fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError> {
        let mut closed = self.1.lock().unwrap();
        if *user == **closed {
            closed.clear();
        }
        self.0.set(service, user, secret)
    }

    fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError> {
        if *user == **self.1.lock().unwrap() { Err(KeychainError::Closed) } else { self.0.get(service, user) }
    }

    fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError> {
        self.0.delete(service, user)
    }

    fn search(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        self.0.search(service)
    }

    fn probe(&self) -> Probe {
        self.0.probe()
    }
}

#[test]
fn an_item_that_may_not_be_read_stops_no_round_and_stays_as_it_is() {
    let (keychain, mut ours, mut theirs) = (MemoryKeychain::new(), held(1, 3), held(2, 4));
    back_up(&sealed(&keychain, "personal", 32 << 10), &mut theirs, false).unwrap();
    back_up(&sealed(&keychain, "personal", 32 << 10), &mut ours, false).unwrap();
    let before = keychain.items();
    for (_, user, secret) in &before {
        let closing = Closing(&keychain, Mutex::new(user.clone()));
        add(&mut ours, 9, "personal");
        let backed = back_up(&sealed(&closing, "personal", 32 << 10), &mut ours, false).unwrap();
        assert_eq!(backed.accounts, 5, "{user}");
        // Own keys and heads say what is said elsewhere too; a bundle, or what others wrote, may be all that is left of something.
        if user.contains("/b/") || !user.ends_with("0101010101010101") {
            assert!(keychain.items().iter().any(|(_, other, there)| (other, there) == (user, secret)), "{user}");
        }
        assert!(restore::find(&closing, "personal").is_ok_and(|found| !found.is_empty()), "{user}");
        drop(keychain.set("otpanel.backup.personal", user, secret));
    }
}

#[test]
fn one_account_that_is_too_large_is_named_and_does_not_cut_the_others_into_small_items() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 100));
    let name = Value::Text("x".repeat(40_000));
    held.change(&mut |state, stamp| state.set(EntryId([5; 16]), field::ACCOUNT, name.clone(), stamp)).unwrap();
    let backed = back_up(&sealed(&keychain, "personal", 32 << 10), &mut held, false).unwrap();
    assert_eq!((backed.accounts, backed.left_out), (99, vec![EntryId([5; 16])]));
    assert_eq!(keychain.items().len(), 3, "a key, a bundle and a head");
}

#[test]
fn small_items_are_many_and_all_come_back() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 100));
    let items = sealed(&keychain, "personal", 2_400);
    let backed = back_up(&items, &mut held, true).unwrap();
    assert_eq!((backed.accounts, backed.left_out.len()), (100, 0));
    assert!(keychain.items().iter().all(|(.., secret)| secret.len() <= 2_400));
    let found = restore::find(&keychain, "personal").unwrap();
    let restored = restore::open(&keychain, "personal", &found[0], &restore::Way::Alone).unwrap();
    assert_eq!(all(&restored).live().count(), 100);
}

#[test]
fn a_new_machine_gets_all_back_by_the_password_and_the_same_password_opens_it_then() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 5));
    back_up(&sealed(&keychain, "personal", 32 << 10), &mut held, false).unwrap();
    let found = restore::find(&keychain, "personal").unwrap();
    assert_eq!(found.len(), 1);
    let word = password();
    assert!(matches!(
        restore::open(&keychain, "personal", &found[0], &restore::Way::Alone),
        Err(restore::RestoreError::NeedsKey)
    ));
    let wrong = Secret::new(String::from("other"));
    assert!(matches!(
        restore::open(&keychain, "personal", &found[0], &restore::Way::Password(&wrong)),
        Err(restore::RestoreError::WrongKey)
    ));
    let restored = restore::open(&keychain, "personal", &found[0], &restore::Way::Password(&word)).unwrap();
    assert_eq!(all(&restored).live().count(), 5);
    assert_eq!(restored.slots.len(), 1);
    assert_eq!(restored.data.expose(), &[0xd; 32]);
}

#[test]
fn an_item_opens_only_in_its_place_and_as_it_was_written() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 2));
    let items = sealed(&keychain, "personal", 32 << 10);
    back_up(&items, &mut held, false).unwrap();
    let ring = Ring::of(&held.open, "personal");
    for (service, user, bytes) in keychain.items() {
        let name = Name::parse(user.split_once('/').unwrap().1).unwrap();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            keychain.set(&service, &user, &bad).unwrap();
            let read = items.read(name, &ring).unwrap().unwrap();
            assert!(matches!(read.item, Item::Damaged | Item::Foreign), "byte {at} of {name}");
        }
        for len in 0..bytes.len() {
            keychain.set(&service, &user, &bytes[..len]).unwrap();
            assert!(matches!(items.read(name, &ring).unwrap().unwrap().item, Item::Damaged | Item::Foreign));
        }
        let elsewhere = match name {
            Name::Key { kid, .. } => Name::Key { kid, device: DeviceId([9; 8]) },
            Name::Bundle { device, .. } => Name::Bundle { device, epoch: 1, bucket: 0 },
            Name::Head { .. } => Name::Head { device: DeviceId([9; 8]) },
        };
        keychain.set(&service, &items.user(elsewhere), &bytes).unwrap();
        let moved = items.read(elsewhere, &ring).unwrap().unwrap().item;
        assert!(matches!(moved, Item::Damaged | Item::Foreign));
        keychain.set("otpanel.backup.managed", &user, &bytes).unwrap();
        let other = sealed(&keychain, "managed/Contoso", 32 << 10);
        let crossed = other.read(name, &ring).unwrap().unwrap().item;
        assert!(matches!(crossed, Item::Damaged | Item::Foreign), "another identity");
        keychain.forget(&service, &items.user(elsewhere));
        keychain.set(&service, &user, &bytes).unwrap();
    }
}

#[test]
fn accounts_of_one_identity_never_reach_the_store_of_the_other() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 2));
    add(&mut held, 7, "managed/Contoso");
    back_up(&sealed(&keychain, "personal", 32 << 10), &mut held, true).unwrap();
    let restored = |identity: &str| {
        let found = restore::find(&keychain, identity).unwrap();
        found.first().map(|found| restore::open(&keychain, identity, found, &restore::Way::Alone).unwrap())
    };
    assert!(restored("managed/Contoso").is_none());
    assert_eq!(all(&restored("personal").unwrap()).entries.len(), 2);
    held.change(&mut |state, _| state.purge(EntryId([7; 16]))).unwrap();
    back_up(&sealed(&keychain, "personal", 32 << 10), &mut held, true).unwrap();
    assert_eq!(all(&restored("personal").unwrap()).entries.len(), 2, "nor does its tombstone");
}

#[test]
fn a_store_that_forgets_is_never_called_a_backup() {
    let (keychain, mut held) = (MemoryKeychain::new(), held(1, 2));
    keychain.lose_writes(1);
    assert!(matches!(back_up(&sealed(&keychain, "personal", 32 << 10), &mut held, false), Err(RoundError::NotKept)));
}

#[test]
fn two_devices_meet_through_the_store_and_a_purge_is_final() {
    let keychain = MemoryKeychain::new();
    let (mut one, mut two) = (held(1, 3), held(2, 0));
    let items = sealed(&keychain, "personal", 32 << 10);
    back_up(&items, &mut one, false).unwrap();
    back_up(&items, &mut two, false).unwrap();
    assert_eq!(two.open.state.live().count(), 3);
    two.change(&mut |state, _| state.purge(EntryId([1; 16]))).unwrap();
    back_up(&items, &mut two, false).unwrap();
    let backed = back_up(&items, &mut one, false).unwrap();
    assert_eq!((one.open.state.live().count(), backed.devices.len()), (2, 2));
}

/// Puts a key item there that holds its own data key, as somebody may who carries the folder: with keys that he knows.
fn plant(keychain: &dyn Keychain, slots: &[Slot]) -> Kid {
    let (kid, device) = (Kid([0; 8]), DeviceId([0xa; 8]));
    let (data, key) = (DataKey::new(Secret::new([0xe; 32])), BackupKey(Secret::new([0xf; 32])));
    let theirs = Sealed { keychain, identity: "personal", vault: VAULT, item_len: usize::MAX, by_itself: true };
    let mut planted = held(0xa, 0);
    add(&mut planted, 0x66, "personal");
    let ring = Ring { data: Vec::new(), keys: [(kid, key.duplicate())].into(), old: None };
    let item = KeyItem { revision: u64::MAX, slots: slots.to_vec(), by_itself: true, data, key };
    theirs.write(Name::Key { kid, device }, &Item::Key(item), &ring).unwrap();
    let records = record::project(&planted.open.state, "personal", &BTreeSet::new(), false);
    let bundle = Bundle { kid, revision: 1, records };
    theirs.write(Name::Bundle { device, epoch: 0, bucket: 0 }, &Item::Bundle(bundle), &ring).unwrap();
    kid
}

#[test]
fn nobody_who_can_write_to_a_folder_gives_a_backup_its_keys_or_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FolderKeychain::new(folder.path());
    let mut held = held(1, 3);
    let planted = plant(&keychain, held.open.slots());
    let items =
        Sealed { keychain: &keychain, identity: "personal", vault: VAULT, item_len: 32 << 10, by_itself: false };
    let backed = back_up(&items, &mut held, false).unwrap();
    assert_eq!((backed.accounts, held.open.state.live().count(), backed.damaged), (3, 3, 1));
    assert!(!record::keys(&held.open.state, "personal").contains_key(&planted), "a key that somebody else knows");
    let found = restore::find(&keychain, "personal").unwrap();
    assert!(matches!(
        restore::open(&keychain, "personal", &found[0], &restore::Way::Alone),
        Err(restore::RestoreError::NeedsKey)
    ));
    let word = password();
    let restored = restore::open(&keychain, "personal", &found[0], &restore::Way::Password(&word)).unwrap();
    assert_eq!((restored.data.expose(), all(&restored).live().count()), (&[0xd; 32], 3));
    assert!(restored.retired.is_empty() && !restored.keys.contains_key(&planted));
}

#[test]
fn slots_that_are_put_into_a_folder_ask_for_no_more_than_those_of_one_vault() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FolderKeychain::new(folder.path());
    let costly = KdfParams { memory_kib: 1 << 20, passes: 8, lanes: 1 };
    let body = |params: KdfParams| {
        let numbers = [params.memory_kib, params.passes, params.lanes].map(u32::to_le_bytes);
        [numbers.as_flattened(), &[0; 80]].concat()
    };
    for n in 1..10 {
        let slot = Slot { kind: 1, id: SlotId([n; 16]), body: body(if n == 9 { KdfParams::DEFAULT } else { costly }) };
        let name = Name::Key { kid: Kid([n; 8]), device: DeviceId([n; 8]) };
        let (data, key) = (DataKey::new(Secret::new([n; 32])), BackupKey(Secret::new([n; 32])));
        let items = Sealed { keychain: &keychain, identity: "personal", vault: VAULT, item_len: 0, by_itself: false };
        let item = KeyItem { revision: 1, slots: vec![slot], by_itself: false, data, key };
        let ring = Ring { data: Vec::new(), keys: super::super::item::Keys::new(), old: None };
        items.write(name, &Item::Key(item), &ring).unwrap();
    }
    let found = restore::find(&keychain, "personal").unwrap();
    assert_eq!((found[0].devices.len(), found[0].slots.len()), (9, 2));
    assert!(found[0].slots.iter().any(|slot| slot.id == SlotId([9; 16])), "the one of otpanel");
}

/// A computer that was lost, with all that it had, and the vault that got a new data key and backup key since.
fn after_a_loss(items: &Sealed<'_>) -> (Held, Held) {
    let mut ours = held(1, 3);
    // The first of all in order, so that who just takes the first takes this one.
    ours.change(&mut |state, stamp| {
        let key = BackupKey(Secret::new([0xb; 32]));
        record::add_key(state, "personal", Kid([0; 8]), &key, stamp)
            | record::pin(state, "personal", Kid([0; 8]), stamp)
    })
    .unwrap();
    back_up(items, &mut ours, false).unwrap();
    let mut lost = Held { open: ours.open.duplicate(), device: DeviceId([2; 8]) };
    back_up(items, &mut lost, false).unwrap();
    let (dek, word, id) = (DataKey::new(Secret::new([0xc; 32])), password(), SlotId([2; 16]));
    let fresh_slot = Fresh { id, salt: [2; 32] };
    let slot = Slot::wrap(&dek, VAULT, Key::Password(&word), KdfParams::WEAKEST, &fresh_slot).unwrap();
    let stamp = ours.open.state.next_stamp(UnixTime(1_800_000_000_000), ours.device);
    ours.open.rekey(dek, vec![slot], stamp).unwrap();
    record::choose_new_keys(Arc::make_mut(&mut ours.open.state), stamp, &fresh);
    back_up(items, &mut ours, false).unwrap();
    (ours, lost)
}

#[test]
fn who_has_the_old_key_deletes_nothing_for_good_by_way_of_the_backup() {
    let keychain = MemoryKeychain::new();
    let items = sealed(&keychain, "personal", 32 << 10);
    let (mut ours, mut lost) = after_a_loss(&items);
    lost.change(&mut |state, _| state.purge(EntryId([1; 16]))).unwrap();
    add(&mut lost, 9, "personal");
    back_up(&items, &mut lost, false).unwrap();
    back_up(&items, &mut ours, false).unwrap();
    assert_eq!(ours.open.state.live().count(), 4, "what it added comes, what it purged stays");
    // Nor under a key that it makes itself.
    let (kid, key) = fresh();
    lost.change(&mut |state, stamp| {
        record::add_key(state, "personal", kid, &key, stamp);
        record::pin(state, "personal", kid, stamp);
        state.purge(EntryId([2; 16]))
    })
    .unwrap();
    back_up(&items, &mut lost, false).unwrap();
    back_up(&items, &mut ours, false).unwrap();
    assert_eq!(ours.open.state.live().count(), 4);
    assert!(record::old_keys(&ours.open.state, "personal").contains(&kid));
    // Nor where its items are restored into the vault, by the password that was kept.
    let (found, word) = (restore::find(&keychain, "personal").unwrap(), password());
    let restored = restore::open(&keychain, "personal", &found[0], &restore::Way::Password(&word)).unwrap();
    let offer = restore::Offer { vault: VAULT, opened: vec![restored], sealed: 0, devices: 2 };
    assert!(offer.records().entries.values().any(|entry| entry.life == Life::Purged));
    let records = offer.records_for(&ours.open.state);
    Arc::make_mut(&mut ours.open.state).join(&records);
    assert_eq!(ours.open.state.live().count(), 4);
    assert_ne!(record::pinned(&ours.open.state, "personal"), Some(kid));
}

#[test]
fn a_vault_that_was_restored_after_a_loss_seals_its_backup_under_no_key_that_was_lost() {
    let keychain = MemoryKeychain::new();
    let items = sealed(&keychain, "personal", 32 << 10);
    let (_, lost) = after_a_loss(&items);
    let (found, word) = (restore::find(&keychain, "personal").unwrap(), password());
    let restored = restore::open(&keychain, "personal", &found[0], &restore::Way::Password(&word)).unwrap();
    assert!(restored.keys.len() > 1);
    let offer = restore::Offer { vault: VAULT, opened: vec![restored], sealed: 0, devices: 2 };
    let device = DeviceId([3; 8]);
    let mut again = Held { open: offer.vault_again(UnixTime(1_800_000_000_000), device).unwrap(), device };
    back_up(&items, &mut again, false).unwrap();
    let pin = record::pinned(&again.open.state, "personal").unwrap();
    assert!(!record::keys(&lost.open.state, "personal").contains_key(&pin));
}

#[test]
fn who_has_the_old_key_hides_nothing_that_another_device_still_has_under_it() {
    let keychain = MemoryKeychain::new();
    let items = sealed(&keychain, "personal", 32 << 10);
    let (mut ours, mut lost) = after_a_loss(&items);
    let mut third = Held { open: lost.open.duplicate(), device: DeviceId([3; 8]) };
    add(&mut third, 7, "personal");
    back_up(&items, &mut third, false).unwrap();
    back_up(&items, &mut lost, false).unwrap();
    lost.change(&mut |state, _| state.purge(EntryId([7; 16]))).unwrap();
    back_up(&items, &mut lost, false).unwrap();
    back_up(&items, &mut ours, false).unwrap();
    assert!(ours.open.state.get(&EntryId([7; 16])).is_some_and(|entry| entry.life == Life::Live));
}
