//! The ways to make a vault and to open one: password, keychain, recovery key; and to change them later.
//!
//! Knows the vault and the keychain, no screen. A key that lies in the keychain is 32 random bytes at service `otpanel`,
//! user `<vault id>/<slot id>` in hex.

pub mod rekey;
pub mod renewal;
pub mod slots;

use std::time::{Duration, Instant};

use unicode_normalization::UnicodeNormalization;

use crate::entropy;
use crate::keychain::kernel::{self, NoKeyring};
use crate::keychain::{Keychain, KeychainError};
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::entry::{DeviceId, SlotId, Stamp, State, VaultId};
use crate::vault::envelope::{self, Key, Locked, Unlocked};
use crate::vault::file::{FileError, Place};
use crate::vault::kdf::{KdfError, KdfParams};
use crate::vault::recovery::{self, BadRecoveryKey};
use crate::vault::slots::{Fresh, Slot, SlotKind};
use crate::vault::{DataKey, kdf, unlocked};
use slots::KeychainSlot;

/// The keychain's service name of keys that open vaults.
pub const SERVICE: &str = "otpanel";

/// The fewest characters of a new password. One that a vault has already opens it at any length.
pub const SHORTEST_PASSWORD: usize = 8;

/// Whether a password is too short to be set.
pub fn is_short(password: &str) -> bool {
    password.chars().count() < SHORTEST_PASSWORD
}

/// How a vault is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By a password.
    Password,
    /// By the platform's keychain, without typing.
    Keychain,
    /// By either.
    Both,
}

/// What a new vault is made from.
pub struct New {
    /// How it is opened.
    pub mode: Mode,
    /// The password, where the mode wants one.
    pub password: Option<Secret<String>>,
    /// The cost of deriving from it.
    pub kdf: KdfParams,
}

/// A vault that was just made.
pub struct Created {
    /// Open already.
    pub unlocked: Unlocked,
    /// The recovery key as the user writes it down. Shown once, kept nowhere.
    pub recovery_key: Secret<String>,
}

