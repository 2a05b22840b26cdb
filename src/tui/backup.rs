//! The backup screen: where the copies are and how far they reach, what is in them and what is not, the devices.

use super::Canvas;
use super::modal::question;
use crate::app::Model;
use crate::app::backup::{Ask, Seen, View, ago, place};
use crate::app::session::Session;
use crate::backup::place::Store;
use crate::backup::standing::{Standing, Status};
use crate::policy::organisation;
use crate::text::{clean, wrap};
use crate::vault::SlotKind;

/// The column of what stands beside a word.
const BESIDE: u16 = 14;

/// Draws the screen.
pub fn view(shown: &View, session: &Session, model: &Model, canvas: &mut Canvas) {
    let end = canvas.width().saturating_sub(1);
    let x = canvas.put(1, 0, "Backup", canvas.theme.strong);
    if let Some(doing) = session.backup.doing() {
        canvas.right(end, 0, doing, canvas.theme.accent);
    } else if let Some(headline) = session.backup.headline(model.now) {
        let (style, mark) = canvas.tone(headline.tone);
        let words = if canvas.width() >= 60 { &headline.long } else { &headline.short };
        let words = crate::text::fit(words, end.saturating_sub(x + 4) as usize);
        let at = canvas.right(end, 0, &words, canvas.theme.text);
        canvas.right(at.saturating_sub(1), 0, mark, style);
    }
    let tall = canvas.height() > 8;
    let bottom = canvas.height() - 1 - u16::from(tall);
    let mut page = Page {
        y: 1 + u16::from(tall),
        bottom,
        x: if canvas.width() >= 60 { 3 } else { 1 },
        gap: canvas.height() >= 20,
    };
    places(session, model, canvas, &mut page);
    verified(session, canvas, &mut page);
    devices(shown, session, model, canvas, &mut page);
    page.section(canvas);
    page.line(canvas, "stored", "secrets, account names and code settings, sealed");
    page.line(canvas, "not stored", "notes, tags, favourites, order, use counts");
    page.section(canvas);
    page.line(canvas, "opens with", &opens_with(session));
    for item in model.footer() {
        let x = canvas.put(item.from, canvas.height() - 1, &item.key, canvas.theme.accent);
        canvas.put(x + 1, canvas.height() - 1, &item.word, canvas.theme.dim);
    }
    if let Some(notice) = model.notice.as_ref().filter(|_| tall) {
        canvas.notice(1, bottom, canvas.width().saturating_sub(2), notice);
    }
    match &shown.ask {
        None => {}
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
                 run `otpanel vault rekey` too: what it has still opens the vault.",
                clean(&device.label)
            );
            question(canvas, "Forget a device", &text, &[("enter", "forget it"), ("esc", "leave it")]);
        }
        Some(Ask::Folder(line, problem)) => {
            let text = "Also keep it in which folder? One that you sync takes the backup off this computer.";
            let area = super::modal::middle(canvas, 72, 8);
            canvas.frame(area, "Folder");
            let (x, columns) = (area.x + 2, area.width.saturating_sub(4));
            let y = canvas.paragraph(x, area.y + 1, columns, text, canvas.theme.dim);
            canvas.input(x, y + 1, columns, line, false, true);
            if let Some(problem) = problem {
                canvas.text(x, y + 2, columns, problem, canvas.theme.error);
            }
        }
    }
}

/// Where the next line goes.
struct Page {
    y: u16,
    /// The line that is not written to any more.
    bottom: u16,
    x: u16,
    /// Sections stand apart.
    gap: bool,
}

impl Page {
    /// Begins a section.
    fn section(&mut self, _canvas: &Canvas) {
        self.y += u16::from(self.gap);
    }

    /// A word and what stands beside it, over as many lines as it takes.
    fn line(&mut self, canvas: &mut Canvas, word: &str, text: &str) {
        let beside = if canvas.width() >= 60 { BESIDE } else { word.len() as u16 + u16::from(!word.is_empty()) };
        let columns = canvas.width().saturating_sub(self.x + beside + 1).min(76);
        for (i, part) in wrap(text, columns as usize).iter().enumerate() {
            if self.y >= self.bottom {
                return;
            }
            if i == 0 {
                canvas.put(self.x, self.y, word, canvas.theme.dim);
            }
            canvas.text(self.x + beside, self.y, columns, part, canvas.theme.text);
            self.y += 1;
        }
    }
}

