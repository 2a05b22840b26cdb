//! The store of the model: items as they are, every version of each, a fuse that crashes the caller, and a gremlin that
//! loses things while others are written.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::LazyLock;

use super::super::flaw::{Flaw, flaw};
use super::super::item::{BackupKey, Bundle, Digest, Head, Item, KeyItem, Kid, Name, Read};
use super::super::round::{Items, Ring};
use crate::keychain::KeychainError;
use crate::secret::Secret;
use crate::vault::{DataKey, DeviceId, EntryId, Slot, State};

/// The vault's key, made once: a page of its own for each of so many states would take its time.
pub static DATA: LazyLock<DataKey> = LazyLock::new(|| DataKey::new(Secret::new([0xd; 32])));

/// An item as it is.
pub enum Plain {
    Key { kid: Kid, revision: u64, slots: Vec<Slot>, key: [u8; 32] },
    Bundle { kid: Kid, revision: u64, records: State },
    Head(Head),
}

/// Every version of an item with its number, which stands for its digest; the last one is current.
type Versions = Vec<(u64, Rc<Plain>)>;

/// What goes wrong while something is written, as a keyring may that rewrites its whole file.
#[derive(Clone, Copy)]
pub enum Gremlin {
    /// The write itself comes to nothing, though the store says yes.
    Drops,
    /// Another item is gone, by its place among all.
    Loses(u64),
    /// Another item is what it was before, by its place among all.
    PutsBack(u64),
}

#[derive(Default)]
pub struct Store {
    pub items: RefCell<BTreeMap<Name, Versions>>,
    next: Cell<u64>,
    /// Calls until the crash.
    pub fuse: Cell<Option<u32>>,
    /// Writes until something goes wrong, and what.
    pub gremlin: Cell<Option<(u32, Gremlin)>>,
    /// Bundles that wait for their head, where the head is written first.
    held: RefCell<Vec<(Name, u64, Rc<Plain>)>>,
}

pub fn digest(number: u64) -> Digest {
    let mut out = [0; 32];
    out[..8].copy_from_slice(&number.to_le_bytes());
    out
}

