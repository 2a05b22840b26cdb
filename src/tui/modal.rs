//! What lies over the list: palette and help, questions, the paste line.

use ratatui::layout::Rect;

use super::Canvas;
use super::prompt::{Line, Prompt};
use crate::app::Model;
use crate::app::access::Access;
use crate::app::input::Input;
use crate::app::keys::{Binding, Group, TABLE, show};
use crate::app::model::Tone;
use crate::app::session::{Modal, Palette, Session};
use crate::text::{clean, width, wrap};

/// Draws what lies over the list.
pub fn view(over: &Modal, session: &Session, model: &Model, canvas: &mut Canvas) {
    match over {
        Modal::Palette(palette) => draw_palette(palette, model, canvas),
        Modal::Delete(id) => {
            let name = session.row(*id).map_or_else(String::new, super::super::app::rows::Row::title);
            let days = model.config.trash_days;
            let text = format!("Move {name} to the trash? It can be brought back for {days} days.");
            question(canvas, "Delete", &text, &[("enter", "to the trash"), ("esc", "keep it")]);
        }
        Modal::Leave => {
            let why = session.saving.failed.as_ref().map_or("", |r| r.cause.as_str());
            let text = format!(
                "The last change is in memory only. {why} If you leave, the history keeps it for the next start."
            );
            let keys = [("s", "save again"), ("y", "leave, keep it in the history"), ("esc", "stay")];
            question(canvas, "Not saved", &text, &keys);
        }
        Modal::Paste(line, problem) => {
            paste(line, problem.as_deref(), model, canvas);
        }
        Modal::Qr(id, _) => {
            let name = session.row(*id).map_or_else(String::new, super::super::app::rows::Row::title);
            let text = format!(
                "Show {name} as a QR code? It holds the secret: whoever scans or photographs it has the account for ever."
            );
            question(canvas, "QR code", &text, &[("enter", "show it"), ("esc", "leave it")]);
        }
        Modal::Access(access) => {
            let (text, keys): (_, &[_]) = match access {
                Access::Asking => ("Asking the keychain…", &[("esc", "leave it")]),
                Access::Working => ("Saving…", &[]),
                Access::Question(false) => (
                    "Let this computer's keychain open the vault, without typing? Any program of yours can ask it for the \
                     key while you are logged in, as with your browser's passwords.",
                    &[("enter", "let it"), ("esc", "leave it")],
                ),
                Access::Question(true) => (
                    "This computer's keychain opens the vault. Take that away, so that the password is typed here again?",
                    &[("enter", "take it away"), ("esc", "leave it")],
                ),
            };
            question(canvas, "Keychain", text, keys);
        }
        Modal::Tags(tags) => super::tags::view(tags, session, canvas),
        Modal::Form(_)
        | Modal::Import(_)
        | Modal::Past(_)
        | Modal::Export(_)
        | Modal::Backup(_)
        | Modal::Rekey(_)
        | Modal::Renewal(_)
        | Modal::Password(_)
        | Modal::Restore(_) => {}
    }
}

/// The line that takes what is pasted: in a box, or over the whole of a low screen.
fn paste(line: &Input, problem: Option<&str>, model: &Model, canvas: &mut Canvas) {
    let text = "A link, a secret or a file's path. Empty: the clipboard's.";
    let line = Line { label: "", input: line, masked: false, focus: true };
    if canvas.is_spoken() || canvas.height() < 10 {
        canvas.empty(Rect::new(0, 0, canvas.width(), canvas.height()));
        let prompt = Prompt { title: "Paste", text, lines: &[line], problem };
        let (_, keys) = prompt.draw(canvas, 1, canvas.width().saturating_sub(2));
        if keys {
            canvas.footer(&model.footer());
        }
        return;
    }
    let columns = canvas.width().min(64);
    let inner = columns.saturating_sub(4);
    let lines = wrap(text, inner.into());
    let wrong = problem.map_or_else(Vec::new, |why| wrap(why, usize::from(inner.saturating_sub(2))));
    let most = usize::from(canvas.height()) - 6 - lines.len().min(2);
    let wrong_rows = wrong.len().min(most);
    let area = canvas.middle(columns, (lines.len() + wrong_rows.max(1) + 4) as u16);
    canvas.frame(area, "Paste");
    let x = area.x + 2;
    let y = canvas.lines(x, area.y + 1, inner, 2, &lines, canvas.theme.text) + 1;
    canvas.input(x, y, inner, line.input, false, true);
    if wrong_rows > 0 {
        let at = canvas.put(x, y + 1, canvas.cross(), canvas.theme.error) + 1;
        canvas.lines(at, y + 1, inner.saturating_sub(2), wrong_rows, &wrong, canvas.theme.error);
    }
}

