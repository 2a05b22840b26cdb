//! Round trips, refusals, and how long reading takes.

use super::write::is_unseen;
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
    for text in
        ["(".repeat(1_000_000), "[".repeat(1_000_000), "/*".repeat(100_000), String::from("\u{0}\u{1}"), String::new()]
    {
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
