//! Ente Auth's sealed export (FORMATS 5). The plain one is a list of links with more of Ente's own in each.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::container::{base64, kdf, secretstream};
use super::super::export::{Groups, Sealing, Writer, no_pins};
use super::super::json::Json;
use super::super::{Format, Import, ImportError, Source, text};
use super::uri_list;
use crate::otp::{Account, uri};
use crate::secret::Secret;

const FORMAT: Format = Format::Ente;

/// Opens an export. Memory comes in bytes and may really be 1 GiB.
pub fn read(doc: &Json, source: &Source<'_>) -> Result<Import, ImportError> {
    let password = source.need_password(FORMAT)?;
    let cost = doc.get("kdfParams");
    let number = |key: &str| cost.get(key).number().ok().flatten().unwrap_or_default();
    let damaged =
        |what: &str| ImportError::Damaged { format: FORMAT, reason: format!("its {what} is not what it should be") };
    let salt = base64(cost.get("salt").text()).filter(|s| s.len() == 16).ok_or_else(|| damaged("salt"))?;
    let header = base64(doc.get("encryptionNonce").text()).filter(|h| h.len() == secretstream::HEADER);
    let header = header.ok_or_else(|| damaged("nonce"))?;
    let data = base64(doc.get("encryptedData").text()).ok_or_else(|| damaged("data"))?;
    let cost = (number("memLimit") / 1024, number("opsLimit"), 1);
    let key = kdf::argon2id(FORMAT, password.expose().as_bytes(), &salt, cost)?;
    let plain = secretstream::open(key.expose(), &header, &data).ok_or(ImportError::WrongPassword(FORMAT))?;
    let mut import = uri_list::read(&text::decode(plain.expose()))?;
    import.format = FORMAT;
    Ok(import)
}

/// The plain list; Ente's own additions carry tags, note and favourite.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Never,
    groups: Groups::Many,
    note: true,
    favourite: true,
    twins: true,
    refusal: no_pins,
    write: |accounts, _, _| uri_list::lines(accounts.iter().map(|account| link(account))),
};

fn link(account: &Account) -> Secret<String> {
    let display = serde_json::json!({
        "pinned": account.favourite,
        "trashed": false,
        "tags": account.groups,
        "note": account.note,
        "iconID": "",
        "iconSrc": "",
        "lastUsedAt": 0,
        "tapCount": 0,
        "position": 0,
    });
    let display = display.to_string();
    let display = utf8_percent_encode(&display, NON_ALPHANUMERIC);
    Secret::new(format!("{}&codeDisplay={display}", uri::write(account).expose()))
}
