//! `vault`: its facts, its keys, its history.

use crate::home::{Home, finish, link};

#[test]
fn info_has_the_promised_keys() {
    let home = Home::with_vault();
    home.import(&[&link("A", "one", 1)]);
    let info = home.run(&["vault", "info", "--json"]).json();
    let mut keys: Vec<&str> = info.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["accounts", "format", "history", "kdf", "path", "quarantined", "slots", "trashed"]);
    assert_eq!(info["format"], serde_json::json!([1, 0]));
    assert_eq!(info["accounts"], 1);
    let mut kinds: Vec<&str> =
        info["slots"].as_array().expect("slots").iter().filter_map(|s| s["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["password", "recovery"]);
    assert!(info["slots"][0]["created"].as_str().is_some_and(|t| t.ends_with('Z')), "{info}");
    assert!(info["kdf"]["memory_kib"].as_u64() >= Some(65_536), "never below the default: {info}");
}

#[test]
fn a_new_password_opens_and_the_old_one_does_not() {
    let home = Home::with_vault().by_password();
    home.import(&[&link("A", "one", 1)]);
    home.write("new", "another one\n");
    home.run(&["vault", "passwd", "--new-password-file", "new"]).ok();
    home.run(&["list"]).fails(4);
    std::fs::rename(home.path("new"), home.path("pw")).expect("renamed");
    assert_eq!(home.accounts(), ["one"]);
    home.run(&["vault", "passwd"]).fails(2);
}

#[test]
fn a_new_recovery_key_replaces_the_old_one() {
    let home = Home::with_vault();
    home.run(&["vault", "recovery-key", "--recovery-key-file", "second"]).ok();
    let with = |file: &str| {
        let mut command = home.bare();
        command.args(["--password-file", file, "list"]);
        finish(&mut command, b"")
    };
    with("second").ok();
    with("recovery").fails(4);
}

#[test]
fn a_copy_from_the_history_is_joined_and_never_replaces() {
    let home = Home::with_vault();
    home.import(&[&link("A", "one", 1)]);
    std::fs::copy(home.vault(), home.path("older.otpv")).expect("copied");
    home.import(&[&link("B", "two", 2)]);
    home.run(&["vault", "restore", "older.otpv"]).fails(2);
    home.run(&["vault", "restore", "--yes", "older.otpv"]).ok();
    assert_eq!(home.accounts(), ["one", "two"]);
}

#[test]
fn a_damaged_vault_is_brought_back_from_the_history_and_kept_aside() {
    let home = Home::with_vault();
    home.import(&[&link("A", "one", 1)]);
    home.import(&[&link("B", "two", 2)]);
    std::fs::write(home.vault(), "").expect("emptied");
    let versions = home.run(&["vault", "history", "--json"]).json();
    let newest = versions[0]["file"].as_str().expect("a copy").to_owned();
    home.run(&["vault", "restore", "--yes", &newest]).ok();
    assert_eq!(home.accounts(), ["one", "two"], "up to the last save");
    let aside = std::fs::read_dir(home.root()).expect("readable").flatten();
    assert_eq!(aside.filter(|e| e.file_name().to_string_lossy().contains(".damaged-")).count(), 1);
}

#[test]
fn the_content_is_shown_only_after_a_yes() {
    let home = Home::with_vault();
    home.import(&[&link("A", "one", 1)]);
    home.run(&["vault", "cat"]).fails(2);
    assert!(home.run(&["vault", "cat", "--yes"]).ok().contains("one"));
}
