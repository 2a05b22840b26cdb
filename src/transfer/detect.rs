//! Tells a format by its content, the surest marks first. The name of a file counts for nothing.

use super::formats::{archive, csv, databases, pass};
use super::guess::{Guess, guess};
use super::json::Json;
use super::{Format, text};
use crate::otp::uri;

/// The format of a file's content; none when nothing matches. Formats without a mark (andOTP and others) and archives
/// without a known member are found by the import alone.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    if let Some(guess) = guess(bytes) {
        return match guess {
            Guess::Picture => Some(Format::Picture),
            Guess::KeePass => Some(Format::KeePass),
            Guess::Stratum => Some(Format::Stratum),
            Guess::OtpClient => Some(Format::OtpClient),
            Guess::Otpanel => Some(Format::Otpanel),
            Guess::Java => Some(Format::FreeOtp),
            Guess::Sqlite => databases::format(bytes),
            Guess::Zip => archive::format(bytes),
            Guess::Sealed(_) => None,
        };
    }
    if text::is_binary(bytes) {
        return None;
    }
    let decoded = text::decode(bytes);
    match decoded.trim_start().as_bytes().first()? {
        b'{' | b'[' => Json::parse(&decoded, Format::UriList).ok().as_ref().and_then(json),
        _ => text(&decoded),
    }
}

/// The format of a JSON document by its keys.
pub(super) fn json(doc: &Json) -> Option<Format> {
    if let Json::List(items) = doc {
        return items.iter().take(64).find_map(element);
    }
    let has = |keys: &[&str]| keys.iter().all(|key| doc.has(key));
    let any = |list: &str, test: &dyn Fn(&Json) -> bool| doc.get(list).list().iter().take(64).any(test);
    Some(match () {
        () if has(&["header", "db"]) => Format::Aegis,
        () if has(&["schemaVersion", "services"]) => Format::TwoFas,
        () if has(&["kdfParams", "encryptedData", "encryptionNonce"]) => Format::Ente,
        () if doc.has("encrypted") && (doc.has("items") || doc.has("data")) => Format::Bitwarden,
        () if has(&["nonce", "salt", "cipher"]) || has(&["version", "elements"]) => Format::Cotp,
        () if has(&["salt", "content"]) => Format::Proton,
        () if doc.has("Authenticators") => Format::Stratum,
        () if doc.has("tokens") => Format::FreeOtpPlus,
        () if doc.has("shared_secret") || matches!(doc.get("accounts"), Json::Object(_)) => Format::Steam,
        () if doc.str("app").starts_with("2fauth") && doc.has("data") => Format::TwoFAuth,
        () if matches!(doc.get("vaults"), Json::Object(_)) => Format::ProtonPass,
        () if doc.has("records") => Format::Keeper,
        () if any("accounts", &|a| a.has("vaults")) => Format::OnePassword,
        () if doc.has("accounts") => Format::LastPass,
        () if any("entries", &|e| e.has("secret")) => Format::Tofa,
        () if has(&["version", "entries"]) => Format::Proton,
        () if any("items", &|i| matches!(i, Json::Text(_))) => Format::Cotp,
        () if any("items", &|i| i.has("fields")) => Format::Enpass,
        () if any("items", &|i| i.has("login")) => Format::Bitwarden,
        () => return None,
    })
}

/// The format of a list by one of its elements.
fn element(item: &Json) -> Option<Format> {
    let has = |keys: &[&str]| keys.iter().all(|key| item.has(key));
    Some(match () {
        () if item.has("otpGenerator") || has(&["accountType", "pkey"]) => Format::Duo,
        () if has(&["kind", "timer"]) => Format::Raivo,
        () if item.has("decryptedSecret") || item.has("encryptedSecret") || item.has("secretSeed") => Format::Authy,
        () if has(&["name", "secret", "uri"]) => Format::Authy,
        () if has(&["type", "label", "algo"]) => Format::OtpClient,
        () if has(&["secret", "label", "pin"]) => Format::Cotp,
        () if has(&["secret", "label"]) => Format::AndOtp,
        () if has(&["name", "secret"]) => Format::Tofa,
        () => return None,
    })
}

/// The format of a text by its lines.
pub(super) fn text(text: &str) -> Option<Format> {
    if pass::is_entry(text) {
        return Some(Format::Pass);
    }
    let mut found = None;
    for (_, line) in text::lines(text) {
        if line.get(..18).is_some_and(|start| start.eq_ignore_ascii_case("otpauth-migration:")) {
            return Some(Format::GoogleMigration);
        }
        if uri::is_link(line) {
            found = Some(Format::UriList);
        }
    }
    found.or_else(|| csv::detect(text)).or_else(|| blob(text).then_some(Format::TotpAuthenticator))
}

/// Whether a text is one piece of base64 of whole cipher blocks.
fn blob(text: &str) -> bool {
    let chars = text.chars().filter(|c| !c.is_whitespace());
    let (mut len, mut pad) = (0usize, 0usize);
    for c in chars {
        match c {
            '=' => pad += 1,
            c if pad == 0 && (c.is_ascii_alphanumeric() || c == '+' || c == '/') => len += 1,
            _ => return false,
        }
    }
    let whole = (len + pad).is_multiple_of(4) && pad <= 2;
    whole && len >= 43 && (len * 6 / 8).is_multiple_of(16)
}
