//! `vault`: looking after the file itself: what it is made of, its keys, its history, its content.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::args::{Cat, Passwd, RecoveryKey, Vault, VaultRestore};
use super::failure::{Doing, Failure};
use super::output::{answer, columns, json, say};
use super::recover::{rfc3339, shown, when, whole_copies};
use super::session::{Session, World, read_password};
use super::{files, init, prompt};
use crate::time::UnixTime;
use crate::unlock;
use crate::vault::envelope::MAX_FILE_LEN;
use crate::vault::history::Reason;
use crate::vault::{FileError, Locked, changes, payload};

/// `vault`.
///
/// # Errors
/// When the vault cannot be opened or saved, or what was asked for cannot be done.
pub fn vault(world: &World, args: &Vault) -> Result<(), Failure> {
    match args {
        Vault::Info(a) => info(world, a.json),
        Vault::Slots(a) => slots(world, a.json),
        Vault::Passwd(a) => passwd(world, a),
        Vault::RecoveryKey(a) => recovery_key(world, a),
        Vault::History(a) => history(world, a.json),
        Vault::Restore(a) => restore(world, a),
        Vault::Cat(a) => cat(world, a),
    }
}

/// One key of `vault info --json` and `vault slots --json`.
#[derive(Serialize)]
struct SlotRow {
    id: String,
    kind: &'static str,
    label: Option<String>,
    created: Option<String>,
}

/// What `vault info --json` prints.
#[derive(Serialize)]
struct Info {
    path: PathBuf,
    format: [u16; 2],
    accounts: usize,
    trashed: usize,
    quarantined: usize,
    slots: Vec<SlotRow>,
    kdf: Option<Kdf>,
    history: usize,
}

