//! The QR code of an account: what stands on the screen is read by a reader of pictures.

use otpanel::app::session::Modal;
use otpanel::otp::uri;

use crate::harness::{Journey, accounts};

/// Reads the half blocks of a screen as a picture.
fn read(screen: &str) -> Option<String> {
    const SCALE: usize = 4;
    let rows: Vec<Vec<char>> = screen.lines().map(|line| line.chars().collect()).collect();
    let width = rows.iter().map(Vec::len).max()?;
    let light = |x: usize, y: usize| match rows.get(y / 2).and_then(|row| row.get(x)).unwrap_or(&' ') {
        '█' => true,
        '▀' => y.is_multiple_of(2),
        '▄' => !y.is_multiple_of(2),
        _ => false,
    };
    let (wide, high) = (width * SCALE, rows.len() * 2 * SCALE);
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(
            wide,
            high,
            |x, y| {
                if light(x / SCALE, y / SCALE) { 255 } else { 0 }
            },
        );
    picture.detect_grids().first()?.decode().ok().map(|(_, text)| text)
}

#[test]
fn what_the_screen_shows_is_the_accounts_link() {
    for (width, height) in [(80, 24), (120, 40), (50, 30)] {
        let journey = Journey::unlocked(&accounts()).size(width, height).keys("/octo<esc>Q<enter>");
        let link = read(&journey.screen()).unwrap_or_else(|| panic!("{width}x{height}\n{}", journey.screen()));
        let account = uri::parse(&link).unwrap();
        assert_eq!((account.issuer.as_str(), account.account.as_str()), ("GitHub", "octo@example.com"));
        assert_eq!(account.seed.expose(), accounts()[0].seed.expose());
    }
}

#[test]
fn it_warns_first_and_any_key_and_the_lock_hide_it() {
    let asked = Journey::unlocked(&accounts()).keys("Q");
    assert!(asked.screen().contains("It holds the secret"), "{}", asked.screen());
    assert!(asked.keys("x").session().modal.is_none());
    let shown = Journey::unlocked(&accounts()).keys("Q<enter>");
    assert!(matches!(shown.session().modal, Some(Modal::Qr(_, Some(_)))));
    assert!(shown.keys("x").session().modal.is_none());
    let locked = Journey::unlocked(&accounts()).keys("Q<enter>").seconds(301);
    assert!(locked.screen().contains("otpanel is locked"));
}

#[test]
fn a_screen_that_is_too_small_says_what_is_needed() {
    let screen = Journey::unlocked(&accounts()).size(40, 10).keys("Q<enter>").screen();
    assert!(screen.contains("needs 45 x 23") && screen.contains("has 40 x 10"), "{screen}");
}
