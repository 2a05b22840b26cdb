//! Opening and sealing under a key: AES-GCM and AES-CBC with the nonces and paddings that exports use.
//!
//! A result of none means that key and data do not fit: the wrong password, or damage.

use aes::Aes256;
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use cbc::cipher::{
    BlockModeDecrypt, BlockModeEncrypt, KeyIvInit,
    block_padding::{NoPadding, Padding, Pkcs7},
};

use crate::secret::Secret;

/// Bytes of an AES-GCM tag.
pub const TAG: usize = 16;

/// Opens AES-256-GCM with a nonce of 12 or 16 bytes; `sealed` ends in the tag.
pub fn gcm(key: &[u8; 32], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    match nonce.len() {
        12 => open(&AesGcm::<Aes256, U12>::new(key.into()), nonce, aad, sealed),
        16 => open(&AesGcm::<Aes256, U16>::new(key.into()), nonce, aad, sealed),
        _ => None,
    }
}

fn open<C: AeadInOut>(cipher: &C, nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    if sealed.len() < TAG {
        return None;
    }
    let mut data = Secret::new(sealed.to_vec());
    let nonce = <&Nonce<C>>::try_from(nonce).ok()?;
    cipher.decrypt_in_place(nonce, aad, data.expose_mut()).ok()?;
    Some(data)
}

/// Seals with AES-256-GCM; the result ends in the tag.
pub fn seal(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(plain.len() + TAG);
    data.extend_from_slice(plain);
    let cipher = AesGcm::<Aes256, U12>::new(key.into());
    cipher.encrypt_in_place(nonce.into(), aad, &mut data).expect("an export is far below the limit of the cipher");
    data
}

/// Opens AES-256-CBC with PKCS#7 padding. Without a MAC, so that a wrong key may rarely go unnoticed here.
pub fn cbc(key: &[u8; 32], iv: &[u8; 16], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    unpad::<Pkcs7>(key, iv, sealed)
}

/// Seals with AES-256-CBC and PKCS#7 padding. It authenticates nothing: a MAC must.
pub fn cbc_seal(key: &[u8; 32], iv: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plain)
}

/// Opens AES-256-CBC without padding.
pub fn cbc_raw(key: &[u8; 32], iv: &[u8; 16], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    unpad::<NoPadding>(key, iv, sealed)
}

fn unpad<P: Padding>(key: &[u8; 32], iv: &[u8; 16], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    if sealed.is_empty() || !sealed.len().is_multiple_of(16) {
        return None;
    }
    let mut data = Secret::new(sealed.to_vec());
    let len = cbc::Decryptor::<Aes256>::new(key.into(), iv.into()).decrypt_padded::<P>(data.expose_mut()).ok()?.len();
    data.expose_mut().truncate(len);
    Some(data)
}
