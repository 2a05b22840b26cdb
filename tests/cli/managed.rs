//! A machine that an organisation manages: what the policy file does, and what it refuses. The program is shown a policy
//! file in the home of the test, which only debug builds look at.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::home::{Home, Ran, finish, link};

const CONTOSO: &str = "Policy(identity: (name: \"Contoso\"), export: Forbidden, max_idle_lock_secs: 120)";
const OPEN: &str = "Policy(identity: (name: \"Contoso\"))";
const STRICT: &str = "Policy(identity: (name: \"Contoso\"), export: Forbidden, personal: Forbidden)";

struct Managed(Home);

impl Managed {
    fn new(policy: &str) -> Self {
        let home = Home::with_vault();
        fs::create_dir(home.path("etc")).expect("a folder");
        fs::set_permissions(home.path("etc"), fs::Permissions::from_mode(0o755)).expect("changed");
        let managed = Self(home);
        managed.set(policy);
        managed
    }

    fn set(&self, policy: &str) {
        self.0.write("etc/policy.ron", policy);
        self.mode(0o644);
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.0.path("etc/policy.ron"), fs::Permissions::from_mode(mode)).expect("changed");
    }

    fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        let mut command = self.0.command(args);
        finish(command.env("OTPANEL_TEST_POLICY", self.0.path("etc/policy.ron")), stdin.as_bytes())
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    fn add(&self, name: &str, n: u8, more: &[&str]) -> Ran {
        self.run_with(&[&["add", "-"], more].concat(), &link(name, "ada", n))
    }

    /// Issuer and identity of every account, sorted.
    fn identities(&self) -> Vec<(String, String)> {
        let rows = self.run(&["list", "--json"]).json();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let mut rows: Vec<_> = rows
            .as_array()
            .expect("an array")
            .iter()
            .map(|row| (text(&row["issuer"]), text(&row["identity"])))
            .collect();
        rows.sort();
        rows
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// Two accounts of Contoso's and one that is personal.
fn mixed(policy: &str) -> Managed {
    let managed = Managed::new(OPEN);
    managed.run_with(&["import", "-"], &[link("VPN", "ada", 1), link("Wiki", "ada", 2)].join("\n")).ok();
    managed.add("Mail", 3, &["--personal"]).ok();
    managed.set(policy);
    managed
}

#[test]
fn new_accounts_belong_to_the_organisation_unless_personal_is_chosen_and_it_is_said_once_at_length() {
    let managed = Managed::new(OPEN);
    let first = managed.add("VPN", 1, &[]);
    assert!(first.err.contains("Contoso manages this machine") && first.err.contains("--personal"), "{}", first.err);
    let second = managed.add("Wiki", 2, &[]);
    assert!(second.err.contains("it belongs to Contoso") && !second.err.contains("manages"), "{}", second.err);
    let own = managed.add("Mail", 3, &["--personal"]);
    assert!(!own.err.contains("Contoso"), "{}", own.err);
    managed.run_with(&["import", "--personal", "-"], &link("News", "ada", 4)).ok();
    let expected =
        [("Mail", "personal"), ("News", "personal"), ("VPN", "managed/Contoso"), ("Wiki", "managed/Contoso")];
    assert_eq!(managed.identities(), pairs(&expected));
    let list = managed.run(&["list"]).ok();
    assert_eq!(list.matches("[Contoso]").count(), 2, "{list}");
}

#[test]
fn an_export_with_an_account_of_the_organisation_in_it_is_refused_whole() {
    let managed = mixed(CONTOSO);
    for args in [&["--out", "x"][..], &["--out", "x", "vpn"], &["--out", "x", "mail", "wiki"], &[]] {
        let err = managed.run(&[&["export", "--format", "otpauth"], args].concat()).fails(1);
        assert!(err.contains("Contoso does not allow"), "{err}");
        assert!(!managed.0.path("x").exists());
    }
    let all = managed.run(&["export", "--format", "otpauth"]).fails(1);
    assert!(all.contains("VPN (ada) and Wiki (ada)") && all.contains("--personal"), "{all}");
    for args in [&["--personal"][..], &["mail"]] {
        let out = managed.run(&[&["export", "--format", "otpauth"], args].concat()).ok();
        assert!(out.contains("Mail") && out.lines().count() == 1, "{out}");
    }
    assert!(managed.run(&["vault", "cat", "--yes"]).fails(1).contains("Contoso does not allow"));
    managed.set(OPEN);
    assert_eq!(managed.run(&["export", "--format", "otpauth"]).ok().lines().count(), 3);
}

#[test]
fn what_lies_in_the_trash_is_not_printed_either() {
    let managed = mixed(CONTOSO);
    for name in ["vpn", "wiki"] {
        managed.run(&["rm", name, "--yes"]).ok();
    }
    managed.run(&["vault", "cat", "--yes"]).fails(1);
    managed.run(&["export", "--format", "otpauth"]).ok();
}

#[test]
fn codes_are_still_made_and_accounts_edited() {
    let managed = mixed(CONTOSO);
    managed.run(&["code", "vpn"]).ok();
    managed.run(&["edit", "vpn", "--issuer", "Tunnel"]).ok();
    assert!(managed.identities().contains(&("Tunnel".into(), "managed/Contoso".into())));
}

#[test]
fn personal_accounts_are_refused_where_the_organisation_wants_none_and_those_here_stay() {
    let managed = mixed(STRICT);
    let err = managed.add("News", 4, &["--personal"]).fails(1);
    assert!(err.contains("Contoso does not allow personal accounts"), "{err}");
    managed.run_with(&["import", "--personal", "-"], &link("News", "ada", 4)).fails(1);
    managed.run(&["edit", "vpn", "--move-to", "personal", "--yes"]).fails(1);
    managed.run(&["code", "mail"]).ok();
    managed.run(&["export", "--format", "otpauth", "--personal"]).ok();
    assert_eq!(managed.identities().len(), 3);
}

#[test]
fn an_account_is_moved_only_when_told_so_with_a_yes_and_never_out_where_that_is_forbidden() {
    let managed = mixed(CONTOSO);
    let moving = ["edit", "mail", "--move-to", "managed"];
    assert!(managed.run(&moving).fails(2).contains("needs a yes"));
    managed.run(&[&moving[..], &["--yes"]].concat()).ok();
    assert!(managed.identities().iter().all(|(_, identity)| identity == "managed/Contoso"));
    let err = managed.run(&["edit", "mail", "--move-to", "personal", "--yes"]).fails(1);
    assert!(err.contains("Contoso does not allow its accounts to become personal"), "{err}");
    managed.set(OPEN);
    managed.run(&["edit", "mail", "--move-to", "personal", "--yes"]).ok();
    assert!(managed.identities().contains(&("Mail".into(), "personal".into())));
    assert_eq!(managed.run(&["list", "--trash", "--json"]).json(), serde_json::json!([]), "nothing of it stays behind");
    managed.set("()");
    managed.run(&["edit", "mail", "--move-to", "managed", "--yes"]).fails(2);
    managed.run(&["edit", "mail", "--move-to", "personal", "--note", "x", "--yes"]).fails(2);
}

#[test]
fn no_command_carries_an_account_across() {
    let managed = mixed(CONTOSO);
    let before = managed.identities();
    let vault = managed.0.vault();
    fs::copy(&vault, managed.0.path("copy.otpv")).expect("copied");
    // The trash and back.
    managed.run(&["rm", "vpn", "--yes"]).ok();
    managed.run(&["restore", "vpn"]).ok();
    // An older copy, and one that a sync tool left.
    managed.run(&["rm", "wiki", "--purge", "--yes"]).ok();
    managed.run(&["vault", "restore", "copy.otpv", "--yes"]).ok();
    fs::copy(managed.0.path("copy.otpv"), managed.0.path("vault (conflicted copy 2026-01-02 030405).otpv"))
        .expect("copied");
    managed.run(&["tag", "mail", "+x"]).ok();
    // The same account again, as whosever.
    managed.add("VPN", 1, &["--personal"]).ok();
    managed.add("Mail", 3, &[]).ok();
    // Two versions joined as git does it.
    managed.run(&["vault", "merge", "copy.otpv", "vault.otpv", "copy.otpv"]).ok();
    // A vault as a file to import.
    let recovery = managed.0.path("recovery");
    let recovery = recovery.to_str().expect("text");
    let words = ["import", "--personal", "--archive-password-file", recovery, "copy.otpv"];
    let ran = managed.run(&words);
    assert!(ran.err.contains("belongs to Contoso"), "{}", ran.err);
    assert_eq!(managed.identities(), before);
    let dry = managed.run(&["import", "--dry-run", "--json", "--archive-password-file", recovery, "copy.otpv"]).ok();
    assert!(!dry.contains(&crate::home::secret(1)) && dry.contains(&crate::home::secret(3)), "{dry}");
}

#[test]
fn limits_hold_over_the_config() {
    let managed = Managed::new("Policy(max_idle_lock_secs: 120, max_clipboard_secs: 15)");
    let shown = managed.run(&["config", "show"]).ok();
    assert!(shown.contains("idle_lock_secs: 120") && shown.contains("clear_secs: 15"), "{shown}");
    managed.0.write(
        ".config/otpanel/config.ron",
        "(idle_lock_secs: 0, clipboard: (clear_secs: 5), profiles: {\"work\": (idle_lock_secs: 900)})",
    );
    let shown = managed.run(&["config", "show"]).ok();
    assert!(shown.contains("idle_lock_secs: 120") && shown.contains("clear_secs: 5"), "{shown}");
    let shown = managed.run(&["--profile", "work", "config", "show"]).ok();
    assert!(shown.contains("idle_lock_secs: 120"), "{shown}");
    let told = managed.run(&["policy"]).ok();
    assert!(told.contains("your config says never, 120 s holds"), "{told}");
}

#[test]
fn a_profile_is_under_the_same_policy() {
    let managed = Managed::new(CONTOSO);
    let profile = |args: &[&str], stdin: &str| {
        let mut command = managed.0.bare();
        command.env_remove("OTPANEL_VAULT").env("OTPANEL_TEST_POLICY", managed.0.path("etc/policy.ron"));
        command.arg("--password-file").arg(managed.0.path("pw")).args(["--profile", "work"]).args(args);
        finish(&mut command, stdin.as_bytes())
    };
    profile(&["init", "--unlock", "password", "--recovery-key-file", "work.key"], "").ok();
    profile(&["add", "-"], &link("VPN", "ada", 1)).ok();
    assert_eq!(profile(&["list", "--json"], "").json()[0]["identity"], "managed/Contoso");
    profile(&["export", "--format", "otpauth"], "").fails(1);
    assert_eq!(managed.identities(), pairs(&[]), "the other vault has nothing of it");
}

#[test]
fn the_policy_is_told_and_a_machine_without_one_says_so_plainly() {
    let managed = Managed::new(CONTOSO);
    let told = managed.run(&["policy"]).ok();
    for words in ["policy.ron", "Contoso", "forbidden", "120 s"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let json = managed.run(&["policy", "--json"]).json();
    assert_eq!((&json["state"], &json["export"]), (&"in force".into(), &"forbidden".into()));
    assert_eq!(json["identity"], serde_json::json!({"name": "Contoso", "store": "keychain", "place": null}));
    assert!(managed.run(&["doctor"]).ok().contains("Contoso"));
    fs::remove_file(managed.0.path("etc/policy.ron")).expect("gone");
    assert!(managed.run(&["policy"]).ok().contains("No policy is set"));
    assert_eq!(managed.run(&["policy", "--json"]).json()["state"], "none");
}

#[test]
fn a_policy_that_others_can_write_or_that_has_a_mistake_is_ignored_loudly() {
    let managed = mixed(CONTOSO);
    managed.mode(0o666);
    for round in 0..2 {
        let told = managed.run(&["policy"]).fails(1);
        assert!(told.contains("ignored"), "{told}");
        let json = managed.run(&["policy", "--json"]);
        assert_eq!(json.code, 1);
        assert!(json.out.contains("\"state\":\"ignored\""), "{}", json.out);
        assert!(managed.run(&["doctor"]).ok().contains("BAD"));
        let export = managed.run(&["export", "--format", "otpauth"]);
        assert!(export.err.contains("policy of this machine is ignored"), "{}", export.err);
        assert_eq!(export.ok().lines().count(), 3 + round);
        let add = managed.add("News", 4, &[]);
        assert!(add.err.contains("policy of this machine is ignored"), "{}", add.err);
        assert!(managed.identities().contains(&("News".into(), "personal".into())));
        assert!(!managed.run(&["code", "mail"]).err.contains("ignored"), "what writes nothing is not disturbed");
        managed.set("Policy(identity: (name: \"Contoso\"), exports: Forbidden)");
    }
    let told = managed.run(&["policy"]).fails(1);
    assert!(told.contains("line 1, column") && told.contains("Did you mean `export`?"), "{told}");
}

#[test]
fn the_organisations_accounts_go_to_the_keyring_that_the_policy_names() {
    use crate::support::{Session, installed};
    if !installed(&["dbus-daemon", "dbus-send", "gnome-keyring-daemon"]) {
        return;
    }
    let mut session = Session::start();
    session.keyring(Some("pw"));
    let managed = Managed::new("Policy(identity: (name: \"Contoso\", store: Keychain(collection: \"Contoso\")))");
    let run = |args: &[&str], stdin: &str| {
        let mut command = managed.0.command(args);
        command.env("OTPANEL_TEST_POLICY", managed.0.path("etc/policy.ron"));
        finish(command.env("DBUS_SESSION_BUS_ADDRESS", &session.address), stdin.as_bytes())
    };
    let added = run(&["add", "-"], &link("VPN", "ada", 1));
    assert!(added.err.contains("The keyring `Contoso` does not exist here"), "{}", added.err);
    run(&["add", "-", "--personal"], &link("Mail", "ada", 2)).ok();
    let status = run(&["backup", "status", "--json"], "").json();
    assert_eq!((&status["state"], &status["others"][0]["state"]), (&"unavailable".into(), &"on".into()), "{status}");
    session.make_keyring("Contoso");
    let now = run(&["backup", "now"], "");
    assert!(now.err.contains("Backed up 1 account to the keyring Contoso"), "{}", now.err);
    let status = run(&["backup", "status"], "");
    assert!(status.out.contains("keychain, keyring Contoso: on"), "{}", status.out);
    run(&["backup", "verify"], "").ok();
    // A new machine under the same policy gets them back from there.
    let new = Managed::new("Policy(identity: (name: \"Contoso\", store: Keychain(collection: \"Contoso\")))");
    let mut restore = new.0.command(&["backup", "restore", "--yes"]);
    restore.env("OTPANEL_TEST_POLICY", new.0.path("etc/policy.ron")).env("DBUS_SESSION_BUS_ADDRESS", &session.address);
    finish(&mut restore, b"").ok();
    assert_eq!(new.identities(), pairs(&[("Mail", "personal"), ("VPN", "managed/Contoso")]));
}
