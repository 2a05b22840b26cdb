//! An export from the panel: which format, under which password, to which file. It writes nothing itself.

use super::input::Input;
use super::path::PathLine;
use crate::secret::Secret;
use crate::transfer::Format;
use crate::transfer::export::{Sealing, sealing, written};
use crate::vault::EntryId;

/// An export that is being made.
pub struct Export {
    /// Whose secrets leave.
    pub ids: Vec<EntryId>,
    /// Which they are, in words: `all 21 accounts`.
    pub what: String,
    /// The chosen format, an index into [`formats`].
    pub chosen: usize,
    /// Where it stands.
    pub step: Step,
    /// The password that seals it, once it was typed twice.
    pub password: Option<Secret<String>>,
    /// Where to.
    pub path: PathLine,
    /// What is wrong with what was typed.
    pub problem: Option<String>,
}

/// Where an export stands.
pub enum Step {
    /// A format is chosen.
    Format,
    /// Its password is typed.
    Password {
        /// The first time.
        first: Input,
        /// The second time.
        second: Input,
        /// The second time is typed.
        repeat: bool,
    },
    /// The file's path is typed.
    Path,
    /// Whether secrets may lie open there.
    Open,
    /// Whether what is there may give way.
    Replace,
    /// It is being written.
    Writing,
    /// It was written, and this was left out.
    Done(Vec<String>),
}

/// The formats that are written.
pub fn formats() -> Vec<(Format, Sealing)> {
    written().filter_map(|format| sealing(format).map(|sealing| (format, sealing))).collect()
}

impl Export {
    /// An export of these accounts.
    pub fn new(ids: Vec<EntryId>, what: String) -> Self {
        let chosen = formats().iter().position(|(format, _)| *format == Format::Aegis).unwrap_or(0);
        let path = PathLine::default();
        Self { ids, what, chosen, step: Step::Format, password: None, path, problem: None }
    }

    /// The chosen format and whether its files are sealed.
    pub fn format(&self) -> (Format, Sealing) {
        let all = formats();
        all[self.chosen.min(all.len() - 1)]
    }

    /// A file's name in the home that tells what it is.
    pub fn usual_path(&self) -> String {
        let format = self.format().0;
        let kind = match format {
            Format::UriList | Format::GoogleMigration => "txt",
            Format::KeePassXc => "csv",
            Format::TwoFas => "2fas",
            _ => "json",
        };
        format!("~/otpanel-{}.{kind}", format.id())
    }

    /// The line that is typed into.
    pub fn line_mut(&mut self) -> Option<&mut Input> {
        match &mut self.step {
            Step::Password { second, repeat: true, .. } => Some(second),
            Step::Password { first, .. } => Some(first),
            Step::Path => Some(&mut self.path),
            _ => None,
        }
    }
}

/// How a format's files lie, in words.
pub const fn lies(sealing: Sealing) -> &'static str {
    match sealing {
        Sealing::Never => "open",
        Sealing::Optional => "sealed or open",
        Sealing::Always => "sealed",
    }
}
