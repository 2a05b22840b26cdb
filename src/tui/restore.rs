//! A restore's screens: a folder, a key, what would come. The same at the first start and in an open vault.

use ratatui::layout::Rect;

use super::Canvas;
use super::prompt::{Line, Prompt};
use crate::app::Model;
use crate::app::footer::restore_keys;
use crate::app::keys::show;
use crate::app::restore::{Preview, Restore, Step, describe};
use crate::text::clean;

/// Draws the restore.
pub fn view(restore: &Restore, model: &Model, canvas: &mut Canvas) {
    let columns = canvas.width().saturating_sub(2).min(76);
    let top = if canvas.height() > 8 { 2 } else { 1 };
    let place = match &restore.folder {
        None => String::from("the keychain"),
        Some(path) => clean(&path.display().to_string()).into_owned(),
    };
    let end = canvas.width().saturating_sub(1);
    canvas.text(1, 0, end, &format!("Restore from {place}"), canvas.theme.strong);
    let below = match &restore.step {
        Step::Folder(line) => {
            canvas.empty(Rect::new(0, 0, canvas.width(), 1));
            let prompt = Prompt {
                title: "Restore from a folder",
                text: "Which folder holds the backup? Type or drop its path.",
                lines: &[Line { label: "", input: line, masked: false, focus: true }],
                problem: restore.error.as_deref(),
            };
            let (below, free) = prompt.draw(canvas, 1, columns);
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
            let y = canvas.paragraph(1, top, columns, &text, canvas.theme.text);
            canvas.input(1, y, columns, line, true, true);
            y + 2
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
    let (new, all) = (preview.new_ones(), preview.lines.len());
    canvas.text(1, 1, end, &describe(&preview.offer, model.now), canvas.theme.text);
    let mut top = 2;
    let unread = preview.offer.unread();
    let mut warn = |canvas: &mut Canvas, text: String| {
        canvas.text(1, top, end, &text, canvas.theme.warn);
        top += 1;
    };
    if unread > 0 {
        warn(canvas, format!("! {unread} of its items are missing or do not open; the rest can be restored"));
    }
    if preview.offer.sealed > 0 {
        warn(canvas, String::from("! a part of it does not open with this key"));
    }
    if new < all {
        canvas.text(
            1,
            top,
            end,
            &format!("{new} new, {} already here; nothing is replaced", all - new),
            canvas.theme.dim,
        );
        top += 1;
    }
    top += u16::from(canvas.height() > 10);
    let room = canvas.height().saturating_sub(top + 1 + u16::from(canvas.height() > 10)) as usize;
    let offset = preview.offset.min(all.saturating_sub(room));
    for (i, (name, lacks)) in preview.lines.iter().skip(offset).take(room).enumerate() {
        let y = top + i as u16;
        let (mark, style) = match (*lacks, canvas.is_spoken()) {
            (true, true) => ("new:", canvas.theme.text),
            (false, true) => ("here:", canvas.theme.text),
            (true, false) => (canvas.mark("✓", "+"), canvas.theme.good),
            (false, false) => (canvas.mark("·", "-"), canvas.theme.dim),
        };
        let x = canvas.put(1, y, mark, style) + 1;
        let style = if *lacks { canvas.theme.text } else { canvas.theme.dim };
        canvas.text(x, y, end.saturating_sub(x), name, style);
    }
}
