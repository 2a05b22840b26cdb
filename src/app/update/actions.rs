//! What each action of the key table does, from a key, the palette or a click.

use super::{access, backup, change, close, copy, export, files, form, order, password, past, renewal, tags};
use crate::app::event::Effect;
use crate::app::form::Form;
use crate::app::import::Flow;
use crate::app::input::Input;
use crate::app::keys::Action;
use crate::app::layout::WIDE;
use crate::app::model::{Model, Tone};
use crate::app::session::{Beside, Modal, Palette};
use crate::text::clean;
use crate::vault::EntryId;

/// Seconds that one code is shown while codes are hidden.
const REVEAL_SECS: u64 = 10;

/// Does what an action asks for.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = model.page();
    let Some(session) = model.session_mut() else { return Vec::new() };
    let selected = session.selected_row().map(|row| row.id);
    let of_one =
        matches!(action, Action::Copy | Action::CopyNext | Action::Edit | Action::Delete | Action::Tags | Action::Qr);
    if of_one && session.rows.all.is_empty() {
        model.say(Tone::Info, "there is no account yet");
        return Vec::new();
    }
    match action {
        Action::Up => session.step(-1),
        Action::Down => session.step(1),
        Action::PageUp => session.step(-page),
        Action::PageDown => session.step(page),
        Action::Top => session.selected = 0,
        Action::Bottom => session.selected = session.visible.len().saturating_sub(1),
        Action::Copy => return copy::copy(model, false),
        Action::CopyNext => return copy::copy(model, true),
        Action::Search => {
            session.big = false;
            session.query = Some(Input::default());
            model.notice = None;
        }
        Action::NextTab => session.turn_tab(false),
        Action::PreviousTab => session.turn_tab(true),
        Action::Add => form::open(model, Form::new()),
        Action::Paste => session.modal = Some(Modal::Paste(Input::default(), None)),
        Action::Import => {
            session.modal = Some(Modal::Import(Box::new(Flow::new(""))));
            return vec![Effect::Recent];
        }
        Action::Export => export::open(model),
        Action::Tags => tags::open(model),
        Action::Edit => form::edit(model),
        Action::Delete => match selected {
            Some(id) if model.config.confirm_delete => model.lay_over(Modal::Delete(id)),
            Some(id) => change::delete(model, id),
            None => {}
        },
        Action::Undo => {
            change::undo(model);
            model.changed();
        }
        Action::Favourite => {
            if let Some(id) = selected {
                change::favourite(model, id);
                model.changed();
            }
        }
        Action::Hide => {
            session.hidden = !session.hidden;
            session.revealed = None;
            let (words, short) = if session.hidden {
                ("codes are hidden; copying still works", "codes hidden")
            } else {
                ("codes are shown", "codes shown")
            };
            model.say_or(Tone::Info, words, short);
        }
        Action::Reveal => reveal(model),
        Action::Qr => {
            if let Some(id) = selected.filter(|id| may_leave(model, *id)) {
                model.lay_over(Modal::Qr(id, None));
            }
        }
        Action::Big => session.big = !session.big,
        Action::ShowNext => {
            let (beside, words) = match session.beside {
                Beside::Usual => (Beside::Next, "the next codes are shown beside"),
                Beside::Next => (Beside::Previous, "the codes before are shown beside"),
                Beside::Previous => (Beside::Usual, "the current codes alone"),
            };
            session.beside = beside;
            // No column is left for them in a narrow window.
            let room = model.panes().list_width >= WIDE || model.config.accessible;
            let words = if room || beside == Beside::Usual { words } else { "too narrow to show more codes" };
            model.say(Tone::Info, words);
        }
        Action::Sort => return order::turn(model),
        Action::MoveUp => return order::shift(model, true),
        Action::MoveDown => return order::shift(model, false),
        Action::Backup => return backup::open(model),
        Action::Trash => return past::open(model),
        Action::Save => {
            if session.saving.vanished {
                return files::recreate(model);
            } else if session.saving.failed.is_some() {
                session.changed();
            } else {
                model.say(Tone::Info, "everything is saved");
            }
        }
        Action::Keychain => return access::open(model),
        Action::RecoveryKey => renewal::open(model),
        Action::Password => password::open(model),
        Action::Lock => return close::lock(model),
        Action::Palette => session.modal = Some(Modal::Palette(palette(false))),
        Action::Help => session.modal = Some(Modal::Palette(palette(true))),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Quit => return close::quit(model),
    }
    Vec::new()
}

fn palette(help: bool) -> Palette {
    Palette { line: Input::default(), selected: 0, help }
}

/// Whether the secret of an account may be shown; says so where it may not.
fn may_leave(model: &mut Model, id: EntryId) -> bool {
    let entry = model.session().and_then(|session| session.state().get(&id));
    let forbids = entry.and_then(|entry| model.policy.forbids_export(entry.identity()));
    match forbids {
        None => true,
        Some(organisation) => {
            let text = format!("{} does not allow the secrets of its accounts to be shown", clean(&organisation));
            model.say(Tone::Warn, text);
            false
        }
    }
}

fn reveal(model: &mut Model) {
    let until = model.now.plus_secs(REVEAL_SECS);
    let Some(session) = model.session_mut() else { return };
    let Some(id) = session.selected_row().map(|row| row.id) else { return };
    session.revealed = match session.revealed {
        Some((shown, _)) if shown == id => None,
        _ => Some((id, until)),
    };
}
