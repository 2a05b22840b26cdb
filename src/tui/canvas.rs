//! Writing into ratatui's buffer: texts that are cut to fit, right-aligned, on a screen of any size without a panic.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::Theme;
use super::spoken::Spoken;
use crate::app::footer::{Item, fitting};
use crate::app::input::Input;
use crate::app::model::{Notice, Tone};
use crate::text::{fit, typed, width, wrap};

/// A screen that is drawn on. Coordinates are columns and rows from 0; what lies outside is not drawn.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// The styles.
    pub theme: &'a Theme,
    /// Marks in ASCII only.
    pub ascii: bool,
    /// What is kept for a screen reader, where one listens.
    spoken: Option<Spoken>,
}

impl<'a> Canvas<'a> {
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, ascii: bool) -> Self {
        Self { buffer, theme, ascii, spoken: None }
    }

    /// A canvas for a screen reader: words in place of marks, no frames, and a focus for the terminal's cursor.
    pub fn spoken(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buffer, theme, ascii: true, spoken: Some(Spoken::default()) }
    }

    /// Whether a screen reader listens.
    pub const fn is_spoken(&self) -> bool {
        self.spoken.is_some()
    }

    /// Leaves everything where it is drawn: a picture.
    pub const fn is_picture(&mut self) {
        if let Some(spoken) = &mut self.spoken {
            spoken.picture = true;
        }
    }

    /// Ends the drawing. For a screen reader all lines are made plain; hands back where the terminal's cursor belongs then.
    pub fn finish(self) -> Option<Position> {
        self.spoken.and_then(|spoken| spoken.finish(self.buffer))
    }

    pub fn width(&self) -> u16 {
        self.buffer.area.width
    }

    pub fn height(&self) -> u16 {
        self.buffer.area.height
    }

    /// Gives the whole screen the theme's background.
    pub fn fill(&mut self) {
        // The terminal's own colours are there already.
        if self.theme.text != Style::new() {
            self.buffer.set_style(self.buffer.area, self.theme.text);
        }
    }

    /// Writes a text, cut to `columns` with an ellipsis. Hands back the column after it.
    pub fn text(&mut self, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
        if y >= self.height() || x >= self.width() {
            return x;
        }
        let room = columns.min(self.width() - x) as usize;
        if text.len() <= room && text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return self.plain(x, y, text, style);
        }
        let text = self.spelled(text);
        let mut shown = fit(&text, room);
        if self.spells() && shown.ends_with('…') {
            shown = Cow::Owned(shown.replace('…', "~"));
        }
        let (end, _) = self.buffer.set_stringn(x, y, &shown, room, style);
        end
    }

    /// Whether the ellipsis is a sign too many. A screen reader reads it well, and a tilde badly.
    const fn spells(&self) -> bool {
        self.ascii && self.spoken.is_none()
    }

    /// A text with dots for an ellipsis, where signs are to be plain.
    fn spelled<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.spells() && text.contains('…') { Cow::Owned(text.replace('…', "...")) } else { Cow::Borrowed(text) }
    }

    /// Writes a text that fits and of which each byte is a cell: nearly all of a screen, so that it is worth a way of its own.
    fn plain(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let mut x = x;
        for (at, _) in text.char_indices() {
            if let Some(cell) = self.buffer.cell_mut(Position::new(x, y)) {
                cell.set_symbol(&text[at..=at]).set_style(style);
            }
            x += 1;
        }
        x
    }

    /// Writes a text to the end of the row.
    pub fn put(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        self.text(x, y, self.width(), text, style)
    }

    /// Writes a text so that it ends before column `end`. Hands back its first column.
    pub fn right(&mut self, end: u16, y: u16, text: &str, style: Style) -> u16 {
        let text = self.spelled(text);
        let x = end.saturating_sub(width(&text) as u16);
        self.text(x, y, end - x, &text, style);
        x
    }

    /// Writes a text over several rows. Hands back the row after it.
    pub fn paragraph(&mut self, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
        let mut y = y;
        for line in wrap(text, columns as usize) {
            self.text(x, y, columns, &line, style);
            y = y.saturating_add(1);
        }
        y
    }

    /// Writes lines into at most so many rows; the last one ends in an ellipsis where more would follow. Hands back the
    /// row after them.
    pub fn lines(&mut self, x: u16, y: u16, columns: u16, rows: usize, lines: &[String], style: Style) -> u16 {
        let mut y = y;
        for (at, line) in lines.iter().take(rows).enumerate() {
            let cut = at + 1 == rows && lines.len() > rows;
            // Longer than the row in any case, so that it is cut with its sign.
            let text = if cut { Cow::Owned(format!("{line} {}…", lines[at + 1])) } else { Cow::Borrowed(line) };
            self.text(x, y, columns, &text, style);
            y = y.saturating_add(1);
        }
        y
    }

    /// Says at the right end of a row how many rows lie above and below what is shown; nothing where there are none.
    /// Hands back its first column.
    pub fn more(&mut self, end: u16, y: u16, above: usize, below: usize) -> u16 {
        let words = self.more_words(above, below);
        if words.is_empty() { end } else { self.right(end, y, &words, self.theme.dim) }
    }

    /// What [`Self::more`] says.
    pub fn more_words(&self, above: usize, below: usize) -> String {
        let mut parts = Vec::new();
        for (n, arrow, word) in [(above, self.mark("↑", "^"), "above"), (below, self.mark("↓", "v"), "below")] {
            if n > 0 {
                parts.push(if self.is_spoken() { format!("{n} {word}") } else { format!("{arrow} {n}") });
            }
        }
        parts.join("  ")
    }

    /// Lays a style over cells that are drawn already.
    pub fn restyle(&mut self, x: u16, y: u16, columns: u16, style: Style) {
        let area = Rect::new(x, y, columns, 1).intersection(self.buffer.area);
        self.buffer.set_style(area, style);
    }

    /// Lays a style over one cell.
    pub fn restyle_cell(&mut self, x: u16, y: u16, style: Style) {
        if let Some(cell) = self.buffer.cell_mut(Position::new(x, y)) {
            cell.set_style(style);
        }
    }

    /// Empties a part of the screen.
    pub fn empty(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            // A wide character that reaches in from the left would push the edge aside.
            if let Some(cell) = area.left().checked_sub(1).and_then(|x| self.buffer.cell_mut((x, y)))
                && width(cell.symbol()) > 1
            {
                cell.set_symbol(" ");
            }
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut(Position::new(x, y)) {
                    cell.reset();
                    cell.set_style(self.theme.text);
                }
            }
        }
    }

    /// Empties a part of the screen and draws a frame round it, where there is room for one.
    ///
    /// What stands at its left and right is emptied, too: half a code beside a box is read as a whole one.
    pub fn frame(&mut self, area: Rect, title: &str) {
        self.empty(Rect { x: 0, width: self.width(), ..area });
        if self.is_spoken() {
            self.text(area.left() + 2, area.top(), area.width.saturating_sub(4), title, self.theme.strong);
            return;
        }
        let area = area.intersection(self.buffer.area);
        if area.width < 4 || area.height < 3 {
            return;
        }
        let (h, v, corners) =
            if self.ascii { ("-", "|", ["+"; 4]) } else { ("─", "│", ["╭", "╮", "╰", "╯"]) };
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        let border = self.theme.border;
        for x in area.left() + 1..right {
            self.put_cell(x, area.top(), h, border);
            self.put_cell(x, bottom, h, border);
        }
        for y in area.top() + 1..bottom {
            self.put_cell(area.left(), y, v, border);
            self.put_cell(right, y, v, border);
        }
        for (corner, (x, y)) in corners.into_iter().zip([
            (area.left(), area.top()),
            (right, area.top()),
            (area.left(), bottom),
            (right, bottom),
        ]) {
            self.put_cell(x, y, corner, border);
        }
        if !title.is_empty() {
            self.text(area.left() + 2, area.top(), area.width - 4, &format!(" {title} "), self.theme.strong);
        }
    }

    fn put_cell(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut(Position::new(x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// Draws a line that is typed into, with its cursor, scrolled so that the cursor is seen. `masked` shows dots.
    pub fn input(&mut self, x: u16, y: u16, columns: u16, line: &Input, masked: bool, focus: bool) {
        let columns = columns.min(self.width().saturating_sub(x)) as usize;
        if columns == 0 {
            return;
        }
        let (before, after) = line.halves();
        let dot = self.mark("•", "*");
        let shape = |text: &str| if masked { dot.repeat(text.chars().count()) } else { typed(text).into_owned() };
        let (before, after) = (shape(before), shape(after));
        // Keep the end of what stands before the cursor.
        if !focus {
            self.text(x, y, columns as u16, crate::secret::Secret::new(before + &after).expose(), self.theme.text);
            return;
        }
        let mut shown = before.as_str();
        let cut = if width(shown) < columns { "" } else { self.mark("…", "<") };
        while width(shown) + width(cut) + 1 > columns && !shown.is_empty() {
            let mut chars = shown.chars();
            chars.next();
            shown = chars.as_str();
        }
        let style = self.theme.strong;
        let begin = self.text(x, y, columns as u16, cut, self.theme.dim);
        let end = self.text(begin, y, columns as u16 - (begin - x), shown, style);
        let rest = columns as u16 - (end - x);
        if let Some(spoken) = self.spoken.as_mut() {
            // The terminal's own cursor stands there.
            spoken.cursor(x, end, y);
            self.text(end, y, rest, &after, style);
        } else {
            self.text(end, y, rest, self.mark("▏", "|"), self.theme.accent);
            self.text(end + 1, y, rest.saturating_sub(1), &after, style);
        }
    }

    /// A mark, or its plain fallback.
    pub fn mark(&self, glyph: &'static str, plain: &'static str) -> &'static str {
        if self.ascii { plain } else { glyph }
    }

    /// Marks the selected row, at column `x`.
    pub fn select(&mut self, x: u16, y: u16, style: Style) {
        match &mut self.spoken {
            Some(spoken) => spoken.select(y),
            None => {
                self.put(x, y, self.mark("▌", ">"), style);
            }
        }
    }

    /// The style and the mark of a tone; a screen reader gets a word for a mark.
    pub fn tone(&self, tone: Tone) -> (Style, &'static str) {
        match tone {
            Tone::Good if self.is_spoken() => (self.theme.good, "done:"),
            Tone::Info if self.is_spoken() => (self.theme.text, "note:"),
            Tone::Warn if self.is_spoken() => (self.theme.warn, "warning:"),
            Tone::Error if self.is_spoken() => (self.theme.error, "error:"),
            Tone::Good => (self.theme.good, self.mark("✓", "+")),
            Tone::Info => (self.theme.text, self.mark("·", "-")),
            Tone::Warn => (self.theme.warn, "!"),
            Tone::Error => (self.theme.error, self.mark("✗", "x")),
        }
    }

    /// The mark before the words of an error.
    pub fn cross(&self) -> &'static str {
        self.tone(Tone::Error).1
    }

    /// Draws a notice into one row; its short form where not all of it fits.
    pub fn notice(&mut self, x: u16, y: u16, columns: u16, notice: &Notice) {
        self.notice_in(x, y, columns, 1, notice);
    }

    /// An area in the middle of the screen, as large as asked for where it fits.
    pub fn middle(&self, columns: u16, rows: u16) -> Rect {
        if self.is_spoken() {
            // Nothing stands beside it that would be read with it.
            return Rect::new(0, 0, self.width(), self.height());
        }
        let width = columns.min(self.width());
        let height = rows.min(self.height());
        Rect::new((self.width() - width) / 2, (self.height() - height) / 2, width, height)
    }

    /// How many rows a notice takes of so many columns and rows.
    pub fn notice_rows(&self, columns: u16, rows: usize, notice: &Notice) -> u16 {
        let room = usize::from(columns).saturating_sub(width(self.tone(notice.tone).1) + 1);
        wrap(&notice.text, room).len().clamp(1, rows) as u16
    }

    /// The same into several rows.
    pub fn notice_in(&mut self, x: u16, y: u16, columns: u16, rows: usize, notice: &Notice) {
        let (style, mark) = self.tone(notice.tone);
        let at = self.text(x, y, columns, mark, style) + 1;
        let room = columns.saturating_sub(at - x);
        let mut lines = wrap(&notice.text, room.into());
        if lines.len() > rows
            && let Some(short) = &notice.short
        {
            lines = wrap(short, room.into());
        }
        self.lines(at, y, room, rows, &lines, self.theme.text);
    }

    /// Draws the keys of a mode where they belong, in the last row.
    pub fn footer(&mut self, keys: &[Item]) {
        let last = self.height() - 1;
        for item in keys {
            let x = self.put(item.from, last, &item.key, self.theme.accent);
            self.put(x + 1, last, &item.word, self.theme.dim);
        }
    }

    /// Draws keys with their words from column 1 of a row: as many as fit, the last (it leads out) before those in between.
    pub fn keys(&mut self, y: u16, pairs: &[(&str, &str)]) {
        let needs: Vec<usize> = pairs.iter().map(|(key, word)| width(key) + 1 + width(word)).collect();
        let mut x = 1;
        for at in fitting(&needs, self.width().saturating_sub(1).into(), 3, true) {
            let (key, word) = pairs[at];
            x = self.put(x, y, key, self.theme.accent) + 1;
            x = self.put(x, y, word, self.theme.dim) + 3;
        }
    }
}
