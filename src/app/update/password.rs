//! Keys of a new password, and what came of it.

use crossterm::event::KeyEvent;

use super::news;
use super::welcome::{Twice, press_twice};
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::app::password::Password;
use crate::app::session::Modal;
use crate::report::Report;
use crate::secret::Secret;
use crate::unlock::UnlockError;
use crate::vault::envelope::Unlocked;

/// Asks for it. The old one is not asked for: who has forgotten it, and is let in by the keychain, sets another.
pub fn open(model: &mut Model) {
    if model.demo {
        model.say(Tone::Info, "sample accounts: there is nothing to open");
    } else {
        model.lay_over(Modal::Password(Box::default()));
    }
}

fn flow(model: &mut Model) -> Option<&mut Password> {
    match &mut model.session_mut()?.modal {
        Some(Modal::Password(flow)) => Some(flow),
        _ => None,
    }
}

/// A key.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(flow) = flow(model).filter(|flow| !flow.saving) else { return Vec::new() };
    let Password { first, second, repeat, problem, .. } = flow;
    match press_twice((first, second, repeat), problem, key) {
        Twice::On => {}
        Twice::Back => model.uncover(),
        Twice::Done(password) => {
            *flow = Password { saving: true, ..Password::default() };
            return model.with_vault(|generation, vault| Effect::SetPassword(generation, vault, password));
        }
    }
    Vec::new()
}

/// A paste goes into the line that is typed into.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    if let Some(flow) = flow(model).filter(|flow| !flow.saving) {
        let line = if flow.repeat { &mut flow.second } else { &mut flow.first };
        line.insert(text.expose().trim_end_matches(['\r', '\n']));
    }
    Vec::new()
}

/// The vault was saved with it, or not.
pub fn set(model: &mut Model, generation: u64, result: Result<Box<Unlocked>, UnlockError>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    match result {
        Ok(vault) => {
            news::take_in_ways(model, *vault);
            model.uncover_if(|modal| matches!(modal, Modal::Password(_)));
            model.say(
                Tone::Good,
                "the new password opens the vault from now on; copies of before still open with the old one",
            );
        }
        Err(error) => {
            let why = Report::from(&error).whole_in_panel();
            match flow(model) {
                Some(flow) => (flow.saving, flow.failed) = (false, Some(why)),
                None => model.say(Tone::Error, format!("the password is not changed. {why}")),
            }
        }
    }
    Vec::new()
}
