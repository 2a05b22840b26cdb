//! The backups of an open vault: what is known of them, when the next round is due, and what the panel says of it.

pub mod page;

use std::collections::VecDeque;
use std::path::PathBuf;

use super::notice::Tone;
use super::path::PathLine;
use crate::backup::here::Verified;
use crate::backup::place::Store;
use crate::backup::round::Device;
use crate::backup::standing::{Standing, Status};
use crate::text::{clean, count};
use crate::time::UnixTime;
use crate::vault::DeviceId;
use crate::vault::envelope::Unlocked;

/// Seconds after the opening until the first round: the first frames go first.
const FIRST_SECS: u64 = 1;
/// Seconds after a save until its round, so that a burst of edits is one.
const AFTER_SAVE_SECS: u64 = 2;
/// Seconds from the word that another device wrote until a look at it, so that several words are one look.
const GATHER_SECS: u64 = 1;
/// The fewest seconds between two rounds.
const APART_SECS: u64 = 5;
/// A round that ended so few seconds ago need not be made again for whoever comes back to the panel.
const FRESH_SECS: u64 = 10;
/// Seconds between two looks at what other devices wrote.
const LOOK_SECS: u64 = 300;
/// Seconds between two rounds that read every item.
const WHOLE_SECS: u64 = 24 * 3600;
/// Seconds until a failed round is tried again; doubled with each failure, up to [`LOOK_SECS`] times two, but not where a place is
/// away.
const RETRY_SECS: u64 = 60;

/// Something to do with the backups of the open vault. All are done one after another on one thread.
pub enum Task {
    /// A round to every place that is on; whether it reads every item.
    Round {
        /// It does.
        whole: bool,
    },
    /// A round that the user asked for: the keychain may show its dialog.
    Now,
    /// Open every item and look whether all can be restored.
    Verify,
    /// Turn it on, and keep it in this folder too.
    Enable(Option<PathBuf>),
    /// Turn it off, and perhaps delete what this device has stored.
    Disable {
        /// Delete it.
        wipe: bool,
    },
    /// Delete what another device has stored, once all of it is here.
    Forget(DeviceId),
    /// Look how it stands, since the settings changed.
    Look,
}

impl Task {
    /// Why something moves, for whoever asked for it; none for what is done in the background.
    const fn words(&self) -> Option<&'static str> {
        match self {
            Self::Round { .. } | Self::Look => None,
            Self::Now => Some("backing up…"),
            Self::Verify => Some("reading every item…"),
            Self::Enable(_) => Some("turning it on…"),
            Self::Disable { .. } => Some("turning it off…"),
            Self::Forget(_) => Some("forgetting…"),
        }
    }
}

/// What came of a [`Task`].
#[derive(Default)]
pub struct News {
    /// How every destination stands, the identity in force first, then the best; empty where nothing could be said.
    pub standing: Vec<Status>,
    /// The devices that back up there, where they were looked at.
    pub devices: Option<Vec<Seen>>,
    /// The vault as a round saved it, with what other devices had stored.
    pub vault: Option<Box<Unlocked>>,
    /// What is to be said.
    pub said: Option<(Tone, String)>,
    /// Something that should have been done was not: it is tried again.
    pub failed: bool,
    /// That was only since a place cannot be asked now, being locked or gone.
    pub away: bool,
    /// What a look at every item found, for each destination by its name.
    pub verified: Vec<(&'static str, Verified)>,
}

/// A device in one of the places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The device.
    pub device: Device,
    /// `keychain` or `folder`.
    pub store: &'static str,
    /// Whose accounts it keeps there: `personal` or `managed/NAME`.
    pub identity: String,
    /// It is this one.
    pub this: bool,
}

/// What the panel knows of the backups of the open vault.
#[derive(Default)]
pub struct Backup {
    /// How every destination stands; empty until the first answer.
    pub standing: Vec<Status>,
    /// The devices that back up there.
    pub devices: Vec<Seen>,
    /// Tasks that were not answered yet, in their order.
    running: VecDeque<Sent>,
    /// Something was saved that no round knows yet.
    pub stale: bool,
    /// What the last look at every item found.
    pub verified: Vec<(&'static str, Verified)>,
    /// Accounts that the last look at every item did not find there, until a round that reads everything was good.
    lacking: usize,
    /// When the next round is due.
    due: Option<UnixTime>,
    /// When a round reads every item again.
    whole: UnixTime,
    /// When the last task ended.
    ended: UnixTime,
    /// Rounds that failed, one after another.
    failures: u32,
    /// Another device wrote while a task was under way, which may have looked there before.
    look_again: bool,
}

/// A task that was sent off.
struct Sent {
    /// What the user waits for; nothing where nobody asked.
    words: Option<&'static str>,
    /// It is a round; whether it reads every item.
    round: Option<bool>,
}

/// The backup screen.
#[derive(Default)]
pub struct View {
    /// The selected device.
    pub selected: usize,
    /// The line that the page was scrolled to.
    pub top: usize,
    /// A question over it.
    pub ask: Option<Ask>,
}

/// What is asked on the backup screen.
pub enum Ask {
    /// Turn it off: keep or delete what is stored?
    Off,
    /// Delete what this device stored?
    Forget(Seen),
    /// Which folder? With what is wrong with the answer.
    Folder(PathLine, Option<String>),
}

/// How the backup stands, for the header: the same in many words and in few.
pub struct Headline {
    /// How it is meant.
    pub tone: Tone,
    /// In a sentence.
    pub long: String,
    /// For narrow screens.
    pub short: String,
}

impl Backup {
    /// The vault was opened now: a round is due soon.
    pub fn begin(&mut self, now: UnixTime) {
        self.due = Some(now.plus_secs(FIRST_SECS));
        self.whole = now;
    }

