//! The vault file: what it is, what opens it, saving it.

use super::ground::sentence;
use super::{Exit, Report};
use crate::vault::recovery::BadRecoveryKey;
use crate::vault::kdf::KdfError;
use crate::vault::{Error, SlotKind};

told! {
    Error => envelope;
    KdfError => kdf;
    BadRecoveryKey => recovery;
}

/// The way back from a damaged file; the last line of every report about one.
pub const COPIES: &str = "Nothing was changed. `otpanel vault history` lists the copies that were kept;\n\
                          `otpanel vault restore COPY` brings one back.";

fn envelope(error: &Error) -> Report {
    let damaged = |problem: &str, cause: String, first: &str| {
        Report::new(Exit::Damaged, problem, cause, format!("{first}\n{COPIES}"))
    };
    let cause = sentence(&error.to_string());
    match error {
        Error::Empty => damaged(
            "The vault file is empty",
            "Something cut it to nothing: a sync tool that is still at work, or a disk that was full.".to_owned(),
            "If a sync tool is running, let it finish and try again.",
        ),
        Error::NotAVault => damaged(
            "This file is no vault",
            "It does not begin as a vault does.".to_owned(),
            "Check --vault and OTPANEL_VAULT; an export of another app is brought in by `otpanel import FILE`.",
        ),
        Error::TextDamaged => damaged(
            "The vault is damaged",
            "It was sent or stored as text, which changed its bytes.".to_owned(),
            "Copy it again as a binary file (git: mark *.otpv as binary).",
        ),
        Error::Truncated { .. } | Error::Trailing(_) => damaged(
            "The vault is damaged",
            cause,
            "If a sync tool is running, let it finish and try again.",
        ),
        Error::Newer { .. } => Report::new(
            Exit::Damaged,
            "The vault was made by a newer otpanel",
            cause,
            "Install a newer otpanel. The file was not touched and will not be.",
        ),
        Error::Limits(_) | Error::Slots(_) => {
            damaged("The vault is damaged", cause, "It may not be a vault of yours: check where it came from.")
        }
        Error::Kdf(inner) => kdf(inner),
        Error::NoSlot(kind) => no_slot(*kind),
        Error::WrongKey => Report::new(
            Exit::Locked,
            "The password is wrong",
            "It opens none of the vault's keys.",
            "Try again; capitals and the keyboard's language matter. The recovery key opens the vault in place of it.",
        ),
        Error::Altered => damaged(
            "The vault is damaged",
            "The key is right, but the file was altered or damaged since it was written.".to_owned(),
            "Do not trust it until you know who changed it.",
        ),
        Error::Payload(_) => damaged(
            "The vault's content cannot be read",
            cause,
            "If a newer otpanel wrote it, install that one.",
        ),
    }
}

fn no_slot(kind: SlotKind) -> Report {
    let (problem, next) = match kind {
        SlotKind::Password => {
            ("This vault has no password", "Open it by the keychain or the recovery key; `otpanel vault passwd` sets one.")
        }
        SlotKind::Keychain => ("This vault has no keychain key", "Open it by its password or recovery key."),
        SlotKind::Recovery => ("This vault has no recovery key", "Open it by its password or keychain."),
        SlotKind::PasswordAndKeychain => {
            ("This vault has no key of password and keychain together", "Open it by its password or recovery key.")
        }
        SlotKind::Unknown(_) => ("This vault has no such key", "Open it by its password or recovery key."),
    };
    Report::new(Exit::Locked, problem, "None of its keys is of that kind.", next)
}

fn kdf(error: &KdfError) -> Report {
    match error {
        KdfError::Bounds(_) | KdfError::Total(_) => Report::new(
            Exit::Damaged,
            "The vault asks for more work than otpanel does",
            sentence(&error.to_string()),
            format!("No vault of otpanel's asks for that: somebody else made or altered it.\n{COPIES}"),
        ),
        KdfError::Memory => Report::new(
            Exit::Failed,
            "There is not enough memory to check the password",
            sentence(&error.to_string()),
            "Close something large, or raise the limit (ulimit -v), and try again.",
        ),
    }
}

fn recovery(error: &BadRecoveryKey) -> Report {
    match error {
        BadRecoveryKey::Length(_) | BadRecoveryKey::Character(_) | BadRecoveryKey::Checksum => Report::new(
            Exit::Locked,
            "The recovery key is not right",
            sentence(&error.to_string()),
            "Compare it with what you wrote down, group by group, and type it again.",
        ),
    }
}
