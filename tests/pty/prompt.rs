//! The keyring's own dialog, on a real X server: raised by a key that the user pressed and by nothing else, closed, answered.

use std::ffi::OsStr;
use std::time::Duration;

use crate::home::{Home, PASSWORD, link, secret};
use crate::panel::{LIMIT, Panel};
use crate::support::displays::XServer;
use crate::support::{Session, installed, output, wait_until};

const NEEDS: &[&str] = &["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "Xvfb", "xdotool"];

/// A screen with a session whose keyring is unlocked and can show its dialog.
struct Desk {
    x: XServer,
    session: Session,
    home: Home,
}

impl Desk {
    fn new() -> Option<Self> {
        if !installed(NEEDS) {
            return None;
        }
        let x = XServer::start();
        let mut session = Session::start_on(&x);
        session.keyring(Some("pw"));
        let home = Home::at(session.home.path());
        home.put_vault();
        Some(Self { x, session, home })
    }

    /// The panel, opened by its password.
    fn panel(&self) -> Panel {
        let bus = ("DBUS_SESSION_BUS_ADDRESS", OsStr::new(&self.session.address));
        let mut panel = Panel::start_with(&self.home, &[], &[bus, ("DISPLAY", OsStr::new(&self.x.display))]);
        panel.see("password");
        panel.press(PASSWORD).press("\r");
        panel
    }

    fn xdotool(&self, args: &[&str]) -> String {
        output(self.x.command("xdotool", self.session.home.path()).args(args))
    }

    fn dialogs(&self) -> usize {
        self.xdotool(&["search", "--onlyvisible", "--class", "gcr-prompter"]).lines().count()
    }

    /// Waits for the dialog, and gives it keys until it is gone: it takes them a moment after it is there.
    fn answer(&self, keys: &[&[&str]]) {
        assert!(wait_until(LIMIT, || self.dialogs() > 0), "the keyring asks");
        let gone = || {
            std::thread::sleep(Duration::from_millis(700));
            for keys in keys {
                self.xdotool(keys);
            }
            wait_until(Duration::from_secs(3), || self.dialogs() == 0)
        };
        assert!(wait_until(LIMIT, gone), "it takes the keys {keys:?}");
    }
}

#[test]
fn the_keyrings_dialog_is_raised_by_a_key_alone_and_may_be_closed_or_answered() {
    let Some(desk) = Desk::new() else { return };
    let mut panel = desk.panel();
    panel.see("✓ 2 backed up just now");
    desk.session.lock();
    // What is saved meanwhile waits: no dialog.
    panel.paste(&link("Hetzner", "K0815", &secret('D')));
    panel.see("Add an account");
    panel.press("\r");
    panel.see("! 1 waiting: keychain locked");
    assert_eq!(desk.dialogs(), 0, "nobody pressed a key for it");
    // Nor for looking at how it stands.
    panel.press("b");
    panel.see("The keychain is locked");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(desk.dialogs(), 0, "a look raises none");
    // A key does; closed, it is told and the panel goes on.
    panel.press("n");
    desk.answer(&[&["key", "Escape"]]);
    panel.see("not backed up");
    assert_eq!(desk.dialogs(), 0, "closed for good");
    // Answered, the same key gets everything there.
    panel.press("n");
    desk.answer(&[&["key", "ctrl+a"], &["type", "pw"], &["key", "Return"]]);
    panel.see("backed up: 3 accounts");
    panel.press("q");
    panel.see("✓ 3 backed up just now");
    panel.quit();
}
