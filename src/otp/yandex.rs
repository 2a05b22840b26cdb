//! Yandex Key codes: eight letters from HMAC-SHA256 under SHA-256(PIN, secret).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use super::base32;
use super::params::{ParamError, Pin, Seed};

/// Bytes of a Yandex secret that count; ten more hold a checksum.
const LEN: usize = 16;

/// The code for a counter (seconds / 30).
pub(super) fn text(seed: &[u8], pin: &str, counter: u64) -> String {
    let mut key = Sha256::new().chain_update(pin.as_bytes()).chain_update(&seed[..seed.len().min(LEN)]).finalize();
    // The apps keep the key as a big number and so lose a leading zero byte.
    let used = if key[0] == 0 { &key[1..] } else { &key[..] };
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(used).expect("HMAC takes a key of any length");
    mac.update(&counter.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    key.zeroize();
    let at = usize::from(hash[31] & 15);
    let mut word = [0u8; 8];
    word.copy_from_slice(&hash[at..at + 8]);
    let mut value = (u64::from_be_bytes(word) & (u64::MAX >> 1)) % 26u64.pow(8);
    let mut letters = [b'a'; 8];
    for letter in letters.iter_mut().rev() {
        *letter = b'a' + (value % 26) as u8;
        value /= 26;
    }
    letters.iter().map(|b| char::from(*b)).collect()
}

/// Takes the bytes of a Yandex secret: 16, or 26 with a checksum, of which the first 16 count.
///
/// # Errors
/// [`ParamError::SecretLength`] for any other length.
pub fn seed(mut bytes: Vec<u8>) -> Result<Seed, ParamError> {
    match bytes.len() {
        LEN | 26 => {
            bytes[LEN..].zeroize();
            bytes.truncate(LEN);
            Seed::new(bytes)
        }
        0 => Err(ParamError::EmptySecret),
        _ => {
            bytes.zeroize();
            Err(ParamError::SecretLength)
        }
    }
}

/// Reads the PIN of a link: base32 of its text, as the apps write it, or the digits themselves, as people do. Base32 of
/// digits always begins with a `G`, so it is never taken for them.
///
/// # Errors
/// [`ParamError::MissingPin`] for nothing, [`ParamError::Pin`] for anything else.
pub fn pin(value: &str) -> Result<Pin, ParamError> {
    let value = value.trim();
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return Pin::new(value.to_owned());
    }
    let bytes = base32::bytes(value).map_err(|_| ParamError::Pin)?;
    Pin::new(String::from_utf8(bytes).map_err(|_| ParamError::Pin)?)
}

#[cfg(test)]
mod tests {
    use super::super::base32;
    use super::*;

    #[test]
    fn codes_are_as_phones_showed_them() {
        let vectors = [
            ("5239", "6SB2IKNM6OBZPAVBVTOHDKS4FAAAAAAADFUTQMBTRY", 1_641_559_648u64, "umozdicq"),
            ("7586", "LA2V6KMCGYMWWVEW64RNP3JA3IAAAAAAHTSG4HRZPI", 1_581_064_020, "oactmacq"),
            ("7586", "LA2V6KMCGYMWWVEW64RNP3JA3IAAAAAAHTSG4HRZPI", 1_581_090_810, "wemdwrix"),
            ("5210481216086702", "JBGSAU4G7IEZG6OY4UAXX62JU4AAAAAAHTSG4HXU3M", 1_581_091_469, "dfrpywob"),
            ("5210481216086702", "JBGSAU4G7IEZG6OY4UAXX62JU4AAAAAAHTSG4HXU3M", 1_581_093_059, "vunyprpd"),
        ];
        for (pin, secret, secs, code) in vectors {
            let seed = seed(base32::bytes(secret).expect("base32")).expect("26 bytes");
            assert_eq!(seed.expose().len(), 16);
            assert_eq!(text(seed.expose(), pin, secs / 30), code);
        }
    }

    #[test]
    fn a_secret_of_another_length_is_refused() {
        for len in [1, 15, 17, 25, 27] {
            assert_eq!(seed(vec![1; len]).err(), Some(ParamError::SecretLength));
        }
    }
}
