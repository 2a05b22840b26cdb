//! `backup` with a folder: it follows what is saved, is checked, and gives everything back on a new machine. The keychain
//! has its own tests against a real one.

use otpanel::time::UnixTime;
use otpanel::vault::{DeviceId, Value, field};

use crate::home::{Home, PASSWORD, finish, link};

/// A home with two accounts, and a folder that they are backed up to.
fn kept() -> Home {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1), &link("GitLab", "ada", 2)]);
    home.run(&["backup", "enable", "--folder", "sync"]).ok();
    home
}

fn folder(home: &Home) -> String {
    home.path("sync").display().to_string()
}

/// A new machine restores, its password or recovery key typed into a pipe.
fn restored(from: &Home, words: &str) -> Home {
    let new = Home::new();
    let mut command = new.bare();
    command.args(["--password-file", "-", "backup", "restore", "--yes", "--folder", &folder(from)]);
    finish(&mut command, words.as_bytes()).ok();
    new
}

#[test]
fn a_folder_follows_what_is_saved_and_gives_it_back_by_the_password_of_then() {
    let home = kept();
    home.import(&[&link("Hetzner", "K0815", 3)]);
    home.run(&["rm", "--yes", "ada"]).ok();
    let status = home.run(&["backup", "status", "--json"]).json();
    assert_eq!((&status["state"], &status["accounts"], &status["pending"]), (&"on".into(), &2.into(), &0.into()));
    let new = restored(&home, PASSWORD);
    assert_eq!(new.accounts(), ["K0815", "octo"]);
    let verified = new.run(&["backup", "verify", "--json"]).json();
    assert_eq!((&verified[0]["accounts"], &verified[0]["lacking"]), (&2.into(), &0.into()), "{verified}");
    let devices = new.run(&["backup", "devices", "--json"]).json();
    assert_eq!(devices.as_array().map(Vec::len), Some(2), "{devices}");
}

#[test]
fn the_recovery_key_gives_it_back_too() {
    let home = kept();
    let key = std::fs::read_to_string(home.path("recovery")).expect("a key");
    let new = restored(&home, &key);
    assert_eq!(new.accounts(), ["ada", "octo"]);
}

#[test]
fn a_restore_joins_into_a_vault_that_is_there() {
    let home = kept();
    let other = Home::with_vault();
    other.import(&[&link("Mastodon", "ada", 7)]);
    let mut command = other.bare();
    command.args(["--password-file", "-", "backup", "restore", "--yes", "--folder", &folder(&home)]);
    finish(&mut command, PASSWORD.as_bytes()).ok();
    assert_eq!(other.accounts(), ["ada", "ada", "octo"]);
}

#[test]
fn of_several_vaults_none_is_taken_unasked() {
    let (one, other) = (kept(), Home::new());
    other.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"]).ok();
    other.import(&[&link("Mastodon", "eve", 7)]);
    other.run(&["backup", "enable", "--folder", &folder(&one)]).ok();
    let restore = |id: &[&str]| {
        let new = Home::new();
        let mut command = new.bare();
        command.args(["--password-file", "-", "backup", "restore", "--yes", "--folder", &folder(&one)]).args(id);
        let done = finish(&mut command, PASSWORD.as_bytes());
        (new, done)
    };
    let (new, done) = restore(&[]);
    let told = done.fails(3);
    assert!(!new.vault().exists());
    assert!(told.contains(": 2 accounts, from ") && told.contains("--vault-id"), "{told}");
    let candidate = told.lines().find(|line| line.contains(": 1 account, from ")).expect("the other one");
    let id = candidate.trim_start_matches("  why: ").trim_start();
    let (new, done) = restore(&["--vault-id", &id[..6]]);
    done.ok();
    assert_eq!(new.accounts(), ["eve"]);
    restore(&["--vault-id", "none"]).1.fails(3);
    // A vault that is here takes its own.
    let mut command = other.bare();
    command.args(["--password-file", "-", "backup", "restore", "--yes", "--folder", &folder(&one)]);
    finish(&mut command, PASSWORD.as_bytes()).ok();
    assert_eq!(other.accounts(), ["eve"]);
}

