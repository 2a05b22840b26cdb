//! One pair of hands on the clipboards: puts text in, and takes it out again if it is still ours. No threads.

use std::borrow::Cow;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::hold::spawn_holder;
use super::ways::{self, BLANK, Surroundings, Way};
use super::{ClipboardError, Copied, Picture, native};
use crate::secret::Secret;

/// How long a window system may take until it has what was copied.
const TAKEN: Duration = Duration::from_millis(500);

/// What became of our text when it was to be cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleared {
    /// There was none.
    Nothing,
    /// It is gone.
    Gone,
    /// Something else had been copied since; that was left alone.
    NotOurs,
    /// It was overwritten where the clipboard cannot be read back; it may have been something else by then.
    Overwritten,
}

/// Holds the connection to the native clipboard and remembers what was copied last.
pub(super) struct Hands {
    here: Surroundings,
    native: Option<arboard::Clipboard>,
    last: Option<(Secret<String>, Vec<Way>)>,
    /// Escape sequences that somebody has to write to the terminal.
    pub(super) to_terminal: Vec<Secret<Vec<u8>>>,
}

impl Hands {
    pub(super) fn new(here: Surroundings) -> Self {
        Self { here, native: None, last: None, to_terminal: Vec::new() }
    }

    /// Copies by all of the first ways, or, when none of them works, by all of the second.
    pub(super) fn copy(
        &mut self,
        text: Secret<String>,
        (first, second): (Vec<Way>, Vec<Way>),
    ) -> Result<Copied, ClipboardError> {
        let mut problem = ClipboardError::Off;
        for ways in [first, second] {
            let mut taken = Vec::new();
            for way in ways {
                match self.put(&way, text.expose()) {
                    Ok(()) => taken.push(way),
                    Err(error) => problem = error,
                }
            }
            if !taken.is_empty() {
                self.last = Some((text, taken.clone()));
                return Ok(Copied { ways: taken });
            }
            // By another way it would reach no terminal either.
            if problem == ClipboardError::Detached {
                break;
            }
        }
        Err(problem)
    }

    /// Takes our text out of the clipboards. Where one can be read back, only if it is still there.
    pub(super) fn clear(&mut self) -> Result<Cleared, ClipboardError> {
        let Some((text, ways)) = self.last.take() else { return Ok(Cleared::Nothing) };
        if ways.contains(&Way::Native) {
            let native = self.native()?;
            let there = Zeroizing::new(native.get_text().unwrap_or_default());
            if *there != *text.expose() {
                return Ok(Cleared::NotOurs);
            }
            native.clear().map_err(|e| ClipboardError::native(&e))?;
        }
        for way in ways.iter().filter(|way| **way != Way::Native) {
            match self.put(way, if matches!(way, Way::Command(_)) { "" } else { BLANK }) {
                // The terminal that has it is out of reach.
                Ok(()) | Err(ClipboardError::Detached) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if ways.contains(&Way::Native) { Cleared::Gone } else { Cleared::Overwritten })
    }

    /// Hands our text to a holder, to be cleared after the time that is left. Whether all of it could be.
    ///
    /// The native clipboard can still be cleared here, if the text is there: the holder may keep it for longer than a lock
    /// allows. By other ways nobody knows what is there by then, so that the holder alone clears them.
    pub(super) fn lend(&mut self, left: Option<Duration>) -> bool {
        let Some((text, ways)) = &mut self.last else { return true };
        let (terminal, others): (Vec<Way>, Vec<Way>) = ways.iter().cloned().partition(|way| *way == Way::Osc52);
        if others.is_empty() {
            return false;
        }
        let secs = left.map_or(0, |left| left.as_millis().div_ceil(1000).max(1) as u64);
        let program = std::env::current_exe();
        if program.is_ok_and(|program| spawn_holder(&program, text, secs, &others).is_ok()) {
            ways.retain(|way| matches!(way, Way::Native | Way::Osc52));
            return terminal.is_empty();
        }
        false
    }

    /// Whether the native clipboard still holds what was copied last.
    pub(super) fn still_ours(&mut self) -> bool {
        let there = self.native().ok().and_then(|native| native.get_text().ok()).map(Zeroizing::new);
        self.last.as_ref().is_some_and(|(text, _)| there.is_some_and(|there| *there == *text.expose()))
    }

    /// The picture in the native clipboard.
    pub(super) fn image(&mut self) -> Result<Picture, ClipboardError> {
        let image = self.native()?.get_image().map_err(|e| ClipboardError::native(&e))?;
        let (width, height) = (image.width, image.height);
        Ok(Picture { width, height, rgba: Secret::new(image.bytes.into_owned()) })
    }

    /// The text in the native clipboard.
    pub(super) fn text(&mut self) -> Result<Secret<String>, ClipboardError> {
        self.native()?.get_text().map(Secret::new).map_err(|e| ClipboardError::native(&e))
    }

    fn put(&mut self, way: &Way, text: &str) -> Result<(), ClipboardError> {
        match way {
            Way::Native => {
                let native = self.native()?;
                let set = native::without_history(native.set()).text(Cow::Borrowed(text));
                set.map_err(|e| ClipboardError::native(&e))?;
                wait_until_there(native, text);
                Ok(())
            }
            Way::Osc52 => {
                self.to_terminal.push(ways::osc52(text, self.here.screen));
                Ok(())
            }
            Way::Tmux => match ways::tmux(text) {
                Ok(true) => Ok(()),
                Ok(false) => Err(ClipboardError::Detached),
                Err(error) => Err(ClipboardError::Program("tmux".into(), error.to_string())),
            },
            Way::Command(command) => ways::command(command, text)
                .map_err(|e| ClipboardError::Program(command.first().cloned().unwrap_or_default(), e.to_string())),
        }
    }

    fn native(&mut self) -> Result<&mut arboard::Clipboard, ClipboardError> {
        if !self.here.display {
            return Err(ClipboardError::NoDisplay);
        }
        match &mut self.native {
            Some(native) => Ok(native),
            empty => Ok(empty.insert(arboard::Clipboard::new().map_err(|e| ClipboardError::native(&e))?)),
        }
    }
}

/// Waits until the clipboard holds a text that was set: a Wayland compositor has it a moment after the library says so, and
/// who clears it in that moment takes what was there before for somebody else's copy. Where something else gets in between,
/// that is no reason to wait for long.
fn wait_until_there(native: &mut arboard::Clipboard, text: &str) {
    let end = Instant::now() + TAKEN;
    while native.get_text().map(Zeroizing::new).map_or(true, |there| *there != *text) && Instant::now() < end {
        thread::sleep(Duration::from_millis(2));
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        // Dropped in the ordinary way on X11, arboard hands what it holds to a clipboard manager for keeping.
        std::mem::forget(self.native.take());
    }
}
