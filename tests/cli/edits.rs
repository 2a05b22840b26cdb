//! `add`, `edit`, `rm`, `restore`, `tag`.

use crate::home::{Home, link, secret};

#[test]
fn a_link_from_stdin_is_added() {
    let home = Home::with_vault();
    let ran = home.run_with(&["add", "-", "--json"], &format!("{}\n", link("GitHub", "octo", 5)));
    assert!(!ran.err.contains("command line"), "{}", ran.err);
    let added = ran.json();
    assert_eq!(home.list()[0]["id"], added["id"]);
}

#[test]
fn a_bare_secret_from_stdin_takes_its_names_and_settings_from_options() {
    let home = Home::with_vault();
    let args =
        ["add", "--issuer", "Bank", "--account", "ada", "--digits", "8", "--period", "60", "--algorithm", "sha256"];
    assert_eq!(home.run_with(&args, &format!("  {}\n", secret(5))).ok(), "", "nothing was asked for on stdout");
    let row = &home.list()[0];
    assert_eq!((&row["issuer"], &row["digits"], &row["period"]), (&"Bank".into(), &8.into(), &60.into()));
}

#[test]
fn a_link_as_an_argument_is_taken_with_a_warning() {
    let home = Home::with_vault();
    let ran = home.run(&["add", &link("GitHub", "octo", 5)]);
    assert!(ran.err.contains("can be read by other programs"), "{}", ran.err);
    ran.ok();
    assert_eq!(home.accounts(), ["octo"]);
}

#[test]
fn a_bare_secret_as_an_argument_is_refused() {
    let home = Home::with_vault();
    let err = home.run(&["add", &secret(5), "--issuer", "x"]).fails(2);
    assert!(!err.contains(&secret(5)), "the secret is not repeated: {err}");
    assert_eq!(home.list().len(), 0);
}

#[test]
fn every_kind_can_be_added() {
    let home = Home::with_vault();
    for (kind, name) in [("totp", "a"), ("hotp", "b"), ("steam", "c")] {
        home.run_with(&["add", "--type", kind, "--account", name], &secret(5)).ok();
    }
    home.run_with(&["add", "-"], "motp://site:d?secret=0123456789abcdef&pin=1234").ok();
    let kinds: Vec<String> = home.list().iter().map(|r| r["type"].as_str().expect("text").to_owned()).collect();
    assert_eq!(kinds, ["totp", "hotp", "steam", "motp"]);
}

#[test]
fn what_is_here_is_not_added_twice_and_the_answer_is_the_entry_that_is_here() {
    let home = Home::with_vault();
    let first = home.run_with(&["add", "-", "--json"], &link("GitHub", "octo", 5)).json();
    assert_eq!(first["already_here"], false);
    let ran = home.run_with(&["add", "-", "--json"], &link("GitHub", "octo", 5));
    assert!(ran.err.contains("is here already; nothing was added"), "{}", ran.err);
    let again = ran.json();
    assert_eq!((&again["id"], &again["already_here"]), (&first["id"], &true.into()));
    assert_eq!(home.list().len(), 1);
}

#[test]
fn the_same_secret_under_another_name_is_another_account_as_in_an_import() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    let ran = home.run_with(&["add", "-", "--json"], &link("Other", "octo2", 5));
    assert!(ran.err.contains("also here as GitHub (octo)"), "{}", ran.err);
    let added = ran.json();
    assert_eq!((&added["account"], &added["already_here"]), (&"octo2".into(), &false.into()));
    let rows = home.list();
    assert!(rows.iter().any(|row| row["id"] == added["id"] && row["account"] == "octo2"), "{rows:?}");
    assert_eq!(rows.len(), 2);
}

