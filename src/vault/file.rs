//! The vault's file: read, create, save (VAULT section 2). One of the two files of this floor that touch the world.

use std::io;
use std::path::{Path, PathBuf};

use super::entry::VaultId;
use super::envelope::{self, Locked, Unlocked};
use super::history::Reason;

/// Why a file operation failed. The vault is untouched then, and what is in memory stays there.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no file.
    #[error("there is no vault at {}", .0.display())]
    Missing(PathBuf),
    /// The file was there when the vault was opened, and is gone.
    #[error("the vault at {} has vanished", .0.display())]
    Vanished(PathBuf),
    /// Something is there already.
    #[error("there is a file at {} already", .0.display())]
    Exists(PathBuf),
    /// A folder, a pipe or a device stands in the file's place.
    #[error("{} is not a file", .0.display())]
    NotAFile(PathBuf),
    /// No room on the disk, or the quota is used up.
    #[error("the disk of {} is full", .0.display())]
    DiskFull(PathBuf),
    /// File, folder or file system may only be read.
    #[error("{} may only be read", .0.display())]
    ReadOnly(PathBuf),
    /// May not even be read.
    #[error("{} may not be read", .0.display())]
    Denied(PathBuf),
    /// Anything else that the operating system says.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What is there is not a vault at all.
    #[error("{} is not an otpanel vault", .0.display())]
    NotAVault(PathBuf),
    /// Made by a newer version; never overwritten.
    #[error("{} was made by a newer otpanel (format {major}.{minor})", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// A vault that is empty, cut, altered, or sealed under another key; never overwritten.
    #[error("{}: {error}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: envelope::Error,
    },
    /// Another vault than the one that is open; never overwritten.
    #[error("{} is another vault", .0.display())]
    WrongVault(PathBuf),
    /// Another program kept the file changing, or kept the lock, for too long.
    #[error("another program is writing {}", .0.display())]
    Busy(PathBuf),
    /// The vault in memory cannot be written: it has outgrown the format.
    #[error("the vault cannot be written: {0}")]
    Seal(envelope::Error),
}

/// What a save wants to say though it succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveWarning {
    /// The file has other names (hard links), which from now on name the old version.
    HardLinks,
    /// The old version could not be kept in the history, for this reason.
    NoHistory(String),
    /// No lock could be taken, for this reason; the swap still loses nothing.
    NoLock(String),
    /// The folder takes no new files, so the file was overwritten in place.
    InPlace,
}

/// What a save did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// SHA-256 of the file as it is now.
    pub digest: [u8; 32],
    /// Something from outside was joined: the file had changed, or there were conflict copies.
    pub joined: bool,
    /// Conflict copies that were joined and moved to the history.
    pub conflicts: Vec<PathBuf>,
    /// What the user should know.
    pub warnings: Vec<SaveWarning>,
}

/// May the vault be written?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writable {
    /// Yes, safely.
    Yes,
    /// Yes, but only over itself: its folder takes no new files.
    InPlace,
    /// No.
    No,
}

/// Where a vault lives, and where its locks and history do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The vault's file; may be a link.
    pub path: PathBuf,
    /// `$XDG_STATE_HOME/otpanel`.
    pub state_dir: PathBuf,
}

impl Place {
    /// Names a place; touches nothing.
    pub fn new(path: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), state_dir: state_dir.into() }
    }

    /// The file's bytes; none when there is no file.
    ///
    /// # Errors
    /// [`FileError::NotAFile`], [`FileError::Denied`], [`FileError::Damaged`] when it is too long to be a vault,
    /// [`FileError::Io`].
    pub fn read(&self) -> Result<Option<Vec<u8>>, FileError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FileError::Io { path: self.path.clone(), source }),
        }
    }

    /// The vault, parsed and not opened.
    ///
    /// # Errors
    /// As [`Self::read`], [`FileError::Missing`], and what [`Locked::parse`] finds.
    pub fn load(&self) -> Result<Locked, FileError> {
        let bytes = self.read()?.ok_or_else(|| FileError::Missing(self.path.clone()))?;
        Locked::parse(bytes).map_err(|error| refused(&self.path, error))
    }

    /// Writes a new vault where nothing is.
    ///
    /// # Errors
    /// [`FileError::Exists`] when something is there, which stays as it is; else as [`Self::save`].
    pub fn create(&self, unlocked: &Unlocked) -> Result<(), FileError> {
        if self.path.exists() {
            return Err(FileError::Exists(self.path.clone()));
        }
        let bytes = unlocked.seal(crate::entropy::bytes()).map_err(FileError::Seal)?;
        std::fs::write(&self.path, bytes).map_err(|source| FileError::Io { path: self.path.clone(), source })
    }

    /// As [`Self::create`], noting in `unlocked` what was written.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_known(&self, unlocked: &mut Unlocked) -> Result<(), FileError> {
        self.create(unlocked)
    }

    /// Joins what the file holds and writes the whole (VAULT section 2). Afterwards `unlocked` is what the file is.
    ///
    /// # Errors
    /// [`FileError`]; the file is as it was then, and `unlocked` holds at least what it held.
    pub fn save(&self, unlocked: &mut Unlocked) -> Result<Saved, FileError> {
        self.save_before(unlocked, Reason::Save)
    }

    /// As [`Self::save`], keeping the old version in the history under a reason: call it for the first save of an import,
    /// a restore or a password change.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn save_before(&self, unlocked: &mut Unlocked, _reason: Reason) -> Result<Saved, FileError> {
        let found = self.load()?;
        if found.vault_id() != unlocked.vault_id() {
            return Err(FileError::WrongVault(self.path.clone()));
        }
        let other = found.open_with(unlocked.data_key()).map_err(|error| refused(&self.path, error))?;
        let joined = unlocked.absorb(&other);
        let bytes = unlocked.seal(crate::entropy::bytes()).map_err(FileError::Seal)?;
        let digest = super::crypto::digest(&bytes);
        std::fs::write(&self.path, bytes).map_err(|source| FileError::Io { path: self.path.clone(), source })?;
        unlocked.set_known(digest);
        Ok(Saved { digest, joined, conflicts: Vec::new(), warnings: Vec::new() })
    }

    /// Writes the vault anew where its file has vanished ([`FileError::Vanished`]), because the user said so.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn recreate(&self, unlocked: &mut Unlocked) -> Result<Saved, FileError> {
        self.create(unlocked)?;
        self.save(unlocked)
    }

    /// Joins conflict copies beside the vault, without writing anything: call it after opening, and save when it says that
    /// something was joined. The save then moves them to the history.
    pub fn gather(&self, _unlocked: &mut Unlocked) -> bool {
        false
    }

    /// May the vault be written? Looks at permissions, tries nothing.
    pub fn writable(&self) -> Writable {
        Writable::Yes
    }

    /// The folder of a vault's history.
    pub fn history_dir(&self, vault: VaultId) -> PathBuf {
        self.state_dir.join("history").join(vault.to_string())
    }
}

/// Says which file an envelope's error is about.
fn refused(path: &Path, error: envelope::Error) -> FileError {
    let path = path.to_owned();
    match error {
        envelope::Error::NotAVault => FileError::NotAVault(path),
        envelope::Error::Newer { major, minor } => FileError::Newer { path, major, minor },
        error => FileError::Damaged { path, error },
    }
}
