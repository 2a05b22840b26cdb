//! The way back in the panel: look for backups in the keychain or a folder, give a key, look at what comes, restore. The
//! same on a machine without a vault, which it makes, and in an open vault, which it joins.

use std::path::PathBuf;

use super::backup::ago;
use super::input::Input;
use super::path::PathLine;
use crate::backup::restore::Offer;
use crate::otp::account::title;
use crate::text::{clean, count};
use crate::time::UnixTime;
use crate::vault::State;

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
    /// The accounts in it: name, and whether the vault lacks it.
    pub lines: Vec<(String, bool)>,
    /// The first line in view.
    pub offset: usize,
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

    /// A restore from what was found: the preview, or the question for a key. None where nothing was.
    pub fn found(folder: Option<PathBuf>, offers: Vec<Offer>, state: Option<&State>) -> Option<Self> {
        let devices = offers.first()?.devices;
        let opened = offers.into_iter().find(|offer| !offer.opened.is_empty());
        let step = match opened {
            Some(offer) => Step::Preview(Box::new(Preview::new(offer, state))),
            None => Step::Key { line: Input::default(), devices },
        };
        Some(Self { step, folder, error: None })
    }
}

impl Preview {
    /// Compares a backup with what is here, where there is a vault.
    pub fn new(offer: Offer, state: Option<&State>) -> Self {
        let records = offer.records();
        let mut lines: Vec<(String, bool)> = records
            .live()
            .map(|entry| {
                let lacks = state.is_none_or(|state| state.get(&entry.id).is_none());
                (clean(&title(entry.issuer(), entry.name())).into_owned(), lacks)
            })
            .collect();
        lines.sort_by_cached_key(|(name, lacks)| (!lacks, name.to_lowercase()));
        Self { offer, lines, offset: 0 }
    }

    /// How many accounts the vault lacks.
    pub fn new_ones(&self) -> usize {
        self.lines.iter().filter(|(_, lacks)| *lacks).count()
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
