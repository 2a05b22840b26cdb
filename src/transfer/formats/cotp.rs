//! cotp: its database, sealed, and its exports.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::super::container::{base64, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{Format, Import, ImportError, Source, text};
use super::uri_list;
use crate::otp::{base32, motp};
use crate::secret::Secret;

const FORMAT: Format = Format::Cotp;
/// Argon2id: 32 MiB, 4 passes, 4 lanes.
const COST: (u64, u64, u64) = (32_768, 4, 4);

/// Reads a database or an export.
pub fn read(doc: &Json, source: &Source<'_>) -> Result<Import, ImportError> {
    if doc.has("cipher") {
        let plain = open(doc, source)?;
        return Ok(elements(&Json::parse(&text::decode(plain.expose()), FORMAT)?));
    }
    if doc.has("items") {
        let list: String = doc.get("items").list().iter().flat_map(|item| [item.text(), "\n"]).collect();
        let mut import = uri_list::read(&list)?;
        import.format = FORMAT;
        return Ok(import);
    }
    Ok(elements(doc))
}

fn open(doc: &Json, source: &Source<'_>) -> Result<Secret<Vec<u8>>, ImportError> {
    let password = source.need_password(FORMAT)?;
    let part = |key: &str| {
        let damaged = ImportError::Damaged { format: FORMAT, reason: format!("its {key} is not what it should be") };
        base64(doc.get(key).text()).ok_or(damaged)
    };
    let (nonce, salt, cipher) = (part("nonce")?, part("salt")?, part("cipher")?);
    let Ok(nonce) = XNonce::try_from(nonce.as_slice()) else {
        return Err(ImportError::Damaged {
            format: FORMAT,
            reason: String::from("its nonce is not what it should be"),
        });
    };
    let key = kdf::argon2id(FORMAT, password.expose().as_bytes(), &salt, COST)?;
    let plain = XChaCha20Poly1305::new(key.expose().into()).decrypt(&nonce, cipher.as_slice());
    plain.map(Secret::new).map_err(|_| ImportError::WrongPassword(FORMAT))
}

/// Reads the elements of version 2, or the bare list of version 1.
fn elements(doc: &Json) -> Import {
    let mut import = Import::new(FORMAT);
    let list = if doc.has("elements") { doc.get("elements").list() } else { doc.list() };
    for entry in list {
        let (issuer, label) = (entry.str("issuer"), entry.str("label"));
        let (kind, secret) = (entry.str("type"), entry.get("secret").text());
        let hex = kind.eq_ignore_ascii_case("motp");
        let parts = Parts {
            issuer,
            label,
            kind: if kind.is_empty() { "totp" } else { kind },
            algorithm: entry.str("algorithm"),
            digits: entry.get("digits"),
            period: entry.get("period"),
            counter: entry.get("counter"),
            secret: if hex { motp::seed(secret).map(|s| s.expose().to_vec()) } else { base32::bytes(secret) },
            pin: entry.get("pin").text(),
        };
        import.take(issuer, label, parts.account());
    }
    import
}
