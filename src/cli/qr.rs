//! `qr`, and what other commands draw: QR codes on the terminal and as pictures.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use super::args::Qr as Args;
use super::codes::{account_of, pick};
use super::failure::Failure;
use super::goal::{Goal, goal, write};
use super::output::{answer, say};
use super::prompt;
use super::query::Sureness;
use super::session::World;
use crate::otp::Kind;
use crate::otp::account::title;
use crate::secret::Secret;
use crate::text::clean;
use crate::transfer::qr::{Grid, of};

/// Columns of a terminal that does not tell its width.
const USUAL_COLUMNS: usize = 80;

/// `qr`.
///
/// # Errors
/// When not one account is named for sure, nobody says yes, or the picture cannot be written.
pub fn qr(world: &World, args: &Args) -> Result<(), Failure> {
    let session = world.open()?;
    // A secret that nobody meant must not be shown.
    let id = pick(&session, &args.query, Sureness::Part)?;
    let entry = session.entry(id);
    world.policy.may_leave([(entry.identity(), title(entry.issuer(), entry.name()))].into_iter())?;
    let account = account_of(&session, id)?;
    let title = clean(&account.title()).into_owned();
    if matches!(account.kind, Kind::Motp { .. } | Kind::Yandex { .. }) {
        say("otpanel: few apps know codes of this kind, and the picture does not hold the PIN.");
    }
    let grid = of(&account).ok_or_else(|| too_long(&title))?;
    let sources = [(format!("{title}:"), grid)];
    show(&sources, args.out.as_deref(), args.yes, &format!("Show the secret of {title} as a QR code?"))
}

fn too_long(title: &str) -> Failure {
    Failure::usage(
        format!("{title} does not fit a QR code"),
        "Its names are too long: shorten them with `otpanel edit`.",
    )
}

/// Draws codes under their headings, or writes them as pictures; asks first.
///
/// # Errors
/// When nobody says yes or a picture cannot be written; pictures before it stay.
pub fn show(grids: &[(String, Grid)], out: Option<&Path>, yes: bool, question: &str) -> Result<(), Failure> {
    let Some(out) = out.filter(|path| *path != Path::new("-")) else { return draw(grids, yes, question) };
    let goals = names(out, grids.len()).iter().map(|path| goal(Some(path), yes)).collect::<Result<Vec<_>, _>>()?;
    for (goal, (_, grid)) in goals.iter().zip(grids) {
        write(goal, grid.png().expose())?;
        if let Goal::New(path) | Goal::Over(path) | Goal::Into(path) = goal {
            say(&format!("Wrote {}.", clean(&path.display().to_string())));
        }
    }
    say("otpanel: the secret lies open in it. Whoever sees it can make the codes; delete it after use.");
    Ok(())
}

/// `codes.png` for one; `codes-1.png`, `codes-2.png` for more.
fn names(out: &Path, count: usize) -> Vec<PathBuf> {
    if count == 1 {
        return vec![out.to_owned()];
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = out.extension().map_or("png".into(), |e| e.to_string_lossy().into_owned());
    (1..=count).map(|n| out.with_file_name(format!("{stem}-{n}.{ending}"))).collect()
}

fn draw(grids: &[(String, Grid)], yes: bool, question: &str) -> Result<(), Failure> {
    let terminal = io::stdout().is_terminal();
    if !yes {
        if !prompt::interactive() {
            return Err(Failure::NeedsYes { what: "Showing a secret".to_owned() });
        }
        if !prompt::yes(question, false)? {
            return Err(Failure::Cancelled);
        }
    }
    let widest = grids.iter().map(|(_, grid)| grid.columns()).max().unwrap_or(0);
    if terminal && widest > columns() {
        say(&format!(
            "otpanel: this window is too narrow for the code: {widest} columns are needed. Or use --out FILE."
        ));
    }
    let mut text = Secret::new(String::new());
    for (heading, grid) in grids {
        let text = text.expose_mut();
        if grids.len() > 1 || terminal {
            let _ = writeln!(text, "{heading}");
        }
        for line in grid.lines() {
            // White on black on every terminal, whatever its colours.
            let _ = if terminal { writeln!(text, "\x1b[97;40m{line}\x1b[0m") } else { writeln!(text, "{line}") };
        }
    }
    answer(text.expose())
}

/// The terminal's width, as far as stdout is one.
pub fn columns() -> usize {
    #[cfg(unix)]
    let told = rustix::termios::tcgetwinsize(io::stdout()).map(|size| usize::from(size.ws_col)).ok();
    #[cfg(not(unix))]
    let told = None;
    told.filter(|columns| *columns > 0).unwrap_or(USUAL_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_pictures_are_numbered_beside_each_other() {
        assert_eq!(names(Path::new("a/codes.png"), 1), [Path::new("a/codes.png")]);
        assert_eq!(names(Path::new("a/codes.png"), 2), [Path::new("a/codes-1.png"), Path::new("a/codes-2.png")]);
        assert_eq!(names(Path::new("codes"), 2)[1], Path::new("codes-2.png"));
    }
}
