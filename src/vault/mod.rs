//! The vault: what is stored, how it is sealed, saved and joined. `docs/vault.md` is the contract.

pub mod clock;
pub mod conflict;
pub mod crypto;
pub mod edit;
pub mod entry;
pub mod envelope;
pub mod file;
pub mod history;
pub mod identity;
pub mod kdf;
pub mod layout;
pub mod merge;
pub mod payload;
pub mod reason;
pub mod recovery;
pub mod slots;
pub mod trash;
pub mod unlocked;
pub mod view;

pub use crypto::DataKey;
pub use entry::{
    Body, Core, Counter, DeviceId, Entry, EntryId, Life, Register, SlotId, Stamp, State, Value, VaultId, field,
};
pub use envelope::{Error, Key, Locked, Unlocked};
pub use file::{FileError, Place};
pub use kdf::KdfParams;
pub use layout::MAGIC;
pub use merge::{Changes, changes};
pub use slots::{Slot, SlotKind};
pub use view::Unusable;
