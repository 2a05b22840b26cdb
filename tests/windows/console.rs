//! A console of Windows in a pty: keys in, screen out.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::{LIMIT, wait_until};

const ROWS: u16 = 50;

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a size")
}

/// A program in a console, ended with its guard.
pub struct Console {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: Arc<Mutex<vt100::Parser>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Console {
    /// Starts a command of wine's in a console of so many columns.
    pub fn start(wine: &Command, columns: u16) -> Self {
        let size = PtySize { rows: ROWS, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(wine.get_program());
        command.args(wine.get_args());
        command.cwd(wine.get_current_dir().expect("a folder"));
        command.env_clear();
        for (name, value) in wine.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        let child = pty.slave.spawn_command(command).expect("it starts");
        let (mut reader, keys) =
            (pty.master.try_clone_reader().expect("a reader"), pty.master.take_writer().expect("a writer"));
        let shown = Arc::new(Mutex::new(vt100::Parser::new(cells(ROWS), cells(columns), 0)));
        let filled = Arc::clone(&shown);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut chunk) {
                filled.lock().expect("unbroken").process(&chunk[..n]);
            }
        });
        Self { child, keys, shown, _master: pty.master }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("typed");
    }

    fn screen(&self) -> String {
        self.shown.lock().expect("unbroken").screen().contents()
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub fn see(&self, text: &str) {
        let there = || self.screen().contains(text);
        assert!(wait_until(LIMIT, there), "{text:?} did not come; the screen:\n{}", self.screen());
    }

    /// Waits for the end; gives the exit code.
    #[track_caller]
    pub fn code(&mut self) -> u32 {
        let mut ended = None;
        let ends = || {
            ended = self.child.try_wait().expect("it can be asked");
            ended.is_some()
        };
        assert!(wait_until(LIMIT, ends), "it does not end; the screen:\n{}", self.screen());
        ended.expect("it ended").exit_code()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}
