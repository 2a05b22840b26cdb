//! The Windows program, run by wine: its places, its files, the Credential Manager, the clipboard. `tests/run` builds it and
//! names it in OTPANEL_TEST_WINDOWS.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, dead_code, reason = "the helpers serve other tests, too")]

mod console;
#[path = "../cli/home.rs"]
mod home;
mod machine;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use console::Console;
use home::{PASSWORD, finish, link, secret};
use machine::Machine;
use support::displays::XServer;
use support::{LIMIT, answer, installed, output, wait_until};

/// So many accounts that they fill several items of the Credential Manager.
fn many(n: usize) -> String {
    (0..n).map(|i| link(&format!("Issuer{i}"), &format!("user{i:02}@example.com"), i as u8) + "\n").collect()
}

#[test]
fn an_account_goes_through_every_command_on_windows() {
    let Some(machine) = Machine::start(None) else { return };
    if !installed(&["oathtool"]) {
        return;
    }
    let home = machine.home();
    let init = ["init", "--unlock", "password", "--no-backup", "--recovery-key-file", r"C:\recovery"];
    let made = home.run(&init);
    assert!(made.err.contains(r"\AppData\Roaming\otpanel\vault.otpv"), "{}", made.err);
    made.ok();
    let links = [link("GitHub", "octo", 1), link("Größe 🔑", "ada", 2)].join("\r\n") + "\r\n";
    fs::write(machine.place(r"C:\links.txt"), links).unwrap();
    assert!(home.run(&["import", r"C:\links.txt"]).ok().starts_with("added 2"));
    assert_eq!(home.accounts(), ["ada", "octo"]);
    // The second may pass between the two.
    let same =
        || home.run(&["code", "octo"]).ok() == output(Command::new("oathtool").args(["--totp", "-b", &secret(1)]));
    assert!(wait_until(LIMIT, same), "oathtool makes the same code");
    home.run(&["edit", "octo", "--account", "octocat", "--note", "edited"]).ok();
    home.run(&["rm", "ada", "--yes"]).ok();
    assert_eq!(home.accounts(), ["octocat"]);
    home.run(&["restore", "ada"]).ok();
    assert!(home.run(&["vault", "history"]).ok().contains(r"\AppData\Local\otpanel\history\"));
    home.run(&["vault", "passwd", "--new-password-file", r"C:\pw"]).ok();
    home.run(&["export", "--format", "aegis", "--yes", "--out", r"C:\aegis.json"]).ok();
    let other = machine.other_home(r"C:\other");
    other.run(&[&init[..5], &[r"C:\recovery2"]].concat()).ok();
    assert!(other.run(&["import", r"C:\aegis.json"]).ok().starts_with("added 2"));
    assert_eq!(other.accounts(), ["ada", "octocat"]);
    assert!(home.run(&["config", "check"]).ok().contains(r"\AppData\Roaming\otpanel\config.ron"));
    assert!(home.run(&["completions", "powershell"]).ok().contains("Register-ArgumentCompleter"));
    home.run(&["man", "--out", r"C:\man"]).ok();
    assert!(machine.place(r"C:\man\otpanel-code.1").exists());
    let doctor = home.run(&["doctor"]).ok();
    assert!(doctor.contains("The keychain is unlocked") && !doctor.contains("BAD"), "{doctor}");
    // What one system wrote opens on the other.
    let vault = machine.place(home.run(&["config", "path"]).ok().trim()).with_file_name("vault.otpv");
    let here = home::Home::new();
    fs::copy(vault, here.vault()).unwrap();
    assert_eq!(here.accounts(), ["ada", "octocat"]);
}

#[test]
fn the_credential_manager_opens_the_vault_and_gives_all_accounts_back_on_a_new_machine() {
    let Some(machine) = Machine::start(None) else { return };
    let home = machine.home();
    home.run(&["init", "--unlock", "keychain", "--recovery-key-file", r"C:\recovery"]).ok();
    finish(&mut home.bare(&["import", "-"]), many(60).as_bytes()).ok();
    assert_eq!(home.by_keychain(&["code", "user07"]).ok().len(), 7);
    home.by_keychain(&["backup", "now"]).ok();
    let status = home.by_keychain(&["backup", "status", "--json"]).json();
    assert_eq!((&status["state"], &status["accounts"], &status["pending"]), (&"on".into(), &60.into(), &0.into()));
    let verified = home.by_keychain(&["backup", "verify", "--json"]).json();
    assert_eq!((&verified[0]["accounts"], &verified[0]["lacking"]), (&60.into(), &0.into()), "{verified}");
    let new = machine.other_home(r"C:\new");
    new.by_keychain(&["backup", "restore", "--yes"]).ok();
    assert_eq!(new.accounts(), home.accounts());
    assert_eq!(new.accounts().len(), 60);
    home.by_keychain(&["backup", "disable", "--wipe", "--yes"]).ok();
    new.by_keychain(&["backup", "disable", "--wipe", "--yes"]).ok();
    machine.other_home(r"C:\late").by_keychain(&["backup", "restore", "--yes"]).fails(3);
}

#[test]
fn a_folder_that_windows_wrote_gives_the_accounts_back_on_windows_and_on_linux() {
    let Some(machine) = Machine::start(None) else { return };
    let home = machine.home_with_vault();
    home.run_with(&["import", "-"], &many(30)).ok();
    home.run(&["backup", "enable", "--folder", r"C:\Sync\otpanel"]).ok();
    let told = home.run(&["backup"]).ok();
    assert!(told.contains(r"C:\Sync\otpanel") && !told.contains(r"\\?\"), "{told}");
    let new = machine.other_home(r"C:\new");
    new.run(&["backup", "restore", "--yes", "--folder", r"C:\Sync\otpanel"]).ok();
    assert_eq!(new.accounts(), home.accounts());
    let here = home::Home::new();
    let folder = machine.place(r"C:\Sync\otpanel").display().to_string();
    let mut restore = here.bare();
    restore.args(["--password-file", "-", "backup", "restore", "--yes", "--folder", &folder]);
    finish(&mut restore, PASSWORD.as_bytes()).ok();
    assert_eq!(here.accounts(), home.accounts());
}

#[test]
fn writers_at_the_same_time_lose_nothing_on_windows() {
    let Some(machine) = Machine::start(None) else { return };
    let home = machine.home_with_vault();
    std::thread::scope(|scope| {
        for n in 0..6 {
            let home = &home;
            scope.spawn(move || home.run_with(&["import", "-"], &link("Many", &format!("writer{n}"), n)).ok());
        }
    });
    assert_eq!(home.accounts().len(), 6, "{:?}", home.accounts());
    let vault = machine.place(home.run(&["config", "path"]).ok().trim()).with_file_name("vault.otpv");
    let beside = fs::read_dir(vault.parent().unwrap()).unwrap().flatten().map(|entry| entry.file_name());
    let beside: Vec<_> = beside.filter(|name| name != "vault.otpv" && name != "config.ron").collect();
    assert!(beside.is_empty(), "{beside:?}");
}

#[test]
fn errors_on_windows_are_in_its_words() {
    let Some(machine) = Machine::start(None) else { return };
    let home = machine.home_with_vault();
    for args in [
        &["import", r"C:\not there.txt"][..],
        &["import", r"C:\windows"],
        &["--vault", r"C:\windows", "list"],
        &["--vault", r"C:\nowhere\vault.otpv", "list"],
        &["export", "--format", "aegis", "--yes", "--out", r"C:\nowhere\x.json"],
    ] {
        let ran = home.run(args);
        assert_ne!(ran.code, 0, "{args:?}");
        for foreign in ["..", "os error", "ls -l", "chmod", "/dev", "belongs to somebody else"] {
            assert!(!ran.err.contains(foreign), "{args:?}: {}", ran.err);
        }
    }
}

#[test]
fn a_code_copied_on_windows_reaches_the_clipboard_and_is_cleared() {
    if !installed(&["Xvfb", "xclip"]) {
        return;
    }
    let server = XServer::start();
    let Some(machine) = Machine::start(Some(&server.display)) else { return };
    let home = machine.home_with_vault();
    home.run_with(&["import", "-"], &link("GitHub", "octo", 1)).ok();
    let pasted = || answer(server.command("xclip", std::path::Path::new("/")).args(["-selection", "clipboard", "-o"]));
    let began = Instant::now();
    // Windows gives what is piped to the command on to the holder, too, and a reader would wait for both.
    let mut copy = home.bare(&["--password-file", r"C:\pw", "copy", "octo"]);
    assert!(copy.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(20), "the command ends before the holder does");
    let code = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    assert!(wait_until(LIMIT, || code(&pasted())), "{:?}", pasted());
    assert!(wait_until(LIMIT, || !code(&pasted())), "it is cleared after its time");
}

#[test]
fn the_policy_of_the_registry_is_obeyed_on_windows_and_a_file_is_not() {
    let Some(machine) = Machine::start(None) else { return };
    let home = machine.home();
    home.run(&["init", "--unlock", "keychain", "--recovery-key-file", r"C:\recovery"]).ok();
    assert!(home.run(&["policy"]).ok().contains(r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\otpanel\policy does not exist"));
    let file = machine.place(r"C:\ProgramData\otpanel\policy.ron");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "Policy(identity: (name: \"Mallory\"))").unwrap();
    let told = home.run(&["policy"]).fails(1);
    assert!(told.contains(r"C:\ProgramData\otpanel\policy.ron is a file that anybody may"), "{told}");
    assert!(told.contains(r"HKLM\SOFTWARE\Policies\otpanel"), "{told}");

    machine.policy("REG_SZ", "Policy(identity: (name: \"Contoso\"), backup: Required, export: Forbidden)");
    let held = home.run(&["policy", "--json"]).json();
    assert_eq!((&held["state"], &held["identity"]["name"]), (&"in force".into(), &"Contoso".into()), "{held}");
    home.run_with(&["import", "-"], &many(2)).ok();
    let refused = home.run(&["export", "--format", "aegis", "--yes", "--out", r"C:\aegis.json"]).fails(1);
    assert!(refused.contains("Contoso does not allow"), "{refused}");
    home.by_keychain(&["backup", "now"]).ok();
    let new = machine.other_home(r"C:\new");
    new.by_keychain(&["backup", "restore", "--yes"]).ok();
    let rows = new.by_keychain(&["list", "--json"]).json();
    let owners: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["identity"].as_str().unwrap()).collect();
    assert_eq!(owners, ["managed/Contoso"; 2]);

    machine.policy("REG_MULTI_SZ", r"Policy(\0exports: Forbidden)");
    let told = home.run(&["policy"]).fails(1);
    assert!(told.contains("line 2, column 1: `exports` is not a setting"), "{told}");
    machine.policy("REG_DWORD", "1");
    let told = home.run(&["policy"]).fails(1);
    assert!(told.contains("it is no text"), "{told}");
}

#[test]
fn the_panel_opens_in_a_console_of_windows_shows_what_others_wrote_and_saves_what_is_pasted() {
    let Some(machine) = Machine::start(None) else { return };
    let home = machine.home_with_vault();
    home.run_with(&["import", "-"], &link("GitHub", "octo", 1)).ok();
    let config = home.run(&["config", "path"]).ok().trim().to_owned();
    fs::write(machine.place(&config), "(log: Debug)").unwrap();
    // Wine's console knows no escape sequences and breaks what it takes for lines too long: a wide one breaks none of the words.
    let mut console = Console::start(&home.bare(&[]), 220);
    console.see("otpanel is locked");
    console.press(PASSWORD);
    console.press("\r");
    console.see("GitHub");
    // What another otpanel saves shows by itself.
    home.run_with(&["import", "-"], &link("Mastodon", "ada", 2)).ok();
    console.see("Mastodon");
    // So does what an administrator writes into the registry.
    machine.policy("REG_SZ", "Policy(identity: (name: \"Contoso\"))");
    let log = config.replace("Roaming", "Local").replace("config.ron", "otpanel.log");
    let heard = || fs::read_to_string(machine.place(&log)).is_ok_and(|log| log.contains("event=\"policy\""));
    assert!(wait_until(LIMIT, heard), "the policy is heard of");
    // A paste comes in as keys.
    console.press("p");
    console.see("A link, a secret");
    console.press(&link("Codeberg", "eve", 3));
    console.press("\r");
    console.see("Add an account");
    console.press("\r");
    let saved = || home.accounts() == ["ada", "eve", "octo"];
    assert!(wait_until(LIMIT, saved), "{:?}", home.accounts());
    let rows = home.run(&["list", "--json"]).json();
    let eve = rows.as_array().unwrap().iter().find(|row| row["account"] == "eve").unwrap();
    assert_eq!(eve["identity"], "managed/Contoso", "{rows}");
    console.press("q");
    assert_eq!(console.code(), 0);
}
