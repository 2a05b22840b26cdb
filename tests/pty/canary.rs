//! A secret and a password that stand nowhere else go through every journey, and then they are looked for: in every byte
//! that the program wrote to any file, pipe or socket, in the arguments and variables of what it started, in every file
//! that is left, in what a terminal was sent. strace sees what went by: also what was deleted again.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use otpanel::otp::base32;

use crate::home::{Home, PASSWORD, PROGRAM, SETTINGS};
use crate::panel::Panel;
use crate::support::{installed, kept_keys};

/// The seed of every account here: 20 bytes that no program holds by chance.
const SEED: &[u8; 20] = b"\x9d\x1fq\xe2\x80Z\x07\xc3\x11\xfeB\x99k\xd4\x05\xa8\x7f\x3c\xb6\x21";
/// A password that is wrong, but perhaps only by a letter.
const SLIP: &str = "correct horse battery 43";
/// The calls that carry bytes out of a process, make a file, or start a program.
const CALLS: &str = "trace=execve,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,splice,sendfile,link,\
                     linkat,symlink,symlinkat,rename,renameat,renameat2,open,openat,openat2,mkdir,mkdirat,memfd_create";

fn secret() -> String {
    base32::encode(SEED).expose().clone()
}

fn link(name: &str) -> String {
    format!("otpauth://totp/{name}:ada?secret={}&issuer={name}", secret())
}

/// Every shape that a canary could leave in.
fn canaries() -> Vec<(String, Vec<u8>)> {
    let base64 = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes);
    let mut all = vec![
        (String::from("the seed"), SEED.to_vec()),
        (String::from("the secret in base32"), secret().into_bytes()),
        (String::from("the secret in small letters"), secret().to_lowercase().into_bytes()),
        (String::from("the seed in hex"), data_encoding::HEXLOWER.encode(SEED).into_bytes()),
        (String::from("the password"), PASSWORD.as_bytes().to_vec()),
        (String::from("the password nearly right"), SLIP.as_bytes().to_vec()),
    ];
    // In base64 a text looks different at each of three places.
    for (name, bytes) in
        [("the seed", SEED.as_slice()), ("the secret", secret().as_bytes()), ("the password", PASSWORD.as_bytes())]
    {
        for at in 0..3 {
            let text = base64(&[&vec![0; at], bytes].concat());
            all.push((format!("{name} in base64"), text.as_bytes()[4..text.len() - 4].to_vec()));
        }
    }
    all
}

/// Where canaries stand in some bytes.
fn found(bytes: &[u8]) -> Vec<String> {
    let there = |canary: &[u8]| bytes.windows(canary.len()).any(|window| window == canary);
    canaries().into_iter().filter(|(_, canary)| there(canary)).map(|(name, _)| name).collect()
}

/// All files and folders below a folder.
fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            all.extend(walk(&entry.path()));
        }
        all.push(entry.path());
    }
    all
}

/// What may be in the open: what the journey itself put there, and what was asked for.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    /// Nothing.
    No,
    /// The secret on standard output.
    Out,
    /// The secret in the file `asked`.
    File,
}

/// One home, with a log of everything, whose every command is watched.
struct Watched {
    home: Home,
    commands: usize,
}

impl Watched {
    fn new() -> Self {
        let home = Home::new();
        home.settings("log: Debug");
        for dir in ["state", ".local/state", ".local/share", "backup"] {
            fs::create_dir_all(home.path(dir)).unwrap();
        }
        home.write("etc-policy.ron", "Policy(identity: (name: \"Contoso\"), export: Forbidden)");
        fs::set_permissions(home.path("etc-policy.ron"), fs::Permissions::from_mode(0o644)).unwrap();
        home.write("slip", SLIP);
        home.write(
            "links.txt",
            &format!("{}\n{}\nnonsense {}\n{}1&digits=6\n", link("A"), link("B"), secret(), link("Bad")),
        );
        Self { home, commands: 0 }
    }

    /// Runs a command with umask 0; gives its exit code and what it said.
    #[track_caller]
    fn run(&mut self, args: &[&str], stdin: &str, asked: Asked) -> (i32, String) {
        self.run_with("pw", args, stdin, asked, &[])
    }

