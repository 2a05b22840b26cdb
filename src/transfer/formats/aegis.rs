//! Aegis: a vault file, plain or sealed under one of several slots.

use std::collections::HashMap;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde_json::{Value, json};

use super::super::container::{crypto, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::writer::{Groups, Random, Sealing, Writer};
use super::super::{EntryError, Format, Import, ImportError, Source, pin_text, secret_text, text};
use super::{group_names, uuid, written};
use crate::otp::{Account, Kind, base32};
use crate::secret::Secret;

const FORMAT: Format = Format::Aegis;
/// The work that all password slots together may ask for: 64 of the size that Aegis makes.
const MAX_SLOTS_COST: u64 = 2 << 30;

/// The scrypt parameters of a written file, as the app has them: N, r, p.
const COST: (u64, u64, u64) = (1 << 15, 8, 1);

/// Reads a vault file.
pub fn read(doc: &Json, source: &Source<'_>) -> Result<Import, ImportError> {
    if doc.get("header").get("slots").list().is_empty() && !matches!(doc.get("db"), Json::Text(_)) {
        return Ok(database(doc.get("db")));
    }
    let plain = open(doc, source)?;
    Ok(database(&Json::parse(&text::decode(plain.expose()), FORMAT)?))
}

/// Opens a sealed vault by the first password slot that the password fits.
fn open(doc: &Json, source: &Source<'_>) -> Result<Secret<Vec<u8>>, ImportError> {
    let header = doc.get("header");
    let slots: Vec<&Json> =
        header.get("slots").list().iter().filter(|s| matches!(s.get("type").number(), Ok(Some(1)))).collect();
    if slots.is_empty() {
        let reason = "This Aegis vault is protected by biometrics only. Add a password in Aegis and export again.";
        return Err(ImportError::Refused { format: FORMAT, reason: reason.to_owned() });
    }
    let password = source.need_password(FORMAT)?.expose().as_bytes();
    let mut cost = 0;
    let mut ready = Vec::new();
    for slot in slots {
        let number = |key: &str| slot.get(key).number().ok().flatten().unwrap_or_default();
        let (n, r, p) = (number("n"), number("r"), number("p"));
        cost += kdf::scrypt_cost(FORMAT, n, r, p)?;
        if cost > MAX_SLOTS_COST {
            let what = String::from("too much work to open all its password slots");
            return Err(ImportError::Limits { format: FORMAT, what, limit: "2 GiB of scrypt" });
        }
        ready.push((slot, (n, r, p)));
    }
    for (slot, cost) in ready {
        let key = kdf::scrypt(FORMAT, password, &hex(slot, "salt")?, cost)?;
        let sealed = [hex(slot, "key")?, hex(slot.get("key_params"), "tag")?].concat();
        let nonce = hex(slot.get("key_params"), "nonce")?;
        let Some(master) = crypto::gcm(key.expose(), &nonce, &[], &sealed) else { continue };
        let Ok(master) = <&[u8; 32]>::try_from(master.expose().as_slice()) else { continue };
        let mut sealed = BASE64.decode(doc.get("db").text().as_bytes()).map_err(|_| damaged("db is not base64"))?;
        sealed.extend(hex(header.get("params"), "tag")?);
        let nonce = hex(header.get("params"), "nonce")?;
        return crypto::gcm(master, &nonce, &[], &sealed).ok_or_else(|| damaged("its content does not open"));
    }
    Err(ImportError::WrongPassword(FORMAT))
}

fn damaged(reason: &str) -> ImportError {
    ImportError::Damaged { format: FORMAT, reason: reason.to_owned() }
}

fn hex(object: &Json, key: &str) -> Result<Vec<u8>, ImportError> {
    let text = object.get(key).text();
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| damaged(&format!("{key} in its header is not hexadecimal")))
}

fn database(db: &Json) -> Import {
    let mut import = Import::new(FORMAT);
    let groups = db.get("groups").names("uuid", "name");
    for entry in db.get("entries").list() {
        import.take(entry.str("issuer"), entry.str("name"), account(entry, &groups));
    }
    import
}

