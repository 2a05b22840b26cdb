//! `list`, `code`, `copy`: looking at accounts and their codes.

use std::io::{self, IsTerminal as _};

use serde::Serialize;

use super::args::{Code as CodeArgs, CopyCode, List};
use super::failure::Failure;
use super::found::{Codes, Found, Pair, chosen, tell};
use super::output::{WIDEST, answer, columns, json};
use super::query::{self, Named, Sureness};
use super::quick;
use super::session::{Session, World};
use crate::local::Local;
use crate::otp::account::{listed, title};
use crate::otp::code::hotp_code;
use crate::otp::{Account, Kind};
use crate::policy::organisation;
use crate::report::{Exit, Report};
use crate::text::{clean, collated, fit};
use crate::time::UnixTime;
use crate::vault::history::Reason;
use crate::vault::{Entry, EntryId, Unusable};

/// How many candidates of an ambiguous query are named.
const CANDIDATES: usize = 20;

/// One row of `list --json`.
#[derive(Serialize)]
struct Row<'a> {
    id: String,
    r#type: &'a str,
    issuer: &'a str,
    account: &'a str,
    tags: Vec<&'a str>,
    favourite: bool,
    identity: &'a str,
    digits: Option<u8>,
    period: Option<u64>,
    #[serde(flatten)]
    codes: Option<Codes<'a>>,
}

/// `list`.
///
/// # Errors
/// When the vault does not open or the answer cannot be written.
pub fn list(world: &World, args: &List) -> Result<(), Failure> {
    let session = world.open()?;
    let state = &session.unlocked.state;
    let mut entries: Vec<&Entry> = if args.trash { state.trashed().collect() } else { state.live().collect() };
    if let Some(text) = &args.query {
        let names: Vec<Named<'_>> = entries.iter().map(|e| Named::from(*e)).collect();
        let found = query::find(text, &names);
        if found.places.is_empty() {
            return Err(Failure::NotFound { query: text.clone(), trash: args.trash });
        }
        entries = found.places.iter().map(|&i| entries[i]).collect();
    }
    entries.sort_by_cached_key(|e| (collated(e.issuer()), collated(e.name()), e.id));
    if args.codes {
        session.warn_of_clock(world);
    }
    let pairs: Vec<Option<Pair>> = entries
        .iter()
        .map(|e| args.codes.then(|| e.account().ok()).flatten().map(|a| Pair::of(&a, world.now)))
        .collect();
    if args.json {
        let rows: Vec<Row<'_>> = entries
            .iter()
            .zip(&pairs)
            .map(|(entry, pair)| Row {
                id: entry.id.to_string(),
                r#type: entry.kind_name(),
                issuer: entry.issuer(),
                account: entry.name(),
                tags: entry.tags().collect(),
                favourite: entry.favourite(),
                identity: entry.identity(),
                digits: entry.kind().ok().map(|k| k.digits()),
                period: entry.kind().ok().and_then(|k| k.period()),
                codes: args.codes.then(|| pair.as_ref().map(Pair::view).unwrap_or_default()),
            })
            .collect();
        return json(&rows);
    }
    let managed = entries.iter().any(|e| organisation(e.identity()).is_some());
    let mut rows: Vec<Vec<String>> =
        entries.iter().zip(&pairs).map(|(e, p)| text_row(e, p.as_ref(), args.codes, managed)).collect();
    // For eyes a name is cut, for a program never.
    if io::stdout().is_terminal() {
        for name in rows.iter_mut().flat_map(|row| row.iter_mut().take(2)) {
            *name = fit(name, WIDEST).into_owned();
        }
    }
    answer(&columns(&rows))
}

fn text_row(entry: &Entry, pair: Option<&Pair>, codes: bool, managed: bool) -> Vec<String> {
    let (issuer, account) = listed(entry.issuer(), entry.name());
    let mut row = vec![issuer, account];
    if codes {
        match pair {
            Some(Pair { code: Some(code), remaining: Some(secs), .. }) => {
                row.extend([code.expose().to_owned(), format!("{secs}s")]);
            }
            Some(_) => row.extend(["(by counter)".to_owned(), String::new()]),
            None if entry.is_name_only() => row.extend(["(enrol again)".to_owned(), String::new()]),
            None => row.extend(["(makes no codes here)".to_owned(), String::new()]),
        }
    }
    if !codes && entry.is_name_only() {
        row.push("(enrol again)".to_owned());
    }
    if managed {
        row.push(organisation(entry.identity()).map_or_else(String::new, |name| format!("[{}]", clean(name))));
    }
    let tags: Vec<String> = entry.tags().map(|t| format!("+{}", clean(t))).collect();
    row.push(tags.join(" "));
    row
}

