//! `vault history`, `vault restore`, `vault merge`: older and other versions of a vault, listed, compared, joined.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::args::{Merge, VaultRestore};
use super::failure::{Doing, Failure};
use super::output::{answer, columns, json, say};
use super::recover::{rfc3339, shown, when, whole_copies};
use super::session::{Session, World};
use super::{files, prompt};
use crate::otp::account::title;
use crate::text::{clean, count};
use crate::time::UnixTime;
use crate::vault::envelope::MAX_FILE_LEN;
use crate::vault::history::{Reason, Version};
use crate::vault::{Changes, EntryId, Error, FileError, Locked, Place, State, Unlocked, changes};
use crate::{entropy, paths, rollback};

/// Names that a comparison lists of each kind of change.
const NAMED: usize = 20;

/// One row of `vault history --json`.
#[derive(Serialize)]
struct VersionRow {
    file: String,
    time: Option<String>,
    size: u64,
    reason: &'static str,
    /// Accounts in use; null where no key was given.
    accounts: Option<usize>,
    /// Accounts that restoring it would bring back, and those that it would change.
    brings_back: Option<usize>,
    changes: Option<usize>,
}

/// What is known of one version.
struct Held {
    version: Version,
    accounts: Option<usize>,
    difference: Option<Changes>,
}

