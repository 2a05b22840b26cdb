//! FreeOTP and FreeOTP+: preferences, FreeOTP+'s JSON and FreeOTP 2's Java map.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::container::kdf::Hash;
use super::super::container::{crypto, java, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::writer::{Groups, Sealing, Writer, no_pins};
use super::super::{EntryError, Format, Import, ImportError, Source};
use super::written;
use crate::otp::{Account, Kind, uri};
use crate::secret::Secret;

const FORMAT: Format = Format::FreeOtp;

/// Reads FreeOTP+'s JSON.
pub fn plus(doc: &Json) -> Import {
    let mut import = Import::new(Format::FreeOtpPlus);
    for token in doc.get("tokens").list() {
        take(&mut import, token, None);
    }
    import
}

/// Reads the preferences of version 1 and of FreeOTP+: every text is a token in JSON.
pub fn preferences(pairs: &[(String, String)]) -> Import {
    let mut import = Import::new(FORMAT);
    for (name, value) in pairs.iter().filter(|(name, _)| name != "tokenOrder") {
        match Json::parse(value, FORMAT) {
            Ok(token) if token.has("secret") => take(&mut import, &token, None),
            Ok(_) => {}
            Err(_) => import.skip(name, "it is no valid JSON"),
        }
    }
    import
}

/// Takes a token. `secret` is given where it was sealed apart; the counter is the next one then, else the last one.
fn take(import: &mut Import, token: &Json, secret: Option<Result<Vec<u8>, EntryError>>) {
    let pick = |edited: &str, own: &str| {
        if token.str(edited).is_empty() { token.str(own).to_owned() } else { token.str(edited).to_owned() }
    };
    let issuer = match pick("issuerAlt", "issuerExt") {
        issuer if issuer.is_empty() => token.str("issuerInt").to_owned(),
        issuer => issuer,
    };
    let label = pick("labelAlt", "label");
    let sealed = secret.is_some();
    let secret = secret
        .unwrap_or_else(|| token.get("secret").bytes().ok_or(EntryError::Other("its secret is no list of bytes")));
    let result = secret.and_then(|secret| account(token, &issuer, &label, secret, sealed));
    import.take(&issuer, &label, result);
}

fn account(token: &Json, issuer: &str, label: &str, secret: Vec<u8>, sealed: bool) -> Result<Account, EntryError> {
    let kind = token.str("type");
    let fresh = !sealed && matches!(token.get("counter"), Json::Int(-1));
    let mut account = Parts {
        issuer,
        label,
        kind: if kind.is_empty() { "totp" } else { kind },
        algorithm: token.str("algo"),
        digits: token.get("digits"),
        period: token.get("period"),
        // One that was never used is kept as -1.
        counter: if fresh { &Json::Null } else { token.get("counter") },
        secret: Ok(secret),
        pin: "",
    }
    .account()?;
    match &mut account.kind {
        // Version 1 stores the counter that was used last.
        Kind::Hotp { counter, .. } if !sealed && !fresh => *counter = uri::counter(Some(counter.saturating_add(1)))?,
        Kind::Totp { .. } if token.str("issuerExt").eq_ignore_ascii_case("steam") => account.kind = Kind::Steam,
        _ => {}
    }
    Ok(account)
}

/// Opens version 2's backup.
pub fn backup(source: &Source<'_>) -> Result<Import, ImportError> {
    let damaged = |reason: &str| ImportError::Damaged { format: FORMAT, reason: reason.to_owned() };
    let pairs = java::pairs(source.bytes).ok_or_else(|| damaged("it is no map of texts"))?;
    let by_key: HashMap<&str, &str> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let find = |key: &str| by_key.get(key).copied();
    let master = Json::parse(find("masterKey").ok_or_else(|| damaged("it has no master key"))?, FORMAT)?;
    let password = source.need_password(FORMAT)?.expose().as_bytes();
    let hash = match master.str("mAlgorithm") {
        "PBKDF2withHmacSHA512" => Hash::Sha512,
        "PBKDF2withHmacSHA256" => Hash::Sha256,
        "PBKDF2withHmacSHA1" => Hash::Sha1,
        _ => return Err(damaged("its key derivation is unknown")),
    };
    let salt = master.get("mSalt").bytes().ok_or_else(|| damaged("its salt is no list of bytes"))?;
    let rounds = master.get("mIterations").number().ok().flatten().unwrap_or_default();
    let wrap = kdf::pbkdf2(FORMAT, hash, password, &salt, rounds)?;
    let master = unseal(wrap.expose(), master.get("mEncryptedKey")).ok_or(ImportError::WrongPassword(FORMAT))?;
    let master =
        <&[u8; 32]>::try_from(master.expose().as_slice()).map_err(|_| damaged("its master key has a wrong length"))?;

    let mut import = Import::new(FORMAT);
    for (id, value) in pairs.iter().filter(|(id, _)| id != "masterKey" && !id.ends_with("-token")) {
        let Some(token) = find(&format!("{id}-token")).and_then(|t| Json::parse(t, FORMAT).ok()) else { continue };
        let sealed = Json::parse(value, FORMAT).and_then(|v| Json::parse(v.get("key").text(), FORMAT));
        let secret = sealed.ok().and_then(|sealed| unseal(master, &sealed)).map(|s| s.expose().clone());
        take(&mut import, &token, Some(secret.ok_or(EntryError::Other("its secret does not open"))));
    }
    Ok(import)
}

/// Opens one sealed key: its parameters are DER, an octet string with the nonce, alone or in a sequence.
fn unseal(key: &[u8; 32], sealed: &Json) -> Option<Secret<Vec<u8>>> {
    let parameters = sealed.get("mParameters").bytes()?;
    let inner = match parameters.as_slice() {
        [0x30, len, rest @ ..] if usize::from(*len) == rest.len() => rest,
        all => all,
    };
    let nonce = match inner {
        [0x04, len, rest @ ..] => rest.get(..usize::from(*len))?,
        _ => return None,
    };
    crypto::gcm(key, nonce, sealed.get("mToken").text().as_bytes(), &sealed.get("mCipherText").bytes()?)
}

/// FreeOTP+'s JSON.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Never,
    groups: Groups::None,
    note: false,
    favourite: false,
    twins: true,
    refusal: |account| match &account.kind {
        Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if digits.get() > 9 => {
            Some("the app has codes of up to 9 digits only")
        }
        Kind::Totp { .. } if account.issuer.eq_ignore_ascii_case("steam") => {
            Some("the app takes every account whose issuer is Steam for Steam Guard")
        }
        _ => no_pins(account),
    },
    write: |accounts, _, _| {
        let tokens: Vec<Value> = accounts.iter().map(|account| token(account)).collect();
        let order: Vec<String> = accounts.iter().map(|a| format!("{}:{}", a.issuer, a.account)).collect();
        written(&json!({"tokenOrder": order, "tokens": tokens}))
    },
};

fn token(account: &Account) -> Value {
    let kind = &account.kind;
    // The app keeps the counter that was used last.
    let counter = if let Kind::Hotp { counter, .. } = kind { *counter as i64 - 1 } else { 0 };
    let steam = matches!(kind, Kind::Steam);
    let mut token = json!({
        "type": if matches!(kind, Kind::Hotp { .. }) { "HOTP" } else { "TOTP" },
        "algo": kind.algorithm_name(),
        "counter": counter,
        "digits": kind.digits(),
        "issuerExt": if steam { "Steam" } else { &account.issuer },
        "label": account.account,
        "period": kind.period().unwrap_or(30),
        "secret": account.seed.expose().iter().map(|byte| byte.cast_signed()).collect::<Vec<i8>>(),
    });
    // It knows Steam by that issuer; an edited name is kept beside it.
    if steam && !account.issuer.is_empty() && account.issuer != "Steam" {
        token["issuerAlt"] = json!(account.issuer);
    }
    token
}
