//! `add`, `edit`, `rm`, `restore`, `tag`: changing accounts.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use serde::Serialize;

use super::args::{Add, Edit, KindName, Owner, Remove, Restore, Settings, Tag};
use super::clipboard::{Copied, copied};
use super::codes::{account_of, pick, pick_any, pick_trashed};
use super::failure::Failure;
use super::files;
use super::output::{answer, json, say};
use super::prompt;
use super::query::Sureness;
use super::session::{Session, World};
use crate::entropy;
use crate::otp::account::title;
use crate::otp::{Account, Algorithm, Digits, Kind, Period, Pin, Seed, base32, uri};
use crate::policy::organisation;
use crate::secret::Secret;
use crate::text::clean;
use crate::transfer::{Import, MAX_FILE, Source, import};
use crate::vault::{EntryId, Value, field};

/// The longest text that `add` reads from stdin, in bytes.
const LONGEST_LINK: u64 = 64 * 1024;

/// What `add --json` prints.
#[derive(Serialize)]
struct Added<'a> {
    id: String,
    issuer: &'a str,
    account: &'a str,
}

/// `add`.
///
/// # Errors
/// When the link or secret cannot be used, or the vault cannot be opened or saved.
pub fn add(world: &World, args: &Add) -> Result<(), Failure> {
    let identity = world.policy.identity_for(args.personal)?;
    let account = asked_for(world, args)?;
    let mut session = world.open()?;
    if let Some(id) = session.unlocked.state.find_same(&account) {
        let there = session.entry(id);
        say(&format!("otpanel: it is here already, as {}", clean(&title(there.issuer(), there.name()))));
        return show_added(args, id, &account);
    }
    let id = EntryId(entropy::bytes());
    let source = match (args.uri.is_some(), &args.qr, args.clipboard) {
        (true, ..) => "a link",
        (_, Some(_), _) => "a QR picture",
        (_, _, true) => "the clipboard",
        _ => "typed in",
    };
    session.edit(world, |state, stamp| {
        state.add(id, &account, &identity, source, stamp);
        state.settle(&[id], stamp);
    });
    session.save()?;
    say(&format!("Added {}.", clean(&account.title())));
    world.tell_whose(&identity);
    show_added(args, id, &account)
}

fn show_added(args: &Add, id: EntryId, account: &Account) -> Result<(), Failure> {
    if args.json {
        json(&Added { id: id.to_string(), issuer: &account.issuer, account: &account.account })?;
    }
    Ok(())
}

/// The account that the arguments, stdin and the answers to questions describe.
fn asked_for(world: &World, args: &Add) -> Result<Account, Failure> {
    if let Some(path) = &args.qr {
        let bytes = files::read(path, MAX_FILE as u64 + 1)?;
        return one_of(import(Source::new(bytes.expose()))?).map(|account| named(args, account))?;
    }
    if args.clipboard {
        return match copied()? {
            Copied::Text(text) => described(args, &text),
            Copied::Picture(found) => one_of(found).map(|account| named(args, account))?,
        };
    }
    let text = match args.uri.as_deref() {
        Some("-") => from_stdin(world)?,
        Some(link) if uri::is_link(link) => {
            say(
                "otpanel: a secret on the command line can be read by other programs and stays in the shell's history; \
                 `otpanel add -` reads it from stdin.",
            );
            Secret::new(link.to_owned())
        }
        Some(_) => {
            return Err(Failure::usage(
                "That is not an otpauth:// link",
                "Give a link, or '-' and send the link or the secret to stdin. A bare secret is never taken as an argument.",
            ));
        }
        None if io::stdin().is_terminal() && prompt::can_type_secrets() => {
            prompt::secret("Link or secret (not shown)")?
        }
        None if io::stdin().is_terminal() => {
            return Err(Failure::usage("There is no secret", "Send a link or a secret to stdin."));
        }
        None => from_stdin(world)?,
    };
    described(args, &text)
}

/// The account of a link, or of a secret with what the arguments say.
fn described(args: &Add, text: &Secret<String>) -> Result<Account, Failure> {
    let text = Secret::new(text.expose().trim().to_owned());
    named(args, if uri::is_link(text.expose()) { uri::parse(text.expose())? } else { typed(args, &text)? })
}

/// The one account of a picture.
fn one_of(found: Import) -> Result<Account, Failure> {
    let mut accounts = found.entries;
    match (accounts.pop(), accounts.len()) {
        (Some(account), 0) => Ok(account),
        (Some(_), others) => Err(Failure::usage(
            format!("The picture holds {} accounts", others + 1),
            "Bring all of them with `otpanel import`.",
        )),
        (None, _) => {
            let why = found.skipped.first().map_or("no account", |s| s.reason.as_str());
            Err(Failure::usage(format!("The picture holds nothing to add: {}", clean(why)), "Enrol this account anew."))
        }
    }
}

/// An account with the names that the arguments give it.
fn named(args: &Add, mut account: Account) -> Result<Account, Failure> {
    if let Some(issuer) = &args.settings.issuer {
        account.issuer.clone_from(issuer);
    }
    if let Some(name) = &args.settings.account {
        account.account.clone_from(name);
    }
    if let Some(note) = &args.settings.note {
        account.note.clone_from(note);
    }
    if account.issuer.is_empty() && account.account.is_empty() {
        if !prompt::interactive() {
            return Err(Failure::usage("The account has no name", "Give --issuer, --account or both."));
        }
        account.issuer = prompt::line("Site or service:")?;
        account.account = prompt::line("Your name there:")?;
    }
    Ok(account)
}

fn from_stdin(world: &World) -> Result<Secret<String>, Failure> {
    if world.password_on_stdin() {
        return Err(Failure::usage(
            "Both the password and the secret would come from stdin",
            "Give one of them by a file: --password-file FILE.",
        ));
    }
    let bytes = files::read(Path::new("-"), LONGEST_LINK)?;
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| Failure::NotText { what: "secret" })?;
    Ok(Secret::new(text.to_owned()))
}

/// An account from a bare secret and the options.
fn typed(args: &Add, text: &Secret<String>) -> Result<Account, Failure> {
    let settings = &args.settings;
    let algorithm = settings.algorithm.as_deref().map(Algorithm::parse).transpose()?.unwrap_or_default();
    let digits = settings.digits.map(Digits::new).transpose()?.unwrap_or_default();
    let period = settings.period.map(Period::new).transpose()?.unwrap_or_default();
    let kind = match args.kind {
        KindName::Totp => Kind::Totp { algorithm, digits, period },
        KindName::Hotp => Kind::Hotp { algorithm, digits, counter: uri::counter(settings.counter)? },
        KindName::Steam => Kind::Steam,
        KindName::Motp => Kind::Motp { pin: pin()? },
        KindName::Yandex => Kind::Yandex { pin: pin()? },
    };
    let seed = match args.kind {
        KindName::Motp => Seed::new(hex(text.expose())?)?,
        _ => base32::decode(text.expose())?,
    };
    Ok(Account::new("", "", kind, seed))
}

fn hex(text: &str) -> Result<Vec<u8>, crate::otp::ParamError> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| crate::otp::ParamError::Hex)
}

fn pin() -> Result<Pin, Failure> {
    if !prompt::can_type_secrets() {
        return Err(Failure::usage(
            "This kind of code needs a PIN",
            "Send a link that carries it, or run it on a terminal.",
        ));
    }
    Ok(Pin::new(prompt::secret("PIN")?.expose().clone())?)
}

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
    session.edit(world, |state, stamp| state.restore(id, stamp));
    session.save()?;
    say(&format!("Brought back {}.", clean(&session.name(id))));
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
