//! A new password for the open vault.

use super::Canvas;
use super::prompt::{Prompt, twice};
use super::recovery::ask;
use crate::app::Model;
use crate::app::password::Password;
use crate::app::session::Session;
use crate::vault::SlotKind;

/// Draws it.
pub fn view(flow: &Password, session: &Session, model: &Model, canvas: &mut Canvas) {
    let x = if canvas.width() >= 60 { 3 } else { 1 };
    let columns = canvas.width().saturating_sub(x + 1).min(72);
    let has_one = session.vault.slots().iter().any(|slot| slot.kind() == SlotKind::Password);
    let text = match (flow.saving, has_one) {
        (true, _) => "saving…",
        (false, true) => "A new password for the vault, in the place of the old one. A few words are good.",
        (false, false) => "A password for the vault, which opens it anywhere. A few words are good.",
    };
    let lines = twice(&flow.first, &flow.second, flow.repeat);
    let prompt = Prompt {
        title: "A new password",
        text,
        lines: if flow.saving { &[] } else { &lines },
        problem: flow.problem.or(flow.failed.as_deref()),
    };
    if ask(&prompt, canvas, x, columns, vec![("", "")]).is_empty() {
        return;
    }
    canvas.footer(&model.footer());
}
