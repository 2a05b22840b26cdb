//! What lies over the list: help and palette, questions, the paste line. The form, the import and the past have files
//! of their own.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    access, actions, backup, change, export, form, import, password, past, recovery, rekey, renewal, restore, tags,
};
use crate::app::event::Effect;
use crate::app::form::Form;
use crate::app::import::Flow;
use crate::app::keys::Action;
use crate::app::model::{Model, Tone};
use crate::app::path::path_of;
use crate::app::qr::Qr;
use crate::app::session::Modal;
use crate::otp::{base32, uri};
use crate::report::Report;
use crate::secret::Secret;
use crate::transfer::{Import, ImportError};
use crate::vault::EntryId;

/// A key while something lies over the list.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    let ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    if ctrl_c && matches!(session.modal, Some(Modal::Rekey(_) | Modal::Renewal(_))) {
        recovery::leave(model);
        return Vec::new();
    }
    if ctrl_c || (key.code == KeyCode::Esc && !takes_esc(session.modal.as_ref())) {
        session.modal = None;
        return Vec::new();
    }
    match &mut session.modal {
        None => Vec::new(),
        Some(Modal::Palette(_)) => on_palette_key(model, key),
        Some(Modal::Delete(id)) => {
            let id = *id;
            match key.code {
                KeyCode::Enter | KeyCode::Char('y' | 'd') => {
                    session.modal = None;
                    change::delete(model, id);
                }
                KeyCode::Char('n' | 'q') => session.modal = None,
                _ => {}
            }
            Vec::new()
        }
        Some(Modal::Form(_)) => form::on_key(model, key),
        Some(Modal::Paste(line, problem)) => {
            match key.code {
                KeyCode::Enter if line.is_empty() => return vec![Effect::ReadClipboard],
                KeyCode::Enter => {
                    let text = line.take();
                    return take_text(model, &text);
                }
                _ => {
                    if line.key(key) {
                        *problem = None;
                    }
                }
            }
            Vec::new()
        }
        Some(Modal::Import(_)) => import::on_key(model, key),
        Some(Modal::Past(_)) => past::on_key(model, key),
        Some(Modal::Backup(_)) => backup::on_key(model, key),
        Some(Modal::Restore(_)) => restore::on_key(model, key),
        Some(Modal::Tags(_)) => tags::on_key(model, key),
        Some(Modal::Export(_)) => export::on_key(model, key),
        Some(Modal::Access(_)) => access::on_key(model, key),
        Some(Modal::Rekey(_)) => rekey::on_key(model, key),
        Some(Modal::Renewal(_)) => renewal::on_key(model, key),
        Some(Modal::Password(_)) => password::on_key(model, key),
        Some(Modal::Qr(id, shown)) => {
            let (id, first) = (*id, shown.is_none());
            let yes = first && matches!(key.code, KeyCode::Enter | KeyCode::Char('y'));
            session.modal = None;
            if yes {
                show_qr(model, id);
            }
            Vec::new()
        }
        Some(Modal::Leave) => match key.code {
            KeyCode::Char('s') => {
                session.modal = None;
                actions::act(model, Action::Save)
            }
            KeyCode::Char('y') => vec![Effect::ClearClipboard, Effect::Quit],
            KeyCode::Char('n' | 'q') | KeyCode::Enter => {
                session.modal = None;
                Vec::new()
            }
            _ => Vec::new(),
        },
    }
}

/// Makes the QR code of an account; says so where it has none.
fn show_qr(model: &mut Model, id: EntryId) {
    let Some(session) = model.session_mut() else { return };
    let made = session.state().get(&id).and_then(|entry| entry.account().ok()).and_then(|account| Qr::of(&account));
    match made {
        Some(qr) => session.modal = Some(Modal::Qr(id, Some(qr))),
        None => {
            model.say(Tone::Warn, "this account makes no QR code: it has no secret that can be used, or is too long");
        }
    }
}

/// Whether something in the modal is left by Esc first.
const fn takes_esc(modal: Option<&Modal>) -> bool {
    match modal {
        Some(
            Modal::Import(_)
            | Modal::Export(_)
            | Modal::Restore(_)
            | Modal::Rekey(_)
            | Modal::Renewal(_)
            | Modal::Password(_),
        ) => true,
        Some(Modal::Backup(view)) => view.ask.is_some(),
        Some(Modal::Past(past)) => past.ask.is_some(),
        _ => false,
    }
}

fn on_palette_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let page = (model.size.1 as usize / 2).max(1);
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some(Modal::Palette(palette)) = &mut session.modal else { return Vec::new() };
    let rows = palette.rows();
    let last = rows.len().saturating_sub(1);
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Up => palette.selected = palette.selected.saturating_sub(1),
        KeyCode::Down => palette.selected = (palette.selected + 1).min(last),
        KeyCode::Char('p') if ctrl => palette.selected = palette.selected.saturating_sub(1),
        KeyCode::Char('n') if ctrl => palette.selected = (palette.selected + 1).min(last),
        KeyCode::PageUp => palette.selected = palette.selected.saturating_sub(page),
        KeyCode::PageDown => palette.selected = (palette.selected + page).min(last),
        // In the help, the keys that opened it and the usual ones close it while nothing is typed.
        KeyCode::Char('?' | 'q') if palette.help && palette.line.is_empty() => session.modal = None,
        KeyCode::Enter => {
            let action = rows.get(palette.selected).map(|b| b.action);
            session.modal = None;
            return action.map_or_else(Vec::new, |a| actions::act(model, a));
        }
        _ => {
            if palette.line.key(key) {
                palette.selected = 0;
            }
        }
    }
    Vec::new()
}

