//! The import's screens: a path, a password, the preview.

use super::Canvas;
use crate::app::Model;
use crate::app::import::{Fate, Flow, Preview, Step};
use crate::app::owner::Owner;
use crate::text::clean;

/// Draws the import.
pub fn view(flow: &Flow, model: &Model, canvas: &mut Canvas) {
    let columns = canvas.width().saturating_sub(2);
    let tall = canvas.height() > 8;
    let top = if tall { 2 } else { 1 };
    let below = match &flow.step {
        Step::Path { line, completions } => {
            canvas.put(1, 0, "Import", canvas.theme.strong);
            canvas.text(1, top, columns, "Which file? Type, paste or drop its path.", canvas.theme.text);
            canvas.input(1, top + 1, columns, line, false, true);
            // In a low window the list takes the place of an error.
            let list = top + if tall { 3 } else { 2 };
            let hidden = !tall && flow.error.is_some();
            let room = if hidden { 0 } else { canvas.height().saturating_sub(list + 1 + u16::from(tall)) as usize };
            let offered = flow.offered();
            let recent = completions.is_empty();
            let first = (flow.chosen.unwrap_or(0) + 1).saturating_sub(room);
            for (i, name) in offered.iter().enumerate().skip(first).take(room) {
                let y = list + (i - first) as u16;
                let mut stop = columns.saturating_sub(2);
                if recent && canvas.width() >= 40 {
                    let x = canvas.right(canvas.width() - 1, y, flow.recent[i].app, canvas.theme.dim);
                    stop = x.saturating_sub(4);
                }
                canvas.text(3, y, stop, &clean(name), canvas.theme.dim);
                if flow.chosen == Some(i) {
                    canvas.restyle(0, y, canvas.width(), canvas.theme.selected);
                    canvas.select(0, y, canvas.theme.accent);
                }
            }
            top + 2
        }
        Step::Password { app, line, path } => {
            canvas.put(1, 0, &format!("Import · {app}"), canvas.theme.strong);
            let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let text = format!("{} is encrypted. Its password:", clean(&file));
            canvas.text(1, top, columns, &text, canvas.theme.text);
            canvas.input(1, top + 1, columns, line, true, true);
            top + 2
        }
        Step::Reading { path, since, with_password } => {
            canvas.put(1, 0, "Import", canvas.theme.strong);
            let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            // With a password it is the key derivation that takes its time; how long in all, nobody can tell.
            let took = model.now.secs().saturating_sub(since.secs());
            let slow = match took {
                _ if took < 2 || canvas.is_spoken() => String::new(),
                _ if *with_password => format!(" {took} s; its app made the key slow on purpose"),
                _ => format!(" {took} s"),
            };
            canvas.text(1, top, columns, &format!("reading {}…{slow}", clean(&file)), canvas.theme.dim);
            top + 1
        }
        Step::Preview(preview) => {
            draw_preview(preview, canvas);
            canvas.height()
        }
    };
    if let Some(error) = &flow.error {
        let at = canvas.put(1, below, canvas.cross(), canvas.theme.error) + 1;
        canvas.paragraph(at, below, columns.saturating_sub(2).min(76), error, canvas.theme.error);
    }
    let last = canvas.height() - 1;
    for item in model.footer() {
        let x = canvas.put(item.from, last, &item.key, canvas.theme.accent);
        canvas.put(x + 1, last, &item.word, canvas.theme.dim);
    }
}

fn fate(canvas: &Canvas, fate: Fate) -> (&'static str, &'static str, ratatui::style::Style) {
    match fate {
        Fate::New => (canvas.mark("✓", "+"), "new", canvas.theme.good),
        Fate::LeftOut => (canvas.mark("○", "o"), "left out", canvas.theme.dim),
        Fate::Here => (canvas.mark("·", "-"), "here", canvas.theme.dim),
        Fate::Differs => ("?", "differs", canvas.theme.warn),
        Fate::DiffersChosen => (canvas.mark("✓", "+"), "keep both", canvas.theme.good),
        Fate::Cannot => (canvas.mark("✗", "x"), "cannot", canvas.theme.error),
    }
}

/// Whose the accounts will be.
fn owner_words(owner: &Owner) -> String {
    if owner.personal { String::from("personal") } else { format!("for {}", owner.organisation) }
}

fn draw_preview(preview: &Preview, canvas: &mut Canvas) {
    let end = canvas.width().saturating_sub(1);
    let n = preview.lines.len();
    let total = if n == 1 { String::from("1 entry") } else { format!("{n} entries") };
    let x = canvas.right(end, 0, &total, canvas.theme.dim);
    let dot = canvas.mark(" · ", " - ");
    canvas.text(1, 0, x.saturating_sub(2), &format!("Import{dot}{}", preview.title), canvas.theme.strong);
    let counts: Vec<String> = [
        (preview.count(Fate::comes), "to import"),
        (preview.count(|f| f == Fate::LeftOut), "left out"),
        (preview.count(|f| f == Fate::Here), "already here"),
        (preview.count(|f| f == Fate::Differs), "here under another name"),
        (preview.count(|f| f == Fate::Cannot), "not importable"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, words)| format!("{n} {words}"))
    .collect();
    let mut words = counts.join("   ");
    if let Some(owner) = &preview.owner {
        words = format!("{words}   {} {}", canvas.mark("→", "->"), owner_words(owner));
    }
    canvas.text(1, 1, end, &words, canvas.theme.dim);
    let tall = canvas.height() > 10;
    let mut top = if tall { 3 } else { 2 };
    for note in preview.notes.iter().take(if tall { 3 } else { 0 }) {
        canvas.text(1, top, end, &format!("! {}", clean(note)), canvas.theme.warn);
        top += 1;
    }
    let room = canvas.height().saturating_sub(top + 1 + u16::from(tall)) as usize;
    let skip = (preview.selected + 1).saturating_sub(room);
    let wide = canvas.width() >= 60;
    for (i, line) in preview.lines.iter().enumerate().skip(skip).take(room) {
        let y = top + (i - skip) as u16;
        let (mark, word, style) = fate(canvas, line.fate);
        canvas.put(1, y, mark, style);
        let mut x = 3;
        if wide {
            canvas.put(x, y, word, style);
            x += 10;
        }
        let mut stop = end;
        if wide && line.fate != Fate::Cannot {
            stop = canvas.right(end, y, &line.about, canvas.theme.dim).saturating_sub(1);
        }
        let at = canvas.text(x, y, stop.saturating_sub(x), &line.issuer, canvas.theme.text);
        let gap = if wide { (x + 22).max(at + 2) } else { at + 1 };
        let gap = if line.issuer.is_empty() { x } else { gap };
        let second = if line.fate == Fate::Cannot { &line.about } else { &line.account };
        canvas.text(gap, y, stop.saturating_sub(gap), second, canvas.theme.dim);
        if i == preview.selected {
            canvas.restyle(0, y, canvas.width(), canvas.theme.selected);
            canvas.select(0, y, canvas.theme.accent);
        }
    }
}
