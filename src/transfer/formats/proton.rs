//! Proton Authenticator: plain or sealed.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::super::container::{base64, crypto, kdf};
use super::super::json::Json;
use super::super::writer::{Groups, Sealing, Writer, by_time};
use super::super::{Format, Import, ImportError, Source, secret_text, text};
use super::{uuid, written};
use crate::otp::{Account, Kind, names, uri};
use crate::secret::Secret;

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

/// A sealed export.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Always,
    groups: Groups::None,
    note: true,
    favourite: false,
    twins: true,
    refusal: |account| match &account.kind {
        Kind::Totp { period, .. } if period.secs() > u64::from(u16::MAX) => {
            Some("the app has periods up to 65,535 s only")
        }
        _ => by_time(account),
    },
    write: |accounts, password, random| {
        let entry = |account: &&Account| {
            let (link, kind) = match account.kind {
                Kind::Steam => (Secret::new(format!("steam://{}", secret_text(account).expose())), "Steam"),
                _ => (uri::write(account), "Totp"),
            };
            // A Steam link has no issuer: another one than Steam goes into the name.
            let name = match account.kind {
                Kind::Steam if !matches!(account.issuer.as_str(), "" | "Steam") => {
                    format!("{}:{}", account.issuer, account.account)
                }
                _ => account.account.clone(),
            };
            let content = json!({"uri": link.expose(), "entry_type": kind, "name": name});
            json!({"id": uuid(random), "content": content, "note": account.note})
        };
        let entries: Vec<Value> = accounts.iter().map(entry).collect();
        let plain = written(&json!({"version": 1, "entries": entries}));
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        random(&mut salt);
        random(&mut nonce);
        let password = password.map_or("", |p| p.expose());
        let key = kdf::argon2id(FORMAT, password.as_bytes(), &salt, COST).expect("the parameters are in bounds");
        let content = [&nonce[..], &crypto::seal(key.expose(), &nonce, AAD, plain.expose())].concat();
        written(&json!({"version": 1, "salt": BASE64.encode(&salt), "content": BASE64.encode(&content)}))
    },
};
