//! Journeys through the panel: keys in, screens out.

#![allow(clippy::unwrap_used)]

mod accounts;
mod harness;
mod list;
mod lock;
mod managed;
mod order;
mod past;
mod qr;
mod random;
mod readme;
mod screens;
