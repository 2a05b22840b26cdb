//! What belongs to this machine alone and is never copied with a vault: the device's name among others, the newest
//! stamps seen in each vault, which notices were shown. It knows vaults and devices by their names only.
//!
//! The device's id is made anew when the machine's own id is not the one it was made on: a copied home must not write
//! as its twin (`docs/vault.md`, stamps).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{entropy, paths};

/// More than any file of ours has; a larger one is damaged.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What is kept, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// 16 hex digits.
    device: String,
    /// SHA-256 of the machine's own id in hex, or empty where it has none.
    machine: String,
    /// Names of the notices that were shown.
    notices: BTreeSet<String>,
    /// Vault to device to the highest stamp seen there, ids in hex.
    seen: BTreeMap<String, BTreeMap<String, u64>>,
    /// Vault to the slots that were removed from it, ids in hex.
    removed_slots: BTreeMap<String, BTreeSet<String>>,
    /// Vault to the path of its file when it was last written or found newer there.
    places: BTreeMap<String, String>,
    /// Slot of a recovery key that was shown here to whether it was written down, ids in hex.
    recovery_keys: BTreeMap<String, bool>,
    /// Vault to how the user works in it.
    habits: BTreeMap<String, Habits>,
}

/// How the user works in one vault. Entries by their random ids, no names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Habits {
    /// The order of the list, by its name, and when it was chosen in milliseconds.
    order: (String, u64),
    /// Entry to how often it was used and when last in milliseconds.
    uses: BTreeMap<String, (u64, u64)>,
}

/// The local state, and the file that keeps it.
#[derive(Debug)]
pub struct Local {
    path: PathBuf,
    kept: Kept,
    device: [u8; 8],
    fresh: Option<Fresh>,
}

/// Why this device has a new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fresh {
    /// Nothing was kept here before.
    First,
    /// The file came from another machine.
    OtherMachine,
    /// The file could not be used; it lies beside as the path says.
    Damaged(PathBuf),
}

/// Why the local state could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be {doing}: {source}", path.display())]
pub struct LocalError {
    /// The file.
    pub path: PathBuf,
    /// `read`, `written` or `moved aside`.
    pub doing: &'static str,
    /// What the system said.
    pub source: io::Error,
}

impl Local {
    /// Reads the state of this machine from its folder, or makes it. What is new is written at once, so that the next
    /// program has the same device.
    ///
    /// # Errors
    /// [`LocalError`] when the file is there and cannot be read, or cannot be made. [`Self::open_or_unkept`] does without.
    pub fn open(state_dir: &Path) -> Result<Self, LocalError> {
        Self::open_on(state_dir, &machine())
    }

    /// As [`Self::open`]; where no state can be kept what is done still counts, under a device that is known for this once.
    pub fn open_or_unkept(state_dir: &Path) -> Self {
        Self::open(state_dir).unwrap_or_else(|_| Self::unkept())
    }

    /// A state that no file keeps, for a machine where none can be written, and for samples.
    pub fn unkept() -> Self {
        Self::new(PathBuf::new(), Kept { machine: machine(), ..Kept::default() }, Fresh::First)
    }

    /// As [`Self::open`], on a machine of that fingerprint.
    fn open_on(state_dir: &Path, machine: &str) -> Result<Self, LocalError> {
        let path = state_dir.join("local.ron");
        let (kept, why) = match read(&path) {
            Ok(Some(kept)) => match device(&kept.device) {
                Some(device) if kept.machine == machine => return Ok(Self { path, kept, device, fresh: None }),
                Some(_) => (kept, Fresh::OtherMachine),
                None => (Kept::default(), Fresh::Damaged(aside(&path)?)),
            },
            Ok(None) => (Kept::default(), Fresh::First),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => (Kept::default(), Fresh::Damaged(aside(&path)?)),
            Err(source) => return Err(LocalError { path, doing: "read", source }),
        };
        if why != Fresh::First {
            tracing::warn!(?why, "this device has a new name");
        }
        let local = Self::new(path, Kept { machine: machine.to_owned(), ..kept }, why);
        local.save()?;
        Ok(local)
    }

    fn new(path: PathBuf, kept: Kept, why: Fresh) -> Self {
        let device = entropy::bytes();
        let kept = Kept { device: data_encoding::HEXLOWER.encode(&device), ..kept };
        Self { path, kept, device, fresh: Some(why) }
    }