#[test]
fn a_link_with_a_line_break_is_never_one_link() {
    let home = Home::with_vault();
    let (one, two) = (link("Q", "a", 5), link("R", "b", 6));
    for (stdin, words) in [
        (format!("{one}\n{two}\n"), "several links"),
        (format!("otpauth://totp/Q:a?issuer=Q&secret={}\n{two}", secret(5)), "several links"),
        (format!("{one} {two}"), "several links"),
        (format!("{}\n{two}", secret(5)), "several links"),
        (format!("{one}\nhello world"), "line break"),
        (format!("otpauth://totp/Q:\ta?secret={}", secret(5)), "control character"),
        (format!("motp://Q:a?secret=0123456789abcdef&pin=1234\n{two}"), "several links"),
    ] {
        let err = home.run_with(&["add", "-"], &stdin).fails(1);
        assert!(err.contains(words) && err.contains("otpanel import -"), "{stdin}: {err}");
        assert!(!err.contains(&secret(5)) && !err.contains(&secret(6)), "no secret in a report: {err}");
    }
    assert_eq!(home.list().len(), 0);
}

#[test]
fn a_pin_is_the_line_after_the_secret_or_stands_in_the_link() {
    let home = Home::with_vault();
    let motp = ["add", "--type", "motp", "--issuer", "M", "--account", "m"];
    let err = home.run_with(&motp, "0123456789abcdef\n").fails(2);
    assert!(err.contains("line after the secret") && err.contains("motp://ISSUER:ACCOUNT?secret=HEX&pin="), "{err}");
    home.run_with(&motp, "0123456789abcdef\n1234\n").ok();
    let yandex = ["add", "--type", "yandex", "--issuer", "Y", "--account", "y"];
    let err = home.run_with(&yandex, "GEZDGNBVGY3TQOJQGEZDGNBVGY").fails(2);
    assert!(err.contains("otpauth://yaotp/") && err.contains("&pin=1234"), "{err}");
    home.run_with(&yandex, "GEZDGNBVGY3TQOJQGEZDGNBVGY\r\n1234").ok();
    // The same accounts, by links.
    for link in [
        "motp://M:m?secret=0123456789abcdef&pin=1234",
        "otpauth://yaotp/Y:y?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY&pin=1234",
        "otpauth://yaotp/Y:y?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY&pin=GEZDGNA",
    ] {
        assert_eq!(home.run_with(&["add", "-", "--json"], link).json()["already_here"], true, "{link}");
    }
    let err = home.run_with(&["add", "-"], "otpauth://yaotp/Y:y?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY&pin=12!").fails(1);
    assert!(err.contains("neither digits nor base32"), "{err}");
}

#[test]
fn the_last_name_that_can_be_seen_stays() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    for (issuer, account) in [("", ""), ("\u{200b}", " "), ("\u{feff}", "\u{1b}")] {
        let err = home.run(&["edit", "octo", "--issuer", issuer, "--account", account]).fails(2);
        assert!(err.contains("no name"), "{err}");
    }
    home.run(&["edit", "octo", "--issuer", ""]).ok();
    let err = home.run(&["edit", "octo", "--account", "\u{200b}"]).fails(2);
    assert!(err.contains("no name"), "{err}");
    home.run_with(&["add", "--account", "\u{200b}"], &secret(6)).fails(2);
    assert_eq!(home.accounts(), ["octo"]);
}

#[test]
fn a_name_that_cannot_be_seen_has_a_stand_in_in_the_list() {
    let home = Home::with_vault();
    home.import(&[&format!("otpauth://totp/%EF%BB%BF?secret={}&issuer=%E2%80%8B%E2%80%8B", secret(5))]);
    assert_eq!(home.run(&["list"]).ok(), "an account without a name\n");
}

#[test]
fn values_that_cannot_be_are_refused_with_their_limit() {
    let home = Home::with_vault();
    let base = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ";
    for (stdin, words) in [
        (format!("{base}&period=0"), "86,400"),
        (format!("{base}&digits=100"), "1 to 10"),
        (format!("{base}&algorithm=MD2"), "SHA256"),
        ("otpauth://totp/x?secret=GEZ1".to_owned(), "base32"),
        ("otpauth://totp/x?secret=".to_owned(), "secret"),
        ("otpauth://totp/x".to_owned(), "secret"),
        ("otpauth://push/x?secret=GEZDGNBVGY3TQOJQ".to_owned(), "push"),
    ] {
        let err = home.run_with(&["add", "-"], &stdin).fails(1);
        assert!(err.contains(words), "{stdin}: {err}");
        assert!(!err.contains("GEZ"), "no secret in a report: {err}");
    }
    home.run_with(&["add", "--account", "x", "--period", "0"], &secret(1)).fails(1);
    assert_eq!(home.list().len(), 0);
}

