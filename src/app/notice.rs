//! A line about what just happened, and how it is meant.

use crate::time::UnixTime;

/// How a notice is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Done.
    Good,
    /// Worth knowing.
    Info,
    /// Look at this.
    Warn,
    /// It failed.
    Error,
}

/// A line about what just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// The words.
    pub text: String,
    /// Fewer words, for a narrow window.
    pub short: Option<String>,
    /// When it goes; stays where there is none.
    pub until: Option<UnixTime>,
}
