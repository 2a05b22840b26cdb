//! Leaving: what is on its way to the file gets there or is kept, what was copied is cleared, and the terminal is given back.

use std::io;
use std::time::Duration;

use super::backup::LAST_ROUND;
use super::clipboard::Report as ClipboardReport;
use super::{Incoming, Show};
use crate::app::Model;
use crate::app::event::{Aside, Event};
use crate::app::model::Stage;
use crate::report::Report;
use crate::rollback;

/// Why the panel could not be opened, or ended.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// Standard input or output is not a terminal.
    #[error("standard input and output must be a terminal")]
    NoTerminal,
    /// The terminal is one that cannot move its cursor, as far as `TERM` tells.
    #[error("the terminal cannot move its cursor: TERM is dumb or not set")]
    DumbTerminal,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
    /// The panel ended, and what was changed last is not in the vault.
    #[error("a change was not saved")]
    Unsaved {
        /// Why not, where it is known.
        why: Option<Box<Report>>,
        /// It is in the history, and comes back when the vault is opened next.
        kept: bool,
    },
}

/// How long leaving waits for a save that is under way.
const LAST_SAVE: Duration = Duration::from_secs(10);
/// How long leaving waits for the clipboard to be cleared.
const LAST_CLEAR: Duration = Duration::from_secs(2);

impl Show {
    /// Waits for the last save. What could not be written is kept in the history, and is told.
    pub(super) fn last_words(&self, model: &Model) -> Result<(), PanelError> {
        if let Stage::Locked(lock) = &model.stage
            && matches!(lock.aside, Some(Aside::Memory(_)))
        {
            return Err(PanelError::Unsaved { why: None, kept: false });
        }
        let Some(session) = model.session().filter(|session| !model.demo && session.saving.pending()) else {
            return Ok(());
        };
        let done = self.world.disk.finish(LAST_SAVE);
        let (mut saved, mut why) = (false, session.saving.failed.clone());
        let arrived: Vec<Incoming> = self.inbox.try_iter().collect();
        for incoming in arrived {
            match incoming {
                Incoming::Event(event) => match *event {
                    Event::Saved(_, Ok(_)) => saved = true,
                    Event::Saved(_, Err(error)) => (saved, why) = (false, Some(Report::from(&error))),
                    _ => {}
                },
                // The clipboard's last words are for later.
                other => drop(self.world.send.send(other)),
            }
        }
        if saved {
            return Ok(());
        }
        // A disk that still hangs would hang this too.
        let kept = done && rollback::keep_for_later(&self.world.place, &session.vault).is_ok();
        Err(PanelError::Unsaved { why: why.map(Box::new), kept })
    }
}

impl Drop for Show {
    /// Whatever ends the panel, a panic too: what is on its way to the file gets there, what was copied is cleared, and
    /// then the terminal is given back.
    fn drop(&mut self) {
        self.world.disk.finish(LAST_SAVE);
        self.world.backups.finish(LAST_ROUND);
        let last = self.clipboard.take().map(|c| c.finish(LAST_CLEAR)).unwrap_or_default();
        // What was to be written when the loop ended is written still: the blank that clears, above all.
        let told = self.inbox.try_iter().filter_map(|incoming| match incoming {
            Incoming::Clipboard(ClipboardReport::ToTerminal(bytes)) => Some(bytes),
            _ => None,
        });
        for bytes in told.chain(last) {
            drop(self.screen.screen().pass(bytes.expose()));
        }
    }
}
