//! What stands above the list: its name, how the vault and its backup stand, the shared countdown, tabs or the search line.

use ratatui::style::Style;

use super::Canvas;
use crate::app::Model;
use crate::app::input::Input;
use crate::app::layout::WIDE;
use crate::app::model::Tone;
use crate::app::session::Session;
use crate::otp::remaining;
use crate::text::{count, width};

/// Cells of the countdown's bar.
const BAR: u64 = 10;

/// Draws what stands above the rows.
pub fn above(session: &Session, model: &Model, canvas: &mut Canvas) {
    let panes = model.panes();
    if let Some(y) = panes.header {
        header(session, model, canvas, y, panes.tabs.is_none());
    }
    if let Some(y) = panes.tabs {
        tabs(session, model, canvas, y);
    }
}

/// The state in words, the fewest last: what is not saved first, then the backup, else how many accounts there are.
pub fn state(session: &Session, model: &Model) -> (Tone, Vec<String>) {
    let n = session.rows.all.len();
    let accounts = count(n, "account");
    if model.demo {
        let all = ["sample accounts, nothing is kept", "sample accounts", "samples"];
        (Tone::Info, all.map(String::from).into())
    } else if session.saving.failed.is_some() {
        (Tone::Error, vec![String::from("not saved")])
    } else if session.hidden {
        (Tone::Info, vec![format!("{accounts}, codes hidden"), String::from("hidden")])
    } else {
        match session.backup.headline(n, model.now) {
            Some(headline) if model.size.0 >= WIDE => (headline.tone, vec![headline.long, headline.short]),
            Some(headline) => (headline.tone, vec![headline.short]),
            None => (Tone::Good, vec![accounts, n.to_string()]),
        }
    }
}

/// The most of these words that fit; none where not even the fewest do.
pub fn longest(all: &[String], columns: u16) -> &str {
    all.iter().find(|words| width(words) <= columns.into()).map_or("", String::as_str)
}

fn header(session: &Session, model: &Model, canvas: &mut Canvas, y: u16, with_countdown: bool) {
    let mut end = canvas.width().saturating_sub(1);
    if with_countdown && !canvas.is_spoken() && !session.rows.all.is_empty() {
        let (secs, style) = countdown(session, model, canvas);
        end = canvas.right(end, y, &secs, style).saturating_sub(2);
    }
    // Without a line for the tabs what is searched for stands here, or the tab in view.
    if let Some(line) = session.query.as_ref().filter(|_| with_countdown) {
        return search(line, session, canvas, y, end);
    }
    let tab = model.tab_words().into_iter().nth(session.tab).filter(|_| with_countdown && session.tab > 0);
    let mut x = canvas.put(1, y, tab.as_deref().unwrap_or("otpanel"), canvas.theme.strong);
    if canvas.width() >= WIDE {
        let dot = canvas.mark(" · ", " - ");
        x = canvas.put(x, y, dot, canvas.theme.dim);
        x = canvas.text(x, y, 24, &model.profile, canvas.theme.dim);
    }
    if model.read_only {
        x = canvas.put(x, y, canvas.mark(" · ", " - "), canvas.theme.dim);
        x = canvas.put(x, y, "read-only", canvas.theme.warn);
    }
    let (tone, words) = state(session, model);
    let (style, mark) = canvas.tone(tone);
    let words = longest(&words, end.saturating_sub(x + 2 + width(mark) as u16));
    let x = canvas.right(end, y, words, canvas.theme.dim);
    if tone != Tone::Info && !(canvas.is_spoken() && tone == Tone::Good) {
        canvas.right(x.saturating_sub(u16::from(!words.is_empty())), y, mark, style);
    }
}

/// The shared countdown in words, and its style.
pub fn countdown(session: &Session, model: &Model, canvas: &Canvas) -> (String, Style) {
    let left = remaining(session.rows.period, model.code_time());
    let style = if left <= u64::from(model.config.warn_secs) { canvas.theme.warn } else { canvas.theme.text };
    (format!("{left:>2}s"), style)
}

/// Draws the shared countdown at the right and hands back its first column.
fn bar(session: &Session, model: &Model, canvas: &mut Canvas, y: u16) -> u16 {
    let end = canvas.width().saturating_sub(1);
    let (secs, style) = countdown(session, model, canvas);
    let x = canvas.right(end, y, &secs, style);
    let left = remaining(session.rows.period, model.code_time());
    let full = (left * BAR).div_ceil(session.rows.period).min(BAR) as usize;
    let (on, off) = (canvas.mark("▰", "#"), canvas.mark("▱", "."));
    let x = canvas.right(x - 1, y, &off.repeat(BAR as usize - full), canvas.theme.dim);
    let bar = if left <= u64::from(model.config.warn_secs) { canvas.theme.warn } else { canvas.theme.accent };
    canvas.right(x, y, &on.repeat(full), bar)
}

/// Draws what is searched for, and before column `end` how many have it.
fn search(line: &Input, session: &Session, canvas: &mut Canvas, y: u16, end: u16) {
    let at = canvas.put(1, y, "/ ", canvas.theme.accent);
    let (found, all) = (session.visible.len(), session.rows.all.len());
    let count = if session.alike { format!("{found} alike") } else { format!("{found} of {all}") };
    let count_x = canvas.right(end, y, &count, canvas.theme.dim);
    canvas.input(at, y, count_x.saturating_sub(at + 1), line, false, true);
}

fn tabs(session: &Session, model: &Model, canvas: &mut Canvas, y: u16) {
    // Nothing counts down where there is nothing.
    let still = canvas.is_spoken() || session.rows.all.is_empty();
    let x = if still { canvas.width() } else { bar(session, model, canvas, y) };
    if let Some(line) = &session.query {
        return search(line, session, canvas, y, x.saturating_sub(3));
    }
    let words = model.tab_words();
    let spans = model.tab_spans();
    if let (Some((first, ..)), Some((last, _, to)), false) = (spans.first(), spans.last(), canvas.is_spoken()) {
        if *first > 0 {
            canvas.put(1, y, canvas.mark("‹", "<"), canvas.theme.dim);
        }
        if last + 1 < words.len() && to + 2 < x {
            canvas.put(to + 2, y, canvas.mark("›", ">"), canvas.theme.dim);
        }
    }
    for (at, from, _) in spans {
        let word = &words[at];
        let style = if at == session.tab { canvas.theme.strong } else { canvas.theme.dim };
        if canvas.is_spoken() && at == session.tab {
            canvas.put(1, y, &format!("tab {} of {}: {word}", at + 1, session.rows.tabs.len()), style);
        } else if !canvas.is_spoken() {
            canvas.put(from, y, word, style);
        }
    }
}