#[test]
fn what_does_not_open_or_is_not_there_makes_no_vault() {
    let home = kept();
    let new = Home::new();
    new.write("wrong", "another password");
    std::fs::create_dir(new.path("empty")).expect("a folder");
    let restore = |password: &str, folder: &str| {
        let mut command = new.bare();
        command.args(["--password-file", password, "backup", "restore", "--yes", "--folder", folder]);
        finish(&mut command, b"")
    };
    restore("wrong", &folder(&home)).fails(4);
    restore("pw", "empty").fails(3);
    new.run(&["backup", "restore", "--yes"]).fails(1);
    assert!(!new.vault().exists());
}

#[test]
fn turned_off_it_stays_as_it_was_and_wiped_it_is_gone() {
    let home = kept();
    home.run(&["backup", "forget", "nobody", "--yes"]).fails(3);
    home.run(&["backup", "disable"]).fails(2);
    home.run(&["backup", "disable", "--yes"]).ok();
    home.import(&[&link("Hetzner", "K0815", 3)]);
    assert_eq!(home.run(&["backup", "status", "--json"]).json()["state"], "off");
    home.run(&["backup", "now"]).fails(1);
    assert_eq!(restored(&home, PASSWORD).accounts(), ["ada", "octo"]);
    home.run(&["backup", "enable"]).ok();
    home.run(&["backup", "disable", "--wipe", "--yes"]).ok();
    // The new machine that restored above backs up to that folder too: only what this one stored is gone.
    let left = home.run(&["backup", "devices", "--json"]).json();
    assert_eq!((left.as_array().map(Vec::len), &left[0]["this"]), (Some(1), &false.into()), "{left}");
}

