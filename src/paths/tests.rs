//! Places, private files and folders, and names in a folder.

use super::*;

fn resolve(vault: Option<&str>, profile: Option<&str>, env: &[(&str, &str)]) -> Result<Paths, PathsError> {
    let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
    Paths::resolve(vault.map(PathBuf::from), None, profile, &env)
}

#[cfg(target_os = "linux")]
#[test]
fn without_variables_files_lie_where_xdg_says() {
    let paths = resolve(None, None, &[("HOME", "/home/ada")]).expect("places");
    assert_eq!(paths.config_file, Path::new("/home/ada/.config/otpanel/config.ron"));
    assert_eq!(paths.vault_file, Path::new("/home/ada/.local/share/otpanel/vault.otpv"));
    assert_eq!(paths.state_dir, Path::new("/home/ada/.local/state/otpanel"));
    assert_eq!(paths.log_file, Path::new("/home/ada/.local/state/otpanel/otpanel.log"));
}

#[cfg(target_os = "linux")]
#[test]
fn xdg_variables_are_honoured_when_absolute_and_ignored_when_not() {
    let env = [("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "conf"), ("XDG_STATE_HOME", "")];
    let paths = resolve(None, None, &env).expect("places");
    assert_eq!(paths.vault_file, Path::new("/d/otpanel/vault.otpv"));
    assert_eq!(paths.config_file, Path::new("/h/.config/otpanel/config.ron"));
    assert_eq!(paths.state_dir, Path::new("/h/.local/state/otpanel"));
}

#[cfg(unix)]
#[test]
fn the_vault_given_wins_over_the_profile_and_the_profile_over_the_variable() {
    let env = [("HOME", "/h"), ("OTPANEL_VAULT", "/v/env.otpv"), ("XDG_DATA_HOME", "/d")];
    let vault = |given, profile| resolve(given, profile, &env).expect("places").vault_file;
    assert_eq!(vault(Some("/v/given.otpv"), Some("work")), Path::new("/v/given.otpv"));
    assert_eq!(vault(None, Some("work")), Path::new("/d/otpanel/profiles/work/vault.otpv"));
    assert_eq!(vault(None, None), Path::new("/v/env.otpv"));
}

#[test]
fn a_relative_vault_is_made_absolute_and_an_empty_one_refused() {
    let home = std::env::temp_dir();
    let env = [("HOME", home.to_str().expect("text"))];
    assert!(resolve(Some("v.otpv"), None, &env).expect("places").vault_file.is_absolute());
    assert_eq!(resolve(Some(""), None, &env), Err(PathsError::Empty("vault")));
}

#[test]
fn a_tilde_at_the_start_is_the_home_and_no_other_is() {
    let home = home().expect("a home");
    assert_eq!(from_home(Path::new("~/a/b")), home.join("a/b"));
    for plain in ["~ada/x", "a/~", "/x/~/y"] {
        assert_eq!(from_home(Path::new(plain)), Path::new(plain));
    }
}

#[test]
fn a_profile_cannot_leave_its_folder() {
    let home = std::env::temp_dir();
    let env = [("HOME", home.to_str().expect("text"))];
    for bad in ["", ".", "..", "../x", "a/b", "a\\b", "ä", "a b", &"x".repeat(65)] {
        assert!(matches!(resolve(None, Some(bad), &env), Err(PathsError::Profile(_))), "{bad:?}");
    }
    for good in ["work", "Work-2_x", &"x".repeat(64)] {
        assert!(resolve(None, Some(good), &env).is_ok(), "{good:?}");
    }
}

#[cfg(unix)]
mod modes {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    // The umask belongs to the whole process, so a process of its own has another.
    #[test]
    fn the_umask_changes_nothing() {
        let program = std::env::current_exe().expect("this test");
        for umask in ["000", "022", "077"] {
            let script = format!("umask {umask}; exec \"$0\" --exact \"$1\"");
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .arg(&program)
                .arg("paths::tests::modes::folders_and_files_are_for_their_owner_alone")
                .output()
                .expect("run");
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && told.contains("1 passed"), "umask {umask}: {told}");
        }
    }

    #[test]
    fn folders_and_files_are_for_their_owner_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let deep = root.path().join("a/b");
        private_dir(&deep).expect("made");
        private_dir(&deep).expect("there already");
        assert_eq!((mode(&deep), mode(&root.path().join("a"))), (0o700, 0o700));

        let log = deep.join("log");
        drop(private_file(&log).expect("made"));
        assert_eq!(mode(&log), 0o600);

        replace_private(&deep.join("c/local.ron"), b"one").expect("written");
        replace_private(&deep.join("c/local.ron"), b"two").expect("written");
        assert_eq!(mode(&deep.join("c")), 0o700);
        assert_eq!(mode(&deep.join("c/local.ron")), 0o600);
        assert_eq!(fs::read(deep.join("c/local.ron")).expect("read"), b"two");
        assert_eq!(fs::read_dir(deep.join("c")).expect("listed").count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_file_of_ours_that_others_could_read_is_closed_and_the_users_folder_left_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let (folder, log) = (root.path().join("open"), root.path().join("open/log"));
        fs::create_dir(&folder).expect("made");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("set");
        fs::write(&log, "old\n").expect("written");
        fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).expect("set");
        private_dir(&folder).expect("there already");
        private_file(&log).expect("opened").write_all(b"new\n").expect("written");
        assert_eq!((mode(&folder), mode(&log)), (0o755, 0o600));
        assert_eq!(fs::read_to_string(&log).expect("read"), "old\nnew\n");
    }
}
