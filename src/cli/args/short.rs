//! The command line of `code`, read by itself. That command runs in scripts, prompts and key bindings, and to build the
//! definitions of all the others takes as long as much else that it does.

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::{Cli, Code, Command, Global};

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
struct Short {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: OnlyCode,
}

#[derive(Debug, Subcommand)]
enum OnlyCode {
    Code(Code),
}

/// The same as [`Cli`] makes of these words where they are a plain `code`; nothing for all else, help and mistakes too.
pub(super) fn read(words: &[OsString]) -> Option<Cli> {
    if !words.iter().any(|word| word == "code") {
        return None;
    }
    let mut command = Short::command();
    let matches = command.try_get_matches_from_mut(words).ok()?;
    let Short { global, command: OnlyCode::Code(code) } = Short::from_arg_matches(&matches).ok()?;
    // As in `parse`.
    std::mem::forget(command);
    Some(Cli { global, command: Some(Command::Code(code)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        std::iter::once("otpanel").chain(line.split_whitespace()).map(OsString::from).collect()
    }

    #[test]
    fn a_plain_code_is_read_as_the_whole_definition_reads_it() {
        for line in [
            "code github",
            "code github --json --next",
            "--vault v --color never code github",
            "code --password-file=- github --profile work --config c",
            "code code",
            "code -- --next",
        ] {
            let short = read(&words(line)).unwrap_or_else(|| panic!("{line}"));
            let whole = Cli::try_parse_from(words(line)).unwrap_or_else(|_| panic!("{line}"));
            assert_eq!(format!("{short:?}"), format!("{whole:?}"), "{line}");
        }
    }

    #[test]
    fn all_else_is_left_to_the_whole_definition() {
        for line in
            ["", "list", "copy code", "code", "code --help", "--version code", "help code", "code a b", "code --nxt a"]
        {
            assert!(read(&words(line)).is_none(), "{line}");
        }
    }
}
