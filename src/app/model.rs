//! What the panel knows. Plain data: [`super::update`] changes it, `tui` draws it.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::form::Form;
use super::import::Flow;
use super::input::Input;
use super::keys::Keymap;
use super::layout::{Panes, panes};
use super::rows::{Row, Rows, Tab};
use super::search::Searcher;
use super::welcome::Welcome;
use crate::config::Config;
use crate::keychain::Probe;
use crate::report::Report;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::envelope::{Locked, Unlocked};
use crate::vault::history::Reason;
use crate::vault::slots::SlotKind;
use crate::vault::{DeviceId, EntryId, Stamp, State, Value};

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
    /// Sample accounts: nothing is read, saved or remembered.
    pub demo: bool,
    /// The profile's name, for the header.
    pub profile: String,
    /// Where the vault lies, for messages.
    pub vault_path: String,
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
    /// Whether a recovery key is typed rather than the password.
    pub recovery: bool,
    /// An answer is awaited.
    pub waiting: Waiting,
    /// Why the last try failed.
    pub error: Option<Report>,
    /// What the keychain says, where it was asked.
    pub keychain: Option<Probe>,
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

/// An open vault and the view on it. Dropping it is locking.
pub struct Session {
    /// The vault with its keys.
    pub vault: Unlocked,
    /// Made from the vault's state.
    pub rows: Rows,
    /// The tab in view, an index into `rows.tabs`.
    pub tab: usize,
    /// The search line while it is open.
    pub query: Option<Input>,
    /// Indices into `rows.all` of the rows in view.
    pub visible: Vec<usize>,
    /// The selected row, an index into `visible`.
    pub selected: usize,
    /// The first row on the screen, an index into `visible`.
    pub offset: usize,
    /// What lies over the list.
    pub modal: Option<Modal>,
    /// Codes are hidden.
    pub hidden: bool,
    /// Codes shown although codes are hidden, and until when.
    pub revealed: Option<(EntryId, UnixTime)>,
    /// The next codes are shown all the time.
    pub show_next: bool,
    /// The counter code that was made last.
    pub counter_code: Option<CounterCode>,
    /// What was copied and when it will be cleared.
    pub copied: Option<(EntryId, UnixTime)>,
    /// Steps that can be undone, the last at the end.
    pub undo: Vec<Undo>,
    /// How the saving goes.
    pub saving: Saving,
    /// The last key or click.
    pub touched: UnixTime,
    /// The last left click: row and time.
    pub clicked: Option<(usize, UnixTime)>,
    pub(super) searcher: Searcher,
}

/// A counter code on the screen.
#[derive(Debug, Clone, Copy)]
pub struct CounterCode {
    /// Whose.
    pub id: EntryId,
    /// The counter that it is made from.
    pub counter: u64,
    /// When it goes from the screen.
    pub until: UnixTime,
    /// It may be shown: the counter after it was saved.
    pub saved: bool,
    /// It was copied.
    pub copied: bool,
}

/// How the saving goes.
#[derive(Debug, Default)]
pub struct Saving {
    /// A save is under way.
    pub running: bool,
    /// Changes came after it began.
    pub again: bool,
    /// Why the last save failed; changes are in memory only.
    pub failed: Option<Report>,
    /// When to try again.
    pub retry: Option<UnixTime>,
    /// Ask for a lasting history copy before the next save.
    pub reason: Option<Reason>,
}

impl Saving {
    /// Whether something is not in the file yet.
    pub const fn pending(&self) -> bool {
        self.running || self.again || self.failed.is_some()
    }
}

/// What lies over the list.
pub enum Modal {
    /// All actions with their keys, filtered by what is typed.
    Palette(Palette),
    /// A question about deleting.
    Delete(EntryId),
    /// The form.
    Form(Box<Form>),
    /// A line to paste into.
    Paste(Input, Option<String>),
    /// An import.
    Import(Box<Flow>),
    /// The trash; the selected row.
    Trash(usize),
    /// Leaving with changes that are not saved.
    Leave,
}

/// The help and the command palette: one list.
pub struct Palette {
    /// What is typed.
    pub line: Input,
    /// The selected row among those that match.
    pub selected: usize,
    /// Opened as the help: grouped, with the groups' titles, until something is typed.
    pub help: bool,
}

