//! The first start, as one family with the lock screen: words first, one mark, the keys in the last line.

use super::Canvas;
use super::prompt::{Prompt, twice};
use super::recovery::{self, Keys, ask};
use crate::app::Model;
use crate::app::restore::describe;
use crate::app::welcome::{MODES, Step, Welcome};
use crate::keychain::Probe;
use crate::text::{clean, wrap};

/// Draws the step.
pub fn view(welcome: &Welcome, model: &Model, canvas: &mut Canvas) {
    if let Step::Restore(restore) = &welcome.step {
        return super::restore::view(restore, model, canvas);
    }
    let roomy = canvas.height() >= 14;
    let x = if canvas.width() >= 60 { 3 } else { 1 };
    let columns = canvas.width().saturating_sub(x + 1).min(72);
    let mut y = u16::from(roomy);
    if canvas.height() > 7 {
        canvas.put(x, y, "otpanel", canvas.theme.strong);
        y += if roomy { 2 } else { 1 };
    }
    let keys = match &welcome.step {
        Step::Start(selected) => start(welcome, *selected, model, canvas, x, y, columns),
        Step::Unlock(selected) => unlock(welcome, *selected, canvas, x, y, columns),
        Step::Password { first, second, repeat, problem, .. } => {
            let prompt = Prompt {
                title: "otpanel",
                text: "A password for the vault. A few words are good.",
                lines: &twice(first, second, *repeat),
                problem: problem.as_deref(),
            };
            ask(&prompt, canvas, x, columns, vec![("enter", "go on"), ("esc", "back")])
        }
        Step::Restore(_) => Vec::new(),
        Step::Making => {
            canvas.put(x, y, "making the vault…", canvas.theme.dim);
            Vec::new()
        }
        Step::Recovery { sheet, .. } => recovery::view(sheet, "otpanel", None, canvas, (x, y), columns),
    };
    let keys: Vec<(String, &str)> =
        keys.into_iter().map(|(key, word)| (crate::app::keys::show(key, canvas.ascii), word)).collect();
    let keys: Vec<(&str, &str)> = keys.iter().map(|(key, word)| (key.as_str(), *word)).collect();
    if !keys.is_empty() {
        canvas.keys(canvas.height() - 1, &keys);
    }
}

fn start(
    welcome: &Welcome,
    selected: usize,
    model: &Model,
    canvas: &mut Canvas,
    x: u16,
    mut y: u16,
    columns: u16,
) -> Keys {
    if let Some(report) = &welcome.error {
        y = canvas.paragraph(x, y, columns, &report.why(), canvas.theme.error);
    }
    let words = match welcome.found.first() {
        None => String::from("No vault yet."),
        Some(offer) => {
            format!("No vault yet. A backup lies in this session's keychain: {}.", describe(offer, model.now))
        }
    };
    let words = match &model.policy.identity {
        None => words,
        Some(managed) => format!("{} manages this machine. {words}", clean(&managed.name)),
    };
    // What can be chosen goes before what is told.
    let (starts, last) = (welcome.starts(), canvas.height() - 1);
    let told = usize::from(last.saturating_sub(y)).saturating_sub(starts.len());
    y = canvas.lines(x, y, columns, told, &wrap(&words, columns.into()), canvas.theme.text);
    y += u16::from(canvas.height() > 9);
    let room = usize::from(last.saturating_sub(y)).max(1);
    let skip = (selected + 1).saturating_sub(room);
    for (i, (key, words)) in starts.iter().enumerate().skip(skip).take(room) {
        if i == selected {
            canvas.select(x - 1, y, canvas.theme.accent);
        }
        let at = canvas.put(x + 1, y, &key.to_string(), canvas.theme.accent);
        canvas.put(at + 2, y, words, if i == selected { canvas.theme.strong } else { canvas.theme.text });
        y += 1;
    }
    if canvas.height() > 10 {
        canvas.paragraph(x, y + 1, columns, "Nothing is written before you choose.", canvas.theme.dim);
        let place = format!("The vault will lie at {}", model.vault_path);
        canvas.paragraph(x, y + 3, columns, &place, canvas.theme.dim);
    }
    vec![("enter", "choose"), ("q", "quit")]
}

fn unlock(welcome: &Welcome, selected: usize, canvas: &mut Canvas, x: u16, mut y: u16, columns: u16) -> Keys {
    if let Some(report) = &welcome.error {
        y = canvas.paragraph(x, y, columns, &report.problem, canvas.theme.error);
        y = canvas.paragraph(x, y, columns, &format!("{} {}", report.cause, report.next_in_panel()), canvas.theme.text)
            + 1;
    }
    let last = canvas.height() - 1;
    let told = usize::from(last.saturating_sub(y)).saturating_sub(MODES.len());
    y = canvas.lines(x, y, columns, told, &wrap("How should the vault open?", columns.into()), canvas.theme.strong);
    y += u16::from(canvas.height() > 9);
    let wide = columns >= 60;
    let room = usize::from(last.saturating_sub(y)).max(1);
    let skip = (selected + 1).saturating_sub(room);
    for (i, (mode, name, about)) in MODES.iter().enumerate().skip(skip).take(room) {
        let can = welcome.offers(*mode);
        let style = match (can, i == selected) {
            (false, _) => canvas.theme.dim,
            (true, true) => canvas.theme.strong,
            (true, false) => canvas.theme.text,
        };
        if i == selected {
            canvas.select(x - 1, y, canvas.theme.accent);
        }
        canvas.text(x + 1, y, columns, name, style);
        let about = if can { *about } else { "not here: no keychain answers" };
        if wide {
            canvas.text(x + 25, y, columns.saturating_sub(25), about, canvas.theme.dim);
        } else if canvas.height() > 12 {
            y += 1;
            canvas.text(x + 3, y, columns.saturating_sub(3), about, canvas.theme.dim);
        }
        y += 1;
    }
    let y = y + u16::from(canvas.height() > 9);
    let rows = usize::from(last.saturating_sub(y));
    if rows > 0 {
        let text = match &welcome.keychain {
            Some(Probe::Ready | Probe::Locked) => String::from(
                "With the keychain, any program of yours can ask for the key while you are logged in, as with your \
                 browser's passwords.",
            ),
            Some(probe) => probe.describe(),
            None => String::from("asking the keychain…"),
        };
        canvas.lines(x, y, columns, rows, &wrap(&text, columns.into()), canvas.theme.dim);
    }
    vec![("enter", "choose"), ("esc", "back")]
}
