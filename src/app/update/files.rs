//! The open vault and its file: saving what changed, joining what others changed.

use std::sync::Arc;

use super::news::{absorb, tell};
use super::{close, copy};
use crate::app::event::{Effect, Saving, Stored};
use crate::app::keys::Action;
use crate::app::model::{Model, Stage, Tone};
use crate::app::session::{CounterCode, Session, Then};
use crate::report::Report;
use crate::rollback::WentBack;
use crate::time::UnixTime;
use crate::vault::EntryId;
use crate::vault::envelope::Unlocked;
use crate::vault::file::FileError;
use crate::vault::history::Reason;

/// Seconds between two tries to save after a failure.
const RETRY_SECS: u64 = 30;

/// Begins a save where the state changed and none is under way.
pub fn save_if_changed(model: &mut Model) -> Vec<Effect> {
    let (generation, demo, now, device) = (model.generation, model.demo, model.now, model.device);
    let Some(session) = model.session_mut() else { return Vec::new() };
    if !session.saving.again || session.saving.running || session.saving.retry.is_some() {
        return Vec::new();
    }
    session.saving.again = false;
    let counter = session.saving.counter.take();
    if demo {
        if let Some(id) = counter {
            let taken = session.vault.take_counter(id, now, device);
            reveal_counter(session, id, taken);
            session.refresh();
        }
        return copy::copy_waiting_counter(model);
    }
    session.saving.running = true;
    session.saving.taking = counter;
    let reason = session.saving.reason.take().unwrap_or(Reason::Save);
    let saving = Saving { reason, counter: counter.map(|id| (id, device)) };
    vec![Effect::Save(generation, Box::new(session.vault.duplicate()), saving)]
}

/// Tries again to save when the time has come.
pub fn retry_when_due(session: &mut Session, now: UnixTime) {
    if session.saving.retry.is_some_and(|at| at <= now) {
        session.changed();
    }
}

/// Shows the code of a counter that was taken.
fn reveal_counter(session: &mut Session, id: EntryId, taken: Option<u64>) {
    let waiting = session.counter_code.filter(|code| code.id == id && !code.saved);
    if let Some(code) = waiting {
        session.counter_code = taken.map(|counter| CounterCode { counter, saved: true, ..code });
    }
}

/// A save ended.
pub fn saved(model: &mut Model, generation: u64, result: Result<Box<Unlocked>, FileError>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let now = model.now;
    let Some(session) = model.session_mut() else { return Vec::new() };
    session.saving.running = false;
    let taking = session.saving.taking.take();
    match result {
        Ok(stored) => {
            let anew = std::mem::take(&mut session.saving.vanished);
            let healed = session.saving.failed.take().is_some();
            session.backup.saved(now);
            if let Some(id) = taking {
                let taken = stored.state.get(&id).and_then(|entry| entry.counter.next.checked_sub(1));
                reveal_counter(session, id, taken);
            }
            let news = absorb(session, *stored);
            if anew {
                model.say(Tone::Good, "saved anew: the vault's file is there again");
            } else if healed {
                model.say(Tone::Good, "saved: there is room again");
            }
            tell(model, &news);
            let mut effects = copy::copy_waiting_counter(model);
            effects.extend(close::go_on(model));
            effects
        }
        // What it held was kept for whoever opens the vault by its new key.
        Err(error @ FileError::Rekeyed(_)) => close::shut_out(model, &error),
        Err(error) => {
            let report = Report::from(&error);
            session.saving.again = true;
            session.saving.retry = Some(now.plus_secs(RETRY_SECS));
            session.counter_code = None;
            session.saving.counter = None;
            session.saving.failed = Some(report);
            session.saving.vanished = matches!(error, FileError::Vanished(_));
            let then = session.saving.then.take();
            if session.saving.vanished {
                say_vanished(model);
            }
            match then {
                Some((Then::Lock, _)) => close::lock(model),
                Some((Then::Quit, _)) => close::quit(model),
                None => Vec::new(),
            }
        }
    }
}

fn say_vanished(model: &mut Model) {
    let key = model.key_name(Action::Save);
    model.say(Tone::Error, format!("The vault's file has vanished. All of it is here still; {key} saves it anew."));
}

/// Writes the vault anew where its file has vanished.
pub fn recreate(model: &mut Model) -> Vec<Effect> {
    let generation = model.generation;
    let Some(session) = model.session_mut().filter(|session| !session.saving.running) else { return Vec::new() };
    session.saving.running = true;
    session.saving.again = false;
    session.saving.retry = None;
    vec![Effect::Recreate(generation, Box::new(session.vault.duplicate()))]
}

/// The vault file changed: read it again, or look again where none is open.
pub fn vault_changed(model: &mut Model) -> Vec<Effect> {
    if model.demo {
        return Vec::new();
    }
    match &model.stage {
        Stage::Open(_) => model.with_vault(Effect::Reread),
        Stage::Locked(_) | Stage::Broken(_) => vec![Effect::Look],
        Stage::Welcome(w) if matches!(w.step, crate::app::welcome::Step::Start(_)) => vec![Effect::Look],
        Stage::Opening | Stage::Welcome(_) => Vec::new(),
    }
}

/// The open vault was read again.
pub fn reread(model: &mut Model, generation: u64, found: Result<Option<Stored>, FileError>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let Some(session) = model.session_mut() else { return Vec::new() };
    if found.is_ok() && session.saving.vanished {
        // It is back: what is in memory only goes there again.
        session.saving.vanished = false;
        session.saving.failed = None;
        session.changed();
    }
    match found {
        Ok(None) => {}
        Ok(Some(Stored { vault, copies, went_back })) => {
            let mut theirs = vault.state.clone();
            let news = absorb(session, *vault);
            // Copies are tidied away by a save; a file that went back, or lacks what is known here, is healed by one.
            if copies || went_back.is_some() || Arc::make_mut(&mut theirs).join(&session.vault.state) {
                session.changed();
            }
            tell(model, &news);
            let aside = model.session_mut().is_some_and(|session| std::mem::take(&mut session.saving.aside));
            match went_back {
                Some(WentBack::Healed(_)) if aside => {
                    model.say(Tone::Good, "the change that could not be saved before locking is here again");
                }
                Some(went_back) => model.say(Tone::Warn, went_back.words()),
                None => {}
            }
        }
        Err(error @ FileError::Vanished(_)) => {
            session.saving.vanished = true;
            session.saving.failed = Some(Report::from(&error));
            say_vanished(model);
        }
        Err(FileError::Rekeyed(_)) if session.saving.pending() => session.changed(),
        Err(error @ FileError::Rekeyed(_)) => return close::shut_out(model, &error),
        // What keeps a change from being saved is this by now; a notice would stand behind what it was before.
        Err(error) if session.saving.failed.is_some() => session.saving.failed = Some(Report::from(&error)),
        Err(error) => model.say_report(&Report::from(&error)),
    }
    Vec::new()
}
