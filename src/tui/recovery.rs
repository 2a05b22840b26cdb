//! A recovery key, shown once, and the check that it was written down.

use ratatui::layout::Rect;

use super::Canvas;
use super::prompt::{Line, Prompt};
use crate::app::recovery::{Sheet, groups};
use crate::text::wrap;

/// The keys of the last line.
pub type Keys = Vec<(&'static str, &'static str)>;

/// Draws the key or its check from this place on; gives the keys, of which `left` says what Esc does on the key itself.
pub fn view(
    sheet: &Sheet,
    title: &str,
    left: Option<&'static str>,
    canvas: &mut Canvas,
    (x, y): (u16, u16),
    columns: u16,
) -> Keys {
    if sheet.leaving {
        let text = "Leave without writing it down? It is shown once: later only a new one can be made.";
        let prompt = Prompt { title, text, lines: &[], problem: None };
        return ask(&prompt, canvas, x, columns, vec![("ctrl-c", "leave"), ("esc", "show the key again")]);
    }
    let Some(check) = &sheet.check else {
        let mut keys = vec![("enter", "it is written down")];
        keys.extend(left.map(|word| ("esc", word)));
        return key(sheet.key.expose(), canvas, x, y, columns, keys);
    };
    let before = groups(sheet.key.expose()).get(check.group - 1).copied().unwrap_or_default().to_owned();
    let prompt = Prompt {
        title,
        text: &format!("Is it written down? Type the group that comes after {before}."),
        lines: &[Line { label: &format!("{before}  "), input: &check.line, masked: false, focus: true }],
        problem: check.wrong.then_some("That is not it. Esc shows the key again."),
    };
    ask(&prompt, canvas, x, columns, vec![("enter", "go on"), ("esc", "show the key again")])
}

/// Draws a prompt over what was drawn; its keys where there is room for them.
pub fn ask(prompt: &Prompt, canvas: &mut Canvas, x: u16, columns: u16, keys: Keys) -> Keys {
    canvas.empty(Rect::new(0, 0, canvas.width(), canvas.height()));
    if prompt.draw(canvas, x, columns).1 { keys } else { Vec::new() }
}

fn key(key: &str, canvas: &mut Canvas, x: u16, mut y: u16, columns: u16, keys: Keys) -> Keys {
    let text =
        "The recovery key opens the vault when everything else is lost. Write it on paper now: it is shown once.";
    let groups = groups(key);
    let per_row = (columns / 10).clamp(1, 4) as usize;
    let rows = wrap(text, columns as usize).len() + 1 + groups.len().div_ceil(per_row);
    if canvas.is_spoken() || y as usize + rows >= canvas.height() as usize {
        // A small screen shows the key, which matters, or says that it cannot: never a part of it.
        let close = groups.join(" ");
        let fits = wrap(&close, columns as usize).len() < canvas.height() as usize;
        let (text, style) = if fits {
            (close.as_str(), canvas.theme.code)
        } else {
            ("Make the terminal larger to see the recovery key.", canvas.theme.warn)
        };
        canvas.empty(Rect::new(0, 0, canvas.width(), canvas.height()));
        canvas.paragraph(x, 0, columns, text, style);
        return if fits { keys } else { Vec::new() };
    }
    y = canvas.paragraph(x, y, columns, text, canvas.theme.text) + 1;
    for (row, line) in groups.chunks(per_row).enumerate() {
        for (i, group) in line.iter().enumerate() {
            let at = x + 2 + i as u16 * 10;
            canvas.put(at, y + row as u16, group, canvas.theme.code);
        }
    }
    keys
}
