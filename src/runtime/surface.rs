//! What stands on the screen, cell by cell, and what is to stand there next: only what differs is written. As ratatui's own
//! terminal does it; but where all below some rows is known to stay, only those rows are painted and compared, which is most of
//! what an idle second costs.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

use super::screen::Screen;

/// A screen with its cells.
pub struct Surface<W: Write> {
    screen: Screen<W>,
    shown: Buffer,
    /// Blank between two paintings: nothing of one that is over is kept.
    next: Buffer,
}

impl<W: Write> Surface<W> {
    /// Takes a screen of which nothing is known.
    ///
    /// # Errors
    /// When its size cannot be had.
    pub fn new(screen: Screen<W>) -> io::Result<Self> {
        let area = area(&screen)?;
        Ok(Self { screen, shown: Buffer::empty(area), next: Buffer::empty(area) })
    }

    /// The size of the terminal now, in cells.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn size(&self) -> io::Result<Size> {
        self.screen.size()
    }

    /// The screen below.
    pub const fn screen(&mut self) -> &mut Screen<W> {
        &mut self.screen
    }

    /// Paints the whole screen anew, in the size that the terminal has by now; `paint` tells where the cursor belongs.
    ///
    /// # Errors
    /// When the terminal does not take it.
    pub fn draw(&mut self, paint: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        let area = area(&self.screen)?;
        if area != self.shown.area {
            self.shown.resize(area);
            self.next.resize(area);
            self.next.reset();
            self.clear()?;
        }
        let cursor = paint(&mut self.next);
        self.screen.draw(self.shown.diff_iter(&self.next))?;
        match cursor {
            None => self.screen.hide_cursor()?,
            Some(at) => {
                self.screen.show_cursor()?;
                self.screen.set_cursor_position(at)?;
            }
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        self.next.reset();
        self.screen.flush()
    }

    /// Paints the first rows alone, where all below stays as it is. False, with nothing written, where that cannot be: the
    /// terminal has another size, or something there is not one cell wide.
    ///
    /// # Errors
    /// When the terminal does not take it.
    pub fn draw_above(&mut self, rows: u16, paint: impl FnOnce(&mut Buffer)) -> io::Result<bool> {
        if area(&self.screen)? != self.shown.area {
            return Ok(false);
        }
        paint(&mut self.next);
        let cells = usize::from(rows) * usize::from(self.shown.area.width);
        let (old, new) = (self.shown.content.get_mut(..cells), self.next.content.get_mut(..cells));
        let (Some(old), Some(new)) = (old, new) else { return Ok(false) };
        let plain =
            |symbol: &str| symbol.chars().nth(1).is_none() && unicode_width::UnicodeWidthStr::width(symbol) == 1;
        let changed: Vec<usize> = (0..cells).filter(|at| old[*at] != new[*at]).collect();
        let can_be = changed.iter().all(|at| plain(old[*at].symbol()) && plain(new[*at].symbol()));
        if can_be {
            let width = usize::from(self.shown.area.width);
            let cells = changed.iter().map(|&at| ((at % width) as u16, (at / width) as u16, &new[at]));
            self.screen.draw(cells)?;
            for at in changed {
                old[at] = new[at].clone();
            }
        }
        new.iter_mut().for_each(ratatui::buffer::Cell::reset);
        self.screen.flush()?;
        Ok(can_be)
    }

    /// Empties the terminal: something else may have written to it.
    ///
    /// # Errors
    /// When the terminal does not take it.
    pub fn clear(&mut self) -> io::Result<()> {
        self.shown.reset();
        self.screen.clear_region(ClearType::All)
    }
}

/// All cells of the terminal as it is now.
fn area<W: Write>(screen: &Screen<W>) -> io::Result<Rect> {
    Ok(Rect::from((Position::ORIGIN, screen.size()?)))
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    /// Paints a clock in the first of three rows and something below.
    fn paint(buffer: &mut Buffer, clock: &str, below: &str) {
        buffer.set_string(0, 0, clock, Style::new());
        buffer.set_string(0, 2, below, Style::new());
    }

    fn written(surface: &Surface<Vec<u8>>) -> usize {
        surface.screen.writer().len()
    }

    fn shows(surface: &Surface<Vec<u8>>) -> String {
        let mut parser = vt100::Parser::new(3.try_into().unwrap(), 12.try_into().unwrap(), 0);
        parser.process(surface.screen.writer());
        parser.screen().contents()
    }

    fn surface() -> Surface<Vec<u8>> {
        Surface::new(Screen::fixed(Vec::new(), 12, 3)).unwrap()
    }

    fn whole(surface: &mut Surface<Vec<u8>>, clock: &str, below: &str) {
        surface.draw(|buffer| (paint(buffer, clock, below), None).1).unwrap();
    }

    fn above(surface: &mut Surface<Vec<u8>>, clock: &str) -> bool {
        surface.draw_above(1, |buffer| paint(buffer, clock, "")).unwrap()
    }

    #[test]
    fn rows_above_change_alone_and_the_next_whole_painting_knows_of_it() {
        let mut surface = surface();
        whole(&mut surface, "18s", "GitHub");
        for clock in ["17s", "16s", "9s", "10s"] {
            assert!(above(&mut surface, &format!("{clock:>3}")));
            assert_eq!(shows(&surface), format!("{clock:>3}\n\nGitHub"));
        }
        // What the first painting had is not what stands there now.
        whole(&mut surface, "18s", "GitLab");
        assert_eq!(shows(&surface), "18s\n\nGitLab");
        let before = written(&surface);
        assert!(above(&mut surface, "18s"));
        whole(&mut surface, "18s", "GitLab");
        assert_eq!(written(&surface), before, "nothing differs, nothing is written");
    }

    #[test]
    fn what_is_wider_than_a_cell_is_left_to_a_whole_painting() {
        let mut surface = surface();
        whole(&mut surface, "18s", "GitHub");
        let before = written(&surface);
        assert!(!above(&mut surface, "漢字"));
        assert_eq!(written(&surface), before);
        whole(&mut surface, "漢字", "GitHub");
        assert_eq!(shows(&surface), "漢字\n\nGitHub");
        assert!(!above(&mut surface, "18s"));
    }

    #[test]
    fn a_terminal_that_was_emptied_is_painted_whole() {
        let mut surface = surface();
        whole(&mut surface, "18s", "GitHub");
        surface.clear().unwrap();
        whole(&mut surface, "18s", "GitHub");
        assert_eq!(shows(&surface), "18s\n\nGitHub");
    }
}
