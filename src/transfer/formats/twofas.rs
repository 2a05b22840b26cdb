//! 2FAS: a backup of any schema, plain or sealed, in and out.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::super::container::kdf::Hash;
use super::super::container::{base64, crypto, kdf};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::writer::{Groups, Sealing, Writer, no_pins};
use super::super::{EntryError, Format, Import, ImportError, Source, secret_text, text};
use super::{group_names, uuid, written};
use crate::otp::{Account, Kind, base32, uri};
use crate::secret::Secret;

const FORMAT: Format = Format::TwoFas;
const ROUNDS: u64 = 10_000;
/// Bytes of salt.
const SALT: usize = 256;
/// The constant of the format by which the app tells a right password: every sealed backup holds it under its key.
const REFERENCE: &str = concat!(
    "tRViSsLKzd86Hprh4ceC2OP7xazn4rrt4xhfEUbOjxLX8Rc3mkISXE0lWbmnWfgg",
    "ogbBJhtYgpK6fMl1D6mtsy92R3HkdGfwuXbzLebqVFJsR7IZ2w58t938iymwG482",
    "4igYy1wi6n2WDpO1Q1P69zwJGs2F5a1qP4MyIiDSD7NCV2OvidXQCBnDlGfmz0f1",
    "BQySRkkt4ryiJeCjD2o4QsveJ9uDBUn8ELyOrESv5R5DMDkD4iAF8TXU7KyoJujd",
);

/// Reads a backup.
pub fn read(doc: &Json, source: &Source<'_>) -> Result<Import, ImportError> {
    let sealed = doc.get("servicesEncrypted").text();
    if sealed.is_empty() {
        // Only a sealed backup bears a reference: without its sealed part it is no empty one.
        if !doc.get("reference").text().is_empty() {
            let reason = String::from("its sealed part is missing");
            return Err(ImportError::Damaged { format: FORMAT, reason });
        }
        return Ok(services(doc.get("services"), doc.get("groups")));
    }
    let plain = open(sealed, source)?;
    Ok(services(&Json::parse(&text::decode(plain.expose()), FORMAT)?, doc.get("groups")))
}

/// Opens `cipher and tag : salt : nonce`.
fn open(sealed: &str, source: &Source<'_>) -> Result<Secret<Vec<u8>>, ImportError> {
    let password = source.need_password(FORMAT)?;
    let parts: Option<Vec<Vec<u8>>> = sealed.split(':').map(base64).collect();
    let Some([data, salt, nonce]) = parts.as_deref() else {
        let reason = String::from("its sealed part is not three pieces of base64");
        return Err(ImportError::Damaged { format: FORMAT, reason });
    };
    let key = kdf::pbkdf2(FORMAT, Hash::Sha256, password.expose().as_bytes(), salt, ROUNDS)?;
    crypto::gcm(key.expose(), nonce, &[], data).ok_or(ImportError::WrongPassword(FORMAT))
}

fn services(list: &Json, groups: &Json) -> Import {
    let mut import = Import::new(FORMAT);
    let groups = groups.names("id", "name");
    for service in list.list() {
        let otp = service.get("otp");
        let issuer = if service.str("name").is_empty() { otp.str("issuer") } else { service.str("name") };
        let result = account(service, issuer).map(|mut account| {
            account.groups.extend(groups.get(service.get("groupId").text()).map(|name| (*name).to_owned()));
            account
        });
        import.take(issuer, otp.str("account"), result);
    }
    import
}

fn account(service: &Json, issuer: &str) -> Result<Account, EntryError> {
    let otp = service.get("otp");
    // What the fields do not say, the scanned link may.
    let link = uri::parse(otp.str("link")).ok();
    let label = match (otp.str("account"), &link) {
        ("", Some(link)) => link.account.as_str(),
        ("", None) => otp.str("label"),
        (account, _) => account,
    };
    let mut account = Parts {
        issuer,
        label,
        kind: if otp.str("tokenType").is_empty() { "totp" } else { otp.str("tokenType") },
        algorithm: otp.str("algorithm"),
        digits: otp.get("digits"),
        period: otp.get("period"),
        counter: otp.get("counter"),
        secret: base32::bytes(service.get("secret").text()),
        pin: "",
    }
    .account()?;
    let missing = |key: &str| matches!(otp.get(key), Json::Null);
    match (&mut account.kind, link.map(|l| l.kind)) {
        (Kind::Totp { algorithm, digits, period }, Some(Kind::Totp { algorithm: a, digits: d, period: p })) => {
            if missing("algorithm") {
                *algorithm = a;
            }
            if missing("digits") {
                *digits = d;
            }
            if missing("period") {
                *period = p;
            }
        }
        (Kind::Hotp { counter, .. }, Some(Kind::Hotp { counter: c, .. })) if missing("counter") => *counter = c,
        _ => {}
    }
    Ok(account)
}