/// Why a vault was not made, not opened or not changed.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The mode wants a password, and there is none or an empty one.
    #[error("a password is needed")]
    NoPassword,
    /// The vault does not open, or was refused.
    #[error(transparent)]
    Vault(#[from] envelope::Error),
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The keychain failed.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The vault can be opened by a keychain, but this one does not hold its key.
    #[error("this keychain does not hold the vault's key")]
    NotInKeychain,
    /// The keychain said that it kept the key, and does not give it back.
    #[error("the keychain does not keep what it is given")]
    KeychainForgets,
    /// No key is kept for this login session.
    #[error("no key is kept for this login session")]
    NotRemembered,
    /// Without this slot nothing but the recovery key would open the vault on this computer.
    #[error("nothing but the recovery key would open the vault")]
    LastWayIn,
    /// Without this slot no recovery key would open the vault.
    #[error("no recovery key would be left")]
    LastRecoveryKey,
    /// The text is no recovery key.
    #[error(transparent)]
    RecoveryKey(#[from] BadRecoveryKey),
}

impl From<KdfError> for UnlockError {
    fn from(error: KdfError) -> Self {
        Self::Vault(error.into())
    }
}

/// Makes a vault: key, slots and file. The keychain's item is written, and read back, before the file is.
///
/// # Errors
/// [`UnlockError`]; then neither a file nor an item in the keychain is left behind.
pub fn create(place: &Place, new: New, keychain: &dyn Keychain) -> Result<Created, UnlockError> {
    create_after(place, new, keychain, |_| Ok(()))
}

/// As [`create`]; the recovery key is handed over before the file is made, so that no vault stands whose key nobody has.
///
/// # Errors
/// [`UnlockError`], or what handing over gives; then neither a file nor an item in the keychain is left behind.
pub fn create_after<E: From<UnlockError>>(
    place: &Place,
    new: New,
    keychain: &dyn Keychain,
    hand_over: impl FnOnce(&Secret<String>) -> Result<(), E>,
) -> Result<Created, E> {
    let New { mode, password, kdf } = new;
    let (mut unlocked, recovery_key) = bare(mode, password.as_ref(), kdf, keychain)?;
    hand_over(&recovery_key).inspect_err(|_| take_back(&unlocked, keychain, &[]))?;
    first_save(place, &mut unlocked, Some(keychain), &[]).map_err(UnlockError::from)?;
    Ok(Created { unlocked, recovery_key })
}

fn bare(
    mode: Mode,
    password: Option<&Secret<String>>,
    kdf: KdfParams,
    keychain: &dyn Keychain,
) -> Result<(Unlocked, Secret<String>), UnlockError> {
    let (vault, dek) = (VaultId(entropy::bytes()), DataKey::new(entropy::secret()));
    let mut slots = Vec::new();
    if mode != Mode::Keychain {
        slots.push(password_slot(&dek, vault, password.ok_or(UnlockError::NoPassword)?, kdf)?);
    }
    let recovery_bytes = entropy::secret();
    slots.push(Slot::wrap(&dek, vault, Key::Recovery(&recovery_bytes), kdf, &fresh())?);
    if mode != Mode::Password {
        slots.push(keychain_slot(&dek, vault, keychain)?);
    }
    // There is no device yet; zeros stand for "when it was made".
    let stamp = Stamp { time: UnixTime::now().0, device: DeviceId([0; 8]) };
    let mut state = State::default();
    state.meta.extend(slots.iter().map(|slot| unlocked::created_note(slot.id, stamp)));
    state.note(stamp);
    Ok((Unlocked::create(vault, dek, slots, state), recovery::write(&recovery_bytes)))
}

/// Puts a vault that comes from a backup into its file, opened by all that opened it before, and by what is given here: one
/// more password with its cost, this keychain.
///
/// # Errors
/// [`UnlockError`]; then neither a file nor an item in the keychain is left behind.
pub fn settle(
    place: &Place,
    mut unlocked: Unlocked,
    password: Option<(&Secret<String>, KdfParams)>,
    keychain: Option<&dyn Keychain>,
    stamp: Stamp,
) -> Result<Unlocked, UnlockError> {
    if let Some((password, kdf)) = password {
        add_password(&mut unlocked, password, kdf, stamp)?;
    }
    let before = ids_of(&unlocked, SlotKind::Keychain);
    if let Some(keychain) = keychain
        && let Some(slot) = KeychainSlot::make(&unlocked, keychain)?
    {
        slot.put_in(&mut unlocked, stamp).inspect_err(|_| slot.give_up(place, keychain))?;
    }
    first_save(place, &mut unlocked, keychain, &before)?;
    Ok(unlocked)
}

/// Makes the vault's file. Where that fails, what was put into the keychain for it is taken back; the slots `before` were not.
fn first_save(
    place: &Place,
    unlocked: &mut Unlocked,
    keychain: Option<&dyn Keychain>,
    before: &[SlotId],
) -> Result<(), FileError> {
    let Err(error) = place.create_known(unlocked) else { return Ok(()) };
    if let Some(keychain) = keychain {
        take_back(unlocked, keychain, before);
    }
    Err(error)
}

fn take_back(unlocked: &Unlocked, keychain: &dyn Keychain, before: &[SlotId]) {
    for id in ids_of(unlocked, SlotKind::Keychain).into_iter().filter(|id| !before.contains(id)) {
        let _ = keychain.delete(SERVICE, &user_of(unlocked.vault_id(), id));
    }
}

/// Keeps the key of an open vault for later programs of this login session, for so long.
///
/// # Errors
/// [`NoKeyring`] where the system cannot.
pub fn remember(vault: VaultId, dek: &DataKey, time: Duration) -> Result<(), NoKeyring> {
    kernel::keep(&vault.to_string(), dek.expose(), time)
}

/// The key of a vault, where one is kept for this login session.
pub fn remembered(vault: VaultId) -> Option<DataKey> {
    kernel::find(&vault.to_string()).map(DataKey::new)
}

/// Drops the key of a vault that is kept for this login session.
pub fn forget(vault: VaultId) {
    kernel::forget(&vault.to_string());
}

/// Opens by a key that is kept for this login session. One that does not fit any more is dropped.
///
/// # Errors
/// [`UnlockError::NotRemembered`].
pub fn with_remembered(locked: &Locked) -> Result<Unlocked, UnlockError> {
    let dek = remembered(locked.vault_id()).ok_or(UnlockError::NotRemembered)?;
    locked.open_with(&dek).map_err(|_| {
        kernel::forget(&locked.vault_id().to_string());
        UnlockError::NotRemembered
    })
}

/// Opens by a password.
///
/// # Errors
/// [`UnlockError::Vault`]: [`envelope::Error::NoSlot`] where no password was set, [`envelope::Error::WrongKey`].
pub fn with_password(locked: &Locked, password: &Secret<String>) -> Result<Unlocked, UnlockError> {
    Ok(locked.open(&Key::Password(password))?)
}

/// Opens by a recovery key as it was typed.
///
/// # Errors
/// [`UnlockError::RecoveryKey`] with the slip, [`UnlockError::Vault`].
pub fn with_recovery_key(locked: &Locked, text: &Secret<String>) -> Result<Unlocked, UnlockError> {
    let key = recovery::read(text.expose())?;
    Ok(locked.open(&Key::Recovery(&key))?)
}

/// Opens by the keychain, trying the vault's keychain slots one after another. May raise the keychain's own dialog.
///
/// # Errors
/// [`UnlockError::Vault`] with [`envelope::Error::NoSlot`] where there is none, [`UnlockError::NotInKeychain`],
/// [`UnlockError::Keychain`], and [`UnlockError::Vault`].
pub fn with_keychain(locked: &Locked, keychain: &dyn Keychain) -> Result<Unlocked, UnlockError> {
    let mut answer = UnlockError::Vault(envelope::Error::NoSlot(SlotKind::Keychain));
    for slot in locked.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
        let Some(bytes) = keychain.get(SERVICE, &user_of(locked.vault_id(), slot.id))? else {
            if !matches!(answer, UnlockError::Vault(envelope::Error::WrongKey)) {
                answer = UnlockError::NotInKeychain;
            }
            continue;
        };
        match array(&bytes).map_or(Err(envelope::Error::WrongKey), |key| locked.open(&Key::Keychain(&key))) {
            Ok(unlocked) => return Ok(unlocked),
            Err(envelope::Error::WrongKey) => answer = UnlockError::Vault(envelope::Error::WrongKey),
            Err(error) => return Err(error.into()),
        }
    }
    Err(answer)
}

