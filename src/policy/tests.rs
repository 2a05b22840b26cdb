//! What a policy file may say, who may have written it, and what follows from it.

use super::*;

const ALL: &str = include_str!("../../docs/policy.ron");

fn told(text: &str) -> String {
    parse(text, "ada").expect_err("a mistake").to_string()
}

fn contoso(rest: &str) -> Policy {
    parse(&format!("Policy(identity: (name: \"Contoso\"), {rest})"), "ada").expect("a right policy")
}

#[test]
fn the_example_is_a_right_policy_and_says_every_field() {
    let policy = parse(ALL, "ada").expect("right");
    let managed = policy.identity.as_ref().expect("an identity");
    assert_eq!(managed.name, "Contoso");
    assert_eq!(managed.store, ManagedStore::Keychain { collection: Some(String::from("Contoso")) });
    assert_eq!((policy.backup, policy.secrets), (Backup::Required, Secrets::Included));
    assert_eq!((policy.export, policy.personal), (Export::Forbidden, Personal::Allowed));
    assert_eq!((policy.max_idle_lock_secs, policy.max_clipboard_secs), (Some(300), Some(15)));
}

#[test]
fn every_field_may_be_left_out_and_nothing_is_forbidden_then() {
    for text in ["", "// nothing\n", "()", "Policy()"] {
        assert_eq!(parse(text, "ada"), Ok(Policy::default()), "{text}");
    }
    assert_eq!(Policy::default().identity_for(false), Ok("personal".to_owned()));
    assert_eq!(contoso("").identity_for(false), Ok("managed/Contoso".to_owned()));
}

#[test]
fn a_store_is_a_keychain_by_any_form_or_a_folder_with_the_users_name() {
    let store = |text: &str| {
        let text = format!("Policy(identity: (name: \"C\", store: {text}), export: Forbidden)");
        let policy = parse(&text, "ada").expect("right");
        assert_eq!(policy.export, Export::Forbidden);
        policy.identity.expect("an identity").store
    };
    for text in ["Keychain", "Keychain()"] {
        assert_eq!(store(text), ManagedStore::Keychain { collection: None });
    }
    assert_eq!(store("Keychain(collection: \"W\")"), ManagedStore::Keychain { collection: Some("W".into()) });
    assert_eq!(contoso("").identity.expect("one").store, ManagedStore::Keychain { collection: None });
    #[cfg(unix)]
    assert_eq!(store("Folder(\"/srv/otp/{user}/b\")"), ManagedStore::Folder("/srv/otp/ada/b".into()));
}

#[test]
#[cfg(unix)]
fn a_mistake_is_told_with_its_place_and_what_was_expected() {
    let cases = [
        ("Policy(exports: Forbidden)", "1:8: `exports` is not a setting; did you mean `export`?"),
        ("Policy(\n  export: Never)", "2:11: `Never` is not a choice for `export`; expected `Allowed` or `Forbidden`"),
        (
            "(max_idle_lock_secs: 0)",
            "1:22: `max_idle_lock_secs` cannot be `0`; expected a whole number from 1 to 86400",
        ),
        ("(identity: (store: Keychain))", "1:28: `name` is missing; expected `name: …` before the `)`"),
        ("(identity: (name: \"C\", stor: Keychain))", "`stor` is not a setting of `identity`; did you mean `store`?"),
        ("(identity: (name: \"C\", store: Keychain(label: \"x\")))", "`label` is not a setting of `keychain`"),
        ("(identity: (name: \"C\", store: Keychain), exprt: Allowed)", "`exprt` is not a setting"),
        ("(identity: (name: \"C/D\"))", "1:19: `name` cannot be `\"C/D\"`; expected a name of 1 to 64 characters"),
        ("(identity: (name: \"\"))", "`name` cannot be `\"\"`"),
        ("(identity: (name: \"a\u{202e}b\"))", "expected a name of 1 to 64"),
        ("(identity: (name: \"C\", store: Folder(\"srv\")))", "expected the whole path of a folder"),
        ("(identity: (name: \"C\", store: Folder(\"/srv/{host}\")))", "expected the whole path of a folder"),
        ("(personal: Forbidden)", "1:2: `personal` means nothing here without an `identity`"),
        ("(backup: Required)", "`backup` means nothing here without an `identity`"),
        ("(export: Forbidden", "the file ends here"),
        ("(export: Forbidden, export: Allowed)", "`export` is set a second time"),
    ];
    for (text, words) in cases {
        assert!(told(text).contains(words), "{text}: {}", told(text));
    }
}

