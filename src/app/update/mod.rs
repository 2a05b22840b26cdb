//! How events change the model: dispatch here, one file per mode beside.

mod access;
mod actions;
pub(in crate::app) mod backup;
mod change;
mod close;
mod copy;
mod export;
mod files;
mod form;
mod import;
mod list;
mod lock;
mod modal;
mod mouse;
mod news;
mod open;
mod order;
mod password;
mod past;
mod policy;
mod recovery;
mod rekey;
mod renewal;
mod restore;
mod rounds;
mod tags;
mod welcome;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::backup::{Ask, Task};
use super::event::{Effect, Event};
use super::export::Step as ExportStep;
use super::import::Step as ImportStep;
use super::keys::Keymap;
use super::model::{Model, Stage, Tone};
use super::path::PathLine;
use super::session::{Modal, Session};
use crate::config::{Config, ConfigError};
use crate::report::Report;
use crate::secret::Secret;
use crate::time::UnixTime;

/// The fewest seconds between two looks that the focus brings.
const FOCUS_SECS: u64 = 10;

/// Changes the model by an event and says what to do in the world. Pure.
pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let mut effects = match event {
        // Asked to lock, it waits only for the save: nothing may bring the codes back meanwhile.
        Event::Key(_) | Event::Mouse(_) | Event::Paste(_) if model.session().is_some_and(Session::is_to_lock) => {
            Vec::new()
        }
        Event::Key(key) => on_key(model, key),
        Event::Mouse(mouse) => mouse::on_mouse(model, mouse),
        Event::Paste(text) => on_paste(model, &text),
        Event::Resize(width, height) => {
            model.resize(width, height);
            Vec::new()
        }
        Event::Tick(now) => on_tick(model, now),
        Event::LockNow => close::lock(model),
        Event::EndNow => close::end(model),
        Event::Focused => on_focus(model),
        Event::VaultChanged => files::vault_changed(model),
        Event::BackupChanged => rounds::changed_elsewhere(model),
        Event::ReadOnly(is) => {
            model.read_only = is;
            Vec::new()
        }
        Event::Config(read) => on_config(model, read),
        Event::Policy(read) => policy::changed(model, read),
        Event::Looked(found) => lock::looked(model, found),
        Event::Reread(generation, found) => files::reread(model, generation, found),
        Event::Saved(generation, result) => files::saved(model, generation, result),
        Event::KeptAside(generation, aside) => close::kept_aside(model, generation, aside),
        Event::History(generation, read) => past::history(model, generation, read),
        Event::CopyRead(generation, read) => past::copy_read(model, generation, read),
        Event::BackupStood(attempt, stood) => {
            if attempt == model.generation {
                model.backup_stood = stood;
            }
            Vec::new()
        }
        Event::Unlocked(attempt, result) => lock::unlocked(model, attempt, result),
        Event::NotRemembered(why) => {
            model.say(Tone::Warn, format!("the key is not remembered: {why}"));
            Vec::new()
        }
        Event::Probed(probe) => lock::probed(model, probe),
        Event::Created(result) => welcome::created(model, result),
        Event::Copied(result) => copy::copied(model, result),
        Event::ClipboardText(read) => modal::clipboard_read(model, read),
        Event::ClipboardPicture(read) => modal::picture_read(model, read),
        Event::Recent(found) => import::recent(model, found),
        Event::Imported(attempt, result) => import::imported(model, attempt, result),
        Event::Exported(generation, result) => export::exported(model, generation, result),
        Event::Access(generation, answer) => access::answered(model, generation, answer),
        Event::KeyMade(generation, attempt, made) => rekey::made(model, generation, attempt, made),
        Event::InForce(generation, result) => rekey::in_force(model, generation, result),
        Event::RecoveryKeyMade(generation, made) => renewal::made(model, generation, made),
        Event::RecoveryKeyPut(generation, result) => renewal::in_force(model, generation, result),
        Event::PasswordSet(generation, result) => password::set(model, generation, result),
        Event::Completed(attempt, names) => completed(model, attempt, names),
        Event::BackedUp(generation, news) => rounds::answered(model, generation, news),
        Event::BackupsFound(attempt, found) => restore::found(model, attempt, found),
        Event::MadeAgain(result) => restore::made(model, result),
    };
    model.keep_in_view();
    effects.extend(rekey::go_on(model));
    effects.extend(files::save_if_changed(model));
    effects
}

fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let now = model.now;
    // These work everywhere, whatever is typed into.
    match (key.code, key.modifiers) {
        (KeyCode::Char('z'), KeyModifiers::CONTROL) => return vec![Effect::Suspend],
        (KeyCode::Char('l'), KeyModifiers::CONTROL) => return vec![Effect::Redraw],
        _ => {}
    }
    match &mut model.stage {
        Stage::Opening | Stage::Broken(_) => on_waiting_key(model, key),
        Stage::Welcome(_) => welcome::on_key(model, key),
        Stage::Locked(_) => lock::on_key(model, key),
        Stage::Open(session) => {
            session.touched = now;
            if session.modal.is_some() {
                return modal::on_key(model, key);
            }
            let said = model.notice.clone();
            let effects = list::on_key(model, key);
            // What was done in the list is nothing to stand below another screen.
            let calm = said.as_ref().is_some_and(|notice| matches!(notice.tone, Tone::Good | Tone::Info));
            if calm && model.notice == said && model.session().is_some_and(|session| session.modal.is_some()) {
                model.notice = None;
            }
            effects
        }
    }
}

