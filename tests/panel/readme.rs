//! The README's key table is the program's own.

use otpanel::app::keys::TABLE;

#[test]
fn the_readme_lists_every_key_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("the README lies beside Cargo.toml");
    let mut table = String::from("| key | does |\n|---|---|\n");
    for binding in TABLE {
        let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
        // What has no key is found by its name among the actions.
        let keys = if keys.is_empty() { format!("`:` {}", binding.short) } else { keys.join(", ") };
        table += &format!("| {keys} | {} |\n", binding.text);
    }
    let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->");
    let (before, rest) = readme.split_once(begin).expect("the table begins");
    let (found, after) = rest.split_once(end).expect("the table ends");
    if std::env::var_os("OTPANEL_UPDATE_README").is_some() {
        std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).expect("it can be written");
        return;
    }
    assert_eq!(found, table, "OTPANEL_UPDATE_README=1 cargo test --test panel readme writes it anew");
}
