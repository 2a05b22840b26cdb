//! The backup screen: where the copies are and how far they reach, what is in them and what is not, the devices.

use super::Canvas;
use super::modal::question;
use super::prompt::{Line, Prompt};
use crate::app::Model;
use crate::app::backup::page::{self, Row};
use crate::app::backup::{Ask, Seen, View, ago};
use crate::app::path::PathLine;
use crate::app::session::Session;
use crate::policy::{PERSONAL, organisation};
use crate::text::{clean, count, fit, width};

/// Draws the screen.
pub fn view(shown: &View, session: &Session, model: &Model, canvas: &mut Canvas) {
    if let Some(Ask::Folder(line, problem)) = &shown.ask {
        return folder(line, problem.as_deref(), model, canvas);
    }
    let end = canvas.width().saturating_sub(1);
    let x = canvas.put(1, 0, "Backup", canvas.theme.strong);
    if let Some(doing) = session.backup.doing() {
        canvas.right(end, 0, doing, canvas.theme.accent);
    } else if let Some(headline) = session.backup.headline(session.rows.all.len(), model.now) {
        let (style, mark) = canvas.tone(headline.tone);
        let words = if canvas.width() >= 60 { &headline.long } else { &headline.short };
        let words = fit(words, end.saturating_sub(x + 4) as usize);
        let at = canvas.right(end, 0, &words, canvas.theme.text);
        canvas.right(at.saturating_sub(1), 0, mark, style);
    }
    let tall = canvas.height() > 8;
    let bottom = canvas.height() - 1 - u16::from(tall);
    let rows = page::rows(session, model);
    let (top, room) = (page::top(shown, rows.len(), model.size), page::room(model.size));
    for (i, row) in rows.iter().enumerate().skip(top).take(room) {
        let y = 1 + u16::from(tall) + (i - top) as u16;
        match row {
            Row::Gap => {}
            Row::Text(word, text) => line(canvas, y, word, text),
            Row::Key(key, what) => {
                let x = page::left(canvas.width()) + page::BESIDE;
                let at = canvas.put(x, y, key, canvas.theme.accent) + 2;
                canvas.text(at, y, page::LONGEST, what, canvas.theme.text);
            }
            Row::Device(n) => device(shown, session, model, canvas, y, *n),
        }
    }
    if top > 0 {
        canvas.right(end + 1, 1 + u16::from(tall), canvas.mark("↑", "^"), canvas.theme.dim);
    }
    if top + room < rows.len() {
        canvas.right(end + 1, u16::from(tall) + room as u16, canvas.mark("↓", "v"), canvas.theme.dim);
    }
    canvas.footer(&model.footer());
    if let Some(notice) = &model.notice {
        // A second row where the page leaves one.
        let second = u16::from(rows.len() < room);
        let high = canvas.notice_rows(canvas.width().saturating_sub(2), 1 + usize::from(second), notice);
        canvas.notice_in(1, bottom + 1 - high, canvas.width().saturating_sub(2), high.into(), notice);
    }
    match &shown.ask {
        // The folder is asked for above, in the place of the page.
        None | Some(Ask::Folder(..)) => {}
        Some(Ask::Off) => {
            let text = "Turn the backup off on this computer? What is stored can stay, for later, or be deleted.";
            question(
                canvas,
                "Turn off",
                text,
                &[("k", "keep what is stored"), ("w", "delete it"), ("esc", "leave it on")],
            );
        }
        Some(Ask::Forget(Seen { device, .. })) => {
            let text = format!(
                "Delete what {} has stored there? Its accounts are joined into this vault first. If it was lost or stolen, \
                 make new keys too: what it has still opens the vault.",
                clean(&device.label)
            );
            let keys = [("enter", "forget it"), ("k", "new keys, then forget it"), ("esc", "leave it")];
            question(canvas, "Forget a device", &text, &keys);
        }
    }
}

/// Asks for a folder, as every path is asked for.
fn folder(line: &PathLine, problem: Option<&str>, model: &Model, canvas: &mut Canvas) {
    let prompt = Prompt {
        title: "Backup in a folder",
        text: "Also keep it in which folder? One that you sync takes the backup off this computer.",
        lines: &[Line { label: "", input: line, masked: false, focus: true }],
        problem,
    };
    let (below, keys) = prompt.over(line.offered().len(), canvas, 1, canvas.width().saturating_sub(2).min(76));
    super::choice::plain(line, below, keys, canvas);
    if keys {
        canvas.footer(&model.footer());
    }
}

/// A word and what stands beside it: in its column, or where that is narrow right after it.
fn line(canvas: &mut Canvas, y: u16, word: &str, text: &str) {
    let x = page::left(canvas.width());
    let after = canvas.put(x, y, word, canvas.theme.dim) + u16::from(!word.is_empty());
    let x = if canvas.width() >= page::WIDE { x + page::BESIDE } else { after };
    canvas.text(x, y, page::LONGEST, text, canvas.theme.text);
}

/// A device: its name, how many accounts, where, and when it was there last, in columns as wide as the widest.
fn device(shown: &View, session: &Session, model: &Model, canvas: &mut Canvas, y: u16, n: usize) {
    let all = &session.backup.devices;
    let Some(seen) = all.get(n) else { return };
    let wide = canvas.width() >= page::WIDE;
    let left = page::left(canvas.width());
    if n == 0 && wide {
        canvas.put(left, y, "devices", canvas.theme.dim);
    }
    let x = left + if wide { page::BESIDE } else { 0 };
    let widest = |text: &dyn Fn(&Seen) -> String| all.iter().map(|seen| width(&text(seen))).max().unwrap_or(0) as u16;
    let accounts = |seen: &Seen| count(seen.device.accounts, "account");
    let stores = all.iter().any(|other| other.store != seen.store);
    let store = |seen: &Seen| if stores && wide { seen.store.to_owned() } else { String::new() };
    let owners = all.iter().any(|other| other.identity != seen.identity);
    let owner = |seen: &Seen| {
        let name = organisation(&seen.identity).map_or_else(|| PERSONAL.into(), clean);
        if owners && wide { fit(&name, 16).into_owned() } else { String::new() }
    };
    let when = |seen: &Seen| ago(seen.device.time, model.now);
    let number = |seen: &Seen| if wide { accounts(seen) } else { seen.device.accounts.to_string() };
    let columns = [widest(&number), widest(&owner), widest(&store), widest(&when)];
    let beside: u16 = columns.iter().filter(|columns| **columns > 0).map(|columns| columns + 2).sum();
    let name = widest(&page::name).min(canvas.width().saturating_sub(x + beside + 1));
    canvas.text(x, y, name, &page::name(seen), canvas.theme.text);
    let mut end = x + name;
    for (columns, text) in columns.into_iter().zip([number(seen), owner(seen), store(seen), when(seen)]) {
        if columns > 0 {
            end += columns + 2;
            canvas.right(end, y, &text, canvas.theme.dim);
        }
    }
    if n == shown.selected && all.len() > 1 {
        canvas.restyle(x - 1, y, end.saturating_sub(x) + 1, canvas.theme.selected);
        canvas.select(x - 1, y, canvas.theme.accent);
    }
}
