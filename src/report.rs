//! Any error in words: what happened, why, and what to do next. The command line and the panel say the same, but for the
//! next step where one has an option for it and the other a key.
//!
//! Every error of the floors below is turned here by matches without `_`, so that no error can be added without its
//! sentences. A report never holds a secret; names in it are cleaned for display.

use std::borrow::Cow;

/// How a command ends. The numbers are promised to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 1: it could not be done.
    Failed,
    /// 2: the command line or a value on it is wrong.
    Usage,
    /// 3: nothing, or more than one, has that name.
    NotFound,
    /// 4: the vault or an export stayed locked: no key, or a wrong one.
    Locked,
    /// 5: the vault is damaged, or made by a newer version.
    Damaged,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Locked => 4,
            Self::Damaged => 5,
        }
    }
}

/// An error in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What happened, one line without a full stop.
    pub problem: String,
    /// Why.
    pub cause: String,
    /// What to do next.
    pub next: String,
    /// What to do next in the panel, where that is not the same.
    in_panel: Option<&'static str>,
    /// How a command ends that meets it.
    pub exit: Exit,
}

impl Report {
    /// What happened and why, in one line.
    pub fn why(&self) -> String {
        format!("{}. {}", self.problem, self.cause)
    }

    /// The same with what to do next, for whoever sits before the panel.
    pub fn whole_in_panel(&self) -> String {
        format!("{} {}", self.why(), self.next_in_panel())
    }

    /// Puts one together.
    pub fn new<'a>(
        exit: Exit,
        problem: impl Into<Cow<'a, str>>,
        cause: impl Into<Cow<'a, str>>,
        next: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            problem: problem.into().into_owned(),
            cause: cause.into().into_owned(),
            next: next.into().into_owned(),
            in_panel: None,
            exit,
        }
    }

    /// Gives the panel a next step of its own.
    #[must_use]
    pub fn in_panel(self, next: &'static str) -> Self {
        Self { in_panel: Some(next), ..self }
    }

    /// What to do next, for whoever sits before the panel.
    pub fn next_in_panel(&self) -> &str {
        self.in_panel.unwrap_or(&self.next)
    }
}

/// Makes a report of an error owned or lent.
macro_rules! told {
    ($($error:ty => $words:expr;)*) => {$(
        impl From<&$error> for Report {
            fn from(error: &$error) -> Self {
                let words: fn(&$error) -> Report = $words;
                words(error)
            }
        }

        impl From<$error> for Report {
            fn from(error: $error) -> Self {
                Self::from(&error)
            }
        }
    )*};
}

mod exports;
mod ground;
mod imports;
mod keys;
mod policies;
mod vaults;

pub use ground::{LISTS, sentence, system};
pub use keys::OTHERWISE;
pub use vaults::{COPIES, warning};
