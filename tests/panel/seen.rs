//! What a user needs is seen: codes and words whole, every key with its word, an answer to each key, nothing over anything else.

use otpanel::app::backup::News;
use otpanel::app::event::Event;
use otpanel::app::import::Recent;
use otpanel::app::model::{Stage, Tone};
use otpanel::backup::gather::Why;
use otpanel::backup::here::{Unread, Verified};
use otpanel::backup::standing::Standing;
use otpanel::config::Config;
use otpanel::otp::uri;
use otpanel::vault::file::FileError;

use crate::backup::{answer, first_start, kept, keychain, news};
use crate::harness::{Journey, accounts};

fn rows(journey: &Journey) -> Vec<String> {
    journey.screen().lines().map(|row| row.trim_end().to_owned()).collect()
}

/// What is on the screen, without its lines and columns.
fn words(journey: &Journey) -> String {
    journey.screen().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a look at every item found: some cannot be read, some accounts are not there.
fn found(unread: usize, lacking: usize) -> News {
    let why = [Why::Damaged, Why::Missing, Why::Foreign, Why::Damaged];
    let item = |(at, why): (usize, Why)| Unread { at: format!("otpanel.backup.personal, item {at}"), why };
    let found = Verified {
        items: 5,
        accounts: 8 - lacking,
        lacking,
        unread: why.into_iter().enumerate().take(unread).map(item).collect(),
        devices: Vec::new(),
        went_back: Vec::new(),
    };
    News { verified: vec![("keychain", found)], ..news(vec![keychain(Standing::On, "")]) }
}

/// The backup's page, which is asked to look at every item.
fn verifying(width: u16, height: u16) -> Journey {
    let mut journey = kept().size(width, height).keys("b");
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    journey.keys("v")
}

#[test]
fn the_words_of_a_broken_vault_leave_its_keys_alone() {
    for (width, height) in [(20, 3), (30, 5), (40, 7), (40, 10), (80, 24)] {
        let mut journey = Journey::fresh(Config::default()).size(width, height);
        let path = "/home/ada/.local/share/otpanel/vault.otpv".into();
        journey.event(Event::Looked(Err(FileError::NotAFile(path))));
        assert!(matches!(journey.model.stage, Stage::Broken(_)));
        let rows = rows(&journey);
        let last = rows.last().unwrap();
        assert!(last == " r look again   q quit" || last == " r look again", "{width} x {height}: {rows:?}");
        assert!(rows.iter().any(|row| row.contains('✗')), "{width} x {height}: {rows:?}");
    }
}

#[test]
fn the_pane_shows_the_next_code_whole_or_below_and_stays_above_the_notice() {
    let is_code = |text: &str| text.len() == 7 && text.chars().all(|c| c == ' ' || c.is_ascii_digit());
    for width in 110..=130 {
        let journey = Journey::unlocked(&accounts()).size(width, 24);
        let screen = journey.screen();
        let next = screen.lines().find_map(|row| row.split_once("next ")).expect("a next code").1.trim();
        assert!(is_code(next), "{width}: {screen}");
        assert!(screen.contains("30 s"), "{width}: {screen}");
    }
    for height in 4..14 {
        let journey = Journey::unlocked(&accounts()).size(120, height);
        let rows = rows(&journey);
        let below = if height < 7 { 1 } else { 2 };
        let pane = |row: &&String| row.contains("next ") || row.contains("TOTP");
        assert_eq!(rows.iter().rev().take(below).filter(pane).count(), 0, "{height}: {rows:?}");
    }
}

#[test]
fn no_pane_is_begun_where_no_account_is_selected() {
    let journey = Journey::unlocked(&[]).size(120, 30);
    assert!(!journey.screen().contains('│'), "{}", journey.screen());
    let journey = Journey::unlocked(&accounts()).size(120, 30).keys("/xyz");
    assert!(!journey.screen().contains('│'), "{}", journey.screen());
}

#[test]
fn every_answer_to_a_question_is_named_in_a_small_window() {
    for (width, height) in [(30, 5), (40, 10), (80, 24)] {
        let mut journey = Journey::unlocked(&accounts()).size(width, height).keys("b");
        answer(&mut journey, news(vec![keychain(Standing::On, "")]));
        let screen = journey.keys("d").screen();
        for words in ["Turn the backup off", "k keep what is stored", "w delete it", "esc leave it on"] {
            assert!(screen.contains(words), "{words} at {width} x {height}:\n{screen}");
        }
    }
}

#[test]
fn the_folder_of_a_backup_is_typed_where_it_is_seen_and_what_it_may_become_is_offered() {
    for (width, height) in [(20, 3), (30, 5), (40, 7), (40, 10), (80, 24)] {
        let mut journey = kept().size(width, height).keys("bf~/S<tab>");
        let generation = journey.model.generation;
        journey.event(Event::Completed(generation, vec![String::from("~/Safe/"), String::from("~/Sync/")]));
        let screen = journey.screen();
        assert!(screen.contains("~/S▏"), "{width} x {height}:\n{screen}");
        let offered = screen.contains("~/Safe/") && (screen.contains("~/Sync/") || screen.contains("↓ 1"));
        assert!(height < 5 || offered, "{width} x {height}:\n{screen}");
    }
}

#[test]
fn the_key_of_a_backup_is_typed_where_it_is_seen() {
    for (width, height) in [(20, 3), (30, 5), (40, 7), (40, 10), (80, 24)] {
        let journey = first_start(false).size(width, height).keys("<enter>abc");
        let screen = journey.screen();
        assert!(screen.contains("•••▏"), "{width} x {height}:\n{screen}");
        let last = rows(&journey).pop().unwrap();
        assert!(height < 5 || last.starts_with(" ↵ open it") && last.contains("esc"), "{width} x {height}:\n{screen}");
    }
}

#[test]
fn what_a_look_at_every_item_found_answers_its_key_on_every_screen() {
    for (width, height) in [(30, 5), (40, 10), (80, 24)] {
        let mut journey = verifying(width, height);
        answer(&mut journey, found(0, 0));
        assert!(journey.screen().contains("verified"), "{width} x {height}:\n{}", journey.screen());
        // What else is answered stands in the row of the keys where there is no other.
        let said = Some((Tone::Warn, String::from("nothing to verify yet")));
        let mut journey = journey.keys("v");
        answer(&mut journey, News { said, ..news(vec![keychain(Standing::On, "")]) });
        assert!(journey.screen().contains("nothing to verify yet"), "{width} x {height}:\n{}", journey.screen());
    }
    let journey = Journey::unlocked(&accounts()).size(30, 5).keys("d<enter>H<enter>");
    assert!(journey.screen().contains("it is back"), "{}", journey.screen());
}

#[test]
fn items_that_cannot_be_read_are_named_with_the_reason_and_the_key_that_mends() {
    let mut journey = verifying(80, 24);
    answer(&mut journey, found(4, 2));
    let screen = words(&journey);
    for words in [
        "6 accounts can be restored, 2 lacking or older, 4 of 5 items missing or unreadable: n mends it",
        "item 0 is damaged, or no item of otpanel",
        "item 1 is announced and not there, or on its way",
        "item 2 is sealed under a key that this vault does not know",
    ] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    assert!(!screen.contains("item 3"), "the command line names all:\n{screen}");
    // Nothing says that all is well, here or in the list, until everything was written and read again.
    assert!(rows(&journey)[0].contains("! 2 accounts lacking"), "{}", journey.screen());
    let journey = journey.keys("<esc>");
    assert!(rows(&journey)[0].contains("! 2 accounts lacking"), "{}", journey.screen());
    let mut journey = journey.keys("bn");
    assert!(!journey.screen().contains("item 0"), "{}", journey.screen());
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    let mut journey = journey.keys("<esc>");
    assert!(journey.screen().contains("! 2 accounts lacking"), "a look is no proof: {}", journey.screen());
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    assert!(journey.screen().contains("✓ 8 backed up"), "{}", journey.screen());
}

#[test]
fn items_that_cannot_be_read_are_reached_on_a_small_screen() {
    for (width, height) in [(30, 5), (40, 10)] {
        let mut journey = verifying(width, height);
        answer(&mut journey, found(2, 1));
        let mut seen = String::new();
        for _ in 0..12 {
            seen += &journey.screen();
            journey = journey.keys("<pgdn>");
        }
        for words in ["1 lacking", "item 0", "item 1", "mends", "your password"] {
            assert!(seen.contains(words), "{words} at {width} x {height}");
        }
    }
}

#[test]
fn a_backup_that_has_nothing_to_keep_waits_for_nothing() {
    let mut journey = Journey::unlocked(&[]).keys("b");
    let empty = keychain(Standing::Waiting, "backup starts with the first account");
    answer(&mut journey, news(vec![otpanel::backup::standing::Status { pending: 0, last: None, ..empty }]));
    assert!(journey.screen().contains("nothing lies there yet"), "{}", journey.screen());
    assert!(!journey.screen().contains("0 waiting"), "{}", journey.screen());
}

#[test]
fn what_is_wrong_with_a_field_is_read_in_a_low_window() {
    let journey = Journey::unlocked(&accounts()).size(30, 5).keys("aA<tab>b<tab>JBSW1<enter>");
    let screen = journey.screen();
    assert!(screen.contains("JBSW1") && screen.contains("at place 5"), "{screen}");
}

#[test]
fn why_an_entry_cannot_come_is_read_whole_and_what_is_counted_is_not_cut() {
    let mut links: Vec<String> = accounts().iter().map(|account| uri::write(account).expose().clone()).collect();
    links.push(String::from("otpauth://push/Contoso:ada?x=1"));
    links.push(String::from("otpauth://totp/New:n?secret=MFRGGZDF&issuer=New"));
    links.push(links[0].replace("octo", "other"));
    let paste = links.join("\n");
    for (width, height) in [(80, 24), (60, 15), (40, 12)] {
        let journey = Journey::unlocked(&accounts()).size(width, height).paste(&paste);
        let counted = rows(&journey)[1].clone();
        assert!(
            !counted.contains('…') && counted.contains(if width < 80 { "1 cannot" } else { "1 not importable" }),
            "{counted}"
        );
        let journey = journey.keys("<tab><tab>");
        let journey = if journey.screen().contains("▌✗") { journey } else { journey.keys("<tab>") };
        let (screen, words) = (journey.screen(), words(&journey));
        assert!(words.contains("✗ the type push is not supported (totp, hotp, "), "{width} x {height}:\n{screen}");
    }
    let low = Journey::unlocked(&accounts()).size(40, 10).paste(&paste);
    assert!(rows(&low)[1].contains("cannot"), "{}", low.screen());
}

#[test]
fn files_that_are_offered_are_seen_in_a_low_window() {
    let mut journey = Journey::unlocked(&accounts()).size(30, 5).keys("i");
    let found = |path: &str| Recent { path: path.to_owned(), app: "Aegis" };
    journey.event(Event::Recent(vec![found("~/Downloads/a.json"), found("~/Downloads/b.json")]));
    let screen = journey.screen();
    assert!(screen.contains("▌  ~/Downloads/a.json") && screen.contains("Which file?"), "{screen}");
}

#[test]
fn a_name_without_end_leaves_room_for_what_became_of_the_account() {
    let long = format!("otpauth://totp/{}:ada?secret=JBSWY3DPEHPK3PXP&issuer={}", "A".repeat(60), "A".repeat(60));
    let journey = Journey::unlocked(&[uri::parse(&long).unwrap()]).keys("d<enter>");
    assert!(words(&journey).contains("… moved to the trash; u brings it back"), "{}", journey.screen());
    let journey = Journey::unlocked(&[]).paste(&long).keys("<enter>");
    assert!(words(&journey).contains("… added"), "{}", journey.screen());
}

#[test]
fn no_key_is_named_that_does_nothing_where_no_tag_is_offered() {
    let journey = Journey::unlocked(&accounts()).size(30, 10).keys("tqqq");
    let last = rows(&journey).pop().unwrap();
    assert!(!last.contains("choose") && last.contains("save") && last.contains("esc"), "{last}");
    assert!(journey.screen().contains("makes a new tag."), "{}", journey.screen());
}