/// Every place with how it stands, how far a copy there reaches, and why it is not on.
fn places(session: &Session, model: &Model, canvas: &mut Canvas, page: &mut Page) {
    let all = &session.backup.standing;
    if all.is_empty() {
        return page.line(canvas, "", "asking the keychain…");
    }
    for status in all {
        // The keychain that cannot be had is told of where nothing else keeps the accounts.
        let other = all.iter().any(|other| other.standing == Standing::On && other.to.identity == status.to.identity);
        if status.standing == Standing::Unavailable && other && status.last.is_none() {
            continue;
        }
        let who = match organisation(&status.to.identity) {
            Some(name) => format!("{}: ", clean(name)),
            None if all.iter().any(|status| organisation(&status.to.identity).is_some()) => String::from("personal: "),
            None => String::new(),
        };
        page.line(canvas, "kept in", &format!("{who}{}", place(&status.to.store)));
        page.line(canvas, "", &stands(status, model));
        if status.standing == Standing::On {
            page.line(canvas, "reach", &reach(status, all));
        } else if let Some(reason) = status.reason.as_ref().filter(|_| status.standing != Standing::Off) {
            page.line(canvas, "why", &clean(reason));
        }
        page.section(canvas);
    }
}

fn stands(status: &Status, model: &Model) -> String {
    let last = status.last.map(|last| ago(last, model.now));
    match (status.standing, last) {
        (Standing::On, Some(last)) if status.pending == 0 => format!("{} accounts, {last}", status.accounts),
        (Standing::Off, None) => String::from("off; d turns it on"),
        (Standing::Off, Some(last)) => format!("off; {} accounts of {last} lie there; d turns it on", status.accounts),
        (_, Some(last)) => format!("{} waiting; {} accounts of {last} lie there", status.pending, status.accounts),
        (_, None) => format!("{} waiting; nothing lies there yet", status.pending),
    }
}

/// "Backed up" is never said without how far it reaches.
fn reach(status: &Status, all: &[Status]) -> String {
    let elsewhere = all.iter().any(|other| matches!(other.to.store, Store::Folder(_)) && other.to.on);
    match status.to.store {
        Store::Keychain if elsewhere => String::from("this computer only"),
        Store::Keychain => String::from(
            "this computer only: a lost disk takes the backup with it. f also keeps it in a folder that you sync",
        ),
        Store::Folder(_) => String::from("wherever this folder goes"),
    }
}

fn verified(session: &Session, canvas: &mut Canvas, page: &mut Page) {
    for (store, found) in &session.backup.verified {
        let text = if found.lacking == 0 && found.unread == 0 {
            format!("{store}: all {} items opened, {} accounts can be restored", found.items, found.accounts)
        } else {
            format!(
                "{store}: {} accounts can be restored, {} lacking or older, {} of {} items missing or unreadable: n mends it",
                found.accounts, found.lacking, found.unread, found.items
            )
        };
        page.line(canvas, "verified", &text);
    }
    if !session.backup.verified.is_empty() {
        page.section(canvas);
    }
}

fn devices(shown: &View, session: &Session, model: &Model, canvas: &mut Canvas, page: &mut Page) {
    let all = &session.backup.devices;
    let wide = canvas.width() >= 60;
    for (i, seen) in all.iter().enumerate() {
        if page.y >= page.bottom {
            return;
        }
        let y = page.y;
        if i == 0 && wide {
            canvas.put(page.x, y, "devices", canvas.theme.dim);
        }
        let x = page.x + if wide { BESIDE } else { 0 };
        let end = canvas.width().saturating_sub(if wide { 8 } else { 1 });
        let mut edge = canvas.right(end, y, &ago(seen.device.time, model.now), canvas.theme.dim);
        let count = format!("{} ", seen.device.accounts);
        if wide {
            edge = edge.min(end.saturating_sub(14));
        }
        edge = canvas.right(edge, y, &count, canvas.theme.text);
        if wide && all.iter().any(|other| other.store != seen.store) {
            edge = canvas.right(edge.saturating_sub(3), y, seen.store, canvas.theme.dim);
        }
        let this = if seen.this { " (this one)" } else { "" };
        canvas.text(
            x,
            y,
            edge.saturating_sub(x + 1),
            &format!("{}{this}", clean(&seen.device.label)),
            canvas.theme.text,
        );
        if i == shown.selected && all.len() > 1 {
            canvas.restyle(x - 1, y, end.saturating_sub(x) + 2, canvas.theme.selected);
            canvas.select(x - 1, y, canvas.theme.accent);
        }
        page.y += 1;
    }
}

/// What opens the copies on a new machine.
fn opens_with(session: &Session) -> String {
    let has = |kind| session.vault.slots().iter().any(|slot| slot.kind() == kind);
    let ways = [
        (SlotKind::Keychain, "the keychain that holds it"),
        (SlotKind::Password, "your password"),
        (SlotKind::Recovery, "your recovery key"),
    ];
    let ways: Vec<&str> = ways.into_iter().filter(|(kind, _)| has(*kind)).map(|(_, words)| words).collect();
    ways.join(", ")
}
