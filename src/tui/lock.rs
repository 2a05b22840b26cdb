//! The screens without an open vault: opening, locked, broken. None shows a name, a count or a code.

use super::Canvas;
use crate::app::Model;
use crate::app::model::{KEYCHAIN_SILENT_MS, Lock, Waiting};
use crate::report::Report;
use crate::text::wrap;
use crate::vault::slots::SlotKind;

/// Nothing is known yet. Says nothing, since it lasts a few milliseconds.
pub fn opening(canvas: &mut Canvas) {
    canvas.put(1, 0, "otpanel", canvas.theme.strong);
}

/// The vault can't be opened by any key.
pub fn broken(report: &Report, canvas: &mut Canvas) {
    let columns = canvas.width().saturating_sub(4).min(72);
    canvas.put(1, 0, "otpanel", canvas.theme.strong);
    let last = canvas.height() - 1;
    let y = (u16::from(canvas.height() > 8) + 1).min(last.saturating_sub(1));
    let at = canvas.put(2, y, canvas.cross(), canvas.theme.error) + 1;
    // As far as the keys: what does not fit says so.
    let said = |canvas: &mut Canvas, x: u16, y: u16, columns: u16, text: &str, style| {
        canvas.lines(x, y, columns, usize::from(last.saturating_sub(y)), &wrap(text, columns.into()), style)
    };
    let y = said(canvas, at, y, columns.saturating_sub(2), &report.problem, canvas.theme.error);
    let y = said(canvas, 2, y, columns, &report.cause, canvas.theme.text);
    said(canvas, 2, y, columns, &next(report), canvas.theme.text);
    canvas.keys(last, &[("r", "look again"), ("q", "quit")]);
}

/// What to do next, in lines that are broken here alone.
fn next(report: &Report) -> String {
    report.next_in_panel().replace('\n', " ")
}

/// The lock screen.
pub fn locked(lock: &Lock, model: &Model, canvas: &mut Canvas) {
    let tall = canvas.height() >= 10;
    let narrow = canvas.width() < 36;
    let x = if canvas.width() >= 60 { canvas.width() / 2 - 20 } else { 1 };
    let columns = canvas.width().saturating_sub(x + 1).min(60);
    // On three rows an error goes before the keys.
    let has_keys = canvas.height() > if lock.error.is_some() { 3 } else { 2 };
    let mut y = if tall { canvas.height() / 3 } else { 0 };
    let cause = lock.error.as_ref().map_or_else(String::new, |report| format!("{} {}", report.cause, next(report)));
    let inner = columns.saturating_sub(2);
    if let Some(report) = lock.error.as_ref().filter(|_| tall) {
        // An error begins as high as it takes to be read whole.
        let rows = wrap(&report.problem, inner.into()).len() + wrap(&cause, inner.into()).len();
        y = y.min(canvas.height().saturating_sub(rows as u16 + 5));
    }
    if canvas.height() > 3 {
        canvas.put(x, y, "otpanel is locked", canvas.theme.strong);
        y += if tall { 2 } else { 1 };
    }
    let label = match (lock.recovery, narrow) {
        (true, _) => "recovery key ",
        (false, _) => "password ",
    };
    match lock.waiting {
        Waiting::Derivation => {
            canvas.put(x, y, "opening…", canvas.theme.dim);
        }
        Waiting::Keychain(since) if model.now.0.saturating_sub(since.0) < KEYCHAIN_SILENT_MS => {}
        Waiting::Keychain(_) => {
            canvas.put(x, y, "asking the keychain…", canvas.theme.dim);
        }
        Waiting::No if lock.vault.is_none() => {}
        Waiting::No if !lock.recovery && !lock.has_slot(SlotKind::Password) => {
            let words =
                if lock.has_slot(SlotKind::Keychain) { "the keychain opens this vault" } else { "no password is set" };
            canvas.text(x, y, columns, words, canvas.theme.text);
        }
        Waiting::No => {
            let at = canvas.put(x, y, label, canvas.theme.dim);
            canvas.input(at, y, columns.saturating_sub(at - x), &lock.line, !lock.recovery, true);
        }
    }
    y += 1;
    if let Some(report) = &lock.error {
        y += u16::from(tall);
        let at = canvas.put(x, y, canvas.cross(), canvas.theme.error) + 1;
        // As far as the row of the keys.
        let keys = u16::from(has_keys);
        let rows = usize::from((canvas.height() - keys).saturating_sub(y));
        y = canvas.lines(at, y, inner, rows, &wrap(&report.problem, inner.into()), canvas.theme.error);
        if tall {
            let rows = usize::from((canvas.height() - 1).saturating_sub(y));
            canvas.lines(x + 2, y, inner, rows, &wrap(&cause, inner.into()), canvas.theme.dim);
        }
    }
    if lock.aside.is_some() && lock.error.is_none() && canvas.height() > y + 1 + u16::from(has_keys) {
        y += u16::from(tall);
        let rows = usize::from((canvas.height() - u16::from(has_keys)).saturating_sub(y));
        let words = "A change could not be saved. It is kept, sealed, and comes back when you unlock.";
        canvas.lines(x, y, columns, rows, &wrap(words, columns.into()), canvas.theme.warn);
    }
    let last = canvas.height() - 1;
    let mut keys = Vec::new();
    if lock.waiting == Waiting::No {
        let by_keychain = lock.opens_by_keychain(model.config.lock_unlocks_with);
        if by_keychain && lock.line.is_empty() && !lock.recovery {
            keys.push((canvas.mark("↵", "Enter"), "use the keychain"));
        } else if lock.takes_typing() {
            keys.push((canvas.mark("↵", "Enter"), "open"));
        }
        if lock.has_slot(SlotKind::Recovery) && !lock.recovery {
            keys.push(("^R", "recovery key"));
        }
        keys.push(match (lock.line.is_empty(), lock.recovery) {
            (false, _) => ("esc", "clear"),
            (true, true) => ("esc", "back"),
            (true, false) if lock.takes_typing() => ("^C", "quit"),
            (true, false) => ("q", "quit"),
        });
    } else {
        keys.push(("esc", "cancel"));
    }
    if has_keys {
        canvas.keys(last, &keys);
    }
}
