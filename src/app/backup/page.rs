//! What the backup screen says, line by line for its width, and which lines of it are in view: where the copies are and how
//! far they reach, what is in them and what is not, the devices.

use super::{Seen, View, ago, place};
use crate::app::model::Model;
use crate::app::session::Session;
use crate::backup::place::Store;
use crate::backup::standing::{self, Standing, Status};
use crate::policy::{self, Policy, organisation};
use crate::text::{clean, count, wrap};
use crate::vault::SlotKind;

/// From so many columns on words have a column of their own, and sentences are whole.
pub const WIDE: u16 = 60;
/// That column, counted from the left edge of the text.
pub const BESIDE: u16 = 14;
/// The most columns of a line of text: longer ones are hard to read.
pub const LONGEST: u16 = 76;

/// Items that are named where they cannot be read; the command line names all.
const MOST_UNREAD: usize = 3;

/// A line of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Nothing: sections stand apart.
    Gap,
    /// A word, empty on the second line of a text, and what stands beside it.
    Text(&'static str, String),
    /// A key, and what it does.
    Key(&'static str, &'static str),
    /// The device of this number.
    Device(usize),
}

/// The column at which text begins.
pub const fn left(width: u16) -> u16 {
    if width >= WIDE { 3 } else { 1 }
}

/// How many lines are in view at once.
pub const fn room(size: (u16, u16)) -> usize {
    // The title, the keys, and in a tall one a blank line and that of notices.
    size.1.saturating_sub(if size.1 > 8 { 4 } else { 2 }) as usize
}

/// The first line in view: as it was scrolled to, and never past the last.
pub fn top(view: &View, rows: usize, size: (u16, u16)) -> usize {
    view.top.min(rows.saturating_sub(room(size)))
}

/// Moves the selection, and the page where there is nothing more to select, so that the selected device stays in view.
pub fn step(view: &mut View, rows: &[Row], devices: usize, size: (u16, u16), down: bool) {
    let first = top(view, rows.len(), size);
    let to = if down { view.selected + 1 } else { view.selected.wrapping_sub(1) };
    if to >= devices {
        scroll(view, rows.len(), size, if down { 1 } else { -1 });
        return;
    }
    view.selected = to;
    let at = rows.iter().position(|row| *row == Row::Device(to)).unwrap_or(first);
    view.top = first.min(at).max((at + 1).saturating_sub(room(size)));
}

/// Moves the page by so many lines.
pub fn scroll(view: &mut View, rows: usize, size: (u16, u16), by: isize) {
    view.top = top(view, rows, size).saturating_add_signed(by);
    view.top = top(view, rows, size);
}

/// Scrolls to what a look at every item found, where that is out of view.
pub fn show_verified(view: &mut View, rows: &[Row], size: (u16, u16)) {
    let is_found = |row: &Row| matches!(row, Row::Text("verified", _));
    let Some(at) = rows.iter().position(is_found) else { return };
    let more = rows[at..].iter().take_while(|row| is_found(row) || matches!(row, Row::Text("", _))).count();
    let first = top(view, rows.len(), size);
    if at < first || at + more > first + room(size) {
        view.top = at;
    }
}

/// All lines.
pub fn rows(session: &Session, model: &Model) -> Vec<Row> {
    let mut page = Page { width: model.size.0, gap: model.size.1 >= 20, rows: Vec::new() };
    page.places(session, model);
    page.verified(session);
    page.rows.extend((0..session.backup.devices.len()).map(Row::Device));
    page.section();
    page.line("stored", "secrets, account names and code settings, sealed");
    page.line("not stored", "notes, tags, favourites, order, use counts");
    page.section();
    page.line("opens with", &opens_with(session));
    page.rows
}

struct Page {
    width: u16,
    gap: bool,
    rows: Vec<Row>,
}

impl Page {
    fn wide(&self) -> bool {
        self.width >= WIDE
    }

    /// Begins a section.
    fn section(&mut self) {
        if self.gap && self.rows.last().is_some_and(|row| *row != Row::Gap) {
            self.rows.push(Row::Gap);
        }
    }

    /// A word and what stands beside it, over as many lines as it takes.
    fn line(&mut self, word: &'static str, text: &str) {
        let beside = if self.wide() { BESIDE } else { word.len() as u16 + u16::from(!word.is_empty()) };
        let columns = self.width.saturating_sub(left(self.width) + beside + 1).min(LONGEST);
        let parts = wrap(text, columns as usize);
        self.rows
            .extend(parts.into_iter().enumerate().map(|(i, part)| Row::Text(if i == 0 { word } else { "" }, part)));
    }

