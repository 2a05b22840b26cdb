//! `vault slots`: what opens the vault; this computer's keychain let in, a slot taken away.

use serde::Serialize;

use super::args::{Slots, SlotsCommand};
use super::failure::Failure;
use super::init::KEYCHAIN_WORDS;
use super::output::{answer, columns, json, say};
use super::prompt;
use super::recover::rfc3339;
use super::session::{Session, World};
use crate::keychain::system::{self, SystemKeychain};
use crate::report::{Exit, OTHERWISE, Report};
use crate::time::UnixTime;
use crate::unlock::slots::{KeychainSlot, delete_item, held, remove};
use crate::unlock::{self, UnlockError};
use crate::vault::history::Reason;
use crate::vault::{DeviceId, Error, Slot, SlotId, SlotKind, Unlocked};

/// The fewest digits by which a slot can be named.
const SHORTEST_ID: usize = 4;

/// `vault slots`.
///
/// # Errors
/// When the vault cannot be opened or saved, the keychain cannot be had, or the slot has to stay.
pub fn slots(world: &World, args: &Slots) -> Result<(), Failure> {
    match &args.command {
        None => list(world, args.json),
        // There is one thing that can be added: another would be another value here.
        Some(SlotsCommand::Add { what: _ }) => add(world),
        Some(SlotsCommand::Remove { slot, yes }) => take_away(world, slot, *yes),
    }
}

/// One slot of `vault info --json` and `vault slots --json`.
#[derive(Serialize)]
pub struct Row {
    id: String,
    /// As [`SlotKind::name`].
    pub kind: &'static str,
    label: Option<String>,
    created: Option<String>,
}

/// The slots, as JSON has them.
pub fn rows(session: &Session) -> Vec<Row> {
    let unlocked = &session.unlocked;
    let row = |slot: &Slot| Row {
        id: slot.id.to_string(),
        kind: slot.kind().name(),
        label: None,
        created: unlocked.slot_created(slot.id).and_then(rfc3339),
    };
    unlocked.slots().iter().map(row).collect()
}

fn list(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let rows = rows(&session);
    if as_json {
        return json(&rows);
    }
    // Which keychain is meant tells only the one that is here; locked, it is not asked to open for that.
    let held = held(&session.unlocked, &system::system()).unwrap_or_default();
    let whose = |slot: &Slot| if held.contains(&slot.id) { "this computer" } else { "" };
    let line = |(row, slot): (Row, &Slot)| {
        let since = row.created.map(|created| format!("since {created}")).unwrap_or_default();
        vec![row.id, row.kind.to_owned(), since, whose(slot).to_owned()]
    };
    let lines: Vec<Vec<String>> = rows.into_iter().zip(session.unlocked.slots()).map(line).collect();
    answer(&columns(&lines))
}

/// The keychain; on a terminal somebody has just asked for it, so it may show its dialog.
fn keychain() -> SystemKeychain {
    if prompt::can_type_secrets() { system::asking() } else { system::system() }
}

/// A failure of the keychain, with what it means for what was to be done.
fn unreached(error: UnlockError) -> Failure {
    let mut report = Report::from(error);
    report.next = report.next.replace(OTHERWISE, "Nothing was changed: the vault opens as it did.");
    report.into()
}

fn add(world: &World) -> Result<(), Failure> {
    let mut session = world.open()?;
    let keychain = keychain();
    let Some(slot) = KeychainSlot::make(&session.unlocked, &keychain).map_err(unreached)? else {
        say("This computer's keychain opens the vault already. Nothing was changed.");
        return Ok(());
    };
    let device = session.stamp(world).device;
    let saved = session.save_changing(Reason::Password, &mut |vault| {
        let stamp = vault.state.next_stamp(UnixTime::now(), device);
        slot.put_in(vault, stamp)
    });
    if let Err(failure) = saved {
        slot.give_up(&session.place, &keychain);
        return Err(failure);
    }
    say("This computer's keychain opens the vault from now on, without typing. What opened it before still does.");
    say(KEYCHAIN_WORDS);
    Ok(())
}

