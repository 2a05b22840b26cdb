//! The keys in the last line and the tabs in the second: what they say and where, for the drawing and for the mouse.

use super::backup::View as BackupView;
use super::export::Step as ExportStep;
use super::import::Step as ImportStep;
use super::keys::{Action, describe, show};
use super::layout::WIDE;
use super::model::{Model, Stage};
use super::owner::Owner;
use super::past::Side;
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
    /// What a click does; nothing for keys of a form.
    pub action: Option<Action>,
    /// The first column.
    pub from: u16,
    /// The column after the last.
    pub to: u16,
}

/// The keys of a restore.
pub fn restore_keys(restore: &Restore) -> Vec<(&'static str, &'static str)> {
    match &restore.step {
        RestoreStep::Folder(_) => vec![("enter", "look there"), ("esc", "back")],
        RestoreStep::Looking { .. } => vec![("esc", "cancel")],
        RestoreStep::Key { .. } => vec![("enter", "open it"), ("tab", "from a folder"), ("esc", "back")],
        RestoreStep::Preview(_) => vec![("enter", "restore"), ("f", "from a folder"), ("esc", "back")],
        RestoreStep::Making => Vec::new(),
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

    /// The keys that matter in this mode, as many as fit, the important ones first to stay.
    pub fn footer(&self) -> Vec<Item> {
        let Stage::Open(session) = &self.stage else { return Vec::new() };
        let fixed = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, word)| (show(key, self.ascii()), (*word).to_owned(), None)).collect::<Vec<_>>()
        };
        let mut items = match &session.modal {
            Some(Modal::Palette(_)) => fixed(&[("enter", "do it"), ("up", "up"), ("down", "down"), ("esc", "close")]),
            // A question carries its keys itself.
            Some(Modal::Delete(_) | Modal::Qr(..) | Modal::Leave) => Vec::new(),
            Some(Modal::Form(form)) => {
                let save = if form.enrols {
                    "enrol"
                } else if form.editing.is_some() {
                    "save"
                } else {
                    "add"
                };
                let mut keys =
                    vec![("enter", save), ("tab", "next field"), ("ctrl-r", "show secret"), ("esc", "leave")];
                if form.focus.is_choice() {
                    keys.insert(1, ("space", "choose"));
                }
                fixed(&keys)
            }
            Some(Modal::Tags(tags)) if tags.chosen.is_some() => {
                fixed(&[("enter", "take it"), ("up", "back"), ("esc", "leave")])
            }
            Some(Modal::Tags(_)) => {
                fixed(&[("enter", "save"), ("tab", "complete"), ("down", "choose"), ("esc", "leave")])
            }
            Some(Modal::Export(flow)) => match flow.step {
                ExportStep::Format => fixed(&[("enter", "choose"), ("esc", "leave")]),
                ExportStep::Password { .. } => fixed(&[("enter", "go on"), ("esc", "back")]),
                ExportStep::Path => fixed(&[("enter", "write it"), ("esc", "back")]),
                ExportStep::Open | ExportStep::Replace | ExportStep::Writing => Vec::new(),
                ExportStep::Done(_) => fixed(&[("enter", "close")]),
            },
            Some(Modal::Paste(..)) => fixed(&[("enter", "take it"), ("esc", "leave")]),
            Some(Modal::Import(flow)) => match &flow.step {
                ImportStep::Path { .. } if !flow.offered().is_empty() => {
                    fixed(&[("↓", "choose"), ("enter", "read it"), ("tab", "complete"), ("esc", "leave")])
                }
                ImportStep::Path { .. } => fixed(&[("enter", "read it"), ("tab", "complete"), ("esc", "leave")]),
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
            Some(Modal::Past(past)) if past.ask.is_some() => Vec::new(),
            Some(Modal::Past(past)) => match past.tab {
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

    fn backup_keys(&self, view: &BackupView) -> Vec<(String, String, Option<Action>)> {
        let Some(session) = self.session().filter(|_| view.ask.is_none()) else { return Vec::new() };
        let off = session.backup.standing.iter().all(|status| status.standing == Standing::Off);
        let others = session.backup.devices.iter().any(|seen| !seen.this);
        let mut keys = vec![("n", "now"), ("v", "verify"), ("f", "folder"), ("r", "restore")];
        if off {
            keys.drain(..2);
        }
        keys.push(("d", if off { "turn on" } else { "turn off" }));
        if others {
            keys.push(("x", "forget"));
        }
        keys.push(("esc", "back"));
        keys.iter().map(|(key, word)| (show(key, self.ascii()), (*word).to_owned(), None)).collect()
    }

    fn actions(&self, actions: &[Action]) -> Vec<(String, String, Option<Action>)> {
        actions
            .iter()
            .filter_map(|action| {
                let key = self.keymap.keys(*action).first()?;
                Some((show(key, self.ascii()), describe(*action).short.to_owned(), Some(*action)))
            })
            .collect()
    }

    /// Keeps what fits from the front (the important ones stand there), then sorts help and quit to the end.
    fn place(&self, items: &mut Vec<(String, String, Option<Action>)>) -> Vec<Item> {
        let gap: u16 = if self.size.0 >= WIDE { 3 } else { 2 };
        let needs = |(key, word, _): &(String, String, Option<Action>)| (width(key) + 1 + width(word)) as u16;
        let mut used = 1;
        let mut kept = 0;
        for item in items.iter() {
            if used + needs(item) > self.size.0 {
                break;
            }
            used += needs(item) + gap;
            kept += 1;
        }
        items.truncate(kept);
        items.sort_by_key(|(_, _, action)| match action {
            Some(Action::Palette) => 1,
            Some(Action::Help) => 2,
            Some(Action::Quit) => 3,
            _ => 0,
        });
        let mut x = 1;
        items
            .drain(..)
            .map(|item| {
                let from = x;
                let to = from + needs(&item);
                x = to + gap;
                Item { key: item.0, word: item.1, action: item.2, from, to }
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
        let mut x = 1u16;
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
