//! The lock screen, and the first look at the vault: what opens it.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{access, open, restore};
use crate::app::event::{Aside, Effect, With};
use crate::app::model::{Lock, Model, Stage, Tone, Waiting};
use crate::app::session::Session;
use crate::keychain::Probe;
use crate::report::{Exit, Report};
use crate::unlock::UnlockError;
use crate::vault::envelope::{Locked, Unlocked};
use crate::vault::file::FileError;
use crate::vault::slots::SlotKind;

/// The vault file was looked at.
pub fn looked(model: &mut Model, found: Result<Option<Arc<Locked>>, FileError>) -> Vec<Effect> {
    match found {
        Err(error) => {
            let report = Report::from(&error);
            if !open_what_is_kept(model, &report) && !matches!(model.stage, Stage::Open(_)) {
                model.stage = Stage::Broken(report);
            }
            Vec::new()
        }
        Ok(None) => match &model.stage {
            Stage::Opening => {
                model.stage = Stage::Welcome(Box::default());
                let mut effects = vec![Effect::Probe];
                effects.extend(restore::look_at_start(model));
                effects
            }
            // The file vanished while the panel is locked: nothing here can bring it back, so say where copies are.
            Stage::Locked(_) | Stage::Broken(_) => {
                let report = Report::new(
                    Exit::NotFound,
                    "The vault is gone",
                    format!("No file lies at {}.", model.vault_path),
                    "Put it back, or bring a copy back (`otpanel vault history` lists them); then press r.",
                );
                if !open_what_is_kept(model, &report) {
                    model.stage = Stage::Broken(report);
                }
                Vec::new()
            }
            Stage::Welcome(_) | Stage::Open(_) => Vec::new(),
        },
        Ok(Some(vault)) => match &mut model.stage {
            // The file changed while the vault was opened from its bytes before.
            Stage::Open(session) if !session.vault.knows(&vault.digest()) => model.with_vault(Effect::Reread),
            Stage::Open(_) => Vec::new(),
            Stage::Locked(lock) => {
                lock.vault = Some(vault);
                lock.recovery &= lock.has_slot(SlotKind::Recovery);
                if !lock.takes_typing() {
                    lock.line.clear();
                }
                if std::mem::take(&mut lock.eager) {
                    on_key(model, KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE))
                } else {
                    Vec::new()
                }
            }
            Stage::Opening | Stage::Welcome(_) | Stage::Broken(_) => {
                let lock = Lock::new(Some(vault));
                let keychain = lock.has_slot(SlotKind::Keychain);
                model.stage = Stage::Locked(Box::new(lock));
                // At the start the keychain, or a key that was kept, opens the vault without a key being pressed.
                let (now, remembered) = (model.now, model.config.unlock.remember.is_on());
                if !keychain && !remembered {
                    return Vec::new();
                }
                begin(model, Waiting::Keychain(now), With::Start { remembered, keychain })
            }
        },
    }
}

/// Where the file does not open, what was kept in memory does: the lock screen then is for that. Whether it is so.
fn open_what_is_kept(model: &mut Model, report: &Report) -> bool {
    let Stage::Locked(lock) = &mut model.stage else { return false };
    let Some(Aside::Memory(kept)) = &lock.aside else { return false };
    lock.vault = Some(Arc::clone(kept));
    lock.error = Some(report.clone());
    true
}

/// Takes up what was kept when the panel locked; `false` where it does not open.
fn take_back(session: &mut Session, aside: Option<Aside>) -> bool {
    match aside {
        None | Some(Aside::Nowhere) => true,
        // It comes with the next reading of the file.
        Some(Aside::History) => {
            session.saving.aside = true;
            true
        }
        Some(Aside::Memory(kept)) => {
            let Ok(kept) = session.vault.open_copy(&kept) else { return false };
            session.vault.absorb(&kept);
            session.refresh();
            session.changed();
            true
        }
    }
}

/// Leaves the lock screen; asked a second time where that loses a change.
fn leave(lock: &mut Lock) -> Vec<Effect> {
    if matches!(lock.aside, Some(Aside::Memory(_))) && !std::mem::replace(&mut lock.warned, true) {
        lock.error = Some(Report::new(
            Exit::Failed,
            "A change is lost when you leave now",
            "It could not be saved, and is kept in memory alone.",
            "Unlock, and save it by s; or leave by the same key again.",
        ));
        return Vec::new();
    }
    vec![Effect::Quit]
}

