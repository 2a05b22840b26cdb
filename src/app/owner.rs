//! Whose a new account is, where an organisation manages the machine and lets the user choose.

use crate::policy::Policy;
use crate::text::clean;

/// The choice between the organisation and the user; the organisation goes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The organisation's name, cleaned for display.
    pub organisation: String,
    /// The user chose to keep it personal.
    pub personal: bool,
}

impl Owner {
    /// The choice that a policy leaves; none where there is nothing to choose.
    pub fn offered(policy: &Policy) -> Option<Self> {
        policy.offers().map(|name| Self { organisation: clean(name).into_owned(), personal: false })
    }

    /// Chooses the other.
    pub const fn turn(&mut self) {
        self.personal = !self.personal;
    }

    /// What is chosen.
    pub fn words(&self) -> &str {
        if self.personal { "personal" } else { &self.organisation }
    }
}
