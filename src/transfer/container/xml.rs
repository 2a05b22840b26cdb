//! XML without document types: the flat preferences of Android apps, and trees for others.

use roxmltree::{Document, ParsingOptions};

use super::super::{Format, ImportError};

/// Elements and texts of a document.
const MAX_NODES: u32 = 1_000_000;
/// Attributes of a document.
const MAX_ATTRIBUTES: usize = 500_000;

/// Reads a document.
///
/// # Errors
/// [`ImportError::Damaged`] with the place; document types are not read, so that nothing expands.
pub fn parse(text: &str, format: Format) -> Result<Document<'_>, ImportError> {
    if text.matches("=\"").count() + text.matches("='").count() > MAX_ATTRIBUTES {
        return Err(ImportError::TooMany { what: "attributes", limit: MAX_ATTRIBUTES });
    }
    // The reader does not recurse (since 0.21.2), so that depth costs nothing.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
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
