//! Keys in the list and in the search line over it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{actions, copy};
use crate::app::event::Effect;
use crate::app::keys::Action;
use crate::app::model::Model;

/// A key in the list, or in the search line over it.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if model.session().is_some_and(|s| s.query.is_some()) {
        return on_search_key(model, key);
    }
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match (model.keymap.action(key), key.code) {
        (Some(action), _) => actions::act(model, action),
        (None, KeyCode::Esc) if model.session().is_some_and(|s| s.big) => actions::act(model, Action::Big),
        (None, KeyCode::Char(c @ '1'..='9')) if plain => copy::copy_nth(model, c as usize - '1' as usize),
        (None, KeyCode::Esc) => {
            model.notice = None;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn on_search_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let page = model.page();
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some(line) = &mut session.query else { return Vec::new() };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => leave_search(model),
        KeyCode::Char('c') if ctrl => leave_search(model),
        KeyCode::Enter => {
            let effects = copy::copy(model, false);
            leave_search(model);
            return effects;
        }
        KeyCode::Tab => {
            let effects = copy::copy(model, true);
            leave_search(model);
            return effects;
        }
        KeyCode::Down => session.step(1),
        KeyCode::Up => session.step(-1),
        KeyCode::Char('n') if ctrl => session.step(1),
        KeyCode::Char('p') if ctrl => session.step(-1),
        KeyCode::PageDown => session.step(page),
        KeyCode::PageUp => session.step(-page),
        KeyCode::Backspace if line.is_empty() => leave_search(model),
        _ => {
            if line.key(key) {
                session.selected = 0;
                session.offset = 0;
                session.filter();
            }
        }
    }
    Vec::new()
}

/// Closes the search; the account that was selected stays so.
fn leave_search(model: &mut Model) {
    let Some(session) = model.session_mut() else { return };
    let kept = session.selected_row().map(|row| row.id);
    session.query = None;
    session.filter();
    if let Some(id) = kept {
        session.select(id);
    }
}
