//! The panel in a pty: keys in, screen out.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

use crate::home::{Home, PASSWORD, PROGRAM};
use crate::support::wait_until;

pub use crate::support::LIMIT;

/// What begins and ends an update that is to be shown at once (DEC mode 2026).
const UPDATE: [&[u8]; 2] = [b"\x1b[?2026h", b"\x1b[?2026l"];

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

/// What came out of the pty so far.
struct Seen {
    raw: Vec<u8>,
    /// How many of those bytes are on the screen.
    shown: usize,
    screen: vt100::Parser,
    /// Nothing more can come.
    over: bool,
}

impl Seen {
    /// Takes what came in, and shows what is whole of it, as terminals do: no half frame is ever looked at.
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        let last = |what: &[u8]| self.raw[self.shown..].windows(what.len()).rposition(|window| window == what);
        let [begun, ended] = UPDATE.map(last);
        let whole = begun.filter(|begun| ended.is_none_or(|ended| ended < *begun)).map(|begun| self.shown + begun);
        let whole = whole.unwrap_or(self.raw.len());
        self.screen.process(&self.raw[self.shown..whole]);
        self.shown = whole;
    }
}

/// A program in a pty of its own, which it dies with.
pub struct Panel {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
    tty: Option<File>,
    closed: Arc<AtomicBool>,
    /// A panic is what the journey is about.
    pub faulty: bool,
}

