//! Light or dark by the terminal's own answer: at once, late, in pieces, or never.

use std::thread;
use std::time::{Duration, Instant};

use crate::home::{Home, PASSWORD};
use crate::panel::{LIMIT, Panel};
use crate::support::wait_until;

pub const ASK: &[u8] = b"\x1b]11;?\x1b\\";
const LIGHT: (u8, u8, u8) = (0xfb, 0xfb, 0xfa);
const DARK: (u8, u8, u8) = (0x16, 0x19, 0x1f);

/// A home with a theme, and a panel that starts in it.
pub fn asking(theme: &str) -> (Home, Panel) {
    let home = Home::with_vault();
    home.settings(&format!("theme: \"{theme}\""));
    let panel = Panel::start(&home);
    (home, panel)
}

/// Waits until the screen has this background.
#[track_caller]
fn on(panel: &Panel, (r, g, b): (u8, u8, u8)) {
    let right =
        || panel.look(|screen| screen.cell(0, 0).is_some_and(|cell| cell.bgcolor() == vt100::Color::Rgb(r, g, b)));
    assert!(wait_until(LIMIT, right), "{}", panel.screen());
}

#[track_caller]
fn opens(panel: &mut Panel) {
    panel.press(PASSWORD).press("\r");
    panel.see("octo@example.com");
}

#[test]
fn the_answer_of_the_terminal_chooses_light_or_dark() {
    for (answer, ground) in [("rgb:ffff/ffff/ffff\x1b\\", LIGHT), ("rgb:1e1e/1e1e/2e2e\x07", DARK)] {
        let (_home, mut panel) = asking("auto");
        assert!(wait_until(LIMIT, || panel.said(ASK)));
        panel.press(&format!("\x1b]11;{answer}"));
        on(&panel, ground);
        panel.see("otpanel is locked");
        opens(&mut panel);
        on(&panel, ground);
        panel.quit();
    }
}

#[test]
fn a_late_answer_in_the_middle_of_a_password_is_no_part_of_it() {
    let (_home, mut panel) = asking("auto");
    panel.see("otpanel is locked");
    on(&panel, DARK);
    let (begin, end) = PASSWORD.split_at(9);
    panel.press(begin);
    thread::sleep(Duration::from_millis(200));
    panel.press("\x1b]11;rgb:fbfb/fbfb/fafa\x1b\\");
    on(&panel, LIGHT);
    opens_with(&mut panel, end);
    panel.quit();
}

#[test]
fn an_answer_that_comes_byte_by_byte_is_no_part_of_it_either() {
    // An escape character that nothing follows for a moment is the key Esc. A machine that is busy may make such a moment
    // between two bytes here: that try tells nothing.
    for _ in 0..50 {
        let (_home, mut panel) = asking("auto");
        panel.see("otpanel is locked");
        let (begin, end) = PASSWORD.split_at(9);
        panel.press(begin);
        let mut slowest = Duration::ZERO;
        for byte in "\x1b]11;rgb:fbfb/fbfb/fafa\x1b\\".chars() {
            let before = Instant::now();
            thread::sleep(Duration::from_millis(5));
            panel.press(&byte.to_string());
            slowest = slowest.max(before.elapsed());
        }
        if slowest < Duration::from_millis(25) {
            on(&panel, LIGHT);
            opens_with(&mut panel, end);
            panel.quit();
            return;
        }
    }
    panic!("this machine never wrote a few bytes within 25 ms of each other");
}

#[track_caller]
fn opens_with(panel: &mut Panel, rest: &str) {
    panel.press(rest).press("\r");
    panel.see("octo@example.com");
}

#[test]
fn a_silent_terminal_is_dark_and_every_key_there_is_a_key() {
    let (_home, mut panel) = asking("auto");
    assert!(wait_until(LIMIT, || panel.said(ASK)));
    panel.see("otpanel is locked");
    on(&panel, DARK);
    // Esc is held back for a moment only, and keys that an answer has are keys.
    panel.press("x");
    panel.see("•");
    panel.press("\x1b");
    panel.see_no("•");
    opens(&mut panel);
    panel.press("/]11");
    panel.see("/ ]11");
    panel.press("\x1b");
    panel.see("All 2");
    panel.quit();
}

#[test]
fn a_theme_that_is_named_asks_nothing() {
    let (_home, panel) = asking("nord");
    panel.see("otpanel is locked");
    assert!(!panel.said(ASK));
}
