//! From the command line to an open vault: places, config, and the ways in, tried in a fixed order.
//!
//! 0. The key that is kept for this login session, where the config says so (`unlock: (remember: …)`).
//! 1. A password file (`--password-file`, else `OTPANEL_PASSWORD_FILE`) where the vault has a key that it can open.
//! 2. The keychain, where the vault has a keychain key.
//! 3. Typing, where a terminal is there.
//!
//! Nothing is done before it is needed: a code from the command line must not wait for what it does not use.

mod rounds;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Global;
use super::clock::say_clock_trouble;
use super::failure::Failure;
use super::{files, output, prompt, recover};
use crate::config::Config;
use crate::keychain::system;
use crate::local::Local;
use crate::logging;
use crate::otp::account::title;
use crate::paths::Paths;
use crate::policy::{Found, Policy, organisation};
use crate::report::{self, Exit, Report};
use crate::rollback;
use crate::secret::Secret;
use crate::text::clean;
use crate::time::UnixTime;
use crate::unlock::{self, UnlockError};
use crate::vault::history::Reason;
use crate::vault::{
    DataKey, DeviceId, Entry, EntryId, Error, FileError, Locked, Place, SlotKind, Stamp, State, Unlocked, VaultId,
    recovery,
};

/// The greatest password file that is read, in bytes.
const LONGEST_PASSWORD: u64 = 64 * 1024;

/// The surroundings of one command.
pub struct World {
    /// Options that every command takes.
    pub global: Global,
    /// Where things are.
    pub paths: Paths,
    /// The settings in force: those of the config within the limits of the policy.
    pub config: Config,
    /// What an organisation set on this machine.
    pub policy: Policy,
    /// Why a policy that is there is not obeyed.
    pub ignored: Option<Report>,
    /// The moment of this command, with the offset of the config.
    pub now: UnixTime,
    given: OnceCell<Option<Secret<String>>>,
}

/// An open vault and its place.
pub struct Session {
    /// Where it is saved.
    pub place: Place,
    /// What is in it.
    pub unlocked: Unlocked,
    /// The backup is wanted.
    pub backup: bool,
    /// What an organisation says of it.
    pub policy: Policy,
    /// Something was saved that the backup has not seen.
    pub unseen: bool,
}

impl Drop for Session {
    /// The backup goes last, when the command has answered: it may take its time, and nothing hangs on it.
    fn drop(&mut self) {
        if self.unseen {
            self.back_up_last();
        }
    }
}

