//! The vault's file: read, create, save (`docs/vault.md`, "Saving"). One of the two files of this floor that touch the world.

pub(super) mod disk;
mod save;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::envelope::{self, Locked, MAX_FILE_LEN, Unlocked};
use super::reason::Reason;
use super::{conflict, crypto};
use crate::{entropy, paths};
use save::{Copy, Save};

/// Rounds against other writers before a save gives up.
const ROUNDS: usize = 32;
/// How long a save waits for another of our programs.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// Copies beside a vault that one save takes in; the next takes more.
const MAX_COPIES: usize = 64;

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
    /// The new version stands in the vault's place, but the disk did not confirm that it is safe there, or that nothing of
    /// another writer's was displaced. A later save looks after both.
    #[error("{} was written, but not confirmed: {source}", .path.display())]
    Unconfirmed {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
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
    /// The same vault under a key that is not known here: it was given a new one since it was opened. Never overwritten; who
    /// opens it anew joins both.
    #[error("{} was given a new key since it was opened", .0.display())]
    Rekeyed(PathBuf),
    /// Another program kept the file changing, or kept the lock, for too long.
    #[error("another program is writing {}", .0.display())]
    Busy(PathBuf),
    /// What lies there and what is in memory are more than one vault may hold; neither is touched.
    #[error("{} and what is open cannot become one vault: {error}", .path.display())]
    TooMuch {
        /// The file.
        path: PathBuf,
        /// Which limit is in the way.
        error: envelope::Error,
    },
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
    /// This copy beside the vault was not joined: both together are more than one vault may hold.
    CopyLeft(PathBuf),
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
    /// [`FileError::NotAFile`], [`FileError::Denied`], [`FileError::NotAVault`] when it is too long to be one,
    /// [`FileError::Io`].
    pub fn read(&self) -> Result<Option<Vec<u8>>, FileError> {
        disk::read(&self.path, MAX_FILE_LEN)
    }

    /// The vault, parsed and not opened.
    ///
    /// # Errors
    /// As [`Self::read`], [`FileError::Missing`], and what [`Locked::parse`] finds.
    pub fn load(&self) -> Result<Locked, FileError> {
        let bytes = self.read()?.ok_or_else(|| FileError::Missing(self.path.clone()))?;
        Locked::parse(bytes).map_err(|error| refused(&self.path, error))
    }

    /// Writes a new vault where nothing is, making its folder if need be.
    ///
    /// # Errors
    /// [`FileError::Exists`] when something is there, which stays as it is; else as [`Self::save`].
    pub fn create(&self, unlocked: &Unlocked) -> Result<(), FileError> {
        self.create_at(unlocked).map(|_| ())
    }

    /// As [`Self::create`], noting in `unlocked` what was written.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_known(&self, unlocked: &mut Unlocked) -> Result<(), FileError> {
        let digest = self.create_at(unlocked)?;
        unlocked.set_known(digest);
        Ok(())
    }

    fn create_at(&self, unlocked: &Unlocked) -> Result<[u8; 32], FileError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            disk::private_folder(folder).map_err(|e| disk::failure(folder, e))?;
        }
        let target = disk::resolve(&self.path)?;
        if fs::symlink_metadata(&target).is_ok() {
            return Err(FileError::Exists(self.path.clone()));
        }
        let bytes = unlocked.seal(entropy::bytes()).map_err(FileError::Seal)?;
        let temporary = self.temporary(&target);
        disk::write_new(&temporary, &bytes, None).map_err(|e| disk::failure(&target, e))?;
        if let Err(e) = disk::rename_new(&temporary, &target) {
            let _ = fs::remove_file(&temporary);
            return Err(disk::failure(&target, e));
        }
        paths::sync_folder(folder_of(&target)).map_err(|e| {
            // A vault that may be gone after a power cut is not one to begin with.
            let _ = fs::remove_file(&target);
            disk::failure(&target, e)
        })?;
        Ok(crypto::digest(&bytes))
    }

    /// Joins what the file and its conflict copies hold, and writes the whole. Afterwards `unlocked` is
    /// what the file is.
    ///
    /// # Errors
    /// [`FileError`]; the file is as it was then (but for [`FileError::Unconfirmed`]), and `unlocked` holds at least what it held.
    pub fn save(&self, unlocked: &mut Unlocked) -> Result<Saved, FileError> {
        self.save_before(unlocked, Reason::Save)
    }

    /// As [`Self::save`], keeping the old version in the history under a reason: call it for the first save of an import,
    /// a restore or a password change.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn save_before(&self, unlocked: &mut Unlocked, reason: Reason) -> Result<Saved, FileError> {
        self.save_changing(unlocked, reason, &mut |_| Ok(()))
    }

    /// As [`Self::save_before`], with a change that hangs on what others wrote: it is made under the lock, once everything is
    /// joined, and made anew should another writer come between. `unlocked` has it when the save succeeded, and not before.
    ///
    /// # Errors
    /// As [`Self::save`], and [`FileError::Seal`] with what the change says.
    pub fn save_changing(
        &self,
        unlocked: &mut Unlocked,
        reason: Reason,
        change: &mut dyn FnMut(&mut Unlocked) -> Result<(), envelope::Error>,
    ) -> Result<Saved, FileError> {
        let target = disk::resolve(&self.path)?;
        let mut warnings = Vec::new();
        let lock = self.lock(&target)?.map_err(|e| warnings.push(SaveWarning::NoLock(e.to_string()))).ok();
        let mut save = Save::new(self, target, reason, warnings);
        save.take_copies(unlocked, lock.is_some());
        // Each round that does not end here lost a race against another writer, and has taken in what that one wrote.
        for _ in 0..ROUNDS {
            if let Some((digest, written)) = save.round(unlocked, change)? {
                *unlocked = written;
                unlocked.set_known(digest);
                save.keep_written(unlocked.vault_id());
                let conflicts = save.clear_copies(unlocked.vault_id());
                return Ok(Saved { digest, joined: save.joined, conflicts, warnings: save.warnings });
            }
        }
        Err(FileError::Busy(self.path.clone()))
    }

    /// Writes the vault anew where its file has vanished ([`FileError::Vanished`]), because the user said so. Should a file
    /// be there again, joins it.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn recreate(&self, unlocked: &mut Unlocked) -> Result<Saved, FileError> {
        match self.create_known(unlocked) {
            Ok(()) | Err(FileError::Exists(_)) => self.save(unlocked),
            Err(error) => Err(error),
        }
    }

    /// Joins conflict copies beside the vault, without writing anything: call it after opening, and save when it says that
    /// something was joined. The save then moves them to the history.
    pub fn gather(&self, unlocked: &mut Unlocked) -> bool {
        let Ok(target) = disk::resolve(&self.path) else { return false };
        let copies = self.copies(&target, true, unlocked);
        copies.iter().fold(false, |joined, copy| unlocked.absorb_fitting(&copy.vault).unwrap_or(false) | joined)
    }

    /// Opens what lies in the place of an open vault, by its key or by one from before.
    ///
    /// # Errors
    /// [`FileError::WrongVault`], [`FileError::Rekeyed`], [`FileError::Damaged`].
    pub fn open_again(&self, unlocked: &Unlocked, locked: &Locked) -> Result<Unlocked, FileError> {
        if locked.vault_id() != unlocked.vault_id() {
            return Err(FileError::WrongVault(self.path.clone()));
        }
        unlocked.open_copy(locked).map_err(|error| match error {
            envelope::Error::Altered if !unlocked.shares_slot(locked) => FileError::Rekeyed(self.path.clone()),
            error => refused(&self.path, error),
        })
    }

    /// Whether the vault's file is there and may not be written. Looks at permissions, tries nothing.
    pub fn is_read_only(&self) -> bool {
        disk::resolve(&self.path).is_ok_and(|target| disk::is_read_only(&target))
    }

    /// Waits for the lock of a vault, which lies in the state folder, as one beside the vault would be synced. The inner
    /// error: there is no lock to be had at all.
    fn lock(&self, target: &Path) -> Result<io::Result<File>, FileError> {
        let folder = self.state_dir.join("locks");
        let name = data_encoding::HEXLOWER.encode(&crypto::digest(target.as_os_str().as_encoded_bytes())[..16]);
        let path = folder.join(name).with_extension("lock");
        let open = || {
            disk::private_folder(&folder)?;
            disk::open_new(&path).or_else(|_| File::options().write(true).open(&path))
        };
        let file = match open() {
            Ok(file) => file,
            Err(e) => return Ok(Err(e)),
        };
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Ok(file)),
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(e)) => return Ok(Err(e)),
                Err(TryLockError::WouldBlock) => break,
            }
        }
        // The system lets those who wait in one after another; trying again and again, one may never be lucky. Only a thread can
        // be given up on: should the lock come to it too late, it goes with it.
        let (done, locked) = mpsc::channel();
        let wait = move || {
            let taken = loop {
                match file.lock() {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    taken => break taken,
                }
            };
            drop(done.send(taken.map(|()| file)));
        };
        if let Err(e) = thread::Builder::new().name("lock".into()).spawn(wait) {
            return Ok(Err(e));
        }
        match locked.recv_timeout(LOCK_WAIT) {
            Ok(taken) => Ok(taken),
            Err(_) => Err(FileError::Busy(self.path.clone())),
        }
    }

    /// Copies of the vault beside it that open with its key: those of sync tools, and what a crashed save left.
    fn copies(&self, target: &Path, with_ours: bool, unlocked: &Unlocked) -> Vec<Copy> {
        let Some(name) = target.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
        let Ok(names) = paths::names(folder_of(target)) else { return Vec::new() };
        let tag = self.tag();
        let mut found = Vec::new();
        for other in names {
            let path = target.with_file_name(&other);
            let Some(other) = other.to_str() else { continue };
            let ours = with_ours && conflict::is_temporary(name, tag, other);
            if !ours && !conflict::is_copy(name, other) {
                continue;
            }
            let is_plain = fs::symlink_metadata(&path).is_ok_and(|about| about.is_file());
            let Some(bytes) = disk::read(&path, MAX_FILE_LEN).ok().flatten().filter(|_| is_plain) else { continue };
            let vault = Locked::parse(bytes.clone())
                .ok()
                .filter(|locked| locked.vault_id() == unlocked.vault_id())
                .and_then(|locked| unlocked.open_copy(&locked).ok());
            match vault {
                Some(vault) => found.push(Copy { path, bytes, vault, ours }),
                // Half written when the save that made it crashed; its vault was not touched yet.
                None if ours => found.push(Copy { path, bytes: Vec::new(), vault: unlocked.duplicate(), ours }),
                None => {}
            }
            if found.len() == MAX_COPIES {
                break;
            }
        }
        found
    }

    fn temporary(&self, target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let random = u64::from_le_bytes(entropy::bytes());
        target.with_file_name(conflict::temporary_name(&name, self.tag(), random))
    }

    /// Tells the temporary files of this state folder, whose lock guards them, from those of other machines and users.
    fn tag(&self) -> u32 {
        let digest = crypto::digest(self.state_dir.as_os_str().as_encoded_bytes());
        u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

fn folder_of(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Says which file an envelope's error is about.
pub(super) fn refused(path: &Path, error: envelope::Error) -> FileError {
    let path = path.to_owned();
    match error {
        envelope::Error::NotAVault => FileError::NotAVault(path),
        envelope::Error::Newer { major, minor } => FileError::Newer { path, major, minor },
        error => FileError::Damaged { path, error },
    }
}
