//! `doctor`: what works on this machine, one line each. Changes nothing and raises no prompt.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use serde::Serialize;

use super::args::{Doctor, Global};
use super::clock::clock_trouble;
use super::failure::Failure;
use super::harden::dumps_are_off;
use super::output::{answer, columns, json};
use super::session::places;
use crate::config::Config;
use crate::keychain::{Keychain as _, Probe, kernel, system};
use crate::policy::{Found, Policy};
use crate::report::{Report, system as system_words};
use crate::runtime::locale;
use crate::secret::can_lock;
use crate::text::clean;
use crate::time::UnixTime;
use crate::vault::envelope::Locked;
use crate::vault::file::Place;

/// How well one thing works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// Something is missing that can be done without.
    Note,
    /// Something is wrong.
    Bad,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Bad => "BAD",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    text: String,
}

fn finding(what: &'static str, state: State, text: impl Into<String>) -> Finding {
    Finding { what, state, text: text.into() }
}

/// `doctor`.
///
/// # Errors
/// When no home is known or the answer cannot be written; what is found is never an error.
pub fn doctor(global: &Global, args: &Doctor) -> Result<(), Failure> {
    let paths = places(global)?;
    let there = Config::must_be_there(&paths.config_file, paths.config_named);
    let config = there.and_then(|()| Config::load(&paths.config_file));
    let mut all = vec![finding("version", State::Ok, concat!("otpanel ", env!("CARGO_PKG_VERSION")))];
    all.push(match &config {
        Ok(_) if paths.config_file.exists() => finding("config", State::Ok, shown(&paths.config_file)),
        Ok(_) => finding("config", State::Ok, format!("{} (not there: all defaults)", shown(&paths.config_file))),
        Err(e) => {
            let report = Report::from(e);
            finding("config", State::Bad, format!("{}: {}", report.problem, report.cause))
        }
    });
    all.push(policy(&Policy::read()));
    all.push(vault(&paths.vault_file));
    all.extend(permissions(&[
        ("vault file", &paths.vault_file),
        ("state folder", &paths.state_dir),
        ("config file", &paths.config_file),
    ]));
    all.push(writable("saving", paths.vault_file.parent().unwrap_or(Path::new("."))));
    all.push(writable("history", &paths.state_dir));
    all.push(keychain(&system::system().probe()));
    let config = config.unwrap_or_default();
    all.extend(remembering(&config));
    let (good, text) = super::clipboard::prospect(&config);
    all.push(finding("clipboard", if good { State::Ok } else { State::Note }, text));
    all.push(watcher(&paths.vault_file));
    all.extend(terminal());
    all.push(match clock_trouble(UnixTime::now(), None) {
        None => finding("clock", State::Ok, "plausible; codes need it right to a few seconds"),
        Some(text) => finding("clock", State::Bad, text),
    });
    all.push(match dumps_are_off() {
        Some(true) => finding("core dumps", State::Ok, "off for otpanel"),
        Some(false) => {
            finding("core dumps", State::Note, "could not be switched off; a crash may leave memory on disk")
        }
        None => finding("core dumps", State::Note, "the system decides; a crash may leave memory on disk"),
    });
    all.push(match can_lock() {
        Ok(()) => finding("key memory", State::Ok, "the vault's key is kept out of swap"),
        Err(why) => {
            finding("key memory", State::Note, format!("the vault's key may be swapped: {}", system_words(&why)))
        }
    });
    if args.json {
        return json(&all);
    }
    let rows: Vec<Vec<String>> =
        all.into_iter().map(|f| vec![format!("{:<4}", f.state.word()), f.what.to_owned(), f.text]).collect();
    answer(&columns(&rows))
}

fn shown(path: &Path) -> String {
    clean(&path.display().to_string()).into_owned()
}

fn policy(found: &Found) -> Finding {
    let file = shown(&found.path);
    match (&found.trouble, &found.policy) {
        (Some(trouble), _) => {
            let report = Report::from(trouble);
            finding("policy", State::Bad, format!("{}: {}", report.problem, report.cause))
        }
        (None, Some(policy)) => {
            let whose = policy.identity.as_ref().map_or("limits only", |managed| managed.name.as_str());
            finding("policy", State::Ok, format!("{file}: {}; `otpanel policy` tells what is set", clean(whose)))
        }
        (None, None) => finding("policy", State::Ok, "none: no organisation manages this machine"),
    }
}

fn vault(path: &Path) -> Finding {
    // As the program itself reads it: a pipe or a device in its place is not waited for.
    match Place::new(path, "").read() {
        Ok(None) => finding("vault", State::Note, format!("none yet at {}; `otpanel init` makes one", shown(path))),
        Err(e) => {
            let report = Report::from(&e);
            finding("vault", State::Bad, format!("{}: {}", report.problem, report.cause))
        }
        Ok(Some(bytes)) => {
            let size = bytes.len();
            match Locked::parse(bytes) {
                Ok(locked) => {
                    let (major, minor) = locked.version();
                    let kinds: Vec<&str> = locked.slots().iter().map(|s| s.kind().name()).collect();
                    let text = format!(
                        "{}, format {major}.{minor}, {} KiB, opens by {}",
                        shown(path),
                        size.div_ceil(1024),
                        kinds.join(", ")
                    );
                    finding("vault", State::Ok, text)
                }
                Err(e) => {
                    let report = Report::from(&e);
                    finding("vault", State::Bad, format!("{}: {}", shown(path), report.problem))
                }
            }
        }
    }
}

