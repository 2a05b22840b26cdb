//! Copying one code and leaving: the clipboard's holder keeps it for other programs and clears it.

use super::failure::Failure;
use super::output::say;
use super::session::World;
use crate::config::Config;
use crate::otp::code::Code;
use crate::report::{Exit, Report, sentence};
use crate::runtime::clipboard::{ClipboardError, Picture, Surroundings, Way, copy_once, read_image, read_text};
use crate::secret::Secret;
use crate::text::clean;
use crate::transfer::{Import, import_picture};

/// What was found in the clipboard.
pub enum Copied {
    /// Text, which comes first where there are both.
    Text(Secret<String>),
    /// A picture with QR codes, read.
    Picture(Import),
}

/// Reads the clipboard of the window system.
///
/// # Errors
/// When it holds neither text nor a picture with a QR code, or cannot be reached.
pub fn copied() -> Result<Copied, Failure> {
    // Some programs that offer a picture alone answer the question for text with nonsense.
    if let Ok(text) = read_text()
        && !text.expose().trim().is_empty()
    {
        return Ok(Copied::Text(text));
    }
    let Picture { width, height, rgba } = read_image().map_err(|e| Failure::from(unread(&e)))?;
    Ok(Copied::Picture(import_picture(width, height, rgba)?))
}

pub fn unread(error: &ClipboardError) -> Report {
    let next = "Copy the link or the picture again, or give it as a file or on stdin.";
    match error {
        ClipboardError::Empty => Report::new(
            Exit::Failed,
            "The clipboard holds neither text nor a picture",
            "It is empty, or what it holds is of another kind.",
            next,
        ),
        ClipboardError::NoDisplay => Report::new(
            Exit::Failed,
            "There is no clipboard here",
            sentence(&error.to_string()),
            "Give the link or the picture as a file or on stdin; in a terminal, paste it.",
        ),
        other => Report::new(Exit::Failed, "The clipboard cannot be read", sentence(&other.to_string()), next),
    }
}

/// Copies a code and leaves a holder behind that clears it.
///
/// # Errors
/// When copying is off, or no way to a clipboard works.
pub fn leave(world: &World, code: &Code, title: &str) -> Result<(), Failure> {
    let secs = u64::from(world.config.clipboard.clear_secs);
    let text = Secret::new(code.expose().to_owned());
    let method = &world.config.clipboard.method;
    let done = copy_once(&text, secs, method, Surroundings::here()).map_err(|e| Failure::from(report(&e)))?;
    let mut note = format!("{} {}", clean(title), done.copied.describe());
    match &done.to_terminal {
        Some(bytes) => {
            to_terminal(bytes)?;
            note.push_str("; a terminal's clipboard is not cleared by itself");
        }
        None if secs > 0 => note = format!("{note}, cleared in {secs} s if it is still there"),
        None => {}
    }
    say(&note);
    Ok(())
}

/// Writes the escape sequence to the terminal itself, so that a redirected stdout does not swallow it.
#[cfg(unix)]
fn to_terminal(bytes: &Secret<Vec<u8>>) -> Result<(), Failure> {
    use std::io::Write as _;
    let terminal = std::fs::OpenOptions::new().write(true).open("/dev/tty");
    terminal.and_then(|mut t| t.write_all(bytes.expose())).map_err(|_| Failure::from(nowhere()))
}

#[cfg(not(unix))]
fn to_terminal(bytes: &Secret<Vec<u8>>) -> Result<(), Failure> {
    use std::io::Write as _;
    std::io::stderr().write_all(bytes.expose()).map_err(|_| Failure::from(nowhere()))
}

pub fn nowhere() -> Report {
    Report::new(
        Exit::Failed,
        "There is no clipboard here",
        "No window system, no tmux and no terminal can be reached.",
        "Use `otpanel code`, or set clipboard: (method: Command([…])) in the config.",
    )
}

pub fn report(error: &ClipboardError) -> Report {
    match error {
        ClipboardError::Off => Report::new(
            Exit::Failed,
            "Copying is turned off",
            "The config says clipboard: (method: Off).",
            "Use `otpanel code`, or choose another method in the config.",
        ),
        ClipboardError::NoDisplay => nowhere(),
        ClipboardError::Empty | ClipboardError::Native(_) | ClipboardError::Detached | ClipboardError::Program(..) => {
            Report::new(
                Exit::Failed,
                "The code could not be copied",
                sentence(&error.to_string()),
                "`otpanel doctor` tells which ways are here. `otpanel code` prints the code.",
            )
        }
    }
}

/// Which ways a copy would take here, for `doctor`: whether it can be cleared again, and a sentence.
pub fn prospect(config: &Config) -> (bool, String) {
    let (first, second) = Surroundings::here().ways(&config.clipboard.method);
    let ways = if first.is_empty() { second } else { first };
    let names: Vec<String> = ways.iter().map(name).collect();
    match names.as_slice() {
        [] => (true, "off by the config".to_owned()),
        names => {
            let sure = !ways.contains(&Way::Osc52);
            let note = if sure { "" } else { "; whether the terminal obeys cannot be seen, nor can it be read back" };
            (sure, format!("{}{note}", names.join(" and ")))
        }
    }
}

fn name(way: &Way) -> String {
    match way {
        Way::Native => "the window system's".to_owned(),
        Way::Osc52 => "the terminal's (OSC 52)".to_owned(),
        Way::Tmux => "tmux and the terminal behind it".to_owned(),
        Way::Command(command) => format!("your command {}", clean(command.first().map_or("", String::as_str))),
    }
}
