//! A Windows machine for one test: a wine prefix of its own, with a registry, a Credential Manager and homes of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::home::{PASSWORD, Ran, finish};
use crate::support::{installed, left_out, private};

/// A machine, ended with its guard.
pub struct Machine {
    folder: tempfile::TempDir,
    program: PathBuf,
    display: Option<String>,
}

/// Somebody's places on a machine: those that Windows names, or a folder of their own by the XDG variables.
pub struct Home<'a> {
    machine: &'a Machine,
    folder: Option<&'static str>,
}

/// The program that `tests/run` built for Windows. Where it is not, the test says so and is over.
fn program() -> Option<PathBuf> {
    let Some(program) = std::env::var_os("OTPANEL_TEST_WINDOWS") else {
        left_out("no Windows program was built (tests/run builds it)");
        return None;
    };
    installed(&["wine", "wineserver"]).then(|| program.into())
}

/// A command in a prefix.
fn wine(prefix: &Path, program: &str) -> Command {
    let mut command = private(program, prefix.parent().expect("a folder above"));
    command.env("WINEPREFIX", prefix).env("WINEARCH", "win64").env("WINEDEBUG", "-all");
    // No web browser, no .NET, no menus of the desktop.
    command.env("WINEDLLOVERRIDES", "mscoree,mshtml,winemenubuilder.exe=");
    command.env_remove("XDG_DATA_HOME").env_remove("XDG_RUNTIME_DIR");
    command
}

fn quietly(command: &mut Command) {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
}

/// A prefix as wine makes it, once for all tests and runs: it takes seconds.
fn template() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let made = all.join("wine");
        if !made.exists() {
            let new = tempfile::tempdir_in(all).expect("a folder");
            let prefix = new.path().join("prefix");
            quietly(wine(&prefix, "wine").args(["wineboot", "--init"]));
            quietly(wine(&prefix, "wineserver").arg("-w"));
            assert!(prefix.join("user.reg").exists(), "wine made a prefix");
            // Another run may have been quicker.
            let _ = fs::rename(&prefix, &made);
        }
        made
    })
}

impl Machine {
    /// A machine without a display, or with one; none where wine or the program is missing.
    pub fn start(display: Option<&str>) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::Builder::new().prefix("otpanel-test-").tempdir().expect("a folder");
        let machine = Self { folder, program, display: display.map(str::to_owned) };
        // Programs of Windows are linked, not copied; the registry is the machine's own.
        let copied = Command::new("cp").arg("-al").arg(template()).arg(machine.prefix()).status().expect("it starts");
        assert!(copied.success());
        for name in ["system.reg", "user.reg", "userdef.reg"] {
            let own = machine.prefix().join(name);
            let bytes = fs::read(&own).expect("a registry");
            fs::remove_file(&own).expect("unlinked");
            fs::write(&own, bytes).expect("written");
        }
        // They stay until the guard ends them, and hold none of our pipes: what the first program starts keeps its own.
        quietly(machine.wine("wineserver").arg("-p"));
        quietly(machine.wine("wine").arg("wineboot"));
        Some(machine)
    }

    fn prefix(&self) -> PathBuf {
        self.folder.path().join("prefix")
    }

    /// A command of wine's on this machine.
    fn wine(&self, program: &str) -> Command {
        let mut command = wine(&self.prefix(), program);
        command.envs(self.display.as_ref().map(|display| ("DISPLAY", display)));
        command
    }

    /// Writes the policy into the machine's registry as an administrator does.
    pub fn policy(&self, kind: &str, text: &str) {
        let value = ["add", r"HKLM\SOFTWARE\Policies\otpanel", "/f", "/v", "policy", "/t", kind, "/d", text];
        let added = self.wine("wine").arg("reg").args(value).stdout(Stdio::null()).status().expect("it starts");
        assert!(added.success(), "{kind} {text}");
    }

    /// The place of a path of drive C: in the machine's folder.
    pub fn place(&self, path: &str) -> PathBuf {
        let below = path.strip_prefix(r"C:\").expect("a path on drive C:");
        self.prefix().join("drive_c").join(below.replace('\\', "/"))
    }

    /// The home that Windows names, with a vault that the password opens and no backup.
    pub fn home_with_vault(&self) -> Home<'_> {
        let home = self.home();
        home.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", r"C:\recovery"]).ok();
        home
    }

    /// The home that Windows names.
    pub fn home(&self) -> Home<'_> {
        self.prepared(None)
    }

    /// Another home, in a folder of drive C:.
    pub fn other_home(&self, folder: &'static str) -> Home<'_> {
        self.prepared(Some(folder))
    }

    fn prepared(&self, folder: Option<&'static str>) -> Home<'_> {
        let home = Home { machine: self, folder };
        fs::write(self.place(r"C:\pw"), PASSWORD).expect("written");
        let config = self.place(home.run(&["config", "path"]).ok().trim());
        fs::create_dir_all(config.parent().expect("a folder")).expect("made");
        fs::write(config, "(kdf: (target_ms: 50), clipboard: (clear_secs: 20))").expect("written");
        home
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        quietly(self.wine("wineserver").arg("-k"));
        quietly(self.wine("wineserver").arg("-w"));
    }
}

impl Home<'_> {
    /// The command before it runs, without a password.
    pub fn bare(&self, args: &[&str]) -> Command {
        let mut command = self.machine.wine("wine");
        command.arg(&self.machine.program).args(args).current_dir(self.machine.place(r"C:\"));
        for (variable, name) in [("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")]
        {
            if let Some(folder) = self.folder {
                command.env(variable, format!(r"{folder}\{name}"));
            }
        }
        command
    }

    /// Runs a command; the password of the vault lies in a file.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs a command with something on standard input.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        finish(&mut self.bare(&[&["--password-file", r"C:\pw"], args].concat()), stdin.as_bytes())
    }

    /// Runs a command with the keychain alone to open the vault.
    pub fn by_keychain(&self, args: &[&str]) -> Ran {
        finish(&mut self.bare(args), b"")
    }

    /// The accounts of `list --json`, sorted.
    pub fn accounts(&self) -> Vec<String> {
        let rows = self.run(&["list", "--json"]).json();
        let rows = rows.as_array().expect("an array").iter();
        let mut names: Vec<String> = rows.map(|row| row["account"].as_str().expect("text").to_owned()).collect();
        names.sort();
        names
    }
}