impl Store {
    fn burn(&self) -> Result<(), KeychainError> {
        match self.fuse.get() {
            Some(0) => Err(KeychainError::Timeout),
            Some(left) => {
                self.fuse.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// One key item for all is the wrong way that looks like less work.
    fn at(name: Name) -> Name {
        match name {
            Name::Key { kid, .. } if flaw(Flaw::SharedKey) => Name::Key { kid, device: DeviceId([0; 8]) },
            other => other,
        }
    }

    pub fn names(&self) -> Vec<Name> {
        self.items.borrow().keys().copied().collect()
    }

    /// Takes away an item.
    pub fn lose(&self, at: u64) {
        let names = self.names();
        if let Some(name) = names.get(at as usize % names.len().max(1)) {
            self.items.borrow_mut().remove(name);
        }
    }

    /// Makes an item what it was before.
    pub fn put_back(&self, at: u64) {
        let names = self.names();
        if let Some(name) = names.get(at as usize % names.len().max(1))
            && let Some(versions) = self.items.borrow_mut().get_mut(name).filter(|versions| versions.len() > 1)
        {
            versions.pop();
        }
    }

    fn put(&self, name: Name, number: u64, plain: Rc<Plain>) {
        let mut dropped = false;
        match self.gremlin.get() {
            Some((0, gremlin)) => {
                self.gremlin.set(None);
                match gremlin {
                    Gremlin::Drops => dropped = true,
                    Gremlin::Loses(at) => self.lose(at),
                    Gremlin::PutsBack(at) => self.put_back(at),
                }
            }
            Some((left, gremlin)) => self.gremlin.set(Some((left - 1, gremlin))),
            None => {}
        }
        if !dropped {
            self.items.borrow_mut().entry(Self::at(name)).or_default().push((number, plain));
        }
    }

    /// The machine stops: no crash waits any more, and what was not written yet never will be.
    pub fn settle(&self) {
        self.fuse.set(None);
        self.gremlin.set(None);
        self.held.borrow_mut().clear();
    }

    /// Ids of the live accounts that a machine without a vault gets by one of these passwords after the other.
    pub fn restorable(&self, passwords: std::ops::RangeInclusive<u8>) -> BTreeSet<EntryId> {
        let items = self.items.borrow();
        let current = |versions: &Versions| versions.last().map(|(number, plain)| (*number, Rc::clone(plain)));
        let opens = |slots: &[Slot]| slots.iter().any(|slot| slot.body.first().is_some_and(|p| passwords.contains(p)));
        let mut kids = BTreeSet::new();
        for plain in items.values().filter_map(current) {
            if let Plain::Key { kid, slots, .. } = &*plain.1
                && opens(slots)
            {
                kids.insert(*kid);
            }
        }
        let mut out = State::default();
        for (name, (number, plain)) in items.iter().filter_map(|(name, all)| Some((*name, current(all)?))) {
            if let Plain::Bundle { kid, records, .. } = &*plain
                && kids.contains(kid)
                && self.would_read(name, number)
            {
                out.join(records);
            }
        }
        out.live().map(|entry| entry.id).collect()
    }

    /// Whether a restore that is as wrong as the rounds reads this bundle.
    fn would_read(&self, name: Name, number: u64) -> bool {
        let Name::Bundle { device, epoch, bucket } = name else { return true };
        if !(flaw(Flaw::TiedToHead) || flaw(Flaw::HeadsChoose)) {
            return true;
        }
        let items = self.items.borrow();
        let head = items.get(&Name::Head { device }).and_then(|versions| versions.last());
        let Some((_, plain)) = head else { return false };
        let Plain::Head(head) = &**plain else { return false };
        let said = head.digests.get(&bucket).filter(|_| head.epoch == epoch);
        said.is_some_and(|said| !flaw(Flaw::TiedToHead) || *said == digest(number))
    }

    /// A bundle that a head announces and that is not there, or older there.
    pub fn ahead(&self, device: DeviceId) -> Option<Name> {
        let items = self.items.borrow();
        let Plain::Head(head) = &*items.get(&Name::Head { device })?.last()?.1 else { return None };
        head.digests.iter().find_map(|(bucket, said)| {
            let name = Name::Bundle { device, epoch: head.epoch, bucket: *bucket };
            let there = items.get(&name).and_then(|versions| versions.last()).map(|(number, _)| *number);
            let said = u64::from_le_bytes(said[..8].try_into().ok()?);
            there.is_none_or(|there| there < said).then_some(name)
        })
    }
}

impl Items for Store {
    fn list(&self) -> Result<BTreeSet<Name>, KeychainError> {
        self.burn()?;
        Ok(self.items.borrow().keys().copied().collect())
    }

    fn read(&self, name: Name, ring: &Ring) -> Result<Option<Read>, KeychainError> {
        self.burn()?;
        let items = self.items.borrow();
        let Some((number, plain)) = items.get(&Self::at(name)).and_then(|versions| versions.last()) else {
            return Ok(None);
        };
        let item = match &**plain {
            Plain::Key { revision, slots, key, .. } => Item::Key(KeyItem {
                revision: *revision,
                slots: slots.clone(),
                by_itself: false,
                data: DATA.duplicate(),
                key: BackupKey(Secret::new(*key)),
            }),
            Plain::Bundle { kid, .. } if !ring.keys.contains_key(kid) => Item::Foreign,
            Plain::Bundle { kid, revision, records } => {
                Item::Bundle(Bundle { kid: *kid, revision: *revision, records: records.clone() })
            }
            Plain::Head(head) if !ring.keys.contains_key(&head.kid) => Item::Foreign,
            Plain::Head(head) => Item::Head(head.clone()),
        };
        Ok(Some(Read { digest: digest(*number), item }))
    }

    fn write(&self, name: Name, item: &Item, _: &Ring) -> Result<Digest, KeychainError> {
        let plain = match (item, name) {
            (Item::Key(item), Name::Key { kid, .. }) => {
                Plain::Key { kid, revision: item.revision, slots: item.slots.clone(), key: *item.key.0.expose() }
            }
            (Item::Bundle(item), _) => {
                Plain::Bundle { kid: item.kid, revision: item.revision, records: item.records.clone() }
            }
            (Item::Head(head), _) => Plain::Head(head.clone()),
            _ => unreachable!("nothing else is written"),
        };
        self.next.set(self.next.get() + 1);
        let (number, plain) = (self.next.get(), Rc::new(plain));
        if flaw(Flaw::HeadFirst) && matches!(name, Name::Bundle { .. }) {
            self.held.borrow_mut().push((name, number, plain));
            return Ok(digest(number));
        }
        self.burn()?;
        self.put(name, number, plain);
        if matches!(name, Name::Head { .. }) {
            for (name, number, plain) in self.held.take() {
                self.burn()?;
                self.put(name, number, plain);
            }
        }
        Ok(digest(number))
    }

    fn delete(&self, name: Name) -> Result<(), KeychainError> {
        self.burn()?;
        self.items.borrow_mut().remove(&Self::at(name));
        Ok(())
    }

    fn fits(&self, records: &State) -> bool {
        records.entries.len() <= 2
    }
}
