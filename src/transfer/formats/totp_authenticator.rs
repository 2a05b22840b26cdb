//! TOTP Authenticator: its sealed file and its preferences.

use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest, Sha256};

use super::super::container::{base64, crypto};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{Format, Import, ImportError, Source, text};
use crate::otp::{ParamError, base32};

const FORMAT: Format = Format::TotpAuthenticator;
/// The name of the preference that holds the list.
pub const KEY: &str = "STATIC_TOTP_CODES_LIST";
/// What the app used where the user gave no password.
const DEFAULT_PASSWORD: &str = "TotpAuthenticator";

/// Opens the file, first with the app's own password.
pub fn sealed(text: &str, source: &Source<'_>) -> Result<Import, ImportError> {
    let sealed = base64(text).ok_or(ImportError::Unknown)?;
    if let Some(import) = open(&sealed, DEFAULT_PASSWORD) {
        return Ok(import);
    }
    open(&sealed, source.need_password(FORMAT)?.expose()).ok_or(ImportError::WrongPassword(FORMAT))
}

fn open(sealed: &[u8], password: &str) -> Option<Import> {
    let key = crate::secret::Secret::new(<[u8; 32]>::from(Sha256::digest(password.as_bytes())));
    let plain = crypto::cbc(key.expose(), &[0; 16], sealed)?;
    // An object whose only key is the list as text.
    let doc = Json::parse(&text::decode(plain.expose()), FORMAT).ok()?;
    let (list, _) = doc.object().first()?;
    list_of(list).ok()
}

/// Reads the list.
pub fn list_of(text: &str) -> Result<Import, ImportError> {
    let mut import = Import::new(FORMAT);
    for entry in Json::parse(text, FORMAT)?.list() {
        let issuer = Some(entry.str("issuer")).filter(|i| *i != "Unknown").unwrap_or_default();
        let (label, key) = (entry.str("name"), entry.str("key"));
        let secret = match entry.get("base").number() {
            Ok(Some(16)) => HEXLOWER_PERMISSIVE.decode(key.as_bytes()).map_err(|_| ParamError::Hex),
            Ok(Some(64)) => base64(key).ok_or(ParamError::EmptySecret),
            _ => base32::bytes(key),
        };
        let (digits, period) = (entry.get("digits"), entry.get("period"));
        import.take(issuer, label, Parts { issuer, label, digits, period, secret, ..Parts::default() }.account());
    }
    Ok(import)
}