    /// Every place with how it stands, how far a copy there reaches, and why it is not on.
    fn places(&mut self, session: &Session, model: &Model) {
        let all = &session.backup.standing;
        if all.is_empty() {
            return self.line("", "asking the keychain…");
        }
        for status in all {
            // The keychain that cannot be had is told of where nothing else keeps the accounts.
            let kept = session.backup.keeping(status).next().is_some();
            if status.standing == Standing::Unavailable && status.last.is_none() && kept {
                continue;
            }
            let who = match organisation(&status.to.identity) {
                Some(name) => format!("{}: ", clean(name)),
                None if all.iter().any(|status| organisation(&status.to.identity).is_some()) => {
                    String::from("personal: ")
                }
                None => String::new(),
            };
            // Where only the first lines are in view, how it stands comes first.
            if !self.wide() {
                self.line("", &stands(status, model));
            }
            self.line("kept in", &format!("{who}{}", place(&status.to.store)));
            if self.wide() {
                self.line("", &stands(status, model));
            }
            if status.standing == Standing::On {
                self.reach(status, all);
            } else if let Some(reason) = status.reason.as_ref().filter(|_| status.standing != Standing::Off) {
                self.line("why", &clean(reason));
            }
            if let Some(words) = ruled(status, &model.policy) {
                self.line("policy", &words);
            }
            if let Some(words) = standing::went_back(status.went_back.iter().map(String::as_str)) {
                self.line("note", &words);
            }
            self.section();
        }
    }

    /// "Backed up" is never said without how far it reaches.
    fn reach(&mut self, status: &Status, all: &[Status]) {
        let elsewhere = all.iter().any(|other| matches!(other.to.store, Store::Folder(_)) && other.to.on);
        match status.to.store {
            Store::Keychain { .. } if elsewhere => self.line("reach", "this computer only"),
            Store::Keychain { .. } if !self.wide() => self.line("reach", "this computer only; f adds a folder"),
            Store::Keychain { .. } => {
                self.line("reach", "this computer only: a lost disk takes the backup with it");
                self.rows.push(Row::Key("f", "also keep it in a folder that you sync"));
            }
            Store::Folder(_) => self.line("reach", "wherever this folder goes"),
        }
    }

    fn verified(&mut self, session: &Session) {
        for (store, found) in &session.backup.verified {
            let text = if found.lacking == 0 && found.unread.is_empty() {
                format!(
                    "{store}: all {} opened, {} can be restored",
                    count(found.items, "item"),
                    count(found.accounts, "account")
                )
            } else {
                format!(
                    "{store}: {} can be restored, {} lacking or older, {} of {} missing or unreadable: n mends it",
                    count(found.accounts, "account"),
                    found.lacking,
                    found.unread.len(),
                    count(found.items, "item")
                )
            };
            self.line("verified", &text);
            // Named, since `n` writes anew what is this machine's own and nothing else.
            for item in found.unread.iter().take(MOST_UNREAD) {
                self.line("", &format!("{} {}", clean(&item.at), item.why.words()));
            }
            if let Some(words) = standing::went_back(found.went_back.iter().map(|head| head.label.as_str())) {
                self.line("", &words);
            }
        }
        if !session.backup.verified.is_empty() {
            self.section();
        }
    }
}

/// What the machine's policy says of an organisation's backup.
fn ruled(status: &Status, policy: &Policy) -> Option<String> {
    let name = clean(organisation(&status.to.identity)?);
    let words = match policy.backup {
        policy::Backup::Required => format!("{name} requires it"),
        policy::Backup::Allowed => format!("{name} allows it"),
        policy::Backup::Forbidden => format!("{name} does not allow it"),
    };
    let names = if status.to.names_only { "; the names alone are kept, no secrets" } else { "" };
    Some(words + names)
}

fn stands(status: &Status, model: &Model) -> String {
    let last = status.last.map(|last| ago(last, model.now));
    let there = count(status.accounts, "account");
    match (status.standing, last) {
        (Standing::Off, None) => String::from("off; d turns it on"),
        (Standing::Off, Some(last)) => format!("off; {there}, {last}, stay there; d turns it on"),
        // All of it is there, as far as could be seen.
        (_, Some(last)) if status.pending == 0 => format!("{there}, {last}"),
        (_, Some(last)) => format!("{} waiting; {there}, {last}, are there", status.pending),
        (_, None) if status.pending == 0 => String::from("nothing lies there yet"),
        (_, None) => format!("{} waiting; nothing lies there yet", status.pending),
    }
}

/// What a device calls itself, with a word where it is this one.
pub fn name(seen: &Seen) -> String {
    let label = if seen.device.label.is_empty() { "(does not open)".into() } else { clean(&seen.device.label) };
    format!("{label}{}", if seen.this { " (this one)" } else { "" })
}

/// What opens the copies on a new machine.
fn opens_with(session: &Session) -> String {
    let has = |kind| session.vault.slots().iter().any(|slot| slot.kind() == kind);
    let ways = [
        (SlotKind::Keychain, "the keychain that holds it"),
        (SlotKind::Password, "your password"),
        (SlotKind::Recovery, "your recovery key"),
    ];
    let ways: Vec<&str> = ways.into_iter().filter(|(kind, _)| has(*kind)).map(|(_, words)| words).collect();
    ways.join(", ")
}
