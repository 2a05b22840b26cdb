//! One message of libsodium's `crypto_secretstream_xchacha20poly1305`, as Ente seals its export.

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

/// The tag of a stream's last message.
const FINAL: u8 = 3;

/// Opens the first message of a stream without additional data; none when the key is wrong or it is damaged.
pub fn open(key: &[u8; 32], header: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    if sealed.len() < 1 + MAC {
        return None;
    }
    let mut first = First::new(key, header.try_into().ok()?);
    let (body, mac) = sealed[1..].split_at(sealed.len() - 1 - MAC);
    if !bool::from(first.mac(sealed[0], body).as_slice().ct_eq(mac)) {
        return None;
    }
    let mut plain = Secret::new(body.to_vec());
    first.crypt(plain.expose_mut());
    Some(plain)
}

/// Seals a stream's only message. The header must be random, and never used again with the key.
pub fn seal(key: &[u8; 32], header: &[u8; HEADER], plain: &[u8]) -> Vec<u8> {
    let mut first = First::new(key, header);
    let mut sealed = Vec::with_capacity(1 + plain.len() + MAC);
    sealed.push(FINAL ^ first.tag[0]);
    sealed.extend_from_slice(plain);
    first.crypt(&mut sealed[1..]);
    let mac = first.mac(sealed[0], &sealed[1..]);
    sealed.extend(mac);
    sealed
}

/// The state at the first message.
struct First {
    stream: ChaCha20,
    mac_key: Secret<[u8; BLOCK]>,
    /// The key stream over the tag's block.
    tag: [u8; BLOCK],
}

impl First {
    fn new(key: &[u8; 32], header: &[u8; HEADER]) -> Self {
        let (salt, rest) = header.split_first_chunk::<16>().expect("a header is longer");
        let subkey = hchacha::<R20>(key.into(), salt.into());
        // The nonce is the message counter, which starts at one, and the rest of the header.
        let mut nonce = [0u8; 12];
        nonce[0] = 1;
        nonce[4..].copy_from_slice(rest);
        let mut stream = ChaCha20::new(&subkey, (&nonce).into());
        let mut mac_key = Secret::new([0u8; BLOCK]);
        stream.apply_keystream(mac_key.expose_mut());
        let mut tag = [0u8; BLOCK];
        stream.apply_keystream(&mut tag);
        Self { stream, mac_key, tag }
    }

    /// Over the sealed tag and the sealed body.
    fn mac(&self, tag: u8, body: &[u8]) -> [u8; MAC] {
        let poly = Poly1305::new(self.mac_key.expose()[..32].try_into().expect("half a block"));
        // What is authenticated is the tag's whole block as it would have been sent.
        let mut input = self.tag.to_vec();
        input[0] = tag;
        input.extend_from_slice(body);
        // libsodium pads by the length itself and not to a whole block: its format now.
        input.resize(input.len() + body.len() % MAC, 0);
        input.extend(0u64.to_le_bytes());
        input.extend(((BLOCK + body.len()) as u64).to_le_bytes());
        let mac = poly.compute_unpadded(&input);
        let mut out = [0; MAC];
        out.copy_from_slice(mac.as_slice());
        out
    }

    fn crypt(&mut self, body: &mut [u8]) {
        self.stream.seek(2 * BLOCK as u64);
        self.stream.apply_keystream(body);
    }
}
