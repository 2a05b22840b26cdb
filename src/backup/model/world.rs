//! The devices of the model, what they and the world do to each other, and what must hold after every step:
//!
//! - no account leaves a device unless somebody purged it, or its vault file went back;
//! - once a round said "backed up", and as long as the store lost nothing since, a new machine that knows the password of
//!   then or of later gets back every account that the device had, also after the device's file went back;
//! - what could be restored and is replaced or deleted is in the vault of whoever did that;
//! - after a whole round, in which no file arrived, everything that the device can open is in its vault;
//! - a head announces nothing that is not there;
//! - a round that nothing disturbs ends well.

use std::cell::Cell;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::super::flaw::{Flaw, flaw};
use super::super::item::{BackupKey, Kid};
use super::super::record;
use super::super::round::{Job, Known, RoundError, Vault, forget, round, wipe};
use super::Dice;
use super::store::{DATA, Gremlin, Plain, Store};
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::{
    Body, Core, Counter, DeviceId, Entry, EntryId, FileError, Life, Slot, SlotId, Stamp, State, Unlocked, VaultId,
};

const VAULT: VaultId = VaultId([3; 16]);
const IDENTITY: &str = "personal";
/// The most accounts of a world: enough for two epochs of bundles that take two each.
const ACCOUNTS: u8 = 5;
/// The last password. Every range of passwords ends at or before it.
const LAST_PASSWORD: u8 = 3;

/// What went wrong.
pub type Loss = String;

struct Machine {
    id: DeviceId,
    open: Unlocked,
    known: Known,
    clock: u64,
    password: u8,
    /// The latest password that its user knows: the file may have gone back to an older one.
    latest: u8,
    /// What must be restorable, since a round said so, and by which password at the least; none when the store lost
    /// something or nothing was said.
    promised: Option<(BTreeSet<EntryId>, u8)>,
    keys: u8,
    slots: u8,
    /// Its file as it was once, with the password of then.
    past: Vec<(Unlocked, u8)>,
    /// The file of another machine, which a sync tool puts in place in the middle of a round.
    arriving: Option<(Unlocked, u8)>,
    /// Something of its own was lost: its head may announce what is gone.
    spoiled: bool,
}

impl Vault for Machine {
    fn unlocked(&self) -> &Unlocked {
        &self.open
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut State, Stamp) -> bool) -> Result<(), FileError> {
        self.clock += 1;
        let stamp = self.open.state.next_stamp(UnixTime(self.clock), self.id);
        change(Arc::make_mut(&mut self.open.state), stamp);
        if let Some((theirs, password)) = self.arriving.take() {
            self.absorb(&theirs, password);
        }
        Ok(())
    }
}

impl Machine {
    fn new(n: u8) -> Self {
        let open = Unlocked::create(VAULT, DATA.duplicate(), vec![slot(0, 0, 0)], State::default());
        Self {
            id: DeviceId([n + 1; 8]),
            open,
            known: Known::default(),
            clock: 1,
            password: 0,
            latest: 0,
            promised: None,
            keys: 0,
            slots: 0,
            past: Vec::new(),
            arriving: None,
            spoiled: false,
        }
    }

    fn live(&self) -> BTreeSet<EntryId> {
        self.open.state.live().map(|entry| entry.id).collect()
    }

    fn absorb(&mut self, theirs: &Unlocked, password: u8) {
        self.open.absorb(theirs);
        self.password = self.password.max(password);
        self.latest = self.latest.max(self.password);
    }

    fn change_password(&mut self) {
        self.clock += 1;
        let stamp = self.open.state.next_stamp(UnixTime(self.clock), self.id);
        let old: Vec<SlotId> = self.open.slots().iter().map(|slot| slot.id).collect();
        self.password += 1;
        self.latest = self.latest.max(self.password);
        self.slots += 1;
        if self.open.add_slot(slot(self.id.0[0], self.slots, self.password), stamp).is_ok() {
            for id in old {
                self.open.remove_slot(id, stamp);
            }
        }
    }

