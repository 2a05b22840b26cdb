//! `import`: lists of links, Aegis, the machine interface.

use crate::home::{Home, finish, limited, link, secret};

const AEGIS: &str = r#"{"version":1,"header":{"slots":null,"params":null},"db":{"version":2,"entries":[
    {"type":"totp","uuid":"1","name":"octo","issuer":"GitHub","note":"n","icon":null,"favorite":true,
     "info":{"secret":"GEZDGNBVGY3TQOJQ","algo":"SHA1","digits":6,"period":30}},
    {"type":"totp","uuid":"2","name":"bad","issuer":"Bad","note":"","icon":null,
     "info":{"secret":"GEZDGNBVGY3TQOJQ","algo":"SHA1","digits":6,"period":0}}]}}"#;

#[test]
fn a_dry_run_needs_no_vault_and_prints_everything() {
    let home = Home::new();
    home.write("aegis.json", AEGIS);
    let mut command = home.bare();
    command.args(["import", "--dry-run", "--json", "aegis.json"]);
    let seen = finish(&mut command, b"").json();
    let entry = &seen["entries"][0];
    assert_eq!(seen["format"], "aegis");
    assert_eq!((&entry["issuer"], &entry["secret_base32"]), (&"GitHub".into(), &"GEZDGNBVGY3TQOJQ".into()));
    for key in ["type", "account", "algorithm", "digits", "period", "counter", "pin", "groups", "note", "favourite"] {
        assert!(entry.get(key).is_some(), "{key} is missing in {entry}");
    }
    assert_eq!(seen["skipped"][0]["name"], "Bad (bad)");
    assert!(!home.vault().exists());
}

#[test]
fn an_import_counts_what_it_did() {
    let home = Home::with_vault();
    home.write("aegis.json", AEGIS);
    let done = home.run(&["import", "--json", "aegis.json"]).json();
    assert_eq!((&done["added"], &done["already_here"], &done["changed"]), (&1.into(), &0.into(), &0.into()));
    assert_eq!(done["skipped"].as_array().map(Vec::len), Some(1));
    let again = home.run(&["import", "--json", "aegis.json"]).json();
    assert_eq!((&again["added"], &again["already_here"]), (&0.into(), &1.into()));
    assert_eq!(home.list().len(), 1);
}

#[test]
fn the_same_secret_under_another_name_is_kept_beside() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 5)]);
    let done = home.run_with(&["import", "--json", "-"], &link("GitHub", "renamed", 5)).json();
    assert_eq!((&done["added"], &done["changed"]), (&0.into(), &1.into()));
    assert_eq!(home.accounts(), ["octo", "renamed"]);
}

#[test]
fn one_bad_line_costs_no_other() {
    let home = Home::with_vault();
    let lines = [link("A", "one", 1), "otpauth://totp/B:two?secret=GEZ1&issuer=B".to_owned(), link("C", "three", 3)];
    let ran = home.run_with(&["import", "-"], &lines.join("\n"));
    assert!(ran.err.contains("B (two)"), "{}", ran.err);
    assert_eq!(ran.ok(), "added 2, skipped 1\n");
    assert_eq!(home.accounts(), ["one", "three"]);
}

#[test]
fn an_import_of_which_nothing_can_be_used_fails() {
    let home = Home::with_vault();
    let base = format!("otpauth://totp/x?secret={}", secret(1));
    for line in [format!("{base}&period=0"), format!("{base}&digits=100")] {
        let err = home.run_with(&["import", "-"], &line).fails(1);
        assert!(err.contains("1 to"), "{err}");
    }
}

#[test]
fn several_files_come_as_one_step_or_not_at_all() {
    let home = Home::with_vault();
    home.write("a.txt", link("A", "one", 1));
    home.write("b.txt", "nonsense");
    let err = home.run(&["import", "a.txt", "b.txt"]).fails(1);
    assert!(err.contains("b.txt"), "{err}");
    assert_eq!(home.list().len(), 0, "nothing came");
    home.write("b.txt", format!("{}\n{}", link("A", "one", 1), link("B", "two", 2)));
    assert_eq!(home.run(&["import", "a.txt", "b.txt"]).ok(), "added 2, already here 1\n");
}

