//! Copying codes: those of the time at once, that of a counter once the counter is saved.

use super::{form, order};
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::app::rows::{self, Shows};
use crate::app::session::{CounterCode, Session};
use crate::config::Config;
use crate::otp::{Code, hotp_code};
use crate::secret::Secret;
use crate::vault::EntryId;

/// Seconds that a counter code stays on the screen.
const COUNTER_CODE_SECS: u64 = 60;

/// Selects the row that stands at this place on the screen, from 0, and copies its code.
pub fn copy_nth(model: &mut Model, n: usize) -> Vec<Effect> {
    let height = model.panes().list_height as usize;
    let Some(session) = model.session_mut() else { return Vec::new() };
    let at = session.offset + n;
    if n >= height || at >= session.visible.len() {
        return Vec::new();
    }
    session.selected = at;
    copy(model, false)
}

/// Copies the selected code (or the one after it). A counter code is made, saved and then copied.
pub fn copy(model: &mut Model, next: bool) -> Vec<Effect> {
    let (now, code_time) = (model.now, model.code_time());
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some((id, shows, title)) =
        session.selected_row().map(|row| (row.id, row.shows.clone(), row.short().to_owned()))
    else {
        return Vec::new();
    };
    let Some(entry) = session.state().get(&id) else { return Vec::new() };
    match shows {
        Shows::EnrolAgain => {
            form::edit(model);
            Vec::new()
        }
        Shows::Nothing(why) => {
            model.say(Tone::Warn, format!("{title} makes no code: {why}"));
            Vec::new()
        }
        Shows::Counter(_) if next => {
            let text = format!("{title} has no next code to show: each code of a counter is used up when it is shown");
            model.say(Tone::Warn, text);
            Vec::new()
        }
        Shows::Counter(_) => {
            let until = now.plus_secs(COUNTER_CODE_SECS);
            session.counter_code = Some(CounterCode { id, counter: 0, until, saved: false, copied: false });
            session.saving.counter = Some(id);
            session.changed();
            Vec::new()
        }
        Shows::Timed { .. } => {
            let code = if next { rows::next_code(entry, code_time) } else { rows::code(entry, code_time) };
            let Some(code) = code else { return Vec::new() };
            let what = if next { format!("the next code of {title}") } else { title };
            copy_out(model, id, &what, &code)
        }
    }
}

/// Seconds that a row says that its code was copied.
pub fn copied_secs(config: &Config) -> u64 {
    if config.clipboard.clear_secs == 0 { 5 } else { config.clipboard.clear_secs.into() }
}

/// Copies a code, says so until it is cleared, and counts the use.
fn copy_out(model: &mut Model, id: EntryId, what: &str, code: &Code) -> Vec<Effect> {
    let secs = model.config.clipboard.clear_secs;
    let until = model.now.plus_secs(copied_secs(&model.config));
    if let Some(session) = model.session_mut() {
        session.copied = Some((id, until));
    }
    let clears = if secs == 0 { String::new() } else { format!(", clears in {secs} s") };
    // A screen reader's user hears how long it may be used; others see it.
    let period = model.session().and_then(|s| s.state().get(&id)?.account().ok()?.kind.period());
    let left = match period.filter(|_| model.config.accessible) {
        Some(period) => format!(", {} seconds left", crate::otp::remaining(period, model.code_time())),
        None => String::new(),
    };
    // Others see which row has the mark.
    let name = if model.config.accessible { format!("{what} ") } else { String::new() };
    let short = if secs == 0 { format!("{name}copied") } else { format!("{name}copied, {secs} s") };
    model.say_or(Tone::Good, format!("{what} copied{left}{clears}"), short);
    let mut effects = vec![Effect::Copy(Secret::new(code.expose().to_owned()), secs)];
    effects.extend(order::used(model, id));
    effects
}

/// Copies a counter code whose counter was saved just now.
pub fn copy_waiting_counter(model: &mut Model) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    let Some(made) = session.counter_code.as_mut().filter(|made| made.saved && !made.copied) else {
        return Vec::new();
    };
    made.copied = true;
    let CounterCode { id, counter, .. } = *made;
    let Some(code) = counter_code(session, id, counter) else { return Vec::new() };
    let title = session.row(id).map_or("", |row| row.short()).to_owned();
    copy_out(model, id, &title, &code)
}

/// The code of a counter.
fn counter_code(session: &Session, id: EntryId, counter: u64) -> Option<Code> {
    hotp_code(&session.state().get(&id)?.account().ok()?, counter)
}

/// The clipboard answered.
pub fn copied(model: &mut Model, result: Result<String, String>) -> Vec<Effect> {
    match result {
        Ok(how) => {
            // What stands before the word is a name, what stands behind it are times.
            if let Some(notice) = model.notice.as_mut().filter(|n| n.tone == Tone::Good && !how.is_empty())
                && let Some((name, times)) = notice.text.rsplit_once(" copied")
            {
                notice.text = format!("{name} {how}{times}");
            }
        }
        Err(why) => {
            if let Some(session) = model.session_mut() {
                session.copied = None;
            }
            model.say(Tone::Error, format!("not copied: {why}"));
        }
    }
    Vec::new()
}
