//! Whatever is wrong with the vault or the machine: a clear report, the right exit code, nothing lost.

use std::fs;

use crate::home::{Home, finish, link};

fn filled() -> Home {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    home.import(&[&link("GitLab", "ada", 2)]);
    home
}

/// Runs `list` on a vault that was changed, and looks that nothing touched it.
#[track_caller]
fn refused(home: &Home, code: i32) -> String {
    let before = fs::read(home.vault()).expect("the vault");
    let err = home.run(&["list", "--json"]).fails(code);
    home.run_with(&["import", "-"], &link("X", "x", 9)).fails(code);
    assert_eq!(fs::read(home.vault()).expect("the vault"), before, "the file was touched");
    err
}

#[test]
fn no_vault() {
    let home = Home::new();
    for args in [&["list"][..], &["code", "x"], &["vault", "info"], &["rm", "--yes", "x"]] {
        let err = home.run(args).fails(1);
        assert!(err.contains("otpanel init"), "{err}");
    }
}

#[test]
fn a_wrong_password() {
    let home = filled().by_password();
    home.write("pw", "wrong");
    assert!(refused(&home, 4).contains("password is wrong"));
    home.write("pw", "");
    refused(&home, 4);
}

#[test]
fn no_way_in() {
    let home = filled();
    let mut command = home.bare();
    command.arg("list");
    let err = finish(&mut command, b"").fails(4);
    for way in ["--password-file", "OTPANEL_PASSWORD_FILE", "keychain"] {
        assert!(err.contains(way), "{way} is not named: {err}");
    }
}

#[test]
fn a_password_file_that_is_not_there() {
    let home = filled().by_password();
    fs::remove_file(home.path("pw")).expect("removed");
    assert!(home.run(&["list"]).fails(1).contains("No such file"));
}

#[test]
fn a_file_that_is_no_vault() {
    let home = filled();
    fs::write(home.vault(), "hello").expect("written");
    assert!(refused(&home, 5).contains("no vault"));
}

#[test]
fn an_empty_file_names_the_copies_that_would_open() {
    let home = filled();
    fs::write(home.vault(), "").expect("emptied");
    let err = refused(&home, 5);
    assert!(err.contains("empty") && err.contains("history"), "{err}");
    assert!(err.contains(".otpv"), "no copy is named: {err}");
}

#[test]
fn copies_of_another_vault_are_not_offered_for_a_file_that_is_none() {
    let home = filled();
    home.write("junk", "junk");
    let err = home.run(&["--vault", "junk", "list"]).fails(5);
    assert!(err.contains("No whole copy of a vault that lay here") && !err.contains(".otpv\n"), "{err}");
    assert!(!err.contains("Whole copies, the newest first"), "{err}");
}

#[test]
fn a_vault_cut_short() {
    let home = filled();
    let bytes = fs::read(home.vault()).expect("the vault");
    fs::write(home.vault(), &bytes[..bytes.len() / 2]).expect("cut");
    assert!(refused(&home, 5).contains("cut short"));
}

#[test]
fn an_altered_vault() {
    let home = filled();
    let mut bytes = fs::read(home.vault()).expect("the vault");
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    fs::write(home.vault(), bytes).expect("altered");
    assert!(refused(&home, 5).contains("altered"));
}

#[test]
fn a_newer_vault() {
    let home = filled();
    let mut bytes = fs::read(home.vault()).expect("the vault");
    bytes[8] = 2;
    fs::write(home.vault(), bytes).expect("altered");
    let err = refused(&home, 5);
    assert!(err.contains("newer") && err.contains("Install"), "{err}");
}

