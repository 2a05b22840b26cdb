//! What a keychain tells of items that another program changed, where it tells.
//!
//! The Secret Service tells nobody of an overwritten secret, but of a changed attribute: so whoever overwrites one that others wait
//! for counts an attribute up as well ([`super::Keychain::announce`]). Other systems' keychains tell of no change at all.

/// The attribute that counts how often an item was overwritten.
pub const REVISION: &str = "revision";

/// An item of which somebody changed an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its service.
    pub service: String,
    /// Its user.
    pub user: String,
    /// How often it was overwritten, as its writer counts; empty where nobody does.
    pub revision: String,
}

/// Changes in the order in which they are told. Each `next` waits for one, however long; none comes any more once the bus is
/// gone or the keychain does not say which item it speaks of.
pub type Changes = Box<dyn Iterator<Item = Change> + Send>;
