//! The list: its rows, between what stands above and below them.

use super::Canvas;
use super::spoken::SELECTED;
use super::{detail, foot, head, monogram};
use crate::app::Model;
use crate::app::keys::Action;
use crate::app::layout::WIDE;
use crate::app::rows::{Row, Shows, Tab, code, mark, next_code, previous_code};
use crate::app::search::matched;
use crate::app::session::{Beside, Session};
use crate::otp::remaining;
use crate::text::{fit, width};
use crate::transfer::Format;

/// Draws the list screen.
pub fn view(session: &Session, model: &Model, canvas: &mut Canvas) {
    let panes = model.panes();
    head::above(session, model, canvas);
    if session.visible.is_empty() {
        empty(session, model, canvas, panes.list_top, panes.list_height);
    }
    rows(session, model, canvas);
    if let Some(x) = panes.detail {
        detail::view(session, model, canvas, x, panes.list_top, panes.list_height);
    }
    foot::view(session, model, canvas);
}

/// The columns of a row.
struct Columns {
    wide: bool,
    /// The first column of the names.
    left: u16,
    issuer: u16,
    /// The column after the last of a code.
    edge: u16,
}

impl Columns {
    fn new(list_width: u16, monograms: bool) -> Self {
        let wide = list_width >= WIDE;
        let left = if wide && monograms { 1 + monogram::COLUMNS } else { 1 };
        let edge = match list_width {
            WIDE.. => list_width - 8,
            36.. => list_width - 2,
            _ => list_width.saturating_sub(1),
        };
        Self { wide, left, issuer: (list_width / 4).clamp(14, 24), edge }
    }

    /// Without columns, and with room for the words before a selected row.
    const fn spoken(list_width: u16) -> Self {
        Self { wide: false, left: 1, issuer: 0, edge: list_width.saturating_sub(SELECTED.len() as u16) }
    }
}

fn rows(session: &Session, model: &Model, canvas: &mut Canvas) {
    let panes = model.panes();
    let columns = if canvas.is_spoken() {
        Columns::spoken(panes.list_width)
    } else {
        Columns::new(panes.list_width, model.config.monograms)
    };
    let shown: Vec<(usize, &Row)> = session.on_screen(panes.list_height).collect();
    let query = session.query.as_ref().map_or("", |line| line.text());
    let plain: Vec<&Row> = shown.iter().map(|(_, row)| *row).collect();
    let marks = matched(&plain, query);
    // Where all are of one organisation the header says it.
    let mixed = session.rows.tabs.iter().any(|(tab, _)| matches!(tab, Tab::Organisation(_)));
    for (i, ((at, row), marks)) in shown.iter().zip(marks).enumerate() {
        let y = panes.list_top + i as u16;
        let selected = *at == session.selected;
        let left = code_part(session, model, canvas, row, y, &columns);
        let mut end = left.saturating_sub(1);
        if mixed && row.organisation.is_some() {
            // One column for all, as far as what stands at the right leaves it.
            let edge = if columns.wide { columns.edge.saturating_sub(12).min(end) } else { end };
            end = canvas.right(edge, y, mark(canvas.ascii), canvas.theme.dim).saturating_sub(1);
        }
        names(canvas, row, y, end, &columns, &marks);
        if selected {
            canvas.restyle(0, y, panes.list_width, canvas.theme.selected);
            canvas.select(0, y, canvas.theme.accent.patch(canvas.theme.selected));
        }
    }
}

/// Draws the issuer and the account before column `end`.
fn names(canvas: &mut Canvas, row: &Row, y: u16, end: u16, columns: &Columns, marks: &(Vec<usize>, Vec<usize>)) {
    let (text, dim, left) = (canvas.theme.text, canvas.theme.dim, columns.left);
    let room = end.saturating_sub(left);
    if left > 1 {
        let name = if row.issuer.is_empty() { &row.account } else { &row.issuer };
        canvas.put(1, y, &monogram::letters(name), monogram::style(name, canvas.theme));
    }
    if row.issuer.is_empty() {
        canvas.text(left, y, room, &row.account, text);
        underline(canvas, left, y, room, &row.account, &marks.1);
        return;
    }
    let issuer_room = if columns.wide && !row.account.is_empty() { columns.issuer.min(room) } else { room };
    let after = canvas.text(left, y, issuer_room, &row.issuer, text);
    underline(canvas, left, y, issuer_room, &row.issuer, &marks.0);
    let x = match (columns.wide, canvas.is_spoken()) {
        (true, _) => left + columns.issuer + 1,
        (false, spoken) => after + 1 + u16::from(spoken),
    };
    // Less than three letters of an account say nothing.
    if x + 3 <= end {
        canvas.text(x, y, end - x, &row.account, dim);
        underline(canvas, x, y, end - x, &row.account, &marks.1);
    }
}

