//! Foreign writers that replace the vault while we save, hundreds of times: a careful one, as Syncthing is, that sets aside
//! what it does not know, and a blind one that only renames its own file into the place. Ours are short sessions, as the
//! command line's: nothing in memory outlives them.
//!
//! 1,000 replacements with `OTPANEL_TEST_LONG=1`, else 150.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use otpanel::entropy;
use otpanel::local::Local;
use otpanel::otp::{Account, Kind, Seed};
use otpanel::rollback;
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{DataKey, DeviceId, EntryId, FileError, KdfParams, Key, Place, SlotId, State, Unlocked, VaultId};

const VAULT: VaultId = VaultId([3; 16]);
const OURS: DeviceId = DeviceId([1; 8]);
const THEIRS: DeviceId = DeviceId([2; 8]);

fn replacements() -> usize {
    if std::env::var_os("OTPANEL_TEST_LONG").is_some_and(|value| value == "1") { 1000 } else { 150 }
}

fn dek() -> DataKey {
    DataKey::new(Secret::new([0xd; 32]))
}

fn add(unlocked: &mut Unlocked, name: &str, device: DeviceId) {
    let state = Arc::make_mut(&mut unlocked.state);
    let stamp = state.next_stamp(UnixTime::now(), device);
    let account = Account::new("Site", name, Kind::totp(), Seed::new(entropy::bytes::<20>().to_vec()).unwrap());
    state.add(EntryId(entropy::bytes()), &account, "personal", "a test", stamp);
}

fn open(place: &Place) -> Option<Unlocked> {
    place.load().ok()?.open_with(&dek()).ok()
}

/// Opens as the command line does: a file that went back is healed first.
fn session(place: &Place) -> Option<Unlocked> {
    let (mut unlocked, mut local) = (open(place)?, Local::open(&place.state_dir).unwrap());
    rollback::heal(place, &mut unlocked, &mut local);
    Some(unlocked)
}

fn saved(place: &Place, unlocked: &mut Unlocked) -> bool {
    let done = place.save(unlocked);
    if done.is_ok() {
        rollback::note(place, unlocked, &mut Local::open(&place.state_dir).unwrap());
    }
    assert!(done.is_ok() || matches!(done, Err(FileError::Busy(_))), "{:?}", done.err());
    done.is_ok()
}

/// Puts a version into the vault's place as Syncthing does: what stands there and is not what it knows becomes a conflict copy.
fn careful(path: &Path, incoming: &Path, known: &[u8], n: usize) {
    if fs::read(path).is_ok_and(|now| now != known) {
        let copy = format!("vault.sync-conflict-20260730-{n:06}-ABCDEFG.otpv");
        drop(fs::rename(path, path.with_file_name(copy)));
    }
    fs::rename(incoming, path).unwrap();
}

fn blind(path: &Path, incoming: &Path, _known: &[u8], _n: usize) {
    fs::rename(incoming, path).unwrap();
}

fn race(name: &str, replace: fn(&Path, &Path, &[u8], usize)) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("data/vault.otpv"), folder.path().join("state"));
    let fresh = Fresh { id: SlotId([1; 16]), salt: [1; 32] };
    let slot = Slot::wrap(&dek(), VAULT, Key::Keychain(&Secret::new([1; 32])), KdfParams::DEFAULT, &fresh).unwrap();
    let mut first = Unlocked::create(VAULT, dek(), vec![slot], State::default());
    add(&mut first, "first", OURS);
    place.create_known(&mut first).unwrap();
    // Until both have done enough, whichever the machine favours.
    let (least, saves, over) = (replacements(), AtomicUsize::new(0), AtomicBool::new(false));
    let n = AtomicUsize::new(0);
    let mut wanted = BTreeSet::from([String::from("first")]);
    let (mut ours, mut busy) = (0, 0);
    std::thread::scope(|scope| {
        let (place, over, saves, n, mut theirs) = (&place, &over, &saves, &n, first.duplicate());
        scope.spawn(move || {
            let mut known = fs::read(&place.path).unwrap();
            for at in 0.. {
                if at >= least && saves.load(Ordering::SeqCst) > 10 {
                    n.store(at, Ordering::SeqCst);
                    break;
                }
                // Another machine's versions, which never hold ours.
                add(&mut theirs, &format!("theirs {at}"), THEIRS);
                let (bytes, incoming) =
                    (theirs.seal(entropy::bytes()).unwrap(), place.path.with_file_name(".incoming"));
                fs::write(&incoming, &bytes).unwrap();
                replace(&place.path, &incoming, &known, at);
                known = bytes;
                // Often faster than a save, often slower.
                std::thread::sleep(Duration::from_millis(1 + u64::from(entropy::bytes::<1>()[0] % 40)));
            }
            over.store(true, Ordering::SeqCst);
        });
        while !over.load(Ordering::SeqCst) {
            // The careful one leaves no file there for a moment.
            let Some(mut own) = session(place) else { continue };
            let name = format!("ours {ours}");
            add(&mut own, &name, OURS);
            match place.save(&mut own) {
                Ok(_) => {
                    rollback::note(place, &own, &mut Local::open(&place.state_dir).unwrap());
                    wanted.insert(name);
                    ours += 1;
                    saves.store(ours, Ordering::SeqCst);
                }
                Err(FileError::Busy(_) | FileError::Vanished(_)) => busy += 1,
                Err(error) => panic!("{error}"),
            }
        }
    });
    let n = n.into_inner();
    // The sync tool has settled; the next command finds everything.
    let beside = || fs::read_dir(place.path.parent().unwrap()).unwrap().count() - 1;
    let mut last = session(&place).unwrap();
    assert!(saved(&place, &mut last));
    // One save takes in 64 copies, the next takes more.
    for _ in 0..=n / 64 {
        assert!(beside() == 0 || saved(&place, &mut last));
    }
    wanted.extend((0..n).map(|at| format!("theirs {at}")));
    let found: BTreeSet<String> = open(&place).unwrap().state.live().map(|entry| entry.name().to_owned()).collect();
    let lost: Vec<_> = wanted.difference(&found).collect();
    let count = |who: &str| lost.iter().filter(|name| name.starts_with(who)).count();
    println!(
        "{name}: {} of {ours} of ours kept, {} of {n} of theirs; {busy} saves gave up and said so",
        ours - count("ours"),
        n - count("theirs")
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(beside(), 0, "no copies and no temporary files are left");
}

#[test]
fn a_careful_writer_and_we_lose_nothing_of_each_other() {
    race("careful", careful);
}

#[test]
fn a_blind_writer_takes_nothing_of_ours() {
    race("blind", blind);
}
