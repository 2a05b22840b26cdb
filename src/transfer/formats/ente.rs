//! Ente Auth's export: a list of links with more of Ente's own in each, plain or sealed.

use data_encoding::BASE64;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::container::{base64, kdf, secretstream};
use super::super::json::Json;
use super::super::writer::{Groups, Random, Sealing, Writer, no_pins};
use super::super::{Format, Import, ImportError, Source, text};
use super::{uri_list, written};
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

/// Bytes and passes of the derivation, between what the app asks for on a computer and on a small phone.
const MEMORY: u64 = 256 << 20;
const PASSES: u64 = 4;

/// The list, plain or sealed; Ente's own additions carry tags, note and favourite.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Optional,
    groups: Groups::Many,
    note: true,
    favourite: true,
    twins: true,
    refusal: no_pins,
    write: |accounts, password, random| {
        let list = text::one_a_line(accounts.iter().map(|account| link(account)));
        match password {
            None => list,
            Some(password) => sealed(list.expose(), password, random),
        }
    },
};

fn sealed(list: &[u8], password: &Secret<String>, random: Random<'_>) -> Secret<Vec<u8>> {
    let (mut salt, mut header) = ([0; 16], [0; secretstream::HEADER]);
    random(&mut salt);
    random(&mut header);
    let key = kdf::argon2id(FORMAT, password.expose().as_bytes(), &salt, (MEMORY / 1024, PASSES, 1))
        .expect("our own cost is within the bounds");
    let data = secretstream::seal(key.expose(), &header, list);
    written(&serde_json::json!({
        "version": 1,
        "kdfParams": {"memLimit": MEMORY, "opsLimit": PASSES, "salt": BASE64.encode(&salt)},
        "encryptedData": BASE64.encode(&data),
        "encryptionNonce": BASE64.encode(&header),
    }))
}

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
