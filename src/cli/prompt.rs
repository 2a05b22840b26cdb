//! Questions to the person at the terminal. Everything is asked on stderr or the terminal itself, never on stdout.

use std::io::{self, IsTerminal, Write};

use super::failure::Failure;
use crate::secret::Secret;

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
/// [`Failure::Terminal`] when the terminal cannot be read.
pub fn secret(prompt: &str) -> Result<Secret<String>, Failure> {
    rpassword::prompt_password(format!("{prompt}: ")).map(Secret::new).map_err(Failure::Terminal)
}

/// Asks for a new password twice. An empty one is refused.
///
/// # Errors
/// [`Failure::Terminal`]; [`Failure::EmptyPassword`] or [`Failure::PasswordsDiffer`] after three tries.
pub fn new_password(prompt: &str) -> Result<Secret<String>, Failure> {
    let mut last = Failure::EmptyPassword;
    for _ in 0..3 {
        let first = secret(prompt)?;
        if first.expose().is_empty() {
            super::output::say("An empty password protects nothing; type at least one character.");
            last = Failure::EmptyPassword;
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
