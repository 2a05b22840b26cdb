//! `backup restore`: on a new machine, or into a vault that is here.

use std::path::Path;
use std::time::Duration;

use super::super::failure::{Doing, Failure};
use super::super::output::say;
use super::super::prompt;
use super::super::recover::{shown, when};
use super::super::session::{Session, World};
use super::{failed, here, remember};
use crate::backup::place::{Destination, PERSONAL, Store};
use crate::backup::restore::{self, RestoreError, Restored, Way};
use crate::keychain::{Keychain, Probe};
use crate::report::{Exit, Report};
use crate::secret::Secret;
use crate::text::clean;
use crate::time::UnixTime;
use crate::unlock;
use crate::vault::file::Place;
use crate::vault::{Unlocked, recovery};

/// `backup restore`.
///
/// # Errors
/// When no backup is found or opens, nobody said yes, or the vault cannot be written.
pub fn get_back(world: &World, folder: Option<&Path>, yes: bool) -> Result<(), Failure> {
    let store = match folder {
        None => Store::Keychain,
        Some(path) => Store::Folder(path.canonicalize().map_err(|source| Failure::File {
            path: path.to_owned(),
            doing: Doing::Read,
            source,
        })?),
    };
    let from = Destination { identity: PERSONAL.into(), store, on: true, names_only: false };
    // A restore is asked for by the user: the keychain may show its dialog, where somebody can see it.
    let keychain = from.open(prompt::can_type_secrets());
    if let probe @ (Probe::NoBus | Probe::NoProvider | Probe::NoCollection | Probe::Unsupported(_)) = keychain.probe() {
        let next = "A backup in a folder is restored by `otpanel backup restore --folder DIR`.";
        return Err(Report::new(Exit::Failed, "No backup can be looked for", probe.describe(), next).into());
    }
    let place = world.place();
    if world.paths.vault_file.symlink_metadata().is_ok() {
        return join_in(world, &from, &*keychain, yes);
    }
    let restored = open_one(world, &from, &*keychain)?;
    let accounts = restored.records.live().count();
    told_of(&from, &restored);
    if !yes && !prompt::yes(&format!("Make {} with these accounts?", shown(&world.paths.vault_file)), true)? {
        return Err(Failure::Cancelled);
    }
    let unlocked = new_vault(world, &from, &place, &restored, &*keychain)?;
    say(&format!("Restored {accounts} accounts into {}.", shown(&world.paths.vault_file)));
    let vault = unlocked.vault_id();
    if let Store::Folder(path) = &from.store {
        remember(&place, vault, |ledger| ledger.folder = Some(path.clone()))?;
    }
    // This machine backs up from now on too.
    let (backup, policy) = (world.config.backup.enabled, world.policy.clone());
    drop(Session { place, unlocked, backup, policy, unseen: true });
    Ok(())
}

fn told_of(from: &Destination, restored: &Restored) {
    let names: Vec<String> = restored
        .devices
        .iter()
        .map(|device| format!("{} ({} accounts, {})", clean(&device.label), device.accounts, when(device.time.0)))
        .collect();
    say(&format!("A backup lies in the {}: {}.", from.store_name(), names.join(", ")));
    if restored.unread > 0 {
        say(&format!("{} of its items are missing or cannot be opened; what can be is restored.", restored.unread));
    }
}

/// Finds and opens the backup of one vault, by what is at hand.
fn open_one(world: &World, from: &Destination, keychain: &dyn Keychain) -> Result<Restored, Failure> {
    let found = restore::find(keychain, &from.identity).map_err(|error| failed(&error.into()))?;
    if found.is_empty() {
        let next = "Another folder: `otpanel backup restore --folder DIR`. A new vault: `otpanel init`.";
        return Err(Report::new(Exit::NotFound, "No backup lies there", "No item of otpanel was found.", next).into());
    }
    let mut words = world.given_password()?;
    for attempt in 0..4 {
        let mut wrong = false;
        for one in &found {
            let way = words.as_ref().map_or(Way::Alone, way);
            match restore::open(keychain, &from.identity, one, &way) {
                Ok(restored) => return Ok(restored),
                Err(RestoreError::Store(error)) => return Err(failed(&error.into())),
                Err(RestoreError::WrongKey) => wrong = true,
                Err(RestoreError::NeedsKey) => {}
            }
        }
        if !prompt::can_type_secrets() || attempt == 3 {
            let (problem, cause) = if wrong {
                (
                    "That key does not open the backup",
                    "The password or recovery key is not that of the vault backed up.",
                )
            } else {
                ("The backup needs a key", "It opens with the password or the recovery key of the vault backed up.")
            };
            return Err(Report::new(Exit::Locked, problem, cause, "Give it by --password-file FILE.").into());
        }
        if wrong {
            say("That does not open it. Try again.");
        }
        words = Some(prompt::secret("Password or recovery key of the vault that was backed up")?);
    }
    unreachable!("the last attempt returns")
}

fn way(words: &Secret<String>) -> Way<'_> {
    if recovery::read(words.expose()).is_ok() { Way::Recovery(words) } else { Way::Password(words) }
}

/// A vault that did not exist here: the one that was backed up, with its slots, and one that opens it here.
fn new_vault(
    world: &World,
    from: &Destination,
    place: &Place,
    restored: &Restored,
    keychain: &dyn Keychain,
) -> Result<Unlocked, Failure> {
    let device = here(place).device;
    let stamp = restored.records.next_stamp(UnixTime::now(), device);
    let state = restore::state_of(restored, PERSONAL, stamp);
    let mut unlocked = Unlocked::create(restored.vault, restored.data.duplicate(), restored.slots.clone(), state);
    let given = world.given_password()?.filter(|words| recovery::read(words.expose()).is_err());
    if let Some(words) = given {
        // The password that opened the backup opens the vault; another one becomes one more.
        if !opens(restored, &words) {
            let kdf = unlock::calibrate(Duration::from_millis(u64::from(world.config.kdf.target_ms)));
            unlock::add_password(&mut unlocked, &words, kdf, stamp)?;
        }
    } else if keychain.probe() == Probe::Ready && from.store == Store::Keychain {
        unlock::add_keychain(&mut unlocked, keychain, stamp)?;
    }
    place.create_known(&mut unlocked)?;
    Ok(unlocked)
}

fn opens(restored: &Restored, words: &Secret<String>) -> bool {
    let key = crate::vault::Key::Password(words);
    let slots = restored.slots.iter().filter(|slot| slot.kind() == key.kind());
    slots.into_iter().any(|slot| matches!(slot.unwrap(restored.vault, key), Ok(Some(_))))
}

/// Into a vault that is here: a restore joins, and replaces nothing.
fn join_in(world: &World, from: &Destination, keychain: &dyn Keychain, yes: bool) -> Result<(), Failure> {
    let mut session = world.open()?;
    let restored = open_one(world, from, keychain)?;
    told_of(from, &restored);
    let before = session.unlocked.state.live().count();
    let mut joined = (*session.unlocked.state).clone();
    joined.join(&restored.records);
    let added = joined.live().count().saturating_sub(before);
    let question = format!("Join it into this vault? {added} accounts come in addition; nothing is replaced.");
    if !yes && !prompt::yes(&question, true)? {
        return Err(Failure::Cancelled);
    }
    session.edit(world, |state, stamp| {
        state.join(&restored.records);
        state.note(stamp);
    });
    session.save_before(crate::vault::history::Reason::Restore)?;
    say(&format!("Restored: {added} accounts came in addition to {before}."));
    Ok(())
}
