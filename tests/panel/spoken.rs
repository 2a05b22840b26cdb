//! The panel for a screen reader: plain lines, states in words, a cursor where the focus is, no change by the second.

use otpanel::app::event::Event;
use otpanel::config::Config;
use otpanel::time::UnixTime;

use crate::harness::{BEGIN, Journey, accounts, many};

fn listening() -> Config {
    Config { accessible: true, ..Config::default() }
}

fn spoken() -> Journey {
    Journey::with(listening(), &accounts())
}

/// The line that the terminal's cursor stands in, up to the cursor.
fn before_cursor(journey: &Journey) -> String {
    let (x, y) = journey.cursor().expect("a cursor");
    journey.screen().lines().nth(y.into()).unwrap_or_default().chars().take(x.into()).collect()
}

#[test]
fn a_copy_is_told_with_its_name_though_not_all_of_it_has_room() {
    let mut journey = spoken().keys("c");
    journey.event(Event::Copied(Ok(String::from("copied through a way with a long name, as some have"))));
    let screen = journey.screen();
    let told = screen.lines().find(|line| line.starts_with("done: ")).unwrap_or_default();
    assert!(told.contains("copied, 30 s") && !told.starts_with("done: copied"), "{screen}");
}

#[test]
fn every_screen_is_plain_lines_without_frames_bars_or_marks() {
    for keys in ["", "?", ":", "d", "a", "e", "p", "i", "H", "Q", "z", "/git", "o", "n", "<enter>", "h", "L"] {
        let journey = spoken().keys(keys);
        let screen = journey.screen();
        let drawn: String = screen.lines().filter(|l| !l.contains("root ·") && !l.contains('語')).collect();
        assert!(drawn.replace('…', "").is_ascii(), "{keys}:\n{screen}");
        assert!(!screen.contains("  "), "{keys}: no columns\n{screen}");
        assert!(journey.cursor().is_some(), "{keys}: a cursor\n{screen}");
    }
}

#[test]
fn the_selected_row_says_so_and_alone_shows_its_code() {
    let journey = spoken().keys("<down>");
    let screen = journey.screen();
    let row = screen.lines().find(|line| line.starts_with("selected: ")).expect("a selected row");
    assert!(row.starts_with("selected: Contoso VPN, ada.l, ") && row.ends_with(", 60 s left"), "{screen}");
    let (_, y) = journey.cursor().expect("a cursor");
    assert_eq!(screen.lines().nth(y.into()), Some(row), "the cursor stands in it");
    let codes = screen.lines().filter(|line| line.contains("s left")).count();
    assert_eq!(codes, 1, "{screen}");
    insta::assert_snapshot!("spoken_80x24", journey.screen());
    insta::assert_snapshot!("spoken_40x10", spoken().size(40, 10).screen());
    insta::assert_snapshot!("spoken_30x5", spoken().size(30, 5).screen());
}

#[test]
fn nothing_changes_by_the_second_but_a_code_that_ended_is_renewed() {
    let journey = spoken();
    let first = journey.screen();
    let journey = journey.seconds(29);
    assert_eq!(journey.screen(), first, "29 seconds are silent");
    assert_eq!(journey.model.next_change(), Some(BEGIN.plus_secs(30)));
    let journey = journey.seconds(1);
    let differ = |a: &str, b: &str| a.lines().zip(b.lines()).filter(|(a, b)| a != b).count();
    assert_eq!(differ(&journey.screen(), &first), 1, "one line is read anew\n{}", journey.screen());
    assert!(!journey.screen().contains("s left"), "what nobody asked for is not said");
    assert!(journey.keys("<down><up>").screen().contains("30 s left"));
}

#[test]
fn it_wakes_when_something_said_is_no_longer_so_and_to_lock() {
    let journey = spoken().keys("<enter>");
    let notice = journey.model.notice.as_ref().and_then(|n| n.until);
    assert_eq!(journey.model.next_change(), notice, "the notice goes first");
    assert!(journey.screen().contains("copied, 30 seconds left, clears in 30 s"), "{}", journey.screen());
    assert!(journey.screen().contains(", copied, "), "in its row, too\n{}", journey.screen());
    // A counter's code has no end of its own.
    let journey = spoken().keys("/token<esc>");
    let lock = UnixTime(BEGIN.0 + 1000 * u64::from(journey.model.config.idle_lock_secs));
    assert_eq!(journey.model.next_change(), Some(lock));
    let locked = journey.keys("L");
    assert!(locked.screen().contains("otpanel is locked"));
    assert_eq!(locked.model.next_change(), None);
}

#[test]
fn the_cursor_stands_where_is_typed() {
    assert_eq!(before_cursor(&spoken().keys("/git hub")), "/ git hub");
    assert!(before_cursor(&spoken().keys("a<tab><tab>JBSW")).ends_with("secret, JBSW"));
    assert_eq!(before_cursor(&spoken().keys("L").keys("four")), "password ****");
    assert!(spoken().keys("a").screen().contains("selected: issuer"));
}

#[test]
fn no_size_makes_it_fail() {
    for n in [0, 1, 60] {
        for (width, height) in [(1, 1), (2, 3), (9, 2), (20, 3), (33, 6), (60, 9), (110, 30)] {
            for keys in ["", "?", "a", "p", "i", "d", "H", "/x", "z", "Q", "Q<enter>"] {
                Journey::with(listening(), &many(n)).size(width, height).keys(keys).screen();
            }
        }
    }
}
