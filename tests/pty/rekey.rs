//! New keys of the vault on a real gnome-keyring: made elsewhere and taken up by an open panel, and made in the panel.

use std::ffi::OsStr;
use std::process::Command;

use otpanel::secret::Secret;
use otpanel::unlock;
use otpanel::vault::envelope::Locked;

use crate::backup::{opens_by_keychain, start, unlocked_session};
use crate::home::{Home, PASSWORD, PROGRAM, link, secret};
use crate::panel::Panel;
use crate::start::written_down;
use crate::support::Session;

/// What a command on the session's bus answers, with the password on the side.
#[track_caller]
fn run(session: &Session, home: &Home, args: &[&str], stdin: &str) -> String {
    home.run_with(args, stdin, &[("DBUS_SESSION_BUS_ADDRESS", OsStr::new(&session.address))])
}

#[test]
fn a_panel_takes_up_a_key_that_was_made_elsewhere_through_the_keychain() {
    let Some((session, home)) = unlocked_session() else { return };
    run(&session, &home, &["vault", "slots", "add", "keychain"], "");
    let mut panel = opens_by_keychain(&session, &home);
    run(&session, &home, &["vault", "rekey", "--yes", "--recovery-key-file", "second"], "");
    // It is open still, reads what is written under the new key, and writes so that the new key opens it.
    run(&session, &home, &["import", "--yes", "-"], &link("Hetzner", "K0815", &secret('D')));
    panel.see("K0815");
    panel.press("f");
    panel.see("★ 1");
    panel.quit();
    assert!(run(&session, &home, &["list", "--json"], "").contains(r#""favourite":true"#));
}

#[test]
fn a_panel_without_the_new_key_locks_and_asks_for_the_password() {
    let Some((session, home)) = unlocked_session() else { return };
    let mut panel = Panel::opened(&home, &[]);
    home.run(&["vault", "rekey", "--yes", "--recovery-key-file", "second"], "");
    panel.see("otpanel is locked");
    panel.press(PASSWORD).press("\r");
    panel.see("octo@example.com");
    panel.quit();
    drop(session);
}

#[test]
fn the_keychain_is_let_in_and_taken_away_from_the_panel() {
    let Some((session, home)) = unlocked_session() else { return };
    let mut first = start(&session, &home);
    first.see("password");
    first.press(PASSWORD).press("\r");
    first.see("octo@example.com");
    first.press(":keychain\r");
    first.see("Let this computer's keychain open the vault");
    first.press("\r");
    first.see("keychain opens the vault from now on");
    first.quit();
    let mut second = opens_by_keychain(&session, &home);
    second.press(":keychain\r");
    second.see("keychain opens the vault. Take");
    second.press("\r");
    second.see("opens the vault no more");
    second.quit();
    let third = start(&session, &home);
    third.see("password");
    assert!(!third.screen().contains("octo"));
}

#[test]
fn a_lost_computer_is_forgotten_under_new_keys_made_in_the_panel() {
    let Some((session, home)) = unlocked_session() else { return };
    run(&session, &home, &["vault", "slots", "add", "keychain"], "");
    run(&session, &home, &["backup", "now"], "");
    // The lost computer had the same keychain and a vault of its own.
    let dir = session.home.path().join("lost");
    std::fs::create_dir_all(&dir).unwrap();
    let lost = Home::at(&dir);
    run(&session, &lost, &["backup", "restore", "--yes"], "");
    run(&session, &lost, &["backup", "now"], "");
    let before = std::fs::read(home.vault()).unwrap();

    let mut panel = start(&session, &home);
    panel.see("backed up just now");
    panel.press("b");
    panel.see("(this one)");
    // Which of the two comes first is chance.
    let devices: Vec<String> = panel.rows().into_iter().filter(|row| row.contains(" accounts  ")).collect();
    let at = devices.iter().position(|row| !row.contains("(this one)")).expect("the lost one");
    panel.press(&"\x1b[B".repeat(at)).press("x");
    panel.see("new keys, then forget it");
    panel.press("k");
    panel.see("which stays");
    panel.press(PASSWORD).press("\r");
    let recovery = written_down(&mut panel);
    panel.see("forgotten");
    panel.see("kept in");
    panel.press("q");
    panel.see("✓ 2 backed up");
    // It goes on, and what it saves opens by all that is to open it.
    panel.press("f");
    panel.see("★ 1");
    panel.quit();
    std::fs::write(home.path("recovery"), &recovery).unwrap();
    let open_by = |key: Option<&str>, vault: &str| {
        let mut command: Command = home.command(PROGRAM);
        command.env("DBUS_SESSION_BUS_ADDRESS", &session.address).args(["--vault", vault, "list"]);
        if let Some(key) = key {
            command.env_remove("DBUS_SESSION_BUS_ADDRESS").args(["--password-file", key]);
        }
        command.output().unwrap().status.success()
    };
    let vault = home.vault().display().to_string();
    assert!(open_by(None, &vault), "by the keychain, without typing");
    assert!(open_by(Some("pw"), &vault) && open_by(Some("recovery"), &vault));
    // Only this computer's items are left, and all of them open.
    let devices = run(&session, &home, &["backup", "devices", "--json"], "");
    assert_eq!(devices.matches(r#""id""#).count(), 1, "{devices}");
    let verified = run(&session, &home, &["backup", "verify", "--json"], "");
    assert!(verified.contains(r#""lacking":0"#) && verified.contains(r#""unread":0"#), "{verified}");
    // What the lost computer has opens nothing that is written since.
    let old = unlock::with_password(&Locked::parse(before).unwrap(), &Secret::new(PASSWORD.to_owned())).unwrap();
    let new = Locked::parse(std::fs::read(home.vault()).unwrap()).unwrap();
    assert!(new.open_with(old.data_key()).is_err());
}
