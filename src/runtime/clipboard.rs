//! Copies codes by the way that fits, and takes them back after a time, on lock and on exit, if they are still there.
//!
//! A clipboard can take its time (a picture of a 4K screen 0.7 s, a dead X server for ever): all work is done on one
//! thread, made with the first job, and told back through a callback. Between jobs it sleeps.

mod hands;
mod hold;
mod holder;
mod native;
mod ways;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

pub use hands::Cleared;
use hands::Hands;
pub use hold::{CopiedOnce, HOLD, copy_once, spawn_holder};
pub use holder::hold;
pub use ways::{Method, Surroundings, Way};

use crate::secret::{Secret, scrub_stack};

/// Where a copied text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// All ways that worked.
    pub ways: Vec<Way>,
}

impl Copied {
    /// What happened, in words, to stand after a name: "copied", "sent to the terminal (OSC 52)".
    pub fn describe(&self) -> &'static str {
        match self.ways.first() {
            Some(Way::Osc52) => "sent to the terminal (OSC 52)",
            Some(Way::Tmux) if self.ways.len() == 1 => "copied through tmux",
            Some(Way::Command(_)) => "copied by your command",
            _ => "copied",
        }
    }
}

/// A picture from the clipboard, eight bits each of red, green, blue and alpha, row by row.
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Four bytes for each pixel. It may show a secret.
    pub rgba: Secret<Vec<u8>>,
}

/// Why the clipboard could not be used. Holds no copied text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipboardError {
    /// Copying is turned off.
    #[error("copying is turned off in the config")]
    Off,
    /// There is no window system, and so no clipboard of its own.
    #[error("no window system can be reached here, so there is no clipboard")]
    NoDisplay,
    /// The clipboard holds nothing of the kind that was asked for.
    #[error("the clipboard holds nothing of that kind")]
    Empty,
    /// The window system's clipboard failed, in its words.
    #[error("the clipboard cannot be reached: {0}")]
    Native(String),
    /// tmux has no terminal that could take it.
    #[error("no terminal is attached to tmux, so there is no clipboard")]
    Detached,
    /// A program failed.
    #[error("{0} failed: {1}")]
    Program(String, String),
}

impl ClipboardError {
    fn native(error: &arboard::Error) -> Self {
        match error {
            arboard::Error::ContentNotAvailable => Self::Empty,
            arboard::Error::Unknown { description } => Self::Native(description.clone()),
            other => Self::Native(other.to_string()),
        }
    }
}

/// What the clipboard's thread tells. No `Debug`: it carries secrets.
pub enum Report {
    /// The text was copied.
    Copied(Copied),
    /// These bytes must be written to the terminal, between two frames.
    ToTerminal(Secret<Vec<u8>>),
    /// The time was over, or clearing was asked for.
    Cleared(Cleared),
    /// The picture that was asked for.
    Image(Result<Picture, ClipboardError>),
    /// The text that was asked for.
    Text(Result<Secret<String>, ClipboardError>),
    /// Copying or clearing failed.
    Failed(ClipboardError),
}

enum Job {
    Copy(Secret<String>, u64, Method),
    Clear,
    Image,
    Text,
    Lend(Sender<bool>),
    Finish(Sender<Vec<Secret<Vec<u8>>>>),
}

type Teller = Box<dyn Fn(Report) + Send>;

/// The clipboard, for the life of the panel. Dropped, it does not clear: call [`Self::finish`].
pub struct Clipboard {
    jobs: Option<Sender<Job>>,
    /// What the thread will need, until it is started.
    waiting: Option<(Receiver<Job>, Teller)>,
    here: Surroundings,
}

impl Clipboard {
    /// A clipboard that tells what happens through `report`, which must not block.
    pub fn start(here: Surroundings, report: impl Fn(Report) + Send + 'static) -> Self {
        let (sender, jobs) = channel();
        Self { jobs: Some(sender), waiting: Some((jobs, Box::new(report))), here }
    }

    /// Copies the text by the method and clears it after `clear_secs` (0: not by time). Answered by
    /// [`Report::Copied`] or [`Report::Failed`], for OSC 52 after [`Report::ToTerminal`].
    pub fn copy(&mut self, text: Secret<String>, clear_secs: u64, method: &Method) {
        self.send(Job::Copy(text, clear_secs, method.clone()));
    }

    /// Clears what was copied last if it is still there. Answered by [`Report::Cleared`].
    pub fn clear_now(&mut self) {
        if self.waiting.is_none() {
            self.send(Job::Clear);
        }
    }

    /// Asks for the picture in the clipboard. Answered by [`Report::Image`].
    pub fn image(&mut self) {
        self.send(Job::Image);
    }

    /// Asks for the text in the clipboard. Answered by [`Report::Text`].
    pub fn text(&mut self) {
        self.send(Job::Text);
    }

    /// Hands what was copied to a small process that keeps it and clears it in time, since this program is about to be
    /// stopped; waits at most so long. `false` where a part of it cannot be handed over (only the terminal could clear
    /// it, and that is the shell's by then): it is cleared when the program goes on.
    pub fn lend(&mut self, limit: Duration) -> bool {
        if self.waiting.is_some() {
            return true;
        }
        let (say, said) = channel();
        self.send(Job::Lend(say));
        said.recv_timeout(limit).unwrap_or(false)
    }

