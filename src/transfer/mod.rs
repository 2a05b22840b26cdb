//! Imports and exports: bytes in, accounts and a report out, and back. Pure: no files, no clock, no randomness.
//!
//! `detect` tells a format by its content, `formats` holds one file per format, `text` and `json` read foreign text
//! within bounds. One bad entry never costs the others: it is handed back in [`Import::skipped`] with its reason. Errors
//! name places and reasons, never what stands there.

mod container;
pub mod detect;
pub mod export;
mod format;
mod formats;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guess;
mod json;
mod parts;
pub mod plan;
pub mod qr;
mod text;
mod writer;

use crate::otp::{Account, Kind, ParamError, account::title, base32, uri::UriError};
use crate::secret::Secret;

pub use detect::detect;
pub use export::{ExportError, Exported, export};
pub use format::Format;

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 64 << 20;

/// Accounts and reports that one import brings at most: far more than anybody has, and a bound on memory.
pub const MAX_ENTRIES: usize = 250_000;

/// What to import, and what is known about it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The file's content.
    pub bytes: &'a [u8],
    /// Its name without folders; some formats take an account's name from it.
    pub name: Option<&'a str>,
    /// The password of the file.
    pub password: Option<&'a Secret<String>>,
    /// The format, where the user chose one.
    pub format: Option<Format>,
    /// The write-ahead log found beside a database.
    pub wal: Option<&'a [u8]>,
    /// A KeePass key file.
    pub key_file: Option<&'a [u8]>,
}

impl<'a> Source<'a> {
    /// A source of which nothing but the content is known.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, name: None, password: None, format: None, wal: None, key_file: None }
    }

    /// The password, or the error that asks for it.
    fn need_password(&self, format: Format) -> Result<&'a Secret<String>, ImportError> {
        self.password.filter(|p| !p.expose().is_empty()).ok_or(ImportError::PasswordNeeded(format))
    }
}

/// What an import brings.
#[derive(Debug)]
pub struct Import {
    /// The format that was recognised.
    pub format: Format,
    /// The accounts, in the order of the file.
    pub entries: Vec<Account>,
    /// What could not be taken.
    pub skipped: Vec<Skipped>,
    /// Sentences worth knowing that cost nothing, such as a missing part of a batch.
    pub notes: Vec<String>,
}

/// An entry that could not be taken.
#[derive(Debug)]
pub struct Skipped {
    /// What it is called: its issuer and account, or its place in the file. Raw: clean it before a terminal shows it.
    pub name: String,
    /// Why, as a part of a sentence. Never holds a part of a secret.
    pub reason: String,
    /// The line of a list that it stands on, for [`to_json`] alone.
    pub line: Option<Secret<String>>,
}

/// Why a whole file was refused.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// No format matches.
    #[error("this is no export that otpanel knows")]
    Unknown,
    /// It looks like JSON and is not.
    #[error("this is no export that otpanel knows ({0})")]
    NotJson(String),
    /// No mark and no text: perhaps a sealed export.
    #[error("this is no export that otpanel knows; if it is an encrypted one, give its password")]
    MaybeEncrypted,
    /// No format without a mark opens with the password.
    #[error("wrong password, or no export that otpanel knows")]
    NothingFits,
    /// It is encrypted and no password was given.
    #[error("this {} file is protected by a password", .0.name())]
    PasswordNeeded(Format),
    /// The password does not open it, or it is damaged: often nobody can tell.
    #[error("wrong password or damaged {} file", .0.name())]
    WrongPassword(Format),
    /// It is damaged at a place that is known.
    #[error("the {} file is damaged: {reason}", format.name())]
    Damaged {
        /// The format.
        format: Format,
        /// The place and what is wrong there.
        reason: String,
    },
    /// It cannot be read for a reason that the user can mend.
    #[error("{reason}")]
    Refused {
        /// The format.
        format: Format,
        /// The reason and the way out, one or two sentences.
        reason: String,
    },
    /// It is larger than what is read.
    #[error("{what} is larger than {mib} MiB")]
    TooLarge {
        /// The file, or the part of it.
        what: &'static str,
        /// The limit.
        mib: usize,
    },
    /// It holds more than is read.
    #[error("the file holds more than {limit} {what}")]
    TooMany {
        /// What it holds.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// It asks for more work or memory than is sensible.
    #[error("this {} file asks for {what}, which is beyond the limit of {limit}", format.name())]
    Limits {
        /// The format.
        format: Format,
        /// What it asks for.
        what: String,
        /// The limit.
        limit: &'static str,
    },
}

/// Why one entry was not taken.
#[derive(Debug, thiserror::Error)]
enum EntryError {
    #[error(transparent)]
    Param(#[from] ParamError),
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error("{0}")]
    Other(&'static str),
    #[error("the type {0} is not supported")]
    Type(String),
    #[error("{0}")]
    Unusable(String),
}

impl Import {
    fn new(format: Format) -> Self {
        Self { format, entries: Vec::new(), skipped: Vec::new(), notes: Vec::new() }
    }

    /// Takes an entry, or notes why not under its two names.
    fn take(&mut self, issuer: &str, account: &str, entry: Result<Account, EntryError>) {
        match entry {
            Ok(account) => self.add(account),
            Err(error) => self.skip(title(issuer, account), error.to_string()),
        }
    }

    fn add(&mut self, account: Account) {
        if !self.is_full() {
            self.entries.push(account);
        }
    }

    fn skip(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        self.report(Skipped { name: name.into(), reason: reason.into(), line: None });
    }

    fn report(&mut self, skipped: Skipped) {
        if !self.is_full() {
            self.skipped.push(skipped);
        }
    }

    /// Whether nothing more is taken. [`import`] refuses the file then, so that nothing is left out in silence.
    fn is_full(&self) -> bool {
        self.entries.len() + self.skipped.len() > MAX_ENTRIES
    }
}

/// Reads an export: recognises the format unless the source names one, opens it and takes what can be taken.
///
/// # Errors
/// [`ImportError`] when nothing of the file can be read.
pub fn import(source: Source<'_>) -> Result<Import, ImportError> {
    if source.bytes.len() > MAX_FILE {
        return Err(ImportError::TooLarge { what: "the file", mib: MAX_FILE >> 20 });
    }
    if source.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ImportError::Empty);
    }
    let import = formats::read(source)?;
    if import.is_full() {
        return Err(ImportError::TooMany { what: "accounts", limit: MAX_ENTRIES });
    }
    Ok(import)
}

/// Reads the QR codes of a picture that is pixels already, as a clipboard gives it: four bytes for each (red, green, blue,
/// alpha), row by row.
///
/// # Errors
/// [`ImportError`] when no code with an account is in it.
pub fn import_picture(width: usize, height: usize, mut rgba: Secret<Vec<u8>>) -> Result<Import, ImportError> {
    formats::picture::read_pixels(width, height, std::mem::take(rgba.expose_mut()))
}

/// Writes imports as the command line prints them for scripts, as one document, secrets included. Characters that steer a
/// terminal are escaped.
pub fn to_json(imports: &[&Import]) -> Secret<String> {
    json::output(imports)
}

/// The secret of an account as [`to_json`] writes it.
fn secret_text(account: &Account) -> Secret<String> {
    base32::encode(account.seed.expose())
}

/// The PIN of an account, where its kind has one.
fn pin_text(account: &Account) -> Option<&str> {
    match &account.kind {
        Kind::Motp { pin } | Kind::Yandex { pin } => Some(pin.expose()),
        _ => None,
    }
}
