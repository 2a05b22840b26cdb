//! What the panel knows. Plain data: [`mod@super::update`] changes it, `tui` draws it.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::event::{Aside, Effect};
use super::input::Input;
use super::keys::{self, Action, Keymap};
use super::layout::{Panes, panes};
pub use super::notice::{Notice, Tone};
use super::order::Habits;
use super::session::{Modal, Session};
use super::welcome::Welcome;
use crate::backup::standing::Status;
use crate::config::{Config, Glyphs, LockUnlocksWith};
use crate::policy::Policy;
use crate::report::Report;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::envelope::{Locked, Unlocked};
use crate::vault::slots::SlotKind;
use crate::vault::{DeviceId, EntryId, SlotId};

/// Milliseconds after which a silent keychain is named.
pub const KEYCHAIN_SILENT_MS: u64 = 300;

/// Everything.
pub struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The moment that is drawn; codes are derived from it.
    pub now: UnixTime,
    /// The settings in force.
    pub config: Box<Config>,
    /// The keys in force.
    pub keymap: Keymap,
    /// Where the user is.
    pub stage: Stage,
    /// What just happened.
    pub notice: Option<Notice>,
    /// This device, in the stamps of its edits.
    pub device: DeviceId,
    /// Names the session or attempt that answers belong to; answers to another are dropped.
    pub generation: u64,
    /// Counts what is read for an import, so that an answer that comes after it was given up is dropped.
    pub imports: u64,
    /// Sample accounts: nothing is read, saved or remembered.
    pub demo: bool,
    /// The profile's name, for the header.
    pub profile: String,
    /// Where the vault lies, for messages.
    pub vault_path: String,
    /// The vault's file may not be written.
    pub read_only: bool,
    /// How the backups of the vault that is about to open stood last.
    pub backup_stood: Vec<Status>,
    /// When the focus brought a look at everything, last.
    pub focused: UnixTime,
    /// What an organisation set on this machine.
    pub policy: Policy,
    /// What is said when the vault is opened next.
    pub at_opening: Option<(Tone, String)>,
    /// What this machine remembers of its vaults.
    pub habits: Habits,
    /// Slots of recovery keys that were shown on this machine and never written down, as far as is known.
    pub unwritten: BTreeSet<SlotId>,
    ids: Ids,
}

/// Where the user is.
pub enum Stage {
    /// The vault is being read, or the keychain asked.
    Opening,
    /// No vault yet.
    Welcome(Box<Welcome>),
    /// A vault that waits for its key.
    Locked(Box<Lock>),
    /// Open.
    Open(Box<Session>),
    /// The vault cannot be opened by any key: damaged, newer, unreadable.
    Broken(Report),
}

/// The lock screen.
pub struct Lock {
    /// The vault's sealed bytes; none until they were read.
    pub vault: Option<Arc<Locked>>,
    /// What is typed.
    pub line: Input,
    /// Enter was pressed before the bytes were read: it counts once they are.
    pub eager: bool,
    /// Whether a recovery key is typed rather than the password.
    pub recovery: bool,
    /// An answer is awaited.
    pub waiting: Waiting,
    /// Why the last try failed.
    pub error: Option<Report>,
    /// Where a change is kept that could not be saved before locking.
    pub aside: Option<Aside>,
    /// Leaving would lose it, which was said.
    pub warned: bool,
}

/// What an answer is awaited from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Nothing.
    No,
    /// The keychain, since then.
    Keychain(UnixTime),
    /// The key derivation.
    Derivation,
}

/// Makes random ids without randomness of its own: SHA-256 over a random seed and a number.
struct Ids {
    seed: Secret<[u8; 32]>,
    made: u64,
}

/// What a model starts with.
pub struct Start {
    /// Settings.
    pub config: Box<Config>,
    /// This device.
    pub device: DeviceId,
    /// 32 random bytes, for ids.
    pub seed: Secret<[u8; 32]>,
    /// The moment.
    pub now: UnixTime,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The profile's name.
    pub profile: String,
    /// Where the vault lies.
    pub vault_path: String,
}

