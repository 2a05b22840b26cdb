//! Rounds of an open vault's backup: where they go, one of them, and those that every command that saved ends with.

use super::Session;
use crate::backup::here::{BackupError, Here, InFile};
use crate::backup::ledger::Ledger;
use crate::backup::place::{self, Destination, Store};
use crate::backup::round::{Backed, Known};
use crate::backup::standing::{self, cause};
use crate::cli::output::say;
use crate::cli::prompt;
use crate::cli::recover::shown;
use crate::keychain::{Keychain, Probe};
use crate::text::{clean, count};

impl Session {
    /// What this machine remembers of the backups.
    pub fn ledger(&self) -> Ledger {
        Ledger::load(&self.place.state_dir, self.unlocked.vault_id())
    }

    /// Where its backups may go.
    pub fn destinations(&self) -> Vec<Destination> {
        place::destinations(&self.ledger(), self.backup, &self.policy)
    }

    /// Where backups are wanted of what is in it.
    pub fn wanted(&self) -> Vec<Destination> {
        standing::wanted(&self.unlocked.state, &self.ledger(), self.backup, &self.policy)
    }

    /// One round to a destination; the accounts that it holds then. The words of a failure are kept for `backup status`.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn round(&mut self, to: &Destination, keychain: &dyn Keychain) -> Result<Backed, BackupError> {
        let here = Here::new(&self.place);
        let known = self.ledger().done.get(&to.id()).map(|done| done.went_back.clone()).unwrap_or_default();
        let mut vault = InFile { place: &self.place, unlocked: &mut self.unlocked, device: here.device };
        let backed = here.back_up(to, keychain, &mut vault, &mut Known::default(), true)?;
        // The device's own is mended by now and is told at this moment only; others' stand in `backup status` as well.
        if let Some(words) = standing::went_back(backed.went_back.iter().map(|head| head.label.as_str()))
            && (known.is_empty() || backed.went_back.iter().any(|head| head.device == here.device))
        {
            say(&format!("otpanel: {}: {words}", to.store_name()));
        }
        Ok(backed)
    }

    /// What every command that saved does last. It never fails the command and never prompts; what it has to say is said once.
    pub(super) fn back_up_last(&mut self) {
        self.unseen = false;
        for to in &self.wanted() {
            let keychain = to.open(false);
            let [without, failing] = Ledger::topics(&to.id());
            let (topic, words) = match keychain.probe() {
                Probe::Ready => match self.round(to, &*keychain) {
                    Ok(backed) => (format!("on {}", to.id()), notice(to, backed.accounts)),
                    Err(error) => (failing, not_done(&cause(&error))),
                },
                other => (without, not_done(&other.describe())),
            };
            if Ledger::is_news(&self.place.state_dir, self.unlocked.vault_id(), &topic) {
                say(&words);
            }
        }
    }

    /// What a new key of the vault does last: all that is on is sealed anew, and what cannot be is said each time.
    pub fn back_up_anew(&mut self) {
        self.unseen = false;
        for to in &self.wanted() {
            let keychain = to.open(prompt::can_type_secrets());
            let why = match keychain.probe() {
                Probe::Ready | Probe::Locked => self.round(to, &*keychain).err().map(|error| cause(&error)),
                other => Some(other.describe()),
            };
            say(&match why {
                None => format!("Its backup in the {} is sealed under a new key.", to.store_name()),
                Some(why) => format!(
                    "otpanel: its backup in the {} is still under the old key: {} `otpanel backup now` tries again.",
                    to.store_name(),
                    clean(&why)
                ),
            });
        }
        if !self.wanted().is_empty() {
            say(
                "Other computers' copies in it stay until they open the vault; forget those that are lost: `otpanel backup devices`.",
            );
        }
    }
}

fn not_done(why: &str) -> String {
    format!("otpanel: not backed up: {} (said once; see `otpanel backup`)", clean(why))
}

/// The one-time notice: what is stored, where, how far it reaches, and how to turn it off.
fn notice(to: &Destination, accounts: usize) -> String {
    let (place, who) = match &to.store {
        Store::Keychain { keyring: None } => (String::from("this session's keychain"), "your login opens"),
        Store::Keychain { keyring: Some(label) } => {
            (format!("the keyring {} of this session", clean(label)), "whoever may unlock that keyring opens")
        }
        Store::Folder(path) => (shown(path), "your password or recovery key opens"),
    };
    format!(
        "otpanel: backed up {} to {place}, sealed: secrets, names and code settings, nothing else. \
         What {who} there reaches {}. `otpanel backup disable` turns it off. (said once)",
        count(accounts, "account"),
        clean(&to.reach())
    )
}
