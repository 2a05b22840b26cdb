//! Keys of the flow that makes new keys for the vault and forgets a lost computer, and the steps that the world answers.

use crossterm::event::{KeyCode, KeyEvent};

use super::welcome::{Twice, press_twice};
use super::{close, news, recovery, rounds};
use crate::app::backup::{Task, View};
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::app::recovery::{Pressed, Sheet};
use crate::app::rekey::{GIVEN_UP, InForce, Made, NotInForce, Password, Rekey, Step};
use crate::app::session::{Modal, Session};
use crate::report::Report;
use crate::secret::Secret;
use crate::unlock::UnlockError;
use crate::vault::{Error, FileError};

fn flow_of(session: &mut Session) -> Option<&mut Rekey> {
    match &mut session.modal {
        Some(Modal::Rekey(flow)) => Some(flow),
        _ => None,
    }
}

fn flow(model: &mut Model) -> Option<&mut Rekey> {
    flow_of(model.session_mut()?)
}

/// A key.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    let chance = session.vault.vault_id().0[0];
    let Some(flow) = flow_of(session) else { return Vec::new() };
    match (&mut flow.step, key.code) {
        (Step::Present(_) | Step::NoPassword, KeyCode::Tab) => {
            flow.problem = None;
            flow.take_new();
        }
        (Step::Present(line), KeyCode::Enter) if !line.is_empty() => {
            let typed = Password::Present(line.take());
            return make(model, typed);
        }
        (Step::NoPassword, KeyCode::Enter) => return make(model, Password::None),
        (Step::New { first, second, repeat }, _) => {
            let mut problem = None;
            match press_twice((first, second, repeat), &mut problem, key) {
                Twice::Done(password) => return make(model, Password::New(password)),
                Twice::Back => flow.begin(),
                Twice::On => {}
            }
            flow.problem = problem.map(str::to_owned);
        }
        (Step::Making(_), KeyCode::Esc) => {
            flow.problem = None;
            flow.begin();
        }
        (Step::Recovery(_, sheet), _) => match sheet.press(key, chance) {
            Pressed::On => {}
            Pressed::Left => recovery::leave(model),
            Pressed::Written => ready(flow),
        },
        (Step::Again(_), KeyCode::Enter) => ready(flow),
        (Step::Present(_) | Step::NoPassword | Step::Ready(_) | Step::Again(_), KeyCode::Esc) => recovery::leave(model),
        (Step::Present(line), _) => {
            if line.key(key) {
                flow.problem = None;
            }
        }
        // What is on its way to the file is told by the answer.
        (Step::NoPassword | Step::Making(_) | Step::Ready(_) | Step::Saving | Step::Again(_), _) => {}
    }
    Vec::new()
}

/// A paste goes into the line that is typed into.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    if let Some(line) = flow(model).and_then(Rekey::line_mut) {
        line.insert(text.expose().trim_end_matches(['\r', '\n']));
    }
    Vec::new()
}

fn make(model: &mut Model, password: Password) -> Vec<Effect> {
    let generation = model.generation;
    let Some(session) = model.session_mut() else { return Vec::new() };
    session.rekeys += 1;
    let attempt = session.rekeys;
    let vault = Box::new(session.vault.duplicate());
    let Some(flow) = flow_of(session) else { return Vec::new() };
    flow.problem = None;
    flow.step = Step::Making(attempt);
    vec![Effect::MakeKey { generation, attempt, vault, password }]
}

/// New keys were made, or not.
pub fn made(model: &mut Model, generation: u64, attempt: u64, made: Result<Box<Made>, UnlockError>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let Some(flow) = flow(model).filter(|flow| matches!(flow.step, Step::Making(n) if n == attempt)) else {
        return Vec::new();
    };
    match made {
        Ok(made) => {
            let sheet = Sheet::new(made.key.recovery_key.duplicate());
            flow.step = Step::Recovery(made, sheet);
        }
        Err(error) => {
            flow.begin();
            flow.problem = Some(match error {
                UnlockError::Vault(Error::WrongKey) => String::from("that is not the vault's password"),
                UnlockError::LastWayIn => {
                    flow.take_new();
                    String::from("only another computer's keychain opens it: give it a password")
                }
                error => Report::from(&error).why(),
            });
        }
    }
    Vec::new()
}

/// The recovery key is written down.
fn ready(flow: &mut Rekey) {
    flow.problem = None;
    flow.step = match std::mem::replace(&mut flow.step, Step::Saving) {
        Step::Recovery(made, _) | Step::Again(made) => Step::Ready(made),
        other => other,
    };
}

/// Puts keys that are ready in force once no other save is under way: one under the old key would come too late.
pub fn go_on(model: &mut Model) -> Vec<Effect> {
    let generation = model.generation;
    let Some(session) = model.session_mut().filter(|session| !(session.saving.running || session.saving.again)) else {
        return Vec::new();
    };
    let failed = session.saving.failed.as_ref().map(Report::why);
    let vault = Box::new(session.vault.duplicate());
    let Some(flow) = flow_of(session).filter(|flow| matches!(flow.step, Step::Ready(_))) else { return Vec::new() };
    let Step::Ready(made) = std::mem::replace(&mut flow.step, Step::Saving) else { return Vec::new() };
    if failed.is_some() {
        flow.problem = failed;
        flow.step = Step::Again(made);
        return Vec::new();
    }
    session.saving.running = true;
    vec![Effect::PutInForce(generation, vault, made)]
}

/// They were put in force, or not.
pub fn in_force(model: &mut Model, generation: u64, result: Result<InForce, Box<NotInForce>>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let now = model.now;
    let Some(session) = model.session_mut() else { return Vec::new() };
    session.saving.running = false;
    let mut effects = Vec::new();
    match result {
        Ok(InForce { vault, confirmed, words }) => {
            let device = flow_of(session).map(|flow| flow.device.device.id);
            if !confirmed {
                session.changed();
            }
            news::take_in(model, *vault);
            // Whatever was under way with the old key is answered to nobody.
            model.generation += 1;
            let Some(session) = model.session_mut() else { return Vec::new() };
            session.backup.begin_anew(now);
            let (id, key) = (session.vault.vault_id(), session.vault.data_key().duplicate());
            if model.config.unlock.remember.is_on() {
                effects.push(Effect::ForgetKey(id));
            }
            effects.extend(model.config.unlock.remember.time().map(|time| Effect::KeepKey(id, key, time)));
            let told = words.map(|words| format!(". {words}")).unwrap_or_default();
            if let Some(device) = device {
                if let Some(session) = model.session_mut() {
                    session.modal = Some(Modal::Backup(Box::<View>::default()));
                }
                model.say(Tone::Good, format!("the vault has new keys, and a new recovery key{told}"));
                // A whole round under the new key goes before it, and only a good one lets it happen.
                effects.extend(rounds::send(model, Task::Forget(device)));
            } else {
                // It was told to lock meanwhile.
                let words = "the vault has new keys; the lost computer is not forgotten yet: b, then x";
                model.keep_for_opening(Tone::Warn, format!("{words}{told}"));
            }
        }
        Err(not) => {
            let NotInForce { made, error } = *not;
            if let UnlockError::File(error @ FileError::Rekeyed(_)) = &error {
                return close::shut_out(model, error);
            }
            let why = Report::from(&error).why();
            match flow_of(session) {
                Some(flow) => {
                    flow.problem = Some(why);
                    flow.step = Step::Again(made);
                }
                None => model.keep_for_opening(Tone::Error, format!("{GIVEN_UP}. {why}")),
            }
        }
    }
    effects.extend(close::go_on(model));
    effects
}
