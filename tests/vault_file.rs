//! The vault's file on a real disk: created, saved, raced for, damaged, locked away. What is asserted everywhere: no account
//! is lost, and nothing that does not open is overwritten.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use otpanel::entropy;
use otpanel::otp::{Account, Kind, Seed};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::file::SaveWarning;
use otpanel::vault::history::Reason;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{
    DataKey, DeviceId, EntryId, Error, FileError, KdfParams, Key, Place, SlotId, State, Unlocked, VaultId,
};

const DEK: [u8; 32] = [0xd; 32];
const VAULT: VaultId = VaultId([3; 16]);

struct Home {
    folder: tempfile::TempDir,
    place: Place,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("data/vault.otpv"), folder.path().join("state"));
        Self { folder, place }
    }

    /// A home with a vault of one account, named `first`.
    fn with_vault() -> (Self, Unlocked) {
        let home = Self::new();
        let mut unlocked = vault();
        add(&mut unlocked, "first");
        home.place.create_known(&mut unlocked).unwrap();
        (home, unlocked)
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.place.path.with_file_name(name)
    }

    /// What the file says, by the names of its live accounts.
    fn names(&self) -> Vec<String> {
        names(&self.open())
    }

    fn open(&self) -> Unlocked {
        self.place.load().unwrap().open_with(&dek()).unwrap_or_else(|e| panic!("{e}"))
    }

    fn files(&self) -> Vec<String> {
        let folder = self.place.path.parent().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn reasons(&self) -> Vec<Reason> {
        self.place.history(VAULT).unwrap().iter().map(|version| version.reason).collect()
    }
}

fn dek() -> DataKey {
    DataKey::new(Secret::new(DEK))
}

fn vault() -> Unlocked {
    let key = Secret::new([1; 32]);
    let fresh = Fresh { id: SlotId([1; 16]), salt: [1; 32] };
    let slot = Slot::wrap(&dek(), VAULT, Key::Keychain(&key), KdfParams::DEFAULT, &fresh).unwrap();
    Unlocked::create(VAULT, dek(), vec![slot], State::default())
}

fn add(unlocked: &mut Unlocked, name: &str) -> EntryId {
    let (id, state) = (EntryId(entropy::bytes()), Arc::make_mut(&mut unlocked.state));
    let stamp = state.next_stamp(UnixTime::now(), DeviceId([1; 8]));
    let account = Account::new("Site", name, Kind::totp(), Seed::new(entropy::bytes::<20>().to_vec()).unwrap());
    state.add(id, &account, "personal", "a test", stamp);
    id
}

fn names(unlocked: &Unlocked) -> Vec<String> {
    let mut names: Vec<_> = unlocked.state.live().map(|entry| entry.name().to_owned()).collect();
    names.sort();
    names
}

fn sealed(unlocked: &Unlocked) -> Vec<u8> {
    unlocked.seal(entropy::bytes()).unwrap()
}

#[test]
fn a_vault_is_created_once_and_never_over_something() {
    let (home, unlocked) = Home::with_vault();
    assert_eq!(home.names(), ["first"]);
    let bytes = fs::read(&home.place.path).unwrap();
    assert!(matches!(home.place.create(&unlocked), Err(FileError::Exists(_))));
    assert_eq!(fs::read(&home.place.path).unwrap(), bytes);
    assert_eq!(home.files(), ["vault.otpv"]);
}

#[test]
fn a_save_keeps_the_old_version_and_leaves_nothing_behind() {
    let (home, mut unlocked) = Home::with_vault();
    let before = fs::read(&home.place.path).unwrap();
    add(&mut unlocked, "second");
    let saved = home.place.save(&mut unlocked).unwrap();
    assert_eq!((saved.joined, saved.warnings.as_slice(), saved.conflicts.len()), (false, &[][..], 0));
    assert_eq!(saved.digest, home.place.load().unwrap().digest());
    assert_eq!(home.names(), ["first", "second"]);
    assert_eq!(home.files(), ["vault.otpv"]);
    let history = home.place.history(VAULT).unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(fs::read(&history[0].path).unwrap(), fs::read(&home.place.path).unwrap(), "what was written, too");
    assert_eq!(fs::read(&history[1].path).unwrap(), before);
    assert_eq!(names(&history[1].load().unwrap().open_with(&dek()).map_err(|e| e.to_string()).unwrap()), ["first"]);
}