/// Text that was pasted while the vault is open: into the line that is typed into, else into whatever it is for.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    match &mut session.modal {
        None | Some(Modal::Paste(..)) => match &mut session.query {
            // A link is meant for the vault wherever it lands: in the search line its secret would stand on the screen.
            Some(line) if !crate::otp::uri::is_link(text.expose()) => {
                line.insert(text.expose().trim());
                session.selected = 0;
                session.filter();
                Vec::new()
            }
            query => {
                if query.take().is_some() {
                    session.filter();
                }
                take_text(model, text)
            }
        },
        Some(Modal::Palette(palette)) => {
            palette.line.insert(text.expose().trim());
            palette.selected = 0;
            Vec::new()
        }
        Some(Modal::Form(_)) => form::on_paste(model, text),
        Some(Modal::Import(_)) => import::on_paste(model, text),
        Some(Modal::Backup(_)) => backup::on_paste(model, text),
        Some(Modal::Restore(_)) => restore::on_paste(model, text),
        Some(Modal::Rekey(_)) => rekey::on_paste(model, text),
        Some(Modal::Renewal(_)) => renewal::on_paste(model, text),
        Some(Modal::Password(_)) => password::on_paste(model, text),
        Some(Modal::Tags(tags)) => {
            tags.line.insert(text.expose().trim());
            Vec::new()
        }
        Some(Modal::Export(flow)) => {
            if let Some(line) = flow.line_mut() {
                line.insert(text.expose().trim());
            }
            Vec::new()
        }
        Some(Modal::Qr(..)) => {
            session.modal = None;
            Vec::new()
        }
        Some(Modal::Delete(_) | Modal::Past(_) | Modal::Access(_) | Modal::Leave) => Vec::new(),
    }
}

/// The clipboard was read for the paste line.
pub fn clipboard_read(model: &mut Model, read: Result<Secret<String>, String>) -> Vec<Effect> {
    if !model.session().is_some_and(|s| matches!(s.modal, Some(Modal::Paste(..)))) {
        return Vec::new();
    }
    match read {
        Ok(text) => take_text(model, &text),
        Err(why) => {
            refuse(model, why);
            Vec::new()
        }
    }
}

/// The QR codes of the picture in the clipboard: one opens the form, several the preview.
pub fn picture_read(model: &mut Model, read: Result<Box<Import>, ImportError>) -> Vec<Effect> {
    if !model.session().is_some_and(|s| matches!(s.modal, Some(Modal::Paste(..)))) {
        return Vec::new();
    }
    match read {
        Ok(found) if found.entries.len() == 1 && found.skipped.is_empty() => {
            let mut form = Form::filled(&found.entries[0], None);
            form.source = "a QR picture";
            form::open(model, form);
        }
        Ok(found) => import::preview(model, *found, "clipboard"),
        Err(error) => {
            let report = Report::from(&error);
            refuse(model, report.why());
        }
    }
    Vec::new()
}

/// Takes a link, several links, a secret or the path of a file and opens what fits: the form, the preview or the import.
fn take_text(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    let trimmed = text.expose().trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    let several = import::is_export(trimmed);
    if !several && uri::is_link(trimmed) && !trimmed.to_ascii_lowercase().starts_with("otpauth-migration:") {
        match uri::parse(trimmed) {
            Ok(account) => {
                let mut form = Form::filled(&account, None);
                form.source = "a link";
                form::open(model, form);
            }
            Err(error) => refuse(model, format!("this link cannot be used: {error}")),
        }
        return Vec::new();
    }
    if several || uri::is_link(trimmed) || trimmed.to_ascii_lowercase().starts_with("otpauth-migration:") {
        return import::take_text(model, trimmed);
    }
    if let Some(path) = path_of(trimmed) {
        if let Some(session) = model.session_mut() {
            session.modal = Some(Modal::Import(Box::new(Flow::new(&path))));
        }
        return import::submit(model);
    }
    match base32::decode(trimmed) {
        Ok(_) => form::open(model, Form::with_secret(trimmed)),
        Err(error) => refuse(model, format!("this is neither a link nor a secret: {error}")),
    }
    Vec::new()
}

fn refuse(model: &mut Model, problem: String) {
    match model.session_mut() {
        Some(session) if matches!(session.modal, Some(Modal::Paste(..))) => {
            session.modal = Some(Modal::Paste(crate::app::input::Input::default(), Some(problem)));
        }
        _ => model.say(Tone::Error, problem),
    }
}