/// The vault's key, where the keychain gives it without a dialog; none where [`with_keychain`] must say why not.
pub fn key_of_keychain(locked: &Locked, keychain: &dyn Keychain) -> Option<DataKey> {
    let slots = locked.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain);
    slots.into_iter().find_map(|slot| {
        let bytes = keychain.get(SERVICE, &user_of(locked.vault_id(), slot.id)).ok()??;
        slot.unwrap(locked.vault_id(), Key::Keychain(&array(&bytes)?)).ok()?
    })
}

/// Puts a new password in the place of every one before it. The caller saves.
///
/// # Errors
/// [`UnlockError::NoPassword`], [`UnlockError::Vault`]; nothing changed then.
pub fn change_password(
    unlocked: &mut Unlocked,
    new: &Secret<String>,
    kdf: KdfParams,
    stamp: Stamp,
) -> Result<(), UnlockError> {
    let slot = password_slot(unlocked.data_key(), unlocked.vault_id(), new, kdf)?;
    Ok(replace(unlocked, slot, stamp)?)
}

/// Lets one more password open the vault, beside those that do. The caller saves.
///
/// # Errors
/// [`UnlockError::NoPassword`], [`UnlockError::Vault`]; nothing changed then.
pub fn add_password(
    unlocked: &mut Unlocked,
    new: &Secret<String>,
    kdf: KdfParams,
    stamp: Stamp,
) -> Result<(), UnlockError> {
    let slot = password_slot(unlocked.data_key(), unlocked.vault_id(), new, kdf)?;
    Ok(unlocked.add_slot(slot, stamp)?)
}

/// Makes a new recovery key; the old one opens nothing from the next save on. The caller saves, then shows the text once.
///
/// # Errors
/// [`UnlockError::Vault`]; nothing changed then.
pub fn new_recovery_key(unlocked: &mut Unlocked, stamp: Stamp) -> Result<Secret<String>, UnlockError> {
    let new = renewal::NewRecoveryKey::make(unlocked)?;
    new.put_in_force(unlocked, stamp)?;
    Ok(new.text)
}

