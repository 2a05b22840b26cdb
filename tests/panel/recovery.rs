//! The recovery key: at the first start nobody passes it by unasked; one that was never written down is told of until another
//! is made, which comes in force when it is.

use otpanel::app::event::{Effect, Event};
use otpanel::app::model::Stage;
use otpanel::app::recovery::{Sheet, groups};
use otpanel::app::renewal::Step;
use otpanel::app::session::Modal;
use otpanel::app::welcome::{self, Welcome};
use otpanel::secret::Secret;
use otpanel::unlock;
use otpanel::vault::envelope::{Locked, Unlocked};
use otpanel::vault::file::FileError;

use crate::harness::{BEGIN, DEVICE, Journey, accounts, vault};

/// A vault with a recovery key.
fn with_key() -> (Unlocked, Secret<String>) {
    let mut vault = vault(&accounts());
    let stamp = vault.state.next_stamp(BEGIN, DEVICE);
    let key = unlock::new_recovery_key(&mut vault, stamp).unwrap();
    (vault, key)
}

/// At the recovery key of the first start.
fn first_start() -> Journey {
    let mut journey = Journey::fresh(otpanel::config::Config::default());
    journey.model.stage = Stage::Welcome(Box::<Welcome>::default());
    let (vault, key) = with_key();
    journey.event(Event::Created(Ok((Box::new(vault), key))));
    journey
}

/// An open vault whose recovery key nobody has, with that key.
fn unwritten() -> (Journey, Secret<String>) {
    let (vault, old) = with_key();
    let mut journey = Journey::unlocked(&accounts());
    let Stage::Open(session) = &mut journey.model.stage else { panic!("open") };
    session.vault = vault.duplicate();
    journey.model.unwritten.extend(Sheet::slot_in(&vault));
    journey.file = Some(vault);
    (journey, old)
}

/// At the new key, on the screen.
fn renewed() -> (Journey, Secret<String>) {
    let (journey, old) = unwritten();
    (journey.keys(":recovery key<enter><enter>"), old)
}

fn new_key(journey: &Journey) -> Secret<String> {
    match &journey.session().modal {
        Some(Modal::Renewal(flow)) => match &flow.step {
            Step::Recovery(key, _) | Step::Again(key) => key.text.duplicate(),
            _ => panic!("no key:\n{}", journey.screen()),
        },
        _ => panic!("no flow:\n{}", journey.screen()),
    }
}

/// The check is passed.
fn passed(journey: Journey) -> Journey {
    let journey = journey.keys("<enter>");
    let Some(Modal::Renewal(flow)) = &journey.session().modal else { panic!("no flow") };
    let Step::Recovery(key, sheet) = &flow.step else { panic!("no check") };
    let answer = groups(key.text.expose())[sheet.check.as_ref().unwrap().group].to_owned();
    journey.keys(&answer).keys("<enter>")
}

fn opens(journey: &Journey, key: &Secret<String>) -> bool {
    let locked = Locked::parse(journey.file.as_ref().unwrap().seal([6; 32]).unwrap()).unwrap();
    unlock::with_recovery_key(&locked, key).is_ok()
}

#[test]
fn at_the_first_start_leaving_the_recovery_key_is_asked_once_more() {
    let journey = first_start().keys("<ctrl-c>");
    assert!(!journey.quit && journey.words().contains("Leave without writing it down?"), "{}", journey.screen());
    let journey = journey.keys("x");
    assert!(journey.words().contains("Write it on paper now"), "{}", journey.screen());
    let journey = journey.keys("<ctrl-c><ctrl-c>");
    assert!(journey.quit);
    assert!(!journey.kept.iter().any(|effect| matches!(effect, Effect::RecoveryKeyWritten(_))));
    for (width, height) in [(20, 3), (30, 5), (40, 10)] {
        let journey = first_start().size(width, height).keys("<ctrl-c>");
        assert!(journey.words().contains("Leave without"), "{width}x{height}: {}", journey.screen());
    }
}

#[test]
fn a_recovery_key_whose_check_is_passed_is_kept_as_written_down() {
    let journey = first_start().keys("<enter>");
    let Stage::Welcome(welcome) = &journey.model.stage else { panic!("the first start") };
    let welcome::Step::Recovery { sheet, vault } = &welcome.step else { panic!("the key") };
    let answer = groups(sheet.key.expose())[sheet.check.as_ref().unwrap().group].to_owned();
    let slot = Sheet::slot_in(vault);
    let journey = journey.keys(&answer).keys("<enter>").seconds(20);
    let written = journey.kept.iter().find_map(|effect| match effect {
        Effect::RecoveryKeyWritten(slot) => Some(*slot),
        _ => None,
    });
    assert!(written.is_some() && written == slot);
    assert!(!journey.words().contains("nobody wrote"), "{}", journey.screen());
}

#[test]
fn a_recovery_key_that_nobody_wrote_down_is_told_until_another_is() {
    let (journey, old) = unwritten();
    let words = "the recovery key was never written down; `: recovery key` makes a new one";
    assert!(journey.screen().contains(words), "{}", journey.screen());
    let journey = journey.seconds(60).keys("<enter>").seconds(60);
    assert!(journey.screen().contains(words), "what happens meanwhile does not end it: {}", journey.screen());
    let journey = journey.keys(":recovery key<enter>");
    assert!(journey.words().contains("The old one opens the vault no more"), "{}", journey.screen());
    let journey = journey.keys("<enter>");
    assert!(opens(&journey, &old), "nothing is written before the new one is written down");
    let new = new_key(&journey);
    let journey = passed(journey);
    assert!(journey.words().contains("the new recovery key opens the vault"), "{}", journey.screen());
    assert!(opens(&journey, &new) && !opens(&journey, &old));
    assert!(!journey.seconds(20).words().contains("nobody wrote"));
}

#[test]
fn a_new_recovery_key_that_is_given_up_leaves_the_old_one_and_says_so() {
    for leave in ["<esc>", "<ctrl-c>", "<enter><esc><esc>", "<enter><ctrl-c>"] {
        let (journey, old) = renewed();
        let journey = journey.keys(leave);
        assert!(journey.words().contains("the one that was shown opens nothing"), "{leave}: {}", journey.screen());
        assert!(opens(&journey, &old), "{leave}");
    }
    let (journey, _) = renewed();
    let mut journey = journey;
    journey.event(Event::LockNow);
    assert!(journey.model.at_opening.as_ref().is_some_and(|(_, words)| words.contains("opens nothing")));
}

#[test]
fn a_new_recovery_key_that_cannot_be_saved_is_tried_again() {
    let (mut journey, old) = renewed();
    let new = new_key(&journey);
    journey.save_fails = Some(|| FileError::DiskFull("/home/ada/vault.otpv".into()));
    let mut journey = passed(journey);
    assert!(journey.words().contains("the disk is full") && opens(&journey, &old), "{}", journey.screen());
    journey.save_fails = None;
    let journey = journey.keys("<enter>");
    assert!(opens(&journey, &new) && !opens(&journey, &old), "{}", journey.screen());
}
