//! A vault file that went back: an older version of it is a valid file, so only this machine's memory of what it saw last
//! can tell. Such a file is healed by joining the newest versions of the history, which loses nothing.
//!
//! A file of before a new data key is such a file too. What opens the vault now need not open it, so it is known by its slots,
//! which this machine saw removed, and the history's newest version is opened in its place.
//!
//! Knows the vault's history and the local state, no screen. It never writes the vault; its caller saves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::entropy;
use crate::local::Local;
use crate::paths;
use crate::vault::history::Reason;
use crate::vault::{DeviceId, FileError, Locked, Place, Unlocked, VaultId, clock};

/// What was found of a vault that went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WentBack {
    /// So many versions of the history were joined, and nothing is missing any more.
    Healed(usize),
    /// It was one of before the vault's new key; the history had the later one.
    BeforeKey,
    /// So many were joined, and changes that this machine had seen are still missing.
    Missing(usize),
}

impl WentBack {
    /// In words, as a sentence without its end.
    pub fn words(self) -> String {
        let copies = |n| if n == 1 { String::from("1 copy") } else { format!("{n} copies") };
        match self {
            Self::Healed(n) => {
                format!("the vault file had gone back to an older version; {} of the history mended it", copies(n))
            }
            Self::BeforeKey => String::from(
                "the vault file had gone back to one of before its new key; the copy of the history took its place again",
            ),
            Self::Missing(_) => String::from(
                "the vault file is older than what was seen here last, and the history lacks the rest; \
                 if a sync tool is at work, let it finish",
            ),
        }
    }
}

/// Looks whether an opened vault lacks edits that this machine has seen, and joins versions of the history, the newest
/// first, until it does not. None when nothing is amiss, or the same loss was told before.
pub fn heal(place: &Place, unlocked: &mut Unlocked, local: &mut Local) -> Option<WentBack> {
    let seen = seen_before(unlocked.vault_id(), local);
    if !unlocked.state.is_behind(&seen) {
        return None;
    }
    // While a password was checked, another program may have saved, and noted it: the file itself is ahead then.
    if let Some(now) = place.load().ok().and_then(|locked| unlocked.open_copy(&locked).ok())
        && unlocked.absorb_fitting(&now).is_ok()
        && !unlocked.state.is_behind(&seen)
    {
        return None;
    }
    let mut joined = 0;
    for version in place.history(unlocked.vault_id()).unwrap_or_default() {
        let opened = version.load().ok().and_then(|locked| unlocked.open_copy(&locked).ok());
        joined += usize::from(opened.is_some_and(|opened| unlocked.absorb_fitting(&opened).unwrap_or(false)));
        if !unlocked.state.is_behind(&seen) {
            return Some(WentBack::Healed(joined));
        }
    }
    // Told once for each loss, not at every command for ever.
    let mut missing = Sha256::new();
    for (device, stamp) in seen.iter().filter(|(device, stamp)| unlocked.state.seen.get(device) < Some(*stamp)) {
        missing.update(device.0);
        missing.update(stamp.to_le_bytes());
    }
    let mut name = format!("behind {} ", unlocked.vault_id());
    for byte in &missing.finalize()[..8] {
        let _ = write!(name, "{byte:02x}");
    }
    let is_news = local.note_notice(&name);
    if is_news {
        let _ = local.save();
    }
    (is_news || joined > 0).then_some(WentBack::Missing(joined))
}

/// Whether a file is of before a new password or a new key: all of its slots were removed, as this machine saw.
pub fn is_of_before(place: &Place, file: &Locked) -> bool {
    Local::open(&place.state_dir).is_ok_and(|local| has_removed_slots_alone(file, &local))
}

fn has_removed_slots_alone(file: &Locked, local: &Local) -> bool {
    let vault = file.vault_id().to_string();
    file.slots().iter().all(|slot| local.is_slot_removed(&vault, &slot.id.to_string()))
}

