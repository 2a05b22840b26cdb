//! The mouse: a click selects, a double click copies, the wheel scrolls, tabs and the keys in the last line can be clicked.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{actions, copy};
use crate::app::event::Effect;
use crate::app::footer::Click;
use crate::app::model::Model;
use crate::app::session::Modal;

/// Milliseconds between the clicks of a double click.
const DOUBLE_CLICK_MS: u64 = 400;
/// Rows that the wheel moves.
const WHEEL_ROWS: usize = 3;

/// Something the mouse did.
pub fn on_mouse(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    let panes = model.panes();
    let (now, height) = (model.now, panes.list_height as usize);
    // For a screen reader keys and tabs are plain text, their words not where a mouse would look for them.
    let lines = !model.config.accessible;
    let Some(session) = model.session_mut() else { return Vec::new() };
    session.touched = now;
    match mouse.kind {
        MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
            let down = mouse.kind == MouseEventKind::ScrollDown;
            let step = |at: usize, last: usize| {
                if down { (at + WHEEL_ROWS).min(last) } else { at.saturating_sub(WHEEL_ROWS) }
            };
            match &mut session.modal {
                None => {
                    let last = session.visible.len().saturating_sub(1);
                    session.selected = step(session.selected, last);
                    session.offset = step(session.offset, (last + 1).saturating_sub(height));
                }
                Some(Modal::Palette(palette)) => {
                    let last = palette.rows().len().saturating_sub(1);
                    palette.selected = step(palette.selected, last);
                }
                Some(Modal::Qr(..)) => {}
                // Other lists move as by their arrows.
                Some(_) => {
                    let code = if down { KeyCode::Down } else { KeyCode::Up };
                    return super::on_key(model, KeyEvent::new(code, KeyModifiers::NONE));
                }
            }
            Vec::new()
        }
        MouseEventKind::Down(MouseButton::Left) if session.modal.is_none() && !session.big => {
            let (x, y) = (mouse.column, mouse.row);
            if Some(y) == panes.keys && lines {
                return click_footer(model, x);
            }
            if Some(y) == panes.tabs && lines {
                click_tab(model, x);
                return Vec::new();
            }
            let inside = y >= panes.list_top && y < panes.list_top + panes.list_height && x < panes.list_width;
            let at = session.offset + usize::from(y.saturating_sub(panes.list_top));
            if !inside || at >= session.visible.len() {
                return Vec::new();
            }
            let double =
                session.clicked.is_some_and(|(row, when)| row == at && now.0.saturating_sub(when.0) <= DOUBLE_CLICK_MS);
            session.selected = at;
            session.clicked = (!double).then_some((at, now));
            if double { copy::copy(model, false) } else { Vec::new() }
        }
        // Whatever lies over the list: the keys in the last line can be clicked.
        MouseEventKind::Down(MouseButton::Left)
            if session.modal.is_some() && lines && mouse.row + 1 == model.size.1 =>
        {
            click_footer(model, mouse.column)
        }
        _ => Vec::new(),
    }
}

fn click_footer(model: &mut Model, x: u16) -> Vec<Effect> {
    match model.footer().into_iter().find(|item| (item.from..item.to).contains(&x)).map(|item| item.click) {
        Some(Click::Act(action)) => actions::act(model, action),
        Some(Click::Press((code, modifiers))) => super::on_key(model, KeyEvent::new(code, modifiers)),
        None => Vec::new(),
    }
}

fn click_tab(model: &mut Model, x: u16) {
    let hit = model.tab_spans().into_iter().find(|(_, from, to)| (*from..*to).contains(&x)).map(|(at, ..)| at);
    let Some(session) = model.session_mut().filter(|s| s.query.is_none()) else { return };
    if let Some(tab) = hit {
        session.show_tab(tab);
    }
}
