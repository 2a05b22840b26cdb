//! The open vault and its file: saving what changed, joining what others changed.

use std::sync::Arc;

use super::backup;
use crate::app::event::{Effect, Saving, Stored};
use crate::app::keys::Action;
use crate::app::model::{Model, Stage, Tone};
use crate::app::session::{CounterCode, Session, Then};
use crate::otp::account::title;
use crate::report::Report;
use crate::rollback::WentBack;
use crate::text::clean;
use crate::time::UnixTime;
use crate::vault::EntryId;
use crate::vault::envelope::Unlocked;
use crate::vault::file::FileError;
use crate::vault::history::Reason;
use crate::vault::merge::{Changes, changes};

/// Seconds between two tries to save after a failure.
const RETRY_SECS: u64 = 30;
/// Seconds that locking or leaving waits for a save under way; then its thread has all it needs.
pub const PATIENCE_SECS: u64 = 10;

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
        return super::list::copy_waiting_counter(model);
    }
    session.saving.running = true;
    session.saving.taking = counter;
    let reason = session.saving.reason.take().unwrap_or(Reason::Save);
    let saving = Saving { reason, counter: counter.map(|id| (id, device)) };
    vec![Effect::Save(generation, Box::new(session.vault.duplicate()), saving)]
}

/// Says that the state changed, so that it is saved after this event.
pub fn changed(session: &mut Session) {
    session.saving.again = true;
    session.saving.retry = None;
}

/// Tries again to save when the time has come.
pub fn retry_when_due(session: &mut Session, now: UnixTime) {
    if session.saving.retry.is_some_and(|at| at <= now) {
        changed(session);
    }
}

/// Ends: what is not under way to the file yet goes there first.
pub fn end(model: &mut Model) -> Vec<Effect> {
    let mut effects = last_save(model);
    effects.extend(backup::last(model));
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
        Some((Then::Lock, _)) => super::lock::lock(model),
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
        Then::Lock => effects.extend(super::lock::lock_at_once(model)),
        Then::Quit => effects.extend([Effect::ClearClipboard, Effect::Quit]),
    }
    effects
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
            let mut effects = super::list::copy_waiting_counter(model);
            effects.extend(go_on(model));
            effects
        }
        // What it held was kept for whoever opens the vault by its new key.
        Err(error @ FileError::Rekeyed(_)) => super::lock::shut_out(model, &error),
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
                Some((Then::Lock, _)) => super::lock::lock(model),
                Some((Then::Quit, _)) => super::list::quit(model),
                None => Vec::new(),
            }
        }
    }
}

fn say_vanished(model: &mut Model) {
    let key = super::modal::key_name(model, Action::Save);
    model.say(Tone::Error, format!("The vault's file has vanished. All of it is here still; {key} saves it anew."));
}

/// A vault was opened: what has lain in the trash for too long goes, and the file is looked at once more, for copies beside
/// it and for whether it went back.
pub fn opened(model: &mut Model) -> Vec<Effect> {
    super::order::recall(model);
    backup::opened(model);
    model.say_at_opening();
    let (now, device, days) = (model.now, model.device, model.config.trash_days);
    let Some(session) = model.session_mut() else { return Vec::new() };
    let stamp = session.stamp(now, device);
    if session.state().trashed().next().is_some() && !session.state_mut().empty_trash(days, now, stamp).is_empty() {
        changed(session);
    }
    vault_changed(model)
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
    let generation = model.generation;
    match &model.stage {
        Stage::Open(session) => vec![Effect::Reread(generation, Box::new(session.vault.duplicate()))],
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
        changed(session);
    }
    match found {
        Ok(None) => {}
        Ok(Some(Stored { vault, copies, went_back })) => {
            let mut theirs = vault.state.clone();
            let news = absorb(session, *vault);
            // Copies are tidied away by a save; a file that went back, or lacks what is known here, is healed by one.
            if copies || went_back.is_some() || Arc::make_mut(&mut theirs).join(&session.vault.state) {
                changed(session);
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
        Err(FileError::Rekeyed(_)) if session.saving.pending() => changed(session),
        Err(error @ FileError::Rekeyed(_)) => return super::lock::shut_out(model, &error),
        // What keeps a change from being saved is this by now; a notice would stand behind what it was before.
        Err(error) if session.saving.failed.is_some() => session.saving.failed = Some(Report::from(&error)),
        Err(error) => model.say_report(&Report::from(&error)),
    }
    Vec::new()
}

/// Takes in a vault that was saved by a round of the backup, with what other devices had stored.
pub fn take_in(model: &mut Model, stored: Unlocked) {
    let Some(session) = model.session_mut() else { return };
    let news = absorb(session, stored);
    tell(model, &news);
}

/// Joins a stored vault into the open one and says what came with it.
fn absorb(session: &mut Session, mut stored: Unlocked) -> Changes {
    let before = session.vault.state.clone();
    // The stored one takes in ours, not the other way round: it knows which file holds it.
    stored.absorb(&session.vault);
    session.vault = stored;
    let news = changes(&before, &session.vault.state);
    if !news.is_empty() {
        session.refresh();
    }
    news
}

/// Tells what others changed, by name where it is one account.
fn tell(model: &mut Model, news: &Changes) {
    let Some(session) = model.session() else { return };
    let name = |ids: &[EntryId], verb: &str| match ids {
        [] => None,
        [one] => {
            // Not by its row: what is in the trash has none.
            let entry = session.state().get(one);
            let title =
                entry.map_or_else(|| String::from("an account"), |e| clean(&title(e.issuer(), e.name())).into_owned());
            Some(format!("{title} {verb}"))
        }
        many => Some(format!("{} accounts {verb}", many.len())),
    };
    let parts: Vec<String> = [
        name(&news.added, "added"),
        name(&news.changed, "changed"),
        name(&news.restored, "brought back"),
        name(&news.trashed, "moved to the trash"),
        name(&news.purged, "deleted for good"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !parts.is_empty() {
        model.say(Tone::Info, format!("from elsewhere: {}", parts.join(", ")));
    }
}
