//! The export's screens: a format, a password, a path, what was left out.

use super::Canvas;
use super::modal::question;
use super::prompt::{Line, Prompt, twice};
use crate::app::Model;
use crate::app::export::{Export, Step, formats, lies};
use crate::text::{clean, width};

/// Draws the export.
pub fn view(flow: &Export, model: &Model, canvas: &mut Canvas) {
    let columns = canvas.width().saturating_sub(2);
    let tall = canvas.height() > 8;
    let top = if tall { 2 } else { 1 };
    let dot = canvas.mark(" · ", " - ");
    let format = flow.format().0.name();
    let title = match flow.step {
        Step::Format => format!("Export{dot}{}", clean(&flow.what)),
        _ => format!("Export{dot}{format}{dot}{}", clean(&flow.what)),
    };
    let problem = flow.problem.as_deref();
    let ask = |canvas: &mut Canvas, text: &str, lines: &[Line]| {
        Prompt { title: &title, text, lines, problem }.draw(canvas, 1, columns)
    };
    let mut keys = true;
    match &flow.step {
        Step::Format => {
            canvas.text(1, 0, columns, &title, canvas.theme.strong);
            choice(flow, canvas, top);
        }
        Step::Password { first, second, repeat } => {
            let text = match flow.format().1 {
                crate::transfer::export::Sealing::Optional => "A password for the file; none leaves its secrets open.",
                _ => "A password for the file. Its app asks for it.",
            };
            keys = ask(canvas, text, &twice(first, second, *repeat)).1;
        }
        Step::Path | Step::Open | Step::Replace => {
            let line = Line { label: "", input: &flow.path, masked: false, focus: matches!(flow.step, Step::Path) };
            let (below, free) = ask(canvas, "Where to? Nothing is replaced without a yes.", &[line]);
            super::choice::plain(&flow.path, below, free, canvas);
            keys = free;
        }
        Step::Writing => {
            canvas.text(1, 0, columns, &title, canvas.theme.strong);
            canvas.text(1, top, columns, "writing…", canvas.theme.dim);
        }
        Step::Done(left_out) => {
            canvas.text(1, 0, columns, &title, canvas.theme.strong);
            done(left_out, canvas, top);
        }
    }
    let last = canvas.height() - 1;
    if let Some(notice) = model.notice.as_ref().filter(|_| tall && matches!(flow.step, Step::Done(_))) {
        canvas.notice(1, last - 1, columns, notice);
    }
    if keys {
        canvas.footer(&model.footer());
    }
    let path = clean(flow.path.text().trim()).into_owned();
    match flow.step {
        Step::Open => {
            let text = format!(
                "Every secret lies open in {path}: whoever reads it can make your codes. Delete it after use. Write it?"
            );
            question(canvas, "Not sealed", &text, &[("y", "write it"), ("esc", "leave it")]);
        }
        Step::Replace => {
            let text = format!("There is a file {path} already. Replace it? What is in it is lost.");
            question(canvas, "Replace", &text, &[("y", "replace it"), ("esc", "keep it")]);
        }
        _ => {}
    }
}

fn choice(flow: &Export, canvas: &mut Canvas, top: u16) {
    let all = formats();
    let names = all.iter().map(|(format, _)| width(format.name())).max().unwrap_or(0) as u16;
    let tall = canvas.height() > 8;
    let room = canvas.height().saturating_sub(top + 1 + u16::from(tall)) as usize;
    let skip = (flow.chosen + 1).saturating_sub(room.max(1));
    if tall {
        let end = canvas.width().saturating_sub(1);
        canvas.more(end, canvas.height() - 2, skip, all.len().saturating_sub(skip + room));
    }
    for (at, (format, sealing)) in all.iter().enumerate().skip(skip).take(room) {
        let y = top + (at - skip) as u16;
        let x = canvas.text(1, y, canvas.width().saturating_sub(2), format.name(), canvas.theme.text);
        let (end, words) = (canvas.width().saturating_sub(1), lies(*sealing));
        // In a narrow window at the right, and as far as the name leaves room.
        if canvas.width() >= 60 {
            canvas.put(names + 4, y, words, canvas.theme.dim);
        } else if usize::from(end.saturating_sub(x + 1)) >= width(words) {
            canvas.right(end, y, words, canvas.theme.dim);
        }
        if at == flow.chosen {
            canvas.restyle(0, y, canvas.width(), canvas.theme.selected);
            canvas.select(0, y, canvas.theme.accent);
        }
    }
}

fn done(left_out: &[String], canvas: &mut Canvas, top: u16) {
    let columns = canvas.width().saturating_sub(2);
    let room = canvas.height().saturating_sub(top + 3) as usize;
    for (line, y) in left_out.iter().take(room).zip(top..) {
        let at = canvas.put(1, y, "!", canvas.theme.warn) + 1;
        canvas.text(at, y, columns.saturating_sub(2), &clean(line), canvas.theme.text);
    }
    if left_out.len() > room {
        let text = format!("and {} more", left_out.len() - room);
        canvas.text(3, top + room as u16, columns, &text, canvas.theme.dim);
    }
}
