//! Draws ratatui's cells with as few bytes as will do, one write a frame, and none where nothing changed.
//!
//! The stock backend ends every frame with a reset and moves absolutely; in a panel that changes two cells a second
//! over SSH or in a recorded tmux that is most of the traffic. Here the cursor and the style last written are
//! remembered across frames, so nobody else may write to the terminal while the panel is up, but through
//! [`Screen::pass`]. After a cluster on whose width terminals disagree the next move is absolute: a wrong width never
//! shifts a code.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroize;

use crate::tui::theme::basic;

/// Frames longer than this, in bytes, are sent as one synchronised update (DEC mode 2026), which costs 16 bytes.
const LARGE: usize = 2000;

/// A backend for ratatui over anything that takes bytes.
pub struct Screen<W> {
    to: W,
    /// The size, where the terminal is not to be asked (tests).
    fixed: Option<Size>,
    colours: bool,
    frame: Vec<u8>,
    /// Where the terminal's cursor is, as long as that is sure.
    at: Option<Position>,
    pen: Pen,
    cursor_shown: Option<bool>,
    wished: Position,
    /// Where clusters stand that take more cells in some terminals than they should.
    disputed: BTreeSet<(u16, u16)>,
    /// Whether one of them gave way: cells beside it that nobody wrote may still show a part of it.
    stale: bool,
}

/// What the terminal writes the next character with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

impl<W: Write> Screen<W> {
    /// A screen over `to`, which must be a terminal; without `colours` (`NO_COLOR`) only bold and its like are written.
    pub fn new(to: W, colours: bool) -> Self {
        Self {
            to,
            fixed: None,
            colours,
            frame: Vec::new(),
            at: None,
            pen: PLAIN,
            cursor_shown: None,
            wished: Position::ORIGIN,
            disputed: BTreeSet::new(),
            stale: false,
        }
    }

    /// A screen of a fixed size.
    #[cfg(test)]
    pub fn fixed(to: W, width: u16, height: u16) -> Self {
        Self { fixed: Some(Size::new(width, height)), ..Self::new(to, true) }
    }

    /// Sends bytes that neither move the cursor nor change the style (OSC sequences), in order with the frames.
    ///
    /// # Errors
    /// When the terminal does not take them.
    pub fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.frame.extend_from_slice(bytes);
        self.flush()
    }

    /// Forgets what is known of the cursor and the style: something else has written meanwhile (after a suspend).
    pub fn forget(&mut self) {
        self.at = None;
        self.cursor_shown = None;
        self.pen = PLAIN;
        self.frame.extend_from_slice(b"\x1b[m");
    }

    /// Whether parts of what was there may still be seen, so that all has to be cleared and drawn anew. Asked once, it is
    /// taken for done.
    pub const fn take_stale(&mut self) -> bool {
        std::mem::replace(&mut self.stale, false)
    }

    /// What is written to.
    #[cfg(test)]
    pub fn writer(&self) -> &W {
        &self.to
    }

    fn size_now(&self) -> Size {
        self.fixed.unwrap_or_else(|| match crossterm::terminal::size() {
            Ok((width, height)) if width > 0 && height > 0 => Size::new(width, height),
            _ => Size::new(80, 24),
        })
    }

    fn go(&mut self, to: Position) {
        if self.at == Some(to) {
            return;
        }
        let mut way = absolute(to);
        if let Some(from) = self.at {
            for other in relative(from, to) {
                if other.len() < way.len() {
                    way = other;
                }
            }
        }
        self.frame.extend_from_slice(way.as_bytes());
        self.at = Some(to);
    }

    fn put(&mut self, cell: &Cell, width: u16) {
        let symbol = cell.symbol();
        let mut pen = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        if !self.colours {
            (pen.fg, pen.bg) = (Color::Reset, Color::Reset);
        }
        if symbol == " " && !pen.modifier.intersects(SEEN_ON_BLANKS) {
            // Neither its colour nor its weight can be seen: keep what is set.
            pen = Pen { bg: pen.bg, modifier: self.pen.modifier.difference(SEEN_ON_BLANKS), fg: self.pen.fg };
        }
        if pen != self.pen {
            let way = change(self.pen, pen);
            self.frame.extend_from_slice(way.as_bytes());
            self.pen = pen;
        }
        self.frame.extend_from_slice(symbol.as_bytes());
        self.at = self.at.filter(|_| sure(symbol)).map(|at| Position::new(at.x + 1, at.y)).filter(|at| at.x < width);
    }
}

/// Attributes that show on a blank.
const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Whether every terminal moves on by one cell after this.
fn sure(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    chars.next().is_some() && chars.next().is_none() && symbol.width() == 1
}

/// Whether terminals differ in how many cells this takes: flags, joined, coloured and emoji-presented signs.
fn is_disputed(symbol: &str) -> bool {
    let joins = |c| matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}');
    symbol.len() > 4 && symbol.chars().any(joins)
}

