//! `config`: where the settings are, whether they can be read, and what is in force.

use std::fs;

use super::args::{Config as Args, Global};
use super::failure::Failure;
use super::output::answer;
use super::session::{World, places};
use crate::app::keys::Keymap;
use crate::config::Config;
use crate::report::{Exit, Report};

/// `config`.
///
/// # Errors
/// When the config has a mistake (but for `config path`) or the answer cannot be written.
pub fn config(global: &Global, args: Args) -> Result<(), Failure> {
    let file = places(global)?.config_file;
    match args {
        Args::Path => answer(&format!("{}\n", file.display())),
        Args::Check => {
            let there = fs::exists(&file).unwrap_or(true);
            let config = Config::load(&file)?;
            let (_, problems) = Keymap::new(&config.keys);
            if !problems.is_empty() {
                let text = problems.iter().map(|problem| format!("{problem}.")).collect::<Vec<_>>().join("\n");
                let next = "Mend these lines; `otpanel config show` tells what is in force.";
                return Err(Report::new(Exit::Failed, "Some keys in the settings are not as meant", text, next).into());
            }
            let verdict = if there { "is right" } else { "does not exist, so every setting is the default" };
            answer(&format!("{} {verdict}\n", file.display()))
        }
        Args::Show => {
            let world = World::new(global.clone())?;
            answer(&format!("// {}\n{}\n", file.display(), world.config.to_text()))
        }
    }
}
