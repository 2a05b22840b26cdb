//! What happens: a pure machine from events to effects. It never touches a terminal, a file, a clock or a thread.
//!
//! [`event`] names what comes in and what goes out, [`model`] what is known, [`mod@update`] how the one changes the other,
//! [`keys`] which key means what. `tui` draws a [`Model`]; `runtime` feeds events in and performs effects.

pub mod access;
pub mod backup;
pub mod event;
pub mod export;
pub mod footer;
pub mod form;
pub mod import;
pub mod input;
pub mod keys;
pub mod layout;
pub mod model;
pub mod notice;
pub mod order;
pub mod owner;
pub mod password;
pub mod past;
pub mod path;
pub mod qr;
mod quiet;
pub mod recovery;
pub mod rekey;
pub mod renewal;
pub mod restore;
pub mod rows;
pub mod search;
pub mod session;
pub mod still;
pub mod tags;
pub mod update;
pub mod welcome;

pub use event::{Effect, Event};
pub use model::Model;
pub use update::update;
