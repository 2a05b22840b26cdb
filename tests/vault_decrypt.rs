//! A stranger's reader, in Python and from `docs/vault.md` alone, opens what otpanel writes.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use otpanel::otp::{Account, Algorithm, Digits, Kind, Period, Pin, Seed};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{
    DataKey, DeviceId, EntryId, KdfParams, Key, SlotId, State, Unlocked, Value, VaultId, field, payload, recovery,
};

const PASSWORD: &str = "correct horse battery staple";
const CHAIN: [u8; 32] = [0x42; 32];
const RECOVERY: [u8; 20] = *b"twenty random bytes!";

/// A vault with a slot of every kind and of an unknown one, and everything that a payload can say.
fn rich(password: &str) -> Unlocked {
    let (vault, dek) = (VaultId([0xab; 16]), DataKey::new(Secret::new([0xd; 32])));
    let (password, chain, recovery) = (Secret::new(password.to_owned()), Secret::new(CHAIN), Secret::new(RECOVERY));
    let keys = [
        Key::Password(&password),
        Key::Keychain(&chain),
        Key::Recovery(&recovery),
        Key::PasswordAndKeychain(&password, &chain),
    ];
    let slots = keys.iter().zip(1..).map(|(key, n)| {
        let fresh = Fresh { id: SlotId([n; 16]), salt: [n; 32] };
        Slot::wrap(&dek, vault, *key, KdfParams::WEAKEST, &fresh).unwrap()
    });
    let mut slots: Vec<Slot> = slots.collect();
    slots.push(Slot { kind: 0x10, id: SlotId([9; 16]), body: b"of a newer version".to_vec() });

    let mut state = State::default();
    let pin = || Pin::new(String::from("12\"34")).unwrap();
    let kinds = [
        Kind::totp(),
        Kind::Totp { algorithm: Algorithm::Sha512, digits: Digits::EIGHT, period: Period::new(60).unwrap() },
        Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 41 },
        Kind::Steam,
        Kind::Motp { pin: pin() },
        Kind::Yandex { pin: pin() },
        Kind::totp(),
        Kind::totp(),
    ];
    for (kind, n) in kinds.into_iter().zip(0u8..) {
        let device = DeviceId([n % 2; 8]);
        let mut account =
            Account::new(format!("Site {n}"), "ann \"q\" \\ \u{202e}漢字", kind, Seed::new(vec![n + 1; 20]).unwrap());
        account.note = String::from("two\nlines\t\u{0}");
        account.groups = vec![String::from("work"), String::from("a: b, {c}")];
        let id = EntryId([n; 16]);
        let stamp = |state: &State| state.next_stamp(UnixTime(1_785_406_272_345), device);
        state.add(id, &account, "personal", "Aegis", stamp(&state));
        state.set(id, field::FAVOURITE, Value::Flag(n % 2 == 0), stamp(&state));
        state.set(id, field::NOTE, Value::Text(String::from("later")), stamp(&state));
        state.tag(id, "work", false, stamp(&state));
    }
    let stamp = state.next_stamp(UnixTime(0), DeviceId([0; 8]));
    state.advance(EntryId([2; 16]));
    state.trash(EntryId([5; 16]), stamp);
    state.trash(EntryId([6; 16]), stamp);
    state.restore(EntryId([6; 16]), stamp);
    state.purge(EntryId([7; 16]));
    state.set_meta("from/a newer version", Value::Number(-5), stamp);
    Unlocked::create(vault, dek, slots, state)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decrypt.py")
}

/// The Python that `tests/run` has made, else the system's.
fn python() -> std::ffi::OsString {
    std::env::var_os("OTPANEL_TEST_PYTHON").unwrap_or_else(|| "python3".into())
}

/// Whether Python and its two packages are here; on a build server they must be.
fn has_python() -> bool {
    let found = Command::new(python()).args(["-c", "import argon2.low_level, cryptography"]).output();
    let is_here = found.is_ok_and(|output| output.status.success());
    assert!(
        is_here || std::env::var("CI").as_deref() != Ok("true"),
        "python3 with argon2-cffi and cryptography is missing"
    );
    if !is_here {
        eprintln!("skipped: python3 with the packages argon2-cffi and cryptography is missing");
    }
    is_here
}

struct Files(tempfile::TempDir);

