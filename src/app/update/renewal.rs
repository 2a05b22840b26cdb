//! Keys of the flow that makes a new recovery key, and the steps that the world answers.

use crossterm::event::{KeyCode, KeyEvent};

use super::{news, recovery};
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::app::recovery::{Pressed, Sheet};
use crate::app::renewal::{GIVEN_UP, Renewal, Step};
use crate::app::session::{Modal, Session};
use crate::report::Report;
use crate::secret::Secret;
use crate::unlock::UnlockError;
use crate::unlock::renewal::NewRecoveryKey;
use crate::vault::envelope::Unlocked;

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
            return model.with_vault(Effect::MakeRecoveryKey);
        }
        (Step::Question, KeyCode::Esc | KeyCode::Char('n' | 'q')) | (Step::Making | Step::Again(_), KeyCode::Esc) => {
            recovery::leave(model);
        }
        (Step::Recovery(_, sheet), _) => match sheet.press(key, chance) {
            Pressed::On => {}
            Pressed::Left => recovery::leave(model),
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

/// The key is written down: it comes in force.
fn save(model: &mut Model) -> Vec<Effect> {
    let Some(flow) = flow(model) else { return Vec::new() };
    flow.problem = None;
    match std::mem::replace(&mut flow.step, Step::Saving) {
        Step::Recovery(key, _) | Step::Again(key) => {
            model.with_vault(|generation, vault| Effect::PutRecoveryKey(generation, vault, key))
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
            flow.problem = Some(Report::from(&error).why());
        }
    }
    Vec::new()
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
    match result {
        Ok(vault) => {
            news::take_in_ways(model, *vault);
            model.uncover_if(|modal| matches!(modal, Modal::Renewal(_)));
            model.say(Tone::Good, "the new recovery key opens the vault from now on, the old one no more");
        }
        Err((key, error)) => {
            let why = Report::from(&error).why();
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
