//! A panel that is left alone does next to nothing, and names from anywhere do nothing to the terminal.

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::home::{Home, secret};
use crate::panel::Panel;
use crate::support::wait_until;

/// Times that any thread of the program gave up the processor by itself, since it began.
fn switches(panel: &Panel) -> u64 {
    let tasks = format!("/proc/{}/task", panel.pid().as_raw_nonzero());
    fs::read_dir(tasks)
        .unwrap()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
        .flat_map(|status| status.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
        .sum()
}

/// Some seconds pass in which nothing happens: few bytes, and it wakes once in each.
#[track_caller]
pub fn idle_second(panel: &Panel) {
    const SECONDS: u64 = 5;
    // Where no code changes and none warns.
    let calm = || (2..=17).contains(&(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 30));
    thread::sleep(Duration::from_secs(1));
    assert!(wait_until(Duration::from_secs(31), calm));
    let (bytes, wakes) = (panel.written(), switches(panel));
    thread::sleep(Duration::from_secs(SECONDS));
    let (bytes, wakes) = (panel.written() - bytes, switches(panel) - wakes);
    println!("open: {bytes} bytes and {wakes} switches in {SECONDS} s");
    assert!(bytes as u64 >= SECONDS - 1, "the countdown runs: {bytes} bytes");
    assert!((bytes as u64) < 64 * SECONDS, "{bytes} bytes in {SECONDS} s");
    assert!(wakes * 10 <= 25 * SECONDS, "{wakes} switches in {SECONDS} s");
}

#[test]
fn an_idle_second_writes_few_bytes_and_wakes_it_once() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    idle_second(&panel);

    panel.press("L");
    panel.see("otpanel is locked");
    thread::sleep(Duration::from_millis(500));
    let (bytes, wakes) = (panel.written(), switches(&panel));
    thread::sleep(Duration::from_secs(2));
    assert_eq!(panel.written() - bytes, 0, "locked, nothing changes");
    assert!(switches(&panel) - wakes <= 1, "locked, it sleeps: {} switches", switches(&panel) - wakes);
}

#[test]
fn for_a_screen_reader_it_writes_nothing_until_a_code_ends_and_shows_the_cursor() {
    let home = Home::with_vault();
    home.settings("accessible: true");
    let mut panel = Panel::opened(&home, &[]);
    panel.see("selected: GitHub, octo@example.com, ");
    panel.look(|screen| {
        assert!(!screen.hide_cursor(), "the cursor is shown");
        let (row, _) = screen.cursor_position();
        let line = screen.rows(0, 80).nth(row.into()).unwrap();
        assert!(line.starts_with("selected: GitHub"), "{line}");
    });
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 30;
    thread::sleep(Duration::from_secs(1));
    assert!(wait_until(Duration::from_secs(31), || (1..=22).contains(&second())));
    let (bytes, wakes) = (panel.written(), switches(&panel));
    thread::sleep(Duration::from_secs(5));
    assert_eq!(panel.written() - bytes, 0, "five seconds pass in silence");
    assert!(switches(&panel) - wakes <= 5, "{} switches", switches(&panel) - wakes);
    let bytes = panel.written();
    assert!(wait_until(Duration::from_secs(31), || panel.written() > bytes), "the code is renewed");
    thread::sleep(Duration::from_millis(300));
    assert!(panel.written() - bytes < 80, "and nothing else: {} bytes", panel.written() - bytes);
    crate::start::codes_are_right(&panel);
    panel.press("j");
    panel.see("selected: GitLab, ada, ");
    panel.quit();
}

#[test]
fn hostile_names_never_reach_the_terminal() {
    // A title set by ESC and by C1, bidi overrides and isolates, zero width, line separators, tags, a bell.
    let hostile: [&[u8]; 13] = [
        b"\x1b]0;owned",
        b"\x1b]2;owned",
        b"\x1b[31;5m",
        b"\x07",
        "\u{9b}".as_bytes(),
        "\u{9d}".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{2066}".as_bytes(),
        "\u{200b}".as_bytes(),
        "\u{2028}".as_bytes(),
        "\u{2029}".as_bytes(),
        "\u{feff}".as_bytes(),
        "\u{e0041}".as_bytes(),
    ];
    let name = "A%1B%5D0;owned%07%1B%5D2;owned%1B%5C%1B%5B31;5mB%C2%9B31m%C2%9D0;x%C2%9CC%E2%80%AED%E2%81%A6\
                E%E2%80%8BF%E2%80%A8G%E2%80%A9H%EF%BB%BFI%F3%A0%81%81J";
    let home = Home::with_vault();
    let link = |account: &str, letter| {
        format!("otpauth://totp/{name}:{account}{name}?secret={}&issuer={name}&tags={name}", secret(letter))
    };
    home.import(&[&link("one", 'D'), &link("two", 'E')]);
    // The settings' mistake is shown, too.
    let mut panel = Panel::opened(&home, &[]);
    panel.resize(150, 40);
    // Search for it, the palette, delete (the question), undo (the notice), edit, the trash.
    panel.press("/one");
    panel.see("of 4");
    panel.press("\x1b");
    panel.see_no("/ one");
    panel.press("g");
    panel.press("d");
    panel.see("keep it");
    panel.press("\r");
    panel.see("trash");
    panel.press("H");
    thread::sleep(Duration::from_millis(200));
    panel.press("\r\x1b");
    panel.see("4 accounts");
    panel.press("e");
    panel.see("Edit an account");
    panel.press("\x1b");
    panel.see_no("Edit an account");
    // A paste, and an import's preview.
    panel.paste(&link("three", 'F'));
    panel.see("Add an account");
    panel.press("\r");
    panel.see("5 accounts");
    panel.paste(&format!("{}\n{}", link("four", 'G'), link("five", 'H')));
    panel.see("import 2");
    panel.press("\r");
    panel.see("7 accounts");
    // What comes from elsewhere is named in a notice.
    home.import(&[&link("six", 'I')]);
    panel.see("8 accounts");
    panel.resize(40, 10);
    panel.wait(crate::panel::LIMIT, "narrow", |screen| screen.lines().count() <= 10);
    home.write(".config/otpanel/config.ron", "(\u{1b}]0;owned\u{7}: 1)");
    panel.see("column");
    let raw = panel.raw();
    for bytes in hostile {
        let at = raw.windows(bytes.len()).position(|window| window == bytes);
        let near =
            at.map(|at| String::from_utf8_lossy(&raw[at.saturating_sub(80)..raw.len().min(at + 40)]).into_owned());
        assert!(at.is_none(), "{bytes:x?} came through: {near:?}");
    }
    panel.quit();
}
