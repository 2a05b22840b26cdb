//! `vault slots`: what opens the vault, this computer's keychain let in and taken away, what has to stay.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::home::{Home, PASSWORD, Ran, finish, link};
use crate::support::{Session, installed};

const PROGRAMS: &[&str] = &["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];

fn slots(home: &Home) -> Vec<Value> {
    let Value::Array(rows) = home.run(&["vault", "slots", "--json"]).json() else { panic!("an array") };
    rows
}

fn id_of(rows: &[Value], kind: &str) -> String {
    let row = rows.iter().find(|row| row["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {rows:?}"));
    row["id"].as_str().expect("text").to_owned()
}

#[test]
fn the_slots_are_listed_and_their_json_has_the_promised_keys() {
    let home = Home::with_vault();
    let rows = slots(&home);
    for row in &rows {
        let mut keys: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["created", "id", "kind", "label"]);
    }
    let text = home.run(&["vault", "slots"]).ok();
    assert!(text.contains(&id_of(&rows, "password")) && text.contains("recovery"), "{text}");
    assert_eq!(home.run(&["vault", "slots", "--json", "add", "keychain"]).code, 2);
}

#[test]
fn what_has_to_stay_stays_and_what_is_not_there_is_told() {
    let home = Home::with_vault();
    let (before, rows) = (fs::read(home.vault()).expect("a vault"), slots(&home));
    let (password, recovery) = (id_of(&rows, "password"), id_of(&rows, "recovery"));
    let remove = |slot: &str| home.run(&["vault", "slots", "remove", "--yes", slot]);
    assert!(remove(&password).fails(2).contains("Nothing but the recovery key would open the vault"));
    assert!(remove(&recovery).fails(2).contains("only recovery key"));
    assert!(remove("keychain").fails(3).contains("does not open the vault"));
    assert!(remove(&password[..3]).fails(3).contains("shorter than 4 digits"));
    assert!(remove("0123456789abcdef").fails(3).contains("No key slot has this id"));
    assert!(home.run(&["vault", "slots", "remove", &password]).fails(2).contains("needs a yes"));
    assert_eq!(fs::read(home.vault()).expect("a vault"), before);
}

#[test]
fn without_a_keychain_adding_says_what_to_do_and_changes_nothing() {
    let home = Home::with_vault();
    let before = fs::read(home.vault()).expect("a vault");
    let err = home.run(&["vault", "slots", "add", "keychain"]).fails(4);
    assert!(err.contains("No keychain can be reached") && err.contains("the vault opens as it did"), "{err}");
    assert_eq!(fs::read(home.vault()).expect("a vault"), before);
}

/// A command on a session's bus, on the vault of that home of it.
fn at(session: &Session, home: &str, args: &[&str]) -> Command {
    let mut command = session.command(assert_cmd::cargo::cargo_bin!("otpanel"));
    let dir = session.home.path().join(home);
    command.env("XDG_DATA_HOME", dir.join("data")).env("XDG_STATE_HOME", dir.join("state"));
    command.args(args).current_dir(session.home.path());
    command
}

fn run(session: &Session, home: &str, args: &[&str]) -> Ran {
    finish(&mut at(session, home, args), b"")
}

fn by_password(session: &Session, home: &str, args: &[&str]) -> Ran {
    run(session, home, &[&["--password-file", "pw"], args].concat())
}

/// The items that open vaults in a session's keyring.
fn keys_in(session: &Session) -> usize {
    let mut search = session.command("dbus-send");
    search.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
    search.args(["org.freedesktop.Secret.Service.SearchItems", "dict:string:string:service,otpanel"]);
    crate::support::output(&mut search).matches("object path").count()
}

/// A session with an unlocked keyring, and a vault in the home `one` that a password opens; nothing is backed up.
fn with_vault() -> Option<Session> {
    if !installed(PROGRAMS) {
        return None;
    }
    let mut session = Session::start();
    session.keyring(Some("login"));
    fs::write(session.home.path().join("pw"), PASSWORD).expect("written");
    by_password(&session, "one", &["init", "--unlock", "password", "--recovery-key-file", "recovery"]).ok();
    let mut import = at(&session, "one", &["--password-file", "pw", "import", "-"]);
    finish(&mut import, link("GitHub", "octo", 1).as_bytes()).ok();
    Some(session)
}

