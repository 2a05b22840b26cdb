//! QR codes: shown, written, read again; and what the clipboard holds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::home::{Home, finish, link};
use crate::support::displays::XServer;
use crate::support::{LIMIT, answer, installed, wait_until};

fn with_accounts(n: u8) -> Home {
    let home = Home::with_vault();
    let links: Vec<String> = (0..n).map(|n| link("GitHub", &format!("user{n}"), n)).collect();
    home.import(&links.iter().map(String::as_str).collect::<Vec<_>>());
    home
}

#[test]
fn an_account_goes_through_a_picture_into_another_vault() {
    let (from, to) = (with_accounts(2), Home::with_vault());
    let picture = to.path("code.png");
    let out = picture.to_str().expect("a path");
    let ran = from.run(&["qr", "user1", "--out", out]);
    assert!(ran.err.contains("the secret lies open"), "{}", ran.err);
    ran.ok();
    assert_eq!(fs::metadata(&picture).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(from.run(&["qr", "user0", "--out", out]).fails(2).contains("Replacing"), "a file gives way only to a yes");
    let added = to.run(&["add", "--qr", out, "--account", "me", "--json"]).json();
    assert_eq!((added["issuer"].as_str(), added["account"].as_str()), (Some("GitHub"), Some("me")));
    let codes = |home: &Home, query: &str| home.run(&["code", query]).ok();
    // The second may pass between the two.
    assert!((0..3).any(|_| codes(&from, "user1") == codes(&to, "me")));
}

#[test]
fn a_code_is_drawn_after_a_yes_and_for_one_sure_account_only() {
    let home = with_accounts(12);
    assert!(home.run(&["qr", "user1"]).fails(2).contains("--yes"));
    let drawn = home.run(&["qr", "user11", "--yes"]).ok();
    let widths: Vec<usize> = drawn.lines().map(|line| line.chars().count()).collect();
    assert!(widths.len() > 15 && widths.iter().all(|w| *w == widths[0]), "{drawn}");
    assert!(drawn.chars().all(|c| "█▀▄ \n".contains(c)), "plain blocks where no terminal is");
    home.run(&["qr", "user", "--yes"]).fails(3);
    home.run(&["qr", "usr11", "--yes"]).fails(3);
}

#[test]
fn all_accounts_go_to_a_phone_in_a_few_codes() {
    let home = with_accounts(12);
    let ran = home.run(&["export", "--format", "google", "--qr", "--out", "codes.png"]);
    assert!(ran.err.contains("Exported 12 accounts"), "{}", ran.err);
    ran.ok();
    let to = Home::with_vault();
    for n in 1..=2 {
        let picture = home.path(&format!("codes-{n}.png"));
        to.run(&["import", picture.to_str().expect("a path")]).ok();
    }
    assert_eq!(to.accounts(), home.accounts());
    assert!(home.run(&["export", "--format", "aegis", "--qr"]).fails(2).contains("not shown as QR codes"));
    let several = home.path("codes-1.png");
    let err = to.run(&["add", "--qr", several.to_str().expect("a path")]).fails(2);
    assert!(err.contains("holds 10 accounts") && err.contains("otpanel import"), "{err}");
}

#[test]
fn text_and_pictures_come_from_the_clipboard() {
    if !installed(&["Xvfb", "xclip"]) {
        return;
    }
    let (home, x) = (with_accounts(1), XServer::start());
    home.run(&["qr", "user0", "--out", "code.png"]).ok();
    let copy = |kind: &str, bytes: &[u8]| {
        let mut xclip = x.command("xclip", home.root());
        xclip.args(["-selection", "clipboard", "-t", kind, "-i"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = xclip.stderr(Stdio::null()).spawn().expect("xclip starts");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), bytes).expect("it reads");
        child.wait().expect("it ends");
        // It goes on in the background, and may not have taken the clipboard yet.
        let kinds = || {
            let mut ask = x.command("xclip", home.root());
            answer(ask.args(["-selection", "clipboard", "-o", "-t", "TARGETS"]))
        };
        assert!(wait_until(LIMIT, || kinds().contains(kind)), "{kind} is copied: {}", kinds());
    };
    let run = |to: &Home, args: &[&str]| {
        let mut command: Command = to.command(args);
        let display =
            x.command("true", home.root()).get_envs().find_map(|(k, v)| (k == "DISPLAY").then_some(v?.to_owned()));
        command.env("DISPLAY", display.expect("a display"));
        finish(&mut command, b"")
    };
    let to = Home::with_vault();
    copy("image/png", &fs::read(home.path("code.png")).expect("there"));
    assert_eq!(run(&to, &["add", "--clipboard", "--json"]).json()["account"], "user0");
    copy("UTF8_STRING", format!("{}\n{}", link("A", "one", 7), link("B", "two", 8)).as_bytes());
    assert_eq!(run(&to, &["import", "--clipboard", "--json"]).json()["added"], 2);
    assert_eq!(to.accounts(), ["one", "two", "user0"]);
    copy("image/png", b"no picture");
    assert!(run(&to, &["add", "--clipboard"]).fails(1).contains("clipboard"));
}

#[test]
fn without_a_clipboard_it_is_told() {
    let home = Home::with_vault();
    for command in ["add", "import"] {
        let err = home.run(&[command, "--clipboard"]).fails(1);
        assert!(err.contains("There is no clipboard here") && err.contains("stdin"), "{err}");
    }
}
