//! XML without document types: the flat preferences of Android apps, and trees for others.

use roxmltree::{Document, ParsingOptions};

use super::super::{Format, ImportError};

/// Reads a document.
///
/// # Errors
/// [`ImportError::Damaged`] with the place; document types are not read, so that nothing expands.
pub fn parse(text: &str, format: Format) -> Result<Document<'_>, ImportError> {
    if depth(text) > 200 {
        return Err(ImportError::Damaged { format, reason: String::from("its XML is nested too deeply") });
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 2_000_000, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| {
        let at = error.pos();
        let reason = format!("no valid XML at line {}, column {}", at.row, at.col);
        ImportError::Damaged { format, reason }
    })
}

/// The texts of Android preferences by their names: `<map><string name="…">…</string></map>`.
pub fn preferences(doc: &Document<'_>) -> Vec<(String, String)> {
    doc.root_element()
        .children()
        .filter(|node| node.has_tag_name("string"))
        .map(|node| (node.attribute("name").unwrap_or_default().to_owned(), node.text().unwrap_or_default().to_owned()))
        .collect()
}

/// How deep elements nest, roughly and never too little: the reader works by recursion.
fn depth(text: &str) -> usize {
    let (mut deepest, mut now) = (0usize, 0usize);
    let bytes = text.as_bytes();
    for at in memchr_iter(bytes) {
        match bytes.get(at + 1) {
            Some(b'/') => now = now.saturating_sub(1),
            Some(b'?' | b'!') | None => {}
            Some(_) => {
                let end = bytes[at..].iter().position(|b| *b == b'>').map_or(bytes.len(), |n| at + n);
                if bytes[end - 1] != b'/' {
                    now += 1;
                    deepest = deepest.max(now);
                }
            }
        }
        if deepest > 200 {
            break;
        }
    }
    deepest
}

fn memchr_iter(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.iter().enumerate().filter(|(_, b)| **b == b'<').map(|(at, _)| at)
}
