//! A new recovery key for a vault that keeps its data key.

use super::{UnlockError, fresh, replace};
use crate::entropy;
use crate::secret::Secret;
use crate::vault::envelope::{self, Key, Unlocked};
use crate::vault::kdf::KdfParams;
use crate::vault::slots::Slot;
use crate::vault::{Stamp, recovery};

/// A recovery key that is not in force yet.
pub struct NewRecoveryKey {
    slot: Slot,
    /// As the user writes it down. Shown once, kept nowhere.
    pub text: Secret<String>,
}

impl NewRecoveryKey {
    /// Makes one. Touches nothing.
    ///
    /// # Errors
    /// [`UnlockError::Vault`].
    pub fn make(unlocked: &Unlocked) -> Result<Self, UnlockError> {
        let bytes = entropy::secret();
        let (vault, dek) = (unlocked.vault_id(), unlocked.data_key());
        let slot = Slot::wrap(dek, vault, Key::Recovery(&bytes), KdfParams::DEFAULT, &fresh())?;
        Ok(Self { slot, text: recovery::write(&bytes) })
    }

    /// Puts it in the place of every one before it; the caller saves.
    ///
    /// # Errors
    /// [`envelope::Error`]; nothing changed then.
    pub fn put_in_force(&self, unlocked: &mut Unlocked, stamp: Stamp) -> Result<(), envelope::Error> {
        replace(unlocked, self.slot.clone(), stamp)
    }
}
