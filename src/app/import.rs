//! The import in the panel: choose a file, give its password, look at the preview, choose, apply.

use std::path::PathBuf;
use std::sync::Arc;

use super::input::Input;
use super::owner::Owner;
use super::path::PathLine;
use crate::otp::Account;
use crate::otp::account::listed;
use crate::secret::Secret;
use crate::text::clean;
use crate::time::UnixTime;
use crate::transfer::{Import, plan};
use crate::vault::State;

/// Where an import is.
pub struct Flow {
    /// The step.
    pub step: Step,
    /// What went wrong in the last step.
    pub error: Option<String>,
    /// Exports that were downloaded lately, offered while no path is typed.
    pub recent: Vec<Recent>,
}

/// An export that was found where downloads lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// The file, as it is shown: `~` for the home.
    pub path: String,
    /// The app's name.
    pub app: &'static str,
}

/// Where an export is read from.
#[derive(Clone)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// Its text, pasted.
    Pasted(Arc<Secret<String>>),
}

impl Origin {
    /// What it is called, cleaned for display: the file's name.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => {
                clean(&path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()).into_owned()
            }
            Self::Pasted(_) => String::from("the pasted text"),
        }
    }
}

/// The steps.
pub enum Step {
    /// A path is typed, pasted or dropped.
    Path(PathLine),
    /// The export wants a password.
    Password {
        /// The export.
        origin: Origin,
        /// The app's name.
        app: String,
        /// What is typed.
        line: Input,
    },
    /// The file is being read; with the attempt's number.
    Reading {
        /// The export.
        origin: Origin,
        /// Whether a password was given.
        with_password: bool,
        /// Since when, by the panel's clock.
        since: UnixTime,
    },
    /// What would happen.
    Preview(Preview),
}

/// What would happen to each account of an export.
pub struct Preview {
    /// The app's name, with the file's.
    pub title: String,
    /// The accounts and what happens to each.
    pub lines: Vec<Line>,
    /// The selected line.
    pub selected: usize,
    /// Remarks on the whole file.
    pub notes: Vec<String>,
    /// Whose the accounts will be, where that can be chosen.
    pub owner: Option<Owner>,
}

/// One account of an export.
pub struct Line {
    /// Cleaned for display.
    pub issuer: String,
    /// Cleaned for display.
    pub account: String,
    /// What it is.
    pub about: String,
    /// What happens.
    pub fate: Fate,
    /// The account; none where it cannot be imported.
    pub entry: Option<Account>,
}

/// What happens to an account of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It comes in.
    New,
    /// It was left out by the user.
    LeftOut,
    /// The same secret is there under the same name.
    Here,
    /// The same secret is there under another name: both are kept if it is chosen.
    Differs,
    /// It is imported although it differs.
    DiffersChosen,
    /// It makes no codes here.
    Cannot,
}

impl Fate {
    /// Whether it will be added.
    pub const fn comes(self) -> bool {
        matches!(self, Self::New | Self::DiffersChosen)
    }
}

impl Flow {
    /// An import that starts with a path, typed already or empty.
    pub fn new(path: &str) -> Self {
        Self::at(Step::Path(PathLine::file(path)))
    }

    /// An import at one of its steps.
    pub fn at(step: Step) -> Self {
        Self { step, error: None, recent: Vec::new() }
    }

    /// Offers exports that were downloaded lately.
    pub fn offer(&mut self, recent: Vec<Recent>) {
        if let Step::Path(line) = &mut self.step {
            line.offer(recent.iter().map(|found| found.path.clone()).collect());
        }
        self.recent = recent;
    }
}

impl Preview {
    /// Compares what was read with what the vault holds.
    pub fn new(import: Import, file: &str, state: &State, owner: Option<Owner>) -> Self {
        let fates = plan::plan(state, &import.entries);
        let title = format!("{} · {}", import.format.name(), clean(file));
        let mut lines: Vec<Line> = import
            .entries
            .into_iter()
            .zip(fates)
            .map(|(account, fate)| {
                let fate = match fate {
                    plan::Fate::New => Fate::New,
                    plan::Fate::Differs(_) => Fate::Differs,
                    plan::Fate::Here(_) | plan::Fate::Twice => Fate::Here,
                };
                let (issuer, name) = listed(&account.issuer, &account.account);
                Line { issuer, account: name, about: about(&account), fate, entry: Some(account) }
            })
            .collect();
        lines.extend(import.skipped.into_iter().map(|skipped| Line {
            issuer: clean(&skipped.name).into_owned(),
            account: String::new(),
            about: clean(&skipped.reason).into_owned(),
            fate: Fate::Cannot,
            entry: None,
        }));
        Self { title, lines, selected: 0, notes: import.notes, owner }
    }

    /// How many lines have a fate that the predicate holds.
    pub fn count(&self, holds: impl Fn(Fate) -> bool) -> usize {
        self.lines.iter().filter(|line| holds(line.fate)).count()
    }

    /// Takes the selected line in or leaves it out.
    pub fn toggle(&mut self) {
        if let Some(line) = self.lines.get_mut(self.selected) {
            line.fate = match line.fate {
                Fate::New => Fate::LeftOut,
                Fate::LeftOut => Fate::New,
                Fate::Differs => Fate::DiffersChosen,
                Fate::DiffersChosen => Fate::Differs,
                fixed => fixed,
            };
        }
    }
}

fn about(account: &Account) -> String {
    use crate::otp::{Algorithm, Kind};
    match &account.kind {
        Kind::Totp { algorithm, digits, period } => {
            let mut text = String::from("TOTP");
            if *algorithm != Algorithm::Sha1 {
                text += &format!(", {}", algorithm.title());
            }
            if digits.get() != 6 {
                text += &format!(", {} digits", digits.get());
            }
            if period.secs() != 30 {
                text += &format!(", {} s", period.secs());
            }
            text
        }
        Kind::Hotp { counter, .. } => format!("HOTP, counter {counter}"),
        Kind::Steam => String::from("Steam"),
        Kind::Motp { .. } => String::from("mOTP"),
        Kind::Yandex { .. } => String::from("Yandex"),
    }
}
