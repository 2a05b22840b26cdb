//! `vault`: looking after the file itself: what it is made of, its keys, its history, its content.

use std::fs;
use std::time::Duration;

use serde::Serialize;

use super::args::{Cat, Passwd, RecoveryKey, Vault};
use super::failure::Failure;
use super::output::{answer, columns, json, say};
use super::recover::shown;
use super::session::{World, read_password};
use super::{history, init, prompt, rekey, slots};
use crate::otp::account::title;
use crate::unlock;
use crate::vault::history::Reason;
use crate::vault::payload;

/// `vault`.
///
/// # Errors
/// When the vault cannot be opened or saved, or what was asked for cannot be done.
pub fn vault(world: &World, args: &Vault) -> Result<(), Failure> {
    match args {
        Vault::Info(a) => info(world, a.json),
        Vault::Slots(a) => slots::slots(world, a),
        Vault::Passwd(a) => passwd(world, a),
        Vault::RecoveryKey(a) => recovery_key(world, a),
        Vault::Rekey(a) => rekey::rekey(world, a),
        Vault::History(a) => history::list(world, a.json),
        Vault::Restore(a) => history::restore(world, a),
        Vault::Merge(a) => history::merge(world, a),
        Vault::Cat(a) => cat(world, a),
    }
}

/// What `vault info --json` prints.
#[derive(Serialize)]
struct Info {
    path: String,
    format: [u16; 2],
    accounts: usize,
    trashed: usize,
    quarantined: usize,
    slots: Vec<slots::Row>,
    kdf: Option<Kdf>,
    history: usize,
}

#[derive(Serialize)]
struct Kdf {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

fn info(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let unlocked = &session.unlocked;
    let locked = session.place.load()?;
    let (major, minor) = locked.version();
    let kdf = unlocked.slots().iter().find_map(crate::vault::Slot::kdf);
    let info = Info {
        path: session.place.path.display().to_string(),
        format: [major, minor],
        accounts: unlocked.state.live().count(),
        trashed: unlocked.state.trashed().count(),
        quarantined: unlocked.state.live().filter(|e| !e.is_name_only() && e.account().is_err()).count(),
        slots: slots::rows(&session),
        kdf: kdf.map(|k| Kdf { memory_kib: k.memory_kib, passes: k.passes, lanes: k.lanes }),
        history: session.place.history(unlocked.vault_id())?.len(),
    };
    if as_json {
        return json(&info);
    }
    let kinds: Vec<&str> = info.slots.iter().map(|s| s.kind).collect();
    let mut rows = vec![
        ["file", &shown(&session.place.path)].map(str::to_owned).to_vec(),
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

fn passwd(world: &World, args: &Passwd) -> Result<(), Failure> {
    let mut session = world.open()?;
    let new = match &args.new_password_file {
        Some(path) => init::long_enough(read_password(path, "new password")?)?,
        None if prompt::can_type_secrets() => prompt::new_password("New password")?,
        None => {
            return Err(Failure::usage("There is no new password", "Give it by --new-password-file FILE."));
        }
    };
    let kdf = unlock::calibrate(Duration::from_millis(u64::from(world.config.kdf.target_ms)));
    let stamp = session.stamp(world);
    unlock::change_password(&mut session.unlocked, &new, kdf, stamp)?;
    session.save_before(Reason::Password)?;
    say("The password is changed. Copies of the vault from before still open with the old one.");
    Ok(())
}

/// The key is handed over before the vault is saved: what fails between the two leaves a key that opens nothing, and not a
/// vault whose new key nobody has.
fn recovery_key(world: &World, args: &RecoveryKey) -> Result<(), Failure> {
    let mut session = world.open()?;
    if !args.yes
        && prompt::interactive()
        && !prompt::yes("The recovery key of now will open the vault no more. Make a new one?", false)?
    {
        return Err(Failure::Cancelled);
    }
    let file = args.recovery_key_file.as_deref();
    let open = file.map(|path| init::reserve(path).map(|file| (path, file))).transpose()?;
    let stamp = session.stamp(world);
    let key = unlock::new_recovery_key(&mut session.unlocked, stamp)?;
    let handed = init::hand_over(&key, open);
    if let Err(failure) = handed.and_then(|()| session.save_before(Reason::Password)) {
        // Where the new version may stand in the vault's place, its key is needed.
        if !session.place.load().is_ok_and(|locked| locked.slots() == session.unlocked.slots()) {
            file.map(fs::remove_file);
        }
        return Err(failure);
    }
    match file {
        Some(path) => init::written_to(path),
        None => say("That recovery key opens the vault from now on, and the one before no more."),
    }
    Ok(())
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
    // The trash too: its secrets are printed as well.
    let state = &session.unlocked.state;
    let all = state.live().chain(state.trashed());
    world.policy.may_leave(all.map(|entry| (entry.identity(), title(entry.issuer(), entry.name()))))?;
    let bytes = payload::encode(&session.unlocked.state);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| Failure::NotText { what: "content" })?;
    answer(text)?;
    if text.ends_with('\n') { Ok(()) } else { answer("\n") }
}