/// The one file of a head in the folder, and its bytes.
fn head(home: &Home) -> (std::path::PathBuf, Vec<u8>) {
    let files = walk(&home.path("sync"));
    let heads: Vec<_> = files.into_iter().filter(|file| file.to_string_lossy().contains("head")).collect();
    assert_eq!(heads.len(), 1, "{heads:?}");
    let bytes = std::fs::read(&heads[0]).expect("readable");
    (heads[0].clone(), bytes)
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn an_older_copy_that_was_put_back_is_told_and_written_anew() {
    let home = kept();
    let (path, old) = head(&home);
    home.import(&[&link("Hetzner", "K0815", 3)]);
    std::fs::write(&path, &old).expect("written");
    let told = "an older copy of ";
    let verified = home.run(&["backup", "verify"]);
    assert!(verified.err.contains(told), "{}", verified.err);
    let now = home.run(&["backup", "now"]);
    assert!(now.err.contains(told), "{}", now.err);
    assert_ne!(head(&home).1, old, "written anew");
    let again = home.run(&["backup", "now"]);
    assert!(!again.err.contains(told), "{}", again.err);
    assert!(!home.run(&["backup", "verify"]).err.contains(told));
}

#[test]
fn an_older_copy_of_another_machine_stays_told_until_that_one_writes_again() {
    let home = kept();
    let (path, old) = head(&home);
    home.import(&[&link("Hetzner", "K0815", 3)]);
    let other = restored(&home, PASSWORD);
    other.run(&["backup", "now"]).ok();
    std::fs::write(&path, &old).expect("written");
    let now = other.run(&["backup", "now"]);
    assert!(now.err.contains("an older copy of "), "{}", now.err);
    let status = || other.run(&["backup", "status", "--json"]).json().to_string();
    assert!(status().contains("went_back"), "{}", status());
    home.run(&["backup", "now"]).ok();
    other.run(&["backup", "now"]).ok();
    assert!(!status().contains("went_back"), "{}", status());
}

#[test]
fn a_folder_that_is_gone_is_told_not_made_anew_and_used_again_when_it_is_back() {
    let home = kept();
    let (here, away) = (home.path("sync"), home.path("away"));
    std::fs::rename(&here, &away).expect("the disk is pulled out");
    let told = home.run(&["backup", "now"]).fails(1);
    assert!(told.contains("is not there") && told.contains("connect that"), "{told}");
    let saved = home.run_with(&["import", "-"], &link("Hetzner", "K0815", 3));
    assert!(saved.err.contains("not backed up") && saved.err.contains("is not there"), "{}", saved.err);
    saved.ok();
    let status = home.run(&["backup", "status", "--json"]).json();
    assert_eq!((&status["state"], &status["accounts"]), (&"unavailable".into(), &2.into()), "{status}");
    assert!(status["reason"].as_str().is_some_and(|why| why.contains("is not there")), "{status}");
    assert!(!here.exists(), "it was made anew");
    // The place of a disk that is not connected is often an empty folder.
    std::fs::create_dir(&here).expect("a folder");
    let told = home.run(&["backup", "now"]).fails(1);
    assert!(told.contains("holds nothing of the backup any more"), "{told}");
    assert_eq!(std::fs::read_dir(&here).expect("a folder").count(), 0, "it was filled");
    std::fs::remove_dir(&here).expect("empty");
    std::fs::rename(&away, &here).expect("the disk is back");
    home.run(&["backup", "now"]).ok();
    let status = home.run(&["backup", "--json"]).json();
    assert_eq!((&status["state"], &status["accounts"], &status["pending"]), (&"on".into(), &3.into(), &0.into()));
    // Lost for good: only the command makes it.
    std::fs::remove_dir_all(&here).expect("removed");
    home.run(&["backup", "enable", "--folder", "sync"]).ok();
    assert_eq!(restored(&home, PASSWORD).accounts(), ["K0815", "ada", "octo"]);
}

#[test]
fn every_backup_command_answers_in_json() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1), &link("GitLab", "ada", 2)]);
    let enabled = home.run(&["backup", "enable", "--folder", "sync", "--json"]).json();
    let done = |row: &serde_json::Value| (row["store"] == "folder").then(|| row["accounts"].as_u64()).flatten();
    let folder_row = |answer: &serde_json::Value| answer["backed_up"].as_array().expect("a list").iter().find_map(done);
    assert_eq!(folder_row(&enabled), Some(2), "{enabled}");
    let now = home.run(&["backup", "now", "--json"]).json();
    assert_eq!(folder_row(&now), Some(2), "{now}");
    let (plain, named) = (home.run(&["backup", "--json"]).json(), home.run(&["backup", "status", "--json"]).json());
    assert_eq!(plain, named);
    let new = Home::new();
    let restore = ["--password-file", "-", "backup", "restore", "--yes", "--json", "--folder", &folder(&home)];
    let made = finish(new.bare().args(restore), PASSWORD.as_bytes()).json();
    assert_eq!((&made["made"], &made["added"]), (&true.into(), &2.into()), "{made}");
    let joined = finish(new.bare().args(restore), PASSWORD.as_bytes()).json();
    assert_eq!((&joined["made"], &joined["added"]), (&false.into(), &0.into()), "{joined}");
    let other = home.run(&["backup", "devices", "--json"]).json();
    let other = other.as_array().expect("a list").iter().find(|row| row["this"] == false).expect("the new one").clone();
    let id = other["id"].as_str().expect("text");
    let forgotten = home.run(&["backup", "forget", id, "--yes", "--json"]).json();
    assert_eq!((&forgotten["id"], &forgotten["stores"]), (&other["id"], &serde_json::json!(["folder"])));
    let off = home.run(&["backup", "disable", "--wipe", "--yes", "--json"]).json();
    assert_eq!(off, serde_json::json!({"state": "off", "wiped": ["folder"]}));
}

