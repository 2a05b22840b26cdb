//! The way back in the panel: look for backups in the keychain or a folder, give a key, look at what comes, restore. The
//! same on a machine without a vault, which it makes, and in an open vault, which it joins.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::backup::ago;
use super::input::Input;
use super::path::PathLine;
use crate::backup::restore::Offer;
use crate::otp::Algorithm;
use crate::otp::account::title;
use crate::text::{clean, count};
use crate::time::UnixTime;
use crate::vault::{Entry, Life, State, Value, VaultId, field};

/// A restore.
pub struct Restore {
    /// The step.
    pub step: Step,
    /// The folder that is looked in; the keychain where there is none.
    pub folder: Option<PathBuf>,
    /// What went wrong in the last step.
    pub error: Option<String>,
}

/// The steps.
pub enum Step {
    /// A folder's path is typed.
    Folder(PathLine),
    /// It is being looked.
    Looking {
        /// Since when.
        since: UnixTime,
        /// A key was typed for it.
        with_key: bool,
    },
    /// The vault's password or recovery key is typed.
    Key {
        /// What is typed.
        line: Input,
        /// How many devices back up there.
        devices: usize,
    },
    /// What would come.
    Preview(Box<Preview>),
    /// The vault is being made.
    Making,
}

/// What would come.
pub struct Preview {
    /// The backup, opened.
    pub offer: Offer,
    /// Backups of other vaults that lie there and opened too.
    pub others: VecDeque<Offer>,
    /// The accounts in it, and what happens to each.
    pub lines: Vec<Line>,
    /// The first line in view.
    pub offset: usize,
}

/// An account of a backup.
pub struct Line {
    /// Its name, cleaned for display.
    pub name: String,
    /// What happens to it.
    pub fate: Fate,
}

/// What a restore does to an account: always a join, so what is newer here stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The vault lacks it: it comes.
    New,
    /// It is newer in the backup: what becomes of it here, in words.
    Changes(String),
    /// It was deleted on another device after it was known here: it is deleted here too.
    Goes,
    /// It was deleted here: it stays so.
    StaysDeleted,
    /// It differs and is newer here: it stays as it is.
    Newer,
    /// It is here as it is there.
    Same,
}

impl Restore {
    /// The line in which a folder is named, while it is.
    pub fn folder_line(&mut self) -> Option<&mut PathLine> {
        match &mut self.step {
            Step::Folder(line) => Some(line),
            _ => None,
        }
    }

    /// A restore from a folder that is still to be named.
    pub fn from_folder() -> Self {
        Self { step: Step::Folder(PathLine::folder("")), folder: None, error: None }
    }

    /// A restore from what is being looked for.
    pub const fn looking(folder: Option<PathBuf>, with_key: bool, since: UnixTime) -> Self {
        Self { step: Step::Looking { since, with_key }, folder, error: None }
    }

    /// A restore from what was found: the preview, of the vault that is open before all others, or the question for a key.
    /// None where nothing was.
    pub fn found(folder: Option<PathBuf>, offers: Vec<Offer>, here: Option<(VaultId, &State)>) -> Option<Self> {
        let devices = offers.first()?.devices;
        let mut opened: VecDeque<Offer> = offers.into_iter().filter(|offer| !offer.opened.is_empty()).collect();
        let own = opened.iter().position(|offer| here.is_some_and(|(vault, _)| vault == offer.vault));
        let step = match opened.remove(own.unwrap_or(0)) {
            Some(offer) => Step::Preview(Box::new(Preview::new(offer, opened, here.map(|(_, state)| state)))),
            None => Step::Key { line: Input::default(), devices },
        };
        Some(Self { step, folder, error: None })
    }
}

