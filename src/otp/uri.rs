//! Reads and writes `otpauth:` links and their relatives `motp:` and `steam:`.
//!
//! Errors say what is wrong and the limit that it breaks; they never hold a part of a secret.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::account::{Account, Kind, title};
use super::names;
use super::params::{Algorithm, Digits, ParamError, Period, Pin, Seed, short};
use super::{base32, motp, yandex};
use crate::secret::Secret;

/// Why a link was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Not an `otpauth:`, `motp:` or `steam:` link.
    #[error("not an otpauth link")]
    NotALink,
    /// A Google export, which holds several accounts: the import reads it.
    #[error("this link holds several accounts: import it")]
    Migration,
    /// Another type than totp, hotp, steam and yaotp.
    #[error("the type {0} is not supported (totp, hotp, steam and yaotp are)")]
    UnknownType(String),
    /// No secret parameter.
    #[error("there is no secret in it")]
    MissingSecret,
    /// A value outside its bounds.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// More than one link.
    #[error("there are several links in it")]
    Several,
    /// A line break or another control character: no link holds one, so it is cut or something stands after it.
    #[error("there is a line break or another control character in it")]
    Control,
    /// Ente marks it as thrown away.
    #[error("it is in the app's trash")]
    Trashed,
}

/// Parameters that are looked at; links have fewer than twenty.
const MAX_PARAMS: usize = 1000;

/// What stays as it is in a written label or value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Reads one link.
///
/// # Errors
/// [`UriError`] with the first thing that is wrong.
pub fn parse(text: &str) -> Result<Account, UriError> {
    let link = Link::new(text)?;
    if !matches!(link.scheme, Scheme::Migration) {
        link.is_one()?;
    }
    match link.scheme {
        Scheme::Otpauth => link.otpauth(),
        Scheme::Motp => link.motp(),
        Scheme::Steam => {
            let secret = link.path.trim_end_matches('/');
            Ok(Account::new("", "", Kind::Steam, base32::decode(&percent_decode_str(secret).decode_utf8_lossy())?))
        }
        Scheme::Migration => Err(UriError::Migration),
    }
}

/// How messages name the account of a link that may be damaged: by its label and issuer alone. None where it has neither.
pub fn label(text: &str) -> Option<String> {
    let link = Link::new(text).ok().filter(|l| matches!(l.scheme, Scheme::Otpauth | Scheme::Motp))?;
    let (issuer, account) = link.names();
    (!issuer.is_empty() || !account.is_empty()).then(|| title(&issuer, &account))
}

/// How links begin.
const BEGINNINGS: [&str; 4] = ["otpauth://", "motp://", "steam://", "otpauth-migration://"];

/// Whether a text begins like a link that this program reads, a Google export among them.
pub fn is_link(text: &str) -> bool {
    let text = text.trim_start().as_bytes();
    BEGINNINGS.iter().any(|b| text.get(..b.len()).is_some_and(|start| start.eq_ignore_ascii_case(b.as_bytes())))
}

/// Whether such a link begins anywhere in a text. Within a link another stands quoted, without its `://`.
pub fn holds_link(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        BEGINNINGS.iter().any(|b| {
            let name = b.trim_end_matches("://");
            at.checked_sub(name.len()).and_then(|from| text.get(from..at)).is_some_and(|t| t.eq_ignore_ascii_case(name))
        })
    })
}

/// Reads a number as exports write it: digits, perhaps with `.0`; empty and `null` are none.
///
/// # Errors
/// The text, cut short, when it is anything else.
pub fn number(text: &str) -> Result<Option<u64>, String> {
    let plain = text.trim();
    if plain.is_empty() || plain.eq_ignore_ascii_case("null") {
        return Ok(None);
    }
    let whole = plain
        .split_once('.')
        .map_or(plain, |(whole, rest)| if rest.bytes().all(|b| b == b'0') { whole } else { plain });
    whole.parse().map(Some).map_err(|_| short(plain))
}

#[derive(Clone, Copy)]
enum Scheme {
    Otpauth,
    Motp,
    Steam,
    Migration,
}

/// A link cut into its parts; the query is not decoded yet.
struct Link<'a> {
    scheme: Scheme,
    path: &'a str,
    query: &'a str,
}

