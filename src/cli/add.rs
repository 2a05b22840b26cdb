//! `add`: one account from a link, a secret, a picture or the clipboard.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use serde::Serialize;

use super::args::{Add, KindName};
use super::clipboard::{Copied, copied};
use super::failure::Failure;
use super::files;
use super::output::{json, say};
use super::prompt;
use super::session::World;
use crate::entropy;
use crate::otp::uri::{self, UriError};
use crate::otp::{Account, Algorithm, Digits, Kind, Period, Pin, base32, motp, yandex};
use crate::secret::Secret;
use crate::text::{clean, is_blank};
use crate::transfer::plan::{Fate, plan};
use crate::transfer::{Import, MAX_FILE, Source, import};
use crate::vault::EntryId;

/// The longest text that `add` reads from stdin, in bytes.
const LONGEST_LINK: u64 = 64 * 1024;

/// What `add --json` prints: the entry that is in the vault now.
#[derive(Serialize)]
struct Added<'a> {
    id: String,
    issuer: &'a str,
    account: &'a str,
    already_here: bool,
}

/// `add`.
///
/// # Errors
/// When the link or secret cannot be used, or the vault cannot be opened or saved.
pub fn add(world: &World, args: &Add) -> Result<(), Failure> {
    let identity = world.policy.identity_for(args.personal)?;
    let account = asked_for(world, args)?;
    let mut session = world.open()?;
    let shown = |id: EntryId, already_here| {
        if !args.json {
            return Ok(());
        }
        json(&Added { id: id.to_string(), issuer: &account.issuer, account: &account.account, already_here })
    };
    // The same rule as of an import.
    let twin = match plan(&session.unlocked.state, &[&account])[..] {
        [Fate::Here(id)] => {
            say(&format!("{} is here already; nothing was added.", clean(&account.title())));
            return shown(id, true);
        }
        [Fate::Differs(id)] => Some(session.name(id)),
        _ => None,
    };
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
    if let Some(twin) = twin {
        say(&format!("otpanel: the same secret is also here as {}; both are kept.", clean(&twin)));
    }
    world.tell_whose(&identity);
    shown(id, false)
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
    let text = text.expose().trim();
    let account = match () {
        () if uri::is_link(text) => uri::parse(text)?,
        // A secret with a link in another line, too.
        () if uri::holds_link(text) => return Err(UriError::Several.into()),
        () => typed(args, text)?,
    };
    named(args, account)
}

/// The one account of a picture.
fn one_of(found: Import) -> Result<Account, Failure> {
    let mut accounts = found.entries;
    match (accounts.pop(), accounts.len()) {
        (Some(account), 0) => Ok(account),
        (Some(_), others) => {
            Err(Failure::usage(format!("It holds {} accounts", others + 1), "Bring all of them with `otpanel import`."))
        }
        (None, _) => {
            let why = found.skipped.first().map_or("no account", |s| s.reason.as_str());
            Err(Failure::usage(format!("It holds nothing to add: {}", clean(why)), "Enrol this account anew."))
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
    let nameless = |account: &Account| is_blank(&account.issuer) && is_blank(&account.account);
    if nameless(&account) && prompt::interactive() {
        account.issuer = prompt::line("Site or service:")?;
        account.account = prompt::line("Your name there:")?;
    }
    if nameless(&account) { Err(no_name()) } else { Ok(account) }
}

/// An account that nobody could see or name.
pub(super) fn no_name() -> Failure {
    Failure::usage("The account has no name that can be seen", "Give --issuer, --account or both.")
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

/// An account from a bare secret and the options. Where its kind has a PIN, that is the second line or is asked for.
fn typed(args: &Add, text: &str) -> Result<Account, Failure> {
    let settings = &args.settings;
    let algorithm = settings.algorithm.as_deref().map(Algorithm::parse).transpose()?.unwrap_or_default();
    let digits = settings.digits.map(Digits::new).transpose()?.unwrap_or_default();
    let period = settings.period.map(Period::new).transpose()?.unwrap_or_default();
    let (first, more) = text.split_once(['\n', '\r']).map_or((text, None), |(first, rest)| (first, Some(rest.trim())));
    let (kind, seed) = match args.kind {
        KindName::Totp => (Kind::Totp { algorithm, digits, period }, base32::decode(text)?),
        KindName::Hotp => {
            let counter = uri::counter(settings.counter)?;
            (Kind::Hotp { algorithm, digits, counter }, base32::decode(text)?)
        }
        KindName::Steam => (Kind::Steam, base32::decode(text)?),
        KindName::Motp => {
            let seed = motp::seed(first)?;
            (Kind::Motp { pin: pin(more, "motp://ISSUER:ACCOUNT?secret=HEX&pin=1234")? }, seed)
        }
        KindName::Yandex => {
            let seed = yandex::seed(base32::bytes(first)?)?;
            (Kind::Yandex { pin: pin(more, "otpauth://yaotp/ISSUER:ACCOUNT?secret=BASE32&pin=1234")? }, seed)
        }
    };
    Ok(Account::new("", "", kind, seed))
}

/// The PIN that stands in the line after the secret, else one that is typed. A PIN is as secret as what it protects, so there
/// is no option for it. `link` carries one.
fn pin(line: Option<&str>, link: &str) -> Result<Pin, Failure> {
    let pin = match line {
        Some(line) => line.to_owned(),
        None if prompt::can_type_secrets() => prompt::secret("PIN")?.expose().clone(),
        None => {
            return Err(Failure::usage(
                "This kind of code needs a PIN",
                format!("Send the PIN to stdin as the line after the secret, or send a link that carries it:\n{link}"),
            ));
        }
    };
    Ok(Pin::new(pin)?)
}