#[test]
fn a_save_before_an_import_is_kept_under_that_name() {
    let (home, mut unlocked) = Home::with_vault();
    home.place.save_before(&mut unlocked, Reason::Import).unwrap();
    home.place.save(&mut unlocked).unwrap();
    assert_eq!(home.reasons(), [Reason::Saved, Reason::Saved, Reason::Import]);
}

#[test]
fn a_change_from_outside_is_joined() {
    let (home, mut ours) = Home::with_vault();
    let mut theirs = home.open();
    add(&mut theirs, "theirs");
    fs::write(&home.place.path, sealed(&theirs)).unwrap();
    add(&mut ours, "ours");
    let saved = home.place.save(&mut ours).unwrap();
    assert!(saved.joined);
    assert_eq!(names(&ours), ["first", "ours", "theirs"], "in memory too");
    assert_eq!(home.names(), ["first", "ours", "theirs"]);
    assert!(!home.place.save(&mut ours).unwrap().joined);
}

#[test]
fn what_does_not_open_is_never_overwritten() {
    let (home, mut unlocked) = Home::with_vault();
    let good = fs::read(&home.place.path).unwrap();
    let mut newer = good.clone();
    newer[8] = 2;
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut other = good.clone();
    other[24] ^= 1;
    #[allow(clippy::type_complexity)]
    let cases: [(&str, Vec<u8>, fn(&FileError) -> bool); 6] = [
        ("empty", vec![], |e| matches!(e, FileError::Damaged { error: Error::Empty, .. })),
        ("garbage", b"not a vault at all".to_vec(), |e| matches!(e, FileError::NotAVault(_))),
        ("cut", good[..200].to_vec(), |e| matches!(e, FileError::Damaged { error: Error::Truncated { .. }, .. })),
        ("newer", newer, |e| matches!(e, FileError::Newer { major: 2, minor: 0, .. })),
        ("altered", altered, |e| matches!(e, FileError::Damaged { error: Error::Altered, .. })),
        ("other", other, |e| matches!(e, FileError::WrongVault(_))),
    ];
    for (what, bytes, is_right) in cases {
        fs::write(&home.place.path, &bytes).unwrap();
        let error = home.place.save(&mut unlocked).unwrap_err();
        assert!(is_right(&error), "{what}: {error}");
        assert_eq!(fs::read(&home.place.path).unwrap(), bytes, "{what} was overwritten");
        assert_eq!(home.files(), ["vault.otpv"], "{what}");
    }
    fs::write(&home.place.path, &good).unwrap();
    home.place.save(&mut unlocked).unwrap();
}

#[test]
fn a_vault_that_vanished_is_said_to_have_and_is_written_anew_only_when_told() {
    let (home, mut unlocked) = Home::with_vault();
    fs::remove_file(&home.place.path).unwrap();
    assert!(matches!(home.place.save(&mut unlocked), Err(FileError::Vanished(_))));
    assert!(home.files().is_empty());
    assert!(home.place.read().unwrap().is_none());
    assert!(matches!(home.place.load().err(), Some(FileError::Missing(_))));
    home.place.recreate(&mut unlocked).unwrap();
    assert_eq!(home.names(), ["first"]);
}

#[test]
fn a_folder_in_the_files_place_and_a_file_too_long_are_refused() {
    let home = Home::new();
    fs::create_dir_all(&home.place.path).unwrap();
    assert!(matches!(home.place.read(), Err(FileError::NotAFile(_))));
    assert!(matches!(home.place.create(&vault()), Err(FileError::Exists(_))));
    let long = home.beside("long.otpv");
    fs::File::create(&long).unwrap().set_len(65 << 20).unwrap();
    assert!(matches!(Place::new(long, "state").read(), Err(FileError::NotAVault(_))));
}

