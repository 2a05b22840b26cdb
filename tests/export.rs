//! Every export is read back by our own importer: what the format can hold comes back exactly, the rest was named.

use std::collections::BTreeSet;

use otpanel::otp::{Account, Kind, base32, uri};
use otpanel::secret::Secret;
use otpanel::transfer::export::{Sealing, export, sealing, written};
use otpanel::transfer::{Format, Source, import};

/// Accounts of every kind, with names that files trip over.
fn accounts() -> Vec<Account> {
    [
        "otpauth://totp/GitHub:octo%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DP&issuer=GitHub",
        "otpauth://totp/A%20%26%20B%2C%20%22Ltd%22:o%27neil%3Cx%3E?secret=GEZDGNBVGY3TQOJQ&issuer=A%20%26%20B%2C%20%22Ltd%22",
        "otpauth://totp/%E9%8A%80%E8%A1%8C:%E5%B1%B1%E7%94%B0?secret=MFRGGZDFMZTWQ2LK&issuer=%E9%8A%80%E8%A1%8C&algorithm=SHA256&digits=8&period=60",
        "otpauth://totp/Long:x?secret=NNJVMAE6MMKFRYMGNNJVMAE6&issuer=Long&algorithm=SHA512&digits=7",
        "otpauth://hotp/Bank:card?secret=GEZDGNBVGY3TQOJQGEZDGNBV&issuer=Bank&counter=42",
        "otpauth://steam/Steam:ada?secret=JBSWY3DPEHPK3PXQ&issuer=Steam",
        "otpauth://totp/alone?secret=MFRGGZDFMZTWQ2LM",
    ]
    .iter()
    .map(|link| uri::parse(link).expect("a right link"))
    .collect()
}

/// What must come back.
fn shape(account: &Account) -> String {
    let counter = match account.kind {
        Kind::Hotp { counter, .. } => counter,
        _ => 0,
    };
    format!(
        "{} {} {} {:?} {counter} {} | {} | {}",
        account.kind.name(),
        account.kind.algorithm_name(),
        account.kind.digits(),
        account.kind.period(),
        base32::encode(account.seed.expose()).expose(),
        account.issuer,
        account.account
    )
}

fn round(format: Format, password: Option<&Secret<String>>) {
    let accounts = accounts();
    let mut n = 0u8;
    let mut random = |bytes: &mut [u8]| {
        for byte in bytes {
            n = n.wrapping_mul(31).wrapping_add(7);
            *byte = n;
        }
    };
    let exported = export(format, &accounts, password, &mut random).unwrap_or_else(|e| panic!("{}: {e}", format.id()));
    assert_eq!(exported.count + exported.left_out.len(), accounts.len(), "{}: none is dropped", format.id());
    let left: BTreeSet<String> = exported.left_out.iter().map(|l| l.name.clone()).collect();
    let expected: BTreeSet<String> =
        accounts.iter().filter(|account| !left.contains(&account.title())).map(shape).collect();
    let source = Source { password, ..Source::new(exported.bytes.expose()) };
    let read = import(source).unwrap_or_else(|e| panic!("{}: {e}", format.id()));
    assert_eq!(read.skipped.len(), 0, "{}", format.id());
    let mut found: BTreeSet<String> = read.entries.iter().map(shape).collect();
    // These apps know no account without an issuer or title: its name stands there too.
    if matches!(format, Format::Bitwarden | Format::KeePassXc | Format::Stratum) {
        found = found.into_iter().map(|line| line.replace("| alone | alone", "|  | alone")).collect();
    }
    assert_eq!(found, expected, "{}", format.id());
    // What is sealed shows neither a secret nor a name.
    if password.is_some() {
        let text = String::from_utf8_lossy(exported.bytes.expose());
        assert!(!text.contains("JBSWY3DPEHPK3PXP") && !text.contains("octo"), "{}", format.id());
        let wrong = Secret::new(String::from("wrong"));
        let source = Source { password: Some(&wrong), ..Source::new(exported.bytes.expose()) };
        assert!(import(source).is_err(), "{}: a wrong password opens it", format.id());
    }
}

#[test]
fn every_export_comes_back_exactly() {
    let password = Secret::new(String::from("correct horse"));
    let mut rounds = 0;
    for format in written() {
        match sealing(format).expect("it is written") {
            Sealing::Never => round(format, None),
            Sealing::Always => round(format, Some(&password)),
            Sealing::Optional => {
                round(format, None);
                round(format, Some(&password));
                rounds += 1;
            }
        }
        rounds += 1;
    }
    assert!(rounds >= 10, "only {rounds} exports");
}

#[test]
fn a_plain_list_holds_everything() {
    let exported = export(Format::UriList, &accounts(), None, &mut |_| ()).expect("it can be written");
    assert_eq!((exported.count, exported.left_out.len()), (7, 0));
}
