//! Stratum, once Authenticator Pro: JSON, two sealed forms, the app's database and an HTML page.

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::super::container::kdf::Hash;
use super::super::container::sqlite::Database;
use super::super::container::{crypto, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::writer::{Groups, Sealing, Writer};
use super::super::{EntryError, Format, Import, ImportError, Source, pin_text, secret_text, text};
use super::{group_names, uri_list, written};
use crate::otp::{Account, Algorithm, Kind, base32, motp};
use crate::secret::Secret;

const FORMAT: Format = Format::Stratum;
/// What a sealed backup begins with.
pub const MAGIC: &[u8] = b"AUTHENTICATORPRO";
/// What an older one begins with.
pub const LEGACY_MAGIC: &[u8] = b"AuthenticatorPro";
/// Argon2id: 64 MiB, 3 passes, 4 lanes.
const COST: (u64, u64, u64) = (65_536, 3, 4);
const LEGACY_ROUNDS: u64 = 64_000;
/// Categories that one account may have.
const MAX_GROUPS: usize = 64;

/// Opens a sealed backup.
pub fn sealed(source: &Source<'_>) -> Result<Import, ImportError> {
    let plain = open(source)?;
    Ok(read(&Json::parse(&text::decode(plain.expose()), FORMAT)?))
}

fn open(source: &Source<'_>) -> Result<Secret<Vec<u8>>, ImportError> {
    let (magic, body) = source.bytes.split_at(MAGIC.len());
    let short = || ImportError::Damaged { format: FORMAT, reason: String::from("it is too short") };
    let legacy = magic == LEGACY_MAGIC;
    if body.len() < if legacy { 20 + 16 + 16 } else { 16 + 12 + crypto::TAG } {
        return Err(short());
    }
    let password = source.need_password(FORMAT)?.expose().as_bytes();
    let plain = if legacy {
        let key = kdf::pbkdf2(FORMAT, Hash::Sha1, password, &body[..20], LEGACY_ROUNDS)?;
        let iv = body[20..36].try_into().map_err(|_| short())?;
        crypto::cbc(key.expose(), iv, &body[36..])
    } else {
        let key = kdf::argon2id(FORMAT, password, &body[..16], COST)?;
        crypto::gcm(key.expose(), &body[16..28], &[], &body[28..])
    };
    // The old form has no MAC: what is no JSON was opened with the wrong key.
    plain.filter(|p| p.expose().trim_ascii_start().first() == Some(&b'{')).ok_or(ImportError::WrongPassword(FORMAT))
}

/// Reads a plain backup.
pub fn read(doc: &Json) -> Import {
    let mut import = Import::new(FORMAT);
    let names = doc.get("Categories").names("Id", "Name");
    let links = doc.get("AuthenticatorCategories").list().iter();
    let groups =
        groups(links.map(|l| (l.get("AuthenticatorSecret").text().to_owned(), l.get("CategoryId").loose())), |id| {
            names.get(id).map(|name| (*name).to_owned())
        });
    for entry in doc.get("Authenticators").list() {
        let number = |key: &str| entry.get(key).number().ok().flatten();
        let secret = entry.get("Secret").text();
        let parts = Parts {
            issuer: entry.str("Issuer"),
            label: entry.str("Username"),
            digits: entry.get("Digits"),
            period: entry.get("Period"),
            counter: entry.get("Counter"),
            pin: entry.get("Pin").text(),
            ..Parts::default()
        };
        let result = account(&parts, number("Type"), number("Algorithm"), secret).map(|mut account| {
            account.groups = groups.get(secret).cloned().unwrap_or_default();
            account
        });
        import.take(entry.str("Issuer"), entry.str("Username"), result);
    }
    import
}

/// Categories by the text of the secret, which is how Stratum joins them.
fn groups(
    links: impl Iterator<Item = (String, String)>,
    name: impl Fn(&str) -> Option<String>,
) -> HashMap<String, Vec<String>> {
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    for (secret, id) in links {
        let list = groups.entry(secret).or_default();
        if list.len() < MAX_GROUPS {
            list.extend(name(&id));
        }
    }
    groups
}

fn account(parts: &Parts<'_>, kind: Option<u64>, algorithm: Option<u64>, secret: &str) -> Result<Account, EntryError> {
    let kind = match kind {
        Some(1) => "hotp",
        Some(2) => "totp",
        Some(3) => "motp",
        Some(4) => "steam",
        Some(5) => "yandex",
        _ => return Err(EntryError::Other("its type is unknown")),
    };
    let algorithm = match algorithm {
        None | Some(0) => "SHA1",
        Some(1) => "SHA256",
        Some(2) => "SHA512",
        Some(_) => return Err(EntryError::Other("its algorithm is unknown")),
    };
    let secret = if kind == "motp" { motp::seed(secret).map(|s| s.expose().to_vec()) } else { base32::bytes(secret) };
    Parts { kind, algorithm, secret, ..*parts }.account()
}

/// Whether a database is the app's.
pub fn is_database(database: &Database<'_>) -> bool {
    database.has("authenticator", &["secret", "issuer", "username"])
}

/// Reads the app's database.
pub fn database(database: &Database<'_>) -> Import {
    let mut import = Import::new(FORMAT);
    let rows = |table: &str| database.rows(table).unwrap_or_default();
    let names: HashMap<String, String> = rows("category").iter().map(|c| (c.text("id"), c.text("name"))).collect();
    let links = rows("authenticatorcategory");
    let links = links.iter().map(|l| (l.text("authenticatorsecret"), l.text("categoryid")));
    let groups = groups(links, |id| names.get(id).cloned());
    for row in rows("authenticator") {
        let number = |column: &str| row.int(column).and_then(|n| u64::try_from(n).ok());
        let json = |column: &str| Json::Text(row.text(column).into());
        let (issuer, label, secret, pin) =
            (row.text("issuer"), row.text("username"), row.text("secret"), row.text("pin"));
        let (digits, period, counter) = (json("digits"), json("period"), json("counter"));
        let parts = Parts {
            issuer: &issuer,
            label: &label,
            digits: &digits,
            period: &period,
            counter: &counter,
            pin: &pin,
            ..Parts::default()
        };
        let result = account(&parts, number("type"), number("algorithm"), &secret).map(|mut account| {
            account.groups = groups.get(&secret).cloned().unwrap_or_default();
            account
        });
        import.take(&issuer, &label, result);
    }
    import
}

/// Reads the HTML page: each link stands in a `<code>`.
pub fn html(text: &str) -> Result<Import, ImportError> {
    let codes = text.split("<code>").skip(1).filter_map(|part| part.split_once("</code>")).map(|(code, _)| code);
    let list: String = codes.map(|code| super::unescape(code) + "\n").collect();
    let mut import = uri_list::read(&list)?;
    import.format = FORMAT;
    Ok(import)
}

/// A plain backup.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Never,
    groups: Groups::Many,
    note: false,
    favourite: false,
    // Categories are joined by the secret, and the app keys its accounts by it.
    twins: false,
    refusal: |account| match &account.kind {
        Kind::Totp { digits, .. } if digits.get() < 6 => Some("the app has codes of 6 to 10 digits only"),
        Kind::Hotp { digits, .. } if !(6..=8).contains(&digits.get()) => {
            Some("the app has counter codes of 6 to 8 digits only")
        }
        _ => None,
    },
    write: |accounts, _, _| {
        let entries: Vec<Value> = accounts.iter().enumerate().map(|(i, account)| one(account, i)).collect();
        // The app makes its ids so: the same category comes together with one that is there.
        let id = |name: &str| HEXLOWER.encode(&Sha1::digest(name)[..4]);
        let categories: Vec<Value> = group_names(accounts)
            .iter()
            .enumerate()
            .map(|(i, name)| json!({"Id": id(name), "Name": name, "Ranking": i}))
            .collect();
        let link = |account: &&Account| {
            let secret = written_secret(account);
            let link =
                |name: &String| json!({"CategoryId": id(name), "AuthenticatorSecret": secret.expose(), "Ranking": 0});
            account.groups.iter().map(link).collect::<Vec<_>>()
        };
        let links: Vec<Value> = accounts.iter().flat_map(link).collect();
        written(&json!({
            "Authenticators": entries,
            "Categories": categories,
            "AuthenticatorCategories": links,
            "CustomIcons": [],
        }))
    },
};

