//! The holder: a small process of our own program that keeps a copied text available after a one-shot command has
//! ended, clears it after a time if it is still there, and ends.
//!
//! On X11 and Wayland the clipboard's content lives in the program that copied it. The text goes to the holder through
//! its standard input, never as an argument; it answers one line on its standard output once the text can be pasted.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::ways::{Method, Surroundings, Way};
use super::{ClipboardError, Copied};
use crate::secret::Secret;

/// The hidden first argument by which the program is started as a holder.
pub const HOLD: &str = "--hold-clipboard";

/// How long the parent waits for the holder's word.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a one-shot copy came to.
pub struct CopiedOnce {
    /// Where the text went.
    pub copied: Copied,
    /// For OSC 52: the bytes to write to the terminal now. Nobody will take them back.
    pub to_terminal: Option<Secret<Vec<u8>>>,
}

/// Copies once, from a command that ends right after: by a holder for what must be kept and cleared later.
///
/// # Errors
/// When no way worked.
pub fn copy_once(
    text: &Secret<String>,
    secs: u64,
    method: &Method,
    here: Surroundings,
) -> Result<CopiedOnce, ClipboardError> {
    let (first, second) = here.ways(method);
    let mut problem = ClipboardError::Off;
    for ways in [first, second] {
        if ways.is_empty() {
            continue;
        }
        if ways.contains(&Way::Osc52) {
            let to_terminal = Some(super::ways::osc52(text.expose(), here.screen));
            return Ok(CopiedOnce { copied: Copied { ways: vec![Way::Osc52] }, to_terminal });
        }
        match std::env::current_exe().map_err(failed).and_then(|exe| spawn_holder(&exe, text, secs, &ways)) {
            Ok(copied) => return Ok(CopiedOnce { copied, to_terminal: None }),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: std::io::Error) -> ClipboardError {
    ClipboardError::Program("the clipboard's holder".into(), error.to_string())
}

/// Starts `program`, which must call [`super::holder::hold`], as a holder, and waits until the text can be pasted, at most 5 seconds.
///
/// # Errors
/// When the holder cannot be started or could not copy.
pub fn spawn_holder(program: &Path, text: &Secret<String>, secs: u64, ways: &[Way]) -> Result<Copied, ClipboardError> {
    let mut holder = Command::new(program);
    holder.arg(HOLD).arg(secs.to_string());
    for way in ways {
        match way {
            Way::Native => holder.arg("native"),
            Way::Tmux => holder.arg("tmux"),
            Way::Osc52 => continue,
            Way::Command(command) => holder.arg("command").args(command),
        };
    }
    #[cfg(windows)]
    {
        // Away from the console: closing its window would end the holder, too (CreateProcess, process creation flags).
        const DETACHED_PROCESS: u32 = 0x8;
        std::os::windows::process::CommandExt::creation_flags(&mut holder, DETACHED_PROCESS);
    }
    let mut child =
        holder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(failed)?;
    let (mut stdin, stdout) = (child.stdin.take(), child.stdout.take());
    stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(text.expose().as_bytes())).map_err(failed)?;
    drop(stdin);
    let (say, said) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        if let Some(stdout) = stdout {
            drop(BufReader::new(stdout).read_line(&mut line));
        }
        drop(say.send(line));
    });
    let line = said.recv_timeout(PATIENCE).unwrap_or_default();
    let words: Vec<&str> = line.trim_end().splitn(2, ' ').collect();
    match words[..] {
        ["copied", taken] => {
            // Whoever stays waits for its end, so that it is no zombie then.
            super::ways::reap(child);
            let taken: Vec<&str> = taken.split(',').collect();
            Ok(Copied { ways: ways.iter().filter(|way| taken.contains(&name(way))).cloned().collect() })
        }
        ["failed", why] => Err(ClipboardError::Native(why.to_owned())),
        _ => {
            drop(child.kill());
            drop(child.wait());
            Err(ClipboardError::Native("the window system does not answer".into()))
        }
    }
}

/// A way as parent and holder call it between them.
pub(super) fn name(way: &Way) -> &'static str {
    match way {
        Way::Native => "native",
        Way::Tmux => "tmux",
        Way::Osc52 => "osc52",
        Way::Command(_) => "command",
    }
}
