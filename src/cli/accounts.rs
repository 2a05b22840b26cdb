//! `edit`, `rm`, `restore`, `tag`: changing accounts.

use super::args::{Edit, Owner, Remove, Restore, Settings, Tag};
use super::codes::{account_of, pick, pick_any, pick_trashed};
use super::failure::Failure;
use super::output::{answer, say};
use super::prompt;
use super::query::Sureness;
use super::session::{Session, World};
use crate::entropy;
use crate::otp::{Algorithm, Digits, Kind, Period, uri};
use crate::policy::organisation;
use crate::report::{Exit, Report};
use crate::text::{clean, is_blank};
use crate::vault::{EntryId, Value, field};

/// `edit`.
///
/// # Errors
/// When not exactly one account matches, a value cannot be, or the vault cannot be opened or saved.
pub fn edit(world: &World, args: &Edit) -> Result<(), Failure> {
    let mut changes = changes(&args.settings)?;
    if let Some(favourite) = args.favourite {
        changes.push((field::FAVOURITE, Value::Flag(favourite)));
    }
    if let Some(to) = args.move_to {
        if !changes.is_empty() || args.settings.counter.is_some() {
            return Err(Failure::usage("--move-to stands alone", "Move the account first, then change it."));
        }
        return move_to(world, args, to);
    }
    if changes.is_empty() && args.settings.counter.is_none() {
        return Err(Failure::usage(
            "There is nothing to change",
            "Say what: --issuer, --account, --note, --favourite yes, …",
        ));
    }
    let mut session = world.open()?;
    let id = pick(&session, &args.query, Sureness::Part)?;
    fits(&session, id, &args.settings)?;
    stays_named(&session, id, &args.settings)?;
    let name = session.name(id);
    let counter = args.settings.counter;
    let changed = session.edit(world, |state, stamp| {
        let mut any = false;
        for (name, value) in changes {
            any |= state.set(id, name, value, stamp);
        }
        if counter.is_some_and(|n| state.reset_counter(id, n)) {
            state.note(stamp);
            any = true;
        }
        any
    });
    if counter.is_some_and(|n| session.unlocked.state.get(&id).is_some_and(|entry| entry.counter.next != n)) {
        return Err(Report::new(
            Exit::Failed,
            "Its counter cannot be set any more",
            "It was set as often as the vault can count.",
            "Move it to the trash and add the account again with the same secret.",
        )
        .into());
    }
    if changed {
        session.save()?;
        say(&format!("Changed {}.", clean(&name)));
    } else {
        say(&format!("{} is like that already.", clean(&name)));
    }
    Ok(())
}

/// `edit --move-to`: a new entry there and a purge here.
fn move_to(world: &World, args: &Edit, to: Owner) -> Result<(), Failure> {
    if !args.yes && !prompt::interactive() {
        return Err(Failure::NeedsYes { what: "Moving an account".to_owned() });
    }
    let mut session = world.open()?;
    let id = pick(&session, &args.query, Sureness::Part)?;
    let name = clean(&session.name(id)).into_owned();
    let entry = session.entry(id);
    let identity = world.policy.may_move(entry.identity(), to == Owner::Personal)?;
    if entry.identity() == identity {
        say(&format!("{name} is there already."));
        return Ok(());
    }
    let whose = match organisation(&identity) {
        Some(organisation) => format!("an account of {}, whose rules then hold for it", clean(organisation)),
        None => "a personal account".to_owned(),
    };
    if !args.yes && !prompt::yes(&format!("Make {name} {whose}?"), false)? {
        return Err(Failure::Cancelled);
    }
    let fresh = EntryId(entropy::bytes());
    session.edit(world, |state, stamp| state.move_to(id, fresh, &identity, stamp));
    session.save()?;
    say(&format!("{name} is {whose} now."));
    Ok(())
}

fn changes(settings: &Settings) -> Result<Vec<(&'static str, Value)>, Failure> {
    let mut list = Vec::new();
    for (name, text) in
        [(field::ISSUER, &settings.issuer), (field::ACCOUNT, &settings.account), (field::NOTE, &settings.note)]
    {
        if let Some(text) = text {
            list.push((name, Value::Text(text.clone())));
        }
    }
    if let Some(text) = &settings.algorithm {
        list.push((field::ALGORITHM, Value::Text(Algorithm::parse(text)?.name().to_owned())));
    }
    if let Some(n) = settings.digits {
        list.push((field::DIGITS, Value::Number(i64::from(Digits::new(n)?.get()))));
    }
    if let Some(n) = settings.period {
        list.push((field::PERIOD, Value::Number(Period::new(n)?.secs() as i64)));
    }
    uri::counter(settings.counter)?;
    Ok(list)
}