    /// This device's id.
    pub fn device(&self) -> [u8; 8] {
        self.device
    }

    /// Why the id is new; none when it was kept.
    pub fn fresh(&self) -> Option<&Fresh> {
        self.fresh.as_ref()
    }

    /// Notes that a notice was shown. False when it had been before.
    pub fn note_notice(&mut self, name: &str) -> bool {
        self.kept.notices.insert(name.to_owned())
    }

    /// The highest stamps seen in a vault, by device; ids in hex.
    pub fn seen(&self, vault: &str) -> impl Iterator<Item = (&str, u64)> {
        self.kept.seen.get(vault).into_iter().flatten().map(|(device, stamp)| (device.as_str(), *stamp))
    }

    /// Notes the highest stamps of a vault; none goes back. True when one rose, so that saving is worth it.
    pub fn note_seen(&mut self, vault: &str, stamps: impl IntoIterator<Item = (String, u64)>) -> bool {
        let known = self.kept.seen.entry(vault.to_owned()).or_default();
        let mut rose = false;
        for (device, stamp) in stamps {
            let highest = known.entry(device).or_default();
            if stamp > *highest {
                *highest = stamp;
                rose = true;
            }
        }
        rose
    }

    /// Notes where a vault's file lies. True when that is new, so that saving is worth it.
    pub fn note_place(&mut self, vault: &str, path: &Path) -> bool {
        let text = paths::kept::to_text(path);
        let is_news = self.kept.places.get(vault) != Some(&text);
        if is_news {
            self.kept.places.insert(vault.to_owned(), text);
        }
        is_news
    }

    /// The vaults whose file lay at a path when it was seen last; ids in hex.
    pub fn vaults_at(&self, path: &Path) -> impl Iterator<Item = &str> {
        let text = paths::kept::to_text(path);
        self.kept.places.iter().filter(move |(_, known)| **known == text).map(|(vault, _)| vault.as_str())
    }

    /// Whether a slot was removed from a vault, as far as was seen here; ids in hex.
    pub fn is_slot_removed(&self, vault: &str, slot: &str) -> bool {
        self.kept.removed_slots.get(vault).is_some_and(|slots| slots.contains(slot))
    }

    /// Notes slots that were removed from a vault. True when one is new, so that saving is worth it.
    pub fn note_removed_slots(&mut self, vault: &str, slots: impl IntoIterator<Item = String>) -> bool {
        slots
            .into_iter()
            .fold(false, |new, slot| self.kept.removed_slots.entry(vault.to_owned()).or_default().insert(slot) | new)
    }

    /// Notes that a recovery key is shown, or that it was written down; its slot's id in hex.
    pub fn note_recovery_key(&mut self, slot: &str, written: bool) {
        *self.kept.recovery_keys.entry(slot.to_owned()).or_default() |= written;
    }

    /// The slots of recovery keys that were shown here and not written down.
    pub fn unwritten_recovery_keys(&self) -> impl Iterator<Item = &str> {
        self.kept.recovery_keys.iter().filter(|(_, written)| !**written).map(|(slot, _)| slot.as_str())
    }

    /// The vaults in which something was used or an order chosen: each with the order's name (empty where none was
    /// chosen) and the uses (entry, how often, when last in milliseconds).
    pub fn habits(&self) -> impl Iterator<Item = (&str, &str, impl Iterator<Item = (&str, u64, u64)>)> {
        self.kept.habits.iter().map(|(vault, habits)| {
            let uses = habits.uses.iter().map(|(entry, (count, last))| (entry.as_str(), *count, *last));
            (vault.as_str(), habits.order.0.as_str(), uses)
        })
    }

    /// Counts a use of an entry at a moment in milliseconds.
    pub fn note_use(&mut self, vault: &str, entry: &str, at: u64) {
        let habits = self.kept.habits.entry(vault.to_owned()).or_default();
        let known = habits.uses.entry(entry.to_owned()).or_default();
        *known = (known.0.saturating_add(1), known.1.max(at));
    }

    /// Remembers an order that was chosen at a moment in milliseconds.
    pub fn note_order(&mut self, vault: &str, order: &str, at: u64) {
        self.kept.habits.entry(vault.to_owned()).or_default().order = (order.to_owned(), at);
    }

