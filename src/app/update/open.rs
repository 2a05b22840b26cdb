//! A vault was opened, or made.

use super::{files, order, rounds};
use crate::app::event::Effect;
use crate::app::import::Flow;
use crate::app::model::{Model, Stage, Tone};
use crate::app::session::{Modal, Session};
use crate::vault::envelope::Unlocked;

/// A vault was opened: what has lain in the trash for too long goes, and the file is looked at once more, for copies beside
/// it and for whether it went back.
pub fn opened(model: &mut Model) -> Vec<Effect> {
    order::recall(model);
    rounds::opened(model);
    model.say_at_opening();
    let (now, device, days) = (model.now, model.device, model.config.trash_days);
    let Some(session) = model.session_mut() else { return Vec::new() };
    let stamp = session.stamp(now, device);
    if session.state().trashed().next().is_some() && !session.state_mut().empty_trash(days, now, stamp).is_empty() {
        session.changed();
    }
    files::vault_changed(model)
}

/// Opens a vault that was just made.
pub fn enter(model: &mut Model, vault: Unlocked, then_import: bool, words: String) -> Vec<Effect> {
    let mut session = Session::new(vault, &model.config, model.now);
    if then_import {
        session.modal = Some(Modal::Import(Box::new(Flow::new(""))));
    }
    model.stage = Stage::Open(Box::new(session));
    model.generation += 1;
    model.say(Tone::Good, words);
    let mut effects = opened(model);
    if then_import {
        effects.push(Effect::Recent);
    }
    effects
}
