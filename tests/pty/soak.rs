//! A panel that is left open all day: keys, resizes, files that change, a keychain that stalls, dies and comes back. In the
//! end it holds no more memory, descriptors or threads than at first, and its codes were right all along.
//!
//! Ignored unless asked for (`tests/run --long` or `--soak MINUTES`), since it takes its time: an hour, or as many minutes
//! as `OTPANEL_TEST_SOAK` says.

use std::ffi::OsStr;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use otpanel::entropy;
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::unlock;
use otpanel::vault::{DeviceId, Place, Unlocked, Value, field};
use rustix::process::Signal;

use crate::home::{Home, PASSWORD, SECRET, link, oathtool, secret};
use crate::numbers::Numbers;
use crate::panel::{LIMIT, Panel};
use crate::support::{Session, installed, wait_until};

const NEEDS: &[&str] = &["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "oathtool"];
/// How often it is brought to rest, measured and its codes compared.
const ROUND: Duration = Duration::from_secs(30);
/// KiB that the resident memory may differ by between two quiet moments that are alike: a page here and there.
const NOISE: u64 = 1024;

/// No lock by itself, and a clipboard that is there.
const SETTINGS: &str =
    "idle_lock_secs: 0, clipboard: (method: Command([\"sh\", \"-c\", \"cat > /dev/null\"]), clear_secs: 2)";

/// What a user does with a list, each a whole gesture that ends where it began; `⎋` is the key Esc by itself. Nothing that
/// leaves the panel, and nothing that takes the accounts away which are compared.
const GESTURES: [&str; 36] = [
    "j",
    "k",
    "G",
    "g",
    "\x1b[B",
    "\x1b[6~",
    "\x1b[5~",
    "\t",
    "\x1b[Z",
    "o",
    "n",
    "hh",
    "zz",
    "zj⎋",
    "f",
    "u",
    "\r",
    "C",
    "c",
    "r",
    "/git⎋",
    "/zzz⎋",
    "/git\r",
    "?\x1b[6~⎋",
    ":sor⎋",
    "b⎋",
    "H⎋",
    "H\t⎋",
    "Q⎋",
    "aHalf\tof it⎋⎋",
    "e⎋⎋",
    "t⎋",
    "d⎋",
    "i/ho\t⎋⎋",
    "x⎋⎋",
    "L",
];

/// Resident memory in KiB, open descriptors, threads.
type Costs = (u64, usize, usize);

struct Day {
    home: Home,
    session: Session,
    panel: Panel,
    /// The vault as another device holds it.
    other: Unlocked,
    numbers: Numbers,
    /// Until when the keychain's daemon stands still.
    stalled: Option<Instant>,
    changes: usize,
    outages: usize,
    locks: usize,
}

impl Day {
    fn begin(seed: u64) -> Self {
        let mut session = Session::start();
        session.keyring(Some("pw"));
        let home = Home::at(session.home.path());
        home.settings(SETTINGS);
        let address = session.address.clone();
        let bus = [("DBUS_SESSION_BUS_ADDRESS", OsStr::new(&address))];
        home.run_with(&["init", "--unlock", "both", "--recovery-key-file", "recovery"], "", &bus);
        let links = [link("GitHub", "octo@example.com", SECRET), link("GitLab", "ada", &secret('C'))];
        home.run_with(&["import", "--yes", "-"], &links.join("\n"), &bus);
        let place = Place::new(home.vault(), home.path(".local/state/otpanel"));
        let other = unlock::with_password(&place.load().unwrap(), &Secret::new(PASSWORD.to_owned())).unwrap();
        let panel = Panel::start_with(&home, &[], &bus);
        panel.see("GitHub");
        Self { home, session, panel, other, numbers: Numbers(seed), stalled: None, changes: 0, outages: 0, locks: 0 }
    }

    /// One thing happens.
    fn live(&mut self) {
        match self.numbers.below(100) {
            0..70 => self.gesture(),
            70..78 => {
                let (cols, rows) = (1 + self.numbers.below(200) as u16, 1 + self.numbers.below(60) as u16);
                self.panel.resize(cols, rows);
            }
            78..84 => self.change(),
            84..87 => {
                self.panel.paste("otpauth://totp/Half?secret=");
                self.esc();
            }
            87..91 => {
                self.panel.press("\x1b[<0;5;4M\x1b[<0;5;4m\x1b[<64;5;4M\x1b[<65;5;4M");
            }
            91 => self.home.settings(&format!("{SETTINGS}, theme: \"nord\"")),
            92 => self.home.settings(SETTINGS),
            93 => self.stall(),
            94 if self.numbers.once_in(4) => {
                self.revive();
                self.session.kill_keyring();
                self.outages += 1;
                thread::sleep(Duration::from_millis(200));
                self.session.keyring(Some("pw"));
            }
            _ => thread::sleep(Duration::from_millis(200)),
        }
        if self.stalled.is_some_and(|until| until < Instant::now()) {
            self.revive();
        }
        thread::sleep(Duration::from_millis(40));
    }

    /// Esc by itself: nothing follows it for as long as it could begin a longer key.
    fn esc(&mut self) {
        thread::sleep(Duration::from_millis(120));
        self.panel.press("\x1b");
        thread::sleep(Duration::from_millis(120));
    }

    fn gesture(&mut self) {
        match *self.numbers.of(&GESTURES) {
            "L" => {
                // A stalled keychain would keep it waiting.
                self.revive();
                self.leave_all();
                self.lock_and_open();
            }
            gesture => {
                for part in gesture.split_inclusive('⎋') {
                    self.panel.press(part.trim_end_matches('⎋'));
                    if part.ends_with('⎋') {
                        self.esc();
                    }
                }
            }
        }
    }

    /// Back to the list, in a window in which it can be read.
    fn leave_all(&mut self) {
        self.panel.resize(80, 24);
        for _ in 0..4 {
            self.esc();
        }
    }

    /// The keychain's daemon stands still for a while: it takes calls and answers none.
    fn stall(&mut self) {
        if self.stalled.is_none() {
            self.session.signal_keyring(Signal::STOP);
            self.stalled = Some(Instant::now() + Duration::from_secs(1 + self.numbers.below(20)));
            self.outages += 1;
        }
    }

    fn revive(&mut self) {
        if self.stalled.take().is_some() {
            self.session.signal_keyring(Signal::CONT);
        }
    }

    /// Another device changes the file, as a sync tool writes: beside, then renamed. What the panel saved meanwhile is
    /// taken in first, as that device would.
    fn change(&mut self) {
        let place = Place::new(self.home.vault(), self.home.path(".local/state/otpanel"));
        if let Ok(stored) = place.load().map(|locked| locked.open_with(self.other.data_key()).unwrap()) {
            self.other.absorb(&stored);
        }
        let state = Arc::make_mut(&mut self.other.state);
        let id = state.live().next().unwrap().id;
        let stamp = state.next_stamp(UnixTime::now(), DeviceId([9; 8]));
        state.set(id, field::NOTE, Value::Text(format!("note {:06}", self.changes)), stamp);
        let beside = self.home.vault().with_file_name("incoming");
        fs::write(&beside, self.other.seal(entropy::bytes()).unwrap()).unwrap();
        fs::rename(&beside, self.home.vault()).unwrap();
        self.changes += 1;
    }

    /// Locks and opens again, every other time by the password.
    fn lock_and_open(&mut self) {
        self.panel.press("L");
        self.panel.see("otpanel is locked");
        // Enter at once, which may come before the file is read again.
        if self.locks.is_multiple_of(2) {
            self.panel.press(PASSWORD);
        }
        self.panel.press("\r");
        self.panel.see("GitHub");
        self.locks += 1;
    }

    /// Brings it to rest in a window of the usual size, holds its codes to oathtool's, and measures.
    fn rest(&mut self) -> Costs {
        self.revive();
        self.leave_all();
        self.lock_and_open();
        for (name, of) in [("octo@example.com", SECRET.to_owned()), ("ada", secret('C'))] {
            let right = || self.panel.row(name).contains(&oathtool(&of));
            assert!(wait_until(LIMIT, right), "{name}: {}\n{}", oathtool(&of), self.panel.screen());
        }
        // What was under way (rounds of the backup, clearing) comes to its end.
        thread::sleep(Duration::from_secs(4));
        self.costs()
    }

    fn costs(&self) -> Costs {
        let proc = format!("/proc/{}", self.panel.pid().as_raw_nonzero());
        let status = fs::read_to_string(format!("{proc}/status")).unwrap();
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        let count = |what: &str| fs::read_dir(format!("{proc}/{what}")).unwrap().count();
        (resident.unwrap(), count("fd"), count("task"))
    }
}

fn median(mut all: Vec<u64>) -> u64 {
    all.sort_unstable();
    all[all.len() / 2]
}

#[test]
#[ignore = "takes an hour, or as many minutes as OTPANEL_TEST_SOAK says"]
fn a_panel_that_is_left_open_grows_in_nothing_and_its_codes_are_right() {
    if !installed(NEEDS) {
        return;
    }
    let minutes = std::env::var("OTPANEL_TEST_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let seed = UnixTime::now().0 | 1;
    println!("{minutes} minutes of the day {seed}");
    let mut day = Day::begin(seed);
    let begin = Instant::now();
    let mut seen: Vec<Costs> = Vec::new();
    let mut gestures = 0u64;
    while begin.elapsed() < Duration::from_secs(60 * minutes) {
        let round = Instant::now();
        while round.elapsed() < ROUND {
            day.live();
            gestures += 1;
        }
        seen.push(day.rest());
        println!(
            "{:>5} s: KiB, descriptors, threads {:?}; {gestures} things done, {} changes of the file, {} outages",
            begin.elapsed().as_secs(),
            seen.last().unwrap(),
            day.changes,
            day.outages
        );
    }
    // The first quarter warms up: every screen was shown once, the allocator has its arenas.
    assert!(seen.len() >= 4, "two minutes are the least");
    let quarter = seen.len() / 4;
    let early = median(seen[quarter..2 * quarter].iter().map(|costs| costs.0).collect());
    let late = median(seen[3 * quarter..].iter().map(|costs| costs.0).collect());
    let most = |part: &[Costs]| part.iter().map(|costs| (costs.1, costs.2)).max().unwrap();
    let (few, many) = (most(&seen[..2 * quarter]), most(&seen[2 * quarter..]));
    println!("KiB in the second quarter {early}, in the last {late}; most descriptors and threads {few:?}, {many:?}");
    assert!(late <= early + NOISE, "memory grew from {early} to {late} KiB: {seen:?}");
    assert!(many.0 <= few.0 && many.1 <= few.1, "descriptors or threads grew: {seen:?}");
    day.panel.quit();
}
