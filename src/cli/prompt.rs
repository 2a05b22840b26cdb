//! Questions to the person at the terminal. Everything is asked on stderr or the terminal itself, never on stdout.

use std::io::{self, IsTerminal, Write};

use super::failure::Failure;
use crate::secret::Secret;
use crate::unlock;

/// Whether somebody can be asked: questions and answers both go through a terminal.
pub fn interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether a password can be typed: the terminal itself is asked, so stdin may be a pipe.
pub fn can_type_secrets() -> bool {
    (io::stdin().is_terminal() || io::stderr().is_terminal()) && has_terminal()
}

#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

#[cfg(not(unix))]
fn has_terminal() -> bool {
    true
}

/// Asks for something that is not shown while it is typed.
///
/// # Errors
/// [`Failure::Terminal`] when the terminal cannot be read, [`Failure::Cancelled`] at its end.
pub fn secret(prompt: &str) -> Result<Secret<String>, Failure> {
    match rpassword::prompt_password(format!("{prompt}: ")) {
        Ok(typed) => Ok(Secret::new(typed)),
        // Ctrl-D: nobody wants to answer.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Failure::Cancelled),
        Err(error) => Err(Failure::Terminal(error)),
    }
}

/// Asks for a new password twice. One that is too short is refused.
///
/// # Errors
/// [`Failure::Terminal`]; [`Failure::ShortPassword`] or [`Failure::PasswordsDiffer`] after three tries.
pub fn new_password(prompt: &str) -> Result<Secret<String>, Failure> {
    let mut last = Failure::ShortPassword;
    for _ in 0..3 {
        let first = secret(prompt)?;
        if unlock::is_short(first.expose()) {
            super::output::say(&format!("At least {} characters; a few words are good.", unlock::SHORTEST_PASSWORD));
            last = Failure::ShortPassword;
            continue;
        }
        if secret("Once more")?.expose() == first.expose() {
            return Ok(first);
        }
        super::output::say("These two differ; try again.");
        last = Failure::PasswordsDiffer;
    }
    Err(last)
}

/// Asks for one line.
///
/// # Errors
/// [`Failure::Terminal`] when the terminal cannot be read, [`Failure::Cancelled`] at its end.
pub fn line(prompt: &str) -> Result<String, Failure> {
    let mut err = io::stderr().lock();
    write!(err, "{prompt} ").and_then(|()| err.flush()).map_err(Failure::Terminal)?;
    let mut text = String::new();
    match io::stdin().read_line(&mut text).map_err(Failure::Terminal)? {
        0 => Err(Failure::Cancelled),
        _ => Ok(text.trim().to_owned()),
    }
}

/// Asks yes or no; Enter alone means `default`.
///
/// # Errors
/// As `line`.
pub fn yes(question: &str, default: bool) -> Result<bool, Failure> {
    let choices = if default { "[Y/n]" } else { "[y/N]" };
    loop {
        match meaning(&line(&format!("{question} {choices}"))?, default) {
            Some(answer) => return Ok(answer),
            None => super::output::say("Type y or n."),
        }
    }
}

fn meaning(answer: &str, default: bool) -> Option<bool> {
    match answer.to_ascii_lowercase().as_str() {
        "" => Some(default),
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clear_answers_count() {
        assert_eq!(meaning("", true), Some(true));
        assert_eq!(meaning("Y", false), Some(true));
        assert_eq!(meaning("no", true), Some(false));
        assert_eq!(meaning("perhaps", true), None);
    }
}
