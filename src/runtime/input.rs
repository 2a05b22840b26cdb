//! What comes in from the terminal and from signals.

use crossterm::event::{KeyEvent, MouseEvent};

use crate::secret::Secret;

/// What comes in from the terminal and from signals.
pub enum Input {
    /// A key, pressed or repeated.
    Key(KeyEvent),
    /// The terminal's background is light, or not.
    Light(bool),
    /// The window has the keys again.
    Focus,
    /// A click, a release or the wheel.
    Mouse(MouseEvent),
    /// Text pasted as a whole.
    Paste(Secret<String>),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// A request from outside.
    Signal(Signal),
    /// The terminal is gone: nothing can be read or shown any more.
    Gone,
}

/// Requests from outside that the panel answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// TERM, INT, QUIT: end, with everything saved.
    Quit,
    /// HUP: the session ends; lock and end.
    HangUp,
    /// TSTP: call [`Terminal::suspend`](super::terminal::Terminal::suspend).
    Suspend,
    /// CONT: the shell may have changed the terminal; call [`Terminal::take`](super::terminal::Terminal::take) and draw anew.
    Continue,
}
