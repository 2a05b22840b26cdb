//! The platform's keychain behind one small trait.

use crate::secret::Secret;

/// Why the keychain did not do what was asked. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// The keychain is not usable at the moment; the probe says more.
    #[error("the keychain is unavailable: {0}")]
    Unavailable(String),
}

/// What a look without a prompt found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It answers and is unlocked.
    Ready,
    /// It is locked.
    Locked,
    /// There is no session bus.
    NoBus,
    /// Nothing on the bus provides a keychain.
    NoProvider,
    /// There is no default collection.
    NoCollection,
    /// This platform has none.
    Unsupported(String),
}

/// A store of secrets by service and user.
pub trait Keychain: Send + Sync {
    /// Writes a secret, over an older one.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError>;

    /// Reads a secret; none when it is not there.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError>;

    /// Deletes a secret; false when it was not there.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError>;

    /// The users of all items of a service.
    ///
    /// # Errors
    /// [`KeychainError`].
    fn search(&self, service: &str) -> Result<Vec<String>, KeychainError>;

    /// Looks, without raising a prompt.
    fn probe(&self) -> Probe;
}
