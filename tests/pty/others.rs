//! What other devices on the same keychain write: an open panel has it within seconds, comes to rest, and leaves what is
//! nobody's business alone.

use std::ffi::OsStr;
use std::thread;
use std::time::Duration;

use crate::home::{Home, PASSWORD, link, secret};
use crate::panel::Panel;
use crate::quiet::idle_second;
use crate::support::calls::calls;
use crate::support::{Session, installed};

const NEEDS: &[&str] = &["dbus-daemon", "dbus-send", "dbus-monitor", "gnome-keyring-daemon"];
/// Longer than gathering, distance and rounds take, and much shorter than the regular look.
const SOON: Duration = Duration::from_secs(25);
/// Longer than any look that follows from something takes to begin.
const REST: Duration = Duration::from_secs(9);

/// Two homes with one vault, backed up to one keyring: as two machines are that share one, or two profiles.
struct Two {
    session: Session,
    one: Home,
    other: Home,
}

impl Two {
    fn start() -> Option<Self> {
        if !installed(NEEDS) {
            return None;
        }
        let mut session = Session::start();
        session.keyring(Some("pw"));
        let one = Home::at(session.home.path());
        one.put_vault();
        let dir = session.home.path().join("second");
        std::fs::create_dir_all(&dir).unwrap();
        let other = Home::at(&dir);
        other.put_vault();
        Some(Self { session, one, other })
    }

