//! This computer's keychain let in and taken away from the panel, and when that is offered.

use std::sync::Arc;

use otpanel::app::event::{Effect, Event};
use otpanel::config::{Config, LockUnlocksWith};
use otpanel::keychain::Probe;
use otpanel::keychain::memory::MemoryKeychain;
use otpanel::unlock::slots::KeychainSlot;
use otpanel::vault::SlotKind;
use otpanel::vault::envelope::{Locked, Unlocked};

use crate::harness::{BEGIN, DEVICE, Journey, PASSWORD, accounts, vault};

fn keychain_slots(vault: &Unlocked) -> usize {
    vault.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain).count()
}

#[test]
fn the_keychain_is_let_in_after_a_question_and_taken_away_after_another() {
    let journey = Journey::unlocked(&accounts()).keys(":keychain<enter>");
    let words = journey.words();
    assert!(words.contains("Let this computer's keychain open the vault") && words.contains("Any program"), "{words}");
    assert_eq!(keychain_slots(journey.file.as_ref().unwrap()), 0);
    let journey = journey.keys("<esc>");
    assert!(!journey.words().contains("Any program"));
    let journey = journey.keys(":keychain<enter><enter>");
    assert!(journey.words().contains("keychain opens the vault from now on"), "{}", journey.screen());
    assert_eq!((keychain_slots(journey.file.as_ref().unwrap()), journey.keychain.items().len()), (1, 1));
    // What is saved from now on has the slot too.
    let journey = journey.keys("f");
    assert_eq!(keychain_slots(journey.file.as_ref().unwrap()), 1);

    let journey = journey.keys(":keychain<enter>");
    assert!(journey.words().contains("Take that away"), "{}", journey.screen());
    let journey = journey.keys("<enter>");
    assert!(journey.words().contains("keychain opens the vault no more"), "{}", journey.screen());
    assert_eq!((keychain_slots(journey.file.as_ref().unwrap()), journey.keychain.items().len()), (0, 0));
    assert_eq!(keychain_slots(&journey.session().vault), 0);
}

#[test]
fn without_a_keychain_the_reason_is_said_and_nothing_changes() {
    let journey = Journey::unlocked(&accounts());
    journey.keychain.put_in(Probe::NoProvider);
    let journey = journey.keys(":keychain<enter><enter>");
    assert!(journey.words().contains("No keychain answers"), "{}", journey.screen());
    assert_eq!(keychain_slots(journey.file.as_ref().unwrap()), 0);
    let journey = journey.keys("f");
    assert_eq!(journey.saves, 1, "the panel goes on");
}

#[test]
fn the_only_way_in_here_is_not_taken_away() {
    let mut journey = Journey::losing_its_password(&accounts());
    journey.event(Event::VaultChanged);
    let journey = journey.keys(":keychain<enter><enter>");
    assert!(journey.words().contains("Nothing but the recovery key would open the vault"), "{}", journey.screen());
    assert_eq!(keychain_slots(journey.file.as_ref().unwrap()), 1);
}

/// A panel that was opened by the password, on a vault that another computer's keychain opens too.
fn elsewhere(config: Config) -> Journey {
    let mut file = vault(&accounts());
    let slot = KeychainSlot::make(&file, &MemoryKeychain::new()).unwrap().unwrap();
    let stamp = file.state.next_stamp(BEGIN, DEVICE);
    slot.put_in(&mut file, stamp).unwrap();
    let locked = Locked::parse(file.seal([5; 32]).unwrap()).unwrap();
    let mut journey = Journey::fresh(config);
    journey.file = Some(file);
    journey.event(Event::Looked(Ok(Some(Arc::new(locked)))));
    // The keychain of here does not hold its key.
    let attempt = journey.model.generation;
    journey.event(Event::Unlocked(attempt, Err(otpanel::unlock::UnlockError::NotInKeychain)));
    journey.keys(PASSWORD).keys("<enter>")
}

#[test]
fn it_is_offered_where_the_password_was_typed_though_keychains_open_the_vault() {
    let journey = elsewhere(Config::default());
    assert!(journey.words().contains("could open the vault without typing: : and keychain"), "{}", journey.screen());
    let journey = journey.keys(":keychain<enter><enter>");
    assert_eq!(keychain_slots(journey.file.as_ref().unwrap()), 2, "the other computer's stays");
    // Not where no keychain opens it at all, and not where the settings want the password.
    let asks = |journey: &Journey| journey.kept.iter().any(|effect| matches!(effect, Effect::Access(..)));
    let config = Config { lock_unlocks_with: LockUnlocksWith::Password, ..Config::default() };
    let journey = elsewhere(config);
    assert!(!journey.words().contains("without typing: :") && !asks(&journey), "{}", journey.screen());
}

#[test]
fn sample_accounts_have_nothing_to_open() {
    let mut journey = Journey::unlocked(&accounts());
    journey.model.demo = true;
    let journey = journey.keys(":keychain<enter>");
    assert!(journey.words().contains("there is nothing to open"), "{}", journey.screen());
}