#[test]
fn what_somebody_put_into_the_folder_is_named_and_stops_neither_backup_nor_restore() {
    let home = kept();
    let vault = std::fs::read_dir(home.path("sync/otpanel.backup.personal")).expect("a folder").flatten().next();
    let folder = vault.expect("a vault").path().join("b/0101010101010101/0");
    std::fs::create_dir_all(&folder).expect("a folder");
    let under_another_key = [b"OTPB\x01".as_slice(), &[7; 600]].concat();
    for (planted, why) in [(vec![b'x'; 9], "damaged"), (vec![0; 2 << 20], "damaged"), (under_another_key, "foreign")] {
        let item = folder.join("0");
        std::fs::write(&item, planted).expect("planted");
        let verified = home.run(&["backup", "verify"]);
        assert_eq!(verified.code, 1, "{}", verified.err);
        assert!(verified.out.contains("2 accounts can be restored, 0 lacking"), "{}", verified.out);
        assert!(verified.err.contains(&item.display().to_string()), "{}", verified.err);
        assert!(verified.err.contains("All accounts of this vault can be restored"), "{}", verified.err);
        let rows = home.run(&["backup", "verify", "--json"]).out;
        let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
        assert_eq!((&rows[0]["unread"], &rows[0]["unread_items"][0]["why"]), (&1.into(), &why.into()), "{rows}");
        home.run(&["backup", "now"]).ok();
        assert_eq!(restored(&home, PASSWORD).accounts(), ["ada", "octo"]);
        std::fs::remove_dir_all(home.path("sync")).expect("removed");
        home.run(&["backup", "enable", "--folder", "sync"]).ok();
        std::fs::create_dir_all(&folder).expect("a folder");
    }
    home.run(&["backup", "verify"]).ok();
}

#[test]
fn a_folder_whose_first_backup_fails_leaves_the_one_of_before_in_force() {
    let home = kept();
    std::fs::create_dir(home.path("other")).expect("a folder");
    home.write("other/otpanel.backup.personal", "no folder");
    let told = home.run(&["backup", "enable", "--folder", "other"]).fails(1);
    assert!(told.contains("goes on into") && told.contains("/sync"), "{told}");
    home.import(&[&link("Hetzner", "K0815", 3)]);
    let status = home.run(&["backup", "status", "--json"]).json();
    assert_eq!((&status["state"], &status["accounts"], &status["pending"]), (&"on".into(), &3.into(), &0.into()));
    assert_eq!(restored(&home, PASSWORD).accounts(), ["K0815", "ada", "octo"]);
    // Where there was none, there is none.
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    std::fs::create_dir(home.path("other")).expect("a folder");
    home.write("other/otpanel.backup.personal", "no folder");
    home.run(&["backup", "enable", "--folder", "other"]).fails(1);
    assert!(!home.run(&["backup", "status"]).ok().contains("/other"));
}

#[test]
fn a_backup_whose_accounts_are_not_there_yet_makes_no_vault() {
    let home = kept();
    let vault = std::fs::read_dir(home.path("sync/otpanel.backup.personal")).expect("a folder").flatten().next();
    let vault = vault.expect("a vault").path();
    let restore = || {
        let new = Home::new();
        let mut command = new.bare();
        command.args(["--password-file", "-", "backup", "restore", "--yes", "--folder", &folder(&home)]);
        let done = finish(&mut command, PASSWORD.as_bytes());
        assert_eq!(new.vault().exists(), done.code == 0);
        done
    };
    // A sync tool brought the head, or the bundle, before the other.
    std::fs::rename(vault.join("b"), home.path("later")).expect("moved");
    assert!(restore().fails(1).contains("synced whole"));
    std::fs::rename(vault.join("head"), home.path("head")).expect("moved");
    restore().fails(1);
    std::fs::rename(home.path("later"), vault.join("b")).expect("moved");
    let done = restore();
    assert!(done.err.contains("a machine of id ") && done.err.contains("Restored 2 accounts"), "{}", done.err);
}

#[test]
fn what_is_too_large_for_a_backup_is_named_by_the_command_that_leaves_it_out() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1), &link("GitLab", "ada", 2)]);
    home.craft(|state| {
        let id = state.live().find(|entry| entry.issuer() == "GitHub").expect("it is there").id;
        let stamp = state.next_stamp(UnixTime(0), DeviceId([7; 8]));
        assert!(state.set(id, field::ACCOUNT, Value::Text("x".repeat(40_000)), stamp));
    });
    let ran = home.run(&["backup", "enable", "--folder", "copies", "--json"]);
    assert!(ran.err.contains("1 account not there, too large for it: GitHub"), "{}", ran.err);
    let row = ran.json();
    assert_eq!((&row["backed_up"][0]["accounts"], &row["backed_up"][0]["left_out"]), (&1.into(), &1.into()));
}
