//! From loose fields to an account: the checks and defaults that every format shares.

use super::EntryError;
use super::json::Json;
use crate::otp::params::short;
use crate::otp::{Account, Algorithm, Digits, Kind, ParamError, Period, Pin, Seed, names, uri, yandex};

/// The fields of an entry as its file has them. What a format lacks stays at its default.
pub struct Parts<'a> {
    /// Issuer, perhaps empty.
    pub issuer: &'a str,
    /// Account or whole label.
    pub label: &'a str,
    /// The kind in words, any case.
    pub kind: &'a str,
    /// The hash in words; empty and `null` are SHA-1.
    pub algorithm: &'a str,
    /// Digits as number or text.
    pub digits: &'a Json,
    /// Period as number or text.
    pub period: &'a Json,
    /// Counter as number or text.
    pub counter: &'a Json,
    /// The decoded secret.
    pub secret: Result<Vec<u8>, ParamError>,
    /// The PIN, perhaps empty.
    pub pin: &'a str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            issuer: "",
            label: "",
            kind: "totp",
            algorithm: "",
            digits: &Json::Null,
            period: &Json::Null,
            counter: &Json::Null,
            secret: Err(ParamError::EmptySecret),
            pin: "",
        }
    }
}

impl Parts<'_> {
    /// Builds the account.
    pub fn account(self) -> Result<Account, EntryError> {
        let digits = self.digits.number().map_err(ParamError::Digits);
        let digits = || Ok::<_, ParamError>(digits.clone()?.map(Digits::new).transpose()?.unwrap_or_default());
        let kind = match self.kind.trim().to_ascii_lowercase().as_str() {
            "totp" => Kind::Totp {
                algorithm: Algorithm::parse(self.algorithm)?,
                digits: digits()?,
                period: self
                    .period
                    .number()
                    .map_err(ParamError::Period)?
                    .map(Period::new)
                    .transpose()?
                    .unwrap_or_default(),
            },
            "hotp" => Kind::Hotp {
                algorithm: Algorithm::parse(self.algorithm)?,
                digits: digits()?,
                counter: uri::counter(self.counter.number().map_err(ParamError::Counter)?)?,
            },
            "steam" | "steamtotp" => Kind::Steam,
            "motp" => Kind::Motp { pin: Pin::new(self.pin.to_owned())? },
            "yandex" | "yaotp" => Kind::Yandex { pin: Pin::new(self.pin.to_owned())? },
            other => return Err(EntryError::Type(short(other))),
        };
        let seed =
            if matches!(kind, Kind::Yandex { .. }) { yandex::seed(self.secret?)? } else { Seed::new(self.secret?)? };
        let (issuer, account) = names::split(self.issuer, self.label);
        Ok(Account::new(issuer, account, kind, seed))
    }
}
