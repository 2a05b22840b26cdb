//! Steam Guard codes: the RFC 4226 value written in Steam's own 26 characters, five of them, lowest first.

const LETTERS: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";

/// Writes a truncated 31-bit value as Steam does.
pub(super) fn text(mut value: u32) -> String {
    (0..5)
        .map(|_| {
            let letter = LETTERS[value as usize % 26];
            value /= 26;
            letter as char
        })
        .collect()
}
