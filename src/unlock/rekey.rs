//! A new data key for a vault. Every slot wraps the key, so all ways in are made anew, and what opened the vault before opens
//! what was written before and nothing else.
//!
//! The keychain's new item is written before the vault is, and its old one deleted after: a crash anywhere leaves a vault
//! that opens.

use super::slots::{delete_item, held};
use super::{UnlockError, fresh, ids_of, keychain_slot, password_slot};
use crate::entropy;
use crate::keychain::{Keychain, KeychainError};
use crate::secret::Secret;
use crate::vault::envelope::{self, Key, Locked, Unlocked};
use crate::vault::file::Place;
use crate::vault::kdf::KdfParams;
use crate::vault::slots::{Slot, SlotKind};
use crate::vault::{DataKey, SlotId, Stamp, VaultId, recovery};

/// A data key that is not in force yet, with what opens it.
pub struct NewKey {
    vault: VaultId,
    dek: DataKey,
    slots: Vec<Slot>,
    /// Slots of keychains that opened the old key.
    old: Vec<SlotId>,
    /// The recovery key as the user writes it down. Shown once, kept nowhere.
    pub recovery_key: Secret<String>,
}

impl NewKey {
    /// Makes a key and its slots: a recovery key always, a password with its cost where one is given. Touches nothing.
    ///
    /// # Errors
    /// [`UnlockError`] of the password.
    pub fn make(unlocked: &Unlocked, password: Option<(&Secret<String>, KdfParams)>) -> Result<Self, UnlockError> {
        let (vault, dek) = (unlocked.vault_id(), DataKey::new(entropy::secret()));
        let recovery_bytes = entropy::secret();
        let mut slots = vec![Slot::wrap(&dek, vault, Key::Recovery(&recovery_bytes), KdfParams::DEFAULT, &fresh())?];
        if let Some((password, kdf)) = password {
            slots.push(password_slot(&dek, vault, password, kdf)?);
        }
        let old = ids_of(unlocked, SlotKind::Keychain);
        Ok(Self { vault, dek, slots, old, recovery_key: recovery::write(&recovery_bytes) })
    }

    /// Lets a keychain open it too: an item is written there and read back. Right before the vault is saved, since whatever
    /// else may fail would leave the item behind.
    ///
    /// # Errors
    /// [`UnlockError`]; then no item is left in the keychain.
    pub fn let_in(&mut self, keychain: &dyn Keychain) -> Result<(), UnlockError> {
        self.slots.push(keychain_slot(&self.dek, self.vault, keychain)?);
        Ok(())
    }

    /// Puts it in force in an open vault; the caller saves.
    ///
    /// # Errors
    /// [`envelope::Error::Slots`]; nothing changed then.
    pub fn put_in_force(&self, unlocked: &mut Unlocked, stamp: Stamp) -> Result<(), envelope::Error> {
        unlocked.rekey(self.dek.duplicate(), self.slots.clone(), stamp)
    }

    /// The vault's file, opened, where it is sealed under this key although its save failed; else the new item is taken out of
    /// the keychain again, and the next try begins with [`Self::let_in`].
    pub fn after_failure(&mut self, place: &Place, keychain: Option<&dyn Keychain>) -> Option<Unlocked> {
        let is_ours = |file: &Locked| file.slots().iter().any(|slot| self.slots.contains(slot));
        let file = place.load().ok().filter(is_ours).and_then(|file| file.open_with(&self.dek).ok());
        if let (None, Some(keychain)) = (&file, keychain) {
            for slot in self.slots.extract_if(.., |slot| slot.kind() == SlotKind::Keychain) {
                let _ = delete_item(self.vault, slot.id, keychain);
            }
        }
        file
    }

    /// Deletes the items that opened the old key, once the vault is written.
    ///
    /// # Errors
    /// [`KeychainError`]; such an item opens older copies of the vault and nothing else.
    pub fn clear_old(&self, keychain: &dyn Keychain) -> Result<(), KeychainError> {
        self.old.iter().try_for_each(|id| delete_item(self.vault, *id, keychain).map(drop))
    }
}

/// What becomes of the keychains that open a vault when it is given a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keychains {
    /// None opens it.
    None,
    /// This computer's goes on to open it.
    Kept {
        /// Those of other computers do not.
        others: bool,
    },
    /// Those that open it are other computers'.
    Others,
    /// This computer's cannot be asked.
    Unreachable(KeychainError),
}

impl Keychains {
    /// Asks this computer's keychain; `password` says whether a password will open the vault.
    ///
    /// # Errors
    /// [`UnlockError::LastWayIn`] and [`UnlockError::Keychain`] where nothing but the recovery key would.
    pub fn of(unlocked: &Unlocked, keychain: &dyn Keychain, password: bool) -> Result<Self, UnlockError> {
        let all = ids_of(unlocked, SlotKind::Keychain).len();
        if all == 0 {
            return Ok(Self::None);
        }
        match held(unlocked, keychain) {
            Ok(held) if !held.is_empty() => Ok(Self::Kept { others: all > held.len() }),
            Ok(_) if password => Ok(Self::Others),
            Ok(_) => Err(UnlockError::LastWayIn),
            Err(error) if password => Ok(Self::Unreachable(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// This computer's goes on to open the vault.
    pub const fn kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }

    /// What the user is to know of it.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::None | Self::Kept { others: false } => None,
            Self::Kept { others: true } => {
                Some("Keychains of other computers open the vault no more: type the password there.".to_owned())
            }
            Self::Others => {
                Some("No keychain opens the vault from now on: those that did are of other computers.".to_owned())
            }
            Self::Unreachable(error) => {
                Some(format!("The keychain cannot be reached, and opens the vault no more: {error}"))
            }
        }
    }
}

/// Whether this is the password of an open vault.
///
/// # Errors
/// [`UnlockError::Vault`] where it could not be derived.
pub fn is_password(unlocked: &Unlocked, password: &Secret<String>) -> Result<bool, UnlockError> {
    for slot in unlocked.slots() {
        if slot.unwrap(unlocked.vault_id(), Key::Password(password))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
