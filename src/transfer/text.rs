//! Turns bytes into text as exports come: UTF-8 with or without BOM, UTF-16 with BOM, any line ends.

use std::borrow::Cow;

use crate::secret::Secret;

/// Decodes text. Bytes that are no UTF-8 become the replacement character. The BOM is dropped.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |bytes: &[u8], order: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| order([pair[0], pair[1]]));
        Cow::Owned(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// Whether bytes are no text at all, told by their beginning: a tenth of it or more makes no sense as text.
pub fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    if matches!(head, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
        return false;
    }
    let strange = |c: &char| *c == char::REPLACEMENT_CHARACTER || c.is_control() && !c.is_whitespace();
    String::from_utf8_lossy(head).chars().filter(strange).count() * 10 > head.len()
}

/// The lines of a text, ended by LF, CRLF or CR, with their numbers from 1; blank ones and comments are left out.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // A CRLF makes an empty line more, so the number is counted over LF and lone CR.
    let mut number = 1;
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let here = rest?;
        let at = number;
        let line = if let Some(end) = here.find(['\n', '\r']) {
            let skip = if here[end..].starts_with("\r\n") { 2 } else { 1 };
            rest = Some(&here[end + skip..]);
            number += 1;
            &here[..end]
        } else {
            rest = None;
            here
        };
        Some((at, line))
    })
    .map(|(at, line)| (at, line.trim_matches(|c: char| c.is_whitespace() || c == '\0')))
    .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Texts, one a line.
pub fn one_a_line(texts: impl Iterator<Item = Secret<String>>) -> Secret<Vec<u8>> {
    let mut out = Secret::new(Vec::new());
    for text in texts {
        out.expose_mut().extend_from_slice(text.expose().as_bytes());
        out.expose_mut().push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_in_use_gives_the_same_text() {
        let wide = |order: fn(u16) -> [u8; 2], bom: [u8; 2]| {
            bom.into_iter().chain("Zoë".encode_utf16().flat_map(order)).collect::<Vec<u8>>()
        };
        assert_eq!(decode("Zoë".as_bytes()), "Zoë");
        assert_eq!(decode("\u{FEFF}Zoë".as_bytes()), "Zoë");
        assert_eq!(decode(&wide(u16::to_le_bytes, [0xFF, 0xFE])), "Zoë");
        assert_eq!(decode(&wide(u16::to_be_bytes, [0xFE, 0xFF])), "Zoë");
        assert_eq!(decode(b"Zo\xEB"), "Zo\u{FFFD}");
    }

    #[test]
    fn lines_end_in_any_way_and_comments_are_left_out() {
        let found: Vec<_> = lines("a\r\n\r\n# no\rb\n c \n").collect();
        assert_eq!(found, [(1, "a"), (4, "b"), (5, "c")]);
    }
}
