//! Keys while the tags of an account are changed.

use crossterm::event::{KeyCode, KeyEvent};

use super::change;
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::app::session::{Modal, Undo};
use crate::app::tags::{Tags, words};

/// Opens the line for the selected account.
pub fn open(model: &mut Model) {
    let Some(session) = model.session_mut() else { return };
    let Some(id) = session.selected_row().map(|row| row.id) else { return };
    session.modal = Some(Modal::Tags(Box::new(Tags::new(&session.vault.state, id))));
}

/// A key.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(Modal::Tags(tags)) = model.session_mut().and_then(|s| s.modal.as_mut()) else { return Vec::new() };
    match key.code {
        KeyCode::Down => tags.choose(false),
        KeyCode::Up => tags.choose(true),
        KeyCode::Tab => drop(tags.take()),
        KeyCode::Enter if tags.chosen.is_some() => drop(tags.take()),
        KeyCode::Enter => save(model),
        _ => {
            if tags.line.key(key) {
                tags.chosen = None;
            }
        }
    }
    Vec::new()
}

fn save(model: &mut Model) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    let Some(Modal::Tags(tags)) = session.modal.take() else { return };
    let after = tags.typed();
    let Some(entry) = session.state().get(&tags.id) else { return };
    let before: Vec<String> = entry.tags().map(str::to_owned).collect();
    let title = session.row(tags.id).map_or_else(String::new, |row| row.short().to_owned());
    let undo = change::retag(session, tags.id, &before, &after, now, device);
    if undo.is_empty() {
        return;
    }
    // Where the last one with a tag lost it, its tab is gone and all are shown: the account stays selected.
    session.refresh();
    session.select(tags.id);
    change::remember(session, Undo::Set(tags.id, Vec::new(), undo, format!("the tags of {title}")));
    let text = match after.len() {
        0 => format!("{title} has no tags now"),
        _ => format!("{title}: {}", words(&after)),
    };
    model.say(Tone::Good, text);
    model.changed();
}
