//! The backup of the open vault: rounds are sent off when they are due, and what came of them is taken in.

use super::news;
use crate::app::backup::{News, Task, page};
use crate::app::event::Effect;
use crate::app::model::Model;
use crate::app::session::Modal;

/// Sends a task off. Sample accounts are never backed up.
pub fn send(model: &mut Model, task: Task) -> Vec<Effect> {
    let (generation, demo) = (model.generation, model.demo);
    let Some(session) = model.session_mut().filter(|_| !demo) else { return Vec::new() };
    session.backup.sent(&task);
    vec![Effect::Backup(generation, Box::new(session.vault.duplicate()), task)]
}

/// A vault was opened: its backup stands as it is remembered, and is looked at soon.
pub fn opened(model: &mut Model) {
    let now = model.now;
    let stood = std::mem::take(&mut model.backup_stood);
    if let Some(session) = model.session_mut() {
        session.backup.standing = stood;
        session.backup.begin(now);
    }
}

/// Another device wrote: what it wrote comes in with a look soon.
pub fn changed_elsewhere(model: &mut Model) -> Vec<Effect> {
    let (now, demo) = (model.now, model.demo);
    if let Some(session) = model.session_mut().filter(|_| !demo) {
        session.backup.look_soon(now);
    }
    Vec::new()
}

/// Looks at the backups anew where that was not done just now.
pub fn look_again(model: &mut Model) {
    let (now, demo) = (model.now, model.demo);
    if let Some(session) = model.session_mut().filter(|session| !demo && !session.backup.is_fresh(now)) {
        session.backup.look_soon(now);
    }
}

/// Sends off what is due.
pub fn on_tick(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let due = model.session().and_then(|session| session.backup.due(now));
    due.map_or_else(Vec::new, |task| send(model, task))
}

/// The last round before locking or leaving, where something was saved that no round knows. Its answer finds nobody.
pub fn last(model: &mut Model) -> Vec<Effect> {
    let stale = model.session().is_some_and(|session| session.backup.stale);
    if stale { send(model, Task::Round { whole: false }) } else { Vec::new() }
}

/// A task ended.
pub fn answered(model: &mut Model, generation: u64, mut news: Box<News>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let now = model.now;
    let Some(session) = model.session_mut() else { return Vec::new() };
    let verified = !news.verified.is_empty();
    session.backup.answered(&mut news, now);
    if verified {
        show_verified(model);
    }
    if let Some((tone, text)) = news.said.take() {
        model.say(tone, text);
    }
    if let Some(vault) = news.vault.take() {
        news::take_in(model, *vault);
    }
    Vec::new()
}

/// Brings what a look at every item found into view: on a small screen nothing else answers the key.
fn show_verified(model: &mut Model) {
    let rows = model.session().map_or_else(Vec::new, |session| page::rows(session, model));
    let size = model.size;
    if let Some(Modal::Backup(view)) = model.session_mut().and_then(|session| session.modal.as_mut()) {
        page::show_verified(view, &rows, size);
    }
}
