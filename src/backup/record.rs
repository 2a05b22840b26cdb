//! What of a vault goes into a backup: secrets, names and code settings of one identity, and nothing else. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::item::{BackupKey, Keys, Kid};
use crate::secret::Secret;
use crate::vault::{Body, Core, Counter, Entry, EntryId, Life, Stamp, State, Value, field};

/// The fields that a record may have.
const FIELDS: [&str; 5] = [field::ISSUER, field::ACCOUNT, field::ALGORITHM, field::DIGITS, field::PERIOD];

/// The records of an identity. Of a purged entry, which has no identity any more, a tombstone is made only where this
/// identity's backup has met it (`met`). `names_only` leaves the secrets out.
pub fn project(state: &State, identity: &str, met: &BTreeSet<EntryId>, names_only: bool) -> State {
    let mut records = State::default();
    for (id, entry) in &state.entries {
        let record = match &entry.body {
            None if met.contains(id) => Entry { counter: Counter::default(), ..entry.clone() },
            Some(body) if body.core.identity == identity => stripped(entry, body, names_only),
            _ => continue,
        };
        records.entries.insert(*id, record);
    }
    records
}

fn stripped(entry: &Entry, body: &Body, names_only: bool) -> Entry {
    let core = if names_only {
        let (kind, identity) = (body.core.kind.clone(), body.core.identity.clone());
        Arc::new(Core { kind, secret: Secret::new(String::new()), pin: None, identity })
    } else {
        Arc::clone(&body.core)
    };
    let fields = body.fields.iter().filter(|(name, _)| FIELDS.contains(&&***name));
    let fields = fields.map(|(name, register)| (name.clone(), register.clone())).collect();
    let body = Body { core, fields, tags: BTreeMap::new() };
    let (id, incarnation, life, counter) = (entry.id, entry.incarnation, entry.life, entry.counter);
    Entry { id, incarnation, life, counter, body: Some(body) }
}

/// The records of a bundle that was opened, made fit to be joined: only what [`project`] writes; none when an account of
/// another identity is among them, which no device of ours writes.
pub fn accept(records: &State, identity: &str) -> Option<State> {
    let met = records.entries.keys().copied().collect();
    let fit = project(records, identity, &met, false);
    (fit.entries.len() == records.entries.len()).then_some(fit)
}

/// The records of bundles, each with its key, joined: one under a key that may not delete for good brings no tombstone. Bundle by
/// bundle, so that such a tombstone does not hide the account in another bundle either.
pub fn joined(bundles: &[(Kid, State)], may_delete: impl Fn(Kid) -> bool) -> State {
    let mut all = State::default();
    for (kid, records) in bundles {
        if may_delete(*kid) {
            all.join(records);
        } else {
            let mut records = records.clone();
            records.entries.retain(|_, entry| entry.life != Life::Purged);
            all.join(&records);
        }
    }
    all
}

/// The bucket of an entry among 2^epoch.
pub fn bucket(id: EntryId, epoch: u8) -> u16 {
    let digest = Sha256::digest(id.0);
    let top = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    (u64::from(top) >> (32 - u32::from(epoch))) as u16
}

/// Records by their buckets.
pub fn buckets(records: &State, epoch: u8) -> BTreeMap<u16, State> {
    let mut out: BTreeMap<u16, State> = BTreeMap::new();
    for (id, entry) in &records.entries {
        out.entry(bucket(*id, epoch)).or_default().entries.insert(*id, entry.clone());
    }
    out
}

/// The live accounts among records.
pub fn live(records: &State) -> usize {
    records.entries.values().filter(|entry| entry.life == Life::Live).count()
}

/// The backup keys that the vault knows for an identity.
pub fn keys(state: &State, identity: &str) -> Keys {
    let prefix = format!("backup/{identity}/key/");
    let mut keys = Keys::new();
    for (name, register) in state.meta.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix)) {
        if let (Ok(kid), Value::Text(text)) = (name[prefix.len()..].parse(), &register.value)
            && let Ok(bytes) = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes())
            && let Ok(bytes) = <[u8; 32]>::try_from(bytes.as_slice())
        {
            keys.insert(kid, BackupKey(Secret::new(bytes)));
        }
    }
    keys
}

/// Adds a key to those that the vault knows. False when it knows it.
pub fn add_key(state: &mut State, identity: &str, kid: Kid, key: &BackupKey, stamp: Stamp) -> bool {
    let text = data_encoding::BASE64URL_NOPAD.encode(key.0.expose());
    state.set_meta(&format!("backup/{identity}/key/{kid}"), Value::Text(text), stamp)
}

