//! The values that a code is made from, each of a type that cannot hold a wrong one.

use std::fmt;

use crate::secret::Secret;

/// Why a value was refused. Names the value, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// Digits outside 1 to 10.
    #[error("{0} digits: a code has 1 to 10")]
    Digits(String),
    /// A period outside 1 to 86,400 seconds.
    #[error("a period of {0} s: it may be 1 to 86,400")]
    Period(String),
    /// A counter that is no number, or beyond [`super::uri::MAX_COUNTER`].
    #[error("a counter of {0}: it may be 0 to 9,223,372,032,559,808,512")]
    Counter(String),
    /// An algorithm that is not SHA-1, SHA-256 or SHA-512.
    #[error("the algorithm {0} is not supported (SHA1, SHA256 and SHA512 are)")]
    Algorithm(String),
    /// A secret without a usable byte.
    #[error("the secret is empty")]
    EmptySecret,
    /// A secret that is too long to be one (over 1,024 bytes).
    #[error("the secret is longer than 1,024 bytes")]
    LongSecret,
    /// A character that base32 does not have, with its place (from 1).
    #[error("the secret has a character at place {at} that base32 does not have (A-Z and 2-7)")]
    Base32 {
        /// The place of the character, counted from 1.
        at: usize,
    },
    /// Not hexadecimal.
    #[error("the secret is not hexadecimal")]
    Hex,
    /// A PIN is missing.
    #[error("this kind of code needs a PIN")]
    MissingPin,
    /// A PIN in neither of the forms that links carry.
    #[error("the PIN is neither digits nor base32 of its text")]
    Pin,
    /// A secret of the wrong length for its kind.
    #[error("the secret has the wrong length for this kind of code")]
    SecretLength,
}

/// The hash of a TOTP or HOTP code (RFC 6238 section 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithm {
    /// HMAC-SHA-1, what nearly every site uses.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// As `otpauth:` links write it: `SHA1`, `SHA256`, `SHA512`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// As its standard writes it (FIPS 180-4), for people: `SHA-1`, `SHA-256`, `SHA-512`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Reads any spelling in use (`SHA1`, `sha-1`, `HmacSHA256`); empty and `null` mean SHA-1.
    ///
    /// # Errors
    /// [`ParamError::Algorithm`] with the text for anything else.
    pub fn parse(text: &str) -> Result<Self, ParamError> {
        let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
        match plain.strip_prefix("HMAC").unwrap_or(&plain) {
            "" | "NULL" | "SHA1" => Ok(Self::Sha1),
            "SHA256" => Ok(Self::Sha256),
            "SHA512" => Ok(Self::Sha512),
            _ => Err(ParamError::Algorithm(short(text))),
        }
    }
}

/// How many digits a code has: 1 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(u8);

impl Digits {
    /// The usual six.
    pub const SIX: Self = Self(6);
    /// Eight.
    pub const EIGHT: Self = Self(8);

    /// Checks the bounds.
    ///
    /// # Errors
    /// [`ParamError::Digits`] outside 1 to 10.
    pub fn new(n: u64) -> Result<Self, ParamError> {
        if (1..=10).contains(&n) { Ok(Self(n as u8)) } else { Err(ParamError::Digits(n.to_string())) }
    }

    /// The number, 1 to 10.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Digits {
    fn default() -> Self {
        Self::SIX
    }
}

/// How long a code lives, in seconds: 1 to 86,400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u32);

impl Period {
    /// The usual 30 seconds.
    pub const THIRTY: Self = Self(30);

    /// Checks the bounds.
    ///
    /// # Errors
    /// [`ParamError::Period`] outside 1 to 86,400.
    pub fn new(secs: u64) -> Result<Self, ParamError> {
        if (1..=86_400).contains(&secs) { Ok(Self(secs as u32)) } else { Err(ParamError::Period(secs.to_string())) }
    }

    /// Seconds, 1 to 86,400.
    pub const fn secs(self) -> u64 {
        self.0 as u64
    }
}

impl Default for Period {
    fn default() -> Self {
        Self::THIRTY
    }
}

/// The shared secret of an account: 1 to 1,024 bytes, as decoded. Not comparable and not printable.
pub struct Seed(Secret<Vec<u8>>);

impl Seed {
    /// Takes the decoded bytes.
    ///
    /// # Errors
    /// [`ParamError::EmptySecret`] or [`ParamError::LongSecret`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, ParamError> {
        let bytes = Secret::new(bytes);
        match bytes.expose().len() {
            0 => Err(ParamError::EmptySecret),
            1..=1024 => Ok(Self(bytes)),
            _ => Err(ParamError::LongSecret),
        }
    }

    /// Shows the bytes.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// A second copy, for an account that is handed on.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(Secret::new(self.expose().to_vec()))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// The PIN that mOTP and Yandex codes are made with.
pub struct Pin(Secret<String>);

impl Pin {
    /// Takes a PIN.
    ///
    /// # Errors
    /// [`ParamError::MissingPin`] when it is empty.
    pub fn new(text: String) -> Result<Self, ParamError> {
        let text = Secret::new(text);
        if text.expose().is_empty() { Err(ParamError::MissingPin) } else { Ok(Self(text)) }
    }

    /// Shows the PIN.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// A second copy, for an account that is handed on.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

/// At most 24 characters of foreign text for an error message, without control characters.
pub(crate) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(24).collect()
}
