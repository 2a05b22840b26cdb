//! The recovery key as people write it down: bech32m (BIP 350) under `otpanel1`, in groups of four. Pure text.

use bech32::{Bech32m, Hrp};

use crate::secret::Secret;

const PREFIX: &str = "otpanel";
/// Characters after `otpanel1`: 32 for 160 bits and 6 of the checksum.
const TAIL: usize = 38;

/// Why a text is no recovery key. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRecoveryKey {
    /// Too short or too long.
    #[error("a recovery key has 38 characters after otpanel1, this one has {0}")]
    Length(usize),
    /// A character that does not occur in one.
    #[error("the character at place {0} does not occur in a recovery key (it has no 1, b, i or o after otpanel1)")]
    Character(usize),
    /// The checksum does not fit: a slip of the pen.
    #[error("the recovery key has a slip in it: its checksum does not fit")]
    Checksum,
}

/// Writes the key: `otpanel1 xxxx xxxx … xx`.
pub fn write(key: &Secret<[u8; 20]>) -> Secret<String> {
    let hrp = Hrp::parse(PREFIX).expect("seven small letters are a valid prefix");
    let plain = Secret::new(bech32::encode::<Bech32m>(hrp, key.expose()).expect("46 characters are within the code"));
    let (head, tail) = plain.expose().split_at(PREFIX.len() + 1);
    let mut out = Secret::new(String::with_capacity(64));
    out.expose_mut().push_str(head);
    for (n, c) in tail.chars().enumerate() {
        if n % 4 == 0 {
            out.expose_mut().push(' ');
        }
        out.expose_mut().push(c);
    }
    out
}

/// Reads a key, however it was typed: capitals, blanks, line ends and dashes do not matter, and `otpanel1` may be left
/// out.
///
/// # Errors
/// [`BadRecoveryKey`] with what is wrong.
pub fn read(text: &str) -> Result<Secret<[u8; 20]>, BadRecoveryKey> {
    let dashes = ['-', '_', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];
    // Room for the longest text that is read on, so that no buffer grows and leaves a copy behind.
    let mut plain = Secret::new(String::with_capacity(PREFIX.len() + 1 + text.len()));
    let kept = text.chars().filter(|c| !c.is_whitespace() && !dashes.contains(c));
    plain.expose_mut().extend(kept.map(|c| c.to_ascii_lowercase()));
    let has_prefix = plain.expose().strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('1'));
    if !has_prefix {
        plain.expose_mut().insert_str(0, "otpanel1");
    }
    let tail = &plain.expose()[PREFIX.len() + 1..];
    let bad = |c: char| !matches!(c, '0' | '2'..='9' | 'a'..='z') || matches!(c, 'b' | 'i' | 'o');
    if let Some(at) = tail.chars().position(bad) {
        return Err(BadRecoveryKey::Character(at + 1));
    }
    if tail.len() != TAIL {
        return Err(BadRecoveryKey::Length(tail.len()));
    }
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(plain.expose())
        .map_err(|_| BadRecoveryKey::Checksum)?;
    let mut key = Secret::new([0; 20]);
    let mut bytes = checked.byte_iter();
    for slot in key.expose_mut() {
        *slot = bytes.next().ok_or(BadRecoveryKey::Checksum)?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret<[u8; 20]> {
        Secret::new(std::array::from_fn(|i| i as u8 * 7))
    }

    #[test]
    fn a_key_is_written_in_groups_of_four_and_read_back() {
        let text = write(&key());
        assert!(text.expose().starts_with("otpanel1 "));
        assert_eq!(text.expose().split(' ').count(), 11);
        assert_eq!(read(text.expose()).unwrap().expose(), key().expose());
    }

    #[test]
    fn it_is_read_however_it_was_typed() {
        let text = write(&key()).expose().clone();
        for typed in [
            text.to_uppercase(),
            text.replace(' ', ""),
            text.replace(' ', "-"),
            text.replace(' ', " \u{2013}\n"),
            text.replace("otpanel1", ""),
            format!("  {text}\r\n"),
        ] {
            assert_eq!(read(&typed).unwrap().expose(), key().expose(), "{typed}");
        }
    }

    #[test]
    fn every_single_slip_is_found() {
        let text = write(&key()).expose().replace(' ', "");
        for at in 8..text.len() {
            for c in "qpzry9x8gf2tvdw0s3jn54khce6mua7l".chars().filter(|c| !text[at..].starts_with(*c)) {
                let slip = format!("{}{c}{}", &text[..at], &text[at + 1..]);
                assert_eq!(read(&slip).unwrap_err(), BadRecoveryKey::Checksum);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let text = write(&key()).expose().replace(' ', "");
        assert_eq!(read("").unwrap_err(), BadRecoveryKey::Length(0));
        assert_eq!(read(&text[..45]).unwrap_err(), BadRecoveryKey::Length(37));
        assert_eq!(read(&format!("{}b{}", &text[..8], &text[9..])).unwrap_err(), BadRecoveryKey::Character(1));
        assert_eq!(read("otpanel1é").unwrap_err(), BadRecoveryKey::Character(1));
        assert_eq!(read("otpanel").unwrap_err(), BadRecoveryKey::Character(1), "no prefix without its 1");
    }
}