fn absolute(to: Position) -> String {
    match (to.x, to.y) {
        (0, 0) => "\x1b[H".into(),
        (0, y) => format!("\x1b[{}H", y + 1),
        (x, 0) => format!("\x1b[;{}H", x + 1),
        (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
    }
}

/// Ways from one place to another that need no absolute row.
fn relative(from: Position, to: Position) -> impl Iterator<Item = String> {
    let count = |n: u16, letter: char| match n {
        0 => String::new(),
        1 => format!("\x1b[{letter}"),
        n => format!("\x1b[{n}{letter}"),
    };
    let across = match (from.x, to.x) {
        (from, to) if to < from && from - to <= 3 => "\x08".repeat(usize::from(from - to)),
        (from, to) if to < from => count(from - to, 'D'),
        (from, to) => count(to - from, 'C'),
    };
    let from_edge = count(to.x, 'C');
    let down = to.y.checked_sub(from.y);
    let lines = down.filter(|n| *n <= 4).map(|n| format!("\r{}{from_edge}", "\n".repeat(usize::from(n))));
    let vertical = down.map_or_else(|| count(from.y - to.y, 'A'), |n| count(n, 'B'));
    [lines, Some(format!("{vertical}{across}")), Some(format!("{vertical}\r{from_edge}"))].into_iter().flatten()
}

/// The shorter of: only what differs, and a reset followed by everything.
fn change(from: Pen, to: Pen) -> String {
    if to == PLAIN {
        return "\x1b[m".into();
    }
    let mut fresh = vec!["0".to_owned()];
    differences(PLAIN, to, &mut fresh);
    let mut edit = Vec::new();
    differences(from, to, &mut edit);
    let (fresh, edit) = (fresh.join(";"), edit.join(";"));
    format!("\x1b[{}m", if fresh.len() < edit.len() { fresh } else { edit })
}

fn differences(from: Pen, to: Pen, codes: &mut Vec<String>) {
    let (mut gone, mut new) = (from.modifier - to.modifier, to.modifier - from.modifier);
    if gone.intersects(Modifier::BOLD | Modifier::DIM) {
        // One code ends both.
        codes.push("22".into());
        new |= to.modifier & (Modifier::BOLD | Modifier::DIM);
        gone -= Modifier::BOLD | Modifier::DIM;
    }
    if gone.intersects(Modifier::SLOW_BLINK | Modifier::RAPID_BLINK) {
        codes.push("25".into());
        new |= to.modifier & (Modifier::SLOW_BLINK | Modifier::RAPID_BLINK);
    }
    for (modifier, on, off) in [
        (Modifier::BOLD, "1", ""),
        (Modifier::DIM, "2", ""),
        (Modifier::ITALIC, "3", "23"),
        (Modifier::UNDERLINED, "4", "24"),
        (Modifier::SLOW_BLINK, "5", ""),
        (Modifier::RAPID_BLINK, "6", ""),
        (Modifier::REVERSED, "7", "27"),
        (Modifier::HIDDEN, "8", "28"),
        (Modifier::CROSSED_OUT, "9", "29"),
    ] {
        if gone.contains(modifier) && !off.is_empty() {
            codes.push(off.into());
        }
        if new.contains(modifier) {
            codes.push(on.into());
        }
    }
    if from.fg != to.fg {
        codes.push(colour(to.fg, 30));
    }
    if from.bg != to.bg {
        codes.push(colour(to.bg, 40));
    }
}

/// The code of a colour; `base` is 30 for the text and 40 for what is behind it.
fn colour(colour: Color, base: u8) -> String {
    match (colour, basic(colour)) {
        (Color::Rgb(r, g, b), _) => format!("{};2;{r};{g};{b}", base + 8),
        (Color::Indexed(index), _) => format!("{};5;{index}", base + 8),
        (_, Some(dark @ 0..8)) => (base + dark).to_string(),
        // The light ones stand apart.
        (_, Some(light)) => (base + 60 + light - 8).to_string(),
        (_, None) => (base + 9).to_string(),
    }
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let width = self.size_now().width;
        for (x, y, cell) in content {
            self.stale |= self.disputed.remove(&(x, y));
            if is_disputed(cell.symbol()) {
                self.disputed.insert((x, y));
            }
            self.go(Position::new(x, y));
            self.put(cell, width);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown.replace(false) != Some(false) {
            self.frame.extend_from_slice(b"\x1b[?25l");
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown.replace(true) != Some(true) {
            self.frame.extend_from_slice(b"\x1b[?25h");
        }
        Ok(())
    }

    /// Where the cursor was put last. The terminal is never asked: its answer may take two seconds.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.wished)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.wished = position.into();
        self.go(self.wished);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, what: ClearType) -> io::Result<()> {
        if self.pen != PLAIN {
            // What is cleared takes the colour behind the text in many terminals.
            self.frame.extend_from_slice(b"\x1b[m");
            self.pen = PLAIN;
        }
        if matches!(what, ClearType::All) {
            self.disputed.clear();
        }
        self.frame.extend_from_slice(match what {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size_now())
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size_now(), pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        if self.frame.len() > LARGE {
            self.frame.splice(..0, *b"\x1b[?2026h");
            self.frame.extend_from_slice(b"\x1b[?2026l");
        }
        let sent = self.to.write_all(&self.frame).and_then(|()| self.to.flush());
        // The codes of a frame must not outlive it.
        self.frame.zeroize();
        if self.frame.capacity() > 16 * LARGE {
            self.frame = Vec::new();
        }
        sent
    }
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