    /// Clears and ends, waiting at most so long. Returns what is left to be written to the terminal.
    pub fn finish(mut self, limit: Duration) -> Vec<Secret<Vec<u8>>> {
        if self.waiting.is_some() {
            return Vec::new();
        }
        let (say, said) = channel();
        self.send(Job::Finish(say));
        said.recv_timeout(limit).unwrap_or_default()
    }

    fn send(&mut self, job: Job) {
        if let Some((jobs, report)) = self.waiting.take() {
            let here = self.here;
            let started = thread::Builder::new().name("clipboard".into()).spawn(move || work(&jobs, here, &*report));
            if started.is_err() {
                self.jobs = None;
            }
        }
        if let Some(jobs) = &self.jobs {
            drop(jobs.send(job));
        }
    }
}

fn work(jobs: &Receiver<Job>, here: Surroundings, report: &dyn Fn(Report)) {
    let mut hands = Hands::new(here);
    let mut due: Option<Instant> = None;
    loop {
        let job = match due {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => jobs.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        let answer = match job {
            Ok(Job::Copy(text, secs, method)) => {
                // Where it fails, the text before it stays due.
                match hands.copy(text, here.ways(&method)) {
                    Ok(copied) => {
                        due = (secs > 0).then(|| Instant::now() + Duration::from_secs(secs));
                        Report::Copied(copied)
                    }
                    Err(error) => Report::Failed(error),
                }
            }
            Ok(Job::Clear) | Err(RecvTimeoutError::Timeout) => {
                due = None;
                hands.clear().map_or_else(Report::Failed, Report::Cleared)
            }
            Ok(Job::Lend(say)) => {
                let left = due.map(|due| due.saturating_duration_since(Instant::now()));
                let _ = say.send(hands.lend(left));
                continue;
            }
            Ok(Job::Image) => Report::Image(hands.image()),
            Ok(Job::Text) => Report::Text(hands.text()),
            Ok(Job::Finish(say)) => {
                drop(hands.clear());
                drop(say.send(std::mem::take(&mut hands.to_terminal)));
                return;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for bytes in hands.to_terminal.drain(..) {
            report(Report::ToTerminal(bytes));
        }
        report(answer);
        scrub_stack();
    }
}

/// Reads the text in the clipboard, for commands.
///
/// # Errors
/// When there is none, or the clipboard cannot be reached.
pub fn read_text() -> Result<Secret<String>, ClipboardError> {
    Hands::new(Surroundings::here()).text()
}

/// Reads the picture in the clipboard, for commands.
///
/// # Errors
/// When there is none, or the clipboard cannot be reached.
pub fn read_image() -> Result<Picture, ClipboardError> {
    Hands::new(Surroundings::here()).image()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(here: Surroundings) -> (Clipboard, Receiver<Report>) {
        let (say, said) = channel();
        (Clipboard::start(here, move |report| drop(say.send(report))), said)
    }

    fn next(said: &Receiver<Report>) -> Report {
        said.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    #[test]
    fn without_a_display_the_terminal_is_asked_and_later_overwritten() {
        let (mut clipboard, said) = started(Surroundings { ssh: true, ..Surroundings::default() });
        clipboard.copy(Secret::new("123456".into()), 1, &Method::Auto);
        let Report::ToTerminal(bytes) = next(&said) else { panic!("the bytes come first") };
        assert_eq!(bytes.expose(), b"\x1b]52;c;MTIzNDU2\x1b\\");
        let Report::Copied(copied) = next(&said) else { panic!("then the word") };
        assert_eq!(copied.describe(), "sent to the terminal (OSC 52)");
        let Report::ToTerminal(bytes) = next(&said) else { panic!("after a second it is overwritten") };
        assert_eq!(bytes.expose(), b"\x1b]52;c;IA==\x1b\\");
        assert!(matches!(next(&said), Report::Cleared(Cleared::Overwritten)));
        clipboard.clear_now();
        assert!(matches!(next(&said), Report::Cleared(Cleared::Nothing)), "it is cleared once");
    }

    #[test]
    fn finishing_hands_out_what_clears_the_terminal() {
        let (mut clipboard, said) = started(Surroundings::default());
        clipboard.copy(Secret::new("1".into()), 0, &Method::Osc52);
        assert!(matches!(next(&said), Report::ToTerminal(_)));
        let left = clipboard.finish(Duration::from_secs(30));
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].expose(), b"\x1b]52;c;IA==\x1b\\");
    }

    #[test]
    fn unused_it_starts_no_thread_and_has_nothing_to_clear() {
        let (mut clipboard, said) = started(Surroundings::default());
        clipboard.clear_now();
        assert!(said.try_recv().is_err());
        assert!(clipboard.finish(Duration::ZERO).is_empty());
    }

    #[test]
    fn what_only_the_terminal_can_clear_cannot_be_lent_and_is_cleared_later() {
        let (mut clipboard, said) = started(Surroundings::default());
        assert!(clipboard.lend(Duration::ZERO), "nothing was copied");
        clipboard.copy(Secret::new("1".into()), 60, &Method::Osc52);
        assert!(!clipboard.lend(Duration::from_secs(30)));
        assert!(matches!((next(&said), next(&said)), (Report::ToTerminal(_), Report::Copied(_))));
        clipboard.clear_now();
        assert!(matches!(next(&said), Report::ToTerminal(_)));
    }

    #[test]
    fn turned_off_it_says_so() {
        let (mut clipboard, said) = started(Surroundings::default());
        clipboard.copy(Secret::new("1".into()), 0, &Method::Off);
        assert!(matches!(next(&said), Report::Failed(ClipboardError::Off)));
    }
}
