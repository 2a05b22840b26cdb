//! This computer's keychain as a way into the open vault: the question whether it is to be one.

use crate::vault::envelope::Unlocked;

/// Something to do with this computer's keychain and the open vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Does it open the vault? It may show its dialog.
    Look,
    /// Could it, and was nobody told yet? It shows nothing.
    Offer,
    /// Let it open the vault.
    LetIn,
    /// Let it open the vault no more.
    TakeAway,
}

/// What came of a [`Job`].
pub enum Answer {
    /// It opens the vault, or does not; nothing was changed.
    Opens(bool),
    /// It is to be said that it could.
    Offer(bool),
    /// The vault as it was saved, and whether the keychain opens it now.
    Changed(Box<Unlocked>, bool),
}

/// The question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The keychain is asked how it stands.
    Asking,
    /// Whether to change it; whether it opens the vault now.
    Question(bool),
    /// It is being changed.
    Working,
}
