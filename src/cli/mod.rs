//! The command line: one file per family of commands. stdout carries only the answer.
//!
//! A command that needs the vault makes a `session::World` (places, config, the moment) and opens it; every failure is
//! a `failure::Failure`, which `main` prints as a report.

mod accounts;
mod add;
pub mod args;
mod backup;
mod clipboard;
mod clock;
mod codes;
mod config;
mod doctor;
mod export;
pub mod failure;
mod files;
mod found;
mod goal;
pub mod harden;
mod history;
mod import;
mod init;
mod man;
pub mod output;
mod policy;
mod prompt;
mod qr;
mod query;
mod quick;
mod recover;
mod rekey;
mod session;
mod slots;
mod vault;

#[cfg(test)]
mod every_report;

use args::{Cli, Command, Completions, Global};
use clap::CommandFactory as _;
use failure::Failure;
use session::World;

use crate::keychain::kernel;
use crate::runtime::{self, Panel};

/// Carries out a command line.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let global = cli.global;
    let Some(command) = cli.command else { return panel(global, false) };
    match command {
        Command::Init(args) => init::init(&World::writing(global)?, &args),
        Command::List(args) => codes::list(&World::new(global)?, &args),
        Command::Code(args) => codes::code(&World::new(global)?, &args),
        Command::Copy(args) => codes::copy(&World::new(global)?, &args),
        Command::Add(args) => add::add(&World::writing(global)?, &args),
        Command::Edit(args) => accounts::edit(&World::writing(global)?, &args),
        Command::Rm(args) => accounts::remove(&World::writing(global)?, &args),
        Command::Restore(args) => accounts::restore(&World::writing(global)?, &args),
        Command::Qr(args) => qr::qr(&World::new(global)?, &args),
        Command::Tag(args) => accounts::tag(&World::writing(global)?, &args),
        Command::Import(args) => import::import(&World::writing(global)?, &args),
        Command::Export(args) => export::export(&World::writing(global)?, &args),
        Command::Backup(args) => backup::backup(&World::writing(global)?, &args),
        Command::Vault(args) if args.writes() => vault::vault(&World::writing(global)?, &args),
        Command::Vault(args) => vault::vault(&World::new(global)?, &args),
        Command::Policy(args) => policy::policy(&global, &args),
        Command::Config(args) => config::config(&global, args),
        Command::Doctor(args) => doctor::doctor(&global, &args),
        Command::Demo => panel(global, true),
        Command::Lock => lock(),
        Command::Completions(args) => completions(&args),
        Command::Man(args) => man::man(&args),
    }
}

/// The panel, on the vault or on sample accounts.
fn panel(global: Global, demo: bool) -> Result<(), Failure> {
    let found = crate::policy::Policy::read();
    let world = World::under(global, &found)?;
    if !demo {
        world.log();
    }
    let World { paths, config, .. } = world;
    Ok(runtime::run(&Panel { paths, config, policy: found, demo })?)
}

/// Forgets what `unlock: (remember: …)` keeps for later commands.
#[expect(clippy::unnecessary_wraps, reason = "one shape for all commands")]
fn lock() -> Result<(), Failure> {
    let text = match kernel::forget_all() {
        0 => "There is nothing to lock: no key is kept between commands. An open panel locks by L.",
        1 => "Locked: the key that was kept is gone. An open panel locks by L.",
        _ => "Locked: the keys that were kept are gone. An open panel locks by L.",
    };
    output::say(text);
    Ok(())
}

fn completions(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "otpanel", &mut script);
    output::answer(&String::from_utf8_lossy(&script))
}
