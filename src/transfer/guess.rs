//! What the first bytes of a file say.

use super::container::{java, sqlite};
use super::formats::{otpanel, picture};

/// What they say.
pub(super) enum Guess {
    /// PNG, JPEG or WebP.
    Picture,
    /// An SQLite database.
    Sqlite,
    /// A ZIP archive.
    Zip,
    /// A serialised Java object.
    Java,
    /// KeePass, any version.
    KeePass,
    /// Stratum, either sealed form.
    Stratum,
    /// A vault of our own.
    Otpanel,
    /// OTPClient, version 2 or 3.
    OtpClient,
    /// Sealed by a tool that has to open it.
    Sealed(&'static str),
}

/// Looks for a mark at the beginning.
pub(super) fn guess(bytes: &[u8]) -> Option<Guess> {
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    Some(match () {
        () if starts(sqlite::MAGIC) => Guess::Sqlite,
        () if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => Guess::Zip,
        () if starts(java::MAGIC) => Guess::Java,
        () if starts(&[0x03, 0xD9, 0xA2, 0x9A]) => Guess::KeePass,
        () if starts(b"AUTHENTICATORPRO") || starts(b"AuthenticatorPro") => Guess::Stratum,
        () if starts(otpanel::MAGIC) => Guess::Otpanel,
        () if starts(b"OTPClient") => Guess::OtpClient,
        () if picture::is_picture(bytes) => Guess::Picture,
        () if starts(b"age-encryption.org") || starts(b"-----BEGIN AGE") => Guess::Sealed("age"),
        () if starts(b"-----BEGIN PGP") => Guess::Sealed("gpg"),
        () => return None,
    })
}
