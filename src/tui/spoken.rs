//! The screen for a screen reader: each line as plain text from its first column, what is selected said in words, and the
//! terminal's own cursor where the focus is.
//!
//! The screens are drawn as for everybody, by a canvas that draws no frames and no marks; here the columns are taken out of
//! the lines. It knows nothing of what a line says.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;

use crate::text::width;

/// What stands before the selected line.
pub const SELECTED: &str = "selected: ";

/// What is kept while such a screen is drawn.
#[derive(Debug, Default)]
pub struct Spoken {
    /// A picture is drawn: nothing is moved.
    pub picture: bool,
    /// The row that is selected.
    selected: Option<u16>,
    /// The text that is typed into: its row, first column and the cursor's column.
    cursor: Option<(u16, u16, u16)>,
}

impl Spoken {
    /// The selected row.
    pub const fn select(&mut self, y: u16) {
        self.selected = Some(y);
    }

    /// A text that is typed into: its first column, and that of the cursor.
    pub const fn cursor(&mut self, from: u16, at: u16, y: u16) {
        self.cursor = Some((y, from, at));
    }

    /// Makes all lines plain; hands back where the cursor belongs then: in what is typed, or else on what is selected.
    pub fn finish(self, buffer: &mut Buffer) -> Option<Position> {
        let typed = self.cursor.map(|(y, _, at)| Position::new(at, y));
        let selected = self.selected.map(|y| Position::new(0, y));
        if self.picture {
            return typed.or(selected);
        }
        let mut focus = selected;
        for y in 0..buffer.area.height {
            let before = if self.selected == Some(y) { SELECTED } else { "" };
            let line = self.cursor.filter(|(row, ..)| *row == y).map(|(_, from, at)| (from, at));
            if let Some(x) = flatten(buffer, y, before, line) {
                focus = Some(Position::new(x, y));
            }
        }
        // Where nothing has the focus, reading begins at the beginning.
        let at = focus.unwrap_or_default();
        Some(Position::new(at.x.min(buffer.area.width.saturating_sub(1)), at.y))
    }
}

/// Writes a row anew from its first column, with a comma for each gap between columns. `typed` is where a text that is typed
/// into begins, its blanks kept, and where its cursor is; hands back where that cursor is then.
fn flatten(buffer: &mut Buffer, y: u16, before: &str, typed: Option<(u16, u16)>) -> Option<u16> {
    let columns = buffer.area.width;
    let row: Vec<Cell> = (0..columns).map(|x| buffer[(x, y)].clone()).collect();
    let mut out: Vec<Cell> = before.chars().map(|c| lettered(&row[0], c.encode_utf8(&mut [0; 4]))).collect();
    let lead = out.len();
    let (mut gap, mut skip, mut cursor, mut last) = (0, 0, None, " ");
    for (x, cell) in (0u16..).zip(&row) {
        let own = typed.is_some_and(|(from, at)| (from..at).contains(&x));
        if typed.is_some_and(|(_, at)| at == x) {
            // What was left open before it is a gap as well: nothing is typed yet.
            let open = if out.len() > lead && typed.is_some_and(|(from, at)| from == at) { gap.min(2) } else { 0 };
            cursor = Some((out.len() + open) as u16);
        }
        if skip > 0 {
            skip -= 1;
            out.push(cell.clone());
            continue;
        }
        if cell.symbol() == " " && !own {
            gap += 1;
            continue;
        }
        if out.len() > lead {
            let ended = matches!(last, ":" | "," | "." | "?" | "!" | ";" | " ");
            let between = match gap {
                0 => "",
                1 => " ",
                _ if ended => " ",
                _ => ", ",
            };
            out.extend(between.chars().map(|c| lettered(cell, c.encode_utf8(&mut [0; 4]))));
        }
        gap = 0;
        skip = width(cell.symbol()).saturating_sub(1);
        last = cell.symbol();
        out.push(cell.clone());
    }
    let blank = lettered(&row[0], " ");
    let plain = out.len() == lead;
    for x in 0..columns {
        // A row without text has nothing to say, selected or not.
        let cell = out.get(usize::from(x)).filter(|_| !plain).unwrap_or(&blank);
        buffer[(x, y)] = cell.clone();
    }
    cursor
}

/// A cell of this style with another letter.
fn lettered(like: &Cell, letter: &str) -> Cell {
    let mut cell = like.clone();
    cell.set_symbol(letter);
    cell
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    fn screen(lines: &[&str]) -> Buffer {
        Buffer::with_lines(lines.iter().copied())
    }

    fn read(buffer: &Buffer, y: u16) -> String {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        row.trim_end().to_owned()
    }

    #[test]
    fn columns_become_commas_and_the_selected_line_says_so() {
        let mut buffer = screen(&[" otpanel     2 accounts          ", " GitHub  octo    492 039         "]);
        let mut spoken = Spoken::default();
        spoken.select(1);
        assert_eq!(spoken.finish(&mut buffer), Some(Position::new(0, 1)));
        assert_eq!(read(&buffer, 0), "otpanel, 2 accounts");
        assert_eq!(read(&buffer, 1), "selected: GitHub, octo, 492 039");
    }

    #[test]
    fn what_is_typed_keeps_its_blanks_and_the_cursor_its_place() {
        let mut buffer = screen(&["    note       a  b             "]);
        let mut spoken = Spoken::default();
        spoken.cursor(15, 19, 0);
        assert_eq!(spoken.finish(&mut buffer), Some(Position::new(10, 0)));
        assert_eq!(read(&buffer, 0), "note, a  b");
        let mut buffer = screen(&["    note                        "]);
        let mut spoken = Spoken::default();
        spoken.cursor(15, 15, 0);
        assert_eq!(spoken.finish(&mut buffer), Some(Position::new(6, 0)));
    }

    #[test]
    fn wide_letters_keep_their_two_columns() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 20, 1));
        buffer.set_string(2, 0, "日本", Style::new());
        buffer.set_string(10, 0, "ada", Style::new());
        Spoken::default().finish(&mut buffer);
        let mut expected = Buffer::empty(ratatui::layout::Rect::new(0, 0, 20, 1));
        expected.set_string(0, 0, "日本, ada", Style::new());
        assert_eq!(buffer, expected);
    }
}
