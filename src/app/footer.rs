//! The keys in the last line and the tabs in the second: what they say and where, for the drawing and for the mouse.

use crossterm::event::{KeyCode, KeyModifiers};

use super::backup::{Ask, View as BackupView};
use super::export::Step as ExportStep;
use super::form::Field;
use super::import::Step as ImportStep;
use super::keys::{Action, Press, describe, parse, show};
use super::layout::WIDE;
use super::model::{Model, Notice, Stage, Tone};
use super::owner::Owner;
use super::past::{Side, trashed};
use super::recovery::Sheet;
use super::rekey::Step as RekeyStep;
use super::renewal::Step as RenewalStep;
use super::restore::{Restore, Step as RestoreStep};
use super::rows::Tab;
use super::session::Modal;
use crate::backup::standing::Standing;
use crate::config::Glyphs;
use crate::text::width;

/// One key with its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The key as shown.
    pub key: String,
    /// What it does.
    pub word: String,
    /// What a click does.
    pub click: Click,
    /// The first column.
    pub from: u16,
    /// The column after the last.
    pub to: u16,
}

/// Which of things that need so many columns, with a gap between them, fit into a row: from the front on, but the last
/// before those in between where it must be there.
pub fn fitting(needs: &[usize], columns: usize, gap: usize, keep_last: bool) -> Vec<usize> {
    let last = needs.len().checked_sub(1).filter(|last| keep_last && *last > 0);
    let reserved = last.map_or(0, |last| needs[last] + gap);
    let whole = needs.iter().sum::<usize>() + gap * needs.len().saturating_sub(1) <= columns;
    if whole {
        return (0..needs.len()).collect();
    }
    let mut used = 0;
    let mut kept = Vec::new();
    for (at, need) in needs.iter().enumerate().take(last.unwrap_or(needs.len())) {
        // The first stays whatever it displaces.
        if used + need + if at == 0 { 0 } else { reserved } > columns {
            break;
        }
        used += need + gap;
        kept.push(at);
    }
    kept.extend(last.filter(|last| used + needs[*last] <= columns));
    kept
}

/// A key as shown, its word, and what a click does.
type Listed = (String, String, Click);

/// What a click on a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// An action of the list.
    Act(Action),
    /// The same as the key.
    Press(Press),
}

/// The keys of a restore.
pub fn restore_keys(restore: &Restore) -> Vec<(&'static str, &'static str)> {
    let folder = if restore.folder.is_some() { "another folder" } else { "from a folder" };
    match &restore.step {
        RestoreStep::Folder(_) => vec![("enter", "look there"), ("tab", "complete"), ("esc", "back")],
        RestoreStep::Looking { .. } => vec![("esc", "cancel")],
        RestoreStep::Key { .. } => vec![("enter", "open it"), ("tab", folder), ("esc", "back")],
        RestoreStep::Preview(preview) => {
            let another = (!preview.others.is_empty()).then_some(("tab", "another backup"));
            [("enter", "restore")].into_iter().chain(another).chain([("f", folder), ("esc", "back")]).collect()
        }
        RestoreStep::Making => Vec::new(),
    }
}

/// The keys of the flow that makes new keys.
const fn rekey_keys(step: &RekeyStep) -> &'static [(&'static str, &'static str)] {
    match step {
        RekeyStep::Present(_) => &[("enter", "go on"), ("tab", "a new one"), ("esc", "leave")],
        RekeyStep::New { .. } => &[("enter", "go on"), ("esc", "back")],
        RekeyStep::NoPassword => &[("enter", "go on"), ("tab", "set a password"), ("esc", "leave")],
        RekeyStep::Making(_) => &[("esc", "cancel")],
        RekeyStep::Recovery(_, Sheet { check: None, .. }) => &[("enter", "it is written down"), ("esc", "leave")],
        RekeyStep::Recovery(..) => &[("enter", "go on"), ("esc", "show the key again")],
        RekeyStep::Ready(_) | RekeyStep::Saving => &[],
        RekeyStep::Again(_) => &[("enter", "try again"), ("esc", "give it up")],
    }
}

/// The keys of the flow that makes a new recovery key.
const fn renewal_keys(step: &RenewalStep) -> &'static [(&'static str, &'static str)] {
    match step {
        RenewalStep::Question => &[("enter", "make it"), ("esc", "leave")],
        RenewalStep::Making => &[("esc", "cancel")],
        RenewalStep::Recovery(_, Sheet { check: None, .. }) => &[("enter", "it is written down"), ("esc", "leave")],
        RenewalStep::Recovery(..) => &[("enter", "go on"), ("esc", "show the key again")],
        RenewalStep::Saving => &[],
        RenewalStep::Again(_) => &[("enter", "try again"), ("esc", "give it up")],
    }
}

