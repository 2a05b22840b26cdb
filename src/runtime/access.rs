//! What opens the vault, changed while it is open: this computer's keychain looked at, let in and taken away; a new password.

use std::time::Duration;

use crate::app::access::{Answer, Job};
use crate::app::event::Event;
use crate::keychain::{Keychain, Probe, system};
use crate::local::Local;
use crate::rollback;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::unlock::slots::{KeychainSlot, delete_item, held, remove};
use crate::unlock::{self, UnlockError};
use crate::vault::envelope::{self, Unlocked};
use crate::vault::file::Place;
use crate::vault::history::Reason;
use crate::vault::{DeviceId, FileError, Stamp};

/// Carries a job out.
pub fn carried_out(place: &Place, generation: u64, vault: Box<Unlocked>, job: Job) -> Event {
    let answer = match job {
        Job::Look => held(&vault, &system::asking()).map(|held| Answer::Opens(!held.is_empty())).map_err(Into::into),
        Job::Offer => Ok(Answer::Offer(is_to_offer(place, &vault))),
        Job::LetIn => let_in(place, vault),
        Job::TakeAway => take_away(place, vault),
    };
    Event::Access(generation, answer)
}

/// Whether to say that this keychain could open the vault: it is unlocked, does not, and nobody was told yet.
fn is_to_offer(place: &Place, vault: &Unlocked) -> bool {
    let keychain = system::system();
    let could = keychain.probe() == Probe::Ready && held(vault, &keychain).is_ok_and(|held| held.is_empty());
    let topic = format!("keychain of {}", vault.vault_id());
    could && Local::open(&place.state_dir).is_ok_and(|mut local| local.note_notice(&topic) && local.save().is_ok())
}

fn let_in(place: &Place, mut vault: Box<Unlocked>) -> Result<Answer, UnlockError> {
    let keychain = system::asking();
    let Some(slot) = KeychainSlot::make(&vault, &keychain)? else { return Ok(Answer::Opens(true)) };
    let saved = changed(place, &mut vault, &mut |vault, device| {
        let stamp = vault.state.next_stamp(UnixTime::now(), device);
        slot.put_in(vault, stamp)
    });
    saved.inspect_err(|_| slot.give_up(place, &keychain))?;
    Ok(Answer::Changed(vault, true))
}

fn take_away(place: &Place, mut vault: Box<Unlocked>) -> Result<Answer, UnlockError> {
    let keychain = system::asking();
    let held = held(&vault, &keychain)?;
    if held.is_empty() {
        return Ok(Answer::Opens(false));
    }
    // Another device may have taken the other way in meanwhile: decided over what was joined.
    let mut refused = None;
    let saved = changed(place, &mut vault, &mut |vault, device| {
        let stamp = vault.state.next_stamp(UnixTime::now(), device);
        held.iter().try_for_each(|id| remove(vault, *id, &held, stamp).map(drop)).map_err(|error| {
            refused = Some(error);
            envelope::Error::Slots("nothing would open it")
        })
    });
    if let Some(error) = refused {
        return Err(error);
    }
    saved?;
    unlock::forget(vault.vault_id());
    for id in held {
        // One that stays opens older copies and nothing else.
        if let Err(error) = delete_item(vault.vault_id(), id, &keychain) {
            tracing::warn!(%error, "the keychain keeps the item of a slot that was removed");
        }
    }
    Ok(Answer::Changed(vault, false))
}

/// Saves the vault with a new password, derived at the cost that takes so many milliseconds here.
pub fn password(
    place: &Place,
    generation: u64,
    mut vault: Box<Unlocked>,
    password: &Secret<String>,
    target_ms: u32,
) -> Event {
    let set = |vault: &mut Unlocked| -> Result<(), UnlockError> {
        // Before the save, which would hold the file's lock for as long.
        let kdf = unlock::calibrate(Duration::from_millis(u64::from(target_ms)));
        let stamp = stamp(place, vault);
        unlock::change_password(vault, password, kdf, stamp)?;
        Ok(changed(place, vault, &mut |_, _| Ok(()))?)
    };
    let set = set(&mut vault);
    Event::PasswordSet(generation, set.map(|()| vault))
}

/// The stamp of a change that this device makes now.
pub(super) fn stamp(place: &Place, vault: &Unlocked) -> Stamp {
    let device = DeviceId(Local::open_or_unkept(&place.state_dir).device());
    vault.state.next_stamp(UnixTime::now(), device)
}

/// Saves a change of the slots.
fn changed(
    place: &Place,
    vault: &mut Unlocked,
    change: &mut dyn FnMut(&mut Unlocked, DeviceId) -> Result<(), envelope::Error>,
) -> Result<(), FileError> {
    let mut local = Local::open_or_unkept(&place.state_dir);
    let device = DeviceId(local.device());
    place.save_changing(vault, Reason::Password, &mut |vault| change(vault, device))?;
    rollback::note(place, vault, &mut local);
    Ok(())
}
