//! Why a backup cannot be made or a round stopped, in words, with what to do. No command is in them and no key: the command
//! line and the panel show the same, each beside its own ways to do it.

use super::round::RoundError;
use crate::keychain::{KeychainError, Probe};

/// Why no backup can be made, and the way out that always is there.
pub fn instead(probe: &Probe) -> String {
    let said = probe.describe();
    if matches!(probe, Probe::NoKeyring(_) | Probe::NoFolder(_)) {
        return said;
    }
    let said = said.replace(", or use a password.", ".").replace(" Use a password.", "");
    format!("{said} Or choose a folder.")
}

/// Why a round stopped, in words, with what to do.
pub fn words(error: &RoundError) -> String {
    match error {
        RoundError::Store(KeychainError::Unavailable(probe)) => instead(probe),
        RoundError::Store(KeychainError::Locked) => Probe::Locked.describe(),
        RoundError::Store(error) => {
            format!("{error}. It is tried again with the next change.")
        }
        RoundError::Vault(error) => format!("The vault could not be saved: {error}."),
        RoundError::NotKept => "What was written to it could not be read back. Choose a folder.".into(),
        RoundError::Restless => "Another device writes there at this moment. Try again.".into(),
        RoundError::Incomplete => "Not everything of that device can be read, so nothing of it was deleted.".into(),
        RoundError::Emptied(path) => format!(
            "The folder {path} holds nothing of the backup any more. If it lies on a disk or a share, connect that; to fill it \
             anew, choose it again."
        ),
        RoundError::NewerSlots => {
            "That device has a newer password or key than this one. Bring the vault file of that device here first."
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::file::FileError;

    #[test]
    fn no_command_is_named_where_the_panel_says_the_same() {
        let probes = [
            Probe::Locked,
            Probe::NoBus,
            Probe::NoProvider,
            Probe::NoCollection,
            Probe::NoFolder("/x".into()),
            Probe::Unsupported("x".into()),
        ];
        let stores = [KeychainError::Timeout, KeychainError::Locked, KeychainError::Other("x".into())];
        let errors = [
            RoundError::NotKept,
            RoundError::Restless,
            RoundError::Incomplete,
            RoundError::Emptied("/x".into()),
            RoundError::NewerSlots,
            RoundError::Vault(FileError::DiskFull("/x".into())),
        ];
        let all = probes.iter().map(instead);
        let all = all.chain(stores.into_iter().map(RoundError::Store).chain(errors).map(|error| words(&error)));
        for said in all {
            assert!(said.ends_with('.') && !said.contains(['`']) && !said.contains("--"), "{said}");
        }
    }
}
