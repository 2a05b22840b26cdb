//! Authy: preferences, the list in them, and the list read through remote debugging.

use super::super::container::kdf::Hash;
use super::super::container::{base64, crypto, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{EntryError, Format, Import, ImportError, Source};
use crate::otp::{ParamError, base32, uri};

const FORMAT: Format = Format::Authy;
/// Names of the preferences that hold lists.
pub const KEYS: [&str; 2] = ["com.authy.storage.tokens.authenticator.key", "com.authy.storage.tokens.authy.key"];
const ROUNDS: u64 = 1000;

/// Reads the preferences.
pub fn preferences(pairs: &[(String, String)], source: &Source<'_>) -> Result<Import, ImportError> {
    let mut import = Import::new(FORMAT);
    for (_, value) in pairs.iter().filter(|(name, _)| KEYS.contains(&name.as_str())) {
        list(&Json::parse(value, FORMAT)?, source, &mut import)?;
    }
    Ok(import)
}

/// Reads a list that came without its preferences.
pub fn read(doc: &Json, source: &Source<'_>) -> Result<Import, ImportError> {
    let mut import = Import::new(FORMAT);
    list(doc, source, &mut import)?;
    Ok(import)
}

fn list(doc: &Json, source: &Source<'_>, import: &mut Import) -> Result<(), ImportError> {
    for entry in doc.list() {
        let (issuer, label) = names(entry);
        let own = !entry.str("secretSeed").is_empty();
        let link = uri::parse(entry.str("uri")).ok().map(|a| Json::Int(a.kind.digits().into()));
        let secret = if own {
            let hex = data_encoding::HEXLOWER_PERMISSIVE.decode(entry.str("secretSeed").as_bytes());
            hex.map_err(|_| EntryError::Param(ParamError::Hex))
        } else {
            secret(entry, source)?
        };
        let result = secret.and_then(|secret| {
            let fixed = (&Json::Int(7), &Json::Int(10));
            let (digits, period) =
                if own { fixed } else { (link.as_ref().unwrap_or(entry.get("digits")), &Json::Null) };
            Parts { issuer: &issuer, label: &label, digits, period, secret: Ok(secret), ..Parts::default() }.account()
        });
        import.take(&issuer, &label, result);
    }
    Ok(())
}

/// The decoded secret. A password that opens nothing refuses the whole file.
fn secret(entry: &Json, source: &Source<'_>) -> Result<Result<Vec<u8>, EntryError>, ImportError> {
    for key in ["decryptedSecret", "secret"] {
        if !entry.str(key).is_empty() {
            return Ok(base32::bytes(entry.str(key)).map_err(Into::into));
        }
    }
    if entry.str("encryptedSecret").is_empty() {
        return Ok(Err(EntryError::Other("it has no secret")));
    }
    let password = source.need_password(FORMAT)?;
    let salt = entry.get("salt").text().as_bytes();
    let key = kdf::pbkdf2(FORMAT, Hash::Sha1, password.expose().as_bytes(), salt, ROUNDS)?;
    let sealed = base64(entry.get("encryptedSecret").text());
    // Without a MAC, text that is no base32 tells a wrong password.
    let plain = sealed.and_then(|sealed| crypto::cbc(key.expose(), &[0; 16], &sealed));
    let text = plain.as_ref().and_then(|plain| std::str::from_utf8(plain.expose()).ok());
    let bytes = text.and_then(|text| base32::bytes(text).ok()).ok_or(ImportError::WrongPassword(FORMAT))?;
    Ok(Ok(bytes))
}

fn names(entry: &Json) -> (String, String) {
    let name = entry.str("name");
    let given = entry.str("originalIssuer");
    let issuer = match entry.str("originalName").split_once(':') {
        Some((before, _)) if given.is_empty() => before.trim(),
        _ => given,
    };
    match name.split_once(" - ") {
        Some((before, after)) if issuer.is_empty() && !before.contains(':') => (before.to_owned(), after.to_owned()),
        _ => (issuer.to_owned(), name.to_owned()),
    }
}