fn account(entry: &Json, groups: &HashMap<String, &str>) -> Result<Account, EntryError> {
    let info = entry.get("info");
    let kind = match entry.str("type") {
        "" => return Err(EntryError::Other("it has no type")),
        kind => kind,
    };
    let mut account = Parts {
        issuer: entry.str("issuer"),
        label: entry.str("name"),
        kind,
        algorithm: info.get("algo").text(),
        digits: info.get("digits"),
        period: info.get("period"),
        counter: info.get("counter"),
        secret: base32::bytes(info.get("secret").text()),
        pin: info.get("pin").text(),
    }
    .account()?;
    entry.get("note").text().clone_into(&mut account.note);
    account.favourite = entry.get("favorite").flag();
    // Version 3 lists the ids of groups, version 2 has one name.
    let ids = entry.get("groups").list().iter().map(Json::text);
    account.groups = ids.filter_map(|id| groups.get(id)).map(|name| (*name).to_owned()).collect();
    if account.groups.is_empty() && !entry.str("group").is_empty() {
        account.groups.push(entry.str("group").to_owned());
    }
    Ok(account)
}

/// A vault of version 3; with a password under one slot, as the app makes it.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Optional,
    groups: Groups::Many,
    note: true,
    favourite: true,
    twins: true,
    refusal: |_| None,
    write: |accounts, password, random| {
        let db = content(accounts, random);
        match password {
            None => written(&json!({"version": 1, "header": {"slots": null, "params": null}, "db": db})),
            Some(password) => sealed(&written(&db), password, random),
        }
    },
};

fn content(accounts: &[&Account], random: Random<'_>) -> Value {
    let ids: HashMap<&str, String> = group_names(accounts).into_iter().map(|name| (name, uuid(random))).collect();
    let entry = |account: &&Account| {
        let kind = &account.kind;
        let secret = secret_text(account);
        let mut info = json!({"secret": secret.expose(), "algo": kind.algorithm_name(), "digits": kind.digits()});
        match kind {
            Kind::Hotp { counter, .. } => info["counter"] = json!(counter),
            _ => info["period"] = json!(kind.period()),
        }
        if let Some(pin) = pin_text(account) {
            info["pin"] = json!(pin);
        }
        json!({
            "type": kind.name(),
            "uuid": uuid(random),
            "name": account.account,
            "issuer": account.issuer,
            "note": account.note,
            "favorite": account.favourite,
            "icon": null,
            "info": info,
            "groups": account.groups.iter().filter_map(|name| ids.get(name.as_str())).collect::<Vec<_>>(),
        })
    };
    let entries: Vec<Value> = accounts.iter().map(entry).collect();
    let groups: Vec<Value> = group_names(accounts).iter().map(|n| json!({"uuid": ids[n], "name": n})).collect();
    json!({"version": 3, "entries": entries, "groups": groups})
}

/// Seals a vault's content under a fresh key, and that key under the password.
fn sealed(db: &Secret<Vec<u8>>, password: &Secret<String>, random: Random<'_>) -> Secret<Vec<u8>> {
    let (mut master, mut salt, mut nonces) = (Secret::new([0; 32]), [0; 32], [[0; 12]; 2]);
    random(master.expose_mut());
    random(&mut salt);
    for nonce in &mut nonces {
        random(nonce);
    }
    let (n, r, p) = COST;
    let key = kdf::scrypt(FORMAT, password.expose().as_bytes(), &salt, COST).expect("the parameters are in bounds");
    let lock = |key: &[u8; 32], nonce: &[u8; 12], plain: &[u8]| {
        let mut data = crypto::seal(key, nonce, &[], plain);
        let tag = data.split_off(plain.len());
        (data, json!({"nonce": HEXLOWER.encode(nonce), "tag": HEXLOWER.encode(&tag)}))
    };
    let (locked, key_params) = lock(key.expose(), &nonces[0], master.expose());
    let (data, params) = lock(master.expose(), &nonces[1], db.expose());
    let slot = json!({
        "type": 1,
        "uuid": uuid(random),
        "key": HEXLOWER.encode(&locked),
        "key_params": key_params,
        "n": n, "r": r, "p": p,
        "salt": HEXLOWER.encode(&salt),
        "repaired": true,
        "is_backup": false,
    });
    written(&json!({"version": 1, "header": {"slots": [slot], "params": params}, "db": BASE64.encode(&data)}))
}
