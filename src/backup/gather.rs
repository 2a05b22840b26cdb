//! Reading what lies in a store: the items of one vault and identity, the keys that open them, what they hold together.
//! Writes nothing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::flaw::{Flaw, flaw};
use super::item::{Bundle, Digest, Head, Item, KeyItem, Keys, Kid, Name, Read};
use super::record;
use crate::keychain::KeychainError;
use crate::time::UnixTime;
use crate::vault::{DataKey, DeviceId, State, Unlocked};

/// Keys that open items: the vault's data keys and the backup keys.
pub struct Ring {
    /// Of key items.
    pub data: Vec<DataKey>,
    /// Of bundles and heads.
    pub keys: Keys,
    /// Those of them from before the vault got a new data key: somebody who was shut out may have them. None where no vault
    /// tells.
    pub old: Option<BTreeSet<Kid>>,
}

impl Ring {
    /// What an open vault has for an identity.
    pub fn of(vault: &Unlocked, identity: &str) -> Self {
        let data = std::iter::once(vault.data_key().duplicate()).chain(vault.retired_keys()).collect();
        Self { data, keys: record::keys(&vault.state, identity), old: Some(record::old_keys(&vault.state, identity)) }
    }

    /// Adds what key items bring. Those under the data key in force come first, and what only those of before bring counts as
    /// old: whoever has an old data key can write such items.
    fn learn(&mut self, items: &BTreeMap<Name, (Digest, KeyItem)>) {
        let retired = self.old.as_ref().and(self.data.get(1..)).unwrap_or_default();
        let is_retired = |item: &KeyItem| retired.iter().any(|old| old.expose() == item.data.expose());
        let (before, now): (Vec<_>, Vec<_>) = items.iter().partition(|(_, (_, item))| is_retired(item));
        let first_old = now.len();
        for (at, (name, (_, item))) in now.into_iter().chain(before).enumerate() {
            if let Name::Key { kid, .. } = name
                && let Entry::Vacant(place) = self.keys.entry(*kid)
            {
                place.insert(item.key.duplicate());
                self.old.as_mut().filter(|_| at >= first_old).map(|old| old.insert(*kid));
            }
        }
    }

    fn is_old(&self, kid: Kid) -> bool {
        self.old.as_ref().is_some_and(|old| old.contains(&kid))
    }
}

/// The items of one vault and one identity in a store.
pub trait Items {
    /// The names of all that are there.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn list(&self) -> Result<BTreeSet<Name>, KeychainError>;
    /// Reads one; none when there is none, or the store says so.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn read(&self, name: Name, ring: &Ring) -> Result<Option<Read>, KeychainError>;
    /// Writes one over what was there; gives its digest.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn write(&self, name: Name, item: &Item, ring: &Ring) -> Result<Digest, KeychainError>;
    /// Deletes one.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn delete(&self, name: Name) -> Result<(), KeychainError>;
    /// Tells other devices that an item was written, where the store can.
    fn announce(&self, name: Name, revision: u64) {
        let _ = (name, revision);
    }
    /// Whether so many records go into one item.
    fn fits(&self, records: &State) -> bool;
}

/// A device that backs up here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// What it calls itself; empty where its head does not open.
    pub label: String,
    /// Accounts in its bundles.
    pub accounts: usize,
    /// When it last said something.
    pub time: UnixTime,
}

/// A head that is older than one that was seen before: somebody has put an old state of the store back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WentBack {
    /// The device that wrote it.
    pub device: DeviceId,
    /// What it calls itself.
    pub label: String,
    /// The revision that was seen before.
    pub from: u64,
    /// The revision that is there.
    pub to: u64,
}

/// Why an item cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Listed or announced, and not to be had.
    Missing,
    /// Under a key that is not known.
    Foreign,
    /// It may not be read.
    Closed,
    /// Not to be opened.
    Damaged,
}

impl Why {
    /// `missing`, `foreign`, `closed`, `damaged`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Foreign => "foreign",
            Self::Closed => "closed",
            Self::Damaged => "damaged",
        }
    }

    /// What is wrong with it, as the end of a sentence that begins with its place.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "is announced and not there, or on its way",
            Self::Foreign => "is sealed under a key that this vault does not know",
            Self::Closed => "may not be read here: look at who owns it",
            Self::Damaged => "is damaged, or no item of otpanel",
        }
    }
}

/// All that lies in a store, read.
#[derive(Default)]
pub struct Gathered {
    /// The names.
    pub names: BTreeSet<Name>,
    /// Key items that open.
    pub keys: BTreeMap<Name, (Digest, KeyItem)>,
    /// Bundles that open.
    pub bundles: BTreeMap<Name, (Digest, Bundle)>,
    /// Heads that open.
    pub heads: BTreeMap<DeviceId, (Digest, Head)>,
    /// Bundles of others that were not read, since what they hold was joined.
    pub skipped: BTreeSet<Name>,
    /// Listed or announced, and not to be had.
    pub missing: BTreeSet<Name>,
    /// Under a key that is not known.
    pub foreign: BTreeSet<Name>,
    /// Of the foreign ones, those that may not even be read.
    pub closed: BTreeSet<Name>,
    /// Not to be opened.
    pub damaged: BTreeSet<Name>,
}

