//! Turns an account and a moment into a code. The only door to totp-rs, which computes the HMAC; the truncation and the
//! digits are ours, because totp-rs panics beyond nine digits. Codes are values to show and drop, never to store.

use totp_rs::Builder;

use super::account::{Account, Kind};
use super::params::{Algorithm, Digits, Period, Pin};
use super::{motp, steam, yandex};
use crate::secret::Secret;
use crate::time::UnixTime;

/// A code as it is typed. Wiped on drop; has no `Debug`.
pub struct Code(Secret<String>);

impl Code {
    /// Shows the code without blanks, as it is copied.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The code in groups of three from the right for reading: `120 551`, `58 201 774`, `2 147 483 647`. Only digits are
    /// grouped; letters stay together (`7F4KQ`).
    pub fn grouped(&self) -> Secret<String> {
        let text = self.expose();
        let digits = text.len();
        let mut out = String::with_capacity(digits + digits / 3);
        for (i, c) in text.chars().enumerate() {
            if i > 0 && (digits - i).is_multiple_of(3) && digits > 4 && text.bytes().all(|b| b.is_ascii_digit()) {
                out.push(' ');
            }
            out.push(c);
        }
        Secret::new(out)
    }
}

/// The code at a moment; none for HOTP, whose codes belong to counters.
pub fn code_at(account: &Account, at: UnixTime) -> Option<Code> {
    code_of(&account.kind, account.seed.expose(), at)
}

/// The code that follows the one at a moment; none for HOTP.
pub fn next_code_at(account: &Account, at: UnixTime) -> Option<Code> {
    code_at(account, at.plus_secs(account.kind.period()?))
}

/// The code at a moment from a kind and the seed's bytes, without an account; none for HOTP.
pub fn code_of(kind: &Kind, seed: &[u8], at: UnixTime) -> Option<Code> {
    Some(match kind {
        Kind::Totp { algorithm, digits, period } => totp(seed, *algorithm, *digits, *period, at),
        Kind::Hotp { .. } => return None,
        Kind::Steam => steam(seed, at),
        Kind::Motp { pin } => motp(seed, pin, at),
        Kind::Yandex { pin } => yandex(seed, pin, at),
    })
}

/// The HOTP code for a counter; none for any other kind.
pub fn hotp_code(account: &Account, counter: u64) -> Option<Code> {
    match &account.kind {
        Kind::Hotp { algorithm, digits, .. } => Some(hotp(account.seed.expose(), *algorithm, *digits, counter)),
        _ => None,
    }
}

/// A TOTP code (RFC 6238 section 4.2).
pub fn totp(seed: &[u8], algorithm: Algorithm, digits: Digits, period: Period, at: UnixTime) -> Code {
    hotp(seed, algorithm, digits, at.secs() / period.secs())
}

/// An HOTP code (RFC 4226 section 5.3).
pub fn hotp(seed: &[u8], algorithm: Algorithm, digits: Digits, counter: u64) -> Code {
    let digits = digits.get();
    let value = u64::from(truncated(seed, algorithm, counter)) % 10u64.pow(u32::from(digits));
    Code(Secret::new(format!("{value:0width$}", width = usize::from(digits))))
}

/// A Steam Guard code: five characters, 30 s.
pub fn steam(seed: &[u8], at: UnixTime) -> Code {
    Code(Secret::new(steam::text(truncated(seed, Algorithm::Sha1, at.secs() / 30))))
}

/// A Mobile-OTP code: six hex digits, 10 s.
pub fn motp(seed: &[u8], pin: &Pin, at: UnixTime) -> Code {
    Code(Secret::new(motp::text(seed, pin.expose(), at.secs())))
}

/// A Yandex Key code: eight letters, 30 s.
pub fn yandex(seed: &[u8], pin: &Pin, at: UnixTime) -> Code {
    Code(Secret::new(yandex::text(seed, pin.expose(), at.secs() / 30)))
}

/// Whole seconds that a code of this period still lives, 1 to `period`; a period of 0 counts as 1.
pub const fn remaining(period: u64, now: UnixTime) -> u64 {
    let period = if period == 0 { 1 } else { period };
    period - now.secs() % period
}

/// The 31 bits of dynamic truncation. A step of one second makes totp-rs's time the counter itself.
fn truncated(seed: &[u8], algorithm: Algorithm, counter: u64) -> u32 {
    let algorithm = match algorithm {
        Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
        Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
        Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
    };
    let totp = Builder::new().with_algorithm(algorithm).with_step_duration(1).with_secret(seed).build_noncompliant();
    let signature = totp.sign(counter);
    let bytes = signature.as_ref();
    let at = usize::from(bytes[bytes.len() - 1] & 15);
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) & 0x7FFF_FFFF
}
