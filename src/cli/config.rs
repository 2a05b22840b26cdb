//! `config`: where the settings are, whether they can be read, and what is in force.

use std::fs;
use std::path::Path;

use super::args::{Config as Args, Global};
use super::failure::Failure;
use super::output::answer;
use super::recover::shown;
use super::session::{World, places};
use crate::app::keys::Keymap;
use crate::config::Config;
use crate::report::{Exit, Report};
use crate::runtime::theme;
use crate::text::clean;

/// What is well written in the settings and yet cannot be taken up.
fn problems(config: &Config, file: &Path) -> Vec<String> {
    let (_, mut problems) = Keymap::new(&config.keys);
    problems.extend(config.problems());
    // Light or dark does not matter here.
    problems.extend(theme::find(&config.theme, file, true, Some(false)).1);
    problems
}

/// `config`.
///
/// # Errors
/// When the config has a mistake (but for `config path`) or the answer cannot be written.
pub fn config(global: &Global, args: Args) -> Result<(), Failure> {
    let paths = places(global)?;
    let file = &paths.config_file;
    match args {
        Args::Path => answer(&format!("{}\n", file.display())),
        Args::Check => {
            Config::must_be_there(file, paths.config_named)?;
            let there = fs::exists(file).unwrap_or(true);
            let config = Config::load(file)?;
            let mut problems = problems(&config, file);
            for (name, own) in config.each_profile() {
                let own = self::problems(&own, file);
                let more: Vec<String> = own.into_iter().filter(|problem| !problems.contains(problem)).collect();
                problems.extend(more.into_iter().map(|problem| format!("profile {name}: {problem}")));
            }
            if !problems.is_empty() {
                let text = problems.iter().map(|problem| format!("{}.", clean(problem))).collect::<Vec<_>>().join("\n");
                let next = "Mend these lines; `otpanel config show` tells what is in force.";
                return Err(Report::new(Exit::Failed, "Some settings are not as meant", text, next).into());
            }
            let verdict = if there { "is right" } else { "does not exist, so every setting is the default" };
            answer(&format!("{} {verdict}\n", file.display()))
        }
        Args::Show => {
            let world = World::new(global.clone())?;
            answer(&format!("// {}\n{}\n", shown(file), world.config.to_text()))
        }
    }
}