/// Reads what lies in a store. Key items come first, since they bring keys, which are added to the ring.
///
/// # Errors
/// [`KeychainError`].
pub fn gather(
    items: &dyn Items,
    ring: &mut Ring,
    skip: &dyn Fn(Name, Digest) -> bool,
) -> Result<Gathered, KeychainError> {
    let mut all = Gathered { names: items.list()?, ..Gathered::default() };
    let in_order =
        |all: &Gathered, wanted: fn(&Name) -> bool| -> Vec<Name> { all.names.iter().copied().filter(wanted).collect() };
    for name in in_order(&all, |name| matches!(name, Name::Key { .. })) {
        all.take(items, ring, name)?;
    }
    ring.learn(&all.keys);
    for name in in_order(&all, |name| matches!(name, Name::Head { .. })) {
        all.take(items, ring, name)?;
    }
    let mut announced: BTreeMap<Name, Digest> = BTreeMap::new();
    for (device, (_, head)) in &all.heads {
        for (bucket, digest) in &head.digests {
            announced.insert(Name::Bundle { device: *device, epoch: head.epoch, bucket: *bucket }, *digest);
        }
    }
    if flaw(Flaw::HeadsChoose) {
        all.names.retain(|name| !matches!(name, Name::Bundle { .. }) || announced.contains_key(name));
    }
    // What a head says is a hint and no more: every bundle that is listed counts (a crash may lie between the two).
    for name in in_order(&all, |name| matches!(name, Name::Bundle { .. })) {
        if announced.get(&name).is_some_and(|digest| skip(name, *digest)) {
            all.skipped.insert(name);
        } else {
            all.take(items, ring, name)?;
            if flaw(Flaw::TiedToHead)
                && all.bundles.get(&name).is_some_and(|(digest, _)| announced.get(&name) != Some(digest))
            {
                all.bundles.remove(&name);
                all.foreign.insert(name);
            }
        }
    }
    all.missing.extend(announced.keys().filter(|name| !all.names.contains(name)));
    Ok(all)
}

impl Gathered {
    fn take(&mut self, items: &dyn Items, ring: &Ring, name: Name) -> Result<(), KeychainError> {
        let Some(Read { digest, item }) = items.read(name, ring)? else {
            self.missing.insert(name);
            return Ok(());
        };
        match (item, name) {
            (Item::Key(item), Name::Key { .. }) => drop(self.keys.insert(name, (digest, item))),
            (Item::Bundle(item), Name::Bundle { .. }) => drop(self.bundles.insert(name, (digest, item))),
            (Item::Head(item), Name::Head { device }) => drop(self.heads.insert(device, (digest, item))),
            (Item::Foreign, _) => drop(self.foreign.insert(name)),
            // Whatever it holds stays, as with one under an unknown key.
            (Item::Closed, _) => {
                self.closed.insert(name);
                self.foreign.insert(name);
            }
            _ => drop(self.damaged.insert(name)),
        }
        Ok(())
    }

    /// The devices, as their heads tell.
    pub fn devices(&self) -> Vec<Device> {
        let of = |id: &DeviceId| match self.heads.get(id) {
            Some((_, head)) => Device { id: *id, label: head.label.clone(), accounts: head.accounts, time: head.time },
            None => Device { id: *id, label: String::new(), accounts: 0, time: UnixTime(0) },
        };
        let ids: BTreeSet<DeviceId> = self.names.iter().map(|name| name.device()).collect();
        ids.iter().map(of).collect()
    }

    /// What each bundle holds, and the key that it lies under.
    pub fn records(&self) -> Vec<(Kid, State)> {
        self.bundles.values().map(|(_, bundle)| (bundle.kid, bundle.records.clone())).collect()
    }

    /// Everything that the bundles hold, joined. Those under an old key delete nothing for good, as with a copy of the vault
    /// under an old data key.
    pub fn joined(&self, ring: &Ring) -> State {
        record::joined(&self.records(), |kid| !ring.is_old(kid))
    }

    /// The heads that are older than what was seen before.
    pub fn went_back(&self, seen: &BTreeMap<DeviceId, u64>) -> Vec<WentBack> {
        let older = |(id, (_, head)): (&DeviceId, &(Digest, Head))| {
            let from = *seen.get(id).filter(|seen| **seen > head.revision)?;
            Some(WentBack { device: *id, label: head.label.clone(), from, to: head.revision })
        };
        self.heads.iter().filter_map(older).collect()
    }

    /// How many items are missing, under another key, or damaged.
    pub fn unread(&self) -> usize {
        self.unread_items().count()
    }

    /// Those items.
    pub fn unread_items(&self) -> impl Iterator<Item = (Name, Why)> {
        let sets = [(&self.missing, Why::Missing), (&self.foreign, Why::Foreign), (&self.damaged, Why::Damaged)];
        let told = |name: &Name, why| if self.closed.contains(name) { Why::Closed } else { why };
        sets.into_iter().flat_map(move |(names, why)| names.iter().map(move |name| (*name, told(name, why))))
    }

    /// The items that a device has written.
    pub fn of_device(&self, device: DeviceId) -> impl Iterator<Item = Name> + '_ {
        self.names.iter().copied().filter(move |name| name.device() == device)
    }
}
