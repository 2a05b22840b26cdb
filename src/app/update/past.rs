//! The trash and the older copies: bringing back, deleting for good, restoring.

use crossterm::event::{KeyCode, KeyEvent};

use super::change;
use crate::app::Model;
use crate::app::event::Effect;
use crate::app::model::Tone;
use crate::app::past::{Ask, Copies, Kept, Past, Side, title, trashed};
use crate::app::session::{Modal, Undo};
use crate::report::Report;
use crate::vault::envelope::Unlocked;
use crate::vault::file::FileError;
use crate::vault::history::Reason;
use crate::vault::{EntryId, changes};

/// Opens the screen; the copies are read meanwhile.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let demo = model.demo;
    let Some(session) = model.session_mut() else { return Vec::new() };
    let copies = if demo { Copies::Read(Vec::new()) } else { Copies::Reading };
    session.modal = Some(Modal::Past(Box::new(Past { copies, ..Past::default() })));
    if demo { Vec::new() } else { model.with_vault(Effect::History) }
}

fn past(model: &mut Model) -> Option<&mut Past> {
    match &mut model.session_mut()?.modal {
        Some(Modal::Past(past)) => Some(past),
        _ => None,
    }
}

/// A key on the screen.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(session) = model.session() else { return Vec::new() };
    let ids = trashed(session.state());
    let Some(past) = past(model) else { return Vec::new() };
    if let Some(ask) = past.ask {
        return answer(model, ask, key.code);
    }
    let rows = match past.tab {
        Side::Trash => ids.len(),
        Side::History => past.copies.list().len(),
    };
    let selected = past.selected.min(rows.saturating_sub(1));
    match (key.code, past.tab) {
        (KeyCode::Up | KeyCode::Char('k'), _) => past.selected = selected.saturating_sub(1),
        (KeyCode::Down | KeyCode::Char('j'), _) => past.selected = (selected + 1).min(rows.saturating_sub(1)),
        (KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right, tab) => {
            past.tab = if tab == Side::Trash { Side::History } else { Side::Trash };
            past.selected = 0;
        }
        (KeyCode::Char('q' | 'H'), _) => model.uncover(),
        (KeyCode::Enter | KeyCode::Char('u'), Side::Trash) => {
            if let Some(id) = ids.get(selected) {
                past.selected = selected.min(ids.len().saturating_sub(2));
                bring_back(model, *id);
            }
        }
        (KeyCode::Char('x') | KeyCode::Delete, Side::Trash) => past.ask = ids.get(selected).map(|id| Ask::Purge(*id)),
        (KeyCode::Enter, Side::History) => {
            past.selected = selected;
            match past.copies.list().get(selected) {
                Some(Kept { accounts: None, .. }) => {
                    model.say(Tone::Warn, "this copy does not open with the vault's key");
                }
                Some(kept) if kept.back.is_empty() && kept.changed == 0 => {
                    model.say(Tone::Info, "the vault holds everything that is in this copy");
                }
                Some(_) => past.ask = Some(Ask::Restore(selected)),
                None => {}
            }
        }
        _ => {}
    }
    Vec::new()
}

fn answer(model: &mut Model, ask: Ask, code: KeyCode) -> Vec<Effect> {
    let yes = code == KeyCode::Char('y') || (code == KeyCode::Enter && matches!(ask, Ask::Restore(_)));
    if !yes && !matches!(code, KeyCode::Esc | KeyCode::Char('n' | 'q')) {
        return Vec::new();
    }
    let Some(past) = past(model) else { return Vec::new() };
    past.ask = None;
    match ask {
        Ask::Purge(id) if yes => purge(model, id),
        Ask::Restore(at) if yes => {
            let path = past.copies.list().get(at).map(|kept| kept.path.clone());
            if let Some(path) = path {
                return model.with_vault(|generation, vault| Effect::ReadCopy(generation, path, vault));
            }
        }
        _ => {}
    }
    Vec::new()
}

fn bring_back(model: &mut Model, id: EntryId) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    if change::restore(session, id, now, device) {
        session.refresh();
        session.select(id);
        let title = session.row(id).map_or_else(String::new, super::super::rows::Row::title);
        change::remember(session, Undo::Trash(vec![id], format!("{title} is in the trash again")));
        model.say_or(Tone::Good, format!("{title} is back"), "it is back");
        model.changed();
    }
}

fn purge(model: &mut Model, id: EntryId) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    let title = title(session.state().get(&id));
    let stamp = session.stamp(now, device);
    if session.state_mut().purge(id) {
        session.state_mut().note(stamp);
        session.changed();
        model.say(Tone::Good, format!("{title} is deleted for good; only older copies have it"));
    }
}

/// The older copies were read.
pub fn history(model: &mut Model, generation: u64, read: Result<Vec<Kept>, FileError>) -> Vec<Effect> {
    if generation == model.generation
        && let Some(past) = past(model)
    {
        past.copies = match read {
            Ok(copies) => Copies::Read(copies),
            Err(error) => Copies::Failed(Box::new(Report::from(&error))),
        };
    }
    Vec::new()
}

/// A copy was read that is to be restored: joins it, and brings back what was in use in it.
pub fn copy_read(model: &mut Model, generation: u64, read: Result<Box<Unlocked>, FileError>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return Vec::new() };
    let copy = match read {
        Ok(copy) => copy,
        Err(error) => {
            model.say_report(&Report::from(&error));
            return Vec::new();
        }
    };
    let before = session.vault.state.clone();
    session.vault.absorb(&copy);
    let stamp = session.stamp(now, device);
    session.state_mut().bring_back(&copy.state, stamp);
    let news = changes(&before, &session.vault.state);
    let back: Vec<EntryId> = news.added.iter().chain(&news.restored).copied().collect();
    session.refresh();
    session.saving.reason = Some(Reason::Restore);
    session.modal = None;
    let words = format!("restored: {} back, {} changed", back.len(), news.changed.len());
    change::remember(session, Undo::Trash(back, String::from("what the older copy brought back is in the trash")));
    session.changed();
    model.say(Tone::Good, words);
    Vec::new()
}