impl Preview {
    /// Compares a backup with what is here, where there is a vault.
    pub fn new(offer: Offer, others: VecDeque<Offer>, state: Option<&State>) -> Self {
        let records = state.map_or_else(|| offer.records(), |state| offer.records_for(state));
        let joined = state.map(|state| {
            let mut joined = state.clone();
            joined.join(&records);
            joined
        });
        let mut lines: Vec<Line> = (records.entries.values())
            .filter_map(|entry| {
                let here = state.and_then(|state| state.get(&entry.id));
                let fate = fate(here, entry, joined.as_ref().and_then(|joined| joined.get(&entry.id)))?;
                // By the name that it has here, which a tombstone has not.
                let named = here.filter(|here| here.body.is_some()).unwrap_or(entry);
                Some(Line { name: clean(&title(named.issuer(), named.name())).into_owned(), fate })
            })
            .collect();
        lines.sort_by_cached_key(|line| (line.fate.clone(), line.name.to_lowercase()));
        Self { offer, others, lines, offset: 0 }
    }

    /// The same of the backup that lies there next, where there are several.
    #[must_use]
    pub fn next(self, state: Option<&State>) -> Self {
        let Self { offer, mut others, .. } = self;
        others.push_back(offer);
        let next = others.pop_front().expect("one was put there");
        Self::new(next, others, state)
    }

    /// How many accounts meet this fate.
    pub fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        self.lines.iter().filter(|line| wanted(&line.fate)).count()
    }
}

/// What becomes of an entry by a join: as it is here, in the backup, and joined. None where there is nothing to tell.
fn fate(here: Option<&Entry>, there: &Entry, joined: Option<&Entry>) -> Option<Fate> {
    let (Some(here), Some(joined)) = (here, joined) else {
        return (there.life == Life::Live).then_some(Fate::New);
    };
    Some(match (here.life, there.life, joined.life) {
        (Life::Live, _, Life::Live) => match words(here, joined) {
            words if !words.is_empty() => Fate::Changes(words),
            _ if there.life == Life::Live && !words(here, there).is_empty() => Fate::Newer,
            _ => Fate::Same,
        },
        (Life::Live, ..) => Fate::Goes,
        (_, _, Life::Live) => Fate::New,
        (_, Life::Live, _) => Fate::StaysDeleted,
        _ => return None,
    })
}

/// What an entry has become, in words: `issuer GitLab → Forge`.
fn words(old: &Entry, new: &Entry) -> String {
    let mut words = Vec::new();
    if old.is_name_only() && !new.is_name_only() {
        words.push(String::from("its secret comes"));
    }
    let names = [field::ISSUER, field::ACCOUNT, field::ALGORITHM, field::DIGITS, field::PERIOD];
    for name in names {
        let (old, new) = (value(old, name), value(new, name));
        if old != new {
            words.push(format!("{name} {old} → {new}"));
        }
    }
    if old.counter != new.counter {
        words.push(format!("counter {} → {}", old.counter.next, new.counter.next));
    }
    words.join(", ")
}

/// A field as it is shown; what is absent has its default.
fn value(entry: &Entry, name: &str) -> String {
    match entry.body.as_ref().and_then(|body| body.fields.get(name)).map(|register| &register.value) {
        Some(Value::Text(text)) if name == field::ALGORITHM => {
            Algorithm::parse(text).map_or_else(|_| clean(text).into_owned(), |algorithm| algorithm.title().to_owned())
        }
        Some(Value::Text(text)) => clean(text).into_owned(),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::Flag(on)) => on.to_string(),
        None => match name {
            field::ALGORITHM => Algorithm::Sha1.title().to_owned(),
            field::DIGITS => String::from("6"),
            field::PERIOD => String::from("30"),
            _ => String::from("(none)"),
        },
    }
}

/// What a backup holds and from whom, in a sentence's part: `42 accounts from ada-laptop, 12 min ago`. What is not opened
/// tells only how many devices wrote it.
pub fn describe(offer: &Offer, now: UnixTime) -> String {
    let devices: Vec<_> = offer.opened.iter().flat_map(|part| &part.devices).collect();
    let newest = devices.iter().max_by_key(|device| device.time);
    match newest {
        None if offer.opened.is_empty() => format!("sealed, of {}", count(offer.devices, "device")),
        None => count(offer.accounts(), "account"),
        Some(device) => {
            let others = match devices.len() - 1 {
                0 => String::new(),
                n => format!(" and {}", count(n, "other device")),
            };
            let (accounts, name) = (count(offer.accounts(), "account"), clean(&device.label));
            format!("{accounts} from {name}{others}, {}", ago(device.time, now))
        }
    }
}
