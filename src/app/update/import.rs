//! Keys in the import, and the answers it waits for.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};

use super::change;
use crate::app::event::{Effect, ImportTrouble};
use crate::app::import::{Fate, Flow, Origin, Preview, Recent, Step};
use crate::app::input::Input;
use crate::app::keys::Action;
use crate::app::model::{Model, Tone};
use crate::app::owner::Owner;
use crate::app::path::Pressed;
use crate::app::session::{Modal, Session};
use crate::otp::Account;
use crate::report::Report;
use crate::secret::Secret;
use crate::text::{clean, count};
use crate::transfer::{self, Import, ImportError};
use crate::vault::history::Reason;

fn flow(session: &mut Session) -> Option<&mut Flow> {
    match session.modal.as_mut()? {
        Modal::Import(flow) => Some(flow),
        _ => None,
    }
}

fn with_flow<T>(model: &mut Model, act: impl FnOnce(&mut Flow) -> T) -> Option<T> {
    model.session_mut().and_then(flow).map(act)
}

/// A key in the import.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let (attempt, now) = (model.generation, model.now);
    let page = (model.size.1 as usize / 2).max(1);
    // Whatever is being read, a key may give it up.
    let reading = model.imports + 1;
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some(flow) = flow(session) else { return Vec::new() };
    match &mut flow.step {
        Step::Path(_) if key.code == KeyCode::Esc => session.modal = None,
        Step::Path(line) => match line.press(key) {
            Pressed::Submit => return submit(model),
            Pressed::Complete(text) => return vec![Effect::Complete(attempt, text)],
            Pressed::Typed => flow.error = None,
            Pressed::Nothing => {}
        },
        // What was pasted stands nowhere to go back to.
        Step::Password { origin: Origin::Pasted(_), .. } | Step::Reading { origin: Origin::Pasted(_), .. }
            if key.code == KeyCode::Esc =>
        {
            session.modal = None;
            model.imports = reading;
        }
        Step::Password { origin, line, .. } => match key.code {
            KeyCode::Esc => back_to_path(flow),
            KeyCode::Enter if !line.is_empty() => {
                let (origin, password) = (origin.clone(), line.take());
                flow.step = Step::Reading { origin: origin.clone(), with_password: true, since: now };
                flow.error = None;
                model.imports = reading;
                return vec![Effect::Import(reading, origin, Some(password))];
            }
            _ => {
                if line.key(key) {
                    flow.error = None;
                }
            }
        },
        Step::Reading { .. } => {
            if key.code == KeyCode::Esc {
                back_to_path(flow);
                model.imports = reading;
            }
        }
        Step::Preview(preview) => {
            let last = preview.lines.len().saturating_sub(1);
            match key.code {
                KeyCode::Esc | KeyCode::Char('q') => session.modal = None,
                KeyCode::Up | KeyCode::Char('k') => preview.selected = preview.selected.saturating_sub(1),
                KeyCode::Down | KeyCode::Char('j') => preview.selected = (preview.selected + 1).min(last),
                KeyCode::PageUp => preview.selected = preview.selected.saturating_sub(page),
                KeyCode::PageDown => preview.selected = (preview.selected + page).min(last),
                KeyCode::Home | KeyCode::Char('g') => preview.selected = 0,
                KeyCode::End | KeyCode::Char('G') => preview.selected = last,
                KeyCode::Char(' ') => preview.toggle(),
                KeyCode::Char('o') => {
                    if let Some(owner) = &mut preview.owner {
                        owner.turn();
                    }
                }
                KeyCode::Char('a') => {
                    let all_in = preview.count(|f| f == Fate::LeftOut) == 0;
                    for line in &mut preview.lines {
                        line.fate = match line.fate {
                            Fate::New if all_in => Fate::LeftOut,
                            Fate::LeftOut => Fate::New,
                            other => other,
                        };
                    }
                }
                KeyCode::Tab => {
                    let n = preview.lines.len();
                    let problem = |at: &usize| matches!(preview.lines[*at].fate, Fate::Cannot | Fate::Differs);
                    if let Some(at) = (1..=n).map(|by| (preview.selected + by) % n.max(1)).find(problem) {
                        preview.selected = at;
                    }
                }
                KeyCode::Enter => apply(model),
                _ => {}
            }
        }
    }
    Vec::new()
}

fn back_to_path(flow: &mut Flow) {
    let path = match &flow.step {
        Step::Password { origin: Origin::File(path), .. } | Step::Reading { origin: Origin::File(path), .. } => {
            path.display().to_string()
        }
        Step::Path(_) | Step::Password { .. } | Step::Reading { .. } | Step::Preview(_) => String::new(),
    };
    let recent = std::mem::take(&mut flow.recent);
    *flow = Flow::new(&path);
    flow.offer(recent);
}

/// Reads the file whose path is typed.
pub fn submit(model: &mut Model) -> Vec<Effect> {
    let (attempt, now) = (model.imports + 1, model.now);
    let effects = with_flow(model, |flow| {
        let Step::Path(line) = &flow.step else { return Vec::new() };
        let path = line.path();
        if path.is_empty() {
            return Vec::new();
        }
        let origin = Origin::File(PathBuf::from(path));
        flow.step = Step::Reading { origin: origin.clone(), with_password: false, since: now };
        flow.error = None;
        vec![Effect::Import(attempt, origin, None)]
    })
    .unwrap_or_default();
    model.imports = attempt;
    effects
}

/// Exports were looked for among the downloads.
pub fn recent(model: &mut Model, found: Vec<Recent>) -> Vec<Effect> {
    with_flow(model, |flow| flow.offer(found));
    Vec::new()
}

