//! What is called at the Secret Service of a session bus while something is done: all of it, however slow the machine is.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use super::{Daemon, LIMIT, output};

/// A call that means nothing to anybody: what the monitor has not said by then it will not say.
const MARK: &str = "org.freedesktop.Secret.Service.OtpanelTestMark";

/// What dbus-monitor says of the calls while `act` runs. `command` makes a command on the bus.
pub fn calls(command: impl Fn(&str) -> Command, act: impl FnOnce()) -> String {
    let mut monitor = command("dbus-monitor");
    monitor.args(["--session", "type='method_call',destination='org.freedesktop.secrets'"]);
    let mut monitor = Daemon(monitor.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let (say, said) = channel();
    let out = BufReader::new(monitor.0.stdout.take().unwrap());
    thread::spawn(move || out.lines().map_while(Result::ok).all(|line| say.send(line).is_ok()));
    let until = |end: &str| {
        let mut heard = String::new();
        loop {
            let line = said.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("no {end} after:\n{heard}"));
            if line.contains(end) {
                return heard;
            }
            heard.push_str(&line);
            heard.push('\n');
        }
    };
    // The bus takes its name away from whoever becomes a monitor.
    until("member=NameLost");
    act();
    let mut mark = command("dbus-send");
    mark.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets", MARK]);
    output(&mut mark);
    until("member=OtpanelTestMark")
}
