//! Keys in the form that adds and edits.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::change;
use crate::app::event::Effect;
use crate::app::form::{Field, Form};
use crate::app::model::{Model, Tone};
use crate::app::owner::Owner;
use crate::app::session::Modal;
use crate::otp::uri;
use crate::policy::organisation;
use crate::report::Report;
use crate::secret::Secret;
use crate::text::{clean, fit};
use crate::transfer::plan::{Fate, plan};
use crate::vault::{EntryId, Unusable};

fn form(model: &mut Model) -> Option<&mut Form> {
    match model.session_mut()?.modal.as_mut()? {
        Modal::Form(form) => Some(form),
        _ => None,
    }
}

/// Opens the form for a new account, with the choice whose it is where there is one.
pub fn open(model: &mut Model, mut form: Form) {
    form.owner = Owner::offered(&model.policy);
    if let Some(session) = model.session_mut() {
        session.modal = Some(Modal::Form(Box::new(form)));
    }
}

/// Opens it on the selected account: to edit it, or to give its secret again.
pub fn edit(model: &mut Model) {
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

/// A key in the form.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(form) = form(model) else { return Vec::new() };
    form.refuse(None);
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Enter => save(model),
        KeyCode::Char('s') if ctrl => save(model),
        KeyCode::Char('r') if ctrl => form.show_secret = !form.show_secret,
        KeyCode::Tab | KeyCode::Down => form.go(false),
        KeyCode::BackTab | KeyCode::Up => form.go(true),
        KeyCode::Left if form.focus.is_choice() => form.choose(true),
        KeyCode::Right | KeyCode::Char(' ') if form.focus.is_choice() => form.choose(false),
        _ => {
            if form.input_mut().is_some_and(|line| line.key(key)) && form.focus == Field::Secret {
                form.take_link();
            }
        }
    }
    Vec::new()
}

/// A paste in the form: a link fills it, anything else goes into the field in focus. A link that is none, or several at once,
/// goes nowhere: without its line breaks it would look like one.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    let Some(form) = form(model) else { return Vec::new() };
    let text = text.expose().trim();
    if uri::is_link(text) {
        match uri::parse(text) {
            Ok(account) => {
                form.take(&account);
                form.source = "a link";
            }
            Err(error) => form.refuse(Some(&error)),
        }
    } else if let Some(line) = form.input_mut() {
        line.insert(text);
    }
    Vec::new()
}

/// Whose an account is, as the end of a notice; nothing for personal ones where nobody manages the machine.
pub fn whose(identity: &str) -> String {
    organisation(identity).map_or_else(String::new, |name| format!("; it belongs to {}", crate::text::clean(name)))
}

/// Whether the account was deleted elsewhere while it was edited, which is said before anything is done about it.
fn is_gone_first(model: &mut Model, id: EntryId) -> bool {
    let there = model
        .session()
        .and_then(|session| session.state().get(&id))
        .filter(|e| e.core().is_some())
        .map(crate::vault::Entry::is_live);
    let Some(form) = form(model).filter(|form| form.gone.is_none()) else { return false };
    match there {
        Some(true) => return false,
        Some(false) => {
            form.gone =
                Some("deleted elsewhere meanwhile: Enter brings it back with this edit, Esc leaves it in the trash");
        }
        None => {
            form.gone = Some("deleted for good elsewhere meanwhile: Enter adds it anew, Esc leaves it");
            form.editing = None;
        }
    }
    true
}

fn save(model: &mut Model) {
    let Some(form) = form(model) else { return };
    form.tried = true;
    if let Some(field) = form.first_error() {
        form.focus = field;
        return;
    }
    let Some(account) = form.account() else { return };
    let (editing, source) = (form.editing, form.source);
    if let Some(id) = editing
        && is_gone_first(model, id)
    {
        return;
    }
    let Some(form) = self::form(model) else { return };
    let personal = form.owner.as_ref().is_some_and(|owner| owner.personal);
    let identity = match model.policy.identity_for(personal) {
        Ok(identity) => identity,
        Err(refusal) if editing.is_none() => return model.say_report(&Report::from(refusal)),
        Err(_) => String::new(),
    };
    let Some(session) = model.session_mut() else { return };
    session.modal = None;
    match editing {
        Some(id) => change::edit(model, id, &account),
        None => {
            // The same rule as of an import.
            let title = fit(&clean(&account.title()), change::NAMED).into_owned();
            let twin = match plan(session.state(), &[&account])[..] {
                [Fate::Here(same)] => {
                    session.select(same);
                    model.say(Tone::Warn, format!("not added: {title} is here already"));
                    return;
                }
                [Fate::Differs(same)] => session.row(same).map(super::super::rows::Row::title),
                _ => None,
            };
            change::add(model, &[&account], &identity, source, format!("{title} was added"));
            let also = twin.map_or_else(String::new, |twin| format!("; the same secret is also here as {twin}"));
            model.say(Tone::Good, format!("{title} added{}{also}", whose(&identity)));
        }
    }
    model.changed();
}