#[test]
fn a_key_derivation_beyond_the_bounds_is_refused_before_it_runs() {
    let home = filled();
    let mut bytes = fs::read(home.vault()).expect("the vault");
    // The password slot comes first: kind 1 at byte 92, its memory in KiB 20 bytes on.
    let at = (92..bytes.len()).find(|&i| bytes[i..].starts_with(&[1, 0, 92, 0])).expect("a password slot") + 20;
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(home.vault(), bytes).expect("altered");
    let started = std::time::Instant::now();
    let err = refused(&home, 5);
    assert!(err.contains("more work"), "{err}");
    assert!(started.elapsed().as_secs() < 5, "it ran");
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_leaves_the_vault_as_it_was() {
    let home = filled();
    let before = fs::read(home.vault()).expect("the vault");
    let err = crate::home::without_room(&home, "import -", &link("X", "x", 9)).fails(1);
    assert!(err.contains("Not saved") || err.contains("could not be"), "{err}");
    assert_eq!(fs::read(home.vault()).expect("the vault"), before);
    assert_eq!(home.accounts(), ["ada", "octo"]);
}

/// A small disk of its own with a vault of one account, where the tests may mount one: only root, and not everywhere.
#[cfg(target_os = "linux")]
struct Disk {
    home: Home,
}

#[cfg(target_os = "linux")]
impl Disk {
    fn new() -> Option<Self> {
        let disk = Self { home: Home::with_vault() };
        fs::create_dir(disk.folder()).expect("a folder");
        disk.mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).then_some(())?;
        fs::copy(disk.home.vault(), disk.folder().join("vault.otpv")).expect("copied");
        disk.run(&["import", "-"], &link("GitHub", "octo", 1)).ok();
        Some(disk)
    }

    fn folder(&self) -> std::path::PathBuf {
        self.home.path("disk")
    }

    fn mount(&self, args: &[&str]) -> bool {
        let mut mount = std::process::Command::new("mount");
        mount.args(args).arg(self.folder()).stderr(std::process::Stdio::null()).status().is_ok_and(|s| s.success())
    }

    fn run(&self, args: &[&str], stdin: &str) -> crate::home::Ran {
        let mut command = self.home.command(args);
        command.env("OTPANEL_VAULT", self.folder().join("vault.otpv"));
        finish(&mut command, stdin.as_bytes())
    }

    /// An import must fail and leave everything as it was; gives what it said.
    fn refuses(&self) -> String {
        let vault = || fs::read(self.folder().join("vault.otpv")).expect("the vault");
        let before = vault();
        let err = self.run(&["import", "-"], &link("X", "x", 9)).fails(1);
        assert_eq!(vault(), before);
        assert_eq!(self.run(&["list", "--json"], "").json().as_array().map(Vec::len), Some(1), "it is still read");
        err
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.folder()).stderr(std::process::Stdio::null()).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let Some(disk) = Disk::new() else { return };
    let _ = fs::write(disk.folder().join("filler"), vec![0; 128 * 1024]);
    let err = disk.refuses();
    assert!(err.contains("the disk is full"), "{err}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_may_only_be_read_is_told_and_still_shows_codes() {
    let Some(disk) = Disk::new() else { return };
    assert!(disk.mount(&["-o", "remount,ro"]), "mounted anew");
    let err = disk.refuses();
    assert!(err.contains("may only be read"), "{err}");
    disk.run(&["code", "octo"], "").ok();
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let home = filled();
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    for args in [&["list"][..], &["--help"], &["--version"], &["code", "--help"]] {
        let out = home.command(args).stdout(full.try_clone().expect("a file")).output().expect("runs");
        assert_eq!(out.status.code(), Some(1), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_word_that_is_no_text_is_wrong_usage() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::with_vault();
    let word = std::ffi::OsStr::from_bytes(b"\xff");
    let ran = finish(home.bare().arg(word), b"");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    // The name under which it was started is nobody's business.
    let mut command = home.bare();
    std::os::unix::process::CommandExt::arg0(&mut command, word);
    finish(command.arg("--version"), b"").ok();
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_local_state_holds_nothing_up() {
    let home = Home::with_vault();
    home.import(&[&link("A", "one", 1)]);
    let state = home.path(".local/state/otpanel/local.ron");
    fs::remove_file(&state).expect("it was there");
    let made = std::process::Command::new("mkfifo").arg(&state).status().expect("mkfifo");
    assert!(made.success());
    home.import(&[&link("B", "two", 2)]);
    assert_eq!(home.accounts(), ["one", "two"]);
}

#[test]
fn settings_that_somebody_named_must_be_there() {
    let home = filled();
    for args in [["list", "--json"], ["config", "check"]] {
        let told = finish(home.command(&args).args(["--config", "gone.ron"]), b"").fails(1);
        assert!(told.contains("gone.ron") && told.contains("config cannot be read"), "{told}");
    }
    // A variable says where they are to be, as the usual place does.
    finish(home.command(&["list", "--json"]).env("OTPANEL_CONFIG", home.path("gone.ron")), b"").ok();
    std::fs::remove_file(home.path(".config/otpanel/config.ron")).expect("removed");
    home.run(&["list", "--json"]).ok();
}