#[test]
fn what_cannot_be_imported_says_why() {
    let home = Home::with_vault();
    home.write("empty", "");
    assert!(home.run(&["import", "empty"]).fails(1).contains("empty"));
    home.write("text", "hello world");
    assert!(home.run(&["import", "text"]).fails(1).contains("no export that otpanel knows"));
    home.write("cut.json", &AEGIS[..200]);
    home.run(&["import", "cut.json"]).fails(1);
    assert!(home.run(&["import", "nothing-there"]).fails(1).contains("No such file"));
    home.run(&["import", "--format", "nonsense", "text"]).fails(2);
    assert!(home.run(&["import", "."]).fails(1).contains("directory"));
}

#[test]
fn stdin_cannot_be_both_password_and_export() {
    let home = Home::with_vault();
    let mut command = home.bare();
    command.args(["--password-file", "-", "import", "-"]);
    let err = finish(&mut command, b"x").fails(2);
    assert!(err.contains("Stdin"), "{err}");
}

#[test]
fn an_import_leaves_a_copy_from_before_in_the_history() {
    let home = Home::with_vault();
    home.import(&[&link("A", "one", 1)]);
    home.import(&[&link("B", "two", 2)]);
    let versions = home.run(&["vault", "history", "--json"]).json();
    let imports = versions.as_array().expect("rows").iter().filter(|v| v["reason"] == "import").count();
    assert_eq!(imports, 2, "{versions}");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_to_is_given_up_and_one_with_a_slow_writer_is_read() {
    let home = Home::with_vault();
    let fifo = home.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());
    let err = home.run(&["import", "pipe"]).fails(1);
    assert!(err.contains("nobody writes"), "{err}");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::io::Write as _;
            let mut pipe = std::fs::File::options().write(true).open(&fifo).expect("a reader comes");
            std::thread::sleep(std::time::Duration::from_secs(4));
            pipe.write_all(link("A", "one", 1).as_bytes()).expect("written");
        });
        home.run(&["import", "pipe"]).ok();
    });
    assert_eq!(home.accounts(), ["one"]);
}

#[cfg(unix)]
#[test]
fn files_of_process_substitution_are_read() {
    let home = Home::with_vault();
    let mut command = std::process::Command::new("bash");
    command.env_clear().env("HOME", home.root()).env("OTPANEL_VAULT", home.vault());
    command.env("BIN", assert_cmd::cargo::cargo_bin!("otpanel")).env("LINK", link("A", "one", 1));
    command.args(["-c", "\"$BIN\" --password-file <(cat recovery) import <(echo \"$LINK\")"]).current_dir(home.root());
    finish(&mut command, b"").ok();
    assert_eq!(home.accounts(), ["one"]);
}

#[test]
fn a_list_of_100_000_accounts_comes_in_and_stays_usable() {
    let home = Home::with_vault();
    let seed = |n: usize| data_encoding::BASE32_NOPAD.encode(format!("a seed of twenty{n:05}").as_bytes());
    let link = |n| format!("otpauth://totp/Site{n:05}:ada{n:05}?secret={}&issuer=Site{n:05}", seed(n));
    let list = (0..100_000).map(link).collect::<Vec<_>>().join("\n");
    // So many seconds of a processor, whatever else the machine does; a pass over the vault for each account took hours.
    let done = limited(&home, "-t 35", "import --json -", &list).json();
    assert_eq!((&done["added"], &done["already_here"]), (&100_000.into(), &0.into()));
    assert_eq!(limited(&home, "-t 25", "code ada77777", "").ok().trim().len(), 6);
}

#[test]
fn a_dry_run_of_several_files_is_one_document() {
    let home = Home::new();
    home.write("a.txt", format!("{}\nnonsense", link("A", "a", 1)));
    home.write("b.txt", link("B", "b", 2));
    let one = home.run(&["import", "--dry-run", "--json", "a.txt", "b.txt"]).json();
    let names: Vec<&str> =
        one["entries"].as_array().expect("a list").iter().filter_map(|e| e["issuer"].as_str()).collect();
    assert_eq!((&one["format"], names), (&"otpauth".into(), vec!["A", "B"]), "{one}");
    assert_eq!(one["skipped"].as_array().map(Vec::len), Some(1), "{one}");
    home.write("c.csv", "name,totp\nC,JBSWY3DPEHPK3PXP\n");
    let mixed = home.run(&["import", "--dry-run", "--json", "a.txt", "c.csv"]).json();
    assert!(mixed["format"].as_str().is_some_and(|format| format.starts_with("otpauth, ")), "{mixed}");
}
