//! Where files lie, who can read them, and the commands that tell about both.

use std::fs;
use std::path::{Path, PathBuf};

use crate::home::{Home, PASSWORD, finish, link, secret};
use crate::support::kept_keys;

fn all_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        into.push(entry.path());
        if entry.path().is_dir() {
            all_below(&entry.path(), into);
        }
    }
}

#[cfg(unix)]
#[test]
fn files_are_for_the_owner_alone_whatever_the_umask_and_hold_nothing_in_clear() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let run = |args: &str, stdin: &str| {
        let mut command = std::process::Command::new("sh");
        let line = format!("umask 0; exec \"$BIN\" --password-file pw {args}");
        command.env_clear().env("HOME", home.root()).env("BIN", assert_cmd::cargo::cargo_bin!("otpanel"));
        command.args(["-c", &line]).current_dir(home.root());
        finish(&mut command, stdin.as_bytes()).ok();
    };
    run("init --unlock password --no-backup --recovery-key-file recovery", "");
    run("import -", &[link("Alpha", "ada@example.com", 1), link("Beta", "bob@example.com", 2)].join("\n"));
    run("rm --yes ada@example.com", "");
    run("list --codes", "");
    let mut files = vec![home.path("recovery")];
    for folder in [".local/share/otpanel", ".local/state/otpanel"] {
        files.push(home.path(folder));
        all_below(&home.path(folder), &mut files);
    }
    assert!(files.iter().any(|f| f.ends_with("vault.otpv")), "{files:?}");
    assert!(files.iter().any(|f| f.ends_with("history")), "{files:?}");
    for file in files {
        let meta = fs::metadata(&file).expect("there");
        assert_eq!(meta.permissions().mode() & 0o077, 0, "{} is too open", file.display());
        if meta.is_file() {
            let bytes = fs::read(&file).expect("readable");
            for text in [PASSWORD, &secret(1), "ada@example.com", "Alpha"] {
                let held = bytes.windows(text.len()).any(|w| w == text.as_bytes());
                assert!(!held, "{} holds {text} in clear", file.display());
            }
        }
    }
}

#[test]
fn the_config_is_found_checked_and_shown() {
    let home = Home::new();
    let run = |args: &[&str]| {
        let mut command = home.bare();
        command.args(args);
        finish(&mut command, b"")
    };
    assert_eq!(run(&["config", "path"]).ok(), format!("{}\n", home.path(".config/otpanel/config.ron").display()));
    assert!(run(&["config", "check"]).ok().contains("is right"));
    let shown = run(&["config", "show"]).ok();
    assert!(shown.contains("target_ms: 50") && shown.contains("idle_lock_secs: 300"), "{shown}");
    home.write("shown.ron", &shown);
    run(&["--config", "shown.ron", "config", "check"]).ok();
}

#[test]
fn a_mistake_in_the_config_is_told_with_its_place() {
    let home = Home::with_vault();
    home.write(".config/otpanel/config.ron", "(\n  idle_lock_sec: 3,\n)");
    for args in [&["config", "check"][..], &["list"], &["config", "show"]] {
        let err = home.run(args).fails(1);
        assert!(err.contains("line 2, column 3") && err.contains("idle_lock_secs"), "{err}");
    }
    assert!(home.run(&["config", "path"]).code == 0, "the path is told all the same");
}

#[test]
fn the_doctor_tells_and_touches_nothing() {
    let home = Home::new();
    let mut command = home.bare();
    command.args(["doctor"]);
    let text = finish(&mut command, b"").ok();
    for word in ["vault", "keychain", "clock", "terminal", "none yet", "session bus"] {
        assert!(text.contains(word), "{word} is missing in:\n{text}");
    }
    assert!(!home.path(".local").exists(), "nothing was made");
    let rows = home.run(&["doctor", "--json"]).json();
    assert!(rows.as_array().is_some_and(|r| r.iter().all(|f| f["what"].is_string() && f["state"].is_string())));
}

#[cfg(unix)]
#[test]
fn the_doctor_does_not_wait_for_a_pipe_nor_swallow_a_device_in_the_vaults_place() {
    for device in ["pipe", "/dev/zero"] {
        let home = Home::new();
        fs::create_dir_all(home.vault().parent().expect("a folder")).expect("a folder");
        if device == "pipe" {
            let made = std::process::Command::new("mkfifo").arg(home.vault()).status();
            assert!(made.expect("mkfifo").success());
        } else {
            std::os::unix::fs::symlink(device, home.vault()).expect("a link");
        }
        let text = home.run(&["doctor"]).out;
        assert!(text.contains("is a folder, a pipe or a device"), "{text}");
    }
}

#[test]
fn help_about_help_is_help() {
    let home = Home::new();
    for args in [&["backup", "help", "--help"][..], &["vault", "help", "-h"], &["help", "--help"]] {
        let text = finish(home.bare().args(args), b"").ok();
        assert!(text.contains("Usage: otpanel"), "{text}");
    }
    assert!(finish(home.bare().args(["code", "help", "--help"]), b"").ok().contains("Usage: otpanel code"));
}