    /// Somebody puts an older copy of its file in its place. What was joined since is unknown again.
    fn go_back(&mut self) {
        let Some((old, password)) = self.past.pop() else { return };
        self.open = old;
        self.password = password;
        if let Some((_, least)) = &mut self.promised {
            *least = password.min(*least);
        }
        if !flaw(Flaw::NeverWhole) {
            self.known = Known::default();
        }
    }
}

fn slot(device: u8, n: u8, password: u8) -> Slot {
    let mut id = [n; 16];
    id[0] = device;
    Slot { kind: 1, id: SlotId(id), body: vec![password] }
}

pub struct World {
    store: Store,
    machines: Vec<Machine>,
    purged: BTreeSet<EntryId>,
    made: u8,
}

impl World {
    pub fn new(machines: u8) -> Self {
        let machines = (0..machines).map(Machine::new).collect();
        Self { store: Store::default(), machines, purged: BTreeSet::new(), made: 0 }
    }

    /// Something happens.
    pub fn step(&mut self, dice: &mut Dice) -> Result<(), Loss> {
        let n = dice.roll(self.machines.len() as u64) as usize;
        let mut before: Vec<BTreeSet<EntryId>> = self.machines.iter().map(Machine::live).collect();
        match dice.roll(24) {
            0..=2 if self.made < ACCOUNTS => self.add(n),
            3 if dice.one_in(3) => self.purge(n, dice),
            4 => self.sync(n, dice),
            5 if self.machines[n].password < LAST_PASSWORD => self.machines[n].change_password(),
            6 if self.machines[n].keys < 3 => {
                let _ = self.on_store(n, None, |_, machine, job, _| {
                    let choose = &mut |state: &mut State, stamp| {
                        record::choose_new_keys(state, stamp, job.fresh);
                        true
                    };
                    machine.change(choose).map_err(RoundError::from)
                });
            }
            7 => {
                self.store.lose(dice.roll(64));
                self.spoil();
            }
            8 => {
                self.store.put_back(dice.roll(64));
                self.spoil();
            }
            9 => self.forget(n, dice)?,
            10 if dice.one_in(4) => {
                let fuse = crash(dice);
                (self.machines[n].promised, self.machines[n].spoiled) = (None, true);
                let _ = self.on_store(n, fuse, |store, m, _, _| wipe(store, m.id));
            }
            11 => {
                let machine = &mut self.machines[n];
                machine.past.push((machine.open.duplicate(), machine.password));
            }
            12 => {
                self.machines[n].go_back();
                before[n] = self.machines[n].live();
            }
            _ => self.round(n, dice)?,
        }
        self.check(&before)
    }

    fn add(&mut self, n: usize) {
        let id = EntryId([self.made; 16]);
        self.made += 1;
        let machine = &mut self.machines[n];
        let core =
            Core { kind: "totp".into(), secret: Secret::new("AAAA".into()), pin: None, identity: IDENTITY.into() };
        let body = Body { core: Arc::new(core), fields: BTreeMap::new(), tags: BTreeMap::new() };
        let entry = Entry { id, incarnation: 0, life: Life::Live, counter: Counter::default(), body: Some(body) };
        Arc::make_mut(&mut machine.open.state).entries.insert(id, entry);
    }

    fn purge(&mut self, n: usize, dice: &mut Dice) {
        let live: Vec<EntryId> = self.machines[n].live().into_iter().collect();
        if let Some(id) = live.get(dice.roll(live.len().max(1) as u64) as usize) {
            Arc::make_mut(&mut self.machines[n].open.state).purge(*id);
            self.purged.insert(*id);
        }
    }

    /// A file as another machine has it.
    fn file_of_another(&self, n: usize, dice: &mut Dice) -> Option<(Unlocked, u8)> {
        let m = dice.roll(self.machines.len() as u64) as usize;
        (n != m).then(|| (self.machines[m].open.duplicate(), self.machines[m].password))
    }

