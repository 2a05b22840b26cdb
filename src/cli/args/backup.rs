//! The arguments of `backup`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// `backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
Only secrets, account names and code settings are stored, sealed; no notes, tags or order.

Examples:
  otpanel backup                                   how it stands, and how far it reaches
  otpanel backup enable --folder ~/Sync/otpanel    also keep it in a folder that you sync
  otpanel backup restore                           on a new machine: get everything back")]
pub struct Backup {
    /// What to do; status where nothing is said.
    #[command(subcommand)]
    pub command: Option<BackupCommand>,
    /// As JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands of `backup`.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Tell how the backup stands
    Status,
    /// Back up now
    Now,
    /// Open every item and look whether all accounts could be restored
    Verify,
    /// Get accounts back: into a new vault, or joined into the one that is here
    Restore {
        /// From this folder instead of the keychain
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
        /// Of this vault, where backups of several lie there; the beginning of its id does
        #[arg(long, value_name = "ID")]
        vault_id: Option<String>,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
    /// Turn the backup on, or add a folder to it
    Enable {
        /// Keep it in this folder too
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Turn the backup off
    Disable {
        /// Delete what this machine has stored there
        #[arg(long)]
        wipe: bool,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
    /// List the machines that back up there
    Devices,
    /// Delete what another machine has stored there, once all of it is here
    Forget {
        /// The machine's id or name, from `backup devices`
        device: String,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}
