//! Windows of every size: what matters stays in view, nothing lies over something else, nothing is cut without a sign.

use otpanel::app::event::{Event, ImportTrouble};
use otpanel::app::model::Stage;
use otpanel::app::path::PathLine;
use otpanel::config::Config;

use crate::harness::{Journey, PASSWORD, accounts, many};

/// Sizes that people have, and smaller ones.
const SIZES: [(u16, u16); 8] = [(20, 3), (24, 4), (30, 5), (40, 7), (40, 10), (60, 15), (80, 24), (200, 50)];

/// How a journey begins.
type Begin = fn() -> Journey;

macro_rules! sizes {
    ($journey:expr, $name:literal, $($width:literal x $height:literal),*) => {$(
        let journey = $journey.size($width, $height);
        insta::assert_snapshot!(concat!($name, "_", stringify!($width), "x", stringify!($height)), journey.styled());
    )*};
}

/// A first start.
fn first() -> Journey {
    let mut journey = Journey::fresh(Config::default());
    journey.event(Event::Looked(Ok(None)));
    journey
}

fn locked() -> Journey {
    let journey = Journey::unlocked(&accounts()).keys("L");
    assert!(matches!(journey.model.stage, Stage::Locked(_)));
    journey
}

/// An import whose file is not there.
fn no_file() -> Journey {
    let mut journey = Journey::unlocked(&accounts());
    journey.answer_imports = false;
    let mut journey = journey.keys("i/none.json<enter>");
    let why = String::from("There is no file /none.json.");
    journey.event(Event::Imported(journey.model.imports, Err(ImportTrouble::File(why))));
    journey
}

#[test]
fn what_is_typed_is_seen_in_every_mode_at_every_size() {
    let modes: [(&str, Begin, &str); 10] = [
        ("search", || Journey::unlocked(&accounts()), "/xyz"),
        ("palette", || Journey::unlocked(&accounts()), ":xyz"),
        ("help", || Journey::unlocked(&accounts()), "?xyz"),
        ("paste", || Journey::unlocked(&accounts()), "pxyz"),
        ("paste after an error", || Journey::unlocked(&accounts()), "p!!!<enter>xyz"),
        ("import", || Journey::unlocked(&accounts()), "ixyz"),
        ("import after an error", no_file, "xyz"),
        ("export", || Journey::unlocked(&accounts()), "x<enter><enter>xyz"),
        ("tags", || Journey::unlocked(&accounts()), "txyz"),
        ("form", || Journey::unlocked(&accounts()), "axyz"),
    ];
    for (width, height) in SIZES {
        for (name, begin, keys) in &modes {
            let journey = begin().size(width, height).keys(keys);
            let typed = if width < 20 { "z" } else { "yz" };
            assert!(journey.screen().contains(typed), "{name} at {width} x {height}:\n{}", journey.screen());
        }
        for (name, journey) in [
            ("lock", locked().size(width, height).keys("abc")),
            ("a new password", first().size(width, height).keys("n<down><down><enter>abc")),
            ("and again", first().size(width, height).keys("n<down><down><enter>abcdefgh<enter>abc")),
        ] {
            assert!(journey.screen().contains("••"), "{name} at {width} x {height}:\n{}", journey.screen());
        }
    }
}

#[test]
fn the_way_out_is_named_wherever_there_is_room_for_keys() {
    for (width, height) in [(30, 8), (40, 10), (60, 15), (80, 24)] {
        for keys in
            ["?", ":", "a", "e", "p", "i", "x", "x<enter>", "x<enter><enter>", "t", "H", "H<tab>", "d", "Q", "/x"]
        {
            let journey = Journey::unlocked(&accounts()).size(width, height).keys(keys);
            assert!(journey.screen().contains("esc"), "{keys} at {width} x {height}:\n{}", journey.screen());
        }
    }
}

#[test]
fn what_was_chosen_is_seen_at_every_size() {
    for (width, height) in SIZES {
        for (name, journey) in [
            ("first start", first().size(width, height).keys("<down><down>")),
            ("how it opens", first().size(width, height).keys("n")),
            ("palette", Journey::unlocked(&accounts()).size(width, height).keys(":sort")),
            ("export", Journey::unlocked(&accounts()).size(width, height).keys("x<down><down>")),
            ("trash", Journey::unlocked(&accounts()).size(width, height).keys("d<enter>H")),
        ] {
            assert!(journey.screen().contains('▌'), "{name} at {width} x {height}:\n{}", journey.screen());
        }
    }
}

