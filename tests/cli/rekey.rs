//! `vault rekey`: who has the old key is shut out from what is written from then on, and nothing of before is lost.

use std::fs;

use otpanel::secret::Secret;
use otpanel::unlock;
use otpanel::vault::{Locked, Unlocked};

use crate::home::{Home, PASSWORD, finish, link};

/// A vault with one account that was given a new key, opened by its password, and its bytes from before.
fn rekeyed() -> (Home, Vec<u8>) {
    let home = Home::with_vault().by_password();
    home.import(&[&link("A", "one", 1)]);
    let before = fs::read(home.vault()).expect("a vault");
    let ran = home.run(&["vault", "rekey", "--yes", "--recovery-key-file", "second"]);
    assert!(ran.err.contains("The vault has a new key") && ran.err.contains("still open as they did"), "{}", ran.err);
    ran.ok();
    (home, before)
}

/// A second device with the vault of before.
fn second_device(before: &[u8]) -> Home {
    let other = Home::with_vault().by_password();
    other.write("vault.otpv", before);
    other
}

/// The same, and a second device that wrote another account under the old key.
fn rekeyed_beside_a_writer() -> (Home, Vec<u8>, Home) {
    let (home, before) = rekeyed();
    let other = second_device(&before);
    other.import(&[&link("B", "two", 2)]);
    (home, before, other)
}

fn opened(bytes: &[u8]) -> Unlocked {
    let locked = Locked::parse(bytes.to_vec()).expect("a vault");
    unlock::with_password(&locked, &Secret::new(PASSWORD.to_owned())).unwrap_or_else(|e| panic!("{e}"))
}

fn file(home: &Home) -> Vec<u8> {
    fs::read(home.vault()).expect("a vault")
}

#[test]
fn the_old_key_and_the_old_recovery_key_open_what_was_and_nothing_that_is() {
    let (home, before) = rekeyed();
    let (old, new) = (opened(&before), opened(&file(&home)));
    assert!(Locked::parse(file(&home)).expect("a vault").open_with(old.data_key()).is_err());
    assert!(new.has_retired(old.data_key()) && !old.has_retired(new.data_key()));
    assert!(new.slots().iter().all(|slot| old.slots().iter().all(|other| other.id != slot.id)));
    let with = |key: &str, vault: &str| {
        let mut command = home.bare();
        command.args(["--password-file", key, "--vault", vault, "list"]);
        finish(&mut command, b"")
    };
    with("recovery", "vault.otpv").fails(4);
    with("second", "vault.otpv").ok();
    fs::create_dir(home.path("elsewhere")).expect("a folder");
    home.write("elsewhere/older.otpv", &before);
    assert_eq!(home.accounts(), ["one"]);
    let history = home.run(&["vault", "history", "--json"]).json();
    let rows = history.as_array().expect("rows");
    assert!(rows.iter().any(|row| row["reason"] == "password"), "{history}");
    assert!(rows.iter().all(|row| row["accounts"].is_number()), "the new key opens the copies of before: {history}");
}

#[test]
fn without_a_yes_or_the_password_nothing_changes() {
    let home = Home::with_vault();
    let before = file(&home);
    home.run(&["vault", "rekey"]).fails(2);
    let err = home.run(&["vault", "rekey", "--yes", "--recovery-key-file", "second"]).fails(2);
    assert!(err.contains("password is needed"), "{err}");
    home.write("empty", "\n");
    home.run(&["vault", "rekey", "--yes", "--new-password-file", "empty"]).fails(2);
    home.write("taken", "something");
    home.write("new", "another one");
    home.run(&["vault", "rekey", "--yes", "--new-password-file", "new", "--recovery-key-file", "taken"]).fails(1);
    assert_eq!((file(&home), home.path("second").exists()), (before, false));
}