    /// Writes the state to its file, for the owner alone. What another program wrote since is joined, not lost.
    ///
    /// # Errors
    /// [`LocalError`]; the old file stands then.
    pub fn save(&self) -> Result<(), LocalError> {
        if self.path.as_os_str().is_empty() {
            return Ok(());
        }
        let mut kept = self.kept.clone();
        if let Ok(Some(other)) = read(&self.path)
            && other.device == kept.device
        {
            kept.join(other);
        }
        let text = ron::ser::to_string_pretty(&kept, ron::ser::PrettyConfig::new().new_line("\n"))
            .expect("texts and numbers can be written as RON");
        paths::replace_private(&self.path, text.as_bytes()).map_err(|source| LocalError {
            path: self.path.clone(),
            doing: "written",
            source,
        })
    }
}

impl Kept {
    fn join(&mut self, other: Self) {
        self.notices.extend(other.notices);
        for (vault, place) in other.places {
            self.places.entry(vault).or_insert(place);
        }
        for (slot, written) in other.recovery_keys {
            *self.recovery_keys.entry(slot).or_default() |= written;
        }
        for (vault, theirs) in other.removed_slots {
            self.removed_slots.entry(vault).or_default().extend(theirs);
        }
        for (vault, theirs) in other.habits {
            let ours = self.habits.entry(vault).or_default();
            if theirs.order.1 > ours.order.1 {
                ours.order = theirs.order;
            }
            for (entry, (count, last)) in theirs.uses {
                let known = ours.uses.entry(entry).or_default();
                *known = (known.0.max(count), known.1.max(last));
            }
        }
        for (vault, stamps) in other.seen {
            let known = self.seen.entry(vault).or_default();
            for (device, stamp) in stamps {
                let highest = known.entry(device).or_default();
                *highest = stamp.max(*highest);
            }
        }
    }
}

