//! The import's screens: a path, a password, the preview.

use super::Canvas;
use super::prompt::{Line, Prompt};
use crate::app::Model;
use crate::app::import::{Fate, Flow, Line as Entry, Preview, Recent, Step};
use crate::app::input::Input;
use crate::app::layout::WIDE;
use crate::app::owner::Owner;
use crate::app::path::PathLine;
use crate::text::{clean, width, wrap};

/// Draws the import.
pub fn view(flow: &Flow, model: &Model, canvas: &mut Canvas) {
    let columns = canvas.width().saturating_sub(2);
    let problem = flow.error.as_deref();
    let ask = |canvas: &mut Canvas, title: &str, text: &str, input: &Input, masked: bool, offered: usize| {
        let lines = [Line { label: "", input, masked, focus: true }];
        Prompt { title, text, lines: &lines, problem }.over(offered, canvas, 1, columns)
    };
    let keys = match &flow.step {
        Step::Path(line) => {
            let text = "Which file? Type, paste or drop its path.";
            let (below, keys) = ask(canvas, "Import", text, line, false, line.offered().len());
            offers(line, &flow.recent, canvas, below, keys);
            keys
        }
        Step::Password { app, line, origin } => {
            let title = format!("Import{}{app}", canvas.mark(" · ", " - "));
            ask(canvas, &title, &format!("{} is encrypted. Its password:", origin.name()), line, true, 0).1
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
    if keys {
        canvas.footer(&model.footer());
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

/// How much is said of what is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// In words of its own.
    Words,
    /// In those of the rows.
    Few,
    /// In those, and only what comes or needs a look.
    Least,
}

/// How many come and how many do not, and whose they will be.
fn counts(preview: &Preview, detail: Detail, whose: Option<&str>) -> String {
    let all = [
        (preview.count(Fate::comes), "to import", "to import", true),
        (preview.count(|f| f == Fate::LeftOut), "left out", "left out", false),
        (preview.count(|f| f == Fate::Here), "already here", "here", false),
        (preview.count(|f| f == Fate::Differs), "here under another name", "differs", true),
        (preview.count(|f| f == Fate::Cannot), "not importable", "cannot", true),
    ];
    let said = all.iter().filter(|(n, .., matters)| *n > 0 && (*matters || detail != Detail::Least));
    let parts = said.map(|(n, words, few, _)| format!("{n} {}", if detail == Detail::Words { words } else { few }));
    let parts: Vec<String> = parts.chain(whose.map(str::to_owned)).collect();
    parts.join(if detail == Detail::Words { "   " } else { "  " })
}

/// The column of what stands beside an issuer that begins at `x` and ends before `at`.
fn second(issuer: &str, x: u16, at: u16, wide: bool) -> u16 {
    match (issuer.is_empty(), wide) {
        (true, _) => x,
        (false, true) => (x + 22).max(at + 2),
        (false, false) => at + 1,
    }
}

/// Why an entry cannot come, where its row is too narrow for that.
fn reason(line: &Entry, columns: u16) -> Option<&str> {
    let wide = columns >= WIDE;
    let x = if wide { 13 } else { 3 };
    let from = second(&line.issuer, x, x + width(&line.issuer) as u16, wide);
    let cut = usize::from(from) + width(&line.about) > usize::from(columns.saturating_sub(1));
    (line.fate == Fate::Cannot && cut).then_some(line.about.as_str())
}

fn draw_preview(preview: &Preview, canvas: &mut Canvas) {
    let end = canvas.width().saturating_sub(1);
    let n = preview.lines.len();
    let total = if n == 1 { String::from("1 entry") } else { format!("{n} entries") };
    let x = canvas.right(end, 0, &total, canvas.theme.dim);
    let dot = canvas.mark(" · ", " - ");
    canvas.text(1, 0, x.saturating_sub(2), &format!("Import{dot}{}", preview.title), canvas.theme.strong);
    let whose = preview.owner.as_ref().map(|owner| format!("{} {}", canvas.mark("→", "->"), owner_words(owner)));
    let counts = [Detail::Words, Detail::Few, Detail::Least].map(|detail| counts(preview, detail, whose.as_deref()));
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
    // Why the selected one cannot come, where its row has no room for all of it: above the keys, or over what is counted.
    let why = preview.lines.get(preview.selected).and_then(|line| reason(line, canvas.width()));
    let why = why.map_or_else(Vec::new, |why| wrap(why, usize::from(end.saturating_sub(3))));
    let below = if tall { (why.len() as u16).clamp(1, 3) } else { 0 };
    let room = canvas.height().saturating_sub(top + 1 + below) as usize;
    let skip = (preview.selected + 1).saturating_sub(room);
    if canvas.height() >= 4 {
        let below = preview.lines.len().saturating_sub(skip + room);
        let edge = canvas.more(end, 1, skip, below);
        let columns = edge.saturating_sub(if edge < end { 3 } else { 1 });
        let fits = |words: &&String| width(words) <= columns.into();
        match why.first().filter(|_| !tall) {
            Some(_) => {
                let at = canvas.put(1, 1, canvas.cross(), canvas.theme.error) + 1;
                canvas.lines(at, 1, (columns + 1).saturating_sub(at), 1, &why, canvas.theme.error);
            }
            None => {
                canvas.text(1, 1, columns, counts.iter().find(fits).unwrap_or(&counts[2]), canvas.theme.dim);
            }
        }
    }
    if tall && !why.is_empty() {
        let y = canvas.height() - 1 - below;
        let at = canvas.put(1, y, canvas.cross(), canvas.theme.error) + 1;
        canvas.lines(at, y, end.saturating_sub(at), below.into(), &why, canvas.theme.error);
    }
    let wide = canvas.width() >= WIDE;
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
        let gap = second(&line.issuer, x, at, wide);
        let words = if line.fate == Fate::Cannot { &line.about } else { &line.account };
        canvas.text(gap, y, stop.saturating_sub(gap), words, canvas.theme.dim);
        if i == preview.selected {
            canvas.restyle(0, y, canvas.width(), canvas.theme.selected);
            canvas.select(0, y, canvas.theme.accent);
        }
    }
}
