//! The fast reader against the one of all RON: they agree, or the fast one declines.

use proptest::prelude::*;

use super::super::{FieldName, decode_any, encode, field};
use super::*;

fn stamps() -> impl Strategy<Value = Stamp> {
    (0..4u8, prop_oneof![0..9u64, 0..=LATEST_STAMP]).prop_map(|(n, time)| Stamp { time, device: DeviceId([n; 8]) })
}

/// Texts with what must be escaped among them, which proptest's own leave out.
fn strings() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\\x00-\\x1fa\\\\\"\u{ad}\u{202e}\u{feff}]{0,4}"]
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(Value::Number),
        strings().prop_map(Value::Text),
    ]
}

fn names() -> impl Strategy<Value = FieldName> {
    prop_oneof!["issuer|account|note|added", strings()].prop_map(|name| field::name(&name))
}

/// What a body is made from; a [`Body`] cannot be printed, which a test's case must be.
type Parts = ((String, String, Option<String>, String), BTreeMap<FieldName, Register>, BTreeMap<String, (bool, Stamp)>);

fn registers() -> impl Strategy<Value = Register> {
    (stamps(), values()).prop_map(|(stamp, value)| Register { stamp, value })
}

fn bodies() -> impl Strategy<Value = Parts> {
    let core = (strings(), strings(), prop::option::of(strings()), strings());
    let fields = prop::collection::btree_map(names(), registers(), 0..6);
    let tags = prop::collection::btree_map(strings(), (any::<bool>(), stamps()), 0..3);
    (core, fields, tags)
}

fn body(((kind, secret, pin, identity), fields, tags): Parts) -> Body {
    let core = Core { kind, secret: Secret::new(secret), pin: pin.map(Secret::new), identity };
    Body { core: Arc::new(core), fields, tags }
}

/// Texts of the writer.
pub(in super::super) fn texts() -> impl Strategy<Value = Vec<u8>> {
    let incarnation = prop_oneof![Just(0), any::<u32>()];
    let counter = prop_oneof![Just((0, 0)), any::<(u32, u64)>()];
    let body_or_none = prop::option::weighted(0.8, bodies());
    let entry = (any::<[u8; 16]>(), incarnation, counter, any::<bool>(), body_or_none);
    let meta = prop::collection::btree_map(strings(), registers(), 0..3);
    let seen = prop::collection::btree_map((0..5u8).prop_map(|n| DeviceId([n; 8])), 0..=LATEST_STAMP, 0..4);
    (prop::collection::vec(entry, 0..4), meta, seen).prop_map(|(entries, meta, seen)| {
        let entries = entries.into_iter().map(|(id, incarnation, (epoch, next), trashed, parts)| {
            let life = match &parts {
                None => Life::Purged,
                Some(_) if trashed => Life::Trashed,
                Some(_) => Life::Live,
            };
            let (id, counter) = (EntryId(id), Counter { epoch, next });
            (id, Entry { id, incarnation, life, counter, body: parts.map(body) })
        });
        text(&State { entries: entries.collect(), meta, seen })
    })
}

/// What else the text of a vault is made of, and what RON would take in its place.
const PIECES: [&str; 24] = [
    ", life: Live",
    ", life: Trashed",
    ", life: Purged",
    ", incarnation: 0",
    ", counter: (0, 0)",
    ", at: (0, 1)",
    ", pin: \"\"",
    ", fields: {}",
    ", fields: {\"issuer\": Text(\"\")}",
    ", later: {\"issuer\": (0, 1)}",
    ", tags: {\"\": true}",
    ", tags_later: {\"\": (0, 1)}",
    "Some(",
    "\\u{0}",
    "\\x41",
    "\\t",
    "r#\"x\"#",
    "/**/",
    "//\n",
    "0x1",
    "1_0",
    "+1",
    "1.0",
    ",",
];

