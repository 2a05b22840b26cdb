//! Hears that another program changed an item of the keychain.

use super::KeychainError;
use super::changes::Changes;

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
