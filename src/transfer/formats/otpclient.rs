//! OTPClient's database, versions 1 to 3, and tofa's vault, which has no mark either.

use super::super::container::kdf::{Hash, Key};
use super::super::container::{crypto, kdf};
use super::super::json::Json;
use super::super::{Format, Import, ImportError, Source, text};
use super::terminal;
use crate::secret::Secret;

const FORMAT: Format = Format::OtpClient;
const LEGACY_ROUNDS: u64 = 100_000;
/// Argon2id of tofa: 32 MiB, 3 passes, 1 lane.
const TOFA_COST: (u64, u64, u64) = (32_768, 3, 1);

/// Opens a database of version 2 or 3.
pub fn read(source: &Source<'_>) -> Result<Import, ImportError> {
    let bytes = source.bytes;
    let damaged =
        || ImportError::Damaged { format: FORMAT, reason: String::from("its header is not what it should be") };
    let word = |at: usize| bytes.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok());
    // Version 3 is packed and big-endian; version 2 is a C struct, little-endian with three bytes of padding.
    let (at, number): (usize, fn([u8; 4]) -> u32) = match (word(9), word(12)) {
        (Some([0, 0, 0, 3]), _) => (13, u32::from_be_bytes),
        (_, Some([2, 0, 0, 0])) => (16, u32::from_le_bytes),
        _ => return Err(damaged()),
    };
    let head = at + 16 + 32 + 12;
    if bytes.len() < head + crypto::TAG {
        return Err(damaged());
    }
    let (iv, salt) = (&bytes[at..at + 16], &bytes[at + 16..at + 48]);
    let cost = |i: usize| word(at + 48 + 4 * i).map_or(0, |w| u64::from(number(w)));
    let cost = (cost(1), cost(0), cost(2));
    let password = source.need_password(FORMAT)?.expose();
    let mut tries = vec![password.as_bytes()];
    if at == 16 && !password.is_ascii() {
        // It cut the password's bytes to the number of its characters.
        tries.push(&password.as_bytes()[..password.chars().count()]);
    }
    for password in tries {
        let key = kdf::argon2id(FORMAT, password, salt, cost)?;
        if let Some(plain) = crypto::gcm(key.expose(), iv, &bytes[..head], &bytes[head..]) {
            return Ok(terminal::otpclient(&Json::parse(&text::decode(plain.expose()), FORMAT)?));
        }
    }
    Err(ImportError::WrongPassword(FORMAT))
}

/// Tries version 1, which has no mark.
pub fn legacy(bytes: &[u8], password: &Secret<String>) -> Option<Import> {
    let (head, sealed) = bytes.split_at_checked(48)?;
    let password = password.expose();
    let cut = &password.as_bytes()[..password.chars().count()];
    let mut tries = vec![password.as_bytes()];
    tries.extend((cut.len() < password.len()).then_some(cut));
    tries.into_iter().find_map(|password| {
        let key: Key = kdf::pbkdf2(FORMAT, Hash::Sha512, password, &head[16..], LEGACY_ROUNDS).ok()?;
        let plain = crypto::gcm(key.expose(), &head[..16], head, sealed)?;
        Some(terminal::otpclient(&Json::parse(&text::decode(plain.expose()), FORMAT).ok()?))
    })
}

/// Tries tofa's vault: salt, nonce, sealed JSON.
pub fn tofa(bytes: &[u8], password: &Secret<String>) -> Option<Import> {
    let (head, sealed) = bytes.split_at_checked(44)?;
    let key = kdf::argon2id(Format::Tofa, password.expose().as_bytes(), &head[..32], TOFA_COST).ok()?;
    let plain = crypto::gcm(key.expose(), &head[32..], &[], sealed)?;
    Some(terminal::tofa(&Json::parse(&text::decode(plain.expose()), Format::Tofa).ok()?))
}
