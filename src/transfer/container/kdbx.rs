//! Opens KeePass databases, KDBX 3.1 and 4: the XML inside and the stream that still covers its protected values.
//!
//! The key derivation is read and bounded before any of it is run. Written after the published format
//! (keepass.info/help/kb/kdbx.html); attachments and everything but the XML are passed over.

use std::io::Read;

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, BlockModeDecrypt, KeyInit, KeyIvInit, StreamCipher, block_padding::Pkcs7};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20::ChaCha20;
use hmac::{Hmac, Mac};
use salsa20::Salsa20;
use sha2::{Digest, Sha256, Sha512};
use twofish::Twofish;

use super::super::{Format, ImportError, MAX_FILE};
use super::{crypto, xml};
use crate::secret::Secret;

const FORMAT: Format = Format::KeePass;
const AES: [u8; 16] = 0x31c1_f2e6_bf71_4350_be58_0521_6afc_5aff_u128.to_be_bytes();
const CHACHA20: [u8; 16] = 0xd603_8a2b_8b6f_4cb5_a524_339a_31db_b59a_u128.to_be_bytes();
const TWOFISH: [u8; 16] = 0xad68_f29f_576f_4bb9_a36a_d47a_f965_346c_u128.to_be_bytes();
const ARGON2D: [u8; 16] = 0xef63_6ddf_8c29_444b_91f7_a9a4_03e3_0a0c_u128.to_be_bytes();
const ARGON2ID: [u8; 16] = 0x9e29_8b19_56db_4773_b23d_fc3e_c6f0_a1e6_u128.to_be_bytes();
/// AES-KDF as KDBX 3 and as KDBX 4 call it.
const AES_KDF: [[u8; 16]; 2] = [
    0xc9d9_f39a_628a_4460_bf74_0d08_c18a_4fea_u128.to_be_bytes(),
    0x7c02_bb82_79a7_4ac0_927d_114a_0064_8238_u128.to_be_bytes(),
];
const MAX_AES_ROUNDS: u64 = 1_000_000_000;
const GIB: u64 = 1 << 30;

/// What an open database holds.
pub struct Inside {
    /// The XML, its protected values still covered.
    pub xml: Secret<Vec<u8>>,
    stream: Stream,
}

enum Stream {
    None,
    ChaCha20(Box<ChaCha20>),
    Salsa20(Box<Salsa20>),
}

impl Inside {
    /// Uncovers the next protected value, in the order of the document.
    pub fn uncover(&mut self, bytes: &mut [u8]) {
        match &mut self.stream {
            Stream::None => {}
            Stream::ChaCha20(stream) => stream.apply_keystream(bytes),
            Stream::Salsa20(stream) => stream.apply_keystream(bytes),
        }
    }
}

fn damaged(reason: &str) -> ImportError {
    ImportError::Damaged { format: FORMAT, reason: reason.to_owned() }
}

/// The outer header.
#[derive(Default)]
struct Header {
    cipher: Vec<u8>,
    compressed: bool,
    seed: Vec<u8>,
    iv: Vec<u8>,
    kdf: Option<Kdf>,
    transform_seed: Vec<u8>,
    rounds: u64,
    stream_key: Vec<u8>,
    start: Vec<u8>,
    stream: u32,
}

enum Kdf {
    Aes { seed: [u8; 32], rounds: u64 },
    Argon { algorithm: Algorithm, version: Version, salt: Vec<u8>, kib: u32, passes: u32, lanes: u32 },
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], ImportError> {
        let (here, rest) = self.0.split_at_checked(n).ok_or_else(|| damaged("it ends too early"))?;
        self.0 = rest;
        Ok(here)
    }

    fn word(&mut self) -> Result<u32, ImportError> {
        Ok(number(self.take(4)?) as u32)
    }
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// Opens a database.
///
/// # Errors
/// [`ImportError::PasswordNeeded`], [`ImportError::WrongPassword`], [`ImportError::Limits`], [`ImportError::Damaged`], and
/// [`ImportError::Refused`] for KeePass 1.
pub fn open(bytes: &[u8], password: Option<&Secret<String>>, key_file: Option<&[u8]>) -> Result<Inside, ImportError> {
    let mut at = Cursor(bytes);
    at.take(4)?;
    if at.take(4)? != [0x67, 0xFB, 0x4B, 0xB5] {
        let reason = "This is a file of KeePass 1. Open it in KeePassXC or KeePass 2 and save it as .kdbx.";
        return Err(ImportError::Refused { format: FORMAT, reason: reason.to_owned() });
    }
    at.take(2)?;
    let major = number(at.take(2)?);
    if !matches!(major, 3 | 4) {
        return Err(damaged("its version is unknown"));
    }
    let header = header(&mut at, major)?;
    let head = &bytes[..bytes.len() - at.0.len()];
    if password.is_none_or(|p| p.expose().is_empty()) && key_file.is_none() {
        return Err(ImportError::PasswordNeeded(FORMAT));
    }
    let key = transform(
        &composite(password, key_file),
        header.kdf.as_ref().ok_or_else(|| damaged("it has no key derivation"))?,
    )?;
    if major == 4 { four(at, head, &header, &key) } else { three(&at, &header, &key) }
}

