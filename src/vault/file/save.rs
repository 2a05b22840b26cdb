//! One save at work: rounds of reading, joining, writing and swapping, until the file is what is in memory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::{FileError, Place, SaveWarning, disk, folder_of, refused};
use crate::vault::crypto;
use crate::vault::entry::VaultId;
use crate::vault::envelope::{self, Locked, MAX_FILE_LEN, Unlocked};
use crate::vault::reason::Reason;
use crate::{entropy, paths};

/// An error of the device itself, on every Unix.
const EIO: i32 = 5;

/// A copy of a vault found beside it.
pub(super) struct Copy {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    pub vault: Unlocked,
    /// Left behind by a save of ours that crashed, or displaced by this one; with no bytes when it does not open.
    pub ours: bool,
}

/// A save at work.
pub(super) struct Save<'a> {
    place: &'a Place,
    target: PathBuf,
    reason: Reason,
    pub warnings: Vec<SaveWarning>,
    /// Something from outside was taken in.
    pub joined: bool,
    /// Joined already, to be cleared away once the vault that holds their content is on the disk.
    copies: Vec<Copy>,
    /// What the last round wrote.
    written: Vec<u8>,
}

impl<'a> Save<'a> {
    pub fn new(place: &'a Place, target: PathBuf, reason: Reason, warnings: Vec<SaveWarning>) -> Self {
        Self { place, target, reason, warnings, joined: false, copies: Vec::new(), written: Vec::new() }
    }

    /// Joins the copies beside the vault.
    pub fn take_copies(&mut self, unlocked: &mut Unlocked, locked: bool) {
        // What a crashed save left is touched only under the lock: without it, it may be a save at work.
        for copy in self.place.copies(&self.target, locked, unlocked) {
            match unlocked.absorb_fitting(&copy.vault) {
                Ok(joined) => {
                    self.joined |= joined;
                    self.copies.push(copy);
                }
                Err(_) => self.warn(SaveWarning::CopyLeft(copy.path)),
            }
        }
    }