fn take_away(world: &World, named: &str, yes: bool) -> Result<(), Failure> {
    if !yes && !prompt::interactive() {
        return Err(Failure::NeedsYes { what: "Removing a key slot".to_owned() });
    }
    let mut session = world.open()?;
    let keychain = keychain();
    let by_name = named == "keychain";
    // Where it cannot be asked it opens nothing; only who means it itself has to hear why.
    let held = match held(&session.unlocked, &keychain) {
        Err(error) if by_name => return Err(unreached(error.into())),
        answer => answer.unwrap_or_default(),
    };
    let chosen = if by_name { held.clone() } else { vec![find(&session, named)?] };
    let Some(first) = chosen.first() else {
        return Err(Report::new(
            Exit::NotFound,
            "This computer's keychain does not open the vault",
            "It holds the key of none of the vault's slots.",
            "`otpanel vault slots` lists them: a slot of another computer is named by its id.",
        )
        .into());
    };
    let device = session.stamp(world).device;
    let mut trial = session.unlocked.duplicate();
    take(&mut trial, &chosen, &held, device)?;
    let kind = session.unlocked.slots().iter().find(|slot| slot.id == *first).map(Slot::kind);
    if !yes && !prompt::yes(&question(kind, held.contains(first)), false)? {
        return Err(Failure::Cancelled);
    }
    // Another device may have taken the other way in meanwhile: decided over what was joined.
    let mut refused = None;
    let saved = session.save_changing(Reason::Password, &mut |vault| {
        take(vault, &chosen, &held, device).map_err(|error| {
            refused = Some(error);
            Error::Slots("nothing would open it")
        })
    });
    if let Some(error) = refused {
        return Err(error.into());
    }
    saved?;
    unlock::forget(session.unlocked.vault_id());
    for id in chosen.iter().filter(|_| kind == Some(SlotKind::Keychain)) {
        let deleted = delete_item(session.unlocked.vault_id(), *id, &keychain);
        if let (Err(error), true) = (deleted, held.contains(id)) {
            say(&format!("otpanel: the keychain still has the item, which opens older copies alone: {error}"));
        }
    }
    tell(kind, held.contains(first));
    Ok(())
}

fn take(vault: &mut Unlocked, chosen: &[SlotId], held: &[SlotId], device: DeviceId) -> Result<(), UnlockError> {
    let stamp = vault.state.next_stamp(UnixTime::now(), device);
    chosen.iter().try_for_each(|id| remove(vault, *id, held, stamp).map(drop))
}

/// The slot whose id begins so.
fn find(session: &Session, named: &str) -> Result<SlotId, Failure> {
    let typed = named.to_ascii_lowercase();
    let matching = |id: &SlotId| typed.len() >= SHORTEST_ID && id.to_string().starts_with(&typed);
    let all: Vec<SlotId> = session.unlocked.slots().iter().map(|slot| slot.id).filter(matching).collect();
    let (problem, cause) = match all[..] {
        [one] => return Ok(one),
        [] => ("No key slot has this id", format!("It is none of the vault's, or shorter than {SHORTEST_ID} digits.")),
        _ => ("Several key slots have ids that begin so", format!("There are {}.", all.len())),
    };
    let next = "`otpanel vault slots` lists them; `keychain` means the slot of this computer's keychain.";
    Err(Report::new(Exit::NotFound, problem, cause, next).into())
}

fn question(kind: Option<SlotKind>, here: bool) -> String {
    let (what, then) = match kind {
        Some(SlotKind::Keychain) if here => ("this computer's keychain", "The password is typed here again."),
        Some(SlotKind::Keychain) => ("the keychain of another computer", "The password is typed there again."),
        Some(SlotKind::Password | SlotKind::PasswordAndKeychain) => {
            ("the password", "The vault opens by keychains and the recovery key alone.")
        }
        Some(SlotKind::Recovery) => ("this recovery key", "Another one is left."),
        Some(SlotKind::Unknown(_)) | None => ("a slot of a newer otpanel", "This version cannot tell what it is for."),
    };
    format!("{then} Remove {what} from what opens the vault?")
}

/// What is true from now on, and what is not.
fn tell(kind: Option<SlotKind>, here: bool) {
    match kind {
        Some(SlotKind::Keychain) if here => say("Removed: this computer's keychain opens the vault no more."),
        Some(SlotKind::Keychain) => {
            say("Removed: that computer's keychain opens the vault no more, once this version of it is there.");
            say("If the computer was lost or stolen, that is not enough: it may have kept the key itself.");
            say("`otpanel vault rekey` gives the vault a new key, which shuts it out.");
        }
        _ => say("Removed: it opens the vault no more."),
    }
    say("Copies from before, here and elsewhere, still open as they did.");
}