fn header(at: &mut Cursor<'_>, major: u64) -> Result<Header, ImportError> {
    let mut header = Header::default();
    loop {
        let id = at.take(1)?[0];
        let len = if major == 4 { at.word()? as usize } else { number(at.take(2)?) as usize };
        let data = at.take(len)?;
        match id {
            0 => break,
            2 => header.cipher = data.to_vec(),
            3 => header.compressed = number(data) == 1,
            4 => header.seed = data.to_vec(),
            5 => header.transform_seed = data.to_vec(),
            6 => header.rounds = number(data),
            7 => header.iv = data.to_vec(),
            8 => header.stream_key = data.to_vec(),
            9 => header.start = data.to_vec(),
            10 => header.stream = number(data) as u32,
            11 => header.kdf = Some(parameters(data)?),
            _ => {}
        }
    }
    if major == 3 {
        let seed =
            header.transform_seed.as_slice().try_into().map_err(|_| damaged("its key derivation has no seed"))?;
        header.kdf = Some(aes_kdf(seed, header.rounds)?);
    }
    Ok(header)
}

fn aes_kdf(seed: [u8; 32], rounds: u64) -> Result<Kdf, ImportError> {
    if rounds > MAX_AES_ROUNDS {
        let what = format!("{rounds} rounds of key derivation");
        return Err(ImportError::Limits { format: FORMAT, what, limit: "1,000,000,000" });
    }
    Ok(Kdf::Aes { seed, rounds })
}

/// Reads and checks the dictionary of the key derivation.
fn parameters(data: &[u8]) -> Result<Kdf, ImportError> {
    let mut at = Cursor(data);
    at.take(2)?;
    let mut found: Vec<(&[u8], &[u8])> = Vec::new();
    while at.take(1)?[0] != 0 {
        let len = at.word()? as usize;
        let key = at.take(len)?;
        let len = at.word()? as usize;
        found.push((key, at.take(len)?));
    }
    let get = |key: &[u8]| found.iter().find(|(k, _)| *k == key).map(|(_, v)| *v).unwrap_or_default();
    let uuid = get(b"$UUID");
    if AES_KDF.iter().any(|known| known == uuid) {
        return aes_kdf(
            get(b"S").try_into().map_err(|_| damaged("its key derivation has no seed"))?,
            number(get(b"R")),
        );
    }
    let algorithm = match uuid {
        id if id == ARGON2D => Algorithm::Argon2d,
        id if id == ARGON2ID => Algorithm::Argon2id,
        _ => return Err(damaged("its key derivation is unknown")),
    };
    let version = if number(get(b"V")) == 0x10 { Version::V0x10 } else { Version::V0x13 };
    let (kib, passes, lanes) = (number(get(b"M")) / 1024, number(get(b"I")), number(get(b"P")));
    if !(8..=GIB / 1024).contains(&kib)
        || !(1..=16).contains(&lanes)
        || passes == 0
        || passes.saturating_mul(kib) > 8 * GIB / 1024
    {
        let what = format!("{passes} passes over {kib} KiB in {lanes} lanes");
        return Err(ImportError::Limits { format: FORMAT, what, limit: "1 GiB, 8 GiB in all passes, 16 lanes" });
    }
    Ok(Kdf::Argon {
        algorithm,
        version,
        salt: get(b"S").to_vec(),
        kib: kib as u32,
        passes: passes as u32,
        lanes: lanes as u32,
    })
}

