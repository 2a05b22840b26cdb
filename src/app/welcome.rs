//! The first start: how the vault should open, the recovery key and its check. Nothing is written before the choice.

use super::input::Input;
use super::recovery::Sheet;
use super::restore::Restore;
use crate::backup::restore::Offer;
use crate::keychain::Probe;
use crate::report::Report;
use crate::unlock::Mode;
use crate::vault::envelope::Unlocked;

/// Where a new user is.
pub struct Welcome {
    /// The step.
    pub step: Step,
    /// What the keychain says; none until it answered.
    pub keychain: Option<Probe>,
    /// What to do once the vault is there.
    pub then_import: bool,
    /// What went wrong.
    pub error: Option<Report>,
    /// Backups that lie in the keychain.
    pub found: Vec<Offer>,
}

/// The steps.
pub enum Step {
    /// What to do first; the selected line.
    Start(usize),
    /// How the vault should open; the selected line.
    Unlock(usize),
    /// The password, twice.
    Password {
        /// With the keychain as well.
        mode: Mode,
        /// The first line.
        first: Input,
        /// The second.
        second: Input,
        /// Whether the second is typed into.
        repeat: bool,
        /// What is wrong with them.
        problem: Option<&'static str>,
    },
    /// A restore from a backup.
    Restore(Box<Restore>),
    /// The vault is being made.
    Making,
    /// The recovery key is shown and checked.
    Recovery {
        /// The vault, open already.
        vault: Box<Unlocked>,
        /// The key.
        sheet: Sheet,
    },
}

/// The lines of the first screen but the restore's: key, words.
const STARTS: [(char, &str); 3] =
    [('n', "Start a new vault"), ('i', "Start from another app's export"), ('d', "Look around with sample accounts")];

/// The ways in which a vault opens, best first.
pub const MODES: [(Mode, &str, &str); 3] = [
    (Mode::Both, "Keychain and password", "no typing here; the password opens it anywhere"),
    (Mode::Keychain, "Keychain alone", "no typing; keep the recovery key"),
    (Mode::Password, "Password alone", "typed at every start and after each lock"),
];

impl Welcome {
    /// The first screen.
    pub fn new() -> Self {
        Self { step: Step::Start(0), keychain: None, then_import: false, error: None, found: Vec::new() }
    }

    /// The lines of the first screen: key, words. A backup that was found goes first.
    pub fn starts(&self) -> Vec<(char, &'static str)> {
        let mut lines = STARTS.to_vec();
        match (self.found.is_empty(), &self.keychain) {
            (false, _) => lines.insert(0, ('r', "Restore it")),
            (true, Some(Probe::Locked)) => lines.insert(2, ('r', "Unlock the keychain and look for a backup")),
            (true, _) => lines.insert(2, ('r', "Restore a backup from a folder")),
        }
        lines
    }

    /// Takes in the backups that lie in the keychain. What the user has selected stays selected, unless nothing was yet.
    pub fn found(&mut self, offers: Vec<Offer>) {
        self.found = offers;
        if let Step::Start(selected) = &mut self.step
            && *selected > 0
            && !self.found.is_empty()
        {
            // The lines behind the first come one later, but the restore's own does not.
            *selected = [0, 2, 0, 3][(*selected).min(3)];
        }
    }

    /// Whether a way can be chosen: the keychain's need a keychain that answers.
    pub fn offers(&self, mode: Mode) -> bool {
        mode == Mode::Password || matches!(self.keychain, Some(Probe::Ready | Probe::Locked))
    }

    /// The best way that can be chosen, by its place among [`MODES`].
    pub fn best(&self) -> usize {
        MODES.iter().position(|(mode, ..)| self.offers(*mode)).unwrap_or(MODES.len() - 1)
    }
}

impl Default for Welcome {
    fn default() -> Self {
        Self::new()
    }
}
