//! The system keychain against a real gnome-keyring on a private session bus, in every state in which it can be.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use otpanel::keychain::changes::Change;
use otpanel::keychain::listen::listen;
use otpanel::keychain::system::{SystemKeychain, asking, system};
use otpanel::keychain::{Keychain, KeychainError, Probe};
use support::calls::calls;
use support::{Daemon, LIMIT, Session, again, inside, installed, private, wait_until};

const NEEDS: &[&str] = &["dbus-daemon", "dbus-send", "dbus-monitor", "gnome-keyring-daemon"];

/// All byte values, so that no encoding on the way can pass by luck.
fn bytes() -> Vec<u8> {
    (0..=255).collect()
}

fn read(keychain: &dyn Keychain, user: &str) -> Option<Vec<u8>> {
    keychain.get("otpanel.test", user).unwrap().map(|secret| secret.expose().clone())
}

#[test]
fn an_unlocked_keyring_keeps_finds_overwrites_and_deletes() {
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(Some("pw"));
            again("an_unlocked_keyring_keeps_finds_overwrites_and_deletes", |exe| session.command(exe));
        }
        return;
    }
    let keychain = system();
    assert_eq!(keychain.probe(), Probe::Ready);
    assert_eq!(read(&keychain, "a/1"), None);
    assert_eq!(keychain.search("otpanel.test").unwrap(), Vec::<String>::new());
    keychain.set("otpanel.test", "a/1", &bytes()).unwrap();
    keychain.set("otpanel.test", "a/2", b"").unwrap();
    keychain.set("otpanel.other", "a/3", b"x").unwrap();
    assert_eq!(read(&keychain, "a/1"), Some(bytes()));
    assert_eq!(read(&system(), "a/2"), Some(Vec::new()), "another process's keychain sees it");
    keychain.set("otpanel.test", "a/1", b"second").unwrap();
    assert_eq!(read(&keychain, "a/1"), Some(b"second".to_vec()));
    assert_eq!(keychain.search("otpanel.test").unwrap(), ["a/1", "a/2"]);
    assert!(keychain.delete("otpanel.test", "a/1").unwrap());
    assert!(!keychain.delete("otpanel.test", "a/1").unwrap());
    assert_eq!(keychain.search("otpanel.test").unwrap(), ["a/2"]);
    let large: Vec<u8> = bytes().repeat(128);
    keychain.set("otpanel.test", "large", &large).unwrap();
    assert_eq!(read(&keychain, "large"), Some(large));
}

#[test]
fn many_items_are_listed_whole() {
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(Some("pw"));
            again("many_items_are_listed_whole", |exe| session.command(exe));
        }
        return;
    }
    let keychain = system();
    let mut users: Vec<String> = (0..150).map(|n| format!("item/{n}")).collect();
    for user in &users {
        keychain.set("otpanel.test", user, b"x").unwrap();
    }
    users.sort_unstable();
    assert_eq!(keychain.search("otpanel.test").unwrap(), users);
}

