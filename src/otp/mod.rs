//! Accounts and their codes. Pure: a code is a function of an account and a moment.
//!
//! [`params`] holds the values that cannot be wrong (digits, period, seed), [`account`] what an account is, [`code`] turns
//! both and a time into a code, [`uri`] reads and writes `otpauth:` links.

pub mod account;
pub mod base32;
pub mod code;
pub mod motp;
pub mod names;
pub mod params;
pub mod steam;
pub mod uri;
pub mod yandex;

pub use account::{Account, Kind};
pub use code::{Code, code_at, hotp_code, next_code_at, remaining};
pub use params::{Algorithm, Digits, ParamError, Period, Pin, Seed};
