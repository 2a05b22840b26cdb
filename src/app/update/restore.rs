//! Keys of a restore, before there is a vault and in an open one, and the answers it waits for.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};

use super::{change, open};
use crate::app::event::Effect;
use crate::app::model::{Model, Stage, Tone};
use crate::app::path::{PathLine, Pressed};
use crate::app::restore::{Preview, Restore, Step};
use crate::app::session::{Modal, Undo};
use crate::app::welcome::{self as first, Step as First};
use crate::backup::restore::Offer;
use crate::keychain::Probe;
use crate::report::Report;
use crate::secret::Secret;
use crate::unlock::UnlockError;
use crate::vault::envelope::Unlocked;
use crate::vault::history::Reason;
use crate::vault::{EntryId, State, VaultId, changes};

/// The restore that is under way.
pub fn restore(model: &mut Model) -> Option<&mut Restore> {
    match &mut model.stage {
        Stage::Welcome(first) => match &mut first.step {
            First::Restore(restore) => Some(restore),
            _ => None,
        },
        Stage::Open(session) => match &mut session.modal {
            Some(Modal::Restore(restore)) => Some(restore),
            _ => None,
        },
        _ => None,
    }
}

/// The open vault, to compare with.
fn here(model: &Model) -> Option<(VaultId, Arc<State>)> {
    model.session().map(|session| (session.vault.vault_id(), Arc::clone(&session.vault.state)))
}

/// Looks for backups, with a key where one was typed.
fn look(model: &mut Model, folder: Option<PathBuf>, key: Option<Secret<String>>) -> Vec<Effect> {
    model.imports += 1;
    let (attempt, since) = (model.imports, model.now);
    if let Some(restore) = restore(model) {
        *restore = Restore::looking(folder.clone(), key.is_some(), since);
    }
    vec![Effect::FindBackups { attempt, folder, key, may_prompt: true }]
}

/// The restore at the first start: what was found, what a locked keychain may hold, or a folder.
pub fn begin(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let Stage::Welcome(first) = &mut model.stage else { return Vec::new() };
    let found = std::mem::take(&mut first.found);
    let locked = found.is_empty() && first.keychain == Some(Probe::Locked);
    let restore = if locked { Some(Restore::looking(None, false, now)) } else { Restore::found(None, found, None) };
    first.step = First::Restore(Box::new(restore.unwrap_or_else(Restore::from_folder)));
    if locked { look(model, None, None) } else { Vec::new() }
}

/// Opens the restore of an open vault: what the keychain holds is looked for at once.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    if let Some(session) = model.session_mut() {
        session.modal = Some(Modal::Restore(Box::new(Restore::looking(None, false, now))));
    }
    look(model, None, None)
}

/// At the first start: what lies in the keychain is offered, without a dialog.
pub fn look_at_start(model: &mut Model) -> Vec<Effect> {
    model.imports += 1;
    vec![Effect::FindBackups { attempt: model.imports, folder: None, key: None, may_prompt: false }]
}

fn close(model: &mut Model) {
    model.imports += 1;
    match &mut model.stage {
        Stage::Welcome(first) => **first = first::Welcome { keychain: first.keychain.take(), ..first::Welcome::new() },
        Stage::Open(session) => session.modal = None,
        _ => {}
    }
}

/// A key in a restore.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let page = (model.size.1 as usize / 2).max(1);
    let generation = model.generation;
    let Some(restore) = restore(model) else { return Vec::new() };
    let folder = restore.folder.clone();
    match &mut restore.step {
        Step::Folder(_) if key.code == KeyCode::Esc => close(model),
        Step::Folder(line) => match line.press(key) {
            Pressed::Submit if line.text().trim().is_empty() => {}
            Pressed::Submit => {
                let path = line.path();
                return look(model, Some(path.into()), None);
            }
            Pressed::Complete(text) => return vec![Effect::Complete(generation, text)],
            Pressed::Typed => restore.error = None,
            Pressed::Nothing => {}
        },
        Step::Looking { .. } => {
            if key.code == KeyCode::Esc {
                close(model);
            }
        }
        Step::Key { line, .. } => match key.code {
            KeyCode::Esc => close(model),
            KeyCode::Tab => *restore = Restore::from_folder(),
            KeyCode::Enter if !line.is_empty() => {
                let typed = line.take();
                return look(model, folder, Some(typed));
            }
            _ => {
                if line.key(key) {
                    restore.error = None;
                }
            }
        },
        Step::Preview(preview) => {
            let last = preview.lines.len().saturating_sub(1);
            match key.code {
                KeyCode::Esc | KeyCode::Char('q') => close(model),
                KeyCode::Up | KeyCode::Char('k') => preview.offset = preview.offset.saturating_sub(1),
                KeyCode::Down | KeyCode::Char('j') => preview.offset = (preview.offset + 1).min(last),
                KeyCode::PageUp => preview.offset = preview.offset.saturating_sub(page),
                KeyCode::PageDown => preview.offset = (preview.offset + page).min(last),
                KeyCode::Char('f') => *restore = Restore::from_folder(),
                KeyCode::Tab if !preview.others.is_empty() => another(model),
                KeyCode::Enter if !preview.offer.is_bare() => return apply(model),
                _ => {}
            }
        }
        Step::Making => {}
    }
    Vec::new()
}