#[test]
fn a_locked_keyring_is_told_apart_and_left_alone_by_background_work() {
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(Some("pw"));
            again("a_locked_keyring_is_told_apart_and_left_alone_by_background_work", |exe| session.command(exe));
        }
        return;
    }
    let keychain = system();
    keychain.set("otpanel.test", "a", b"1").unwrap();
    let lock = ["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"];
    let mut lock_it = Command::new("dbus-send");
    lock_it.args(lock).arg("org.freedesktop.Secret.Service.Lock");
    support::output(lock_it.arg("array:objpath:/org/freedesktop/secrets/collection/login"));
    // Unlocking is what raises a dialog where there is a display: see that nobody asks for it.
    let heard = asked(|| {
        assert_eq!(keychain.probe(), Probe::Locked);
        assert_eq!(keychain.get("otpanel.test", "a").unwrap_err(), KeychainError::Locked);
        assert_eq!(keychain.search("otpanel.test").unwrap_err(), KeychainError::Locked);
        assert_eq!(keychain.set("otpanel.test", "a", b"2").unwrap_err(), KeychainError::Locked);
        assert_eq!(keychain.delete("otpanel.test", "a").unwrap_err(), KeychainError::Locked);
    });
    assert!(heard.contains("member=SearchItems") && !heard.contains("member=Unlock"), "{heard}");
    // Where nobody can be asked, asking fails at once or at its limit, never for ever.
    let asking = SystemKeychain::new(true, Duration::from_secs(5));
    let start = Instant::now();
    let refused = asking.get("otpanel.test", "a").unwrap_err();
    assert!(matches!(refused, KeychainError::Locked | KeychainError::Timeout), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_keyring_without_a_default_collection_is_told_apart() {
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(None);
            again("a_keyring_without_a_default_collection_is_told_apart", |exe| session.command(exe));
        }
        return;
    }
    let keychain = system();
    assert_eq!(keychain.probe(), Probe::NoCollection);
    assert_eq!(read(&keychain, "a"), None);
    let refused = KeychainError::Unavailable(Probe::NoCollection);
    assert_eq!(keychain.set("otpanel.test", "a", b"1").unwrap_err(), refused);
    assert_eq!(asking().set("otpanel.test", "a", b"1").unwrap_err(), refused);
}

#[test]
#[cfg(target_os = "linux")]
fn a_default_keyring_that_is_opened_a_moment_later_is_waited_for() {
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(None);
            let session = &session;
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    // Once it was seen that there is none.
                    assert!(wait_until(LIMIT, || session.home.path().join("asked").exists()));
                    session.make_keyring("later");
                    let service = ["--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"];
                    let alias = ["string:default", "objpath:/org/freedesktop/secrets/collection/later"];
                    let mut send = session.command("dbus-send");
                    send.args(["--session", "--print-reply"]).args(service);
                    send.arg("org.freedesktop.Secret.Service.SetAlias").args(alias);
                    support::output(&mut send);
                });
                again("a_default_keyring_that_is_opened_a_moment_later_is_waited_for", |exe| session.command(exe));
            });
        }
        return;
    }
    let keychain = system();
    assert_eq!(keychain.probe(), Probe::NoCollection);
    std::fs::write(Path::new(&std::env::var_os("HOME").unwrap()).join("asked"), "").unwrap();
    keychain.wait_for_keyring();
    assert_eq!(keychain.probe(), Probe::Ready);
}

/// What is asked of the Secret Service while `act` runs.
fn asked(act: impl FnOnce()) -> String {
    calls(|program| Command::new(program), act)
}

#[test]
fn a_keyring_that_is_named_and_missing_is_told_and_never_made() {
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(Some("pw"));
            again("a_keyring_that_is_named_and_missing_is_told_and_never_made", |exe| session.command(exe));
        }
        return;
    }
    let missing = KeychainError::Unavailable(Probe::NoKeyring("Contoso".into()));
    let heard = asked(|| {
        for keychain in [system().within(Some("Contoso")), asking().within(Some("Contoso"))] {
            assert_eq!(keychain.probe(), Probe::NoKeyring("Contoso".into()));
            assert_eq!(keychain.set("otpanel.test", "a", b"1").unwrap_err(), missing);
            assert_eq!(keychain.get("otpanel.test", "a").unwrap_err(), missing);
            assert_eq!(keychain.search("otpanel.test").unwrap_err(), missing);
            assert_eq!(keychain.delete("otpanel.test", "a").unwrap_err(), missing);
        }
    });
    assert!(heard.contains("member=ReadAlias") || heard.contains("member=Get"), "{heard}");
    assert!(!heard.contains("member=CreateCollection") && !heard.contains("member=Prompt"), "{heard}");
    assert_eq!(system().probe(), Probe::Ready, "the default one is another matter");
}