/// The text of a secret as the app has it: hexadecimal for Mobile-OTP, base32 for the others.
fn written_secret(account: &Account) -> Secret<String> {
    match account.kind {
        Kind::Motp { .. } => Secret::new(HEXLOWER.encode(account.seed.expose())),
        _ => secret_text(account),
    }
}

fn one(account: &Account, ranking: usize) -> Value {
    let kind = &account.kind;
    let (number, algorithm, counter) = match kind {
        Kind::Hotp { algorithm, counter, .. } => (1, *algorithm, *counter),
        Kind::Totp { algorithm, .. } => (2, *algorithm, 0),
        Kind::Motp { .. } => (3, Algorithm::Sha1, 0),
        Kind::Steam => (4, Algorithm::Sha1, 0),
        Kind::Yandex { .. } => (5, Algorithm::Sha256, 0),
    };
    let algorithm = match algorithm {
        Algorithm::Sha1 => 0,
        Algorithm::Sha256 => 1,
        Algorithm::Sha512 => 2,
    };
    // The app takes no account without an issuer.
    let issuer = if account.issuer.is_empty() { &account.account } else { &account.issuer };
    json!({
        "Type": number,
        "Icon": null,
        "Issuer": if issuer.is_empty() { "?" } else { issuer },
        "Username": Some(&account.account).filter(|name| !name.is_empty()),
        "Secret": written_secret(account).expose(),
        "Pin": pin_text(account),
        "Algorithm": algorithm,
        "Digits": kind.digits(),
        "Period": kind.period().unwrap_or(30),
        "Counter": counter,
        "CopyCount": 0,
        "Ranking": ranking,
    })
}
