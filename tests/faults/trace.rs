//! Runs the program under strace: to listen to its calls, and to spoil one of them.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::errors;
use crate::world::{Op, World};

/// One call of a save to the file system.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: String,
    /// Which of the program's calls of that name it is, from 1.
    pub nth: usize,
    /// What it is about, for messages.
    pub about: String,
}

/// What is done to a call.
pub struct Fault {
    call: Call,
    errno: Option<&'static str>,
    /// To this call and all later ones of its name.
    lasting: bool,
}

impl Fault {
    pub fn kill(call: &Call) -> Self {
        Self { call: call.clone(), errno: None, lasting: false }
    }

    pub fn error(call: &Call, errno: &'static str, lasting: bool) -> Self {
        Self { call: call.clone(), errno: Some(errno), lasting }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { name, nth, about } = &self.call;
        let lasting = if self.lasting { " and after" } else { "" };
        write!(f, "{} at {name} {nth}{lasting} ({about})", self.errno.unwrap_or("SIGKILL"))
    }
}

/// How a run ended.
pub struct Ended {
    /// None: killed.
    pub code: Option<i32>,
    pub said: String,
    pub err: String,
    pub log: String,
    /// The fault came about.
    pub hit: bool,
}

fn strace(world: &World, op: &Op, options: &[&str]) -> Ended {
    let log = world.outside("strace.log");
    let mut command = Command::new("strace");
    command.args(["-qq", "-f", "-y", "-o"]).arg(&log).args(options);
    command.arg(assert_cmd::cargo::cargo_bin!("otpanel"));
    command.args(["--password-file", op.key]).args(op.args).current_dir(world.root());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", world.root());
    command.env("XDG_RUNTIME_DIR", world.root()).env("LC_ALL", "C.UTF-8").env("OTPANEL_VAULT", world.vault());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("strace starts");
    let mut stdin = child.stdin.take().unwrap();
    drop(stdin.write_all(op.stdin.as_bytes()));
    drop(stdin);
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        drop(out.read_to_string(&mut said));
        said
    });
    let mut complained = Vec::new();
    drop(err.read_to_end(&mut complained));
    let said = reader.join().unwrap();
    let began = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < crate::PATIENCE, "{} hangs", op.name);
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    let err = String::from_utf8_lossy(&complained).into_owned();
    let log = fs::read_to_string(&log).unwrap_or_default();
    // strace ends by the signal that its program died of.
    Ended { code: status.code(), said: format!("{said}{err}"), err, log, hit: false }
}

/// Listens to a run in which nothing is spoiled, with all that is written.
pub fn record(world: &World, op: &Op) -> Ended {
    strace(world, op, &["-xx", "-s", "10000000", "-e", &format!("trace={}", errors::CALLS)])
}

/// Spoils one call.
pub fn inject(world: &World, op: &Op, fault: &Fault) -> Ended {
    let name = &fault.call.name;
    let what = fault.errno.map_or_else(|| "signal=KILL".to_owned(), |errno| format!("error={errno}"));
    let plus = if fault.lasting { "+" } else { "" };
    let inject = format!("inject={name}:{what}:when={}{plus}", fault.call.nth);
    // Not with --seccomp-bpf: signals would not be sent.
    let mut ended = strace(world, op, &["-e", &format!("trace={name}"), "-e", &inject]);
    ended.hit = match fault.errno {
        None => ended.code.is_none(),
        Some(_) => ended.log.lines().any(|line| line.contains("(INJECTED)") && is_ours(line, world.root())),
    };
    ended
}

fn is_ours(line: &str, root: &Path) -> bool {
    let root = root.display();
    line.contains(&format!("{root}/data"))
        || line.contains(&format!("{root}/.local"))
        || line.contains(&format!("{root}/new.rec"))
}

/// The calls of a run that touch the vault's folder or the state folder.
pub fn window(log: &str, root: &Path) -> Vec<Call> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut calls = Vec::new();
    let first = log.split_whitespace().next().unwrap_or_default().to_owned();
    for line in log.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let (Some((name, _)), true) = (rest.trim_start().split_once('('), pid == first) else { continue };
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        let plain = unhex(line);
        if is_ours(&plain, root) {
            let about = plain.replace(&root.display().to_string(), "").chars().skip(pid.len()).take(120).collect();
            calls.push(Call { name: name.to_owned(), nth: *count, about });
        }
    }
    calls
}

/// Turns the `\x2f` of strace into letters, so far as they are such.
pub fn unhex(line: &str) -> String {
    let mut out = String::with_capacity(line.len() / 2);
    let mut rest = line;
    while let Some(at) = rest.find("\\x") {
        out.push_str(&rest[..at]);
        match rest.get(at + 2..at + 4).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if (0x20..0x7f).contains(&byte) => out.push(char::from(byte)),
            _ => out.push('.'),
        }
        rest = &rest[(at + 4).min(rest.len())..];
    }
    out.push_str(rest);
    out
}
