//! Bitwarden and Bitwarden Authenticator: JSON, plain or sealed with a password. CSV is read by [`super::csv`].

use std::collections::HashMap;

use data_encoding::BASE64;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::container::kdf::{Hash, Key};
use super::super::container::{base64, crypto, kdf};
use super::super::json::Json;
use super::super::writer::{Groups, Random, Sealing, Writer, by_time};
use super::super::{Format, Import, ImportError, Source, secret_text, text};
use super::{group_names, item, uuid, written};
use crate::otp::{Account, Kind, uri};
use crate::secret::Secret;

const FORMAT: Format = Format::Bitwarden;

/// Reads an export.
pub fn read(doc: &Json, source: &Source<'_>) -> Result<Import, ImportError> {
    // Only a sealed export has data in the place of items, whatever else it says.
    if !doc.get("encrypted").flag() && (doc.has("items") || !doc.has("data")) {
        return Ok(items(doc));
    }
    if !doc.get("passwordProtected").flag() {
        let reason = "This export is locked to your Bitwarden account. \
                      Export again as 'password protected' or plain JSON.";
        return Err(ImportError::Refused { format: FORMAT, reason: reason.to_owned() });
    }
    let plain = open(doc, source)?;
    Ok(items(&Json::parse(&text::decode(plain.expose()), FORMAT)?))
}

fn items(doc: &Json) -> Import {
    // The Authenticator writes the same shape without folders or collections.
    let vault = doc.has("folders") || doc.has("collections");
    let mut import = Import::new(if vault { FORMAT } else { Format::BitwardenAuthenticator });
    let folders = doc.get("folders").names("id", "name");
    for entry in doc.get("items").list() {
        let login = entry.get("login");
        let (title, user) = (entry.str("name"), login.str("username"));
        if login.str("totp").is_empty() {
            continue;
        }
        let result = item::account(login.str("totp"), title, user).map(|mut account| {
            account.groups.extend(folders.get(entry.get("folderId").text()).map(|name| (*name).to_owned()));
            account.favourite = entry.get("favorite").flag();
            entry.get("notes").text().clone_into(&mut account.note);
            account
        });
        import.take(title, user, result);
    }
    import
}

/// Opens a password-protected export: first the validation text, then the data.
fn open(doc: &Json, source: &Source<'_>) -> Result<Secret<Vec<u8>>, ImportError> {
    let password = source.need_password(FORMAT)?.expose().as_bytes();
    let number = |key: &str| doc.get(key).number().ok().flatten().unwrap_or_default();
    // The salt is used as the text that it is.
    let salt = doc.get("salt").text().as_bytes();
    let key = match doc.get("kdfType").number() {
        Ok(Some(0)) => kdf::pbkdf2(FORMAT, Hash::Sha256, password, salt, number("kdfIterations"))?,
        Ok(Some(1)) => {
            let cost = (number("kdfMemory").saturating_mul(1024), number("kdfIterations"), number("kdfParallelism"));
            kdf::argon2id(FORMAT, password, &Sha256::digest(salt), cost)?
        }
        _ => return Err(damaged("its key derivation is unknown")),
    };
    let keys = (expand(&key, b"enc"), expand(&key, b"mac"));
    let validation = doc.get("encKeyValidation_DO_NOT_EDIT").text();
    unseal(validation, &keys)?.ok_or(ImportError::WrongPassword(FORMAT))?;
    unseal(doc.get("data").text(), &keys)?.ok_or_else(|| damaged("its data does not open"))
}

fn damaged(reason: &str) -> ImportError {
    ImportError::Damaged { format: FORMAT, reason: reason.to_owned() }
}

fn expand(key: &Key, info: &[u8]) -> Key {
    let mut out = Secret::new([0; 32]);
    Hkdf::<Sha256>::from_prk(key.expose())
        .and_then(|hkdf| hkdf.expand(info, out.expose_mut()).map_err(|_| hkdf::InvalidPrkLength))
        .expect("a key of 32 bytes expands to 32 bytes");
    out
}

