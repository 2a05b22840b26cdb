//! Keys of the flow that makes a new recovery key, and the steps that the world answers.

use crossterm::event::{KeyCode, KeyEvent};

use super::files;
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::app::recovery::{Pressed, Sheet};
use crate::app::renewal::{Renewal, Step};
use crate::app::session::{Modal, Session};
use crate::report::Report;
use crate::secret::Secret;
use crate::unlock::UnlockError;
use crate::unlock::renewal::NewRecoveryKey;
use crate::vault::envelope::Unlocked;

/// What is said of a new key that was given up after it was shown.
const GIVEN_UP: &str = "no new recovery key was made: the one that was shown opens nothing, the old one still does";

/// Asks whether to.
pub fn open(model: &mut Model) {
    if model.demo {
        model.say(Tone::Info, "sample accounts: there is nothing to open");
    } else if let Some(session) = model.session_mut() {
        session.modal = Some(Modal::Renewal(Box::default()));
    }
}

fn flow_of(session: &mut Session) -> Option<&mut Renewal> {
    match &mut session.modal {
        Some(Modal::Renewal(flow)) => Some(flow),
        _ => None,
    }
}

fn flow(model: &mut Model) -> Option<&mut Renewal> {
    flow_of(model.session_mut()?)
}

/// A key.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    let chance = session.vault.vault_id().0[0];
    let Some(flow) = flow_of(session) else { return Vec::new() };
    match (&mut flow.step, key.code) {
        (Step::Question, KeyCode::Enter | KeyCode::Char('y')) => {
            flow.problem = None;
            flow.step = Step::Making;
            return with_vault(model, Effect::MakeRecoveryKey);
        }
        (Step::Question, KeyCode::Esc | KeyCode::Char('n' | 'q')) | (Step::Making | Step::Again(_), KeyCode::Esc) => {
            leave(model);
        }
        (Step::Recovery(_, sheet), _) => match sheet.press(key, chance) {
            Pressed::On => {}
            Pressed::Left => leave(model),
            Pressed::Written => return save(model),
        },
        (Step::Again(_), KeyCode::Enter) => return save(model),
        // What is on its way to the file is told by the answer.
        (Step::Question | Step::Making | Step::Saving | Step::Again(_), _) => {}
    }
    Vec::new()
}

/// A paste goes into the line of the check.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    if let Some(Step::Recovery(_, sheet)) = flow(model).map(|flow| &mut flow.step)
        && let Some(line) = sheet.line_mut()
    {
        line.insert(text.expose().trim());
    }
    Vec::new()
}

/// Back to the list, with nothing changed. What is being put in force stays.
pub fn leave(model: &mut Model) {
    if flow(model).is_some_and(|flow| matches!(flow.step, Step::Saving)) {
        return;
    }
    let words = given_up(model);
    if let Some(session) = model.session_mut() {
        session.modal = None;
    }
    if let Some(words) = words {
        model.say(Tone::Warn, words);
    }
}

/// What is to be said where the flow ends now: a recovery key that somebody wrote down opens nothing.
pub fn given_up(model: &mut Model) -> Option<&'static str> {
    matches!(flow(model)?.step, Step::Recovery(..) | Step::Again(_)).then_some(GIVEN_UP)
}

fn with_vault(model: &Model, effect: impl FnOnce(u64, Box<Unlocked>) -> Effect) -> Vec<Effect> {
    let vault = model.session().map(|session| Box::new(session.vault.duplicate()));
    vault.map(|vault| effect(model.generation, vault)).into_iter().collect()
}

/// The key is written down: it comes in force.
fn save(model: &mut Model) -> Vec<Effect> {
    let Some(flow) = flow(model) else { return Vec::new() };
    flow.problem = None;
    match std::mem::replace(&mut flow.step, Step::Saving) {
        Step::Recovery(key, _) | Step::Again(key) => {
            with_vault(model, |generation, vault| Effect::PutRecoveryKey(generation, vault, key))
        }
        other => {
            flow.step = other;
            Vec::new()
        }
    }
}

/// A key was made, or not.
pub fn made(model: &mut Model, generation: u64, made: Result<Box<NewRecoveryKey>, UnlockError>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let Some(flow) = flow(model).filter(|flow| matches!(flow.step, Step::Making)) else { return Vec::new() };
    match made {
        Ok(key) => {
            let sheet = Sheet::new(key.text.duplicate());
            flow.step = Step::Recovery(key, sheet);
        }
        Err(error) => {
            flow.step = Step::Question;
            flow.problem = Some(problem(&error));
        }
    }
    Vec::new()
}

fn problem(error: &UnlockError) -> String {
    let report = Report::from(error);
    format!("{}. {}", report.problem, report.cause)
}

/// It was put in force, or not.
pub fn in_force(
    model: &mut Model,
    generation: u64,
    result: Result<Box<Unlocked>, (Box<NewRecoveryKey>, UnlockError)>,
) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let now = model.now;
    match result {
        Ok(vault) => {
            files::take_in(model, *vault);
            if let Some(session) = model.session_mut() {
                session.backup.saved(now);
                session.modal = session.modal.take().filter(|modal| !matches!(modal, Modal::Renewal(_)));
            }
            model.say(Tone::Good, "the new recovery key opens the vault from now on, the old one no more");
        }
        Err((key, error)) => {
            let why = problem(&error);
            match flow(model) {
                Some(flow) => {
                    flow.problem = Some(why);
                    flow.step = Step::Again(key);
                }
                None => model.say(Tone::Error, format!("{GIVEN_UP}. {why}")),
            }
        }
    }
    Vec::new()
}
