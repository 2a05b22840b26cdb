//! A vault's state as RON text and back; `docs/vault.md` has the grammar. Pure.
//!
//! Shaped for three ends: fast (serde structs and tuples, nothing that RON must guess the type of), small (devices once in a
//! table, a stamp once for an entry and again only where one differs) and kept by older versions (all that may grow lives
//! in maps from names to values). One state has one text, so equal texts mean equal states.

mod fast;
pub mod glance;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::clock::LATEST_STAMP;
use super::entry::{
    Body, Core, Counter, DeviceId, Entry, EntryId, FieldName, Life, Register, Stamp, State, Value, field,
};
use crate::secret::Secret;

pub use write::encode;

/// Why a payload cannot be read. Says where, never what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", Self::place(*line, *column))]
pub struct PayloadError {
    /// From 1; 0 where the fault is not in one place.
    pub line: usize,
    /// From 1; 0 where the fault is not in one place.
    pub column: usize,
    /// The rule that was broken.
    pub problem: &'static str,
}

impl PayloadError {
    /// The length before the text is wrong.
    pub(super) const LENGTH: Self = Self::of("the length does not fit");

    fn place(line: usize, column: usize) -> String {
        if line == 0 { String::new() } else { format!("line {line}, column {column}: ") }
    }

    const fn of(problem: &'static str) -> Self {
        Self { line: 0, column: 0, problem }
    }
}

/// Reads a payload.
///
/// # Errors
/// [`PayloadError`] for anything but what [`encode`] writes, comments and blanks aside: also for duplicates, for names of
/// structure that are unknown (a version that adds one is a new major version), for devices that are not in the table.
pub fn decode(text: &[u8]) -> Result<State, PayloadError> {
    let mut state = match fast::read(text) {
        Some(state) => state,
        None => decode_any(text)?,
    };
    note_all(&mut state);
    Ok(state)
}

/// Reads any RON of the right shape, and tells what is wrong with any other.
fn decode_any(text: &[u8]) -> Result<State, PayloadError> {
    let raw: RawState = ron::de::from_bytes(text).map_err(|e| PayloadError {
        line: e.span.start.line,
        column: e.span.start.col,
        problem: "not the text of a vault",
    })?;
    let devices = raw.devices.into_iter().map(|id| id.0).map(DeviceId).collect::<Vec<_>>();
    if devices.iter().collect::<std::collections::HashSet<_>>().len() != devices.len() {
        return Err(PayloadError::of("a device twice"));
    }
    let table = Table(&devices);
    let mut state = State::default();
    for (device, time) in raw.seen {
        let stamp = table.stamp(RawStamp(device, time))?;
        if state.seen.insert(stamp.device, stamp.time).is_some() {
            return Err(PayloadError::of("a device seen twice"));
        }
    }
    state.meta =
        raw.meta.into_map(|(stamp, value)| Ok(Register { stamp: table.stamp(stamp)?, value: value.into() }))?;
    let count = raw.entries.len();
    let entries = raw.entries.into_iter().map(|entry| table.entry(entry)).collect::<Result<Vec<_>, _>>()?;
    state.entries = entries.into_iter().map(|entry| (entry.id, entry)).collect();
    if state.entries.len() != count {
        return Err(PayloadError::of("an entry twice"));
    }
    Ok(state)
}

/// The version vector covers every stamp, whoever wrote the file: the clock depends on it.
fn note_all(state: &mut State) {
    let mut highest: BTreeMap<DeviceId, u64> = BTreeMap::new();
    let mut last = None;
    for stamp in all_stamps(state) {
        if last != Some(stamp) {
            let time = highest.entry(stamp.device).or_insert(0);
            *time = (*time).max(stamp.time);
            last = Some(stamp);
        }
    }
    for (device, time) in highest {
        state.note(Stamp { time, device });
    }
}

fn all_stamps(state: &State) -> impl Iterator<Item = Stamp> {
    let bodies = state.entries.values().filter_map(|entry| entry.body.as_ref());
    bodies.flat_map(body_stamps).chain(state.meta.values().map(|register| register.stamp))
}

fn body_stamps(body: &Body) -> impl Iterator<Item = Stamp> {
    body.fields.values().map(|register| register.stamp).chain(body.tags.values().map(|tag| tag.1))
}

struct Table<'a>(&'a [DeviceId]);

