//! The few steps on a disk that a save is made of, each as careful as the platform allows. Knows paths and bytes, no
//! vault.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::FileError;
use crate::paths::{real, sync_folder};

/// Reads a file of at most `limit` bytes; none when there is none. Never waits for a pipe, never reads a device.
pub fn read(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, FileError> {
    let failed = |e: io::Error| match e.kind() {
        // Windows says of a folder that access is denied.
        io::ErrorKind::PermissionDenied if path.is_dir() => FileError::NotAFile(path.to_owned()),
        io::ErrorKind::PermissionDenied => FileError::Denied(path.to_owned()),
        _ => FileError::Io { path: path.to_owned(), source: e },
    };
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(FileError::NotAFile(path.to_owned()));
    }
    let mut bytes = Vec::with_capacity((about.len() as usize).min(limit) + 1);
    Read::by_ref(&mut file).take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit { Err(FileError::NotAVault(path.to_owned())) } else { Ok(Some(bytes)) }
}

/// The file that a path means, links followed, whether or not it is there. Its folder must be.
pub fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    let mut path = path.to_owned();
    for _ in 0..40 {
        let failed = |source| FileError::Io { path: path.clone(), source };
        let name = path.file_name().ok_or_else(|| FileError::NotAFile(path.clone()))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let full = real(parent).map_err(failed)?.join(name);
        match fs::read_link(&full) {
            Ok(target) => path = full.with_file_name("").join(target),
            Err(_) => return Ok(full),
        }
    }
    Err(FileError::NotAFile(path))
}

/// Makes a folder, and those above it that are missing, for the user alone, whatever the umask.
pub fn private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        private_folder(parent)?;
    }
    #[cfg(unix)]
    let made = std::os::unix::fs::DirBuilderExt::mode(&mut fs::DirBuilder::new(), 0o700).create(path);
    #[cfg(not(unix))]
    let made = fs::create_dir(path);
    match made {
        // Its name too must be on the disk, or what is synced inside it goes with it in a power cut. Where the folder above
        // cannot be synced, that is no reason to stop.
        Ok(()) => {
            let _ = path.parent().filter(|parent| !parent.as_os_str().is_empty()).map(sync_folder);
            restrict_folder(path)
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(e) => Err(e),
    }
}

/// Takes a folder away from everybody but its owner.
#[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "modes can fail to be set where there are some"))]
pub fn restrict_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Writes a new file for the user alone, down to the disk. Nothing is left behind when it fails. `like` is a file whose
/// owner it gets, where that may be set.
pub fn write_new(path: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
    let written = open_new(path).and_then(|mut file| fill(&mut file, bytes, like));
    // Something that was there before is not ours to remove.
    if written.as_ref().is_err_and(|e| e.kind() != io::ErrorKind::AlreadyExists) {
        let _ = fs::remove_file(path);
    }
    written
}

/// An empty file that was not there before, and is no link; for the user alone, whatever the umask.
pub fn open_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn fill(file: &mut File, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        if let Some(like) = like.and_then(|path| fs::metadata(path).ok()) {
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
                // So that a save by root does not lock the user out. Nobody else may, and then nothing is lost.
                let _ = fchown(&*file, Some(like.uid()), Some(like.gid()));
            }
        }
    }
    #[cfg(not(unix))]
    let _ = like;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Swaps two files in one step. [`io::ErrorKind::Unsupported`] where system or file system cannot.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(unsupported)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (one, other);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Gives a file its final name, unless something has that name.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(unsupported) {
            Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
            done => return done,
        }
    }
    // A second name is never given to a name that is taken; then the first name goes.
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        // No links either (FAT): write it there anew, which is not one step but replaces nothing.
        Err(_) => {
            let bytes = fs::read(from)?;
            write_new(to, &bytes, None)?;
            fs::remove_file(from)
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn unsupported(e: rustix::io::Errno) -> io::Error {
    use rustix::io::Errno;
    if [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&e) {
        io::ErrorKind::Unsupported.into()
    } else {
        e.into()
    }
}

/// Whether a file is there and may not be written.
pub fn is_read_only(path: &Path) -> bool {
    #[cfg(unix)]
    let may = rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    #[cfg(not(unix))]
    let may = fs::metadata(path).is_ok_and(|about| !about.permissions().readonly());
    !may && fs::symlink_metadata(path).is_ok()
}

/// Writes over a file that is there, keeping the file itself: for one that is mounted by itself, or whose folder takes no new
/// files. When it fails, the old bytes are put back as far as that goes.
pub fn overwrite(path: &Path, before: &[u8], after: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    let mut file = options.open(path)?;
    let put = |file: &mut File, bytes: &[u8]| -> io::Result<()> {
        io::Seek::rewind(file)?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()
    };
    put(&mut file, after).inspect_err(|_| {
        let _ = put(&mut file, before);
    })
}

/// True when a folder or a file cannot be written in the usual way, and perhaps in another.
pub fn is_closed(e: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(e.kind(), K::PermissionDenied | K::ReadOnlyFilesystem | K::ResourceBusy | K::CrossesDevices)
}

/// What a failed write means.
pub fn failure(path: &Path, e: io::Error) -> FileError {
    use io::ErrorKind as K;
    let path = path.to_owned();
    match e.kind() {
        K::StorageFull | K::QuotaExceeded => FileError::DiskFull(path),
        K::ReadOnlyFilesystem | K::PermissionDenied => FileError::ReadOnly(path),
        K::AlreadyExists => FileError::Exists(path),
        _ => FileError::Io { path, source: e },
    }
}
