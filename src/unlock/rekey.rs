//! A new data key for a vault. Every slot wraps the key, so all ways in are made anew, and what opened the vault before opens
//! what was written before and nothing else.
//!
//! The keychain's new item is written before the vault is, and its old one deleted after: a crash anywhere leaves a vault
//! that opens.

use super::{SERVICE, UnlockError, array, fresh, ids_of, keychain_slot, password_slot, user_of};
use crate::entropy;
use crate::keychain::{Keychain, KeychainError};
use crate::secret::Secret;
use crate::vault::envelope::{self, Key, Locked, Unlocked};
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
    /// Makes a key and its slots: a recovery key always, a password with its cost and this keychain where they are given. An
    /// item is written to the keychain and read back.
    ///
    /// # Errors
    /// [`UnlockError`]; then no item is left in the keychain.
    pub fn make(
        unlocked: &Unlocked,
        password: Option<(&Secret<String>, KdfParams)>,
        keychain: Option<&dyn Keychain>,
    ) -> Result<Self, UnlockError> {
        let (vault, dek) = (unlocked.vault_id(), DataKey::new(entropy::secret()));
        let recovery_bytes = entropy::secret();
        let mut slots = vec![Slot::wrap(&dek, vault, Key::Recovery(&recovery_bytes), KdfParams::DEFAULT, &fresh())?];
        if let Some((password, kdf)) = password {
            slots.push(password_slot(&dek, vault, password, kdf)?);
        }
        // Last: nothing that follows can fail and leave an item behind.
        if let Some(keychain) = keychain {
            slots.push(keychain_slot(&dek, vault, keychain)?);
        }
        let old = ids_of(unlocked, SlotKind::Keychain);
        Ok(Self { vault, dek, slots, old, recovery_key: recovery::write(&recovery_bytes) })
    }

    /// Puts it in force in an open vault; the caller saves.
    ///
    /// # Errors
    /// [`envelope::Error::Slots`]; nothing changed then.
    pub fn put_in_force(&self, unlocked: &mut Unlocked, stamp: Stamp) -> Result<(), envelope::Error> {
        unlocked.rekey(self.dek.duplicate(), self.slots.clone(), stamp)
    }

    /// Whether a file is sealed under it, as far as its slots tell.
    pub fn is_in_force(&self, locked: &Locked) -> bool {
        locked.slots().iter().any(|slot| self.slots.contains(slot))
    }

    /// Takes the new item out of the keychain again, since no vault was written.
    pub fn give_up(&self, keychain: &dyn Keychain) {
        for slot in self.slots.iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
            let _ = keychain.delete(SERVICE, &user_of(self.vault, slot.id));
        }
    }

    /// Deletes the items that opened the old key, once the vault is written.
    ///
    /// # Errors
    /// [`KeychainError`]; such an item opens older copies of the vault and nothing else.
    pub fn clear_old(&self, keychain: &dyn Keychain) -> Result<(), KeychainError> {
        self.old.iter().try_for_each(|id| keychain.delete(SERVICE, &user_of(self.vault, *id)).map(drop))
    }
}

/// Whether this keychain opens the vault.
///
/// # Errors
/// [`KeychainError`] where it does not say.
pub fn is_in_keychain(unlocked: &Unlocked, keychain: &dyn Keychain) -> Result<bool, KeychainError> {
    let vault = unlocked.vault_id();
    for slot in unlocked.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
        let held = keychain.get(SERVICE, &user_of(vault, slot.id))?;
        let opens = |key| slot.unwrap(vault, Key::Keychain(&key)).is_ok_and(|dek| dek.is_some());
        if held.as_ref().and_then(array).is_some_and(opens) {
            return Ok(true);
        }
    }
    Ok(false)
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
