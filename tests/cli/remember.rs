//! A key that the kernel keeps between commands: `unlock: (remember: …)` and `lock`.

use std::process::Command;

use crate::home::{Home, finish, link};
use crate::support::{LIMIT, kept_keys, wait_until};

/// Whether this kernel keeps keys, as `doctor` says; some containers forbid it.
fn kept_here(home: &Home) -> bool {
    let findings = home.run(&["doctor", "--json"]).json();
    let found = findings.as_array().expect("findings").iter().find(|f| f["what"] == "remembering").expect("it is told");
    found["state"] == "ok"
}

fn code(home: &Home) -> Command {
    let mut command = home.bare();
    command.args(["code", "octo"]);
    command
}

#[test]
fn a_key_is_kept_for_later_commands_until_it_is_locked() {
    let _keys = kept_keys();
    // A vault of its own: the kernel keeps keys by the vault, and other tests have the same one.
    let home = Home::new();
    home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"]).ok();
    home.import(&[&link("GitHub", "octo", 1)]);
    assert_eq!(finish(&mut code(&home), b"").code, 4, "nothing is kept by default");
    home.write(".config/otpanel/config.ron", "(unlock: (remember: \"10m\"))");
    if !kept_here(&home) {
        let err = home.run(&["code", "octo"]).err;
        assert!(err.contains("the key is not remembered: "), "{err}");
        return;
    }
    assert_eq!(finish(&mut code(&home), b"").code, 4, "nothing is kept before a key was given");
    let given = home.run(&["code", "octo"]).ok();
    assert_eq!(finish(&mut code(&home), b"").ok().len(), given.len());
    let mut list = home.bare();
    list.args(["list", "--json"]);
    assert_eq!(finish(&mut list, b"").json().as_array().map(Vec::len), Some(1), "the whole vault opens by it");

    // What is named on the command line is what is used.
    home.write("wrong", "no password of this vault");
    let mut named = home.bare();
    named.args(["--password-file", "wrong", "code", "octo"]);
    assert_eq!(finish(&mut named, b"").code, 4);

    let mut lock = home.bare();
    lock.arg("lock");
    assert!(finish(&mut lock, b"").err.contains("Locked: "));
    assert_eq!(finish(&mut code(&home), b"").code, 4);

    home.write(".config/otpanel/config.ron", "(unlock: (remember: \"2s\"))");
    home.run(&["code", "octo"]).ok();
    let refused = || finish(&mut code(&home), b"").code == 4;
    assert!(wait_until(LIMIT, refused), "its time is over, and it is kept");
}
