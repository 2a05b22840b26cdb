//! Reading what the command line names: a file, a pipe or stdin, within bounds of size and time.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::failure::{Doing, Failure};
use crate::secret::Secret;

/// Reads a file, or stdin for `-`, but no more than `limit` bytes of it.
///
/// # Errors
/// [`Failure::File`]: also for a named pipe that nobody writes to.
pub fn read(path: &Path, limit: u64) -> Result<Secret<Vec<u8>>, Failure> {
    let mut bytes = Secret::new(Vec::new());
    let done = if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(bytes.expose_mut())
    } else {
        open(path, bytes.expose_mut()).and_then(|file| {
            // Room at once: a buffer that grows leaves copies behind.
            let len = file.metadata().map_or(0, |m| m.len()).min(limit);
            bytes.expose_mut().reserve(len as usize + 1);
            file.take(limit).read_to_end(bytes.expose_mut())
        })
    };
    done.map_err(|source| Failure::File { path: path.to_owned(), doing: Doing::Read, source })?;
    Ok(bytes)
}

/// Opens a file for reading. A named pipe is given three seconds to find its writer; opened plainly, one without a
/// writer would hold the program for ever. What was read while looking for the writer goes to `first`.
#[cfg(unix)]
fn open(path: &Path, first: &mut Vec<u8>) -> io::Result<File> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

    const PATIENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };
    let mut file = File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.file_type().is_fifo() && poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&PATIENCE))? == 0 {
        // Silent: a pipe that has a writer says "not yet", one without says "the end".
        let mut byte = [0];
        match file.read(&mut byte) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody writes to this pipe")),
            Ok(_) => first.extend(byte),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

#[cfg(not(unix))]
fn open(path: &Path, _first: &mut Vec<u8>) -> io::Result<File> {
    // Windows says of a folder that access is denied.
    if path.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { File::open(path) }
}