/// The key that new bundles are sealed with, where one was chosen.
pub fn pinned(state: &State, identity: &str) -> Option<Kid> {
    match &state.meta.get(&format!("backup/{identity}/pin"))?.value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Chooses the key that new bundles are sealed with.
pub fn pin(state: &mut State, identity: &str, kid: Kid, stamp: Stamp) -> bool {
    state.set_meta(&format!("backup/{identity}/pin"), Value::Text(kid.to_string()), stamp)
}

/// The backup keys of an identity that were known before the vault got a new data key.
pub fn old_keys(state: &State, identity: &str) -> BTreeSet<Kid> {
    let prefix = format!("backup/{identity}/old/");
    let names = state.meta.range(prefix.clone()..).map(|(name, _)| name).take_while(|name| name.starts_with(&prefix));
    names.filter_map(|name| name[prefix.len()..].parse().ok()).collect()
}

/// Counts a backup key among those from before. False when it is.
pub fn mark_old(state: &mut State, identity: &str, kid: Kid, stamp: Stamp) -> bool {
    let name = format!("backup/{identity}/old/{kid}");
    !state.meta.contains_key(&name) && state.set_meta(&name, Value::Flag(true), stamp)
}

/// Chooses a new key for every identity that has one: for bundles that who has the old keys shall not open. All keys of now
/// count as old from then on.
pub fn choose_new_keys(state: &mut State, stamp: Stamp, fresh: &dyn Fn() -> (Kid, BackupKey)) {
    let identity = |name: &String| Some(name.strip_prefix("backup/")?.strip_suffix("/pin")?.to_owned());
    let identities: Vec<String> = state.meta.keys().filter_map(identity).collect();
    for identity in identities {
        for old in keys(state, &identity).into_keys() {
            mark_old(state, &identity, old, stamp);
        }
        let (kid, key) = fresh();
        add_key(state, &identity, kid, &key, stamp);
        pin(state, &identity, kid, stamp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Account, Kind, Seed};
    use crate::time::UnixTime;
    use crate::vault::{DeviceId, payload};

    fn two_identities() -> State {
        let mut state = State::default();
        for (n, identity) in [(1, "personal"), (2, "managed/Contoso"), (3, "personal")] {
            let stamp = state.next_stamp(UnixTime(1_000), DeviceId([1; 8]));
            let mut account = Account::new("Site", "me", Kind::totp(), Seed::new(vec![n; 20]).unwrap());
            account.note = "a note".into();
            account.favourite = true;
            account.groups = vec!["work".into()];
            state.add(EntryId([n; 16]), &account, identity, "a link", stamp);
        }
        state
    }

    #[test]
    fn a_record_has_exactly_the_fields_that_were_promised() {
        let mut state = two_identities();
        state.purge(EntryId([3; 16]));
        let met = [EntryId([3; 16])].into();
        let records = project(&state, "personal", &met, false);
        let text = payload::encode(&records);
        let text = String::from_utf8(text.expose().clone()).unwrap();
        for absent in ["note", "work", "favourite", "added", "source", "Contoso", "meta: {\""] {
            assert!(!text.contains(absent), "{absent} in {text}");
        }
        assert_eq!(records.entries.len(), 2);
        let body = records.entries[&EntryId([1; 16])].body.as_ref().unwrap();
        assert!(body.fields.keys().all(|name| FIELDS.contains(&&**name)) && body.tags.is_empty());
        assert!(records.entries[&EntryId([3; 16])].body.is_none());
        assert!(project(&state, "personal", &BTreeSet::new(), false).entries.len() == 1, "not met: no tombstone");
    }

    #[test]
    fn names_alone_hold_no_secret_and_never_take_one_away() {
        let mut state = two_identities();
        let records = project(&state, "personal", &BTreeSet::new(), true);
        assert!(records.entries.values().all(|e| e.core().unwrap().secret.expose().is_empty()));
        assert!(!state.join(&records) || state.entries[&EntryId([1; 16])].core().unwrap().secret.expose().len() > 8);
    }

    #[test]
    fn records_of_another_identity_are_refused() {
        let state = two_identities();
        assert!(accept(&project(&state, "personal", &BTreeSet::new(), false), "personal").is_some());
        assert!(accept(&state, "personal").is_none());
    }

    #[test]
    fn buckets_halve_with_each_epoch() {
        for n in 0..200 {
            let id = EntryId([n; 16]);
            assert_eq!(bucket(id, 0), 0);
            for epoch in 1..=12 {
                assert_eq!(bucket(id, epoch) >> 1, bucket(id, epoch - 1));
            }
        }
    }

    #[test]
    fn keys_are_kept_by_identity() {
        let mut state = State::default();
        let stamp = Stamp { time: 1, device: DeviceId([1; 8]) };
        assert!(add_key(&mut state, "personal", Kid([1; 8]), &BackupKey(Secret::new([7; 32])), stamp));
        assert!(pin(&mut state, "personal", Kid([1; 8]), stamp));
        assert_eq!(keys(&state, "personal").keys().copied().collect::<Vec<_>>(), [Kid([1; 8])]);
        assert!(keys(&state, "managed/personal").is_empty());
        assert_eq!((pinned(&state, "personal"), pinned(&state, "x")), (Some(Kid([1; 8])), None));
    }
}
