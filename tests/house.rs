//! Holds the house to what `src/lib.rs` says of it: floors, doors, pure modules, sizes. To move a wall, change
//! ARCHITECTURE in `src/lib.rs` and the tables here together.

#[path = "house/scan.rs"]
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Outside crates and the only modules that may name them. A module stands for those below it too.
const DOORS: &[(&str, &[&str])] = &[
    ("totp_rs", &["otp/code"]),
    ("aes_gcm", &["vault", "transfer"]),
    ("argon2", &["vault/kdf", "transfer"]),
    ("getrandom", &["entropy"]),
    ("memmap2", &["secret/page"]),
    ("dunce", &["paths"]),
    ("etcetera", &["paths"]),
    ("whoami", &["policy"]),
    ("keyring", &["keychain"]),
    ("keyring_core", &["keychain"]),
    ("zbus", &["keychain"]),
    ("linux_keyutils", &["keychain/kernel"]),
    ("notify", &["runtime/watch"]),
    ("arboard", &["runtime/clipboard"]),
    ("signal_hook", &["runtime", "cli/harden"]),
    ("ratatui", &["tui", "runtime", "runtime/screen", "runtime/surface", "runtime/terminal"]),
    ("crossterm", &["runtime", "app"]),
    ("nucleo_matcher", &["app"]),
    ("tracing_subscriber", &["logging"]),
    ("clap", &["cli", "main"]),
    ("rpassword", &["cli"]),
    ("shlex", &["app/path"]),
    ("qrcode", &["transfer/qr"]),
    ("clap_mangen", &["cli/man"]),
];

/// Modules of a floor that may look at one beside them, and why.
const BESIDE: &[(&str, &str)] = &[
    // `otpanel copy` uses the panel's clipboard, and `otpanel` alone opens the panel.
    ("cli", "runtime"),
    // A report has words for the errors of unlocking.
    ("report", "unlock"),
];

/// Modules without clock, I/O, randomness and threads, and what in them is excepted.
const PURE: &[&str] = &["otp", "vault", "transfer", "app", "tui"];
const NOT_PURE: &[&str] = &["vault/file", "vault/history"];

/// What a pure module may not name: the beginning of a path.
const WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "std::os",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::SystemTime",
    "std::time::Instant",
    "crate::entropy",
    "crate::paths",
    "crate::local",
    "crate::logging",
    "getrandom",
    "rustix",
    "tempfile",
];

/// Lines of a file that are too many, and lines from which it is named.
const TOO_LONG: usize = 600;
const LONG: usize = 450;

/// A source of the house.
struct File {
    /// As messages name it: `src/vault/entry.rs`.
    name: String,
    text: String,
}

/// `src/vault/entry.rs` is `vault`, `entry`; `mod.rs` is its folder; `lib.rs` is nothing.
fn module_of(name: &str) -> Vec<String> {
    let stem = name.trim_start_matches("src/").trim_end_matches(".rs");
    stem.split('/').filter(|part| !matches!(*part, "mod" | "lib")).map(str::to_owned).collect()
}

/// Whether a module is the named one or below it.
fn is_in(module: &[String], name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    module.len() >= parts.len() && parts.iter().zip(module).all(|(a, b)| a == b)
}

/// The floors as the map in `lib.rs` tells them, the ground as 0 and floor 0 as 1.
fn floors(map: &str) -> BTreeMap<String, usize> {
    let mut floors = BTreeMap::new();
    for line in map.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let mut columns = line.split('|').map(str::trim);
        let floor = match columns.next() {
            Some("ground") => 0,
            Some(number) => match number.parse::<usize>() {
                Ok(number) => number + 1,
                Err(_) => continue,
            },
            None => continue,
        };
        for name in columns.next().unwrap_or_default().split('`').skip(1).step_by(2) {
            floors.insert(name.to_owned(), floor);
        }
    }
    floors
}