/// Texts of the writer with bytes changed, pieces put in, and parts of them doubled, moved or left out.
pub(in super::super) fn faulty() -> impl Strategy<Value = Vec<u8>> {
    let place = any::<prop::sample::Index>;
    let fault = (place(), place(), place(), 0..7u8, any::<u8>());
    (texts(), prop::collection::vec(fault, 1..4)).prop_map(|(mut bytes, faults)| {
        for (at, from, len, what, byte) in faults {
            let at = at.index(bytes.len());
            let from = from.index(bytes.len());
            let part = bytes[from..from + len.index((bytes.len() - from).min(120))].to_vec();
            match what {
                0 => bytes[at] = byte,
                1 => bytes[at] = b"0123456789abcdef\"\\(){}[],: -\n"[usize::from(byte) % 29],
                2 => bytes.insert(at, byte),
                3 => drop(bytes.splice(at..at, PIECES[usize::from(byte) % PIECES.len()].bytes())),
                4 => drop(bytes.splice(at..at, part)),
                5 => {
                    let line = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
                    drop(bytes.splice(line..line, part));
                }
                _ => drop(bytes.drain(at..at + 1 + usize::from(byte).min(bytes.len() - at - 1))),
            }
            if bytes.is_empty() {
                bytes.push(b'(');
            }
        }
        bytes
    })
}

fn text(state: &State) -> Vec<u8> {
    encode(state).expose().clone()
}

/// Where the fast reader takes a text, the other takes it as the same state.
fn agree(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let Some(state) = read(bytes) else { return Ok(false) };
    let other = decode_any(bytes).map_err(|e| TestCaseError::fail(format!("taken, and refused by the other: {e}")))?;
    prop_assert_eq!(text(&state), text(&other));
    Ok(true)
}

proptest! {
    #[test]
    fn what_the_writer_writes_is_read_as_the_other_reader_reads_it(written in texts()) {
        prop_assert!(agree(&written)?, "declined");
        prop_assert_eq!(text(&read(&written).unwrap()), written);
    }

    #[test]
    fn plain_text_ends_where_the_slow_look_says(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'a')], 0..40)) {
        let slow = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len());
        prop_assert_eq!(plain(&bytes), slow);
    }

    #[test]
    fn a_text_with_a_fault_is_declined_or_read_as_the_other_reader_reads_it(text in faulty()) {
        agree(&text)?;
    }
}

#[test]
fn other_spellings_are_left_to_the_other_reader() {
    let good = "(\ndevices: [\"0000000000000000\"],\nseen: [(0, 1)],\nmeta: {\"a\": ((0, 1), Number(5))},\nentries: [\n],\n)\n";
    assert!(read(good.as_bytes()).is_some());
    for (from, to) in
        [("5", "05"), ("5", "-0"), ("5", "0x5"), ("5", "5_0"), ("5", "+5"), ("(0, 1)]", "(0,1)]"), ("\n)", ")")]
    {
        let text = good.replacen(from, to, 1);
        assert!(read(text.as_bytes()).is_none() && decode_any(text.as_bytes()).is_ok(), "{to}");
    }
}

#[test]
fn what_stands_there_twice_is_declined() {
    let good = "(\ndevices: [\"0000000000000000\"],\nseen: [(0, 1)],\nmeta: {\"a\": ((0, 1), Flag(true))},\nentries: [\n\
                (id: \"00000000000000000000000000000000\", kind: \"\", secret: \"\", identity: \"\", at: (0, 1), \
                fields: {\"f\": Flag(true)}, later: {\"f\": (0, 1)}, tags: {\"t\": true}, tags_later: {\"t\": (0, 1)}),\n],\n)\n";
    assert!(read(good.as_bytes()).is_some());
    let entry = good.lines().find(|line| line.starts_with("(id")).unwrap();
    assert!(read(good.replace(entry, &format!("{entry}\n{entry}")).as_bytes()).is_none());
    let once = [
        "\"0000000000000000\"",
        "(0, 1)]",
        "\"a\": ((0, 1), Flag(true))",
        "\"f\": Flag(true)",
        "\"f\": (0, 1)",
        "\"t\": true",
        "\"t\": (0, 1)",
    ];
    for part in once {
        let part = part.trim_end_matches(']');
        assert!(read(good.replacen(part, &format!("{part}, {part}"), 1).as_bytes()).is_none(), "{part}");
    }
}
