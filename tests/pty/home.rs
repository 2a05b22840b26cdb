//! A private home for one journey: HOME and the XDG places in a folder of its own, cheap key derivation, a vault from a
//! template that is made once.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support;

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_otpanel");
/// What opens the vaults of these journeys.
pub const PASSWORD: &str = "correct horse battery 42";
/// The settings of these journeys, without the brackets: the cheapest key derivation that is allowed.
pub const SETTINGS: &str = "kdf: (target_ms: 50)";
/// The secret of GitHub in the template.
pub const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// A home; the folder goes with it unless it is somebody else's.
pub struct Home {
    dir: PathBuf,
    _own: Option<TempDir>,
}

impl Home {
    /// A home without a vault.
    pub fn new() -> Self {
        let own = support::home();
        Self { dir: own.path().to_owned(), _own: Some(own) }.furnished()
    }

    /// The same in a folder that somebody else (a bus, a tmux server) owns.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), _own: None }.furnished()
    }

    fn furnished(self) -> Self {
        fs::create_dir_all(self.path(".config/otpanel")).unwrap();
        self.settings("");
        self.write("pw", PASSWORD);
        self
    }

    /// A home with a vault of two accounts, GitHub and GitLab, that [`PASSWORD`] opens.
    pub fn with_vault() -> Self {
        let home = Self::new();
        home.put_vault();
        home
    }

    /// Puts the template's vault in its place.
    pub fn put_vault(&self) {
        static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
        let bytes = TEMPLATE.get_or_init(|| {
            let home = Self::new();
            let init = ["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"];
            home.run(&init, "");
            home.import(&[&link("GitHub", "octo@example.com", SECRET), &link("GitLab", "ada", &secret('C'))]);
            fs::read(home.vault()).unwrap()
        });
        fs::create_dir_all(self.vault().parent().unwrap()).unwrap();
        fs::write(self.vault(), bytes).unwrap();
    }

    /// Writes the config: [`SETTINGS`] and more.
    pub fn settings(&self, more: &str) {
        self.write(".config/otpanel/config.ron", &format!("({SETTINGS}, {more})"));
    }

    /// A place in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The vault, where it lies without any option.
    pub fn vault(&self) -> PathBuf {
        self.path(".local/share/otpanel/vault.otpv")
    }

    /// Writes a file in the home.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// What the program sees of the world, beside what a journey adds.
    pub fn env(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        vec![
            ("HOME", self.dir.clone().into()),
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("XDG_RUNTIME_DIR", self.path("run").into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("RUST_BACKTRACE", "0".into()),
        ]
    }

    /// A command in this home.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.env()).current_dir(&self.dir).stdin(Stdio::null());
        command
    }

    /// Runs the program with the password on the side, and a text on its input; gives what it answers.
    #[track_caller]
    pub fn run(&self, args: &[&str], stdin: &str) -> String {
        self.run_with(args, stdin, &[])
    }

    /// The same with more variables.
    #[track_caller]
    pub fn run_with(&self, args: &[&str], stdin: &str, env: &[(&str, &OsStr)]) -> String {
        let mut command = self.command(PROGRAM);
        command.envs(env.iter().copied());
        command.arg("--password-file").arg(self.path("pw")).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// Imports links into the vault.
    #[track_caller]
    pub fn import(&self, links: &[&str]) {
        self.run(&["import", "--yes", "-"], &links.join("\n"));
    }

    /// The bytes of this home's vault with one more account in it; the vault itself stays as it is.
    pub fn vault_with(&self, link: &str) -> Vec<u8> {
        let other = self.path("other.otpv");
        fs::copy(self.vault(), &other).unwrap();
        self.run(&["--vault", other.to_str().unwrap(), "import", "--yes", "-"], link);
        let bytes = fs::read(&other).unwrap();
        fs::remove_file(&other).unwrap();
        bytes
    }
}

/// A link of an account.
pub fn link(issuer: &str, account: &str, secret: &str) -> String {
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}")
}

/// A secret of 20 bytes.
pub fn secret(letter: char) -> String {
    letter.to_string().repeat(31) + "A"
}

/// What oathtool says is the code of a secret now, in groups as the panel shows it.
pub fn oathtool(secret: &str) -> String {
    let code = support::output(Command::new("oathtool").args(["--totp", "--base32", secret]));
    let code = code.trim();
    format!("{} {}", &code[..3], &code[3..])
}
