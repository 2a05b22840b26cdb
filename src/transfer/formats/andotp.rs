//! andOTP: the list, and its two sealed forms, which have no mark.

use data_encoding::BASE32;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::container::kdf::{Hash, Key, MAX_ROUNDS};
use super::super::container::{crypto, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::writer::{Groups, Sealing, Writer, no_pins};
use super::super::{EntryError, Format, Import, ImportError, text};
use super::written;
use crate::otp::{Account, Kind, base32};
use crate::secret::Secret;

const FORMAT: Format = Format::AndOtp;
/// Rounds that a file without a mark may ask for: the app uses at most 160,000, and noise must cost little.
const LIKELY_ROUNDS: u64 = 1_000_000;

/// Reads a list.
pub fn read(doc: &Json) -> Import {
    let mut import = Import::new(FORMAT);
    for entry in doc.list() {
        let (issuer, label) = names(entry);
        import.take(issuer, label, account(entry, issuer, label));
    }
    import
}

/// Old files have no issuer: the label holds it before a dash, or a colon.
fn names(entry: &Json) -> (&str, &str) {
    let (issuer, label) = (entry.str("issuer"), entry.str("label"));
    match label.split_once(" - ") {
        Some((before, after)) if issuer.is_empty() && !entry.has("issuer") => (before, after),
        _ => (issuer, label),
    }
}

fn account(entry: &Json, issuer: &str, label: &str) -> Result<Account, EntryError> {
    let kind = entry.str("type");
    let secret = entry.get("secret").text();
    let motp = kind.eq_ignore_ascii_case("motp");
    if motp && entry.str("pin").is_empty() {
        return Err(EntryError::Other("andOTP does not export the PIN of Mobile-OTP"));
    }
    let mut account = Parts {
        issuer,
        label,
        kind: if kind.is_empty() { "totp" } else { kind },
        algorithm: entry.str("algorithm"),
        digits: entry.get("digits"),
        period: entry.get("period"),
        counter: entry.get("counter"),
        secret: if motp { hex_in_base32(secret) } else { base32::bytes(secret) },
        pin: entry.str("pin"),
    }
    .account()?;
    account.groups = entry.get("tags").list().iter().map(|t| t.text().to_owned()).filter(|t| !t.is_empty()).collect();
    Ok(account)
}

/// The secret of Mobile-OTP is base32 of its hexadecimal text.
fn hex_in_base32(text: &str) -> Result<Vec<u8>, crate::otp::ParamError> {
    let hex = base32::bytes(text)?;
    Ok(crate::otp::motp::seed(&String::from_utf8_lossy(&hex))?.expose().to_vec())
}

/// Opens either sealed form; none when it is not one, or the password is wrong.
pub fn open(bytes: &[u8], password: &Secret<String>) -> Option<Import> {
    let json = |plain: Option<Secret<Vec<u8>>>| {
        let doc = Json::parse(&text::decode(plain?.expose()), FORMAT).ok()?;
        matches!(doc, Json::List(_)).then(|| read(&doc))
    };
    let password = password.expose().as_bytes();
    let key: Key = Secret::new(Sha256::digest(password).into());
    let old = || json(crypto::gcm(key.expose(), bytes.get(..12)?, &[], &bytes[12..]));
    old().or_else(|| {
        let rounds = rounds(bytes).filter(|n| *n <= LIKELY_ROUNDS)?;
        let key = kdf::pbkdf2(FORMAT, Hash::Sha1, password, bytes.get(4..16)?, rounds).ok()?;
        json(crypto::gcm(key.expose(), bytes.get(16..28)?, &[], &bytes[28..]))
    })
}

/// The rounds that the new form begins with, where they are possible.
fn rounds(bytes: &[u8]) -> Option<u64> {
    let rounds = u64::from(u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?));
    (1..=MAX_ROUNDS).contains(&rounds).then_some(rounds)
}

/// Refuses a file that a user named as andOTP's when it asks for too many rounds.
pub fn check(bytes: &[u8]) -> Result<(), ImportError> {
    match rounds(bytes) {
        Some(n) if n > LIKELY_ROUNDS => Err(ImportError::Limits {
            format: FORMAT,
            what: format!("{n} rounds of key derivation"),
            limit: "1,000,000",
        }),
        _ => Ok(()),
    }
}

/// The plain list.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Never,
    groups: Groups::Many,
    note: false,
    favourite: false,
    twins: true,
    refusal: |account| match account.kind {
        Kind::Motp { .. } => Some("the format does not keep the PIN of Mobile-OTP"),
        _ => no_pins(account),
    },
    write: |accounts, _, _| {
        let entry = |account: &&Account| {
            let kind = &account.kind;
            let secret = Secret::new(BASE32.encode(account.seed.expose()));
            let mut entry = json!({
                "secret": secret.expose(),
                "issuer": account.issuer,
                "label": account.account,
                "digits": kind.digits(),
                "type": kind.name().to_ascii_uppercase(),
                "algorithm": kind.algorithm_name(),
                "thumbnail": "Default",
                "last_used": 0,
                "used_frequency": 0,
                "tags": account.groups,
            });
            // The app has it where time counts; other readers of its files want it always.
            entry["period"] = json!(kind.period().unwrap_or(30));
            if let Kind::Hotp { counter, .. } = kind {
                entry["counter"] = json!(counter);
            }
            entry
        };
        written(&Value::Array(accounts.iter().map(entry).collect()))
    },
};
