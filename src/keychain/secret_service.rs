//! Questions to the Secret Service that never prompt and end at a deadline: the state, one secret, the users of a service.
//!
//! A fresh process that reads one item through the general store spends nine tenths of its time on the store's own start:
//! an executor, and a key exchange in big numbers. Asked directly over [`super::dbus`], in three round trips, the read
//! takes about a tenth. The session is a plain one: the secret crosses the user's own local socket unencrypted. That
//! gives nothing away: whoever may listen on that bus may also ask the service for the secret.
//! Source: freedesktop.org Secret Service API 0.2.

pub(super) mod signals;
mod wallet;

use std::time::Instant;

use super::dbus::{Arg, BUS, Bus, BusError, Call, Reader};
use super::{KeychainError, Probe};
use crate::secret::Secret;

const SERVICE: Call<'static> = Call {
    to: "org.freedesktop.secrets",
    path: "/org/freedesktop/secrets",
    interface: "org.freedesktop.Secret.Service",
    member: "",
};
const PROPERTY: Call<'static> = Call { interface: "org.freedesktop.DBus.Properties", member: "Get", ..SERVICE };

/// What asking directly came to.
pub(super) enum Direct<T> {
    /// The answer.
    Done(T),
    /// The service is fine, but what was asked for is locked.
    Locked,
    /// An answer must be had another way: this small client does not know this bus or this provider.
    AskStore,
    /// There is nobody to answer.
    Failed(KeychainError),
}

/// Where the session bus listens, as the environment says; `None` when there cannot be one.
pub(super) fn bus_address() -> Option<String> {
    match std::env::var("DBUS_SESSION_BUS_ADDRESS") {
        Ok(address) if !address.is_empty() => Some(address),
        _ => {
            let runtime = std::env::var("XDG_RUNTIME_DIR").ok().filter(|dir| !dir.is_empty());
            let runtime = runtime.unwrap_or_else(|| format!("/run/user/{}", rustix::process::getuid().as_raw()));
            let socket = format!("{runtime}/bus");
            std::path::Path::new(&socket).exists().then(|| format!("unix:path={socket}"))
        }
    }
}

fn connect(deadline: Instant) -> Result<Bus, BusError> {
    Bus::connect(&bus_address().ok_or(BusError::NoBus)?, deadline)
}

/// A connection whose first answer is still to come: it comes while the caller does something else.
pub(super) struct Greeting(Bus, u32);

/// Connects and asks what needs nothing of the caller. gnome-keyring notes a caller beside the queue of its calls, not in
/// it; a call that it takes up before the note ends the whole daemon, and locks every keyring with it. In a loop of
/// commands that happened once in a few hundred. After one answer the note is there.
pub(super) fn greeting(deadline: Instant) -> Result<Greeting, BusError> {
    let mut bus = connect(deadline)?;
    let asked = greet(&mut bus);
    bus.flush()?;
    Ok(Greeting(bus, asked))
}

fn greet(bus: &mut Bus) -> u32 {
    bus.send(Call { member: "ReadAlias", ..SERVICE }, &[Arg::Str("none")])
}

impl Greeting {
    fn answered(self) -> Result<Bus, BusError> {
        let Self(mut bus, asked) = self;
        answered(&mut bus, asked)?;
        Ok(bus)
    }
}

fn greeted(bus: &mut Bus) -> Result<(), BusError> {
    let asked = greet(bus);
    answered(bus, asked)
}

fn answered(bus: &mut Bus, asked: u32) -> Result<(), BusError> {
    match bus.answer(asked) {
        Err(BusError::Refused(name)) if !nobody(&name) => Ok(()),
        answer => answer.map(drop),
    }
}

fn settle<T>(result: Result<Option<T>, BusError>) -> Direct<T> {
    match result {
        Ok(Some(value)) => Direct::Done(value),
        Ok(None) => Direct::Locked,
        Err(BusError::NoBus) => Direct::Failed(KeychainError::Unavailable(Probe::NoBus)),
        Err(BusError::Timeout) => Direct::Failed(KeychainError::Timeout),
        Err(BusError::Refused(name)) if nobody(&name) => Direct::Failed(KeychainError::Unavailable(Probe::NoProvider)),
        Err(BusError::Refused(name)) if name == "org.freedesktop.Secret.Error.IsLocked" => Direct::Locked,
        Err(BusError::Address | BusError::Broken | BusError::Refused(_)) => Direct::AskStore,
    }
}

