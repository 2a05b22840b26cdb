//! The command line on a real gnome-keyring: unlocking without typing, and what is said when the keychain does not help.

use std::process::Command;

use crate::home::{Ran, finish, link};
use crate::support::{Session, installed};

const PROGRAMS: &[&str] = &["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];

fn otpanel(session: &Session, args: &[&str]) -> Command {
    let mut command = session.command(assert_cmd::cargo::cargo_bin!("otpanel"));
    command.args(args).current_dir(session.home.path());
    command
}

fn run(session: &Session, args: &[&str], stdin: &str) -> Ran {
    finish(&mut otpanel(session, args), stdin.as_bytes())
}

/// A bus with an unlocked keyring and a vault that it opens.
fn with_vault() -> Session {
    let mut session = Session::start();
    session.keyring(Some("login"));
    run(&session, &["init", "--unlock", "keychain", "--recovery-key-file", "recovery"], "").ok();
    run(&session, &["import", "-"], &link("GitHub", "octo", 1)).ok();
    session
}

#[test]
fn the_keychain_opens_the_vault_without_a_password() {
    if !installed(PROGRAMS) {
        return;
    }
    let session = with_vault();
    assert_eq!(run(&session, &["code", "octo"], "").ok().len(), 7);
    let info = run(&session, &["vault", "info", "--json"], "").json();
    assert_eq!(info["slots"].as_array().map(Vec::len), Some(2), "keychain and recovery key: {info}");
    assert!(info["kdf"].is_null(), "{info}");
    assert!(run(&session, &["doctor"], "").ok().contains("The keychain is unlocked."));
}

#[test]
fn a_code_connects_to_the_bus_once() {
    if !installed(PROGRAMS) || !installed(&["strace"]) {
        return;
    }
    let session = with_vault();
    let mut command = session.command("strace");
    command.args(["-f", "-qq", "-o", "calls", "-e", "trace=connect"]);
    command.arg(assert_cmd::cargo::cargo_bin!("otpanel")).args(["code", "octo"]).current_dir(session.home.path());
    assert_eq!(finish(&mut command, b"").ok().len(), 7);
    let calls = std::fs::read_to_string(session.home.path().join("calls")).expect("what strace saw");
    // The keychain's answer is most of what a code takes: nothing is asked twice.
    assert_eq!(calls.lines().filter(|call| call.contains("AF_UNIX")).count(), 1, "{calls}");
}

#[test]
fn what_the_keychain_means_is_said_when_it_is_chosen() {
    if !installed(PROGRAMS) {
        return;
    }
    let mut session = Session::start();
    session.keyring(Some("login"));
    let ran = run(&session, &["init", "--unlock", "keychain", "--recovery-key-file", "recovery"], "");
    assert!(ran.err.contains("any program of yours can ask for the key"), "{}", ran.err);
    ran.ok();
}

#[test]
fn a_locked_or_absent_keychain_is_told_and_the_recovery_key_still_opens() {
    if !installed(PROGRAMS) {
        return;
    }
    let mut session = with_vault();
    session.lock();
    assert!(run(&session, &["code", "octo"], "").fails(4).contains("The keychain is locked"));
    session.kill_keyring();
    assert!(run(&session, &["code", "octo"], "").fails(4).contains("No keychain answers"));
    let args = ["--password-file", "recovery", "code", "octo"];
    assert_eq!(run(&session, &args, "").ok().len(), 7);
}

#[test]
fn a_keychain_that_has_lost_the_key_is_told() {
    if !installed(PROGRAMS) {
        return;
    }
    let session = with_vault();
    let mut other = Session::start();
    other.keyring(Some("login"));
    let vault = session.home.path().join(".local/share/otpanel/vault.otpv");
    let err = run(&other, &["--vault", &vault.display().to_string(), "list"], "").fails(4);
    assert!(err.contains("does not hold the vault's key"), "{err}");
}

#[test]
fn a_new_key_of_the_vault_goes_on_to_open_by_the_keychain_and_the_old_item_is_gone() {
    if !installed(PROGRAMS) {
        return;
    }
    let session = with_vault();
    let vault = session.home.path().join(".local/share/otpanel/vault.otpv");
    std::fs::copy(&vault, session.home.path().join("before.otpv")).expect("copied");
    run(&session, &["vault", "rekey", "--yes", "--recovery-key-file", "second"], "").ok();
    assert_eq!(run(&session, &["code", "octo"], "").ok().len(), 7);
    assert_eq!(run(&session, &["vault", "slots", "--json"], "").json().as_array().map(Vec::len), Some(2));
    // On another machine that has this keychain: what was seen here would lead to the later version.
    let mut elsewhere = otpanel(&session, &["--vault", "before.otpv", "vault", "cat", "--yes"]);
    let err = finish(elsewhere.env("XDG_STATE_HOME", session.home.path().join("elsewhere")), b"").fails(4);
    assert!(err.contains("does not hold the vault's key"), "{err}");
    run(&session, &["--password-file", "recovery", "code", "octo"], "").fails(4);
    // A file of before in its place: the keychain opens what the history has, and the file is mended.
    std::fs::copy(session.home.path().join("before.otpv"), &vault).expect("copied");
    let ran = run(&session, &["code", "octo"], "");
    assert!(ran.err.contains("before its new key"), "{}", ran.err);
    assert_eq!(ran.ok().len(), 7);
}

#[test]
fn both_ways_open_a_vault_made_for_both_and_a_password_can_be_added_later() {
    if !installed(PROGRAMS) {
        return;
    }
    let session = with_vault();
    std::fs::write(session.home.path().join("pw"), "a new password").expect("written");
    run(&session, &["vault", "passwd", "--new-password-file", "pw"], "").ok();
    let mut by_password = otpanel(&session, &["--password-file", "pw", "code", "octo"]);
    by_password.env_remove("DBUS_SESSION_BUS_ADDRESS");
    finish(&mut by_password, b"").ok();
    run(&session, &["code", "octo"], "").ok();
    run(&session, &["--password-file", "recovery", "code", "octo"], "").ok();
}

#[test]
fn the_short_way_to_a_code_says_what_the_whole_way_says() {
    if !installed(PROGRAMS) {
        return;
    }
    let session = with_vault();
    let more = [
        link("GitHub", "ci \"bot\" \\ ünïcode", 2),
        link("GitLab", "octo@example.com", 3),
        link("", "alone", 4),
        "otpauth://hotp/Bank:me?secret=GEZDGNBVGY3TQOJQ&issuer=Bank&counter=7".to_owned(),
        link("Gone", "in the trash", 5),
    ];
    run(&session, &["import", "-"], &more.join("\n")).ok();
    run(&session, &["rm", "Gone", "--yes"], "").ok();
    let by_both = |args: &[&str]| {
        // The second may pass between the two, on a busy machine more often than not.
        for _ in 0..50 {
            let short = run(&session, &[&["code"], args].concat(), "");
            let whole = run(&session, &[&["--password-file", "recovery", "code"], args].concat(), "");
            if (short.code, &short.out, &short.err) == (whole.code, &whole.out, &whole.err) {
                return short;
            }
        }
        panic!("{args:?}")
    };
    for query in ["octo", "GitHub:octo", "ci \"bot\"", "ÜNÏCODE", "gitlab", "alone", "glab exam"] {
        for more in [&[][..], &["--json"], &["--next"]] {
            assert_eq!(by_both(&[&[query], more].concat()).code, 0, "{query}");
        }
    }
    for query in ["git", "nobody at all", "trash", ""] {
        assert_eq!(by_both(&[query]).code, 3, "{query}");
    }
    let counted: Vec<String> = (0..2).map(|_| run(&session, &["code", "bank"], "").ok()).collect();
    assert_ne!(counted[0], counted[1], "a code by counter is used up by being shown");
}

#[test]
fn the_short_way_sees_a_file_that_went_back() {
    if !installed(PROGRAMS) {
        return;
    }
    let session = with_vault();
    let vault = session.home.path().join(".local/share/otpanel/vault.otpv");
    let old = std::fs::read(&vault).expect("a vault");
    run(&session, &["import", "-"], &link("Later", "new", 6)).ok();
    std::fs::write(&vault, old).expect("written");
    let ran = run(&session, &["code", "octo"], "");
    assert!(ran.err.contains("had gone back to an older version"), "{}", ran.err);
    assert_eq!(ran.ok().len(), 7);
    assert_eq!(run(&session, &["code", "Later"], "").ok().len(), 7, "the history mended it");
}

const KEEPASSXC: &[&str] = &["dbus-daemon", "dbus-send", "keepassxc", "keepassxc-cli"];

/// A bus on which KeePassXC is the keychain, and a vault that a password opens.
fn with_keepassxc() -> Option<Session> {
    if !installed(KEEPASSXC) {
        return None;
    }
    let mut session = Session::start();
    session.keepassxc();
    std::fs::write(session.home.path().join("pw"), "a password").expect("written");
    let init = ["init", "--unlock", "password", "--password-file", "pw", "--recovery-key-file", "recovery"];
    run(&session, &init, "").ok();
    Some(session)
}

/// A command on the vault of that home, else the usual one.
fn by_password(session: &Session, home: &str, args: &[&str], stdin: &str) -> Ran {
    let mut command = otpanel(session, &[&["--password-file", "pw"], args].concat());
    let home = session.home.path().join(home);
    command.env("XDG_DATA_HOME", home.join("data")).env("XDG_STATE_HOME", home.join("state"));
    finish(&mut command, stdin.as_bytes())
}

#[test]
fn keepassxc_keeps_the_backup_and_gives_it_back() {
    let Some(mut session) = with_keepassxc() else { return };
    by_password(&session, "one", &["init", "--unlock", "password", "--recovery-key-file", "r1"], "").ok();
    by_password(&session, "one", &["import", "-"], &[link("GitHub", "octo", 1), link("GitLab", "ada", 2)].join("\n"))
        .ok();
    for n in 3..8 {
        by_password(&session, "one", &["import", "-"], &link("Site", &format!("name-{n}"), n)).ok();
    }
    by_password(&session, "one", &["backup", "verify"], "").ok();
    by_password(&session, "two", &["backup", "restore", "--yes"], "").ok();
    let list = by_password(&session, "two", &["list"], "").ok();
    assert_eq!(list.lines().count(), 7, "{list}");
    assert!(session.alive(), "KeePassXC bore it");
}

#[test]
fn a_locked_keepassxc_is_not_taken_for_one_that_holds_nothing() {
    let Some(mut session) = with_keepassxc() else { return };
    by_password(&session, "one", &["init", "--unlock", "password", "--recovery-key-file", "r1"], "").ok();
    by_password(&session, "one", &["import", "-"], &link("GitHub", "octo", 1)).ok();
    session.lock_keepassxc();
    let status = by_password(&session, "one", &["backup", "status", "--json"], "").json();
    assert_eq!(status["state"], "waiting", "{status}");
    let saved = by_password(&session, "one", &["import", "-"], &link("GitLab", "ada", 2));
    assert!(saved.err.contains("The keychain is locked"), "{}", saved.err);
    saved.ok();
    let restore = by_password(&session, "two", &["backup", "restore", "--yes"], "");
    assert!(restore.err.contains("locked") && !restore.err.contains("No backup lies there"), "{}", restore.err);
    assert_ne!(restore.code, 0);
    assert!(session.alive());
}

#[test]
fn a_wallet_that_the_login_opened_opens_the_vault_and_keeps_the_backup_without_a_dialog() {
    if !installed(&["dbus-daemon", "dbus-send", "kwalletd5"]) {
        return;
    }
    let mut session = Session::start();
    session.kwallet();
    run(&session, &["init", "--unlock", "keychain", "--recovery-key-file", "recovery"], "").ok();
    run(&session, &["import", "-"], &[link("GitHub", "octo", 1), link("GitLab", "ada", 2)].join("\n")).ok();
    // After the next login the wallet is open again, and called locked until somebody asks.
    session.log_out_of_kwallet();
    session.kwallet();
    assert_eq!(run(&session, &["code", "octo"], "").ok().len(), 7);
    let status = run(&session, &["backup", "status", "--json"], "").json();
    assert_eq!((&status["state"], &status["accounts"]), (&"on".into(), &2.into()), "{status}");
    run(&session, &["backup", "verify"], "").ok();
    session.log_out_of_kwallet();
    session.kwallet();
    let new = session.home.path().join("new");
    let on_new = |args: &[&str]| {
        let mut command = otpanel(&session, args);
        finish(command.env("XDG_DATA_HOME", new.join("data")).env("XDG_STATE_HOME", new.join("state")), b"")
    };
    on_new(&["backup", "restore", "--yes"]).ok();
    assert_eq!(on_new(&["list"]).ok().lines().count(), 2);
    // Nobody is asked for the password of one that its user closed.
    session.close_wallet();
    let closed = run(&session, &["code", "octo"], "");
    assert!(closed.err.contains("The keychain is locked"), "{}", closed.err);
    closed.fails(4);
    assert!(session.alive());
}
