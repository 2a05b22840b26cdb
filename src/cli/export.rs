//! `export`: accounts as another authenticator's file, for their owner alone, and never over a file without a yes.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::args::Export as Args;
use super::failure::Failure;
use super::goal::{Goal, goal, write};
use super::output::say;
use super::prompt;
use super::query::{self, Named, Sureness};
use super::session::{Session, World, read_password};
use crate::otp::Account;
use crate::otp::account::title;
use crate::policy::organisation;
use crate::runtime::export::random;
use crate::secret::Secret;
use crate::text::{clean, collated, count};
use crate::transfer::export::{Sealing, sealing};
use crate::transfer::qr;
use crate::transfer::{ExportError, Exported, Format, export as write_export};
use crate::vault::Entry;
use crate::vault::view::accounts_of;

/// `export`.
///
/// # Errors
/// When the format, the password and the accounts do not go together, nobody says yes, the vault does not open, or the
/// file cannot be written. No file was made or changed then.
pub fn export(world: &World, args: &Args) -> Result<(), Failure> {
    let format = Format::parse(&args.format).and_then(|format| sealing(format).map(|sealing| (format, sealing)));
    let (format, sealing) = match (format, Format::parse(&args.format)) {
        (Some(known), _) => known,
        (None, Some(format)) => return Err(ExportError::NotWritten(format).into()),
        (None, None) => {
            let known: Vec<&str> = crate::transfer::export::written().map(Format::id).collect();
            let next = format!("Give one of these:\n{}", known.join(" "));
            return Err(Failure::usage(format!("`{}` is no format", args.format), next));
        }
    };
    if world.password_on_stdin() && args.archive_password_file.as_deref() == Some(Path::new("-")) {
        return Err(Failure::usage(
            "Stdin can be read only once, and is named twice",
            "Put one of the passwords into a file and name that.",
        ));
    }
    if args.qr && !matches!(format, Format::GoogleMigration | Format::UriList) {
        return Err(Failure::usage(
            format!("{} files are not shown as QR codes", format.name()),
            "Use --format google for Google Authenticator, --format otpauth for one code for each account.",
        ));
    }
    let goal = if args.qr { Goal::Stdout } else { goal(args.out.as_deref(), args.yes)? };
    let given = args.archive_password_file.as_deref().map(|p| read_password(p, "password file")).transpose()?;
    if given.as_ref().is_some_and(|p| p.expose().is_empty()) {
        return Err(Failure::EmptyPassword { least: 1 });
    }
    match (sealing, &given) {
        (Sealing::Never, Some(_)) => return Err(ExportError::NeverSealed(format).into()),
        (Sealing::Always, None) if !prompt::can_type_secrets() => {
            return Err(ExportError::PasswordNeeded(format).into());
        }
        _ => {}
    }
    let session = world.open()?;
    let (accounts, unusable) = chosen(world, &session, args)?;
    let password = match given {
        None if sealing != Sealing::Never => ask_password(args, sealing)?,
        given => given,
    };
    let open = password.is_none();
    let mut random = random;
    let exported = write_export(format, &accounts, password.as_ref(), &mut random)?;
    if args.qr {
        tell(&goal, format, open, &exported, &unusable);
        return as_codes(args, format, &accounts, &exported, &mut random);
    }
    if open && matches!(goal, Goal::Stdout) && !args.yes && io::stdout().is_terminal() {
        let what = format!("Show {} in clear on this terminal?", secrets(exported.count));
        if !prompt::interactive() {
            return Err(Failure::NeedsYes { what: "Showing secrets on a terminal".to_owned() });
        }
        if !prompt::yes(&what, false)? {
            return Err(Failure::Cancelled);
        }
    }
    write(&goal, exported.bytes.expose())?;
    tell(&goal, format, open, &exported, &unusable);
    Ok(())
}