/// The bus's ways to say that it knows no such service and could start none.
fn nobody(error: &str) -> bool {
    error.strip_prefix("org.freedesktop.DBus.Error.").is_some_and(|name| {
        name == "ServiceUnknown" || name == "NameHasNoOwner" || name == "NoReply" || name.starts_with("Spawn.")
    })
}

/// Whether KeePassXC is on this bus, and so likely the one that answers.
pub(super) fn is_keepassxc(deadline: Instant) -> bool {
    let named = connect(deadline).and_then(|mut bus| {
        let named = [Arg::Str("org.keepassxc.KeePassXC.MainWindow")];
        bus.call(Call { member: "NameHasOwner", ..BUS }, &named)?.read().bool()
    });
    named == Ok(true)
}

/// What an item is found by, as attributes.
pub(super) type Attributes<'a> = [(&'a str, &'a str)];

/// Reads the one secret that has these attributes, over the connection that was begun for it or a new one; `Done(None)` when
/// there is none.
pub(super) fn get(
    attributes: &Attributes<'_>,
    begun: Option<Greeting>,
    deadline: Instant,
) -> Direct<Option<Secret<Vec<u8>>>> {
    settle(begun.map_or_else(|| greeting(deadline), Ok).and_then(|begun| get_within(attributes, begun)))
}

#[allow(clippy::option_option, reason = "outer: not locked; inner: there is one")]
fn get_within(attributes: &Attributes<'_>, begun: Greeting) -> Result<Option<Option<Secret<Vec<u8>>>>, BusError> {
    let mut bus = begun.answered()?;
    let session = bus.send(Call { member: "OpenSession", ..SERVICE }, &[Arg::Str("plain"), Arg::StrVariant("")]);
    let search = bus.send(Call { member: "SearchItems", ..SERVICE }, &[Arg::Dict(attributes)]);
    let session = bus.answer(session)?;
    let mut session = session.read();
    session.variant_of("s")?;
    session.str()?;
    let session = session.str()?;
    let found = bus.answer(search)?;
    let (unlocked, locked) = both_lists(&mut found.read())?;
    let Some(item) = unlocked.first() else { return Ok(if locked.is_empty() { Some(None) } else { None }) };
    let call = Call { path: item, interface: "org.freedesktop.Secret.Item", member: "GetSecret", ..SERVICE };
    let answer = bus.call(call, &[Arg::Path(session)])?;
    let mut secret = answer.read();
    secret.structure()?;
    secret.str()?;
    secret.byte_array()?;
    Ok(Some(Some(Secret::new(secret.byte_array()?.to_vec()))))
}

/// Lists the users of all items with these attributes; locked when any of them is.
pub(super) fn search(attributes: &Attributes<'_>, deadline: Instant) -> Direct<Vec<String>> {
    settle(search_within(attributes, deadline))
}

fn search_within(attributes: &Attributes<'_>, deadline: Instant) -> Result<Option<Vec<String>>, BusError> {
    let mut bus = greeting(deadline)?.answered()?;
    let found = bus.call(Call { member: "SearchItems", ..SERVICE }, &[Arg::Dict(attributes)])?;
    let (unlocked, locked) = both_lists(&mut found.read())?;
    if !locked.is_empty() {
        return Ok(None);
    }
    let ask = [Arg::Str("org.freedesktop.Secret.Item"), Arg::Str("Attributes")];
    let mut users = Vec::with_capacity(unlocked.len());
    // A few at a time: neither a round trip for each nor more in flight than the bus lets one caller have.
    for chunk in unlocked.chunks(64) {
        let sent: Vec<u32> = chunk.iter().map(|item| bus.send(Call { path: item, ..PROPERTY }, &ask)).collect();
        for serial in sent {
            let answer = bus.answer(serial)?;
            let mut attributes = answer.read();
            attributes.variant_of("a{ss}")?;
            let pairs = attributes.array(8, |pair| Ok((pair.str()?, pair.str()?)))?;
            users.extend(pairs.iter().find(|(key, _)| *key == "username").map(|(_, user)| (*user).to_owned()));
        }
    }
    users.sort_unstable();
    users.dedup();
    Ok(Some(users))
}

