//! `list` and `code`: the codes themselves, the JSON that scripts rely on, and finding the one account that is meant.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::home::{Home, link, secret};

/// What oathtool says; none where it is not installed, which CI does not allow.
fn oathtool(args: &[&str], secret: &str) -> Option<String> {
    match Command::new("oathtool").args(["-b"]).args(args).arg(secret).output() {
        Ok(out) => Some(String::from_utf8(out.stdout).expect("digits").trim().to_owned()),
        Err(e) => {
            assert!(std::env::var_os("CI").is_none(), "CI needs oathtool: {e}");
            None
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

#[test]
fn codes_and_next_codes_equal_those_of_oathtool() {
    let home = Home::with_vault();
    let mut links = Vec::new();
    let mut cases = Vec::new();
    for algorithm in ["SHA1", "SHA256", "SHA512"] {
        for digits in [6, 7, 8] {
            for period in [15, 30, 60, 300] {
                let n = cases.len() as u8;
                let name = format!("u{n}");
                links.push(format!(
                    "otpauth://totp/{name}?secret={}&algorithm={algorithm}&digits={digits}&period={period}",
                    secret(n)
                ));
                cases.push((name, n, algorithm, digits, period));
            }
        }
    }
    home.import(&links.iter().map(String::as_str).collect::<Vec<_>>());
    let before = now();
    let rows = home.run(&["list", "--json", "--codes"]).json();
    let after = now();
    for (name, n, algorithm, digits, period) in cases {
        let row = rows.as_array().expect("rows").iter().find(|r| r["account"] == name.as_str()).expect("the account");
        let at = |when: u64| {
            let totp = format!("--totp={}", algorithm.to_lowercase());
            let (digits, period, when) = (digits.to_string(), format!("{period}s"), format!("@{when}"));
            oathtool(&[&totp, "-d", &digits, "-s", &period, "-N", &when], &secret(n))
        };
        let Some(first) = at(before) else { return };
        let code = row["code"].as_str().expect("a code");
        assert!([Some(first), at(after)].contains(&Some(code.to_owned())), "{row}");
        let next = row["next"].as_str().expect("a code").to_owned();
        assert!([at(before + period), at(after + period)].contains(&Some(next)), "{row}");
        let left = row["remaining"].as_u64().expect("seconds");
        assert!((1..=period).contains(&left), "{row}");
    }
}

#[test]
fn one_code_is_printed_bare() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 3)]);
    let before = now();
    let code = home.run(&["code", "octo"]).ok();
    assert_eq!(code.len(), 7, "six digits and a line end: {code:?}");
    let at = |when: u64| oathtool(&["--totp", "-N", &format!("@{when}")], &secret(3));
    if let Some(first) = at(before) {
        assert!([first, at(now()).expect("as before")].contains(&code.trim().to_owned()));
    }
}

#[test]
fn code_as_json_has_the_promised_keys() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 3)]);
    let row = home.run(&["code", "GitHub:octo", "--json"]).json();
    let mut keys: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["account", "code", "id", "issuer", "next", "period", "remaining"]);
    assert_eq!((&row["issuer"], &row["account"], &row["period"]), (&"GitHub".into(), &"octo".into(), &30.into()));
    let next = home.run(&["code", "octo", "--next"]).ok();
    assert!(row["next"] == next.trim() || row["remaining"].as_u64() < Some(3), "{row} {next}");
}

#[test]
fn list_as_json_has_the_promised_keys() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 3)]);
    home.run(&["tag", "octo", "+work", "+home"]).ok();
    let rows = home.list();
    let mut keys: Vec<&str> = rows[0].as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["account", "digits", "favourite", "id", "identity", "issuer", "period", "tags", "type"]);
    assert_eq!(rows[0]["identity"], "personal");
    assert_eq!(rows[0]["tags"], serde_json::json!(["home", "work"]));
    assert_eq!(rows[0]["id"].as_str().map(str::len), Some(32));
}

#[test]
fn an_id_from_the_list_names_the_account() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 3), &link("GitLab", "octo", 4)]);
    let id = home.list()[1]["id"].as_str().expect("an id").to_owned();
    assert_eq!(home.run(&["code", &id, "--json"]).json()["issuer"], "GitLab");
}

