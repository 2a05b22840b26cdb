//! Links as they are written in the wild, one rule a test, and the way out and back.

use otpanel::otp::uri::{MAX_COUNTER, UriError, label, parse, write};
use otpanel::otp::{Account, Algorithm, Digits, Kind, ParamError, Period, Pin, Seed, base32};
use proptest::prelude::*;

const SECRET: &str = "JBSWY3DPEHPK3PXP";

fn ok(text: &str) -> Account {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn names(text: &str) -> (String, String) {
    let account = ok(text);
    (account.issuer, account.account)
}

fn refused(text: &str) -> UriError {
    parse(text).expect_err(text)
}

#[test]
fn scheme_type_and_parameter_names_are_read_in_any_case() {
    let account = ok("OTPAUTH://TOTP/Acme:bob?SECRET=jbswy3dpehpk3pxp&Digits=8&PERIOD=60&Algorithm=sha256");
    assert!(matches!(
        account.kind,
        Kind::Totp { algorithm: Algorithm::Sha256, digits: Digits::EIGHT, period } if period.secs() == 60
    ));
    assert_eq!(base32::encode(account.seed.expose()).expose(), SECRET);
}

#[test]
fn a_plus_is_a_blank_in_the_query_alone() {
    assert_eq!(
        names("otpauth://totp/Plus+Label:a+b?secret=JBSWY3DP&issuer=Plus+Sign"),
        ("Plus Sign".into(), "Plus+Label:a+b".into())
    );
}

#[test]
fn a_number_sign_belongs_to_the_label() {
    assert_eq!(names("otpauth://totp/user#EXT#@x:a#b?secret=JBSWY3DP"), ("user#EXT#@x".into(), "a#b".into()));
}

#[test]
fn damaged_percent_signs_stay_as_they_are() {
    assert_eq!(names("otpauth://totp/A%ZZ:100%?secret=JBSWY3DP&x=%"), ("A%ZZ".into(), "100%".into()));
}

#[test]
fn the_first_of_repeated_parameters_wins() {
    let account = ok("otpauth://totp/x?secret=JBSWY3DP&secret=AAAAAAAA&digits=7&digits=99");
    assert_eq!(base32::encode(account.seed.expose()).expose(), "JBSWY3DP");
    assert_eq!(account.kind.digits(), 7);
}

#[test]
fn the_label_may_be_missing() {
    for text in ["otpauth://totp?secret=JBSWY3DP", "otpauth://totp/?secret=JBSWY3DP"] {
        assert_eq!(names(text), (String::new(), String::new()));
    }
    assert_eq!(names("otpauth://totp/?secret=JBSWY3DP&issuer=Name"), ("Name".into(), String::new()));
}

#[test]
fn null_words_and_empty_values_mean_the_default() {
    let account = ok("otpauth://totp/:no%20issuer?algorithm=null&digits=null&issuer&period=&secret=JBSWY3DP");
    assert_eq!((account.issuer.as_str(), account.account.as_str()), ("", "no issuer"));
    let Kind::Totp { algorithm, digits, period } = account.kind else { panic!("not TOTP") };
    assert_eq!((algorithm, digits, period), (Algorithm::Sha1, Digits::SIX, Period::THIRTY));
}

#[test]
fn steam_is_known_by_type_encoder_or_issuer_with_five_digits_or_none() {
    for text in [
        "otpauth://steam/Steam:gordon?secret=JBSWY3DP",
        "otpauth://totp/x?secret=JBSWY3DP&encoder=steam",
        "otpauth://totp/Steam:gordon?secret=JBSWY3DP&digits=5",
        "otpauth://totp/Steam:gordon?secret=JBSWY3DP",
        "steam://JBSWY3DP",
    ] {
        assert_eq!(ok(text).kind.name(), "steam", "{text}");
    }
    assert_eq!(ok("otpauth://totp/Steam:gordon?secret=JBSWY3DP&digits=6").kind.name(), "totp");
    assert_eq!(ok("otpauth://totp/Other:gordon?secret=JBSWY3DP&digits=5").kind.name(), "totp");
}

#[test]
fn hotp_starts_at_its_counter_or_at_zero() {
    for (query, wanted) in
        [("&counter=42", 42), ("", 0), ("&counter=null", 0), ("&counter=9223372032559808512", MAX_COUNTER)]
    {
        let account = ok(&format!("otpauth://hotp/x?secret=JBSWY3DP{query}"));
        assert!(matches!(account.kind, Kind::Hotp { counter, .. } if counter == wanted));
    }
    let error = refused("otpauth://hotp/x?secret=JBSWY3DP&counter=9223372032559808513");
    assert!(matches!(error, UriError::Param(ParamError::Counter(_))));
}

#[test]
fn yandex_and_mobile_otp_come_with_their_pins_or_not_at_all() {
    let yandex = ok("otpauth://yaotp/ya@example.org?secret=XIWP57SUCRAT45LRSWTKP45YKU&pin=G42TQNQ");
    assert!(matches!(&yandex.kind, Kind::Yandex { pin } if pin.expose() == "7586"));
    let long = ok("otpauth://yaotp/x?secret=LA2V6KMCGYMWWVEW64RNP3JA3IAAAAAAHTSG4HRZPI&pin=G42TQNQ");
    assert_eq!(long.seed.expose().len(), 16);
    let motp = ok("motp://Office:radius?secret=E3152AFEE62599C8&pin=1234");
    assert!(matches!(&motp.kind, Kind::Motp { pin } if pin.expose() == "1234"));
    assert_eq!((motp.issuer.as_str(), motp.account.as_str()), ("Office", "radius"));
    for text in ["motp://Office:radius?secret=e3152afee62599c8", "otpauth://yaotp/x?secret=XIWP57SUCRAT45LRSWTKP45YKU"]
    {
        assert_eq!(refused(text), UriError::Param(ParamError::MissingPin));
    }
}

#[test]
fn what_ente_adds_is_taken_in() {
    let more = "%7B%22pinned%22%3Atrue%2C%22trashed%22%3Afalse%2C%22tags%22%3A%5B%22Work%22%5D%2C%22note%22%3A%22a%20note%22%7D";
    let account = ok(&format!("otpauth://totp/x?secret=JBSWY3DP&codeDisplay={more}"));
    assert!(account.favourite);
    assert_eq!((account.groups.as_slice(), account.note.as_str()), (&["Work".to_owned()][..], "a note"));
    let trashed = format!("otpauth://totp/x?secret=JBSWY3DP&codeDisplay={}", more.replace("false", "true"));
    assert_eq!(refused(&trashed), UriError::Trashed);
}

#[test]
fn each_refusal_names_what_is_wrong_and_the_limit() {
    for (query, sentence) in [
        ("totp/x?issuer=y", "there is no secret in it"),
        ("totp/x?secret=", "there is no secret in it"),
        ("totp/x?secret=A", "the secret is empty"),
        ("totp/x?secret=JBSW0", "the secret has a character at place 5 that base32 does not have (A-Z and 2-7)"),
        ("totp/x?secret=JBSWY3DP&period=0", "a period of 0 s: it may be 1 to 86,400"),
        (
            "totp/x?secret=JBSWY3DP&period=99999999999999999999",
            "a period of 99999999999999999999 s: it may be 1 to 86,400",
        ),
        ("totp/x?secret=JBSWY3DP&digits=100", "100 digits: a code has 1 to 10"),
        ("totp/x?secret=JBSWY3DP&digits=six", "six digits: a code has 1 to 10"),
        ("totp/x?secret=JBSWY3DP&algorithm=MD5", "the algorithm MD5 is not supported (SHA1, SHA256 and SHA512 are)"),
        ("xotp/x?secret=JBSWY3DP", "the type xotp is not supported (totp, hotp, steam and yaotp are)"),
        ("/x?secret=JBSWY3DP", "the type given is not supported (totp, hotp, steam and yaotp are)"),
    ] {
        assert_eq!(refused(&format!("otpauth://{query}")).to_string(), sentence);
    }
    assert_eq!(refused("otpauth-migration://offline?data=AA"), UriError::Migration);
    assert_eq!(refused("https://example.org/"), UriError::NotALink);
    assert_eq!(refused("otpauth:totp"), UriError::NotALink);
}

#[test]
fn no_refusal_holds_a_part_of_the_secret() {
    let canary = "QQCANARYQQCANARYQQ01";
    for text in [
        format!("otpauth://totp/x?secret={canary}"),
        format!("otpauth://{canary}/x?issuer=y"),
        format!("otpauth://{canary}"),
        format!("steam://{canary}"),
        format!("motp://x:y?secret={canary}&pin=1"),
        format!("otpauth://yaotp/x?secret={canary}"),
        canary.to_owned(),
    ] {
        let error = refused(&text);
        assert!(!format!("{error} {error:?}").to_uppercase().contains("CANARY"), "{error:?}");
        assert!(!label(&text).unwrap_or_default().contains("CANARY"));
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    let algorithm = || prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256), Just(Algorithm::Sha512)];
    let digits = || (1u64..=10).prop_map(|n| Digits::new(n).expect("1 to 10"));
    let pin = || "[!-~ é]{1,12}".prop_map(|p| Pin::new(p).expect("not empty"));
    prop_oneof![
        (algorithm(), digits(), 1u64..=86_400).prop_map(|(algorithm, digits, secs)| {
            Kind::Totp { algorithm, digits, period: Period::new(secs).expect("1 to 86,400") }
        }),
        (algorithm(), digits(), 0..=MAX_COUNTER).prop_map(|(algorithm, digits, counter)| Kind::Hotp {
            algorithm,
            digits,
            counter
        }),
        Just(()).prop_map(|()| Kind::Steam),
        pin().prop_map(|pin| Kind::Motp { pin }),
        pin().prop_map(|pin| Kind::Yandex { pin }),
    ]
}

fn same(a: &Kind, b: &Kind) -> bool {
    match (a, b) {
        (Kind::Motp { pin: a }, Kind::Motp { pin: b }) | (Kind::Yandex { pin: a }, Kind::Yandex { pin: b }) => {
            a.expose() == b.expose()
        }
        _ => format!("{a:?}") == format!("{b:?}"),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        issuer in "\\PC{0,20}", name in "\\PC{0,20}", kind in kinds(), seed in proptest::collection::vec(any::<u8>(), 16..=16)
    ) {
        let (issuer, name) = (issuer.trim(), name.trim());
        // Five digits of an issuer Steam are Steam's own kind for every reader.
        prop_assume!(!issuer.eq_ignore_ascii_case("steam"));
        let account = Account::new(issuer, name, kind, Seed::new(seed).expect("16 bytes"));
        let text = write(&account);
        let back = ok(text.expose());
        prop_assert_eq!(&back.issuer, issuer);
        prop_assert_eq!(&back.account, name);
        prop_assert!(same(&back.kind, &account.kind));
        prop_assert_eq!(back.seed.expose(), account.seed.expose());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(otpauth|steam|motp)://\\PC{0,60}") {
        let _ = parse(&text);
        let _ = label(&text);
    }
}
