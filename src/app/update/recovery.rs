//! Leaving a flow that shows a new recovery key before the key is in force: whoever wrote it down must hear that it opens
//! nothing.

use crate::app::model::{Model, Tone};
use crate::app::session::Modal;

/// Leaves the flow, with nothing changed: to the backup's screen or to the list. What is being put in force stays.
pub fn leave(model: &mut Model) {
    let Some(session) = model.session_mut() else { return };
    let (is_saving, behind) = match &session.modal {
        Some(Modal::Rekey(flow)) => (flow.is_saving(), Some(Modal::Backup(Box::default()))),
        Some(Modal::Renewal(flow)) => (flow.is_saving(), None),
        _ => return,
    };
    if is_saving {
        return;
    }
    let words = given_up(model);
    if let Some(session) = model.session_mut() {
        session.modal = behind;
    }
    if let Some(words) = words {
        model.say(Tone::Warn, words);
    }
}

/// What is to be said where such a flow ends now: none where no key was shown.
pub fn given_up(model: &Model) -> Option<&'static str> {
    match &model.session()?.modal {
        Some(Modal::Rekey(flow)) => flow.given_up(),
        Some(Modal::Renewal(flow)) => flow.given_up(),
        _ => None,
    }
}