/// The hash over the password's hash and the key file's.
fn composite(password: Option<&Secret<String>>, key_file: Option<&[u8]>) -> Secret<[u8; 32]> {
    let mut hash = Sha256::new();
    if let Some(password) = password.filter(|p| !p.expose().is_empty() || key_file.is_none()) {
        hash.update(Sha256::digest(password.expose().as_bytes()));
    }
    if let Some(file) = key_file {
        hash.update(file_key(file));
    }
    Secret::new(hash.finalize().into())
}

/// The key in a key file: XML of either version, 32 bytes, 64 hexadecimal digits, or the hash of anything else.
fn file_key(file: &[u8]) -> Vec<u8> {
    let hex = |text: &str| data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().filter(|k| k.len() == 32);
    let text = std::str::from_utf8(file).unwrap_or_default().trim_start_matches('\u{FEFF}');
    if let Ok(doc) = xml::parse(text, FORMAT)
        && let Some(data) = doc.descendants().find(|n| n.has_tag_name("Data")).and_then(|n| n.text())
    {
        let plain: String = data.chars().filter(|c| !c.is_whitespace()).collect();
        if let Some(key) = hex(&plain).or_else(|| super::base64(&plain)) {
            return key;
        }
    }
    match file.len() {
        32 => file.to_vec(),
        _ => hex(text.trim()).unwrap_or_else(|| Sha256::digest(file).to_vec()),
    }
}

fn transform(key: &Secret<[u8; 32]>, kdf: &Kdf) -> Result<Secret<[u8; 32]>, ImportError> {
    let mut out = Secret::new(*key.expose());
    match kdf {
        Kdf::Aes { seed, rounds } => {
            let cipher = Aes256::new(seed.into());
            let mut blocks = [aes::Block::default(); 2];
            for (block, half) in blocks.iter_mut().zip(key.expose().chunks_exact(16)) {
                block.copy_from_slice(half);
            }
            for _ in 0..*rounds {
                cipher.encrypt_blocks(&mut blocks);
            }
            *out.expose_mut() = Sha256::digest(blocks.as_flattened_bytes()).into();
        }
        Kdf::Argon { algorithm, version, salt, kib, passes, lanes } => {
            Params::new(*kib, *passes, *lanes, Some(32))
                .map(|params| Argon2::new(*algorithm, *version, params))
                .and_then(|argon| argon.hash_password_into(key.expose(), salt, out.expose_mut()))
                .map_err(|_| damaged("its key derivation makes no sense"))?;
        }
    }
    Ok(out)
}

/// Two blocks as one run of bytes.
trait Flat {
    fn as_flattened_bytes(&self) -> Vec<u8>;
}

impl Flat for [aes::Block; 2] {
    fn as_flattened_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|block| block.iter().copied()).collect()
    }
}

fn master(header: &Header, key: &Secret<[u8; 32]>) -> Secret<[u8; 32]> {
    Secret::new(Sha256::new().chain_update(&header.seed).chain_update(key.expose()).finalize().into())
}

fn decrypt(header: &Header, key: &Secret<[u8; 32]>, sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    let key = master(header, key);
    match header.cipher.as_slice() {
        id if id == AES => crypto::cbc(key.expose(), header.iv.as_slice().try_into().ok()?, sealed),
        id if id == CHACHA20 => {
            let mut plain = Secret::new(sealed.to_vec());
            ChaCha20::new_from_slices(key.expose(), &header.iv).ok()?.apply_keystream(plain.expose_mut());
            Some(plain)
        }
        id if id == TWOFISH => {
            let mut plain = Secret::new(sealed.to_vec());
            let cipher = cbc::Decryptor::<Twofish>::new_from_slices(key.expose(), &header.iv).ok()?;
            let len = cipher.decrypt_padded::<Pkcs7>(plain.expose_mut()).ok()?.len();
            plain.expose_mut().truncate(len);
            Some(plain)
        }
        _ => None,
    }
}

fn unpack(packed: bool, plain: Secret<Vec<u8>>) -> Result<Secret<Vec<u8>>, ImportError> {
    if !packed {
        return Ok(plain);
    }
    let mut out = Secret::new(Vec::new());
    let read =
        flate2::read::GzDecoder::new(plain.expose().as_slice()).take(MAX_FILE as u64 + 1).read_to_end(out.expose_mut());
    match read {
        Ok(n) if n > MAX_FILE => Err(ImportError::TooLarge { what: "the database inside", mib: MAX_FILE >> 20 }),
        Ok(_) => Ok(out),
        Err(_) => Err(damaged("its content cannot be unpacked")),
    }
}

