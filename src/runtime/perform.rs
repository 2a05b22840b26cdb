//! Effects carried out: one plain function for each, job in, event out. The threads that call them are in
//! [`super::lanes`], so tests can call them inline.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::access;
use crate::app::event::{Aside, Event, ImportTrouble, Saving, Stored, With};
use crate::app::import::{Origin, Recent};
use crate::app::order::{Habit, Habits, Order, Use};
use crate::app::past::Kept;
use crate::app::recovery::Sheet;
use crate::config::Config;
use crate::entropy;
use crate::keychain::system;
use crate::local::Local;
use crate::otp::account::title;
use crate::paths;
use crate::report;
use crate::rollback::{self, WentBack};
use crate::runtime::clipboard::Picture;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::transfer::{self, Format, MAX_FILE, Source};
use crate::unlock::{self, Mode, New, UnlockError};
use crate::vault::envelope::{Locked, Unlocked};
use crate::vault::file::{FileError, Place, Saved};
use crate::vault::history::Version;
use crate::vault::{DataKey, DeviceId, SlotId, VaultId, changes};

/// Milliseconds to wait before a vault that does not open is called damaged: a writer that truncates first shows an
/// empty file for a moment.
const PATIENCE_MS: [u64; 3] = [100, 300, 1000];

/// Tries a reading again while it finds what a half-written file looks like.
fn patiently<T>(mut read: impl FnMut() -> Result<T, FileError>) -> Result<T, FileError> {
    for pause in PATIENCE_MS {
        match read() {
            Err(FileError::Damaged { .. } | FileError::NotAVault(_)) => {
                std::thread::sleep(Duration::from_millis(pause));
            }
            done => return done,
        }
    }
    read()
}

