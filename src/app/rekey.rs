//! New keys for the vault, since a computer was lost or stolen: the password, the new recovery key and its check, then the keys
//! come in force and the computer is forgotten. Nothing is written before the recovery key is.

use super::backup::Seen;
use super::input::Input;
use super::recovery::Sheet;
use crate::secret::Secret;
use crate::unlock::UnlockError;
use crate::unlock::rekey::{Keychains, NewKey};
use crate::vault::envelope::Unlocked;

/// What is said of new keys that were given up after their recovery key was shown.
pub const GIVEN_UP: &str = "no new keys were made: the recovery key that was shown opens nothing";

/// Where the user is.
pub struct Rekey {
    /// The device that is forgotten in the end.
    pub device: Seen,
    /// The vault has a password, which must be typed to stay: every way in is made anew.
    pub has_password: bool,
    /// The step.
    pub step: Step,
    /// What is wrong.
    pub problem: Option<String>,
}

/// The steps.
pub enum Step {
    /// The password of now is typed, and stays.
    Present(Input),
    /// A new one, twice.
    New {
        /// The first line.
        first: Input,
        /// The second.
        second: Input,
        /// Whether the second is typed into.
        repeat: bool,
    },
    /// There is no password, and the keychain goes on to open the vault.
    NoPassword,
    /// The keys are being made, as the attempt of this number.
    Making(u64),
    /// The new recovery key is shown and checked.
    Recovery(Box<Made>, Sheet),
    /// The recovery key is written down: the keys come in force as soon as nothing else is being saved.
    Ready(Box<Made>),
    /// They are being put in force.
    Saving,
    /// That failed, and can be tried again.
    Again(Box<Made>),
}

/// What opens the vault from then on, beside the recovery key and the keychain.
pub enum Password {
    /// The password that it has.
    Present(Secret<String>),
    /// A new one.
    New(Secret<String>),
    /// None: it has none.
    None,
}

/// New keys, not in force yet.
pub struct Made {
    /// The key.
    pub key: NewKey,
    /// What becomes of the keychains.
    pub keychains: Keychains,
}

/// New keys in force.
pub struct InForce {
    /// The vault as it lies in the file.
    pub vault: Box<Unlocked>,
    /// The disk confirmed it; else a later save sees to that.
    pub confirmed: bool,
    /// What the user is to know.
    pub words: Option<String>,
}

/// New keys that could not be put in force: the vault is as it was.
pub struct NotInForce {
    /// The keys, for another try.
    pub made: Box<Made>,
    /// Why.
    pub error: UnlockError,
}

impl Rekey {
    /// Begins, for a device that is forgotten afterwards.
    pub fn new(device: Seen, has_password: bool) -> Self {
        let mut rekey = Self { device, has_password, step: Step::NoPassword, problem: None };
        rekey.begin();
        rekey
    }

    /// What is put in force can be left no more.
    pub const fn is_saving(&self) -> bool {
        matches!(self.step, Step::Saving)
    }

    /// What is to be said where it ends now: none where no recovery key was shown.
    pub fn given_up(&self) -> Option<&'static str> {
        matches!(self.step, Step::Recovery(..) | Step::Ready(_) | Step::Again(_)).then_some(GIVEN_UP)
    }

    /// Goes to the first step.
    pub fn begin(&mut self) {
        self.step = if self.has_password { Step::Present(Input::default()) } else { Step::NoPassword };
    }

    /// Goes to a new password.
    pub fn take_new(&mut self) {
        self.step = Step::New { first: Input::default(), second: Input::default(), repeat: false };
    }

    /// The line that is typed into.
    pub fn line_mut(&mut self) -> Option<&mut Input> {
        match &mut self.step {
            Step::Present(line) => Some(line),
            Step::New { first, second, repeat } => Some(if *repeat { second } else { first }),
            Step::Recovery(_, sheet) => sheet.line_mut(),
            Step::NoPassword | Step::Making(_) | Step::Ready(_) | Step::Saving | Step::Again(_) => None,
        }
    }
}
