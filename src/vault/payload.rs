//! A vault's state as RON text and back; `docs/vault.md` has the grammar. Pure.
//!
//! Shaped for three ends: fast (serde structs and tuples, nothing that RON must guess the type of), small (devices once in a
//! table, a stamp once for an entry and again only where one differs) and kept by older versions (all that may grow lives
//! in maps from names to values). One state has one text, so equal texts mean equal states.

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

/// Why a payload cannot be read. Says where, never what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
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
    note_all(&mut state);
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

/// Writes a payload.
pub fn encode(state: &State) -> Secret<Vec<u8>> {
    let mut devices: Vec<DeviceId> = state.seen.keys().copied().collect();
    devices.extend(all_stamps(state).map(|stamp| stamp.device));
    devices.sort_unstable();
    devices.dedup();
    let mut out = Writer { out: String::with_capacity(256 + state.entries.len() * 512), devices: &devices };
    out.raw("(\ndevices: [");
    out.list(devices.iter(), |out, device| out.show(format_args!("\"{device}\"")));
    out.raw("],\nseen: [");
    out.list(state.seen.iter(), |out, (device, time)| out.stamp(Stamp { time: *time, device: *device }));
    out.raw("],\nmeta: {");
    out.list(state.meta.iter(), |out, (name, register)| {
        out.text(name);
        out.raw(": (");
        out.stamp(register.stamp);
        out.raw(", ");
        out.value(&register.value);
        out.raw(")");
    });
    out.raw("},\nentries: [\n");
    for entry in state.entries.values() {
        out.entry(entry);
    }
    out.raw("],\n)\n");
    Secret::new(out.out.into_bytes())
}

struct Writer<'a> {
    out: String,
    devices: &'a [DeviceId],
}

impl Writer<'_> {
    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn show(&mut self, text: fmt::Arguments<'_>) {
        fmt::Write::write_fmt(&mut self.out, text).expect("a String takes everything");
    }

    fn list<T>(&mut self, items: impl Iterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.raw(", ");
            }
            each(self, item);
        }
    }

    fn stamp(&mut self, stamp: Stamp) {
        let device = self.devices.binary_search(&stamp.device).expect("the table was made from all stamps");
        self.show(format_args!("({device}, {})", stamp.time));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Flag(on) => self.show(format_args!("Flag({on})")),
            Value::Number(n) => self.show(format_args!("Number({n})")),
            Value::Text(text) => {
                self.raw("Text(");
                self.text(text);
                self.raw(")");
            }
        }
    }

    /// Quotes text. What is not meant to be seen is written by its number, so that the text stays one that can be read
    /// and printed.
    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\n' => self.raw("\\n"),
                c if is_unseen(c) => self.show(format_args!("\\u{{{:x}}}", u32::from(c))),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn entry(&mut self, entry: &Entry) {
        self.show(format_args!("(id: \"{}\"", entry.id));
        if entry.incarnation != 0 {
            self.show(format_args!(", incarnation: {}", entry.incarnation));
        }
        match entry.life {
            Life::Live => {}
            Life::Trashed => self.raw(", life: Trashed"),
            Life::Purged => self.raw(", life: Purged"),
        }
        if entry.counter != Counter::default() {
            self.show(format_args!(", counter: ({}, {})", entry.counter.epoch, entry.counter.next));
        }
        if let Some(body) = &entry.body {
            self.body(body);
        }
        self.raw("),\n");
    }

    fn body(&mut self, body: &Body) {
        let core = &body.core;
        self.raw(", kind: ");
        self.text(&core.kind);
        self.raw(", secret: ");
        self.text(core.secret.expose());
        if let Some(pin) = &core.pin {
            self.raw(", pin: ");
            self.text(pin.expose());
        }
        self.raw(", identity: ");
        self.text(&core.identity);
        // The oldest stamp: that of the moment when the entry was added, until every field of then was edited.
        let common = body_stamps(body).min();
        if let Some(at) = common {
            self.raw(", at: ");
            self.stamp(at);
        }
        self.map("fields", body.fields.iter(), |out, register| out.value(&register.value));
        let later = body.fields.iter().filter(|(_, register)| Some(register.stamp) != common);
        self.map("later", later, |out, register| out.stamp(register.stamp));
        self.map("tags", body.tags.iter(), |out, (on, _)| out.show(format_args!("{on}")));
        let later = body.tags.iter().filter(|(_, (_, stamp))| Some(*stamp) != common);
        self.map("tags_later", later, |out, (_, stamp)| out.stamp(*stamp));
    }

    fn map<'m, K: AsRef<str> + 'm, V: 'm>(
        &mut self,
        name: &str,
        pairs: impl Iterator<Item = (&'m K, &'m V)>,
        mut each: impl FnMut(&mut Self, &V),
    ) {
        let mut pairs = pairs.peekable();
        if pairs.peek().is_none() {
            return;
        }
        self.show(format_args!(", {name}: {{"));
        self.list(pairs, |out, (key, value)| {
            out.text(key.as_ref());
            out.raw(": ");
            each(out, value);
        });
        self.raw("}");
    }
}

