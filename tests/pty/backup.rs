//! The backup by itself: a real gnome-keyring, a folder, a second machine, and what is said where nothing can be kept.

use std::ffi::OsStr;
use std::process::Command;

use crate::home::{Home, PASSWORD, link, secret};
use crate::panel::Panel;
use crate::start::codes_are_right;
use crate::support::{Session, installed, output};

const NEEDS: &[&str] = &["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];

/// A panel on a session's bus.
pub fn start(session: &Session, home: &Home) -> Panel {
    Panel::start_with(home, &[], &[("DBUS_SESSION_BUS_ADDRESS", OsStr::new(&session.address))])
}

/// A panel that the keychain opens: nothing is typed. Where the machine lets the keychain answer in time, nothing is asked
/// either; one of some starts must show that.
#[track_caller]
pub fn opens_by_keychain(session: &Session, home: &Home) -> Panel {
    for _ in 0..8 {
        let panel = start(session, home);
        panel.see("octo@example.com");
        if !panel.said(b"password") {
            return panel;
        }
        panel.quit();
    }
    panic!("it asked for the password each time");
}

/// A session whose keyring is unlocked, and a home with a vault of two accounts in it; none where the tools are missing.
pub fn unlocked_session() -> Option<(Session, Home)> {
    if !installed(NEEDS) {
        return None;
    }
    let mut session = Session::start();
    session.keyring(Some("pw"));
    let home = Home::at(session.home.path());
    home.put_vault();
    Some((session, home))
}

/// A panel that its password has opened.
fn opened(session: &Session, home: &Home) -> Panel {
    let mut panel = start(session, home);
    panel.see("password");
    panel.press(PASSWORD).press("\r");
    panel
}

/// Adds an account by pasting its link.
fn add(panel: &mut Panel, issuer: &str, account: &str, letter: char) {
    panel.paste(&link(issuer, account, &secret(letter)));
    panel.see("Add an account");
    panel.press("\r");
}

/// Another machine of the same user: another home, the same keyring.
fn second(session: &Session) -> Home {
    let dir = session.home.path().join("second");
    std::fs::create_dir_all(&dir).unwrap();
    Home::at(&dir)
}

/// What `backup status` says, on the session's bus.
fn status(session: &Session, home: &Home) -> String {
    let mut command: Command = home.command(crate::home::PROGRAM);
    command.env("DBUS_SESSION_BUS_ADDRESS", &session.address);
    output(command.arg("--password-file").arg(home.path("pw")).args(["backup", "status", "--json"]))
}

#[test]
fn a_change_reaches_the_keychain_by_itself_and_a_new_machine_gets_everything_back() {
    let Some((session, home)) = unlocked_session() else { return };
    let mut panel = opened(&session, &home);
    panel.see("octo@example.com");
    // The first round by itself, with the notice that is given once.
    panel.see("✓ 2 backed up just now · this computer");
    panel.see("backed up: 2 accounts, sealed, in this computer's keychain");
    add(&mut panel, "Hetzner", "K0815", 'D');
    panel.see("✓ 3 backed up just now");
    // Left right after a change: it is flushed.
    add(&mut panel, "Mastodon", "ada", 'E');
    panel.see("Mastodon");
    panel.quit();
    let said = status(&session, &home);
    assert!(said.contains(r#""accounts":4,"pending":0"#), "{said}");

    // A new machine: the backup is sealed under the password, since no keychain opens the vault.
    let new = second(&session);
    let mut panel = start(&session, &new);
    panel.see("A backup lies in this session's keychain");
    panel.press("\r");
    panel.see("recovery key:");
    panel.press("not this one").press("\r");
    panel.see("that is not its password or recovery key");
    panel.press(PASSWORD).press("\r");
    panel.see("4 accounts from");
    panel.press("\r");
    panel.see("4 accounts are here again");
    codes_are_right(&panel);
    panel.see("✓ 4 backed up just now");
    panel.quit();

    // What the one adds the other has after its next look; the notice is not given again.
    let mut panel = opened(&session, &home);
    panel.see("✓ 4 backed up just now");
    assert!(!panel.screen().contains("in this computer's keychain"), "{}", panel.screen());
    panel.press("b");
    panel.see("(this one)");
    panel.press("v");
    panel.see("verified      keychain: all");
    panel.press("q");
    panel.see("All 4");
    panel.quit();
}

#[test]
fn what_is_known_of_the_backup_stands_there_with_the_first_codes() {
    let home = Home::with_vault();
    let mut command: Command = home.command(crate::home::PROGRAM);
    let off = command.arg("--password-file").arg(home.path("pw")).args(["backup", "disable", "--yes"]).status();
    assert!(off.unwrap().success());
    let mut panel = Panel::start(&home);
    panel.see("password");
    panel.press(PASSWORD).press("\r");
    panel.see("octo@example.com");
    assert!(panel.row("otpanel ·").contains("backup off"), "{}", panel.screen());
    panel.quit();
}

#[test]
fn what_cannot_be_backed_up_is_told_and_never_blocks() {
    let Some((mut session, home)) = unlocked_session() else { return };
    let mut panel = opened(&session, &home);
    panel.see("✓ 2 backed up just now");
    session.lock();
    add(&mut panel, "Hetzner", "K0815", 'D');
    panel.see("! 1 waiting: keychain locked");
    codes_are_right(&panel);
    // The daemon dies: no round, no frozen screen, and leaving is quick.
    session.kill_keyring();
    panel.press("f");
    panel.press("b");
    panel.see("No Secret Service answers");
    panel.press("q");
    panel.see("! 1 waiting: no keychain");
    panel.quit();
}

/// A vault with two accounts, opened where no keychain is, with the backup screen in view.
fn without_a_keychain() -> (Home, Panel) {
    let home = Home::with_vault();
    let mut panel = Panel::start(&home);
    panel.see("password");
    panel.press(PASSWORD).press("\r");
    panel.see("! not backed up: no keychain");
    panel.press("b");
    panel.see("kept in");
    (home, panel)
}

/// Keeps the backup in a folder, from the backup screen.
fn keep_in_folder(panel: &mut Panel, home: &Home) -> std::path::PathBuf {
    let folder = home.path("sync");
    panel.press("f");
    panel.see("which folder");
    panel.paste(folder.to_str().unwrap());
    panel.press("\r");
    folder
}

/// A panel on a machine without a keychain that took so many accounts from a folder.
fn restored(new: &Home, folder: &std::path::Path, accounts: usize) -> Panel {
    let mut panel = Panel::start(new);
    panel.see("No vault yet.");
    panel.press("r");
    panel.see("Which folder holds the backup?");
    panel.paste(folder.to_str().unwrap());
    panel.press("\r");
    panel.see("recovery key:");
    panel.press(PASSWORD).press("\r");
    panel.see(&format!("{accounts} accounts from"));
    panel.press("\r");
    panel.see(&format!("{accounts} accounts are here again"));
    panel
}

#[test]
fn without_a_keychain_a_folder_keeps_it_and_gives_it_back() {
    let (home, mut panel) = without_a_keychain();
    let folder = keep_in_folder(&mut panel, &home);
    panel.see("backed up: 2 accounts");
    panel.press("q");
    panel.see("✓ 2 backed up just now · folder");
    panel.quit();

    let new = Home::new();
    let panel = restored(&new, &folder, 2);
    codes_are_right(&panel);
    // From now on this machine backs up there too.
    panel.see("✓ 2 backed up just now · folder");
    panel.quit();
}

#[test]
fn items_of_a_folder_that_were_spoilt_are_named_in_the_panel_and_mended_by_a_key() {
    let (home, mut panel) = without_a_keychain();
    let folder = keep_in_folder(&mut panel, &home);
    panel.see("backed up: 2 accounts");
    // Somebody's editor, or a sync tool that lost what it carried.
    let spoilt = spoil(&folder);
    assert_eq!(spoilt, 3, "a bundle, a head and a key");
    panel.press("v");
    panel.see("0 accounts can be restored, 2 lacking or older, 3 of 3");
    panel.see("is damaged, or no item of");
    panel.see("! 2 accounts lacking");
    panel.press("n");
    panel.see("backed up: 2 accounts");
    panel.see_no("is damaged");
    panel.press("v");
    panel.see("all 3 items opened, 2 accounts can be restored");
    panel.press("q");
    panel.see("✓ 2 backed up");
    panel.quit();
}

/// Overwrites every item of a folder; tells how many there were.
fn spoil(folder: &std::path::Path) -> usize {
    let entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let spoil_one = |path: &std::path::PathBuf| {
        if path.is_dir() {
            return spoil(path);
        }
        std::fs::write(path, b"rubbish").unwrap();
        1
    };
    entries.iter().map(spoil_one).sum()
}

#[test]
fn where_the_keychain_answers_no_more_a_folder_takes_its_place() {
    let Some((mut session, home)) = unlocked_session() else { return };
    let mut panel = opened(&session, &home);
    panel.see("✓ 2 backed up just now · this computer");
    session.kill_keyring();
    add(&mut panel, "Hetzner", "K0815", 'D');
    panel.see("! 1 waiting: no keychain");
    panel.press("b");
    panel.see("No Secret Service answers");
    panel.see("Or choose a folder.");
    let folder = keep_in_folder(&mut panel, &home);
    panel.see("backed up: 3 accounts");
    panel.see("wherever this folder goes");
    codes_are_right(panel.press("q"));
    panel.quit();

    // What lies there opens on a machine that has no keychain either.
    let new = Home::new();
    let panel = restored(&new, &folder, 3);
    panel.see("K0815");
    panel.quit();
}
