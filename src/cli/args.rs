//! The command line as clap reads it: every command, option and word of help. It knows no meaning.

mod accounts;
mod backup;
mod short;
mod slots;
mod transfer;
mod vault;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

pub use self::accounts::{Add, Code, CopyCode, Edit, KindName, List, Owner, Remove, Restore, Settings, Tag};
pub use self::backup::{Backup, BackupCommand};
pub use self::slots::{Slots, SlotsCommand};
pub use self::transfer::{Export, Import, Qr};
pub use self::vault::{Cat, Merge, Passwd, RecoveryKey, Rekey, Vault, VaultRestore};

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
    let words = without_help_of_help(&command, words);
    let matches = command.try_get_matches_from_mut(words).unwrap_or_else(|error| end(&error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
    // It holds no secret, and taking it apart would cost a command as much as it took to make.
    std::mem::forget(command);
    cli
}

/// `otpanel backup help --help` is `otpanel backup help`: the parser has no help about its help.
fn without_help_of_help(command: &clap::Command, mut words: Vec<OsString>) -> Vec<OsString> {
    let of_group = |name: &OsString| command.find_subcommand(name).is_some_and(clap::Command::has_subcommands);
    if let [_, group @ .., help, flag] = &words[..]
        && (group.is_empty() || matches!(group, [one] if of_group(one)))
        && help == "help"
        && (flag == "--help" || flag == "-h")
    {
        words.pop();
    }
    words
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

/// A command with `--json` only.
#[derive(Debug, Args)]
pub struct Json {
    /// As JSON
    #[arg(long)]
    pub json: bool,
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
