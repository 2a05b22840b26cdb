//! However the panel ends or stops: the terminal is as it was, and nothing that was changed is lost.

use std::ffi::OsStr;
use std::time::Duration;

use rustix::process::Signal;

use crate::home::{Home, PASSWORD, PROGRAM};
use crate::panel::{LIMIT, Panel};
use crate::support::displays::Tmux;
use crate::support::{installed, wait_until};

/// How many favourites the vault in the file has.
fn favourites(home: &Home) -> usize {
    home.run(&["list", "--json"], "").matches("\"favourite\":true").count()
}

#[test]
fn the_quit_key_gives_the_terminal_back() {
    let home = Home::with_vault();
    let panel = Panel::opened(&home, &[]);
    assert!(panel.is_raw());
    assert!(panel.look(|screen| screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste()));
    assert_ne!(panel.look(vt100::Screen::mouse_protocol_mode), vt100::MouseProtocolMode::None);
    panel.quit();
}

#[test]
fn signals_that_end_it_give_the_terminal_back() {
    let home = Home::with_vault();
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
        let mut panel = Panel::opened(&home, &[]);
        panel.signal(signal);
        panel.given_back();
        assert!(!panel.screen().contains("GitHub"), "no account stays on the screen");
    }
    // On the lock screen, too.
    let mut panel = Panel::start(&home);
    panel.see("otpanel is locked");
    panel.signal(Signal::TERM);
    panel.given_back();
}

#[test]
fn a_hang_up_locks_and_a_terminal_that_is_gone_ends_it() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    panel.signal(Signal::HUP);
    panel.see("otpanel is locked");
    assert!(!panel.screen().contains("GitHub"));
    panel.press(PASSWORD).press("\r");
    panel.see("GitHub");
    panel.hang_up();
    panel.ended();
}

#[test]
fn a_panic_gives_the_terminal_back_and_its_report_can_be_read() {
    let home = Home::with_vault();
    let env = [("OTPANEL_TEST_PANIC", OsStr::new("1")), ("SSH_TTY", OsStr::new("/dev/pts/0"))];
    let mut panel = Panel::opened(&home, &env);
    panel.faulty = true;
    panel.press("\r");
    panel.see("sent to the terminal");
    // F12
    panel.press("\x1b[24~");
    assert_ne!(panel.given_back(), 0);
    panel.see("it panicked at src/");
    assert!(!panel.screen().contains("GitHub"));
    // What was copied is overwritten by a blank all the same.
    assert!(panel.said(b"\x1b]52;c;IA==\x1b\\"), "{:?}", String::from_utf8_lossy(&panel.raw()));
}

#[test]
fn what_was_changed_in_the_last_moment_is_saved_whatever_ends_it() {
    for (how, end) in [("quit", "q"), ("ctrl-c", "\x03"), ("lock", "L"), ("signal", "")] {
        let home = Home::with_vault();
        let mut panel = Panel::opened(&home, &[]);
        // The second change comes while the first is being saved.
        panel.press(&format!("fjf{end}"));
        match how {
            "lock" => panel.see("otpanel is locked"),
            "signal" => {
                panel.see("★");
                panel.signal(Signal::TERM);
                panel.ended();
            }
            _ => drop(panel.ended()),
        }
        let saved = wait_until(LIMIT, || favourites(&home) == 2);
        assert!(saved, "{how}: {} of 2 favourites are in the file", favourites(&home));
    }
}

