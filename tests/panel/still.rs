//! A second in which nothing but what stands above the rows changes is drawn there alone, and looks as if all were drawn.

use otpanel::app::still::Still;
use otpanel::app::{Event, update};
use otpanel::tui::paint_above;
use ratatui::buffer::Buffer;

use crate::harness::{Journey, accounts, many};

/// Lets time pass, draws the short way wherever that may be, and holds it against the whole way. Gives how often it may be.
fn calm_seconds(journey: &mut Journey, seconds: u64) -> u64 {
    let mut calm = 0;
    for second in 0..seconds {
        let (before, mut cells) = (Still::of(&journey.model), journey.buffer());
        let now = journey.model.now.plus_secs(1);
        let effects = update(&mut journey.model, Event::Tick(now));
        let Some(still) = Still::of(&journey.model).filter(|after| effects.is_empty() && before == Some(*after)) else {
            continue;
        };
        let mut above = Buffer::empty(cells.area);
        paint_above(&journey.model, journey.theme(), &mut above);
        let rows = usize::from(still.above) * usize::from(cells.area.width);
        cells.content[..rows].clone_from_slice(&above.content[..rows]);
        assert_eq!(cells, journey.buffer(), "second {second}");
        calm += 1;
    }
    calm
}

#[test]
fn the_short_way_of_a_calm_second_shows_what_the_whole_way_shows() {
    for theme in ["terminal", "dark", "light"] {
        for (width, height) in [(80, 24), (60, 15), (40, 10), (36, 7)] {
            let mut journey = Journey::unlocked(&many(30)).size(width, height).themed(theme);
            // Of a half minute, the seconds before its end and at it are not calm: they begin to warn, and bring new codes.
            assert!((50..=58).contains(&calm_seconds(&mut journey, 60)), "{theme} {width}x{height}");
        }
    }
}

#[test]
fn what_counts_down_or_goes_by_itself_is_never_passed_over() {
    for keys in ["<enter>", "h", "r", "z", "/ser", "n", "?", ":", "jjf", "hr", "d", "t", "e", "b", "o"] {
        for list in [many(30), accounts()] {
            let mut journey = Journey::unlocked(&list).keys(keys);
            calm_seconds(&mut journey, 70);
        }
    }
    let mut own_period = Journey::unlocked(&accounts());
    assert_eq!(calm_seconds(&mut own_period, 60), 0, "a row of 60 s shows its own seconds");
    let mut copied = Journey::unlocked(&many(3)).keys("<enter>");
    assert_eq!(calm_seconds(&mut copied, 20), 0, "the clipboard's seconds are shown");
    let mut wide = Journey::unlocked(&many(3)).size(120, 40);
    assert_eq!(calm_seconds(&mut wide, 20), 0, "the detail counts down");
}
