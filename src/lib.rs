//! otpanel: a full-screen terminal authenticator. This page is the map of the house.
//!
//! # ARCHITECTURE
//!
//! Floors, from the roof down. A floor imports what is below it, never what is above or beside it:
//!
//! | floor | modules | what it knows |
//! |---|---|---|
//! | 6 | [`runtime`], [`cli`] | the world: threads, terminal, files, keychain, clipboard |
//! | 5 | [`tui`] | how a [`app::Model`] looks: `paint(&Model, &Theme, &mut Buffer)` |
//! | 4 | [`app`] | what happens: `update(&mut Model, Event) -> Vec<Effect>`, pure |
//! | 3 | [`report`], [`unlock`], [`rollback`], [`backup`] | any error in words; the ways to make and open a vault; a file that went back; the copies in a keychain or a folder |
//! | 2 | [`transfer`], [`keychain`] | imports and exports; the platform's keychain behind one small trait, and what it tells of changes |
//! | 1 | [`vault`] | the file, the save, the merge |
//! | 0 | [`otp`] | accounts and their codes |
//! | ground | [`secret`], [`time`], [`entropy`], [`config`], [`paths`], [`policy`], [`local`], [`logging`], [`text`] | no knowledge of accounts |
//!
//! # Invariants
//!
//! `tests/house.rs` holds the floors and the first two of these.
//!
//! 1. `otp`, `vault` (but `file.rs`, `history.rs`), `transfer`, `app` and `tui` have no clock, no I/O, no randomness, no
//!    threads: so every journey is a test without a terminal. Time arrives in `Tick`, randomness as an argument.
//! 2. Each outside crate has one door: totp-rs `otp/code.rs`, aes-gcm `vault/` and the import formats that need it,
//!    the keyring crates `keychain/`, notify `runtime/watch.rs`, arboard `runtime/clipboard`, ratatui `tui/` and the backend
//!    that it draws on in `runtime`: so a crate can be replaced by editing one place.
//! 3. Codes are derived from `now` while drawing and never stored: so no memory image holds old codes.
//! 4. Secrets are seen through `expose` alone: so a search for it audits them all.
//!
//! # Four journeys
//!
//! - A key: the input thread ([`runtime::terminal`]) sends it, the loop ([`runtime`]) hands it to [`app::update()`], which changes
//!   the [`app::Model`] and asks for effects; [`tui`] draws once.
//! - A second: the loop sleeps until [`app::Model::next_change`]; its timeout is the `Tick`. There is no timer thread.
//! - A save: an edit of the open vault marks its session as changed; `Effect::Save` goes to the one thread that writes, which
//!   joins whatever lies in the file by then ([`vault::file`]); the answer comes back as `Event::Saved`.
//! - A command: [`cli::args`] reads it, `cli/session.rs` finds the places, the settings and a key, and one file for each family
//!   of commands does it. Panel and command line call the same [`unlock`], [`backup`] and [`transfer`].
//!
//! Effects that take time run on threads of their own (`runtime/world.rs`, `runtime/perform.rs`); an answer that comes for a
//! session that is over finds another generation and is dropped.
//!
//! Start reading at `main.rs`, then [`app`], then [`vault`].

pub mod app;
pub mod backup;
pub mod cli;
pub mod config;
pub mod entropy;
pub mod keychain;
pub mod local;
pub mod logging;
pub mod otp;
pub mod paths;
pub mod policy;
pub mod report;
pub mod rollback;
pub mod runtime;
pub mod secret;
pub mod text;
pub mod time;
pub mod transfer;
pub mod tui;
pub mod unlock;
pub mod vault;
