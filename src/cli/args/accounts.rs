//! The commands that look at accounts and change them.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum, ValueHint};

/// `list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  otpanel list\n  otpanel list --codes --json | jq -r '.[] | .issuer + \" \" + .code'"
)]
pub struct List {
    /// Only accounts that match
    pub query: Option<String>,
    /// With the codes of this moment
    #[arg(long)]
    pub codes: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// What lies in the trash instead
    #[arg(long, conflicts_with = "codes")]
    pub trash: bool,
}

/// `code`.
#[derive(Debug, Args)]
#[command(after_help = "\
QUERY is an id, an account, issuer:account, an issuer, a part of them, or letters of them in order.

Examples:
  otpanel code github
  otpanel code GitHub:octo@example.com --json
  otpanel code github --next")]
pub struct Code {
    /// Which account
    pub query: String,
    /// The code that comes next
    #[arg(long)]
    pub next: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `copy`.
#[derive(Debug, Args)]
pub struct CopyCode {
    /// Which account
    pub query: String,
    /// The code that comes next
    #[arg(long)]
    pub next: bool,
}

/// Parameters that `add` and `edit` share.
#[derive(Debug, Args)]
pub struct Settings {
    /// The site or service
    #[arg(long)]
    pub issuer: Option<String>,
    /// The user's name there
    #[arg(long)]
    pub account: Option<String>,
    /// A note
    #[arg(long)]
    pub note: Option<String>,
    /// SHA1, SHA256 or SHA512
    #[arg(long, value_name = "NAME")]
    pub algorithm: Option<String>,
    /// Digits of a code, 1 to 10
    #[arg(long, value_name = "N")]
    pub digits: Option<u64>,
    /// Seconds that a code lives, 1 to 86400
    #[arg(long, value_name = "SECONDS")]
    pub period: Option<u64>,
    /// The counter to use next (hotp)
    #[arg(long, value_name = "N")]
    pub counter: Option<u64>,
}

/// `add`.
#[derive(Debug, Args)]
#[command(after_help = "\
A secret on a command line can be read by other programs and stays in the shell's history: pipe it in or type it.
The PIN of a motp or yandex account is the line after the secret, is asked for, or stands in the link as &pin=1234.

Examples:
  otpanel add                                        type or paste a link or a secret
  otpanel add --qr screenshot.png                    a picture of a QR code
  otpanel add --clipboard                            a link or a picture that was copied
  pass show github | otpanel add --issuer GitHub --account octo")]
pub struct Add {
    /// An otpauth:// link, '-' to read a link or a secret from stdin
    #[arg(value_name = "URI", conflicts_with_all = ["qr", "clipboard"])]
    pub uri: Option<String>,
    /// A picture of a QR code (PNG, JPEG, WebP)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "clipboard")]
    pub qr: Option<PathBuf>,
    /// What the clipboard holds: a link, a secret or a picture of a QR code
    #[arg(long)]
    pub clipboard: bool,
    /// The kind of code: totp (the usual one), hotp, steam, motp or yandex
    #[arg(
        long = "type",
        value_name = "KIND",
        default_value = "totp",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub kind: KindName,
    /// Names and parameters.
    #[command(flatten)]
    pub settings: Settings,
    /// As a personal account, on a machine that an organisation manages
    #[arg(long)]
    pub personal: bool,
    /// Print the new entry as JSON
    #[arg(long)]
    pub json: bool,
}

/// The kinds of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindName {
    /// By time (the usual one)
    Totp,
    /// By counter
    Hotp,
    /// Steam Guard
    Steam,
    /// Mobile-OTP; the PIN is asked for
    Motp,
    /// Yandex Key; the PIN is asked for
    Yandex,
}

/// `edit`.
#[derive(Debug, Args)]
#[command(after_help = "\
The secret of an account never changes: add the new one and remove the old.

Examples:
  otpanel edit github --account octo@new.example
  otpanel edit bank --favourite yes --note 'codes are in the safe'
  otpanel edit mail --move-to personal")]
pub struct Edit {
    /// Which account
    pub query: String,
    /// Names and parameters.
    #[command(flatten)]
    pub settings: Settings,
    /// Mark as a favourite
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no, action = ArgAction::Set)]
    pub favourite: Option<bool>,
    /// Make it a personal account, or one of the organisation that manages this machine: a new entry there, and this one
    /// is deleted for good
    #[arg(long, value_name = "personal|managed", hide_possible_values = true)]
    pub move_to: Option<Owner>,
    /// Do not ask before moving
    #[arg(long, short = 'y', requires = "move_to")]
    pub yes: bool,
}

fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "on" | "1" => Ok(true),
        "no" | "n" | "false" | "off" | "0" => Ok(false),
        _ => Err("say yes or no"),
    }
}

/// Whose an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Owner {
    /// The user's own
    Personal,
    /// The organisation's that manages this machine
    Managed,
}

/// `rm`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Which account
    pub query: String,
    /// Delete it and its secret for good, from the list or from the trash
    #[arg(long)]
    pub purge: bool,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// Which account of the trash
    pub query: String,
}

/// `tag`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  otpanel tag github +work -old")]
pub struct Tag {
    /// Which account
    pub query: String,
    /// Tags: +name puts one on, -name takes it away
    #[arg(required = true, value_name = "+TAG|-TAG", allow_hyphen_values = true)]
    pub tags: Vec<String>,
}
