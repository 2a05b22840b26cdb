//! The backup carried out: rounds, looks and restores, one plain function for each. They run on one thread, since keychains
//! may block for as long as their time limit.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ear::Ear;
use crate::app::backup::{News, Seen, Task, place as shown};
use crate::app::event::Event;
use crate::app::model::Tone;
use crate::backup::here::{BackupError, Here, InFile};
use crate::backup::ledger::Ledger;
use crate::backup::place::{self, Destination, Replaced, Store};
use crate::backup::restore::{self, Offer, Way};
use crate::backup::round::{Backed, Device, Known};
use crate::backup::standing;
use crate::config::Config;
use crate::keychain::{Keychain, KeychainError, Probe, system};
use crate::paths::{from_home, real};
use crate::policy::Policy;
use crate::report;
use crate::secret::Secret;
use crate::text::{clean, count};
use crate::unlock;
use crate::vault::envelope::Unlocked;
use crate::vault::file::Place;
use crate::vault::{DeviceId, SlotKind, VaultId};

/// How long leaving waits for the last round.
pub const LAST_ROUND: Duration = Duration::from_secs(5);

/// What stays between rounds.
#[derive(Clone)]
pub struct Memory {
    /// What earlier rounds read, so that what did not change is not read again.
    known: Arc<Mutex<BTreeMap<String, Known>>>,
    /// Hears what other devices write meanwhile.
    ear: Ear,
}

impl Memory {
    /// An empty one; what other devices write is told by this, which says `false` when nobody wants to know any more.
    pub fn new(tell: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { known: Arc::default(), ear: Ear::new(tell) }
    }
}

/// The surroundings of a task.
pub struct Surroundings {
    /// The vault's file and the folder of local state.
    pub place: Place,
    /// The settings in force.
    pub config: Arc<Config>,
    /// What an organisation set.
    pub policy: Arc<Policy>,
    /// What stays between rounds.
    pub memory: Memory,
}

/// One task on an open vault, and its news.
struct Work<'a> {
    world: &'a Surroundings,
    vault: Box<Unlocked>,
    news: News,
}

/// How the backups of a vault that was just opened stood last, without asking any place.
pub fn stood(place: &Place, config: &Config, policy: &Policy, vault: &Unlocked) -> Vec<standing::Status> {
    let ledger = Ledger::load(&place.state_dir, vault.vault_id());
    standing::remembered(vault, &ledger, config.backup.enabled, policy)
}

/// Carries a task out.
pub fn task(world: &Surroundings, generation: u64, vault: Box<Unlocked>, task: Task) -> Event {
    // A fault of ours is told like one of the store: whoever waits for the answer must not wait for ever.
    let news = catch_unwind(AssertUnwindSafe(|| carried_out(world, vault, task))).unwrap_or_else(|_| News {
        said: Some((Tone::Error, String::from("not backed up: a mistake in otpanel itself"))),
        failed: true,
        ..News::default()
    });
    Event::BackedUp(generation, Box::new(news))
}

fn carried_out(world: &Surroundings, vault: Box<Unlocked>, task: Task) -> News {
    let mut work = Work { world, vault, news: News::default() };
    match task {
        Task::Round { whole } => work.rounds(whole, false),
        Task::Now => work.rounds(true, true),
        Task::Verify => work.verify(),
        Task::Enable(folder) => work.enable(folder.as_deref()),
        Task::Disable { wipe } => work.disable(wipe),
        Task::Forget(device) => work.forget(device),
        Task::Look => {}
    }
    work.news.standing = standing::all(&work.vault, &work.ledger(), world.config.backup.enabled, &world.policy);
    work.news
}

