//! What this machine remembers of a vault's backups: whether they are wanted, where, and how the last ones went. Local
//! state, never in the vault: one file for each vault, for its owner alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::paths;
use crate::vault::{DeviceId, VaultId};

/// How long a round waits for another one of this machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// The user turned the backup off.
    pub off: bool,
    /// A folder that is a destination too.
    #[serde(with = "paths::kept")]
    pub folder: Option<PathBuf>,
    /// The last good backup of each destination, by its name.
    pub done: BTreeMap<String, Done>,
    /// Why the last try at a destination failed.
    pub failed: BTreeMap<String, String>,
    /// What the user was told once.
    pub told: BTreeSet<String>,
}

/// A good backup.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// When, in milliseconds since the epoch.
    pub time: u64,
    /// Live accounts in it.
    pub accounts: usize,
    /// The version vector of the vault then, devices in hex.
    pub seen: BTreeMap<String, u64>,
    /// SHA-256 of the records in hex.
    pub records: String,
    /// Accounts that are too large for one item there, and so not in it.
    pub left_out: usize,
    /// The highest revision seen of each device's head, devices in hex.
    pub revisions: BTreeMap<String, u64>,
    /// What the devices call themselves whose head is older now than it was, in the last good round.
    pub went_back: Vec<String>,
}

impl Done {
    /// The highest revision seen of each device's head.
    pub fn seen_heads(&self) -> BTreeMap<DeviceId, u64> {
        self.revisions.iter().filter_map(|(device, n)| Some((device.parse().ok()?, *n))).collect()
    }
}

impl Ledger {
    /// What [`Self::is_news`] calls a destination that could not be had, and one whose round failed.
    pub fn topics(destination: &str) -> [String; 2] {
        [format!("without {destination}"), format!("failed {destination}")]
    }

    fn path(state_dir: &Path, vault: VaultId) -> PathBuf {
        state_dir.join("backup").join(format!("{vault}.ron"))
    }

    /// Reads it; what is not there or damaged is as new, and nothing but memory is lost by that.
    pub fn load(state_dir: &Path, vault: VaultId) -> Self {
        let path = Self::path(state_dir, vault);
        let text = path.is_file().then(|| fs::read_to_string(path).ok()).flatten().unwrap_or_default();
        ron::from_str(&text).unwrap_or_default()
    }

    /// Whether the user was not told of this yet; from now on they were. Where that cannot be kept, it is said again.
    pub fn is_news(state_dir: &Path, vault: VaultId, topic: &str) -> bool {
        if Self::load(state_dir, vault).told.contains(topic) {
            return false;
        }
        let _ = Self::change(state_dir, vault, |ledger| {
            ledger.told.insert(topic.to_owned());
        });
        true
    }

    /// Changes it in its file, as that is now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn change(state_dir: &Path, vault: VaultId, change: impl FnOnce(&mut Self)) -> io::Result<()> {
        let mut ledger = Self::load(state_dir, vault);
        change(&mut ledger);
        let text = ron::ser::to_string_pretty(&ledger, ron::ser::PrettyConfig::new().new_line("\n"))
            .expect("texts and numbers can be written as RON");
        paths::replace_private(&Self::path(state_dir, vault), text.as_bytes())
    }
}

/// One lock covers a whole round, wipe or forget: two programs of this machine write as one device.
///
/// # Errors
/// When another round does not end, or no lock file can be made.
pub fn lock(state_dir: &Path, vault: VaultId) -> io::Result<File> {
    let folder = state_dir.join("backup");
    paths::private_dir(&folder)?;
    let file = paths::private_file(&folder.join(format!("{vault}.lock")))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::TimedOut.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_programs_remember_is_joined() {
        let folder = tempfile::tempdir().unwrap();
        let vault = VaultId([1; 16]);
        Ledger::change(folder.path(), vault, |ledger| ledger.off = true).unwrap();
        Ledger::change(folder.path(), vault, |ledger| {
            ledger.told.insert("x".into());
        })
        .unwrap();
        let read = Ledger::load(folder.path(), vault);
        assert!(read.off && read.told.contains("x"));
        assert_eq!(Ledger::load(folder.path(), VaultId([2; 16])), Ledger::default());
    }
}
