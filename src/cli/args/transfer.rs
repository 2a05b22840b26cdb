//! The commands that bring accounts in and write them out: `import`, `export`, `qr`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

const EXPORT: &str = "\
Formats:
  otpauth        otpauth:// links, one a line; most apps read them
  google         otpauth-migration:// links, ten accounts each, for Google Authenticator
  aegis          Aegis, sealed when a password is given
  2fas           2FAS, plain
  ente           Ente Auth, sealed when a password is given
  andotp         andOTP's plain list
  bitwarden      Bitwarden's JSON, sealed when a password is given
  proton         Proton Authenticator, always sealed
  stratum        Stratum's plain JSON
  freeotp-plus   FreeOTP+'s JSON
  keepassxc-csv  KeePassXC's CSV

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
#[command(after_help = EXPORT)]
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
    fn the_help_of_export_names_every_format_that_is_written() {
        let told: Vec<&str> =
            EXPORT.lines().skip(1).take_while(|l| !l.is_empty()).filter_map(|l| l.split_whitespace().next()).collect();
        let mut written: Vec<&str> = crate::transfer::export::written().map(crate::transfer::Format::id).collect();
        let mut sorted = told.clone();
        written.sort_unstable();
        sorted.sort_unstable();
        assert_eq!(sorted, written);
    }
}