impl World {
    /// As [`World::new`], for a command that writes: says loudly where a policy is ignored.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn writing(global: Global) -> Result<Self, Failure> {
        let world = Self::new(global)?;
        world.tell_of_policy();
        Ok(world)
    }

    /// Says loudly where a policy is ignored.
    pub fn tell_of_policy(&self) {
        if let Some(report) = &self.ignored {
            output::say(&format!("otpanel: {}", report.why()));
        }
    }

    /// Finds the places and reads the policy and the config; begins the log where one is wanted.
    ///
    /// # Errors
    /// When no home is known or the config has a mistake.
    pub fn new(global: Global) -> Result<Self, Failure> {
        let world = Self::under(global, &Policy::read())?;
        world.log();
        Ok(world)
    }

    /// Begins the log where the settings want one. A log that cannot be written stops nothing.
    pub fn log(&self) {
        if let Err(error) = logging::start(&self.paths.log_file, self.config.log) {
            output::say(&format!("otpanel: {error}"));
        }
    }

    /// As [`World::new`], under a policy that was read.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn under(global: Global, found: &Found) -> Result<Self, Failure> {
        let policy = found.in_force();
        let paths = places(&global)?;
        Config::must_be_there(&paths.config_file, paths.config_named)?;
        let config = policy.cap(Config::load_for(&paths.config_file, global.profile.as_deref())?);
        let now = shifted(UnixTime::now(), config.clock_offset_secs);
        let ignored = found.trouble.as_ref().map(Report::from);
        Ok(Self { global, paths, config, policy, ignored, now, given: OnceCell::new() })
    }

    /// Where the vault is saved.
    pub fn place(&self) -> Place {
        Place::new(self.paths.vault_file.clone(), self.paths.state_dir.clone())
    }

    /// Reads and opens the vault.
    ///
    /// # Errors
    /// When there is none, or it is no vault, newer or damaged, and when no key opens it.
    pub fn open(&self) -> Result<Session, Failure> {
        let place = self.place();
        let locked = recover::load(&place)?;
        let later = rollback::later_version(&place, &locked);
        let opened = self.open_by_any(later.as_ref().unwrap_or(&locked));
        let (unlocked, words) = opened.map_err(|failure| {
            if later.is_none() && rollback::is_of_before(&place, &locked) {
                output::say(
                    "otpanel: the vault file is one of before its new key or password, and no copy here is later.",
                );
            }
            recover::copies_named(&place, failure)
        })?;
        let mut session =
            Session { place, unlocked, backup: self.config.backup.enabled, policy: self.policy.clone(), unseen: false };
        session.look_back(later.is_some());
        session.empty_trash(self);
        if let Some(words) = words {
            session.strengthen(self, &words);
        }
        Ok(session)
    }

    /// Opens a vault by the first way that is there.
    ///
    /// # Errors
    /// When no way is there, or the one that is there fails.
    pub fn unlock(&self, locked: &Locked) -> Result<Unlocked, Failure> {
        Ok(self.open_by_any(locked)?.0)
    }

    /// As [`World::unlock`], with the password or recovery key where words opened it.
    fn open_by_any(&self, locked: &Locked) -> Result<ByWords, Failure> {
        if let Some(dek) = self.remembered(locked)
            && let Ok(unlocked) = locked.open_with(&dek)
        {
            return Ok((unlocked, None));
        }
        let opened = self.unlock_anew(locked)?;
        self.remember(opened.0.vault_id(), opened.0.data_key());
        Ok(opened)
    }

    /// The key that was kept for this login session. A password file that is named on the command line comes before it.
    pub fn remembered(&self, locked: &Locked) -> Option<DataKey> {
        let asked = self.config.unlock.remember.is_on() && self.global.password_file.is_none();
        if asked { unlock::remembered(locked.vault_id()) } else { None }
    }

    /// Keeps a key for this login session, where the config says so. What cannot be is said, once on this machine.
    pub fn remember(&self, vault: VaultId, dek: &DataKey) {
        if let Some(time) = self.config.unlock.remember.time()
            && let Err(why) = unlock::remember(vault, dek, time)
        {
            let is_news = Local::open(&self.paths.state_dir)
                .is_ok_and(|mut local| local.note_notice(&format!("not remembered: {why}")) && local.save().is_ok());
            if is_news {
                output::say(&format!("otpanel: the key is not remembered: {why}."));
            }
        }
    }

    fn unlock_anew(&self, locked: &Locked) -> Result<ByWords, Failure> {
        let has = |kind: SlotKind| locked.slots().iter().any(|slot| slot.kind() == kind);
        let by_keychain = has(SlotKind::Keychain);
        if let Some(words) = self.given_password()?
            && (has(SlotKind::Password) || !by_keychain || is_recovery_key(&words))
        {
            return with_words(locked, words);
        }
        let asking = prompt::can_type_secrets();
        let mut why_not = None;
        if by_keychain {
            // On a terminal somebody has just asked for it, so the keychain may show its dialog.
            let keychain = if asking { system::asking() } else { system::system() };
            match unlock::with_keychain(locked, &keychain) {
                Ok(unlocked) => return Ok((unlocked, None)),
                Err(UnlockError::Vault(Error::WrongKey)) => why_not = Failure::WrongKeychainKey.report(),
                Err(e) => why_not = Some(Report::from(e)),
            }
        }
        if asking && (has(SlotKind::Password) || has(SlotKind::Recovery)) {
            if let Some(report) = &why_not {
                output::say(&format!("otpanel: {}", report.why()));
            }
            return by_typing(locked, has(SlotKind::Password));
        }
        Err(why_not.map_or(Failure::NoWayIn, Failure::from))
    }

    /// The password that was given by file, if any; read once, since stdin can be.
    ///
    /// # Errors
    /// When the file cannot be read or is not text.
    pub fn given_password(&self) -> Result<Option<Secret<String>>, Failure> {
        if let Some(known) = self.given.get() {
            return Ok(known.as_ref().map(Secret::duplicate));
        }
        let given = self.password_file().map(|path| read_password(&path, "password file")).transpose()?;
        Ok(self.given.get_or_init(|| given).as_ref().map(Secret::duplicate))
    }

    /// Whether a password file is named, by option or by the environment.
    pub fn names_password(&self) -> bool {
        self.password_file().is_some()
    }

    fn password_file(&self) -> Option<PathBuf> {
        let set = || std::env::var_os("OTPANEL_PASSWORD_FILE").filter(|v| !v.is_empty()).map(PathBuf::from);
        self.global.password_file.clone().or_else(set)
    }

    /// Says whose new accounts are, where an organisation manages this machine: once with the way out, then in short.
    pub fn tell_whose(&self, identity: &str) {
        let Some(name) = organisation(identity).map(clean) else { return };
        let first = Local::open(&self.paths.state_dir).is_ok_and(|mut local| {
            let first = local.note_notice(identity);
            first && local.save().is_ok()
        });
        if first {
            let choice = if self.policy.offers().is_some() { ", unless you say --personal" } else { "" };
            output::say(&format!("otpanel: {name} manages this machine: new accounts belong to it{choice}."));
        } else {
            output::say(&format!("otpanel: it belongs to {name}."));
        }
    }

    /// Whether the password comes from stdin, which nothing else may read then.
    pub fn password_on_stdin(&self) -> bool {
        self.global.password_file.as_deref() == Some(Path::new("-"))
    }
}

