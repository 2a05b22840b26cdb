//! A new password, set in the panel.

use otpanel::app::model::Stage;
use otpanel::vault::SlotKind;
use otpanel::vault::file::FileError;

use crate::harness::{Journey, PASSWORD, accounts, vault};

const NEW: &str = "a quieter horse";

fn passwords(journey: &Journey) -> usize {
    let slots = journey.file.as_ref().unwrap().slots();
    slots.iter().filter(|slot| slot.kind() == SlotKind::Password).count()
}

fn is_open(journey: &Journey) -> bool {
    matches!(journey.model.stage, Stage::Open(_))
}

#[test]
fn a_new_password_is_typed_twice_and_opens_the_vault_in_the_place_of_the_old_one() {
    let journey = Journey::unlocked(&accounts()).keys(":password<enter>");
    assert!(journey.words().contains("in the place of the old one"), "{}", journey.screen());
    let journey = journey.keys("short<enter>");
    assert!(journey.words().contains("at least 8 characters"), "{}", journey.screen());
    let journey = journey.keys("<ctrl-u>").keys(NEW).keys("<enter>another one<enter>");
    assert!(journey.words().contains("not the same"), "{}", journey.screen());
    let journey = journey.keys(NEW);
    assert!(!journey.screen().contains("horse"));
    let journey = journey.keys("<enter>");
    assert!(journey.words().contains("the new password opens the vault from now on"), "{}", journey.screen());
    assert_eq!(passwords(&journey), 1);
    // A change after it is sealed for it, too.
    let journey = journey.keys("fL").keys(PASSWORD).keys("<enter>");
    assert!(!is_open(&journey) && journey.words().contains("The password is wrong"), "{}", journey.screen());
    assert!(is_open(&journey.keys(NEW).keys("<enter>")));
}

#[test]
fn a_vault_without_a_password_gets_its_first() {
    let mut journey = Journey::losing_its_password(&accounts());
    journey.event(otpanel::app::event::Event::VaultChanged);
    let journey = journey.keys(":password<enter>");
    assert!(journey.words().contains("which opens it anywhere"), "{}", journey.screen());
    let journey = journey.keys(NEW).keys("<enter>").keys(NEW).keys("<enter>L").keys(NEW).keys("<enter>");
    assert!(is_open(&journey), "{}", journey.screen());
}

#[test]
fn given_up_or_not_saved_the_old_password_stays() {
    let journey = Journey::unlocked(&accounts()).keys(":password<enter>").keys(NEW).keys("<enter><esc><esc>");
    assert!(journey.screen().contains("GitHub"), "{}", journey.screen());
    let mut journey = journey;
    journey.save_fails = Some(|| FileError::DiskFull("/home/ada/vault.otpv".into()));
    let mut journey = journey.keys(":password<enter>").keys(NEW).keys("<enter>").keys(NEW).keys("<enter>");
    assert!(
        journey.words().contains("the disk is full") && journey.words().contains("try again"),
        "{}",
        journey.screen()
    );
    journey.save_fails = None;
    let journey = journey.keys("<esc>L").keys(PASSWORD).keys("<enter>");
    assert!(is_open(&journey), "{}", journey.screen());
}

#[test]
fn sample_accounts_have_no_password() {
    let mut journey = Journey::unlocked(&accounts());
    journey.file = Some(vault(&accounts()));
    journey.model.demo = true;
    let journey = journey.keys(":password<enter>");
    assert!(journey.words().contains("there is nothing to open"), "{}", journey.screen());
}
