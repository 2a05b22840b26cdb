//! Copying against real clipboards: an X server, a Wayland compositor, tmux.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use otpanel::runtime::clipboard::{
    Cleared, Clipboard, Copied, Method, Report, Surroundings, Way, copy_once, read_image, spawn_holder,
};
use otpanel::secret::Secret;
use support::displays::{Compositor, Tmux, XServer};
use support::{LIMIT, again, answer, inside, installed, wait_until};

const HINT: &str = "x-kde-passwordManagerHint";

fn started() -> (Clipboard, Receiver<Report>) {
    let (say, said) = channel();
    (Clipboard::start(Surroundings::here(), move |report| drop(say.send(report))), said)
}

fn copied(said: &Receiver<Report>) -> Copied {
    match said.recv_timeout(LIMIT).unwrap() {
        Report::Copied(copied) => copied,
        Report::Failed(error) => panic!("{error}"),
        _ => panic!("another report"),
    }
}

fn cleared(said: &Receiver<Report>) -> Cleared {
    match said.recv_timeout(LIMIT).unwrap() {
        Report::Cleared(cleared) => cleared,
        Report::Failed(error) => panic!("{error}"),
        _ => panic!("another report"),
    }
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// The programs by which another user of the clipboard reads and writes.
struct Other {
    paste: &'static [&'static str],
    kinds: &'static [&'static str],
    copy: &'static [&'static str],
}

const ON_X: Other = Other {
    paste: &["xclip", "-selection", "clipboard", "-o"],
    kinds: &["xclip", "-selection", "clipboard", "-o", "-t", "TARGETS"],
    copy: &["xclip", "-selection", "clipboard", "-i"],
};

const ON_WAYLAND: Other =
    Other { paste: &["wl-paste", "--no-newline"], kinds: &["wl-paste", "--list-types"], copy: &["wl-copy"] };

impl Other {
    fn run(words: &[&str]) -> String {
        answer(Command::new(words[0]).args(&words[1..]))
    }

    fn paste(&self) -> String {
        Self::run(self.paste)
    }