/// A step back.
pub enum Undo {
    /// Bring these back from the trash.
    Restore(Vec<EntryId>, String),
    /// Move these to the trash (they were added).
    Trash(Vec<EntryId>, String),
    /// Set these fields and tags as they were.
    Set(EntryId, Vec<(&'static str, Value)>, Vec<(String, bool)>, String),
    /// Undo an edit that made a new entry: trash the new, bring back the old.
    Swap(EntryId, EntryId, String),
}

/// How a notice is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Done.
    Good,
    /// Worth knowing.
    Info,
    /// Look at this.
    Warn,
    /// It failed.
    Error,
}

/// A line about what just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// The words.
    pub text: String,
    /// When it goes; stays where there is none.
    pub until: Option<UnixTime>,
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
        let (keymap, problems) = Keymap::new(&start.config.keys);
        let mut model = Self {
            size: start.size,
            now: start.now,
            config: start.config,
            keymap,
            stage: Stage::Opening,
            notice: None,
            device: start.device,
            generation: 0,
            demo: false,
            profile: start.profile,
            vault_path: start.vault_path,
            ids: Ids { seed: start.seed, made: 0 },
        };
        if let Some(problem) = problems.into_iter().next() {
            model.say(Tone::Warn, problem);
        }
        model
    }

    /// A panel on sample accounts.
    pub fn demo(start: Start, vault: Unlocked) -> Self {
        let mut model = Self::new(start);
        model.demo = true;
        model.stage = Stage::Open(Box::new(Session::new(vault, &model.config, model.now)));
        model
    }

    /// The moment that codes are made for: the clock's, set right by the config.
    pub fn code_time(&self) -> UnixTime {
        UnixTime(self.now.0.saturating_add_signed(self.config.clock_offset_secs.saturating_mul(1000)))
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
        panes(self.size.0, self.size.1)
    }

    /// Shows a notice for a while; errors and warnings stay longer.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let secs = match tone {
            Tone::Good | Tone::Info => 6,
            Tone::Warn | Tone::Error => 15,
        };
        self.notice = Some(Notice { tone, text: text.into(), until: Some(self.now.plus_secs(secs)) });
    }

    /// Shows a report in one line: what happened and what to do.
    pub fn say_report(&mut self, report: &Report) {
        self.say(Tone::Error, format!("{}. {}", report.problem, report.next));
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

    /// The next moment at which something on the screen changes by itself, none where nothing does.
    pub fn next_change(&self) -> Option<UnixTime> {
        let whole_second = UnixTime::from_secs(self.now.secs() + 1);
        match &self.stage {
            Stage::Open(_) | Stage::Opening => Some(whole_second),
            Stage::Locked(lock) if lock.waiting != Waiting::No || self.notice.is_some() => Some(whole_second),
            Stage::Welcome(_) if self.notice.is_some() => Some(whole_second),
            Stage::Locked(_) | Stage::Welcome(_) | Stage::Broken(_) => None,
        }
    }
}

impl Session {
    /// A view on a vault that was just opened.
    pub fn new(vault: Unlocked, config: &Config, now: UnixTime) -> Self {
        let mut session = Self {
            vault,
            rows: Rows::default(),
            tab: 0,
            query: None,
            visible: Vec::new(),
            selected: 0,
            offset: 0,
            modal: None,
            hidden: config.hide_codes,
            revealed: None,
            show_next: false,
            counter_code: None,
            copied: None,
            undo: Vec::new(),
            saving: Saving::default(),
            touched: now,
            clicked: None,
            searcher: Searcher::default(),
        };
        session.refresh();
        session
    }

    /// The vault's state.
    pub fn state(&self) -> &State {
        &self.vault.state
    }

    /// The vault's state, to edit it.
    pub fn state_mut(&mut self) -> &mut State {
        Arc::make_mut(&mut self.vault.state)
    }

    /// A stamp for an edit that is made now.
    pub fn stamp(&self, now: UnixTime, device: DeviceId) -> Stamp {
        self.state().next_stamp(now, device)
    }

    /// Makes the rows anew after the state changed, the same account selected where it is still there.
    pub fn refresh(&mut self) {
        let kept = self.selected_row().map(|row| row.id);
        let tab = self.rows.tabs.get(self.tab).map(|(tab, _)| tab.clone());
        self.rows = Rows::new(&self.vault.state);
        self.tab = tab.and_then(|t| self.rows.tabs.iter().position(|(other, _)| *other == t)).unwrap_or(0);
        self.filter();
        if let Some(id) = kept {
            self.select(id);
        }
    }

    /// Finds the rows in view anew after the tab or the search changed.
    pub fn filter(&mut self) {
        let query = self.query.as_ref().map_or("", Input::text);
        let all = (Tab::All, 0);
        let (tab, _) = self.rows.tabs.get(self.tab).unwrap_or(&all);
        self.visible = self.searcher.rank(&self.rows.all, tab, query);
        self.selected = self.selected.min(self.visible.len().saturating_sub(1));
    }

    /// Selects an account if it is in view.
    pub fn select(&mut self, id: EntryId) {
        if let Some(at) = self.visible.iter().position(|&i| self.rows.all[i].id == id) {
            self.selected = at;
        }
    }

    /// The selected row.
    pub fn selected_row(&self) -> Option<&Row> {
        self.visible.get(self.selected).and_then(|&i| self.rows.all.get(i))
    }

    /// A row of the list by its account.
    pub fn row(&self, id: EntryId) -> Option<&Row> {
        self.rows.all.iter().find(|row| row.id == id)
    }

    /// The rows on the screen, `height` of them at most.
    pub fn on_screen(&self, height: u16) -> impl Iterator<Item = (usize, &Row)> {
        let end = (self.offset + height as usize).min(self.visible.len());
        (self.offset.min(end)..end).map(|at| (at, &self.rows.all[self.visible[at]]))
    }

    /// Scrolls so that the selected row is on a screen of so many rows.
    pub fn keep_in_view(&mut self, height: u16) {
        let height = (height as usize).max(1);
        if self.selected < self.offset {
            self.offset = self.selected;
        } else if self.selected >= self.offset + height {
            self.offset = self.selected + 1 - height;
        }
        self.offset = self.offset.min(self.visible.len().saturating_sub(height));
    }

    /// Whether a row's code is to be shown.
    pub fn shows_code(&self, id: EntryId, now: UnixTime) -> bool {
        !self.hidden || self.revealed.is_some_and(|(shown, until)| shown == id && now < until)
    }
}

impl Lock {
    /// A lock screen for a vault whose bytes are there or still come.
    pub fn new(vault: Option<Arc<Locked>>) -> Self {
        Self { vault, line: Input::default(), recovery: false, waiting: Waiting::No, error: None, keychain: None }
    }

    /// Whether the vault has a slot of this kind.
    pub fn has_slot(&self, kind: SlotKind) -> bool {
        self.vault.as_ref().is_some_and(|v| v.slots().iter().any(|s| s.kind() == kind))
    }
}
