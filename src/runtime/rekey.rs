//! New keys for the vault, carried out: made from a password, put in force in the file and in the keychain. The command line
//! takes the same parts.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::app::event::Event;
use crate::app::rekey::{InForce, Made, NotInForce, Password};
use crate::backup::{record, round};
use crate::keychain::{Keychain, system};
use crate::local::Local;
use crate::rollback;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::unlock::rekey::{Keychains, NewKey, is_password};
use crate::unlock::renewal::NewRecoveryKey;
use crate::unlock::{self, UnlockError};
use crate::vault::envelope::{self, Unlocked};
use crate::vault::file::Place;
use crate::vault::history::Reason;
use crate::vault::{DeviceId, FileError};

/// Makes a new key that this password opens, derived at the cost that takes so many milliseconds here. Touches nothing.
///
/// # Errors
/// [`UnlockError`] of the password.
pub fn make(vault: &Unlocked, password: Option<&Secret<String>>, target_ms: u32) -> Result<NewKey, UnlockError> {
    let kdf = || unlock::calibrate(Duration::from_millis(u64::from(target_ms)));
    NewKey::make(vault, password.map(|password| (password, kdf())))
}

/// Puts a new key in force in an open vault, and new keys for its backups: a part of the save.
///
/// # Errors
/// As [`NewKey::put_in_force`].
pub fn put_in_force(
    key: &NewKey,
    vault: &mut Unlocked,
    now: UnixTime,
    device: DeviceId,
) -> Result<(), envelope::Error> {
    let stamp = vault.state.next_stamp(now, device);
    key.put_in_force(vault, stamp)?;
    record::choose_new_keys(Arc::make_mut(&mut vault.state), stamp, &round::fresh);
    Ok(())
}

/// A new key for the panel, with what it means for keychains. The user pressed a key for it, so the keychain may show its dialog.
pub fn made(generation: u64, attempt: u64, vault: &Unlocked, password: &Password, target_ms: u32) -> Event {
    let made = || -> Result<Box<Made>, UnlockError> {
        let words = match password {
            Password::Present(words) if !is_password(vault, words)? => return Err(envelope::Error::WrongKey.into()),
            Password::Present(words) | Password::New(words) => Some(words),
            Password::None => None,
        };
        let keychains = Keychains::of(vault, &system::asking(), words.is_some())?;
        Ok(Box::new(Made { key: make(vault, words, target_ms)?, keychains }))
    };
    Event::KeyMade(generation, attempt, made())
}

/// Puts it in force for the panel: the keychain's item, the vault, then the old items go.
pub fn in_force(place: &Place, generation: u64, mut vault: Box<Unlocked>, mut made: Box<Made>) -> Event {
    let keychain = made.keychains.kept().then(system::asking);
    let keychain = keychain.as_ref().map(|keychain| keychain as &dyn Keychain);
    // A fault of ours is told like one of the disk: saves wait for the answer.
    let written = catch_unwind(AssertUnwindSafe(|| written(place, &mut vault, &mut made.key, keychain)));
    let fault = |_| {
        let source = io::Error::other("a mistake in otpanel itself");
        Err(FileError::Io { path: place.path.clone(), source }.into())
    };
    match written.unwrap_or_else(fault) {
        Ok(confirmed) => {
            let left = keychain.and_then(|keychain| made.key.clear_old(keychain).err());
            let left =
                left.map(|error| format!("the keychain still has the old key, which opens older copies: {error}"));
            let words = made.keychains.words().or(left);
            Event::InForce(generation, Ok(InForce { vault, confirmed, words }))
        }
        Err(error) => Event::InForce(generation, Err(Box::new(NotInForce { made, error }))),
    }
}

/// Whether the disk confirmed it.
fn written(
    place: &Place,
    vault: &mut Unlocked,
    key: &mut NewKey,
    keychain: Option<&dyn Keychain>,
) -> Result<bool, UnlockError> {
    keychain.map_or(Ok(()), |keychain| key.let_in(keychain))?;
    let mut local = Local::open_or_unkept(&place.state_dir);
    let device = DeviceId(local.device());
    let saved =
        place.save_changing(vault, Reason::Password, &mut |vault| put_in_force(key, vault, UnixTime::now(), device));
    let confirmed = match saved {
        Ok(_) => true,
        Err(error) => match key.after_failure(place, keychain) {
            Some(file) => {
                *vault = file;
                false
            }
            None => {
                if let FileError::Rekeyed(_) = error {
                    rollback::keep_for_later(place, vault)?;
                }
                return Err(error.into());
            }
        },
    };
    rollback::note(place, vault, &mut local);
    Ok(confirmed)
}

/// A new recovery key for the panel, not in force yet.
pub fn recovery_key(generation: u64, vault: &Unlocked) -> Event {
    Event::RecoveryKeyMade(generation, NewRecoveryKey::make(vault).map(Box::new))
}

/// Puts it in force for the panel, in whatever lies in the file by now.
pub fn put_recovery_key(place: &Place, generation: u64, mut vault: Box<Unlocked>, key: Box<NewRecoveryKey>) -> Event {
    let mut local = Local::open_or_unkept(&place.state_dir);
    let device = DeviceId(local.device());
    let saved = place.save_changing(&mut vault, Reason::Password, &mut |vault| {
        let stamp = vault.state.next_stamp(UnixTime::now(), device);
        key.put_in_force(vault, stamp)
    });
    Event::RecoveryKeyPut(
        generation,
        match saved {
            Ok(_) => {
                rollback::note(place, &vault, &mut local);
                Ok(vault)
            }
            Err(error) => Err((key, error.into())),
        },
    )
}