/// Everything in the sources that breaks a rule, one line each.
fn complaints(files: &[File]) -> Vec<String> {
    let map = files.iter().find(|file| file.name == "src/lib.rs").map_or("", |file| &file.text);
    let floors = floors(map);
    let scans: Vec<_> = files.iter().map(|file| (file, module_of(&file.name), scan::scan(&file.text))).collect();
    let mut for_tests: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, module, scan) in &scans {
        let beside = |other: &String| {
            file.name.rsplit_once('/').map_or(other.clone(), |(folder, _)| format!("{folder}/{other}"))
        };
        for_tests.extend(scan.test_modules.iter().map(|name| [&module[..], std::slice::from_ref(name)].concat()));
        for_tests.extend(scan.test_files.iter().map(|other| module_of(&beside(other))));
    }
    let modules: BTreeSet<&[String]> = scans.iter().map(|(_, module, _)| &module[..]).collect();
    let mut told = Vec::new();
    let mut edges: BTreeSet<(String, String)> = BTreeSet::new();
    for (file, module, scan) in &scans {
        if (1..=module.len()).any(|depth| for_tests.contains(&module[..depth])) {
            continue;
        }
        let mut tell = |line: usize, what: String| told.push(format!("{}:{line}: {what}", file.name));
        for (path, line) in scan::paths(&scan.tokens, module) {
            if let Some(other) = floor_broken(module, &path, &floors) {
                tell(line, format!("{} may not look up or beside at {other}", module[0]));
            }
            edges.extend(import(module, &path, &modules));
            if let Some(doors) = door_broken(module, &path) {
                tell(line, format!("{} has its door in {}", path[0], doors.join(", ")));
            }
            if is_pure(module) && touches_the_world(&path) {
                tell(line, format!("{} is pure and names {}", module.join("::"), path.join("::")));
            }
        }
        for (line, what) in loud(&scan.tokens, module) {
            tell(line, what);
        }
        if !file.text.starts_with("//!") {
            tell(1, "does not begin with what it is for (`//!`)".into());
        }
    }
    // A tree of imports can break one rule with each of its leaves.
    told.dedup();
    told.extend(circles(&edges));
    told.extend(unplaced(map, &floors));
    told
}

fn floor_broken(module: &[String], path: &[String], floors: &BTreeMap<String, usize>) -> Option<String> {
    let (from, to) = edge(module, path, floors)?;
    let (above, below) = (floors[&from], floors[&to]);
    let beside = above == below && (above == 0 || BESIDE.contains(&(from.as_str(), to.as_str())));
    (above <= below && !beside).then_some(to)
}

/// From which file to which other. One above or below it in the tree is a part of it, or it of that one.
fn import(module: &[String], path: &[String], modules: &BTreeSet<&[String]>) -> Option<(String, String)> {
    let within = path.split_first().filter(|(first, _)| *first == "crate")?.1;
    let other = (1..=within.len()).rev().map(|len| &within[..len]).find(|name| modules.contains(name))?;
    let apart = !module.starts_with(other) && !other.starts_with(module);
    apart.then(|| (module.join("::"), other.join("::")))
}

/// From which module of the map to which other.
fn edge(module: &[String], path: &[String], floors: &BTreeMap<String, usize>) -> Option<(String, String)> {
    let (from, to) = (module.first()?, path.get(1)?);
    let within = path[0] == "crate" && from != to && floors.contains_key(from) && floors.contains_key(to);
    within.then(|| (from.clone(), to.clone()))
}

fn door_broken(module: &[String], path: &[String]) -> Option<&'static [&'static str]> {
    let (_, doors) = DOORS.iter().find(|(name, _)| path.len() > 1 && *name == path[0])?;
    // A door written as `runtime` and files in it (`runtime/screen`) means `runtime/mod.rs` and those files.
    let narrow = |door: &str| doors.iter().any(|other| other.starts_with(&format!("{door}/")));
    let open = doors.iter().any(|door| is_in(module, door) && (!narrow(door) || module.len() == 1));
    (!open).then_some(*doors)
}

fn is_pure(module: &[String]) -> bool {
    PURE.iter().any(|name| is_in(module, name)) && !NOT_PURE.iter().any(|name| is_in(module, name))
}

