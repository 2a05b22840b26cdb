//! This computer's keychain as a way into the open vault: the question, and what came of the answer.

use crossterm::event::{KeyCode, KeyEvent};

use super::news;
use crate::app::access::{Access, Answer, Job};
use crate::app::event::Effect;
use crate::app::keys::Action;
use crate::app::model::{Model, Tone};
use crate::app::session::Modal;
use crate::config::LockUnlocksWith;
use crate::report::Report;
use crate::unlock::UnlockError;
use crate::vault::SlotKind;

/// Asks the keychain how it stands.
pub fn open(model: &mut Model) -> Vec<Effect> {
    if model.demo {
        model.say(Tone::Info, "sample accounts: there is nothing to open");
        return Vec::new();
    }
    show(model, Some(Access::Asking));
    send(model, Job::Look)
}

fn send(model: &Model, job: Job) -> Vec<Effect> {
    model.with_vault(|generation, vault| Effect::Access(generation, vault, job))
}

fn show(model: &mut Model, access: Option<Access>) {
    if let Some(session) = model.session_mut() {
        session.modal = access.map(Modal::Access);
    }
}

fn shown(model: &Model) -> Option<Access> {
    match model.session()?.modal {
        Some(Modal::Access(access)) => Some(access),
        _ => None,
    }
}

/// A key on the question.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    match (shown(model), key.code) {
        (Some(Access::Question(opens)), KeyCode::Enter | KeyCode::Char('y')) => {
            show(model, Some(Access::Working));
            send(model, if opens { Job::TakeAway } else { Job::LetIn })
        }
        (Some(_), KeyCode::Char('n' | 'q')) => {
            show(model, None);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// A vault was opened by typing. Where keychains open it too, this computer's may be let in: looked at once.
pub fn opened(model: &Model) -> Vec<Effect> {
    let Some(session) = model.session() else { return Vec::new() };
    let typed = session.vault.opened_by().is_some_and(|slot| slot.kind() != SlotKind::Keychain);
    let elsewhere = session.vault.slots().iter().any(|slot| slot.kind() == SlotKind::Keychain);
    let wanted = model.config.lock_unlocks_with != LockUnlocksWith::Password;
    if typed && elsewhere && wanted { send(model, Job::Offer) } else { Vec::new() }
}

/// A job ended.
pub fn answered(model: &mut Model, generation: u64, answer: Result<Answer, UnlockError>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let asked = shown(model);
    match answer {
        Ok(Answer::Opens(opens)) => match asked {
            Some(Access::Asking) => show(model, Some(Access::Question(opens))),
            // Somebody else did it meanwhile.
            Some(Access::Working) => {
                show(model, None);
                tell(model, opens);
            }
            Some(Access::Question(_)) | None => {}
        },
        Ok(Answer::Offer(true)) => {
            let key = model.key_name(Action::Palette);
            let words = format!("this computer's keychain could open the vault without typing: {key} and keychain");
            model.say_or(Tone::Info, words, format!("{key} keychain: open without typing"));
        }
        Ok(Answer::Offer(false)) => {}
        Ok(Answer::Changed(vault, opens)) => {
            if asked.is_some() {
                show(model, None);
            }
            news::take_in_ways(model, *vault);
            tell(model, opens);
        }
        Err(error) => {
            if asked.is_some() {
                show(model, None);
            }
            model.say_report(&Report::from(&error));
        }
    }
    Vec::new()
}

fn tell(model: &mut Model, opens: bool) {
    let words = if opens {
        "this computer's keychain opens the vault from now on"
    } else {
        "this computer's keychain opens the vault no more"
    };
    model.say(Tone::Good, words);
}