impl Panel {
    /// The panel in a home.
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &[], &[])
    }

    /// The panel with more arguments and variables.
    pub fn start_with(home: &Home, args: &[&str], env: &[(&str, &OsStr)]) -> Self {
        Self::program(home, PROGRAM, args, env)
    }

    /// Any program in a pty of 80 x 24.
    pub fn program(home: &Home, program: &str, args: &[&str], env: &[(&str, &OsStr)]) -> Self {
        let args: Vec<_> = args.iter().map(OsStr::new).collect();
        Self::spawn(home, program, &args, env)
    }

    /// The same with arguments that need not be text.
    pub fn program_with(home: &Home, program: &str, args: &[&OsStr]) -> Self {
        Self::spawn(home, program, args, &[])
    }

    fn spawn(home: &Home, program: &str, args: &[&OsStr], env: &[(&str, &OsStr)]) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.args(args);
        for (name, value) in home.env() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        for (name, value) in env {
            command.env(name, value);
        }
        command.cwd(home.path(""));
        // Never as the test's own terminal, which it would become where the test leads a session (nohup, CI).
        let noctty = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
        let tty = File::options().read(true).custom_flags(noctty).open(pty.master.tty_name().unwrap()).unwrap();
        let child = pty.slave.spawn_command(command).unwrap();
        let screen = vt100::Parser::new(cells(24), cells(80), 0);
        let seen = Seen { raw: Vec::new(), shown: 0, screen, over: false };
        let seen = Arc::new(Mutex::new(seen));
        let (mut reader, filled) = (pty.master.try_clone_reader().unwrap(), Arc::clone(&seen));
        let closed = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&closed);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut chunk)
                && !stop.load(Ordering::SeqCst)
            {
                filled.lock().unwrap().take(&chunk[..n]);
            }
            filled.lock().unwrap().over = true;
        });
        let writer = Some(pty.master.take_writer().unwrap());
        Self { writer, master: Some(pty.master), child, seen, tty: Some(tty), closed, faulty: false }
    }

    /// The panel, opened by the password, with the account GitHub on the screen.
    #[track_caller]
    pub fn opened(home: &Home, env: &[(&str, &OsStr)]) -> Self {
        let mut panel = Self::start_with(home, &[], env);
        panel.see("otpanel is locked");
        panel.press(PASSWORD).press("\r");
        panel.see("GitHub");
        panel
    }

    /// Presses keys, given as the bytes that a terminal sends for them.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
        self
    }

    /// Pastes a text as a terminal with bracketed paste does.
    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.press(&format!("\x1b[200~{text}\x1b[201~"))
    }

    /// Presses Esc and waits until what it leaves is gone: right behind an escape character a letter would be that letter with
    /// Alt.
    #[track_caller]
    pub fn leave(&mut self, text: &str) -> &mut Self {
        self.press("\x1b").see_no(text);
        self
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// The rows of the screen.
    pub fn rows(&self) -> Vec<String> {
        self.look(|screen| screen.rows(0, screen.size().1.get()).collect())
    }

    /// The first row that holds a text.
    pub fn row(&self, text: &str) -> String {
        self.rows().into_iter().find(|row| row.contains(text)).unwrap_or_default()
    }

    /// Looks at the screen's cells and modes.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.lock().unwrap().screen.screen())
    }

    /// All bytes that came so far.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.lock().unwrap().raw.clone()
    }

    /// All bytes, once nothing more can come: after the end.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        // The last hold on the terminal, whose reader hears of the end.
        self.tty = None;
        assert!(wait_until(LIMIT, || self.seen.lock().unwrap().over), "somebody holds the terminal still");
        self.raw()
    }

    /// How many bytes came so far.
    pub fn written(&self) -> usize {
        self.seen.lock().unwrap().raw.len()
    }

    /// Whether these bytes came.
    pub fn said(&self, bytes: &[u8]) -> bool {
        self.raw().windows(bytes.len()).any(|window| window == bytes)
    }

    /// Waits until the text stands on the screen.
    #[track_caller]
    pub fn see(&self, text: &str) {
        self.see_within(LIMIT, text);
    }

    /// Waits until the text stands on the screen, and tells how long that took.
    #[track_caller]
    pub fn see_within(&self, limit: Duration, text: &str) -> Duration {
        let start = Instant::now();
        self.wait(limit, &format!("{text:?}"), |screen| screen.contains(text));
        start.elapsed()
    }

    /// Waits until the text is gone from the screen.
    #[track_caller]
    pub fn see_no(&self, text: &str) {
        self.wait(LIMIT, &format!("no {text:?}"), |screen| !screen.contains(text));
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub fn wait(&self, limit: Duration, what: &str, right: impl Fn(&str) -> bool) {
        let there = wait_until(limit, || right(&self.screen()));
        assert!(there, "{what} did not come in {limit:?}; the screen:\n{}", self.screen());
    }

    /// Gives the terminal another size.
    pub fn resize(&self, cols: u16, rows: u16) {
        // Both at once: what is drawn for the new size is read in the new size.
        let mut seen = self.seen.lock().unwrap();
        seen.screen.screen_mut().set_size(cells(rows), cells(cols));
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.process_id().unwrap().cast_signed()).unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Whether the terminal gives keys as they are pressed, without echo.
    pub fn is_raw(&self) -> bool {
        let modes = tcgetattr(self.tty.as_ref().unwrap()).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Takes the terminal away, as a window that is closed. The last hold on it is the reader's, which lets go at the
    /// next thing that is drawn: within a second where codes are shown.
    pub fn hang_up(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        (self.writer, self.tty, self.master) = (None, None, None);
    }

    /// Waits for the end and gives the exit code.
    #[track_caller]
    pub fn ended(&mut self) -> u32 {
        let mut status = None;
        wait_until(LIMIT, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap_or_else(|| panic!("it did not end; the screen:\n{}", self.screen())).exit_code()
    }

    /// Waits for the end: the terminal is as it was before, in every respect.
    #[track_caller]
    pub fn given_back(&mut self) -> u32 {
        let code = self.ended();
        let last = b"\x1b[?1049l";
        assert!(wait_until(LIMIT, || self.said(last)), "{:?}", String::from_utf8_lossy(&self.raw()));
        self.look(|screen| {
            assert!(!screen.alternate_screen(), "the alternate screen is left");
            assert!(!screen.hide_cursor(), "the cursor is shown");
            assert!(!screen.bracketed_paste(), "bracketed paste is off");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is off");
        });
        assert!(!self.is_raw(), "keys are echoed and lines edited again");
        code
    }

    /// Quits by its key and checks how the terminal is left.
    #[track_caller]
    pub fn quit(mut self) {
        self.press("q");
        assert_eq!(self.given_back(), 0, "{}", self.screen());
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if !thread::panicking() {
            assert!(self.faulty || !self.said(b"panicked at"), "{}", self.screen());
        }
    }
}
