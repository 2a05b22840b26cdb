//! Every way to make, open and change a vault, over a keychain in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::keychain::Probe;

/// A keychain in memory that can be told to forget.
#[derive(Default)]
struct Chain {
    items: Mutex<BTreeMap<(String, String), Vec<u8>>>,
    forgets: bool,
}

impl Chain {
    fn len(&self) -> usize {
        self.items.lock().unwrap().len()
    }
}

impl Keychain for Chain {
    fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError> {
        if !self.forgets {
            self.items.lock().unwrap().insert((service.to_owned(), user.to_owned()), secret.to_vec());
        }
        Ok(())
    }

    fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError> {
        let items = self.items.lock().unwrap();
        Ok(items.get(&(service.to_owned(), user.to_owned())).cloned().map(Secret::new))
    }

    fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError> {
        Ok(self.items.lock().unwrap().remove(&(service.to_owned(), user.to_owned())).is_some())
    }

    fn search(&self, _service: &str) -> Result<Vec<String>, KeychainError> {
        Ok(self.items.lock().unwrap().keys().map(|(_, user)| user.clone()).collect())
    }

    fn probe(&self) -> Probe {
        Probe::Ready
    }
}

const STAMP: Stamp = Stamp { time: 1 << 50, device: DeviceId([1; 8]) };

fn text(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn new(mode: Mode) -> New {
    New { mode, password: Some(text("word")), kdf: KdfParams::WEAKEST }
}

fn home() -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("vault.otpv"), folder.path().join("state"));
    (folder, place)
}

/// The file as it would be after a save.
fn saved(unlocked: &Unlocked) -> Locked {
    Locked::parse(unlocked.seal(entropy::bytes()).unwrap()).unwrap()
}

fn kinds(unlocked: &Unlocked) -> Vec<SlotKind> {
    let mut kinds: Vec<_> = unlocked.slots().iter().map(Slot::kind).collect();
    kinds.sort();
    kinds
}

fn is_wrong(opened: Result<Unlocked, UnlockError>) -> bool {
    matches!(opened.err(), Some(UnlockError::Vault(envelope::Error::WrongKey)))
}

#[test]
fn a_vault_opens_by_what_its_mode_says_and_by_its_recovery_key() {
    for (mode, by_password, by_keychain) in
        [(Mode::Password, true, false), (Mode::Keychain, false, true), (Mode::Both, true, true)]
    {
        let ((_folder, place), chain) = (home(), Chain::default());
        let created = create(&place, new(mode), &chain).unwrap();
        let locked = place.load().unwrap();
        assert_eq!(with_password(&locked, &text("word")).is_ok(), by_password, "{mode:?}");
        assert_eq!(with_keychain(&locked, &chain).is_ok(), by_keychain, "{mode:?}");
        assert!(with_recovery_key(&locked, &created.recovery_key).is_ok(), "{mode:?}");
        assert_eq!(chain.len(), usize::from(by_keychain));
        let times = created.unlocked.slots().iter().map(|slot| created.unlocked.slot_created(slot.id));
        assert!(times.into_iter().all(|time| time.is_some()));
    }
}

#[test]
fn the_item_in_the_keychain_is_named_by_vault_and_slot() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let unlocked = create(&place, new(Mode::Keychain), &chain).unwrap().unlocked;
    let slot = unlocked.slots().iter().find(|slot| slot.kind() == SlotKind::Keychain).unwrap();
    let item = (String::from("otpanel"), format!("{}/{}", unlocked.vault_id(), slot.id));
    assert_eq!(chain.items.lock().unwrap()[&item].len(), 32);
}

#[test]
fn a_failed_creation_leaves_nothing_behind() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let no_password = New { password: None, ..new(Mode::Both) };
    assert!(matches!(create(&place, no_password, &chain), Err(UnlockError::NoPassword)));
    let empty = New { password: Some(text("")), ..new(Mode::Password) };
    assert!(matches!(create(&place, empty, &chain), Err(UnlockError::NoPassword)));
    let forgetful = Chain { forgets: true, ..Chain::default() };
    assert!(matches!(create(&place, new(Mode::Both), &forgetful), Err(UnlockError::KeychainForgets)));
    assert!(!place.path.exists());
    std::fs::write(&place.path, b"something").unwrap();
    assert!(matches!(create(&place, new(Mode::Keychain), &chain), Err(UnlockError::File(FileError::Exists(_)))));
    assert_eq!(chain.len(), 0, "no key of a vault that is not there");
}

