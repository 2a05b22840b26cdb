//! Questions on a real terminal: a password that is typed, a preview that is agreed to, a removal that is refused.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::termios::{LocalModes, tcgetattr};

use crate::home::{Home, PASSWORD, link};

/// How long anything may take on a busy machine: it ends a hang, and is no claim.
const LIMIT: Duration = Duration::from_secs(60);

/// A command on a terminal of its own.
struct Talk {
    tty: Option<File>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    text: Receiver<String>,
    /// All that was printed so far.
    seen: String,
    /// Where the part that no question was found in yet begins.
    read: usize,
}

impl Talk {
    fn start(home: &Home, args: &[&str]) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 })
            .expect("a terminal");
        let mut command = CommandBuilder::new(assert_cmd::cargo::cargo_bin!("otpanel"));
        command.env_clear();
        for (name, value) in
            [("HOME", home.root().as_os_str()), ("OTPANEL_VAULT", home.vault().as_os_str()), ("TERM", "xterm".as_ref())]
        {
            command.env(name, value);
        }
        command.args(args);
        command.cwd(home.root());
        // Never as the test's own terminal, which it would become where the test leads a session.
        let noctty = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
        let name = pair.master.tty_name().expect("a name");
        let tty = File::options().read(true).custom_flags(noctty).open(name).expect("the terminal");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let keys = pair.master.take_writer().expect("a writer");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (say, text) = channel();
        std::thread::spawn(move || {
            // The terminal lives as long as it is read.
            let _master = pair.master;
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if say.send(String::from_utf8_lossy(&buffer[..n]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { tty: Some(tty), child, keys, text, seen: String::new(), read: 0 }
    }

    /// Waits for a question and answers it with a line that the terminal does not show: the echo is switched off a moment after
    /// the question stands there.
    fn secret(self, question: &str, line: &str) -> Self {
        let mut talk = self.asked(question);
        let end = Instant::now() + LIMIT;
        let echo = |tty: &Option<File>| tcgetattr(tty.as_ref().expect("open")).expect("modes").local_modes;
        while echo(&talk.tty).contains(LocalModes::ECHO) {
            assert!(Instant::now() < end, "`{question}` shows what is typed: {}", talk.seen);
            std::thread::sleep(Duration::from_millis(5));
        }
        writeln!(talk.keys, "{line}").expect("typed");
        talk
    }

    /// Waits for a question and answers it with a line.
    fn answer(self, question: &str, line: &str) -> Self {
        let mut talk = self.asked(question);
        writeln!(talk.keys, "{line}").expect("typed");
        talk
    }

    /// Waits for a text.
    fn asked(mut self, question: &str) -> Self {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(at) = self.seen[self.read..].find(question) {
                self.read += at + question.len();
                break;
            }
            let left = end.saturating_duration_since(Instant::now());
            let more = self.text.recv_timeout(left);
            self.seen += &more.unwrap_or_else(|_| panic!("`{question}` was never asked in: {}", self.seen));
        }
        self
    }

    /// Waits for the end; gives the exit code and all that was shown.
    fn end(mut self) -> (u32, String) {
        let code = self.child.wait().expect("it ends").exit_code();
        // The last hold on the terminal, whose reader hears of the end.
        self.tty = None;
        while let Ok(more) = self.text.recv_timeout(LIMIT) {
            self.seen += &more;
        }
        (code, self.seen)
    }
}

#[test]
fn a_password_is_asked_for_again_and_never_shown() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    let (code, seen) = Talk::start(&home, &["list"]).secret("Password", "wrong one").secret("Password", PASSWORD).end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("octo") && seen.contains("The password is wrong"), "{seen}");
    assert!(!seen.contains(PASSWORD) && !seen.contains("wrong one"), "{seen}");
}

#[test]
fn three_wrong_passwords_are_the_end() {
    let home = Home::with_vault();
    let talk = Talk::start(&home, &["list"]);
    let (code, seen) = talk.secret("Password", "a").secret("Password", "b").secret("Password", "c").end();
    assert_eq!(code, 4, "{seen}");
}

