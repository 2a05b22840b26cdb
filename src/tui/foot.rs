//! Below the list: what just happened, what of the list is out of view, the keys; on tiny screens one line for all of it.

use super::Canvas;
use super::head::{countdown, longest, state};
use crate::app::Model;
use crate::app::model::{Notice, Tone};
use crate::app::session::Session;
use crate::text::width;

/// Draws it.
pub fn view(session: &Session, model: &Model, canvas: &mut Canvas) {
    let panes = model.panes();
    let covered = model.notice_covers_keys();
    if let Some(y) = panes.notice {
        let end = canvas.width().saturating_sub(1);
        let notice = model.notice_in_force();
        // What just happened goes before what is out of view.
        let (above, below) = out_of_view(session, model);
        let beside = width(&canvas.more_words(above, below));
        let long = |n: &Notice| n.short.is_none() && width(&n.text) + beside + 6 > end.into();
        let hidden = covered || session.modal.is_some() || notice.as_ref().is_some_and(long);
        let edge = if hidden { end } else { canvas.more(end, y, above, below) };
        if let Some(notice) = notice {
            // Where rows out of view are told, too, two columns stay between.
            let columns = if edge < end { edge.saturating_sub(3) } else { edge.saturating_sub(1) };
            canvas.notice_in(1, y, columns, 1 + usize::from(covered), &notice);
        }
    }
    if panes.keys.is_some() && !covered {
        canvas.footer(&model.footer());
    }
    if let Some(y) = panes.status {
        status(session, model, canvas, y);
    }
}

/// How many rows lie above and below those in view.
fn out_of_view(session: &Session, model: &Model) -> (usize, usize) {
    let shown = usize::from(model.panes().list_height);
    (session.offset, session.visible.len().saturating_sub(session.offset + shown))
}

/// The one line of tiny screens: search or notice, and the countdown.
fn status(session: &Session, model: &Model, canvas: &mut Canvas, y: u16) {
    let end = canvas.width().saturating_sub(1);
    let x = if canvas.is_spoken() {
        end
    } else {
        let (secs, style) = countdown(session, model, canvas);
        canvas.right(end, y, &secs, style)
    };
    let room = x.saturating_sub(2);
    if let Some(line) = &session.query {
        let at = canvas.put(1, y, "/ ", canvas.theme.accent);
        canvas.input(at, y, room.saturating_sub(2), line, false, true);
    } else if session.saving.failed.is_some() {
        canvas.text(1, y, room, "not saved", canvas.theme.error);
    } else if let Some(notice) = &model.notice {
        canvas.notice(1, y, room, notice);
    } else if model.clock_trouble().is_some() {
        canvas.text(1, y, room, "! clock is off", canvas.theme.warn);
    } else {
        let (above, below) = out_of_view(session, model);
        let edge = canvas.more(x.saturating_sub(2), y, above, below);
        let (tone, words) = state(session, model);
        let (style, mark) = canvas.tone(tone);
        let quiet = canvas.is_spoken() && tone == Tone::Good;
        let at = if quiet { 0 } else { 1 + width(mark) as u16 };
        let words = longest(&words, edge.saturating_sub(at + 3));
        // A dot that stands before nothing says nothing.
        if !(quiet || words.is_empty() && tone == Tone::Info) {
            canvas.text(1, y, room, mark, style);
        }
        canvas.put(at + 1, y, words, canvas.theme.dim);
    }
}
