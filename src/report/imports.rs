//! Imports.

use super::ground::sentence;
use super::{Exit, Report};
use crate::text::clean;
use crate::transfer::{Format, ImportError};

told! {
    ImportError => import;
}

fn import(error: &ImportError) -> Report {
    match error {
        ImportError::Empty => Report::new(
            Exit::Failed,
            "There is nothing in it",
            "The file is empty.",
            "Export again, and look that the file has a size before you bring it here.",
        ),
        ImportError::Unknown => Report::new(
            Exit::Failed,
            "This is no export that otpanel knows",
            "Its content looks like none of the formats that are read.",
            "If you know where it is from, say so by --format. Most apps can also export a list of otpauth:// links.",
        )
        .in_panel(
            "Most apps can also export a list of otpauth:// links. If you know where it is from, `otpanel import --format` takes \
             your word for it.",
        ),
        ImportError::NotJson(place) => Report::new(
            Exit::Failed,
            "This is no export that otpanel knows",
            format!("It begins like JSON and is not: {}.", clean(place)),
            "Export again and bring the file here whole (some ways of sending files change or cut them).",
        ),
        ImportError::MaybeEncrypted => Report::new(
            Exit::Locked,
            "This may be an encrypted export",
            "It bears no mark of any format and is no text, and no password for it was given.",
            "Give its password by --archive-password-file FILE; if you know where it is from, say so by --format.",
        )
        .in_panel("Bring it in by i, which asks for its password."),
        ImportError::NothingFits => Report::new(
            Exit::Locked,
            "The password opens it as no format that otpanel knows",
            "The password is wrong, or this is no export; nobody can tell which.",
            "Try the password that was in force when it was exported; if you know where it is from, say so by --format.",
        )
        .in_panel("Try the password that was in force when it was exported."),
        ImportError::PasswordNeeded(format) => Report::new(
            Exit::Locked,
            format!("This is protected by a password: {}", format.name()),
            "It was recognised, and no password for it was given.",
            "Give its password by --archive-password-file FILE, or run this on a terminal.",
        )
        .in_panel("Bring it in by i, which asks for its password."),
        ImportError::WrongPassword(format) => Report::new(
            Exit::Locked,
            format!("The password does not open it: {}", format.name()),
            "The password is wrong, or the file is damaged; often nobody can tell which.",
            "Try the password that was in force when it was exported, or export again.",
        ),
        ImportError::Damaged { format, reason } => refused(
            *format,
            reason,
            "is damaged",
            "Export again and bring the file here whole (some ways of sending files change or cut them).",
        ),
        ImportError::Refused { format, reason } => {
            // The reason brings its way out as its last sentence.
            match reason.trim_end_matches('.').split_once(". ") {
                Some((why, out)) => refused(*format, why, "cannot be read", &sentence(out)),
                None => {
                    refused(*format, reason, "cannot be read", "Export it again in another form, if the app has one.")
                }
            }
        }
        ImportError::TooLarge { what, mib } => Report::new(
            Exit::Failed,
            "It is too large to be an export",
            sentence(&format!("{what} is larger than {mib} MiB, the limit")),
            "Check that this is the right file.",
        ),
        ImportError::TooMany { what, limit } => Report::new(
            Exit::Failed,
            "It holds too much to be an export",
            format!("It has more than {limit} {}.", clean(what)),
            "Check that this is the right file; one that is truly yours can be brought in in parts.",
        ),
        ImportError::Limits { format, what, limit } => Report::new(
            Exit::Failed,
            format!("This asks for more work than is sensible: {}", format.name()),
            format!("It asks for {}; the limit is {limit}.", clean(what)),
            "If the file is truly yours, export it again with the app's usual settings.",
        ),
    }
}

fn refused(format: Format, reason: &str, how: &str, next: &str) -> Report {
    Report::new(Exit::Failed, format!("The export {how}: {}", format.name()), sentence(reason), next)
}
