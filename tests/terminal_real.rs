//! The terminal in a real pty: taken over and given back as it was, whatever ends the program.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use crossterm::event::{KeyCode, KeyModifiers};
use otpanel::runtime::input::{Input, Signal};
use otpanel::runtime::terminal::{self, Terminal};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::{LocalModes, tcgetattr};
use support::{LIMIT, inside, installed, wait_until};

const LEFT: &str = "\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[m\x1b[?25h\x1b[?1049l";
const INNER: &str = "a_small_panel_that_the_other_tests_drive";

/// What runs in the pty: a panel that writes down what comes in.
#[test]
fn a_small_panel_that_the_other_tests_drive() {
    if !inside() {
        return;
    }
    let log = PathBuf::from(std::env::var_os("OTPANEL_TEST_LOG").unwrap());
    let mut said = String::new();
    let mut say = |line: &str| {
        writeln!(said, "{line}").unwrap();
        fs::write(&log, &said).unwrap();
    };
    terminal::install_panic_hook();
    let panel = Terminal::enter(true).unwrap();
    let (send, come) = channel();
    terminal::listen(move |input| send.send(input).is_ok()).unwrap();
    say("ready");
    for input in come {
        match input {
            Input::Key(key) if key.code == KeyCode::Char('q') => break,
            Input::Key(key) if key.code == KeyCode::Char('p') => panic!("boom"),
            Input::Key(key) if key.code == KeyCode::Char('t') => {
                drop(thread::spawn(|| panic!("in a thread")).join());
                say("went on");
            }
            Input::Key(key) if key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL) => {
                say(&format!("suspend {:?}", panel.suspend().unwrap()));
            }
            Input::Key(key) => say(&format!("key {:?}", key.code)),
            Input::Mouse(mouse) => say(&format!("mouse {:?} {} {}", mouse.kind, mouse.column, mouse.row)),
            Input::Light(light) => say(&format!("light {light}")),
            Input::Focus => say("focus"),
            Input::Paste(text) => say(&format!("paste {}", text.expose())),
            Input::Resize(width, height) => say(&format!("resize {width} {height}")),
            Input::Signal(Signal::Quit) => break,
            Input::Signal(signal) => say(&format!("signal {signal:?}")),
            Input::Gone => {
                say("gone");
                break;
            }
        }
    }
    drop(panel);
    say("left");
}

struct Scene {
    dir: tempfile::TempDir,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<Mutex<Vec<u8>>>,
    tty: File,
}

impl Scene {
    /// Starts the small panel in a pty: alone, or as a job of a shell that goes on when it stops.
    fn start(shell: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let exe = std::env::current_exe().unwrap();
        let args = ["--exact", INNER, "--nocapture", "--test-threads=1"];
        let mut command = if shell {
            let mut command = CommandBuilder::new("bash");
            command.args(["-c", "set -m; \"$0\" \"$@\"; echo the shell again; sleep 0.3; fg"]);
            command.arg(&exe);
            command
        } else {
            CommandBuilder::new(&exe)
        };
        command.args(args);
        command.env("OTPANEL_TEST_INSIDE", "1");
        command.env("OTPANEL_TEST_LOG", dir.path().join("log"));
        command.env("RUST_BACKTRACE", "0");
        // Never as the test's own terminal, which it would become where the test leads a session.
        let noctty = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
        let tty = File::options().read(true).custom_flags(noctty).open(pty.master.tty_name().unwrap()).unwrap();
        let child = pty.slave.spawn_command(command).unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, seen) = (pty.master.try_clone_reader().unwrap(), Arc::clone(&shown));
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut chunk) {
                seen.lock().unwrap().extend_from_slice(&chunk[..n]);
            }
        });
        let writer = pty.master.take_writer().unwrap();
        let scene = Self { dir, writer, master: pty.master, child, shown, tty };
        scene.wait_for("ready");
        scene
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn wait_for(&self, line: &str) {
        let there = || self.log().lines().any(|said| said == line);
        assert!(wait_until(LIMIT, there), "{line:?} in {:?} on {:?}", self.log(), self.shown());
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
    }

    fn raw(&self) -> bool {
        !tcgetattr(&self.tty).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    fn ended(&mut self) -> bool {
        wait_until(LIMIT, || self.child.try_wait().unwrap().is_some())
    }

    /// The terminal is as it was, and said so before anything that came later.
    fn given_back(&mut self) {
        assert!(self.ended(), "{:?}", self.log());
        assert!(wait_until(LIMIT, || self.shown().contains(LEFT)), "{:?}", self.shown());
        assert!(!self.raw());
    }
}

