//! One more way into a vault, or one less: this computer's keychain is let in, any slot is taken away.
//!
//! The keychain's item is written and read back before the vault has its slot, and deleted once the slot is gone: a crash
//! anywhere leaves a vault that opens, and at worst an item that opens nothing.

use super::{SERVICE, UnlockError, array, keychain_slot, user_of};
use crate::keychain::{Keychain, KeychainError};
use crate::vault::envelope::{self, Key, Unlocked};
use crate::vault::file::Place;
use crate::vault::slots::{Slot, SlotKind};
use crate::vault::{SlotId, Stamp, VaultId};

/// The slots of an open vault that this keychain opens.
///
/// # Errors
/// [`KeychainError`] where it does not say.
pub fn held(unlocked: &Unlocked, keychain: &dyn Keychain) -> Result<Vec<SlotId>, KeychainError> {
    let vault = unlocked.vault_id();
    let mut held = Vec::new();
    for slot in unlocked.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
        let item = keychain.get(SERVICE, &user_of(vault, slot.id))?;
        let opens = |key| slot.unwrap(vault, Key::Keychain(&key)).is_ok_and(|dek| dek.is_some());
        if item.as_ref().and_then(array).is_some_and(opens) {
            held.push(slot.id);
        }
    }
    Ok(held)
}

/// A slot for this keychain, whose item lies there already. The vault does not have it yet.
pub struct KeychainSlot {
    vault: VaultId,
    slot: Slot,
}

impl KeychainSlot {
    /// Writes an item to the keychain, reads it back and makes its slot; none where the keychain opens the vault already.
    ///
    /// # Errors
    /// [`UnlockError::Keychain`], [`UnlockError::KeychainForgets`]; then no item is left there.
    pub fn make(unlocked: &Unlocked, keychain: &dyn Keychain) -> Result<Option<Self>, UnlockError> {
        if !held(unlocked, keychain)?.is_empty() {
            return Ok(None);
        }
        let vault = unlocked.vault_id();
        Ok(Some(Self { vault, slot: keychain_slot(unlocked.data_key(), vault, keychain)? }))
    }

    /// Puts it into the vault; the caller saves.
    ///
    /// # Errors
    /// [`envelope::Error::Limits`] where there are too many; nothing changed then.
    pub fn put_in(&self, unlocked: &mut Unlocked, stamp: Stamp) -> Result<(), envelope::Error> {
        unlocked.add_slot(self.slot.clone(), stamp)
    }

    /// Takes the item out of the keychain again, since the vault was not saved; but not where its file has the slot after all.
    pub fn give_up(&self, place: &Place, keychain: &dyn Keychain) {
        if !place.load().is_ok_and(|file| file.slots().contains(&self.slot)) {
            let _ = delete_item(self.vault, self.slot.id, keychain);
        }
    }
}

/// Takes a slot away; the caller saves, then deletes a keychain's item ([`delete_item`]). `held` are the slots that this
/// keychain opens. False where it is gone already.
///
/// # Errors
/// [`UnlockError::LastWayIn`] where nothing but the recovery key would open the vault on this computer,
/// [`UnlockError::LastRecoveryKey`]; nothing changed then.
pub fn remove(unlocked: &mut Unlocked, id: SlotId, held: &[SlotId], stamp: Stamp) -> Result<bool, UnlockError> {
    let Some(slot) = unlocked.slots().iter().find(|slot| slot.id == id) else { return Ok(false) };
    let others = || unlocked.slots().iter().filter(|slot| slot.id != id);
    // The keychain of another computer may be gone, or locked for good: it does not count.
    let opens_here = |slot: &Slot| slot.kind() == SlotKind::Password || held.contains(&slot.id);
    match slot.kind() {
        SlotKind::Recovery if !others().any(|slot| slot.kind() == SlotKind::Recovery) => {
            Err(UnlockError::LastRecoveryKey)
        }
        SlotKind::Password | SlotKind::Keychain if !others().any(opens_here) => Err(UnlockError::LastWayIn),
        _ => Ok(unlocked.remove_slot(id, stamp)),
    }
}

/// Deletes the keychain's item of a slot that was taken away. False where it has none.
///
/// # Errors
/// [`KeychainError`]; such an item opens older copies of the vault and nothing else.
pub fn delete_item(vault: VaultId, slot: SlotId, keychain: &dyn Keychain) -> Result<bool, KeychainError> {
    keychain.delete(SERVICE, &user_of(vault, slot))
}
