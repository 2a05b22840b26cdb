//! Keys of the backup's screen.

use crossterm::event::{KeyCode, KeyEvent};

use super::restore;
use super::rounds::send;
use crate::app::backup::{Ask, Seen, Task, View, page};
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::app::path::{PathLine, Pressed, is_whole};
use crate::app::rekey::Rekey;
use crate::app::session::Modal;
use crate::backup::standing::Standing;
use crate::secret::Secret;
use crate::text::clean;

/// Opens the screen. The devices are those that the last round met.
pub fn open(model: &mut Model) -> Vec<Effect> {
    if model.demo {
        model.say(Tone::Info, "sample accounts: nothing is kept, so nothing is backed up");
        return Vec::new();
    }
    if let Some(session) = model.session_mut() {
        session.modal = Some(Modal::Backup(Box::default()));
    }
    send(model, Task::Look)
}

fn view(model: &mut Model) -> Option<&mut View> {
    match &mut model.session_mut()?.modal {
        Some(Modal::Backup(view)) => Some(view),
        _ => None,
    }
}

fn ask(model: &mut Model, ask: Option<Ask>) -> Vec<Effect> {
    if let Some(view) = view(model) {
        view.ask = ask;
    }
    Vec::new()
}

/// A key on the screen.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(view) = view(model) else { return Vec::new() };
    let selected = view.selected;
    if let Some(question) = view.ask.take() {
        return answer(model, question, key);
    }
    let Some(session) = model.session() else { return Vec::new() };
    let devices = session.backup.devices.len();
    let device = session.backup.devices.get(selected).cloned();
    let off = session.backup.standing.iter().all(|status| status.standing == Standing::Off);
    let rows = page::rows(session, model);
    let size = model.size;
    let room = page::room(size).max(1) as isize;
    let step = |model: &mut Model, down: bool| {
        if let Some(view) = self::view(model) {
            page::step(view, &rows, devices, size, down);
        }
        Vec::new()
    };
    let scroll = |model: &mut Model, by: isize| {
        if let Some(view) = self::view(model) {
            page::scroll(view, rows.len(), size, by);
        }
        Vec::new()
    };
    match key.code {
        KeyCode::Up | KeyCode::Char('k') => step(model, false),
        KeyCode::Down | KeyCode::Char('j') => step(model, true),
        KeyCode::PageUp => scroll(model, -room),
        KeyCode::PageDown => scroll(model, room),
        KeyCode::Char('q' | 'b') => {
            model.uncover();
            Vec::new()
        }
        KeyCode::Char('n') if off => {
            model.say(Tone::Warn, "the backup is off; d turns it on");
            Vec::new()
        }
        KeyCode::Char('n') => send(model, Task::Now),
        KeyCode::Char('v') => send(model, Task::Verify),
        KeyCode::Char('f') if may_turn_on(model) => ask(model, Some(Ask::Folder(PathLine::folder(""), None))),
        KeyCode::Char('r') => restore::open(model),
        KeyCode::Char('d') if off && may_turn_on(model) => send(model, Task::Enable(None)),
        KeyCode::Char('d') if !off => match model.policy.requires_backup().map(|name| clean(name).into_owned()) {
            Some(name) => {
                model.say(Tone::Warn, format!("the backup stays on: the policy of {name} requires it"));
                Vec::new()
            }
            None => ask(model, Some(Ask::Off)),
        },
        KeyCode::Char('x') => match device {
            Some(Seen { this: true, .. }) => {
                model.say(Tone::Info, "this is the device that you use; d turns its backup off and can delete it");
                Vec::new()
            }
            Some(seen) => ask(model, Some(Ask::Forget(seen))),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether the config lets it be on; says so where it does not.
fn may_turn_on(model: &mut Model) -> bool {
    let enabled = model.config.backup.enabled;
    if !enabled {
        model.say(Tone::Warn, "the config says `backup: (enabled: false)`; change it there, it is read at once");
    }
    enabled
}

fn answer(model: &mut Model, question: Ask, key: KeyEvent) -> Vec<Effect> {
    match (question, key.code) {
        (_, KeyCode::Esc) | (Ask::Off | Ask::Forget(_), KeyCode::Char('n' | 'q')) => Vec::new(),
        (Ask::Off, KeyCode::Char('k') | KeyCode::Enter) => send(model, Task::Disable { wipe: false }),
        (Ask::Off, KeyCode::Char('w')) => send(model, Task::Disable { wipe: true }),
        (Ask::Forget(seen), KeyCode::Char('y') | KeyCode::Enter) => send(model, Task::Forget(seen.device.id)),
        (Ask::Forget(seen), KeyCode::Char('k')) => {
            if let Some(session) = model.session_mut() {
                let flow = Rekey::new(seen, session.vault.has_password());
                session.modal = Some(Modal::Rekey(Box::new(flow)));
            }
            Vec::new()
        }
        (Ask::Folder(mut line, problem), _) => match line.press(key) {
            Pressed::Submit => {
                let typed = line.path();
                match Some(&typed).filter(|typed| is_whole(typed)) {
                    Some(path) => send(model, Task::Enable(Some(path.into()))),
                    None => {
                        let problem = if cfg!(windows) {
                            r"the whole path, please: C:\Users\you\Sync\otpanel, or ~\Sync\otpanel"
                        } else {
                            "the whole path, please: /home/you/Sync/otpanel, or ~/Sync/otpanel"
                        };
                        let problem = (!typed.is_empty()).then(|| problem.to_owned());
                        ask(model, Some(Ask::Folder(line, problem)))
                    }
                }
            }
            Pressed::Complete(text) => {
                ask(model, Some(Ask::Folder(line, problem)));
                vec![Effect::Complete(model.generation, text)]
            }
            Pressed::Typed => ask(model, Some(Ask::Folder(line, None))),
            Pressed::Nothing => ask(model, Some(Ask::Folder(line, problem))),
        },
        // Any other key leaves the question where it is.
        (question, _) => ask(model, Some(question)),
    }
}

/// A paste goes into the line that asks for a folder.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    if let Some(View { ask: Some(Ask::Folder(line, problem)), .. }) = view(model) {
        line.paste(text.expose());
        *problem = None;
    }
    Vec::new()
}
