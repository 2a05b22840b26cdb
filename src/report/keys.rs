//! The keychain.

use super::ground::sentence;
use super::{Exit, Report};
use crate::keychain::{KeychainError, Probe};
use crate::text::clean;

told! {
    KeychainError => keychain;
    Probe => probe;
}

/// What else opens a vault; the last line of every report about a keychain.
pub const OTHERWISE: &str = "The password or the recovery key opens the vault too: --password-file FILE, or type it.";

fn keychain(error: &KeychainError) -> Report {
    match error {
        KeychainError::Timeout => Report::new(
            Exit::Locked,
            "The keychain does not answer",
            "It was given its time and said nothing; perhaps it waits behind a dialog.",
            format!("Look for its dialog, or restart the keychain.\n{OTHERWISE}"),
        )
        .in_panel("Look for its dialog, or restart the keychain."),
        KeychainError::Unavailable(what) => probe(what),
        KeychainError::Locked => probe(&Probe::Locked),
        KeychainError::TooLarge { limit } => Report::new(
            Exit::Failed,
            "The keychain takes no item of this size",
            format!("It takes at most {limit} bytes."),
            "Use a password for this vault.",
        ),
        KeychainError::Dismissed => Report::new(
            Exit::Locked,
            "The keychain stayed locked",
            "Its dialog was closed.",
            format!("Run the command again and answer it.\n{OTHERWISE}"),
        )
        .in_panel("Try again and answer it."),
        KeychainError::Folder(words) => Report::new(
            Exit::Failed,
            "The folder cannot be used",
            sentence(words),
            "Look at what lies in it and at its permissions.",
        ),
        KeychainError::Closed => Report::new(
            Exit::Failed,
            "The folder cannot be used",
            "An item in it may not be read.",
            "Look at who owns what lies in it (ls -lR).",
        ),
        KeychainError::Other(words) => Report::new(
            Exit::Locked,
            "The keychain failed",
            sentence(words),
            format!("`otpanel doctor` tells what works here.\n{OTHERWISE}"),
        )
        .in_panel("`otpanel doctor` tells what works here."),
    }
}

fn probe(probe: &Probe) -> Report {
    let (problem, cause, next) = match probe {
        Probe::Ready => ("The keychain changed its mind", "It is unlocked now.", "Try again."),
        Probe::Locked => (
            "The keychain is locked",
            "It holds a key to the vault and gives it only when it is unlocked.",
            "Unlock it in your desktop's password manager, or log in to the desktop again.",
        ),
        Probe::NoBus => (
            "No keychain can be reached",
            "No session bus is running here, which is usual over SSH, in containers and in WSL.",
            "Start otpanel from your desktop session.",
        ),
        Probe::NoProvider => (
            "No keychain answers",
            "Nobody on this session bus offers the Secret Service.",
            "Start gnome-keyring, KWallet or KeePassXC (with its Secret Service turned on).",
        ),
        Probe::NoCollection => (
            "The keychain has nowhere to store a key",
            "The Secret Service has no default keyring.",
            "Make one in your desktop's password manager and set it as the default.",
        ),
        Probe::NoKeyring(_) => (
            "The keyring for this does not exist here",
            "It is named by this machine's policy, and otpanel makes none by itself.",
            "Make one of that name in your desktop's password manager, or ask who manages this machine.",
        ),
        Probe::NoFolder(path) => {
            let cause = format!("{} was removed, or is on a disk or share that is not connected.", clean(path));
            let next = "Connect it, or make it anew by `otpanel backup enable --folder DIR`.";
            return Report::new(Exit::Failed, "The folder is not there", cause, next)
                .in_panel("Connect it, or name it anew on the backup screen.");
        }
        Probe::Unsupported(why) => {
            return Report::new(Exit::Locked, "The keychain cannot be used", sentence(why), OTHERWISE)
                .in_panel("The password or the recovery key opens the vault too.");
        }
    };
    Report::new(Exit::Locked, problem, cause, format!("{next}\n{OTHERWISE}")).in_panel(next)
}
