//! To be written.

pub mod screen;
pub mod terminal;