fn ask_keychain(model: &mut Model, may_prompt: bool) -> Vec<Effect> {
    let now = model.now;
    begin(model, Waiting::Keychain(now), With::Keychain { may_prompt })
}

fn begin(model: &mut Model, waiting: Waiting, with: With) -> Vec<Effect> {
    let Stage::Locked(lock) = &mut model.stage else { return Vec::new() };
    let Some(vault) = lock.vault.clone() else { return Vec::new() };
    lock.waiting = waiting;
    lock.error = None;
    model.generation += 1;
    vec![Effect::Unlock(model.generation, vault, with)]
}

/// A key on the lock screen.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let wanted = model.config.lock_unlocks_with;
    let Stage::Locked(lock) = &mut model.stage else { return Vec::new() };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let keychain = lock.opens_by_keychain(wanted);
    match key.code {
        KeyCode::Char('c' | 'q') if ctrl => return leave(lock),
        KeyCode::Esc if lock.waiting != Waiting::No => {
            lock.waiting = Waiting::No;
            model.generation += 1;
        }
        KeyCode::Esc if !lock.line.is_empty() => lock.line.clear(),
        KeyCode::Esc if lock.recovery => lock.recovery = false,
        // Leaves nothing: once too often, and the rest of a password would be typed into the shell.
        KeyCode::Esc => {}
        // While the file is still being read, nobody knows which keys open it.
        KeyCode::Char('r') if ctrl && (lock.vault.is_none() || lock.has_slot(SlotKind::Recovery)) => {
            lock.recovery = !lock.recovery;
            lock.line.clear();
            lock.error = None;
        }
        KeyCode::Char('q') if !lock.takes_typing() => return leave(lock),
        KeyCode::Char(_) if !lock.takes_typing() => {}
        // A password opens nothing while another try runs.
        _ if lock.waiting == Waiting::Derivation => {}
        KeyCode::Enter if lock.line.is_empty() && keychain => return ask_keychain(model, true),
        KeyCode::Enter if lock.vault.is_none() => lock.eager = true,
        KeyCode::Enter if lock.line.is_empty() => {}
        KeyCode::Enter => {
            let typed = lock.line.take();
            let with = if lock.recovery { With::RecoveryKey(typed) } else { With::Password(typed) };
            return begin(model, Waiting::Derivation, with);
        }
        _ => {
            if lock.line.key(key) {
                lock.eager = false;
                lock.error = None;
            }
        }
    }
    Vec::new()
}

/// A try to unlock ended.
pub fn unlocked(model: &mut Model, attempt: u64, result: Result<Box<Unlocked>, UnlockError>) -> Vec<Effect> {
    if attempt != model.generation {
        return Vec::new();
    }
    let Stage::Locked(lock) = &mut model.stage else { return Vec::new() };
    let by_keychain = matches!(lock.waiting, Waiting::Keychain(_));
    lock.waiting = Waiting::No;
    match result {
        Ok(vault) => {
            model.notice = None;
            // A key that was kept opens without a slot; its time is not made longer.
            let time = vault.opened_by().and(model.config.unlock.remember.time());
            let remember = time.map(|time| Effect::KeepKey(vault.vault_id(), vault.data_key().duplicate(), time));
            let aside = lock.aside.take();
            let mut session = Session::new(*vault, &model.config, model.now);
            let taken_back = take_back(&mut session, aside);
            model.stage = Stage::Open(Box::new(session));
            let mut effects = open::opened(model);
            if !taken_back {
                model.say(Tone::Error, "a change of before locking does not open with this key, and is lost");
            }
            effects.extend(remember);
            effects.extend(access::opened(model));
            effects
        }
        Err(UnlockError::NotRemembered) => Vec::new(),
        Err(error) => {
            lock.error = Some(Report::from(&error));
            if by_keychain { vec![Effect::Probe] } else { Vec::new() }
        }
    }
}

/// The keychain was probed.
pub fn probed(model: &mut Model, probe: Probe) -> Vec<Effect> {
    match &mut model.stage {
        Stage::Welcome(welcome) => super::welcome::probed(welcome, probe),
        // Why the keychain failed, where a look at it tells more than the failure did.
        Stage::Locked(lock) if lock.error.is_some() && probe != Probe::Ready => lock.error = Some(Report::from(&probe)),
        Stage::Opening | Stage::Locked(_) | Stage::Open(_) | Stage::Broken(_) => {}
    }
    Vec::new()
}
