//! Where files lie, and making files and folders that only their owner can read. It knows names, not what is in them.
//!
//! Places follow the platform: XDG on Linux and other Unix systems, `Application Support` on macOS, `AppData` on Windows.
//! The XDG variables are honoured everywhere; one that is not absolute is ignored, as their specification asks.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, Windows};

pub mod kept;

/// The folder of ours in each place.
const NAME: &str = "otpanel";

/// Where everything lies. Nothing here need exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The settings.
    pub config_file: PathBuf,
    /// An option named the settings file: it must be there then.
    pub config_named: bool,
    /// The vault.
    pub vault_file: PathBuf,
    /// What belongs to this machine alone: locks, history, the device's id, the log. One for all profiles, so that two
    /// ways to one vault meet at one lock; what lies there is named by vault.
    pub state_dir: PathBuf,
    /// The log.
    pub log_file: PathBuf,
    /// The profile, where one was asked for.
    pub profile: Option<String>,
}

/// Why a place could not be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathsError {
    /// The system names no home folder.
    #[error("the home folder is not known: HOME is not set")]
    NoHome,
    /// A profile's name that could not name a folder everywhere.
    #[error("`{0}` cannot name a profile: letters, digits, - and _ can, at most 64 of them")]
    Profile(String),
    /// A path that was given and means nothing.
    #[error("the path of the {0} is empty")]
    Empty(&'static str),
}

impl Paths {
    /// Finds the places from what the command line gave and the environment.
    ///
    /// The vault is the one given, else the profile's, else that of `OTPANEL_VAULT`, else the usual one. The settings
    /// are those given, else `OTPANEL_CONFIG`, else the usual ones.
    ///
    /// # Errors
    /// [`PathsError`].
    pub fn from_env(
        vault: Option<PathBuf>,
        config: Option<PathBuf>,
        profile: Option<&str>,
    ) -> Result<Self, PathsError> {
        Self::resolve(vault, config, profile, &|name| std::env::var_os(name))
    }

    /// As [`Self::from_env`], with an environment of the caller's.
    ///
    /// # Errors
    /// [`PathsError`].
    pub fn resolve(
        vault: Option<PathBuf>,
        config: Option<PathBuf>,
        profile: Option<&str>,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, PathsError> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let base = |variable: &str, usual: fn(&Home) -> PathBuf| match set(variable).map(PathBuf::from) {
            Some(path) if path.is_absolute() => Ok(path.join(NAME)),
            _ => Home::find(&set).map(|home| usual(&home)),
        };
        let own_vault = match profile.map(checked).transpose()? {
            Some(name) => Some(base("XDG_DATA_HOME", Home::data)?.join("profiles").join(name).join("vault.otpv")),
            None => set("OTPANEL_VAULT").map(PathBuf::from),
        };
        let vault_file = match vault.or(own_vault) {
            Some(path) => absolute(path, "vault")?,
            None => base("XDG_DATA_HOME", Home::data)?.join("vault.otpv"),
        };
        let config_named = config.is_some();
        let config_file = match config.or_else(|| set("OTPANEL_CONFIG").map(PathBuf::from)) {
            Some(path) => absolute(path, "settings")?,
            None => base("XDG_CONFIG_HOME", Home::config)?.join("config.ron"),
        };
        let state_dir = base("XDG_STATE_HOME", Home::state)?;
        let log_file = state_dir.join("otpanel.log");
        Ok(Self { config_file, config_named, vault_file, state_dir, log_file, profile: profile.map(str::to_owned) })
    }
}

/// The user's own folder, and what the platform keeps where below it.
struct Home(PathBuf);