/// `code`.
///
/// # Errors
/// When the vault does not open, not exactly one account matches, or the counter of an HOTP account cannot be saved.
pub fn code(world: &World, args: &CodeArgs) -> Result<(), Failure> {
    if let Some(done) = quick::code(world, args) {
        return done;
    }
    let mut session = world.open()?;
    let id = pick(&session, &args.query, Sureness::Fuzzy)?;
    session.warn_of_clock(world);
    let account = account_of(&session, id)?;
    let pair = codes_of(world, &mut session, id, &account)?;
    tell(args, &Found { id, account, pair })
}

/// `copy`.
///
/// # Errors
/// As [`code`], and when no way to a clipboard works.
pub fn copy(world: &World, args: &CopyCode) -> Result<(), Failure> {
    let mut session = world.open()?;
    let id = pick(&session, &args.query, Sureness::Fuzzy)?;
    session.warn_of_clock(world);
    let account = account_of(&session, id)?;
    let pair = codes_of(world, &mut session, id, &account)?;
    let shown = chosen(&pair, args.next)?;
    super::clipboard::leave(world, shown, &account.title())?;
    // Counted as the panel counts it. Where no state is kept, nothing is.
    if let Ok(mut local) = Local::open(&world.paths.state_dir) {
        local.note_use(&session.unlocked.vault_id().to_string(), &id.to_string(), UnixTime::now().0);
        if let Err(error) = local.save() {
            tracing::warn!(%error, "a use is not kept");
        }
    }
    Ok(())
}

/// The codes of one account. That of an HOTP account is used up: its counter is saved before anything is shown.
fn codes_of(world: &World, session: &mut Session, id: EntryId, account: &Account) -> Result<Pair, Failure> {
    if !matches!(account.kind, Kind::Hotp { .. }) {
        return Ok(Pair::of(account, world.now));
    }
    world.tell_of_policy();
    // Taken where no other program can take the same: under the save's lock, from what the file says then.
    let device = session.stamp(world).device;
    let mut counter = None;
    session.save_changing(Reason::Save, &mut |vault| {
        counter = vault.take_counter(id, UnixTime::now(), device);
        Ok(())
    })?;
    let Some(counter) = counter else {
        return Err(Report::new(
            Exit::Failed,
            "Its counter is used up",
            "It stands at the last number that there is.",
            "Where the site can begin anew, so can it here: `otpanel edit QUERY --counter 0`.",
        )
        .into());
    };
    Ok(Pair { code: hotp_code(account, counter), next: None, remaining: None })
}

/// The one live account that a query names.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Ambiguous`], or [`Failure::Unsure`] when it was found less surely than `least`.
pub fn pick(session: &Session, text: &str, least: Sureness) -> Result<EntryId, Failure> {
    one_of(session.unlocked.state.live(), text, least, false)
}

/// The one account of the trash that a query names.
///
/// # Errors
/// As [`pick`].
pub fn pick_trashed(session: &Session, text: &str) -> Result<EntryId, Failure> {
    one_of(session.unlocked.state.trashed(), text, Sureness::Fuzzy, true)
}

/// The one account of the list or the trash that a query names.
///
/// # Errors
/// As [`pick`].
pub fn pick_any(session: &Session, text: &str, least: Sureness) -> Result<EntryId, Failure> {
    let state = &session.unlocked.state;
    one_of(state.live().chain(state.trashed()), text, least, false)
}

fn one_of<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    text: &str,
    least: Sureness,
    trash: bool,
) -> Result<EntryId, Failure> {
    let names: Vec<Named<'_>> = entries.map(Named::from).collect();
    let found = query::find(text, &names);
    match found.places.as_slice() {
        [] => Err(Failure::NotFound { query: text.to_owned(), trash }),
        [one] if found.sureness <= least => Ok(names[*one].id),
        [one] => {
            Err(Failure::Unsure { query: text.to_owned(), candidate: title(names[*one].issuer, names[*one].account) })
        }
        many => Err(Failure::Ambiguous {
            query: text.to_owned(),
            candidates: many.iter().take(CANDIDATES).map(|&i| candidate(&names[i])).collect(),
            more: many.len().saturating_sub(CANDIDATES),
        }),
    }
}

fn candidate(named: &Named<'_>) -> String {
    format!("{}  {}", named.id, title(named.issuer, named.account))
}

/// The account of an entry, ready to make codes.
///
/// # Errors
/// [`Failure::Unusable`] with the reason, or [`Failure::EnrolAgain`].
pub fn account_of(session: &Session, id: EntryId) -> Result<Account, Failure> {
    let entry = session.entry(id);
    let name = || title(entry.issuer(), entry.name());
    entry.account().map_err(|why| match why {
        Unusable::NameOnly => Failure::EnrolAgain { name: name() },
        why => Failure::Unusable { name: name(), reason: why.to_string() },
    })
}