#[test]
fn conflict_copies_are_joined_and_moved_to_the_history_and_strangers_stay() {
    let (home, mut ours) = Home::with_vault();
    for (n, name) in ["vault.sync-conflict-20260730-101112-ABCDEFG.otpv", "vault (1).otpv"].iter().enumerate() {
        let mut copy = home.open();
        add(&mut copy, &format!("copy {n}"));
        fs::write(home.beside(name), sealed(&copy)).unwrap();
    }
    let mut stranger = sealed(&home.open());
    stranger[24] ^= 1;
    fs::write(home.beside("vault (2).otpv"), &stranger).unwrap();
    fs::write(home.beside("vault 3.otpv"), b"rubbish").unwrap();
    let mut by_hand = home.open();
    add(&mut by_hand, "by hand");
    fs::write(home.beside("vault-backup.otpv"), sealed(&by_hand)).unwrap();

    let mut opened = home.open();
    assert!(home.place.gather(&mut opened));
    assert_eq!(names(&opened), ["copy 0", "copy 1", "first"]);
    assert_eq!(home.files().len(), 6, "gathering moves nothing");

    let saved = home.place.save(&mut ours).unwrap();
    assert!(saved.joined);
    assert_eq!(saved.conflicts.len(), 2);
    assert_eq!(home.names(), ["copy 0", "copy 1", "first"]);
    assert_eq!(home.files(), ["vault (2).otpv", "vault 3.otpv", "vault-backup.otpv", "vault.otpv"]);
    assert_eq!(home.reasons().iter().filter(|reason| **reason == Reason::Conflict).count(), 2);
}

/// A save that is killed between the swap and the look at what was displaced leaves a temporary file which may hold another
/// writer's accounts.
#[test]
fn what_a_crashed_save_left_is_joined_and_cleared_away() {
    let (home, mut ours) = Home::with_vault();
    let ours_by_name = temporary_of(&home.place);
    let mut displaced = home.open();
    add(&mut displaced, "displaced");
    fs::write(home.beside(&ours_by_name), sealed(&displaced)).unwrap();
    let half = ours_by_name.replace("0000000000000001", "0000000000000002");
    fs::write(home.beside(&half), &sealed(&displaced)[..1000]).unwrap();
    let foreign = ".vault.otpv.ffffffff-0000000000000001.tmp";
    fs::write(home.beside(foreign), b"of another machine").unwrap();
    home.place.save(&mut ours).unwrap();
    assert_eq!(home.names(), ["displaced", "first"]);
    assert_eq!(home.files(), [foreign, "vault.otpv"]);
}

/// The name of a temporary file of this place, as `docs/vault.md` gives it.
fn temporary_of(place: &Place) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(place.state_dir.as_os_str().as_encoded_bytes());
    let tag = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    format!(".vault.otpv.{tag:08x}-0000000000000001.tmp")
}

#[test]
fn two_threads_that_save_at_once_lose_nothing() {
    let (home, _) = Home::with_vault();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let home = &home;
            scope.spawn(move || {
                let mut own = home.open();
                for n in 0..10 {
                    add(&mut own, &format!("{thread}/{n}"));
                    home.place.save(&mut own).unwrap();
                }
            });
        }
    });
    assert_eq!(home.names().len(), 41);
    assert_eq!(home.files(), ["vault.otpv"]);
}

/// Another program with a state folder of its own, so that no lock holds it back: what a second machine on a network folder
/// and a careful sync tool are.
#[test]
fn writers_who_share_no_lock_lose_nothing_either() {
    let (home, _) = Home::with_vault();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let home = &home;
            scope.spawn(move || {
                let place = Place::new(&home.place.path, home.folder.path().join(format!("state {thread}")));
                let mut own = home.open();
                for n in 0..10 {
                    add(&mut own, &format!("{thread}/{n}"));
                    // One that keeps losing the race says so, and then its user tries again.
                    while let Err(error) = place.save(&mut own) {
                        assert!(matches!(error, FileError::Busy(_)), "{error}");
                    }
                }
            });
        }
    });
    assert_eq!(home.names().len(), 31);
}

/// A race: a foreign writer replaces the file by rename while we save, hundreds of times.
#[test]
fn a_foreign_writer_by_rename_loses_nothing_to_our_swap() {
    let (home, mut ours) = Home::with_vault();
    let written = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (home, written) = (&home, &written);
        scope.spawn(move || {
            // It adds to what it wrote last, as a sync tool brings another machine's versions: it never reads ours.
            let mut theirs = home.open();
            for n in 0..60 {
                add(&mut theirs, &format!("theirs {n}"));
                let temporary = home.beside("incoming");
                fs::write(&temporary, sealed(&theirs)).unwrap();
                fs::rename(&temporary, &home.place.path).unwrap();
                written.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                std::thread::sleep(Duration::from_micros(500));
            }
        });
        for n in 0..60 {
            add(&mut ours, &format!("ours {n}"));
            let saved = home.place.save(&mut ours);
            assert!(saved.is_ok() || matches!(saved, Err(FileError::Busy(_))), "{:?}", saved.err());
        }
    });
    home.place.save(&mut ours).unwrap();
    assert_eq!(home.names().len(), 121);
}

