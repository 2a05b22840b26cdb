//! The pane beside the list on wide screens: the selected account, nothing repeated in it that the list says.

use super::Canvas;
use crate::app::Model;
use crate::app::order::Use;
use crate::app::rows::{Shows, code, next_code};
use crate::app::session::Session;
use crate::otp::{Algorithm, remaining};
use crate::text::{clean, width, wrap};
use crate::time::UnixTime;
use crate::vault::{Entry, field};

/// Draws the pane from column `x`.
pub fn view(session: &Session, model: &Model, canvas: &mut Canvas, x: u16, top: u16, height: u16) {
    let Some(row) = session.selected_row() else { return };
    let Some(entry) = session.state().get(&row.id) else { return };
    for y in top..top + height {
        canvas.put(x, y, canvas.mark("│", "|"), canvas.theme.border);
    }
    let left = x + 2;
    let columns = canvas.width().saturating_sub(left + 1);
    let (strong, text, dim, warn) = (canvas.theme.strong, canvas.theme.text, canvas.theme.dim, canvas.theme.warn);
    let bottom = top + height;
    // Below the pane lie the notice and the keys.
    let said = |canvas: &mut Canvas, y: u16, words: &str, style| {
        canvas.lines(left, y, columns, usize::from(bottom.saturating_sub(y)), &wrap(words, columns.into()), style)
    };
    let mut y = top;
    if !row.issuer.is_empty() {
        y = said(canvas, y, &row.issuer, strong);
    }
    y = said(canvas, y, &row.account, text) + 1;

    if let Shows::Timed { period } = row.shows
        && session.shows_code(row.id, model.now)
    {
        y = codes(session, model, canvas, entry, period, (left + 3, y, columns.saturating_sub(3), bottom)) + 1;
    }
    if row.shows == Shows::EnrolAgain {
        let key = model.key_name(crate::app::keys::Action::Edit);
        let words = format!("Its name alone came along. Get a new secret from the site; {key} takes it.");
        y = said(canvas, y, &words, warn) + 1;
    }
    if let Shows::Nothing(why) = &row.shows {
        y = said(canvas, y, &format!("no code: {why}"), warn) + 1;
    }
    let parts = parameters(entry, columns, canvas.mark(" · ", ", "));
    y = canvas.lines(left, y, columns, usize::from(bottom.saturating_sub(y)), &parts, text);
    let note = clean(entry.note()).into_owned();
    let used = session.uses.get(&row.id).map_or_else(String::new, |used| times(*used, model.now));
    let owner = row.organisation.clone().unwrap_or_default();
    let counter = match account_counter(entry) {
        Some(next) => next.to_string(),
        None => String::new(),
    };
    let facts = [
        ("counter", counter),
        ("of", owner),
        ("tags", row.tags.join(", ")),
        ("added", added(entry)),
        ("used", used),
        ("note", note),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        if y >= bottom {
            return;
        }
        canvas.put(left, y, name, dim);
        let room = columns.saturating_sub(9);
        y = canvas.lines(left + 9, y, room, usize::from(bottom - y), &wrap(&value, room.into()), text);
    }
}

/// Draws the code, the next one beside it or, where that is too narrow, below it, and what is left of a time of its own. Hands
/// back the row after them.
fn codes(
    session: &Session,
    model: &Model,
    canvas: &mut Canvas,
    entry: &Entry,
    period: u64,
    (x, y, columns, bottom): (u16, u16, u16, u16),
) -> u16 {
    if y >= bottom {
        return y;
    }
    let (dim, style) = (canvas.theme.dim, canvas.theme.code);
    let now = code(entry, model.code_time()).map(|c| c.grouped());
    let next = next_code(entry, model.code_time()).map(|c| c.grouped());
    let now = now.as_ref().map_or("", |c| c.expose());
    let next = next.as_ref().map_or("", |c| c.expose());
    let at = canvas.put(x, y, now, style) + 6;
    // Half a code is read as a whole one.
    let beside = usize::from(at - x) + width("next ") + width(next) <= columns.into();
    let (at, next_y) = if beside { (at, y) } else { (x, y + 1) };
    if next_y < bottom {
        let at = canvas.put(at, next_y, "next ", dim);
        canvas.put(at, next_y, next, dim);
    }
    let y = next_y + 1;
    if period != session.rows.period && y < bottom {
        canvas.put(x, y, &format!("{}s", remaining(period, model.code_time())), dim);
    }
    y + 1
}

/// How often an account was used here, and when last. No time zone is needed to read it, and it changes once a minute at
/// most.
fn times(used: Use, now: UnixTime) -> String {
    let last = match now.secs_since(used.last) {
        0..60 => String::from("just now"),
        secs @ 60..3600 => format!("{} min ago", secs / 60),
        secs @ 3600..172_800 => format!("{} h ago", secs / 3600),
        _ => date(used.last),
    };
    let times = if used.count == 1 { "once".to_owned() } else { format!("{} times", used.count) };
    format!("{times}, last {last}")
}

/// How the codes are made, in lines that break between two parts.
fn parameters(entry: &Entry, columns: u16, dot: &str) -> Vec<String> {
    let Ok(account) = entry.account() else { return vec![entry.kind_name().to_owned()] };
    let kind = match account.kind.name() {
        "totp" => "TOTP",
        "hotp" => "HOTP",
        "steam" => "Steam",
        "motp" => "mOTP",
        _ => "Yandex",
    };
    let hash = account.kind.algorithm_name();
    let hash = Algorithm::parse(hash).map_or(hash, Algorithm::title);
    let mut parts = vec![kind.to_owned(), hash.to_owned(), format!("{} digits", account.kind.digits())];
    parts.extend(account.kind.period().map(|secs| format!("{secs} s")));
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + width(dot) + width(&part) <= columns.into() => {
                *line += &(dot.to_owned() + &part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

/// The next counter of an account that counts.
fn account_counter(entry: &Entry) -> Option<u64> {
    let account = entry.account().ok()?;
    account.kind.period().is_none().then_some(entry.counter.next)
}

fn added(entry: &Entry) -> String {
    let date = entry.number(field::ADDED).map_or_else(String::new, |at| date(UnixTime(at as u64)));
    let source = clean(entry.text(field::SOURCE)).into_owned();
    match (date.is_empty(), source.is_empty()) {
        (false, false) => format!("{date}, {source}"),
        (false, true) => date,
        _ => source,
    }
}

/// A day as people write it: `3 Mar 2026` (UTC: the drawing knows no time zone).
pub fn date(at: UnixTime) -> String {
    let Ok(at) = jiff::Timestamp::from_second(at.secs() as i64) else { return String::new() };
    at.strftime("%-d %b %Y").to_string()
}