/// Reads the vault file without opening it.
pub fn look(place: &Place) -> Event {
    Event::Looked(patiently(|| match place.load() {
        Ok(locked) => Ok(Some(Arc::new(rollback::later_version(place, &locked).unwrap_or(locked)))),
        Err(FileError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }))
}

/// Reads the file of an open vault again, with what lies beside it, and opens it.
pub fn reread(place: &Place, generation: u64, open: &Unlocked) -> Event {
    Event::Reread(
        generation,
        patiently(|| {
            let locked = match place.load() {
                Err(FileError::Missing(path)) => return Err(FileError::Vanished(path)),
                other => other?,
            };
            let known = open.knows(&locked.digest());
            let mut older = None;
            let mut found = if known { open.duplicate() } else { newest(place, open, &locked)? };
            if !found.shares_key(open) && !found.has_retired(open.data_key()) {
                // It went back to before the key in force, on this machine or another one.
                let file = std::mem::replace(&mut found, open.duplicate());
                found.absorb(&file);
                older = Some(WentBack::BeforeKey);
            }
            // Both become one in the panel: what could not be saved then stays outside.
            found.with(open).map_err(|error| FileError::TooMuch { path: place.path.clone(), error })?;
            let copies = place.gather(&mut found);
            let went_back = Local::open(&place.state_dir).ok().and_then(|mut local| {
                let went_back = rollback::heal(place, &mut found, &mut local);
                if went_back.is_none() {
                    rollback::note(place, &found, &mut local);
                }
                went_back
            });
            let went_back = older.or(went_back);
            found.settle();
            let is_news = copies || !known || went_back.is_some();
            Ok(is_news.then(|| Stored { vault: Box::new(found), copies, went_back }))
        }),
    )
}

/// What lies in the place of an open vault, opened: by its keys, or, where it was given a new one, by the keychain.
fn newest(place: &Place, open: &Unlocked, locked: &Locked) -> Result<Unlocked, FileError> {
    place.open_again(open, locked).or_else(|error| match error {
        FileError::Rekeyed(_) => {
            let new = unlock::with_keychain(locked, &system::system()).ok();
            // It must know the key of the open one: anybody can make a vault of this name.
            new.filter(|new| new.has_retired(open.data_key())).ok_or(error)
        }
        other => Err(other),
    })
}

/// Saves what was changed in a vault that was given a new key meanwhile: into that one where the keychain opens it; else it
/// is kept for whoever opens it next, and the error says so.
fn save_across(place: &Place, vault: &mut Unlocked, saving: Saving, error: FileError) -> Result<Saved, FileError> {
    match place.load().and_then(|locked| newest(place, vault, &locked)) {
        Ok(mut new) => {
            new.absorb(vault);
            *vault = new;
            write(place, vault, saving)
        }
        Err(_) => rollback::keep_for_later(place, vault).and(Err(error)),
    }
}

/// One save, in which a counter is taken where one is asked for.
fn write(place: &Place, vault: &mut Unlocked, saving: Saving) -> Result<Saved, FileError> {
    place.save_changing(vault, saving.reason, &mut |vault| {
        if let Some((id, device)) = saving.counter {
            vault.take_counter(id, UnixTime::now(), device);
        }
        Ok(())
    })
}

/// Saves a vault.
pub fn save(place: &Place, generation: u64, mut vault: Box<Unlocked>, saving: Saving) -> Event {
    // A fault of ours is told like one of the disk: whoever waits for the answer must not take the change for saved.
    let saved = catch_unwind(AssertUnwindSafe(|| match write(place, &mut vault, saving) {
        // An I/O error may pass: one new try on a new file, never on the same descriptor.
        Err(FileError::Io { .. } | FileError::Unconfirmed { .. }) => write(place, &mut vault, saving),
        Err(error @ FileError::Rekeyed(_)) => save_across(place, &mut vault, saving, error),
        other => other,
    }));
    let saved = saved.unwrap_or_else(|_| {
        let source = std::io::Error::other("a mistake in otpanel itself");
        Err(FileError::Io { path: place.path.clone(), source })
    });
    Event::Saved(generation, saved.map(|_| noted(place, vault)))
}

/// Keeps what could not be saved: in the history, or else in memory.
pub fn keep_aside(place: &Place, generation: u64, vault: &Unlocked) -> Event {
    let in_memory = || vault.seal(entropy::bytes()).and_then(Locked::parse).map(Arc::new);
    let aside = match rollback::keep_for_later(place, vault) {
        Ok(()) => Aside::History,
        Err(error) => {
            tracing::warn!(%error, "the history took nothing");
            in_memory().map_or(Aside::Nowhere, Aside::Memory)
        }
    };
    Event::KeptAside(generation, aside)
}

/// Writes a vault anew whose file has vanished.
pub fn recreate(place: &Place, generation: u64, mut vault: Box<Unlocked>) -> Event {
    let saved = place.recreate(&mut vault);
    Event::Saved(generation, saved.map(|_| noted(place, vault)))
}

/// Remembers what a vault that was just saved has seen.
fn noted(place: &Place, vault: Box<Unlocked>) -> Box<Unlocked> {
    if let Ok(mut local) = Local::open(&place.state_dir) {
        rollback::note(place, &vault, &mut local);
    }
    vault
}

/// Reads the older copies and compares each with what is open.
pub fn history(place: &Place, generation: u64, open: &Unlocked) -> Event {
    let stamp = open.state.next_stamp(UnixTime::now(), DeviceId([0; 8]));
    let compared = |version: Version| {
        let copy = version.load().ok().and_then(|locked| open.open_copy(&locked).ok());
        let news = copy.as_ref().map(|copy| changes(&open.state, &open.state.restored(&copy.state, stamp)));
        let back = news.iter().flat_map(|news| news.added.iter().chain(&news.restored));
        let named = |id| copy.as_ref()?.state.get(id).map(|entry| title(entry.issuer(), entry.name()));
        Kept {
            back: back.filter_map(named).collect(),
            changed: news.as_ref().map_or(0, |news| news.changed.len() + news.trashed.len()),
            accounts: copy.as_ref().map(|copy| copy.state.live().count()),
            time: version.time,
            reason: version.reason.name(),
            path: version.path,
        }
    };
    Event::History(generation, place.history(open.vault_id()).map(|all| all.into_iter().map(compared).collect()))
}

/// Reads an older copy.
pub fn read_copy(place: &Place, generation: u64, path: &Path, open: &Unlocked) -> Event {
    let read = Place::new(path, &place.state_dir).load().and_then(|locked| {
        let opened = open.open_copy(&locked);
        opened.map(Box::new).map_err(|error| FileError::Damaged { path: path.to_owned(), error })
    });
    Event::CopyRead(generation, read)
}

/// Keeps a habit in the local state: read, changed and written in one go, so that two panels lose nothing of each other.
pub fn remember(place: &Place, vault: VaultId, habit: Habit, at: UnixTime) {
    let kept = Local::open(&place.state_dir).and_then(|mut local| {
        match habit {
            Habit::Used(entry) => local.note_use(&vault.to_string(), &entry.to_string(), at.0),
            Habit::Chose(order) => local.note_order(&vault.to_string(), order.name(), at.0),
        }
        local.save()
    });
    if let Err(error) = kept {
        tracing::warn!(%error, "a habit is not kept");
    }
}

/// Keeps in the local state that a recovery key is shown, or was written down.
pub fn note_recovery_key(place: &Place, slot: SlotId, written: bool) {
    let kept = Local::open(&place.state_dir).and_then(|mut local| {
        local.note_recovery_key(&slot.to_string(), written);
        local.save()
    });
    if let Err(error) = kept {
        tracing::warn!(%error, "it is not kept whether the recovery key was written down");
    }
}

/// The slots of recovery keys that were shown here and not written down.
pub fn unwritten(local: &Local) -> BTreeSet<SlotId> {
    local.unwritten_recovery_keys().filter_map(|slot| slot.parse().ok()).collect()
}

/// What the local state knows of the user's habits.
pub fn habits(local: &Local) -> Habits {
    let known = local.habits().map(|(vault, order, uses)| {
        let uses =
            uses.filter_map(|(entry, count, last)| Some((entry.parse().ok()?, Use { count, last: UnixTime(last) })));
        (vault.to_owned(), (Order::named(order).unwrap_or_default(), uses.collect()))
    });
    Habits(known.collect())
}

/// Makes a new vault.
pub fn create(place: &Place, config: &Config, mode: Mode, password: Option<Secret<String>>) -> Event {
    let kdf = unlock::calibrate(Duration::from_millis(u64::from(config.kdf.target_ms)));
    let made = unlock::create(place, New { mode, password, kdf }, &system::asking());
    if let Ok(created) = &made
        && let Some(slot) = Sheet::slot_in(&created.unlocked)
    {
        // Before it is shown: whoever ends the panel meanwhile is told of it at the next start.
        note_recovery_key(place, slot, false);
    }
    Event::Created(made.map(|created| (Box::new(created.unlocked), created.recovery_key)))
}

/// Tries to open the vault of a place.
pub fn unlock(place: &Place, attempt: u64, locked: &Locked, with: With) -> Event {
    let opened = match with {
        With::Password(password) => {
            let mut opened = unlock::with_password(locked, &password);
            if let Ok(vault) = &mut opened {
                strengthen(place, vault, &password);
            }
            opened
        }
        With::RecoveryKey(text) => unlock::with_recovery_key(locked, &text),
        With::Keychain { may_prompt: false } => unlock::with_keychain(locked, &system::system()),
        With::Keychain { may_prompt: true } => unlock::with_keychain(locked, &system::asking()),
        With::Start { remembered, keychain } => {
            let kept = if remembered { unlock::with_remembered(locked) } else { Err(UnlockError::NotRemembered) };
            if kept.is_err() && keychain { unlock::with_keychain(locked, &system::system()) } else { kept }
        }
    };
    Event::Unlocked(attempt, opened.map(settled))
}

/// Wraps the key anew where the password that opened the vault costs a guesser less than a new one would. The vault is open
/// whether that can be saved or not, and the next opening tries again.
fn strengthen(place: &Place, vault: &mut Unlocked, password: &Secret<String>) {
    let stamp = access::stamp(place, vault);
    if let Ok(true) = unlock::stronger_slot(vault, password, stamp)
        && let Err(error) = place.save(vault)
    {
        tracing::warn!(%error, "a weak slot stays");
    }
}

/// A vault that stays open, without the bytes of its file.
fn settled(mut vault: Unlocked) -> Box<Unlocked> {
    vault.settle();
    Box::new(vault)
}

/// Keeps a vault's key for the next program; an event only where that cannot be.
pub fn keep_key(vault: VaultId, dek: &DataKey, time: Duration) -> Option<Event> {
    unlock::remember(vault, dek, time).err().map(|why| Event::NotRemembered(why.to_string()))
}

/// Asks whether a keychain can be had.
pub fn probe() -> Event {
    use crate::keychain::Keychain;
    Event::Probed(system::system().probe())
}

/// Reads an export.
pub fn import(attempt: u64, origin: &Origin, password: Option<&Secret<String>>) -> Event {
    let read = |bytes: &[u8], name: Option<&str>| {
        let source = Source { name, password, ..Source::new(bytes) };
        transfer::import(source).map(Box::new).map_err(ImportTrouble::Import)
    };
    let result = match origin {
        Origin::Pasted(text) => read(text.expose().as_bytes(), None),
        Origin::File(path) => {
            let path = paths::from_home(path);
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            let bytes = read_export(&path).map_err(ImportTrouble::File);
            bytes.and_then(|bytes| read(bytes.expose(), name.as_deref()))
        }
    };
    Event::Imported(attempt, result)
}

/// How old a download may be to be offered.
const RECENT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Downloads that are looked into, how large they may be, in bytes, and how many are offered.
const LOOKED_AT: (usize, u64, usize) = (40, 4 << 20, 8);

/// Looks for exports where downloads lie: recognised by their content, the newest first. Pictures and plain tables are left
/// out, as most of them are something else.
pub fn recent() -> Event {
    let Some(folder) = downloads() else { return Event::Recent(Vec::new()) };
    let now = std::time::SystemTime::now();
    let young = |entry: std::fs::DirEntry| {
        let about = entry.metadata().ok().filter(|about| about.is_file() && about.len() <= LOOKED_AT.1)?;
        let time = about.modified().ok().filter(|time| now.duration_since(*time).is_ok_and(|age| age < RECENT))?;
        Some((time, entry.path()))
    };
    let mut files: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).filter_map(young).collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    let export = |(_, path): (_, PathBuf)| {
        let bytes = Secret::new(std::fs::read(&path).ok()?);
        let format = transfer::detect(bytes.expose()).filter(|f| !matches!(f, Format::Picture | Format::Csv))?;
        Some(Recent { path: short(&path)?, app: format.name() })
    };
    Event::Recent(files.into_iter().take(LOOKED_AT.0).filter_map(export).take(LOOKED_AT.2).collect())
}

