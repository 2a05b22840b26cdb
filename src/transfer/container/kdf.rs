//! Keys from passwords with foreign parameters, checked against bounds before any work or memory is spent.

use argon2::{Algorithm, Argon2, Params, Version};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::super::{Format, ImportError};
use crate::secret::Secret;

/// A key of 32 bytes.
pub type Key = Secret<[u8; 32]>;

/// PBKDF2 rounds that are accepted.
pub const MAX_ROUNDS: u64 = 10_000_000;
const GIB: u64 = 1 << 30;

/// The hash of PBKDF2.
#[derive(Clone, Copy)]
pub enum Hash {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

fn limit(format: Format, what: String, limit: &'static str) -> ImportError {
    ImportError::Limits { format, what, limit }
}

/// PBKDF2 (RFC 8018 section 5.2).
///
/// # Errors
/// [`ImportError::Limits`] outside 1 to [`MAX_ROUNDS`] rounds.
pub fn pbkdf2(format: Format, hash: Hash, password: &[u8], salt: &[u8], rounds: u64) -> Result<Key, ImportError> {
    if !(1..=MAX_ROUNDS).contains(&rounds) {
        return Err(limit(format, format!("{rounds} rounds of key derivation"), "1 to 10,000,000"));
    }
    let mut key = Secret::new([0; 32]);
    let rounds = rounds as u32;
    match hash {
        Hash::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, key.expose_mut()),
        Hash::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, key.expose_mut()),
        Hash::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, rounds, key.expose_mut()),
    }
    Ok(key)
}

/// Argon2id, version 0x13 (RFC 9106). Memory in KiB.
///
/// # Errors
/// [`ImportError::Limits`] for more than 1 GiB, 64 passes, 16 lanes or 8 GiB in all, and for zeros;
/// [`ImportError::Damaged`] for a salt that is too short.
pub fn argon2id(
    format: Format,
    password: &[u8],
    salt: &[u8],
    (kib, passes, lanes): (u64, u64, u64),
) -> Result<Key, ImportError> {
    if !(8..=GIB / 1024).contains(&kib) {
        return Err(limit(format, format!("{kib} KiB of memory"), "8 KiB to 1 GiB"));
    }
    if !(1..=64).contains(&passes) || kib * passes > 8 * GIB / 1024 {
        return Err(limit(format, format!("{passes} passes over {kib} KiB"), "64 passes, 8 GiB in all"));
    }
    if !(1..=16).contains(&lanes) {
        return Err(limit(format, format!("{lanes} lanes"), "1 to 16"));
    }
    let mut key = Secret::new([0; 32]);
    Params::new(kib as u32, passes as u32, lanes as u32, Some(32))
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        .and_then(|argon| argon.hash_password_into(password, salt, key.expose_mut()))
        .map_err(|_| ImportError::Damaged { format, reason: String::from("its key derivation makes no sense") })?;
    Ok(key)
}

/// The memory that scrypt with these parameters moves, in bytes, when it is within bounds.
///
/// # Errors
/// [`ImportError::Limits`] unless N is a power of two, r at least 1, N·r·128 at most 1 GiB and p 1 to 16.
pub fn scrypt_cost(format: Format, n: u64, r: u64, p: u64) -> Result<u64, ImportError> {
    let memory = n.checked_mul(r).and_then(|m| m.checked_mul(128)).filter(|m| *m <= GIB && n > 1 && r > 0);
    match memory {
        Some(memory) if n.is_power_of_two() && (1..=16).contains(&p) => Ok(memory * p),
        _ => Err(limit(format, format!("scrypt with N={n}, r={r}, p={p}"), "1 GiB, N a power of two, p up to 16")),
    }
}

/// scrypt (RFC 7914).
///
/// # Errors
/// As [`scrypt_cost`].
pub fn scrypt(format: Format, password: &[u8], salt: &[u8], (n, r, p): (u64, u64, u64)) -> Result<Key, ImportError> {
    scrypt_cost(format, n, r, p)?;
    let mut key = Secret::new([0; 32]);
    scrypt::Params::new(n.trailing_zeros() as u8, r as u32, p as u32)
        .ok()
        .and_then(|params| scrypt::scrypt(password, salt, &params, key.expose_mut()).ok())
        .ok_or(ImportError::Damaged { format, reason: String::from("its key derivation makes no sense") })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_beyond_sense_are_refused_before_any_work() {
        let f = Format::Aegis;
        for (n, r, p) in [
            (1 << 31, 8, 1),
            (3, 8, 1),
            (0, 8, 1),
            (1, 8, 1),
            (1 << 15, 1 << 30, 1),
            (1 << 15, 8, 17),
            (2, u64::MAX, 1),
        ] {
            assert!(matches!(scrypt(f, b"x", b"s", (n, r, p)), Err(ImportError::Limits { .. })), "{n} {r} {p}");
        }
        for rounds in [0, MAX_ROUNDS + 1, u64::MAX] {
            assert!(matches!(pbkdf2(f, Hash::Sha1, b"x", b"s", rounds), Err(ImportError::Limits { .. })));
        }
        for cost in
            [(0, 1, 1), ((1 << 20) + 1, 1, 1), (1 << 20, 9, 1), (64, 65, 1), (64, 0, 1), (64, 1, 0), (1024, 1, 17)]
        {
            assert!(matches!(argon2id(f, b"x", b"saltsalt", cost), Err(ImportError::Limits { .. })), "{cost:?}");
        }
    }

    #[test]
    fn pbkdf2_gives_the_values_of_rfc_6070_and_rfc_7914() {
        let key = pbkdf2(Format::Aegis, Hash::Sha1, b"password", b"salt", 4096).expect("in bounds");
        assert_eq!(data_encoding::HEXLOWER.encode(&key.expose()[..20]), "4b007901b765489abead49d926f721d065a429c1");
        let key = pbkdf2(Format::Aegis, Hash::Sha256, b"passwd", b"salt", 1).expect("in bounds");
        assert_eq!(
            data_encoding::HEXLOWER.encode(key.expose()),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        );
    }
}