impl<'a> Link<'a> {
    fn new(text: &'a str) -> Result<Self, UriError> {
        let text = text.trim();
        let (name, rest) = text.split_once(':').ok_or(UriError::NotALink)?;
        let scheme = [
            ("otpauth", Scheme::Otpauth),
            ("motp", Scheme::Motp),
            ("steam", Scheme::Steam),
            ("otpauth-migration", Scheme::Migration),
        ];
        let scheme = scheme.iter().find(|(s, _)| name.eq_ignore_ascii_case(s)).ok_or(UriError::NotALink)?.1;
        let rest = rest.strip_prefix("//").ok_or(UriError::NotALink)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Self { scheme, path, query })
    }

    /// Refuses what a careless paste makes: the next link, or a line of something else, would become part of a name.
    fn is_one(&self) -> Result<(), UriError> {
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        match [self.path, self.query] {
            parts if parts.iter().any(|part| holds_link(part)) => Err(UriError::Several),
            parts if parts.iter().any(|part| part.contains(breaks)) => Err(UriError::Control),
            _ => Ok(()),
        }
    }

    /// The first parameter of a name, decoded; a `+` is a blank here.
    fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        let (_, value) = self
            .query
            .split('&')
            .take(MAX_PARAMS)
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| percent_decode_str(key).decode_utf8_lossy().trim().eq_ignore_ascii_case(name))?;
        if !value.contains(['+', '%']) {
            return Some(Cow::Borrowed(value));
        }
        Some(Cow::Owned(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()))
    }

    fn label(&self) -> &'a str {
        match self.scheme {
            Scheme::Otpauth => self.path.split_once('/').map_or("", |(_, label)| label),
            _ => self.path,
        }
    }

    fn names(&self) -> (String, String) {
        let label = percent_decode_str(self.label()).decode_utf8_lossy();
        names::split(&self.param("issuer").unwrap_or_default(), &label)
    }

    fn secret(&self) -> Result<Cow<'a, str>, UriError> {
        self.param("secret").filter(|s| !s.trim().is_empty()).ok_or(UriError::MissingSecret)
    }

    fn number(&self, name: &str, error: fn(String) -> ParamError) -> Result<Option<u64>, UriError> {
        let value = self.param(name).unwrap_or_default();
        number(&value).map_err(|text| UriError::Param(error(text)))
    }

    fn digits(&self) -> Result<Option<Digits>, UriError> {
        Ok(self.number("digits", ParamError::Digits)?.map(Digits::new).transpose()?)
    }

    fn otpauth(&self) -> Result<Account, UriError> {
        let kind = self.path.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let (issuer, account) = self.names();
        let mut account = Account::new(issuer, account, Kind::Steam, Seed::new(vec![0])?);
        if self.code_display(&mut account) {
            return Err(UriError::Trashed);
        }
        account.kind = match kind.as_str() {
            "totp" if self.is_steam(&account.issuer) => Kind::Steam,
            "totp" => Kind::Totp {
                algorithm: Algorithm::parse(&self.param("algorithm").unwrap_or_default())?,
                digits: self.digits()?.unwrap_or_default(),
                period: self.number("period", ParamError::Period)?.map(Period::new).transpose()?.unwrap_or_default(),
            },
            "hotp" => Kind::Hotp {
                algorithm: Algorithm::parse(&self.param("algorithm").unwrap_or_default())?,
                digits: self.digits()?.unwrap_or_default(),
                counter: counter(self.number("counter", ParamError::Counter)?)?,
            },
            "steam" => Kind::Steam,
            "yaotp" => {
                account.seed = yandex::seed(base32::bytes(&self.secret()?)?)?;
                account.kind = Kind::Yandex { pin: yandex::pin(&self.param("pin").unwrap_or_default())? };
                return Ok(account);
            }
            // A type is a short word. Anything longer may be a secret in the wrong place.
            word if (1..=10).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic()) => {
                return Err(UriError::UnknownType(word.to_owned()));
            }
            _ => return Err(UriError::UnknownType(String::from("given"))),
        };
        account.seed = base32::decode(&self.secret()?)?;
        Ok(account)
    }

    fn motp(&self) -> Result<Account, UriError> {
        let (issuer, account) = self.names();
        let seed = motp::seed(&self.secret()?)?;
        let pin = Pin::new(self.param("pin").unwrap_or_default().into_owned())?;
        Ok(Account::new(issuer, account, Kind::Motp { pin }, seed))
    }

    /// KeePassXC says so by `encoder`; WinAuth, 2FAuth and others by the issuer and five digits or none.
    fn is_steam(&self, issuer: &str) -> bool {
        let encoder = self.param("encoder").is_some_and(|e| e.eq_ignore_ascii_case("steam"));
        let five = matches!(self.number("digits", ParamError::Digits), Ok(None | Some(5)));
        encoder || issuer.eq_ignore_ascii_case("steam") && five
    }

    /// Takes in what Ente adds as JSON. True when the entry is in Ente's trash.
    fn code_display(&self, account: &mut Account) -> bool {
        let Some(text) = self.param("codeDisplay") else { return false };
        let Ok(more) = serde_json::from_str::<CodeDisplay>(&text) else { return false };
        account.favourite = more.pinned.unwrap_or_default();
        account.groups = more.tags.unwrap_or_default();
        account.note = more.note.unwrap_or_default();
        account.icon = more.icon.filter(|i| !i.is_empty());
        more.trashed.unwrap_or_default()
    }
}

