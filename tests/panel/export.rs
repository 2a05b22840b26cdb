//! Exports from the panel, to real files.

use std::fs;

use otpanel::secret::Secret;
use otpanel::transfer::{self, Source};

use crate::harness::{Journey, accounts};

/// A panel with a folder to write to; the format of this place in the list is chosen.
fn choosing(word: &str) -> (tempfile::TempDir, Journey) {
    let home = tempfile::tempdir().expect("a folder");
    let mut journey = Journey::unlocked(&accounts()).keys("xgkkkkkkkkkkkkkk");
    let chosen = |journey: &Journey| {
        journey.screen().lines().find(|line| line.starts_with('▌')).expect("one is chosen").contains(word)
    };
    while !chosen(&journey) {
        journey = journey.keys("<down>");
    }
    (home, journey.keys("<enter>"))
}

fn to(home: &tempfile::TempDir, journey: Journey, name: &str) -> Journey {
    let path = home.path().join(name);
    journey.keys("<ctrl-u>").paste(path.to_str().expect("text")).keys("<enter>")
}

#[test]
fn a_sealed_export_takes_its_password_twice_and_comes_back_with_it() {
    let (home, journey) = choosing("Aegis");
    insta::assert_snapshot!("export_password_80x24", journey.styled());
    let journey = journey.keys("hunter two<enter>").keys("hunter too<enter>");
    assert!(journey.screen().contains("These two differ"), "{}", journey.screen());
    assert!(!journey.screen().contains("hunter"), "a password is never shown");
    let journey = journey.keys("hunter two<enter>").keys("hunter two<enter>");
    assert!(journey.screen().contains("~/otpanel-aegis.json"), "{}", journey.screen());
    let journey = to(&home, journey, "out.json");
    assert!(journey.session().modal.is_none(), "{}", journey.screen());
    assert!(journey.screen().contains("8 accounts exported to "), "{}", journey.screen());
    let bytes = fs::read(home.path().join("out.json")).expect("it was written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(home.path().join("out.json")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "for its owner alone");
    }
    assert!(!String::from_utf8_lossy(&bytes).contains("JBSWY3DP"), "sealed");
    let password = Secret::new(String::from("hunter two"));
    let back = transfer::import(Source { password: Some(&password), ..Source::new(&bytes) }).expect("it opens");
    assert_eq!(back.entries.len(), 8);
}

#[test]
fn an_open_one_warns_first_and_nothing_gives_way_without_a_yes() {
    let (home, journey) = choosing("otpauth list");
    fs::write(home.path().join("out.txt"), "mine").expect("written");
    let journey = to(&home, journey, "out.txt");
    assert!(journey.screen().contains("Every secret lies open in "), "{}", journey.screen());
    let journey = journey.keys("<enter>");
    assert!(journey.screen().contains("Every secret lies open in "), "Enter is no yes");
    let journey = journey.keys("y");
    assert!(journey.screen().contains("─ Replace ─"), "{}", journey.screen());
    let journey = journey.keys("<esc>");
    assert_eq!(fs::read(home.path().join("out.txt")).expect("there"), b"mine");
    let journey = journey.keys("<enter>y").keys("y");
    assert!(journey.screen().contains("its secrets lie open"), "{}", journey.screen());
    let text = fs::read_to_string(home.path().join("out.txt")).expect("there");
    assert!(text.lines().count() == 8 && text.contains("secret=JBSWY3DPEHPK3PXP"), "{text}");
    assert_eq!(fs::read_dir(home.path()).expect("there").count(), 1, "nothing else is left");
}

#[test]
fn what_cannot_be_written_says_why_at_the_path() {
    let (home, journey) = choosing("otpauth list");
    let journey = to(&home, journey, "no/such/folder.txt").keys("y");
    assert!(journey.screen().contains("cannot be written"), "{}", journey.screen());
    let journey = journey.keys("<ctrl-u><enter>");
    assert!(journey.screen().contains("A file needs a name."), "{}", journey.screen());
    let journey = journey.paste(home.path().to_str().expect("text")).keys("<enter>y");
    assert!(journey.screen().contains("is not a file"), "{}", journey.screen());
    assert!(journey.keys("<esc><esc>").session().modal.is_none());
}

#[test]
fn what_the_format_does_not_hold_is_named_and_a_tab_alone_can_leave() {
    let (home, journey) = choosing("Proton Authenticator");
    let journey = to(&home, journey.keys("password<enter>").keys("password<enter>"), "all.json");
    let screen = journey.screen();
    assert!(screen.contains("left out HOTP token (bank)"), "{screen}");
    assert!(screen.contains("does not hold favourite marks (1 account)"), "{screen}");
    let journey = Journey::unlocked(&accounts()).keys("t").keys("work<enter>").keys("<tab><tab>x");
    assert!(journey.screen().contains("3 accounts of work"), "{}", journey.screen());
}

#[test]
fn a_policy_that_forbids_it_lets_nothing_leave_but_the_personal_ones() {
    let journey = crate::managed::mixed(crate::managed::CONTOSO).keys("x");
    assert!(journey.session().modal.is_none(), "{}", journey.screen());
    assert!(journey.screen().contains("Contoso"), "{}", journey.screen());
    let journey = journey.keys("<tab><tab>x");
    assert!(journey.screen().contains("5 accounts, the personal ones"), "{}", journey.screen());
}
