//! One file per format, and the way from a file's content to the one that reads it.

mod aegis;
mod andotp;
pub(super) mod archive;
mod authy;
mod battle_net;
mod bitwarden;
mod cotp;
pub(super) mod csv;
pub(super) mod databases;
mod duo;
mod ente;
mod freeotp;
mod item;
pub(super) mod keepass;
mod lastpass;
mod managers;
pub(super) mod migration;
pub(super) mod otpanel;
mod otpclient;
pub(super) mod pass;
pub(super) mod picture;
mod proton;
mod raivo;
mod steam;
mod stratum;
mod terminal;
mod totp_authenticator;
mod twofas;
mod uri_list;

use std::collections::HashSet;

use serde_json::Value;

use super::container::{crypto, xml};
use super::detect;
use super::guess::{Guess, guess};
use super::json::Json;
use super::writer::Writer;
use super::{Format, Import, ImportError, Source, text};
use crate::otp::Account;
use crate::secret::Secret;

pub(super) use migration::links as migration_links;

/// Reads a source by its marks, its text, or at last by trying what has no mark.
pub(super) fn read(source: Source<'_>) -> Result<Import, ImportError> {
    match guess(source.bytes) {
        Some(Guess::Picture) => picture::read(source.bytes),
        Some(Guess::Sqlite) => databases::read(&source),
        Some(Guess::Zip) => archive::read(&source, 1),
        Some(Guess::Java) => freeotp::backup(&source),
        Some(Guess::KeePass) => keepass::read(&source),
        Some(Guess::Stratum) => stratum::sealed(&source),
        Some(Guess::Otpanel) => otpanel::read(&source),
        Some(Guess::OtpClient) => otpclient::read(&source),
        Some(Guess::Sealed(tool)) => {
            let reason =
                format!("This file is sealed with {tool}. Open it with {tool} first and import what comes out.");
            Err(ImportError::Refused { format: source.format.unwrap_or(Format::Pass), reason })
        }
        None if text::is_binary(source.bytes) => unmarked(&source),
        None => {
            let text = text::decode(source.bytes);
            match text.trim_start().as_bytes().first() {
                Some(b'{' | b'[') => json(&text, &source),
                Some(b'<') => markup(&text, &source),
                _ => lines(&text, &source),
            }
        }
    }
}

/// The writer of a format; none where otpanel only reads it.
pub(super) const fn writer(format: Format) -> Option<Writer> {
    Some(match format {
        Format::UriList => uri_list::WRITER,
        Format::GoogleMigration => migration::WRITER,
        Format::Aegis => aegis::WRITER,
        Format::TwoFas => twofas::WRITER,
        Format::Ente => ente::WRITER,
        Format::AndOtp => andotp::WRITER,
        Format::Bitwarden => bitwarden::WRITER,
        Format::Proton => proton::WRITER,
        Format::Stratum => stratum::WRITER,
        Format::FreeOtpPlus => freeotp::WRITER,
        Format::KeePassXc => csv::WRITER,
        _ => return None,
    })
}

fn json(text: &str, source: &Source<'_>) -> Result<Import, ImportError> {
    let doc = Json::parse(text, source.format.unwrap_or(Format::UriList)).map_err(|error| match error {
        // Without a known format it is no damaged export but an unknown file.
        ImportError::Damaged { reason, .. } if source.format.is_none() => ImportError::NotJson(reason),
        error => error,
    })?;
    let marked = detect::json(&doc);
    let format = source.format.or(marked).ok_or(ImportError::Unknown)?;
    let import = by_format(&doc, format, source)?;
    let is_empty = |import: &Import| import.entries.is_empty() && import.skipped.is_empty();
    if !is_empty(&import) || marked == Some(format) {
        return Ok(import);
    }
    // The user said what it is, and it is not: an empty answer would pass for an empty export.
    match marked {
        None => {
            let reason = String::from("nothing that such a file has is in it");
            Err(ImportError::Damaged { format, reason })
        }
        Some(other) if by_format(&doc, other, source).is_ok_and(|import| is_empty(&import)) => Ok(import),
        Some(other) => {
            let reason =
                format!("Its content is that of another format, {}. Leave the format to otpanel.", other.name());
            Err(ImportError::Refused { format, reason })
        }
    }
}

