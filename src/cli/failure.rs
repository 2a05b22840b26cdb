//! Why a command could not be done: the errors of the floors below, and those that only a command line knows.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use crate::report::{Exit, LISTS, Report, sentence, system};
use crate::runtime::PanelError;
use crate::text::{clean, count};
use crate::unlock;

/// Why a command could not be done.
#[derive(Debug)]
pub enum Failure {
    /// The reader of the answer has gone; nothing is left to say.
    Silent,
    /// The answer could not be written.
    Stdout(io::Error),
    /// The terminal could not be read.
    Terminal(io::Error),
    /// Asked, and answered no.
    Cancelled,
    /// Arguments that do not go together.
    Usage {
        /// What is wrong.
        problem: String,
        /// What would be right.
        next: String,
    },
    /// No account has that name.
    NotFound {
        /// As typed.
        query: String,
        /// Whether the trash was searched.
        trash: bool,
    },
    /// Several accounts have it.
    Ambiguous {
        /// As typed.
        query: String,
        /// Names to show.
        candidates: Vec<String>,
        /// How many there are beside the candidates shown.
        more: usize,
    },
    /// Only letters in order matched, which is not enough for a command that takes something away.
    Unsure {
        /// As typed.
        query: String,
        /// What it might have meant.
        candidate: String,
    },
    /// A question would have been asked, but nobody can answer.
    NeedsYes {
        /// What would be done.
        what: String,
    },
    /// `init` found something where the vault would be.
    VaultExists(PathBuf),
    /// No way to open the vault was given.
    NoWayIn,
    /// A recovery key that is well written and opens nothing.
    WrongRecoveryKey,
    /// The keychain's key is there and opens nothing.
    WrongKeychainKey,
    /// A password was given as empty.
    EmptyPassword {
        /// The characters that are asked for at least.
        least: usize,
    },
    /// A new password of fewer characters than [`unlock::SHORTEST_PASSWORD`].
    ShortPassword,
    /// A password typed twice, differently.
    PasswordsDiffer,
    /// A file named on the command line could not be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Whether it was read or written.
        doing: Doing,
        /// Why.
        source: io::Error,
    },
    /// Text that should be UTF-8 is not.
    NotText {
        /// What.
        what: &'static str,
    },
    /// A counter code has no next one that could be shown without being used.
    NoNextCode,
    /// An entry whose secret was never stored here.
    EnrolAgain {
        /// Its name.
        name: String,
    },
    /// The entry makes no codes with this version.
    Unusable {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The panel could not be opened, or ended.
    Panel(PanelError),
    /// An error of the floors below, in words already.
    Told(Box<Report>),
}

/// What was being done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Reading.
    Read,
    /// Writing.
    Write,
}

impl Failure {
    /// Arguments that do not go together.
    pub fn usage(problem: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Usage { problem: problem.into(), next: next.into() }
    }

