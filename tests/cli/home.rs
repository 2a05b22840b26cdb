//! A private home for one test: HOME and the XDG places in a temporary folder, no session bus, cheap key derivation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};

use otpanel::vault::{Key, Place, State, recovery};
use serde_json::Value;
use tempfile::TempDir;

/// What opens the vaults of these tests.
pub const PASSWORD: &str = "correct horse battery 42";

/// A home, a password file, and a place for a vault.
pub struct Home {
    dir: TempDir,
    key: &'static str,
}

/// A vault and its recovery key, made once: deriving a key from a password takes a third of a second each time.
fn template() -> &'static (Vec<u8>, Vec<u8>) {
    static MADE: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let home = Home::new();
        home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"]).ok();
        (fs::read(home.vault()).expect("a vault"), fs::read(home.path("recovery")).expect("a key"))
    })
}

/// What a command printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Asserts success and gives stdout.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "stderr: {}", self.err);
        self.out
    }

    /// Asserts an exit code, an empty stdout and three paragraphs on stderr; gives stderr.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        assert_eq!(self.out, "", "stdout carries only answers");
        for part in ["otpanel: ", "  why: ", "   do: "] {
            assert!(self.err.contains(part), "`{part}` is missing in: {}", self.err);
        }
        self.err
    }

    /// Asserts success and reads stdout as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e} in {out}"))
    }
}

impl Home {
    /// A home without a vault. Its config asks for the cheapest key derivation that is allowed.
    pub fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().expect("a temporary folder"), key: "pw" };
        home.write("pw", PASSWORD);
        fs::create_dir_all(home.path(".config/otpanel")).expect("a folder");
        home.write(".config/otpanel/config.ron", "(kdf: (target_ms: 50))");
        home
    }

    /// A home with a vault. Its password is [`PASSWORD`]; the commands open it by the recovery key, which is quick.
    pub fn with_vault() -> Self {
        let (vault, key) = template();
        let mut home = Self::new();
        home.write("vault.otpv", vault);
        home.write("recovery", key);
        home.key = "recovery";
        home
    }

    /// The same, opened by the password from here on.
    pub fn by_password(mut self) -> Self {
        self.key = "pw";
        self
    }

    /// A place in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The home itself.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// The vault file.
    pub fn vault(&self) -> PathBuf {
        self.path("vault.otpv")
    }

    /// Writes a file in the home.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("the home can be written");
    }

    /// Changes the vault in a way that no command does.
    pub fn craft(&self, change: impl FnOnce(&mut State)) {
        let place = Place::new(self.vault(), self.path("elsewhere"));
        let key = fs::read_to_string(self.path("recovery")).expect("a recovery key");
        let key = recovery::read(key.trim()).expect("a recovery key");
        let mut open = place.load().expect("a vault").open(&Key::Recovery(&key)).unwrap_or_else(|e| panic!("{e}"));
        change(Arc::make_mut(&mut open.state));
        place.save(&mut open).expect("it is saved");
    }

    /// The command before it runs: no password, a clean environment.
    pub fn bare(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("otpanel"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root())
            .env("XDG_RUNTIME_DIR", self.root())
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env("OTPANEL_VAULT", self.vault())
            .current_dir(self.root())
            .stdin(Stdio::null());
        command
    }

    /// The command with what opens the vault.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare();
        command.arg("--password-file").arg(self.path(self.key)).args(args);
        command
    }

    /// Runs with what opens the vault.
    pub fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args), b"")
    }

    /// Runs with what opens the vault and something on stdin.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        finish(&mut self.command(args), stdin.as_bytes())
    }

    /// Imports links.
    pub fn import(&self, links: &[&str]) {
        self.run_with(&["import", "-"], &links.join("\n")).ok();
    }

    /// `list --json`.
    pub fn list(&self) -> Vec<Value> {
        let Value::Array(rows) = self.run(&["list", "--json"]).json() else { panic!("an array") };
        rows
    }

    /// The accounts of `list --json`, sorted.
    pub fn accounts(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.list().iter().map(|row| row["account"].as_str().expect("text").to_owned()).collect();
        names.sort();
        names
    }
}

/// Runs a command to its end.
pub fn finish(command: &mut Command, stdin: &[u8]) -> Ran {
    use std::io::Write as _;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let _ = pipe.write_all(stdin);
    drop(pipe);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the program ends");
    let ran = Ran {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8(stdout).expect("UTF-8"),
        err: String::from_utf8(stderr).expect("UTF-8"),
    };
    assert!(!ran.err.contains("panicked at"), "{}", ran.err);
    ran
}

/// A link with a 20-byte secret of its own: the letter of `n` repeated.
pub fn link(issuer: &str, account: &str, n: u8) -> String {
    format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", secret(n))
}

/// The secret of [`link`]: 32 characters of base32.
pub fn secret(n: u8) -> String {
    char::from(b'A' + n % 26).to_string().repeat(31) + "A"
}

/// Runs a command that can write no byte to any file: as on a full disk, for every user and everywhere.
#[cfg(unix)]
pub fn without_room(home: &Home, args: &str, stdin: &str) -> Ran {
    limited(home, "-f 0", args, stdin)
}

/// Runs a command under a limit of the shell's.
#[cfg(unix)]
pub fn limited(home: &Home, limit: &str, args: &str, stdin: &str) -> Ran {
    let mut command = Command::new("sh");
    command
        .env_clear()
        .env("HOME", home.root())
        .env("OTPANEL_VAULT", home.vault())
        .env("BIN", assert_cmd::cargo::cargo_bin!("otpanel"))
        .args(["-c", &format!("ulimit {limit}; exec \"$BIN\" --password-file recovery {args}")])
        .current_dir(home.root());
    finish(&mut command, stdin.as_bytes())
}