#[test]
fn what_belongs_into_a_named_keyring_lies_there_and_is_locked_with_it() {
    const NAME: &str = "what_belongs_into_a_named_keyring_lies_there_and_is_locked_with_it";
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(Some("pw"));
            session.make_keyring("Contoso");
            again(NAME, |exe| session.command(exe));
        }
        return;
    }
    let (named, common) = (system().within(Some("Contoso")), system());
    common.set("otpanel.test", "mine", b"personal").unwrap();
    named.set("otpanel.test", "theirs", b"managed").unwrap();
    assert_eq!(read(&named, "theirs"), Some(b"managed".to_vec()));
    assert_eq!(read(&named, "mine"), None);
    named.set("otpanel.test", "theirs", b"again").unwrap();
    assert_eq!(read(&named, "theirs"), Some(b"again".to_vec()));
    assert_eq!(named.search("otpanel.test").unwrap(), ["theirs"]);
    let lies_in = |user: &str| {
        let mut find = Command::new("dbus-send");
        find.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
        find.arg("org.freedesktop.Secret.Service.SearchItems").arg(format!("dict:string:string:username,{user}"));
        support::output(&mut find)
    };
    assert!(lies_in("theirs").contains("/collection/Contoso/"), "{}", lies_in("theirs"));
    assert!(lies_in("mine").contains("/collection/login/"), "{}", lies_in("mine"));
    // That one alone is locked: its probe says so, nothing of it is asked for, the other goes on.
    let mut lock = Command::new("dbus-send");
    lock.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
    lock.arg("org.freedesktop.Secret.Service.Lock");
    support::output(lock.arg("array:objpath:/org/freedesktop/secrets/collection/Contoso"));
    let heard = asked(|| {
        assert_eq!((named.probe(), common.probe()), (Probe::Locked, Probe::Ready));
        assert_eq!(named.get("otpanel.test", "theirs").unwrap_err(), KeychainError::Locked);
        assert_eq!(named.set("otpanel.test", "theirs", b"2").unwrap_err(), KeychainError::Locked);
        assert_eq!(named.set("otpanel.test", "new", b"2").unwrap_err(), KeychainError::Locked);
    });
    assert!(!heard.contains("member=Unlock") && !heard.contains("member=Prompt"), "{heard}");
    common.set("otpanel.test", "mine", b"2").unwrap();
}

/// A gnome-keyring of the test's own, unlocked.
fn unlocked_daemon() -> Daemon {
    let mut daemon = Command::new("gnome-keyring-daemon");
    daemon.args(["--foreground", "--unlock", "--components=secrets"]);
    let daemon = daemon.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut daemon = Daemon(daemon.unwrap());
    std::io::Write::write_all(&mut daemon.0.stdin.take().unwrap(), b"pw").unwrap();
    assert!(wait_until(LIMIT, || system().probe() == Probe::Ready));
    daemon
}

#[test]
fn a_killed_keyring_is_missed_and_the_next_one_used() {
    if !inside() {
        if installed(NEEDS) {
            let session = Session::start();
            again("a_killed_keyring_is_missed_and_the_next_one_used", |exe| session.command(exe));
        }
        return;
    }
    let keychain = system();
    let first = unlocked_daemon();
    keychain.set("otpanel.test", "a", b"1").unwrap();
    drop(first);
    assert!(wait_until(LIMIT, || keychain.probe() == Probe::NoProvider));
    let refused = KeychainError::Unavailable(Probe::NoProvider);
    assert_eq!(keychain.get("otpanel.test", "a").unwrap_err(), refused);
    assert_eq!(keychain.set("otpanel.test", "a", b"2").unwrap_err(), refused);
    assert_eq!(asking().set("otpanel.test", "a", b"2").unwrap_err(), refused);
    let _second = unlocked_daemon();
    assert_eq!(read(&keychain, "a"), Some(b"1".to_vec()));
    // The store that wrote before holds a session that the new daemon does not know.
    keychain.set("otpanel.test", "a", b"3").unwrap();
    assert_eq!(read(&keychain, "a"), Some(b"3".to_vec()));
}

