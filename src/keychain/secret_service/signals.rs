//! Tells that an item was overwritten, and hears it of others; asks for nothing and never wakes while nothing changes.
//!
//! gnome-keyring, and what is built on zbus, tell the item's new attributes (the property's own signal). KeePassXC, and what else
//! the API's text alone binds, tell only which item, several times over: its attributes are asked for then.
//! Source: freedesktop.org Secret Service API 0.2, "Signals"; D-Bus Specification 0.43, "org.freedesktop.DBus.Properties".

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::{Attributes, PROPERTY, SERVICE, both_lists, connect, greeted, greeting};
use crate::keychain::changes::{Change, REVISION};
use crate::keychain::dbus::{Arg, BUS, Bus, BusError, Call, Signal};
use crate::keychain::{KeychainError, Probe};

/// The interface of items.
const ITEM: &str = "org.freedesktop.Secret.Item";
/// What the bus is asked for: items whose properties were changed, with what they are now.
const WITH_ATTRIBUTES: &str = "type='signal',sender='org.freedesktop.secrets',\
    interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='org.freedesktop.Secret.Item'";
/// Which items were changed, and nothing else.
const WHICH: &str =
    "type='signal',sender='org.freedesktop.secrets',interface='org.freedesktop.Secret.Collection',member='ItemChanged'";
/// How long connecting, or asking for attributes, may take.
const LIMIT: Duration = Duration::from_secs(3);
/// How long it is gathered which items changed, until they are asked for their attributes.
const GATHER: Duration = Duration::from_millis(300);
/// So many items are asked for at once; where more have changed, that is not one of ours.
const MOST: usize = 32;

/// Changes as they are told. Another service that takes the place of the first on the same bus is heard as well.
pub(in crate::keychain) struct Changes {
    bus: Bus,
    told: VecDeque<Change>,
}

/// Begins to listen.
pub(in crate::keychain) fn listen() -> Result<Changes, KeychainError> {
    listening().map_err(|error| match error {
        BusError::NoBus => KeychainError::Unavailable(Probe::NoBus),
        BusError::Timeout => KeychainError::Timeout,
        BusError::Address | BusError::Broken | BusError::Refused(_) => {
            KeychainError::Other("the session bus tells nothing".into())
        }
    })
}

fn listening() -> Result<Changes, BusError> {
    let mut bus = connect(Instant::now() + LIMIT)?;
    let matching = Call { member: "AddMatch", ..BUS };
    let asked = bus.send(matching, &[Arg::Str(WITH_ATTRIBUTES)]);
    let gnome = bus.send(Call { member: "NameHasOwner", ..BUS }, &[Arg::Str("org.gnome.keyring")]);
    bus.answer(asked)?;
    // It tells both of each item of anybody: the second would only wake us.
    if !bus.answer(gnome)?.read().bool()? {
        bus.call(matching, &[Arg::Str(WHICH)])?;
    }
    Ok(Changes { bus, told: VecDeque::new() })
}

