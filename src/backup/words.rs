//! Why a backup cannot be made or a round stopped, in words, with what to do.

use super::round::RoundError;
use crate::keychain::{KeychainError, Probe};

/// The command that makes a folder a destination.
const FOLDER: &str = "`otpanel backup enable --folder DIR`.";

/// Why no backup can be made, and the way out that always is there.
pub fn instead(probe: &Probe) -> String {
    let said = probe.describe();
    if matches!(probe, Probe::NoKeyring(_) | Probe::NoFolder(_)) {
        return said;
    }
    let said = said.replace(", or use a password.", ".").replace(" Use a password.", "");
    format!("{said} Or choose a folder: {FOLDER}")
}

/// Why a round stopped, in words, with what to do.
pub fn words(error: &RoundError) -> String {
    match error {
        RoundError::Store(KeychainError::Unavailable(probe)) => instead(probe),
        RoundError::Store(KeychainError::Locked) => Probe::Locked.describe(),
        RoundError::Store(error) => {
            format!("{error}. It is tried again with the next change, or by `otpanel backup now`.")
        }
        RoundError::Vault(error) => format!("The vault could not be saved: {error}."),
        RoundError::NotKept => {
            String::from("What was written to it could not be read back. Choose a folder: ") + FOLDER
        }
        RoundError::Restless => "Another device writes there at this moment. `otpanel backup now` tries again.".into(),
        RoundError::Incomplete => "Not everything of that device can be read, so nothing of it was deleted.".into(),
        RoundError::Emptied(path) => format!(
            "The folder {path} holds nothing of the backup any more. If it lies on a disk or a share, connect that; to fill it \
             anew: `otpanel backup enable --folder {path}`."
        ),
        RoundError::NewerSlots => {
            "That device has a newer password or key than this one. Bring the vault file of that device here first."
                .into()
        }
    }
}