fn touches_the_world(path: &[String]) -> bool {
    let text = path.join("::");
    let begins = |name: &str| text == name || text.starts_with(&format!("{name}::"));
    let asks_the_time = path.len() > 1 && path.last().is_some_and(|last| last == "now");
    let clock = path.iter().any(|segment| segment == "SystemTime" || segment == "Instant");
    WORLD.iter().any(|name| begins(name)) || asks_the_time || clock
}

/// Panics that a test alone may risk, and words on the terminal that the command line alone may say.
fn loud(tokens: &[scan::Placed], module: &[String]) -> Vec<(usize, String)> {
    use scan::Token::{Sign, Word};
    let mut told = Vec::new();
    for (i, window) in tokens.windows(3).enumerate() {
        match [&window[0].0, &window[1].0, &window[2].0] {
            // With arguments it is a method of ours.
            [Word(name), Sign('('), Sign(')')] if name == "unwrap" && i > 0 && tokens[i - 1].0 == Sign('.') => {
                told.push((window[0].1, "unwrap() outside tests: expect(\"why it cannot fail\") or an error".into()));
            }
            [Word(name), Sign('!'), Sign('(' | '[' | '{')] => {
                let allowed: &[&str] = match name.as_str() {
                    "print" | "println" => &["cli"],
                    "eprint" | "eprintln" => &["cli", "main"],
                    "dbg" => &[],
                    _ => continue,
                };
                if !allowed.iter().any(|place| is_in(module, place)) {
                    told.push((window[0].1, format!("{name}! outside {}", allowed.join(" and "))));
                }
            }
            _ => {}
        }
    }
    told
}

/// Files may look beside themselves, but never in a circle.
fn circles(edges: &BTreeSet<(String, String)>) -> Vec<String> {
    let mut left = edges.clone();
    loop {
        // Whoever looks at nobody is in no circle, nor is whoever nobody looks at.
        let looking: BTreeSet<String> = left.iter().map(|(from, _)| from.clone()).collect();
        let seen: BTreeSet<String> = left.iter().map(|(_, to)| to.clone()).collect();
        let before = left.len();
        left.retain(|(from, to)| looking.contains(to) && seen.contains(from));
        if left.len() == before {
            return left.iter().map(|(from, to)| format!("a circle has {from} -> {to}")).collect();
        }
    }
}

/// Modules that the map leaves out, and names in the map that are no module.
fn unplaced(map: &str, floors: &BTreeMap<String, usize>) -> Vec<String> {
    let declared = map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let declared: BTreeSet<String> = declared.map(str::to_owned).collect();
    let placed: BTreeSet<String> = floors.keys().cloned().collect();
    declared
        .symmetric_difference(&placed)
        .map(|name| format!("src/lib.rs: {name} is not both a module and on a floor"))
        .collect()
}

/// Files of a folder and those below it.
fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(folder: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable source");
        let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        File { name, text }
    };
    sources(&root.join(folder)).map_or_else(|_| Vec::new(), |paths| paths.into_iter().map(named).collect())
}

#[test]
fn the_house_stands_as_its_map_says() {
    let files = read("src");
    assert!(files.len() > 20, "the sources are found");
    let told = complaints(&files);
    assert!(told.is_empty(), "{} broken rules:\n{}", told.len(), told.join("\n"));
}

#[test]
fn every_file_is_read_in_one_sitting() {
    let files = ["src", "tests", "benches", "fuzz/fuzz_targets"].into_iter().flat_map(read);
    let (mut long, mut too_long) = (Vec::new(), Vec::new());
    for file in files {
        match file.text.lines().count() {
            lines if lines > TOO_LONG => too_long.push(format!("{} has {lines} lines", file.name)),
            lines if lines > LONG => long.push(format!("{} has {lines} lines", file.name)),
            _ => {}
        }
    }
    println!("long, split them before they grow:\n{}", long.join("\n"));
    assert!(too_long.is_empty(), "more than {TOO_LONG} lines:\n{}", too_long.join("\n"));
}

