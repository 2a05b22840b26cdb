//! The settings, the places of files, and values of codes.

use std::io;

use super::{Exit, Report};
use crate::config::{ConfigError, Mistake};
use crate::otp::ParamError;
use crate::otp::uri::UriError;
use crate::paths::PathsError;
use crate::text::clean;

told! {
    ConfigError => config;
    PathsError => paths;
    ParamError => param;
    UriError => uri;
}

/// The command that lists owner and permissions of a file.
pub const LISTS: &str = if cfg!(windows) { "icacls" } else { "ls -l" };

/// An I/O error in the system's words, without the number in brackets and the full stop of Windows.
pub fn system(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.find(" (os error").map_or(&*text, |at| &text[..at]);
    words.trim_end_matches('.').to_owned()
}

fn config(error: &ConfigError) -> Report {
    match error {
        ConfigError::Read { path, source } => Report::new(
            Exit::Failed,
            "The config cannot be read",
            format!("{}: {}.", clean(&path.display().to_string()), system(source)),
            if source.kind() == io::ErrorKind::PermissionDenied {
                "Mend its permissions, or run with --config and another file."
            } else {
                "Put a file with settings there, or run with --config and another file."
            },
        ),
        ConfigError::Text { path, mistake } => {
            let Mistake { line, column, problem, expected, nearest } = &**mistake;
            let hint = match nearest {
                Some(name) => format!("Did you mean `{name}`?"),
                None => format!("Expected: {expected}."),
            };
            Report::new(
                Exit::Failed,
                format!("{}: line {line}, column {column} of the config", capital(&clean(problem))),
                format!("It stands in {}.", clean(&path.display().to_string())),
                format!("{hint} `otpanel config check` looks again."),
            )
        }
    }
}

fn paths(error: &PathsError) -> Report {
    match error {
        PathsError::NoHome => Report::new(
            Exit::Failed,
            "No home folder is known",
            "HOME is not set, so there is no place to look for the vault.",
            "Set HOME, or XDG_DATA_HOME, XDG_CONFIG_HOME and XDG_STATE_HOME.",
        ),
        PathsError::Profile(name) => Report::new(
            Exit::Usage,
            format!("`{}` cannot name a profile", clean(name)),
            "A profile's name becomes a folder's name.",
            "Use letters, digits, - and _, at most 64.",
        ),
        PathsError::Empty(what) => Report::new(
            Exit::Usage,
            format!("The path of the {what} is empty"),
            "An option or variable was given without a value.",
            "Give a file, or leave the option out.",
        ),
    }
}

fn param(error: &ParamError) -> Report {
    let next = match error {
        ParamError::Digits(_) => "Give 1 to 10; 6 is usual. Look again at what the site says.",
        ParamError::Period(_) => "Give 1 to 86,400 seconds; 30 is usual. Look again at what the site says.",
        ParamError::Counter(_) => "Give a whole number; a new account begins with 0.",
        ParamError::Algorithm(_) => "Give SHA1, SHA256 or SHA512; SHA1 is usual.",
        ParamError::EmptySecret => "Copy the secret again from the site's page.",
        ParamError::LongSecret => {
            "Copy only the secret from the site's page, which is seldom longer than 64 characters."
        }
        ParamError::Base32 { .. } => "Look for a 0 that is an O, or a 1 that is an I or L, or copy it again.",
        ParamError::Hex => "Copy it again: only 0-9 and a-f can occur.",
        ParamError::MissingPin => {
            "Give the PIN that belongs to the secret: typed, as the line after the secret, or in the link as `&pin=…`."
        }
        ParamError::Pin => "Write the PIN's digits: `&pin=1234`.",
        ParamError::SecretLength => "Copy the whole secret again, without what stands around it.",
    };
    Report::new(Exit::Failed, "This account cannot be used as it is", sentence(&error.to_string()), next)
}

fn uri(error: &UriError) -> Report {
    let next = match error {
        UriError::Param(inner) => return param(inner),
        UriError::NotALink => "Copy the whole link; it begins with otpauth://.",
        UriError::Migration => "Bring it in by `otpanel import -`, which reads all of them.",
        UriError::UnknownType(_) => "This kind of code cannot be made here.",
        UriError::MissingSecret => "Copy the whole link again: the part `secret=…` is missing.",
        UriError::Several => "Bring them in together: `otpanel import -`.",
        UriError::Control => "Copy the link alone, which is one line. Several are brought in by `otpanel import -`.",
        UriError::Trashed => "Restore it in the app that the link is from, and export again.",
    };
    let report = Report::new(Exit::Failed, "This link cannot be used", sentence(&error.to_string()), next);
    match error {
        UriError::Migration => report.in_panel("Paste it into the list, which reads all of them."),
        UriError::Several => report.in_panel("Paste them into the list together."),
        UriError::Control => {
            report.in_panel("Copy the link alone, which is one line. Several are pasted into the list.")
        }
        _ => report,
    }
}

/// A part of a sentence as a sentence.
pub fn sentence(part: &str) -> String {
    let part = clean(part);
    let end = if part.ends_with(['.', '?', '!']) { "" } else { "." };
    capital(&part) + end
}

fn capital(part: &str) -> String {
    let mut chars = part.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_have_neither_number_nor_full_stop_on_any_system() {
        for said in ["Access is denied. (os error 5)", "Access is denied (os error 5)", "Access is denied"] {
            assert_eq!(system(&io::Error::other(said)), "Access is denied");
        }
    }
}