/// Control characters, and the format characters that could make the text look like another one.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state with everything that the format can say.
    fn full() -> State {
        let (a, b) = (DeviceId([1; 8]), DeviceId([0xfe; 8]));
        let at = Stamp { time: 1_700_000_000_000, device: a };
        let late = Stamp { time: 1_700_000_000_999, device: b };
        let text = |stamp, text: &str| Register { stamp, value: Value::Text(text.to_owned()) };
        let core = |kind: &str, pin: Option<&str>| {
            Arc::new(Core {
                kind: kind.to_owned(),
                secret: Secret::new(String::from("MFRGGZDF")),
                pin: pin.map(|pin| Secret::new(pin.to_owned())),
                identity: String::from("managed/Contoso"),
            })
        };
        let fields = [
            ("issuer", text(at, "Site \"quoted\" \\ \u{202e}\u{0} ünïcode 漢字\r\n\ttab")),
            ("note", text(late, "")),
            ("digits", Register { stamp: at, value: Value::Number(i64::MIN) }),
            ("favourite", Register { stamp: late, value: Value::Flag(true) }),
            ("a newer field", Register { stamp: at, value: Value::Number(i64::MAX) }),
        ];
        let fields: BTreeMap<FieldName, Register> = fields.into_iter().map(|(n, r)| (n.into(), r)).collect();
        let tags = BTreeMap::from([(String::from("work"), (true, at)), (String::from("\n"), (false, late))]);
        let entry = |n: u8, life, body| Entry {
            id: EntryId([n; 16]),
            incarnation: u32::from(n),
            life,
            counter: Counter { epoch: 2, next: u64::MAX },
            body,
        };
        let mut state = State::default();
        for entry in [
            entry(0, Life::Live, Some(Body { core: core("totp", None), fields, tags })),
            entry(
                1,
                Life::Trashed,
                Some(Body { core: core("fido9", Some("")), fields: BTreeMap::new(), tags: BTreeMap::new() }),
            ),
            entry(2, Life::Purged, None),
        ] {
            state.entries.insert(entry.id, entry);
        }
        state.meta.insert(String::from("slot/00"), Register { stamp: late, value: Value::Flag(false) });
        state.meta.insert(String::from("from a newer version"), text(at, "kept"));
        state.seen = BTreeMap::from([(a, 1_700_000_000_500), (b, late.time), (DeviceId([9; 8]), 3)]);
        state
    }

    fn text_of(state: &State) -> String {
        String::from_utf8(encode(state).expose().clone()).unwrap()
    }

    #[test]
    fn everything_comes_back_unknown_names_among_it() {
        let state = full();
        let text = text_of(&state);
        let again = decode(text.as_bytes()).unwrap();
        assert_eq!(text_of(&again), text);
        let entry = &again.entries[&EntryId([0; 16])];
        assert_eq!(entry.text("issuer"), "Site \"quoted\" \\ \u{202e}\u{0} ünïcode 漢字\r\n\ttab");
        assert_eq!(entry.number("a newer field"), Some(i64::MAX));
        assert_eq!(entry.body.as_ref().unwrap().tags, state.entries[&EntryId([0; 16])].body.as_ref().unwrap().tags);
        assert_eq!(again.meta, state.meta);
        assert_eq!(again.seen, state.seen);
        assert!(again.entries[&EntryId([1; 16])].core().unwrap().pin.is_some(), "an empty PIN is not no PIN");
    }

    #[test]
    fn the_text_is_one_that_can_be_read_and_printed() {
        let text = text_of(&full());
        assert!(text.chars().all(|c| c == '\n' || !is_unseen(c)));
        assert_eq!(text.matches("1700000000000").count(), 2, "one stamp for an entry, one for the meta value: {text}");
    }

    #[test]
    fn an_empty_vault_is_a_few_lines() {
        let text = "(\ndevices: [],\nseen: [],\nmeta: {},\nentries: [\n],\n)\n";
        assert_eq!(text_of(&State::default()), text);
        assert!(decode(text.as_bytes()).unwrap().entries.is_empty());
    }

    #[test]
    fn what_breaks_the_rules_is_refused_with_its_place_and_without_its_content() {
        let good = text_of(&full());
        let refuse = |from: &str, to: &str| {
            assert!(good.contains(from), "{from} is not in {good}");
            let error = decode(good.replacen(from, to, 1).as_bytes()).err().unwrap_or_else(|| panic!("{to} was taken"));
            assert!(!error.to_string().contains("MFRGG"), "{error}");
            error
        };
        for (from, to, problem) in [
            ("seen: [(0", "seen: [(3", "a device that is not in the table"),
            ("seen: [(0", "seen: [(1", "a device seen twice"),
            ("devices: [\"01", "devices: [\"fefefefefefefefe\", \"01", "a device twice"),
            ("\"a newer field\"", "\"issuer\"", "a field or a tag twice"),
            ("\"work\"", "\"\\n\"", "a field or a tag twice"),
            ("later: {\"favourite\"", "later: {\"colour\"", "a stamp for a field or a tag that is not there"),
            ("later: {\"favourite\"", "later: {\"note\"", "a name twice"),
            (", life: Purged", "", "an entry has a body exactly when it is not purged"),
            (", life: Trashed", ", life: Purged", "an entry has a body exactly when it is not purged"),
            (", at: (0, 1700000000000)", "", "a field without a stamp"),
            ("01010101010101010101010101010101\"", "02020202020202020202020202020202\"", "an entry twice"),
            ("(1, 3)", "(1, 4611686018427387905)", "a time beyond all times"),
        ] {
            assert_eq!(refuse(from, to).problem, problem, "{from} -> {to}");
        }
        for (from, to) in [
            ("secret: \"MFRGGZDF\"", "secret: MFRGGZDF"),
            ("secret: \"MFRGGZDF\"", "secret: \"MFRGGZDF\", secret: \"MFRGGZDF\""),
            ("secret: \"MFRGGZDF\"", "sekret: \"MFRGGZDF\""),
            ("life: Trashed", "life: Asleep"),
            ("Number(", "Float("),
            ("meta: {", "mode: {"),
            ("id: \"0000", "id: \"00"),
            ("id: \"0000", "id: \"00g0"),
            ("(1, 3)", "(1, 18446744073709551616)"),
            ("(1, 3)", "(1, -3)"),
            ("\n)\n", "\n) more\n"),
        ] {
            let error = refuse(from, to);
            assert_eq!(error.problem, "not the text of a vault");
            assert!(error.line > 0 && error.column > 0, "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn depth_and_rubbish_are_refused_without_harm() {
        for text in [
            "(".repeat(1_000_000),
            "[".repeat(1_000_000),
            "/*".repeat(100_000),
            String::from("\u{0}\u{1}"),
            String::new(),
        ] {
            assert!(decode(text.as_bytes()).is_err());
        }
        assert!(decode(b"\xff\xfe(").is_err());
        let good = text_of(&full());
        for end in (0..good.len() - 2).filter(|end| good.is_char_boundary(*end)) {
            assert!(decode(&good.as_bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn the_version_vector_covers_every_stamp_whoever_wrote_the_file() {
        let text = text_of(&full());
        let (head, tail) = text.split_once("seen: [").unwrap();
        let text = format!("{head}seen: [{}", &tail[tail.find("],\nmeta").unwrap()..]);
        let state = decode(text.as_bytes()).unwrap();
        assert_eq!(state.seen[&DeviceId([1; 8])], 1_700_000_000_000);
        assert_eq!(state.seen.values().max(), Some(&1_700_000_000_999));
    }

    /// Run alone, in release: `cargo test --release --lib payload -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn measure_decoding() {
        use crate::otp::{Account, Kind, Seed};
        let mut state = State::default();
        for n in 0..10_000u32 {
            let stamp = Stamp { time: 1_700_000_000_000 + u64::from(n), device: DeviceId([1; 8]) };
            let mut id = [7; 16];
            id[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_le_bytes());
            let mut account = Account::new(
                format!("Service {n}"),
                format!("user{n}@example.com"),
                Kind::totp(),
                Seed::new(vec![n as u8; 20]).unwrap(),
            );
            account.groups.push(String::from("work"));
            state.add(EntryId(id), &account, "personal", "Aegis", stamp);
        }
        let text = encode(&state);
        for _ in 0..5 {
            let started = std::time::Instant::now();
            let again = decode(text.expose()).unwrap();
            let decoded = started.elapsed();
            let started = std::time::Instant::now();
            let written = encode(&again);
            eprintln!(
                "{} bytes; decode {:.2} us, encode {:.2} us an account",
                written.expose().len(),
                decoded.as_secs_f64() * 100.0,
                started.elapsed().as_secs_f64() * 100.0
            );
        }
    }
}
