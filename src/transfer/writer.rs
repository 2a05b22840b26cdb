//! What a format can hold, and how it is written: each format tells it beside its reader.

use crate::otp::{Account, Kind};
use crate::secret::Secret;

/// Where random bytes come from: fills what it is given.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Whether a format's files are under a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// Secrets always lie open.
    Never,
    /// With a password sealed, without one open.
    Optional,
    /// Always sealed.
    Always,
}

/// How many groups one account may have in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Groups {
    None,
    One,
    Many,
}

/// What a format can hold, and how it is written.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    pub sealing: Sealing,
    pub groups: Groups,
    pub note: bool,
    pub favourite: bool,
    /// Whether two accounts may have the same secret.
    pub twins: bool,
    /// Why an account cannot be held; none when it can.
    pub refusal: fn(&Account) -> Option<&'static str>,
    /// Writes the accounts that can be held; sealed when there is a password.
    #[expect(clippy::type_complexity, reason = "said once, here")]
    pub write: fn(&[&Account], Option<&Secret<String>>, Random<'_>) -> Secret<Vec<u8>>,
}

/// Why formats that know TOTP, HOTP and Steam cannot hold an account.
pub(super) fn no_pins(account: &Account) -> Option<&'static str> {
    match account.kind {
        Kind::Motp { .. } => Some("the format has no Mobile-OTP"),
        Kind::Yandex { .. } => Some("the format has no Yandex codes"),
        _ => None,
    }
}

/// Why formats that know TOTP and Steam cannot hold an account.
pub(super) fn by_time(account: &Account) -> Option<&'static str> {
    match account.kind {
        Kind::Hotp { .. } => Some("the format has no counter codes (HOTP)"),
        _ => no_pins(account),
    }
}