    fn copy(&self, text: &str) {
        let mut copy = Command::new(self.copy[0]);
        copy.args(&self.copy[1..]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut copy = copy.spawn().unwrap();
        copy.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        copy.wait().unwrap();
        assert!(wait_until(LIMIT, || self.paste() == text));
    }
}

/// Everything that holds on any window system.
fn native(other: &Other) {
    let (mut clipboard, said) = started();
    clipboard.copy(secret("123456"), 0, &Method::Auto);
    assert_eq!(copied(&said), Copied { ways: vec![Way::Native] });
    assert_eq!(other.paste(), "123456");
    assert!(Other::run(other.kinds).contains(HINT), "{}", Other::run(other.kinds));

    clipboard.clear_now();
    assert_eq!(cleared(&said), Cleared::Gone);
    assert_eq!(other.paste(), "");

    // Long enough to look at it, however busy the machine is.
    clipboard.copy(secret("234567"), 5, &Method::Native);
    copied(&said);
    assert_eq!(other.paste(), "234567");
    assert_eq!(cleared(&said), Cleared::Gone, "by time");
    assert_eq!(other.paste(), "");

    clipboard.copy(secret("345678"), 5, &Method::Native);
    copied(&said);
    other.copy("somebody else's");
    assert_eq!(cleared(&said), Cleared::NotOurs);
    assert_eq!(other.paste(), "somebody else's");

    clipboard.copy(secret("456789"), 60, &Method::Native);
    copied(&said);
    assert!(clipboard.finish(LIMIT).is_empty());
    assert_eq!(other.paste(), "", "cleared on exit");
}

/// A holder keeps what a command copied that has ended, for its time only.
fn held(other: &Other) {
    let program = Path::new(env!("CARGO_BIN_EXE_otpanel"));
    let start = Instant::now();
    let copied = spawn_holder(program, &secret("123456"), 8, &[Way::Native]).unwrap();
    assert_eq!(copied, Copied { ways: vec![Way::Native] });
    assert_eq!(other.paste(), "123456");
    assert!(Other::run(other.kinds).contains(HINT));
    assert!(!argv_of_all().contains("123456"), "the text is in no argument");
    assert!(wait_until(LIMIT, || other.paste().is_empty()));
    assert!(start.elapsed() >= Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(wait_until(LIMIT, || !argv_of_all().contains("--hold-clipboard")), "it has ended");

    spawn_holder(program, &secret("234567"), 5, &[Way::Native]).unwrap();
    other.copy("somebody else's");
    assert!(wait_until(LIMIT, || !argv_of_all().contains("--hold-clipboard")));
    assert_eq!(other.paste(), "somebody else's");
}

/// The command lines of all living processes on this display.
fn argv_of_all() -> String {
    let here = |pid: &Path| {
        let environment = std::fs::read(pid.join("environ")).unwrap_or_default();
        let home = format!("HOME={}", std::env::var("HOME").unwrap());
        environment.split(|byte| *byte == 0).any(|variable| variable == home.as_bytes())
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).filter(|pid| here(pid));
    all.filter_map(|pid| std::fs::read(pid.join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " ") + "\n")
        .collect()
}

#[test]
fn on_x11_a_copy_is_hinted_cleared_and_held() {
    if !inside() {
        if installed(&["Xvfb", "xclip"]) {
            let (server, home) = (XServer::start(), support::home());
            again("on_x11_a_copy_is_hinted_cleared_and_held", |exe| server.command(exe, home.path()));
        }
        return;
    }
    native(&ON_X);
    held(&ON_X);
}

#[test]
fn on_wayland_a_copy_is_hinted_cleared_and_held() {
    if !inside() {
        if installed(&["sway", "setpriv", "wl-paste", "wl-copy"]) {
            match Compositor::start() {
                Some(compositor) => {
                    again("on_wayland_a_copy_is_hinted_cleared_and_held", |exe| compositor.command(exe));
                }
                None => support::left_out("sway does not come up here"),
            }
        }
        return;
    }
    native(&ON_WAYLAND);
    held(&ON_WAYLAND);
}

#[test]
fn a_picture_in_the_clipboard_is_read() {
    if !inside() {
        if installed(&["Xvfb", "xclip"]) {
            let (server, home) = (XServer::start(), support::home());
            again("a_picture_in_the_clipboard_is_read", |exe| server.command(exe, home.path()));
        }
        return;
    }
    // Two pixels, red and green, as a PNG made by hand: no encoder is at hand here.
    let png = data_encoding::BASE64
        .decode(b"iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP4z8DA8J8BAAf/Af8Bf4mnAAAAAElFTkSuQmCC")
        .unwrap();
    let mut copy = Command::new("xclip");
    copy.args(["-selection", "clipboard", "-t", "image/png", "-i"]).stdin(Stdio::piped());
    let mut copy = copy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    copy.stdin.take().unwrap().write_all(&png).unwrap();
    copy.wait().unwrap();
    // It goes on in the background, and may not have taken the clipboard yet.
    let until = Instant::now() + LIMIT;
    let picture = loop {
        match read_image() {
            Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            read => break read.unwrap(),
        }
    };
    assert_eq!((picture.width, picture.height), (2, 1));
    assert_eq!(picture.rgba.expose()[..], [255, 0, 0, 255, 0, 255, 0, 255]);
}

#[test]
fn without_a_window_system_the_native_way_fails_in_words() {
    if !inside() {
        let home = support::home();
        again("without_a_window_system_the_native_way_fails_in_words", |exe| support::private(exe, home.path()));
        return;
    }
    let (mut clipboard, said) = started();
    clipboard.copy(secret("123456"), 0, &Method::Native);
    let Report::Failed(error) = said.recv_timeout(LIMIT).unwrap() else { panic!("it cannot work") };
    assert_eq!(error.to_string(), "no window system can be reached here, so there is no clipboard");
}

#[test]
fn inside_tmux_its_terminal_gets_the_text_and_no_buffer_is_left() {
    if !inside() {
        if installed(&["tmux", "script"]) {
            let tmux = Tmux::start();
            // A terminal in front of it, which writes down what tmux sends to it.
            let seen = tmux.home.path().join("seen");
            let mut terminal = support::private("script", tmux.home.path());
            terminal.env("TERM", "xterm-256color").args(["-q", "-f", "-c"]);
            terminal.arg(format!("tmux -S {}/tmux attach", tmux.home.path().display())).arg(&seen);
            let terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let _terminal = support::Daemon(terminal);
            assert!(wait_until(LIMIT, || !tmux.tmux(&["list-clients"]).is_empty()));
            again("inside_tmux_its_terminal_gets_the_text_and_no_buffer_is_left", |exe| tmux.command(exe));
            let sent = || String::from_utf8_lossy(&std::fs::read(&seen).unwrap_or_default()).into_owned();
            assert!(wait_until(LIMIT, || sent().contains("MTIzNDU2")), "{:?}", sent());
            assert!(wait_until(LIMIT, || sent().contains("IA==")), "overwritten by a blank");
            assert_eq!(tmux.tmux(&["list-buffers"]), "");
        }
        return;
    }
    let (mut clipboard, said) = started();
    clipboard.copy(secret("123456"), 0, &Method::Auto);
    let done = copied(&said);
    assert_eq!(done.describe(), "copied through tmux");
    clipboard.clear_now();
    assert_eq!(cleared(&said), Cleared::Overwritten);
}

#[test]
fn inside_tmux_without_a_terminal_a_copy_says_that_nothing_has_it() {
    if !inside() {
        if installed(&["tmux"]) {
            let tmux = Tmux::start();
            again("inside_tmux_without_a_terminal_a_copy_says_that_nothing_has_it", |exe| tmux.command(exe));
            assert_eq!(tmux.tmux(&["list-buffers"]), "");
        }
        return;
    }
    let (mut clipboard, said) = started();
    clipboard.copy(secret("123456"), 0, &Method::Auto);
    let Report::Failed(error) = said.recv_timeout(LIMIT).unwrap() else { panic!("nobody has it") };
    assert_eq!(error.to_string(), "no terminal is attached to tmux, so there is no clipboard");
}

#[test]
fn a_one_shot_copy_over_ssh_hands_out_the_escape_sequence() {
    let here = Surroundings { ssh: true, ..Surroundings::default() };
    let done = copy_once(&secret("123456"), 30, &Method::Auto, here).unwrap();
    assert_eq!(done.copied.describe(), "sent to the terminal (OSC 52)");
    assert_eq!(done.to_terminal.unwrap().expose(), b"\x1b]52;c;MTIzNDU2\x1b\\");
}
