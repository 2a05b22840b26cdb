//! The ways to a clipboard that need no library: tmux, an escape sequence, a command; and which of them to take.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::secret::Secret;

pub use crate::config::Method;

/// A way that text takes, or took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The window system's clipboard.
    Native,
    /// OSC 52.
    Osc52,
    /// tmux.
    Tmux,
    /// The user's command.
    Command(Vec<String>),
}

/// Where the program runs, as far as copying goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Inside tmux.
    pub tmux: bool,
    /// Inside GNU screen.
    pub screen: bool,
    /// Logged in from another machine: the window system here is not in front of the user.
    pub ssh: bool,
    /// A window system can be reached.
    pub display: bool,
}

impl Surroundings {
    /// Reads the environment.
    pub fn here() -> Self {
        Self::from(|name| std::env::var_os(name))
    }

    /// Reads an environment given as a function.
    pub fn from(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| get(name).is_some_and(|value| !value.is_empty());
        let always = cfg!(any(windows, target_vendor = "apple"));
        Self {
            tmux: set("TMUX"),
            screen: set("STY"),
            ssh: set("SSH_TTY") || set("SSH_CONNECTION"),
            display: always || set("WAYLAND_DISPLAY") || set("DISPLAY"),
        }
    }

    /// The ways to take, all of them; the second list serves when none of the first works.
    ///
    /// Inside tmux on the machine in front of the user the native clipboard is set as well: many terminals ignore what
    /// tmux passes on to them, and nobody can tell.
    pub fn ways(self, method: &Method) -> (Vec<Way>, Vec<Way>) {
        let local = self.display && !self.ssh;
        match method {
            Method::Auto if self.tmux && local => (vec![Way::Tmux, Way::Native], vec![Way::Osc52]),
            Method::Auto if self.tmux => (vec![Way::Tmux], vec![Way::Osc52]),
            Method::Auto if local => (vec![Way::Native], vec![Way::Osc52]),
            Method::Auto | Method::Osc52 => (vec![Way::Osc52], vec![]),
            Method::Native => (vec![Way::Native], vec![]),
            Method::Tmux => (vec![Way::Tmux], vec![]),
            Method::Command(command) => (vec![Way::Command(command.clone())], vec![]),
            Method::Off => (vec![], vec![]),
        }
    }
}

/// What the clipboard gets in place of our text where it cannot be emptied: an empty text is refused or ignored by some.
pub(super) const BLANK: &str = " ";

/// The escape sequence that makes the terminal set its clipboard, ended by ST; inside GNU screen wrapped to be let
/// through.
pub fn osc52(text: &str, screen: bool) -> Secret<Vec<u8>> {
    let body = Zeroizing::new(data_encoding::BASE64.encode(text.as_bytes()));
    let plain = Zeroizing::new(format!("\x1b]52;c;{}\x1b\\", *body));
    // screen ends its wrapping at the first ST: BEL ends the sequence within.
    let wrapped = Zeroizing::new(format!("\x1bP\x1b]52;c;{}\x07\x1b\\", *body));
    Secret::new(if screen { &wrapped } else { &plain }.as_bytes().to_vec())
}

/// Sets the clipboard of tmux's terminal, and leaves nothing in tmux's own buffers. `false` where no terminal is attached: then
/// nobody has it.
pub(super) fn tmux(text: &str) -> io::Result<bool> {
    let load = ["load-buffer", "-b", "otpanel", "-w", "-"];
    let mut tmux = Command::new("tmux");
    tmux.args(load).args([";", "delete-buffer", "-b", "otpanel", ";", "list-clients", "-F", "attached"]);
    Ok(!feed(tmux.stdout(Stdio::piped()), text)?.is_empty())
}

/// Runs the user's command with the text on its standard input.
pub(super) fn command(command: &[String], text: &str) -> io::Result<()> {
    let (program, args) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    feed(Command::new(program).args(args).stdout(Stdio::null()), text).map(drop)
}

/// Runs a program on the text and hands back what it says, where that is not thrown away. One that stays after three seconds holds
/// the clipboard itself and is left to it.
fn feed(command: &mut Command, text: &str) -> io::Result<Vec<u8>> {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            let mut said = Vec::new();
            if let Some(out) = &mut child.stdout {
                out.read_to_end(&mut said)?;
            }
            written?;
            return if status.success() { Ok(said) } else { Err(io::Error::other(format!("it ended with {status}"))) };
        }
        thread::sleep(Duration::from_millis(2));
    }
    reap(child);
    written.map(|()| Vec::new())
}

/// Waits for a child on a thread of its own, so that none is left a zombie.
pub(super) fn reap(mut child: Child) {
    drop(thread::Builder::new().name("reap".into()).spawn(move || child.wait()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(set: &[&str]) -> Vec<Way> {
        let here = Surroundings::from(|name| set.contains(&name).then(|| "x".into()));
        here.ways(&Method::Auto).0
    }

    #[cfg(not(any(windows, target_vendor = "apple")))]
    #[test]
    fn the_way_follows_from_where_the_program_runs() {
        assert_eq!(ways(&[]), [Way::Osc52]);
        assert_eq!(ways(&["DISPLAY"]), [Way::Native]);
        assert_eq!(ways(&["WAYLAND_DISPLAY"]), [Way::Native]);
        assert_eq!(ways(&["DISPLAY", "SSH_TTY"]), [Way::Osc52], "the display is another machine's or nobody's");
        assert_eq!(ways(&["TMUX", "SSH_CONNECTION", "DISPLAY"]), [Way::Tmux]);
        assert_eq!(ways(&["TMUX"]), [Way::Tmux]);
        assert_eq!(ways(&["TMUX", "DISPLAY"]), [Way::Tmux, Way::Native]);
    }

    #[test]
    fn off_takes_no_way() {
        assert_eq!(Surroundings { display: true, ..Surroundings::default() }.ways(&Method::Off), (vec![], vec![]));
    }

    #[test]
    fn the_escape_sequence_ends_by_st() {
        assert_eq!(osc52("123456", false).expose(), b"\x1b]52;c;MTIzNDU2\x1b\\");
        assert_eq!(osc52("123456", true).expose(), b"\x1bP\x1b]52;c;MTIzNDU2\x07\x1b\\");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_gets_the_text_on_its_input_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("got");
        let script = format!("cat > {0}; echo \"$@\" >> {0}", file.display());
        command(&["sh".into(), "-c".into(), script, "sh".into(), "arg".into()], "123456").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "123456arg\n");
        assert!(command(&["sh".into(), "-c".into(), "exit 3".into()], "x").is_err());
        assert!(command(&[], "x").is_err());
        assert!(command(&["/no/such/program".into()], "x").is_err());
    }
}
