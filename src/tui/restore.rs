//! A restore's screens: a folder, a key, what would come. The same at the first start and in an open vault.

use ratatui::layout::Rect;

use super::Canvas;
use super::prompt::{Line, Prompt};
use crate::app::Model;
use crate::app::footer::restore_keys;
use crate::app::keys::show;
use crate::app::restore::{Fate, Preview, Restore, Step, describe};
use crate::text::{clean, width};

/// Draws the restore.
pub fn view(restore: &Restore, model: &Model, canvas: &mut Canvas) {
    let columns = canvas.width().saturating_sub(2).min(76);
    let top = if canvas.height() > 8 { 2 } else { 1 };
    let place = match &restore.folder {
        None => String::from("the keychain"),
        Some(path) => clean(&path.display().to_string()).into_owned(),
    };
    let end = canvas.width().saturating_sub(1);
    let title = format!("Restore from {place}");
    canvas.text(1, 0, end, &title, canvas.theme.strong);
    let below = match &restore.step {
        Step::Folder(line) => {
            canvas.empty(Rect::new(0, 0, canvas.width(), 1));
            let prompt = Prompt {
                title: "Restore from a folder",
                text: "Which folder holds the backup? Type or drop its path.",
                lines: &[Line { label: "", input: line, masked: false, focus: true }],
                problem: restore.error.as_deref(),
            };
            let (below, free) = prompt.over(line.offered().len(), canvas, 1, columns);
            super::choice::plain(line, below, free, canvas);
            if !free {
                return;
            }
            canvas.height()
        }
        Step::Looking { since, with_key } => {
            let took = model.now.secs().saturating_sub(since.secs());
            let words = if *with_key { "opening it…" } else { "looking for backups…" };
            let slow = if took < 2 { String::new() } else { format!(" {took} s") };
            canvas.text(1, top, columns, &format!("{words}{slow}"), canvas.theme.dim);
            top + 2
        }
        Step::Key { line, devices } => {
            let of = if *devices == 1 { String::from("one device") } else { format!("{devices} devices") };
            let text = format!("A backup of {of} lies there. It opens with the vault's password or recovery key:");
            canvas.empty(Rect::new(0, 0, canvas.width(), 1));
            let prompt = Prompt {
                title: &title,
                text: &text,
                lines: &[Line { label: "", input: line, masked: true, focus: true }],
                problem: restore.error.as_deref(),
            };
            if !prompt.draw(canvas, 1, columns).1 {
                return;
            }
            canvas.height()
        }
        Step::Preview(preview) => {
            draw_preview(preview, model, canvas);
            canvas.height()
        }
        Step::Making => {
            canvas.text(1, top, columns, "making the vault…", canvas.theme.dim);
            top + 2
        }
    };
    if let Some(error) = restore.error.as_ref().filter(|_| below < canvas.height()) {
        let at = canvas.put(1, below, canvas.cross(), canvas.theme.error) + 1;
        canvas.paragraph(at, below, columns.saturating_sub(2), error, canvas.theme.error);
    }
    let keys: Vec<(String, &str)> =
        restore_keys(restore).into_iter().map(|(key, word)| (show(key, canvas.ascii), word)).collect();
    let keys: Vec<(&str, &str)> = keys.iter().map(|(key, word)| (key.as_str(), *word)).collect();
    canvas.keys(canvas.height() - 1, &keys);
}