#[test]
fn limits_cap_what_the_config_says_and_never_is_above_all() {
    let policy = contoso("max_idle_lock_secs: 120, max_clipboard_secs: 15");
    let capped = |idle: u32, clip: u32| {
        let mut config = Config { idle_lock_secs: idle, ..Config::default() };
        config.clipboard.clear_secs = clip;
        let config = policy.cap(config);
        (config.idle_lock_secs, config.clipboard.clear_secs)
    };
    assert_eq!(capped(0, 0), (120, 15));
    assert_eq!(capped(300, 30), (120, 15));
    assert_eq!(capped(60, 10), (60, 10));
    assert_eq!(Policy::default().cap(Config::default()), Config::default());
}

#[test]
fn an_account_stays_where_the_policy_keeps_it() {
    let shut = contoso("export: Forbidden, personal: Forbidden");
    assert!(matches!(shut.identity_for(true), Err(Refusal::Personal { organisation }) if organisation == "Contoso"));
    assert_eq!(shut.identity_for(false).as_deref(), Ok("managed/Contoso"));
    assert!(matches!(shut.may_move("managed/Contoso", true), Err(Refusal::Leave { .. })));
    assert!(matches!(shut.may_move("managed/Other", true), Err(Refusal::Leave { .. })));
    assert_eq!(shut.may_move("personal", false).as_deref(), Ok("managed/Contoso"));
    let open = contoso("");
    assert_eq!(open.may_move("managed/Contoso", true).as_deref(), Ok("personal"));
    assert_eq!(open.forbids_export("managed/Contoso"), None);
    assert_eq!(Policy::default().may_move("personal", false), Err(Refusal::NoIdentity));
    assert_eq!(shut.offers(), None);
    assert_eq!(open.offers(), Some("Contoso"));
}

#[test]
fn one_account_of_the_organisation_among_many_is_named_in_the_refusal() {
    let policy = contoso("export: Forbidden");
    let all = [("personal", "Mail"), ("managed/Contoso", "VPN")];
    let refused = policy.may_leave(all.iter().map(|(identity, name)| (*identity, (*name).to_owned())));
    let expected = Refusal::Export { organisation: "Contoso".into(), accounts: vec!["VPN".into()], of: 2 };
    assert_eq!(refused, Err(expected));
    assert_eq!(policy.may_leave([("personal", String::new())].into_iter()), Ok(()));
}

/// Who may have written the file. Files are made as the user who runs the tests, whose number is the owner's then.
#[cfg(unix)]
mod ownership {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    const TEXT: &str = "Policy(identity: (name: \"Contoso\"))";

    struct Place {
        dir: tempfile::TempDir,
        me: u32,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let me = fs::metadata(dir.path()).expect("there").uid();
            let place = Self { dir, me };
            place.mode("", 0o755);
            fs::write(place.at("policy.ron"), TEXT).expect("written");
            place.mode("policy.ron", 0o644);
            place
        }

        fn at(&self, name: &str) -> PathBuf {
            if name.is_empty() { self.dir.path().to_owned() } else { self.dir.path().join(name) }
        }

        fn mode(&self, name: &str, mode: u32) {
            fs::set_permissions(self.at(name), fs::Permissions::from_mode(mode)).expect("changed");
        }

        fn found(&self) -> Found {
            Found::at(self.at("policy.ron"), self.me)
        }

