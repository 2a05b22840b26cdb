//! The ways of formats that no sample shows: old versions, trash, secrets in other writings, sealed forms without a mark.

use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use aes_gcm::{AesGcm, aes::Aes256};
use otpanel::otp::{Account, Kind, base32};
use otpanel::secret::Secret;
use otpanel::transfer::{self, Format, Import, ImportError, Source};
use serde_json::{Value, json};

const SECRET: &str = "JBSWY3DPEHPK3PXP";
const HEX: &str = "48656c6c6f21deadbeef";

fn open(bytes: &[u8], password: &str) -> Result<Import, ImportError> {
    let password = Secret::new(password.to_owned());
    transfer::import(Source { password: Some(&password), ..Source::new(bytes) })
}

fn import(text: &str) -> Import {
    transfer::import(Source::new(text.as_bytes())).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn only(import: &Import) -> &Account {
    let reasons: Vec<&str> = import.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert_eq!(import.entries.len(), 1, "{reasons:?}");
    &import.entries[0]
}

fn names(account: &Account) -> (&str, &str) {
    (&account.issuer, &account.account)
}

fn secret(account: &Account) -> String {
    base32::encode(account.seed.expose()).expose().clone()
}

fn reasons(import: &Import) -> Vec<(&str, &str)> {
    import.skipped.iter().map(|s| (s.name.as_str(), s.reason.as_str())).collect()
}

#[test]
fn old_andotp_labels_hold_the_issuer_before_a_dash_or_a_colon() {
    let list = |label: &str| json!([{"secret": SECRET, "label": label, "type": "TOTP", "thumbnail": "x"}]).to_string();
    assert_eq!(names(only(&import(&list("Acme - bob")))), ("Acme", "bob"));
    assert_eq!(names(only(&import(&list("Acme:bob")))), ("Acme", "bob"));
}

#[test]
fn andotp_cannot_give_mobile_otp_its_pin() {
    let import = import(&json!([{"secret": SECRET, "label": "x", "issuer": "Acme", "type": "MOTP"}]).to_string());
    assert_eq!(reasons(&import), [("Acme (x)", "andOTP does not export the PIN of Mobile-OTP")]);
}

#[test]
fn a_2fas_link_says_what_the_fields_do_not() {
    let link = format!("otpauth://totp/Acme:bob?secret={SECRET}&digits=8&period=60&algorithm=SHA256");
    let otp = json!({"link": link, "tokenType": "TOTP", "digits": null});
    let service = json!({"name": "Acme", "secret": SECRET, "otp": otp});
    let import = import(&json!({"schemaVersion": 4, "services": [service], "groups": []}).to_string());
    let account = only(&import);
    assert_eq!(names(account), ("Acme", "bob"));
    assert_eq!((account.kind.digits(), account.kind.period(), account.kind.algorithm_name()), (8, Some(60), "SHA256"));
}

#[test]
fn authys_own_tokens_are_hex_of_seven_digits_and_ten_seconds() {
    let import = import(&json!([{"name": "Twitch", "secretSeed": HEX, "digits": 6}]).to_string());
    let account = only(&import);
    assert_eq!((import.format, secret(account).as_str()), (Format::Authy, SECRET));
    assert_eq!((account.kind.digits(), account.kind.period()), (7, Some(10)));
}

#[test]
fn a_page_of_stratum_gives_its_links() {
    let link = format!("otpauth://totp/Acme:bob?secret={SECRET}&amp;issuer=Acme");
    let page =
        format!("<html><body><img src=\"data:x\"><code>{link}</code><code>motp://a:b?secret=00</code></body></html>");
    let import = import(&page);
    assert_eq!((import.format, names(only(&import))), (Format::Stratum, ("Acme", "bob")));
    assert_eq!(import.skipped.len(), 1);
}

#[test]
fn stratum_joins_categories_and_reads_pins() {
    let doc = json!({
        "Authenticators": [
            {"Type": 3, "Issuer": "Office", "Username": null, "Secret": "e3152afee62599c8", "Pin": "1234"},
            {"Type": 3, "Issuer": "Odd", "Username": "x", "Secret": "no hex", "Pin": "1"},
            {"Type": 5, "Issuer": "Yandex", "Username": "ya", "Secret": "XIWP57SUCRAT45LRSWTKP45YKU", "Pin": null},
            {"Type": 9, "Issuer": "New", "Username": "", "Secret": SECRET}],
        "Categories": [{"Id": "c1", "Name": "Work"}],
        "AuthenticatorCategories": [{"CategoryId": "c1", "AuthenticatorSecret": "e3152afee62599c8"}],
    });
    let import = import(&doc.to_string());
    assert_eq!(only(&import).groups, ["Work"]);
    let found: Vec<&str> = import.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert_eq!(found, ["the secret is not hexadecimal", "this kind of code needs a PIN", "its type is unknown"]);
}

#[test]
fn what_lies_in_a_trash_is_reported() {
    let state = |n: u64| json!({"state": n, "data": {"metadata": {"name": "Acme"}, "content": {"totpUri": SECRET}}});
    let pass = json!({"vaults": {"v": {"name": "Personal", "items": [state(1), state(2)]}}});
    let item = |state: &str| {
        let fields = json!([{"fields": [{"value": {"totp": SECRET}}]}]);
        json!({"item": {"state": state, "overview": {"title": "Acme"}, "details": {"sections": fields}}})
    };
    let one = json!({"accounts": [{"vaults": [{"items": [item("active"), item("trashed")]}]}]});
    for doc in [pass, one] {
        let import = import(&doc.to_string());
        assert_eq!(only(&import).issuer, "Acme");
        assert_eq!(reasons(&import), [("Acme", "it is in the trash")]);
    }
}

#[test]
fn older_keeper_files_name_their_codes_otherwise() {
    let record = json!({"title": "Acme", "login": "bob", "custom_fields": {"TFC:Keeper": SECRET}});
    assert_eq!(names(only(&import(&json!({"records": [record]}).to_string()))), ("Acme", "bob"));
}

#[test]
fn keeotp_writes_its_settings_as_a_query() {
    let entry = |value: &str| {
        format!(
            "<KeePassFile><Meta/><Root><Group><Name>R</Name><Entry><String><Key>Title</Key><Value>Acme</Value></String>\
             <String><Key>otp</Key><Value>{value}</Value></String></Entry></Group></Root></KeePassFile>"
        )
    };
    let query = format!("key={HEX}&amp;encoding=hex&amp;step=60&amp;size=8&amp;otpHashMode=Sha512");
    let doc = import(&entry(&query));
    let account = only(&doc);
    assert_eq!((secret(account).as_str(), account.kind.digits(), account.kind.period()), (SECRET, 8, Some(60)));
    assert_eq!(account.kind.algorithm_name(), "SHA512");
    let counted = import(&entry(&format!("key={SECRET}&amp;type=Hotp&amp;counter=7")));
    assert!(matches!(only(&counted).kind, Kind::Hotp { counter: 7, .. }));
}

#[test]
fn keepassxcs_placeholder_gives_way_to_the_user_name() {
    let table = format!(
        "Group,Title,Username,Password,URL,Notes,TOTP\nRoot/Work/Mail,Acme,bob,x,,,otpauth://totp/Acme:none?secret={SECRET}\n"
    );
    let import = import(&table);
    assert_eq!((import.format, names(only(&import))), (Format::KeePassXc, ("Acme", "bob")));
    assert_eq!(only(&import).groups, ["Work/Mail"]);
    let old = "Group,Title,Username,Password,URL,Notes\nRoot,Acme,bob,x,,\n";
    assert!(matches!(transfer::import(Source::new(old.as_bytes())), Err(ImportError::Refused { .. })));
}

#[test]
fn nordpass_says_that_it_exports_no_codes() {
    let table = "name,url,additional_urls,username,password,note,cardholdername,type\nAcme,x,,bob,pw,,,password\n";
    let Err(ImportError::Refused { reason, .. }) = transfer::import(Source::new(table.as_bytes())) else { panic!() };
    assert!(reason.contains("NordPass"));
}

#[test]
fn files_sealed_by_other_tools_are_named() {
    for (bytes, tool) in [("age-encryption.org/v1\n-> X25519", "age"), ("-----BEGIN PGP MESSAGE-----\n", "gpg")] {
        let Err(ImportError::Refused { reason, .. }) = transfer::import(Source::new(bytes.as_bytes())) else {
            panic!()
        };
        assert!(reason.contains(tool));
    }
}

#[test]
fn steam_secrets_are_base64_and_empty_ones_are_reported() {
    let doc: Value = json!({"accounts": {"1": {"shared_secret": "SGVsbG8h3q2+7w==", "account_name": "gordon"},
        "2": {"shared_secret": "", "account_name": "empty"}}});
    let import = import(&doc.to_string());
    assert_eq!((names(only(&import)), secret(only(&import)).as_str()), (("Steam", "gordon"), SECRET));
    assert_eq!(import.skipped[0].name, "Steam (empty)");
}

fn list() -> String {
    json!([{"type": "TOTP", "label": "bob", "issuer": "Acme", "algo": "SHA1", "secret": SECRET, "digits": 6, "period": 30}])
        .to_string()
}

#[test]
fn otpclients_first_database_has_no_mark_and_opens() {
    let (iv, salt) = ([0xF1; 16], [0xE2; 32]);
    let head = [iv.as_slice(), &salt].concat();
    // It cut a password to as many bytes as it has characters.
    for (password, used) in [("password", b"password".as_slice()), ("pässwörd", &"pässwörd".as_bytes()[..8])] {
        let mut key = [0; 32];
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(used, &salt, 100_000, &mut key);
        let cipher = AesGcm::<Aes256, U16>::new(&key.into());
        let nonce = Nonce::<AesGcm<Aes256, U16>>::from(iv);
        let sealed = cipher.encrypt(&nonce, Payload { msg: list().as_bytes(), aad: &head }).expect("seals");
        let file = [head.as_slice(), &sealed].concat();
        assert_eq!(open(&file, password).expect("opens").format, Format::OtpClient);
        assert!(matches!(open(&file, "other"), Err(ImportError::NothingFits)));
    }
}

#[test]
fn tofas_vault_has_no_mark_and_opens() {
    let (salt, nonce) = ([0xF3; 32], [0xE4; 12]);
    let mut key = [0; 32];
    let params = argon2::Params::new(32_768, 3, 1, Some(32)).expect("in bounds");
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(b"pw", &salt, &mut key)
        .expect("derives");
    let doc = json!({"version": 1, "entries": [{"name": "Acme:bob", "secret": SECRET}]}).to_string();
    let cipher = AesGcm::<Aes256, U12>::new(&key.into());
    let sealed = cipher.encrypt(&Nonce::<AesGcm<Aes256, U12>>::from(nonce), doc.as_bytes()).expect("seals");
    let import = open(&[salt.as_slice(), &nonce, &sealed].concat(), "pw").expect("opens");
    assert_eq!((import.format, names(only(&import))), (Format::Tofa, ("Acme", "bob")));
}

#[test]
fn a_named_format_of_which_nothing_is_there_is_no_empty_export() {
    let read = |text: &str, format| transfer::import(Source { format: Some(format), ..Source::new(text.as_bytes()) });
    for id in [
        "aegis",
        "2fas",
        "andotp",
        "authy",
        "bitwarden",
        "proton",
        "stratum",
        "freeotp",
        "otpclient",
        "tofa",
        "2fauth",
        "lastpass",
        "raivo",
        "duo",
        "steam",
        "cotp",
        "proton-pass",
        "1password",
        "keeper",
        "enpass",
    ] {
        let format = Format::ALL.iter().copied().find(|format| format.id() == id).expect(id);
        for text in ["{}", "[]", r#"{"version":1}"#] {
            assert!(matches!(read(text, format), Err(ImportError::Damaged { .. })), "{id} {text}");
        }
    }
    let aegis = r#"{"version":1,"header":{"slots":null,"params":null},"db":{"version":3,"entries":[]}}"#;
    assert!(read(aegis, Format::Aegis).expect("an empty export").entries.is_empty());
    let two_fas = format!(r#"{{"schemaVersion":4,"services":[{{"name":"Acme","secret":"{SECRET}"}}]}}"#);
    let Err(ImportError::Refused { reason, .. }) = read(&two_fas, Format::Aegis) else { panic!("no Aegis file") };
    assert!(reason.contains("2FAS"), "{reason}");
}

#[test]
fn a_sealed_file_whose_sealed_part_or_mark_is_broken_is_no_empty_export() {
    let read = |text: &str| transfer::import(Source::new(text.as_bytes()));
    for part in ["null", "7", "[]", "{}", r#""""#] {
        let text = format!(r#"{{"schemaVersion":4,"services":[],"servicesEncrypted":{part},"reference":"a:b:c"}}"#);
        assert!(matches!(read(&text), Err(ImportError::Damaged { format: Format::TwoFas, .. })), "{part}");
    }
    for mark in ["null", r#""x""#, "[]"] {
        let text = format!(r#"{{"encrypted":{mark},"passwordProtected":true,"data":"2.a|b|c"}}"#);
        assert!(matches!(read(&text), Err(ImportError::PasswordNeeded(Format::Bitwarden))), "{mark}");
    }
}
