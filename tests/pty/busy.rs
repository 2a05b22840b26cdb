//! Everything that can be slow is slow at once, and the panel answers keys all the same: a key derivation of a gibibyte, a
//! keychain that takes calls and answers none, a clipboard's command that never ends.

use std::ffi::OsStr;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::home::{Home, SECRET, link, secret};
use crate::panel::{LIMIT, Panel};
use crate::support::{Session, installed, wait_until};

const NEEDS: &[&str] = &["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];
/// How soon a key must be seen.
const SOON: Duration = Duration::from_millis(50);
const KEYS: usize = 40;

/// An export of Ente Auth whose key takes 1 GiB and a while; that no password opens it is found at the end alone.
const EXPORT: &str = r#"{"version":1,"kdfParams":{"memLimit":1073741824,"opsLimit":4,
    "salt":"AAECAwQFBgcICQoLDA0ODw=="},"encryptedData":"AAECAwQFBgcICQoLDA0ODw==",
    "encryptionNonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"}"#;

/// KiB that the process has resident.
fn resident(panel: &Panel) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", panel.pid().as_raw_nonzero())).unwrap();
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok()).unwrap()
}

/// How long keys take to be seen, the slowest last: the selection moves between two rows.
fn times(panel: &mut Panel) -> Vec<Duration> {
    let mut all = Vec::new();
    for n in 0..KEYS {
        let (key, row) = if n % 2 == 0 { ("j", "▌GitLab") } else { ("k", "▌GitHub") };
        let pressed = Instant::now();
        panel.press(key);
        let end = pressed + LIMIT;
        while panel.row("▌") != panel.row(row) || panel.row(row).is_empty() {
            assert!(Instant::now() < end, "{key} was not seen:\n{}", panel.screen());
            thread::sleep(Duration::from_millis(1));
        }
        all.push(pressed.elapsed());
        thread::sleep(Duration::from_millis(25));
    }
    all.sort_unstable();
    all
}

#[test]
fn a_derivation_a_silent_keychain_and_a_dead_clipboard_at_once_delay_no_key() {
    if !installed(NEEDS) {
        return;
    }
    let mut session = Session::start();
    session.keyring(Some("pw"));
    let home = Home::at(session.home.path());
    let address = session.address.clone();
    let bus = [("DBUS_SESSION_BUS_ADDRESS", OsStr::new(&address))];
    home.settings("clipboard: (method: Command([\"sleep\", \"60\"]))");
    home.run_with(&["init", "--unlock", "both", "--recovery-key-file", "recovery"], "", &bus);
    let links = [link("GitHub", "octo@example.com", SECRET), link("GitLab", "ada", &secret('C'))];
    home.run_with(&["import", "--yes", "-"], &links.join("\n"), &bus);
    home.write("ente.json", EXPORT);
    let mut panel = Panel::start_with(&home, &[], &bus);
    panel.see("▌GitHub");

    session.signal_keyring(Signal::STOP);
    // The derivation, left to itself in the middle.
    panel.press("i");
    panel.see("Which file?");
    panel.press(home.path("ente.json").to_str().unwrap()).press("\r");
    panel.see("is encrypted");
    panel.press("some password\r");
    panel.see("reading");
    assert!(wait_until(LIMIT, || resident(&panel) > 300 << 10), "the derivation runs");
    panel.press("\x1b");
    panel.see("Which file?");
    panel.press("\x1b");
    panel.see("▌GitHub");
    // The backup asks a keychain that is silent, and the clipboard's command takes a text and does not end.
    panel.press("b");
    panel.see("not stored");
    panel.press("n\x1b");
    panel.see("▌GitHub");
    panel.press("\r");

    let times = times(&mut panel);
    let derives = resident(&panel) > 300 << 10;
    let (median, most) = (times[KEYS / 2], times[KEYS - 1]);
    println!("from key to screen: median {median:?}, 9 of 10 within {:?}, at most {most:?}", times[KEYS * 9 / 10]);
    assert!(derives, "the derivation ended before it could be in the way");
    // One key in ten may meet a machine that is busy with something else.
    assert!(times[KEYS * 9 / 10] < SOON, "{times:?}");
    // To lock and to leave waits for none of them for long.
    let asked = Instant::now();
    panel.press("L");
    panel.see("otpanel is locked");
    assert!(asked.elapsed() < Duration::from_secs(1), "locked after {:?}", asked.elapsed());
    session.signal_keyring(Signal::CONT);
}
