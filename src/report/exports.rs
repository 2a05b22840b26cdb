//! Exports.

use std::fmt::Write as _;

use super::{Exit, Report};
use crate::text::clean;
use crate::transfer::export::{LeftOut, Sealing, sealing, written};
use crate::transfer::{ExportError, Format};

told! {
    ExportError => export;
}

/// Accounts whose reasons are told one by one.
const TOLD: usize = 20;

/// The formats that can be under a password.
fn sealable() -> String {
    let can = |format: &Format| sealing(*format).is_some_and(|sealing| sealing != Sealing::Never);
    written().filter(can).map(Format::id).collect::<Vec<_>>().join(", ")
}

fn export(error: &ExportError) -> Report {
    match error {
        ExportError::NotWritten(format) => Report::new(
            Exit::Usage,
            format!("This is read by otpanel and not written: {}", format.name()),
            "Not every format that is read can be written.",
            format!("Give one of these by --format:\n{}", ids()),
        ),
        ExportError::PasswordNeeded(format) => Report::new(
            Exit::Usage,
            format!("This export needs a password: {}", format.name()),
            "Its files are always sealed, and no password for it was given.",
            "Give one by --archive-password-file FILE, or run this on a terminal.",
        ),
        ExportError::NeverSealed(format) => Report::new(
            Exit::Usage,
            format!("This export cannot be sealed with a password: {}", format.name()),
            "Its secrets would lie open in spite of the password. Nothing was written.",
            format!("Leave the password out, or choose a format that can be sealed: {}.", sealable()),
        ),
        ExportError::Empty => Report::new(
            Exit::Failed,
            "There is nothing to export",
            "No account is in the vault, or none of those named makes codes with this version.",
            "`otpanel list` shows what is there.",
        ),
        ExportError::NothingFits { format, left_out } => Report::new(
            Exit::Failed,
            format!("None of these accounts can be in such a file: {}", format.name()),
            reasons(left_out),
            "Choose another format: an otpauth list and Aegis hold every account.",
        ),
    }
}

fn reasons(left_out: &[LeftOut]) -> String {
    let mut text = String::new();
    for one in left_out.iter().take(TOLD) {
        let _ = writeln!(text, "{}: {}.", clean(&one.name), one.reason);
    }
    if left_out.len() > TOLD {
        let _ = writeln!(text, "And {} more.", left_out.len() - TOLD);
    }
    text.trim_end().to_owned()
}

/// The words of the formats that are written, as `--format` takes them.
fn ids() -> String {
    written().map(crate::transfer::Format::id).collect::<Vec<_>>().join(" ")
}