/// Asks for the password of a format that can be sealed, where somebody can answer.
fn ask_password(args: &Args, sealing: Sealing) -> Result<Option<Secret<String>>, Failure> {
    if sealing == Sealing::Always {
        return prompt::new_password("New password of the export").map(Some);
    }
    if args.yes || !prompt::interactive() {
        return Ok(None);
    }
    if prompt::yes("Seal the export with a password?", true)? {
        return prompt::new_password("New password of the export").map(Some);
    }
    Ok(None)
}

/// The accounts that any of the queries names, or all, sorted by their names; and the names of those without codes here.
/// Refused whole where the policy lets one of them not leave.
#[expect(clippy::type_complexity, reason = "said once, here")]
fn chosen(world: &World, session: &Session, args: &Args) -> Result<(Vec<Account>, Vec<(String, String)>), Failure> {
    let wanted = |entry: &&Entry| !args.personal || organisation(entry.identity()).is_none();
    let mut entries: Vec<&Entry> = session.unlocked.state.live().filter(wanted).collect();
    let queries = &args.query;
    if !queries.is_empty() {
        let names: Vec<Named<'_>> = entries.iter().map(|e| Named::from(*e)).collect();
        let mut places = Vec::new();
        for text in queries {
            let found = query::find(text, &names);
            match found.places.first() {
                None => return Err(Failure::NotFound { query: text.clone(), trash: false }),
                // Secrets that nobody meant must not leave.
                Some(&first) if found.sureness == Sureness::Fuzzy => {
                    let candidate = title(names[first].issuer, names[first].account);
                    return Err(Failure::Unsure { query: text.clone(), candidate });
                }
                Some(_) => places.extend(found.places),
            }
        }
        places.sort_unstable();
        places.dedup();
        entries = places.into_iter().map(|i| entries[i]).collect();
    }
    entries.sort_by_cached_key(|e| (collated(e.issuer()), collated(e.name()), e.id));
    world.policy.may_leave(entries.iter().map(|e| (e.identity(), title(e.issuer(), e.name()))))?;
    Ok(accounts_of(entries))
}

/// Shows an export of links as QR codes.
fn as_codes(
    args: &Args,
    format: Format,
    accounts: &[Account],
    exported: &Exported,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<(), Failure> {
    let columns = args.out.is_none().then(super::qr::columns);
    let grids: Vec<qr::Grid> = if format == Format::GoogleMigration {
        qr::migration(accounts, columns, random)
    } else {
        let text = String::from_utf8_lossy(exported.bytes.expose());
        text.lines().filter_map(qr::grid).collect()
    };
    let n = grids.len();
    let named = grids.into_iter().enumerate().map(|(i, grid)| (format!("{} of {n}:", i + 1), grid)).collect::<Vec<_>>();
    let question = format!("Show {} as QR codes?", secrets(exported.count));
    super::qr::show(&named, args.out.as_deref(), args.yes, &question)
}

fn secrets(n: usize) -> String {
    count(n, "secret")
}

/// Says on stderr what became of the accounts, and what lies open.
fn tell(goal: &Goal, format: Format, open: bool, exported: &Exported, unusable: &[(String, String)]) {
    let n = exported.count;
    let many = count(n, "account");
    let to = match goal {
        Goal::Stdout => String::new(),
        Goal::New(path) | Goal::Over(path) | Goal::Into(path) => {
            format!(" to {}", clean(&path.display().to_string()))
        }
    };
    let sealed = if open { "not sealed" } else { "sealed" };
    say(&format!("Exported {many}{to} ({}, {sealed}).", format.name()));
    for (name, reason) in unusable {
        say(&format!("  left out {}: {}", clean(name), clean(reason)));
    }
    for one in &exported.left_out {
        say(&format!("  left out {}: {}", clean(&one.name), one.reason));
    }
    for what in &exported.lost {
        say(&format!("  the format does not hold {what}"));
    }
    if open {
        say("otpanel: every secret in it lies open. Whoever reads it can make the codes; delete it after use.");
    }
}
