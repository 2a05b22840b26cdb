//! Opening by a real gnome-keyring, without typing, and what is said when it is locked.

use crate::backup::{opens_by_keychain, start};
use crate::home::{Home, PASSWORD, SECRET, link};
use crate::start::{codes_are_right, make_vault};
use crate::support::{Session, installed};

const NEEDS: &[&str] = &["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];

#[test]
fn with_the_keychain_the_second_start_needs_no_typing_and_a_locked_one_is_told() {
    if !installed(NEEDS) {
        return;
    }
    let mut session = Session::start();
    session.keyring(Some("pw"));
    let home = Home::at(session.home.path());
    let mut panel = start(&session, &home);
    panel.see("No vault yet.");
    panel.press("n");
    panel.see("no typing here");
    // Where the keychain answered before the key, its way is the one that is offered.
    panel.press("\x1b[A\x1b[A");
    panel.see("▌ Keychain and password");
    panel.see("any program of yours can ask");
    panel.press("\r");
    make_vault(&mut panel);
    panel.paste(&link("GitHub", "octo@example.com", SECRET));
    panel.see("Add an account");
    panel.press("\r");
    panel.see("octo@example.com");
    panel.quit();

    // Without typing.
    let mut panel = opens_by_keychain(&session, &home);
    codes_are_right(&panel);

    // Locked by hand it stays locked until Enter asks the keychain.
    panel.press("L");
    panel.see("otpanel is locked");
    panel.see("use the keychain");
    assert!(!panel.screen().contains("GitHub"));
    panel.press("\r");
    panel.see("octo@example.com");
    panel.quit();

    // A locked keyring: the password is asked for, with the reason.
    session.lock();
    let mut panel = start(&session, &home);
    panel.see("The keychain is locked");
    panel.see("password");
    panel.press(PASSWORD).press("\r");
    panel.see("octo@example.com");
    panel.quit();

    // Nobody there: the same.
    session.kill_keyring();
    let mut panel = start(&session, &home);
    panel.see("password");
    panel.see("No keychain answers");
    panel.press(PASSWORD).press("\r");
    panel.see("octo@example.com");
    panel.quit();
}

#[test]
fn the_keychain_alone_opens_a_vault_made_in_the_panel() {
    if !installed(NEEDS) {
        return;
    }
    let mut session = Session::start();
    session.keyring(Some("pw"));
    let home = Home::at(session.home.path());
    let mut panel = start(&session, &home);
    panel.see("No vault yet.");
    panel.press("n");
    panel.see("no typing here");
    panel.press("\x1b[A\x1b[A\x1b[B");
    panel.see("▌ Keychain alone");
    panel.press("\r");
    panel.see("shown once");
    drop(panel);

    // Left before the check, the vault is there all the same and opens.
    let panel = start(&session, &home);
    panel.see("No accounts yet.");
    panel.quit();
}