impl Files {
    fn new(vault: &[u8]) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("vault.otpv", vault);
        files
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn decrypt(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(python());
        command.arg(script()).arg("vault.otpv").args(arguments).current_dir(self.0.path());
        command.output().unwrap()
    }
}

#[test]
fn python_opens_a_vault_by_each_of_its_keys_and_reads_the_same_text() {
    if !has_python() {
        return;
    }
    // A decomposed letter, as some keyboards make it.
    let vault = rich("Cafe\u{301} \u{fb01}");
    let expected = payload::encode(&vault.state);
    let files = Files::new(&vault.seal([7; 32]).unwrap());
    files.write("password", "Caf\u{e9} fi\n".as_bytes());
    files.write("keychain", &CHAIN);
    files.write("recovery", recovery::write(&Secret::new(RECOVERY)).expose().to_uppercase().as_bytes());
    for arguments in
        [&["--password-file", "password"][..], &["--keychain-file", "keychain"], &["--recovery-key-file", "recovery"]]
    {
        let output = files.decrypt(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, *expected.expose());
    }
}

#[test]
fn python_reads_every_entry_with_all_that_it_says() {
    if !has_python() {
        return;
    }
    let vault = rich(PASSWORD);
    let files = Files::new(&vault.seal([7; 32]).unwrap());
    files.write("password", PASSWORD.as_bytes());
    let output = files.decrypt(&["--password-file", "password", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), vault.state.entries.len());
    for (line, entry) in lines.iter().zip(vault.state.entries.values()) {
        assert_eq!(line["id"], entry.id.to_string());
        assert_eq!(
            line.get("secret").and_then(|secret| secret.as_str()),
            entry.core().map(|core| core.secret.expose().as_str())
        );
        if let Some(body) = &entry.body {
            assert_eq!(line["fields"]["account"], entry.name());
            assert_eq!(line["fields"]["favourite"], entry.flag(field::FAVOURITE));
            assert_eq!(line["fields"]["added"], entry.number(field::ADDED).unwrap());
            assert_eq!(line["tags"].as_object().unwrap().len(), body.tags.len());
            assert_eq!(line["tags"]["a: b, {c}"], true);
            assert_eq!(
                line["later"].as_object().unwrap().len(),
                body.fields.values().filter(|r| r.stamp != body.fields["account"].stamp).count()
            );
        }
    }
    assert_eq!(lines[2]["counter"], serde_json::json!([0, 42]));
    assert_eq!(lines[4]["pin"], "12\"34");
    assert_eq!(lines[5]["life"], "Trashed");
    assert_eq!(lines[6]["incarnation"], 1);
    assert_eq!(lines[7]["life"], "Purged");
}

#[test]
fn python_finds_a_wrong_key_and_an_altered_file() {
    if !has_python() {
        return;
    }
    let vault = rich(PASSWORD);
    let mut bytes = vault.seal([7; 32]).unwrap();
    let files = Files::new(&bytes);
    files.write("wrong", b"wrong");
    files.write("password", PASSWORD.as_bytes());
    let told = |output: Output| String::from_utf8(output.stderr).unwrap();
    assert!(told(files.decrypt(&["--password-file", "wrong"])).contains("no slot opens"));
    *bytes.last_mut().unwrap() ^= 1;
    files.write("vault.otpv", &bytes);
    assert!(told(files.decrypt(&["--password-file", "password"])).contains("altered"));
}

#[test]
fn the_golden_vault_is_read_by_python_too() {
    if !has_python() {
        return;
    }
    let files = Files::new(include_bytes!("golden/v1.otpv"));
    files.write("recovery", include_bytes!("golden/v1.recovery-key"));
    let output = files.decrypt(&["--recovery-key-file", "recovery"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("golden/v1.ron"));
}

#[test]
fn a_rich_vault_comes_back_whole() {
    let vault = rich(PASSWORD);
    let again = otpanel::vault::Locked::parse(vault.seal([7; 32]).unwrap()).unwrap();
    let again = again.open(&Key::Password(&Secret::new(PASSWORD.to_owned()))).map_err(|e| e.to_string()).unwrap();
    assert_eq!(payload::encode(&again.state).expose(), payload::encode(&vault.state).expose());
    assert_eq!(again.slots(), vault.slots());
    assert!(!Arc::clone(&again.state).is_behind(&vault.state.seen));
}
