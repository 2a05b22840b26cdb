//! Locking and leaving. Either waits for what is being saved, and drops the session: no key, account or code stays.

use super::{recovery, rounds};
use crate::app::event::{Aside, Effect, Saving};
use crate::app::model::{Lock, Model, Stage, Tone};
use crate::app::session::{Modal, PATIENCE_SECS, Session, Then};
use crate::report::Report;
use crate::vault::file::FileError;
use crate::vault::history::Reason;

/// Locks: drops the session, clears the clipboard, shows the lock screen. Changes that are being saved are waited for with
/// the codes hidden, and those that could not be saved until they are kept elsewhere.
pub fn lock(model: &mut Model) -> Vec<Effect> {
    if model.demo {
        model.say(Tone::Info, "sample accounts: there is nothing to lock");
        return Vec::new();
    }
    let (now, generation) = (model.now, model.generation);
    let given_up = recovery::given_up(model);
    match model.session_mut() {
        None => return Vec::new(),
        Some(session) if session.saving.pending() => {
            let (failed, waiting) = (session.saving.failed.is_some(), session.is_to_lock());
            session.hidden = true;
            session.revealed = None;
            session.modal = None;
            let since = session.saving.then.map_or(now, |(_, since)| since);
            session.saving.then = Some((Then::Lock, since));
            let keep = (failed && !waiting).then(|| Effect::KeepAside(generation, Box::new(session.vault.duplicate())));
            say_given_up(model, given_up);
            return [Effect::ClearClipboard].into_iter().chain(keep).collect();
        }
        Some(_) => {}
    }
    lock_at_once(model)
}

/// What could not be saved is kept elsewhere: nothing is in the way of locking any more.
pub fn kept_aside(model: &mut Model, generation: u64, aside: Aside) -> Vec<Effect> {
    if generation != model.generation || !model.session().is_some_and(Session::is_to_lock) {
        return Vec::new();
    }
    if matches!(aside, Aside::Nowhere) {
        let now = model.now;
        if let Some(session) = model.session_mut() {
            session.saving.then = None;
            // Tried again after the idle time, not every second.
            session.touched = now;
        }
        model.say(Tone::Error, "not locked: a change is not saved and would be lost. Codes are hidden");
        return Vec::new();
    }
    let effects = lock_at_once(model);
    if let Stage::Locked(lock) = &mut model.stage {
        lock.aside = Some(aside);
    }
    effects
}

/// Keeps for the next opening that new keys were given up by locking: who wrote their recovery key down must hear of it.
fn say_given_up(model: &mut Model, words: Option<&'static str>) {
    if let Some(words) = words {
        model.keep_for_opening(Tone::Warn, words.to_owned());
    }
}

/// Drops the session whatever it holds.
pub fn lock_at_once(model: &mut Model) -> Vec<Effect> {
    let forget = model.session().map(|session| Effect::ForgetKey(session.vault.vault_id()));
    let backup = rounds::last(model);
    let given_up = recovery::given_up(model);
    say_given_up(model, given_up);
    model.stage = Stage::Locked(Box::new(Lock::new(None)));
    model.notice = None;
    model.generation += 1;
    let mut effects = vec![Effect::ClearClipboard, Effect::Look];
    effects.extend(backup);
    effects.extend(forget.filter(|_| model.config.unlock.remember.is_on()));
    effects
}

/// Locks since the vault was given a new key elsewhere: what is open here opens nothing any more, and is in the file or kept.
pub fn shut_out(model: &mut Model, error: &FileError) -> Vec<Effect> {
    if let Some(session) = model.session_mut() {
        // A round of the backup would save the vault.
        session.backup.stale = false;
        if matches!(session.saving.then.take(), Some((Then::Quit, _))) {
            return vec![Effect::ClearClipboard, Effect::Quit];
        }
    }
    let effects = lock_at_once(model);
    if let Stage::Locked(lock) = &mut model.stage {
        lock.error = Some(Report::from(error));
    }
    effects
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
        _ => end(model),
    }
}

/// Ends: what is not under way to the file yet goes there first.
pub fn end(model: &mut Model) -> Vec<Effect> {
    let mut effects = last_save(model);
    effects.extend(rounds::last(model));
    effects.extend([Effect::ClearClipboard, Effect::Quit]);
    effects
}

/// A save of what no save knows yet, behind any that is under way; its answer finds nobody.
fn last_save(model: &mut Model) -> Vec<Effect> {
    let (generation, demo) = (model.generation, model.demo);
    let Some(session) = model.session_mut() else { return Vec::new() };
    if demo || !(session.saving.again || session.saving.failed.is_some()) {
        return Vec::new();
    }
    session.saving.again = false;
    let reason = session.saving.reason.take().unwrap_or(Reason::Save);
    let saving = Saving { reason, counter: None };
    vec![Effect::Save(generation, Box::new(session.vault.duplicate()), saving)]
}

/// Locks or leaves as was asked for, once nothing has to be saved any more.
pub fn go_on(model: &mut Model) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    if session.saving.pending() {
        return Vec::new();
    }
    match session.saving.then.take() {
        None => Vec::new(),
        Some((Then::Lock, _)) => lock(model),
        Some((Then::Quit, _)) => end(model),
    }
}

/// Locks or leaves as was asked for, although a save still hangs (a disk of the network that is gone).
pub fn wait_no_longer(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some((then, _)) = session.saving.then.take_if(|(_, since)| now.secs_since(*since) >= PATIENCE_SECS) else {
        return Vec::new();
    };
    let mut effects = last_save(model);
    match then {
        Then::Lock => effects.extend(lock_at_once(model)),
        Then::Quit => effects.extend([Effect::ClearClipboard, Effect::Quit]),
    }
    effects
}