impl Model {
    /// A panel that has not looked at its vault yet.
    pub fn new(start: Start) -> Self {
        let (keymap, mut problems) = Keymap::new(&start.config.keys);
        problems.extend(start.config.problems());
        let mut model = Self {
            size: start.size,
            now: start.now,
            config: start.config,
            keymap,
            stage: Stage::Opening,
            notice: None,
            device: start.device,
            generation: 0,
            imports: 0,
            demo: false,
            profile: start.profile,
            vault_path: start.vault_path,
            read_only: false,
            backup_stood: Vec::new(),
            focused: start.now,
            policy: Policy::default(),
            at_opening: None,
            habits: Habits::default(),
            unwritten: BTreeSet::new(),
            ids: Ids { seed: start.seed, made: 0 },
        };
        if let Some(problem) = keys::told(problems) {
            model.tell_at_opening(Tone::Warn, problem);
        }
        model
    }

    /// A panel on sample accounts.
    pub fn demo(start: Start, vault: Unlocked) -> Self {
        let mut model = Self::new(start);
        model.demo = true;
        model.stage = Stage::Open(Box::new(Session::new(vault, &model.config, model.now)));
        model.say_at_opening();
        model
    }

    /// The moment that codes are made for: the clock's, set right by the config.
    pub fn code_time(&self) -> UnixTime {
        self.code_time_at(self.now)
    }

    /// The moment that codes were made for at another time.
    pub fn code_time_at(&self, at: UnixTime) -> UnixTime {
        UnixTime(at.0.saturating_add_signed(self.config.clock_offset_secs.saturating_mul(1000)))
    }

    /// Why the clock cannot be right, if it cannot: codes are wrong then. Judged by the moment that codes are made for, so
    /// that an offset in the config mends it.
    pub fn clock_trouble(&self) -> Option<String> {
        let now = self.code_time();
        if now < UnixTime::PROGRAM_MADE {
            return Some(String::from(
                "the clock stands before this program was made: codes are wrong until it is set",
            ));
        }
        let newest = UnixTime(self.session()?.state().seen.values().copied().max()?);
        let time = now.behind(newest)?;
        Some(format!("the clock is {time} behind the vault's last change: if it is wrong, so are the codes"))
    }

    /// Whether the recovery key of the open vault was shown on this machine and never written down.
    pub fn recovery_key_is_unwritten(&self) -> bool {
        self.session().is_some_and(|session| session.vault.slots().iter().any(|slot| self.unwritten.contains(&slot.id)))
    }

    /// Puts the panel under a policy: its limits hold at once, and for every config that comes.
    pub fn govern(&mut self, policy: Policy) {
        let config = std::mem::take(&mut *self.config);
        *self.config = policy.cap(config);
        self.policy = policy;
    }

    /// Says something where the vault is open, and else when it is: before, it would be gone with the first key of the
    /// password.
    pub fn tell_at_opening(&mut self, tone: Tone, text: String) {
        if self.session().is_some() { self.say(tone, text) } else { self.keep_for_opening(tone, text) }
    }

    /// Keeps something to be said when the vault is opened next. What is kept already is said with it.
    pub fn keep_for_opening(&mut self, tone: Tone, text: String) {
        self.at_opening = Some(match self.at_opening.take() {
            None => (tone, text),
            Some((_, earlier)) => (Tone::Warn, format!("{earlier}; {text}")),
        });
    }

    /// Says what was kept for the opening of the vault.
    pub fn say_at_opening(&mut self) {
        if let Some((tone, text)) = self.at_opening.take() {
            self.say(tone, text);
        }
    }

    /// A new random id.
    pub fn new_id(&mut self) -> EntryId {
        self.ids.made += 1;
        let digest =
            Sha256::new().chain_update(self.ids.seed.expose()).chain_update(self.ids.made.to_le_bytes()).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        EntryId(id)
    }

    /// The screen's parts at its size.
    pub fn panes(&self) -> Panes {
        let panes = panes(self.size.0, self.size.1);
        // For a screen reader one thing stands in a line.
        if self.config.accessible { Panes { detail: None, list_width: self.size.0, ..panes } } else { panes }
    }

