//! The memory of a running panel: what is in it while it is open, and that nothing of it is left once it is locked.

use std::ffi::OsStr;
use std::fs;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otpanel::backup::record;
use otpanel::otp::{base32, code, uri};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::kdf::argon2id;
use otpanel::vault::{Key, Locked, SlotKind, crypto, payload};

use crate::home::{Home, PASSWORD};
use crate::panel::{LIMIT, Panel};
use crate::support::image::{Part, Wanted, of};
use crate::support::{Session, installed, left_out, output, wait_until};

/// A secret that stands nowhere else: 20 bytes of a fixed chaos, in base32.
fn canary(n: u8) -> String {
    let bytes: Vec<u8> = (0..20u32)
        .map(|i| (i + 1).wrapping_mul(2_654_435_761).wrapping_mul(u32::from(n) * 2 + 40_503).to_be_bytes()[1])
        .collect();
    base32::encode(&bytes).expose().clone()
}

fn link(name: &str, secret: &str) -> String {
    format!("otpauth://totp/{name}:ada?secret={secret}&issuer={name}&digits=8")
}

/// The secrets of accounts, and all of their codes from ten minutes ago to ten minutes on.
fn seeds(wanted: &mut Wanted, secrets: &[String]) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (n, secret) in secrets.iter().enumerate() {
        let account = uri::parse(&link("X", secret)).unwrap();
        wanted.text(&format!("secret {n} in base32"), secret);
        wanted.key(&format!("seed {n}"), account.seed.expose());
        for period in now / 30 - 20..now / 30 + 20 {
            wanted.code(code::code_at(&account, UnixTime::from_secs(period * 30)).unwrap().expose());
        }
    }
}

/// The keys of the vault as it lies there now: of the data, of the header, of the payload, of the slots, of the backup.
fn keys(wanted: &mut Wanted, vault: &[u8]) {
    let locked = Locked::parse(vault.to_vec()).unwrap();
    let password = Secret::new(PASSWORD.to_owned());
    let open = locked.open(&Key::Password(&password)).unwrap();
    let dek = open.data_key().expose();
    let salt: [u8; 32] = vault[40..72].try_into().unwrap();
    wanted.key("the data key", dek);
    for info in ["otpanel/v1/header", "otpanel/v1/payload"] {
        wanted.key(info, crypto::hkdf(dek, &salt, info).expose());
    }
    for slot in locked.slots().iter().filter(|slot| slot.kdf().is_some()) {
        let salt: [u8; 32] = slot.body[12..44].try_into().unwrap();
        let derived = argon2id(&password, &salt, slot.kdf().unwrap()).unwrap();
        wanted.key("what the password derives", derived.expose());
        wanted.key("a wrap key", crypto::hkdf(derived.expose(), &salt, "otpanel/v1/slot/password").expose());
    }
    for key in record::keys(&open.state, "personal").values() {
        wanted.key("a backup key", key.0.expose());
        wanted.text("a backup key in text", &data_encoding::BASE64URL_NOPAD.encode(key.0.expose()));
    }
    let text = payload::encode(&open.state);
    assert!(text.expose().len() > 200, "there is something in it");
}

/// What the keychain holds of the vault: 32 bytes, as another program of the same user would read them.
fn held(session: &Session, vault: &Locked) -> [u8; 32] {
    let slot = vault.slots().iter().find(|slot| slot.kind() == SlotKind::Keychain).unwrap();
    let user = format!("{}/{}", vault.vault_id(), slot.id);
    let mut ask = session.command("secret-tool");
    ask.args(["lookup", "service", "otpanel", "username", &user]);
    // As text: some stores damage bytes.
    data_encoding::BASE64URL_NOPAD.decode(&ask.output().unwrap().stdout).unwrap().try_into().unwrap()
}

/// Whether the memory of a program that does not want to be looked at can be read here.
fn allowed() -> bool {
    let root = output(std::process::Command::new("id").arg("-u")).trim() == "0";
    if !root {
        left_out("reading the memory of a program that is not dumpable needs root");
    }
    root
}

/// The image once the panel has come to rest: for most of a second, none of its threads has anything to do.
fn image(panel: &Panel) -> Vec<Part> {
    let pid = panel.pid().as_raw_nonzero().get();
    // The state stands behind the name, which ends in the last bracket (proc_pid_stat(5)).
    let sleeps = |stat: String| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" S"));
    let asleep = || {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        tasks.map(|task| fs::read_to_string(task.path().join("stat"))).all(|stat| stat.is_ok_and(sleeps))
    };
    let mut looks = 0;
    let rested = || {
        looks = if asleep() { looks + 1 } else { 0 };
        looks > 35
    };
    assert!(wait_until(LIMIT, rested), "it has no rest:\n{}", panel.screen());
    of(pid)
}

fn nothing_in(image: &[Part], wanted: &Wanted, when: &str) {
    let found = wanted.found(image);
    assert!(found.is_empty(), "{when}:\n{}", found.join("\n"));
}

