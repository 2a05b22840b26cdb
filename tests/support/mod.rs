//! Private daemons for the tests that want the real thing: a session bus with gnome-keyring, an X server, a Wayland
//! compositor, a tmux server. Each lives in a folder of its own and dies with its guard.
//!
//! A test whose daemon is not installed prints a plain `left out: …` line and passes; with `CI=true` it fails.

#![allow(dead_code, clippy::unwrap_used, clippy::print_stdout, reason = "a toolbox of which each test takes a part")]

#[cfg(target_os = "linux")]
pub mod calls;
pub mod displays;
#[cfg(target_os = "linux")]
pub mod image;
#[cfg(target_os = "linux")]
mod kwallet;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine: it ends a hang, and is no claim. A keychain that was asked when the machine had
/// no time for it is asked again after a minute.
pub const LIMIT: Duration = Duration::from_secs(90);

/// Says that a test is left out and why; fails it where everything ought to be there.
pub fn left_out(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "left out where nothing may be: {why}");
    println!("left out: {why}");
}

/// Whether all programs are installed; where one is not, the test says so and is over.
pub fn installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| find(program).is_none()).copied().collect();
    if !missing.is_empty() {
        left_out(&format!("{} not installed", missing.join(", ")));
    }
    missing.is_empty()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Waits until `ready` is true, at most so long; tells whether it became so.
pub fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if ready() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    ready()
}

/// Held by a test that runs `otpanel lock`, which drops the kept keys of all vaults, or that wants one to stay.
pub fn kept_keys() -> std::fs::File {
    // One keyring of the kernel for the whole login session, so one lock for all that tests in it, in whatever folder.
    let guard = std::fs::File::open(std::env::temp_dir()).unwrap();
    guard.lock().unwrap();
    guard
}

/// Wraps a vault's key under its password at the lowest cost that the format allows, as an early program may have done.
pub fn weaken(vault: &Path, state_dir: &Path, password: &str) {
    use otpanel::vault::{DeviceId, KdfParams, Place};
    let place = Place::new(vault.to_owned(), state_dir.to_owned());
    let password = otpanel::secret::Secret::new(password.to_owned());
    let mut unlocked = otpanel::unlock::with_password(&place.load().unwrap(), &password).unwrap();
    let stamp = unlocked.state.next_stamp(otpanel::time::UnixTime::now(), DeviceId([7; 8]));
    otpanel::unlock::change_password(&mut unlocked, &password, KdfParams::WEAKEST, stamp).unwrap();
    place.save(&mut unlocked).unwrap();
    assert_eq!(memory_costs(vault), [8192]);
}

/// What each derivation of a vault asks for, in KiB.
pub fn memory_costs(vault: &Path) -> Vec<u32> {
    let locked = otpanel::vault::Locked::parse(std::fs::read(vault).unwrap()).unwrap();
    locked.slots().iter().filter_map(otpanel::vault::Slot::kdf).map(|kdf| kdf.memory_kib).collect()
}