/// A backup of schema 4, plain or sealed; the names of groups stay in clear, as the app writes them.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Optional,
    groups: Groups::One,
    note: false,
    favourite: false,
    twins: true,
    refusal: |account| match &account.kind {
        Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if !(5..=8).contains(&digits.get()) => {
            Some("the app has codes of 5 to 8 digits only")
        }
        _ => no_pins(account),
    },
    write: |accounts, password, random| {
        let ids: HashMap<&str, String> = group_names(accounts).into_iter().map(|name| (name, uuid(random))).collect();
        let services: Vec<Value> = accounts.iter().enumerate().map(|(i, a)| one(a, i, &ids)).collect();
        let groups: Vec<Value> =
            group_names(accounts).iter().map(|n| json!({"id": ids[n], "name": n, "isExpanded": true})).collect();
        let mut doc = json!({"schemaVersion": 4, "services": services, "groups": groups, "updatedAt": 0, "appVersionCode": 5_000_000, "appVersionName": "5.0.0", "appOrigin": "android"});
        if let Some(password) = password {
            let services = Secret::new(std::mem::replace(&mut doc["services"], json!([])).to_string());
            let mut salt = [0; SALT];
            random(&mut salt);
            let key = kdf::pbkdf2(FORMAT, Hash::Sha256, password.expose().as_bytes(), &salt, ROUNDS)
                .expect("the app's own cost is within the bounds");
            let mut seal = |plain: &str| {
                let mut nonce = [0; 12];
                random(&mut nonce);
                let data = crypto::seal(key.expose(), &nonce, &[], plain.as_bytes());
                [data.as_slice(), &salt, &nonce].map(|part| BASE64.encode(part)).join(":")
            };
            doc["servicesEncrypted"] = seal(services.expose()).into();
            doc["reference"] = seal(REFERENCE).into();
        }
        written(&doc)
    },
};

fn one(account: &Account, position: usize, ids: &HashMap<&str, String>) -> Value {
    let kind = &account.kind;
    let counter = if let Kind::Hotp { counter, .. } = kind { Some(*counter) } else { None };
    json!({
        "name": account.issuer,
        "secret": secret_text(account).expose(),
        "updatedAt": 0,
        "order": {"position": position},
        "groupId": account.groups.first().and_then(|name| ids.get(name.as_str())),
        "otp": {
            "account": account.account,
            "issuer": account.issuer,
            "label": account.account,
            "digits": kind.digits(),
            "period": kind.period().unwrap_or(30),
            "algorithm": kind.algorithm_name(),
            "counter": counter,
            "tokenType": kind.name().to_ascii_uppercase(),
            "source": "Manual",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::Seed;

    #[test]
    fn a_sealed_backup_shows_no_secret_and_holds_the_apps_reference_under_its_password() {
        let account = Account::new("Acme", "bob", Kind::totp(), Seed::new(vec![7; 10]).unwrap());
        let password = Secret::new(String::from("pw"));
        let mut n = 0_u8;
        let mut random = |bytes: &mut [u8]| bytes.fill_with(|| (n, n = n.wrapping_add(1)).0);
        let file = (WRITER.write)(&[&account], Some(&password), &mut random);
        let doc = Json::parse(std::str::from_utf8(file.expose()).unwrap(), FORMAT).unwrap();
        assert!(doc.get("services").list().is_empty());
        let parts = |key: &str| doc.get(key).text().split(':').map(str::to_owned).collect::<Vec<_>>();
        let (services, reference) = (parts("servicesEncrypted"), parts("reference"));
        assert_eq!(services[1], reference[1], "one derivation opens both");
        assert_ne!(services[2], reference[2], "one key, never one nonce");
        let source = Source { password: Some(&password), ..Source::new(file.expose()) };
        assert_eq!(open(doc.get("reference").text(), &source).unwrap().expose(), REFERENCE.as_bytes());
    }
}
