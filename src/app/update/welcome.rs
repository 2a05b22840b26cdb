//! Keys of the first start.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{open, restore};
use crate::app::event::Effect;
use crate::app::input::Input;
use crate::app::model::{Model, Stage};
use crate::app::recovery::{Pressed, Sheet};
use crate::app::welcome::{MODES, Step, Welcome};
use crate::keychain::Probe;
use crate::report::Report;
use crate::secret::Secret;
use crate::unlock::{self, Mode, UnlockError};
use crate::vault::envelope::Unlocked;

/// The keychain answered: the best way that can be had is selected.
pub fn probed(welcome: &mut Welcome, probe: Probe) {
    let before = welcome.best();
    welcome.keychain = Some(probe);
    let best = welcome.best();
    // What was selected by itself follows; so does what cannot be had any more.
    if let Step::Unlock(selected) = &mut welcome.step
        && (*selected == before || *selected < best)
    {
        *selected = best;
    }
}

/// A key.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        if let Stage::Welcome(welcome) = &mut model.stage
            && let Step::Recovery { sheet, .. } = &mut welcome.step
            && !std::mem::replace(&mut sheet.leaving, true)
        {
            return Vec::new();
        }
        return vec![Effect::Quit];
    }
    let Stage::Welcome(welcome) = &mut model.stage else { return Vec::new() };
    if matches!(welcome.step, Step::Restore(_)) {
        return restore::on_key(model, key);
    }
    let starts = welcome.starts();
    let best = welcome.best();
    match &mut welcome.step {
        Step::Start(selected) => {
            let chosen = match key.code {
                KeyCode::Esc | KeyCode::Char('q') => return vec![Effect::Quit],
                KeyCode::Up | KeyCode::Char('k') => {
                    *selected = selected.saturating_sub(1);
                    None
                }
                KeyCode::Down | KeyCode::Char('j') => {
                    *selected = (*selected + 1).min(starts.len() - 1);
                    None
                }
                KeyCode::Enter => Some(starts[*selected].0),
                KeyCode::Char(c) => Some(c),
                _ => None,
            };
            match chosen {
                Some('n' | 'i') => {
                    welcome.then_import = chosen == Some('i');
                    welcome.step = Step::Unlock(best);
                    return vec![Effect::Probe];
                }
                Some('r') => return restore::begin(model),
                Some('d') => return vec![Effect::Demo],
                _ => {}
            }
        }
        Step::Unlock(selected) => match key.code {
            KeyCode::Esc => welcome.step = Step::Start(0),
            KeyCode::Up | KeyCode::Char('k') => *selected = selected.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => *selected = (*selected + 1).min(MODES.len() - 1),
            KeyCode::Enter => {
                let mode = MODES[*selected].0;
                if !welcome.offers(mode) {
                    return Vec::new();
                }
                welcome.error = None;
                if mode == Mode::Keychain {
                    welcome.step = Step::Making;
                    return vec![Effect::Create(mode, None)];
                }
                welcome.step = Step::Password {
                    mode,
                    first: Input::default(),
                    second: Input::default(),
                    repeat: false,
                    problem: None,
                };
            }
            _ => {}
        },
        Step::Password { .. } => return on_password_key(welcome, key),
        Step::Making | Step::Restore(_) => {}
        Step::Recovery { vault, sheet } => {
            if sheet.press(key, vault.vault_id().0[0]) == Pressed::Written {
                return written(model);
            }
        }
    }
    Vec::new()
}

fn on_password_key(welcome: &mut Welcome, key: KeyEvent) -> Vec<Effect> {
    let Step::Password { mode, first, second, repeat, problem } = &mut welcome.step else { return Vec::new() };
    let mode = *mode;
    match press_twice((first, second, repeat), problem, key) {
        Twice::Done(password) => {
            welcome.step = Step::Making;
            return vec![Effect::Create(mode, Some(password))];
        }
        Twice::Back => welcome.step = Step::Unlock(MODES.iter().position(|(m, ..)| *m == mode).unwrap_or(0)),
        Twice::On => {}
    }
    Vec::new()
}

/// What a key did to a new password that is typed twice.
pub enum Twice {
    /// It goes on.
    On,
    /// Esc in the first line.
    Back,
    /// Both are the same.
    Done(Secret<String>),
}

/// A key on a new password: its first line, its second, and whether that is typed into.
pub fn press_twice(
    (first, second, repeat): (&mut Input, &mut Input, &mut bool),
    problem: &mut Option<&'static str>,
    key: KeyEvent,
) -> Twice {
    match key.code {
        KeyCode::Esc if *repeat => {
            second.clear();
            *repeat = false;
        }
        KeyCode::Esc => return Twice::Back,
        KeyCode::Enter | KeyCode::Tab | KeyCode::Down if !*repeat => {
            if unlock::is_short(first.text()) {
                *problem = Some("at least 8 characters; a few words are good");
            } else {
                *repeat = true;
                *problem = None;
            }
        }
        KeyCode::BackTab | KeyCode::Up => *repeat = false,
        KeyCode::Enter => {
            if first.text() == second.text() {
                return Twice::Done(first.take());
            }
            second.clear();
            *problem = Some("the two are not the same; type it once more");
        }
        _ => {
            let line = if *repeat { second } else { first };
            if line.key(key) {
                *problem = None;
            }
        }
    }
    Twice::On
}

/// A paste goes into the line that is typed into.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    let Stage::Welcome(welcome) = &mut model.stage else { return Vec::new() };
    let text = text.expose().trim_end_matches(['\r', '\n']);
    match &mut welcome.step {
        Step::Password { first, second, repeat, .. } => if *repeat { second } else { first }.insert(text),
        Step::Recovery { sheet, .. } => {
            if let Some(line) = sheet.line_mut() {
                line.insert(text);
            }
        }
        Step::Restore(_) => return restore::on_paste(model, &Secret::new(text.to_owned())),
        Step::Start(_) | Step::Unlock(_) | Step::Making => {}
    }
    Vec::new()
}

/// The vault was made, or not.
pub fn created(model: &mut Model, result: Result<(Box<Unlocked>, Secret<String>), UnlockError>) -> Vec<Effect> {
    let Stage::Welcome(welcome) = &mut model.stage else { return Vec::new() };
    match result {
        Ok((vault, key)) => {
            model.unwritten.extend(Sheet::slot_in(&vault));
            welcome.step = Step::Recovery { vault, sheet: Sheet::new(key) };
        }
        Err(error) => {
            welcome.error = Some(Report::from(&error));
            welcome.step = Step::Unlock(0);
            // Perhaps because another otpanel made one meanwhile: then it is there to be opened.
            return vec![Effect::Probe, Effect::Look];
        }
    }
    Vec::new()
}

/// The recovery key is written down.
fn written(model: &mut Model) -> Vec<Effect> {
    let Stage::Welcome(welcome) = &mut model.stage else { return Vec::new() };
    let then_import = welcome.then_import;
    let Step::Recovery { vault, .. } = std::mem::replace(&mut welcome.step, Step::Making) else { return Vec::new() };
    let words = "the vault is ready; keep the recovery key away from this machine";
    let slot = Sheet::slot_in(&vault);
    model.unwritten.retain(|other| Some(*other) != slot);
    let mut effects = open::enter(model, *vault, then_import, words.into());
    effects.extend(slot.map(Effect::RecoveryKeyWritten));
    effects
}
