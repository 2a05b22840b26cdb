//! Journeys through the panel: keys in, screens out.

mod accounts;
mod harness;
mod list;
mod lock;
mod readme;
mod screens;