/// Marks the letters that a search matched.
fn underline(canvas: &mut Canvas, x: u16, y: u16, room: u16, text: &str, places: &[usize]) {
    use unicode_segmentation::UnicodeSegmentation;
    if places.is_empty() {
        return;
    }
    let mut at = x;
    for (place, grapheme) in fit(text, room as usize).graphemes(true).enumerate() {
        if places.contains(&place) {
            canvas.restyle_cell(at, y, canvas.theme.matched);
        }
        at += width(grapheme) as u16;
    }
}

/// Draws what stands at the right of a row and hands back its first column.
fn code_part(session: &Session, model: &Model, canvas: &mut Canvas, row: &Row, y: u16, columns: &Columns) -> u16 {
    let (now, code_time) = (model.now, model.code_time());
    let (edge, dim) = (columns.edge, canvas.theme.dim);
    let copied = session.copied.filter(|(id, until)| *id == row.id && now < *until);
    let Some(entry) = session.state().get(&row.id) else { return edge };
    if canvas.is_spoken() {
        return spoken_part(session, model, canvas, row, y, edge);
    }
    let mut left = match &row.shows {
        Shows::EnrolAgain => canvas.right(edge, y, "enrol again", canvas.theme.warn),
        Shows::Nothing(_) => canvas.right(edge, y, "no code", dim),
        Shows::Counter(next) => counter_part(session, model, canvas, row, *next, y, edge),
        Shows::Timed { period } => {
            let secs = remaining(*period, code_time);
            let late = secs <= u64::from(model.config.warn_secs);
            let own_secs = *period != session.rows.period;
            let style = if late && own_secs { canvas.theme.warn } else { dim };
            let own_secs = own_secs.then(|| short_time(secs));
            let mut left = if session.shows_code(row.id, now) {
                let text = code(entry, code_time).map(|c| c.grouped());
                canvas.right(edge, y, text.as_ref().map_or("", |t| t.expose()), canvas.theme.code)
            } else {
                let dots = canvas.mark("•", "*").repeat(3);
                canvas.right(edge, y, &format!("{dots} {dots}"), dim)
            };
            let show = session.beside != Beside::Usual || (model.config.show_next && late);
            if show && columns.wide && session.shows_code(row.id, now) {
                let (text, mark) = match session.beside {
                    Beside::Previous => (previous_code(entry, code_time), canvas.mark(" ‹", " <")),
                    Beside::Usual | Beside::Next => (next_code(entry, code_time), canvas.mark(" ›", " >")),
                };
                let text = text.map(|c| c.grouped());
                let x = canvas.right(edge.saturating_sub(13), y, mark, dim).min(left);
                left = canvas.right(x, y, text.as_ref().map_or("", |t| t.expose()), dim);
            }
            if let Some(secs) = own_secs
                && copied.is_none()
            {
                if columns.wide {
                    canvas.right(edge + 5, y, &secs, style);
                } else if edge > 28 {
                    left = canvas.right(left.saturating_sub(1), y, &secs, style);
                }
            }
            left
        }
    };
    if let Some((_, until)) = copied {
        let mark = canvas.mark("✓", "+");
        if columns.wide && model.config.clipboard.clear_secs > 0 {
            let secs = until.0.saturating_sub(now.0).div_ceil(1000);
            let text = format!("{mark} {secs}s");
            canvas.right(edge + 7, y, &text, canvas.theme.good);
        } else {
            left = canvas.right(left.saturating_sub(1), y, mark, canvas.theme.good);
        }
    }
    left
}

/// Seconds that are left, in four columns at most.
fn short_time(secs: u64) -> String {
    match secs {
        0..1000 => format!("{secs}s"),
        1000..6000 => format!("{}m", secs.div_ceil(60)),
        _ => format!("{}h", secs.div_ceil(3600)),
    }
}

