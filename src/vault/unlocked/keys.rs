//! The data keys of a vault: the one in force, and those that it took the place of, which open older copies and nothing that
//! was written since. Pure.
//!
//! A copy under an older key may come from a device that has not heard of the new one, or from whoever the old key was taken
//! away for. So it may bring accounts and put them into the trash, and nothing else: no key, no slot, no value of the vault
//! itself, and no account is deleted for good by it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Unlocked, created_name, is_known, number, removed_name};
use crate::secret::Secret;
use crate::vault::crypto::{self, DataKey};
use crate::vault::entry::{Life, Stamp, State, Value};
use crate::vault::envelope::{Error, Locked};
use crate::vault::slots::Slot;

/// The beginning of the meta names under which older keys are kept.
const PREFIX: &str = "key/";

impl Unlocked {
    /// Puts a new data key in force, opened by these slots and no other. The old one is kept in the vault, so that older
    /// copies can still be joined.
    ///
    /// # Errors
    /// [`Error::Slots`] when no slot among them is of a kind that this version opens; nothing changed then.
    pub fn rekey(&mut self, dek: DataKey, mut slots: Vec<Slot>, stamp: Stamp) -> Result<(), Error> {
        if !slots.iter().any(is_known) {
            return Err(Error::Slots("nothing would open it"));
        }
        let old = std::mem::replace(&mut self.dek, dek);
        self.retire(&old, stamp);
        let state = Arc::make_mut(&mut self.state);
        for slot in &self.slots {
            state.set_meta(&removed_name(slot.id), Value::Flag(false), stamp);
        }
        for slot in &slots {
            state.set_meta(&created_name(slot.id), number(stamp), stamp);
        }
        slots.sort_unstable_by_key(|slot| slot.id);
        self.slots = slots;
        self.opened_by = None;
        Ok(())
    }

    /// Keeps a key that this vault had before, for opening older copies. False when it is known.
    pub fn retire(&mut self, old: &DataKey, stamp: Stamp) -> bool {
        if old.expose() == self.dek.expose() {
            return false;
        }
        let text = data_encoding::BASE64URL_NOPAD.encode(old.expose());
        Arc::make_mut(&mut self.state).set_meta(&name_of(old), Value::Text(text), stamp)
    }

    /// The keys that were in force before.
    pub fn retired_keys(&self) -> Vec<DataKey> {
        let kept = self.state.meta.range(PREFIX.to_owned()..).take_while(|(name, _)| name.starts_with(PREFIX));
        kept.filter_map(|(name, register)| {
            let Value::Text(text) = &register.value else { return None };
            let bytes = Secret::new(data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
            let key = DataKey::new(Secret::new(<[u8; 32]>::try_from(bytes.expose().as_slice()).ok()?));
            (name_of(&key) == *name).then_some(key)
        })
        .collect()
    }

    /// True when this vault had that key in force before.
    pub fn has_retired(&self, key: &DataKey) -> bool {
        self.retired_keys().iter().any(|old| old.expose() == key.expose())
    }

    /// Opens another copy of this vault: by the key in force, or by one from before.
    ///
    /// # Errors
    /// As [`Locked::open_with`].
    pub fn open_copy(&self, copy: &Locked) -> Result<Self, Error> {
        let mut opened = copy.open_with(&self.dek);
        for key in self.retired_keys() {
            if !matches!(opened, Err(Error::Altered)) {
                break;
            }
            opened = copy.open_with(&key);
        }
        opened
    }

    /// True when both came of one key, and neither of the other: the vault was given new keys in two places.
    pub fn is_fork_of(&self, other: &Self) -> bool {
        let apart = !self.shares_key(other) && !self.has_retired(&other.dek) && !other.has_retired(&self.dek);
        apart && self.retired_keys().iter().any(|key| other.has_retired(key))
    }

    /// True when both are sealed under the same key.
    pub fn shares_key(&self, other: &Self) -> bool {
        self.dek.expose() == other.dek.expose()
    }

    /// True when a copy has at least one of this vault's slots: one that does not open then is damaged, and not one of
    /// another key.
    pub fn shares_slot(&self, copy: &Locked) -> bool {
        copy.slots().iter().any(|slot| self.slots.iter().any(|ours| ours.id == slot.id))
    }

    /// Joins a copy under another key. The later key stays, or comes, in force; should each know the other as the older one,
    /// the greater name decides, so that all devices choose alike.
    pub(super) fn absorb_other_key(&mut self, other: &Self) -> bool {
        let (ours, theirs) = (self.has_retired(&other.dek), other.has_retired(&self.dek));
        if theirs && !(ours && name_of(&self.dek) > name_of(&other.dek)) {
            let old = std::mem::replace(&mut self.state, Arc::clone(&other.state));
            take_old(Arc::make_mut(&mut self.state), &old);
            self.dek = other.dek.duplicate();
            self.slots.clone_from(&other.slots);
            self.opened_by = other.opened_by;
            self.minor = self.minor.max(other.minor);
            self.reserved = std::array::from_fn(|at| self.reserved[at].max(other.reserved[at]));
            return true;
        }
        take_old(Arc::make_mut(&mut self.state), &other.state)
    }
}

/// True when the vault of a state had another data key in force once.
pub fn had_another_key(state: &State) -> bool {
    state.meta.keys().any(|name| name.starts_with(PREFIX))
}

/// Joins what a copy under an older key may bring. True when something was new.
fn take_old(state: &mut State, old: &State) -> bool {
    let kept = old.entries.iter().filter(|(_, entry)| entry.life != Life::Purged);
    let entries = kept.map(|(id, entry)| (*id, entry.clone())).collect();
    state.join(&State { entries, meta: BTreeMap::new(), seen: old.seen.clone() })
}

/// The meta name of a key: derived one way, so that a name can never stand for another key.
fn name_of(key: &DataKey) -> String {
    let id = crypto::hkdf(key.expose(), &[0; 32], "otpanel/v1/key");
    format!("{PREFIX}{}", data_encoding::HEXLOWER.encode(&id.expose()[..8]))
}