#[cfg(unix)]
fn permissions(files: &[(&'static str, &Path)]) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = Vec::new();
    for (what, path) in files {
        let Ok(meta) = fs::metadata(path) else { continue };
        let mode = meta.permissions().mode() & 0o777;
        let secret = *what != "config file";
        let (state, advice) = match (mode & 0o077, secret, mode & 0o022) {
            (0, ..) | (_, false, 0) => (State::Ok, String::new()),
            _ => (State::Bad, format!("; others can reach it: chmod go= {}", shown(path))),
        };
        found.push(finding(what, state, format!("{mode:04o}{advice}")));
    }
    found
}

#[cfg(not(unix))]
fn permissions(_files: &[(&'static str, &Path)]) -> Vec<Finding> {
    Vec::new()
}

/// Whether a folder, or the nearest above it that is there, can be written.
fn writable(what: &'static str, folder: &Path) -> Finding {
    let there = folder.ancestors().find(|p| p.is_dir()).unwrap_or(Path::new("/"));
    if can_write(there) {
        finding(what, State::Ok, format!("{} can be written", shown(there)))
    } else {
        finding(what, State::Bad, format!("{} cannot be written", shown(there)))
    }
}

#[cfg(unix)]
fn can_write(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn can_write(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|m| !m.permissions().readonly())
}

/// How the panel learns of changes from outside.
fn watcher(vault: &Path) -> Finding {
    let folder = vault.ancestors().skip(1).find(|p| p.is_dir()).unwrap_or(Path::new("/"));
    if on_network(folder) {
        finding("watcher", State::Note, "the vault is on a network folder, which is looked at every few seconds")
    } else {
        finding("watcher", State::Ok, "changes from outside are told by the system")
    }
}

/// Whether a folder is on a file system of which changes by other machines are not told.
#[cfg(target_os = "linux")]
fn on_network(folder: &Path) -> bool {
    // NFS, SMB, SMB2, CIFS, 9P, FUSE, Ceph, AFS (statfs(2)).
    const MAGIC: [u64; 8] =
        [0x6969, 0x517b, 0xfe53_4d42, 0xff53_4d42, 0x0102_1997, 0x6573_5546, 0x00c3_6400, 0x5346_414f];
    rustix::fs::statfs(folder).is_ok_and(|fs| MAGIC.contains(&(fs.f_type as u64 & 0xffff_ffff)))
}

#[cfg(not(target_os = "linux"))]
fn on_network(_folder: &Path) -> bool {
    false
}

/// Whether keys can be kept for later commands, where the config says that they shall.
fn remembering(config: &Config) -> Option<Finding> {
    let time = config.unlock.remember.time()?;
    Some(match kernel::probe() {
        Ok(()) => finding("remembering", State::Ok, format!("the kernel keeps the key for {} s", time.as_secs())),
        Err(why) => finding("remembering", State::Bad, format!("the key is not remembered: {why}")),
    })
}

fn keychain(probe: &Probe) -> Finding {
    let state = match probe {
        Probe::Ready => State::Ok,
        Probe::Locked
        | Probe::NoBus
        | Probe::NoProvider
        | Probe::NoCollection
        | Probe::NoKeyring(_)
        | Probe::NoFolder(_)
        | Probe::Unsupported(_) => State::Note,
    };
    finding("keychain", state, probe.describe())
}

#[cfg(unix)]
fn size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some((size.ws_col, size.ws_row))
}

#[cfg(not(unix))]
fn size() -> Option<(u16, u16)> {
    None
}

fn terminal() -> Vec<Finding> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let mut found = Vec::new();
    if io::stdout().is_terminal() {
        let size = size().map(|(columns, rows)| format!(", {columns}x{rows}")).unwrap_or_default();
        let term = var("TERM");
        found.push(match &*term {
            // Windows terminals are not told apart by a variable.
            "" if cfg!(windows) => finding("terminal", State::Ok, format!("here{size}")),
            "" | "dumb" => finding("terminal", State::Note, format!("TERM={term}{size}")),
            _ => finding("terminal", State::Ok, format!("TERM={}{size}", clean(&term))),
        });
    } else {
        found.push(finding("terminal", State::Note, "none here; the panel needs one"));
    }
    let colours = match (var("NO_COLOR").is_empty(), var("COLORTERM").as_str(), var("TERM").contains("256")) {
        (false, ..) => "none (NO_COLOR)",
        (_, "truecolor" | "24bit", _) => "16 million",
        (_, _, true) => "256",
        // Every console of Windows 10 and later.
        _ if cfg!(windows) => "16 million",
        _ => "16",
    };
    found.push(finding("colours", State::Ok, colours));
    let locale = locale::locale();
    found.push(if locale::is_utf8(&locale) || cfg!(windows) {
        finding("text", State::Ok, "UTF-8")
    } else {
        finding(
            "text",
            State::Note,
            if locale.is_empty() {
                "no locale is set; `glyphs: Ascii` in the config if signs look wrong".to_owned()
            } else {
                format!("the locale `{}` is not UTF-8, so signs are ASCII; `glyphs: Unicode` overrides", clean(&locale))
            },
        )
    });
    found
}
