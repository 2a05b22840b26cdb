//! Forgetting a lost computer and making new keys in one flow: nothing is changed before the recovery key is written down.

use otpanel::app::backup::Task;
use otpanel::app::event::{Effect, Event};
use otpanel::app::recovery::groups;
use otpanel::app::rekey::{Rekey, Step};
use otpanel::app::session::Modal;
use otpanel::secret::Secret;
use otpanel::unlock;
use otpanel::vault::DeviceId;
use otpanel::vault::envelope::{Locked, Unlocked};
use otpanel::vault::file::FileError;

use crate::backup::{answer, kept, news_of_two, tasks};
use crate::harness::{Journey, PASSWORD};

fn flow(journey: &Journey) -> &Rekey {
    match &journey.session().modal {
        Some(Modal::Rekey(flow)) => flow,
        _ => panic!("no flow:\n{}", journey.screen()),
    }
}

/// At the question for the password, with a lost computer chosen.
fn begun() -> Journey {
    let mut journey = kept().keys("b");
    answer(&mut journey, news_of_two());
    let mut journey = journey.keys("<down>x");
    assert!(journey.words().contains("new keys, then forget it"), "{}", journey.screen());
    tasks(&mut journey);
    journey.keys("k")
}

/// At the new recovery key.
fn made() -> Journey {
    begun().keys(PASSWORD).keys("<enter>")
}

/// What is to be typed in the check.
fn group(journey: &Journey) -> String {
    let Step::Recovery(made, sheet) = &flow(journey).step else { panic!("no check:\n{}", journey.screen()) };
    groups(made.key.recovery_key.expose())[sheet.check.as_ref().expect("the check").group].to_owned()
}

/// The check is passed.
fn passed(journey: Journey) -> Journey {
    let journey = journey.keys("<enter>");
    let answer = group(&journey);
    journey.keys(&answer).keys("<enter>")
}

fn opens(vault: &Unlocked, password: &str) -> bool {
    let locked = Locked::parse(vault.seal([6; 32]).unwrap()).unwrap();
    unlock::with_password(&locked, &Secret::new(password.to_owned())).is_ok()
}

fn key(journey: &Journey) -> [u8; 32] {
    *journey.file.as_ref().unwrap().data_key().expose()
}

#[test]
fn a_lost_computer_is_forgotten_under_new_keys() {
    let mut journey = begun();
    let old = journey.file.as_ref().unwrap().duplicate();
    assert!(journey.words().contains("The vault's password, which stays"), "{}", journey.screen());
    journey = journey.keys("not this one<enter>");
    assert!(journey.words().contains("that is not the vault's password"), "{}", journey.screen());
    journey = journey.keys(PASSWORD).keys("<enter>");
    let words = journey.words();
    assert!(words.contains("shown once") && words.contains("otpanel1"), "{words}");
    assert_eq!(key(&journey), *old.data_key().expose(), "nothing is written before it is written down");
    journey = journey.keys("<enter>qqqq<enter>");
    assert!(journey.words().contains("That is not it"), "{}", journey.screen());
    let generation = journey.model.generation;
    let answer = group(&journey);
    journey = journey.keys(&answer).keys("<enter>");

    let file = journey.file.as_ref().unwrap();
    assert!(file.has_retired(old.data_key()) && opens(file, PASSWORD));
    assert_eq!(key(&journey), *journey.session().vault.data_key().expose(), "the panel goes on under the new key");
    assert!(journey.words().contains("the vault has new keys"), "{}", journey.screen());
    let forgets = journey.kept.iter().find_map(|effect| match effect {
        Effect::Backup(generation, vault, Task::Forget(id)) => Some((*generation, vault.data_key().expose(), *id)),
        _ => None,
    });
    let new = key(&journey);
    assert_eq!(forgets, Some((generation + 1, &new, DeviceId([8; 8]))), "the backup of the vault under the new key");
    // A look at the file that began before, under the old key, is answered to nobody.
    journey.event(Event::Reread(generation, Err(FileError::Rekeyed("/home/ada/vault.otpv".into()))));
    let journey = journey.keys("<esc>f");
    assert_eq!((journey.saves, key(&journey)), (1, new));
    assert_eq!(journey.session().state().live().count(), 8);
}

#[test]
fn a_new_password_takes_the_place_of_the_old_one() {
    let journey = begun().keys("<tab>another password<enter>another passwort<enter>");
    assert!(journey.words().contains("the two are not the same"), "{}", journey.screen());
    let journey = passed(journey.keys("another password<enter>"));
    let file = journey.file.as_ref().unwrap();
    assert!(opens(file, "another password") && !opens(file, PASSWORD));
}

