//! The way back: finding what backups lie in a store, and opening one with what a new machine has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::item::{Keys, Kid, Name};
use super::ledger::Ledger;
use super::place::{Destination, Store, destinations};
use super::record;
use super::round::{Device, Ring, gather};
use super::sealed::{OuterKey, Sealed, service};
use crate::keychain::{Keychain, KeychainError};
use crate::policy::{self, Policy};
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::unlocked;
use crate::vault::{DataKey, DeviceId, KdfParams, Key, Slot, SlotId, State, Unlocked, VaultId, recovery};

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

impl<'a> Way<'a> {
    /// By what was typed: a recovery key, where it reads as one, else a password.
    pub fn typed(words: &'a Secret<String>) -> Self {
        if recovery::read(words.expose()).is_ok() { Self::Recovery(words) } else { Self::Password(words) }
    }
}

/// A backup that was opened.
pub struct Restored {
    /// Whose accounts: `personal` or `managed/NAME`.
    pub identity: String,
    /// The vault's key.
    pub data: DataKey,
    /// Keys that it had before, as far as they are known here.
    pub retired: Vec<DataKey>,
    /// What opens the vault.
    pub slots: Vec<Slot>,
    /// The password or recovery key that was given opens one of them.
    pub by_way: bool,
    /// The backup keys.
    pub keys: Keys,
    /// The accounts, tombstones among them, bundle by bundle with the backup key that it lay under.
    pub records: Vec<(Kid, State)>,
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
        let bytes = match keychain.get(service(identity), &user) {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(KeychainError::Closed) => continue,
            Err(error) => return Err(error),
        };
        let Some(outer) = OuterKey::parse(bytes.expose()) else { continue };
        let vault = outer.vault;
        let new = || Found { vault, data: Vec::new(), slots: Vec::new(), devices: BTreeSet::new() };
        let entry = found.entry(vault).or_insert_with(new);
        entry.devices.insert(device);
        for slot in outer.slots {
            // Whole: one under the id of another must not take its place.
            if !entry.slots.contains(&slot) {
                entry.slots.push(slot);
            }
        }
        if keychain.guards()
            && let Some(data) = outer.data
            && !entry.data.iter().any(|known| known.expose() == data.expose())
        {
            entry.data.push(data);
        }
    }
    let mut all: Vec<Found> = found.into_values().collect();
    for found in &mut all {
        bound(&mut found.slots);
    }
    all.sort_by_key(|found| std::cmp::Reverse(found.devices.len()));
    Ok(all)
}