#[test]
fn several_matches_are_named_on_stderr() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo@example.com", 3), &link("GitLab", "ada@example.com", 4)]);
    let err = home.run(&["code", "example.com"]).fails(3);
    assert!(err.contains("GitHub (octo@example.com)") && err.contains("GitLab (ada@example.com)"), "{err}");
    home.run(&["code", "GitHub:octo@example.com"]).ok();
}

#[test]
fn no_match_is_told() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 3)]);
    let err = home.run(&["code", "zzz"]).fails(3);
    assert!(err.contains("zzz"), "{err}");
}

#[test]
fn a_counter_is_saved_before_its_code_is_printed() {
    let home = Home::with_vault();
    // RFC 4226 appendix D.
    home.import(&["otpauth://hotp/bank?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0"]);
    for expected in ["755224", "287082", "359152"] {
        assert_eq!(home.run(&["code", "bank"]).ok().trim(), expected);
    }
    let row = home.run(&["code", "bank", "--json"]).json();
    assert_eq!((&row["code"], &row["next"]), (&"969429".into(), &serde_json::Value::Null));
    let listed = home.run(&["list", "--json", "--codes"]).json();
    assert_eq!(listed[0]["code"], serde_json::Value::Null, "a list uses up no counter");
    home.run(&["code", "bank", "--next"]).fails(2);
}

#[test]
fn a_counter_that_is_used_up_says_so_and_can_begin_anew() {
    let home = Home::with_vault();
    home.import(&["otpauth://hotp/bank?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=9"]);
    // No form lets it rise so far; a broken program may.
    home.craft(|state| state.entries.values_mut().for_each(|entry| entry.counter.next = u64::MAX));
    let err = home.run(&["code", "bank"]).fails(1);
    assert!(err.contains("Its counter is used up") && err.contains("--counter"), "{err}");
    home.run(&["edit", "bank", "--counter", "0"]).ok();
    assert_eq!(home.run(&["code", "bank"]).ok().trim(), "755224");
}

#[cfg(unix)]
#[test]
fn many_at_once_are_each_given_a_counter_of_their_own() {
    const TAKERS: u64 = 12;
    let home = Home::with_vault();
    home.import(&["otpauth://hotp/bank?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0"]);
    let mut codes: Vec<String> = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..TAKERS).map(|_| scope.spawn(|| home.run(&["code", "bank"]).ok())).collect();
        takers.into_iter().map(|taker| taker.join().expect("it ran").trim().to_owned()).collect()
    });
    codes.sort();
    // The first ten are those of RFC 4226, appendix D.
    let ten = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    assert!(ten.iter().all(|code| codes.iter().any(|taken| taken == code)), "none is skipped: {codes:?}");
    codes.dedup();
    assert_eq!(codes.len() as u64, TAKERS, "none is given twice: {codes:?}");
    assert_eq!(home.run(&["edit", "bank", "--counter", "0"]).code, 0);
}

#[test]
fn a_counter_that_cannot_be_saved_shows_no_code() {
    let home = Home::with_vault();
    home.import(&["otpauth://hotp/bank?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0"]);
    crate::home::without_room(&home, "code bank", "").fails(1);
    assert_eq!(home.run(&["code", "bank"]).ok().trim(), "755224", "the counter has not moved");
}

#[test]
fn names_with_control_characters_are_printed_clean_and_kept_as_they_are() {
    let home = Home::with_vault();
    home.import(&["otpauth://totp/a%1b%5b31mb%e2%80%aec?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]);
    let text = home.run(&["list"]).ok();
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    assert_eq!(home.list()[0]["account"], "a\u{1b}[31mb\u{202e}c");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::with_vault();
    let links: Vec<String> = (0..26).map(|n| link("Site", &format!("{n}{}", "x".repeat(200)), n)).collect();
    home.import(&links.iter().map(String::as_str).collect::<Vec<_>>());
    let mut child = home
        .command(&["list", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let out = child.wait_with_output().expect("ends");
    assert_eq!(String::from_utf8_lossy(&out.stderr), "");
    assert!(out.status.success());
}