impl Session {
    /// An entry that was just found.
    pub fn entry(&self, id: EntryId) -> &Entry {
        self.unlocked.state.get(&id).expect("the id came from this state")
    }

    /// Changes the state in memory, with a stamp of this device.
    pub fn edit<T>(&mut self, world: &World, change: impl FnOnce(&mut State, Stamp) -> T) -> T {
        let stamp = self.stamp(world);
        change(Arc::make_mut(&mut self.unlocked.state), stamp)
    }

    /// The stamp of an edit that is made now.
    pub fn stamp(&self, world: &World) -> Stamp {
        let local = Local::open_or_unkept(&world.paths.state_dir);
        self.unlocked.state.next_stamp(UnixTime::now(), DeviceId(local.device()))
    }

    /// Saves, and tells what the save noticed.
    ///
    /// # Errors
    /// When it could not be saved; the file is as it was.
    pub fn save(&mut self) -> Result<(), Failure> {
        self.save_before(Reason::Save)
    }

    /// Saves, keeping the old version in the history for a reason.
    ///
    /// # Errors
    /// As [`Session::save`].
    pub fn save_before(&mut self, reason: Reason) -> Result<(), Failure> {
        self.save_changing(reason, &mut |_| Ok(()))
    }

    /// As [`Session::save_before`], with a change that is made once everything that others wrote is joined
    /// ([`Place::save_changing`]).
    ///
    /// # Errors
    /// As [`Session::save`].
    pub fn save_changing(
        &mut self,
        reason: Reason,
        change: &mut dyn FnMut(&mut Unlocked) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        let saved = self.place.save_changing(&mut self.unlocked, reason, change);
        if let Err(FileError::Rekeyed(_)) = saved {
            rollback::keep_for_later(&self.place, &self.unlocked)?;
        }
        let saved = saved?;
        self.unseen = true;
        if let Ok(mut local) = Local::open(&self.place.state_dir) {
            rollback::note(&self.place, &self.unlocked, &mut local);
        }
        for copy in &saved.conflicts {
            output::say(&format!("otpanel: joined the conflict copy {}", clean(&copy.display().to_string())));
        }
        for warning in &saved.warnings {
            output::say(&format!("otpanel: {}", report::warning(warning)));
        }
        Ok(())
    }

