//! Keys in the form that adds and edits.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{change, list};
use crate::app::event::Effect;
use crate::app::form::{Field, Form};
use crate::app::model::{Model, Tone};
use crate::app::session::Modal;
use crate::otp::uri;
use crate::policy::organisation;
use crate::report::Report;
use crate::secret::Secret;
use crate::transfer::plan::{Fate, plan};

fn form(model: &mut Model) -> Option<&mut Form> {
    match model.session_mut()?.modal.as_mut()? {
        Modal::Form(form) => Some(form),
        _ => None,
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

fn save(model: &mut Model) {
    let Some(form) = form(model) else { return };
    form.tried = true;
    if let Some(field) = form.first_error() {
        form.focus = field;
        return;
    }
    let Some(account) = form.account() else { return };
    let (editing, source) = (form.editing, form.source);
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
            let title = crate::text::clean(&account.title()).into_owned();
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
    list::mark_changed(model);
}
