//! Journeys through a real terminal with the real program: keys go into a pty, the screen is read back from it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod backup;
mod busy;
mod canary;
mod clipboard;
mod crowd;
mod disk;
mod ends;
mod home;
mod keychain;
mod memory;
mod names;
#[path = "../support/numbers.rs"]
mod numbers;
mod others;
mod panel;
mod prompt;
mod quiet;
mod rekey;
mod sizes;
mod soak;
mod speed;
mod start;
mod theme;
mod watching;
