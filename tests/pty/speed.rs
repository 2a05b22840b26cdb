//! The release program is as fast as it was, in instructions: a count by valgrind's callgrind, which what else the machine
//! does cannot change. `.ci/run` builds that program; where it is missing or older than the sources, this is left out.
//!
//! The limits are a fifth above what was counted when they were set (Rust 1.95, x86-64), or two where the start, of which much
//! more is subtracted, makes the count uncertain. A change that goes beyond one has made the program slower: find out why, or
//! say in the commit why it is worth it and set the limit anew.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::home::{Home, PROGRAM};
use crate::panel::Panel;
use crate::support::{installed, kept_keys, left_out, wait_until};

/// Under valgrind all takes some fifty times as long.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often a key is pressed.
const TIMES: u64 = 20;
/// Seconds that a code lives.
const HALF_MINUTE: u64 = 30;

/// The release program beside the one of the tests, if it is no older than what it is made of.
fn release() -> Option<PathBuf> {
    let program = Path::new(PROGRAM).parent()?.parent()?.join("release/otpanel");
    let built = program.metadata().and_then(|data| data.modified()).ok()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let newest =
        ["src", "assets", "Cargo.toml", "Cargo.lock"].iter().filter_map(|name| changed(&root.join(name))).max();
    (Some(built) >= newest).then_some(program)
}

/// When a file, or anything below a folder, was changed last.
fn changed(path: &Path) -> Option<SystemTime> {
    let within = fs::read_dir(path).ok().into_iter().flatten().flatten().filter_map(|entry| changed(&entry.path()));
    within.chain(path.metadata().and_then(|data| data.modified()).ok()).max()
}

/// A program under callgrind, and where its count comes to be.
struct Counted {
    home: Home,
    program: PathBuf,
}

impl Counted {
    /// A home with so many accounts, whose vault opens without a derivation; nothing where that or the program is missing.
    fn with(accounts: usize) -> Option<Self> {
        if !installed(&["valgrind"]) {
            return None;
        }
        let Some(program) = release() else {
            left_out("the release program is not there or older than the sources (cargo build --release)");
            return None;
        };
        let home = Home::new();
        home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"], "");
        let seed = |n: usize| data_encoding::BASE32_NOPAD.encode(format!("twenty bytes are{n:04}").as_bytes());
        let link = |n| format!("otpauth://totp/Site{n:05}:ada{n:05}?secret={}&issuer=Site{n:05}", seed(n));
        home.run(&["import", "--yes", "-"], &(0..accounts).map(link).collect::<Vec<_>>().join("\n"));
        home.settings("unlock: (remember: \"20m\")");
        let counted = Self { home, program };
        let _keys = counted.keep_key();
        let mut code = counted.home.command(PROGRAM);
        if !code.args(["code", "ada00000"]).output().unwrap().status.success() {
            left_out("this kernel keeps no keys, so that a derivation would hide all else");
            return None;
        }
        Some(counted)
    }

    /// Lets the kernel keep the vault's key, and keeps other tests from dropping it as long as the answer is held.
    fn keep_key(&self) -> fs::File {
        let guard = kept_keys();
        self.home.run(&["code", "ada00000"], "");
        guard
    }

    fn args(&self) -> Vec<std::ffi::OsString> {
        let log = format!("--log-file={}", self.log().display());
        let fixed = ["--tool=callgrind", "--callgrind-out-file=/dev/null", "-q", "-v"];
        fixed.iter().map(Into::into).chain([log.into(), self.program.clone().into()]).collect()
    }

    fn log(&self) -> PathBuf {
        self.home.path("count")
    }

    fn count(&self) -> u64 {
        let log = fs::read_to_string(self.log()).unwrap();
        let count = log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
        count.unwrap_or_else(|| panic!("callgrind tells no count: {log}"))
    }

    /// Instructions of a command.
    fn command(&self, args: &[&str]) -> u64 {
        let _keys = self.keep_key();
        let done = self.home.command("valgrind").args(self.args()).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        self.count()
    }

    /// Instructions of a panel from its start to its end, with what is done in it once codes show.
    fn panel(&self, during: impl FnOnce(&mut Panel)) -> u64 {
        let keys = self.keep_key();
        let args = self.args();
        let mut panel =
            Panel::program_with(&self.home, "valgrind", &args.iter().map(AsRef::as_ref).collect::<Vec<&OsStr>>());
        panel.see_within(PATIENCE, "ada00000");
        drop(keys);
        during(&mut panel);
        panel.press("q");
        panel.ended();
        self.count()
    }
}

/// Holds a count to its limit, and the limit to the count: one that is far too high holds nothing.
#[track_caller]
fn holds(what: &str, count: u64, limit: u64) {
    println!("{what}: {count} instructions of {limit}");
    assert!(count <= limit, "{what} takes {count} instructions, {limit} are allowed");
    assert!(count > limit / 8, "{what} takes {count} instructions only: set the limit of {limit} anew");
}

#[test]
fn a_code_of_a_thousand_accounts_costs_what_it_did() {
    let Some(vault) = Counted::with(1_000) else { return };
    holds("one code", vault.command(&["code", "ada00500"]), 7_300_000);
}

#[test]
fn the_panel_starts_on_a_thousand_accounts_as_it_did() {
    let Some(vault) = Counted::with(1_000) else { return };
    holds("start to end", vault.panel(|_| ()), 70_000_000);
}

#[test]
fn a_second_and_a_key_cost_what_they_did_among_ten_thousand_accounts() {
    let Some(vault) = Counted::with(10_000) else { return };
    let alone = vault.panel(|_| ());
    // A whole half minute: whenever it begins, its codes change once and begin to warn once. What the start took differs from
    // run to run by a tenth of this; drawing all in every second took 800,000.
    let seconds = vault.panel(|_| std::thread::sleep(Duration::from_secs(HALF_MINUTE)));
    let second = seconds.saturating_sub(alone) / HALF_MINUTE;
    holds("a second", second, 400_000);
    // On a busy machine the keys take seconds, in which the panel does its own work as well.
    let per_key = |keys: &dyn Fn(&mut Panel)| {
        let mut took = Duration::ZERO;
        let count = vault.panel(|panel| {
            let began = Instant::now();
            keys(panel);
            took = began.elapsed();
        });
        count.saturating_sub(alone + second * took.as_secs()) / TIMES
    };
    let press = |panel: &mut Panel, key: &str| {
        let before = panel.written();
        panel.press(key);
        assert!(wait_until(PATIENCE, || panel.written() > before), "{key} changes nothing");
    };
    holds("a key", per_key(&|panel| (0..TIMES).for_each(|_| press(panel, "j"))), 1_300_000);
    let letters = per_key(&|panel| {
        press(panel, "/");
        (0..TIMES / 2).for_each(|_| ["a", "\x7f"].iter().for_each(|key| press(panel, key)));
        press(panel, "\x1b");
    });
    holds("a letter of a search", letters, 6_500_000);
}