impl Work<'_> {
    fn id(&self) -> VaultId {
        self.vault.vault_id()
    }

    fn ledger(&self) -> Ledger {
        Ledger::load(&self.world.place.state_dir, self.id())
    }

    fn remember(&self, change: impl FnOnce(&mut Ledger)) -> Result<(), BackupError> {
        Ok(Ledger::change(&self.world.place.state_dir, self.id(), change)?)
    }

    fn wanted(&self) -> Vec<Destination> {
        standing::wanted(&self.vault.state, &self.ledger(), self.world.config.backup.enabled, &self.world.policy)
    }

    fn say(&mut self, tone: Tone, text: String) {
        self.news.said = Some((tone, text));
    }

    fn failed(&mut self, what: &str, error: &BackupError) {
        self.say(Tone::Error, format!("{what}: {}", clean(&standing::cause(error))));
    }

    /// A round to every place that is on. One that nobody asked for leaves a keychain alone that is not unlocked.
    fn rounds(&mut self, whole: bool, asked: bool) {
        let mut told = Vec::new();
        let mut devices = Vec::new();
        let mut unusable = None;
        for to in self.wanted() {
            let keychain = to.open(asked);
            let probe = keychain.probe();
            if probe != Probe::Ready && !(asked && probe == Probe::Locked) {
                // How it stands says why; a place that never could be had is not tried again and again.
                self.news.away |= self.ledger().done.contains_key(&to.id());
                unusable = Some(standing::brief(&to.store, &probe));
                continue;
            }
            if to.store.is_keychain() {
                // Before the round: what is written after it has looked is told.
                self.world.memory.ear.open(self.id(), Here::new(&self.world.place).device);
            }
            match self.round(&to, &*keychain, whole) {
                Ok(backed) => {
                    if let Some(words) = self.back_words(&to, &backed) {
                        self.news.said = Some((Tone::Warn, words));
                    }
                    let own = Here::new(&self.world.place).device;
                    if let Store::Folder(folder) = &to.store {
                        self.world.memory.ear.watch(folder, &to.identity, self.id(), own);
                    }
                    let seen = |device: Device| Seen {
                        this: device.id == own,
                        store: to.store_name(),
                        identity: to.identity.clone(),
                        device,
                    };
                    devices.extend(backed.devices.into_iter().map(seen));
                    told.push((to, backed.accounts));
                }
                Err(error) => {
                    self.news.failed = true;
                    if asked {
                        self.failed("not backed up", &error);
                    }
                }
            }
        }
        (self.news.failed, self.news.away) = (self.news.failed || self.news.away, self.news.away && !self.news.failed);
        if !told.is_empty() {
            self.news.devices = Some(devices);
            self.news.vault = Some(Box::new(self.vault.duplicate()));
        }
        if asked {
            if let ([(_, n), ..], None) = (told.as_slice(), &self.news.said) {
                let places: Vec<String> = told.iter().map(|(to, _)| shown(&to.store)).collect();
                let text = format!("backed up: {}, in {}", count(*n, "account"), places.join(" and "));
                self.say(Tone::Good, text);
            }
            // The screen says it in full.
            if let (true, None, Some(why)) = (told.is_empty(), &self.news.said, unusable) {
                self.say(Tone::Warn, format!("not backed up: {why}"));
            }
        } else if self.news.said.is_none() {
            self.tell_once(&told);
        }
    }

    /// What is to be said of heads that went back: once for each time.
    fn back_words(&self, to: &Destination, backed: &Backed) -> Option<String> {
        let labels: Vec<&str> = backed.went_back.iter().map(|head| head.label.as_str()).collect();
        let stamps: Vec<String> =
            backed.went_back.iter().map(|h| format!("{} {} {}", h.device, h.from, h.to)).collect();
        let words = standing::went_back(labels)?;
        let topic = format!("back {} {}", to.id(), stamps.join(" "));
        Ledger::is_news(&self.world.place.state_dir, self.id(), &topic).then_some(words)
    }

    fn round(&mut self, to: &Destination, keychain: &dyn Keychain, whole: bool) -> Result<Backed, BackupError> {
        let world = self.world;
        let mut memory = world.memory.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = memory.entry(format!("{} {}", self.id(), to.id())).or_default();
        let here = Here::new(&world.place);
        let mut vault = InFile { place: &world.place, unlocked: &mut self.vault, device: here.device };
        here.back_up(to, keychain, &mut vault, known, whole)
    }

    /// What is stored, where, and how to see more: once for each place.
    fn tell_once(&mut self, done: &[(Destination, usize)]) {
        for (to, n) in done {
            let topic = format!("on {}", to.id());
            if !Ledger::is_news(&self.world.place.state_dir, self.id(), &topic) {
                continue;
            }
            let place = match &to.store {
                Store::Keychain { keyring: None } => String::from("this computer's keychain"),
                Store::Keychain { keyring: Some(label) } => format!("this computer's keyring {}", clean(label)),
                Store::Folder(_) => String::from("the folder"),
            };
            self.say(Tone::Info, format!("backed up: {}, sealed, in {place}; b says more", count(*n, "account")));
        }
    }

    fn verify(&mut self) {
        let mut bad = None;
        for to in self.wanted() {
            let keychain = to.open(true);
            // One that never could be had holds nothing to look at.
            let usable = matches!(keychain.probe(), Probe::Ready | Probe::Locked);
            if !usable && !self.ledger().done.contains_key(&to.id()) {
                continue;
            }
            match Here::new(&self.world.place).verify(&to, &*keychain, &self.vault) {
                Ok(verified) => self.news.verified.push((to.store_name(), verified)),
                Err(error) => bad = Some(error),
            }
        }
        match bad {
            Some(error) => self.failed("not verified", &error),
            None if self.news.verified.is_empty() => {
                self.say(Tone::Warn, String::from("there is no backup to verify yet"));
            }
            None => {}
        }
    }

    fn enable(&mut self, folder: Option<&Path>) {
        let folder = match folder.map(made).transpose() {
            Ok(folder) => folder,
            Err(why) => return self.say(Tone::Error, why),
        };
        let mut before = Replaced::default();
        if let Err(error) = self.remember(|ledger| before = place::enable(ledger, folder.as_deref())) {
            return self.failed("not turned on", &error);
        }
        self.rounds(true, true);
        // What was said of the failure stands; that the folder of before is in force again shows in the list.
        let _ = self.remember(|ledger| {
            place::take_back_failed(ledger, before);
        });
    }

    fn disable(&mut self, wipe: bool) {
        let all = place::destinations(&self.ledger(), self.world.config.backup.enabled, &self.world.policy);
        if let Err(error) = self.remember(|ledger| ledger.off = true) {
            return self.failed("not turned off", &error);
        }
        self.say(Tone::Good, String::from("the backup is off; what was stored stays"));
        if !wipe {
            return;
        }
        let wiped = Here::new(&self.world.place).wipe_all(&all, true, self.id());
        match wiped.into_iter().find_map(|(_, wiped)| wiped.err()) {
            Some(error) => self.failed("the backup is off, but not all of it could be deleted", &error),
            None => {
                self.news.devices = Some(Vec::new());
                self.say(Tone::Good, String::from("the backup is off, and what this device had stored is deleted"));
            }
        }
    }

    fn forget(&mut self, device: DeviceId) {
        let mut result = Ok(());
        for to in self.wanted() {
            let keychain = to.open(true);
            let place = &self.world.place;
            let here = Here::new(place);
            let mut vault = InFile { place, unlocked: &mut self.vault, device: here.device };
            result = result.and(here.forget(&to, &*keychain, &mut vault, device));
        }
        match result {
            Ok(()) => {
                self.rounds(true, true);
                self.say(Tone::Good, String::from("forgotten; if that device is still in use, it writes itself back"));
            }
            Err(error) => self.failed("not forgotten", &error),
        }
    }
}

