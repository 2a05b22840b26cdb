//! To be written.

pub mod clipboard;
pub mod screen;
pub mod terminal;
pub mod watch;
