//! To be written.

pub mod screen;