        #[track_caller]
        fn refused(&self) -> PolicyError {
            let found = self.found();
            assert!(found.policy.is_none());
            found.trouble.expect("a trouble")
        }
    }

    #[test]
    fn a_file_of_the_owner_that_nobody_else_writes_is_obeyed() {
        let found = Place::new().found();
        assert!(found.trouble.is_none(), "{:?}", found.trouble);
        assert_eq!(found.in_force().identity_for(false), Ok("managed/Contoso".to_owned()));
    }

    #[test]
    fn where_there_is_none_nothing_is_wrong() {
        let place = Place::new();
        for path in [place.at("other.ron"), place.at("no/folder/policy.ron")] {
            let found = Found::at(path, place.me);
            assert!(found.policy.is_none() && found.trouble.is_none());
        }
    }

    #[test]
    fn a_file_or_folder_that_others_write_is_not_obeyed() {
        for (name, mode) in [("policy.ron", 0o666), ("policy.ron", 0o664), ("", 0o777), ("", 0o1777), ("", 0o775)] {
            let place = Place::new();
            place.mode(name, mode);
            assert!(
                matches!(place.refused(), PolicyError::Writable { mode: told, .. } if told == mode),
                "{name} {mode:o}"
            );
        }
    }

    #[test]
    fn a_file_or_folder_of_another_user_is_not_obeyed() {
        let place = Place::new();
        let found = Found::at(place.at("policy.ron"), place.me + 1);
        assert!(matches!(found.trouble, Some(PolicyError::Owner { .. })));
        // Only root can give files away; where the tests run as root, each of the two alone is tried.
        for name in ["policy.ron", ""] {
            let place = Place::new();
            if std::os::unix::fs::chown(place.at(name), Some(4242), None).is_ok() {
                assert!(matches!(place.refused(), PolicyError::Owner { owner: 4242, path } if path == place.at(name)));
            }
        }
    }

    #[test]
    fn a_link_is_not_followed_whether_file_or_folder() {
        let place = Place::new();
        fs::rename(place.at("policy.ron"), place.at("real.ron")).expect("moved");
        symlink(place.at("real.ron"), place.at("policy.ron")).expect("linked");
        assert!(matches!(place.refused(), PolicyError::NotPlain(_)));
        let place = Place::new();
        let outer = Place::new();
        symlink(place.at(""), outer.at("link")).expect("linked");
        let found = Found::at(outer.at("link/policy.ron"), outer.me);
        assert!(matches!(found.trouble, Some(PolicyError::NotPlain(_))), "{:?}", found.trouble);
    }

    #[test]
    fn a_pipe_a_folder_and_a_flood_are_not_read() {
        let place = Place::new();
        fs::remove_file(place.at("policy.ron")).expect("gone");
        fs::create_dir(place.at("policy.ron")).expect("made");
        assert!(matches!(place.refused(), PolicyError::NotPlain(_)));
        fs::remove_dir(place.at("policy.ron")).expect("gone");
        let mode = rustix::fs::Mode::from_bits_truncate(0o644);
        rustix::fs::mknodat(rustix::fs::CWD, place.at("policy.ron"), rustix::fs::FileType::Fifo, mode, 0)
            .expect("made");
        assert!(matches!(place.refused(), PolicyError::NotPlain(_)));
        let place = Place::new();
        fs::write(place.at("policy.ron"), " ".repeat(70_000)).expect("written");
        assert!(matches!(place.refused(), PolicyError::TooLong(_)));
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_not_obeyed_in_part() {
        let place = Place::new();
        fs::write(place.at("policy.ron"), "Policy(export: Forbidden, export_: Forbidden)").expect("written");
        assert!(matches!(place.refused(), PolicyError::Text { .. }));
    }

    #[test]
    fn the_users_name_in_a_folder_comes_from_the_system() {
        let place = Place::new();
        let text = "Policy(identity: (name: \"C\", store: Folder(\"/srv/{user}\")))";
        fs::write(place.at("policy.ron"), text).expect("written");
        let store = place.found().in_force().identity.expect("an identity").store;
        let name = whoami::username().expect("a name");
        assert_eq!(store, ManagedStore::Folder(format!("/srv/{name}").into()));
    }
}