#[test]
fn a_header_has_its_parts_side_by_side_or_leaves_one_out() {
    for width in 20..130 {
        let mut journey = Journey::unlocked(&accounts()).size(width, 10);
        journey.model.demo = true;
        let header = journey.screen().lines().next().unwrap().to_owned();
        assert!(header.starts_with(" otpanel"), "{width}: {header}");
        let rest = header.trim_start_matches(" otpanel").trim_start_matches(" · personal");
        assert!(rest.is_empty() || rest.starts_with("  "), "{width}: {header}");
    }
}

#[test]
fn a_preview_shows_an_account_in_every_window_and_how_many_are_out_of_view() {
    let links: Vec<String> =
        many(30).iter().map(|account| otpanel::otp::uri::write(account).expose().clone()).collect();
    let preview = || Journey::unlocked(&[]).paste(&links.join("\n"));
    for (width, height) in SIZES {
        let screen = preview().size(width, height).screen();
        assert!(screen.contains("Service0"), "{width} x {height}:\n{screen}");
    }
    let screen = preview().screen();
    assert!(screen.lines().nth(1).unwrap().ends_with("↓ 11"), "{screen}");
    let end = preview().keys("G").screen();
    assert!(end.lines().nth(1).unwrap().ends_with("↑ 11"), "{end}");
}

#[test]
fn what_was_done_in_the_list_is_not_said_below_another_screen() {
    let journey = Journey::unlocked(&accounts()).keys("o");
    assert!(journey.screen().contains("sorted by account name"), "{}", journey.screen());
    let journey = journey.keys("b");
    assert!(!journey.screen().contains("sorted by"), "{}", journey.screen());
    let mut journey = journey.keys("q");
    // A warning stays.
    journey.model.say(otpanel::app::model::Tone::Warn, "the clock is wrong");
    assert!(journey.keys("b").screen().contains("the clock is wrong"));
}

#[test]
fn a_notice_hides_what_is_out_of_view_only_where_both_have_no_room() {
    let last_but_one = |journey: &Journey| journey.screen().lines().nth(22).unwrap_or_default().to_owned();
    let mut journey = Journey::unlocked(&many(60));
    journey.model.say(otpanel::app::model::Tone::Good, "x".repeat(68));
    assert!(last_but_one(&journey).ends_with("x    ↓ 40"), "{}", last_but_one(&journey));
    journey.model.say(otpanel::app::model::Tone::Good, "x".repeat(72));
    assert!(last_but_one(&journey).ends_with('x'), "{}", last_but_one(&journey));
}

#[test]
fn big_digits_keep_their_keys_below_what_just_happened_where_there_is_room() {
    let journey = Journey::unlocked(&accounts()).keys("zc");
    let screen = journey.screen();
    let rows: Vec<&str> = screen.lines().collect();
    assert!(rows[22].contains("copied, clears in 30 s") && rows[23].contains("esc list"), "{screen}");
}

#[test]
fn rows_and_tabs_out_of_view_are_told() {
    let journey = Journey::unlocked(&many(60));
    assert!(journey.screen().contains("↓ 40") && !journey.screen().contains('↑'), "{}", journey.screen());
    let end = journey.keys("G").screen();
    assert!(end.contains("↑ 40") && !end.contains('↓'), "{end}");
    assert!(Journey::unlocked(&many(60)).size(20, 3).screen().contains("↓ 58"));
    let mut many = many(12);
    for (at, account) in many.iter_mut().enumerate() {
        account.groups = vec![format!("a long tag {at}")];
    }
    let journey = Journey::unlocked(&many);
    let tabs = journey.screen().lines().nth(1).unwrap().to_owned();
    assert!(tabs.contains('›') && !tabs.contains('‹'), "{tabs}");
    let tabs = journey.keys("<left>").screen().lines().nth(1).unwrap().to_owned();
    assert!(!tabs.contains('›') && tabs.contains('‹'), "{tabs}");
}

#[test]
fn a_long_notice_takes_the_row_of_the_keys_and_gives_it_back() {
    let mut journey = Journey::unlocked(&accounts()).size(60, 15);
    journey.model.say(otpanel::app::model::Tone::Warn, "a word ".repeat(12) + "and the last one");
    assert!(journey.screen().contains("the last one") && !journey.screen().contains("quit"), "{}", journey.screen());
    assert!(journey.keys("<esc>").screen().contains("quit"));
    let copied = Journey::unlocked(&accounts()).size(30, 10).keys("<enter>");
    assert!(copied.screen().contains("✓ copied, 30 s"), "{}", copied.screen());
}

