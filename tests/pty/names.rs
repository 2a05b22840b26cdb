//! Names that want to act on the terminal, from accounts, files, folders and settings, in what commands print on a real
//! one: of all that comes out, only line ends and colours may act.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::home::{Home, PROGRAM, secret};
use crate::panel::Panel;

/// What could act: escapes that set a title, move, ask or switch, C1 in both forms, bidi, invisible, line ends.
const NASTY: [&str; 26] = [
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\x1b[31m",
    "\x1b[6n",
    "\x1bP$qm\x1b\\",
    "\x1bc",
    "\x07",
    "\x08\x08",
    "\x7f",
    "\r",
    "\n",
    "\x0b",
    "\u{85}",
    "\u{9b}31m",
    "\u{9d}0;x\u{9c}",
    "\u{202e}",
    "\u{2066}",
    "\u{200f}",
    "\u{61c}",
    "\u{200b}",
    "\u{2028}",
    "\u{feff}",
    "\u{e0041}",
    "\u{ad}",
    "\t",
    "\0",
];

/// A name of letters and things that act, the same for the same number.
fn name(n: u32) -> String {
    let mut chaos = n.wrapping_mul(2_654_435_761) | 1;
    let mut out = format!("N{n}");
    for _ in 0..6 {
        chaos = chaos.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        out.push_str(NASTY[(chaos >> 16) as usize % NASTY.len()]);
        out.push(char::from(b'a' + (chaos >> 24) as u8 % 26));
    }
    out
}

fn in_link(name: &str) -> String {
    name.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// What in some output would act on a terminal, beyond line ends and colours.
fn acts(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        let before = rest;
        rest = &rest[c.len_utf8()..];
        if c == '\x1b' {
            let colour = rest.strip_prefix('[').and_then(|rest| rest.split_once('m'));
            match colour.filter(|(numbers, _)| numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b';')) {
                Some((_, after)) => rest = after,
                None => return Some(before.chars().take(12).collect()),
            }
        }
        let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        if hidden || c.is_control() && !matches!(c, '\r' | '\n' | '\x1b') {
            return Some(before.chars().take(12).collect());
        }
    }
    None
}

/// What a command prints on a terminal of its own.
fn printed(home: &Home, args: &[&OsStr]) -> Vec<u8> {
    let mut all = vec![OsStr::new("--password-file"), OsStr::new("pw")];
    all.extend(args);
    let mut terminal = Panel::program_with(home, PROGRAM, &all);
    terminal.faulty = true;
    terminal.ended();
    terminal.rest()
}

#[test]
fn what_acts_is_seen_by_the_check_itself() {
    assert_eq!(acts(b"\x1b[1;31mred\x1b[m\r\nplain"), None);
    for nasty in NASTY.iter().filter(|nasty| !["\r", "\n", "\x1b[31m"].contains(nasty)) {
        assert!(acts(format!("a{nasty}b").as_bytes()).is_some(), "{nasty:?}");
    }
}

#[test]
fn no_command_lets_a_name_act_on_the_terminal() {
    let home = Home::with_vault();
    let links: Vec<String> = (0..40)
        .map(|n| {
            let (issuer, account) = (in_link(&name(n)), in_link(&name(n + 1000)));
            let secret = secret(char::from(b'A' + (n % 26) as u8));
            let digits = if n < 26 { 6 } else { 8 };
            format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&digits={digits}&tags={account}")
        })
        .collect();
    let bad = format!("otpauth://totp/{}?secret=0189&issuer={}", in_link(&name(77)), in_link(&name(78)));
    home.write("links", &format!("{}\n{bad}\n{}\n", links.join("\n"), name(79)));
    let file = |n: u32| name(n).replace(['\0', '/'], "");
    home.write(&file(5), &links.join("\n"));
    home.write(&file(6), "no export");
    fs::create_dir(home.path(&file(7))).unwrap();
    let (five, six, seven) = (file(5), file(6), file(7));
    let long = name(90).replace('\0', "");
    let line = |words: &[&'static str]| words.iter().map(|word| OsStr::new(*word)).collect::<Vec<_>>();
    let with = |words: &[&'static str], more: &'static str| [line(words), vec![OsStr::new(more)]].concat();
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let (five, six, seven, long) = (leak(&five), leak(&six), leak(&seven), leak(&long));
    let mut commands = vec![
        line(&["import", "--dry-run", "links"]),
        line(&["import", "--yes", "links"]),
        with(&["import", "--dry-run"], five),
        with(&["import", "--yes"], six),
        with(&["import", "--yes"], seven),
        line(&["list"]),
        line(&["list", "--codes"]),
        line(&["list", "--json"]),
        line(&["code", "N"]),
        line(&["code", "N1", "--json"]),
        with(&["code"], long),
        line(&["copy", "N"]),
        line(&["edit", "N", "--digits", "99"]),
        with(&["edit", "GitHub", "--issuer"], long),
        with(&["edit", "N", "--issuer"], long),
        with(&["tag", "GitLab"], leak(&format!("+{long}"))),
        line(&["rm", "N"]),
        line(&["rm", "N12", "--yes"]),
        line(&["list", "--trash"]),
        line(&["restore", "N"]),
        line(&["vault", "info"]),
        line(&["vault", "history"]),
        line(&["backup"]),
        line(&["policy"]),
        with(&["list", "--vault"], long),
        with(&["list", "--profile"], long),
        with(&["list", "--config"], long),
        with(&["export", "--format"], long),
        with(&["export", "--yes", "--format", "aegis", "--out"], seven),
        with(&["backup", "enable", "--folder"], six),
        with(&["vault", "restore", "--yes"], six),
        line(&["completions", "bash"]),
        line(&["doctor"]),
    ];
    for command in [&["--vault", seven, "list"][..], &["--vault", six, "list"], &["--profile", long, "list"]] {
        commands.push(command.iter().map(|word| OsStr::new(*word)).collect());
    }
    // Bytes that are no text at all.
    let raw = OsStr::from_bytes(b"\xff\x1b]0;x\x07\x9b31m");
    commands.push(vec![OsStr::new("import"), OsStr::new("--yes"), raw]);
    commands.push(vec![OsStr::new("--vault"), raw, OsStr::new("list")]);
    for command in &commands {
        let raw = printed(&home, command);
        assert!(!raw.is_empty(), "{command:?} says something");
        // A prompt may hide what is typed, and the shells' scripts hold tabs.
        let script = command[0] == "completions";
        let shown = if script { String::from_utf8_lossy(&raw).replace('\t', " ").into_bytes() } else { raw };
        assert_eq!(acts(&shown), None, "{command:?} printed:\n{}", String::from_utf8_lossy(&shown));
    }
    home.write(".config/otpanel/config.ron", &format!("(theme: \"{}\", {}: 1)", name(80), name(81)));
    for command in [line(&["config", "check"]), line(&["list"]), line(&["doctor"])] {
        let raw = printed(&home, &command);
        assert_eq!(acts(&raw), None, "{command:?} printed:\n{}", String::from_utf8_lossy(&raw));
    }
    println!("{} commands with names that act, on a terminal", commands.len() + 3);
}
