//! What the commands write: the answer to stdout, everything else to stderr.
//!
//! Names that came from elsewhere are cleaned before they are written as text; JSON keeps the stored value, since its
//! own escaping makes it harmless.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use super::args::Color;
use super::failure::Failure;
use crate::report::Report;
use crate::secret::Secret;

/// Writes a piece of the answer to stdout.
///
/// # Errors
/// [`Failure::Silent`] when the reader has gone, [`Failure::Stdout`] for anything else.
pub fn answer(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Err(Failure::Silent),
        Err(e) => Err(Failure::Stdout(e)),
    }
}

/// Writes a value to stdout as one line of JSON, in which no name can act on a terminal.
///
/// # Errors
/// As [`answer`].
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).expect("our own shapes have string keys and no failing parts");
    let text = Secret::new(text);
    let mut safe = Secret::new(crate::text::json(text.expose()).into_owned());
    safe.expose_mut().push('\n');
    answer(safe.expose())
}

/// Tells the user something beside the answer, on stderr. Nobody listening is no failure.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How reports and questions may look on stderr.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether colour is wanted.
    pub colour: bool,
}

impl Style {
    /// Decides by the option, the terminal and `NO_COLOR`.
    pub fn of(choice: Color) -> Self {
        let colour = match choice {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                io::stderr().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                    && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
            }
        };
        Self { colour }
    }
}

/// A report as three short paragraphs: what happened, why, what to do.
pub fn format(report: &Report, style: Style) -> String {
    let (bold, dim, off) = if style.colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let mut text = format!("otpanel: {bold}{}{off}\n", report.problem);
    for (label, body) in [("why", &report.cause), (" do", &report.next)] {
        let mut lines = body.lines();
        if let Some(first) = lines.next() {
            let _ = writeln!(text, "  {dim}{label}:{off} {first}");
        }
        for line in lines {
            let _ = writeln!(text, "       {line}");
        }
    }
    text
}

/// Prints a report to stderr.
pub fn complain(report: &Report, style: Style) {
    let _ = io::stderr().lock().write_all(format(report, style).as_bytes());
}

/// The widest that a column grows; one name of some thousand letters would else push every line off the screen.
pub const WIDEST: usize = 40;

/// Columns of text, each as wide as its widest cell up to [`WIDEST`], two blanks between; the last column is not padded.
/// A wider cell stands whole and pushes the rest of its own line.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |c: usize| rows.iter().filter_map(move |r| r.get(c)).map(|t| crate::text::width(t));
    let widths: Vec<usize> = (0..count).map(|c| wide(c).filter(|w| *w <= WIDEST).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(crate::text::width(cell)) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Exit;

    fn report() -> Report {
        Report::new(Exit::Failed, "The password is wrong", "No key opened.", "Try again.\nOr not.")
    }

    #[test]
    fn a_report_is_three_plain_paragraphs() {
        assert_eq!(
            format(&report(), Style { colour: false }),
            "otpanel: The password is wrong\n  why: No key opened.\n   do: Try again.\n       Or not.\n"
        );
    }

    #[test]
    fn columns_line_up_by_width_and_leave_no_blanks_at_the_end() {
        let rows = vec![vec!["日本".to_owned(), "x".to_owned()], vec!["abcde".to_owned(), "y".to_owned()]];
        assert_eq!(columns(&rows), "日本   x\nabcde  y\n");
    }

    #[test]
    fn one_very_long_cell_stands_whole_and_pads_no_other_line() {
        let long = "x".repeat(3000);
        let row = |name: &str| vec![name.to_owned(), "y".to_owned()];
        assert_eq!(columns(&[row("ab"), row(&long)]), format!("ab  y\n{long}  y\n"));
    }
}