    /// The vault has new keys: what runs under the old ones is waited for no more, and everything is read again.
    pub fn begin_anew(&mut self, now: UnixTime) {
        self.running.clear();
        self.whole = now;
        self.saved(now);
    }

    /// The vault was saved: a round is due soon, but not right after the last.
    pub fn saved(&mut self, now: UnixTime) {
        self.stale = true;
        self.hurry(now.plus_secs(AFTER_SAVE_SECS).max(self.ended.plus_secs(APART_SECS)));
    }

    /// There may be something new of another device: a round is due soon, but not right after the last.
    pub fn look_soon(&mut self, now: UnixTime) {
        if self.running.is_empty() {
            self.hurry(now.plus_secs(GATHER_SECS).max(self.ended.plus_secs(APART_SECS)));
        } else {
            self.look_again = true;
        }
    }

    /// Whether something ended or is under way that tells how it stands now.
    pub fn is_fresh(&self, now: UnixTime) -> bool {
        !self.running.is_empty() || now.secs_since(self.ended) < FRESH_SECS
    }

    /// The wall clock was set back by so many milliseconds.
    pub fn clock_went_back(&mut self, by: u64) {
        for time in self.due.iter_mut().chain([&mut self.whole, &mut self.ended]) {
            time.0 = time.0.saturating_sub(by);
        }
    }

    fn hurry(&mut self, at: UnixTime) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// The round that is due now, if one is.
    pub fn due(&self, now: UnixTime) -> Option<Task> {
        self.next().filter(|due| *due <= now).map(|_| Task::Round { whole: self.whole <= now })
    }

    /// When the next round is due; none while something runs.
    pub fn next(&self) -> Option<UnixTime> {
        self.due.filter(|_| self.running.is_empty())
    }

    /// A task was sent off.
    pub fn sent(&mut self, task: &Task) {
        let words = task.words();
        if words.is_some() {
            self.verified.clear();
        }
        let round = match task {
            Task::Round { whole } => Some(*whole),
            Task::Now | Task::Enable(_) => Some(true),
            Task::Verify | Task::Disable { .. } | Task::Forget(_) | Task::Look => None,
        };
        if round.is_some() {
            (self.due, self.stale) = (None, false);
        }
        self.running.push_back(Sent { words, round });
    }

    /// What the user waits for.
    pub fn doing(&self) -> Option<&'static str> {
        self.running.iter().find_map(|sent| sent.words)
    }

    /// A task was answered. The vault and what is to be said are the caller's.
    pub fn answered(&mut self, news: &mut News, now: UnixTime) {
        let round = self.running.pop_front().and_then(|sent| sent.round);
        self.ended = now;
        if !news.standing.is_empty() {
            self.standing = std::mem::take(&mut news.standing);
        }
        if !news.verified.is_empty() {
            self.lacking = news.verified.iter().map(|(_, found)| found.lacking).sum();
            self.verified = std::mem::take(&mut news.verified);
        }
        if let Some(devices) = news.devices.take() {
            self.devices = devices;
        }
        if news.failed {
            self.stale = true;
            // Nobody says that a place is back, and looking whether it is costs next to nothing.
            self.failures = if news.away { 1 } else { self.failures + 1 };
            let pause = RETRY_SECS << (self.failures - 1).min(4);
            self.hurry(now.plus_secs(pause.min(2 * LOOK_SECS)));
        } else if let Some(whole) = round {
            self.failures = 0;
            if whole {
                self.lacking = 0;
                self.whole = now.plus_secs(WHOLE_SECS);
            }
            self.hurry(now.plus_secs(LOOK_SECS));
        }
        if std::mem::take(&mut self.look_again) {
            self.hurry(now.plus_secs(APART_SECS));
        }
    }