#[test]
fn own_seconds_never_touch_their_code() {
    let mut slow = accounts();
    for (account, period) in slow.iter_mut().zip([999, 1000, 3600, 86_400]) {
        let link =
            format!("otpauth://totp/Slow:{period}?secret=JBSWY3DPEHPK3PXP&issuer=Slow&digits=10&period={period}");
        *account = otpanel::otp::uri::parse(&link).unwrap();
    }
    let screen = Journey::unlocked(&slow).screen();
    for line in screen.lines().filter(|line| line.contains("Slow")) {
        let end = line.split_whitespace().last().unwrap();
        assert!(end.len() <= 4 && end.ends_with(['s', 'm', 'h']), "{line}");
    }
}

#[test]
fn a_click_on_a_key_in_the_last_line_does_what_the_key_does() {
    for (keys, word) in [("a", "leave"), ("?", "close"), ("p", "leave"), ("t", "leave"), ("H", "close"), ("x", "leave")]
    {
        let journey = Journey::unlocked(&accounts()).keys(keys);
        let last = journey.screen().lines().last().unwrap().to_owned();
        let column = last.split(word).next().unwrap().chars().count() as u16;
        assert!(journey.session().modal.is_some());
        assert!(journey.click(column, 23).session().modal.is_none(), "{keys}");
    }
}

#[test]
fn paths_are_completed_in_the_export_as_in_the_import() {
    let mut journey = Journey::unlocked(&accounts()).keys("x<enter><enter><tab>");
    let generation = journey.model.generation;
    let asked = journey.kept.pop();
    assert!(matches!(asked, Some(otpanel::app::Effect::Complete(..))));
    let names = vec![String::from("~/otpanel-aegis.json.old"), String::from("~/otpanel-aegis.json.older")];
    journey.event(Event::Completed(generation, names));
    assert!(journey.screen().contains("aegis.json.older"), "{}", journey.screen());
    let chosen = journey.keys("<down><down><enter>");
    assert!(chosen.screen().contains("Every secret lies open in"), "{}", chosen.screen());

    // Where a folder is wanted, files are none of what it could become.
    let mut line = PathLine::folder("~/");
    line.completed(vec![String::from("~/Sync/"), String::from("~/Sync.txt"), String::from("~/Music/")]);
    assert_eq!(line.offered(), ["~/Sync/", "~/Music/"]);
}

#[test]
fn modes_at_their_sizes() {
    sizes!(Journey::unlocked(&accounts()).keys("p!!!<enter>"), "paste", 20 x 3, 30 x 5, 40 x 10, 80 x 24);
    sizes!(no_file(), "import", 20 x 3, 30 x 5, 40 x 10, 80 x 24);
    sizes!(Journey::unlocked(&accounts()).keys("x"), "export", 20 x 3, 30 x 5, 40 x 10, 60 x 15);
    sizes!(Journey::unlocked(&accounts()).keys("x<enter>abc<enter>abx<enter>"), "password", 20 x 3, 40 x 10);
    sizes!(Journey::unlocked(&accounts()).keys("a<enter>"), "form_wrong", 20 x 3, 30 x 5, 40 x 10, 80 x 24);
    sizes!(Journey::unlocked(&accounts()).keys(":sort"), "palette", 20 x 3, 40 x 10, 80 x 24, 120 x 40);
    sizes!(Journey::unlocked(&accounts()).keys("d<enter>H"), "trash", 20 x 3, 30 x 5, 40 x 10);
    sizes!(first(), "first", 20 x 3, 30 x 5, 40 x 10, 80 x 24);
    sizes!(first().keys("n"), "ways", 20 x 3, 30 x 5, 40 x 10, 80 x 24);
    sizes!(locked().keys(&format!("{PASSWORD}x<enter>")), "locked", 20 x 3, 30 x 5, 40 x 10, 80 x 24);
}

#[test]
fn monograms_in_the_colours_of_each_theme() {
    let config = || Config { monograms: true, ..Config::default() };
    for theme in ["terminal", "dark", "light", "mono"] {
        let journey = Journey::with(config(), &accounts()).themed(theme);
        insta::assert_snapshot!(format!("monograms_{theme}_80x24"), journey.styled());
    }
    let narrow = Journey::with(config(), &accounts()).size(59, 24).screen();
    assert!(narrow.contains("▌Amazon"), "none where there is no room: {narrow}");
}