#[test]
fn the_lock_is_waited_for() {
    let (home, mut ours) = Home::with_vault();
    home.place.save(&mut ours).unwrap();
    let locks: Vec<_> = fs::read_dir(home.place.state_dir.join("locks")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(locks.len(), 1);
    let lock = fs::File::open(&locks[0]).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let saving = scope.spawn(|| home.place.save(&mut ours));
        std::thread::sleep(Duration::from_millis(100));
        assert!(!saving.is_finished(), "it saved past the lock");
        lock.unlock().unwrap();
        saving.join().unwrap().unwrap();
    });
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_linked_vault_stays_a_link() {
        let (home, _) = Home::with_vault();
        let real = home.folder.path().join("elsewhere");
        fs::create_dir(&real).unwrap();
        fs::rename(&home.place.path, real.join("real.otpv")).unwrap();
        symlink("../elsewhere/real.otpv", &home.place.path).unwrap();
        let mut unlocked = home.open();
        add(&mut unlocked, "second");
        home.place.save(&mut unlocked).unwrap();
        assert!(fs::symlink_metadata(&home.place.path).unwrap().is_symlink());
        assert_eq!(home.names(), ["first", "second"]);
        assert_eq!(fs::read_dir(&real).unwrap().count(), 1);
    }

    #[test]
    fn a_vault_is_created_where_a_dangling_link_points() {
        let home = Home::new();
        let real = home.folder.path().join("real.otpv");
        fs::create_dir_all(home.place.path.parent().unwrap()).unwrap();
        symlink(&real, &home.place.path).unwrap();
        home.place.create(&vault()).unwrap();
        assert!(fs::symlink_metadata(&real).unwrap().is_file());
        assert!(fs::symlink_metadata(&home.place.path).unwrap().is_symlink());
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let home = Home::new();
        fs::create_dir_all(home.place.path.parent().unwrap()).unwrap();
        symlink("vault.otpv", &home.place.path).unwrap();
        assert!(home.place.create(&vault()).is_err());
        assert!(home.place.read().is_err());
    }

    #[test]
    fn a_pipe_is_refused_and_never_waited_for() {
        let home = Home::new();
        fs::create_dir_all(home.place.path.parent().unwrap()).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &home.place.path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(matches!(home.place.read(), Err(FileError::NotAFile(_))));
    }

    #[test]
    fn files_and_folders_are_the_users_alone() {
        let (home, mut unlocked) = Home::with_vault();
        home.place.save(&mut unlocked).unwrap();
        fs::set_permissions(&home.place.path, fs::Permissions::from_mode(0o644)).unwrap();
        home.place.save(&mut unlocked).unwrap();
        assert_eq!(mode(&home.place.path), 0o600);
        let mut seen = 0;
        let mut folders = vec![home.folder.path().join("data"), home.place.state_dir.clone()];
        while let Some(folder) = folders.pop() {
            assert_eq!(mode(&folder), 0o700, "{}", folder.display());
            for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                seen += 1;
                if path.is_dir() {
                    folders.push(path);
                } else {
                    assert_eq!(mode(&path), 0o600, "{}", path.display());
                }
            }
        }
        assert!(seen >= 6, "vault, lock, two versions and their folders: {seen}");
    }

    #[test]
    fn hard_links_are_warned_of_once() {
        let (home, mut unlocked) = Home::with_vault();
        let link = home.folder.path().join("link");
        fs::hard_link(&home.place.path, &link).unwrap();
        assert_eq!(home.place.save(&mut unlocked).unwrap().warnings, [SaveWarning::HardLinks]);
        assert!(home.place.save(&mut unlocked).unwrap().warnings.is_empty());
        assert_ne!(fs::metadata(&link).unwrap().ino(), fs::metadata(&home.place.path).unwrap().ino());
    }

    #[test]
    fn a_state_folder_that_cannot_be_is_warned_of_and_the_vault_is_saved() {
        let (home, mut unlocked) = Home::with_vault();
        fs::write(home.folder.path().join("file"), b"").unwrap();
        let place = Place::new(&home.place.path, home.folder.path().join("file/state"));
        add(&mut unlocked, "second");
        let warnings = place.save(&mut unlocked).unwrap().warnings;
        assert!(matches!(warnings.as_slice(), [SaveWarning::NoLock(_), SaveWarning::NoHistory(_)]), "{warnings:?}");
        assert_eq!(home.names(), ["first", "second"]);
    }
}