/// A folder that is there, or can be made, by its whole path.
fn made(path: &Path) -> Result<PathBuf, String> {
    let path = from_home(path);
    let failed =
        |error| format!("the folder {} cannot be used: {}", clean(&path.display().to_string()), report::system(&error));
    place::folder(&path).map_err(failed)
}

/// Looks for backups and opens those that this key opens.
pub fn find(
    policy: &Policy,
    attempt: u64,
    folder: Option<PathBuf>,
    key: Option<&Secret<String>>,
    may_prompt: bool,
) -> Event {
    let folder = match folder.map(|path| real(&from_home(&path))).transpose() {
        Ok(folder) => folder,
        Err(error) => {
            let why = format!("this folder cannot be read: {}", report::system(&error));
            return Event::BackupsFound(attempt, Err(why));
        }
    };
    let from = restore::sources(policy, folder.as_deref());
    let way = key.map_or(Way::Alone, Way::typed);
    let found = restore::look(&from, may_prompt, &way);
    Event::BackupsFound(attempt, found.map_err(|error| words(&error)))
}

fn words(error: &KeychainError) -> String {
    match error {
        KeychainError::Unavailable(probe) => probe.describe(),
        KeychainError::Locked => Probe::Locked.describe(),
        other => format!("{other}."),
    }
}

/// Makes a vault anew from its backup. Where the vault opened by a keychain before, or by no password, this one opens it
/// too.
pub fn make_again(place: &Place, offer: &Offer, folder: Option<PathBuf>) -> Event {
    let Here { device, now, .. } = Here::new(place);
    let Some(vault) = offer.vault_again(now, device) else {
        return Event::MadeAgain(Err(unlock::UnlockError::NotInKeychain));
    };
    let stamp = vault.state.next_stamp(now, device);
    let has = |kind| vault.slots().iter().any(|slot| slot.kind() == kind);
    let keychain = system::asking();
    let wanted = has(SlotKind::Keychain) || !has(SlotKind::Password);
    let with = (wanted && keychain.probe() == Probe::Ready).then_some(&keychain as &dyn Keychain);
    let made = unlock::settle(place, vault, None, with, stamp);
    if let (Ok(vault), Some(folder)) = (&made, folder) {
        let folder = real(&from_home(&folder)).unwrap_or(folder);
        let kept = Ledger::change(&place.state_dir, vault.vault_id(), |ledger| ledger.folder = Some(folder));
        if let Err(error) = kept {
            tracing::warn!(%error, "the folder is not remembered");
        }
    }
    Event::MadeAgain(made.map(Box::new))
}