#[test]
fn every_way_that_does_not_open_says_why() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let created = create(&place, new(Mode::Both), &chain).unwrap();
    let locked = place.load().unwrap();
    assert!(is_wrong(with_password(&locked, &text("other"))));
    assert!(matches!(with_recovery_key(&locked, &text("otpanel1 xyz")).err(), Some(UnlockError::RecoveryKey(_))));
    assert!(is_wrong(with_recovery_key(&locked, &recovery::write(&Secret::new([1; 20])))));
    assert!(matches!(with_keychain(&locked, &Chain::default()).err(), Some(UnlockError::NotInKeychain)));
    for secret in chain.items.lock().unwrap().values_mut() {
        secret[0] ^= 1;
    }
    assert!(is_wrong(with_keychain(&locked, &chain)));
    chain.items.lock().unwrap().values_mut().for_each(|secret| secret.truncate(31));
    assert!(is_wrong(with_keychain(&locked, &chain)));
    drop(created);
}

#[test]
fn a_new_password_shuts_the_old_one_out_and_keeps_the_other_ways() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let mut created = create(&place, new(Mode::Both), &chain).unwrap();
    let unlocked = &mut created.unlocked;
    assert!(matches!(change_password(unlocked, &text(""), KdfParams::WEAKEST, STAMP), Err(UnlockError::NoPassword)));
    change_password(unlocked, &text("new"), KdfParams::WEAKEST, STAMP).unwrap();
    let locked = saved(unlocked);
    assert!(is_wrong(with_password(&locked, &text("word"))));
    assert!(with_password(&locked, &text("new")).is_ok());
    assert!(with_keychain(&locked, &chain).is_ok());
    assert!(with_recovery_key(&locked, &created.recovery_key).is_ok());
}

#[test]
fn a_new_recovery_key_shuts_the_old_one_out() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let mut created = create(&place, new(Mode::Password), &chain).unwrap();
    let key = new_recovery_key(&mut created.unlocked, STAMP).unwrap();
    let locked = saved(&created.unlocked);
    assert!(is_wrong(with_recovery_key(&locked, &created.recovery_key)));
    assert!(with_recovery_key(&locked, &key).is_ok());
    assert_eq!(locked.slots().len(), 2);
}

/// Lets a keychain in; whether it was not in before.
fn add(unlocked: &mut Unlocked, chain: &Chain) -> bool {
    let slot = KeychainSlot::make(unlocked, chain).unwrap();
    slot.inspect(|slot| slot.put_in(unlocked, STAMP).unwrap()).is_some()
}

#[test]
fn a_keychain_is_let_in_once_and_taken_away_with_its_item() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let mut unlocked = create(&place, new(Mode::Password), &chain).unwrap().unlocked;
    assert!(add(&mut unlocked, &chain));
    assert!(!add(&mut unlocked, &chain), "it opens already");
    let elsewhere = Chain::default();
    assert!(add(&mut unlocked, &elsewhere), "another machine's keychain");
    assert!(with_keychain(&saved(&unlocked), &chain).is_ok());
    assert!(with_keychain(&saved(&unlocked), &elsewhere).is_ok());
    let held = slots::held(&unlocked, &chain).unwrap();
    let [own] = held[..] else { panic!("{held:?}") };
    assert!(slots::remove(&mut unlocked, own, &held, STAMP).unwrap());
    assert!(slots::delete_item(unlocked.vault_id(), own, &chain).unwrap());
    assert!(!slots::remove(&mut unlocked, own, &held, STAMP).unwrap(), "it is gone already");
    assert_eq!((chain.len(), elsewhere.len()), (0, 1));
    assert!(with_keychain(&saved(&unlocked), &chain).is_err() && with_keychain(&saved(&unlocked), &elsewhere).is_ok());
}