/// What Ente writes into `codeDisplay`, as far as it matters here.
#[derive(serde::Deserialize)]
struct CodeDisplay {
    pinned: Option<bool>,
    trashed: Option<bool>,
    tags: Option<Vec<String>>,
    note: Option<String>,
    #[serde(rename = "iconID")]
    icon: Option<String>,
}

/// The greatest counter that is taken. Files of other programs keep it as a signed number, 2^63 - 1 at most; those that are left
/// until then are more than anybody uses up, so that what is exported later can be read as well.
pub const MAX_COUNTER: u64 = i64::MAX as u64 - u32::MAX as u64;

/// Checks a counter.
///
/// # Errors
/// [`ParamError::Counter`] above [`MAX_COUNTER`].
pub fn counter(value: Option<u64>) -> Result<u64, ParamError> {
    match value.unwrap_or_default() {
        n if n <= MAX_COUNTER => Ok(n),
        n => Err(ParamError::Counter(n.to_string())),
    }
}

/// Writes an account as a link that [`parse`] reads back to the same names, kind and seed.
pub fn write(account: &Account) -> Secret<String> {
    let quote = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let label = match (account.issuer.is_empty(), account.account.contains(':')) {
        (true, false) => quote(&account.account),
        // A leading colon says that there is no issuer.
        (true, true) => format!(":{}", quote(&account.account)),
        _ => format!("{}:{}", quote(&account.issuer), quote(&account.account)),
    };
    let issuer = if account.issuer.is_empty() { String::new() } else { format!("&issuer={}", quote(&account.issuer)) };
    let secret = base32::encode(account.seed.expose());
    let secret = secret.expose();
    Secret::new(match &account.kind {
        Kind::Totp { algorithm, digits, period } => format!(
            "otpauth://totp/{label}?secret={secret}{issuer}&algorithm={}&digits={}&period={}",
            algorithm.name(),
            digits.get(),
            period.secs()
        ),
        Kind::Hotp { algorithm, digits, counter } => format!(
            "otpauth://hotp/{label}?secret={secret}{issuer}&algorithm={}&digits={}&counter={counter}",
            algorithm.name(),
            digits.get()
        ),
        Kind::Steam => {
            format!("otpauth://steam/{label}?secret={secret}{issuer}&algorithm=SHA1&digits=5&period=30")
        }
        Kind::Motp { pin } => format!(
            "motp://{label}?secret={}{issuer}&pin={}",
            data_encoding::HEXLOWER.encode(account.seed.expose()),
            quote(pin.expose())
        ),
        Kind::Yandex { pin } => {
            format!(
                "otpauth://yaotp/{label}?secret={secret}{issuer}&pin={}",
                base32::encode(pin.expose().as_bytes()).expose()
            )
        }
    })
}
