//! Base32 as real secrets are written: any case, blanks, dashes, padding or none, cut short at any place.
//!
//! Knows nothing of accounts. Errors name the place of a wrong character, never the character.

use super::params::{ParamError, Seed};
use crate::secret::Secret;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Decodes to raw bytes. Ignores case, white space, `-` and `=`; drops what is left over of the last character.
///
/// # Errors
/// [`ParamError::Base32`] with the place of the first other character, counted from 1.
pub fn bytes(text: &str) -> Result<Vec<u8>, ParamError> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut acc, mut bits) = (0u32, 0u32);
    for (at, c) in text.chars().enumerate() {
        let value = match c {
            'A'..='Z' => c as u32 - 'A' as u32,
            'a'..='z' => c as u32 - 'a' as u32,
            '2'..='7' => c as u32 - '2' as u32 + 26,
            '-' | '=' => continue,
            c if c.is_whitespace() => continue,
            _ => return Err(ParamError::Base32 { at: at + 1 }),
        };
        acc = acc << 5 | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits) as u8);
            acc &= (1 << bits) - 1;
        }
    }
    Ok(out)
}

/// Decodes a shared secret.
///
/// # Errors
/// [`ParamError::Base32`], [`ParamError::EmptySecret`] when no whole byte is there, [`ParamError::LongSecret`].
pub fn decode(text: &str) -> Result<Seed, ParamError> {
    Seed::new(bytes(text)?)
}

/// Encodes in upper case without padding.
pub fn encode(bytes: &[u8]) -> Secret<String> {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0u8; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let word = u64::from_be_bytes(group);
        for i in 0..(chunk.len() * 8).div_ceil(5) {
            out.push(ALPHABET[(word >> (35 - 5 * i)) as usize & 31] as char);
        }
    }
    Secret::new(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_section_10_hold_both_ways() {
        let vectors = [
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ];
        for (plain, text) in vectors {
            assert_eq!(bytes(text).expect("decodes"), plain.as_bytes());
            assert_eq!(encode(plain.as_bytes()).expose(), text.trim_end_matches('='));
        }
    }

    #[test]
    fn case_blanks_dashes_and_padding_do_not_matter() {
        assert_eq!(bytes("mzxw 6ytb-oi\t= ").expect("decodes"), b"foobar");
    }

    #[test]
    fn lengths_that_strict_decoders_refuse_are_cut_to_whole_bytes() {
        for (len, whole) in [(7, 4), (9, 5), (13, 8), (14, 8), (17, 10)] {
            assert_eq!(decode(&"7".repeat(len)).expect("decodes").expose().len(), whole);
        }
    }

    #[test]
    fn a_wrong_character_is_named_by_its_place_alone() {
        for text in ["MZX0W6", "MZX1W6", "MZX8W6", "MZX9W6", "MZX!W6", "MZXßW6"] {
            assert_eq!(decode(text).err(), Some(ParamError::Base32 { at: 4 }));
        }
    }

    #[test]
    fn no_whole_byte_is_no_secret() {
        for text in ["", "A", "= -"] {
            assert_eq!(decode(text).err(), Some(ParamError::EmptySecret));
        }
    }
}
