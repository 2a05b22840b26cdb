//! Proton Authenticator (FORMATS 10): plain or sealed.

use super::super::container::{base64, crypto, kdf};
use super::super::json::Json;
use super::super::{Format, Import, ImportError, Source, text};
use crate::otp::{Account, Kind, names, uri};

const FORMAT: Format = Format::Proton;
const AAD: &[u8] = b"proton.authenticator.export.v1";
/// Argon2id: 19 MiB, 2 passes, 1 lane.
const COST: (u64, u64, u64) = (19_456, 2, 1);

/// Reads an export.
pub fn read(doc: &Json, source: &Source<'_>) -> Result<Import, ImportError> {
    if !doc.has("content") {
        return Ok(entries(doc));
    }
    let password = source.need_password(FORMAT)?;
    let damaged =
        || ImportError::Damaged { format: FORMAT, reason: String::from("salt or content is not what it should be") };
    let salt = base64(doc.get("salt").text()).filter(|s| s.len() == 16).ok_or_else(damaged)?;
    let content = base64(doc.get("content").text()).filter(|c| c.len() > 28).ok_or_else(damaged)?;
    let key = kdf::argon2id(FORMAT, password.expose().as_bytes(), &salt, COST)?;
    let plain = crypto::gcm(key.expose(), &content[..12], AAD, &content[12..]);
    let plain = plain.ok_or(ImportError::WrongPassword(FORMAT))?;
    Ok(entries(&Json::parse(&text::decode(plain.expose()), FORMAT)?))
}

fn entries(doc: &Json) -> Import {
    let mut import = Import::new(FORMAT);
    for entry in doc.get("entries").list() {
        let (link, name) = (entry.get("content").str("uri"), entry.get("content").str("name"));
        let result = uri::parse(link).map(|account| named(account, name, entry.get("note").text()));
        let shown = if name.is_empty() { uri::label(link).unwrap_or_default() } else { name.to_owned() };
        import.take("", &shown, result.map_err(Into::into));
    }
    import
}

/// The name beside the link overrides its label.
fn named(mut account: Account, name: &str, note: &str) -> Account {
    if matches!(account.kind, Kind::Steam) && account.issuer.is_empty() {
        account.issuer = String::from("Steam");
    }
    if !name.is_empty() {
        (account.issuer, account.account) = names::split(&account.issuer, name);
    }
    note.clone_into(&mut account.note);
    account
}
