//! The join: how two copies of a vault become one. Commutative, associative, idempotent; no common base is needed and
//! no clock is trusted (`docs/vault.md`, "Joining"). Pure.
//!
//! The order that makes it so, from the outside in:
//! - an entry is ordered by incarnation first: a higher incarnation brings its whole life and body;
//! - within one incarnation life only rises, and `Purged` is the top, whose body is nothing;
//! - bodies join field by field and tag by tag: the greater (stamp, value) wins;
//! - the counter joins by itself, outside of the incarnation, so that nothing ever takes it back.
//!
//! Life must not be a last-writer register: `tests/vault_merge.rs` pins the counterexample and holds the laws.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Body, Core, Entry, EntryId, Life, Register, State};
use crate::secret::Secret;

impl State {
    /// Joins another copy into this one. True when this one changed.
    pub fn join(&mut self, other: &Self) -> bool {
        let entries = join_maps(&mut self.entries, &other.entries, Entry::join);
        let meta = join_maps(&mut self.meta, &other.meta, Register::join);
        let seen = join_maps(&mut self.seen, &other.seen, raise);
        entries | meta | seen
    }

    /// True when both hold the same entries, alike in all that a user or a code could tell.
    pub fn holds_the_same(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self.entries.values().zip(other.entries.values()).all(|(ours, theirs)| {
                (ours.id, ours.incarnation, ours.life) == (theirs.id, theirs.incarnation, theirs.life)
                    && !differs(ours, theirs)
            })
    }
}

impl Entry {
    /// Joins another copy of the same entry into this one. True when this one changed.
    pub fn join(&mut self, other: &Self) -> bool {
        let counter = raise(&mut self.counter, &other.counter);
        let rest = match self.incarnation.cmp(&other.incarnation) {
            Ordering::Greater => false,
            Ordering::Less => {
                self.incarnation = other.incarnation;
                self.life = other.life;
                self.body.clone_from(&other.body);
                true
            }
            Ordering::Equal => {
                let risen = raise(&mut self.life, &other.life);
                if self.life == Life::Purged {
                    self.body = None;
                    risen
                } else {
                    risen | join_bodies(&mut self.body, other.body.as_ref())
                }
            }
        };
        counter | rest
    }
}

fn join_bodies(ours: &mut Option<Body>, theirs: Option<&Body>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => ours.join(theirs),
        (ours @ None, Some(theirs)) => {
            *ours = Some(theirs.clone());
            true
        }
        (_, None) => false,
    }
}

impl Body {
    /// Joins another copy of the same body into this one. True when this one changed.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut changed = false;
        // Write-once: two cores under one id never happen. Should they, every device keeps the same one.
        if !Arc::ptr_eq(&self.core, &other.core) && self.core.order(&other.core).is_lt() {
            self.core = Arc::clone(&other.core);
            changed = true;
        }
        changed |= join_maps(&mut self.fields, &other.fields, Register::join);
        changed |= join_maps(&mut self.tags, &other.tags, |ours, theirs| {
            let rises = (ours.1, ours.0) < (theirs.1, theirs.0);
            if rises {
                *ours = *theirs;
            }
            rises
        });
        changed
    }
}

impl Core {
    /// A total order over everything, the secret too, for choosing one of two. Not in constant time: both sides are
    /// the user's own.
    fn order(&self, other: &Self) -> Ordering {
        (self.kind.cmp(&other.kind))
            .then_with(|| self.secret.expose().cmp(other.secret.expose()))
            .then_with(|| {
                let (ours, theirs) = (self.pin.as_ref(), other.pin.as_ref());
                ours.map(Secret::expose).cmp(&theirs.map(Secret::expose))
            })
            .then_with(|| self.identity.cmp(&other.identity))
    }
}

impl Register {
    /// Takes the greater (stamp, value). True when this one changed.
    pub fn join(&mut self, other: &Self) -> bool {
        if *self >= *other {
            return false;
        }
        self.clone_from(other);
        true
    }
}

/// Joins two maps name by name. True when the first changed.
fn join_maps<K: Ord + Clone, V: Clone>(
    ours: &mut BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
    mut join: impl FnMut(&mut V, &V) -> bool,
) -> bool {
    let mut changed = false;
    for (name, theirs) in theirs {
        if let Some(ours) = ours.get_mut(name) {
            changed |= join(ours, theirs);
        } else {
            ours.insert(name.clone(), theirs.clone());
            changed = true;
        }
    }
    changed
}

fn raise<T: Ord + Copy>(ours: &mut T, theirs: &T) -> bool {
    let rises = *ours < *theirs;
    if rises {
        *ours = *theirs;
    }
    rises
}

/// What a join did, for telling the user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// New and in use.
    pub added: Vec<EntryId>,
    /// In use before and after, and something about them differs.
    pub changed: Vec<EntryId>,
    /// In use before, in the trash now.
    pub trashed: Vec<EntryId>,
    /// In the trash or gone before, in use now.
    pub restored: Vec<EntryId>,
    /// There before, gone for good now.
    pub purged: Vec<EntryId>,
}

impl Changes {
    /// True when nothing that a user sees differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What differs for the user between two states of one vault.
pub fn changes(before: &State, after: &State) -> Changes {
    let mut out = Changes::default();
    for (id, new) in &after.entries {
        let list = match (before.entries.get(id).map(|old| old.life), new.life) {
            (None, Life::Live) => &mut out.added,
            (Some(Life::Trashed | Life::Purged), Life::Live) => &mut out.restored,
            (Some(Life::Live), Life::Trashed) => &mut out.trashed,
            (Some(Life::Live | Life::Trashed), Life::Purged) => &mut out.purged,
            (Some(Life::Live), Life::Live) if differs(&before.entries[id], new) => &mut out.changed,
            _ => continue,
        };
        list.push(*id);
    }
    out
}

fn differs(old: &Entry, new: &Entry) -> bool {
    if old.counter != new.counter {
        return true;
    }
    match (&old.body, &new.body) {
        (Some(old), Some(new)) => {
            (!Arc::ptr_eq(&old.core, &new.core) && old.core.order(&new.core).is_ne())
                || old.tags != new.tags
                || old.fields != new.fields
        }
        (old, new) => old.is_some() != new.is_some(),
    }
}