#[test]
fn a_key_ends_it_and_the_terminal_is_given_back() {
    let mut scene = Scene::start(false);
    assert!(scene.raw());
    assert!(wait_until(LIMIT, || scene.shown().contains("\x1b[?1049h")));
    scene.press("q");
    scene.wait_for("left");
    scene.given_back();
}

#[test]
fn a_panic_gives_the_terminal_back_before_its_report() {
    let mut scene = Scene::start(false);
    scene.press("p");
    scene.given_back();
    assert!(wait_until(LIMIT, || scene.shown().contains("boom")), "{:?}", scene.shown());
    let shown = scene.shown();
    assert!(shown.find(LEFT) < shown.find("boom"), "{shown:?}");
    assert_eq!(shown.matches(LEFT).count(), 1);
}

#[test]
fn a_panic_on_another_thread_leaves_the_panel_up() {
    let mut scene = Scene::start(false);
    scene.press("t");
    scene.wait_for("went on");
    assert!(scene.raw() && !scene.shown().contains("in a thread"));
    scene.press("q");
    scene.given_back();
}

#[test]
fn signals_that_end_it_give_the_terminal_back() {
    use rustix::process::{Pid, Signal, kill_process};
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
        let mut scene = Scene::start(false);
        let pid = Pid::from_raw(scene.child.process_id().unwrap().cast_signed()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
        scene.wait_for("signal HangUp");
        kill_process(pid, signal).unwrap();
        scene.wait_for("left");
        scene.given_back();
    }
}

#[test]
fn keys_pastes_clicks_and_sizes_come_in() {
    let mut scene = Scene::start(false);
    scene.press("x\x1b[A");
    scene.wait_for("key Char('x')");
    scene.wait_for("key Up");
    scene.press("\x1b[200~otpauth://x\x1b[201~");
    scene.wait_for("paste otpauth://x");
    assert!(wait_until(LIMIT, || scene.shown().contains("\x1b[?1004h")), "the terminal is asked for the focus");
    scene.press("\x1b[O\x1b[I");
    scene.wait_for("focus");
    scene.press("\x1b[<0;11;6M");
    scene.wait_for("mouse Down(Left) 10 5");
    let size = PtySize { rows: 10, cols: 40, pixel_width: 0, pixel_height: 0 };
    scene.master.resize(size).unwrap();
    scene.wait_for("resize 40 10");
    assert_eq!(scene.log().matches("resize").count(), 1, "{}", scene.log());
    scene.press("q");
    scene.given_back();
}

/// crossterm alone would spin here for ever. A pty made by hand, of which this side is one descriptor.
#[test]
fn a_terminal_that_hangs_up_ends_it() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let noctty = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
    let tty = || File::options().read(true).write(true).custom_flags(noctty).open(&name).unwrap();
    let mut panel = std::process::Command::new(std::env::current_exe().unwrap());
    panel.args(["--exact", INNER, "--nocapture"]).env("OTPANEL_TEST_INSIDE", "1").env("OTPANEL_TEST_LOG", &log);
    let mut panel = support::Daemon(panel.stdin(tty()).stdout(tty()).stderr(tty()).spawn().unwrap());
    let said = |line: &str| fs::read_to_string(&log).unwrap_or_default().contains(line);
    assert!(wait_until(LIMIT, || said("ready")));
    drop(master);
    assert!(wait_until(LIMIT, || said("gone")));
    assert!(wait_until(LIMIT, || panel.0.try_wait().unwrap().is_some()));
}

#[test]
fn suspended_it_gives_the_shell_its_terminal_and_comes_back() {
    if !installed(&["bash"]) {
        return;
    }
    let mut scene = Scene::start(true);
    scene.press("\x1a");
    assert!(wait_until(LIMIT, || scene.shown().contains("the shell again")), "{:?}", scene.shown());
    assert!(scene.shown().find(LEFT) < scene.shown().find("the shell again"));
    scene.wait_for("suspend Back");
    scene.wait_for("signal Continue");
    assert!(scene.raw());
    let taken = || scene.shown().rfind("\x1b[?1049h") > scene.shown().find("the shell again");
    assert!(wait_until(LIMIT, taken), "{:?}", scene.shown());
    scene.press("q");
    scene.wait_for("left");
    scene.given_back();
}

#[test]
fn a_terminals_first_program_does_not_stop_for_ever() {
    let mut scene = Scene::start(false);
    scene.press("\x1a");
    scene.wait_for("suspend Never");
    assert!(scene.raw());
    scene.press("q");
    scene.given_back();
}