    /// Takes on another size of the terminal.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.keep_in_view();
    }

    /// Scrolls so that the selected row is on the screen.
    pub fn keep_in_view(&mut self) {
        let height = self.panes().list_height;
        if let Some(session) = self.session_mut() {
            session.keep_in_view(height);
        }
    }

    /// Shows a notice for a while; errors and warnings stay longer.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let secs = match tone {
            Tone::Good | Tone::Info => 6,
            Tone::Warn | Tone::Error => 15,
        };
        self.notice = Some(Notice { tone, text: text.into(), short: None, until: Some(self.now.plus_secs(secs)) });
    }

    /// The same with fewer words for a narrow window.
    pub fn say_or(&mut self, tone: Tone, text: impl Into<String>, short: impl Into<String>) {
        self.say(tone, text);
        if let Some(notice) = &mut self.notice {
            notice.short = Some(short.into());
        }
    }

    /// Shows a report in one line: what happened and what to do.
    pub fn say_report(&mut self, report: &Report) {
        self.say(Tone::Error, format!("{}. {}", report.problem, report.next_in_panel()));
    }

    /// The open session.
    pub fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::Open(session) => Some(session),
            _ => None,
        }
    }

    /// The open session, to change it.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::Open(session) => Some(session),
            _ => None,
        }
    }

    /// Lays something over the list of the open vault.
    pub fn lay_over(&mut self, modal: Modal) {
        if let Some(session) = self.session_mut() {
            session.modal = Some(modal);
        }
    }

    /// Takes away what lies over the list.
    pub fn uncover(&mut self) {
        if let Some(session) = self.session_mut() {
            session.modal = None;
        }
    }

    /// The same, where it is this.
    pub fn uncover_if(&mut self, this: impl FnOnce(&Modal) -> bool) {
        if let Some(session) = self.session_mut() {
            session.modal.take_if(|modal| this(modal));
        }
    }

    /// Notes that the open vault was edited: it is saved after this event.
    pub fn changed(&mut self) {
        if let Some(session) = self.session_mut() {
            session.changed();
        }
    }

    /// An effect on a copy of the open vault, in the name of this session; none where no vault is open.
    pub fn with_vault(&self, effect: impl FnOnce(u64, Box<Unlocked>) -> Effect) -> Vec<Effect> {
        let vault = self.session().map(|session| Box::new(session.vault.duplicate()));
        vault.map(|vault| effect(self.generation, vault)).into_iter().collect()
    }

    /// Rows that a page moves by.
    pub fn page(&self) -> isize {
        (self.panes().list_height as isize - 1).max(1)
    }

    /// How a key of an action is shown in a sentence; the action's name where it has no key.
    pub fn key_name(&self, action: Action) -> String {
        let ascii = self.config.glyphs == Glyphs::Ascii || self.config.accessible;
        self.keymap
            .keys(action)
            .first()
            .map_or_else(|| keys::describe(action).name.to_owned(), |k| keys::show(k, ascii))
    }

    /// The next moment at which something on the screen changes by itself, none where nothing does.
    pub fn next_change(&self) -> Option<UnixTime> {
        if self.config.accessible {
            return self.next_spoken_change();
        }
        let whole_second = UnixTime::from_secs(self.now.secs() + 1);
        match &self.stage {
            Stage::Open(_) | Stage::Opening => Some(whole_second),
            Stage::Locked(lock) if lock.waiting != Waiting::No || self.notice.is_some() => Some(whole_second),
            Stage::Welcome(_) if self.notice.is_some() => Some(whole_second),
            Stage::Locked(_) | Stage::Welcome(_) | Stage::Broken(_) => None,
        }
    }
}

impl Lock {
    /// A lock screen for a vault whose bytes are there or still come.
    pub fn new(vault: Option<Arc<Locked>>) -> Self {
        Self {
            vault,
            line: Input::default(),
            eager: false,
            recovery: false,
            waiting: Waiting::No,
            error: None,
            aside: None,
            warned: false,
        }
    }

    /// Whether something is typed here. Without a password there is no line for it; while the bytes are still read, nobody
    /// knows.
    pub fn takes_typing(&self) -> bool {
        self.recovery || self.vault.is_none() || self.has_slot(SlotKind::Password)
    }

    /// Whether the keychain opens it: not where the settings want the password, and it has one.
    pub fn opens_by_keychain(&self, wanted: LockUnlocksWith) -> bool {
        self.has_slot(SlotKind::Keychain) && (wanted == LockUnlocksWith::Keychain || !self.has_slot(SlotKind::Password))
    }

    /// Whether the vault has a slot of this kind.
    pub fn has_slot(&self, kind: SlotKind) -> bool {
        self.vault.as_ref().is_some_and(|v| v.slots().iter().any(|s| s.kind() == kind))
    }
}
