//! The backup: sealed bundles of an identity's accounts in a store that knows only set, get, search and delete, may lose,
//! replay and reorder, and is shared by many devices. `docs/vault.md` has the protocol and its reasons.
//!
//! [`item`] names what lies there, [`record`] says what of a vault goes there, [`gather`] reads what lies there, [`round`] is the protocol, [`sealed`] the
//! form of the items in a keychain or a folder, [`restore`] the way back, [`ledger`] what this machine remembers of it,
//! [`place`] where the backups of a vault go, [`here`] what this machine does there, [`standing`] how they stand. Knows no screen and no command line.

mod flaw;
pub mod gather;
pub mod here;
pub mod item;
pub mod ledger;
pub mod place;
pub mod record;
pub mod restore;
pub mod round;
pub mod sealed;
pub mod standing;
mod words;

#[cfg(test)]
mod model;