#[test]
fn a_second_computer_lets_its_keychain_in_and_takes_it_away_again() {
    let Some(session) = with_vault() else { return };
    by_password(&session, "two", &["backup", "restore", "--yes"]).ok();
    run(&session, "two", &["code", "octo"]).fails(4);
    let ran = by_password(&session, "two", &["vault", "slots", "add", "keychain"]);
    assert!(ran.err.contains("without typing") && ran.err.contains("any program of yours can ask"), "{}", ran.err);
    ran.ok();
    assert_eq!(run(&session, "two", &["code", "octo"]).ok().len(), 7);
    assert!(run(&session, "two", &["vault", "slots"]).ok().contains("this computer"));
    let again = run(&session, "two", &["vault", "slots", "add", "keychain"]);
    assert!(again.err.contains("already"), "{}", again.err);
    again.ok();
    let rows = run(&session, "two", &["vault", "slots", "--json"]).json();
    assert_eq!((rows.as_array().map(Vec::len), keys_in(&session)), (Some(3), 1), "{rows}");

    run(&session, "two", &["vault", "slots", "remove", "keychain"]).fails(2);
    let ran = run(&session, "two", &["vault", "slots", "remove", "--yes", "keychain"]);
    assert!(ran.err.contains("opens the vault no more"), "{}", ran.err);
    ran.ok();
    run(&session, "two", &["code", "octo"]).fails(4);
    by_password(&session, "two", &["code", "octo"]).ok();
    assert_eq!(keys_in(&session), 0, "its item went with it");
    // Nor does the copy in the keychain open by itself any more.
    run(&session, "three", &["backup", "restore", "--yes"]).fails(4);
}

#[test]
fn the_keychains_of_two_computers_are_both_kept_and_either_is_taken_away_from_the_other() {
    let (Some(one), Some(two)) = (with_vault(), with_vault()) else { return };
    let file = |session: &Session| session.home.path().join("one/data/otpanel/vault.otpv");
    fs::copy(file(&one), file(&two)).expect("copied");
    by_password(&one, "one", &["vault", "slots", "add", "keychain"]).ok();
    by_password(&two, "one", &["vault", "slots", "add", "keychain"]).ok();
    // A sync tool finds both changed.
    let copy = file(&one).with_file_name("vault.sync-conflict-20260730-101112-ABCDEFG.otpv");
    fs::copy(file(&two), copy).expect("copied");
    let mut import = at(&one, "one", &["import", "-"]);
    finish(&mut import, link("GitLab", "ada", 2).as_bytes()).ok();
    fs::copy(file(&one), file(&two)).expect("copied");
    for session in [&one, &two] {
        assert_eq!(run(session, "one", &["code", "ada"]).ok().len(), 7);
    }
    let rows = run(&one, "one", &["vault", "slots"]).ok();
    let theirs = rows.lines().find(|row| row.contains("keychain") && !row.contains("this computer"));
    let id = theirs.expect("that of the other").split_whitespace().next().expect("an id").to_owned();
    let ran = run(&one, "one", &["vault", "slots", "remove", "--yes", &id[..8]]);
    assert!(ran.err.contains("`otpanel vault rekey`"), "a removed slot is no lock-out: {}", ran.err);
    ran.ok();
    fs::copy(file(&one), file(&two)).expect("copied");
    run(&one, "one", &["code", "ada"]).ok();
    run(&two, "one", &["code", "ada"]).fails(4);
    // The password may go while this keychain opens the vault, and then the keychain may not.
    let rows = run(&one, "one", &["vault", "slots", "--json"]).json();
    let password = id_of(rows.as_array().expect("rows"), "password");
    run(&one, "one", &["vault", "slots", "remove", "--yes", &password]).ok();
    assert!(run(&one, "one", &["vault", "slots", "remove", "--yes", "keychain"]).fails(2).contains("recovery key"));
    run(&one, "one", &["code", "ada"]).ok();
}

#[test]
fn what_cannot_be_saved_leaves_no_item_in_the_keychain() {
    let Some(session) = with_vault() else { return };
    let mut command = session.command("bash");
    let dir = session.home.path().join("one");
    command.env("XDG_DATA_HOME", dir.join("data")).env("XDG_STATE_HOME", dir.join("state"));
    command.env("BIN", assert_cmd::cargo::cargo_bin!("otpanel")).current_dir(session.home.path());
    let full = "trap '' XFSZ; ulimit -f 0; exec \"$BIN\" --password-file pw vault slots add keychain";
    finish(command.args(["-c", full]), b"").fails(1);
    assert_eq!(keys_in(&session), 0);
    run(&session, "one", &["code", "octo"]).fails(4);
}
