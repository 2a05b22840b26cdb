//! What an account is, apart from any file or vault: names, a kind of code, a seed.

use super::params::{Algorithm, Digits, Period, Pin, Seed};
use crate::text::{clean, is_blank};

/// The kind of code with its parameters. Steam, mOTP and Yandex have fixed ones.
#[derive(Debug)]
pub enum Kind {
    /// RFC 6238.
    Totp {
        /// The hash.
        algorithm: Algorithm,
        /// Digits of the code.
        digits: Digits,
        /// Seconds that a code lives.
        period: Period,
    },
    /// RFC 4226.
    Hotp {
        /// The hash.
        algorithm: Algorithm,
        /// Digits of the code.
        digits: Digits,
        /// The counter to use next.
        counter: u64,
    },
    /// Steam Guard: five characters, 30 s, SHA-1.
    Steam,
    /// Mobile-OTP: six hex digits, 10 s, MD5, with a PIN. The seed's bytes are the decoded hex.
    Motp {
        /// The PIN.
        pin: Pin,
    },
    /// Yandex Key: eight letters, 30 s, SHA-256, with a PIN.
    Yandex {
        /// The PIN.
        pin: Pin,
    },
}

impl Kind {
    /// A TOTP of the usual parameters: SHA-1, 6 digits, 30 s.
    pub const fn totp() -> Self {
        Self::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY }
    }

    /// `totp`, `hotp`, `steam`, `motp` or `yandex`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Totp { .. } => "totp",
            Self::Hotp { .. } => "hotp",
            Self::Steam => "steam",
            Self::Motp { .. } => "motp",
            Self::Yandex { .. } => "yandex",
        }
    }

    /// Seconds that a code lives; none for HOTP.
    pub const fn period(&self) -> Option<u64> {
        match self {
            Self::Totp { period, .. } => Some(period.secs()),
            Self::Hotp { .. } => None,
            Self::Steam | Self::Yandex { .. } => Some(30),
            Self::Motp { .. } => Some(10),
        }
    }

    /// Characters of a code.
    pub const fn digits(&self) -> u8 {
        match self {
            Self::Totp { digits, .. } | Self::Hotp { digits, .. } => digits.get(),
            Self::Steam => 5,
            Self::Motp { .. } => 6,
            Self::Yandex { .. } => 8,
        }
    }

    /// The hash as links name it: `SHA1`, `SHA256`, `SHA512`, `MD5`.
    pub const fn algorithm_name(&self) -> &'static str {
        match self {
            Self::Totp { algorithm, .. } | Self::Hotp { algorithm, .. } => algorithm.name(),
            Self::Steam => "SHA1",
            Self::Motp { .. } => "MD5",
            Self::Yandex { .. } => "SHA256",
        }
    }

    /// A second copy.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Totp { algorithm, digits, period } => {
                Self::Totp { algorithm: *algorithm, digits: *digits, period: *period }
            }
            Self::Hotp { algorithm, digits, counter } => {
                Self::Hotp { algorithm: *algorithm, digits: *digits, counter: *counter }
            }
            Self::Steam => Self::Steam,
            Self::Motp { pin } => Self::Motp { pin: pin.duplicate() },
            Self::Yandex { pin } => Self::Yandex { pin: pin.duplicate() },
        }
    }
}

/// One account as imports bring it and the form makes it: what a vault entry is built from and shown as.
#[derive(Debug)]
pub struct Account {
    /// The site or service; may be empty.
    pub issuer: String,
    /// The user's name there; may be empty.
    pub account: String,
    /// The kind of code.
    pub kind: Kind,
    /// The shared secret.
    pub seed: Seed,
    /// Names of groups or tags.
    pub groups: Vec<String>,
    /// Free text.
    pub note: String,
    /// Marked as a favourite.
    pub favourite: bool,
    /// An icon's name, where the source has one.
    pub icon: Option<String>,
}

impl Account {
    /// An account with names, kind and seed, and nothing else.
    pub fn new(issuer: impl Into<String>, account: impl Into<String>, kind: Kind, seed: Seed) -> Self {
        Self {
            issuer: issuer.into(),
            account: account.into(),
            kind,
            seed,
            groups: Vec::new(),
            note: String::new(),
            favourite: false,
            icon: None,
        }
    }

    /// How messages name it: `issuer (account)`, or the one that it has, or `an account without a name`.
    pub fn title(&self) -> String {
        title(&self.issuer, &self.account)
    }
}

/// What stands for a name where none can be seen.
pub const NAMELESS: &str = "an account without a name";

/// The two names of an account as a list shows them: cleaned, and never both blank.
pub fn listed(issuer: &str, account: &str) -> (String, String) {
    let names = (clean(issuer).into_owned(), clean(account).into_owned());
    if names.0.trim().is_empty() && names.1.trim().is_empty() { (NAMELESS.to_owned(), String::new()) } else { names }
}

/// How messages name an account by its two names. Raw: clean it for display before it reaches a terminal.
pub fn title(issuer: &str, account: &str) -> String {
    match (is_blank(issuer), is_blank(account)) {
        (false, false) => format!("{issuer} ({account})"),
        (false, true) => issuer.to_owned(),
        (true, false) => account.to_owned(),
        (true, true) => String::from(NAMELESS),
    }
}