/// Where the desktop puts downloads.
fn downloads() -> Option<PathBuf> {
    let home = paths::home()?;
    let config = std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let set = std::fs::read_to_string(config.join("user-dirs.dirs")).ok();
    let set = set.as_deref().into_iter().flat_map(str::lines).find_map(|line| line.strip_prefix("XDG_DOWNLOAD_DIR="));
    let set = set.map(|value| value.trim_matches('"')).map(|value| match value.strip_prefix("$HOME/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(value),
    });
    // "The home itself" is how a desktop says that there is none.
    Some(set.filter(|folder| *folder != home && folder.is_absolute()).unwrap_or_else(|| home.join("Downloads")))
}

/// A path with `~` for the home; none where it is no text.
fn short(path: &Path) -> Option<String> {
    let home = paths::home();
    let below = home.as_ref().and_then(|home| path.strip_prefix(home).ok());
    below.map_or_else(|| path.to_str().map(str::to_owned), |below| Some(format!("~/{}", below.to_str()?)))
}

/// Reads the QR codes of a picture from the clipboard.
pub fn picture(picture: Picture) -> Event {
    let Picture { width, height, rgba } = picture;
    Event::ClipboardPicture(transfer::import_picture(width, height, rgba).map(Box::new))
}

/// The bytes of an export: a regular file of a bounded size.
fn read_export(path: &Path) -> Result<Secret<Vec<u8>>, String> {
    let shown = path.display();
    let about = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("There is no file {shown}."),
        std::io::ErrorKind::PermissionDenied => format!("{shown} may not be read by you."),
        _ => format!("{shown} cannot be read: {}.", report::system(&e)),
    })?;
    if !about.is_file() {
        return Err(format!("{shown} is not a file."));
    }
    if about.len() > MAX_FILE as u64 {
        return Err(format!("{shown} is larger than {} MiB: no export is.", MAX_FILE >> 20));
    }
    std::fs::read(path).map(Secret::new).map_err(|e| format!("{shown} cannot be read: {}.", report::system(&e)))
}

/// What a typed path could become: files and folders that begin so, folders with a slash, sorted, 100 at most.
pub fn complete(attempt: u64, typed: &str) -> Event {
    let (folder, start) = typed.rfind(std::path::is_separator).map_or(("", typed), |at| typed.split_at(at + 1));
    let place = if folder.is_empty() { PathBuf::from(".") } else { paths::from_home(Path::new(folder)) };
    let mut names: Vec<String> = std::fs::read_dir(place)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !start.starts_with('.');
            let slash = if entry.path().is_dir() { "/" } else { "" };
            (name.starts_with(start) && !hidden).then(|| format!("{folder}{name}{slash}"))
        })
        .collect();
    names.sort();
    names.truncate(100);
    Event::Completed(attempt, names)
}
