//! A panel that is left alone does next to nothing, and names from anywhere do nothing to the terminal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::home::{Home, secret};
use crate::panel::{LIMIT, Panel};
use crate::support::wait_until;

/// Times that each thread of the program gave up the processor by itself, since it began.
fn switches(panel: &Panel) -> BTreeMap<OsString, u64> {
    let tasks = fs::read_dir(format!("/proc/{}/task", panel.pid().as_raw_nonzero())).unwrap().flatten();
    let count = |status: String| {
        status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse().ok())
    };
    tasks
        .filter_map(|task| Some((task.file_name(), count(fs::read_to_string(task.path().join("status")).ok()?)?)))
        .collect()
}

/// What a panel did while it was left alone.
#[derive(Debug)]
struct Spell {
    /// What it wrote to the terminal.
    wrote: String,
    /// How often any of its threads gave up the processor by itself.
    wakes: u64,
}

impl Spell {
    fn of(panel: &Panel, length: Duration) -> Self {
        let (written, before) = (panel.written(), switches(panel));
        thread::sleep(length);
        let wrote = String::from_utf8_lossy(&panel.raw()[written..]).into_owned();
        let since = |(task, count): (OsString, u64)| count - before.get(&task).copied().unwrap_or_default();
        Self { wrote, wakes: switches(panel).into_iter().map(since).sum() }
    }
}

/// Leaves the panel alone until a spell went by as it should, three times at most. What comes once and late (a round of the
/// backup, a notice that goes, a page that the machine reads again) falls into one spell; who never rests is restless in all.
#[track_caller]
fn rests(panel: &Panel, length: Duration, calm: RangeInclusive<u64>, right: impl Fn(&Spell) -> bool) {
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 30;
    let mut restless = Vec::new();
    while restless.len() < 3 {
        assert!(wait_until(LIMIT, || calm.contains(&second())));
        let spell = Spell::of(panel, length);
        if right(&spell) {
            println!("{} bytes and {} switches in {length:?}; before: {restless:?}", spell.wrote.len(), spell.wakes);
            return;
        }
        restless.push(spell);
    }
    panic!("no rest for {length:?}: {restless:?}\n{}", panel.screen());
}

/// Some seconds pass in which nothing happens: few bytes, and it wakes once in each.
#[track_caller]
pub fn idle_second(panel: &Panel) {
    const SECONDS: u64 = 5;
    // Where no code changes and none warns.
    rests(panel, Duration::from_secs(SECONDS), 2..=17, |spell| {
        let bytes = spell.wrote.len() as u64;
        (SECONDS - 1..64 * SECONDS).contains(&bytes) && spell.wakes * 10 <= 25 * SECONDS
    });
}

#[test]
fn an_idle_second_writes_few_bytes_and_wakes_it_once() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    idle_second(&panel);

    panel.press("L");
    panel.see("otpanel is locked");
    rests(&panel, Duration::from_secs(2), 0..=29, |locked| locked.wrote.is_empty() && locked.wakes <= 1);
}

#[test]
fn for_a_screen_reader_it_writes_nothing_until_a_code_ends_and_shows_the_cursor() {
    let home = Home::with_vault();
    home.settings("accessible: true");
    let mut panel = Panel::opened(&home, &[]);
    panel.see("selected: GitHub, octo@example.com, ");
    panel.see("not backed up: no keychain");
    panel.look(|screen| {
        assert!(!screen.hide_cursor(), "the cursor is shown");
        let (row, _) = screen.cursor_position();
        let line = screen.rows(0, 80).nth(row.into()).unwrap();
        assert!(line.starts_with("selected: GitHub"), "{line}");
    });
    rests(&panel, Duration::from_secs(5), 1..=22, |spell| spell.wrote.is_empty() && spell.wakes <= 5);
    // A code's end is spoken, and nothing else.
    let bytes = panel.written();
    assert!(wait_until(LIMIT, || panel.written() > bytes), "the code is renewed");
    rests(&panel, Duration::from_secs(2), 1..=26, |spell| spell.wrote.is_empty());
    let said = String::from_utf8_lossy(&panel.raw()[bytes..]).into_owned();
    assert!(said.len() < 80, "and nothing else: {said:?}");
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
    panel.see("bring it back");
    panel.press("\r\x1b");
    panel.see("All 4");
    panel.press("e");
    panel.see("Edit an account");
    panel.press("\x1b");
    panel.see_no("Edit an account");
    // A paste, and an import's preview.
    panel.paste(&link("three", 'F'));
    panel.see("Add an account");
    panel.press("\r");
    panel.see("All 5");
    panel.paste(&format!("{}\n{}", link("four", 'G'), link("five", 'H')));
    panel.see("import 2");
    panel.press("\r");
    panel.see("All 7");
    // What comes from elsewhere is named in a notice.
    home.import(&[&link("six", 'I')]);
    panel.see("All 8");
    panel.resize(40, 10);
    panel.wait(LIMIT, "narrow", |screen| screen.lines().count() <= 10);
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
