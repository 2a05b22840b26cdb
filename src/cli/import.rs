//! `import`: bringing accounts along. Looks first, asks on a terminal, and applies all files as one step or none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::Import as Args;
use super::clipboard::{Copied, copied};
use super::failure::Failure;
use super::files;
use super::output::{answer, columns, json, say};
use super::prompt;
use super::session::{Session, World, read_password};
use crate::entropy;
use crate::otp::Account;
use crate::otp::account::listed;
use crate::report::{Exit, Report};
use crate::secret::Secret;
use crate::text::{clean, count};
use crate::transfer::plan::{Fate, counts, plan};
use crate::transfer::{Format, Import, ImportError, MAX_FILE, Source, import as read_export, to_json};
use crate::vault::EntryId;
use crate::vault::history::Reason;

/// One file, read.
struct Loaded {
    label: String,
    import: Import,
}

/// What `import --json` prints.
#[derive(Serialize)]
struct Result_<'a> {
    added: usize,
    already_here: usize,
    changed: usize,
    skipped: Vec<SkippedRow<'a>>,
}

#[derive(Serialize)]
struct SkippedRow<'a> {
    name: &'a str,
    reason: &'a str,
}

/// `import`.
///
/// # Errors
/// When a file cannot be read whole, nobody says yes, or the vault cannot be opened or saved. Nothing was added then.
pub fn import(world: &World, args: &Args) -> Result<(), Failure> {
    let format = args.format.as_deref().map(format_named).transpose()?;
    check_stdin(world, args)?;
    let mut password = args.archive_password_file.as_deref().map(|p| read_password(p, "password file")).transpose()?;
    let mut loaded = Vec::new();
    if args.clipboard {
        loaded.push(from_clipboard(format, &mut password)?);
    }
    for path in &args.files {
        loaded.push(load(path, format, &mut password)?);
    }
    if args.dry_run {
        return dry_run(args, &loaded);
    }
    let identity = world.policy.identity_for(args.personal)?;
    let mut session = world.open()?;
    let accounts: Vec<(&Account, Format)> =
        loaded.iter().flat_map(|l| l.import.entries.iter().map(|a| (a, l.import.format))).collect();
    let fates = fates(&session, &loaded);
    let coming = fates.iter().filter(|f| f.comes()).count();
    if !args.yes && prompt::interactive() {
        say(preview(&loaded, Some(&fates)).trim_end());
        let many = count(coming, "account");
        if coming > 0 && !prompt::yes(&format!("Import {many}?"), true)? {
            return Err(Failure::Cancelled);
        }
    }
    if coming > 0 {
        session.edit(world, |state, stamp| {
            let mut added = Vec::with_capacity(coming);
            for ((account, format), _) in accounts.iter().zip(&fates).filter(|(_, fate)| fate.comes()) {
                let id = EntryId(entropy::bytes());
                state.add(id, account, &identity, format.name(), stamp);
                added.push(id);
            }
            state.settle(&added, stamp);
        });
        session.save_before(Reason::Import)?;
        world.tell_whose(&identity);
    }
    tell(args, &loaded, &fates)
}

fn fates(session: &Session, loaded: &[Loaded]) -> Vec<Fate> {
    // One plan over all files, so that an account that stands in two of them comes once.
    let all: Vec<&Account> = loaded.iter().flat_map(|l| &l.import.entries).collect();
    plan(&session.unlocked.state, &all)
}

fn tell(args: &Args, loaded: &[Loaded], fates: &[Fate]) -> Result<(), Failure> {
    let counts = counts(fates);
    let skipped: Vec<SkippedRow<'_>> = loaded
        .iter()
        .flat_map(|l| &l.import.skipped)
        .map(|s| SkippedRow { name: &s.name, reason: &s.reason })
        .collect();
    if args.json {
        let result =
            Result_ { added: counts.added, already_here: counts.already_here, changed: counts.changed, skipped };
        json(&result)?;
        return nothing_usable(fates, result.skipped.len(), None);
    }
    for note in loaded.iter().flat_map(|l| &l.import.notes) {
        say(&format!("otpanel: {}", clean(note)));
    }
    nothing_usable(fates, skipped.len(), Some(&skipped))?;
    let mut parts = vec![format!("added {}", counts.added + counts.changed)];
    if counts.already_here > 0 {
        parts.push(format!("already here {}", counts.already_here));
    }
    if !skipped.is_empty() {
        parts.push(format!("skipped {}", skipped.len()));
    }
    answer(&format!("{}\n", parts.join(", ")))?;
    for s in &skipped {
        say(&format!("  skipped {}: {}", clean(s.name), clean(s.reason)));
    }
    if counts.changed > 0 {
        say(&format!(
            "  {} of the new ones have a secret that was here under another name; both are kept",
            counts.changed
        ));
    }
    Ok(())
}