/// Wraps the key anew where the password slot that opened the vault costs less than today's default. The caller saves
/// when it says true.
///
/// # Errors
/// [`UnlockError::Vault`]; nothing changed then.
pub fn stronger_slot(unlocked: &mut Unlocked, password: &Secret<String>, stamp: Stamp) -> Result<bool, UnlockError> {
    let Some(old) = unlocked.opened_by().filter(|slot| slot.kind() == SlotKind::Password) else { return Ok(false) };
    let id = old.id;
    if !old.kdf().is_some_and(|kdf| kdf.weaker_than(KdfParams::DEFAULT)) {
        return Ok(false);
    }
    let (vault, dek) = (unlocked.vault_id(), unlocked.data_key());
    let slot = Slot::wrap(dek, vault, Key::Password(password), KdfParams::DEFAULT, &fresh())?;
    unlocked.add_slot(slot, stamp)?;
    unlocked.remove_slot(id, stamp);
    Ok(true)
}

/// The cost that takes about `target` on this machine: the default or more, at most 256 MiB of memory. Takes about as long
/// as one derivation of the default cost.
pub fn calibrate(target: Duration) -> KdfParams {
    let started = Instant::now();
    let probe = kdf::argon2id(&Secret::new(String::from("calibration")), &[0; 32], KdfParams::DEFAULT);
    if probe.is_err() {
        return KdfParams::DEFAULT;
    }
    scaled(started.elapsed(), target)
}

/// The default cost takes `measured`: which takes `target`? Memory first, as it hurts a guesser most; then passes.
fn scaled(measured: Duration, target: Duration) -> KdfParams {
    let base = KdfParams::DEFAULT;
    let factor = (target.as_secs_f64() / measured.as_secs_f64().max(0.001)).clamp(1.0, 20.0);
    let memory_factor = factor.min(4.0);
    // In steps of 16 MiB, for numbers that a person can read.
    let memory_kib = (f64::from(base.memory_kib) * memory_factor) as u32 / 16_384 * 16_384;
    let passes = (f64::from(base.passes) * factor / memory_factor) as u32;
    KdfParams { memory_kib, passes: passes.clamp(base.passes, 16), ..base }
}

/// Adds a slot and removes all others of its kind.
fn replace(unlocked: &mut Unlocked, slot: Slot, stamp: Stamp) -> Result<(), envelope::Error> {
    let old = ids_of(unlocked, slot.kind());
    unlocked.add_slot(slot, stamp)?;
    for id in old {
        unlocked.remove_slot(id, stamp);
    }
    Ok(())
}

fn ids_of(unlocked: &Unlocked, kind: SlotKind) -> Vec<SlotId> {
    unlocked.slots().iter().filter(|slot| slot.kind() == kind).map(|slot| slot.id).collect()
}

/// Wraps the data key under a new password.
fn password_slot(
    dek: &DataKey,
    vault: VaultId,
    password: &Secret<String>,
    kdf: KdfParams,
) -> Result<Slot, UnlockError> {
    if is_empty(password) {
        return Err(UnlockError::NoPassword);
    }
    Ok(Slot::wrap(dek, vault, Key::Password(password), kdf, &fresh())?)
}

/// Writes a new random key to the keychain, reads it back and wraps the data key under it.
fn keychain_slot(dek: &DataKey, vault: VaultId, keychain: &dyn Keychain) -> Result<Slot, UnlockError> {
    let (key, fresh) = (entropy::secret::<32>(), fresh());
    let slot = Slot::wrap(dek, vault, Key::Keychain(&key), KdfParams::DEFAULT, &fresh)?;
    let user = user_of(vault, slot.id);
    keychain.set(SERVICE, &user, key.expose())?;
    match keychain.get(SERVICE, &user) {
        Ok(Some(held)) if held.expose().as_slice() == key.expose() => Ok(slot),
        answer => {
            let _ = keychain.delete(SERVICE, &user);
            Err(answer.err().map_or(UnlockError::KeychainForgets, UnlockError::Keychain))
        }
    }
}

fn user_of(vault: VaultId, slot: SlotId) -> String {
    format!("{vault}/{slot}")
}

fn fresh() -> Fresh {
    Fresh { id: SlotId(entropy::bytes()), salt: entropy::bytes() }
}

fn array(bytes: &Secret<Vec<u8>>) -> Option<Secret<[u8; 32]>> {
    <[u8; 32]>::try_from(bytes.expose().as_slice()).ok().map(Secret::new)
}

fn is_empty(password: &Secret<String>) -> bool {
    password.expose().nfkc().next().is_none()
}

#[cfg(test)]
mod tests;