    /// A sync tool brings one machine's file to another.
    fn sync(&mut self, n: usize, dice: &mut Dice) {
        if let Some((theirs, password)) = self.file_of_another(n, dice) {
            self.machines[n].absorb(&theirs, password);
        }
    }

    /// The store lost something: nothing is promised any more, and heads may announce what is gone.
    fn spoil(&mut self) {
        for machine in &mut self.machines {
            (machine.promised, machine.spoiled) = (None, true);
        }
    }

    fn on_store(
        &mut self,
        n: usize,
        fuse: Option<u32>,
        act: impl FnOnce(&Store, &mut Machine, &Job<'_>, &mut Known) -> Result<(), RoundError>,
    ) -> Result<(), RoundError> {
        let machine = &mut self.machines[n];
        let next = Cell::new(machine.keys);
        let device = machine.id;
        let fresh = || {
            next.set(next.get() + 1);
            (Kid([device.0[0], next.get(), 0, 0, 0, 0, 0, 0]), BackupKey(Secret::new([next.get(); 32])))
        };
        let job = Job {
            identity: IDENTITY,
            device,
            label: "",
            now: UnixTime(1),
            by_itself: false,
            names_only: false,
            seen: &BTreeMap::new(),
            full: true,
            fresh: &fresh,
        };
        let mut known = std::mem::take(&mut machine.known);
        self.store.fuse.set(fuse);
        let done = act(&self.store, machine, &job, &mut known);
        self.store.settle();
        machine.arriving = None;
        machine.known = known;
        machine.keys = next.get();
        done
    }

    fn round(&mut self, n: usize, dice: &mut Dice) -> Result<(), Loss> {
        let (fuse, full) = (crash(dice), !dice.one_in(3));
        let gremlin = dice.one_in(6).then(|| match (dice.roll(3), dice.roll(64)) {
            (0, _) => Gremlin::Drops,
            (1, at) => Gremlin::Loses(at),
            (_, at) => Gremlin::PutsBack(at),
        });
        let after = dice.roll(6) as u32;
        if dice.one_in(6) {
            self.machines[n].arriving = self.file_of_another(n, dice);
        }
        // It may bring a key of what was passed over a moment before: that is for the next round.
        let whole = full && self.machines[n].arriving.is_none();
        let before = self.store.restorable(0..=u8::MAX);
        self.store.gremlin.set(gremlin.map(|gremlin| (after, gremlin)));
        let mut bitten = false;
        let done = self.on_store(n, fuse, |store, machine, job, known| {
            let job = Job { full, ..*job };
            let done = round(store, machine, &job, known).map(drop);
            bitten = gremlin.is_some() && store.gremlin.get().is_none();
            done
        });
        if bitten {
            self.spoil();
        } else {
            self.check_destroyed(n, &before)?;
        }
        match done {
            Ok(()) => {
                let machine = &mut self.machines[n];
                (machine.promised, machine.spoiled) = (Some((machine.live(), machine.password)), false);
                if whole && !bitten { self.check_whole(n) } else { Ok(()) }
            }
            Err(error) if fuse.is_none() && !bitten => Err(format!("a round that nothing disturbed: {error}")),
            Err(_) => Ok(()),
        }
    }

    fn forget(&mut self, n: usize, dice: &mut Dice) -> Result<(), Loss> {
        let at = dice.roll(self.machines.len() as u64) as usize;
        if at == n {
            return Ok(());
        }
        let (fuse, other) = (crash(dice), self.machines[at].id);
        let before = self.store.restorable(0..=u8::MAX);
        let done = self.on_store(n, fuse, |store, m, job, known| forget(store, m, job, known, other));
        self.check_destroyed(n, &before)?;
        if done.is_err() && fuse.is_none() {
            return Ok(());
        }
        // What it had promised ends here, and goes over to the one that forgot it.
        let theirs = self.machines[at].promised.take();
        self.machines[at].spoiled = true;
        match (done, theirs) {
            (Ok(()), Some((promised, least))) => {
                let there = self.store.restorable(least..=self.machines[n].password);
                self.all_there(&promised, &there, |id| format!("forgetting lost {id}"))
            }
            _ => Ok(()),
        }
    }

    fn all_there(
        &self,
        wanted: &BTreeSet<EntryId>,
        there: &BTreeSet<EntryId>,
        loss: impl FnOnce(&EntryId) -> Loss,
    ) -> Result<(), Loss> {
        match wanted.iter().find(|id| !there.contains(id) && !self.purged.contains(id)) {
            Some(id) => Err(loss(id)),
            None => Ok(()),
        }
    }

    /// What could be restored before and cannot now is in the vault of the machine that did it.
    fn check_destroyed(&self, n: usize, before: &BTreeSet<EntryId>) -> Result<(), Loss> {
        let mut there = self.store.restorable(0..=u8::MAX);
        there.extend(self.machines[n].live());
        self.all_there(before, &there, |id| format!("{id} was destroyed in the store and is not in the vault"))
    }

    /// After a whole round all that the machine has a key for is in its vault; but an old key deletes nothing for good.
    fn check_whole(&self, n: usize) -> Result<(), Loss> {
        let state = &self.machines[n].open.state;
        let (keys, old) = (record::keys(state, IDENTITY), record::old_keys(state, IDENTITY));
        for (name, versions) in self.store.items.borrow().iter() {
            if let Some((_, plain)) = versions.last()
                && let Plain::Bundle { kid, records, .. } = &**plain
                && keys.contains_key(kid)
                && let Some((id, _)) = records
                    .entries
                    .iter()
                    .find(|(id, entry)| state.get(id).is_none() && !(entry.life == Life::Purged && old.contains(kid)))
            {
                return Err(format!("{id} of {name} was not read by a whole round"));
            }
        }
        Ok(())
    }

    fn check(&self, before: &[BTreeSet<EntryId>]) -> Result<(), Loss> {
        for (machine, before) in self.machines.iter().zip(before) {
            self.all_there(before, &machine.live(), |id| format!("{id} left the device {}", machine.id))?;
            if let Some(name) = self.store.ahead(machine.id).filter(|_| !machine.spoiled) {
                return Err(format!("the head announces {name}, which is not there"));
            }
            if let Some((promised, least)) = &machine.promised {
                let there = self.store.restorable(*least..=machine.latest);
                self.all_there(promised, &there, |id| format!("{id} of {} cannot be restored any more", machine.id))?;
            }
        }
        Ok(())
    }

    /// Stands for the state.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        let of = |state: &State, hash: &mut DefaultHasher| {
            for (id, entry) in &state.entries {
                (id, entry.incarnation, entry.life).hash(hash);
            }
            state.meta.keys().for_each(|name| name.hash(hash));
        };
        for (name, versions) in self.store.items.borrow().iter() {
            name.hash(&mut hash);
            versions.len().hash(&mut hash);
            match versions.last().map(|(_, plain)| &**plain) {
                Some(Plain::Key { slots, .. }) => slots.iter().for_each(|slot| slot.id.hash(&mut hash)),
                Some(Plain::Bundle { kid, records, .. }) => {
                    kid.hash(&mut hash);
                    of(records, &mut hash);
                }
                Some(Plain::Head(head)) => (head.kid, head.epoch, head.accounts, head.digests.len()).hash(&mut hash),
                None => {}
            }
        }
        for machine in &self.machines {
            of(&machine.open.state, &mut hash);
            (machine.password, machine.keys).hash(&mut hash);
            machine.open.slots().iter().for_each(|slot| slot.id.hash(&mut hash));
            machine.promised.hash(&mut hash);
        }
        hash.finish()
    }
}

/// Calls until the machine stops, in one of three rounds.
fn crash(dice: &mut Dice) -> Option<u32> {
    dice.one_in(3).then(|| dice.roll(24) as u32)
}