/// Refuses to take the last name that can be seen: nothing but its id would find the account.
fn stays_named(session: &Session, id: EntryId, settings: &Settings) -> Result<(), Failure> {
    let entry = session.entry(id);
    let issuer = settings.issuer.as_deref().unwrap_or(entry.issuer());
    let account = settings.account.as_deref().unwrap_or(entry.name());
    let touched = settings.issuer.is_some() || settings.account.is_some();
    if touched && is_blank(issuer) && is_blank(account) {
        return Err(super::add::no_name());
    }
    Ok(())
}

/// Refuses settings that the account's kind does not have.
fn fits(session: &Session, id: EntryId, settings: &Settings) -> Result<(), Failure> {
    let kind = account_of(session, id)?.kind;
    let by_time = matches!(kind, Kind::Totp { .. });
    let by_counter = matches!(kind, Kind::Hotp { .. });
    let wrong = [
        ("--algorithm", settings.algorithm.is_some() && !by_time && !by_counter),
        ("--digits", settings.digits.is_some() && !by_time && !by_counter),
        ("--period", settings.period.is_some() && !by_time),
        ("--counter", settings.counter.is_some() && !by_counter),
    ];
    match wrong.into_iter().find(|(_, wrong)| *wrong) {
        Some((option, _)) => {
            Err(Failure::usage(format!("{option} has no meaning for a {} account", kind.name()), "Leave it out."))
        }
        None => Ok(()),
    }
}

/// `rm`.
///
/// # Errors
/// When not exactly one account matches, nobody said yes, or the vault cannot be opened or saved.
pub fn remove(world: &World, args: &Remove) -> Result<(), Failure> {
    if !args.yes && !prompt::interactive() {
        return Err(Failure::NeedsYes { what: "Removing an account".to_owned() });
    }
    let mut session = world.open()?;
    if args.purge {
        return purge(world, session, args);
    }
    let id = pick(&session, &args.query, Sureness::Part)?;
    let name = clean(&session.name(id)).into_owned();
    if !args.yes && !prompt::yes(&format!("Move {name} to the trash?"), false)? {
        return Err(Failure::Cancelled);
    }
    session.edit(world, |state, stamp| state.trash(id, stamp));
    session.save()?;
    say(&format!("Moved {name} to the trash. `otpanel restore {id}` brings it back."));
    Ok(())
}

/// `rm --purge`: from the list or from the trash, for good.
fn purge(world: &World, mut session: Session, args: &Remove) -> Result<(), Failure> {
    let id = pick_any(&session, &args.query, Sureness::Part)?;
    let name = clean(&session.name(id)).into_owned();
    let question = format!("Delete {name} and its secret for good? Only older copies of the vault have it then.");
    if !args.yes && !prompt::yes(&question, false)? {
        return Err(Failure::Cancelled);
    }
    session.edit(world, |state, stamp| {
        state.purge(id);
        state.note(stamp);
    });
    session.save()?;
    say(&format!("Deleted {name} for good."));
    Ok(())
}

/// `restore`.
///
/// # Errors
/// When not exactly one account of the trash matches, or the vault cannot be opened or saved.
pub fn restore(world: &World, args: &Restore) -> Result<(), Failure> {
    let mut session = world.open()?;
    let id = pick_trashed(&session, &args.query)?;
    // It may go on under another id.
    let name = session.name(id);
    session.edit(world, |state, stamp| state.restore(id, stamp));
    session.save()?;
    say(&format!("Brought back {}.", clean(&name)));
    Ok(())
}

/// `tag`.
///
/// # Errors
/// When not exactly one account matches, a tag has no sign or no name, or the vault cannot be opened or saved.
pub fn tag(world: &World, args: &Tag) -> Result<(), Failure> {
    let mut wanted = Vec::new();
    for text in &args.tags {
        let (on, name) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(name), _) => (true, name.trim()),
            (_, Some(name)) => (false, name.trim()),
            _ => (false, ""),
        };
        if name.is_empty() {
            return Err(Failure::usage(
                format!("`{text}` is no change of a tag"),
                "Write +name to put a tag on, -name to take it away.",
            ));
        }
        wanted.push((on, name));
    }
    let mut session = world.open()?;
    let id = pick(&session, &args.query, Sureness::Part)?;
    let changed = session
        .edit(world, |state, stamp| wanted.iter().fold(false, |any, (on, name)| state.tag(id, name, *on, stamp) | any));
    if changed {
        session.save()?;
    }
    let tags: Vec<String> = session.entry(id).tags().map(|t| clean(t).into_owned()).collect();
    answer(&format!("{}\n", tags.join(" ")))
}
