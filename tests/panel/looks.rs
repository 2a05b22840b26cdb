//! Looks at what others wrote: when another device's word or the focus brings one, and when not.

use std::sync::Arc;

use otpanel::app::backup::Task;
use otpanel::app::event::{Effect, Event};
use otpanel::app::update;
use otpanel::backup::standing::{Standing, Status};
use otpanel::config::Config;

use crate::backup::{answer, kept, keychain, news, tasks};
use crate::harness::{Journey, PASSWORD, accounts, many, vault};

fn good(journey: &mut Journey) {
    answer(journey, news(vec![keychain(Standing::On, "")]));
}

/// The look that follows one just ended keeps its distance, and brings no other.
fn comes_in_its_distance(journey: Journey) {
    let mut journey = journey.seconds(4);
    assert!(tasks(&mut journey).is_empty());
    let mut journey = journey.seconds(1);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: false }]));
    good(&mut journey);
    let mut journey = journey.seconds(100);
    assert!(tasks(&mut journey).is_empty(), "no word, no look");
}

#[test]
fn words_of_other_devices_are_gathered_into_one_quick_look() {
    let mut journey = kept().seconds(60);
    for _ in 0..3 {
        journey.event(Event::BackupChanged);
    }
    assert!(tasks(&mut journey).is_empty(), "they are gathered");
    let mut journey = journey.seconds(1);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: false }]));
    good(&mut journey);
    // Right after a look the next one keeps its distance.
    journey.event(Event::BackupChanged);
    comes_in_its_distance(journey);
}

#[test]
fn a_word_during_a_look_brings_one_more_and_the_header_speaks_of_no_change() {
    let mut journey = kept().seconds(60);
    journey.event(Event::BackupChanged);
    let mut journey = journey.seconds(1);
    assert_eq!(tasks(&mut journey).len(), 1);
    assert!(!journey.screen().contains("backing up"), "{}", journey.screen());
    journey.event(Event::BackupChanged);
    journey.event(Event::BackupChanged);
    let mut journey = journey.seconds(30);
    assert!(tasks(&mut journey).is_empty(), "not while it runs");
    good(&mut journey);
    comes_in_its_distance(journey);
}

#[test]
fn nothing_is_looked_at_while_locked_or_for_sample_accounts() {
    let mut journey = kept().seconds(60).keys("L");
    tasks(&mut journey);
    journey.event(Event::BackupChanged);
    let mut journey = journey.seconds(20);
    assert!(tasks(&mut journey).is_empty());

    let mut demo = Journey::with(Config { accessible: true, ..Config::default() }, &accounts());
    demo.model.demo = true;
    let mut demo = demo.seconds(60);
    demo.event(Event::BackupChanged);
    demo.event(Event::Focused);
    let mut demo = demo.seconds(20);
    assert!(demo.kept.is_empty());
    let next = demo.model.next_change();
    demo.event(Event::BackupChanged);
    assert_eq!(demo.model.next_change(), next, "nothing is due that is never done");
    assert!(next.is_none_or(|next| next > demo.model.now));
}

#[test]
fn who_comes_back_sees_what_has_become_of_the_file_and_of_the_backup() {
    let mut journey = kept().seconds(60);
    // Where no change is announced.
    journey.file = Some(vault(&many(9)));
    journey.event(Event::Focused);
    assert!(journey.screen().contains("Service00008"), "{}", journey.screen());
    let mut journey = journey.seconds(1);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: false }, ..]));
}

#[test]
fn going_to_and_fro_starts_one_look_and_does_not_count_as_a_touch() {
    let mut journey = kept();
    let touched = journey.session().touched;
    // The word that many terminals give at once when they are asked.
    journey.event(Event::Focused);
    let mut journey = journey.seconds(9);
    assert!(tasks(&mut journey).is_empty(), "a round ended just now");
    let mut journey = journey.seconds(60);
    let mut looks = 0;
    for _ in 0..20 {
        journey.event(Event::Focused);
        journey = journey.seconds(1);
        for task in tasks(&mut journey) {
            looks += 1;
            assert!(matches!(task, Task::Round { whole: false }));
            good(&mut journey);
        }
    }
    assert!((1..=2).contains(&looks), "{looks} looks in 20 s");
    assert_eq!(journey.session().touched, touched, "the idle lock goes on");
}

#[test]
fn the_focus_reads_the_file_at_most_once_in_ten_seconds() {
    let mut journey = kept().seconds(60);
    let reads = |journey: &mut Journey| {
        let effects = update(&mut journey.model, Event::Focused);
        effects.iter().filter(|effect| matches!(effect, Effect::Reread(..))).count()
    };
    assert_eq!(reads(&mut journey), 1);
    let mut journey = journey.seconds(9);
    assert_eq!(reads(&mut journey), 0);
    let mut journey = journey.seconds(1);
    assert_eq!(reads(&mut journey), 1);
}

#[test]
fn on_the_lock_screen_the_focus_looks_at_the_file_alone() {
    let mut journey = kept().seconds(60).keys("L");
    tasks(&mut journey);
    journey.file = None;
    journey.event(Event::Focused);
    assert!(journey.screen().contains("The vault is gone"), "{}", journey.screen());
    assert!(!journey.kept.iter().any(|effect| matches!(effect, Effect::Backup(..))));
}

#[test]
fn what_is_remembered_of_the_backup_stands_in_the_first_frame() {
    let first = |stood: Vec<Status>, attempt: u64| {
        let mut journey = Journey::fresh(Config::default());
        journey.file = Some(vault(&accounts()));
        let bytes = journey.file.as_ref().unwrap().seal([5; 32]).unwrap();
        let locked = otpanel::vault::envelope::Locked::parse(bytes).unwrap();
        journey.event(Event::Looked(Ok(Some(Arc::new(locked)))));
        // The try by Enter is the next.
        let next = journey.model.generation + 1;
        let mut journey = journey.keys(PASSWORD);
        journey.model.generation = next + attempt;
        journey.event(Event::BackupStood(next, stood));
        journey.model.generation = next - 1;
        journey.keys("<enter>").screen()
    };
    let header = |screen: String| screen.lines().next().unwrap().to_owned();
    let off = header(first(vec![keychain(Standing::Off, "off")], 0));
    assert!(off.ends_with("backup off"), "{off}");
    let on = header(first(vec![keychain(Standing::On, "")], 0));
    assert!(on.ends_with("✓ 8 backed up just now · this computer"), "{on}");
    let other = header(first(vec![keychain(Standing::Off, "off")], 1));
    assert!(other.ends_with("✓ 8 accounts"), "of a try that was given up: {other}");
}
