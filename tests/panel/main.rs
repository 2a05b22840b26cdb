//! Journeys through the panel: keys in, screens out.

#![allow(clippy::unwrap_used)]

mod accounts;
mod backup;
mod export;
mod harness;
mod keychain;
mod list;
mod lock;
mod looks;
mod managed;
#[path = "../support/numbers.rs"]
mod numbers;
mod order;
mod password;
mod past;
mod picture;
mod pictures;
mod qr;
mod random;
mod readme;
mod recovery;
mod rekey;
mod screens;
mod seen;
mod small;
mod spoken;
mod still;
mod tags;
mod ways;
