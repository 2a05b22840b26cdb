//! The commands that bring accounts in and write them out: `import`, `export`, `qr`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::transfer::Format;
use crate::transfer::export::{Sealing, sealing};

/// What stands behind a format's name in the help of `export`; how it is sealed is added.
const WRITTEN: [(Format, &str); 11] = [
    (Format::UriList, "otpauth:// links, one a line; most apps read them"),
    (Format::GoogleMigration, "otpauth-migration:// links, ten accounts each, for Google Authenticator"),
    (Format::Aegis, "Aegis"),
    (Format::TwoFas, "2FAS"),
    (Format::Ente, "Ente Auth"),
    (Format::AndOtp, "andOTP's plain list"),
    (Format::Bitwarden, "Bitwarden's JSON"),
    (Format::Proton, "Proton Authenticator"),
    (Format::Stratum, "Stratum's plain JSON"),
    (Format::FreeOtpPlus, "FreeOTP+'s JSON"),
    (Format::KeePassXc, "KeePassXC's CSV"),
];

fn export_help() -> String {
    let mut text = String::from("Formats:\n");
    for (format, words) in WRITTEN {
        let sealed = match sealing(format) {
            Some(Sealing::Optional) => ", sealed when a password is given",
            Some(Sealing::Always) => ", always sealed with a password",
            Some(Sealing::Never) | None => "",
        };
        let _ = writeln!(text, "  {:<13}  {words}{sealed}", format.id());
    }
    text + EXPORT
}

const EXPORT: &str = "
What a format cannot hold is named. In a file that is not sealed every secret lies open: delete it after use.

Examples:
  otpanel export --format otpauth --out codes.txt
  otpanel export --format aegis --archive-password-file export.pw --out aegis.json
  otpanel export --format google github gitlab
  otpanel export --format google --qr                codes to scan with a phone";

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
The format is recognised by content. On a terminal a preview is shown and a question asked; elsewhere, or with --yes,
the import is applied at once. Nothing is ever replaced: accounts that are here already are skipped and counted.

Examples:
  otpanel import aegis-export.json
  otpanel import --archive-password-file export.pw aegis-encrypted.json
  printf 'otpauth://totp/…' | otpanel --password-file pw import -
  otpanel import --dry-run --json export.json        show what is in it; needs no vault")]
pub struct Import {
    /// Files; '-' is stdin
    #[arg(required_unless_present = "clipboard", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// What the clipboard holds: text or a picture of QR codes
    #[arg(long, conflicts_with = "files")]
    pub clipboard: bool,
    /// What the files are, where recognising fails
    #[arg(long, value_name = "F")]
    pub format: Option<String>,
    /// A file with the password of the export
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub archive_password_file: Option<PathBuf>,
    /// As personal accounts, on a machine that an organisation manages
    #[arg(long)]
    pub personal: bool,
    /// Show what would come; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// As JSON; with --dry-run the secrets are printed too
    #[arg(long)]
    pub json: bool,
}

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = export_help())]
pub struct Export {
    /// What to write; the formats are listed below
    #[arg(long, value_name = "F")]
    pub format: String,
    /// The file to write, readable by you alone; stdout when it is left out
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// A file with the password to seal the export with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub archive_password_file: Option<PathBuf>,
    /// Do not ask: replace a file, leave unsealed what could be sealed, print secrets on a terminal
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Draw QR codes on the terminal, or write PNG pictures to --out (google, otpauth)
    #[arg(long)]
    pub qr: bool,
    /// Personal accounts alone, on a machine that an organisation manages
    #[arg(long)]
    pub personal: bool,
    /// Only accounts that match; all when it is left out
    pub query: Vec<String>,
}

/// `qr`.
#[derive(Debug, Args)]
#[command(after_help = "\
The code holds the secret: whoever sees it, or a photo of it, can make the codes.

Examples:
  otpanel qr github
  otpanel qr github --out github.png")]
pub struct Qr {
    /// Which account
    pub query: String,
    /// Write a PNG picture, readable by you alone, instead of drawing on the terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Do not ask: show it, replace a file
    #[arg(long, short = 'y')]
    pub yes: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_of_export_names_every_format_that_is_written_and_how_it_is_sealed() {
        let mut told: Vec<Format> = WRITTEN.iter().map(|(format, _)| *format).collect();
        told.sort_unstable();
        let mut written: Vec<Format> = crate::transfer::export::written().collect();
        written.sort_unstable();
        assert_eq!(told, written);
        let help = export_help();
        assert!(help.contains("  2fas           2FAS, sealed when a password is given\n"), "{help}");
        assert!(help.contains("  proton         Proton Authenticator, always sealed"), "{help}");
        assert!(help.contains("  otpauth        otpauth:// links, one a line; most apps read them\n"), "{help}");
    }
}
