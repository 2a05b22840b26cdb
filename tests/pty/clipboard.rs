//! Copying from the panel and from the command line, against the real thing: tmux, an X server, a terminal over SSH.

use std::ffi::OsStr;
use std::fs;

use data_encoding::BASE64;

use crate::home::{Home, PROGRAM};
use crate::panel::{LIMIT, Panel};
use crate::support::displays::{Tmux, XServer};
use crate::support::{answer, installed, wait_until};

/// The code on the row of GitHub, without its blanks.
fn code(row: &str) -> String {
    let digits: String = row.chars().skip_while(|c| !c.is_ascii_digit()).filter(char::is_ascii_digit).take(6).collect();
    assert_eq!(digits.len(), 6, "{row}");
    digits
}

/// What OSC 52 carried, all of it, in order.
fn sent(raw: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(raw)
        .split("\x1b]52;")
        .skip(1)
        .filter_map(|part| part.split_once(';')?.1.split(['\x07', '\x1b']).next().map(str::to_owned))
        .map(|text| String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap())
        .collect()
}

/// Waits until this was sent to the terminal's clipboard as the last.
#[track_caller]
fn last_sent(panel: &Panel, right: impl Fn(&str) -> bool) {
    let there = || sent(&panel.raw()).last().is_some_and(|text| right(text));
    assert!(wait_until(LIMIT, there), "sent: {:?}\n{}", sent(&panel.raw()), panel.screen());
}

fn is_code(text: &str) -> bool {
    text.len() == 6 && text.chars().all(|c| c.is_ascii_digit())
}

#[test]
fn over_ssh_the_terminals_clipboard_gets_the_code_and_loses_it_by_time_and_on_quit() {
    let home = Home::with_vault();
    home.settings("clipboard: (clear_secs: 3)");
    let mut panel = Panel::opened(&home, &[("SSH_TTY", OsStr::new("/dev/pts/0")), ("DISPLAY", OsStr::new(":99"))]);
    panel.press("\r");
    panel.see("sent to the terminal (OSC 52)");
    last_sent(&panel, |text| text == " ");
    let all = sent(&panel.raw());
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(is_code(&all[0]), "{all:?}");
    assert!(panel.said(format!("\x1b]52;c;{}\x1b\\", BASE64.encode(all[0].as_bytes())).as_bytes()));

    home.settings("clipboard: (clear_secs: 60)");
    panel.see("the changed settings are in force");
    panel.press("\r");
    last_sent(&panel, is_code);
    panel.press("q");
    panel.given_back();
    last_sent(&panel, |text| text == " ");
    let raw = panel.raw();
    let text = String::from_utf8_lossy(&raw);
    assert!(text.rfind("\x1b]52;") < text.rfind("\x1b[?1049l"), "cleared before the terminal is given back");
}

#[test]
fn locking_clears_what_was_copied() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[("SSH_TTY", OsStr::new("/dev/pts/0"))]);
    panel.press("\r");
    last_sent(&panel, is_code);
    panel.press("L");
    panel.see("otpanel is locked");
    last_sent(&panel, |text| text == " ");
}

#[test]
fn inside_tmux_its_terminal_gets_the_code_and_loses_it_by_time() {
    if !installed(&["tmux"]) {
        return;
    }
    let tmux = Tmux::start();
    let home = Home::at(tmux.home.path());
    home.put_vault();
    home.settings("clipboard: (clear_secs: 2)");
    let socket = tmux.home.path().join("tmux");
    let attach = ["-S", socket.to_str().unwrap(), "attach"];
    let mut terminal = Panel::program(&home, "tmux", &attach, &[]);
    assert!(wait_until(LIMIT, || !tmux.tmux(&["list-clients"]).is_empty()));
    tmux.tmux(&["respawn-pane", "-k", PROGRAM]);
    terminal.see("otpanel is locked");
    terminal.press(crate::home::PASSWORD).press("\r");
    terminal.see("GitHub");
    terminal.press("\r");
    terminal.see("copied through tmux");
    let code_sent = || sent(&terminal.raw()).iter().any(|text| is_code(text));
    assert!(wait_until(LIMIT, code_sent), "{:?}", sent(&terminal.raw()));
    last_sent(&terminal, |text| text == " ");
    // The blank's own buffer goes a moment after the blank came.
    let empty = || tmux.tmux(&["list-buffers"]).is_empty();
    assert!(wait_until(LIMIT, empty), "nothing stays in tmux's own buffers: {}", tmux.tmux(&["list-buffers"]));
}

fn paste(server: &XServer, home: &Home) -> String {
    answer(server.command("xclip", &home.path("")).args(["-selection", "clipboard", "-o"]))
}

#[test]
fn under_x_the_clipboard_holds_the_code_until_the_panel_quits() {
    if !installed(&["Xvfb", "xclip"]) {
        return;
    }
    let (server, home) = (XServer::start(), Home::with_vault());
    let mut panel = Panel::opened(&home, &[("DISPLAY", OsStr::new(&server.display))]);
    panel.press("\r");
    panel.see("GitHub copied");
    let held = || is_code(&paste(&server, &home));
    assert!(wait_until(LIMIT, held), "{:?}", paste(&server, &home));
    // The code may have changed since it was copied, but not to one that was never shown.
    let copied = paste(&server, &home);
    let spaced = format!("{} {}", &copied[..3], &copied[3..]);
    assert!(panel.row("GitHub").contains(&spaced) || code(&panel.row("GitHub")) != copied);
    assert!(sent(&panel.raw()).is_empty(), "nothing goes through the terminal");
    panel.quit();
    assert_eq!(paste(&server, &home), "");
}

#[test]
fn a_copy_from_the_command_line_stays_for_its_time_and_no_longer() {
    if !installed(&["Xvfb", "xclip"]) {
        return;
    }
    let (server, home) = (XServer::start(), Home::with_vault());
    // A time that nobody else's holder has, so that this one can be told by it; and long enough to look at what it holds.
    home.settings("clipboard: (clear_secs: 9)");
    let holders = || {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let lines = all.filter_map(|pid| fs::read(pid.path().join("cmdline")).ok());
        let ours = format!("{PROGRAM}\0--hold-clipboard\x009\0").into_bytes();
        lines.filter(|line| line.starts_with(&ours)).count()
    };
    let mut copy = server.command(PROGRAM, &home.path(""));
    copy.env_remove("XDG_DATA_HOME").arg("--password-file").arg(home.path("pw")).args(["copy", "GitHub"]);
    let said = copy.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(String::from_utf8_lossy(&said.stderr).contains("cleared in 9 s"));
    assert!(is_code(&paste(&server, &home)), "{:?}", paste(&server, &home));
    assert_eq!(holders(), 1);
    assert!(wait_until(LIMIT, || paste(&server, &home).is_empty()));
    assert!(wait_until(LIMIT, || holders() == 0), "it has ended");
}

#[test]
fn a_command_of_the_users_own_gets_the_code() {
    let home = Home::with_vault();
    let got = home.path("got");
    home.settings(&format!("clipboard: (method: Command([\"sh\", \"-c\", \"cat > {}\"]))", got.display()));
    let mut panel = Panel::opened(&home, &[]);
    panel.press("\r");
    panel.see("copied by your command");
    assert!(is_code(&fs::read_to_string(&got).unwrap()));
    panel.press("q");
    panel.given_back();
    let empty = || fs::read_to_string(&got).unwrap().is_empty();
    assert!(wait_until(LIMIT, empty), "and an empty text at the end");
}