#[test]
fn a_profile_is_a_vault_of_its_own() {
    let home = Home::new();
    let run = |args: &[&str]| {
        let mut command = home.command(args);
        command.env_remove("OTPANEL_VAULT");
        finish(&mut command, b"")
    };
    run(&["--profile", "work", "init", "--unlock", "password"]).ok();
    run(&["--profile", "work", "list"]).ok();
    run(&["list"]).fails(1);
    run(&["--profile", "../x", "list"]).fails(2);
}

#[test]
fn help_version_and_completions_need_nothing() {
    let home = Home::new();
    let _keys = kept_keys();
    for args in [&["--help"][..], &["--version"], &["import", "--help"], &["completions", "bash"], &["lock"]] {
        let mut command = home.bare();
        command.env_remove("HOME").args(args);
        finish(&mut command, b"").ok();
    }
}

#[test]
fn usage_errors_exit_with_two() {
    let home = Home::new();
    for args in [&["nonsense"][..], &["code"], &["list", "--nonsense"], &["init", "--unlock", "magic"]] {
        let ran = home.run(args);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn keys_that_two_actions_claim_and_actions_that_are_none_are_named_by_config_check() {
    let home = Home::new();
    std::fs::write(home.path("keys.ron"), "(keys: {\"quit\": [\"x\"], \"lock\": [\"x\"], \"fly\": [\"y\"]})").unwrap();
    let out = home.run(&["--config", "keys.ron", "config", "check"]);
    let text = out.fails(1);
    assert!(text.contains("there is no action `fly`"), "{text}");
    assert!(text.contains("`x` is given to both lock and quit"), "{text}");
}

#[test]
fn the_check_of_the_settings_knows_themes_and_commands_too() {
    let home = Home::new();
    let check = |text: &str| {
        home.write("some.ron", text);
        home.run(&["--config", "some.ron", "config", "check"])
    };
    let err = check("(theme: \"nope\", clipboard: (method: Command([])))").fails(1);
    assert!(err.contains("there is no theme `nope`") && err.contains("names no program"), "{err}");
    let err = check("(profiles: {\"work\": (theme: \"mine/none.ron\", keys: {\"copy\": [\"foo-bar\"]})})").fails(1);
    assert!(err.contains("profile work: keys: copy: `foo-bar` is not a key"), "{err}");
    assert!(err.contains("profile work: theme: ") && err.contains("none.ron cannot be read"), "{err}");
    check("(theme: \"auto\", clipboard: (method: Command([\"wl-copy\"])))").ok();
    // The word that is wrong comes first, in the panel's one line too.
    let err = check("(nonsense: 3)").fails(1);
    assert!(err.starts_with("otpanel: `nonsense` is not a setting"), "{err}");
    let err = check("(unlock: (remember: \"soon\"))").fails(1);
    assert!(err.contains("Expected: \"off\" or a time"), "{err}");
}

#[cfg(unix)]
#[test]
fn settings_that_are_no_file_are_refused_and_never_waited_for() {
    let home = Home::new();
    let made = std::process::Command::new("mkfifo").arg(home.path("pipe")).status().expect("mkfifo runs");
    assert!(made.success());
    std::fs::create_dir(home.path("folder")).expect("made");
    home.write("large", vec![b' '; 2 << 20]);
    for (file, why) in [("pipe", "a pipe or a device"), ("folder", "it is a folder"), ("large", "larger than 1 MiB")] {
        for command in [&["config", "check"][..], &["config", "show"]] {
            let mut all = vec!["--config", file];
            all.extend(command);
            let err = home.run(&all).fails(1);
            assert!(err.contains(why) && !err.contains("permissions"), "{err}");
        }
    }
    home.run(&["--config", "/dev/null", "config", "check"]).ok();
}

#[cfg(target_os = "linux")]
#[test]
fn a_home_whose_name_is_no_text_serves_like_any_other() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::with_vault();
    let odd = home.path("x").with_file_name(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
    fs::create_dir(&odd).expect("a folder");
    let run = |args: &[&str], stdin: &str| {
        let mut command = home.bare();
        command.env("HOME", &odd).env_remove("OTPANEL_VAULT").arg("--password-file").arg(home.path("recovery"));
        command.args(args);
        finish(&mut command, stdin.as_bytes())
    };
    fs::create_dir_all(odd.join(".local/share/otpanel")).expect("a folder");
    fs::copy(home.vault(), odd.join(".local/share/otpanel/vault.otpv")).expect("copied");
    run(&["import", "-"], &link("A", "one", 1)).ok();
    assert!(run(&["vault", "info", "--json"], "").json()["path"].as_str().is_some_and(|p| p.ends_with("vault.otpv")));
    assert_eq!(run(&["vault", "history", "--json"], "").json().as_array().map(Vec::len), Some(2));
    let mut command = home.bare();
    command.env("HOME", &odd).env_remove("OTPANEL_VAULT").arg("--password-file").arg(home.path("recovery"));
    finish(command.args(["backup", "enable", "--folder"]).arg(odd.join("kept")), b"").ok();
    run(&["import", "-"], &link("B", "two", 2)).ok();
    let rows = run(&["backup", "verify", "--json"], "").json();
    assert_eq!(
        (&rows[0]["store"], &rows[0]["accounts"], &rows[0]["lacking"]),
        (&"folder".into(), &2.into(), &0.into())
    );
}
