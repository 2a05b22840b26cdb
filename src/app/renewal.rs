//! A new recovery key in the place of the old one: shown and checked first, in force only then.

use super::recovery::Sheet;
use crate::unlock::renewal::NewRecoveryKey;

/// What is said of a new key that was given up after it was shown.
pub const GIVEN_UP: &str = "no new recovery key was made: the one that was shown opens nothing, the old one still does";

/// Where the user is.
pub struct Renewal {
    /// The step.
    pub step: Step,
    /// Why the last one failed.
    pub problem: Option<String>,
}

/// The steps.
pub enum Step {
    /// What it means is said, and asked for.
    Question,
    /// The key is being made.
    Making,
    /// It is shown and checked.
    Recovery(Box<NewRecoveryKey>, Sheet),
    /// It is being put in force.
    Saving,
    /// That failed, and can be tried again.
    Again(Box<NewRecoveryKey>),
}

impl Renewal {
    /// Begins.
    pub const fn new() -> Self {
        Self { step: Step::Question, problem: None }
    }

    /// What is put in force can be left no more.
    pub const fn is_saving(&self) -> bool {
        matches!(self.step, Step::Saving)
    }

    /// What is to be said where it ends now: none where no key was shown.
    pub fn given_up(&self) -> Option<&'static str> {
        matches!(self.step, Step::Recovery(..) | Step::Again(_)).then_some(GIVEN_UP)
    }
}

impl Default for Renewal {
    fn default() -> Self {
        Self::new()
    }
}