fn on_waiting_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => vec![Effect::Quit],
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => vec![Effect::Quit],
        KeyCode::Char('r') if matches!(model.stage, Stage::Broken(_)) => {
            model.stage = Stage::Opening;
            vec![Effect::Look]
        }
        _ => Vec::new(),
    }
}

fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    let now = model.now;
    match &mut model.stage {
        Stage::Opening | Stage::Broken(_) => Vec::new(),
        Stage::Welcome(_) => welcome::on_paste(model, text),
        Stage::Locked(lock) => {
            if lock.takes_typing() {
                lock.line.insert(text.expose().trim());
            }
            Vec::new()
        }
        Stage::Open(session) => {
            session.touched = now;
            modal::on_paste(model, text)
        }
    }
}

/// What a typed path could become, for whichever line it is typed in now.
fn completed(model: &mut Model, attempt: u64, names: Vec<String>) -> Vec<Effect> {
    if attempt == model.generation
        && let Some(line) = path_line(model)
    {
        line.completed(names);
    }
    Vec::new()
}

/// The line that a path is typed in, in whichever mode.
fn path_line(model: &mut Model) -> Option<&mut PathLine> {
    let restores = matches!(model.stage, Stage::Welcome(_))
        || model.session().is_some_and(|session| matches!(session.modal, Some(Modal::Restore(_))));
    if restores {
        return restore::restore(model)?.folder_line();
    }
    match model.session_mut()?.modal.as_mut()? {
        Modal::Import(flow) => match &mut flow.step {
            ImportStep::Path(line) => Some(line),
            _ => None,
        },
        Modal::Export(flow) if matches!(flow.step, ExportStep::Path) => Some(&mut flow.path),
        Modal::Backup(view) => match &mut view.ask {
            Some(Ask::Folder(line, _)) => Some(line),
            _ => None,
        },
        _ => None,
    }
}

fn on_tick(model: &mut Model, now: UnixTime) -> Vec<Effect> {
    let back = model.now.0.saturating_sub(now.0);
    if back > 0 {
        clock_went_back(model, back);
    }
    model.now = now;
    if model.notice.as_ref().is_some_and(|n| n.until.is_some_and(|until| until <= now)) {
        model.notice = None;
    }
    let overdue = close::wait_no_longer(model);
    if !overdue.is_empty() {
        return overdue;
    }
    let idle = u64::from(model.config.idle_lock_secs);
    let Stage::Open(session) = &mut model.stage else { return Vec::new() };
    session.copied = session.copied.filter(|(_, until)| now < *until);
    session.revealed = session.revealed.filter(|(_, until)| now < *until);
    session.counter_code = session.counter_code.filter(|code| now < code.until);
    let mut effects = Vec::new();
    if idle > 0 && !model.demo && now.secs_since(session.touched) >= idle {
        // What cannot be locked yet goes on below: what is due at the same moment is not put off.
        effects = close::lock(model);
    }
    let Some(session) = model.session_mut() else { return effects };
    files::retry_when_due(session, now);
    effects.extend(rounds::on_tick(model));
    effects
}

/// The wall clock was set back by so many milliseconds: what is due comes when it would have come.
fn clock_went_back(model: &mut Model, by: u64) {
    let back = |time: &mut UnixTime| time.0 = time.0.saturating_sub(by);
    model.notice.iter_mut().filter_map(|notice| notice.until.as_mut()).for_each(back);
    back(&mut model.focused);
    let Some(session) = model.session_mut() else { return };
    session.revealed.iter_mut().map(|shown| &mut shown.1).for_each(back);
    session.copied.iter_mut().map(|copied| &mut copied.1).for_each(back);
    session.counter_code.iter_mut().map(|code| &mut code.until).for_each(back);
    session.saving.retry.iter_mut().for_each(back);
    session.saving.then.iter_mut().map(|then| &mut then.1).for_each(back);
    back(&mut session.touched);
    session.backup.clock_went_back(by);
}

/// Who comes back sees what has become of everything meanwhile, also where no change is announced (network folders, keychains
/// that tell nothing). Whoever goes to and fro does not start a look each time.
fn on_focus(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    if now.secs_since(model.focused) < FOCUS_SECS {
        return Vec::new();
    }
    model.focused = now;
    rounds::look_again(model);
    files::vault_changed(model)
}

fn on_config(model: &mut Model, read: Result<Box<Config>, ConfigError>) -> Vec<Effect> {
    match read {
        Err(error) => {
            model.say_report(&Report::from(&error));
            Vec::new()
        }
        Ok(config) => {
            let config = Box::new(model.policy.cap(*config));
            let (keymap, mut problems) = Keymap::new(&config.keys);
            problems.extend(config.problems());
            let mouse = (config.mouse != model.config.mouse).then_some(Effect::Mouse(config.mouse));
            let hide = config.hide_codes != model.config.hide_codes;
            if let Some(session) = model.session_mut().filter(|_| hide) {
                session.hidden = config.hide_codes;
            }
            let backup = config.backup != model.config.backup;
            (model.keymap, model.config) = (keymap, config);
            match super::keys::told(problems) {
                Some(problem) => model.say(Tone::Warn, problem),
                None => model.say(Tone::Info, "the changed settings are in force"),
            }
            let mut effects: Vec<Effect> = mouse.into_iter().collect();
            if backup {
                effects.extend(rounds::send(model, Task::Round { whole: false }));
            }
            effects
        }
    }
}