    /// Read, join, keep the old version, write, swap, look at what was displaced. Gives the digest of the file when it is
    /// what was written, and that; none when another writer came between, and another round is needed.
    pub fn round(
        &mut self,
        unlocked: &mut Unlocked,
        change: &mut dyn FnMut(&mut Unlocked) -> Result<(), envelope::Error>,
    ) -> Result<Option<([u8; 32], Unlocked)>, FileError> {
        let before = self.read_and_join(unlocked)?;
        // Its folder may take another file in its place, but whoever made it read-only wants it as it is.
        if disk::is_read_only(&self.target) {
            return Err(FileError::ReadOnly(self.place.path.clone()));
        }
        let mut changed = unlocked.duplicate();
        change(&mut changed).map_err(FileError::Seal)?;
        let after = changed.seal(entropy::bytes()).map_err(FileError::Seal)?;
        // Once in a save. What other writers bring in between is joined in later rounds; were each of theirs kept, one that
        // writes all the time would push the good versions out.
        if self.written.is_empty()
            && let Err(error) = self.place.keep(unlocked.vault_id(), &before, self.reason)
        {
            self.warn(SaveWarning::NoHistory(error.to_string()));
        }
        #[cfg(unix)]
        if fs::metadata(&self.target).is_ok_and(|about| std::os::unix::fs::MetadataExt::nlink(&about) > 1) {
            self.warn(SaveWarning::HardLinks);
        }
        let temporary = match self.write_beside(&after) {
            Ok(temporary) => temporary,
            Err(e) if disk::is_closed(&e) => return self.in_place(changed, &before, &after),
            Err(e) => return Err(disk::failure(&self.target, e)),
        };
        let done = match disk::exchange(&temporary, &self.target) {
            Ok(()) => self.look_at_displaced(unlocked, &temporary, &before, &after)?,
            Err(e) if e.kind() == io::ErrorKind::Unsupported => {
                self.rename_over(unlocked.vault_id(), &temporary, &before)?
            }
            Err(e) if disk::is_closed(&e) => {
                let _ = fs::remove_file(&temporary);
                return self.in_place(changed, &before, &after);
            }
            // The vault or our temporary file has gone since: look again.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let _ = fs::remove_file(&temporary);
                false
            }
            Err(e) => {
                let _ = fs::remove_file(&temporary);
                return Err(disk::failure(&self.target, e));
            }
        };
        let digest = crypto::digest(&after);
        self.written = after;
        Ok(done.then_some((digest, changed)))
    }

    /// Keeps what was written in the history too: should the file go back or vanish later, nothing of this save is lost. The
    /// next save finds it there and need not keep it, so that each version is written there once.
    pub fn keep_written(&mut self, vault: VaultId) {
        if let Err(error) = self.place.keep(vault, &self.written, Reason::Saved) {
            self.warn(SaveWarning::NoHistory(error.to_string()));
        }
    }

    /// The bytes of the vault as it stands, after taking in what they hold. A file in the middle of being written by
    /// someone else is given a moment.
    fn read_and_join(&mut self, unlocked: &mut Unlocked) -> Result<Vec<u8>, FileError> {
        let mut waits = [50, 200].into_iter();
        loop {
            let path = &self.place.path;
            let found = disk::read(&self.target, MAX_FILE_LEN).and_then(|bytes| {
                bytes.ok_or_else(|| {
                    if unlocked.has_file() {
                        FileError::Vanished(path.clone())
                    } else {
                        FileError::Missing(path.clone())
                    }
                })
            });
            let error = match found {
                // What the round before wrote holds nothing but what is held here, and the change, which is made anew.
                Ok(bytes) if !self.written.is_empty() && bytes == self.written => return Ok(bytes),
                Ok(bytes) if unlocked.knows(&crypto::digest(&bytes)) => return Ok(bytes),
                Ok(bytes) => match join(self.place, unlocked, bytes.clone()) {
                    Ok((_, joined)) => {
                        self.joined |= joined;
                        return Ok(bytes);
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let may_pass = matches!(
                &error,
                FileError::Vanished(_)
                    | FileError::Damaged {
                        error: envelope::Error::Empty
                            | envelope::Error::Truncated { .. }
                            | envelope::Error::Trailing(_)
                            | envelope::Error::Altered,
                        ..
                    }
            );
            match waits.next().filter(|_| may_pass) {
                Some(wait) => thread::sleep(Duration::from_millis(wait)),
                None => return Err(error),
            }
        }
    }

    /// Writes the new version beside the vault. On a disk that fails, once more into another file: a descriptor that has
    /// seen an error cannot be trusted to tell the truth again.
    fn write_beside(&self, after: &[u8]) -> io::Result<PathBuf> {
        let write = || {
            let temporary = self.place.temporary(&self.target);
            disk::write_new(&temporary, after, Some(&self.target)).map(|()| temporary)
        };
        write().or_else(|e| if e.raw_os_error() == Some(EIO) { write() } else { Err(e) })
    }

    /// After the swap: true when what came out is what we had read. If not, another writer was in between, and nothing of
    /// that is lost: it is taken in, or, when it does not open, put back.
    fn look_at_displaced(
        &mut self,
        unlocked: &mut Unlocked,
        temporary: &Path,
        before: &[u8],
        after: &[u8],
    ) -> Result<bool, FileError> {
        let mut waits = [50, 200].into_iter();
        loop {
            // Cleared away by someone: what stood there is in the history, and another round makes sure of the rest.
            let displaced = disk::read(temporary, MAX_FILE_LEN).map_err(|error| self.unconfirmed(error))?;
            let Some(bytes) = displaced else { return Ok(false) };
            if bytes == before {
                self.sync()?;
                let _ = fs::remove_file(temporary);
                return Ok(true);
            }
            match join(self.place, unlocked, bytes.clone()) {
                Ok((vault, joined)) => {
                    self.joined |= joined;
                    self.copies.push(Copy { path: temporary.to_owned(), bytes, vault, ours: true });
                    return Ok(false);
                }
                Err(error) => {
                    if let Some(wait) = waits.next() {
                        thread::sleep(Duration::from_millis(wait));
                        continue;
                    }
                    let _ = self.place.keep(unlocked.vault_id(), &bytes, Reason::Unreadable);
                    if disk::exchange(temporary, &self.target).is_ok()
                        && fs::read(temporary).is_ok_and(|bytes| bytes == after)
                    {
                        let _ = fs::remove_file(temporary);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Where nothing can be swapped: look once more, then rename. A writer in the moment between is lost to the vault, and
    /// its predecessor is in the history.
    fn rename_over(&mut self, vault: VaultId, temporary: &Path, before: &[u8]) -> Result<bool, FileError> {
        if let Err(error) = self.place.keep(vault, before, self.reason) {
            self.warn(SaveWarning::NoHistory(error.to_string()));
        }
        let unchanged = disk::read(&self.target, MAX_FILE_LEN)?.as_deref() == Some(before);
        if !unchanged {
            let _ = fs::remove_file(temporary);
            return Ok(false);
        }
        paths::patiently(|| fs::rename(temporary, &self.target)).map_err(|e| {
            let _ = fs::remove_file(temporary);
            disk::failure(&self.target, e)
        })?;
        self.sync()?;
        Ok(true)
    }

    /// Puts the swapped names down to the disk.
    fn sync(&self) -> Result<(), FileError> {
        paths::sync_folder(folder_of(&self.target))
            .map_err(|source| FileError::Unconfirmed { path: self.target.clone(), source })
    }

    /// What could not be looked at after the swap.
    fn unconfirmed(&self, error: FileError) -> FileError {
        match error {
            FileError::Io { source, .. } => FileError::Unconfirmed { path: self.target.clone(), source },
            FileError::Denied(_) => {
                FileError::Unconfirmed { path: self.target.clone(), source: io::ErrorKind::PermissionDenied.into() }
            }
            other => other,
        }
    }

    /// Where the folder takes no new file: over the old one, once that is safe in the history.
    fn in_place(
        &mut self,
        changed: Unlocked,
        before: &[u8],
        after: &[u8],
    ) -> Result<Option<([u8; 32], Unlocked)>, FileError> {
        if File::options().write(true).open(&self.target).is_err_and(|e| disk::is_closed(&e)) {
            return Err(FileError::ReadOnly(self.place.path.clone()));
        }
        self.place.keep(changed.vault_id(), before, self.reason)?;
        if disk::read(&self.target, MAX_FILE_LEN)?.as_deref() != Some(before) {
            return Ok(None);
        }
        disk::overwrite(&self.target, before, after).map_err(|e| disk::failure(&self.target, e))?;
        self.warn(SaveWarning::InPlace);
        self.written = after.to_vec();
        Ok(Some((crypto::digest(after), changed)))
    }

    /// Moves what was joined to the history. Gives the paths of the sync tools' copies that went there.
    pub fn clear_copies(&mut self, vault: VaultId) -> Vec<PathBuf> {
        let mut moved = Vec::new();
        for copy in self.copies.drain(..) {
            if copy.ours && copy.bytes.is_empty() {
                let _ = fs::remove_file(&copy.path);
                continue;
            }
            let unchanged = disk::read(&copy.path, MAX_FILE_LEN).is_ok_and(|now| now.as_ref() == Some(&copy.bytes));
            if !unchanged || self.place.keep(vault, &copy.bytes, Reason::Conflict).is_err() {
                continue;
            }
            if fs::remove_file(&copy.path).is_ok() && !copy.ours {
                moved.push(copy.path);
            }
        }
        moved
    }

    fn warn(&mut self, warning: SaveWarning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// Opens the vault's bytes with the key in hand and takes in what they hold. Gives that, and whether something was new.
fn join(place: &Place, unlocked: &mut Unlocked, bytes: Vec<u8>) -> Result<(Unlocked, bool), FileError> {
    let locked = Locked::parse(bytes).map_err(|error| refused(&place.path, error))?;
    let other = place.open_again(unlocked, &locked)?;
    let joined = unlocked.absorb_fitting(&other);
    joined.map(|joined| (other, joined)).map_err(|error| FileError::TooMuch { path: place.path.clone(), error })
}