#[test]
fn a_keychain_that_forgets_or_a_vault_that_is_not_saved_leaves_neither_slot_nor_item() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let mut unlocked = create(&place, new(Mode::Password), &chain).unwrap().unlocked;
    let forgetful = Chain { forgets: true, ..Chain::default() };
    assert!(matches!(KeychainSlot::make(&unlocked, &forgetful).err(), Some(UnlockError::KeychainForgets)));
    let slot = KeychainSlot::make(&unlocked, &chain).unwrap().unwrap();
    slot.give_up(&place, &chain);
    assert_eq!(chain.len(), 0);
    // What stands in the file all the same keeps its item.
    let slot = KeychainSlot::make(&unlocked, &chain).unwrap().unwrap();
    slot.put_in(&mut unlocked, STAMP).unwrap();
    place.save(&mut unlocked).unwrap();
    slot.give_up(&place, &chain);
    assert!(with_keychain(&place.load().unwrap(), &chain).is_ok());
}

#[test]
fn what_alone_opens_the_vault_here_is_not_taken_away_and_neither_is_the_last_recovery_key() {
    let ((_folder, place), chain) = (home(), Chain::default());
    let mut unlocked = create(&place, new(Mode::Both), &chain).unwrap().unlocked;
    let elsewhere = Chain::default();
    assert!(add(&mut unlocked, &elsewhere));
    let held = slots::held(&unlocked, &chain).unwrap();
    let of = |unlocked: &Unlocked, kind| ids_of(unlocked, kind);
    let (password, recovery) = (of(&unlocked, SlotKind::Password)[0], of(&unlocked, SlotKind::Recovery)[0]);
    let answer = slots::remove(&mut unlocked, recovery, &held, STAMP);
    assert!(matches!(answer, Err(UnlockError::LastRecoveryKey)));
    // Of the other computer's keychain nobody knows here whether it still opens.
    assert!(matches!(slots::remove(&mut unlocked, password, &[], STAMP), Err(UnlockError::LastWayIn)));
    assert!(slots::remove(&mut unlocked, password, &held, STAMP).unwrap());
    assert!(matches!(slots::remove(&mut unlocked, held[0], &held, STAMP), Err(UnlockError::LastWayIn)));
    let foreign = slots::held(&unlocked, &elsewhere).unwrap()[0];
    assert!(slots::remove(&mut unlocked, foreign, &held, STAMP).unwrap());
    assert_eq!(kinds(&unlocked), vec![SlotKind::Keychain, SlotKind::Recovery]);
}

#[test]
fn a_weak_slot_is_made_stronger_by_the_one_who_knows_the_password() {
    let ((_folder, place), chain) = (home(), Chain::default());
    drop(create(&place, new(Mode::Both), &chain).unwrap());
    let mut by_keychain = with_keychain(&place.load().unwrap(), &chain).unwrap();
    assert!(!stronger_slot(&mut by_keychain, &text("word"), STAMP).unwrap());
    let mut unlocked = with_password(&place.load().unwrap(), &text("word")).unwrap();
    assert!(stronger_slot(&mut unlocked, &text("word"), STAMP).unwrap());
    let locked = saved(&unlocked);
    let costs: Vec<_> = locked.slots().iter().filter_map(Slot::kdf).collect();
    assert_eq!(costs, [KdfParams::DEFAULT]);
    let mut again = with_password(&locked, &text("word")).unwrap();
    assert!(!stronger_slot(&mut again, &text("word"), STAMP).unwrap());
}

#[test]
fn the_cost_grows_with_the_machine_and_never_falls_below_the_default() {
    let (ms, default) = (Duration::from_millis, KdfParams::DEFAULT);
    assert_eq!(scaled(ms(5000), ms(500)), default, "a slow machine");
    assert_eq!(scaled(ms(500), ms(500)), default);
    assert_eq!(scaled(ms(200), ms(500)), KdfParams { memory_kib: 163_840, ..default });
    assert_eq!(scaled(ms(125), ms(500)), KdfParams { memory_kib: 262_144, ..default });
    assert_eq!(scaled(ms(50), ms(500)), KdfParams { memory_kib: 262_144, passes: 7, ..default });
    assert_eq!(scaled(ms(0), ms(500)), KdfParams { memory_kib: 262_144, passes: 15, ..default });
    assert!(scaled(ms(0), Duration::MAX).check().is_ok());
}