#[derive(Serialize)]
struct Kdf {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

fn slot_rows(session: &Session) -> Vec<SlotRow> {
    let unlocked = &session.unlocked;
    let row = |slot: &crate::vault::Slot| SlotRow {
        id: slot.id.to_string(),
        kind: slot.kind().name(),
        label: None,
        created: unlocked.slot_created(slot.id).and_then(rfc3339),
    };
    unlocked.slots().iter().map(row).collect()
}

fn info(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let unlocked = &session.unlocked;
    let locked = session.place.load()?;
    let (major, minor) = locked.version();
    let kdf = unlocked.slots().iter().find_map(crate::vault::Slot::kdf);
    let info = Info {
        path: session.place.path.clone(),
        format: [major, minor],
        accounts: unlocked.state.live().count(),
        trashed: unlocked.state.trashed().count(),
        quarantined: unlocked.state.live().filter(|e| e.account().is_err()).count(),
        slots: slot_rows(&session),
        kdf: kdf.map(|k| Kdf { memory_kib: k.memory_kib, passes: k.passes, lanes: k.lanes }),
        history: session.place.history(unlocked.vault_id())?.len(),
    };
    if as_json {
        return json(&info);
    }
    let kinds: Vec<&str> = info.slots.iter().map(|s| s.kind).collect();
    let mut rows = vec![
        ["file", &shown(&info.path)].map(str::to_owned).to_vec(),
        ["format", &format!("{major}.{minor}")].map(str::to_owned).to_vec(),
        ["accounts", &info.accounts.to_string()].map(str::to_owned).to_vec(),
        ["in the trash", &info.trashed.to_string()].map(str::to_owned).to_vec(),
    ];
    if info.quarantined > 0 {
        rows.push(["kept, but unusable here", &info.quarantined.to_string()].map(str::to_owned).to_vec());
    }
    rows.push(["opens by", &kinds.join(", ")].map(str::to_owned).to_vec());
    if let Some(k) = &info.kdf {
        let text = format!("Argon2id, {} MiB, {} passes, {} lanes", k.memory_kib / 1024, k.passes, k.lanes);
        rows.push(["password", &text].map(str::to_owned).to_vec());
    }
    rows.push(["older versions", &info.history.to_string()].map(str::to_owned).to_vec());
    answer(&columns(&rows))
}

fn slots(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let rows = slot_rows(&session);
    if as_json {
        return json(&rows);
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|r| vec![r.id, r.kind.to_owned(), r.created.map(|c| format!("since {c}")).unwrap_or_default()])
        .collect();
    answer(&columns(&rows))
}

fn passwd(world: &World, args: &Passwd) -> Result<(), Failure> {
    let mut session = world.open()?;
    let new = match &args.new_password_file {
        Some(path) => read_password(path, "new password")?,
        None if prompt::can_type_secrets() => prompt::new_password("New password")?,
        None => {
            return Err(Failure::usage("There is no new password", "Give it by --new-password-file FILE."));
        }
    };
    if new.expose().is_empty() {
        return Err(Failure::EmptyPassword);
    }
    let kdf = unlock::calibrate(Duration::from_millis(u64::from(world.config.kdf.target_ms)));
    let stamp = session.stamp(world);
    unlock::change_password(&mut session.unlocked, &new, kdf, stamp)?;
    session.save_before(Reason::Password)?;
    say("The password is changed. Copies of the vault from before still open with the old one.");
    Ok(())
}

fn recovery_key(world: &World, args: &RecoveryKey) -> Result<(), Failure> {
    let mut session = world.open()?;
    let file =
        args.recovery_key_file.as_deref().map(|path| init::reserve(path).map(|file| (path, file))).transpose()?;
    let stamp = session.stamp(world);
    let key = unlock::new_recovery_key(&mut session.unlocked, stamp)?;
    // To its file before the vault is saved: a crash between the two leaves a key that opens nothing, and not a vault whose
    // new key nobody has.
    let Some((path, open)) = file else {
        session.save_before(Reason::Password)?;
        return init::hand_over(&key, None);
    };
    let written = init::write_key(&key, path, open);
    if let Err(failure) = written.and_then(|()| session.save_before(Reason::Password)) {
        // Where the new version may stand in the vault's place, its key is needed.
        if !session.place.load().is_ok_and(|locked| locked.slots() == session.unlocked.slots()) {
            let _ = fs::remove_file(path);
        }
        return Err(failure);
    }
    init::written_to(path);
    Ok(())
}

/// One row of `vault history --json`.
#[derive(Serialize)]
struct VersionRow {
    file: PathBuf,
    time: Option<String>,
    size: u64,
    reason: &'static str,
}

fn history(world: &World, as_json: bool) -> Result<(), Failure> {
    let place = world.place();
    // No key is needed to list copies; a vault that is damaged may not tell its id, and then all copies are listed.
    let id = place.load().ok().map(|locked| locked.vault_id());
    let Some(id) = id else {
        let copies = whole_copies(&place, None);
        if as_json {
            let row = |c: super::recover::Copy| {
                let size = fs::metadata(&c.path).map_or(0, |m| m.len());
                VersionRow { file: c.path, time: rfc3339(c.time), size, reason: "save" }
            };
            return json(&copies.into_iter().map(row).collect::<Vec<_>>());
        }
        let rows: Vec<Vec<String>> = copies.iter().map(|c| vec![when(c.time), shown(&c.path)]).collect();
        return answer(&columns(&rows));
    };
    let versions = place.history(id)?;
    if as_json {
        let row = |v: crate::vault::history::Version| VersionRow {
            file: v.path,
            time: rfc3339(v.time.0),
            size: v.size,
            reason: why(v.reason),
        };
        return json(&versions.into_iter().map(row).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = versions
        .iter()
        .map(|v| {
            vec![when(v.time.0), format!("{} KiB", v.size.div_ceil(1024)), why(v.reason).to_owned(), shown(&v.path)]
        })
        .collect();
    answer(&columns(&rows))
}

const fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Save => "save",
        Reason::Import => "import",
        Reason::Restore => "restore",
        Reason::Password => "password",
        Reason::Conflict => "conflict",
        Reason::Unreadable => "unreadable",
    }
}

fn restore(world: &World, args: &VaultRestore) -> Result<(), Failure> {
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

/// Joins a copy into the vault that stands.
fn join(world: &World, args: &VaultRestore, locked: &Locked, copy: &Locked) -> Result<(), Failure> {
    if locked.vault_id() != copy.vault_id() {
        return Err(Failure::usage(
            "That is a copy of another vault",
            "Name a copy that `otpanel vault history` lists.",
        ));
    }
    let mut session = world.open()?;
    let other = copy.open_with(session.unlocked.data_key())?;
    let before = Arc::clone(&session.unlocked.state);
    if !session.unlocked.absorb(&other) {
        say("The vault holds everything that is in that copy; nothing was changed.");
        return Ok(());
    }
    let changes = changes(&before, &session.unlocked.state);
    let text = format!(
        "{} added, {} changed, {} trashed, {} restored",
        changes.added.len(),
        changes.changed.len(),
        changes.trashed.len(),
        changes.restored.len()
    );
    if !args.yes && !prompt::yes(&format!("Join that copy ({text})?"), false)? {
        return Err(Failure::Cancelled);
    }
    session.save_before(Reason::Restore)?;
    say(&format!("Joined: {text}."));
    Ok(())
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
        let real = fs::canonicalize(&place.path).map_err(failed)?;
        fs::rename(real, to).map_err(failed)?;
    }
    place.create(&unlocked)?;
    say(&format!("The vault is back, with {accounts} accounts."));
    if let Some(to) = aside {
        say(&format!("What stood there before is in {}.", shown(&to)));
    }
    Ok(())
}

/// A name for a damaged vault that is moved aside.
fn aside(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
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

fn cat(world: &World, args: &Cat) -> Result<(), Failure> {
    if !args.yes {
        if !prompt::interactive() {
            return Err(Failure::NeedsYes { what: "Printing every secret".to_owned() });
        }
        if !prompt::yes("Print every secret of this vault in clear?", false)? {
            return Err(Failure::Cancelled);
        }
    }
    let session = world.open()?;
    let bytes = payload::encode(&session.unlocked.state);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| Failure::NotText { what: "content" })?;
    answer(text)?;
    if text.ends_with('\n') { Ok(()) } else { answer("\n") }
}