impl Table<'_> {
    fn stamp(&self, raw: RawStamp) -> Result<Stamp, PayloadError> {
        let device = *self.0.get(raw.0 as usize).ok_or(PayloadError::of("a device that is not in the table"))?;
        if raw.1 > LATEST_STAMP {
            return Err(PayloadError::of("a time beyond all times"));
        }
        Ok(Stamp { time: raw.1, device })
    }

    fn entry(&self, raw: RawEntry) -> Result<Entry, PayloadError> {
        let (id, life) = (EntryId(raw.id.0), raw.life.into());
        let counter = Counter { epoch: raw.counter.0, next: raw.counter.1 };
        let body = match (raw.kind, raw.secret, raw.identity) {
            (Some(kind), Some(secret), Some(identity)) if life != Life::Purged => {
                let core = Arc::new(Core {
                    kind: kind.0,
                    secret: secret.secret(),
                    pin: raw.pin.map(Text::secret),
                    identity: identity.0,
                });
                let common = raw.at.map(|at| self.stamp(at)).transpose()?;
                let mut later = raw.later.into_map(|stamp| self.stamp(stamp))?;
                let mut tags_later = raw.tags_later.into_map(|stamp| self.stamp(stamp))?;
                let no_stamp = PayloadError::of("a field without a stamp");
                let count = raw.fields.0.len();
                let mut fields = BTreeMap::new();
                for (name, value) in raw.fields.0 {
                    let own = if later.is_empty() { None } else { later.remove(&name) };
                    let stamp = own.or(common).ok_or(no_stamp)?;
                    fields.insert(field_name(name), Register { stamp, value: value.into() });
                }
                let tag_count = raw.tags.0.len();
                let mut tags = BTreeMap::new();
                for (tag, on) in raw.tags.0 {
                    let own = if tags_later.is_empty() { None } else { tags_later.remove(&tag) };
                    tags.insert(tag, (on, own.or(common).ok_or(no_stamp)?));
                }
                if fields.len() != count || tags.len() != tag_count {
                    return Err(PayloadError::of("a field or a tag twice"));
                }
                if !later.is_empty() || !tags_later.is_empty() {
                    return Err(PayloadError::of("a stamp for a field or a tag that is not there"));
                }
                Some(Body { core, fields, tags })
            }
            (None, None, None) if life == Life::Purged => None,
            _ => return Err(PayloadError::of("an entry has a body exactly when it is not purged")),
        };
        Ok(Entry { id, incarnation: raw.incarnation, life, counter, body })
    }
}

fn field_name(name: String) -> FieldName {
    match field::name(&name) {
        FieldName::Borrowed(known) => FieldName::Borrowed(known),
        FieldName::Owned(_) => FieldName::Owned(name),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    devices: Vec<Hex<8>>,
    seen: Vec<(u32, u64)>,
    meta: Pairs<(RawStamp, RawValue)>,
    entries: Vec<RawEntry>,
}

#[derive(serde::Deserialize, Clone, Copy)]
struct RawStamp(u32, u64);

#[derive(serde::Deserialize)]
enum RawValue {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl From<RawValue> for Value {
    fn from(raw: RawValue) -> Self {
        match raw {
            RawValue::Flag(on) => Self::Flag(on),
            RawValue::Number(n) => Self::Number(n),
            RawValue::Text(text) => Self::Text(text),
        }
    }
}

#[derive(serde::Deserialize, Default, Clone, Copy)]
enum RawLife {
    #[default]
    Live,
    Trashed,
    Purged,
}

impl From<RawLife> for Life {
    fn from(raw: RawLife) -> Self {
        match raw {
            RawLife::Live => Self::Live,
            RawLife::Trashed => Self::Trashed,
            RawLife::Purged => Self::Purged,
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    id: Hex<16>,
    #[serde(default)]
    incarnation: u32,
    #[serde(default)]
    life: RawLife,
    #[serde(default)]
    counter: (u32, u64),
    #[serde(default, deserialize_with = "some")]
    kind: Option<Text>,
    #[serde(default, deserialize_with = "some")]
    secret: Option<Text>,
    #[serde(default, deserialize_with = "some")]
    pin: Option<Text>,
    #[serde(default, deserialize_with = "some")]
    identity: Option<Text>,
    #[serde(default, deserialize_with = "some")]
    at: Option<RawStamp>,
    #[serde(default)]
    fields: Pairs<RawValue>,
    #[serde(default)]
    later: Pairs<RawStamp>,
    #[serde(default)]
    tags: Pairs<bool>,
    #[serde(default)]
    tags_later: Pairs<RawStamp>,
}

/// A value that is there when its name is: RON's own `Some(…)` would only be noise.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Text that is wiped unless it is taken on.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text(String);

impl Text {
    fn secret(self) -> Secret<String> {
        Secret::new(self.0)
    }
}

/// Bytes as small hex digits.
struct Hex<const N: usize>([u8; N]);

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits<const N: usize>;
        impl<const N: usize> Visitor<'_> for Digits<N> {
            type Value = Hex<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} hex digits", 2 * N)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hex<N>, E> {
                let mut out = [0; N];
                let is_good =
                    text.len() == 2 * N && data_encoding::HEXLOWER.decode_mut(text.as_bytes(), &mut out).is_ok();
                if is_good { Ok(Hex(out)) } else { Err(E::custom("not an id")) }
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// A map as it was written, so that a name that stands there twice is seen.
struct Pairs<V>(Vec<(String, V)>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Pairs<V> {
    fn into_map<T>(
        self,
        mut value: impl FnMut(V) -> Result<T, PayloadError>,
    ) -> Result<BTreeMap<String, T>, PayloadError> {
        let mut out = BTreeMap::new();
        for (name, raw) in self.0 {
            if out.insert(name, value(raw)?).is_some() {
                return Err(PayloadError::of("a name twice"));
            }
        }
        Ok(out)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Each<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
                let mut out = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    out.push(pair);
                }
                Ok(Pairs(out))
            }
        }
        deserializer.deserialize_map(Each(PhantomData))
    }
}

#[cfg(test)]
mod tests;