/// The complaints about one made-up file in a house of a few rooms.
fn told(name: &str, text: &str) -> String {
    let map = "//! | 2 | [`cli`], [`runtime`] | [`app::Model`] |\n//! | 1 | [`app`] | |\n//! | 0 | [`otp`], [`vault`] | |\n\
               //! | ground | [`time`], [`paths`] | |\npub mod app;\npub mod cli;\npub mod otp;\npub mod paths;\n\
               pub mod runtime;\npub mod time;\npub mod vault;\n";
    let file = |name: &str, text: String| File { name: name.to_owned(), text };
    complaints(&[file("src/lib.rs", map.to_owned()), file(name, format!("//! A room.\n{text}"))]).join("\n")
}

#[test]
fn looking_down_is_allowed_and_up_or_beside_is_not() {
    for good in ["use crate::otp::Account;", "use crate::{otp::{self, Account}, time::UnixTime};", "use super::otp;"] {
        assert_eq!(told("src/app/mod.rs", good), "", "{good}");
    }
    let up = "src/app/update.rs:2: app may not look up or beside at cli";
    for bad in [
        "use crate::cli;",
        "use crate::{otp, cli::Args};",
        "fn f() { crate::cli::go() }",
        "use super::super::cli::go;",
        "mod deep { use super::super::super::cli; }",
        "#[cfg(unix)] use crate::cli;",
        "fn f(_: &'static str) -> char { crate::cli::go('\\''); 'x' }",
    ] {
        assert_eq!(told("src/app/update.rs", bad), up, "{bad}");
    }
    assert_eq!(
        told("src/otp/uri.rs", "use crate::vault::State;"),
        "src/otp/uri.rs:2: otp may not look up or beside at vault"
    );
    assert_eq!(
        told("src/runtime/mod.rs", "use crate::cli;"),
        "src/runtime/mod.rs:2: runtime may not look up or beside at cli"
    );
    assert_eq!(told("src/cli/mod.rs", "use crate::runtime;"), "");
}

#[test]
fn files_may_look_beside_themselves_but_not_in_a_circle() {
    assert_eq!(told("src/time.rs", "use crate::paths::Paths;"), "");
    let file = |name: &str, text: &str| File { name: name.into(), text: format!("//! A room.\n{text}") };
    let map = "//! | ground | [`a`], [`b`], [`c`] | |\npub mod a;\npub mod b;\npub mod c;\n";
    let house = [
        File { name: "src/lib.rs".into(), text: map.into() },
        file("src/a.rs", "use crate::b;"),
        file("src/b.rs", "use crate::c;"),
        file("src/c.rs", "use crate::a;"),
    ];
    assert_eq!(complaints(&house).len(), 3);
}

#[test]
fn comments_texts_and_tests_are_not_looked_at() {
    for innocent in [
        "// use crate::cli;",
        "/* a /* use crate::cli; */ .unwrap() */",
        "const A: &str = \"crate::cli::x .unwrap() \\\" std::fs::read\";",
        "const A: &str = r#\"use crate::cli; \" println!(1)\"#;",
        "const A: &[u8] = b\"crate::cli::x\"; const B: char = '\"';",
        "#[cfg(test)]\nmod tests { use crate::cli; fn f() { g().unwrap(); std::fs::read(1); } }",
        "#[cfg(test)]\n#[allow(unused)]\nuse crate::cli;",
        "#[cfg(all(test, unix))]\nfn f() -> [u8; 2] { println!(); crate::cli::x() }",
        "fn f() { let time = now; notify(); model.now(); x.unwrap_or(1); slot.unwrap(key); }",
    ] {
        assert_eq!(told("src/app/mod.rs", innocent), "", "{innocent}");
    }
    let seen = told("src/app/mod.rs", "#[cfg(test)]\nmod tests { fn f() {} }\n\nuse crate::cli;");
    assert_eq!(seen, "src/app/mod.rs:5: app may not look up or beside at cli");
    assert_ne!(told("src/app/mod.rs", "#[cfg(not(test))]\nuse crate::cli;"), "");
    assert_ne!(told("src/app/mod.rs", "#[cfg(any(test, unix))]\nuse crate::cli;"), "");
}

