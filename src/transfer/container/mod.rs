//! What several formats are wrapped in, opened within bounds.

pub mod crypto;
pub mod java;
pub mod kdbx;
pub mod kdf;
pub mod secretstream;
pub mod sqlite;
pub mod xml;
pub mod zip;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, Specification};

/// Decodes base64 as it comes: either alphabet, padding or none, white space and left-over bits ignored.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = plain.trim_end_matches('=');
    let strict = if plain.contains(['-', '_']) { BASE64URL_NOPAD } else { BASE64_NOPAD };
    let mut loose: Specification = strict.specification();
    loose.check_trailing_bits = false;
    loose.encoding().unwrap_or(BASE64).decode(plain.as_bytes()).ok()
}
