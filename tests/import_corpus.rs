//! Imports samples of every program and compares each account with what is expected.

mod corpus;

use std::path::Path;

fn check(folder: &str) {
    let failed = corpus::differing(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    assert!(failed.is_empty(), "{} differ\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn our_own_samples_import_exactly() {
    check("tests/samples");
}

#[test]
fn the_shared_corpus_imports_exactly_where_it_is_there() {
    if Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/expected.json").is_file() {
        check("../shared/corpus");
    }
}
