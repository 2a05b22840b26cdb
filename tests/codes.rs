//! The published test values of every kind of code, in full, and the edges at which code libraries break.

use otpanel::otp::code::{self, code_at, hotp_code, next_code_at, remaining};
use otpanel::otp::{Account, Algorithm, Digits, Kind, Period, Pin, Seed, base32, motp, yandex};
use otpanel::time::UnixTime;

const SEED: &[u8] = b"12345678901234567890";

fn account(kind: Kind, seed: &[u8]) -> Account {
    Account::new("Acme", "bob", kind, Seed::new(seed.to_vec()).expect("not empty"))
}

fn digits(n: u64) -> Digits {
    Digits::new(n).expect("1 to 10")
}

#[test]
fn the_ten_codes_of_rfc_4226_appendix_d_are_right() {
    let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    let hotp = account(Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 0 }, SEED);
    for (counter, code) in (0..).zip(codes) {
        assert_eq!(hotp_code(&hotp, counter).expect("is HOTP").expose(), code);
    }
}

#[test]
fn the_eighteen_codes_of_rfc_6238_appendix_b_are_right() {
    let table = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];
    for (secs, sha1, sha256, sha512) in table {
        for (algorithm, len, wanted) in
            [(Algorithm::Sha1, 20, sha1), (Algorithm::Sha256, 32, sha256), (Algorithm::Sha512, 64, sha512)]
        {
            let seed: Vec<u8> = SEED.iter().copied().cycle().take(len).collect();
            let kind = Kind::Totp { algorithm, digits: Digits::EIGHT, period: Period::THIRTY };
            assert_eq!(code_at(&account(kind, &seed), UnixTime::from_secs(secs)).expect("is TOTP").expose(), wanted);
        }
    }
}

#[test]
fn every_length_from_one_to_ten_digits_is_the_same_number_cut() {
    // RFC 4226 appendix D gives the truncated value for counter 0: 1284755224.
    for n in 1..=10u64 {
        let code = code::hotp(SEED, Algorithm::Sha1, digits(n), 0);
        assert_eq!(code.expose(), &"1284755224"[10 - n as usize..]);
    }
}

#[test]
fn ten_digits_are_filled_with_zeros() {
    // Counter 1 truncates to 1094287082, counter 4 to 1918287922 (appendix D); counter 2 to 137359152.
    assert_eq!(code::hotp(SEED, Algorithm::Sha1, digits(10), 2).expose(), "0137359152");
}

#[test]
fn the_ends_of_time_and_of_counters_make_codes_too() {
    let last = UnixTime(u64::MAX);
    let kinds = || {
        let pin = || Pin::new(String::from("1234")).expect("not empty");
        let odd = |secs| Period::new(secs).expect("1 to 86,400");
        [
            Kind::totp(),
            Kind::Totp { algorithm: Algorithm::Sha512, digits: digits(10), period: odd(1) },
            Kind::Totp { algorithm: Algorithm::Sha256, digits: digits(1), period: odd(86_400) },
            Kind::Steam,
            Kind::Motp { pin: pin() },
            Kind::Yandex { pin: pin() },
        ]
    };
    for kind in kinds() {
        let account = account(kind, b"sixteen bytes ok");
        for at in [UnixTime(0), UnixTime(999), last] {
            let code = code_at(&account, at).expect("all go by time");
            assert_eq!(code.expose().len(), usize::from(account.kind.digits()));
            assert!(next_code_at(&account, at).is_some());
        }
    }
    let hotp = account(Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 0 }, SEED);
    assert!(hotp_code(&hotp, u64::MAX).is_some());
    assert!(code_at(&hotp, last).is_none());
    assert!(hotp_code(&account(Kind::Steam, SEED), 0).is_none());
}

#[test]
fn the_next_code_is_the_one_that_comes() {
    let totp = account(Kind::totp(), SEED);
    let now = UnixTime::from_secs(1_111_111_109);
    let next = next_code_at(&totp, now).expect("is TOTP");
    assert_eq!(next.expose(), "050471");
    assert_eq!(next.expose(), code_at(&totp, UnixTime::from_secs(1_111_111_111)).expect("is TOTP").expose());
}

#[test]
fn remaining_counts_down_to_one_and_starts_again() {
    let at = |secs| remaining(30, UnixTime::from_secs(secs));
    assert_eq!([at(0), at(1), at(29), at(30), at(59)], [30, 29, 1, 30, 1]);
    assert_eq!(remaining(30, UnixTime(29_999)), 1);
    assert_eq!(remaining(0, UnixTime(5)), 1);
    assert!((1..=86_400).contains(&remaining(86_400, UnixTime(u64::MAX))));
}

#[test]
fn steam_writes_the_rfc_value_in_its_own_letters() {
    // Worked out by hand from appendix D: 1284755224 and 1094287082 to the base of 26, lowest first.
    let letters: Vec<char> = "23456789BCDFGHJKMNPQRTVWXY".chars().collect();
    for (counter, mut value) in [(0u64, 1_284_755_224usize), (1, 1_094_287_082)] {
        let mut wanted = String::new();
        for _ in 0..5 {
            wanted.push(letters[value % 26]);
            value /= 26;
        }
        let code = code_at(&account(Kind::Steam, SEED), UnixTime::from_secs(counter * 30)).expect("goes by time");
        assert_eq!(code.expose(), wanted);
        assert_eq!(code.grouped().expose(), wanted.as_str());
    }
}

#[test]
fn mobile_otp_and_yandex_codes_are_as_phones_showed_them() {
    let pin = |text: &str| Pin::new(text.to_owned()).expect("not empty");
    let seed = motp::seed("e3152afee62599c8").expect("hex");
    let motp = Account::new("", "", Kind::Motp { pin: pin("1234") }, seed);
    assert_eq!(code_at(&motp, UnixTime::from_secs(165_892_298)).expect("goes by time").expose(), "e7d8b6");
    let seed = base32::bytes("LA2V6KMCGYMWWVEW64RNP3JA3IAAAAAAHTSG4HRZPI").expect("base32");
    let kind = Kind::Yandex { pin: pin("7586") };
    let yandex = Account::new("", "", kind, yandex::seed(seed).expect("26 bytes"));
    assert_eq!(code_at(&yandex, UnixTime::from_secs(1_581_064_020)).expect("goes by time").expose(), "oactmacq");
}

#[test]
fn digits_are_read_in_threes_from_the_right() {
    let grouped = |n| code::hotp(SEED, Algorithm::Sha1, digits(n), 0).grouped().expose().clone();
    assert_eq!(
        [1, 3, 4, 5, 6, 7, 8, 9, 10].map(grouped),
        ["4", "224", "5224", "55 224", "755 224", "4 755 224", "84 755 224", "284 755 224", "1 284 755 224"]
    );
}
