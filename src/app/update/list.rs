//! The list: moving, searching, copying, and every action that the key table names.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{access, backup, change, files, lock, order, past, renewal};
use crate::app::event::Effect;
use crate::app::form::Form;
use crate::app::import::Flow;
use crate::app::input::Input;
use crate::app::keys::Action;
use crate::app::layout::WIDE;
use crate::app::model::{Model, Tone};
use crate::app::rows::{self, Shows};
use crate::app::session::{Beside, CounterCode, Modal, Palette, Then, Undo};
use crate::config::Config;
use crate::otp::{Code, hotp_code};
use crate::secret::Secret;
use crate::text::clean;
use crate::vault::{EntryId, Unusable};

/// Seconds that a counter code stays on the screen.
const COUNTER_CODE_SECS: u64 = 60;
/// Seconds that one code is shown while codes are hidden.
const REVEAL_SECS: u64 = 10;

/// A key in the list, or in the search line over it.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if model.session().is_some_and(|s| s.query.is_some()) {
        return on_search_key(model, key);
    }
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match (model.keymap.action(key), key.code) {
        (Some(action), _) => act(model, action),
        (None, KeyCode::Esc) if model.session().is_some_and(|s| s.big) => act(model, Action::Big),
        (None, KeyCode::Char(c @ '1'..='9')) if plain => copy_nth(model, c as usize - '1' as usize),
        (None, KeyCode::Esc) => {
            model.notice = None;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn on_search_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some(line) = &mut session.query else { return Vec::new() };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => leave_search(model),
        KeyCode::Char('c') if ctrl => leave_search(model),
        KeyCode::Enter => {
            let effects = copy(model, false);
            leave_search(model);
            return effects;
        }
        KeyCode::Tab => {
            let effects = copy(model, true);
            leave_search(model);
            return effects;
        }
        KeyCode::Down => step(model, 1),
        KeyCode::Up => step(model, -1),
        KeyCode::Char('n') if ctrl => step(model, 1),
        KeyCode::Char('p') if ctrl => step(model, -1),
        KeyCode::PageDown => step(model, page(model)),
        KeyCode::PageUp => step(model, -page(model)),
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

fn page(model: &Model) -> isize {
    (model.panes().list_height as isize - 1).max(1)
}

fn step(model: &mut Model, by: isize) {
    let Some(session) = model.session_mut() else { return };
    let last = session.visible.len().saturating_sub(1);
    session.selected = session.selected.saturating_add_signed(by).min(last);
}

/// Does what an action asks for.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = page(model);
    let Some(session) = model.session_mut() else { return Vec::new() };
    let selected = session.selected_row().map(|row| row.id);
    let of_one =
        matches!(action, Action::Copy | Action::CopyNext | Action::Edit | Action::Delete | Action::Tags | Action::Qr);
    if of_one && session.rows.all.is_empty() {
        model.say(Tone::Info, "there is no account yet");
        return Vec::new();
    }
    match action {
        Action::Up => step(model, -1),
        Action::Down => step(model, 1),
        Action::PageUp => step(model, -page),
        Action::PageDown => step(model, page),
        Action::Top => session.selected = 0,
        Action::Bottom => session.selected = session.visible.len().saturating_sub(1),
        Action::Copy => return copy(model, false),
        Action::CopyNext => return copy(model, true),
        Action::Search => {
            session.big = false;
            session.query = Some(Input::default());
            model.notice = None;
        }
        Action::NextTab => turn_tab(model, false),
        Action::PreviousTab => turn_tab(model, true),
        Action::Add => super::modal::open_form(model, Form::new()),
        Action::Paste => session.modal = Some(Modal::Paste(Input::default(), None)),
        Action::Import => {
            session.modal = Some(Modal::Import(Box::new(Flow::new(""))));
            return vec![Effect::Recent];
        }
        Action::Export => super::export::open(model),
        Action::Tags => super::tags::open(model),
        Action::Edit => edit(model),
        Action::Delete => match selected {
            Some(id) if model.config.confirm_delete => session_modal(model, Modal::Delete(id)),
            Some(id) => delete(model, id),
            None => {}
        },
        Action::Undo => {
            change::undo(model);
            mark_changed(model);
        }
        Action::Favourite => {
            if let Some(id) = selected {
                change::favourite(model, id);
                mark_changed(model);
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
                session_modal(model, Modal::Qr(id, None));
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
                files::changed(session);
            } else {
                model.say(Tone::Info, "everything is saved");
            }
        }
        Action::Keychain => return access::open(model),
        Action::RecoveryKey => renewal::open(model),
        Action::Lock => return lock::lock(model),
        Action::Palette => session.modal = Some(Modal::Palette(palette(false))),
        Action::Help => session.modal = Some(Modal::Palette(palette(true))),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Quit => return quit(model),
    }
    Vec::new()
}

fn session_modal(model: &mut Model, modal: Modal) {
    if let Some(session) = model.session_mut() {
        session.modal = Some(modal);
    }
}

fn palette(help: bool) -> Palette {
    Palette { line: Input::default(), selected: 0, help }
}

/// Leaves, or asks first where something is in memory only.
pub fn quit(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    match model.session_mut() {
        Some(session) if session.saving.failed.is_some() && !matches!(session.modal, Some(Modal::Leave)) => {
            session.modal = Some(Modal::Leave);
            Vec::new()
        }
        // Left as soon as the save is done; asked a second time, at once.
        Some(session) if session.saving.busy() && session.saving.then.is_none() => {
            session.saving.then = Some((Then::Quit, now));
            vec![Effect::ClearClipboard]
        }
        _ => files::end(model),
    }
}

/// Says that the vault's state was edited.
pub fn mark_changed(model: &mut Model) {
    if let Some(session) = model.session_mut() {
        files::changed(session);
    }
}

fn turn_tab(model: &mut Model, back: bool) {
    let Some(session) = model.session_mut() else { return };
    let n = session.rows.tabs.len().max(1);
    session.tab = if back { (session.tab + n - 1) % n } else { (session.tab + 1) % n };
    session.selected = 0;
    session.offset = 0;
    session.filter();
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

fn edit(model: &mut Model) {
    let policy = model.policy.clone();
    let Some(session) = model.session_mut() else { return };
    let Some(entry) = session.selected_row().and_then(|row| session.state().get(&row.id)) else { return };
    match entry.account() {
        Ok(account) => {
            let mut form = Form::filled(&account, Some(entry.id));
            if let Some(organisation) = policy.forbids_export(entry.identity()) {
                form.keep(&account, &organisation);
            }
            session.modal = Some(Modal::Form(Box::new(form)));
        }
        Err(Unusable::NameOnly) => {
            let form = Form::to_enrol(entry);
            session.modal = Some(Modal::Form(Box::new(form)));
        }
        Err(why) => {
            let text = format!("this account cannot be edited here: {why}");
            model.say(Tone::Warn, text);
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

fn copy_nth(model: &mut Model, n: usize) -> Vec<Effect> {
    let height = model.panes().list_height as usize;
    let Some(session) = model.session_mut() else { return Vec::new() };
    let at = session.offset + n;
    if n >= height || at >= session.visible.len() {
        return Vec::new();
    }
    session.selected = at;
    copy(model, false)
}

/// Copies the selected code (or the one after it). A counter code is made, saved and then copied.
pub fn copy(model: &mut Model, next: bool) -> Vec<Effect> {
    let (now, code_time) = (model.now, model.code_time());
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some((id, shows, title)) =
        session.selected_row().map(|row| (row.id, row.shows.clone(), row.short().to_owned()))
    else {
        return Vec::new();
    };
    let Some(entry) = session.state().get(&id) else { return Vec::new() };
    match shows {
        Shows::EnrolAgain => {
            edit(model);
            Vec::new()
        }
        Shows::Nothing(why) => {
            model.say(Tone::Warn, format!("{title} makes no code: {why}"));
            Vec::new()
        }
        Shows::Counter(_) if next => {
            let text = format!("{title} has no next code to show: each code of a counter is used up when it is shown");
            model.say(Tone::Warn, text);
            Vec::new()
        }
        Shows::Counter(_) => {
            let until = now.plus_secs(COUNTER_CODE_SECS);
            session.counter_code = Some(CounterCode { id, counter: 0, until, saved: false, copied: false });
            session.saving.counter = Some(id);
            files::changed(session);
            Vec::new()
        }
        Shows::Timed { .. } => {
            let code = if next { rows::next_code(entry, code_time) } else { rows::code(entry, code_time) };
            let Some(code) = code else { return Vec::new() };
            let what = if next { format!("the next code of {title}") } else { title };
            copy_out(model, id, &what, &code)
        }
    }
}

/// Seconds that a row says that its code was copied.
pub fn copied_secs(config: &Config) -> u64 {
    if config.clipboard.clear_secs == 0 { 5 } else { config.clipboard.clear_secs.into() }
}

/// Copies a code, says so until it is cleared, and counts the use.
fn copy_out(model: &mut Model, id: EntryId, what: &str, code: &Code) -> Vec<Effect> {
    let secs = model.config.clipboard.clear_secs;
    let until = model.now.plus_secs(copied_secs(&model.config));
    if let Some(session) = model.session_mut() {
        session.copied = Some((id, until));
    }
    let clears = if secs == 0 { String::new() } else { format!(", clears in {secs} s") };
    // A screen reader's user hears how long it may be used; others see it.
    let period = model.session().and_then(|s| s.state().get(&id)?.account().ok()?.kind.period());
    let left = match period.filter(|_| model.config.accessible) {
        Some(period) => format!(", {} seconds left", crate::otp::remaining(period, model.code_time())),
        None => String::new(),
    };
    let short = if secs == 0 { String::from("copied") } else { format!("copied, {secs} s") };
    model.say_or(Tone::Good, format!("{what} copied{left}{clears}"), short);
    let mut effects = vec![Effect::Copy(Secret::new(code.expose().to_owned()), secs)];
    effects.extend(order::used(model, id));
    effects
}

/// Copies a counter code whose counter was saved just now.
pub fn copy_waiting_counter(model: &mut Model) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some(made) = session.counter_code.as_mut().filter(|made| made.saved && !made.copied) else {
        return Vec::new();
    };
    made.copied = true;
    let CounterCode { id, counter, .. } = *made;
    let Some(code) = counter_code(session, id, counter) else { return Vec::new() };
    let title = session.row(id).map_or("", |row| row.short()).to_owned();
    copy_out(model, id, &title, &code)
}

/// The code of a counter.
fn counter_code(session: &crate::app::session::Session, id: EntryId, counter: u64) -> Option<Code> {
    hotp_code(&session.state().get(&id)?.account().ok()?, counter)
}

/// The clipboard answered.
pub fn copied(model: &mut Model, result: Result<String, String>) -> Vec<Effect> {
    match result {
        Ok(how) => {
            if let Some(notice) = model.notice.as_mut().filter(|n| n.tone == Tone::Good && !how.is_empty()) {
                notice.text = format!("{}; {how}", notice.text);
            }
        }
        Err(why) => {
            if let Some(session) = model.session_mut() {
                session.copied = None;
            }
            model.say(Tone::Error, format!("not copied: {why}"));
        }
    }
    Vec::new()
}

/// Moves an account to the trash, with its step back.
pub fn delete(model: &mut Model, id: EntryId) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    let title = session.row(id).map_or_else(String::new, super::super::rows::Row::title);
    if change::trash(session, id, now, device) {
        session.refresh();
        change::remember(session, Undo::Restore(vec![id], format!("{title} is back")));
        files::changed(session);
        let undo = model.keymap.keys(Action::Undo).first().cloned().unwrap_or_else(|| String::from("undo"));
        let short = format!("in the trash; {undo} undoes");
        let text = format!("{title} moved to the trash; {undo} brings it back");
        // Two rows hold all of it but in the narrowest windows.
        if model.panes().keys.is_some() { model.say(Tone::Good, text) } else { model.say_or(Tone::Good, text, short) }
    }
}