/// What pressing the key makes of accounts that are to come.
fn owner_words(owner: &Owner) -> String {
    if owner.personal { format!("{}'s", crate::text::fit(&owner.organisation, 16)) } else { String::from("personal") }
}

impl Model {
    fn ascii(&self) -> bool {
        self.config.glyphs == Glyphs::Ascii || self.config.accessible
    }

    /// What stands in the line of notices: what is not saved, before what just happened, before a clock that cannot be right.
    pub fn notice_in_force(&self) -> Option<Notice> {
        let standing = |tone, text| Notice { tone, text, short: None, until: None };
        if let Some((session, report)) = self.session().and_then(|s| Some((s, s.saving.failed.as_ref()?))) {
            let key = self.key_name(Action::Save);
            // The report's own next step is a command's; here the change waits and a key tries again.
            let why = report.problem.strip_prefix("Not saved: ").unwrap_or(&report.problem);
            let text = if session.saving.vanished {
                format!("The vault's file has vanished. All of it is here still; {key} saves it anew.")
            } else {
                format!("Not saved: {why}. It is kept here; {key} saves again.")
            };
            let short = (self.size.0 < WIDE).then(|| format!("not saved; {key} saves again"));
            return Some(Notice { short, ..standing(Tone::Error, text) });
        }
        // Calm, but there as long as it is so; whatever just happened goes first.
        let unwritten = || {
            self.recovery_key_is_unwritten().then(|| {
                let key = self.key_name(Action::Palette);
                let text = format!("the recovery key was never written down; `{key} recovery key` makes a new one");
                let short = (self.size.0 < WIDE).then(|| format!("{key} recovery key: write one down"));
                Notice { short, ..standing(Tone::Warn, text) }
            })
        };
        let clock = || self.clock_trouble().map(|text| standing(Tone::Warn, text));
        self.notice.clone().or_else(clock).or_else(unwritten)
    }

    /// Whether the notice needs the row of the keys as well, for as long as it stands.
    pub fn notice_covers_keys(&self) -> bool {
        let room = usize::from(self.size.0.saturating_sub(4)).max(1);
        // One that stays would hide them for good.
        let goes = |notice: &Notice| notice.until.is_some() && notice.short.is_none();
        let long = |notice: Notice| goes(&notice) && width(&notice.text) > room;
        self.panes().keys.is_some() && self.notice_in_force().is_some_and(long)
    }