/// What a screen reader hears at the end of a row. Codes stand in the selected row alone: those of all rows, new every half
/// minute, would be read aloud each time. The seconds are those of the last key, so that nothing is read that nobody asked
/// for.
fn spoken_part(session: &Session, model: &Model, canvas: &mut Canvas, row: &Row, y: u16, edge: u16) -> u16 {
    let (now, code_time, dim) = (model.now, model.code_time(), canvas.theme.dim);
    let selected = session.selected_row().is_some_and(|selected| selected.id == row.id);
    let entry = session.state().get(&row.id);
    let mut left = match &row.shows {
        Shows::EnrolAgain => canvas.right(edge, y, "enrol again", canvas.theme.warn),
        Shows::Nothing(_) => canvas.right(edge, y, "no code", dim),
        Shows::Counter(next) => counter_part(session, model, canvas, row, *next, y, edge),
        Shows::Timed { .. } if !selected => edge,
        Shows::Timed { .. } if !session.shows_code(row.id, now) => canvas.right(edge, y, "code hidden", dim),
        Shows::Timed { period } => {
            let asked = model.code_time_at(session.touched);
            let fresh = asked.secs() / period == code_time.secs() / period;
            let mut left = edge;
            if fresh && canvas.width() >= 36 {
                let words = format!("{} s left", remaining(*period, asked));
                left = canvas.right(edge, y, &words, dim).saturating_sub(2);
            }
            let beside = match session.beside {
                Beside::Usual => None,
                Beside::Next => entry.and_then(|e| next_code(e, code_time)).map(|c| ("next", c)),
                Beside::Previous => entry.and_then(|e| previous_code(e, code_time)).map(|c| ("before", c)),
            };
            if let Some((word, code)) = beside.filter(|_| canvas.width() >= 60) {
                let text = crate::secret::Secret::new(format!("{word} {}", code.grouped().expose()));
                left = canvas.right(left, y, text.expose(), dim).saturating_sub(2);
            }
            let text = entry.and_then(|e| code(e, code_time)).map(|c| c.grouped());
            canvas.right(left, y, text.as_ref().map_or("", |t| t.expose()), canvas.theme.code)
        }
    };
    if session.copied.is_some_and(|(id, until)| id == row.id && now < until) {
        left = canvas.right(left.saturating_sub(2), y, "copied", canvas.theme.good);
    }
    left.saturating_sub(1)
}

fn counter_part(session: &Session, model: &Model, canvas: &mut Canvas, row: &Row, next: u64, y: u16, edge: u16) -> u16 {
    let made = session.counter_code.filter(|c| c.id == row.id && model.now < c.until);
    if let Some(made) = made {
        if !made.saved {
            return canvas.right(edge, y, "saving", canvas.theme.dim);
        }
        let entry = session.state().get(&row.id).and_then(|e| e.account().ok());
        let code = entry.and_then(|account| crate::otp::hotp_code(&account, made.counter)).map(|c| c.grouped());
        let left = canvas.right(edge, y, code.as_ref().map_or("", |c| c.expose()), canvas.theme.code);
        return canvas.right(left.saturating_sub(1), y, &format!("#{}", made.counter), canvas.theme.dim);
    }
    let key = canvas.mark("↵", "Enter");
    let text = if edge > 40 { format!("press {key} #{next}") } else { format!("{key} #{next}") };
    canvas.right(edge, y, &text, canvas.theme.dim)
}

/// An empty list invites; a search without hits says so.
fn empty(session: &Session, model: &Model, canvas: &mut Canvas, top: u16, height: u16) {
    let searching = session.query.is_some();
    let key = |action| model.key_name(action);
    let words = |wide: &str, narrow: &str| if canvas.width() >= WIDE { wide.to_owned() } else { narrow.to_owned() };
    let lines: Vec<(String, String)> = if searching {
        vec![(String::new(), String::from("Nothing matches."))]
    } else {
        vec![
            (String::new(), String::from("No accounts yet.")),
            (String::new(), String::new()),
            (key(Action::Paste), words("paste a link, a secret or a picture of a QR code", "paste a link or a secret")),
            (
                key(Action::Import),
                words(
                    &format!("import from another app ({} formats are read)", Format::ALL.len()),
                    "import from another app",
                ),
            ),
            (key(Action::Add), String::from("type one in")),
        ]
    };
    let x = if canvas.width() >= WIDE { 6 } else { 1 };
    let start = if height > lines.len() as u16 + 4 { top + 2 } else { top };
    for (i, (key, words)) in lines.into_iter().take(height as usize).enumerate() {
        let y = start + i as u16;
        let at = if key.is_empty() { x } else { canvas.put(x, y, &key, canvas.theme.accent) + 2 };
        canvas.put(at, y, &words, canvas.theme.text);
    }
}