/// Reads a document as one of a format.
fn by_format(doc: &Json, format: Format, source: &Source<'_>) -> Result<Import, ImportError> {
    Ok(match format {
        Format::Aegis => return aegis::read(doc, source),
        Format::TwoFas => return twofas::read(doc, source),
        Format::Ente => return ente::read(doc, source),
        Format::Bitwarden | Format::BitwardenAuthenticator => return bitwarden::read(doc, source),
        Format::Proton => return proton::read(doc, source),
        Format::Cotp => return cotp::read(doc, source),
        Format::Authy => return authy::read(doc, source),
        Format::AndOtp => andotp::read(doc),
        Format::Tofa => terminal::tofa(doc),
        Format::TwoFAuth => terminal::twofauth(doc),
        Format::OtpClient => terminal::otpclient(doc),
        Format::LastPass => lastpass::read(doc),
        Format::Stratum => stratum::read(doc),
        Format::FreeOtpPlus | Format::FreeOtp => freeotp::plus(doc),
        Format::Steam => steam::read(doc),
        Format::Raivo => raivo::read(doc),
        Format::Duo => duo::read(doc),
        Format::ProtonPass => managers::proton_pass(doc),
        Format::OnePassword => managers::one_password(doc),
        Format::Keeper => managers::keeper(doc),
        Format::Enpass => managers::enpass(doc),
        _ => return Err(ImportError::Unknown),
    })
}

fn markup(text: &str, source: &Source<'_>) -> Result<Import, ImportError> {
    if text.contains("<code>") {
        return stratum::html(text);
    }
    let doc = xml::parse(text, source.format.unwrap_or(Format::KeePassXml))?;
    if doc.root_element().has_tag_name("KeePassFile") {
        return Ok(keepass::tree(&doc));
    }
    let pairs = xml::preferences(&doc);
    let find = |wanted: &dyn Fn(&str) -> bool| pairs.iter().find(|(name, _)| wanted(name)).map(|(_, value)| value);
    if let Some(list) = find(&|name| name == totp_authenticator::KEY) {
        return totp_authenticator::list_of(list);
    }
    if find(&|name| authy::KEYS.contains(&name)).is_some() {
        return authy::preferences(&pairs, source);
    }
    let import = if find(&|name| name.ends_with(battle_net::KEY)).is_some() {
        battle_net::read(&pairs)
    } else {
        freeotp::preferences(&pairs)
    };
    if import.entries.is_empty() && import.skipped.is_empty() {
        return Err(ImportError::Unknown);
    }
    if import.entries.is_empty() && import.format == Format::BattleNet {
        let reason = String::from("its secret is not what it should be");
        return Err(ImportError::Damaged { format: Format::BattleNet, reason });
    }
    Ok(import)
}

fn lines(text: &str, source: &Source<'_>) -> Result<Import, ImportError> {
    match source.format.or_else(|| detect::text(text)) {
        Some(Format::GoogleMigration | Format::UriList | Format::WinAuth | Format::Ente) => {
            return uri_list::read(text);
        }
        Some(Format::Pass) => return Ok(pass::read(text, source)),
        Some(Format::TotpAuthenticator) => return totp_authenticator::sealed(text, source),
        Some(
            format @ (Format::Csv
            | Format::Bitwarden
            | Format::BitwardenAuthenticator
            | Format::LastPassVault
            | Format::KeePassXc
            | Format::OnePassword
            | Format::ApplePasswords
            | Format::Dashlane
            | Format::NordPass
            | Format::Keeper
            | Format::Enpass),
        ) => return csv::read(text, format),
        _ => {}
    }
    unmarked(source)
}

/// Formats without a mark, each only by trying the password, the cheap derivations first.
fn unmarked(source: &Source<'_>) -> Result<Import, ImportError> {
    let bytes = source.bytes;
    if std::str::from_utf8(bytes).is_ok() || bytes.len() < 12 + crypto::TAG {
        return Err(ImportError::Unknown);
    }
    let Some(password) = source.password.filter(|p| !p.expose().is_empty()) else {
        return Err(ImportError::MaybeEncrypted);
    };
    let found = andotp::open(bytes, password)
        .or_else(|| databases::sealed(bytes, password))
        .or_else(|| otpclient::legacy(bytes, password))
        .or_else(|| otpclient::tofa(bytes, password));
    if found.is_none() && source.format == Some(Format::AndOtp) {
        andotp::check(bytes)?;
    }
    found.ok_or(ImportError::NothingFits)
}

/// A new random UUID (version 4).
fn uuid(random: &mut dyn FnMut(&mut [u8])) -> String {
    let mut bytes = [0; 16];
    random(&mut bytes);
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The names of all groups, each once, in the order of their first use.
fn group_names<'a>(accounts: &[&'a Account]) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    accounts.iter().flat_map(|a| &a.groups).map(String::as_str).filter(|name| seen.insert(*name)).collect()
}

/// A JSON document as bytes.
fn written(doc: &Value) -> Secret<Vec<u8>> {
    Secret::new(serde_json::to_vec(doc).expect("a tree of values always serialises"))
}

/// Undoes HTML's escapes as exports use them.
fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#039;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
