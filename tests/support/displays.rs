//! Private displays: an X server, a Wayland compositor, a tmux server.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Daemon, LIMIT, home, output, private, wait_until};

/// An X server without a screen, with nobody else on it.
pub struct XServer {
    pub display: String,
    _server: Daemon,
}

impl XServer {
    pub fn start() -> Self {
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]);
        let mut server =
            Daemon(server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { display: format!(":{}", number.trim()), _server: server }
    }

    /// A command on this display and no other.
    pub fn command(&self, program: impl AsRef<OsStr>, home: &Path) -> Command {
        let mut command = private(program, home);
        command.env("DISPLAY", &self.display);
        command
    }
}

/// A Wayland compositor without a screen. sway refuses to run as root: there it runs as `nobody`, over a socket that
/// root may use, too.
pub struct Compositor {
    home: tempfile::TempDir,
    socket: String,
    _sway: Daemon,
}

impl Compositor {
    /// Starts sway; `None` where it does not come up.
    pub fn start() -> Option<Self> {
        let home = home();
        let run = home.path().join("run");
        std::fs::write(home.path().join("config"), "xwayland disable\n").unwrap();
        let root = output(Command::new("id").arg("-u")).trim() == "0";
        let mut sway = if root {
            let all = output(Command::new("chown").arg("-R").arg("nobody").arg(home.path()));
            assert!(all.is_empty());
            let mut sway = private("setpriv", home.path());
            sway.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sway"]);
            sway
        } else {
            private("sway", home.path())
        };
        sway.arg("-c").arg(home.path().join("config"));
        sway.env("WLR_BACKENDS", "headless").env("WLR_LIBINPUT_NO_DEVICES", "1").env("WLR_RENDERER", "pixman");
        let sway = Daemon(sway.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?);
        let mut socket = None;
        wait_until(LIMIT, || {
            let names = std::fs::read_dir(&run).into_iter().flatten().flatten();
            socket = names
                .filter_map(|entry| entry.file_name().into_string().ok())
                .find(|name| name.strip_prefix("wayland-").is_some_and(|number| number.parse::<u8>().is_ok()));
            socket.is_some()
        });
        Some(Self { socket: socket?, home, _sway: sway })
    }

    /// A command on this compositor and no other.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = private(program, self.home.path());
        command.env("WAYLAND_DISPLAY", &self.socket);
        command
    }
}

/// A tmux server of its own with one pane.
pub struct Tmux {
    pub home: tempfile::TempDir,
    socket: PathBuf,
}

impl Tmux {
    /// Starts the server with a shell that waits.
    pub fn start() -> Self {
        let home = home();
        let tmux = Self { socket: home.path().join("tmux"), home };
        let started = tmux.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "sleep 600"]);
        assert_eq!(started, "");
        tmux
    }

    /// What a tmux command says.
    pub fn tmux(&self, args: &[&str]) -> String {
        output(private("tmux", self.home.path()).env("SHELL", "/bin/sh").arg("-S").arg(&self.socket).args(args))
    }

    /// A command as it would run in the pane.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = private(program, self.home.path());
        command.env("TMUX", format!("{},1,0", self.socket.display())).env("TERM", "tmux-256color");
        command
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