#[test]
fn a_bus_on_which_nobody_offers_a_keychain_is_told_apart() {
    if !inside() {
        if installed(&NEEDS[..2]) {
            let session = Session::start();
            again("a_bus_on_which_nobody_offers_a_keychain_is_told_apart", |exe| session.command(exe));
        }
        return;
    }
    assert_eq!(system().probe(), Probe::NoProvider);
    let refused = KeychainError::Unavailable(Probe::NoProvider);
    assert_eq!(system().get("otpanel.test", "a").unwrap_err(), refused);
    assert_eq!(asking().search("otpanel.test").unwrap_err(), refused);
    assert_eq!(system().set("otpanel.test", "a", b"1").unwrap_err(), refused);
    assert_eq!(asking().delete("otpanel.test", "a").unwrap_err(), refused);
}

#[test]
fn without_a_bus_the_answer_comes_at_once() {
    if !inside() {
        let home = support::home();
        again("without_a_bus_the_answer_comes_at_once", |exe| {
            let mut command = private(exe, home.path());
            command.env("DBUS_SESSION_BUS_ADDRESS", "");
            command
        });
        again("without_a_bus_the_answer_comes_at_once", |exe| {
            let mut command = private(exe, home.path());
            command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all");
            command
        });
        return;
    }
    let refused = KeychainError::Unavailable(Probe::NoBus);
    let took = || {
        let start = Instant::now();
        assert_eq!(system().probe(), Probe::NoBus);
        assert_eq!(system().get("otpanel.test", "a").unwrap_err(), refused);
        assert_eq!(system().set("otpanel.test", "a", b"1").unwrap_err(), refused);
        start.elapsed()
    };
    // Whatever else the machine does only adds to it.
    let shortest = (0..5).map(|_| took()).min().unwrap();
    assert!(shortest < Duration::from_millis(200), "{shortest:?}");
    assert_eq!(asking().set("otpanel.test", "a", b"1").unwrap_err(), refused);
}

#[test]
fn a_bus_that_says_nothing_is_given_up_at_the_limit() {
    if !inside() {
        let home = support::home();
        let socket = home.path().join("silent");
        let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        again("a_bus_that_says_nothing_is_given_up_at_the_limit", |exe| {
            let mut command = private(exe, home.path());
            command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
            command
        });
        return;
    }
    let once = || {
        let keychain = SystemKeychain::new(false, Duration::from_millis(300));
        let start = Instant::now();
        assert_eq!(keychain.get("otpanel.test", "a").unwrap_err(), KeychainError::Timeout);
        assert!(matches!(keychain.probe(), Probe::Unsupported(_)));
        // The general store waits for ever here; its caller does not.
        let asking = SystemKeychain::new(true, Duration::from_millis(300));
        assert_eq!(asking.set("otpanel.test", "a", b"1").unwrap_err(), KeychainError::Timeout);
        start.elapsed()
    };
    let shortest = std::iter::repeat_with(once).take(3).min();
    assert!(shortest < Some(Duration::from_secs(2)), "{shortest:?}");
}

/// Listens on a thread of its own; gives the changes as they come.
fn listening() -> std::sync::mpsc::Receiver<Change> {
    let changes = listen().unwrap();
    let (send, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || changes.into_iter().all(|change| send.send(change).is_ok()));
    heard
}

/// What is told of an item after it was announced.
fn told(keychain: &dyn Keychain, heard: &std::sync::mpsc::Receiver<Change>, user: &str, revision: u64) -> Change {
    keychain.announce("otpanel.test", user, revision);
    heard.recv_timeout(LIMIT).expect("others are told")
}

fn change(user: &str, revision: u64) -> Change {
    Change { service: "otpanel.test".into(), user: user.into(), revision: revision.to_string() }
}

