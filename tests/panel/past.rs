//! The trash and the older copies; a file that went back or vanished.

use otpanel::app::event::Event;
use otpanel::config::Config;
use otpanel::rollback::WentBack;
use otpanel::vault::Life;
use otpanel::vault::file::FileError;

use crate::harness::{Journey, PASSWORD, accounts, vault};

fn live(journey: &Journey) -> usize {
    journey.file.as_ref().unwrap().state.live().count()
}

/// A panel on eight accounts with two older copies: of five accounts, and of the same eight.
fn with_history() -> Journey {
    let mut journey = Journey::unlocked(&accounts());
    journey.history = vec![(90, vault(&accounts())), (7300, vault(&accounts()[..5]))];
    journey
}

#[test]
fn the_trash_and_the_history_look_like_this() {
    let journey = with_history().keys("/glab<esc>d<enter>H");
    insta::assert_snapshot!("trash_80x24", journey.styled());
    let journey = journey.keys("<tab>");
    insta::assert_snapshot!("history_80x24", journey.styled());
    let journey = journey.size(40, 10);
    insta::assert_snapshot!("history_40x10", journey.styled());
    let journey = journey.size(80, 24).keys("<enter>");
    insta::assert_snapshot!("restore_80x24", journey.styled());
}

#[test]
fn deleting_for_good_asks_and_takes_a_yes_only() {
    let journey = Journey::unlocked(&accounts()).keys("/glab<esc>d<enter>Hx");
    assert!(journey.screen().contains("Delete GitLab (ada) and its secret for good?"), "{}", journey.screen());
    let journey = journey.keys("<enter><esc>");
    assert_eq!(
        journey.session().state().trashed().count(),
        1,
        "Enter is no yes here, and Esc leaves the question alone"
    );
    assert!(journey.screen().contains("Trash 1"), "{}", journey.screen());
    let journey = journey.keys("xy");
    assert_eq!(journey.session().state().trashed().count(), 0);
    let gone = journey.file.as_ref().unwrap().state.entries.values().filter(|e| e.life == Life::Purged).count();
    assert_eq!(gone, 1);
    assert!(journey.screen().contains("is deleted for good"), "{}", journey.screen());
}

#[test]
fn a_copy_that_holds_nothing_new_says_so() {
    let journey = with_history().keys("H<tab><enter>");
    assert!(journey.screen().contains("holds everything that is in this copy"), "{}", journey.screen());
}

#[test]
fn restoring_a_copy_brings_back_what_was_deleted_and_takes_nothing_away() {
    let mut journey = with_history().keys("/glab<esc>d<enter>");
    assert_eq!(live(&journey), 7);
    journey = journey.keys("H<tab>j<enter>");
    assert!(journey.screen().contains("It brings back GitLab."), "{}", journey.screen());
    journey = journey.keys("<esc>");
    assert_eq!(live(&journey), 7);
    journey = journey.keys("<enter><enter>");
    assert_eq!(live(&journey), 8, "the five of the copy, and the three that it lacks");
    assert!(journey.screen().contains("restored: 1 back"), "{}", journey.screen());
    assert_eq!(live(&journey.keys("u")), 7, "one step, and it can be undone");
}

#[test]
fn copies_that_cannot_be_read_are_told() {
    let mut journey = Journey::unlocked(&accounts()).keys("H<tab>");
    let generation = journey.model.generation;
    journey.event(Event::History(generation, Err(FileError::Denied("/h".into()))));
    assert!(journey.screen().contains("The vault may not be read"), "{}", journey.screen());
}

#[test]
fn a_vanished_file_is_said_to_have_and_one_key_saves_it_anew() {
    let mut journey = Journey::unlocked(&accounts());
    journey.file = None;
    journey.event(Event::VaultChanged);
    let screen = journey.screen();
    assert!(screen.contains("has vanished. All of it is here still; s saves it anew"), "{screen}");
    assert!(journey.file.is_none(), "nothing is written unasked");
    let asked = journey.keys("q");
    assert!(!asked.quit, "what is in memory only is not left without a question");
    let journey = asked.keys("<esc>s");
    assert_eq!(live(&journey), 8);
    assert!(journey.screen().contains("saved anew"), "{}", journey.screen());
    assert!(journey.keys("q").quit);
}

#[test]
fn a_vanished_file_that_comes_back_is_joined() {
    let mut journey = Journey::unlocked(&accounts()).keys("/glab<esc>f");
    let older = vault(&accounts()[..5]);
    journey.file = None;
    journey.event(Event::VaultChanged);
    journey.file = Some(older);
    journey.event(Event::VaultChanged);
    assert_eq!(live(&journey), 8);
    assert!(journey.keys("q").quit);
}

#[test]
fn a_file_that_went_back_is_told_when_it_is_opened() {
    let mut journey = Journey::fresh(Config::default());
    journey.file = Some(vault(&accounts()));
    journey.went_back = Some(WentBack::Healed(1));
    let bytes = journey.file.as_ref().unwrap().seal([5; 32]).unwrap();
    let locked = otpanel::vault::envelope::Locked::parse(bytes).unwrap();
    journey.event(Event::Looked(Ok(Some(std::sync::Arc::new(locked)))));
    let saves = journey.saves;
    let journey = journey.keys(PASSWORD).keys("<enter>");
    assert!(journey.screen().contains("had gone back to an older version"), "{}", journey.screen());
    assert_eq!(journey.saves, saves + 1, "and mended on the disk");
}

#[test]
fn the_trash_is_emptied_when_a_vault_is_opened_after_its_days() {
    let journey = Journey::unlocked(&accounts()).keys("/glab<esc>d<enter>L");
    for (days, left) in [(29, 1), (31, 0)] {
        let mut late = Journey::fresh(Config::default());
        late.file = Some(journey.file.as_ref().unwrap().duplicate());
        late.event(Event::Tick(late.model.now.plus_secs(days * 86_400)));
        let bytes = late.file.as_ref().unwrap().seal([5; 32]).unwrap();
        let locked = otpanel::vault::envelope::Locked::parse(bytes).unwrap();
        late.event(Event::Looked(Ok(Some(std::sync::Arc::new(locked)))));
        let late = late.keys(PASSWORD).keys("<enter>");
        assert_eq!(late.file.as_ref().unwrap().state.trashed().count(), left, "after {days} days");
    }
}
