//! `man`: the manual pages, made from the same definitions as the help.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::args::{Cli, Man as Args};
use super::failure::{Doing, Failure};
use super::output::{answer, say};

/// `man`.
///
/// # Errors
/// When the pages cannot be written.
pub fn man(args: &Args) -> Result<(), Failure> {
    let pages = pages();
    let Some(folder) = &args.out else {
        return pages.iter().try_for_each(|(_, text)| answer(text));
    };
    let fails = |path: &Path, source| Failure::File { path: path.to_owned(), doing: Doing::Write, source };
    fs::create_dir_all(folder).map_err(|e| fails(folder, e))?;
    for (name, text) in &pages {
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, text).map_err(|e| fails(&path, e))?;
    }
    say(&format!("Wrote {} pages to {}.", pages.len(), super::recover::shown(folder)));
    Ok(())
}

/// Name and text of each page: the program's own first, then one for each command and each command of it.
fn pages() -> Vec<(String, String)> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    add(&root, &mut pages);
    pages
}

fn add(command: &Command, pages: &mut Vec<(String, String)>) {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut text = Vec::new();
    // It writes into memory, which takes everything.
    let _ = Man::new(command.clone()).title(name.to_uppercase()).render(&mut text);
    pages.push((name, String::from_utf8_lossy(&text).into_owned()));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        add(below, pages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_of_its_own() {
        let pages = pages();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["otpanel", "otpanel-code", "otpanel-vault", "otpanel-vault-history", "otpanel-man"] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        for (name, text) in &pages {
            assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{name}");
        }
        let code = &pages.iter().find(|(name, _)| name == "otpanel-code").expect("there").1;
        assert!(code.contains("Which account") && code.contains("Examples"), "{code}");
    }
}
