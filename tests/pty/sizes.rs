//! The screen at every size, changed while it is open.

use rustix::process::Signal;

use crate::home::{Home, link, secret};
use crate::panel::{LIMIT, Panel};

/// Whether a row shows a code of six digits.
fn has_code(row: &str) -> bool {
    let kinds: String = row.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    kinds.contains("000 000")
}

/// The screen without what changes by the second.
fn still(panel: &Panel) -> String {
    let plain = |c: char| if c.is_ascii_digit() || "▰▱›".contains(c) { '0' } else { c };
    panel.screen().chars().map(plain).collect()
}

#[test]
fn it_follows_the_terminals_size_from_the_smallest_to_a_large_one() {
    let home = Home::with_vault();
    let more: Vec<String> = ('D'..='Z').map(|c| link(&format!("Service{c}"), "ada", &secret(c))).collect();
    home.import(&more.iter().map(String::as_str).collect::<Vec<_>>());
    home.settings("show_next: false, warn_secs: 0");
    let mut panel = Panel::opened(&home, &[]);
    // The last that changes by itself.
    panel.see("not backed up");
    for (cols, rows) in [(20, 3), (30, 5), (40, 10), (60, 15), (80, 24), (120, 40), (200, 50), (20, 3), (200, 50)] {
        panel.resize(cols, rows);
        let least = match rows {
            3 => 2,
            5 => 4,
            10 => 7,
            15 => 11,
            24 => 20,
            _ => 25,
        };
        let codes = |_: &str| panel.rows().iter().filter(|row| row.contains(['G', 'S']) && has_code(row)).count();
        // The countdown stands at the right edge of whatever size.
        let full =
            |screen: &str| screen.lines().any(|line| line.ends_with('s') && line.chars().count() + 2 > cols.into());
        panel.wait(LIMIT, &format!("{least} codes at {cols}x{rows}"), |screen| codes(screen) >= least && full(screen));
        // What was drawn by differences is what is drawn anew.
        let drawn = still(&panel);
        let before = panel.written();
        panel.press("\x0c");
        panel.wait(LIMIT, "drawn anew", |_| panel.written() > before + 100);
        panel.wait(LIMIT, &format!("the same at {cols}x{rows} as\n{drawn}"), |_| still(&panel) == drawn);
    }
    panel.quit();
}

#[test]
fn sizes_that_change_faster_than_it_draws_do_no_harm() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    let sizes = [(200, 50), (1, 1), (20, 3), (2, 30), (120, 2), (80, 24), (5, 5), (40, 10)];
    for round in 0..40 {
        let (cols, rows) = sizes[round * 5 % sizes.len()];
        panel.resize(cols, rows);
        if round % 3 == 0 {
            panel.press("j");
        }
        std::thread::sleep(std::time::Duration::from_millis(round as u64 % 4 * 3));
    }
    panel.resize(80, 24);
    panel.see("quit");
    panel.see("GitHub");
    panel.quit();
}

/// The two may wait for the program together: which is read first must not cost the other.
#[test]
fn a_key_that_comes_with_another_size_is_heard() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    for round in 0..60 {
        panel.resize(80 + round % 2 * 20, 24);
        panel.signal(Signal::STOP);
        panel.press("/git");
        panel.signal(Signal::CONT);
        panel.wait(LIMIT, &format!("the search in round {round}"), |screen| screen.contains("2 of 2"));
        panel.press("\x1b");
        panel.see_no("2 of 2");
    }
    panel.quit();
}
