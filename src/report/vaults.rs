//! The vault file: what it is, what opens it, saving it.

use std::io;
use std::path::Path;

use super::ground::{LISTS, sentence, system};
use super::{Exit, Report};
use crate::local::LocalError;
use crate::text::clean;
use crate::unlock::UnlockError;
use crate::vault::file::SaveWarning;
use crate::vault::kdf::KdfError;
use crate::vault::recovery::BadRecoveryKey;
use crate::vault::{Error, FileError, SlotKind};

told! {
    Error => envelope;
    KdfError => kdf;
    BadRecoveryKey => recovery;
    FileError => file;
    UnlockError => unlock;
    LocalError => local;
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
        Error::Truncated { .. } | Error::Trailing(_) => {
            damaged("The vault is damaged", cause, "If a sync tool is running, let it finish and try again.")
        }
        Error::Newer { major, minor } => Report::new(
            Exit::Damaged,
            "The vault was made by a newer otpanel",
            format!("Its format is {major}.{minor}; this version reads 1.x."),
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
        Error::Payload(inner) => damaged(
            "The vault's content cannot be read",
            sentence(&inner.to_string()),
            "If a newer otpanel wrote it, install that one.",
        ),
    }
}

fn no_slot(kind: SlotKind) -> Report {
    let (problem, next) = match kind {
        SlotKind::Password => {
            let next = "Open it by the keychain or the recovery key; `otpanel vault passwd` sets one.";
            return no_key("This vault has no password", next).in_panel("Open it by the keychain or the recovery key.");
        }
        SlotKind::Keychain => ("This vault has no keychain key", "Open it by its password or recovery key."),
        SlotKind::Recovery => ("This vault has no recovery key", "Open it by its password or keychain."),
        SlotKind::PasswordAndKeychain => {
            ("This vault has no key of password and keychain together", "Open it by its password or recovery key.")
        }
        SlotKind::Unknown(_) => ("This vault has no such key", "Open it by its password or recovery key."),
    };
    no_key(problem, next)
}

