//! Finding the policy of this machine and judging who could have written it: it is obeyed only where nobody but the
//! administrator could.
//!
//! Folder and file are opened once, without following links, and what was opened is judged and read: nothing can be
//! put in its place in between. On Windows it is a value of the registry and no file.

use std::io;
use std::path::{Path, PathBuf};

use super::{Policy, parse};
use crate::config::{Mistake, mistake};

/// The greatest policy that is read, in bytes.
const LONGEST: u64 = 64 * 1024;
/// The file's name.
const NAME: &str = "policy.ron";

/// What was found in the policy's place.
#[derive(Debug)]
pub struct Found {
    /// Where it was looked for: a file, on Windows a value of the registry.
    pub path: PathBuf,
    /// What holds; none where there is no file, or it is not obeyed.
    pub policy: Option<Policy>,
    /// Why a file that is there is not obeyed.
    pub trouble: Option<PolicyError>,
}

/// Why a policy is not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is there and cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file or its folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a link, or no plain file in a plain folder.
    #[error("{} is a link, or no plain file", .0.display())]
    NotPlain(PathBuf),
    /// It belongs to somebody else than the administrator.
    #[error("{} belongs to user {owner}", path.display())]
    Owner {
        /// The file or its folder.
        path: PathBuf,
        /// The number of the user.
        owner: u32,
    },
    /// Others may write it.
    #[error("{} can be written by others: {mode:04o}", path.display())]
    Writable {
        /// The file or its folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is a file, where the registry alone sets a policy.
    #[error("{} sets nothing on Windows", .0.display())]
    File(PathBuf),
    /// It is longer than any policy.
    #[error("{} is longer than 64 KiB", .0.display())]
    TooLong(PathBuf),
    /// It says something that is no policy.
    #[error("{}:{mistake}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        mistake: Box<Mistake>,
    },
}

impl Found {
    /// Looks in the usual place.
    pub(super) fn of_this_machine() -> Self {
        // A debug build can be shown another file, which the user may own that runs it.
        #[cfg(all(debug_assertions, unix))]
        if let Some(path) = std::env::var_os("OTPANEL_TEST_POLICY") {
            return Self::at(path.into(), rustix::process::geteuid().as_raw());
        }
        Self::usual()
    }

    #[cfg(windows)]
    fn usual() -> Self {
        use super::registry;

        let place = PathBuf::from(registry::place());
        let file = folder().join(NAME);
        let text = match registry::text() {
            Ok(None) if file.symlink_metadata().is_ok() => Err(PolicyError::File(file)),
            Ok(text) => Ok(text.map(String::into_bytes)),
            Err(source) => Err(PolicyError::Read { path: place.clone(), source }),
        };
        Self::of(place, text)
    }

    #[cfg(unix)]
    fn usual() -> Self {
        Self::at(folder().join(NAME), 0)
    }

    /// Looks at a file that must belong to the user with that number, as must its folder.
    #[cfg(unix)]
    pub fn at(path: PathBuf, owner: u32) -> Self {
        let policy = guarded(&path, owner);
        Self::of(path, policy)
    }

    /// What the bytes of a policy say, if they could be had.
    fn of(path: PathBuf, bytes: Result<Option<Vec<u8>>, PolicyError>) -> Self {
        match bytes.and_then(|bytes| bytes.map(|bytes| read(&path, &bytes)).transpose()) {
            Ok(policy) => Self { path, policy, trouble: None },
            Err(trouble) => Self { path, policy: None, trouble: Some(trouble) },
        }
    }

    /// What holds: the policy, or that everything is allowed.
    pub fn in_force(&self) -> Policy {
        self.policy.clone().unwrap_or_default()
    }
}

/// The folder that only administrators write.
fn folder() -> PathBuf {
    if cfg!(target_os = "macos") {
        PathBuf::from("/Library/Application Support/otpanel")
    } else if cfg!(windows) {
        let data = std::env::var_os("ProgramData").filter(|value| !value.is_empty());
        data.map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from).join("otpanel")
    } else {
        PathBuf::from("/etc/otpanel")
    }
}

fn read(path: &Path, bytes: &[u8]) -> Result<Policy, PolicyError> {
    if bytes.len() as u64 > LONGEST {
        return Err(PolicyError::TooLong(path.to_owned()));
    }
    let user = if bytes.windows(6).any(|part| part == b"{user}") { user(path)? } else { String::new() };
    let policy = mistake::utf8(bytes).and_then(|text| parse(text, &user));
    policy.map_err(|mistake| PolicyError::Text { path: path.to_owned(), mistake: Box::new(mistake) })
}

/// The name of the user who runs this, as the system knows it and not as a variable says it.
fn user(path: &Path) -> Result<String, PolicyError> {
    let fails = |source| PolicyError::Read { path: path.to_owned(), source };
    let name = whoami::username().map_err(|e| fails(io::Error::other(e.to_string())))?;
    let plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0']);
    if plain { Ok(name) } else { Err(fails(io::Error::other("the user's name cannot name a folder"))) }
}

/// The bytes of a file that nobody but its owner could have written; none where it is not there.
#[cfg(unix)]
fn guarded(path: &Path, owner: u32) -> Result<Option<Vec<u8>>, PolicyError> {
    use std::fs::File;
    use std::io::Read as _;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

    use rustix::fs::{Mode, OFlags, openat};
    use rustix::io::Errno;

    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default();
    let fails = |path: &Path, source| PolicyError::Read { path: path.to_owned(), source };
    let plain = |path: &Path, error: io::Error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => Err(PolicyError::NotPlain(path.to_owned())),
        _ if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => Err(fails(path, error)),
    };
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut options = File::options();
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::DIRECTORY).bits() as i32);
    let dir = match options.open(folder) {
        Ok(dir) => dir,
        Err(error) => return plain(folder, error),
    };
    let mut file = match openat(&dir, name, flags | OFlags::RDONLY, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(error) => return plain(path, error.into()),
    };
    let judge = |path: &Path, held: &File| {
        let about = held.metadata().map_err(|source| fails(path, source))?;
        // Rights that an access list gives to others show as those of the group.
        match (about.uid(), about.mode() & 0o7777) {
            (other, _) if other != owner => Err(PolicyError::Owner { path: path.to_owned(), owner: other }),
            (_, mode) if mode & 0o022 != 0 => Err(PolicyError::Writable { path: path.to_owned(), mode }),
            _ => Ok(about),
        }
    };
    judge(folder, &dir)?;
    let about = judge(path, &file)?;
    if !about.is_file() {
        return Err(PolicyError::NotPlain(path.to_owned()));
    }
    let mut bytes = Vec::new();
    (&mut file).take(LONGEST + 1).read_to_end(&mut bytes).map_err(|source| fails(path, source))?;
    Ok(Some(bytes))
}
