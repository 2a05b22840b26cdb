//! `export`: a file for its owner alone, never over another without a yes, and refusals.

use crate::home::{Home, link};

fn home() -> Home {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1), &link("GitLab", "ada", 2)]);
    home
}

#[test]
fn what_goes_to_stdout_can_be_imported_and_the_warning_goes_elsewhere() {
    let home = home();
    let ran = home.run(&["export", "--format", "otpauth"]);
    assert!(ran.err.contains("lies open") && ran.err.contains("2 accounts"), "{}", ran.err);
    let out = ran.ok();
    assert_eq!(out.lines().count(), 2);
    assert_eq!(home.run_with(&["import", "-"], &out).ok(), "added 0, already here 2\n");
}

#[test]
fn a_file_is_for_its_owner_and_gives_way_only_to_a_yes() {
    let home = home();
    assert_eq!(home.run(&["export", "--format", "aegis", "--out", "x.json"]).ok(), "");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(home.path("x.json")).expect("there").permissions().mode() & 0o777, 0o600);
    }
    let err = home.run(&["export", "--format", "otpauth", "--out", "x.json"]).fails(2);
    assert!(err.contains("x.json"), "{err}");
    assert!(std::fs::read_to_string(home.path("x.json")).expect("there").starts_with('{'), "untouched");
    home.run(&["export", "--format", "otpauth", "--out", "x.json", "--yes"]).ok();
    assert!(std::fs::read_to_string(home.path("x.json")).expect("there").starts_with("otpauth:"));
}

#[test]
fn a_password_seals_what_can_be_sealed_and_is_refused_elsewhere() {
    let home = home();
    home.write("export.pw", "secret words\n");
    let sealed = ["--archive-password-file", "export.pw", "--out", "x.json"];
    let ran = home.run(&[&["export", "--format", "proton"], &sealed[..]].concat());
    assert!(!ran.err.contains("lies open"), "{}", ran.err);
    ran.ok();
    home.run(&["import", "x.json"]).fails(4);
    let again = home.run(&["import", "--archive-password-file", "export.pw", "x.json"]).ok();
    assert_eq!(again, "added 0, already here 2\n");
    home.run(&["export", "--format", "otpauth", "--archive-password-file", "export.pw", "--out", "y"]).fails(2);
    home.run(&["export", "--format", "proton", "--out", "y"]).fails(2);
    assert!(!home.path("y").exists());
}

#[test]
fn queries_pick_accounts_but_not_by_scattered_letters() {
    let home = home();
    assert_eq!(home.run(&["export", "--format", "otpauth", "octo"]).ok().lines().count(), 1);
    assert_eq!(home.run(&["export", "--format", "otpauth", "git"]).ok().lines().count(), 2);
    home.run(&["export", "--format", "otpauth", "nobody"]).fails(3);
    home.run(&["export", "--format", "otpauth", "ghoc"]).fails(3);
}

#[test]
fn unknown_formats_and_bad_places_are_refused() {
    let home = home();
    assert!(home.run(&["export", "--format", "nonsense"]).fails(2).contains("aegis"));
    home.run(&["export", "--format", "authy"]).fails(2);
    home.run(&["export", "--format", "otpauth", "--out", "."]).fails(1);
    home.run(&["export", "--format", "otpauth", "--out", "nowhere/x"]).fails(1);
    home.run(&["export", "--format", "otpauth", "--out", "/dev/null"]).ok();
}

#[test]
fn an_export_never_takes_the_place_of_a_vault() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    let before = std::fs::read(home.vault()).expect("the vault");
    for args in [&["export", "--format", "otpauth"][..], &["qr", "octo"]] {
        let err = home.run(&[args, &["--yes", "--out", "vault.otpv"]].concat()).fails(1);
        assert!(err.contains("a vault is never overwritten"), "{err}");
    }
    assert_eq!(std::fs::read(home.vault()).expect("the vault"), before);
}