/// A child that is killed and reaped with its guard.
pub struct Daemon(pub Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A command that sees none of the machine's sessions, only the given home.
pub fn private(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("XDG_RUNTIME_DIR", home.join("run")).env("XDG_DATA_HOME", home.join(".local/share"));
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// A fresh home with the folders that the daemons want.
pub fn home() -> tempfile::TempDir {
    let home = tempfile::Builder::new().prefix("otpanel-test-").tempdir().unwrap();
    for dir in ["run", ".local/share/keyrings"] {
        let dir = home.path().join(dir);
        std::fs::create_dir_all(&dir).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    home
}

/// A session bus of its own, on which nobody offers the Secret Service until [`Session::keyring`].
pub struct Session {
    pub home: tempfile::TempDir,
    pub address: String,
    keyring: Option<Daemon>,
    bus: Option<Daemon>,
    /// What the bus's daemon is started with beside its configuration.
    env: Vec<(String, String)>,
}

impl Session {
    /// Starts the bus; it can start no service by itself.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts the bus on an X server's display, with the system's services, of which the keyring's dialog is one.
    pub fn start_on(x: &displays::XServer) -> Self {
        let display = [("DISPLAY", x.display.as_str()), ("NO_AT_BRIDGE", "1")];
        Self::launch("<servicedir>/usr/share/dbus-1/services</servicedir>", &display)
    }

    /// Starts the bus with services that it can start by itself, as XML elements of its configuration.
    pub fn start_with(service_dirs: &str) -> Self {
        Self::launch(service_dirs, &[])
    }

    fn launch(service_dirs: &str, env: &[(&str, &str)]) -> Self {
        let home = home();
        let config = home.path().join("bus.conf");
        let socket = home.path().join("bus");
        std::fs::write(
            &config,
            format!(
                "<busconfig><type>session</type><listen>unix:path={}</listen>{service_dirs}<policy context=\"default\">\
                 <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>\
                 </policy></busconfig>",
                socket.display()
            ),
        )
        .unwrap();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let address = format!("unix:path={}", socket.display());
        let mut session = Self { home, address, keyring: None, bus: None, env };
        session.start_bus();
        session
    }

    /// Starts the bus, at the address where it was before.
    pub fn start_bus(&mut self) {
        let mut bus = private("dbus-daemon", self.home.path());
        bus.arg("--nofork").arg("--print-address").arg("--config-file").arg(self.home.path().join("bus.conf"));
        bus.envs(self.env.iter().map(|(name, value)| (name, value)));
        let mut bus = Daemon(bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut address = String::new();
        BufReader::new(bus.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with(&self.address), "{address}");
        self.bus = Some(bus);
    }

    /// Kills the bus, and with it whoever keeps the keyring.
    pub fn kill_bus(&mut self) {
        self.keyring = None;
        self.bus = None;
        // Killed, it leaves its socket behind, which the next one would not take.
        drop(std::fs::remove_file(self.home.path().join("bus")));
    }

    /// A command on this bus.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = private(program, self.home.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// Starts gnome-keyring: unlocked with a fresh or existing login keyring, or, without a password, as it comes.
    pub fn keyring(&mut self, password: Option<&str>) {
        let mut daemon = self.command("gnome-keyring-daemon");
        daemon.args(["--foreground", "--components=secrets"]);
        if password.is_some() {
            daemon.arg("--unlock");
        }
        let mut daemon =
            daemon.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Daemon).unwrap();
        if let Some(password) = password {
            daemon.0.stdin.as_mut().unwrap().write_all(password.as_bytes()).unwrap();
        }
        drop(daemon.0.stdin.take());
        self.keyring = Some(daemon);
        assert!(wait_until(LIMIT, || self.owned()), "gnome-keyring came up");
        if password.is_some() {
            let ready = || self.ask("ReadAlias", &["string:default"]).contains("/collection/");
            assert!(wait_until(LIMIT, ready), "gnome-keyring made its login keyring");
        }
    }

    /// Starts KeePassXC as the keychain instead, with a database that is open. It needs no screen; its files, the lock that
    /// keeps a second one from starting among them, lie in the session's home.
    pub fn keepassxc(&mut self) {
        let home = self.home.path().to_owned();
        let config = home.join(".config/keepassxc");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(
            config.join("keepassxc.ini"),
            "[General]\nConfigVersion=2\nUpdateCheckMessageShown=true\nAutoSaveAfterEveryChange=true\n\
             [GUI]\nCheckForUpdates=false\n\
             [FdoSecrets]\nEnabled=true\nShowNotification=false\nConfirmAccessItem=false\nConfirmDeleteItem=false\n",
        )
        .unwrap();
        // Which group it offers on the bus is a custom value of the database.
        std::fs::write(
            home.join("db.xml"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><KeePassFile><Meta><DatabaseName>store</DatabaseName><CustomData>\
             <Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{00112233-4455-6677-8899-aabbccddeeff}</Value></Item>\
             </CustomData></Meta><Root><Group><UUID>ABEiM0RVZneImaq7zN3u/w==</UUID><Name>Root</Name></Group></Root>\
             </KeePassFile>",
        )
        .unwrap();
        let mut import = self.command("keepassxc-cli");
        import.args(["import", "-p", "db.xml", "db.kdbx"]).current_dir(&home).stdin(Stdio::piped());
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(b"pw\npw\n").unwrap();
        assert!(import.wait().unwrap().success(), "keepassxc-cli made a database");
        let mut program = self.command("keepassxc");
        program.args(["--pw-stdin", "db.kdbx"]).current_dir(&home);
        program.env("XDG_CONFIG_HOME", home.join(".config")).env("TMPDIR", &home).env("QT_QPA_PLATFORM", "offscreen");
        let program = program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut program = program.map(Daemon).unwrap();
        program.0.stdin.take().unwrap().write_all(b"pw\n").unwrap();
        self.keyring = Some(program);
        let ready = || self.owned() && self.ask("ReadAlias", &["string:default"]).contains("/collection/");
        assert!(wait_until(LIMIT, ready), "KeePassXC came up with its database open");
    }

    /// Locks KeePassXC's database, which it does by a prompt that asks nothing.
    pub fn lock_keepassxc(&self) {
        let said = self.ask("Lock", &["array:objpath:/org/freedesktop/secrets/collection/db"]);
        let prompt = said.lines().filter_map(|line| line.split('"').nth(1)).find(|path| path.contains("/prompt/"));
        let mut ask = self.command("dbus-send");
        ask.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", prompt.expect("a prompt")]);
        output(ask.args(["org.freedesktop.Secret.Prompt.Prompt", "string:"]));
        let locked = || {
            let mut ask = self.command("dbus-send");
            ask.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets"]);
            ask.args(["/org/freedesktop/secrets/collection/db", "org.freedesktop.DBus.Properties.Get"]);
            output(ask.args(["string:org.freedesktop.Secret.Collection", "string:Locked"])).contains("boolean true")
        };
        assert!(wait_until(LIMIT, locked), "KeePassXC locked its database");
    }

    /// Whether the keychain's program still runs.
    pub fn alive(&mut self) -> bool {
        self.keyring.as_mut().is_some_and(|daemon| daemon.0.try_wait().unwrap().is_none())
    }

    /// Kills the keyring's daemon, as a crash would.
    pub fn kill_keyring(&mut self) {
        self.keyring = None;
        assert!(wait_until(LIMIT, || !self.owned()), "the name is free again");
    }

    /// Sends the keyring's daemon a signal: stopped, it takes calls and answers none.
    #[cfg(target_os = "linux")]
    pub fn signal_keyring(&self, signal: rustix::process::Signal) {
        let daemon = &self.keyring.as_ref().unwrap().0;
        rustix::process::kill_process(rustix::process::Pid::from_child(daemon), signal).unwrap();
    }

    /// Locks the default keyring.
    pub fn lock(&self) {
        self.lock_one("login");
    }

    /// Locks the keyring of that name.
    pub fn lock_one(&self, name: &str) {
        self.ask("Lock", &[&format!("array:objpath:/org/freedesktop/secrets/collection/{name}")]);
    }

    /// Makes a keyring by the door that gnome-keyring keeps for this, without a dialog.
    #[cfg(target_os = "linux")]
    pub fn make_keyring(&self, label: &str) {
        use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
        const SERVICE: &str = "org.freedesktop.secrets";
        const PATH: &str = "/org/freedesktop/secrets";
        let bus = zbus::blocking::connection::Builder::address(self.address.as_str()).unwrap().build().unwrap();
        let opened = bus
            .call_method(
                Some(SERVICE),
                PATH,
                Some("org.freedesktop.Secret.Service"),
                "OpenSession",
                &("plain", Value::from("")),
            )
            .unwrap();
        let (_, session): (OwnedValue, OwnedObjectPath) = opened.body().deserialize().unwrap();
        let named = std::collections::HashMap::from([("org.freedesktop.Secret.Collection.Label", Value::from(label))]);
        let password = (session, Vec::<u8>::new(), b"pw".to_vec(), "text/plain");
        bus.call_method(
            Some(SERVICE),
            PATH,
            Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"),
            "CreateWithMasterPassword",
            &(named, password),
        )
        .unwrap();
    }

    /// Changes an attribute of every item of a service, so many times, as a program that has nothing to do with ours; overwrites
    /// nothing.
    #[cfg(target_os = "linux")]
    pub fn count_up(&self, service: &str, times: usize) {
        use std::collections::HashMap;
        use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
        let bus = zbus::blocking::connection::Builder::address(self.address.as_str()).unwrap().build().unwrap();
        let found = bus.call_method(
            Some("org.freedesktop.secrets"),
            "/org/freedesktop/secrets",
            Some("org.freedesktop.Secret.Service"),
            "SearchItems",
            &(HashMap::from([("service", service)]),),
        );
        let (items, _): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = found.unwrap().body().deserialize().unwrap();
        assert!(!items.is_empty(), "there is an item of {service}");
        let properties = Some("org.freedesktop.DBus.Properties");
        for (item, n) in items.iter().flat_map(|item| (0..times).map(move |n| (item, n.to_string()))) {
            let about = ("org.freedesktop.Secret.Item", "Attributes");
            let got = bus.call_method(Some("org.freedesktop.secrets"), item, properties, "Get", &about).unwrap();
            let got: OwnedValue = got.body().deserialize().unwrap();
            let mut attributes: HashMap<String, String> = got.try_into().unwrap();
            attributes.insert("count".into(), n);
            let set = (about.0, about.1, Value::from(attributes));
            bus.call_method(Some("org.freedesktop.secrets"), item, properties, "Set", &set).unwrap();
        }
    }

    fn owned(&self) -> bool {
        let mut ask = self.command("dbus-send");
        ask.args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.NameHasOwner",
        ]);
        output(ask.arg("string:org.freedesktop.secrets")).contains("boolean true")
    }

    fn ask(&self, member: &str, args: &[&str]) -> String {
        let mut ask = self.command("dbus-send");
        ask.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
        output(ask.arg(format!("org.freedesktop.Secret.Service.{member}")).args(args))
    }
}

/// What a command printed, errors left out.
pub fn output(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    text
}

/// What a command printed that may never answer, errors left out: xclip waits for ever for an owner of the clipboard that ends
/// while it is asked. Such a one is ended, and asked anew.
pub fn answer(command: &mut Command) -> String {
    for _ in 0..5 {
        let asked = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut asked = asked.map(Daemon).unwrap();
        if wait_until(Duration::from_secs(10), || asked.0.try_wait().unwrap().is_some()) {
            let mut text = String::new();
            asked.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
            return text;
        }
    }
    panic!("{command:?} does not answer")
}

/// Whether this process is the second life of a test, started by [`again`] in a prepared environment.
pub fn inside() -> bool {
    std::env::var_os("OTPANEL_TEST_INSIDE").is_some()
}

/// Runs one test of this very test program again, in the environment of the command made by `command(program)`.
///
/// Variables of a running process cannot be changed safely, and the libraries read them: so a new process.
pub fn again(test: &str, command: impl FnOnce(&Path) -> Command) {
    let mut command = command(&std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env("OTPANEL_TEST_INSIDE", "1");
    if let Some(ci) = std::env::var_os("CI") {
        command.env("CI", ci);
    }
    let out = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success() && said.contains("1 passed"), "{test}, inside:\n{said}\n{complained}");
}