#[test]
fn a_change_that_could_not_be_saved_is_told_at_the_end_and_comes_back() {
    for how in ["signal", "leave", "lock"] {
        let home = Home::with_vault();
        let mut panel = Panel::opened(&home, &[]);
        std::fs::rename(home.vault(), home.path("put by")).expect("the vault put by");
        std::fs::create_dir(home.vault()).expect("something in its place");
        panel.press("f");
        panel.see("Not saved");
        match how {
            "signal" => panel.signal(Signal::TERM),
            "leave" => {
                panel.press("q").see("leave, keep it");
                panel.press("y");
            }
            _ => {
                panel.press("L");
                panel.see_no("GitHub");
                panel.signal(Signal::TERM);
            }
        }
        let code = panel.ended();
        if how != "lock" {
            assert_eq!(code, 1);
            panel.see("A change was not saved");
            panel.see("comes back when the vault is opened next");
        }
        std::fs::remove_dir(home.vault()).expect("nothing lies in it");
        std::fs::rename(home.path("put by"), home.vault()).expect("the vault again");
        assert_eq!(favourites(&home), 1, "{how}");
    }
}

/// A shell in tmux that runs the panel; gives the home and the tmux server.
fn under_a_shell(settings: &str) -> (Tmux, Home) {
    let tmux = Tmux::start();
    let home = Home::at(tmux.home.path());
    home.put_vault();
    home.settings(settings);
    tmux.tmux(&["respawn-pane", "-k", "env PS1='the-shell> ' HISTFILE= bash --norc --noprofile --noediting -i"]);
    wait_pane(&tmux, "the-shell>");
    tmux.tmux(&["send-keys", &format!("env -u TMUX {PROGRAM}"), "Enter"]);
    wait_pane(&tmux, "otpanel is locked");
    tmux.tmux(&["send-keys", "-l", PASSWORD]);
    tmux.tmux(&["send-keys", "Enter"]);
    wait_pane(&tmux, "GitHub");
    (tmux, home)
}

#[track_caller]
fn wait_pane(tmux: &Tmux, text: &str) {
    let pane = || tmux.tmux(&["capture-pane", "-p"]);
    assert!(wait_until(LIMIT, || pane().contains(text)), "no {text:?}:\n{}", pane());
}

/// What tmux knows about the modes of its terminal: alternate screen, cursor, mouse.
fn modes(tmux: &Tmux) -> String {
    tmux.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"]).trim().to_owned()
}

/// Whether the terminal of the pane edits lines and echoes.
fn cooked(tmux: &Tmux) -> bool {
    let tty = tmux.tmux(&["display-message", "-p", "#{pane_tty}"]);
    let modes = crate::support::output(std::process::Command::new("stty").args(["-a", "-F", tty.trim()]));
    modes.split_whitespace().any(|word| word == "icanon") && modes.split_whitespace().any(|word| word == "echo")
}

#[test]
fn stopped_under_a_shell_it_gives_the_terminal_back_and_comes_back_whole() {
    if !installed(&["tmux", "bash", "stty"]) {
        return;
    }
    let (tmux, home) = under_a_shell("");
    let pid = || {
        let pids = crate::support::output(home.command("pgrep").args(["-f", &format!("^{PROGRAM}$")]));
        let mine = |pid: &&str| {
            std::fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|env| String::from_utf8_lossy(&env).contains(&*home.path("run").to_string_lossy()))
        };
        pids.split_whitespace().find(mine).map(str::to_owned)
    };
    for stop in ["key", "signal"] {
        assert_eq!(modes(&tmux), "1 0 1", "the panel has the terminal");
        match (stop, pid()) {
            ("signal", Some(pid)) => drop(crate::support::output(home.command("kill").args(["-TSTP", &pid]))),
            _ => drop(tmux.tmux(&["send-keys", "C-z"])),
        }
        wait_pane(&tmux, "Stopped");
        assert_eq!(modes(&tmux), "0 1 0", "stopped by {stop}, the shell has it");
        assert!(wait_until(LIMIT, || cooked(&tmux)));
        let pane = tmux.tmux(&["capture-pane", "-p"]);
        assert!(!pane.contains("GitHub"), "no account stays on the shell's screen:\n{pane}");
        // What the shell said is gone by the time that it says it again.
        tmux.tmux(&["send-keys", "clear; fg", "Enter"]);
        wait_pane(&tmux, "GitHub");
        wait_pane(&tmux, "quit");
        assert!(!tmux.tmux(&["capture-pane", "-p"]).contains("the-shell"), "drawn whole");
        assert!(wait_until(LIMIT, || !cooked(&tmux)));
    }
    tmux.tmux(&["send-keys", "q"]);
    wait_pane(&tmux, "the-shell>");
    assert!(wait_until(LIMIT, || modes(&tmux) == "0 1 0"), "{}", modes(&tmux));
    assert!(wait_until(LIMIT, || cooked(&tmux)));
}