#[test]
fn an_import_shows_what_it_would_do_and_asks() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    let bad = "otpauth://totp/Bad:x?secret=GEZDGNBV&period=0";
    home.write(
        "list.txt",
        [link("GitHub", "octo", 1), link("GitHub", "renamed", 1), link("New", "n", 2), bad.into()].join("\n"),
    );
    let args = ["--password-file", "recovery", "import", "list.txt"];
    let (code, seen) = Talk::start(&home, &args).answer("Import 2 accounts?", "n").end();
    assert_eq!(code, 1, "{seen}");
    let words = |line: &str| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = seen.lines().map(words).collect();
    for line in ["here GitHub octo", "differs GitHub renamed", "new New n", "cannot Bad (x)"] {
        assert!(lines.iter().any(|l| l == line), "`{line}` is missing in: {seen}");
    }
    assert_eq!(home.accounts(), ["octo"]);
    let (code, seen) = Talk::start(&home, &args).answer("Import 2 accounts?", "").end();
    assert_eq!(code, 0, "{seen}");
    assert_eq!(home.accounts(), ["n", "octo", "renamed"]);
}

#[test]
fn removing_asks_and_names_the_account() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    let args = ["--password-file", "recovery", "rm", "octo"];
    let (code, seen) = Talk::start(&home, &args).answer("Move GitHub (octo) to the trash?", "").end();
    assert_eq!(code, 1, "Enter alone keeps it: {seen}");
    assert_eq!(home.accounts(), ["octo"]);
    Talk::start(&home, &args).answer("Move GitHub (octo) to the trash?", "y").end();
    assert_eq!(home.accounts(), Vec::<String>::new());
}

#[test]
fn a_vault_is_made_by_answering_and_its_recovery_key_is_checked() {
    let home = Home::new();
    let mut talk = Talk::start(&home, &["init"])
        .answer("Type 1, 2 or 3", "3")
        .secret("New password", "short")
        .secret("New password", "the first one")
        .secret("Once more", "the second one")
        .secret("New password", PASSWORD)
        .secret("Once more", PASSWORD)
        .answer("type its last group", "zzzz");
    let key = talk.seen.lines().find(|l| l.trim_start().starts_with("otpanel1")).expect("the key").trim().to_owned();
    let last = key.split(' ').next_back().expect("groups").to_owned();
    talk = talk.answer("type its last group", &last);
    let (code, seen) = talk.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("look again") && seen.contains("Right."), "{seen}");
    home.write("key", key);
    let mut command = home.bare();
    command.args(["--password-file", "key", "list"]);
    crate::home::finish(&mut command, b"").ok();
}

#[test]
fn a_new_recovery_key_is_asked_for_and_counts_once_it_was_checked() {
    let home = Home::with_vault();
    let args = ["--password-file", "recovery", "vault", "recovery-key"];
    let before = std::fs::read(home.vault()).expect("the vault");
    let (code, seen) = Talk::start(&home, &args).answer("Make a new one?", "").end();
    assert_eq!((code, std::fs::read(home.vault()).expect("the vault")), (1, before.clone()), "{seen}");
    // Ctrl-C while it is shown: the one of before goes on.
    let (code, seen) = Talk::start(&home, &args).answer("Make a new one?", "y").answer("its last group", "\u{3}").end();
    assert_ne!(code, 0, "{seen}");
    assert_eq!(std::fs::read(home.vault()).expect("the vault"), before);
    let (code, seen) = Talk::start(&home, &args).answer("Make a new one?", "y").answer("its last group", "").end();
    assert_eq!(code, 0, "{seen}");
    assert_ne!(std::fs::read(home.vault()).expect("the vault"), before);
}

#[test]
fn a_secret_that_is_typed_is_not_shown() {
    let home = Home::with_vault();
    let (code, seen) = Talk::start(&home, &["--password-file", "recovery", "add"])
        .secret("Link or secret", &crate::home::secret(4))
        .answer("Site or service", "Shop")
        .answer("Your name there", "ada")
        .end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains(&crate::home::secret(4)), "{seen}");
    assert_eq!(home.list()[0]["issuer"], "Shop");
}
