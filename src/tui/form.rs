//! The form that adds and edits: labels, lines, errors at their fields, the code that it would make.

use super::Canvas;
use crate::app::Model;
use crate::app::form::{Field, Form};
use crate::otp::{code_at, hotp_code, remaining};
use crate::text::wrap;

/// Draws the form.
pub fn view(form: &Form, model: &Model, canvas: &mut Canvas) {
    let title = if form.enrols {
        "Enrol an account again"
    } else if form.editing.is_some() {
        "Edit an account"
    } else {
        "Add an account"
    };
    let fields = form.fields();
    let (height, narrow) = (canvas.height(), canvas.width() < 44);
    let mut y = 0;
    if height > 6 {
        canvas.put(1, 0, title, canvas.theme.strong);
        preview(form, model, canvas, 0);
        y = if height as usize > fields.len() + 4 { 2 } else { 1 };
    }
    let label = if narrow { 1 } else { 3 };
    let value = label + 11;
    let columns = canvas.width().saturating_sub(value + 1).min(64);
    let bottom = height.saturating_sub(if height > 6 { 2 } else { 1 });
    let room = bottom.saturating_sub(y) as usize;
    // Below the label as well where the value's column is narrow.
    let from = if columns < 40 { label } else { value };
    let inner = canvas.width().saturating_sub(from + 3).min(64);
    let wrong = |field: Field| {
        let gone = form.gone.filter(|_| field == form.focus).map(str::to_owned);
        let error = form.error(field).filter(|_| form.shows_error(field)).or(gone);
        error.map_or_else(Vec::new, |error| wrap(&error, inner.into()))
    };
    // Where not all fit, the field in focus is kept in view, with what is wrong with it.
    let at = fields.iter().position(|f| *f == form.focus).unwrap_or(0);
    let rows: Vec<usize> = fields.iter().map(|field| 1 + wrong(*field).len()).collect();
    let skip = (0..at).find(|from| rows[*from..=at].iter().sum::<usize>() <= room).unwrap_or(at);
    let (all, mut shown) = (fields.len(), 0);
    for field in fields.into_iter().skip(skip) {
        if y >= bottom {
            break;
        }
        let focus = field == form.focus;
        if focus {
            canvas.select(0, y, canvas.theme.accent);
        }
        canvas.put(label, y, field.label(), if focus { canvas.theme.accent } else { canvas.theme.dim });
        match form.input(field) {
            Some(line) => {
                canvas.input(value, y, columns, line, form.masks(field), focus);
                if let Some(words) = form.kept(field) {
                    let at = value + if focus { 2 } else { 0 };
                    canvas.text(at, y, columns.saturating_sub(2), &words, canvas.theme.dim);
                }
            }
            None => {
                let style = if focus { canvas.theme.strong } else { canvas.theme.text };
                let at = canvas.put(value, y, &choice(form.choice(field)), style);
                if focus {
                    canvas.put(at + 2, y, canvas.mark("←→ choose", "left, right: choose"), canvas.theme.dim);
                }
            }
        }
        y += 1;
        shown += 1;
        let lines = wrong(field);
        if !lines.is_empty() && y < bottom {
            let at = canvas.put(from, y, canvas.cross(), canvas.theme.error) + 1;
            y = canvas.lines(at, y, inner, usize::from(bottom - y), &lines, canvas.theme.error);
        }
    }
    if height > 6 {
        let end = canvas.width().saturating_sub(1);
        canvas.more(end, height - 2, skip, all.saturating_sub(skip + shown));
    }
    if height <= 6 {
        preview(form, model, canvas, height - 1);
    } else {
        canvas.footer(&model.footer());
    }
}

fn choice(name: &str) -> String {
    match name {
        "totp" => String::from("TOTP, by time"),
        "hotp" => String::from("HOTP, by counter"),
        "steam" => String::from("Steam"),
        "motp" => String::from("mOTP"),
        "yandex" => String::from("Yandex"),
        other => other.to_owned(),
    }
}

/// The code that the form would make now, at the right of a row.
fn preview(form: &Form, model: &Model, canvas: &mut Canvas, y: u16) {
    let end = canvas.width().saturating_sub(1);
    let Some(account) = form.account() else {
        canvas.right(end, y, "no code yet", canvas.theme.dim);
        return;
    };
    let (code, about) = match account.kind.period() {
        Some(period) => (code_at(&account, model.code_time()), format!("{}s", remaining(period, model.code_time()))),
        None => {
            let counter = match account.kind {
                crate::otp::Kind::Hotp { counter, .. } => counter,
                _ => 0,
            };
            (hotp_code(&account, counter), format!("#{counter}"))
        }
    };
    // The seconds would be read aloud, one after the other.
    let about = if canvas.is_spoken() { String::new() } else { about };
    let x = canvas.right(end, y, &about, canvas.theme.dim);
    let grouped = code.map(|c| c.grouped());
    canvas.right(x.saturating_sub(1), y, grouped.as_ref().map_or("", |c| c.expose()), canvas.theme.code);
}