impl Home {
    fn find(set: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, PathsError> {
        let named = set("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| etcetera::home_dir().ok()).map(Self).ok_or(PathsError::NoHome)
    }

    fn config(&self) -> PathBuf {
        if cfg!(any(target_os = "macos", windows)) { self.data() } else { self.0.join(".config").join(NAME) }
    }

    fn data(&self) -> PathBuf {
        if cfg!(target_os = "macos") {
            self.0.join("Library/Application Support").join(NAME)
        } else if cfg!(windows) {
            Windows::new().map_or_else(|_| self.0.join("AppData/Roaming"), |places| places.data_dir()).join(NAME)
        } else {
            self.0.join(".local/share").join(NAME)
        }
    }

    fn state(&self) -> PathBuf {
        if cfg!(target_os = "macos") {
            self.data().join("state")
        } else if cfg!(windows) {
            // What roams with the user must not hold what belongs to one machine.
            Windows::new().map_or_else(|_| self.0.join("AppData/Local"), |places| places.cache_dir()).join(NAME)
        } else {
            self.0.join(".local/state").join(NAME)
        }
    }
}

fn checked(profile: &str) -> Result<&str, PathsError> {
    let good = (1..=64).contains(&profile.len())
        && profile.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if good {
        Ok(profile)
    } else {
        Err(PathsError::Profile(profile.chars().filter(|c| !c.is_control()).take(64).collect()))
    }
}

/// Keeps a path right when the working folder changes; links stay as they are.
fn absolute(path: PathBuf, what: &'static str) -> Result<PathBuf, PathsError> {
    if path.as_os_str().is_empty() {
        return Err(PathsError::Empty(what));
    }
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// The user's own folder, where the system names one.
pub fn home() -> Option<PathBuf> {
    Home::find(&|name| std::env::var_os(name)).ok().map(|home| home.0)
}

/// A path with `~` at its start resolved, where the home is known.
pub fn from_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// The whole path of what is there, links followed; on Windows in the form that people know (`C:\…`, not `\\?\C:\…`).
///
/// # Errors
/// What the system says.
pub fn real(path: &Path) -> io::Result<PathBuf> {
    dunce::canonicalize(path)
}

/// Makes a folder, and those above it that are missing, for the owner alone (0700) whatever the umask. Folders that
/// are there stay as they are: they may be the user's own.
///
/// # Errors
/// What the system says.
pub fn private_dir(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        private_dir(parent)?;
    }
    let mut builder = DirBuilder::new();
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Another otpanel was quicker.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        // Of something else in its place `exists` would be said as if that were good.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(io::ErrorKind::NotADirectory.into()),
        Err(e) => Err(e),
        Ok(()) => only_owner(&fs::metadata(path)?, |mode| fs::set_permissions(path, mode), 0o700),
    }
}

/// Opens a file of ours for appending, made where it is missing, for the owner alone (0600) whatever the umask and
/// whatever it was before.
///
/// # Errors
/// What the system says.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    only_owner(&file.metadata()?, |mode| file.set_permissions(mode), 0o600)?;
    Ok(file)
}

/// Puts bytes in place of a file of ours at once, by a new file beside it and a rename, for the owner alone (0600). Its
/// folder is made where it is missing. A crash leaves the old file or the new one, whole.
///
/// # Errors
/// What the system says; the old file stands then.
pub fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    private_dir(folder)?;
    clear_unfinished(folder);
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    only_owner(&file.as_file().metadata()?, |mode| file.as_file().set_permissions(mode), 0o600)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let mut file = Some(file.into_temp_path());
    patiently(|| match file.take().map(|file| file.persist(path)) {
        None | Some(Ok(())) => Ok(()),
        Some(Err(e)) => {
            file = Some(e.path);
            Err(e.error)
        }
    })?;
    sync_folder(folder)
}

/// Gives a file another's name. On Windows that cannot be done while somebody holds the other open, as virus scanners and
/// sync tools do for a moment: then again, for a second at most.
///
/// # Errors
/// What the system says; both files are as they were then.
pub fn patiently(mut rename: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    // ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION
    let held = |e: &io::Error| cfg!(windows) && matches!(e.raw_os_error(), Some(5 | 32));
    for millis in [20, 80, 200, 700] {
        match rename() {
            Err(e) if held(&e) => std::thread::sleep(std::time::Duration::from_millis(millis)),
            done => return done,
        }
    }
    rename()
}

/// Puts the names in a folder down to the disk, where a folder can be.
///
/// # Errors
/// What the system said.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match fs::File::open(path).and_then(|folder| folder.sync_all()) {
        // Some network file systems cannot, and folders that may be used but not listed cannot be opened.
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) => {}
        done => done?,
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The names in a folder, in no order. Not by [`fs::read_dir`], which panics where the system fails to close the folder.
///
/// # Errors
/// What the system said.
pub fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    #[cfg(unix)]
    {
        use rustix::fs::{Dir, Mode, OFlags, open};
        use std::os::unix::ffi::OsStrExt;
        let list = || -> Result<Vec<OsString>, rustix::io::Errno> {
            let opened = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let mut names = Vec::new();
            for entry in Dir::new(opened)? {
                let name = std::ffi::OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
                if name != "." && name != ".." {
                    names.push(name);
                }
            }
            Ok(names)
        };
        loop {
            match list() {
                Err(rustix::io::Errno::INTR) => {}
                done => return done.map_err(io::Error::from),
            }
        }
    }
    #[cfg(not(unix))]
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// How files are called that are being written.
const UNFINISHED: &str = ".otpanel-";

/// Removes what a crash left half written, once it is an hour old.
fn clear_unfinished(folder: &Path) {
    let names = names(folder).unwrap_or_default();
    for path in names.iter().filter(|name| name.to_string_lossy().starts_with(UNFINISHED)).map(|name| folder.join(name))
    {
        let age = fs::symlink_metadata(&path).and_then(|about| about.modified()).map(|time| time.elapsed());
        if age.is_ok_and(|age| age.is_ok_and(|age| age.as_secs() > 3600)) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Takes away whatever others may do, and gives the owner what the mode says. Windows has no modes: the user's own
/// folders are closed to others there.
#[cfg(unix)]
fn only_owner(now: &fs::Metadata, set: impl FnOnce(fs::Permissions) -> io::Result<()>, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if now.permissions().mode() & 0o777 == mode { Ok(()) } else { set(fs::Permissions::from_mode(mode)) }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "modes can fail to be set where there are some")]
fn only_owner(_now: &fs::Metadata, _set: impl FnOnce(fs::Permissions) -> io::Result<()>, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