/// The version of the history that stands for a file of before ([`is_of_before`]): the newest with another slot. None where the
/// file is not such a one, or the history has nothing later.
pub fn later_version(place: &Place, file: &Locked) -> Option<Locked> {
    let local = Local::open(&place.state_dir).ok().filter(|local| has_removed_slots_alone(file, local))?;
    let later = |version: &Locked| version.vault_id() == file.vault_id() && !has_removed_slots_alone(version, &local);
    place.history(file.vault_id()).ok()?.iter().filter_map(|version| version.load().ok()).find(later)
}

/// Takes in the file in whose place a version of the history was opened ([`later_version`]); the caller saves. None where it
/// does not open, or holds nothing that is behind.
pub fn take_in_older(place: &Place, unlocked: &mut Unlocked) -> Option<WentBack> {
    let file = unlocked.open_copy(&place.load().ok()?).ok()?;
    unlocked.absorb(&file);
    Some(if file.shares_key(unlocked) { WentBack::Healed(1) } else { WentBack::BeforeKey })
}

/// Keeps in the history what could not be saved since the vault was given another key meanwhile. Whoever opens the vault the
/// next time takes it in, as with a file that went back.
///
/// # Errors
/// [`FileError`]; then it is in memory only.
pub fn keep_for_later(place: &Place, unlocked: &Unlocked) -> Result<(), FileError> {
    let bytes = unlocked.seal(entropy::bytes()).map_err(FileError::Seal)?;
    place.keep(unlocked.vault_id(), &bytes, Reason::Conflict)?;
    if let Ok(mut local) = Local::open(&place.state_dir) {
        note(place, unlocked, &mut local);
    }
    Ok(())
}

/// The highest stamps of each device that this machine has seen in a vault.
fn seen_before(vault: VaultId, local: &Local) -> BTreeMap<DeviceId, u64> {
    local.seen(&vault.to_string()).filter_map(|(device, stamp)| Some((device.parse().ok()?, stamp))).collect()
}

/// Whether a vault with this version vector lacks edits that this machine has seen, so that [`heal`] is to be asked.
pub fn is_behind(vault: VaultId, seen: &BTreeMap<DeviceId, u64>, local: &Local) -> bool {
    clock::is_behind(seen, &seen_before(vault, local))
}

/// Remembers what a vault that lies in its file has seen, and where that is. Where no state can be kept, an older file is not
/// noticed.
pub fn note(place: &Place, unlocked: &Unlocked, local: &mut Local) {
    let removed = unlocked.removed_slots().map(|slot| slot.to_string());
    let vault = unlocked.vault_id().to_string();
    let is_news = local.note_removed_slots(&vault, removed) | local.note_place(&vault, &real(place));
    note_all(unlocked.vault_id(), &unlocked.state.seen, is_news, local);
}

/// The vaults that lay in this place, as far as this machine saw them written there.
pub fn vaults_of(place: &Place) -> BTreeSet<VaultId> {
    let Ok(local) = Local::open(&place.state_dir) else { return BTreeSet::new() };
    local.vaults_at(&real(place)).filter_map(|id| id.parse().ok()).collect()
}

/// The path of the file behind all links; as it is named where there is none.
fn real(place: &Place) -> PathBuf {
    paths::real(&place.path).unwrap_or_else(|_| place.path.clone())
}

/// As [`note`], of a vault that was only looked at.
pub fn note_seen(vault: VaultId, seen: &BTreeMap<DeviceId, u64>, local: &mut Local) {
    note_all(vault, seen, false, local);
}