fn no_key(problem: &str, next: &str) -> Report {
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

fn unlock(error: &UnlockError) -> Report {
    match error {
        UnlockError::NoPassword => Report::new(
            Exit::Usage,
            "The password is empty",
            "An empty password protects nothing.",
            "Choose one with at least one character; a few random words are good.",
        ),
        UnlockError::Vault(inner) => envelope(inner),
        UnlockError::File(inner) => file(inner),
        UnlockError::Keychain(inner) => Report::from(inner),
        UnlockError::NotInKeychain => Report::new(
            Exit::Locked,
            "This keychain does not hold the vault's key",
            "The vault has a keychain key, but it was made on another machine, or the keychain has lost it.",
            "Open the vault by its password or recovery key: --password-file FILE, or type it.\n\
             `otpanel vault slots add keychain` then lets this keychain in.",
        )
        .in_panel("Open the vault by its password or recovery key; `: keychain` then lets this keychain in."),
        UnlockError::KeychainForgets => Report::new(
            Exit::Failed,
            "The keychain does not keep what it is given",
            "A key was stored and could not be read back, so the vault would not have opened again.",
            "Use a password: `otpanel init --unlock password`. `otpanel doctor` tells about the keychain.",
        )
        .in_panel("Use a password. `otpanel doctor` tells about the keychain."),
        UnlockError::NotRemembered => Report::new(
            Exit::Locked,
            "No key is kept for this login session",
            "Its time is over, or the vault was locked since.",
            "Open the vault by its password, its recovery key or the keychain.",
        ),
        UnlockError::LastWayIn => Report::new(
            Exit::Usage,
            "Nothing but the recovery key would open the vault",
            "It would have no password and no key in this computer's keychain; another computer's keychain does not count.",
            "Give it another way in first: `otpanel vault passwd`, or `otpanel vault slots add keychain`.",
        )
        .in_panel("Give it another way in first: `: password` sets one."),
        UnlockError::LastRecoveryKey => Report::new(
            Exit::Usage,
            "This is the vault's only recovery key",
            "Without one, a forgotten password or a lost keychain would lose every account.",
            "`otpanel vault recovery-key` makes a new one in its place; this one opens nothing then.",
        )
        .in_panel("`: recovery key` makes a new one in its place; this one opens nothing then."),
        UnlockError::RecoveryKey(inner) => recovery(inner),
    }
}

fn shown(path: &Path) -> String {
    clean(&path.display().to_string()).into_owned()
}

fn file(error: &FileError) -> Report {
    match error {
        FileError::Missing(path) => Report::new(
            Exit::Failed,
            "There is no vault yet",
            format!("Nothing is at {}.", shown(path)),
            "`otpanel init` makes one. If yours lies elsewhere, name it by --vault or OTPANEL_VAULT.",
        ),
        FileError::Vanished(path) => Report::new(
            Exit::Failed,
            "The vault has vanished",
            format!("{} was there when it was opened, and is gone.", shown(path)),
            format!("If a sync tool is running, let it finish and try again.\n{COPIES}"),
        ),
        FileError::Exists(path) => Report::new(
            Exit::Failed,
            "There is a vault already",
            format!("{} exists, and a vault is never overwritten.", shown(path)),
            "Use it as it is, or make another elsewhere: --vault FILE or --profile NAME.",
        ),
        FileError::NotAFile(path) => Report::new(
            Exit::Failed,
            "The vault's place is taken",
            format!("{} is a folder, a pipe or a device.", shown(path)),
            "Name a file by --vault or OTPANEL_VAULT.",
        ),
        FileError::DiskFull(path) => Report::new(
            Exit::Failed,
            "Not saved: the disk is full",
            format!("There is no room left for {}, or your quota is used up.", shown(path)),
            "Make room and try again. The vault is as it was before.",
        ),
        FileError::ReadOnly(path) => Report::new(
            Exit::Failed,
            "Not saved: it may only be read",
            format!("{} or its folder cannot be written.", shown(path)),
            format!("Check its permissions ({LISTS}) and how the disk is mounted. The vault is as it was before."),
        ),
        FileError::Denied(path) => Report::new(
            Exit::Failed,
            "The vault may not be read",
            format!("{} belongs to somebody else, or its permissions forbid it.", shown(path)),
            format!("Check who owns it ({LISTS})."),
        ),
        FileError::Unconfirmed { path, source } => Report::new(
            Exit::Failed,
            "Saved, but the disk does not confirm it",
            format!("{}: {}.", shown(path), system(source)),
            "Check the disk. The new version stands in the vault's place, the older one is in the history.",
        ),
        FileError::Io { path, source } => Report::new(
            Exit::Failed,
            "The vault's file could not be read or written",
            format!("{}: {}.", shown(path), system(source)),
            match source.kind() {
                io::ErrorKind::NotFound => "Check the name and the folder.",
                _ => "Nothing was changed. Check the disk, and try again.",
            },
        ),
        FileError::NotAVault(path) => in_file(path, envelope(&Error::NotAVault)),
        FileError::Newer { path, major, minor } => {
            in_file(path, envelope(&Error::Newer { major: *major, minor: *minor }))
        }
        FileError::Damaged { path, error } => in_file(path, envelope(error)),
        FileError::WrongVault(path) => Report::new(
            Exit::Failed,
            "Not saved: another vault lies in its place",
            format!("{} was replaced by a different vault since it was opened.", shown(path)),
            "Find out which program put it there. Nothing was overwritten.",
        ),
        FileError::Rekeyed(path) => Report::new(
            Exit::Locked,
            "The vault was given a new key",
            format!(
                "{} was re-keyed since it was opened here, and the key in hand does not open it any more.",
                shown(path)
            ),
            "Open it by the password or recovery key of now. What was changed here is kept in the history and is taken in then.",
        ),
        FileError::Busy(path) => Report::new(
            Exit::Failed,
            "Not saved: another program is writing the vault",
            format!("{} kept changing, or stayed locked by another otpanel.", shown(path)),
            "Wait a moment and try again.",
        ),
        FileError::TooMuch { path, error } => Report::new(
            Exit::Failed,
            "The vault's file is too much for what is open",
            format!("{} is of this vault, but together with it {error}.", shown(path)),
            "Nothing was changed. `otpanel vault info` tells what is in it. If it is not as you know it, move it away and bring a\n\
             copy back (`otpanel vault history` lists them).",
        ),
        FileError::Seal(inner) => Report::new(
            Exit::Failed,
            "Not saved: the vault has outgrown its format",
            sentence(&inner.to_string()),
            "Remove accounts or notes that you do not need. The vault is as it was before.",
        ),
    }
}

/// The report about a file's content, with its name.
fn in_file(path: &Path, report: Report) -> Report {
    Report { cause: format!("{}: {}", shown(path), report.cause), ..report }
}

fn local(error: &LocalError) -> Report {
    Report::new(
        Exit::Failed,
        "This machine's own state cannot be kept",
        format!("{} cannot be {}: {}.", shown(&error.path), error.doing, system(&error.source)),
        "Check its permissions and the disk.",
    )
}

/// What a save that succeeded has to say, in one sentence.
pub fn warning(warning: &SaveWarning) -> String {
    match warning {
        SaveWarning::HardLinks => {
            "saved, but the vault's file has other names (hard links), which from now on are the old version".to_owned()
        }
        SaveWarning::NoHistory(why) => {
            format!("saved, but the old version could not be kept in the history: {}", clean(why))
        }
        SaveWarning::NoLock(why) => {
            format!("saved without a lock: {}", clean(why.split(" (os error").next().unwrap_or(why)))
        }
        SaveWarning::InPlace => {
            "saved over the old file, since its folder takes no new ones; the old version is in the history".to_owned()
        }
        SaveWarning::CopyLeft(path) => {
            format!("saved, but {} was not joined: together they are more than a vault may hold", shown(path))
        }
    }
}