#[test]
fn names_and_settings_are_edited_and_favourites_marked() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    let args = ["edit", "octo", "--issuer", "Forge", "--account", "ada", "--favourite", "yes", "--digits", "8"];
    assert_eq!(home.run(&args).ok(), "");
    let row = &home.list()[0];
    assert_eq!(
        (&row["issuer"], &row["account"], &row["favourite"], &row["digits"]),
        (&"Forge".into(), &"ada".into(), &true.into(), &8.into())
    );
}

#[test]
fn an_edit_that_has_no_meaning_is_refused() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    home.run(&["edit", "octo"]).fails(2);
    home.run(&["edit", "octo", "--counter", "3"]).fails(2);
    home.run(&["edit", "octo", "--digits", "11"]).fails(1);
    home.run(&["edit", "nobody", "--note", "x"]).fails(3);
}

#[test]
fn a_counter_can_be_set_back() {
    let home = Home::with_vault();
    home.import(&["otpauth://hotp/bank?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=5"]);
    home.run(&["edit", "bank", "--counter", "0"]).ok();
    assert_eq!(home.run(&["code", "bank"]).ok().trim(), "755224");
}

#[test]
fn removing_wants_a_yes_and_the_trash_gives_back() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5), &link("GitLab", "ada", 6)]);
    let err = home.run(&["rm", "octo"]).fails(2);
    assert!(err.contains("--yes"), "{err}");
    assert_eq!(home.run(&["rm", "--yes", "octo"]).ok(), "");
    assert_eq!(home.accounts(), ["ada"]);
    let trash = home.run(&["list", "--trash", "--json"]).json();
    assert_eq!(trash[0]["account"], "octo");
    home.run(&["restore", "octo"]).ok();
    assert_eq!(home.accounts(), ["ada", "octo"]);
}

#[test]
fn letters_in_order_are_not_enough_to_remove() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    let err = home.run(&["rm", "--yes", "ghb"]).fails(3);
    assert!(err.contains("GitHub (octo)"), "{err}");
    home.run(&["code", "ghb"]).ok();
    assert_eq!(home.accounts(), ["octo"]);
}

#[test]
fn tags_are_put_on_and_taken_away() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    assert_eq!(home.run(&["tag", "octo", "+work", "+home"]).ok(), "home work\n");
    assert_eq!(home.run(&["tag", "octo", "-work"]).ok(), "home\n");
    home.run(&["tag", "octo", "work"]).fails(2);
}

#[test]
fn a_favourite_is_said_by_yes_and_no_and_the_help_and_the_error_name_them_alone() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    for (word, on) in [("yes", true), ("false", false), ("TRUE", true), ("no", false)] {
        home.run(&["edit", "octo", "--favourite", word]).ok();
        assert_eq!(home.list()[0]["favourite"], on, "{word}");
    }
    let wrong = home.run(&["edit", "octo", "--favourite", "perhaps"]);
    assert!(wrong.code == 2 && wrong.err.contains("say yes or no"), "{}", wrong.err);
    let help = home.run(&["edit", "--help"]).ok();
    assert!(help.contains("<yes|no>") && !help.contains("true, false"), "{help}");
}

#[test]
fn an_account_that_came_back_as_often_as_can_be_comes_back_and_is_named() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    home.run(&["rm", "GitHub", "--yes"]).ok();
    home.craft(|state| state.entries.values_mut().for_each(|entry| entry.incarnation = u32::MAX));
    let ran = home.run(&["restore", "GitHub"]);
    assert!(ran.err.contains("Brought back GitHub (octo)"), "{}", ran.err);
    assert_eq!(home.accounts(), ["octo"]);
}
