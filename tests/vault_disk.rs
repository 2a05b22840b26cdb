//! Faults of the disk itself: full, read-only, a vault that is mounted by itself, odd umasks. Each runs in a process of its own,
//! under a shell that sets the scene; where the scene needs rights that are not had, the test says so and passes.
#![allow(clippy::unwrap_used, clippy::print_stderr)]
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use otpanel::entropy;
use otpanel::otp::{Account, Kind, Seed};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::file::SaveWarning;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{DataKey, DeviceId, EntryId, FileError, KdfParams, Key, Place, SlotId, State, Unlocked, VaultId};

const VAULT: VaultId = VaultId([3; 16]);

fn vault(accounts: usize) -> Unlocked {
    let dek = || DataKey::new(Secret::new([0xd; 32]));
    let fresh = Fresh { id: SlotId([1; 16]), salt: [1; 32] };
    let slot = Slot::wrap(&dek(), VAULT, Key::Keychain(&Secret::new([1; 32])), KdfParams::DEFAULT, &fresh).unwrap();
    let mut unlocked = Unlocked::create(VAULT, dek(), vec![slot], State::default());
    add(&mut unlocked, accounts);
    unlocked
}

fn add(unlocked: &mut Unlocked, accounts: usize) {
    let state = Arc::make_mut(&mut unlocked.state);
    for _ in 0..accounts {
        let stamp = state.next_stamp(UnixTime::now(), DeviceId([1; 8]));
        let account = Account::new("Site", "me", Kind::totp(), Seed::new(entropy::bytes::<20>().to_vec()).unwrap());
        state.add(EntryId(entropy::bytes()), &account, "personal", "a test", stamp);
    }
}

fn count(place: &Place) -> usize {
    let locked = place.load().unwrap();
    let dek = DataKey::new(Secret::new([0xd; 32]));
    locked.open_with(&dek).unwrap_or_else(|e| panic!("{e}")).state.live().count()
}

/// Runs one of the tests below that are marked as scenes, after `script` has set it in the folder `$HOME_OF_TEST`. False where the
/// script could not.
fn play(scene: &str, wrapper: &[&str], script: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut line: Vec<String> = wrapper.iter().map(|&word| word.to_owned()).collect();
    let program = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    let script = format!("{{ {script}; }} || exit 77; exec \"$0\" --exact {scene} --ignored --nocapture");
    line.extend([String::from("sh"), String::from("-c"), script, program]);
    let output = Command::new(&line[0]).args(&line[1..]).env("SCENE", folder.path()).output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no {}", line[0]);
        return;
    };
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(77) || text.contains("unshare failed") || text.contains("setpriv: ") {
        eprintln!("skipped: the scene cannot be set here: {text}");
        return;
    }
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

fn scene() -> PathBuf {
    PathBuf::from(std::env::var_os("SCENE").expect("only run by the tests below"))
}

#[test]
fn a_full_disk_leaves_the_vault_untouched_and_nothing_behind() {
    play("full_disk", &["unshare", "-m"], "mount -t tmpfs -o size=24k tmpfs $SCENE");
}

#[test]
#[ignore = "a scene"]
fn full_disk() {
    let state = tempfile::tempdir().unwrap();
    let place = Place::new(scene().join("vault.otpv"), state.path());
    let mut unlocked = vault(1);
    place.create_known(&mut unlocked).unwrap();
    let before = fs::read(&place.path).unwrap();
    add(&mut unlocked, 200);
    assert!(matches!(place.save(&mut unlocked), Err(FileError::DiskFull(_))));
    assert_eq!(fs::read(&place.path).unwrap(), before);
    assert_eq!(fs::read_dir(scene()).unwrap().count(), 1);
    assert_eq!(unlocked.state.live().count(), 201, "the changes stay in memory");
    let elsewhere = Place::new(scene().join("other.otpv"), state.path());
    assert!(matches!(elsewhere.create(&unlocked), Err(FileError::DiskFull(_))));
    assert!(!elsewhere.path.exists());
}

#[test]
fn a_full_disk_of_the_history_is_warned_of_and_the_vault_is_saved() {
    play("full_history", &["unshare", "-m"], "mkdir $SCENE/state && mount -t tmpfs -o size=8k tmpfs $SCENE/state");
}

#[test]
#[ignore = "a scene"]
fn full_history() {
    let place = Place::new(scene().join("vault.otpv"), scene().join("state"));
    let mut unlocked = vault(100);
    place.create_known(&mut unlocked).unwrap();
    add(&mut unlocked, 1);
    let saved = place.save(&mut unlocked).unwrap();
    assert!(matches!(saved.warnings.as_slice(), [SaveWarning::NoHistory(_)]), "{:?}", saved.warnings);
    assert_eq!(count(&place), 101);
    assert!(place.history(VAULT).unwrap().is_empty());
}

