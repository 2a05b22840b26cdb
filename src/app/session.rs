//! An open vault and the view on it: rows, selection, search, what lies over the list, how the saving goes.

use std::sync::Arc;

use super::access::Access;
use super::backup::{Backup, View as BackupView};
use super::export::Export;
use super::form::Form;
use super::import::Flow;
use super::input::Input;
use super::keys::{Binding, TABLE};
use super::order::{Order, Uses};
use super::password::Password;
use super::past::Past;
use super::qr::Qr;
use super::rekey::Rekey;
use super::renewal::Renewal;
use super::restore::Restore;
use super::rows::{Row, Rows, Tab};
use super::search::{Searcher, alike};
use super::tags::Tags;
use crate::config::Config;
use crate::report::Report;
use crate::time::UnixTime;
use crate::vault::envelope::Unlocked;
use crate::vault::history::Reason;
use crate::vault::{DeviceId, EntryId, Stamp, State, Value};

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
    /// Nothing matches the search: what is in view is like it.
    pub alike: bool,
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
    /// The selected code is shown in big digits over the whole screen.
    pub big: bool,
    /// What stands beside the codes.
    pub beside: Beside,
    /// The counter code that was made last.
    pub counter_code: Option<CounterCode>,
    /// What was copied and when it will be cleared.
    pub copied: Option<(EntryId, UnixTime)>,
    /// Steps that can be undone, the last at the end.
    pub undo: Vec<Undo>,
    /// How the saving goes.
    pub saving: Saving,
    /// How the backup goes.
    pub backup: Backup,
    /// Counts the attempts to make new keys, so that an answer to one that was given up is dropped.
    pub rekeys: u64,
    /// The last key or click.
    pub touched: UnixTime,
    /// The last left click: row and time.
    pub clicked: Option<(usize, UnixTime)>,
    /// How the list is sorted.
    pub order: Order,
    /// How often what was used on this machine.
    pub uses: Uses,
    /// The uses by which the list was sorted: a row that is copied does not jump away.
    sorted_by: Uses,
    pub(super) searcher: Searcher,
}

/// What stands dim beside the current codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beside {
    /// The next code in the last seconds, where the config says so.
    #[default]
    Usual,
    /// The next code all the time.
    Next,
    /// The code before.
    Previous,
}

/// A counter code on the screen.
#[derive(Debug, Clone, Copy)]
pub struct CounterCode {
    /// Whose.
    pub id: EntryId,
    /// The counter that it is made from; known once it is saved.
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
    /// The vault's file has vanished: saving again means writing it anew.
    pub vanished: bool,
    /// When to try again.
    pub retry: Option<UnixTime>,
    /// Ask for a lasting history copy before the next save.
    pub reason: Option<Reason>,
    /// The entry whose counter the next save takes.
    pub counter: Option<EntryId>,
    /// The entry whose counter the save under way takes.
    pub taking: Option<EntryId>,
    /// A change was kept in the history when the panel locked, and comes back with the next reading.
    pub aside: bool,
    /// What was asked for while something was not in the file yet, and since when it waits, for [`PATIENCE_SECS`].
    pub then: Option<(Then, UnixTime)>,
}

/// Seconds that locking or leaving waits for a save under way; then its thread has all it needs.
pub const PATIENCE_SECS: u64 = 10;

/// What is done as soon as everything is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Lock.
    Lock,
    /// Leave.
    Quit,
}

impl Saving {
    /// Whether a save that may well succeed is under way or about to be.
    pub const fn busy(&self) -> bool {
        (self.running || self.again) && self.failed.is_none()
    }

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
    /// The trash and the older copies.
    Past(Box<Past>),
    /// The question before an account's QR code, and then the code itself.
    Qr(EntryId, Option<Qr>),
    /// The backup.
    Backup(Box<BackupView>),
    /// A restore from a backup.
    Restore(Box<Restore>),
    /// The tags of an account.
    Tags(Box<Tags>),
    /// An export.
    Export(Box<Export>),
    /// Whether this computer's keychain is to open the vault.
    Access(Access),
    /// New keys for the vault.
    Rekey(Box<Rekey>),
    /// A new recovery key.
    Renewal(Box<Renewal>),
    /// A new password.
    Password(Box<Password>),
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

impl Palette {
    /// The rows that match what is typed.
    pub fn rows(&self) -> Vec<&'static Binding> {
        let query = self.line.text().to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        TABLE
            .iter()
            .filter(|b| {
                let text = format!("{} {} {}", b.short, b.text, b.group.title()).to_lowercase();
                words.iter().all(|word| text.contains(word))
            })
            .collect()
    }
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

impl Session {
    /// Whether it is to be locked as soon as everything is saved.
    pub const fn is_to_lock(&self) -> bool {
        matches!(self.saving.then, Some((Then::Lock, _)))
    }

    /// A view on a vault that was just opened.
    pub fn new(vault: Unlocked, config: &Config, now: UnixTime) -> Self {
        let mut session = Self {
            vault,
            rows: Rows::default(),
            tab: 0,
            query: None,
            visible: Vec::new(),
            alike: false,
            selected: 0,
            offset: 0,
            modal: None,
            hidden: config.hide_codes,
            revealed: None,
            big: false,
            beside: Beside::default(),
            counter_code: None,
            copied: None,
            undo: Vec::new(),
            saving: Saving::default(),
            backup: Backup::default(),
            rekeys: 0,
            touched: now,
            clicked: None,
            order: Order::default(),
            uses: Uses::new(),
            sorted_by: Uses::new(),
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

    /// Notes that the vault's state was edited: it is saved after this event.
    pub const fn changed(&mut self) {
        self.saving.again = true;
        self.saving.retry = None;
    }

    /// Moves the selection by so many rows, as far as there are any.
    pub fn step(&mut self, by: isize) {
        let last = self.visible.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Shows the next tab, or the one before.
    pub fn turn_tab(&mut self, back: bool) {
        let n = self.rows.tabs.len().max(1);
        self.show_tab(if back { (self.tab + n - 1) % n } else { (self.tab + 1) % n });
    }

    /// Shows a tab from its first row on.
    pub fn show_tab(&mut self, tab: usize) {
        self.tab = tab;
        self.selected = 0;
        self.offset = 0;
        self.filter();
    }

    /// Sorts the list, by what was used up to now.
    pub fn sort(&mut self, order: Order) {
        self.order = order;
        self.sorted_by.clone_from(&self.uses);
        self.refresh();
    }

    /// Makes the rows anew after the state changed, the same account selected where it is still there.
    pub fn refresh(&mut self) {
        let kept = self.selected_row().map(|row| row.id);
        let tab = self.rows.tabs.get(self.tab).map(|(tab, _)| tab.clone());
        self.rows = Rows::sorted(&self.vault.state, self.order, &self.sorted_by);
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
        self.alike = false;
        if self.visible.is_empty() {
            self.visible = alike(&self.rows.all, tab, query);
            self.alike = !self.visible.is_empty();
        }
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
