//! The one Java object that matters here: a serialised `HashMap` of texts. Nothing is instantiated.

/// What a stream begins with.
pub const MAGIC: &[u8] = &[0xAC, 0xED, 0x00, 0x05];
/// After the magic: object, class description, name, version, and that it writes its own data.
const HASH_MAP: &[u8] = b"sr\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03";
/// Its fields with the bytes that their values take: older Androids had one, newer two. No annotations, no superclass.
const FIELDS: [(&[u8], usize); 2] =
    [(b"\x00\x01F\x00\x0aloadFactorxp", 4), (b"\x00\x02F\x00\x0aloadFactorI\x00\x09thresholdxp", 8)];

/// Reads the pairs. None when it is anything but a whole map of texts.
pub fn pairs(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(HASH_MAP)?;
    let (rest, values) = FIELDS.iter().find_map(|(fields, values)| Some((rest.strip_prefix(*fields)?, *values)))?;
    let mut at = Cursor(rest);
    at.take(values)?;
    if at.take(2)? != [0x77, 8] {
        return None;
    }
    at.take(4)?;
    let size = u32::from_be_bytes(at.take(4)?.try_into().ok()?);
    let mut pairs = Vec::new();
    for _ in 0..size {
        pairs.push((at.text()?, at.text()?));
    }
    (at.take(1)? == [0x78]).then_some(pairs)
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (here, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(here)
    }

    fn text(&mut self) -> Option<String> {
        let len = match self.take(1)?[0] {
            b't' => usize::from(u16::from_be_bytes(self.take(2)?.try_into().ok()?)),
            // A text of 64 KiB or more.
            b'|' => usize::try_from(u64::from_be_bytes(self.take(8)?.try_into().ok()?)).ok()?,
            _ => return None,
        };
        modified_utf8(self.take(len)?)
    }
}

/// Java's UTF-8: NUL in two bytes, everything beyond the first plane as two surrogates of three bytes each.
fn modified_utf8(bytes: &[u8]) -> Option<String> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        let more = |i: usize| after.get(i).filter(|b| **b & 0xC0 == 0x80).map(|b| u16::from(b & 0x3F));
        let (unit, len) = match first {
            0..=0x7F => (u16::from(*first), 1),
            0xC0..=0xDF => (u16::from(first & 0x1F) << 6 | more(0)?, 2),
            0xE0..=0xEF => (u16::from(first & 0x0F) << 12 | more(0)? << 6 | more(1)?, 3),
            _ => return None,
        };
        units.push(unit);
        rest = &rest[len..];
    }
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(size: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut out = [MAGIC, HASH_MAP, FIELDS[1].0, &[0; 8], &[0x77, 8, 0, 0, 0, 16]].concat();
        out.extend(size.to_be_bytes());
        for text in pairs.iter().flat_map(|(k, v)| [k, v]) {
            out.push(b't');
            out.extend((text.len() as u16).to_be_bytes());
            out.extend(text.bytes());
        }
        out.push(b'x');
        out
    }

    #[test]
    fn a_map_of_texts_is_read() {
        let bytes = map(2, &[("a", "Zoë"), ("c", "")]);
        assert_eq!(pairs(&bytes).expect("a map"), [("a".into(), "Zoë".into()), ("c".into(), String::new())]);
    }

    #[test]
    fn characters_beyond_the_first_plane_come_as_surrogates() {
        assert_eq!(modified_utf8(b"\xED\xA0\xBD\xED\xB8\x80\xC0\x80").expect("valid"), "\u{1F600}\0");
    }

    #[test]
    fn lies_about_sizes_and_other_classes_are_refused() {
        let whole = map(1, &[("a", "b")]);
        assert!(pairs(&map(u32::MAX, &[("a", "b")])).is_none());
        assert!(pairs(&whole[..whole.len() - 1]).is_none());
        let mut other = whole.clone();
        other[10] ^= 1;
        assert!(pairs(&other).is_none());
        assert!(pairs(MAGIC).is_none());
    }
}
