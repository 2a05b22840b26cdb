//! Opening, locking and the lock screen. Locking drops the session: no key, account or code stays.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{access, backup, files, rekey, restore};
use crate::app::event::{Effect, With};
use crate::app::model::{Lock, Model, Stage, Tone, Waiting};
use crate::app::session::{Session, Then};
use crate::config::LockUnlocksWith;
use crate::keychain::Probe;
use crate::report::{Exit, Report};
use crate::unlock::UnlockError;
use crate::vault::envelope::{Locked, Unlocked};
use crate::vault::file::FileError;
use crate::vault::slots::SlotKind;

/// Locks: drops the session, clears the clipboard, shows the lock screen. Changes that are being saved are waited for with
/// the codes hidden. A session with changes that could not be saved stays, since locking would lose them: it says so.
pub fn lock(model: &mut Model) -> Vec<Effect> {
    if model.demo {
        model.say(Tone::Info, "sample accounts: there is nothing to lock");
        return Vec::new();
    }
    let now = model.now;
    let given_up = rekey::given_up(model);
    match model.session_mut() {
        None => return Vec::new(),
        Some(session) if session.saving.failed.is_some() => {
            session.hidden = true;
            session.revealed = None;
            session.touched = now;
            if matches!(session.modal, Some(crate::app::session::Modal::Qr(..))) {
                session.modal = None;
            }
            model.say(Tone::Warn, "not locked: a change is not saved yet. Codes are hidden; make room, then s saves");
            return vec![Effect::ClearClipboard];
        }
        Some(session) if session.saving.busy() => {
            session.hidden = true;
            session.revealed = None;
            session.modal = None;
            let since = session.saving.then.map_or(now, |(_, since)| since);
            session.saving.then = Some((Then::Lock, since));
            say_given_up(model, given_up);
            return vec![Effect::ClearClipboard];
        }
        Some(_) => {}
    }
    lock_at_once(model)
}

/// Keeps for the next opening that new keys were given up by locking: who wrote their recovery key down must hear of it.
fn say_given_up(model: &mut Model, words: Option<&'static str>) {
    if let Some(words) = words {
        model.at_opening = Some((Tone::Warn, words.to_owned()));
    }
}

/// Drops the session whatever it holds.
pub fn lock_at_once(model: &mut Model) -> Vec<Effect> {
    let forget = model.session().map(|session| Effect::ForgetKey(session.vault.vault_id()));
    let backup = backup::last(model);
    let given_up = rekey::given_up(model);
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

/// The vault file was looked at.
pub fn looked(model: &mut Model, found: Result<Option<Arc<Locked>>, FileError>) -> Vec<Effect> {
    match found {
        Err(error) => {
            if !matches!(model.stage, Stage::Open(_)) {
                model.stage = Stage::Broken(Report::from(&error));
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
                model.stage = Stage::Broken(Report::new(
                    Exit::NotFound,
                    "The vault is gone",
                    format!("No file lies at {}.", model.vault_path),
                    "Put it back, or restore a copy with `otpanel vault history`, then press r.",
                ));
                Vec::new()
            }
            Stage::Welcome(_) | Stage::Open(_) => Vec::new(),
        },
        Ok(Some(vault)) => match &mut model.stage {
            // The file changed while the vault was opened from its bytes before.
            Stage::Open(session) if !session.vault.knows(&vault.digest()) => read_again(model),
            Stage::Open(_) => Vec::new(),
            Stage::Locked(lock) => {
                lock.vault = Some(vault);
                lock.recovery &= lock.has_slot(SlotKind::Recovery);
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
    let by_password = model.config.lock_unlocks_with == LockUnlocksWith::Password;
    let Stage::Locked(lock) = &mut model.stage else { return Vec::new() };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let keychain = lock.has_slot(SlotKind::Keychain) && !by_password;
    match key.code {
        KeyCode::Char('c' | 'q') if ctrl => return vec![Effect::Quit],
        KeyCode::Esc if lock.waiting != Waiting::No => {
            lock.waiting = Waiting::No;
            model.generation += 1;
        }
        KeyCode::Esc if !lock.line.is_empty() => lock.line.clear(),
        KeyCode::Esc if lock.recovery => lock.recovery = false,
        KeyCode::Esc => return vec![Effect::Quit],
        // While the file is still being read, nobody knows which keys open it.
        KeyCode::Char('r') if ctrl && (lock.vault.is_none() || lock.has_slot(SlotKind::Recovery)) => {
            lock.recovery = !lock.recovery;
            lock.line.clear();
            lock.error = None;
        }
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
            model.stage = Stage::Open(Box::new(Session::new(*vault, &model.config, model.now)));
            let mut effects = files::opened(model);
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

fn read_again(model: &Model) -> Vec<Effect> {
    let vault = model.session().map(|session| Box::new(session.vault.duplicate()));
    vault.map(|vault| Effect::Reread(model.generation, vault)).into_iter().collect()
}

/// The keychain was probed.
pub fn probed(model: &mut Model, probe: Probe) -> Vec<Effect> {
    match &mut model.stage {
        Stage::Welcome(welcome) => super::welcome::probed(welcome, probe),
        Stage::Locked(lock) => lock.keychain = Some(probe),
        Stage::Opening | Stage::Open(_) | Stage::Broken(_) => {}
    }
    Vec::new()
}