/// Opens `2.IV|ciphertext|MAC`; none when the MAC does not fit.
fn unseal(text: &str, (enc, mac): &(Key, Key)) -> Result<Option<Secret<Vec<u8>>>, ImportError> {
    let parts: Option<Vec<Vec<u8>>> = text.strip_prefix("2.").and_then(|t| t.split('|').map(base64).collect());
    let Some([iv, data, tag]) = parts.as_deref() else { return Err(damaged("a sealed text has an unknown form")) };
    let Ok(iv) = <&[u8; 16]>::try_from(iv.as_slice()) else { return Err(damaged("a sealed text has no valid IV")) };
    let mut check = <Hmac<Sha256> as KeyInit>::new_from_slice(mac.expose()).expect("HMAC takes a key of any length");
    check.update(iv);
    check.update(data);
    if check.verify_slice(tag).is_err() {
        return Ok(None);
    }
    Ok(crypto::cbc(enc.expose(), iv, data))
}

/// Rounds of PBKDF2, as the app makes them by default.
const ROUNDS: u32 = 600_000;

/// A vault of logins, each with its one-time password as a link; with a password as the app's "password protected" export.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Optional,
    groups: Groups::One,
    note: true,
    favourite: true,
    twins: true,
    refusal: by_time,
    write: |accounts, password, random| {
        let ids: HashMap<&str, String> = group_names(accounts).into_iter().map(|name| (name, uuid(random))).collect();
        let folders: Vec<Value> = group_names(accounts).iter().map(|n| json!({"id": ids[n], "name": n})).collect();
        let login = |account: &&Account| {
            // The app takes no item without a name.
            let name = [&account.issuer, &account.account].into_iter().find(|n| !n.is_empty());
            let link = match account.kind {
                Kind::Steam => Secret::new(format!("steam://{}", secret_text(account).expose())),
                _ => uri::write(account),
            };
            json!({
                "id": uuid(random),
                "organizationId": null,
                "folderId": account.groups.first().and_then(|name| ids.get(name.as_str())),
                "type": 1,
                "reprompt": 0,
                "name": name.map_or("One-time password", String::as_str),
                "notes": Some(&account.note).filter(|note| !note.is_empty()),
                "favorite": account.favourite,
                "login": {"uris": [], "username": account.account, "password": null, "totp": link.expose()},
                "collectionIds": null,
            })
        };
        let items: Vec<Value> = accounts.iter().map(login).collect();
        let plain = written(&json!({"encrypted": false, "folders": folders, "items": items}));
        match password {
            None => plain,
            Some(password) => sealed(plain.expose(), password, random),
        }
    },
};

fn sealed(plain: &[u8], password: &Secret<String>, random: Random<'_>) -> Secret<Vec<u8>> {
    let mut salt = [0; 16];
    random(&mut salt);
    // The salt is used as the text that it is.
    let salt = BASE64.encode(&salt);
    let key = kdf::pbkdf2(FORMAT, Hash::Sha256, password.expose().as_bytes(), salt.as_bytes(), u64::from(ROUNDS))
        .expect("our own rounds are within the bounds");
    let keys = (expand(&key, b"enc"), expand(&key, b"mac"));
    let validation = uuid(random);
    written(&json!({
        "encrypted": true,
        "passwordProtected": true,
        "salt": salt,
        "kdfType": 0,
        "kdfIterations": ROUNDS,
        "kdfMemory": null,
        "kdfParallelism": null,
        "encKeyValidation_DO_NOT_EDIT": seal(validation.as_bytes(), &keys, random),
        "data": seal(plain, &keys, random),
    }))
}

/// Seals as `2.IV|ciphertext|MAC`.
fn seal(plain: &[u8], (enc, mac): &(Key, Key), random: Random<'_>) -> String {
    let mut iv = [0; 16];
    random(&mut iv);
    let data = crypto::cbc_seal(enc.expose(), &iv, plain);
    let mut tag = <Hmac<Sha256> as KeyInit>::new_from_slice(mac.expose()).expect("HMAC takes a key of any length");
    tag.update(&iv);
    tag.update(&data);
    format!("2.{}|{}|{}", BASE64.encode(&iv), BASE64.encode(&data), BASE64.encode(&tag.finalize().into_bytes()))
}
