//! A new recovery key in the place of the old one: shown and checked first, in force only then.

use super::recovery::Sheet;
use crate::unlock::renewal::NewRecoveryKey;

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
}

impl Default for Renewal {
    fn default() -> Self {
        Self::new()
    }
}
