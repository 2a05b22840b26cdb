//! Databases of Google Authenticator, Microsoft Authenticator and Authenticator Plus.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::super::container::kdf::Hash;
use super::super::container::sqlite::{self, Database, Row};
use super::super::container::{base64, crypto, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{EntryError, Format, Import, ImportError, Source};
use super::stratum;
use crate::otp::{Account, ParamError, base32};
use crate::secret::Secret;

const PAGE: usize = 1024;
/// What SQLCipher keeps at the end of each page: IV, HMAC, nothing.
const RESERVED: usize = 48;
const ROUNDS: u64 = 64_000;

/// The format of a plain database.
pub fn format(bytes: &[u8]) -> Option<Format> {
    by_tables(&Database::open(bytes, None)?)
}

fn by_tables(database: &Database<'_>) -> Option<Format> {
    let columns = |columns: &[&str]| database.has("accounts", columns);
    Some(match () {
        () if stratum::is_database(database) => Format::Stratum,
        () if columns(&["oath_secret_key", "username"]) => Format::Microsoft,
        () if columns(&["original_name", "category", "secret", "email"]) => Format::AuthenticatorPlus,
        () if columns(&["secret", "email"]) => Format::GoogleDatabase,
        () => return None,
    })
}

/// Turns a row into an account.
type Reader = fn(&Row) -> Result<Account, EntryError>;

/// Reads a plain database by its tables.
pub fn read(source: &Source<'_>) -> Result<Import, ImportError> {
    let database = Database::open(source.bytes, source.wal).ok_or(ImportError::Unknown)?;
    let format = by_tables(&database).ok_or(ImportError::Unknown)?;
    let account: Reader = match format {
        Format::Stratum => return Ok(stratum::database(&database)),
        Format::Microsoft => microsoft,
        Format::AuthenticatorPlus => plus,
        _ => google,
    };
    let mut import = Import::new(format);
    for row in database.rows("accounts").unwrap_or_default() {
        let (issuer, label) = match format {
            Format::Microsoft => (row.text("name"), row.text("username")),
            _ => (row.text("issuer"), row.text("email")),
        };
        import.take(&issuer, &label, account(&row));
    }
    Ok(import)
}

/// A type of 1 is HOTP in Google's table and in those made after it.
fn google(row: &Row) -> Result<Account, EntryError> {
    if row.int("isencrypted").unwrap_or_default() != 0 {
        return Err(EntryError::Other("it is encrypted by the app"));
    }
    let counter = Json::Text(row.text("counter").into());
    let kind = match row.int("type") {
        None | Some(0) => "totp",
        Some(1) => "hotp",
        Some(_) => return Err(EntryError::Other("its type is unknown")),
    };
    let (issuer, label) = (row.text("issuer"), row.text("email"));
    let secret = base32::bytes(&row.text("secret"));
    Parts { issuer: &issuer, label: &label, kind, counter: &counter, secret, ..Parts::default() }.account()
}

fn plus(row: &Row) -> Result<Account, EntryError> {
    let category = Some(row.text("category")).filter(|c| !c.is_empty() && c != "All Accounts");
    let mut account = if row.int("type") == Some(2) {
        let secret = HEXLOWER_PERMISSIVE.decode(row.text("secret").as_bytes()).map_err(|_| ParamError::Hex);
        let issuer = Some(row.text("issuer")).filter(|i| !i.is_empty()).unwrap_or_else(|| String::from("Battle.net"));
        Parts { issuer: &issuer, label: &row.text("email"), digits: &Json::Int(8), secret, ..Parts::default() }
            .account()?
    } else {
        google(row)?
    };
    account.groups.extend(category);
    Ok(account)
}

fn microsoft(row: &Row) -> Result<Account, EntryError> {
    let secret = row.text("oath_secret_key");
    let (issuer, label) = (row.text("name"), row.text("username"));
    let kind = row.int("account_type").unwrap_or_default();
    let parts = Parts { issuer: &issuer, label: &label, ..Parts::default() };
    match kind {
        2 => Err(EntryError::Other("it is an Azure AD push account, which cannot be exported")),
        _ if secret.is_empty() && !row.text("encrypted_oath_secret_key").is_empty() => {
            Err(EntryError::Other("its secret is sealed by the phone"))
        }
        0 => Parts { secret: base32::bytes(&secret), ..parts }.account(),
        1 => {
            let secret = base64(&secret).ok_or(ParamError::EmptySecret);
            Parts { digits: &Json::Int(8), secret, ..parts }.account()
        }
        _ => Err(EntryError::Other("its type is unknown")),
    }
}

/// Tries to open a database sealed by SQLCipher 3; none when the password is wrong or it is something else.
pub fn sealed(bytes: &[u8], password: &Secret<String>) -> Option<Import> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(PAGE) {
        return None;
    }
    let format = Format::AuthenticatorPlus;
    let salt = &bytes[..16];
    let key = kdf::pbkdf2(format, Hash::Sha1, password.expose().as_bytes(), salt, ROUNDS).ok()?;
    let mask: Vec<u8> = salt.iter().map(|b| b ^ 0x3A).collect();
    let mac_key = kdf::pbkdf2(format, Hash::Sha1, key.expose(), &mask, 2).ok()?;
    let mut plain = Secret::new(Vec::with_capacity(bytes.len()));
    for (number, page) in (1u32..).zip(bytes.chunks_exact(PAGE)) {
        let (body, tail) = page.split_at(PAGE - RESERVED);
        // The salt takes the place of the first page's first bytes.
        let body = if number == 1 { &body[16..] } else { body };
        let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(mac_key.expose()).ok()?;
        mac.update(body);
        mac.update(&tail[..16]);
        mac.update(&number.to_le_bytes());
        mac.verify_slice(&tail[16..36]).ok()?;
        if number == 1 {
            plain.expose_mut().extend_from_slice(sqlite::MAGIC);
        }
        plain
            .expose_mut()
            .extend_from_slice(crypto::cbc_raw(key.expose(), tail[..16].try_into().ok()?, body)?.expose());
        plain.expose_mut().extend_from_slice(tail);
    }
    let mut import = read(&Source::new(plain.expose())).ok()?;
    import.format = format;
    Some(import)
}
