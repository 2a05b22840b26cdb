//! The line in which an account's tags are changed, with what others have below it.

use super::Canvas;
use crate::app::rows::Row;
use crate::app::session::Session;
use crate::app::tags::Tags;
use crate::text::{clean, wrap};

/// Columns of the box.
const COLUMNS: u16 = 56;
/// Suggestions that are shown.
const SHOWN: usize = 8;

/// Draws it over the list.
pub fn view(tags: &Tags, session: &Session, canvas: &mut Canvas) {
    let offered = tags.offered();
    let low = canvas.height() < 8;
    let hint = wrap(
        "Commas between them; a new word makes a new tag.",
        usize::from(canvas.width().min(COLUMNS).saturating_sub(4)),
    );
    let rows = if offered.is_empty() { hint.len() } else { offered.len().min(SHOWN) } as u16;
    let area = canvas.middle(COLUMNS, if low { canvas.height() } else { rows + 6 });
    canvas.frame(area, "Tags");
    let (x, columns) = (area.x + 2, area.width.saturating_sub(4));
    let title = session.row(tags.id).map_or_else(String::new, Row::title);
    let mut y = area.y + u16::from(area.height > 2);
    if !low {
        canvas.text(x, y, columns, &title, canvas.theme.text);
        y += 1;
    }
    canvas.input(x, y, columns, &tags.line, false, tags.chosen.is_none());
    y += if low { 1 } else { 2 };
    let bottom = area.bottom().saturating_sub(1);
    let room = bottom.saturating_sub(y).saturating_sub(u16::from(!low)) as usize;
    let skip = (tags.chosen.unwrap_or(0) + 1).saturating_sub(room.max(1));
    for (at, (tag, n)) in offered.iter().enumerate().skip(skip).take(room) {
        let edge = canvas.right(x + columns, y, &n.to_string(), canvas.theme.dim);
        canvas.text(x, y, edge.saturating_sub(x + 1), &clean(tag), canvas.theme.text);
        if tags.chosen == Some(at) {
            canvas.restyle(x - 1, y, columns + 2, canvas.theme.selected);
            canvas.select(x - 1, y, canvas.theme.accent);
        }
        y += 1;
    }
    if offered.is_empty() && room > 0 {
        canvas.lines(x, y, columns, room, &hint, canvas.theme.dim);
    }
}
