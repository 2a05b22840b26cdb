//! The import's screens: a path, a password, the preview.

use super::Canvas;
use super::prompt::{Line, Prompt};
use crate::app::Model;
use crate::app::import::{Fate, Flow, Preview, Recent, Step};
use crate::app::input::Input;
use crate::app::owner::Owner;
use crate::app::path::PathLine;
use crate::text::{clean, wrap};

/// Draws the import.
pub fn view(flow: &Flow, model: &Model, canvas: &mut Canvas) {
    let columns = canvas.width().saturating_sub(2);
    let problem = flow.error.as_deref();
    let ask = |canvas: &mut Canvas, title: &str, text: &str, input: &Input, masked: bool| {
        let lines = [Line { label: "", input, masked, focus: true }];
        Prompt { title, text, lines: &lines, problem }.draw(canvas, 1, columns)
    };
    let keys = match &flow.step {
        Step::Path(line) => {
            let (below, keys) = ask(canvas, "Import", "Which file? Type, paste or drop its path.", line, false);
            offers(line, &flow.recent, canvas, below, keys);
            keys
        }
        Step::Password { app, line, origin } => {
            let title = format!("Import{}{app}", canvas.mark(" · ", " - "));
            ask(canvas, &title, &format!("{} is encrypted. Its password:", origin.name()), line, true).1
        }
        Step::Reading { origin, since, with_password } => {
            canvas.put(1, 0, "Import", canvas.theme.strong);
            // With a password it is the key derivation that takes its time; how long in all, nobody can tell.
            let took = model.now.secs().saturating_sub(since.secs());
            let slow = match took {
                _ if took < 2 || canvas.is_spoken() => String::new(),
                _ if *with_password => format!(" {took} s; its app made the key slow on purpose"),
                _ => format!(" {took} s"),
            };
            let top = if canvas.height() > 8 { 2 } else { 1 };
            let lines = wrap(&format!("reading {}…{slow}", origin.name()), columns.into());
            canvas.lines(
                1,
                top,
                columns,
                usize::from(canvas.height().saturating_sub(top + 1)),
                &lines,
                canvas.theme.dim,
            );
            true
        }
        Step::Preview(preview) => {
            draw_preview(preview, canvas);
            true
        }
    };
    let last = canvas.height() - 1;
    for item in model.footer().into_iter().filter(|_| keys) {
        let x = canvas.put(item.from, last, &item.key, canvas.theme.accent);
        canvas.put(x + 1, last, &item.word, canvas.theme.dim);
    }
}

/// Draws the files that are offered, below the line that is typed; beside downloads the app that they are of.
fn offers(line: &PathLine, recent: &[Recent], canvas: &mut Canvas, below: u16, keys: bool) {
    let apps = line.offers_recent() && canvas.width() >= 40;
    super::choice::view(line, below, keys, canvas, |canvas, at, y| {
        let whole = canvas.width().saturating_sub(4);
        let app = recent.get(at).filter(|_| apps);
        app.map_or(whole, |found| canvas.right(canvas.width() - 1, y, found.app, canvas.theme.dim).saturating_sub(4))
    });
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
    let tall = canvas.height() > 10;
    // On three rows one account is worth more than how many come, which the keys say too.
    let mut top = match canvas.height() {
        0..4 => 1,
        4..=10 => 2,
        _ => 3,
    };
    for note in preview.notes.iter().take(if tall { 3 } else { 0 }) {
        canvas.text(1, top, end, &format!("! {}", clean(note)), canvas.theme.warn);
        top += 1;
    }
    let room = canvas.height().saturating_sub(top + 1 + u16::from(tall)) as usize;
    let skip = (preview.selected + 1).saturating_sub(room);
    if canvas.height() >= 4 {
        let below = preview.lines.len().saturating_sub(skip + room);
        let edge = canvas.more(end, 1, skip, below);
        canvas.text(1, 1, edge.saturating_sub(if edge < end { 3 } else { 1 }), &words, canvas.theme.dim);
    }
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
