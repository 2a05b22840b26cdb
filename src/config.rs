//! The settings: what `config.ron` may say, its defaults and bounds, and reading it. It knows no terminal, no vault and
//! no key: the names of keys and themes stay texts here, and the floors above give them meaning.
//!
//! A file says only what differs from the defaults. A section of [`Profiles`] says what differs again for one profile.
//! Every setting is named once, in the tables below, which make both the settings and the shape of the file
//! (`layer.rs`); `config.example.ron` explains each to users.

mod lasting;
pub(crate) mod layer;
pub(crate) mod mistake;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

pub use lasting::Lasting;
use layer::{Lay, Named, Plain, Within, settings};
pub use mistake::Mistake;

settings! {
    /// Every setting, as in force.
    pub struct Config from ConfigLayer named "Config" {
        /// Seconds without a key press until the panel locks; 0 never.
        idle_lock_secs: u32 as Within<0, 86_400> = 300,
        /// What opens a locked panel again.
        lock_unlocks_with: LockUnlocksWith as Plain<LockUnlocksWith> = LockUnlocksWith::Keychain,
        /// How the vault opens.
        unlock: Unlock as UnlockLayer = Unlock::default(),
        /// How codes are copied.
        clipboard: Clipboard as ClipboardLayer = Clipboard::default(),
        /// Shows the next code dim beside the one that is about to end.
        show_next: bool as Plain<bool> = true,
        /// Seconds before its end from which a code warns; 0 never.
        warn_secs: u32 as Within<0, 60> = 5,
        /// Starts with the codes hidden.
        hide_codes: bool as Plain<bool> = false,
        /// Asks before an account goes to the trash.
        confirm_delete: bool as Plain<bool> = true,
        /// Which signs the panel draws with.
        glyphs: Glyphs as Plain<Glyphs> = Glyphs::Auto,
        /// Puts a letter or two of the issuer, in its colour, before each row.
        monograms: bool as Plain<bool> = false,
        /// The name of a theme.
        theme: String as Plain<String> = String::from("terminal"),
        /// Listens to the mouse.
        mouse: bool as Plain<bool> = true,
        /// Plain text without boxes, for screen readers.
        accessible: bool as Plain<bool> = false,
        /// Days until the trash is emptied of an account; 0 never.
        trash_days: u32 as Within<0, 3_650> = 30,
        /// Seconds added to the computer's clock when codes are made.
        clock_offset_secs: i64 as Within<{ -86_400 }, 86_400> = 0,
        /// Which old copies of the vault are kept.
        history: History as HistoryLayer = History::default(),
        /// How hard passwords are made to guess.
        kdf: Kdf as KdfLayer = Kdf::default(),
        /// The backup of accounts.
        backup: Backup as BackupLayer = Backup::default(),
        /// What is written to the log.
        log: Log as Plain<Log> = Log::Off,
        /// The keys of each action by its name; actions that are not named keep their own.
        keys: BTreeMap<String, Vec<String>> as Named<Vec<String>> = BTreeMap::new(),
        /// What differs for each profile.
        #[serde(skip_serializing)]
        profiles: Profiles as Named<ConfigLayer> = Profiles::default(),
    }
}

settings! {
    /// How the vault opens.
    pub struct Unlock from UnlockLayer named "Unlock" {
        /// How long the kernel keeps the key for the next command or panel of this login session.
        remember: Lasting as Plain<Lasting> = Lasting::OFF,
    }
}

settings! {
    /// How codes are copied.
    pub struct Clipboard from ClipboardLayer named "Clipboard" {
        /// Seconds until a copied code is cleared; 0 never.
        clear_secs: u32 as Within<0, 3_600> = 30,
        /// The way to the clipboard.
        method: Method as Plain<Method> = Method::Auto,
    }
}

settings! {
    /// Which old copies of the vault are kept.
    pub struct History from HistoryLayer named "History" {
        /// The last saves.
        saves: u32 as Within<1, 1_000> = 20,
        /// Days of which one copy is kept.
        days: u32 as Within<0, 3_650> = 30,
        /// Months of which one copy is kept.
        months: u32 as Within<0, 120> = 12,
        /// MiB that all copies may take together.
        max_mib: u32 as Within<1, 10_240> = 64,
    }
}

settings! {
    /// How hard passwords are made to guess.
    pub struct Kdf from KdfLayer named "Kdf" {
        /// Milliseconds that deriving a key should take on this machine when a password is set.
        target_ms: u32 as Within<50, 10_000> = 500,
    }
}

settings! {
    /// The backup of accounts.
    pub struct Backup from BackupLayer named "Backup" {
        /// Keeps a sealed copy in the platform's keychain, or the folder that `otpanel backup enable --folder` named.
        enabled: bool as Plain<bool> = true,
    }
}

/// What opens a locked panel again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum LockUnlocksWith {
    /// The keychain where the vault has a slot for it, else the password.
    Keychain,
    /// The password where the vault has one, else the keychain.
    Password,
}

/// The way to the clipboard.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub enum Method {
    /// tmux inside tmux, OSC 52 over SSH, else native.
    Auto,
    /// The system's own: X11, Wayland, macOS, Windows.
    Native,
    /// The terminal's, by the escape sequence OSC 52.
    Osc52,
    /// tmux's buffer and the terminal behind it.
    Tmux,
    /// A program that reads the code from its input.
    Command(Vec<String>),
    /// None: nothing is ever copied.
    Off,
}

/// Which signs the panel draws with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum Glyphs {
    /// Unicode, or ASCII where the locale names another charset than UTF-8.
    Auto,
    /// Blocks and marks, as most terminals draw them.
    Unicode,
    /// ASCII alone.
    Ascii,
}