/// `vault history`. Without a key the copies are listed all the same, but not what is in them.
///
/// # Errors
/// When the history cannot be read or the answer not be written.
pub fn list(world: &World, as_json: bool) -> Result<(), Failure> {
    let place = world.place();
    let held = match place.load() {
        Ok(locked) => {
            let open = world.open().inspect_err(without_counts).ok();
            look_at(open.as_ref().map(|session| &session.unlocked), place.history(locked.vault_id())?)
        }
        // A vault that is damaged may not tell its id, and then all copies are listed.
        Err(_) => {
            let copies = whole_copies(&place, None);
            let newest = copies.first().and_then(|copy| fs::read(&copy.path).ok());
            let key = newest.and_then(|bytes| Locked::parse(bytes).ok()).and_then(|locked| world.unlock(&locked).ok());
            let ids: std::collections::BTreeSet<_> = copies.iter().map(|copy| copy.vault).collect();
            let all = ids.into_iter().flat_map(|id| place.history(id).unwrap_or_default());
            let mut held = look_at(key.as_ref(), all.collect());
            for held in &mut held {
                held.difference = None;
            }
            held
        }
    };
    if as_json {
        let row = |held: Held| VersionRow {
            time: rfc3339(held.version.time.0),
            size: held.version.size,
            reason: held.version.reason.name(),
            accounts: held.accounts,
            brings_back: held.difference.as_ref().map(|d| d.added.len() + d.restored.len()),
            changes: held.difference.as_ref().map(|d| d.changed.len()),
            file: held.version.path.display().to_string(),
        };
        return json(&held.into_iter().map(row).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = held
        .iter()
        .map(|held| {
            let accounts = held.accounts.map_or_else(String::new, |n| count(n, "account"));
            let back = held.difference.as_ref().map_or_else(String::new, in_short);
            let version = &held.version;
            let reason = version.reason.name().to_owned();
            vec![when(version.time.0), reason, accounts, back, shown(&version.path)]
        })
        .collect();
    answer(&columns(&rows))
}

fn without_counts(failure: &Failure) {
    if let Some(report) = failure.report() {
        say(&format!("otpanel: what is in the copies is not shown: {}.", report.problem.to_lowercase()));
    }
}

/// Opens each version with the key in hand and compares it with what is open.
fn look_at(open: Option<&Unlocked>, versions: Vec<Version>) -> Vec<Held> {
    versions
        .into_iter()
        .map(|version| {
            let opened = open.and_then(|open| open.open_copy(&version.load().ok()?).ok());
            let accounts = opened.as_ref().map(|copy| copy.state.live().count());
            let difference = opened.zip(open).map(|(copy, open)| difference(&open.state, &copy.state));
            Held { version, accounts, difference }
        })
        .collect()
}

/// What restoring a copy would do. The stamp does not matter for that.
fn difference(now: &Arc<State>, copy: &State) -> Changes {
    let stamp = now.next_stamp(UnixTime::now(), crate::vault::DeviceId([0; 8]));
    changes(now, &now.restored(copy, stamp))
}

fn in_short(difference: &Changes) -> String {
    let back = difference.added.len() + difference.restored.len();
    let parts = [(back, "come back"), (difference.changed.len(), "change"), (difference.trashed.len(), "to the trash")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if parts.is_empty() { "nothing new".to_owned() } else { parts.join(", ") }
}

/// `vault restore`.
///
/// # Errors
/// When nobody said yes, the copy or the vault does not open, or the vault cannot be saved.
pub fn restore(world: &World, args: &VaultRestore) -> Result<(), Failure> {
    if !args.yes && !prompt::interactive() {
        return Err(Failure::NeedsYes { what: "Restoring a copy".to_owned() });
    }
    let place = world.place();
    let path = named_copy(&place, &args.copy);
    let bytes = files::read(&path, MAX_FILE_LEN as u64 + 1)?;
    let copy = Locked::parse(bytes.expose().clone())?;
    match place.load() {
        Ok(locked) => join(world, args, &locked, &copy),
        Err(FileError::Missing(_)) => put_back(world, args, &copy, None),
        Err(FileError::NotAVault(_) | FileError::Damaged { .. }) => {
            put_back(world, args, &copy, Some(aside(&place.path)))
        }
        Err(e) => Err(e.into()),
    }
}

/// Joins a copy into the vault that stands, and brings back what was in use in it.
fn join(world: &World, args: &VaultRestore, locked: &Locked, copy: &Locked) -> Result<(), Failure> {
    same_vault(locked, copy)?;
    let mut session = world.open()?;
    let other = match session.unlocked.open_copy(copy) {
        // Of another key than those known here: its own ways in open it.
        Err(Error::Altered) if !session.unlocked.shares_slot(copy) => world.unlock(copy)?,
        other => other?,
    };
    let before = Arc::clone(&session.unlocked.state);
    let mut joined = session.unlocked.absorb(&other);
    if session.unlocked.is_fork_of(&other) {
        // From now on its other copies can be joined without asking for what opens them.
        let stamp = session.stamp(world);
        joined |= session.unlocked.retire(other.data_key(), stamp);
    }
    let back = session.edit(world, |state, stamp| state.bring_back(&other.state, stamp));
    if !joined && back.is_empty() {
        say("The vault holds everything that is in that copy; nothing was changed.");
        return Ok(());
    }
    let changes = changes(&before, &session.unlocked.state);
    tell(&session, &changes);
    if !args.yes && !prompt::yes("Join that copy into the vault?", false)? {
        return Err(Failure::Cancelled);
    }
    session.save_before(Reason::Restore)?;
    say(&format!("Joined: {}.", in_short(&changes)));
    Ok(())
}

fn same_vault(one: &Locked, other: &Locked) -> Result<(), Failure> {
    if one.vault_id() == other.vault_id() {
        return Ok(());
    }
    Err(Failure::usage("That is a copy of another vault", "Name a copy that `otpanel vault history` lists."))
}

/// The difference by name.
fn tell(session: &Session, changes: &Changes) {
    let back: Vec<EntryId> = changes.added.iter().chain(&changes.restored).copied().collect();
    for (word, ids) in [("comes back", &back), ("changes", &changes.changed), ("to the trash", &changes.trashed)] {
        for id in ids.iter().take(NAMED) {
            let Some(entry) = session.unlocked.state.get(id) else { continue };
            say(&format!("  {word}  {}", clean(&title(entry.issuer(), entry.name()))));
        }
        if ids.len() > NAMED {
            say(&format!("  {word}  and {} more", ids.len() - NAMED));
        }
    }
}

/// `vault merge`: git's merge driver. No history is kept and no lock taken, as git holds both versions and the file is a
/// temporary one of its own.
///
/// # Errors
/// When one of the two does not open with the same key, or the result cannot be written; OURS is untouched then.
pub fn merge(world: &World, args: &Merge) -> Result<(), Failure> {
    let state_dir = &world.paths.state_dir;
    let load = |path: &Path| Place::new(path, state_dir).load();
    let (ours, theirs) = (load(&args.ours)?, load(&args.theirs)?);
    same_vault(&ours, &theirs)?;
    let (mut unlocked, other) = both(world, &ours, &theirs)?;
    let before = Arc::clone(&unlocked.state);
    if unlocked.absorb(&other) {
        let bytes = unlocked.seal(entropy::bytes())?;
        let failed = |source| Failure::File { path: args.ours.clone(), doing: Doing::Write, source };
        paths::replace_private(&args.ours, &bytes).map_err(failed)?;
    }
    say(&format!("otpanel: joined two versions of the vault: {}.", merged(&changes(&before, &unlocked.state))));
    Ok(())
}

/// Opens both versions. Where one is of before a new key and what is in hand does not open it, the other one does.
fn both(world: &World, ours: &Locked, theirs: &Locked) -> Result<(Unlocked, Unlocked), Failure> {
    let unlocked = match world.unlock(ours) {
        Ok(unlocked) => unlocked,
        Err(failure) => {
            let Ok(other) = world.unlock(theirs) else { return Err(failure) };
            let Ok(unlocked) = other.open_copy(ours) else { return Err(failure) };
            return Ok((unlocked, other));
        }
    };
    let other = match unlocked.open_copy(theirs) {
        Err(Error::Altered) if !unlocked.shares_slot(theirs) => world.unlock(theirs)?,
        other => other?,
    };
    // Neither came of the other: which key is to be in force, nobody here can say.
    let related = unlocked.has_retired(other.data_key()) || other.has_retired(unlocked.data_key());
    if !related && !unlocked.shares_key(&other) {
        return Err(Failure::usage(
            "The two versions were given different new keys",
            "Put one in the vault's place, and join the other one by `otpanel vault restore FILE`.",
        ));
    }
    Ok((unlocked, other))
}

fn merged(changes: &Changes) -> String {
    let parts = [
        (changes.added.len() + changes.restored.len(), "added"),
        (changes.changed.len(), "changed"),
        (changes.trashed.len(), "to the trash"),
        (changes.purged.len(), "deleted for good"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if parts.is_empty() { "theirs had nothing new".to_owned() } else { parts.join(", ") }
}

/// Puts a copy where no vault that opens stands; what stood there is moved aside, not deleted.
fn put_back(world: &World, args: &VaultRestore, copy: &Locked, aside: Option<PathBuf>) -> Result<(), Failure> {
    let place = world.place();
    let unlocked = world.unlock(copy)?;
    let accounts = unlocked.state.live().count();
    if !args.yes && !prompt::yes(&format!("Put that copy with {accounts} accounts in the vault's place?"), false)? {
        return Err(Failure::Cancelled);
    }
    if let Some(to) = &aside {
        let failed = |source| Failure::File { path: place.path.clone(), doing: Doing::Write, source };
        // A link keeps pointing where it did: what it points to is moved.
        let real = paths::real(&place.path).map_err(failed)?;
        fs::rename(real, to).map_err(failed)?;
    }
    place.create(&unlocked)?;
    say(&format!("The vault is back, with {}.", count(accounts, "account")));
    if rollback::is_of_before(&place, copy) {
        say(
            "otpanel: that copy is of before a new password or key: the next opening asks for what opens the vault now, and joins \
             the copy into the newest version of the history.",
        );
    }
    if let Some(to) = aside {
        say(&format!("What stood there before is in {}.", shown(&to)));
    }
    Ok(())
}

/// A name for a damaged vault that is moved aside.
fn aside(path: &Path) -> PathBuf {
    let real = paths::real(path).unwrap_or_else(|_| path.to_owned());
    let mut name = real.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".damaged-{}", UnixTime::now().secs()));
    real.with_file_name(name)
}

/// A copy by its path, or by its file's name alone in the history.
fn named_copy(place: &crate::vault::Place, given: &Path) -> PathBuf {
    match fs::metadata(given) {
        Err(e) if e.kind() == ErrorKind::NotFound && given.components().count() == 1 => {
            let all = whole_copies(place, None);
            all.into_iter().map(|c| c.path).find(|p| p.file_name() == given.file_name()).unwrap_or(given.to_owned())
        }
        _ => given.to_owned(),
    }
}
