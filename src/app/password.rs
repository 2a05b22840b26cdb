//! A new password for the open vault, typed twice: in the place of the one before, or its first.

use super::input::Input;

/// Where the user is.
#[derive(Default)]
pub struct Password {
    /// The password.
    pub first: Input,
    /// The same once more.
    pub second: Input,
    /// Whether the second is typed into.
    pub repeat: bool,
    /// What is wrong with them.
    pub problem: Option<&'static str>,
    /// Why the last try to save it failed.
    pub failed: Option<String>,
    /// It is being saved.
    pub saving: bool,
}