fn draw_preview(preview: &Preview, model: &Model, canvas: &mut Canvas) {
    let end = canvas.width().saturating_sub(1);
    let all = preview.lines.len();
    let summary = summary(preview);
    let mut top = 2;
    if !preview.others.is_empty() {
        let text = match preview.others.len() {
            1 => String::from("Another vault's backup lies there: Tab shows it."),
            n => format!("Backups of {n} other vaults lie there: Tab shows the next."),
        };
        canvas.text(1, top, end, &text, canvas.theme.warn);
        top += 1;
    }
    let unread = preview.offer.unread();
    let mut warn = |canvas: &mut Canvas, text: String| {
        canvas.text(1, top, end, &text, canvas.theme.warn);
        top += 1;
    };
    if preview.offer.is_bare() {
        let text = "! its key is there, and no account is in reach: wait until all of it is synced";
        warn(canvas, String::from(text));
    } else if unread > 0 {
        warn(canvas, format!("! {unread} of its items are missing or do not open; the rest can be restored"));
    }
    if preview.offer.sealed > 0 {
        warn(canvas, String::from("! a part of it does not open with this key"));
    }
    if preview.count(|fate| *fate == Fate::New) < all {
        // What stays of itself is said where there is room for it.
        let words = if width(&summary) < end.into() { &summary } else { summary.split(';').next().unwrap_or_default() };
        canvas.text(1, top, end, words, canvas.theme.dim);
        top += 1;
    }
    top += u16::from(canvas.height() > 10);
    let room = canvas.height().saturating_sub(top + 1 + u16::from(canvas.height() > 10)) as usize;
    let offset = preview.offset.min(all.saturating_sub(room));
    let edge = canvas.more(end, 1, offset, all.saturating_sub(offset + room));
    let columns = edge.saturating_sub(if edge < end { 3 } else { 0 });
    canvas.text(1, 1, columns, &describe(&preview.offer, model.now), canvas.theme.text);
    for (i, line) in preview.lines.iter().skip(offset).take(room).enumerate() {
        let y = top + i as u16;
        let (spoken, mark, style) = match &line.fate {
            Fate::New => ("new:", canvas.mark("✓", "+"), canvas.theme.good),
            Fate::Changes(_) => ("changes:", canvas.mark("≠", "~"), canvas.theme.warn),
            Fate::Goes => ("goes:", canvas.mark("×", "x"), canvas.theme.warn),
            Fate::StaysDeleted | Fate::Newer | Fate::Same => ("here:", canvas.mark("·", "-"), canvas.theme.dim),
        };
        let (mark, style) = if canvas.is_spoken() { (spoken, canvas.theme.text) } else { (mark, style) };
        let x = canvas.put(1, y, mark, style) + 1;
        let quiet = matches!(line.fate, Fate::StaysDeleted | Fate::Newer | Fate::Same);
        let style = if quiet { canvas.theme.dim } else { canvas.theme.text };
        let x = canvas.text(x, y, end.saturating_sub(x), &line.name, style) + 2;
        if let Some(words) = remark(&line.fate).filter(|_| x < end) {
            canvas.text(x, y, end.saturating_sub(x), words, canvas.theme.dim);
        }
    }
}

/// How many accounts come, change and stay, in a line.
fn summary(preview: &Preview) -> String {
    let here = preview.count(|fate| matches!(fate, Fate::Same | Fate::Newer | Fate::StaysDeleted));
    let parts = [
        (preview.count(|fate| *fate == Fate::New), "new"),
        (preview.count(|fate| matches!(fate, Fate::Changes(_))), "newer there"),
        (preview.count(|fate| *fate == Fate::Goes), "deleted elsewhere"),
        (here, "already here"),
    ];
    let first = |n: usize, what: &str| n > 0 || what == "new";
    let parts: Vec<String> =
        parts.iter().filter(|(n, what)| first(*n, what)).map(|(n, what)| format!("{n} {what}")).collect();
    format!("{}; newer here stays", parts.join(", "))
}

/// What is said of an account beside its name.
fn remark(fate: &Fate) -> Option<&str> {
    match fate {
        Fate::Changes(words) => Some(words),
        Fate::Goes => Some("deleted on another device: deleted here too"),
        Fate::StaysDeleted => Some("deleted here: stays so"),
        Fate::Newer => Some("newer here: stays as it is"),
        Fate::New | Fate::Same => None,
    }
}