#[test]
fn stopped_it_is_ended_from_outside_and_never_goes_on_behind_the_shells_back() {
    if !installed(&["tmux", "bash"]) {
        return;
    }
    let (tmux, _home) = under_a_shell("");
    tmux.tmux(&["send-keys", "C-z"]);
    wait_pane(&tmux, "Stopped");
    // Continued in the background it only stops again: the terminal is the shell's.
    tmux.tmux(&[
        "send-keys",
        "clear; bg; until jobs | grep Stopped; do sleep 0.1; done; echo still $(jobs | grep -c Stopped)",
        "Enter",
    ]);
    wait_pane(&tmux, "still 1");
    let pane = tmux.tmux(&["capture-pane", "-p"]);
    assert!(!pane.contains("GitHub"), "{pane}");
    tmux.tmux(&[
        "send-keys",
        "clear; pid=$(jobs -p); kill %1; while kill -0 $pid; do sleep 0.1; done; echo gone $((0 + 1))",
        "Enter",
    ]);
    wait_pane(&tmux, "gone 1");
    assert_eq!(modes(&tmux), "0 1 0");
}

#[test]
fn what_was_copied_stays_while_it_is_stopped_and_is_cleared_in_time_all_the_same() {
    if !installed(&["tmux", "bash"]) {
        return;
    }
    let (tmux, home) =
        under_a_shell("clipboard: (clear_secs: 10, method: Command([\"sh\", \"-c\", \"cat > $HOME/got\"]))");
    let got = || std::fs::read_to_string(home.path("got")).unwrap_or_default();
    let stopped = |tmux: &Tmux| tmux.tmux(&["capture-pane", "-p"]).contains("Stopped");
    tmux.tmux(&["send-keys", "Enter"]);
    wait_pane(&tmux, "copied by your command");
    tmux.tmux(&["send-keys", "C-z"]);
    wait_pane(&tmux, "Stopped");
    assert_eq!(got().len(), 6, "it can be pasted: {:?}", got());
    assert!(wait_until(LIMIT, || got().is_empty()), "it is cleared: {:?}", got());
    assert!(stopped(&tmux), "while the panel stands still");
    // What is copied elsewhere meanwhile is nobody's business here.
    home.write("got", "something else");
    tmux.tmux(&["send-keys", "fg", "Enter"]);
    wait_pane(&tmux, "GitHub");
    tmux.tmux(&["send-keys", "L"]);
    wait_pane(&tmux, "otpanel is locked");
    assert_eq!(got(), "something else");
}

#[test]
fn who_comes_back_after_the_idle_time_sees_the_lock_screen_and_nothing_before_it() {
    if !installed(&["tmux", "bash"]) {
        return;
    }
    let (tmux, home) = under_a_shell("idle_lock_secs: 5");
    tmux.tmux(&["send-keys", "C-z"]);
    wait_pane(&tmux, "Stopped");
    let seen = home.path("seen");
    tmux.tmux(&["pipe-pane", "-o", &format!("cat > {}", seen.display())]);
    std::thread::sleep(Duration::from_secs(6));
    tmux.tmux(&["send-keys", "fg", "Enter"]);
    wait_pane(&tmux, "otpanel is locked");
    let seen = || String::from_utf8_lossy(&std::fs::read(&seen).unwrap_or_default()).into_owned();
    assert!(wait_until(LIMIT, || seen().contains("locked")), "{:?}", seen());
    assert!(!seen().contains("GitHub"), "{:?}", seen());
}
