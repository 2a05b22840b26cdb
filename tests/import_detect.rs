//! Formats are told by content alone: every sample under another name, and marks in every spelling.

use std::path::Path;

use otpanel::transfer::{Format, detect};

fn sample(path: &str) -> Option<&'static str> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(path);
    detect(&std::fs::read(file).expect("readable")).map(Format::id)
}

#[test]
fn every_sample_with_a_mark_is_recognised() {
    for (path, id) in [
        ("1password/export.1pux", "1password"),
        ("1password/1password.csv", "1password"),
        ("2fauth/2fauth.json", "2fauth"),
        ("aegis/aegis_v3_encrypted_three_slots.json", "aegis"),
        ("apple_passwords/Passwords.csv", "apple"),
        ("authy/authy_remote_debug.json", "authy"),
        ("bitwarden/bitwarden_encrypted_argon2id.json", "bitwarden"),
        ("bitwarden/bitwarden_quirks.csv", "bitwarden"),
        ("bitwarden_authenticator/bitwarden_authenticator.csv", "bitwarden-authenticator"),
        ("cotp/db.cotp", "cotp"),
        ("cotp/cotp_export_plain.json", "cotp"),
        ("dashlane/dashlane.zip", "dashlane"),
        ("dashlane/credentials.csv", "dashlane"),
        ("duo/duo_with_push.json", "duo"),
        ("enpass/enpass.json", "enpass"),
        ("ente/ente_encrypted.json", "ente"),
        ("ente/ente_plain_quirks.txt", "otpauth"),
        ("google_authenticator_sqlite/databases_quirks", "google-db"),
        ("google_migration/two_batches.txt", "google"),
        ("keepass/three.kdbx", "keepass"),
        ("keepassxc/keepassxc.csv", "keepassxc-csv"),
        ("keeper/keeper.json", "keeper"),
        ("lastpass_authenticator/lastpass.json", "lastpass"),
        ("lastpass_vault/lastpass_vault.csv", "lastpass-vault"),
        ("microsoft_authenticator/log.sqlite", "microsoft"),
        ("otpclient/otpclient_v2.enc", "otpclient"),
        ("pass_otp/gopass-totp-key.txt", "pass"),
        ("pass_otp/kestrel-mail.txt", "pass"),
        ("proton_authenticator/proton_encrypted.json", "proton"),
        ("proton_pass/proton_pass.zip", "proton-pass"),
        ("qr/single_otpauth.png", "qr"),
        ("raivo/raivo-otp-export.zip", "raivo"),
        ("steam/76561190000000000.maFile", "steam"),
        ("tofa/tofa_export.json", "tofa"),
        ("uri_list/quirks.txt", "otpauth"),
    ] {
        assert_eq!(sample(path), Some(id), "{path}");
    }
}

#[test]
fn every_format_has_its_own_word_and_name() {
    let mut ids: Vec<&str> = Format::ALL.iter().map(|f| f.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Format::ALL.len());
    for format in Format::ALL {
        assert_eq!(Format::parse(&format.id().to_uppercase()), Some(*format));
    }
    assert_eq!(Format::parse("nothing"), None);
}

#[test]
fn a_password_manager_without_codes_and_a_letter_are_no_lists() {
    assert_eq!(detect(b"Dear customer, your code is 123456."), None);
    assert_eq!(detect(b""), None);
    assert_eq!(detect(b"{}"), None);
    assert_eq!(detect(b"[]"), None);
}
