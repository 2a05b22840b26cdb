//! The log: what the program did, for finding out why, in a file that only its owner can read. Off unless the settings
//! turn it on. Callers write names of events, counts and durations, never what an account or a secret says; what the
//! crates below write is left out, since nothing holds them to that.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Log;
use crate::paths;

/// A log that has grown beyond this many bytes is moved beside at the next start, in place of an earlier one.
const MAX_BYTES: u64 = 1024 * 1024;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
#[error("the log {} cannot be written: {source}", path.display())]
pub struct LogError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Begins to write to the file, from now until the program ends. Off makes no file. Only the first call of a program
/// counts.
///
/// # Errors
/// [`LogError`] when the file cannot be made; the program can go on without.
pub fn start(file: &Path, level: Log) -> Result<(), LogError> {
    let level = match level {
        Log::Off => return Ok(()),
        Log::Info => LevelFilter::INFO,
        Log::Debug => LevelFilter::DEBUG,
    };
    let failed = |source| LogError { path: file.to_owned(), source };
    let writer = Mutex::new(open(file).map_err(failed)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    let ours = filter_fn(|about| about.target().split("::").next() == Some("otpanel"));
    // Fails only where a log was begun before, which then goes on.
    let _ = tracing_subscriber::registry().with(level).with(ours).with(lines).try_init();
    Ok(())
}

fn open(file: &Path) -> io::Result<std::fs::File> {
    if let Some(folder) = file.parent() {
        paths::private_dir(folder)?;
    }
    if std::fs::metadata(file).is_ok_and(|about| about.len() > MAX_BYTES) {
        std::fs::rename(file, file.with_extension("old.log"))?;
    }
    paths::private_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    // One test, since a program begins one log.
    #[test]
    fn our_events_from_the_chosen_level_up_are_written_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state/otpanel.log");

        start(&file, Log::Off).expect("nothing to do");
        assert!(!file.exists());

        std::fs::create_dir(folder.path().join("state")).expect("made");
        std::fs::write(&file, vec![b'x'; MAX_BYTES as usize + 1]).expect("written");
        start(&file, Log::Info).expect("begun");
        tracing::info!(accounts = 3, "opened");
        tracing::debug!("too fine");
        tracing::error!(target: "zbus", "a crate below");
        tracing::error!(target: "otpanelish", "another's");

        let text = std::fs::read_to_string(&file).expect("read");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("INFO") && text.contains("opened accounts=3") && !text.contains('\u{1b}'), "{text}");
        assert!(folder.path().join("state/otpanel.old.log").exists());
    }

    #[test]
    fn a_log_that_cannot_be_made_says_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = start(&folder.path().join("x\0y/log"), Log::Debug).expect_err("no such name");
        assert!(error.to_string().contains("cannot be written"));
    }
}