/// An import of which nothing at all could be used has failed.
fn nothing_usable(fates: &[Fate], skipped: usize, why: Option<&[SkippedRow<'_>]>) -> Result<(), Failure> {
    if !fates.is_empty() || skipped == 0 {
        return Ok(());
    }
    let mut cause = match why {
        Some(rows) => rows
            .iter()
            .take(20)
            .map(|s| format!("{}: {}", clean(s.name), clean(s.reason)))
            .collect::<Vec<_>>()
            .join("\n"),
        None => "The reasons stand in the answer.".to_owned(),
    };
    if skipped > 20 && why.is_some() {
        let _ = write!(cause, "\nand {} more", skipped - 20);
    }
    let next = "Export again from where it came, or enrol these accounts anew. Nothing was changed.";
    let problem = "Nothing in it could be imported";
    Err(Failure::Told(Box::new(Report::new(Exit::Failed, problem, cause, next))))
}

fn dry_run(args: &Args, loaded: &[Loaded]) -> Result<(), Failure> {
    if !args.json {
        return answer(&preview(loaded, None));
    }
    let imports: Vec<&Import> = loaded.iter().map(|l| &l.import).collect();
    answer(to_json(&imports).expose().trim_end())?;
    answer("\n")
}

/// The lines of a preview: what was recognised, what becomes of each account, what cannot come and why.
fn preview(loaded: &[Loaded], fates: Option<&[Fate]>) -> String {
    let mut text = String::new();
    let mut at = 0;
    for l in loaded {
        let import = &l.import;
        let mine = fates.map(|f| &f[at..at + import.entries.len()]);
        at += import.entries.len();
        let total = import.entries.len() + import.skipped.len();
        let _ = writeln!(text, "{}: {}, {total} {}", clean(&l.label), import.format.name(), entries(total));
        let mut rows = Vec::new();
        for (i, account) in import.entries.iter().enumerate() {
            let word = match mine.map(|m| m[i]) {
                None => "ok",
                Some(Fate::New) => "new",
                Some(Fate::Differs(_)) => "differs",
                Some(Fate::Here(_)) => "here",
                Some(Fate::Twice) => "twice",
            };
            let (issuer, name) = listed(&account.issuer, &account.account);
            rows.push(vec![format!("  {word}"), issuer, name, shape(account)]);
        }
        for s in &import.skipped {
            rows.push(vec![
                "  cannot".to_owned(),
                clean(&s.name).into_owned(),
                String::new(),
                clean(&s.reason).into_owned(),
            ]);
        }
        text.push_str(&columns(&rows));
        for note in &import.notes {
            let _ = writeln!(text, "  note: {}", clean(note));
        }
    }
    text
}

fn entries(n: usize) -> &'static str {
    if n == 1 { "entry" } else { "entries" }
}

/// The kind, and what is unusual about it.
fn shape(account: &Account) -> String {
    use crate::otp::{Algorithm, Kind};
    let mut parts = vec![account.kind.name().to_owned()];
    if let Kind::Totp { algorithm, digits, .. } | Kind::Hotp { algorithm, digits, .. } = &account.kind {
        if *algorithm != Algorithm::Sha1 {
            parts.push(algorithm.title().to_owned());
        }
        if digits.get() != 6 {
            parts.push(format!("{} digits", digits.get()));
        }
    }
    if let Kind::Totp { period, .. } = &account.kind
        && period.secs() != 30
    {
        parts.push(format!("{} s", period.secs()));
    }
    parts.join(", ")
}

fn format_named(id: &str) -> Result<Format, Failure> {
    Format::parse(id).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|f| f.id()).collect();
        Failure::usage(
            format!("`{id}` is no format"),
            format!("Leave --format out, or give one of these:\n{}", known.join(" ")),
        )
    })
}

fn check_stdin(world: &World, args: &Args) -> Result<(), Failure> {
    let stdin = Path::new("-");
    let readers = usize::from(world.password_on_stdin() && !args.dry_run)
        + usize::from(args.archive_password_file.as_deref() == Some(stdin))
        + args.files.iter().filter(|f| *f == stdin).count();
    if readers > 1 {
        return Err(Failure::usage(
            "Stdin can be read only once, and is named more than once",
            "Put the password or the export into a file and name that.",
        ));
    }
    Ok(())
}

/// What the clipboard holds: text is read as a file would be, a picture has been read already.
fn from_clipboard(format: Option<Format>, password: &mut Option<Secret<String>>) -> Result<Loaded, Failure> {
    let label = "the clipboard".to_owned();
    match copied()? {
        Copied::Text(text) => open(text.expose().as_bytes(), None, label, format, password),
        Copied::Picture(import) => Ok(Loaded { label, import }),
    }
}

/// Reads and opens one export; asks for its password on a terminal.
fn load(path: &PathBuf, format: Option<Format>, password: &mut Option<Secret<String>>) -> Result<Loaded, Failure> {
    let stdin = path == Path::new("-");
    if stdin && prompt::interactive() {
        say("Paste the links, then press Ctrl-D.");
    }
    // One byte more than is allowed: the import refuses it with the limit.
    let bytes = files::read(path, MAX_FILE as u64 + 1)?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let label = if stdin { "stdin".to_owned() } else { path.display().to_string() };
    open(bytes.expose(), name.as_deref().filter(|_| !stdin), label, format, password)
}

fn open(
    bytes: &[u8],
    name: Option<&str>,
    label: String,
    format: Option<Format>,
    password: &mut Option<Secret<String>>,
) -> Result<Loaded, Failure> {
    let mut tries = 3;
    loop {
        let source = Source { bytes, name, password: password.as_ref(), format, wal: None, key_file: None };
        let asked = match read_export(source) {
            Ok(import) => return Ok(Loaded { label, import }),
            Err(ImportError::PasswordNeeded(_) | ImportError::MaybeEncrypted) if prompt::can_type_secrets() => {
                format!("Password of {}", clean(&label))
            }
            Err(ImportError::WrongPassword(_) | ImportError::NothingFits)
                if prompt::can_type_secrets() && tries > 0 =>
            {
                format!("That does not open it. Password of {}", clean(&label))
            }
            Err(e) => return Err(Failure::Told(Box::new(named(Report::from(e), &label)))),
        };
        tries -= 1;
        *password = Some(prompt::secret(&asked)?);
    }
}

/// The report with the file's name, since several may have been given.
fn named(mut report: Report, label: &str) -> Report {
    report.problem = format!("{}: {}", clean(label), report.problem);
    report
}
