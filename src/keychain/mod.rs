//! The platform's keychain behind one small trait: set, get, search, delete, and a look that never prompts.
//!
//! Knows nothing of vaults: a service, a user and bytes. [`system`] is the machine's own keychain, [`folder`] a folder of
//! files, [`memory`] the one for tests, [`kernel`] the Linux kernel's, which keeps keys for a time; [`listen`] hears what others
//! write, as [`changes`]. Names given as service and user lie readable on disk in most keychains, even in locked ones: callers
//! put only random ids there.

pub mod changes;
#[cfg(all(unix, not(target_vendor = "apple")))]
mod dbus;
pub mod folder;
pub mod kernel;
pub mod listen;
pub mod memory;
#[cfg(all(unix, not(target_vendor = "apple")))]
mod secret_service;
pub mod system;

use std::fmt;

use crate::secret::Secret;

/// A store of small secrets. No call of it blocks for ever, and none may be expected to be atomic or to keep its word:
/// keychains lose, replay and reorder.
pub trait Keychain: Send + Sync {
    /// Stores the secret under the pair, over what was there.
    ///
    /// # Errors
    /// When nothing was stored, or [`KeychainError::Timeout`], after which it may have been.
    fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError>;

    /// Reads a secret; `None` when the keychain answers that there is none (some say so while they are locked).
    ///
    /// # Errors
    /// When no answer could be had.
    fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError>;

    /// Deletes a secret; `false` when there was none.
    ///
    /// # Errors
    /// When no answer could be had.
    fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError>;

    /// Lists the users stored under the service, sorted.
    ///
    /// # Errors
    /// When no answer could be had.
    fn search(&self, service: &str) -> Result<Vec<String>, KeychainError>;

    /// Tells other programs that an item was overwritten, for the so many'th time, where the keychain can tell
    /// ([`changes`]). Never raises a prompt, and what comes of it does not matter: who is not told looks by itself.
    fn announce(&self, service: &str, user: &str, revision: u64) {
        let _ = (service, user, revision);
    }

    /// Looks at the keychain's state. Never raises a prompt.
    fn probe(&self) -> Probe;

    /// Whether it keeps what lies in it from everybody but the user who is logged in: what it holds may then be believed
    /// because it lies there. In a folder anybody may have put it there who can write to it or to a copy of it.
    fn guards(&self) -> bool {
        true
    }
}

/// What a look at the keychain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Unlocked; reading and writing should work.
    Ready,
    /// There, but locked: the next use would prompt, or fail where nobody can be asked.
    Locked,
    /// Linux: no session bus can be reached.
    NoBus,
    /// Linux: nobody on the session bus offers the Secret Service.
    NoProvider,
    /// Linux: the Secret Service has no default collection; reading finds nothing, writing fails.
    NoCollection,
    /// Linux: the Secret Service has no keyring (collection) of this name, which was asked for.
    NoKeyring(String),
    /// The folder that stands for a keychain is not there: removed, or on a disk that is not connected.
    NoFolder(String),
    /// The keychain cannot be used for the reason given.
    Unsupported(String),
}

impl Probe {
    /// What is wrong, in one sentence or two, and what to do.
    pub fn describe(&self) -> String {
        match self {
            Self::Ready => "The keychain is unlocked.".into(),
            Self::Locked => "The keychain is locked. Unlock it in your desktop's password manager, or log in to the \
                             desktop again."
                .into(),
            Self::NoBus => "No session bus is running here, so no keychain can be reached (usual over SSH, in \
                            containers and in WSL). Start otpanel from your desktop session, or use a password."
                .into(),
            Self::NoProvider => "No Secret Service answers on this session bus. Start gnome-keyring, KWallet or \
                                 KeePassXC (with its Secret Service turned on), or use a password."
                .into(),
            Self::NoCollection => "The Secret Service has no default keyring, so nothing can be stored. Make one in \
                                   your desktop's password manager and set it as the default, or use a password."
                .into(),
            Self::NoKeyring(name) => format!(
                "The keyring `{name}` does not exist here, and otpanel makes none by itself. Make one of that name in your \
                 desktop's password manager, or ask who manages this machine."
            ),
            Self::NoFolder(path) => format!(
                "The folder {path} is not there. If it lies on a disk or a share, connect that; to make it anew, choose it \
                 again."
            ),
            Self::Unsupported(why) => format!("The keychain cannot be used: {why}. Use a password."),
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Why a call to the keychain failed. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// No answer within the time limit. A write may still happen.
    #[error("the keychain did not answer in time")]
    Timeout,
    /// It cannot be used at all now.
    #[error("{0}")]
    Unavailable(Probe),
    /// It is locked, and this call may not prompt, or nobody could be asked.
    #[error("the keychain is locked")]
    Locked,
    /// The secret is larger than this keychain takes.
    #[error("the keychain takes at most {limit} bytes in one item")]
    TooLarge {
        /// The greatest number of bytes that fits.
        limit: usize,
    },
    /// The user closed the keychain's dialog.
    #[error("the keychain's dialog was closed")]
    Dismissed,
    /// A folder that stands for a keychain cannot be used as one, in the system's words.
    #[error("the folder failed: {0}")]
    Folder(String),
    /// This one item of a folder may not be read: root wrote it, say. Others may be.
    #[error("an item of the folder may not be read")]
    Closed,
    /// Anything else, in the keychain's words.
    #[error("the keychain failed: {0}")]
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_state_says_a_way_out() {
        let named = Probe::NoKeyring("Contoso".into());
        let other = Probe::Unsupported("x".into());
        let folder = Probe::NoFolder("/x".into());
        let bad = [Probe::Locked, Probe::NoBus, Probe::NoProvider, Probe::NoCollection, named, folder, other];
        for probe in bad {
            let text = probe.describe();
            assert!(text.ends_with('.') && text.matches(". ").count() >= 1, "{text}");
        }
    }
}