/// All slots are tried: together they may ask for no more than those of one vault. The costly ones go, since anybody may have
/// put them into a folder.
fn bound(slots: &mut Vec<Slot>) {
    let cost = |slot: &Slot| slot.kdf().map_or(0, KdfParams::cost);
    slots.sort_by_key(cost);
    let mut left = KdfParams::TOTAL_MAX;
    slots.retain(|slot| left.checked_sub(cost(slot)).inspect(|rest| left = *rest).is_some());
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
    let (vault, by_itself) = (found.vault, keychain.guards());
    let items = Sealed { keychain, identity, vault, item_len: usize::MAX, by_itself };
    let mut ring = Ring { data, keys: Keys::new(), old: None };
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
    let mut retired: Vec<DataKey> = Vec::new();
    for old in keys().map(|item| &item.data).filter(|old| old.expose() != data.expose()) {
        if !retired.iter().any(|known| known.expose() == old.expose()) {
            retired.push(old.duplicate());
        }
    }
    let own = keys().filter(|item| item.data.expose() == data.expose());
    let mut slots: Vec<Slot> = own.flat_map(|item| item.slots.iter().cloned()).collect();
    slots.sort_unstable_by_key(|slot| slot.id);
    slots.dedup_by_key(|slot| slot.id);
    Ok(Restored {
        identity: identity.to_owned(),
        by_way: slots.iter().any(|slot| opened.iter().any(|(id, _)| *id == slot.id)),
        data,
        retired,
        slots,
        records: all.records(),
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

/// The backups of one vault that lie in reach: one of each identity.
pub struct Offer {
    /// Which vault.
    pub vault: VaultId,
    /// Those that were opened.
    pub opened: Vec<Restored>,
    /// How many were not: they need a key, or another one than was given.
    pub sealed: usize,
    /// How many devices have a key there.
    pub devices: usize,
}

/// Where a restore looks: the organisation's backup, where one manages the machine, then the user's own, in the keychain or
/// in the folder that the user names.
pub fn sources(policy: &Policy, folder: Option<&Path>) -> Vec<Destination> {
    let Some(folder) = folder else {
        return destinations(&Ledger::default(), true, policy).into_iter().filter(|to| to.on).collect();
    };
    let managed = policy.identity.as_ref().filter(|_| policy.backup != policy::Backup::Forbidden);
    let own = policy.identity_for(true).ok();
    let in_folder =
        |identity| Destination { identity, store: Store::Folder(folder.to_owned()), on: true, names_only: false };
    managed.map(policy::Managed::identity).into_iter().chain(own).map(in_folder).collect()
}

/// Finds the backups in reach and opens those that the given way opens: what the typed key opened first, then what was
/// backed up last, then what stays sealed.
///
/// # Errors
/// [`KeychainError`] where nothing was found and a store failed.
pub fn look(from: &[Destination], may_prompt: bool, way: &Way<'_>) -> Result<Vec<Offer>, KeychainError> {
    let mut offers: Vec<Offer> = Vec::new();
    let mut failed = None;
    for to in from {
        let keychain = to.open(may_prompt);
        if let Err(error) = look_in(&*keychain, &to.identity, way, &mut offers) {
            failed = failed.or(Some(error));
        }
    }
    offers.sort_by_key(|offer| std::cmp::Reverse((offer.by_way(), offer.newest(), offer.devices)));
    match failed {
        Some(error) if offers.is_empty() => Err(error),
        _ => Ok(offers),
    }
}

fn look_in(
    keychain: &dyn Keychain,
    identity: &str,
    way: &Way<'_>,
    offers: &mut Vec<Offer>,
) -> Result<(), KeychainError> {
    for mut found in find(keychain, identity)? {
        let at = offers.iter().position(|offer| offer.vault == found.vault).unwrap_or(offers.len());
        if at == offers.len() {
            offers.push(Offer { vault: found.vault, opened: Vec::new(), sealed: 0, devices: 0 });
        }
        let offer = &mut offers[at];
        offer.devices = offer.devices.max(found.devices.len());
        // The key that opened the one opens the other, without being derived again.
        let known = offer.opened.first().map(|restored| restored.data.duplicate());
        let way = if known.is_some() { &Way::Alone } else { way };
        found.data.extend(known);
        match open(keychain, identity, &found, way) {
            Ok(restored) => offer.opened.push(restored),
            Err(RestoreError::NeedsKey | RestoreError::WrongKey) => offer.sealed += 1,
            Err(RestoreError::Store(error)) => return Err(error),
        }
    }
    Ok(())
}

impl Offer {
    /// All that was opened, as records of a vault.
    pub fn records(&self) -> State {
        self.joined(|_, _| true)
    }

    /// The same for a vault that is here. Where that got a new data key once, only what lies under its own keys since then
    /// deletes anything for good ([`super::gather`]).
    pub fn records_for(&self, state: &State) -> State {
        let had_another = unlocked::had_another_key(state);
        self.joined(|identity, kid| {
            let known = || record::keys(state, identity).contains_key(&kid);
            !had_another || (known() && !record::old_keys(state, identity).contains(&kid))
        })
    }

    fn joined(&self, may_delete: impl Fn(&str, Kid) -> bool) -> State {
        let mut all = State::default();
        for part in &self.opened {
            all.join(&record::joined(&part.records, |kid| may_delete(&part.identity, kid)));
        }
        all
    }

    /// The vault that was backed up, made anew with its slots and backup keys. None where nothing was opened.
    pub fn vault_again(&self, now: UnixTime, device: DeviceId) -> Option<Unlocked> {
        let first = self.opened.first()?;
        let mut state = self.records();
        let stamp = state.next_stamp(now, device);
        for part in &self.opened {
            for (kid, key) in &part.keys {
                record::add_key(&mut state, &part.identity, *kid, key, stamp);
            }
        }
        let mut vault = Unlocked::create(self.vault, first.data.duplicate(), first.slots.clone(), state);
        for old in self.opened.iter().flat_map(|part| &part.retired) {
            vault.retire(old, stamp);
        }
        Some(vault)
    }

    /// When a device backed up last; none where nothing was opened.
    pub fn newest(&self) -> Option<UnixTime> {
        self.opened.iter().flat_map(|part| &part.devices).map(|device| device.time).max()
    }

    /// The password or recovery key that was given opens the vault itself.
    pub fn by_way(&self) -> bool {
        self.opened.iter().any(|part| part.by_way)
    }

    /// Items that are missing, under another key, or damaged.
    pub fn unread(&self) -> usize {
        self.opened.iter().map(|part| part.unread).sum()
    }

    /// Its key is there and nothing that it opens: what holds the accounts is missing, damaged or on its way.
    pub fn is_bare(&self) -> bool {
        self.accounts() == 0 && (self.unread() > 0 || self.newest().is_none_or(|time| time.0 == 0))
    }

    /// Live accounts in it.
    pub fn accounts(&self) -> usize {
        record::live(&self.records())
    }
}
