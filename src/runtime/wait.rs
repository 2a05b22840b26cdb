//! The loop's sleep: until something arrives, or something on the screen changes by itself.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Incoming;
use crate::app::Model;
use crate::time::UnixTime;

/// The longest that the loop sleeps while a screen reader listens, in milliseconds: so that a clock that was set is seen.
const SPOKEN_PAUSE_MS: u64 = 30_000;

/// What ended a wait.
pub enum Woken {
    /// Something arrived.
    Event(Incoming),
    /// Something on the screen changes by itself now.
    Time,
    /// Nothing can arrive any more.
    End,
}

/// Waits for something to arrive or to change by itself.
pub fn wait(receive: &Receiver<Incoming>, model: &Model, awaited: Option<Instant>) -> Woken {
    let awaited = awaited.map(|until| until.saturating_duration_since(Instant::now()));
    let Some(at) = model.next_change().or(awaited.map(|_| UnixTime::now().plus_secs(1))) else {
        return receive.recv().map_or(Woken::End, Woken::Event);
    };
    // One millisecond more, so as not to wake just before the second.
    let most = if model.config.accessible { SPOKEN_PAUSE_MS } else { 1000 };
    let pause = Duration::from_millis(at.0.saturating_sub(UnixTime::now().0).min(most) + 1);
    match receive.recv_timeout(awaited.map_or(pause, |awaited| awaited.min(pause))) {
        Ok(incoming) => Woken::Event(incoming),
        Err(RecvTimeoutError::Timeout) => Woken::Time,
        Err(RecvTimeoutError::Disconnected) => Woken::End,
    }
}