/// A key with its word.
type Key<'a> = (String, &'a str);

/// The columns of these keys in a row, the first ones with their words.
fn needs(keys: &[Key], words: usize, gap: usize) -> usize {
    let one = |(at, (key, word)): (usize, &Key)| width(key) + if at < words { 1 + width(word) } else { 0 } + gap;
    keys.iter().enumerate().map(one).sum::<usize>().saturating_sub(gap)
}

/// The keys with all their words, in rows of so many columns: nobody should have to guess what one does.
fn key_rows<'a, 'k>(keys: &'a [Key<'k>], columns: usize, gap: usize) -> Vec<&'a [Key<'k>]> {
    let (mut rows, mut first) = (Vec::new(), 0);
    for at in 1..keys.len() {
        if needs(&keys[first..=at], keys.len(), gap) > columns {
            rows.push(&keys[first..at]);
            first = at;
        }
    }
    rows.push(&keys[first..]);
    rows
}

/// Asks something: in a box, or over the whole of a screen that is too low for one.
pub fn question(canvas: &mut Canvas, title: &str, text: &str, keys: &[(&str, &str)]) {
    let keys: Vec<Key> = keys.iter().map(|(key, word)| (show(key, canvas.ascii), *word)).collect();
    let columns = canvas.width().min(60);
    // The rows of the text and those of the keys, which stand closer where that saves one.
    let rows = |inner: u16| {
        let (far, near) = (key_rows(&keys, inner.into(), 3), key_rows(&keys, inner.into(), 2));
        let (gap, named) = if near.len() < far.len() { (2, near) } else { (3, far) };
        (wrap(text, inner.into()), named, gap)
    };
    let (lines, named, _) = rows(columns.saturating_sub(4));
    let boxed = !canvas.is_spoken() && canvas.height() as usize >= lines.len() + named.len() + 4;
    let inner = columns.saturating_sub(if boxed { 4 } else { 2 });
    let (lines, mut named, gap) = rows(inner);
    let (x, top, end) = if boxed {
        let area = canvas.middle(columns, (lines.len() + named.len()) as u16 + 3);
        canvas.frame(area, title);
        (area.x + 2, area.y + 1, area.bottom() - 1)
    } else {
        canvas.empty(Rect::new(0, 0, canvas.width(), canvas.height()));
        let titled = canvas.is_spoken() && canvas.height() > 5;
        if titled {
            canvas.put(1, 0, title, canvas.theme.strong);
        }
        (1, u16::from(titled), canvas.height())
    };
    let mut words = keys.len();
    if named.len() + lines.len().min(2) > usize::from(end - top) {
        // Two rows of what is asked go first. The keys alone say at least which there are.
        named = vec![&keys[..]];
        words = (0..=keys.len()).rev().find(|words| needs(&keys, *words, gap) <= inner.into()).unwrap_or(0);
    }
    let bottom = end.saturating_sub(named.len() as u16);
    canvas.lines(x, top, inner, usize::from(bottom.saturating_sub(top)), &lines, canvas.theme.text);
    for (y, row) in (bottom..).zip(named) {
        let mut at = x;
        for (n, (key, word)) in row.iter().enumerate() {
            at = canvas.put(at, y, key, canvas.theme.accent);
            if n < words {
                at = canvas.put(at + 1, y, word, canvas.theme.dim);
            }
            at += gap as u16;
        }
    }
}