/// A paste: into the line; the path of a dropped file is read at once, and so is the text of an export.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    let dropped = with_flow(model, |flow| match &mut flow.step {
        Step::Path(line) if line.is_empty() && is_export(text.expose()) => None,
        Step::Path(line) => Some(line.paste(text.expose())),
        Step::Password { line, .. } => {
            line.insert(text.expose().trim_end_matches(['\r', '\n']));
            Some(false)
        }
        Step::Reading { .. } | Step::Preview(_) => Some(false),
    });
    match dropped.flatten() {
        Some(true) => submit(model),
        Some(false) => Vec::new(),
        None => take_text(model, text.expose().trim()),
    }
}

/// Whether a text is an export rather than a path, a link or a secret: of several lines, or JSON in one.
pub fn is_export(text: &str) -> bool {
    text.lines().filter(|line| !line.trim().is_empty()).count() > 1 || text.trim_start().starts_with(['{', '['])
}

/// An export was read.
pub fn imported(model: &mut Model, attempt: u64, result: Result<Box<Import>, ImportTrouble>) -> Vec<Effect> {
    if attempt != model.imports {
        return Vec::new();
    }
    let owner = Owner::offered(&model.policy);
    let Some(session) = model.session_mut() else { return Vec::new() };
    let state = session.vault.state.clone();
    let Some(flow) = flow(session) else { return Vec::new() };
    let Step::Reading { origin, with_password, .. } = &flow.step else { return Vec::new() };
    let (origin, with_password) = (origin.clone(), *with_password);
    match result {
        Ok(import) => {
            flow.step = Step::Preview(Preview::new(*import, &preview_name(&origin), &state, owner));
        }
        Err(ImportTrouble::File(why)) => {
            back_to_path(flow);
            flow.error = Some(why);
        }
        Err(ImportTrouble::Import(ImportError::NothingFits)) => {
            flow.step = password_step(origin, String::from("encrypted?"));
            flow.error = Some(String::from("wrong password, or this is no export"));
        }
        Err(ImportTrouble::Import(error)) if let Some(app) = sealed_by(&error) => {
            flow.step = password_step(origin, app);
            flow.error = with_password.then(|| String::from("wrong password, or the file is damaged"));
        }
        Err(ImportTrouble::Import(error)) => {
            back_to_path(flow);
            flow.error = Some(Report::from(&error).whole_in_panel());
        }
    }
    Vec::new()
}

/// The name of the app that sealed what was read; none where no password helps.
fn sealed_by(error: &ImportError) -> Option<String> {
    match error {
        ImportError::PasswordNeeded(format) | ImportError::WrongPassword(format) => Some(format.name().to_owned()),
        ImportError::MaybeEncrypted => Some(String::from("encrypted?")),
        _ => None,
    }
}

fn password_step(origin: Origin, app: String) -> Step {
    Step::Password { origin, app, line: Input::default() }
}

/// What the preview calls it.
fn preview_name(origin: &Origin) -> String {
    match origin {
        Origin::File(_) => origin.name(),
        Origin::Pasted(_) => String::from("pasted"),
    }
}

/// Opens the preview of links or of an export that were pasted, or asks for the export's password.
pub fn take_text(model: &mut Model, text: &str) -> Vec<Effect> {
    match transfer::import(transfer::Source::new(text.as_bytes())) {
        Ok(import) => preview(model, import, "pasted"),
        Err(error) => match sealed_by(&error) {
            Some(app) => {
                let origin = Origin::Pasted(Arc::new(Secret::new(text.to_owned())));
                if let Some(session) = model.session_mut() {
                    session.modal = Some(Modal::Import(Box::new(Flow::at(password_step(origin, app)))));
                }
            }
            None => model.say_report(&Report::from(&error)),
        },
    }
    Vec::new()
}

/// Opens the preview of what was read.
pub fn preview(model: &mut Model, import: Import, from: &str) {
    let owner = Owner::offered(&model.policy);
    let Some(session) = model.session_mut() else { return };
    let preview = Preview::new(import, from, &session.vault.state, owner);
    session.modal = Some(Modal::Import(Box::new(Flow::at(Step::Preview(preview)))));
}

fn apply(model: &mut Model) {
    let Some(session) = model.session_mut() else { return };
    let Some(Modal::Import(flow)) = session.modal.take() else { return };
    let Step::Preview(preview) = flow.step else { return };
    let chosen: Vec<&Account> =
        preview.lines.iter().filter(|line| line.fate.comes()).filter_map(|line| line.entry.as_ref()).collect();
    let here = preview.count(|f| f == Fate::Here);
    if chosen.is_empty() {
        model.say(Tone::Info, format!("nothing imported: {here} already here"));
        return;
    }
    let personal = preview.owner.as_ref().is_some_and(|owner| owner.personal);
    let identity = match model.policy.identity_for(personal) {
        Ok(identity) => identity,
        Err(refusal) => return model.say_report(&Report::from(refusal)),
    };
    let Some(session) = model.session_mut() else { return };
    session.saving.reason = Some(Reason::Import);
    let source = clean(&preview.title).into_owned();
    let n = chosen.len();
    let many = count(n, "account");
    change::add(model, &chosen, &identity, &source, format!("the import of {many}"));
    model.changed();
    let undo = model.key_name(Action::Undo);
    let already = if here == 0 { String::new() } else { format!(", {here} already here") };
    model.say(Tone::Good, format!("{many} imported{already}; {undo} takes them back"));
}
