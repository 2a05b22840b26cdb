//! New keys for the vault: the password, the new recovery key, and how they come in force.

use super::Canvas;
use super::prompt::{Line, Prompt, twice};
use super::recovery::{self, ask};
use crate::app::Model;
use crate::app::rekey::{Rekey, Step};
use crate::text::clean;

/// Draws the step.
pub fn view(flow: &Rekey, model: &Model, canvas: &mut Canvas) {
    let title = format!("New keys{}forget {}", canvas.mark(" · ", " - "), clean(&flow.device.device.label));
    let x = if canvas.width() >= 60 { 3 } else { 1 };
    let columns = canvas.width().saturating_sub(x + 1).min(72);
    let problem = flow.problem.as_deref();
    let prompt = |canvas: &mut Canvas, text: &str, lines: &[Line]| {
        !ask(&Prompt { title: &title, text, lines, problem }, canvas, x, columns, vec![("", "")]).is_empty()
    };
    let top = if canvas.height() > 8 { 2 } else { 1 };
    let keys = match &flow.step {
        Step::Present(line) => {
            let text = "The vault's password, which stays. If somebody may know it, Tab takes a new one.";
            let line = Line { label: "password  ", input: line, masked: true, focus: true };
            prompt(canvas, text, &[line])
        }
        Step::New { first, second, repeat } => {
            prompt(canvas, "A new password for the vault. A few words are good.", &twice(first, second, *repeat))
        }
        Step::NoPassword => prompt(
            canvas,
            "The vault has no password: this computer's keychain goes on to open it, and a new recovery key. Other computers \
             open it no more, unless Tab sets a password that is typed there.",
            &[],
        ),
        Step::Making(_) => prompt(canvas, "making the new keys…", &[]),
        Step::Recovery(_, sheet) => {
            canvas.text(x, 0, columns, &title, canvas.theme.strong);
            !recovery::view(sheet, &title, Some("leave"), canvas, (x, top), columns).is_empty()
        }
        Step::Ready(_) | Step::Saving => prompt(canvas, "putting the new keys in force…", &[]),
        Step::Again(_) => prompt(canvas, "The new keys are not in force: the vault is as it was.", &[]),
    };
    if keys {
        canvas.footer(&model.footer());
    }
}
