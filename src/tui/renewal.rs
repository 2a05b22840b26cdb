//! A new recovery key: the question, the key and its check, how it comes in force.

use super::Canvas;
use super::prompt::Prompt;
use super::recovery::{self, ask};
use crate::app::Model;
use crate::app::renewal::{Renewal, Step};

/// Draws the step.
pub fn view(flow: &Renewal, model: &Model, canvas: &mut Canvas) {
    let title = "A new recovery key";
    let x = if canvas.width() >= 60 { 3 } else { 1 };
    let columns = canvas.width().saturating_sub(x + 1).min(72);
    let problem = flow.problem.as_deref();
    let prompt = |canvas: &mut Canvas, text: &str| {
        !ask(&Prompt { title, text, lines: &[], problem }, canvas, x, columns, vec![("", "")]).is_empty()
    };
    let top = if canvas.height() > 8 { 2 } else { 1 };
    let keys = match &flow.step {
        Step::Question => prompt(
            canvas,
            "Make a new recovery key? It is shown once, to be written on paper. The old one opens the vault no more then; \
             everything else that opens it stays.",
        ),
        Step::Making => prompt(canvas, "making the key…"),
        Step::Recovery(_, sheet) => {
            canvas.text(x, 0, columns, title, canvas.theme.strong);
            !recovery::view(sheet, title, Some("leave"), canvas, (x, top), columns).is_empty()
        }
        Step::Saving => prompt(canvas, "saving…"),
        Step::Again(_) => prompt(canvas, "The new key is not in force: the old one opens the vault still."),
    };
    if keys {
        canvas.footer(&model.footer());
    }
}
