//! The trash and the older copies, over the whole screen.

use super::Canvas;
use super::detail::date;
use super::modal::question;
use crate::app::Model;
use crate::app::backup::ago;
use crate::app::past::{Ask, Copies, Kept, Past, Side, title, trashed};
use crate::app::session::Session;
use crate::otp::account::listed;
use crate::text::{clean, count};
use crate::time::UnixTime;
use crate::vault::field;

/// Names that a question lists.
const NAMED: usize = 3;

/// Draws the screen.
pub fn view(past: &Past, session: &Session, model: &Model, canvas: &mut Canvas) {
    let ids = trashed(session.state());
    let height = canvas.height();
    let tabs = [(Side::Trash, "Trash", Some(ids.len())), (Side::History, "History", copies_known(past))];
    let mut x = 1;
    for (side, word, count) in tabs {
        let style = if past.tab == side { canvas.theme.strong } else { canvas.theme.dim };
        let text = count.map_or_else(|| word.to_owned(), |n| format!("{word} {n}"));
        x = canvas.put(x, 0, &text, style) + 3;
    }
    let words = match past.tab {
        Side::Trash if model.config.trash_days == 0 => String::from("kept until you delete it"),
        Side::Trash => format!("kept for {} days", model.config.trash_days),
        Side::History => String::from("older copies; restoring takes nothing away"),
    };
    let end = canvas.width().saturating_sub(1);
    if x as usize + crate::text::width(&words) < end as usize {
        canvas.right(end, 0, &words, canvas.theme.dim);
    }
    let top = if height > 8 { 2 } else { 1 };
    match past.tab {
        Side::Trash => {
            if ids.is_empty() {
                canvas.put(3, top, "Nothing was deleted.", canvas.theme.dim);
            }
            rows(past, ids.len(), top, canvas, |canvas, at, y| {
                let Some(entry) = session.state().get(&ids[at]) else { return };
                let end = canvas.width().saturating_sub(2);
                let when = entry.number(field::TRASHED_AT).map_or_else(String::new, |at| date(UnixTime(at as u64)));
                // In a narrow window the names are what it is told by.
                let x = if canvas.width() < 36 { end } else { canvas.right(end, y, &when, canvas.theme.dim) };
                let (issuer, name) = listed(entry.issuer(), entry.name());
                let at = canvas.text(1, y, x.saturating_sub(2), &issuer, canvas.theme.text);
                let at = if at > 1 { at + 2 } else { at };
                canvas.text(at, y, x.saturating_sub(at + 1), &name, canvas.theme.dim);
            });
        }
        Side::History => {
            match &past.copies {
                Copies::Reading => drop(canvas.put(3, top, "Reading the copies…", canvas.theme.dim)),
                Copies::Failed(report) => drop(canvas.put(3, top, &report.problem, canvas.theme.error)),
                Copies::Read(copies) if copies.is_empty() => {
                    canvas.put(3, top, "No older copy was kept yet.", canvas.theme.dim);
                }
                Copies::Read(_) => {}
            }
            let copies = past.copies.list();
            rows(past, copies.len(), top, canvas, |canvas, at, y| copy(&copies[at], model, canvas, y));
        }
    }
    canvas.footer(&model.footer());
    if let Some(notice) = &model.notice {
        // A low page has no other row for it than that of the keys.
        let y = height - if height > 8 { 2 } else { 1 };
        canvas.notice(1, y, canvas.width().saturating_sub(2), notice);
    }
    match past.ask {
        Some(Ask::Purge(id)) => {
            let name = title(session.state().get(&id));
            let text = format!("Delete {name} and its secret for good? Only older copies have it then.");
            question(canvas, "Delete for good", &text, &[("y", "delete for good"), ("esc", "keep it")]);
        }
        Some(Ask::Restore(at)) => {
            let Some(kept) = past.copies.list().get(at) else { return };
            question(canvas, "Restore", &asked(kept), &[("enter", "restore"), ("esc", "leave it")]);
        }
        None => {}
    }
}

fn copies_known(past: &Past) -> Option<usize> {
    matches!(past.copies, Copies::Read(_)).then(|| past.copies.list().len())
}

/// Draws the rows that fit, the selected one among them.
fn rows(past: &Past, n: usize, top: u16, canvas: &mut Canvas, draw: impl Fn(&mut Canvas, usize, u16)) {
    let tall = canvas.height() > 8;
    let room = canvas.height().saturating_sub(top + 1 + u16::from(tall)) as usize;
    let selected = past.selected.min(n.saturating_sub(1));
    let skip = (selected + 1).saturating_sub(room);
    if tall {
        let end = canvas.width().saturating_sub(1);
        canvas.more(end, canvas.height() - 2, skip, n.saturating_sub(skip + room));
    }
    for at in (skip..n).take(room) {
        let y = top + (at - skip) as u16;
        draw(canvas, at, y);
        if at == selected {
            canvas.restyle(0, y, canvas.width(), canvas.theme.selected);
            canvas.select(0, y, canvas.theme.accent);
        }
    }
}

fn copy(kept: &Kept, model: &Model, canvas: &mut Canvas, y: u16) {
    let end = canvas.width().saturating_sub(2);
    let style = if kept.back.is_empty() { canvas.theme.dim } else { canvas.theme.strong };
    let room = canvas.right(end, y, &kept.difference(), style).saturating_sub(2);
    let mut x = 1;
    let accounts = kept.accounts.map_or_else(String::new, |n| count(n, "account"));
    for (text, columns) in [(age(kept, model), 14), (kept.reason.to_owned(), 10), (accounts, 14)] {
        if x < room {
            canvas.text(x, y, columns.min(room - x), &text, canvas.theme.text);
        }
        x += columns + 1;
    }
}

/// How old a copy is: no time zone is needed to read it.
fn age(kept: &Kept, model: &Model) -> String {
    match model.now.secs_since(kept.time) {
        secs @ 0..60 => format!("{secs} s ago"),
        60..172_800 => ago(kept.time, model.now),
        _ => date(kept.time),
    }
}

fn asked(kept: &Kept) -> String {
    let mut names: Vec<String> = kept.back.iter().take(NAMED).map(|name| clean(name).into_owned()).collect();
    if kept.back.len() > NAMED {
        names.push(format!("{} more", kept.back.len() - NAMED));
    }
    let back = match names.len() {
        0 => String::new(),
        _ => format!(" It brings back {}.", names.join(", ")),
    };
    let changed = match kept.changed {
        0 => String::new(),
        1 => String::from(" 1 account changes."),
        n => format!(" {n} accounts change."),
    };
    format!("Join this copy into the vault?{back}{changed} Nothing is taken away.")
}