#[test]
fn a_read_only_file_system_is_told_and_nothing_changes() {
    play(
        "read_only",
        &["unshare", "-m"],
        "cd $SCENE && mkdir data && mount -t tmpfs tmpfs data && \"$0\" --exact before_read_only --ignored >/dev/null && mount -o remount,ro data",
    );
}

#[test]
#[ignore = "a scene"]
fn before_read_only() {
    Place::new(scene().join("data/vault.otpv"), scene().join("state")).create(&vault(1)).unwrap();
}

#[test]
#[ignore = "a scene"]
fn read_only() {
    let place = Place::new(scene().join("data/vault.otpv"), scene().join("state"));
    let mut unlocked = vault(2);
    assert!(matches!(place.save(&mut unlocked), Err(FileError::ReadOnly(_))));
    assert_eq!(count(&place), 1);
    assert_eq!(unlocked.state.live().count(), 3, "what was read is joined in memory");
    let elsewhere = Place::new(scene().join("data/other.otpv"), scene().join("state"));
    assert!(matches!(elsewhere.create(&unlocked), Err(FileError::ReadOnly(_))));
}

#[test]
fn a_vault_that_is_mounted_by_itself_is_written_in_place_after_a_copy() {
    play(
        "mounted",
        &["unshare", "-m"],
        "cd $SCENE && mkdir data real && touch data/vault.otpv && \"$0\" --exact before_mounted --ignored >/dev/null && mount --bind real/vault.otpv data/vault.otpv",
    );
}

#[test]
#[ignore = "a scene"]
fn before_mounted() {
    Place::new(scene().join("real/vault.otpv"), scene().join("state")).create(&vault(1)).unwrap();
}

#[test]
#[ignore = "a scene"]
fn mounted() {
    let place = Place::new(scene().join("data/vault.otpv"), scene().join("state"));
    let before = fs::read(&place.path).unwrap();
    let mut unlocked = vault(2);
    let saved = place.save(&mut unlocked).unwrap();
    assert!(saved.warnings.contains(&SaveWarning::InPlace), "{:?}", saved.warnings);
    assert_eq!((count(&place), saved.joined), (3, true));
    assert_eq!(fs::read(scene().join("real/vault.otpv")).unwrap(), fs::read(&place.path).unwrap());
    assert_eq!(fs::read(&place.history(VAULT).unwrap()[1].path).unwrap(), before);
    assert_eq!(fs::read_dir(scene().join("data")).unwrap().count(), 1);
    // Without a history nothing may be written in place.
    let unsafe_place = Place::new(&place.path, scene().join("real/vault.otpv/state"));
    add(&mut unlocked, 1);
    assert!(unsafe_place.save(&mut unlocked).is_err());
    assert_eq!(count(&place), 3);
}

#[test]
fn a_read_only_folder_or_file_is_known_as_such() {
    // Root may write anywhere: as nobody. The folder of the test is opened to it.
    let wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let is_root = rustix::process::geteuid().is_root();
    play("read_only_folder", if is_root { &wrapper } else { &[] }, "true");
}

#[test]
#[ignore = "a scene"]
fn read_only_folder() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("data/vault.otpv"), folder.path().join("state"));
    let mut unlocked = vault(1);
    place.create_known(&mut unlocked).unwrap();
    let data = folder.path().join("data");
    let set = |path: &PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

    set(&data, 0o500);
    add(&mut unlocked, 1);
    let saved = place.save(&mut unlocked).unwrap();
    assert_eq!((saved.warnings.as_slice(), count(&place)), (&[SaveWarning::InPlace][..], 2));

    set(&place.path, 0o400);
    add(&mut unlocked, 1);
    assert!(matches!(place.save(&mut unlocked), Err(FileError::ReadOnly(_))));
    assert_eq!(count(&place), 2);

    // A file that is read-only in a folder that is not: it would be easy to replace, and is not.
    set(&data, 0o700);
    assert!(matches!(place.save(&mut unlocked), Err(FileError::ReadOnly(_))));
    assert_eq!(count(&place), 2);

    set(&place.path, 0o000);
    assert!(matches!(place.read(), Err(FileError::Denied(_))));
}

#[test]
fn no_umask_opens_or_closes_what_is_made() {
    for umask in ["0000", "0777", "0027"] {
        play("umask", &[], &format!("umask {umask}"));
    }
}

#[test]
#[ignore = "a scene"]
fn umask() {
    let place = Place::new(scene().join("data/deep/vault.otpv"), scene().join("state/deep"));
    let mut unlocked = vault(1);
    place.create_known(&mut unlocked).unwrap();
    add(&mut unlocked, 1);
    assert!(place.save(&mut unlocked).unwrap().warnings.is_empty());
    let mut folders = vec![scene().join("data"), scene().join("state")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }
    assert_eq!(files, 4, "the vault, the lock, the old version and the new one");
}
