//! The world of the journeys as far as it is about what opens the vault: a keychain in memory, new keys.

use otpanel::app::access::{Answer, Job};
use otpanel::app::event::{Effect, Event};
use otpanel::app::rekey::{InForce, Made, NotInForce, Password};
use otpanel::keychain::memory::MemoryKeychain;
use otpanel::runtime::rekey::put_in_force;
use otpanel::time::UnixTime;
use otpanel::unlock::rekey::{Keychains, NewKey, is_password};
use otpanel::unlock::renewal::NewRecoveryKey;
use otpanel::unlock::slots::{KeychainSlot, delete_item, held, remove};
use otpanel::unlock::{self, UnlockError};
use otpanel::vault::envelope::{self, Unlocked};
use otpanel::vault::file::FileError;
use otpanel::vault::kdf::KdfParams;

use crate::harness::DEVICE;

/// New keys, as the world makes them.
fn made(vault: &Unlocked, password: &Password, keychain: &MemoryKeychain) -> Result<Box<Made>, UnlockError> {
    let words = match password {
        Password::Present(words) if !is_password(vault, words)? => return Err(envelope::Error::WrongKey.into()),
        Password::Present(words) | Password::New(words) => Some(words),
        Password::None => None,
    };
    let keychains = Keychains::of(vault, keychain, words.is_some())?;
    Ok(Box::new(Made { key: NewKey::make(vault, words.map(|words| (words, KdfParams::WEAKEST)))?, keychains }))
}

fn access(
    vault: &mut Unlocked,
    job: Job,
    keychain: &MemoryKeychain,
    now: UnixTime,
) -> Result<Option<bool>, UnlockError> {
    let stamp = vault.state.next_stamp(now, DEVICE);
    let held = held(vault, keychain)?;
    match job {
        Job::Look | Job::Offer => return Ok(None),
        Job::LetIn => {
            let Some(slot) = KeychainSlot::make(vault, keychain)? else { return Ok(None) };
            slot.put_in(vault, stamp)?;
        }
        Job::TakeAway => {
            for id in &held {
                remove(vault, *id, &held, stamp)?;
                delete_item(vault.vault_id(), *id, keychain)?;
            }
        }
    }
    Ok(Some(job == Job::LetIn))
}

/// What the world answers, and leaves in the file; the effect back where it is about something else.
pub fn answer(
    effect: Effect,
    file: &mut Option<Unlocked>,
    keychain: &MemoryKeychain,
    save_fails: Option<fn() -> FileError>,
    now: UnixTime,
) -> Result<Event, Effect> {
    let joined = |vault: &mut Unlocked, file: &Option<Unlocked>| {
        if let Some(stored) = file {
            vault.absorb(stored);
        }
    };
    match effect {
        Effect::Access(generation, mut vault, job) => {
            joined(&mut vault, file);
            let answer = access(&mut vault, job, keychain, now).and_then(|changed| match changed {
                None if job == Job::Offer => Ok(Answer::Offer(held(&vault, keychain)?.is_empty())),
                None => Ok(Answer::Opens(!held(&vault, keychain)?.is_empty())),
                Some(opens) => {
                    *file = Some(vault.duplicate());
                    Ok(Answer::Changed(vault, opens))
                }
            });
            Ok(Event::Access(generation, answer))
        }
        Effect::MakeKey { generation, attempt, vault, password } => {
            Ok(Event::KeyMade(generation, attempt, made(&vault, &password, keychain)))
        }
        Effect::PutInForce(generation, mut vault, mut made) => {
            let fails = save_fails.map(|fails| UnlockError::from(fails()));
            let let_in = if made.keychains.kept() { made.key.let_in(keychain).err() } else { None };
            if let Some(error) = let_in.or(fails) {
                return Ok(Event::InForce(generation, Err(Box::new(NotInForce { made, error }))));
            }
            joined(&mut vault, file);
            put_in_force(&made.key, &mut vault, now, DEVICE).expect("something opens it");
            *file = Some(vault.duplicate());
            let words = made.keychains.words();
            Ok(Event::InForce(generation, Ok(InForce { vault, confirmed: true, words })))
        }
        Effect::MakeRecoveryKey(generation, vault) => {
            Ok(Event::RecoveryKeyMade(generation, NewRecoveryKey::make(&vault).map(Box::new)))
        }
        Effect::PutRecoveryKey(generation, mut vault, key) => {
            if let Some(fails) = save_fails {
                return Ok(Event::RecoveryKeyPut(generation, Err((key, fails().into()))));
            }
            joined(&mut vault, file);
            let stamp = vault.state.next_stamp(now, DEVICE);
            key.put_in_force(&mut vault, stamp).expect("something opens it");
            *file = Some(vault.duplicate());
            Ok(Event::RecoveryKeyPut(generation, Ok(vault)))
        }
        Effect::SetPassword(generation, mut vault, password) => {
            let stamp = vault.state.next_stamp(now, DEVICE);
            let changed = unlock::change_password(&mut vault, &password, KdfParams::WEAKEST, stamp);
            let saved = changed.and_then(|()| save_fails.map_or(Ok(()), |fails| Err(fails().into())));
            if saved.is_ok() {
                joined(&mut vault, file);
                *file = Some(vault.duplicate());
            }
            Ok(Event::PasswordSet(generation, saved.map(|()| vault)))
        }
        other => Err(other),
    }
}
