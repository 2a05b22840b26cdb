//! The arguments of `vault slots`.

use clap::{Args, Subcommand, ValueEnum};

/// `vault slots`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Each slot holds the vault's key, sealed under a password, the recovery key or an item of one computer's keychain.

Examples:
  otpanel vault slots                     what opens the vault, with ids
  otpanel vault slots add keychain        open it here without typing, on a second computer or after a rekey elsewhere
  otpanel vault slots remove keychain     type the password here again
  otpanel vault slots remove 3f2a         the slot whose id begins so: of a computer that is gone, say

A slot that is removed is a way in that is closed. Who came in by it may have kept the key itself, and older copies of the
vault still open by it: `otpanel vault rekey` shuts out a computer that was lost or stolen."
)]
pub struct Slots {
    /// What to do; list them where nothing is said.
    #[command(subcommand)]
    pub command: Option<SlotsCommand>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// The commands of `vault slots`.
#[derive(Debug, Subcommand)]
pub enum SlotsCommand {
    /// Add a slot: let this computer's keychain open the vault
    Add {
        /// What is to open the vault
        what: AddSlot,
    },
    /// Remove a slot: what it is for opens the vault no more
    Remove {
        /// Its id or how that begins, or `keychain` for that of this computer
        slot: String,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

/// What a slot can be added for by this command; passwords and recovery keys have commands of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AddSlot {
    /// This computer's keychain
    Keychain,
}