/// A paste goes into the line that is typed into.
pub fn on_paste(model: &mut Model, text: &Secret<String>) -> Vec<Effect> {
    let text = text.expose().trim();
    match restore(model).map(|restore| &mut restore.step) {
        Some(Step::Folder(line)) => {
            line.paste(text);
        }
        Some(Step::Key { line, .. }) => line.insert(text),
        _ => {}
    }
    Vec::new()
}

/// Backups were looked for.
pub fn found(model: &mut Model, attempt: u64, found: Result<Vec<Offer>, String>) -> Vec<Effect> {
    if attempt != model.imports {
        return Vec::new();
    }
    if let Stage::Welcome(first) = &mut model.stage
        && matches!(first.step, First::Start(_))
    {
        first.found(found.unwrap_or_default());
        return Vec::new();
    }
    let here = here(model);
    let here = here.as_ref().map(|(vault, state)| (*vault, &**state));
    let Some(restore) = restore(model) else { return Vec::new() };
    let Step::Looking { with_key, .. } = restore.step else { return Vec::new() };
    let folder = restore.folder.take();
    let none = "no backup of otpanel lies there";
    *restore = match found.map(|offers| Restore::found(folder.clone(), offers, here)) {
        Ok(Some(mut next)) => {
            if with_key && matches!(next.step, Step::Key { .. }) {
                next.error = Some(String::from("that is not its password or recovery key"));
            }
            next
        }
        Ok(None) => Restore { error: Some(none.to_owned()), ..again(folder) },
        Err(why) => Restore { error: Some(why), ..again(folder) },
    };
    Vec::new()
}

/// The question for a folder, what was typed before in it.
fn again(folder: Option<PathBuf>) -> Restore {
    let typed = folder.map_or_else(String::new, |path| path.display().to_string());
    Restore { step: Step::Folder(PathLine::folder(&typed)), ..Restore::from_folder() }
}

/// Shows the backup that lies there next.
fn another(model: &mut Model) {
    let here = here(model);
    let Some(restore) = restore(model) else { return };
    if let Step::Preview(preview) = std::mem::replace(&mut restore.step, Step::Making) {
        restore.step = Step::Preview(Box::new(preview.next(here.as_ref().map(|(_, state)| &**state))));
    }
}

/// Restores what is previewed.
fn apply(model: &mut Model) -> Vec<Effect> {
    let Some(restore) = restore(model) else { return Vec::new() };
    let Step::Preview(preview) = std::mem::replace(&mut restore.step, Step::Making) else { return Vec::new() };
    let folder = restore.folder.clone();
    match &model.stage {
        Stage::Welcome(_) => vec![Effect::MakeAgain(Box::new(preview.offer), folder)],
        _ => {
            join(model, &preview);
            Vec::new()
        }
    }
}

/// Joins a backup into the open vault: what is deleted here stays deleted, what is newer here stays.
fn join(model: &mut Model, preview: &Preview) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    session.modal = None;
    let before = session.vault.state.clone();
    let stamp = session.stamp(now, device);
    let records = preview.offer.records_for(session.state());
    session.state_mut().join(&records);
    session.state_mut().note(stamp);
    let news = changes(&before, &session.vault.state);
    let added: Vec<EntryId> = news.added.iter().chain(&news.restored).copied().collect();
    session.refresh();
    if news.is_empty() {
        return model.say(Tone::Info, "the vault holds everything that is in this backup");
    }
    session.saving.reason = Some(Reason::Restore);
    let words = format!("restored from the backup: {} more, {} changed", added.len(), news.changed.len());
    change::remember(session, Undo::Trash(added, String::from("what the backup brought is in the trash")));
    session.changed();
    model.say(Tone::Good, words);
}

/// The vault was made anew from its backup, or not.
pub fn made(model: &mut Model, result: Result<Box<Unlocked>, UnlockError>) -> Vec<Effect> {
    let Stage::Welcome(welcome) = &mut model.stage else { return Vec::new() };
    match result {
        Ok(vault) => {
            let n = vault.state.live().count();
            open::enter(model, *vault, false, format!("{n} accounts are here again"))
        }
        Err(error) => {
            **welcome = first::Welcome::new();
            welcome.error = Some(Report::from(&error));
            let mut effects = vec![Effect::Probe, Effect::Look];
            effects.extend(look_at_start(model));
            effects
        }
    }
}