    /// The failure in words; none when nothing is left to say.
    pub fn report(&self) -> Option<Report> {
        Some(match self {
            Self::Silent => return None,
            Self::Stdout(e) => Report::new(
                Exit::Failed,
                "The answer could not be written",
                format!("Standard output: {}.", system(e)),
                "Send it elsewhere and run the command again.",
            ),
            Self::Terminal(e) => Report::new(
                Exit::Failed,
                "The terminal could not be read",
                format!("{}.", system(e)),
                "Give the password by --password-file, and --yes where a question would be asked.",
            ),
            Self::Cancelled => Report::new(
                Exit::Failed,
                "Nothing was changed",
                "The question was answered with no, or not at all.",
                "Run the command again when you want it.",
            ),
            Self::Usage { problem, next } => {
                Report::new(Exit::Usage, clean(problem), "The command line cannot be carried out as it stands.", next)
            }
            Self::NotFound { query, trash } => Report::new(
                Exit::NotFound,
                format!("No account matches `{}`", clean(query)),
                if *trash {
                    "No id, issuer or account in the trash has it."
                } else {
                    "No id, issuer or account has it, whole, in part or letter by letter."
                },
                if *trash { "`otpanel list --trash` shows what is there." } else { "`otpanel list` shows all names." },
            ),
            Self::Ambiguous { query, candidates, more } => {
                let mut cause = candidates.iter().map(|c| clean(c)).collect::<Vec<_>>().join("\n");
                if *more > 0 {
                    let _ = write!(cause, "\nand {more} more");
                }
                Report::new(
                    Exit::NotFound,
                    format!("`{}` matches {} accounts", clean(query), candidates.len() + more),
                    cause,
                    "Say more of the name, as issuer:account, or the id from `otpanel list --json`.",
                )
            }
            Self::Unsure { query, candidate } => Report::new(
                Exit::NotFound,
                format!("`{}` is not clear enough to take something away", clean(query)),
                format!("Only its letters, in that order, are found in {}.", clean(candidate)),
                "Give the name or a part of it as it is written.",
            ),
            Self::NeedsYes { what } => Report::new(
                Exit::Usage,
                format!("{} needs a yes", clean(what)),
                "No terminal is here on which to ask.",
                "Add --yes when you mean it.",
            ),
            Self::VaultExists(path) => Report::new(
                Exit::Failed,
                "There is a vault already",
                format!("{} exists, and a vault is never overwritten.", clean(&path.display().to_string())),
                "Use it as it is, or make another elsewhere: --vault FILE or --profile NAME.",
            ),
            Self::NoWayIn => Report::new(
                Exit::Locked,
                "The vault is locked",
                "No password was given, no terminal is here on which to ask for one, and no keychain holds a key.",
                "Give --password-file FILE ('-' is stdin), set OTPANEL_PASSWORD_FILE,\n\
                 or unlock the keychain of a vault that has a keychain key.",
            ),
            Self::WrongRecoveryKey => Report::new(
                Exit::Locked,
                "The recovery key does not open this vault",
                "It is well written, but belongs to another vault, or a newer one has replaced it.",
                "Look for a newer one, or use the password or the keychain.",
            ),
            Self::WrongKeychainKey => Report::new(
                Exit::Locked,
                "The keychain's key does not open this vault",
                "The keychain holds a key for it, but not the right one; something has changed it.",
                "Open the vault by its password or recovery key: --password-file FILE, or type it.",
            ),
            Self::ShortPassword => Report::new(
                Exit::Usage,
                "The new password is too short",
                format!(
                    "It has fewer than {} characters, which a machine has guessed in no time.",
                    unlock::SHORTEST_PASSWORD
                ),
                "Take a longer one; a few words are good.",
            ),
            Self::EmptyPassword { least } => Report::new(
                Exit::Usage,
                "The new password is empty",
                "An empty password protects nothing.",
                format!("Choose one with at least {}; a few random words are good.", count(*least, "character")),
            ),
            Self::PasswordsDiffer => Report::new(
                Exit::Usage,
                "The two passwords differ",
                "It has to be typed the same twice, so that a slip of the finger locks nobody out.",
                "Run the command again.",
            ),
            Self::File { path, doing, source } => {
                let verb = match doing {
                    Doing::Read => "read",
                    Doing::Write => "written",
                };
                Report::new(
                    Exit::Failed,
                    format!("{} could not be {verb}", clean(&path.display().to_string())),
                    format!("{}.", system(source)),
                    match source.kind() {
                        io::ErrorKind::NotFound => "Check the name and the folder.".to_owned(),
                        io::ErrorKind::AlreadyExists => {
                            "Name a file that does not exist yet; nothing is overwritten.".to_owned()
                        }
                        io::ErrorKind::InvalidInput => "Name another file.".to_owned(),
                        io::ErrorKind::PermissionDenied => format!("Check who owns it and its permissions ({LISTS})."),
                        _ => "Mend that and run the command again.".to_owned(),
                    },
                )
            }
            Self::NotText { what } => Report::new(
                Exit::Usage,
                format!("The {what} is not text"),
                "It holds bytes that are not UTF-8.",
                "Save it as UTF-8 and try again.",
            ),
            Self::NoNextCode => Report::new(
                Exit::Usage,
                "A counter code has no next one to show",
                "Each of its codes is used up when it is shown, so the next would have to be used up too.",
                "Leave --next out.",
            ),
            Self::EnrolAgain { name } => Report::new(
                Exit::Failed,
                format!("{} has to be enrolled again", clean(name)),
                "Its name alone was kept in the backup that it came from, not its secret.",
                "Ask the site for a new QR code or secret; then press Enter on it in the panel, or add it by\n\
                 `otpanel add` under the same names.",
            ),
            Self::Unusable { name, reason } => Report::new(
                Exit::Failed,
                format!("{} makes no codes here", clean(name)),
                sentence(reason),
                "It is kept as it is. A newer otpanel may know it; otherwise enrol the account again.",
            ),
            Self::Panel(PanelError::NoTerminal) => Report::new(
                Exit::Failed,
                "The panel needs a terminal",
                "Standard input or output is a file or a pipe.",
                "Run it on a terminal, or use a command: `otpanel --help` lists them.",
            ),
            Self::Panel(PanelError::DumbTerminal) => Report::new(
                Exit::Failed,
                "This terminal cannot show the panel",
                "TERM is `dumb` or not set, which means a terminal that cannot move its cursor.",
                "Set TERM to what it is (such as xterm-256color), or use a command: `otpanel list --codes`.",
            ),
            Self::Panel(PanelError::Terminal(e)) => Report::new(
                Exit::Failed,
                "The terminal failed",
                format!("{}.", system(e)),
                "`otpanel doctor` tells about the terminal.",
            ),
            Self::Panel(PanelError::Unsaved { why, kept }) => Report::new(
                Exit::Failed,
                "A change was not saved",
                why.as_ref().map_or_else(
                    || String::from("The vault could not be written."),
                    |why| format!("{}: {}", why.problem, why.cause),
                ),
                if *kept {
                    "It is kept, sealed, in the history, and comes back when the vault is opened next."
                } else {
                    "It is lost: nothing could be written. Look after the disk before the next change."
                },
            ),
            Self::Told(report) => (**report).clone(),
        })
    }
}

impl From<PanelError> for Failure {
    fn from(error: PanelError) -> Self {
        Self::Panel(error)
    }
}

macro_rules! told {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Told(Box::new(error.into()))
            }
        }
    )*};
}

told! {
    Report,
    crate::config::ConfigError,
    crate::keychain::KeychainError,
    crate::local::LocalError,
    crate::otp::ParamError,
    crate::otp::uri::UriError,
    crate::paths::PathsError,
    crate::policy::PolicyError,
    crate::policy::Refusal,
    crate::transfer::ExportError,
    crate::transfer::ImportError,
    crate::unlock::UnlockError,
    crate::vault::Error,
    crate::vault::FileError,
    crate::vault::recovery::BadRecoveryKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_with_control_characters_is_shown_without_them() {
        let report = Failure::NotFound { query: "a\x1b[31mb".to_owned(), trash: false }.report().expect("said");
        assert!(!report.problem.contains('\x1b'), "{}", report.problem);
    }
}
