//! An account's QR code, two dots in a cell. Light on dark by its letters alone, so that it reads without colours on a
//! dark terminal too; with colours it is black on white everywhere.

use ratatui::style::{Color, Style};

use super::Canvas;
use crate::app::qr::Qr;
use crate::app::session::Session;
use crate::vault::EntryId;

/// Light dots round the pattern: four by the standard; two are read as well, one by most.
const QUIET: [usize; 3] = [4, 2, 1];
/// The best quiet zone that is worth asking for more room.
const ENOUGH: usize = 2;

/// Draws the code, or says what room it needs.
pub fn view(qr: &Qr, id: EntryId, session: &Session, canvas: &mut Canvas) {
    let (wide, high) = (canvas.width() as usize, canvas.height() as usize);
    let size = |quiet: usize| (qr.side() + 2 * quiet, (qr.side() + 2 * quiet).div_ceil(2));
    let fits = |quiet: &usize| size(*quiet).0 <= wide && size(*quiet).1 <= high;
    let Some(quiet) = QUIET.into_iter().find(fits) else {
        let (columns, rows) = size(ENOUGH);
        let text =
            format!("This QR code needs {columns} x {rows}; the window has {wide} x {high}. Any key closes this.");
        let room = canvas.width().saturating_sub(2);
        canvas.lines(1, 0, room, high, &crate::text::wrap(&text, room.into()), canvas.theme.warn);
        return;
    };
    let (columns, rows) = size(quiet);
    let title = session.row(id).map_or_else(String::new, crate::app::rows::Row::title);
    // Beside it where there is room, else below, else nowhere: the question has warned already.
    let beside = wide - columns >= 26;
    let left = if beside { 1 } else { (wide - columns) / 2 };
    let ink = Style::new().fg(Color::Rgb(255, 255, 255)).bg(Color::Rgb(0, 0, 0));
    canvas.is_picture();
    for y in 0..rows {
        let mut line = String::with_capacity(columns * 3);
        for x in 0..columns {
            let dark = |row: usize| qr.is_dark(x as isize - quiet as isize, row as isize - quiet as isize);
            let (up, down) = (dark(2 * y), dark(2 * y + 1));
            line.push_str(match (up, down) {
                (false, false) => "█",
                (false, true) => "▀",
                (true, false) => "▄",
                (true, true) => " ",
            });
        }
        canvas.put(left as u16, y as u16, &line, ink);
    }
    let warning = "Whoever scans this has the account. Any key hides it.";
    if beside {
        let x = (left + columns + 2) as u16;
        let room = (wide - left - columns - 3) as u16;
        let y = canvas.paragraph(x, 1, room, &title, canvas.theme.strong) + 1;
        canvas.paragraph(x, y, room, warning, canvas.theme.warn);
    } else if rows < high {
        let text = if rows + 1 < high { warning } else { "Any key hides it." };
        canvas.text(1, (high - 1) as u16, (wide - 2) as u16, text, canvas.theme.warn);
    }
}