fn both_lists<'a>(answer: &mut Reader<'a>) -> Result<(Vec<&'a str>, Vec<&'a str>), BusError> {
    Ok((answer.array(4, Reader::str)?, answer.array(4, Reader::str)?))
}

/// Looks at the state of the service and of one of its keyrings: that of the label, else the default one. A provider that
/// the bus can start by itself is started, as by any first use of it; starting raises no prompt. A wallet of KWallet's that is
/// open and only called locked is unlocked.
pub(super) fn probe(keyring: Option<&str>, deadline: Instant) -> Probe {
    match probe_within(keyring, deadline) {
        Ok(state) => state,
        Err(BusError::NoBus) => Probe::NoBus,
        Err(BusError::Timeout) => Probe::Unsupported("the session bus or its keychain does not answer".into()),
        Err(BusError::Refused(name)) if nobody(&name) => Probe::NoProvider,
        Err(BusError::Refused(name)) => Probe::Unsupported(format!("it answered with the error {name}")),
        Err(BusError::Address) => Probe::Unsupported("the session bus is not on this machine".into()),
        Err(BusError::Broken) => Probe::Unsupported("the session bus refused the connection".into()),
    }
}

fn probe_within(keyring: Option<&str>, deadline: Instant) -> Result<Probe, BusError> {
    let mut bus = connect(deadline)?;
    let owned = bus.send(Call { member: "NameHasOwner", ..BUS }, &[Arg::Str(SERVICE.to)]);
    let known = bus.send(Call { member: "ListActivatableNames", ..BUS }, &[]);
    let owned = bus.answer(owned)?.read().bool()?;
    let known = bus.answer(known)?.read().array(4, |name| Ok(name.str()? == SERVICE.to))?;
    if !owned && !known.contains(&true) {
        return Ok(Probe::NoProvider);
    }
    greeted(&mut bus)?;
    let collection = match keyring {
        Some(label) => match labelled(&mut bus, label)? {
            Some(path) => path,
            None => return Ok(Probe::NoKeyring(label.to_owned())),
        },
        None => {
            let alias = bus.call(Call { member: "ReadAlias", ..SERVICE }, &[Arg::Str("default")])?;
            alias.read().str()?.to_owned()
        }
    };
    if collection == "/" {
        return Ok(Probe::NoCollection);
    }
    let is_open = !is_locked(&mut bus, &collection)? || wallet::unlock_open(&mut bus, &collection);
    Ok(if is_open { Probe::Ready } else { Probe::Locked })
}

fn is_locked(bus: &mut Bus, collection: &str) -> Result<bool, BusError> {
    let ask = [Arg::Str("org.freedesktop.Secret.Collection"), Arg::Str("Locked")];
    let answer = bus.call(Call { path: collection, ..PROPERTY }, &ask)?;
    let mut locked = answer.read();
    locked.variant_of("b")?;
    locked.bool()
}

fn label_of(bus: &mut Bus, collection: &str) -> Result<String, BusError> {
    let ask = [Arg::Str("org.freedesktop.Secret.Collection"), Arg::Str("Label")];
    let answer = bus.call(Call { path: collection, ..PROPERTY }, &ask)?;
    let mut label = answer.read();
    label.variant_of("s")?;
    Ok(label.str()?.to_owned())
}

/// The path of the keyring (collection) of a label; the first, where several have it.
fn labelled(bus: &mut Bus, label: &str) -> Result<Option<String>, BusError> {
    let ask = [Arg::Str("org.freedesktop.Secret.Service"), Arg::Str("Collections")];
    let answer = bus.call(PROPERTY, &ask)?;
    let mut all = answer.read();
    all.variant_of("ao")?;
    for path in all.array(4, Reader::str)? {
        if label_of(bus, path)? == label {
            return Ok(Some(path.to_owned()));
        }
    }
    Ok(None)
}
