//! Where an export or a picture goes: never over a file without a yes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::failure::{Doing, Failure};
use super::output::answer;
use super::prompt;
use crate::paths;
use crate::runtime::export::beside;
use crate::text::clean;

/// Where an export goes.
pub enum Goal {
    /// Standard output.
    Stdout,
    /// A name that is free.
    New(PathBuf),
    /// A file that gives way, by its own name.
    Over(PathBuf),
    /// A pipe or device that is written into.
    Into(PathBuf),
}

/// Decides where the export goes before anything is opened, and asks before a file is replaced.
pub fn goal(out: Option<&Path>, yes: bool) -> Result<Goal, Failure> {
    let Some(path) = out.filter(|path| *path != Path::new("-")) else { return Ok(Goal::Stdout) };
    let fails = |source| Failure::File { path: path.to_owned(), doing: Doing::Write, source };
    let found = match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Goal::New(path.to_owned())),
        found => found.map_err(fails)?,
    };
    if found.is_dir() {
        return Err(fails(io::ErrorKind::IsADirectory.into()));
    }
    if !found.is_file() {
        return Ok(Goal::Into(path.to_owned()));
    }
    let name = clean(&path.display().to_string()).into_owned();
    if !yes && !prompt::interactive() {
        return Err(Failure::NeedsYes { what: format!("Replacing {name}") });
    }
    if !yes && !prompt::yes(&format!("Replace {name}?"), false)? {
        return Err(Failure::Cancelled);
    }
    // Where it is a link, what it leads to gives way.
    paths::real(path).map(Goal::Over).map_err(fails)
}

/// Writes bytes to where they go.
///
/// # Errors
/// When they cannot be written; a file is as it was then.
pub fn write(goal: &Goal, bytes: &[u8]) -> Result<(), Failure> {
    let (path, done) = match goal {
        Goal::Stdout => {
            let text = std::str::from_utf8(bytes).map_err(|_| Failure::NotText { what: "export" })?;
            answer(text)?;
            return if text.ends_with('\n') { Ok(()) } else { answer("\n") };
        }
        Goal::New(path) => (path, beside(path, bytes, false)),
        Goal::Over(path) => (path, beside(path, bytes, true)),
        Goal::Into(path) => (path, File::options().write(true).open(path).and_then(|mut file| file.write_all(bytes))),
    };
    done.map_err(|source| Failure::File { path: path.clone(), doing: Doing::Write, source })
}
