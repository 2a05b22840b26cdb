//! What was: the trash and the older copies of the vault, one screen with two tabs.

use std::path::PathBuf;

use crate::otp::account;
use crate::report::Report;
use crate::text::clean;
use crate::time::UnixTime;
use crate::vault::{Entry, EntryId, State, field};

/// The screen.
#[derive(Default)]
pub struct Past {
    /// The tab in view.
    pub tab: Side,
    /// The selected row of it.
    pub selected: usize,
    /// The older copies.
    pub copies: Copies,
    /// A question over it.
    pub ask: Option<Ask>,
}

/// The accounts in the trash, the last deleted first.
pub fn trashed(state: &State) -> Vec<EntryId> {
    let mut ids: Vec<_> = state.trashed().map(|e| (e.number(field::TRASHED_AT), e.id)).collect();
    ids.sort_by(|a, b| b.cmp(a));
    ids.into_iter().map(|(_, id)| id).collect()
}

/// How a question names an entry of the trash.
pub fn title(entry: Option<&Entry>) -> String {
    entry.map_or_else(String::new, |entry| clean(&account::title(entry.issuer(), entry.name())).into_owned())
}

/// A tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// What was deleted.
    #[default]
    Trash,
    /// Older copies.
    History,
}

/// The older copies, as far as they are known.
#[derive(Default)]
pub enum Copies {
    /// They are being read.
    #[default]
    Reading,
    /// The newest first.
    Read(Vec<Kept>),
    /// They could not be.
    Failed(Box<Report>),
}

impl Copies {
    /// Those that were read.
    pub fn list(&self) -> &[Kept] {
        match self {
            Self::Read(copies) => copies,
            Self::Reading | Self::Failed(_) => &[],
        }
    }
}

/// One older copy, and what restoring it would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its file.
    pub path: PathBuf,
    /// When it was kept.
    pub time: UnixTime,
    /// Why: `save`, `import`, …
    pub reason: &'static str,
    /// Accounts in use in it; none when it does not open.
    pub accounts: Option<usize>,
    /// Names of the accounts that it would bring back.
    pub back: Vec<String>,
    /// How many it would change otherwise.
    pub changed: usize,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Delete this one for good?
    Purge(EntryId),
    /// Restore the copy in this row?
    Restore(usize),
}

impl Kept {
    /// What it would do, in a few words.
    pub fn difference(&self) -> String {
        let back = self.back.len();
        match (self.accounts, back, self.changed) {
            (None, ..) => String::from("does not open"),
            (_, 0, 0) => String::from("nothing new"),
            (_, 0, n) => format!("{n} would change"),
            (_, 1, 0) => String::from("1 comes back"),
            (_, b, 0) => format!("{b} come back"),
            (_, 1, n) => format!("1 comes back, {n} change"),
            (_, b, n) => format!("{b} come back, {n} change"),
        }
    }
}
