//! The vault: what is stored, how it is sealed, saved and joined. `docs/vault.md` is the contract.

pub mod clock;
pub mod conflict;
pub mod entry;
pub mod envelope;
pub mod file;
pub mod history;
pub mod kdf;
pub mod merge;
pub mod payload;
pub mod slots;

pub use entry::{Body, Core, Counter, DeviceId, Entry, EntryId, Life, Register, Stamp, State, Value, field};
