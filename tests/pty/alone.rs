//! What is promised in seconds and less. `tests/run` leaves the machine to these tests; and since whatever else it does only adds
//! to a time, the shortest of some tries counts.

use std::fs;
use std::time::{Duration, Instant};

use crate::home::{Home, link, secret};
use crate::panel::{LIMIT, Panel};
use crate::support::wait_until;
use crate::theme::{ASK, asking};

/// The shortest of three times.
fn shortest(mut once: impl FnMut(u8) -> Duration) -> Duration {
    (0..3).map(&mut once).min().unwrap()
}

#[test]
fn a_vault_that_is_replaced_shows_within_a_second() {
    let home = Home::with_vault();
    let panel = Panel::opened(&home, &[]);
    let took = shortest(|n| {
        let account = format!("account-{n}");
        let bytes = home.vault_with(&link("Hetzner", &account, &secret(char::from(b'D' + n))));
        fs::write(home.path("new"), bytes).unwrap();
        fs::rename(home.path("new"), home.vault()).unwrap();
        panel.see_within(LIMIT, &account)
    });
    println!("there after {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    panel.quit();
}

#[test]
fn a_silent_terminal_is_waited_for_no_longer_than_it_takes() {
    let took = shortest(|_| {
        let (_home, panel) = asking("auto");
        assert!(wait_until(LIMIT, || panel.said(ASK)));
        let asked = Instant::now();
        panel.see("otpanel is locked");
        asked.elapsed()
    });
    println!("the first frame after {took:?}");
    assert!(took < Duration::from_millis(500), "{took:?}");
}