#[test]
fn a_new_password_can_come_with_it_and_the_recovery_key_is_printed() {
    let home = Home::with_vault();
    home.write("new", "another one");
    let key = home.run(&["vault", "rekey", "--yes", "--new-password-file", "new"]).ok();
    assert!(key.starts_with("otpanel1 "), "{key}");
    let with = |file: &str| {
        let mut command = home.bare();
        command.args(["--password-file", file, "list"]);
        finish(&mut command, b"")
    };
    home.write("printed", key);
    with("new").ok();
    with("printed").ok();
    with("pw").fails(4);
    with("recovery").fails(4);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_saved_leaves_the_old_key_in_force_and_no_recovery_key() {
    let home = Home::with_vault();
    home.write("new", "another one");
    let before = file(&home);
    let args = "vault rekey --yes --new-password-file new --recovery-key-file second";
    crate::home::without_room(&home, args, "").fails(1);
    assert_eq!((file(&home), home.path("second").exists()), (before, false));
}

#[test]
fn a_conflict_copy_under_the_old_key_is_joined() {
    let (home, before, other) = rekeyed_beside_a_writer();
    home.write("vault (conflicted copy 2026-07-30 101112).otpv", file(&other));
    home.import(&[&link("C", "three", 3)]);
    assert_eq!(home.accounts(), ["one", "three", "two"]);
    assert!(!home.path("vault (conflicted copy 2026-07-30 101112).otpv").exists(), "it is in the history");
    assert!(Locked::parse(file(&home)).expect("a vault").open_with(opened(&before).data_key()).is_err());
}

#[test]
fn another_device_opens_it_by_the_password_and_keeps_what_it_had_alone() {
    let (home, before, other) = rekeyed_beside_a_writer();
    other.write("vault.otpv", file(&home));
    let ran = other.run(&["list", "--json"]);
    assert!(ran.err.contains("mended"), "what its own history has: {}", ran.err);
    ran.ok();
    assert_eq!(other.accounts(), ["one", "two"]);
    assert!(opened(&file(&other)).has_retired(opened(&before).data_key()), "under the new key");
}

#[test]
fn a_device_that_wrote_under_the_old_key_is_joined_and_the_new_key_stays() {
    let (home, before, other) = rekeyed_beside_a_writer();
    home.write("vault.otpv", file(&other));
    let ran = home.run(&["list", "--json"]);
    assert!(ran.err.contains("before its new key"), "{}", ran.err);
    assert_eq!(ran.json().as_array().map(Vec::len), Some(2));
    assert!(Locked::parse(file(&home)).expect("a vault").open_with(opened(&before).data_key()).is_err());
    assert_eq!(home.run(&["list"]).err, "", "it is mended on the disk");
}

#[test]
fn a_file_of_before_is_noticed_though_the_password_of_now_does_not_open_it() {
    let home = Home::with_vault().by_password();
    home.import(&[&link("A", "one", 1)]);
    let before = file(&home);
    home.write("new", "another one");
    home.run(&["vault", "rekey", "--yes", "--new-password-file", "new", "--recovery-key-file", "second"]).ok();
    home.write("vault.otpv", &before);
    let mut command = home.bare();
    let ran = finish(command.args(["--password-file", "new", "list"]), b"");
    assert!(ran.err.contains("before its new key"), "{}", ran.err);
    ran.ok();
    home.run(&["list"]).fails(4);
    // Where the history has nothing later, it is said why the password of now does not open it.
    home.write("vault.otpv", before);
    fs::remove_dir_all(home.path(".local/state/otpanel/history")).expect("a history");
    let mut command = home.bare();
    let err = finish(command.args(["--password-file", "new", "list"]), b"").fails(4);
    assert!(err.contains("one of before its new key"), "{err}");
}

#[test]
fn git_joins_a_version_of_before_whichever_side_it_is_on() {
    let (home, before, other) = rekeyed_beside_a_writer();
    for (ours, theirs) in [(file(&home), file(&other)), (file(&other), file(&home))] {
        home.write("ours", ours);
        home.write("theirs", theirs);
        home.run(&["vault", "merge", "base", "ours", "theirs"]).ok();
        let merged = opened(&fs::read(home.path("ours")).expect("merged"));
        assert_eq!(merged.state.live().count(), 2);
        assert!(merged.has_retired(opened(&before).data_key()), "under the new key");
    }
}

#[test]
fn two_devices_that_each_made_a_new_key_are_joined_when_somebody_says_so() {
    let (home, _, other) = rekeyed_beside_a_writer();
    other.run(&["vault", "rekey", "--yes", "--recovery-key-file", "third"]).ok();
    home.write("theirs.otpv", file(&other));
    home.write("ours.otpv", file(&home));
    home.run(&["vault", "merge", "base", "ours.otpv", "theirs.otpv"]).fails(2);
    home.run(&["vault", "restore", "--yes", "theirs.otpv"]).ok();
    assert_eq!(home.accounts(), ["one", "two"]);
    // From now on whatever that one writes is joined without a question.
    other.import(&[&link("C", "three", 3)]);
    home.write("vault-OTHERHOST.otpv", file(&other));
    home.import(&[&link("D", "four", 4)]);
    assert_eq!(home.accounts(), ["four", "one", "three", "two"]);
}

#[test]
fn the_backup_is_sealed_anew_and_a_lost_machine_is_forgotten() {
    let home = Home::with_vault().by_password();
    home.import(&[&link("A", "one", 1)]);
    let lost = second_device(&file(&home));
    home.run(&["backup", "enable", "--folder", "sync"]).ok();
    let folder = home.path("sync").display().to_string();
    lost.run(&["backup", "enable", "--folder", &folder]).ok();
    home.run(&["backup", "now"]).ok();
    let items = |home: &Home| -> Vec<String> {
        let (mut folders, mut names) = (vec![home.path("sync")], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    names.push(entry.path().display().to_string());
                }
            }
        }
        names
    };
    let before = items(&home).len();
    let ran = home.run(&["vault", "rekey", "--yes", "--recovery-key-file", "second"]);
    assert!(ran.err.contains("sealed under a new key"), "{}", ran.err);
    ran.ok();
    let verified = home.run(&["backup", "verify", "--json"]).json();
    assert_eq!((&verified[0]["lacking"], &verified[0]["unread"]), (&0.into(), &0.into()), "{verified}");
    // The lost machine reads nothing that was written since.
    let unread = lost.run(&["backup", "verify", "--json"]);
    assert_eq!(unread.code, 1, "{}", unread.out);
    let devices = home.run(&["backup", "devices", "--json"]).json();
    let gone = devices.as_array().expect("rows").iter().find(|row| row["this"] == false).expect("the lost one");
    home.run(&["backup", "forget", "--yes", gone["id"].as_str().expect("an id")]).ok();
    home.run(&["backup", "now"]).ok();
    assert_eq!(items(&home).len(), before - 3, "one key, one bundle and one head are left: {:?}", items(&home));
    // A new machine gets the vault of now, not that of before.
    let new = Home::new();
    let mut command = new.bare();
    command.args(["--password-file", "-", "backup", "restore", "--yes", "--folder", &folder]);
    finish(&mut command, PASSWORD.as_bytes()).ok();
    assert_eq!(opened(&file(&new)).data_key().expose(), opened(&file(&home)).data_key().expose());
}
