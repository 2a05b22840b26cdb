//! `vault` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{Json, Slots};

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

impl Vault {
    /// Whether it changes the vault's file or shows its secrets.
    pub const fn writes(&self) -> bool {
        !matches!(self, Self::Info(_) | Self::Slots(Slots { command: None, .. }) | Self::History(_))
    }
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
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
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