    /// How it stands with so many accounts in the vault. The header speaks of the destination that is worst: one that was good
    /// and is not any more, else one that holds the only copy of what waits; else of all that are good, one for each identity.
    pub fn headline(&self, live: usize, now: UnixTime) -> Option<Headline> {
        let keeps = |status: &&Status| status.last.is_some() || status.pending > 0;
        let status = (self.standing.iter())
            .find(|status| status.to.on && status.last.is_some() && status.standing != Standing::On)
            .or_else(|| {
                self.standing
                    .iter()
                    .find(|status| status.to.on && status.pending > 0 && self.keeping(status).next().is_none())
            })
            .or_else(|| self.standing.iter().find(keeps))
            .or_else(|| self.standing.first())?;
        // What it waits for first is under way, or will be at once.
        let busy = self.stale || self.running.iter().any(|sent| sent.round.is_some());
        let (tone, long, short) = match (status.standing, status.last, status.pending) {
            (Standing::On, ..) if self.stale => {
                (Tone::Info, String::from("backing up a change"), String::from("backing up"))
            }
            (Standing::Waiting, None, _) if busy && live > 0 && status.begins() => {
                (Tone::Info, String::from("backing up"), String::from("backing up"))
            }
            (Standing::On, ..) if self.lacking > 0 => {
                let what = count(self.lacking, "account");
                (Tone::Warn, format!("{what} lacking · {}", self.reach(status)), format!("{} lacking", self.lacking))
            }
            (Standing::On, ..) => {
                let (accounts, last) = self.good();
                let ago = last.map_or_else(String::new, |last| ago(last, now));
                (Tone::Good, format!("{accounts} backed up {ago} · {}", self.reach(status)), ago)
            }
            (Standing::Waiting, None, 0) => (Tone::Info, status.brief.to_owned(), String::from("no accounts")),
            // All of it is there; whether it stays so cannot be looked at now.
            (Standing::Waiting | Standing::Unavailable, Some(last), 0) => {
                let ago = ago(last, now);
                (Tone::Warn, format!("{} backed up {ago} · {}", status.accounts, status.brief), ago)
            }
            (Standing::Unavailable, None, _) => {
                (Tone::Warn, format!("not backed up: {}", status.brief), String::from("no backup"))
            }
            (Standing::Waiting | Standing::Unavailable, _, n) => {
                (Tone::Warn, format!("{n} waiting: {}", status.brief), format!("{n} waiting"))
            }
            (Standing::Off, ..) => (Tone::Info, String::from("backup off"), String::from("backup off")),
        };
        Some(Headline { tone, long, short })
    }

    /// The places that keep all accounts of the same identity, this one among them where it does.
    pub fn keeping(&self, status: &Status) -> impl Iterator<Item = &Status> {
        self.standing
            .iter()
            .filter(move |other| other.to.identity == status.to.identity && other.standing == Standing::On)
    }

    /// The accounts of all identities whose backup is good, and when the oldest of these backups was.
    fn good(&self) -> (usize, Option<UnixTime>) {
        let first = |identity: &str| self.standing.iter().find(|other| other.to.identity == identity);
        let good = self.standing.iter().filter(|status| {
            status.standing == Standing::On && first(&status.to.identity).is_some_and(|first| first.to == status.to)
        });
        good.fold((0, None), |(accounts, last), status| {
            (
                accounts + status.accounts,
                last.map_or(status.last, |last: UnixTime| status.last.map(|time| time.min(last))),
            )
        })
    }

    /// How far what lies in this place reaches, with what keeps the same accounts beside it, in a word or two.
    fn reach(&self, status: &Status) -> &'static str {
        let keeps = |keychain| self.keeping(status).any(|place| place.to.store.is_keychain() == keychain);
        match (keeps(true), keeps(false)) {
            (true, true) => "this computer, folder",
            (true, false) => "this computer",
            (false, _) => "folder",
        }
    }
}

/// How long ago, in a word that changes once a minute at most: nothing on the screen moves but the countdown.
pub fn ago(then: UnixTime, now: UnixTime) -> String {
    match now.secs_since(then) {
        0..60 => String::from("just now"),
        secs @ 60..3_600 => format!("{} min ago", secs / 60),
        secs @ 3_600..172_800 => format!("{} h ago", secs / 3_600),
        secs => format!("{} days ago", secs / 86_400),
    }
}

/// The place of a destination, for people.
pub fn place(store: &Store) -> String {
    match store {
        Store::Keychain { keyring: None } => String::from("this session's keychain"),
        Store::Keychain { keyring: Some(label) } => format!("the keyring {} of this session", clean(label)),
        Store::Folder(path) => clean(&path.display().to_string()).into_owned(),
    }
}
