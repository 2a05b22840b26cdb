//! The way back: finding what backups lie in a store, and opening one with what a new machine has.

use std::collections::{BTreeMap, BTreeSet};

use super::item::{Item, Keys, Name, Read};
use super::round::{Device, Items as _, Ring, gather};
use super::sealed::{OuterKey, Sealed, service};
use crate::keychain::{Keychain, KeychainError};
use crate::secret::Secret;
use crate::vault::{DataKey, Key, Slot, SlotKind, State, VaultId, recovery};

/// The service of the keychain items that open vaults.
const UNLOCK_SERVICE: &str = "otpanel";

/// The backup of a vault, found and not opened.
pub struct Found {
    /// Whose.
    pub vault: VaultId,
    /// The data keys that lie there openly, where the store protects them.
    pub data: Vec<DataKey>,
    /// Slots of the vault, from all key items.
    pub slots: Vec<Slot>,
    /// Devices that have items there.
    pub devices: usize,
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
    let mut devices: BTreeSet<(VaultId, Name)> = BTreeSet::new();
    for user in keychain.search(service(identity))? {
        let Some((_, name)) = user.split_once('/') else { continue };
        let Some(name @ Name::Key { device, .. }) = Name::parse(name) else { continue };
        let Some(bytes) = keychain.get(service(identity), &user)? else { continue };
        let Some(outer) = OuterKey::parse(bytes.expose()) else { continue };
        debug_assert_eq!(name.device(), device);
        let vault = outer.vault;
        let entry =
            found.entry(vault).or_insert_with(|| Found { vault, data: Vec::new(), slots: Vec::new(), devices: 0 });
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
        if devices.insert((vault, Name::Head { device })) {
            entry.devices += 1;
        }
    }
    let mut all: Vec<Found> = found.into_values().collect();
    all.sort_by_key(|found| std::cmp::Reverse(found.devices));
    Ok(all)
}

/// Opens a backup.
///
/// # Errors
/// [`RestoreError`].
pub fn open(keychain: &dyn Keychain, identity: &str, found: &Found, way: &Way<'_>) -> Result<Restored, RestoreError> {
    let data = data_keys(keychain, found, way)?;
    let items = Sealed { keychain, identity, vault: found.vault, item_len: usize::MAX };
    let mut ring = Ring { data, keys: Keys::new() };
    let mut all = gather(&items, &mut ring, &|_, _| false)?;
    if !all.missing.is_empty() {
        // It may have been on its way.
        all = gather(&items, &mut ring, &|_, _| false)?;
    }
    // What the newest key item that opens says is the vault's own key and its slots: an older one may be of a time before
    // the key was changed.
    let mut newest: Option<(u64, &DataKey)> = None;
    let mut slots: Vec<Slot> = Vec::new();
    for key in &ring.data {
        let alone = Ring { data: vec![key.duplicate()], keys: Keys::new() };
        let mut own: Vec<Slot> = Vec::new();
        let mut revision = None;
        for name in all.keys.keys() {
            if let Some(Read { item: Item::Key(item), .. }) = items.read(*name, &alone)? {
                revision = revision.max(Some(item.revision));
                own.extend(item.slots);
            }
        }
        if let Some(revision) = revision.filter(|revision| newest.is_none_or(|(other, _)| *revision > other)) {
            own.sort_unstable_by_key(|slot| slot.id);
            own.dedup_by_key(|slot| slot.id);
            newest = Some((revision, key));
            slots = own;
        }
    }
    let Some((_, data)) = newest else { return Err(RestoreError::WrongKey) };
    Ok(Restored {
        vault: found.vault,
        data: data.duplicate(),
        slots,
        records: all.joined(),
        devices: all.devices(),
        unread: all.missing.len() + all.foreign.len() + all.damaged.len(),
        keys: ring.keys,
    })
}

fn data_keys(keychain: &dyn Keychain, found: &Found, way: &Way<'_>) -> Result<Vec<DataKey>, RestoreError> {
    let recovery_bytes = match way {
        Way::Recovery(text) => Some(recovery::read(text.expose()).map_err(|_| RestoreError::WrongKey)?),
        _ => None,
    };
    let key = match (way, &recovery_bytes) {
        (Way::Password(word), _) => Some(Key::Password(word)),
        (_, Some(bytes)) => Some(Key::Recovery(bytes)),
        _ => None,
    };
    let mut keys: Vec<DataKey> = Vec::new();
    if let Some(key) = key {
        for slot in found.slots.iter().filter(|slot| slot.kind() == key.kind()) {
            if let Ok(Some(data)) = slot.unwrap(found.vault, key) {
                keys.push(data);
            }
        }
    }
    keys.extend(found.data.iter().map(DataKey::duplicate));
    for slot in found.slots.iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
        let held = keychain.get(UNLOCK_SERVICE, &format!("{}/{}", found.vault, slot.id)).ok().flatten();
        if let Some(bytes) = held.and_then(|held| <[u8; 32]>::try_from(held.expose().as_slice()).ok()).map(Secret::new)
            && let Ok(Some(data)) = slot.unwrap(found.vault, Key::Keychain(&bytes))
        {
            keys.push(data);
        }
    }
    if keys.is_empty() {
        return Err(if matches!(way, Way::Alone) { RestoreError::NeedsKey } else { RestoreError::WrongKey });
    }
    Ok(keys)
}

/// A state that holds what was restored, its backup keys too, for a new vault.
pub fn state_of(restored: &Restored, identity: &str, stamp: crate::vault::Stamp) -> State {
    let mut state = restored.records.clone();
    for (kid, key) in &restored.keys {
        super::record::add_key(&mut state, identity, *kid, key, stamp);
    }
    state
}