impl Changes {
    /// Waits for a signal and takes it in, with those that belong to it.
    fn hear(&mut self) -> Result<(), BusError> {
        self.bus.until(None);
        let mut which = BTreeSet::new();
        let first = self.bus.signal()?;
        self.note(&first, &mut which);
        if which.is_empty() {
            return Ok(());
        }
        self.bus.until(Some(Instant::now() + GATHER));
        loop {
            match self.bus.signal() {
                Ok(signal) => self.note(&signal, &mut which),
                Err(BusError::Timeout) => break,
                Err(error) => return Err(error),
            }
        }
        self.bus.until(Some(Instant::now() + LIMIT));
        greeted(&mut self.bus)?;
        for path in which.iter().take(MOST) {
            match attributes(&mut self.bus, path) {
                Ok(change) => self.told.extend(change),
                // Gone, or locked by now.
                Err(BusError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn note(&mut self, signal: &Signal, which: &mut BTreeSet<String>) {
        match (signal.interface.as_str(), signal.member.as_str()) {
            ("org.freedesktop.DBus.Properties", "PropertiesChanged") => {
                self.told.extend(with_attributes(signal).ok().flatten());
            }
            ("org.freedesktop.Secret.Collection", "ItemChanged") => {
                let path = signal.body.read().str().ok().filter(|path| names_an_item(path)).map(str::to_owned);
                which.extend(path);
            }
            _ => {}
        }
    }
}

impl Iterator for Changes {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.told.pop_front() {
                return Some(change);
            }
            self.hear().inspect_err(|error| tracing::debug!(?error, "nothing is heard any more")).ok()?;
        }
    }
}

/// The change that a property's signal tells; none where it is of something else.
fn with_attributes(signal: &Signal) -> Result<Option<Change>, BusError> {
    let mut body = signal.body.read();
    if body.str()? != ITEM {
        return Ok(None);
    }
    let properties = body.array(8, |property| Ok((property.str()?, property.property()?)))?;
    let attributes = properties.iter().find(|(name, _)| *name == "Attributes");
    Ok(attributes.and_then(|(_, attributes)| change(attributes)))
}

/// Asks an item for its attributes. A locked one is not unlocked.
fn attributes(bus: &mut Bus, path: &str) -> Result<Option<Change>, BusError> {
    let answer = bus.call(Call { path, ..PROPERTY }, &[Arg::Str(ITEM), Arg::Str("Attributes")])?;
    Ok(change(&answer.read().property()?))
}

/// Counts an item's revision up, which is told to everybody who listens. Says whether there was one that is not locked; none is
/// unlocked, or made.
pub(in crate::keychain) fn announce(
    found_by: &Attributes<'_>,
    revision: &str,
    deadline: Instant,
) -> Result<bool, BusError> {
    let mut bus = greeting(deadline)?.answered()?;
    let found = bus.call(Call { member: "SearchItems", ..SERVICE }, &[Arg::Dict(found_by)])?;
    let (unlocked, _) = both_lists(&mut found.read())?;
    for path in &unlocked {
        let get = Call { path, ..PROPERTY };
        let set = Call { member: "Set", ..get };
        let answer = bus.call(get, &[Arg::Str(ITEM), Arg::Str("Attributes")])?;
        let mut write = |pairs: &[(&str, &str)]| {
            let others = pairs.iter().copied().filter(|(name, _)| *name != REVISION);
            let pairs: Vec<(&str, &str)> = others.chain([(REVISION, revision)]).collect();
            bus.call(set, &[Arg::Str(ITEM), Arg::Str("Attributes"), Arg::DictVariant(&pairs)]).map(drop)
        };
        // What is not written again is gone. KeePassXC shows fields of the entry as attributes, takes none of them, and keeps all.
        match write(&answer.read().property()?) {
            Err(BusError::Refused(_)) => write(found_by)?,
            written => written?,
        }
    }
    Ok(!unlocked.is_empty())
}

/// What attributes say; none where they are not of the kind that this program gives.
fn change(attributes: &[(&str, &str)]) -> Option<Change> {
    let of = |name| attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Some(Change { service: of("service")?, user: of("username")?, revision: of(REVISION).unwrap_or_default() })
}

/// Whether it may be the path of an item: anybody may send a signal, and the bus ends a connection that calls nonsense.
fn names_an_item(path: &str) -> bool {
    path.len() <= 255
        && path.strip_prefix("/org/freedesktop/secrets/").is_some_and(|rest| {
            rest.split('/').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use proptest::prelude::*;

    use super::*;
    use crate::keychain::dbus::{Body, Writer};

    fn signal(interface: &str, member: &str, body: &Writer) -> Signal {
        Signal { interface: interface.into(), member: member.into(), body: Body::new(&body.0) }
    }

    /// The body of a property's signal: some properties of the interface, as they are now.
    fn properties(interface: &str, properties: &[(&str, Arg<'_>)]) -> Writer {
        let mut body = Writer::default();
        body.str(interface);
        body.array(8, |all| {
            for (name, value) in properties {
                all.align(8);
                all.str(name);
                all.arg(value);
            }
        });
        body.array(4, |_| {});
        body
    }

    /// What comes of one signal: the changes that it tells, and the items that are to be asked.
    fn heard(signal: &Signal) -> (Vec<Change>, Vec<String>) {
        let (stream, _) = UnixStream::pair().unwrap();
        let mut changes = Changes { bus: Bus::over(stream, Instant::now()), told: VecDeque::new() };
        let mut which = BTreeSet::new();
        changes.note(signal, &mut which);
        (changes.told.into(), which.into_iter().collect())
    }

    const PAIRS: [(&str, &str); 4] =
        [("application", "rust-keyring"), ("service", "s"), ("username", "a/b"), ("revision", "7")];

    #[test]
    fn changed_attributes_are_told_among_other_properties() {
        let label = ("Label", Arg::StrVariant("x"));
        let all = properties(ITEM, &[label, ("Attributes", Arg::DictVariant(&PAIRS))]);
        let change = Change { service: "s".into(), user: "a/b".into(), revision: "7".into() };
        assert_eq!(
            heard(&signal("org.freedesktop.DBus.Properties", "PropertiesChanged", &all)),
            (vec![change], vec![])
        );
    }

    #[test]
    fn what_is_of_something_else_tells_nothing() {
        let nothing = (Vec::new(), Vec::new());
        let attributes = || ("Attributes", Arg::DictVariant(&PAIRS));
        let collection = properties("org.freedesktop.Secret.Collection", &[attributes()]);
        assert_eq!(heard(&signal("org.freedesktop.DBus.Properties", "PropertiesChanged", &collection)), nothing);
        let label = properties(ITEM, &[("Label", Arg::StrVariant("x"))]);
        assert_eq!(heard(&signal("org.freedesktop.DBus.Properties", "PropertiesChanged", &label)), nothing);
        let foreign = properties(ITEM, &[("Attributes", Arg::DictVariant(&[("xdg:schema", "x")]))]);
        assert_eq!(heard(&signal("org.freedesktop.DBus.Properties", "PropertiesChanged", &foreign)), nothing);
        let ours = properties(ITEM, &[attributes()]);
        assert_eq!(heard(&signal("org.freedesktop.DBus.Properties", "Other", &ours)), nothing);
    }

    #[test]
    fn only_what_names_an_item_is_asked_for() {
        for (path, named) in [
            ("/org/freedesktop/secrets/collection/db/f2b59137fc8b42b4af70e405c4dbe95b", true),
            ("/org/freedesktop/secrets/collection/with_5fspace/1", true),
            ("/org/freedesktop/secrets/", false),
            ("/org/freedesktop/secrets/a//b", false),
            ("/org/freedesktop/secrets/a/", false),
            ("/org/freedesktop/secrets/a b", false),
            ("/elsewhere", false),
            ("", false),
        ] {
            let mut body = Writer::default();
            body.str(path);
            let (told, which) = heard(&signal("org.freedesktop.Secret.Collection", "ItemChanged", &body));
            assert_eq!((told.len(), which.len()), (0, usize::from(named)), "{path}");
        }
    }

    #[test]
    fn a_bus_that_goes_ends_it() {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"OK 00ff\r\n").unwrap();
        drop(peer);
        let mut changes = Changes { bus: Bus::over(stream, Instant::now()), told: VecDeque::new() };
        assert_eq!(changes.next(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_body_of_a_signal_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), whole: bool) {
            let head = properties(ITEM, &[("Attributes", Arg::DictVariant(&PAIRS))]).0;
            // Nonsense by itself, or in the middle of what is right.
            let bytes = if whole { bytes } else {
                let at = bytes.len().min(head.len());
                [&head[..at], &bytes[..], &head[at..]].concat()
            };
            for (interface, member) in [
                ("org.freedesktop.DBus.Properties", "PropertiesChanged"),
                ("org.freedesktop.Secret.Collection", "ItemChanged"),
            ] {
                heard(&signal(interface, member, &Writer(bytes.clone())));
            }
        }
    }
}