/// What is written to the log. Names, counts and durations only, whichever is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum Log {
    /// Nothing.
    Off,
    /// What happened.
    Info,
    /// Each step of it too.
    Debug,
}

/// What differs for each profile, by its name. Taken up by [`Config::profile`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profiles(BTreeMap<String, ConfigLayer>);

impl Lay<Profiles> for Named<ConfigLayer> {
    fn lay(self, onto: &mut Profiles) {
        self.lay(&mut onto.0);
    }
}

/// A settings file has a few KiB; one of more is another file.
const MOST_BYTES: u64 = 1 << 20;

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file says something that is no setting.
    #[error("{}:{mistake}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        mistake: Box<Mistake>,
    },
}

impl Config {
    /// The file that explains every setting and says its default.
    pub const fn example() -> &'static str {
        include_str!("../config.example.ron")
    }

    /// Reads a file; one that is missing says nothing, so all is as by default.
    ///
    /// # Errors
    /// [`ConfigError`] with the place of the mistake.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
        };
        mistake::utf8(&bytes)
            .and_then(parse)
            .map_err(|mistake| ConfigError::Text { path: path.to_owned(), mistake: Box::new(mistake) })
    }

    /// Refuses a file that somebody named and that is not there: in its stead the defaults would rule in silence.
    ///
    /// # Errors
    /// [`ConfigError::Read`].
    pub fn must_be_there(path: &Path, named: bool) -> Result<(), ConfigError> {
        let there = if named { fs::metadata(path).map(drop) } else { Ok(()) };
        there.map_err(|source| ConfigError::Read { path: path.to_owned(), source })
    }

    /// Reads a file as [`Self::load`] does, for a profile where one is named.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_for(path: &Path, profile: Option<&str>) -> Result<Self, ConfigError> {
        let config = Self::load(path)?;
        Ok(match profile {
            Some(name) => config.profile(name),
            None => config,
        })
    }

    /// What is well written and yet cannot work, as sentences without their ends. Keys and themes have meanings that only the
    /// floors above know.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Method::Command(words) = &self.clipboard.method
            && words.first().is_none_or(|program| program.trim().is_empty())
        {
            problems.push(String::from("clipboard: the method Command names no program, so nothing can be copied"));
        }
        problems
    }

    /// The profiles that have a section, by name, each with these settings and what its section says.
    pub fn each_profile(&self) -> impl Iterator<Item = (&str, Self)> {
        let general = Self { profiles: Profiles::default(), ..self.clone() };
        self.profiles.0.iter().map(move |(name, section)| {
            let mut own = general.clone();
            section.clone().lay(&mut own);
            (name.as_str(), own)
        })
    }

    /// These settings as a file that says them all; sections of profiles are left out.
    pub fn to_text(&self) -> String {
        let style = ron::ser::PrettyConfig::new().indentor("    ").struct_names(true);
        ron::ser::to_string_pretty(self, style).expect("settings are plain values that RON can write")
    }

    /// These settings with what their section for the named profile says; a profile without a section has no differences.
    #[must_use]
    pub fn profile(mut self, name: &str) -> Self {
        if let Some(section) = self.profiles.0.remove(name) {
            section.lay(&mut self);
        }
        self
    }
}

/// The bytes of a settings file. What is no file is refused: a pipe would be waited for without end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if about.is_file() {
        if about.len() > MOST_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 1 MiB, which no settings are"));
        }
        return fs::read(path);
    }
    if about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    // The usual way to say "no settings at all".
    if cfg!(unix) && fs::canonicalize(path).is_ok_and(|real| real == Path::new("/dev/null")) {
        return Ok(Vec::new());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file"))
}

/// Reads settings from text.
///
/// # Errors
/// [`Mistake`] with line, column, what was expected, and the nearest name to one that is not known.
pub fn parse(text: &str) -> Result<Config, Mistake> {
    let mut config = Config::default();
    let layer: ConfigLayer = match layer::options().from_str(text) {
        Ok(layer) => layer,
        Err(error) if mistake::says_nothing(&error, text) => return Ok(config),
        Err(error) => return Err(Mistake::from_ron(&error, text)),
    };
    layer.lay(&mut config);
    if config.profiles.0.values().all(|section| section.profiles.is_empty()) {
        Ok(config)
    } else {
        Err(Mistake::nested_profiles(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_behind_a_character_of_several_bytes_is_told() {
        // Found by fuzzing.
        let text = "// Every sft\nConfig(\n    kdf: (\n         target_ms//?\u{354}\n:-0\u{69}";
        assert!(parse(text).is_err());
        assert!(parse("(\u{354}: -0x)").is_err() && parse("(kdf: (target_ms//\u{354}\n: -1))").is_err());
    }

    /// Every setting as the file writes it, groups with their own.
    fn names() -> impl Iterator<Item = &'static str> {
        let all = [Config::NAMES, Unlock::NAMES, Clipboard::NAMES, History::NAMES, Kdf::NAMES, Backup::NAMES];
        all.into_iter().flatten().copied()
    }

    /// The explained settings: names that stand at the start of a line.
    fn written() -> Vec<&'static str> {
        Config::example().lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name).collect()
    }

    #[test]
    fn the_example_says_the_defaults() {
        assert_eq!(parse(Config::example()).map_err(|e| e.to_string()), Ok(Config::default()));
    }

    #[test]
    fn the_example_names_every_setting_once_in_order() {
        let mut expected: Vec<_> = names().collect();
        let mut found: Vec<_> = written().into_iter().filter(|name| !name.starts_with("//")).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_example_explains_every_setting() {
        let lines: Vec<_> = Config::example().lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| names().any(|name| pair[1].starts_with(&format!("{name}: ")))) {
            assert!(pair[0].starts_with("// "), "no line explains {}", pair[1]);
        }
    }
}