    /// Heals a file that went back, and says so; remembers what was seen. `opened_later`: it is not the file that was opened,
    /// but a later version.
    fn look_back(&mut self, opened_later: bool) {
        let Ok(mut local) = Local::open(&self.place.state_dir) else { return };
        let older = if opened_later { rollback::take_in_older(&self.place, &mut self.unlocked) } else { None };
        let found = rollback::heal(&self.place, &mut self.unlocked, &mut local);
        let found = older.or(found);
        if let Some(found) = found {
            output::say(&format!("otpanel: {}.", found.words()));
            if let Err(failure) = self.save_before(Reason::Restore)
                && let Some(report) = failure.report()
            {
                output::say(&format!("otpanel: {}", report.why()));
            }
        } else {
            rollback::note(&self.place, &self.unlocked, &mut local);
        }
    }

    /// Wraps the key anew where the password that opened the vault costs a guesser less than a new one would. What was asked
    /// for works whether that can be saved or not, and the next opening tries again.
    fn strengthen(&mut self, world: &World, words: &Secret<String>) {
        let stamp = self.stamp(world);
        if let Ok(true) = unlock::stronger_slot(&mut self.unlocked, words, stamp)
            && let Err(failure) = self.save()
        {
            tracing::warn!(?failure, "a weak slot stays");
        }
    }

    /// Deletes for good what has lain in the trash for too long; the next save writes it.
    fn empty_trash(&mut self, world: &World) {
        let days = world.config.trash_days;
        if self.unlocked.state.trashed().next().is_some() {
            self.edit(world, |state, stamp| state.empty_trash(days, UnixTime::now(), stamp));
        }
    }

    /// How messages name an entry.
    pub fn name(&self, id: EntryId) -> String {
        let entry = self.entry(id);
        title(entry.issuer(), entry.name())
    }

    /// Says on stderr when the clock cannot be right: codes will be wrong then.
    pub fn warn_of_clock(&self, world: &World) {
        say_clock_trouble(world.now, self.unlocked.state.seen.values().copied().max());
    }
}

/// Where things are, by options and environment.
///
/// # Errors
/// When no home is known.
pub fn places(global: &Global) -> Result<Paths, Failure> {
    Ok(Paths::from_env(global.vault.clone(), global.config.clone(), global.profile.as_deref())?)
}

fn shifted(now: UnixTime, secs: i64) -> UnixTime {
    UnixTime(now.0.saturating_add_signed(secs.saturating_mul(1000)))
}

/// Whether words are meant as a recovery key: it begins as one, or is one.
fn is_recovery_key(words: &Secret<String>) -> bool {
    let text = words.expose().trim_start();
    text.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("otpanel1")) || recovery::read(text).is_ok()
}

/// An open vault, and the words that opened it, where words did.
type ByWords = (Unlocked, Option<Secret<String>>);

fn with_words(locked: &Locked, words: Secret<String>) -> Result<ByWords, Failure> {
    let opened = if is_recovery_key(&words) {
        unlock::with_recovery_key(locked, &words).map_err(|e| match e {
            UnlockError::Vault(Error::WrongKey) => Failure::WrongRecoveryKey,
            e => e.into(),
        })?
    } else {
        unlock::with_password(locked, &words)?
    };
    Ok((opened, Some(words)))
}

fn by_typing(locked: &Locked, password: bool) -> Result<ByWords, Failure> {
    let what = if password { "Password (or recovery key)" } else { "Recovery key" };
    for _ in 0..2 {
        match with_words(locked, prompt::secret(what)?) {
            Err(failure) => match failure.report() {
                Some(report) if report.exit == Exit::Locked => output::say(&format!("{}. Try again.", report.problem)),
                _ => return Err(failure),
            },
            Ok(unlocked) => return Ok(unlocked),
        }
    }
    with_words(locked, prompt::secret(what)?)
}

/// Reads a password from a file, or from stdin for `-`. One line break at the end does not count.
///
/// # Errors
/// [`Failure::File`] or [`Failure::NotText`].
pub fn read_password(path: &Path, what: &'static str) -> Result<Secret<String>, Failure> {
    let bytes = files::read(path, LONGEST_PASSWORD)?;
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| Failure::NotText { what })?;
    Ok(Secret::new(trimmed(text).to_owned()))
}

fn trimmed(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_of_a_password_does_not_count() {
        assert_eq!(trimmed("a b\n"), "a b");
        assert_eq!(trimmed("a b\r\n"), "a b");
        assert_eq!(trimmed("a b\n\n"), "a b\n");
        assert_eq!(trimmed(" a b "), " a b ");
    }
}
