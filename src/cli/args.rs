//! The command line as clap reads it: every command, option and word of help. It knows no meaning.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  otpanel                              open the panel
  otpanel init --unlock keychain       make a vault that opens without typing
  otpanel import aegis-export.json     bring accounts along
  otpanel code github                  print one code
  otpanel copy github                  copy it; the clipboard is cleared again

Unlocking: the keychain, --password-file FILE, OTPANEL_PASSWORD_FILE, or typing.
Exit codes: 0 done, 1 failed, 2 usage, 3 not found or ambiguous, 4 locked or wrong password, 5 vault damaged or newer.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "otpanel",
    version,
    about = "A terminal authenticator: live codes, an encrypted vault, import from everywhere",
    after_help = EXAMPLES,
    propagate_version = false
)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do; the panel when it is left out.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Reads this program's own command line; prints help or what is wrong with it, and ends then.
pub fn parse() -> Cli {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(cli) = short::read(&words) {
        return cli;
    }
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(words).unwrap_or_else(|error| end(&error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
    // It holds no secret, and taking it apart would cost a command as much as it took to make.
    std::mem::forget(command);
    cli
}

/// Prints help or what is wrong with the command line, and ends. Help that cannot be written is a failure as any answer is.
fn end(error: &clap::Error) -> ! {
    let code = match error.print().and_then(|()| io::stdout().flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => 1,
        _ => error.exit_code(),
    };
    std::process::exit(code)
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The vault file (or OTPANEL_VAULT)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub vault: Option<PathBuf>,
    /// A profile: its own vault and part of the config
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// The config file (or OTPANEL_CONFIG)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// A file with the vault's password, '-' for stdin (or OTPANEL_PASSWORD_FILE)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    /// When to use colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a vault
    Init(Init),
    /// List the accounts
    #[command(visible_alias = "ls")]
    List(List),
    /// Print the code of one account
    Code(Code),
    /// Copy the code of one account; the clipboard is cleared after a time
    Copy(CopyCode),
    /// Add one account; its secret comes from a link, stdin or a prompt
    Add(Add),
    /// Change names, note or settings of one account
    Edit(Edit),
    /// Move one account to the trash
    Rm(Remove),
    /// Bring accounts back from the trash
    Restore(Restore),
    /// Show one account as a QR code for a phone
    Qr(Qr),
    /// Put tags on an account (+work) or take them away (-old)
    Tag(Tag),
    /// Bring accounts from another authenticator's export
    Import(Import),
    /// Write accounts as another authenticator's file
    Export(Export),
    /// Look after the backup: how it stands, checking, restoring
    Backup(Backup),
    /// Look after the vault file: its keys, history and content
    #[command(subcommand)]
    Vault(Vault),
    /// Show and check the config
    #[command(subcommand)]
    Config(Config),
    /// Tell what an organisation has set on this machine
    Policy(Policy),
    /// Tell what works here: keychain, clipboard, files, terminal, clock
    Doctor(Doctor),
    /// Open the panel on sample accounts; touches nothing
    Demo,
    /// Forget keys that are kept for later commands
    Lock,
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual pages
    Man(Man),
}

#[path = "args/short.rs"]
mod short;

#[path = "args/slots.rs"]
mod slots;
pub use slots::{AddSlot, Slots, SlotsCommand};

#[path = "args/backup.rs"]
mod backup;
pub use backup::{Backup, BackupCommand};

#[path = "args/transfer.rs"]
mod transfer;
pub use transfer::{Export, Import, Qr};

/// `init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Ways to open a vault:
  password   typed at every start
  keychain   this session's keychain, without typing; keep the recovery key
  both       the keychain here, the password anywhere

Examples:
  otpanel init
  otpanel init --unlock keychain --recovery-key-file ~/recovery.txt
  otpanel --password-file pw init --unlock password --no-backup --recovery-key-file recovery.txt")]
pub struct Init {
    /// How the vault opens: password, keychain or both; asked for on a terminal
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    pub unlock: Option<UnlockWith>,
    /// Write the recovery key to this new file instead of printing it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub recovery_key_file: Option<PathBuf>,
    /// Do not switch the backup on
    #[arg(long)]
    pub no_backup: bool,
}

/// How a vault opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnlockWith {
    /// A password, typed at every start
    Password,
    /// This session's keychain, without typing; keep the recovery key
    Keychain,
    /// The keychain here, the password anywhere
    Both,
}

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

/// `vault`.
#[derive(Debug, Subcommand)]
pub enum Vault {
    /// Tell what the vault is made of
    Info(Json),
    /// Set a new password
    Passwd(Passwd),
    /// List the key slots that open the vault, add this computer's keychain, remove one
    Slots(Slots),
    /// Make a new recovery key; the old one stops working
    RecoveryKey(RecoveryKey),
    /// Give the vault and its backups new keys: shuts out whoever has seen the old ones
    Rekey(Rekey),
    /// List the copies kept of earlier saves
    History(Json),
    /// Join a copy of the history (or any copy of this vault) into the vault
    Restore(VaultRestore),
    /// Join two versions of a vault, for git: THEIRS into the file OURS
    Merge(Merge),
    /// Print the whole content in clear, secrets too
    Cat(Cat),
}

/// A command with `--json` only.
#[derive(Debug, Args)]
pub struct Json {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `vault passwd`.
#[derive(Debug, Args)]
pub struct Passwd {
    /// A file with the new password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub new_password_file: Option<PathBuf>,
}

/// `vault recovery-key`.
#[derive(Debug, Args)]
pub struct RecoveryKey {
    /// Write it to this new file instead of printing it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub recovery_key_file: Option<PathBuf>,
}

/// `vault rekey`.
#[derive(Debug, Args)]
#[command(after_help = "\
For a lost computer, or a password that somebody may know. Everything that is written from now on opens to new keys alone;
copies from before open as they did. The recovery key is replaced. This computer's keychain goes on to open the vault;
other computers ask for the password once more, and `otpanel vault slots add keychain` there lets their keychain in again.

Then forget the lost computer, so that its copy of the backup goes:
  otpanel backup devices
  otpanel backup forget NAME")]
pub struct Rekey {
    /// A file with a new password; without it the password stays
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub new_password_file: Option<PathBuf>,
    /// Write the new recovery key to this new file instead of printing it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub recovery_key_file: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// `vault restore`.
#[derive(Debug, Args)]
pub struct VaultRestore {
    /// A copy's name from `vault history`, or a file
    pub copy: PathBuf,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// `vault merge`.
#[derive(Debug, Args)]
#[command(after_help = "\
A merge driver for git. In .gitattributes:
  *.otpv -text -diff merge=otpanel
and once on each machine:
  git config --global merge.otpanel.name \"otpanel vaults\"
  git config --global merge.otpanel.driver \"otpanel vault merge %O %A %B\"
The key comes from the keychain or from OTPANEL_PASSWORD_FILE.")]
pub struct Merge {
    /// What both versions come from; not needed, since joining asks for no common ancestor
    pub base: PathBuf,
    /// Our version; the result goes there
    pub ours: PathBuf,
    /// Their version
    pub theirs: PathBuf,
}

/// `vault cat`.
#[derive(Debug, Args)]
pub struct Cat {
    /// Yes, print every secret
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// `config`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Config {
    /// Print where the config file is looked for
    Path,
    /// Check the config file
    Check,
    /// Print the config in force
    Show,
}

impl Vault {
    /// Whether it changes the vault's file or shows its secrets.
    pub const fn writes(&self) -> bool {
        !matches!(self, Self::Info(_) | Self::Slots(Slots { command: None, .. }) | Self::History(_))
    }
}

/// `policy`.
#[derive(Debug, Args)]
pub struct Policy {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  otpanel completions fish > ~/.config/fish/completions/otpanel.fish")]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  otpanel man | man -l -\n  otpanel man --out ~/.local/share/man/man1")]
pub struct Man {
    /// Write a page for every command into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_may_stand_before_and_after_the_command() {
        let before = Cli::try_parse_from(["otpanel", "--password-file", "p", "code", "x"]).expect("parses");
        let after = Cli::try_parse_from(["otpanel", "code", "x", "--password-file", "p"]).expect("parses");
        assert_eq!(before.global.password_file, after.global.password_file);
    }

    #[test]
    fn tags_may_begin_with_a_minus() {
        let cli = Cli::try_parse_from(["otpanel", "tag", "github", "+work", "-old"]).expect("parses");
        let Some(Command::Tag(tag)) = cli.command else { panic!("tag") };
        assert_eq!(tag.tags, ["+work", "-old"]);
    }
}