/// None when there is no file; `InvalidData` when it is damaged.
fn read(path: &Path) -> io::Result<Option<Kept>> {
    match fs::metadata(path) {
        Ok(about) if about.len() > MAX_BYTES || !about.is_file() => return Err(io::ErrorKind::InvalidData.into()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let text = fs::read_to_string(path)?;
    ron::from_str(&text).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn device(hex: &str) -> Option<[u8; 8]> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

/// Moves a damaged file beside, in place of an earlier one.
fn aside(path: &Path) -> Result<PathBuf, LocalError> {
    let bad = path.with_extension("ron.bad");
    match fs::rename(path, &bad) {
        Ok(()) => Ok(bad),
        Err(source) => Err(LocalError { path: path.to_owned(), doing: "moved aside", source }),
    }
}

/// The fingerprint of this machine: a hash, since its own id should not be passed on. Empty where it has none, and then
/// a copied home is not noticed.
fn machine() -> String {
    let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().find_map(|path| fs::read_to_string(path).ok());
    let id = id.filter(|id| !id.trim().is_empty()).or_else(host_name);
    id.map(|id| fingerprint(id.trim())).unwrap_or_default()
}

fn fingerprint(id: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::new().chain_update("otpanel machine ").chain_update(id).finalize())
}

/// What this machine calls itself, for the user's eyes; at most 64 characters.
pub fn label() -> String {
    host_name().map_or_else(|| String::from("this computer"), |name| name.chars().take(64).collect())
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(folder: &Path, machine: &str) -> Local {
        Local::open_on(folder, &fingerprint(machine)).expect("opened")
    }

    #[test]
    fn the_device_is_kept_on_its_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = on(folder.path(), "m1");
        assert_eq!(first.fresh(), Some(&Fresh::First));
        let second = on(folder.path(), "m1");
        assert_eq!((second.device(), second.fresh()), (first.device(), None));
    }

    #[test]
    fn a_copied_home_gets_a_device_of_its_own_and_keeps_what_was_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = on(folder.path(), "m1");
        first.note_seen("v", [("d".to_owned(), 7)]);
        first.note_notice("welcome");
        first.save().expect("kept");
        let mut twin = on(folder.path(), "m2");
        assert_ne!(twin.device(), first.device());
        assert_eq!(twin.fresh(), Some(&Fresh::OtherMachine));
        assert_eq!(twin.seen("v").collect::<Vec<_>>(), [("d", 7)]);
        assert!(!twin.note_notice("welcome"), "shown before");
        assert_eq!(on(folder.path(), "m2").device(), twin.device());
    }

    #[test]
    fn a_damaged_file_is_kept_beside_and_made_anew() {
        for damage in ["(device: \"xyz\")", "(device:", "()", "\u{0}\u{1}", "(device: \"00\", machine: \"\")"] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("local.ron");
            fs::write(&path, damage).expect("written");
            let local = on(folder.path(), "m1");
            let bad = folder.path().join("local.ron.bad");
            assert_eq!(local.fresh(), Some(&Fresh::Damaged(bad.clone())), "{damage:?}");
            assert_eq!(fs::read_to_string(bad).expect("beside"), damage);
            assert_eq!(on(folder.path(), "m1").device(), local.device());
        }
    }

    #[test]
    fn a_file_that_is_no_text_or_far_too_long_is_damaged_too() {
        for damage in [vec![0xff; 10], vec![b' '; MAX_BYTES as usize + 1]] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("local.ron"), damage).expect("written");
            assert!(matches!(on(folder.path(), "m1").fresh(), Some(Fresh::Damaged(_))));
        }
    }

    #[test]
    fn stamps_only_rise() {
        let mut local = Local::unkept();
        assert!(local.note_seen("v", [("a".to_owned(), 5), ("b".to_owned(), 1)]));
        assert!(!local.note_seen("v", [("a".to_owned(), 4)]));
        assert!(local.note_seen("v", [("a".to_owned(), 6)]));
        assert_eq!(local.seen("v").collect::<Vec<_>>(), [("a", 6), ("b", 1)]);
        assert_eq!(local.seen("w").count(), 0);
    }

    #[test]
    fn two_programs_that_save_lose_nothing_of_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        on(folder.path(), "m1");
        let (mut one, mut two) = (on(folder.path(), "m1"), on(folder.path(), "m1"));
        one.note_notice("one");
        one.note_seen("v", [("a".to_owned(), 9)]);
        two.note_notice("two");
        two.note_seen("v", [("a".to_owned(), 3), ("b".to_owned(), 4)]);
        one.save().expect("kept");
        two.save().expect("kept");
        let mut all = on(folder.path(), "m1");
        assert!(!all.note_notice("one") && !all.note_notice("two"), "both were shown before");
        assert_eq!(all.seen("v").collect::<Vec<_>>(), [("a", 9), ("b", 4)]);
    }

    #[test]
    fn a_recovery_key_that_was_written_down_stays_so_whoever_saves_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut shown = on(folder.path(), "m1");
        shown.note_recovery_key("s", false);
        shown.note_recovery_key("t", false);
        shown.save().expect("kept");
        let (mut one, two) = (on(folder.path(), "m1"), on(folder.path(), "m1"));
        one.note_recovery_key("s", true);
        one.save().expect("kept");
        two.save().expect("kept");
        assert_eq!(on(folder.path(), "m1").unwritten_recovery_keys().collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn uses_only_rise_and_the_order_chosen_last_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut one, mut two) = (on(folder.path(), "m1"), on(folder.path(), "m1"));
        let device = one.device();
        one.note_use("v", "a", 5);
        one.note_use("v", "a", 9);
        one.note_order("v", "recent", 9);
        one.save().expect("kept");
        if two.device() != device {
            two = on(folder.path(), "m1");
        }
        two.note_use("v", "b", 7);
        two.note_order("v", "name", 8);
        two.save().expect("kept");
        let all = on(folder.path(), "m1");
        let (vault, order, uses) = all.habits().next().expect("a vault");
        assert_eq!((vault, order), ("v", "recent"));
        assert_eq!(uses.collect::<Vec<_>>(), [("a", 2, 9), ("b", 1, 7)]);
    }

    #[test]
    fn fields_that_a_newer_version_wrote_are_no_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("(device: \"0011223344556677\", machine: \"{}\", used: {{\"x\": 3}})", fingerprint("m1"));
        fs::write(folder.path().join("local.ron"), text).expect("written");
        let local = on(folder.path(), "m1");
        assert_eq!((local.device()[0], local.device()[7], local.fresh()), (0x00, 0x77, None));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        on(folder.path(), "m1");
        let mode = fs::metadata(folder.path().join("local.ron")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
