//! The machine's policy, changed while the panel is open.

use super::rounds;
use crate::app::backup::Task;
use crate::app::event::Effect;
use crate::app::model::{Model, Tone};
use crate::config::Config;
use crate::policy::Policy;
use crate::text::clean;

/// The policy was read anew: it is obeyed from now on, which is said. One that may not be obeyed, or says nothing that can
/// be read, changes nothing until the next start: what held stays.
pub fn changed(model: &mut Model, read: Result<(Box<Policy>, Option<Box<Config>>), String>) -> Vec<Effect> {
    let said = match read {
        Err(problem) => (Tone::Warn, format!("{problem}: what held before holds on; `otpanel policy` says why")),
        Ok((policy, _)) if *policy == model.policy => return Vec::new(),
        Ok((policy, config)) => {
            let words = words(&model.policy, &policy);
            let shown = |policy: &Policy| policy.identity.as_ref().map(|managed| clean(&managed.name).into_owned());
            // Without a profile of its own the panel is named after the organisation.
            let (old, new) = (shown(&model.policy), shown(&policy));
            if model.profile == old.unwrap_or_else(|| String::from("personal")) {
                model.profile = new.unwrap_or_else(|| String::from("personal"));
            }
            // What its limits held back of the settings may hold again.
            if let Some(config) = config {
                model.config.idle_lock_secs = config.idle_lock_secs;
                model.config.clipboard.clear_secs = config.clipboard.clear_secs;
            }
            model.govern(*policy);
            (Tone::Info, words)
        }
    };
    let now = model.now;
    match model.session_mut() {
        None => {
            model.keep_for_opening(said.0, said.1);
            Vec::new()
        }
        Some(session) => {
            // Where backups go, and what is in them, may have changed with it.
            session.backup.saved(now);
            session.refresh();
            model.say(said.0, said.1);
            rounds::send(model, Task::Look)
        }
    }
}

/// What is new, in a sentence: whose new accounts are, where that changed.
fn words(old: &Policy, new: &Policy) -> String {
    let name = |policy: &Policy| policy.identity.as_ref().map(|managed| clean(&managed.name).into_owned());
    match (name(old), name(new)) {
        (Some(old), None) => format!("{old} does not manage this machine any more: new accounts are personal"),
        (old, Some(new)) if old.as_ref() != Some(&new) => {
            format!("{new} manages this machine now: new accounts belong to it; `otpanel policy` says more")
        }
        _ => String::from("the policy of this machine changed and is obeyed from now on; `otpanel policy` shows it"),
    }
}
