//! The way back: finding what backups lie in a store, and opening one with what a new machine has.

use std::collections::{BTreeMap, BTreeSet};

use super::item::{Keys, Name};
use super::round::{Device, Ring, gather};
use super::sealed::{OuterKey, Sealed, service};
use crate::keychain::{Keychain, KeychainError};
use crate::secret::Secret;
use crate::vault::{DataKey, DeviceId, Key, Slot, SlotId, State, VaultId, recovery};

/// The backup of a vault, found and not opened.
pub struct Found {
    /// Whose.
    pub vault: VaultId,
    /// The data keys that lie there openly, where the store protects them.
    pub data: Vec<DataKey>,
    /// Slots of the vault, from all key items.
    pub slots: Vec<Slot>,
    /// Devices that have a key there.
    pub devices: BTreeSet<DeviceId>,
}

/// What a new machine has.
pub enum Way<'a> {
    /// Nothing but the store.
    Alone,
    /// The vault's password.
    Password(&'a Secret<String>),
    /// The vault's recovery key, as text.
    Recovery(&'a Secret<String>),
}

/// A backup that was opened.
pub struct Restored {
    /// Whose.
    pub vault: VaultId,
    /// The vault's key.
    pub data: DataKey,
    /// What opens the vault.
    pub slots: Vec<Slot>,
    /// The password or recovery key that was given opens one of them.
    pub by_way: bool,
    /// The backup keys.
    pub keys: Keys,
    /// The accounts, tombstones among them.
    pub records: State,
    /// The devices.
    pub devices: Vec<Device>,
    /// Items that are missing, under another key, or damaged.
    pub unread: usize,
}

/// Why a backup does not open.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] KeychainError),
    /// It opens with the password or the recovery key, and none was given.
    #[error("the backup opens with the vault's password or recovery key")]
    NeedsKey,
    /// The password or recovery key is not this backup's.
    #[error("the key does not open the backup")]
    WrongKey,
}

/// Finds the backups of an identity, the one with most devices first.
///
/// # Errors
/// [`KeychainError`].
pub fn find(keychain: &dyn Keychain, identity: &str) -> Result<Vec<Found>, KeychainError> {
    let mut found: BTreeMap<VaultId, Found> = BTreeMap::new();
    for user in keychain.search(service(identity))? {
        let Some((_, name)) = user.split_once('/') else { continue };
        let Some(Name::Key { device, .. }) = Name::parse(name) else { continue };
        let Some(bytes) = keychain.get(service(identity), &user)? else { continue };
        let Some(outer) = OuterKey::parse(bytes.expose()) else { continue };
        let vault = outer.vault;
        let new = || Found { vault, data: Vec::new(), slots: Vec::new(), devices: BTreeSet::new() };
        let entry = found.entry(vault).or_insert_with(new);
        entry.devices.insert(device);
        for slot in outer.slots {
            if !entry.slots.iter().any(|known| known.id == slot.id) {
                entry.slots.push(slot);
            }
        }
        if let Some(data) = outer.data
            && !entry.data.iter().any(|known| known.expose() == data.expose())
        {
            entry.data.push(data);
        }
    }
    let mut all: Vec<Found> = found.into_values().collect();
    all.sort_by_key(|found| std::cmp::Reverse(found.devices.len()));
    Ok(all)
}

/// Opens a backup.
///
/// # Errors
/// [`RestoreError`].
pub fn open(keychain: &dyn Keychain, identity: &str, found: &Found, way: &Way<'_>) -> Result<Restored, RestoreError> {
    let opened = by_way(found, way)?;
    let mut data: Vec<DataKey> = opened.iter().map(|(_, data)| data.duplicate()).collect();
    data.extend(found.data.iter().map(DataKey::duplicate));
    if data.is_empty() {
        return Err(if matches!(way, Way::Alone) { RestoreError::NeedsKey } else { RestoreError::WrongKey });
    }
    let items = Sealed { keychain, identity, vault: found.vault, item_len: usize::MAX };
    let mut ring = Ring { data, keys: Keys::new() };
    let mut all = gather(&items, &mut ring, &|_, _| false)?;
    if !all.missing.is_empty() {
        // It may have been on its way.
        all = gather(&items, &mut ring, &|_, _| false)?;
    }
    // What the newest key item that opens says is the vault's own key and its slots: an older one may be of a time before
    // the key was changed.
    let keys = || all.keys.values().map(|(_, item)| item);
    let Some(data) = keys().max_by_key(|item| item.revision).map(|item| item.data.duplicate()) else {
        return Err(RestoreError::WrongKey);
    };
    let own = keys().filter(|item| item.data.expose() == data.expose());
    let mut slots: Vec<Slot> = own.flat_map(|item| item.slots.iter().cloned()).collect();
    slots.sort_unstable_by_key(|slot| slot.id);
    slots.dedup_by_key(|slot| slot.id);
    Ok(Restored {
        vault: found.vault,
        by_way: slots.iter().any(|slot| opened.iter().any(|(id, _)| *id == slot.id)),
        data,
        slots,
        records: all.joined(),
        devices: all.devices(),
        unread: all.unread(),
        keys: ring.keys,
    })
}

/// The slots that the password or recovery key opens, each with the data key in it.
fn by_way(found: &Found, way: &Way<'_>) -> Result<Vec<(SlotId, DataKey)>, RestoreError> {
    let bytes;
    let key = match way {
        Way::Alone => return Ok(Vec::new()),
        Way::Password(word) => Key::Password(word),
        Way::Recovery(text) => {
            bytes = recovery::read(text.expose()).map_err(|_| RestoreError::WrongKey)?;
            Key::Recovery(&bytes)
        }
    };
    let slots = found.slots.iter().filter(|slot| slot.kind() == key.kind());
    Ok(slots.filter_map(|slot| Some((slot.id, slot.unwrap(found.vault, key).ok()??))).collect())
}

/// A state that holds what was restored, its backup keys too, for a new vault.
pub fn state_of(restored: &Restored, identity: &str, stamp: crate::vault::Stamp) -> State {
    let mut state = restored.records.clone();
    for (kid, key) in &restored.keys {
        super::record::add_key(&mut state, identity, *kid, key, stamp);
    }
    state
}