/// KDBX 4: authenticated blocks, and an inner header before the XML.
fn four(mut at: Cursor<'_>, head: &[u8], header: &Header, key: &Secret<[u8; 32]>) -> Result<Inside, ImportError> {
    if at.take(32)? != Sha256::digest(head).as_slice() {
        return Err(damaged("its header does not fit its hash"));
    }
    let base = Sha512::new().chain_update(&header.seed).chain_update(key.expose()).chain_update([1]).finalize();
    let mac = |index: u64, parts: &[&[u8]], tag: &[u8]| {
        let key = Sha512::new().chain_update(index.to_le_bytes()).chain_update(base).finalize();
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac.verify_slice(tag).is_ok()
    };
    if !mac(u64::MAX, &[head], at.take(32)?) {
        return Err(ImportError::WrongPassword(FORMAT));
    }
    let mut sealed = Vec::with_capacity(at.0.len());
    for index in 0u64.. {
        let tag = at.take(32)?;
        let size = at.word()?;
        let data = at.take(size as usize)?;
        if !mac(index, &[&index.to_le_bytes(), &size.to_le_bytes(), data], tag) {
            return Err(damaged("a block of it was altered"));
        }
        if size == 0 {
            break;
        }
        sealed.extend_from_slice(data);
    }
    let plain = decrypt(header, key, &sealed).ok_or_else(|| damaged("its content does not open"))?;
    inside(plain, header.compressed)
}

/// What lies under the seal of KDBX 4: a header of its own, then the XML.
pub fn inside(plain: Secret<Vec<u8>>, packed: bool) -> Result<Inside, ImportError> {
    let plain = unpack(packed, plain)?;
    let mut at = Cursor(plain.expose());
    let (mut kind, mut stream_key) = (0, Vec::new());
    loop {
        let id = at.take(1)?[0];
        let len = at.word()? as usize;
        let data = at.take(len)?;
        match id {
            0 => break,
            1 => kind = number(data) as u32,
            2 => stream_key = data.to_vec(),
            _ => {}
        }
    }
    Ok(Inside { xml: Secret::new(at.0.to_vec()), stream: stream(kind, &stream_key)? })
}

/// KDBX 3.1: bytes that tell a wrong key, then hashed blocks.
fn three(at: &Cursor<'_>, header: &Header, key: &Secret<[u8; 32]>) -> Result<Inside, ImportError> {
    let plain = decrypt(header, key, at.0).ok_or(ImportError::WrongPassword(FORMAT))?;
    let Some(rest) = plain.expose().strip_prefix(header.start.as_slice()).filter(|_| header.start.len() == 32) else {
        return Err(ImportError::WrongPassword(FORMAT));
    };
    let mut at = Cursor(rest);
    let mut whole = Secret::new(Vec::with_capacity(rest.len()));
    loop {
        at.take(4)?;
        let hash = at.take(32)?;
        let len = at.word()? as usize;
        let data = at.take(len)?;
        if len == 0 {
            break;
        }
        if Sha256::digest(data).as_slice() != hash {
            return Err(damaged("a block of it was altered"));
        }
        whole.expose_mut().extend_from_slice(data);
    }
    Ok(Inside { xml: unpack(header.compressed, whole)?, stream: stream(header.stream, &header.stream_key)? })
}

fn stream(kind: u32, key: &[u8]) -> Result<Stream, ImportError> {
    match kind {
        0 => Ok(Stream::None),
        2 => {
            let nonce = [0xE8, 0x30, 0x09, 0x4B, 0x97, 0x20, 0x5D, 0x2A];
            Ok(Stream::Salsa20(Box::new(Salsa20::new(&Sha256::digest(key), &nonce.into()))))
        }
        3 => {
            let hash = Sha512::digest(key);
            let stream = ChaCha20::new_from_slices(&hash[..32], &hash[32..44]);
            Ok(Stream::ChaCha20(Box::new(stream.map_err(|_| damaged("its inner key makes no sense"))?)))
        }
        _ => Err(damaged("its inner stream is unknown")),
    }
}
