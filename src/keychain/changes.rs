//! Hears that another program changed an item of the keychain, where the keychain tells.
//!
//! The Secret Service tells nobody of an overwritten secret, but of a changed attribute: so whoever overwrites one that others wait
//! for counts an attribute up as well ([`super::Keychain::announce`]). Other systems' keychains tell of no change at all.

use super::KeychainError;

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

/// Begins to listen: everything that is told from then on, what this process changes among it.
///
/// # Errors
/// [`KeychainError`]; [`KeychainError::Unavailable`] where this system's keychain tells nothing.
pub fn listen() -> Result<Changes, KeychainError> {
    #[cfg(all(unix, not(target_vendor = "apple")))]
    return Ok(Box::new(super::secret_service::signals::listen()?));
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    return Err(KeychainError::Unavailable(super::Probe::Unsupported("it tells of no change".into())));
}
