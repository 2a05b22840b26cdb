//! Any states join by the laws: in any order, any grouping, any number of times; and no account is lost on the way. The
//! states are payloads (parted by a zero byte), or are made of the input's bytes over a few ids, so that they meet.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use otpanel::secret::Secret;
use otpanel::vault::payload::{decode, encode};
use otpanel::vault::{Body, Core, Counter, DeviceId, Entry, EntryId, Life, Register, Stamp, State, Value, field};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let states: Vec<State> = if choice % 4 == 0 {
        rest.split(|byte| *byte == 0).take(3).filter_map(|text| decode(text).ok()).collect()
    } else {
        let part = rest.len().div_ceil(3).max(1);
        rest.chunks(part).map(made).collect()
    };
    let [a, b, c] = match states.as_slice() {
        [a, b] => [a, b, a],
        [a, b, c] => [a, b, c],
        _ => return,
    };
    let ab = joined(a, b);
    assert!(text(&ab) == text(&joined(b, a)), "order does not matter");
    assert!(text(&joined(&ab, c)) == text(&joined(a, &joined(b, c))), "grouping does not matter");
    assert!(!ab.clone().join(b) && !ab.clone().join(a) && !ab.clone().join(&ab), "joining again changes nothing");
    for (id, entry) in a.entries.iter().chain(&b.entries) {
        let kept = &ab.entries[id];
        let other = [a, b].map(|state| state.entries.get(id)).into_iter().flatten().max_by_key(|e| (e.incarnation, e.life));
        assert!(kept.incarnation >= entry.incarnation && kept.counter >= entry.counter);
        assert!(other.is_some_and(|other| (other.incarnation, other.life) == (kept.incarnation, kept.life)));
        assert!(kept.life == Life::Purged || kept.body.is_some(), "what is not purged keeps its secret");
    }
    let again = decode(text(&ab).expose());
    assert!(again.is_ok_and(|again| text(&again).expose() == text(&ab).expose()), "what was joined can be saved and read");
});

fn joined(a: &State, b: &State) -> State {
    let mut out = a.clone();
    out.join(b);
    out
}

fn text(state: &State) -> Text {
    Text(encode(state))
}

/// A secret text that can be compared, for the fuzzer's own made-up secrets.
struct Text(Secret<Vec<u8>>);

impl Text {
    fn expose(&self) -> &Vec<u8> {
        self.0.expose()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// A state out of bytes, six for each entry. One id has one core, as on real devices, but for an id that breaks that.
fn made(bytes: &[u8]) -> State {
    let mut state = State::default();
    for six in bytes.chunks_exact(6) {
        let (id, incarnation, life, when, what, more) = (six[0] % 5, six[1] % 4, six[2], six[3], six[4], six[5]);
        let stamp = Stamp { time: u64::from(when % 8), device: DeviceId([when / 64; 8]) };
        let life = [Life::Live, Life::Live, Life::Trashed, Life::Purged][usize::from(life % 4)];
        let secret = if id == 4 { String::from(['A', 'B'][usize::from(what % 2)]).repeat(16) } else { "A".repeat(16) };
        let core = Core { kind: "totp".into(), secret: Secret::new(secret), pin: None, identity: "personal".into() };
        let value = match what % 3 {
            0 => Value::Text(format!("{}", what / 16)),
            1 => Value::Number(i64::from(what)),
            _ => Value::Flag(what > 100),
        };
        let fields = [(field::name(if more % 2 == 0 { field::ISSUER } else { "newer" }), Register { stamp, value: value.clone() })];
        let body = Body {
            core: Arc::new(core),
            fields: fields.into(),
            tags: [(format!("t{}", more % 3), (more > 127, stamp))].into(),
        };
        let entry = Entry {
            id: EntryId([id; 16]),
            incarnation: incarnation.into(),
            life,
            counter: Counter { epoch: u32::from(more % 3), next: u64::from(what) },
            body: (life != Life::Purged).then_some(body),
        };
        if more % 5 == 0 {
            state.meta.insert(format!("m{}", what % 3), Register { stamp, value });
        }
        state.note(stamp);
        match state.entries.get_mut(&entry.id) {
            Some(there) => {
                there.join(&entry);
            }
            None => {
                state.entries.insert(entry.id, entry);
            }
        }
    }
    state
}