/// A line of the palette: a group's title, or an action by its place among the matches.
enum PaletteLine {
    Title(&'static str),
    Row(usize, &'static Binding),
    Blank,
    /// What is wrong with the config's keys.
    Problem(String),
}

fn palette_lines(palette: &Palette, rows: &[&'static Binding], problems: &[String], grouped: bool) -> Vec<PaletteLine> {
    let mut lines = Vec::new();
    let mut group: Option<Group> = None;
    if grouped && palette.help && !problems.is_empty() {
        lines.extend(problems.iter().map(|problem| PaletteLine::Problem(clean(problem).into_owned())));
        lines.push(PaletteLine::Blank);
    }
    for (at, row) in rows.iter().enumerate() {
        if grouped && group != Some(row.group) {
            if group.is_some() {
                lines.push(PaletteLine::Blank);
            }
            lines.push(PaletteLine::Title(row.group.title()));
            group = Some(row.group);
        }
        lines.push(PaletteLine::Row(at, row));
    }
    lines
}

fn draw_palette(palette: &Palette, model: &Model, canvas: &mut Canvas) {
    let rows = palette.rows();
    // A low window has no room for headings and a frame.
    let tiny = canvas.height() < 8;
    let grouped = palette.help && palette.line.is_empty() && !tiny;
    let lines = palette_lines(palette, &rows, &model.keymap.problems, grouped);
    let spoken = canvas.is_spoken();
    let framed = !tiny && !spoken;
    let area = if framed {
        // As high as it is with every action in it, so that it stands still while words are typed.
        let all: Vec<&Binding> = TABLE.iter().collect();
        let most = palette_lines(palette, &all, &model.keymap.problems, palette.help).len() as u16;
        let columns = if canvas.width() < 100 { canvas.width() } else { 92 };
        let mut area = canvas.middle(columns, (most + 3).min(canvas.height().saturating_sub(2)));
        area.y = 1;
        area
    } else {
        Rect::new(0, 0, canvas.width(), canvas.height())
    };
    if framed || spoken {
        canvas.frame(area, if palette.help { "Help" } else { "Actions" });
    } else {
        canvas.empty(area);
    }
    let (x, columns) =
        if framed { (area.x + 2, area.width.saturating_sub(4)) } else { (1, area.width.saturating_sub(2)) };
    let first = area.y + u16::from(framed || spoken);
    let prompt = if spoken { "find: " } else { canvas.mark("› ", "> ") };
    let at = canvas.put(x, first, prompt, canvas.theme.accent);
    canvas.input(at, first, columns.saturating_sub(2), &palette.line, false, true);
    if palette.line.is_empty() {
        canvas.text(at + 2, first, columns.saturating_sub(4), "type to find an action", canvas.theme.dim);
    }
    let top = first + 1;
    let room = usize::from((area.bottom() - u16::from(framed)).saturating_sub(top));
    let here = lines.iter().position(|l| matches!(l, PaletteLine::Row(at, _) if *at == palette.selected)).unwrap_or(0);
    // Keep the selected line in view, with its group's title where it is the first.
    let skip = (here + 1).saturating_sub(room).min(lines.len().saturating_sub(room));
    let key_columns = if area.width < 50 { 8 } else { 13 };
    for (i, line) in lines.iter().skip(skip).take(room).enumerate() {
        let y = top + i as u16;
        match line {
            PaletteLine::Blank => {}
            PaletteLine::Problem(problem) => {
                let at = canvas.put(x, y, canvas.tone(Tone::Warn).1, canvas.theme.warn) + 1;
                canvas.text(at, y, columns.saturating_sub(2), problem, canvas.theme.warn);
            }
            PaletteLine::Title(title) => {
                canvas.text(x, y, columns, title, canvas.theme.strong);
            }
            PaletteLine::Row(at, row) => {
                let keys: Vec<String> = model.keymap.keys(row.action).iter().map(|k| show(k, canvas.ascii)).collect();
                if spoken {
                    let at = canvas.put(0, y, &keys.join(" or "), canvas.theme.accent) + 2;
                    canvas.put(at, y, row.text, canvas.theme.text);
                } else {
                    canvas.text(x, y, key_columns - 1, &keys.join(" "), canvas.theme.accent);
                    let room = columns.saturating_sub(key_columns);
                    let words = if width(row.text) <= room.into() { row.text } else { row.short };
                    canvas.text(x + key_columns, y, room, words, canvas.theme.text);
                }
                if *at == palette.selected {
                    canvas.restyle(x - 1, y, columns + 2, canvas.theme.selected);
                    canvas.select(x - 1, y, canvas.theme.accent);
                }
            }
        }
    }
    if framed {
        let below = lines.len().saturating_sub(skip + room);
        let (end, y) = (area.right().saturating_sub(3), area.bottom() - 1);
        let from = canvas.more(end, y, skip, below);
        if from < end {
            canvas.text(end, y, 1, " ", canvas.theme.border);
            canvas.text(from.saturating_sub(1), y, 1, " ", canvas.theme.border);
        }
    }
    if rows.is_empty() {
        canvas.text(x, top, columns, "No action has these words.", canvas.theme.dim);
    }
}