    /// The keys that matter in this mode, as many as fit, the important ones first to stay.
    pub fn footer(&self) -> Vec<Item> {
        let Stage::Open(session) = &self.stage else { return Vec::new() };
        if session.modal.is_none() && !session.big && self.notice_covers_keys() {
            return Vec::new();
        }
        // A low page has no other row for what was answered.
        let paged = matches!(session.modal, Some(Modal::Backup(_) | Modal::Past(_)));
        if paged && self.size.1 <= 8 && self.notice.is_some() {
            return Vec::new();
        }
        let fixed = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, word)| self.key(key, word)).collect::<Vec<_>>();
        let mut items = match &session.modal {
            Some(Modal::Palette(_)) => fixed(&[("enter", "do it"), ("up", "up"), ("down", "down"), ("esc", "close")]),
            // A question carries its keys itself.
            Some(Modal::Delete(_) | Modal::Qr(..) | Modal::Access(_) | Modal::Leave) => Vec::new(),
            Some(Modal::Form(form)) => {
                let save = if form.enrols {
                    "enrol"
                } else if form.editing.is_some() {
                    "save"
                } else {
                    "add"
                };
                let secret = if form.show_secret { "hide secret" } else { "show secret" };
                let mut keys = vec![("enter", save), ("tab", "next field"), ("ctrl-r", secret), ("esc", "leave")];
                // Nothing is there to be shown.
                keys.retain(|(key, _)| *key != "ctrl-r" || form.kept(Field::Secret).is_none());
                if form.focus.is_choice() {
                    keys.insert(1, ("space", "choose"));
                }
                fixed(&keys)
            }
            Some(Modal::Tags(tags)) if tags.chosen.is_some() => {
                fixed(&[("enter", "take it"), ("up", "back"), ("esc", "leave")])
            }
            Some(Modal::Tags(tags)) if tags.offered().is_empty() => fixed(&[("enter", "save"), ("esc", "leave")]),
            Some(Modal::Tags(_)) => {
                fixed(&[("enter", "save"), ("tab", "complete"), ("down", "choose"), ("esc", "leave")])
            }
            Some(Modal::Export(flow)) => match flow.step {
                ExportStep::Format => fixed(&[("enter", "choose"), ("esc", "leave")]),
                ExportStep::Password { .. } => fixed(&[("enter", "go on"), ("esc", "back")]),
                ExportStep::Path => fixed(&[("enter", "write it"), ("tab", "complete"), ("esc", "back")]),
                ExportStep::Open | ExportStep::Replace | ExportStep::Writing => Vec::new(),
                ExportStep::Done(_) => fixed(&[("enter", "close")]),
            },
            Some(Modal::Paste(..)) => fixed(&[("enter", "take it"), ("esc", "leave")]),
            Some(Modal::Import(flow)) => match &flow.step {
                ImportStep::Path(line) if !line.offered().is_empty() => {
                    fixed(&[("down", "choose"), ("enter", "read it"), ("tab", "complete"), ("esc", "leave")])
                }
                ImportStep::Path(_) => fixed(&[("enter", "read it"), ("tab", "complete"), ("esc", "leave")]),
                ImportStep::Password { .. } => fixed(&[("enter", "open it"), ("esc", "back")]),
                ImportStep::Reading { .. } => fixed(&[("esc", "cancel")]),
                ImportStep::Preview(preview) => {
                    let n = preview.count(super::import::Fate::comes);
                    let word = format!("import {n}");
                    let mut keys = vec![("enter", word.as_str()), ("space", "choose")];
                    let other = preview.owner.as_ref().map(|owner| format!("make them {}", owner_words(owner)));
                    if let Some(other) = &other {
                        keys.push(("o", other));
                    }
                    keys.extend([("a", "all or none"), ("tab", "next problem"), ("esc", "cancel")]);
                    fixed(&keys)
                }
            },
            Some(Modal::Backup(view)) => self.backup_keys(view),
            Some(Modal::Restore(restore)) => fixed(&restore_keys(restore)),
            Some(Modal::Rekey(flow)) => fixed(rekey_keys(&flow.step)),
            Some(Modal::Renewal(flow)) => fixed(renewal_keys(&flow.step)),
            Some(Modal::Password(flow)) if flow.saving => Vec::new(),
            Some(Modal::Password(_)) => fixed(&[("enter", "go on"), ("esc", "back")]),
            Some(Modal::Past(past)) if past.ask.is_some() => Vec::new(),
            Some(Modal::Past(past)) => match past.tab {
                Side::Trash if trashed(session.state()).is_empty() => fixed(&[("tab", "history"), ("esc", "close")]),
                Side::History if past.copies.list().is_empty() => fixed(&[("tab", "trash"), ("esc", "close")]),
                Side::Trash => {
                    fixed(&[("enter", "bring it back"), ("x", "delete for good"), ("tab", "history"), ("esc", "close")])
                }
                Side::History => fixed(&[("enter", "restore"), ("tab", "trash"), ("esc", "close")]),
            },
            None if session.query.is_some() => fixed(&[("enter", "copy"), ("tab", "copy next"), ("esc", "leave")]),
            None if session.rows.all.is_empty() => {
                self.actions(&[Action::Paste, Action::Import, Action::Add, Action::Help, Action::Quit, Action::Palette])
            }
            None if session.saving.failed.is_some() => {
                self.actions(&[Action::Save, Action::Copy, Action::Search, Action::Palette, Action::Help, Action::Quit])
            }
            None => self.actions(&[
                Action::Copy,
                Action::Search,
                Action::Help,
                Action::Add,
                Action::Quit,
                Action::Import,
                Action::Backup,
                Action::Palette,
                Action::Paste,
                Action::Edit,
                Action::Lock,
            ]),
        };
        self.place(&mut items)
    }

    fn backup_keys(&self, view: &BackupView) -> Vec<Listed> {
        let Some(session) = self.session() else { return Vec::new() };
        match view.ask {
            None => {}
            // A question carries its keys itself.
            Some(Ask::Off | Ask::Forget(_)) => return Vec::new(),
            Some(Ask::Folder(..)) => {
                let keys = [("enter", "keep it there"), ("tab", "complete"), ("esc", "back")];
                return keys.iter().map(|(key, word)| self.key(key, word)).collect();
            }
        }
        let off = session.backup.standing.iter().all(|status| status.standing == Standing::Off);
        let others = session.backup.devices.iter().any(|seen| !seen.this);
        let mut keys = vec![("n", "now"), ("v", "verify"), ("f", "folder"), ("r", "restore")];
        if off {
            keys.drain(..2);
            keys.push(("d", "turn on"));
        } else if self.policy.requires_backup().is_none() {
            keys.push(("d", "turn off"));
        }
        if others {
            keys.push(("x", "forget"));
        }
        keys.push(("esc", "back"));
        keys.iter().map(|(key, word)| self.key(key, word)).collect()
    }

    /// A key of a mode, by its name.
    fn key(&self, key: &str, word: &str) -> Listed {
        let press = parse(key).unwrap_or((KeyCode::Null, KeyModifiers::NONE));
        (show(key, self.ascii()), word.to_owned(), Click::Press(press))
    }

    fn actions(&self, actions: &[Action]) -> Vec<Listed> {
        actions
            .iter()
            .filter_map(|action| {
                let key = self.keymap.keys(*action).first()?;
                Some((show(key, self.ascii()), describe(*action).short.to_owned(), Click::Act(*action)))
            })
            .collect()
    }

    /// Keeps what fits from the front (the important ones stand there), then sorts help and quit to the end.
    fn place(&self, items: &mut Vec<Listed>) -> Vec<Item> {
        let gap: u16 = if self.size.0 >= WIDE { 3 } else { 2 };
        let needs = |(key, word, _): &Listed| (width(key) + 1 + width(word)) as u16;
        // The last key of a mode leads out of it; the list's last is one among many.
        let way_out = items.last().is_some_and(|(_, _, click)| matches!(click, Click::Press(_)));
        let all: Vec<usize> = items.iter().map(|item| needs(item).into()).collect();
        let kept = fitting(&all, self.size.0.saturating_sub(1).into(), gap.into(), way_out);
        let mut at = 0;
        items.retain(|_| {
            at += 1;
            kept.contains(&(at - 1))
        });
        items.sort_by_key(|(_, _, click)| match click {
            Click::Act(Action::Palette) => 1,
            Click::Act(Action::Help) => 2,
            Click::Act(Action::Quit) => 3,
            _ => 0,
        });
        let mut x = 1;
        items
            .drain(..)
            .map(|item| {
                let from = x;
                let to = from + needs(&item);
                x = to + gap;
                Item { key: item.0, word: item.1, click: item.2, from, to }
            })
            .collect()
    }

    /// What the tabs say, in their order.
    pub fn tab_words(&self) -> Vec<String> {
        let Some(session) = self.session() else { return Vec::new() };
        session
            .rows
            .tabs
            .iter()
            .map(|(tab, n)| match tab {
                Tab::All => format!("All {n}"),
                Tab::Favourites if self.config.accessible => format!("favourites {n}"),
                Tab::Favourites if self.ascii() => format!("* {n}"),
                Tab::Favourites => format!("★ {n}"),
                Tab::Personal => format!("personal {n}"),
                Tab::Organisation(name) => {
                    format!("{} {} {n}", crate::app::rows::mark(self.ascii()), crate::text::fit(name, 16))
                }
                Tab::Tag(tag) => format!("{} {n}", crate::text::fit(tag, 16)),
            })
            .collect()
    }

    /// The tabs that fit, each by its place among all with its columns, from and to. The one in view is always among them.
    pub fn tab_spans(&self) -> Vec<(usize, u16, u16)> {
        let most = self.size.0.saturating_sub(20);
        let words = self.tab_words();
        let selected = self.session().map_or(0, |session| session.tab).min(words.len().saturating_sub(1));
        let needs = |from: usize| words[from..=selected].iter().map(|word| width(word) + 3).sum::<usize>();
        // From the first on, or as far as it takes to show the one in view.
        let first = (0..selected).find(|from| needs(*from) < usize::from(most) + 3).unwrap_or(selected);
        // Where some are left out before it, a sign stands there.
        let mut x = if first == 0 { 1u16 } else { 3 };
        let mut spans = Vec::new();
        for (at, word) in words.iter().enumerate().skip(first) {
            let to = x + width(word) as u16;
            if to > most && at != selected {
                break;
            }
            spans.push((at, x, to));
            x = to + 3;
        }
        spans
    }
}
