//! What lies over the list: palette and help, questions, the paste line.

use ratatui::layout::Rect;

use super::Canvas;
use crate::app::Model;
use crate::app::keys::{Binding, Group, show};
use crate::app::model::Tone;
use crate::app::session::{Modal, Palette, Session};
pub use crate::app::update::modal::key_name;
use crate::app::update::modal::palette_rows;
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
            let text = format!("The last change is in memory only. {why} Leaving now loses it.");
            let keys = [("s", "save again"), ("y", "leave and lose it"), ("esc", "stay")];
            question(canvas, "Not saved", &text, &keys);
        }
        Modal::Paste(line, problem) => {
            let area = middle(canvas, 64, 7);
            canvas.frame(area, "Paste");
            let (x, columns) = (area.x + 2, area.width.saturating_sub(4));
            canvas.text(
                x,
                area.y + 1,
                columns,
                "A link, a secret or a file's path. Empty: what the clipboard holds.",
                canvas.theme.dim,
            );
            canvas.input(x, area.y + 3, columns, line, false, true);
            if let Some(problem) = problem {
                canvas.text(x, area.y + 4, columns, problem, canvas.theme.error);
            }
        }
        Modal::Qr(id, _) => {
            let name = session.row(*id).map_or_else(String::new, super::super::app::rows::Row::title);
            let text = format!(
                "Show {name} as a QR code? It holds the secret: whoever scans or photographs it has the account for ever."
            );
            question(canvas, "QR code", &text, &[("enter", "show it"), ("esc", "leave it")]);
        }
        Modal::Tags(tags) => super::tags::view(tags, session, canvas),
        Modal::Form(_)
        | Modal::Import(_)
        | Modal::Past(_)
        | Modal::Export(_)
        | Modal::Backup(_)
        | Modal::Restore(_) => {}
    }
}

/// An area in the middle of the screen, as large as asked for where it fits.
pub fn middle(canvas: &Canvas, columns: u16, rows: u16) -> Rect {
    if canvas.is_spoken() {
        // Nothing stands beside it that would be read with it.
        return Rect::new(0, 0, canvas.width(), canvas.height());
    }
    let width = columns.min(canvas.width());
    let height = rows.min(canvas.height());
    Rect::new((canvas.width() - width) / 2, (canvas.height() - height) / 2, width, height)
}

/// Asks something: in a box, or over the whole of a screen that is too low for one.
pub fn question(canvas: &mut Canvas, title: &str, text: &str, keys: &[(&str, &str)]) {
    let columns = canvas.width().min(60);
    let boxed =
        !canvas.is_spoken() && canvas.height() as usize >= wrap(text, columns.saturating_sub(4) as usize).len() + 5;
    let inner = columns.saturating_sub(if boxed { 4 } else { 2 });
    let lines = wrap(text, inner as usize);
    let (x, top, bottom) = if boxed {
        let area = middle(canvas, columns, lines.len() as u16 + 4);
        canvas.frame(area, title);
        (area.x + 2, area.y + 1, area.bottom() - 2)
    } else {
        canvas.empty(Rect::new(0, 0, canvas.width(), canvas.height()));
        let titled = canvas.is_spoken() && canvas.height() > 5;
        if titled {
            canvas.put(1, 0, title, canvas.theme.strong);
        }
        (1, u16::from(titled), canvas.height() - 1)
    };
    for (line, y) in lines.iter().zip(top..bottom) {
        canvas.text(x, y, inner, line, canvas.theme.text);
    }
    let (mut at, end) = (x, x + inner);
    for (key, word) in keys {
        let shown = show(key, canvas.ascii);
        if at + (width(&shown) + 1 + width(word)) as u16 > end {
            break;
        }
        at = canvas.put(at, bottom, &shown, canvas.theme.accent) + 1;
        at = canvas.put(at, bottom, word, canvas.theme.dim) + 3;
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

fn draw_palette(palette: &Palette, model: &Model, canvas: &mut Canvas) {
    let rows = palette_rows(palette);
    let grouped = palette.help && palette.line.is_empty();
    let mut lines = Vec::new();
    let mut group: Option<Group> = None;
    if grouped && !model.keymap.problems.is_empty() {
        lines.extend(model.keymap.problems.iter().map(|problem| PaletteLine::Problem(clean(problem).into_owned())));
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
    let tiny = canvas.height() < 8 || canvas.is_spoken();
    let area = if tiny {
        Rect::new(0, 0, canvas.width(), canvas.height())
    } else {
        let columns = canvas.width().saturating_sub(4).min(84);
        let rows = (lines.len() as u16 + 4).max(8).min(canvas.height().saturating_sub(2));
        let mut area = middle(canvas, columns, rows);
        area.y = 1;
        area
    };
    canvas.frame(area, if palette.help { "Help" } else { "Actions" });
    let (x, columns) = (area.x + 2, area.width.saturating_sub(4));
    let prompt = if canvas.is_spoken() { "find: " } else { canvas.mark("› ", "> ") };
    let at = canvas.put(x, area.y + 1, prompt, canvas.theme.accent);
    canvas.input(at, area.y + 1, columns.saturating_sub(2), &palette.line, false, true);
    if palette.line.is_empty() {
        canvas.text(at + 2, area.y + 1, columns.saturating_sub(4), "type to find an action", canvas.theme.dim);
    }
    let top = area.y + 2;
    let room = area.height.saturating_sub(3) as usize;
    let here = lines.iter().position(|l| matches!(l, PaletteLine::Row(at, _) if *at == palette.selected)).unwrap_or(0);
    // Keep the selected line in view, with its group's title where it is the first.
    let skip = (here + 1).saturating_sub(room).min(lines.len().saturating_sub(room));
    let key_columns = if area.width < 50 { 8 } else { 14 };
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
                if canvas.is_spoken() {
                    let at = canvas.put(0, y, &keys.join(" or "), canvas.theme.accent) + 2;
                    canvas.put(at, y, row.text, canvas.theme.text);
                } else {
                    canvas.text(x, y, key_columns - 1, &keys.join(" "), canvas.theme.accent);
                    canvas.text(x + key_columns, y, columns.saturating_sub(key_columns), row.text, canvas.theme.text);
                }
                if *at == palette.selected {
                    canvas.restyle(x - 1, y, columns + 2, canvas.theme.selected);
                    canvas.select(x - 1, y, canvas.theme.accent);
                }
            }
        }
    }
    if rows.is_empty() {
        canvas.text(x, top, columns, "No action has these words.", canvas.theme.dim);
    }
}
