//! What `docs/security.md` promises names the tests that show it, and what the README claims the commands: each is there.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// All tests of a file, or of the files below a folder: the file's name without its end, and the test's.
fn tests(path: &Path) -> BTreeSet<(String, String)> {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().flatten().flat_map(|entry| tests(&entry.path())).collect();
    }
    if path.extension().is_none_or(|end| end != "rs") {
        return BTreeSet::new();
    }
    let file = path.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let names = text.split("#[test]").skip(1).filter_map(|part| part.split("fn ").nth(1)?.split('(').next());
    names.map(|name| (file.to_owned(), name.to_owned())).collect()
}

#[test]
fn every_test_that_the_promises_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = [tests(&root.join("tests")), tests(&root.join("src"))];
    let mut there: BTreeSet<String> = all.into_iter().flatten().map(|(_, name)| name).collect();
    for target in fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap().flatten() {
        there.insert(target.path().file_stem().unwrap().to_str().unwrap().to_owned());
    }
    let text = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 10, "{} attackers", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, attacker, promised, shown, not, _] = cells[..] else { panic!("{row}") };
        assert!(!attacker.is_empty() && promised.ends_with('.') && not.ends_with('.'), "{row}");
        let named: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{attacker}: nothing shows it");
        for name in named {
            assert!(there.contains(name), "{attacker}: there is no test {name}");
        }
    }
}

/// Whether `tests/run NAME FILTER` runs something: a test of those of that name, by its own name or its file's.
fn runs(root: &Path, name: &str, filter: &str) -> bool {
    let folder = if name == "lib" { root.join("src") } else { root.join("tests").join(name) };
    let path = if folder.is_dir() { folder } else { folder.with_extension("rs") };
    path.exists() && tests(&path).iter().any(|(file, test)| file.contains(filter) || test.contains(filter))
}

#[test]
fn every_claim_of_the_readme_has_a_command_that_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, section) = text.split_once("## See for yourself").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 15, "{} claims", rows.len());
    for row in rows {
        let commands: Vec<&str> = row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!commands.is_empty(), "{row}: nothing shows it");
        for command in commands {
            let words: Vec<&str> = command.rsplit(" && ").next().unwrap().split(' ').collect();
            let there = match words[..] {
                ["tests/run", option, _] if option.starts_with("--") => {
                    fs::read_to_string(root.join("tests/run")).unwrap().contains(&format!("    {option})"))
                }
                ["tests/run", name] => runs(root, name, ""),
                ["tests/run", name, filter] => runs(root, name, filter),
                ["python3", file] | [file, ..] => root.join(file).is_file(),
                [] => false,
            };
            assert!(there, "{row}: there is no {command}");
        }
    }
}
