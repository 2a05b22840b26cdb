//! What `docs/security.md` promises names the tests that show it: each of them is there.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of all functions below a folder that are tests, and of the fuzz targets.
fn tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for part in text.split("#[test]").skip(1) {
                let name = part.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
                names.extend(name.map(str::to_owned));
            }
        }
    }
}

#[test]
fn every_test_that_the_promises_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut there = BTreeSet::new();
    tests(&root.join("tests"), &mut there);
    tests(&root.join("src"), &mut there);
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