fn note_all(vault: VaultId, seen: &BTreeMap<DeviceId, u64>, is_news: bool, local: &mut Local) {
    let stamps = seen.iter().map(|(device, stamp)| (device.to_string(), *stamp));
    if (local.note_seen(&vault.to_string(), stamps) | is_news)
        && let Err(error) = local.save()
    {
        tracing::warn!(%error, "what was seen is not kept");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::entropy;
    use crate::otp::{Account, Kind, Seed};
    use crate::secret::Secret;
    use crate::time::UnixTime;
    use crate::vault::slots::{Fresh, Slot};
    use crate::vault::{DataKey, EntryId, KdfParams, Key, SlotId, State};

    const VAULT: VaultId = VaultId([3; 16]);

    fn dek() -> DataKey {
        DataKey::new(Secret::new([0xd; 32]))
    }

    fn vault() -> Unlocked {
        let fresh = Fresh { id: SlotId([1; 16]), salt: [1; 32] };
        let slot = Slot::wrap(&dek(), VAULT, Key::Keychain(&Secret::new([1; 32])), KdfParams::DEFAULT, &fresh).unwrap();
        Unlocked::create(VAULT, dek(), vec![slot], State::default())
    }

    fn add(unlocked: &mut Unlocked, name: &str) {
        let state = Arc::make_mut(&mut unlocked.state);
        let stamp = state.next_stamp(UnixTime::now(), DeviceId([1; 8]));
        let account = Account::new("Site", name, Kind::totp(), Seed::new(vec![1; 20]).unwrap());
        state.add(EntryId(entropy::bytes()), &account, "personal", "", stamp);
    }

    /// Three saves; gives the place, the local state and the file as it was after the first.
    fn three_saves() -> (tempfile::TempDir, Place, Local, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("vault.otpv"), folder.path().join("state"));
        let (mut open, mut local) = (vault(), Local::unkept());
        place.create_known(&mut open).unwrap();
        let mut first = Vec::new();
        for n in 0..3 {
            add(&mut open, &n.to_string());
            place.save(&mut open).unwrap();
            note(&place, &open, &mut local);
            if n == 0 {
                first = std::fs::read(&place.path).unwrap();
            }
        }
        (folder, place, local, first)
    }

    #[test]
    fn a_file_that_went_back_is_healed_to_the_last_save() {
        let (_folder, place, mut local, first) = three_saves();
        std::fs::write(&place.path, first).unwrap();
        let mut open = place.load().unwrap().open_with(&dek()).map_err(|e| e.to_string()).unwrap();
        assert_eq!(open.state.live().count(), 1);
        assert_eq!(heal(&place, &mut open, &mut local), Some(WentBack::Healed(1)));
        assert_eq!(open.state.live().count(), 3);
        assert_eq!(heal(&place, &mut open, &mut local), None);
    }

    #[test]
    fn what_no_copy_has_is_told_once() {
        let (_folder, place, mut local, first) = three_saves();
        std::fs::write(&place.path, first).unwrap();
        std::fs::remove_dir_all(place.history_dir(VAULT)).unwrap();
        let mut open = place.load().unwrap().open_with(&dek()).map_err(|e| e.to_string()).unwrap();
        assert_eq!(heal(&place, &mut open, &mut local), Some(WentBack::Missing(0)));
        assert_eq!(heal(&place, &mut open, &mut local), None);
    }

    #[test]
    fn a_save_by_another_program_while_one_opens_is_no_rollback() {
        let (_folder, place, mut local, _) = three_saves();
        let mut open = place.load().unwrap().open_with(&dek()).map_err(|e| e.to_string()).unwrap();
        let mut other = open.duplicate();
        add(&mut other, "meanwhile");
        place.save(&mut other).unwrap();
        note(&place, &other, &mut local);
        assert_eq!(heal(&place, &mut open, &mut local), None);
        assert_eq!(open.state.live().count(), 4);
    }

    #[test]
    fn a_newer_file_is_no_rollback() {
        let (_folder, place, mut local, _) = three_saves();
        let mut open = place.load().unwrap().open_with(&dek()).map_err(|e| e.to_string()).unwrap();
        add(&mut open, "from elsewhere");
        assert_eq!(heal(&place, &mut open, &mut local), None);
    }
}