#[test]
fn a_test_module_in_its_own_file_is_not_looked_at() {
    let map = "//! | 0 | [`otp`] | |\npub mod otp;\n";
    let file = |name: &str, text: &str| File { name: name.into(), text: format!("//! A room.\n{text}") };
    let house = [
        File { name: "src/lib.rs".into(), text: map.into() },
        file("src/otp/mod.rs", "#[cfg(test)]\nmod tests;\nmod code;"),
        file("src/otp/motp.rs", "#[cfg(test)]\n#[path = \"motp_tests.rs\"]\nmod tests;"),
        file("src/otp/motp_tests.rs", "fn f() { g().unwrap() }"),
        file("src/otp/tests.rs", "fn f() { g().unwrap() }"),
        file("src/otp/code.rs", "fn f() { g().unwrap() }"),
    ];
    let told = complaints(&house);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("src/otp/code.rs:2: unwrap()"));
}

#[test]
fn an_outside_crate_has_one_door() {
    assert_eq!(told("src/otp/code.rs", "use totp_rs::TOTP;"), "");
    assert_eq!(told("src/runtime/mod.rs", "use ratatui::Terminal;"), "");
    assert_eq!(told("src/vault/file.rs", "use aes_gcm::Aes256Gcm;"), "");
    for bad in
        ["use totp_rs::{Secret, TOTP};", "fn f() { ::totp_rs::x() }", "use totp_rs as t;", "extern crate totp_rs;"]
    {
        assert_eq!(told("src/otp/steam.rs", bad), "src/otp/steam.rs:2: totp_rs has its door in otp/code", "{bad}");
    }
    assert_ne!(told("src/runtime/clipboard.rs", "use ratatui::Terminal;"), "");
    assert_ne!(told("src/app/mod.rs", "use ratatui::style::Style;"), "");
}

#[test]
fn a_pure_module_names_nothing_of_the_world() {
    for bad in [
        "use std::fs;",
        "use std::{fs::File, fmt};",
        "fn f() { std::thread::sleep(d) }",
        "use std::time::{Duration, Instant};",
        "use std::time; fn f() { time::SystemTime::UNIX_EPOCH; }",
        "fn f() { crate::time::UnixTime::now(); }",
        "use crate::paths::private_dir;",
        "fn f() { getrandom::u32(); }",
        "fn f() { std::env::var(1) }",
    ] {
        assert!(told("src/vault/merge.rs", bad).contains("vault::merge is pure and names "), "{bad}");
        let in_file = told("src/vault/file.rs", bad);
        assert!(!in_file.contains("is pure"), "{in_file}");
    }
    for good in ["use std::time::Duration;", "use std::{fmt, io};", "use std::path::Path;", "env!(1);"] {
        assert_eq!(told("src/vault/merge.rs", good), "", "{good}");
    }
}

#[test]
fn panics_and_words_on_the_terminal_have_their_places() {
    assert!(told("src/app/mod.rs", "fn f() { g().unwrap(); }").contains("unwrap() outside tests"));
    assert!(told("src/app/mod.rs", "fn f() { println!(1); }").contains("println! outside cli"));
    assert!(told("src/app/mod.rs", "fn f() { eprintln!(1); }").contains("eprintln! outside cli and main"));
    assert_eq!(told("src/cli/list.rs", "fn f() { println!(1); eprintln!(1); }"), "");
    assert!(told("src/cli/list.rs", "fn f() { dbg!(1); }").contains("dbg!"));
}

#[test]
fn the_map_names_every_module_and_no_other() {
    let map = |text: &str| complaints(&[File { name: "src/lib.rs".into(), text: text.into() }]).join("\n");
    assert!(map("//! | 0 | [`otp`] | |\npub mod otp;\npub mod attic;\n").contains("attic"));
    assert!(map("//! | 0 | [`otp`], [`cellar`] | |\npub mod otp;\n").contains("cellar"));
    let silent = File { name: "src/otp.rs".into(), text: "fn f() {}".into() };
    assert!(complaints(&[silent])[0].contains("does not begin with"));
}