/// Everything that is done with secrets in a panel: codes shown, copied, the next one, revealed, in big digits, as a QR
/// code; accounts pasted, typed, edited, deleted; a search; the help.
fn a_busy_day(panel: &mut Panel, pasted: &str, typed: &str) {
    panel.press("\r");
    panel.see("sent to the terminal");
    panel.press("C");
    panel.press("j");
    panel.press("n");
    panel.press("hr");
    panel.press("h");
    panel.press("z");
    thread::sleep(Duration::from_millis(300));
    panel.press("z");
    panel.press("Q");
    panel.see("secret");
    panel.press("\r");
    panel.see("Any key");
    panel.leave("Any key");
    panel.paste(&link("Pasted", pasted));
    panel.see("Add an account");
    panel.press("\r");
    panel.see("Pasted (ada) added");
    panel.press("aTyped\tbob\t");
    panel.press(typed);
    panel.press("\r");
    panel.see("Typed (bob) added");
    panel.press("/typed");
    panel.see("/ typed");
    panel.leave("/ typed").press("e");
    panel.see("Edit");
    panel.press("\x15Renamed\r");
    panel.see("Renamed");
    panel.press("/past\r");
    panel.see("sent to the terminal");
    panel.press("d");
    panel.see("to the trash?");
    panel.press("\r");
    panel.see("moved to the trash");
    panel.press("u");
    thread::sleep(Duration::from_millis(500));
}

#[test]
fn a_table_of_counted_entries_is_not_taken_for_a_code() {
    let table = |counts: [u8; 4]| {
        let entries = counts.iter().flat_map(|n| [b'0', 7, 96, 209, 87, 85, 0, 0, b'0' + n, 0, 0, 0, 0, 0, 0, 0]);
        [Part { name: "anonymous".into(), start: 0, bytes: entries.collect() }]
    };
    let mut wanted = Wanted::default();
    wanted.code("03040506").code("30405060").code("01234567").code("77777777");
    assert_eq!(wanted.found(&table([3, 4, 5, 6])), Vec::<String>::new());
    wanted.code("03040507");
    let found = wanted.found(&table([3, 4, 5, 7])).join("\n");
    assert!(found.starts_with(r"a code, in anonymous, 8 apart: 1 times, at 0x0: 0\x07`"), "{found}");
}

#[test]
fn a_locked_panel_has_no_secret_no_password_no_key_and_no_code_in_its_memory() {
    if !allowed() {
        return;
    }
    let home = Home::new();
    home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"], "");
    let secrets: Vec<String> = (1..=5).map(canary).collect();
    home.import(&[&link("GitHub", &secrets[0]), &link("Other", &secrets[1]), &link("Third", &secrets[2])]);
    home.settings("clipboard: (clear_secs: 60)");
    let mut panel = Panel::opened(&home, &[("SSH_TTY", OsStr::new("/dev/pts/0"))]);
    let mut wanted = Wanted::default();
    wanted.text("the password", PASSWORD);

    nothing_in(&image(&panel), &wanted, "the password is forgotten as soon as the vault is open");
    a_busy_day(&mut panel, &secrets[3], &secrets[4]);
    nothing_in(&image(&panel), &wanted, "the password did not come back");
    seeds(&mut wanted, &secrets);
    keys(&mut wanted, &fs::read(home.vault()).unwrap());
    let open = wanted.found(&image(&panel)).join("\n");
    for there in ["secret 0 in base32", "the data key", "a code, in [heap], 40 apart"] {
        assert!(open.contains(there), "the search finds nothing of an open panel: {there} in\n{open}");
    }

    panel.press("L");
    panel.see("otpanel is locked");
    nothing_in(&image(&panel), &wanted, "locked");

    // A wrong password, half a password, and a day more.
    wanted.text("a wrong password", "mistaken giraffe 77");
    panel.press("mistaken giraffe 77\r");
    panel.see("The password is wrong");
    nothing_in(&image(&panel), &wanted, "after a wrong password");
    panel.press(PASSWORD).press("\r");
    panel.see("GitHub");
    seeds(&mut wanted, &secrets);
    panel.press("L");
    panel.see("otpanel is locked");
    nothing_in(&image(&panel), &wanted, "locked again");
}

#[test]
fn a_panel_that_a_keychain_opens_and_backs_up_keeps_nothing_of_it_once_it_is_locked() {
    if !installed(&["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"]) || !allowed() {
        return;
    }
    let mut session = Session::start();
    session.keyring(Some("pw"));
    let home = Home::at(session.home.path());
    let bus = [("DBUS_SESSION_BUS_ADDRESS", OsStr::new(&session.address))];
    let run = |args: &[&str], stdin: &str| home.run_with(args, stdin, &bus);
    run(&["init", "--unlock", "keychain", "--recovery-key-file", "recovery"], "");
    let secrets: Vec<String> = (6..=8).map(canary).collect();
    let links: Vec<String> = secrets.iter().map(|secret| link("GitHub", secret)).collect();
    run(&["import", "--yes", "-"], &links.join("\n"));
    run(&["backup", "now"], "");
    let mut panel = Panel::start_with(&home, &[], &bus);
    panel.see("GitHub");
    panel.press("\r");
    thread::sleep(Duration::from_secs(1));
    let mut wanted = Wanted::default();
    seeds(&mut wanted, &secrets);
    let locked = Locked::parse(fs::read(home.vault()).unwrap()).unwrap();
    let keychain = held(&session, &locked);
    wanted.key("the keychain's bytes", &keychain);
    wanted.text("the keychain's text", &data_encoding::BASE64URL_NOPAD.encode(&keychain));
    let open = locked.open(&Key::Keychain(&Secret::new(keychain))).unwrap();
    wanted.key("the data key", open.data_key().expose());
    for key in record::keys(&open.state, "personal").values() {
        wanted.key("a backup key", key.0.expose());
        wanted.text("a backup key in text", &data_encoding::BASE64URL_NOPAD.encode(key.0.expose()));
    }
    assert!(!wanted.found(&image(&panel)).is_empty());
    panel.press("L");
    panel.see("otpanel is locked");
    nothing_in(&image(&panel), &wanted, "locked");
}
