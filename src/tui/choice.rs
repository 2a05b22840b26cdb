//! Paths below a line that is typed into: what it could become, or what is offered.

use super::Canvas;
use crate::app::path::PathLine;
use crate::text::clean;

/// Draws as many as fit between row `below` and the keys, the chosen one among them. `beside` draws what stands at the
/// right of one and hands back how many columns are left for its path.
pub fn view(
    line: &PathLine,
    below: u16,
    keys: bool,
    canvas: &mut Canvas,
    beside: impl Fn(&mut Canvas, usize, u16) -> u16,
) {
    let tall = canvas.height() > 8;
    let top = below + u16::from(tall);
    let last = canvas.height().saturating_sub(u16::from(keys) + u16::from(tall));
    let room = usize::from(last.saturating_sub(top));
    let (offered, chosen) = (line.offered(), line.chosen());
    let first = (chosen.unwrap_or(0) + 1).saturating_sub(room.max(1));
    for (at, name) in offered.iter().enumerate().skip(first).take(room) {
        let y = top + (at - first) as u16;
        let columns = beside(canvas, at, y);
        canvas.text(3, y, columns, &clean(name), canvas.theme.dim);
        if chosen == Some(at) {
            canvas.restyle(0, y, canvas.width(), canvas.theme.selected);
            canvas.select(0, y, canvas.theme.accent);
        }
    }
    if tall {
        canvas.more(canvas.width().saturating_sub(1), last, first, offered.len().saturating_sub(first + room));
    }
}

/// The same with nothing beside them.
pub fn plain(line: &PathLine, below: u16, keys: bool, canvas: &mut Canvas) {
    view(line, below, keys, canvas, |canvas, _, _| canvas.width().saturating_sub(4));
}