    #[track_caller]
    fn run_with(
        &mut self,
        key: &str,
        args: &[&str],
        stdin: &str,
        asked: Asked,
        env: &[(&str, &OsStr)],
    ) -> (i32, String) {
        self.commands += 1;
        let trace = self.home.path("trace");
        let mut command = self.home.command("strace");
        command.args(["-f", "-qq", "-xx", "-s", "1000000", "-v", "-e", CALLS, "-o"]).arg(&trace);
        command.args(["sh", "-c", "umask 0; exec \"$@\"", "sh", PROGRAM, "--password-file"]).arg(self.home.path(key));
        command.args(args).envs(env.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(found(&out.stderr).is_empty(), "{args:?}: {:?} on stderr: {said}", found(&out.stderr));
        if asked == Asked::Out {
            assert!(
                !found(&out.stdout).is_empty(),
                "{args:?} printed no secret: the search would find nothing: {said}"
            );
        } else {
            assert!(found(&out.stdout).is_empty(), "{args:?}: {:?} on stdout: {said}", found(&out.stdout));
        }
        let trace = fs::read_to_string(trace).unwrap();
        assert!(trace.contains("execve("), "strace saw nothing of {args:?}: {said}");
        for line in trace.lines() {
            // Standard output was judged above; the file that was asked for may hold it.
            let to_asked = asked != Asked::No && (line.contains(" write(") || line.contains(" writev("));
            let bytes = unquoted(line);
            let leaks = if to_asked { Vec::new() } else { found(&bytes) };
            assert!(leaks.is_empty(), "{args:?}: {leaks:?} in {}", String::from_utf8_lossy(&bytes));
        }
        self.look(args, asked);
        (out.status.code().unwrap_or(-1), format!("{args:?}: {said}"))
    }

    /// Looks through all files that there are now.
    #[track_caller]
    fn look(&self, args: &[&str], asked: Asked) {
        let ours = ["pw", "slip", "links.txt", "trace", "new-pw", "etc-policy.ron", "links.txt.json"];
        for path in walk(&self.home.path("")) {
            let name = path.strip_prefix(self.home.path("")).unwrap().to_str().unwrap();
            let meta = fs::symlink_metadata(&path).unwrap();
            if ours.contains(&name) || meta.file_type().is_socket() {
                continue;
            }
            let put_there =
                ["run", "state", "backup"].contains(&name) || name.starts_with(".config") || name.starts_with(".local");
            let folder_of_ours =
                meta.is_dir() && put_there && (!name.contains("/otpanel") || name == ".config/otpanel");
            let config = name.ends_with("config.ron");
            let right = if meta.is_dir() { 0o700 } else { 0o600 };
            assert!(
                folder_of_ours || config || meta.permissions().mode() & 0o777 == right,
                "{args:?} left {name} with mode {:o}",
                meta.permissions().mode()
            );
            if meta.is_file() {
                let leaks = found(&fs::read(&path).unwrap());
                assert!(leaks.is_empty() || asked == Asked::File && name == "asked", "{args:?}: {leaks:?} in {name}");
            }
        }
    }
}

trait Socket {
    fn is_socket(&self) -> bool;
}

impl Socket for fs::FileType {
    fn is_socket(&self) -> bool {
        std::os::unix::fs::FileTypeExt::is_socket(self)
    }
}

/// The bytes of all strings of one line of strace's hexadecimal output.
fn unquoted(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("\\x") {
        out.extend(rest.get(at + 2..at + 4).and_then(|hex| u8::from_str_radix(hex, 16).ok()));
        rest = &rest[at + 4..];
    }
    out
}

#[test]
fn a_canary_goes_through_every_command_and_is_left_nowhere() {
    if !installed(&["strace"]) {
        return;
    }
    let mut home = Watched::new();
    let done = |(code, said): (i32, String)| assert_eq!(code, 0, "{said}");
    let refused = |(code, said): (i32, String)| assert!(code > 0, "{said}");
    done(home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"], "", Asked::No));
    done(home.run(&["add", "-"], &link("GitHub"), Asked::No));
    done(home.run(&["add", "--issuer", "Typed", "--account", "bob", "-"], &format!("{}AA", secret()), Asked::No));
    refused(home.run(&["add", "-"], &link("Bad").replace("&issuer", "1&issuer"), Asked::No));
    refused(home.run(&["add", "-"], &format!("{}&digits=99", link("Bad")), Asked::No));
    refused(home.run(&["add", "--issuer", "X", "-"], &format!("{}!?", secret()), Asked::No));
    refused(home.run(&["import", "--yes", "-"], &format!("{{\"secret\": \"{}\", oops", secret()), Asked::No));
    refused(home.run(&["import", "--yes", "-"], &format!("otpauth-migration://offline?data={}", secret()), Asked::No));
    done(home.run(&["import", "--yes", "links.txt"], "", Asked::No));
    done(home.run(&["import", "--dry-run", "links.txt"], "", Asked::No));
    done(home.run(&["import", "--dry-run", "--json", "links.txt"], "", Asked::Out));
    done(home.run(&["list"], "", Asked::No));
    done(home.run(&["list", "--codes", "--json"], "", Asked::No));
    done(home.run(&["code", "GitHub", "--json"], "", Asked::No));
    refused(home.run(&["code", "nothing like it"], "", Asked::No));
    // Without a terminal and a display it cannot be copied: the words alone count.
    home.run(&["copy", "GitHub"], "", Asked::No);
    done(home.run(&["edit", "GitHub", "--account", "octo", "--note", "a note"], "", Asked::No));
    refused(home.run(&["edit", "GitHub", "--digits", "99"], "", Asked::No));
    done(home.run(&["tag", "GitHub", "+work"], "", Asked::No));
    done(home.run(&["rm", "Typed", "--yes"], "", Asked::No));
    done(home.run(&["list", "--trash"], "", Asked::No));
    done(home.run(&["restore", "Typed"], "", Asked::No));
    // What was asked for is where it was asked for, and nowhere else.
    done(home.run(&["export", "--format", "otpauth", "--yes"], "", Asked::Out));
    done(home.run(&["export", "--format", "otpauth", "--yes", "--out", "asked"], "", Asked::File));
    fs::remove_file(home.home.path("asked")).unwrap();
    done(home.run(
        &["export", "--format", "aegis", "--archive-password-file", "pw", "--out", "sealed.json"],
        "",
        Asked::No,
    ));
    done(home.run(
        &["export", "--format", "proton", "--archive-password-file", "pw", "--out", "proton.json"],
        "",
        Asked::No,
    ));
    refused(home.run(&["export", "--format", "otpauth", "--out", "/no/such/folder"], "", Asked::No));
    refused(home.run(&["import", "--archive-password-file", "slip", "sealed.json"], "", Asked::No));
    done(home.run(&["import", "--yes", "--archive-password-file", "pw", "sealed.json"], "", Asked::No));
    done(home.run(&["qr", "GitHub", "--yes", "--out", "asked"], "", Asked::File));
    fs::remove_file(home.home.path("asked")).unwrap();
    let policy = home.home.path("etc-policy.ron");
    let managed: [(&str, &OsStr); 1] = [("OTPANEL_TEST_POLICY", policy.as_os_str())];
    done(home.run_with(
        "pw",
        &["add", "-"],
        &link("Contoso").replace("&issuer", "AAAAAAAA&issuer"),
        Asked::No,
        &managed,
    ));
    refused(home.run_with("pw", &["export", "--format", "otpauth", "--yes"], "", Asked::No, &managed));
    done(home.run_with("pw", &["policy"], "", Asked::No, &managed));

    done(home.run(&["backup", "enable", "--folder", "backup"], "", Asked::No));
    done(home.run(&["backup", "now"], "", Asked::No));
    done(home.run(&["backup", "status", "--json"], "", Asked::No));
    done(home.run(&["backup", "verify"], "", Asked::No));
    done(home.run(&["backup", "devices"], "", Asked::No));
    done(home.run(&["--vault", "second.otpv", "backup", "restore", "--folder", "backup", "--yes"], "", Asked::No));
    refused(home.run_with(
        "slip",
        &["--vault", "third.otpv", "backup", "restore", "--folder", "backup", "--yes"],
        "",
        Asked::No,
        &[],
    ));

    home.home.write("new-pw", &format!("{PASSWORD} new"));
    for args in [&["vault", "info", "--json"][..], &["vault", "slots"], &["vault", "history"], &["doctor"]] {
        done(home.run(args, "", Asked::No));
    }
    let keys = kept_keys();
    done(home.run(&["lock"], "", Asked::No));
    drop(keys);
    done(home.run(&["config", "show"], "", Asked::No));
    done(home.run(&["vault", "cat", "--yes"], "", Asked::Out));
    done(home.run(&["vault", "recovery-key", "--recovery-key-file", "recovery2"], "", Asked::No));
    let copy = fs::read(home.home.vault()).unwrap();
    refused(home.run_with("slip", &["list"], "", Asked::No, &[]));
    refused(home.run_with("slip", &["vault", "cat", "--yes"], "", Asked::No, &[]));
    done(home.run(&["vault", "passwd", "--new-password-file", "new-pw"], "", Asked::No));
    done(home.run_with("new-pw", &["list"], "", Asked::No, &[]));
    // Damaged, foreign, gone.
    let mut torn = copy;
    let middle = torn.len() / 2;
    torn[middle] ^= 1;
    fs::write(home.home.vault(), &torn).unwrap();
    refused(home.run(&["list"], "", Asked::No));
    fs::write(home.home.vault(), format!("{} {PASSWORD}", secret())).unwrap();
    let (code, said) = {
        // The file itself holds the canary now, put there by the journey: only what is said is judged.
        let mut command = home.home.command(PROGRAM);
        let out = command.arg("--password-file").arg(home.home.path("pw")).arg("list").output().unwrap();
        (out.status.code().unwrap(), [out.stdout, out.stderr].concat())
    };
    assert!(code > 0 && found(&said).is_empty(), "{}", String::from_utf8_lossy(&said));
    fs::remove_file(home.home.vault()).unwrap();
    refused(home.run(&["list"], "", Asked::No));
    home.home.write(".config/otpanel/config.ron", "(kdf: (target_ms: \"many\"))");
    refused(home.run(&["list"], "", Asked::No));
    println!("{} commands, every call that carries bytes was looked at", home.commands);
}

/// Leaves the form that a paste opened.
fn leave_the_form(panel: &mut Panel) {
    panel.see("Add an account");
    panel.leave("Add an account");
}

#[test]
fn a_canary_goes_through_the_panel_and_its_end_in_a_panic_and_is_left_nowhere() {
    let home = Home::new();
    home.write(".config/otpanel/config.ron", &format!("({SETTINGS}, log: Debug, clipboard: (clear_secs: 1))"));
    home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"], "");
    home.import(&[&link("GitHub")]);
    let mut panel =
        Panel::start_with(&home, &[], &[("SSH_TTY", OsStr::new("x")), ("OTPANEL_TEST_PANIC", OsStr::new("1"))]);
    panel.see("otpanel is locked");
    panel.press(SLIP).press("\r");
    panel.see("The password is wrong");
    panel.press(PASSWORD).press("\r");
    panel.see("GitHub");
    panel.press("\r");
    panel.see("sent to the terminal");
    panel.paste(&link("Pasted"));
    leave_the_form(&mut panel);
    panel.paste(&format!("{} nonsense", secret()));
    leave_the_form(&mut panel);
    panel.press("Q");
    panel.see("secret");
    panel.leave("secret").press("e");
    panel.see("Edit an account");
    panel.leave("Edit an account").press("L");
    panel.see("otpanel is locked");
    panel.press(PASSWORD).press("\r");
    panel.see("GitHub");
    // Everything that the kernel tells of a process to others of the same user.
    let pid = panel.pid().as_raw_nonzero();
    for file in ["cmdline", "environ", "comm"] {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap();
        assert!(found(&bytes).is_empty(), "{:?} in {file}", found(&bytes));
    }
    panel.faulty = true;
    panel.press("\x1b[24~");
    let code = panel.given_back();
    assert!(code > 0 && panel.screen().contains("A mistake in otpanel itself"), "{}", panel.screen());
    // Nothing was sent to the terminal that was not asked for: no secret was ever shown in words, no password echoed.
    let raw = panel.raw();
    assert!(found(&raw).is_empty(), "{:?} went to the terminal", found(&raw));
    assert!(!raw.windows(4).any(|four| matches!(four, b"\x1b]0;" | b"\x1b]1;" | b"\x1b]2;")), "no title was set");
    let log = walk(&home.path("")).into_iter().find(|path| path.extension().is_some_and(|end| end == "log"));
    let log = fs::read_to_string(log.expect("a log was asked for")).unwrap();
    assert!(log.contains("event"), "{log}");
    for path in walk(&home.path("")).into_iter().filter(|path| path.is_file() && !path.ends_with("pw")) {
        let leaks = found(&fs::read(&path).unwrap());
        assert!(leaks.is_empty(), "{leaks:?} in {}", path.display());
    }
}
