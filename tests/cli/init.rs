//! `init`: a vault from options alone, and what it leaves behind.

use std::fs;

use crate::home::{Home, finish};

#[test]
fn a_vault_is_made_without_asking_and_opens_with_its_password() {
    let home = Home::new();
    let out = home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"]).ok();
    assert_eq!(out, "", "the key went to its file");
    assert_eq!(home.list().len(), 0);
}

#[test]
fn the_recovery_key_opens_the_vault_in_place_of_the_password() {
    let home = Home::with_vault().by_password();
    home.import(&[&crate::home::link("GitHub", "octo", 1)]);
    let mut command = home.bare();
    command.args(["--password-file", "recovery", "list", "--json"]);
    let Some(rows) = finish(&mut command, b"").json().as_array().cloned() else { panic!("an array") };
    assert_eq!(rows.len(), 1);
}

#[test]
fn without_a_file_the_recovery_key_is_the_answer() {
    let home = Home::new();
    let out = home.run(&["init", "--unlock", "password"]).ok();
    assert!(out.starts_with("otpanel1 "), "{out}");
    assert_eq!(out.lines().count(), 1);
}

#[test]
fn a_vault_that_is_there_is_never_overwritten() {
    let home = Home::with_vault();
    let before = fs::read(home.vault()).expect("the vault");
    let err = home.run(&["init", "--unlock", "password"]).fails(1);
    assert!(err.contains("There is a vault already"), "{err}");
    assert_eq!(fs::read(home.vault()).expect("the vault"), before);
}

#[test]
fn a_recovery_file_that_is_there_stops_the_making() {
    let home = Home::new();
    home.write("recovery", "mine");
    home.run(&["init", "--unlock", "password", "--recovery-key-file", "recovery"]).fails(1);
    assert!(!home.vault().exists());
    assert_eq!(fs::read_to_string(home.path("recovery")).expect("the file"), "mine");
}

#[test]
fn without_a_terminal_the_way_to_unlock_must_be_said() {
    let home = Home::new();
    let err = home.run(&["init"]).fails(2);
    assert!(err.contains("--unlock"), "{err}");
}

#[test]
fn a_keychain_that_is_not_there_is_told_and_nothing_is_made() {
    let home = Home::new();
    let err = home.run(&["init", "--unlock", "keychain", "--recovery-key-file", "recovery"]).fails(4);
    assert!(err.contains("session bus"), "{err}");
    assert!(!home.vault().exists());
    assert!(!home.path("recovery").exists());
}

#[test]
fn an_empty_password_is_refused() {
    let home = Home::new();
    home.write("pw", "\n");
    let err = home.run(&["init", "--unlock", "password"]).fails(2);
    assert!(err.contains("empty"), "{err}");
    assert!(!home.vault().exists());
}

#[test]
fn a_new_password_of_fewer_than_eight_characters_is_refused_as_in_the_panel() {
    let home = Home::new();
    home.write("pw", "äöüäöüä\n");
    let err = home.run(&["init", "--unlock", "password"]).fails(2);
    assert!(err.contains("too short") && err.contains("8 characters"), "{err}");
    assert!(!home.vault().exists());
    let home = Home::with_vault();
    home.write("new", "short");
    home.run(&["vault", "passwd", "--new-password-file", "new"]).fails(2);
    home.run(&["vault", "rekey", "--yes", "--new-password-file", "new"]).fails(2);
    home.write("new", "äöüäöüäö");
    home.run(&["vault", "passwd", "--new-password-file", "new"]).ok();
}

#[test]
fn the_password_may_come_from_stdin_or_the_environment() {
    let home = Home::with_vault();
    let mut by_stdin = home.bare();
    by_stdin.args(["--password-file", "-", "list"]);
    finish(&mut by_stdin, format!("{}\n", crate::home::PASSWORD).as_bytes()).ok();
    let mut by_variable = home.bare();
    by_variable.env("OTPANEL_PASSWORD_FILE", home.path("pw")).arg("list");
    finish(&mut by_variable, b"").ok();
}

/// Runs a command whose answer has nowhere to go.
#[cfg(target_os = "linux")]
fn unheard(home: &Home, args: &str) -> crate::home::Ran {
    let mut command = std::process::Command::new("sh");
    command.env_clear().env("HOME", home.root()).env("OTPANEL_VAULT", home.vault());
    command.env("BIN", assert_cmd::cargo::cargo_bin!("otpanel"));
    command.args(["-c", &format!("exec \"$BIN\" {args} > /dev/full")]).current_dir(home.root());
    finish(&mut command, b"")
}

#[cfg(target_os = "linux")]
#[test]
fn a_recovery_key_that_cannot_be_printed_opens_nothing_and_the_one_of_before_goes_on() {
    let home = Home::new();
    unheard(&home, "--password-file pw init --unlock password").fails(1);
    assert!(!home.vault().exists(), "a vault whose recovery key nobody has");
    let home = Home::with_vault();
    home.write("new", "another one");
    let before = fs::read(home.vault()).expect("the vault");
    for args in ["recovery-key", "rekey --yes --new-password-file new"] {
        unheard(&home, &format!("--password-file recovery vault {args}")).fails(1);
        assert_eq!(fs::read(home.vault()).expect("the vault"), before, "{args}");
    }
}

#[test]
fn a_place_that_can_hold_no_vault_is_not_called_a_vault() {
    let home = Home::new();
    let at = |vault: std::path::PathBuf| {
        let mut command = home.bare();
        command.env("OTPANEL_VAULT", vault).args(["--password-file", "pw", "init", "--unlock", "password"]);
        finish(&mut command, b"").fails(1)
    };
    for err in [at(home.root().to_owned()), at(home.path("pw/deep/vault.otpv"))] {
        assert!(!err.contains("There is a vault already"), "{err}");
    }
}
