//! One message of libsodium's `crypto_secretstream_xchacha20poly1305`, as Ente seals its export (FORMATS 5).

use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use chacha20::{ChaCha20, R20, hchacha};
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit;
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// Bytes of a stream's header.
pub const HEADER: usize = 24;
const BLOCK: usize = 64;
const MAC: usize = 16;

/// Opens the first message of a stream without additional data; none when the key is wrong or it is damaged.
pub fn open(key: &[u8; 32], header: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    if header.len() != HEADER || sealed.len() < 1 + MAC {
        return None;
    }
    let subkey = hchacha::<R20>(key.into(), header[..16].try_into().ok()?);
    // The nonce is the message counter, which starts at one, and the rest of the header.
    let mut nonce = [0u8; 12];
    nonce[0] = 1;
    nonce[4..].copy_from_slice(&header[16..]);
    let mut stream = ChaCha20::new(&subkey, (&nonce).into());

    let mut mac_key = Secret::new([0u8; BLOCK]);
    stream.apply_keystream(mac_key.expose_mut());
    let mut tag = [0u8; BLOCK];
    stream.apply_keystream(&mut tag);
    let (body, mac) = sealed[1..].split_at(sealed.len() - 1 - MAC);
    // What is authenticated is the tag's whole block as it would have been sent.
    tag[0] = sealed[0];

    let poly = Poly1305::new(mac_key.expose()[..32].try_into().ok()?);
    let mut input = tag.to_vec();
    input.extend_from_slice(body);
    // libsodium pads by the length itself and not to a whole block: its format now.
    input.resize(input.len() + body.len() % MAC, 0);
    input.extend(0u64.to_le_bytes());
    input.extend(((BLOCK + body.len()) as u64).to_le_bytes());
    if !bool::from(poly.compute_unpadded(&input).as_slice().ct_eq(mac)) {
        return None;
    }
    let mut plain = Secret::new(body.to_vec());
    stream.seek(2 * BLOCK as u64);
    stream.apply_keystream(plain.expose_mut());
    Some(plain)
}