    fn bus(&self) -> [(&'static str, &OsStr); 1] {
        [("DBUS_SESSION_BUS_ADDRESS", OsStr::new(&self.session.address))]
    }

    /// A panel whose backup is done.
    fn panel(&self, home: &Home) -> Panel {
        let mut panel = Panel::start_with(home, &[], &self.bus());
        panel.see("password");
        panel.press(PASSWORD).press("\r");
        panel.see("backed up just now");
        panel
    }

    /// A command line in a home adds an account, and backs it up.
    fn add(&self, home: &Home, issuer: &str, letter: char) {
        home.run_with(&["import", "--yes", "-"], &link(issuer, "ada", &secret(letter)), &self.bus());
    }

    /// What is called at the keychain's daemon while `act` runs.
    fn called(&self, act: impl FnOnce()) -> Vec<String> {
        let heard = calls(|program| self.session.command(program), act);
        let calls = heard.lines().filter_map(|line| line.split("member=").nth(1));
        calls.map(str::to_owned).collect()
    }
}

/// How often a secret was read: every look reads some.
fn reads(calls: &[String]) -> usize {
    calls.iter().filter(|member| *member == "GetSecret").count()
}

/// How often others were told of something written.
fn told(calls: &[String]) -> usize {
    calls.iter().filter(|member| *member == "Set").count()
}

#[test]
fn a_panel_that_has_written_to_the_keyring_is_as_quiet_as_before() {
    let Some(two) = Two::start() else { return };
    let panel = two.panel(&two.one);
    thread::sleep(REST);
    idle_second(&panel);
    panel.quit();
}

#[test]
fn what_another_device_writes_is_in_an_open_panel_within_seconds_and_both_come_to_rest() {
    let Some(two) = Two::start() else { return };
    let panel = two.panel(&two.one);
    let second = two.panel(&two.other);
    // Both have met: whatever their first rounds brought each other is settled.
    thread::sleep(REST);
    let mut took = Duration::ZERO;
    let calls = two.called(|| {
        two.add(&two.other, "Hetzner", 'D');
        took = panel.see_within(SOON, "Hetzner");
        panel.see_within(SOON, "✓ 3 backed up");
        second.see_within(SOON, "✓ 3 backed up");
        thread::sleep(REST);
    });
    println!("there after {took:?}; {} words and {} secrets read", told(&calls), reads(&calls));
    // The writer's word, and that of the other, which keeps the account from now on too.
    assert_eq!(told(&calls), 2, "{calls:?}");
    let calls = two.called(|| thread::sleep(REST));
    assert!(calls.is_empty(), "at rest nobody asks for anything: {calls:?}");
    panel.quit();
    second.quit();
}

#[test]
fn what_other_programs_write_starts_no_look_and_own_writes_start_none() {
    let Some(two) = Two::start() else { return };
    let mut panel = two.panel(&two.one);
    thread::sleep(REST);
    // The key of a vault that the keychain opens is an item like any other program's.
    let elsewhere = two.session.home.path().join("third");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let third = Home::at(&elsewhere);
    let init = ["init", "--unlock", "keychain", "--no-backup", "--recovery-key-file", "recovery"];
    third.run_with(&init, "", &two.bus());
    let calls = two.called(|| {
        two.session.count_up("otpanel", 5);
        thread::sleep(REST);
    });
    assert_eq!((told(&calls), reads(&calls)), (5, 0), "{calls:?}");

    let calls = two.called(|| {
        panel.paste(&link("Hetzner", "ada", &secret('D')));
        panel.see("Add an account");
        panel.press("\r");
        panel.see_within(SOON, "✓ 3 backed up");
        thread::sleep(REST);
    });
    assert_eq!(told(&calls), 1, "{calls:?}");
    let once = reads(&calls);
    println!("a change of one's own: {once} secrets read");
    let calls = two.called(|| thread::sleep(REST));
    assert!(calls.is_empty(), "its own word starts nothing: {calls:?}");
    panel.quit();
}

#[test]
fn a_bus_that_is_killed_is_told_of_the_panel_goes_on_and_hears_the_next_bus() {
    let Some(mut two) = Two::start() else { return };
    let mut panel = two.panel(&two.one);
    thread::sleep(REST);
    two.session.kill_bus();
    // Nobody presses a key.
    let took = panel.see_within(SOON, "no keychain");
    println!("told after {took:?}");
    panel.press("f");
    panel.see("is a favourite");
    panel.press("b");
    panel.see("No session bus is running here");
    panel.press("q");
    two.session.start_bus();
    two.session.keyring(Some("pw"));
    // Whoever is back looks at once; nobody else for a minute.
    let took = panel.see_within(Duration::from_secs(75), "✓ 2 backed up");
    println!("back after {took:?}");
    two.add(&two.other, "Hetzner", 'D');
    panel.see_within(SOON, "Hetzner");
    panel.quit();
}

#[test]
fn what_a_sync_tool_brings_into_the_folder_is_in_an_open_panel_within_seconds_and_costs_no_wake() {
    let home = Home::with_vault();
    std::fs::create_dir_all(home.path("second")).unwrap();
    let (other, sync) = (Home::at(&home.path("second")), home.path("sync"));
    other.put_vault();
    let enable = ["backup", "enable", "--folder", sync.to_str().unwrap()];
    home.run(&enable, "");
    other.run(&enable, "");
    let panel = Panel::opened(&home, &[]);
    panel.see("backed up just now · folder");
    thread::sleep(REST);
    idle_second(&panel);
    other.run(&["import", "--yes", "-"], &link("Hetzner", "ada", &secret('D')));
    let took = panel.see_within(SOON, "Hetzner");
    println!("there after {took:?}");
    panel.see_within(SOON, "✓ 3 backed up");
    thread::sleep(REST);
    // What it writes itself starts no look: nothing moves any more.
    idle_second(&panel);
    panel.quit();
}

#[test]
fn an_ear_at_the_keychain_costs_no_wake_and_hears_the_next_daemon() {
    let Some(mut two) = Two::start() else { return };
    // Backed up already: the library that writes keeps a thread that wakes, once it was needed.
    two.one.run_with(&["backup", "now"], "", &two.bus());
    let panel = two.panel(&two.one);
    thread::sleep(REST);
    idle_second(&panel);
    two.session.kill_keyring();
    two.session.keyring(Some("pw"));
    two.add(&two.other, "Hetzner", 'D');
    panel.see_within(SOON, "Hetzner");
    panel.quit();
}