#[test]
fn what_was_overwritten_is_told_and_found_as_before_also_after_the_daemon_was_replaced() {
    const NAME: &str = "what_was_overwritten_is_told_and_found_as_before_also_after_the_daemon_was_replaced";
    if !inside() {
        if installed(NEEDS) {
            let session = Session::start();
            again(NAME, |exe| session.command(exe));
        }
        return;
    }
    let first = unlocked_daemon();
    let (keychain, heard) = (system(), listening());
    keychain.set("otpanel.test", "a/1", b"1").unwrap();
    keychain.set("otpanel.test", "a/2", b"2").unwrap();
    assert_eq!(told(&keychain, &heard, "a/1", 7), change("a/1", 7));
    keychain.set("otpanel.test", "a/1", b"3").unwrap();
    // The overwriting itself is silent: what comes next is the word.
    assert_eq!(told(&keychain, &heard, "a/1", 8), change("a/1", 8));
    assert_eq!(read(&system(), "a/1"), Some(b"3".to_vec()));
    assert_eq!(keychain.search("otpanel.test").unwrap(), ["a/1", "a/2"]);
    // What is not there is not made, and nobody is told.
    keychain.announce("otpanel.test", "a/none", 9);
    assert_eq!(keychain.search("otpanel.test").unwrap(), ["a/1", "a/2"]);
    drop(first);
    assert!(wait_until(LIMIT, || keychain.probe() == Probe::NoProvider));
    keychain.announce("otpanel.test", "a/1", 10);
    let _second = unlocked_daemon();
    assert_eq!(told(&keychain, &heard, "a/2", 11), change("a/2", 11));
    assert!(keychain.delete("otpanel.test", "a/1").unwrap());
}

#[test]
fn a_locked_keyring_is_not_asked_to_tell() {
    if !inside() {
        if installed(NEEDS) {
            let mut session = Session::start();
            session.keyring(Some("pw"));
            again("a_locked_keyring_is_not_asked_to_tell", |exe| session.command(exe));
        }
        return;
    }
    system().set("otpanel.test", "a", b"1").unwrap();
    let heard = asked(|| system().announce("otpanel.test", "a", 1));
    assert!(heard.contains("member=Set\n"), "{heard}");
    let mut lock_it = Command::new("dbus-send");
    lock_it.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
    lock_it.arg("org.freedesktop.Secret.Service.Lock");
    support::output(lock_it.arg("array:objpath:/org/freedesktop/secrets/collection/login"));
    let heard = asked(|| {
        system().announce("otpanel.test", "a", 2);
        asking().announce("otpanel.test", "a", 3);
    });
    assert!(heard.contains("member=ReadAlias"), "{heard}");
    for member in ["Unlock", "Prompt", "Set\n"] {
        assert!(!heard.contains(&format!("member={member}")), "{member}: {heard}");
    }
}

#[test]
fn keepassxc_tells_as_well() {
    if !inside() {
        if installed(&["dbus-daemon", "dbus-send", "keepassxc", "keepassxc-cli"]) {
            let mut session = Session::start();
            session.keepassxc();
            again("keepassxc_tells_as_well", |exe| session.command(exe));
            assert!(session.alive(), "KeePassXC bore it");
        }
        return;
    }
    let (keychain, heard) = (system(), listening());
    assert!(wait_until(LIMIT, || keychain.probe() == Probe::Ready));
    keychain.set("otpanel.test", "a/1", b"1").unwrap();
    let mut seen = vec![told(&keychain, &heard, "a/1", 7)];
    assert!(
        wait_until(LIMIT, || {
            seen.extend(heard.try_iter());
            seen.last() == Some(&change("a/1", 7))
        }),
        "{seen:?} {:?}",
        keychain.probe()
    );
    assert_eq!(read(&keychain, "a/1"), Some(b"1".to_vec()));
    assert_eq!(keychain.search("otpanel.test").unwrap(), ["a/1"]);
    // Reading tells nothing: a look would bring the next one.
    while heard.recv_timeout(Duration::from_secs(1)).is_ok() {}
    assert_eq!(read(&keychain, "a/1"), Some(b"1".to_vec()));
    assert!(heard.recv_timeout(Duration::from_secs(2)).is_err());
    keychain.set("otpanel.test", "a/1", b"2").unwrap();
    keychain.announce("otpanel.test", "a/1", 8);
    let mut last = None;
    assert!(wait_until(LIMIT, || {
        last = heard.try_iter().last().or(last.take());
        last == Some(change("a/1", 8))
    }));
}
