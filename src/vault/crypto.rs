//! The four primitives of the vault, each with its source and its limit: HKDF, HMAC, AES-256-GCM, SHA-256. Knows keys and
//! bytes, no format.

use std::sync::Arc;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::secret::{KeyPage, Secret};

/// Bytes that AES-256-GCM adds to what it seals.
pub const TAG_LEN: usize = 16;

/// The key of a vault: 32 random bytes that every slot wraps and every other key is derived from. No `Clone`.
pub struct DataKey(Arc<KeyPage>);

impl DataKey {
    /// Takes 32 random bytes.
    #[expect(clippy::needless_pass_by_value, reason = "the bytes are wiped where they were")]
    pub fn new(bytes: Secret<[u8; 32]>) -> Self {
        Self(Arc::new(KeyPage::new(&bytes)))
    }

    /// Shows the bytes.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// A second holder of the same page, for a save on another thread; the last one wipes it.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// HKDF-SHA-256 (RFC 5869) to 32 bytes.
pub fn hkdf(key: &[u8], salt: &[u8; 32], info: &str) -> Secret<[u8; 32]> {
    let mut out = Secret::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), key)
        .expand(info.as_bytes(), out.expose_mut())
        .expect("32 bytes are below the 8,160 that HKDF-SHA-256 can give");
    out
}

/// HMAC-SHA-256 (RFC 2104) over the parts as one text.
pub fn hmac(key: &Secret<[u8; 32]>, text: &[u8]) -> [u8; 32] {
    keyed(key, text).finalize().into_bytes().into()
}

/// True when the tag is the HMAC of the text; in constant time.
pub fn hmac_matches(key: &Secret<[u8; 32]>, text: &[u8], tag: &[u8]) -> bool {
    keyed(key, text).verify_slice(tag).is_ok()
}

fn keyed(key: &Secret<[u8; 32]>, text: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    mac.update(text);
    mac
}

/// Seals in place with AES-256-GCM (NIST SP 800-38D), nonce 0; 16 bytes longer then. The key must be used for this one
/// message alone: that is what makes the fixed nonce safe.
pub fn seal(key: &Secret<[u8; 32]>, aad: &[u8], text: &mut Vec<u8>) {
    text.reserve_exact(TAG_LEN);
    cipher(key)
        .encrypt_in_place(&Nonce::default(), aad, text)
        .expect("AES-GCM seals up to 64 GiB, and a vault is at most 64 MiB");
}

/// Opens in place what [`seal`] made. False, with the text wiped, when key, text or `aad` are not those.
#[must_use]
pub fn open(key: &Secret<[u8; 32]>, aad: &[u8], text: &mut Vec<u8>) -> bool {
    let good = cipher(key).decrypt_in_place(&Nonce::default(), aad, text).is_ok();
    if !good {
        text.clear();
    }
    good
}

/// As [`open`], of a text that stands within other bytes; gives what it held, in the same place. None, with the place as it
/// was, when key, text or `aad` are not those.
#[must_use]
pub fn open_within<'a>(key: &Secret<[u8; 32]>, aad: &[u8], sealed: &'a mut [u8]) -> Option<&'a [u8]> {
    let (text, tag) = sealed.split_at_mut(sealed.len().checked_sub(TAG_LEN)?);
    let tag = (&*tag).try_into().ok()?;
    cipher(key).decrypt_inout_detached(&Nonce::default(), aad, (&mut *text).into(), tag).ok()?;
    Some(text)
}

fn cipher(key: &Secret<[u8; 32]>) -> Aes256Gcm {
    Aes256Gcm::new(&(*key.expose()).into())
}

/// SHA-256 (FIPS 180-4).
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_gives_the_vector_of_rfc_5869() {
        // Appendix A.3 asks for zero-length salt and info; a salt of 32 zero bytes is the same to HMAC.
        let out = hkdf(&[0x0b; 22], &[0; 32], "");
        let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d";
        assert_eq!(data_encoding::HEXLOWER.encode(out.expose()), expected);
    }

    #[test]
    fn gcm_gives_the_vector_of_nist_and_refuses_every_change() {
        // Test case 14 of the GCM specification: zero key, zero nonce, one zero block.
        let key = Secret::new([0; 32]);
        let mut text = vec![0; 16];
        seal(&key, b"", &mut text);
        let expected = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
        assert_eq!(data_encoding::HEXLOWER.encode(&text), expected);
        for at in 0..text.len() {
            let mut bad = text.clone();
            bad[at] ^= 1;
            assert!(!open(&key, b"", &mut bad));
            assert!(bad.is_empty());
        }
        assert!(!open(&key, b"other", &mut text.clone()));
        let mut within = text.clone();
        assert!(open_within(&key, b"other", &mut within).is_none() && within == text, "nothing is given out");
        assert_eq!(open_within(&key, b"", &mut within), Some(&[0; 16][..]));
        assert!(open_within(&key, b"", &mut [0; 15]).is_none());
        assert!(open(&key, b"", &mut text));
        assert_eq!(text, [0; 16]);
    }

    #[test]
    fn hmac_is_checked_whole() {
        let key = Secret::new([1; 32]);
        let tag = hmac(&key, b"text");
        assert!(hmac_matches(&key, b"text", &tag));
        assert!(!hmac_matches(&key, b"texu", &tag));
        assert!(!hmac_matches(&key, b"text", &tag[..31]));
    }
}