#[test]
fn given_up_anywhere_everything_is_as_it_was() {
    let before = key(&begun());
    let at_check = || made().keys("<enter>");
    let given_up =
        [begun().keys("<esc>"), begun().keys("<tab><esc><esc>"), made().keys("<esc>"), at_check().keys("<esc><esc>")];
    let given_up = given_up.into_iter().chain([at_check().keys("<ctrl-c>"), made().keys("<ctrl-c>")]);
    for (n, mut journey) in given_up.enumerate() {
        assert!(journey.words().contains("kept in"), "{n}: back at the backup: {}", journey.screen());
        assert_eq!(journey.words().contains("opens nothing"), n > 1, "{n}: {}", journey.screen());
        assert!(tasks(&mut journey).is_empty(), "{n}: nobody is forgotten");
        assert_eq!((key(&journey), journey.saves), (before, 0), "{n}");
    }
    // Locked by itself while the key was shown: whoever wrote it down hears of it.
    let journey = made().seconds(301).keys(PASSWORD).keys("<enter>");
    assert!(journey.words().contains("the recovery key that was shown opens nothing"), "{}", journey.screen());
    assert_eq!(key(&journey), before);
}

#[test]
fn keys_of_an_attempt_that_was_given_up_are_dropped() {
    let mut journey = begun();
    journey.answer_keys = false;
    let mut journey = journey.keys(PASSWORD).keys("<enter>");
    assert!(journey.words().contains("making the new keys"), "{}", journey.screen());
    let first = journey.kept.pop().unwrap();
    journey = journey.keys("<esc>").keys("<tab>another password<enter>another password<enter>");
    let second = journey.kept.pop().unwrap();
    journey.answer_keys = true;
    journey.perform(first);
    assert!(journey.words().contains("making the new keys"), "{}", journey.screen());
    journey.perform(second);
    assert!(opens(passed(journey).file.as_ref().unwrap(), "another password"));
}

#[test]
fn what_cannot_be_saved_is_tried_again_with_the_same_recovery_key() {
    let mut journey = made();
    let before = key(&journey);
    let Step::Recovery(made, _) = &flow(&journey).step else { panic!("no key") };
    let recovery = made.key.recovery_key.duplicate();
    journey.save_fails = Some(|| FileError::DiskFull("/home/ada/vault.otpv".into()));
    let mut journey = passed(journey);
    assert!(journey.words().contains("The new keys are not in force"), "{}", journey.screen());
    assert!(journey.words().contains("the disk is full"), "{}", journey.screen());
    assert!(tasks(&mut journey).is_empty(), "nobody is forgotten");
    assert_eq!(key(&journey), before);
    journey.save_fails = None;
    let mut journey = journey.keys("<enter>");
    assert!(matches!(tasks(&mut journey)[..], [Task::Forget(_)]));
    let locked = Locked::parse(journey.file.as_ref().unwrap().seal([6; 32]).unwrap()).unwrap();
    assert!(unlock::with_recovery_key(&locked, &recovery).is_ok());
}

#[test]
fn a_save_that_is_under_way_goes_first() {
    let mut journey = made();
    let Some(session) = journey.model.session_mut() else { panic!("open") };
    session.saving.running = true;
    let before = key(&journey);
    let mut journey = passed(journey);
    assert!(journey.words().contains("putting the new keys in force"), "{}", journey.screen());
    assert_eq!(key(&journey), before);
    let (generation, stored) = (journey.model.generation, journey.file.as_ref().unwrap().duplicate());
    journey.event(Event::Saved(generation, Ok(Box::new(stored))));
    assert_ne!(key(&journey), before);
}

#[test]
fn told_to_lock_while_the_keys_come_in_force_it_says_what_is_left_to_do() {
    let mut journey = made();
    journey.answer_keys = false;
    let mut journey = passed(journey);
    let saving = journey.kept.pop().unwrap();
    journey.event(Event::LockNow);
    assert!(journey.model.session().is_some(), "it waits for the save");
    journey.answer_keys = true;
    journey.perform(saving);
    assert!(journey.words().contains("otpanel is locked"), "{}", journey.screen());
    assert!(!tasks(&mut journey).iter().any(|task| matches!(task, Task::Forget(_))));
    let journey = journey.keys(PASSWORD).keys("<enter>");
    assert!(journey.words().contains("not forgotten yet: b, then x"), "{}", journey.screen());
}

#[test]
fn every_step_is_told_from_a_small_window_to_a_large_one() {
    insta::assert_snapshot!("rekey_password_80x24", begun().styled());
    for (width, height) in [(20, 3), (30, 5), (40, 10)] {
        let journey = begun().size(width, height);
        assert!(journey.screen().contains("password"), "{width}x{height}: {}", journey.screen());
        let journey = journey.keys("<tab>short<enter>");
        assert!(journey.screen().contains("at least"), "{width}x{height}: {}", journey.screen());
    }
    let journey = made().size(40, 10);
    let Step::Recovery(made, _) = &flow(&journey).step else { panic!("no key") };
    for group in groups(made.key.recovery_key.expose()) {
        assert!(journey.screen().contains(group), "{}", journey.screen());
    }
}
