//! Argon2id (RFC 9106) with bounds: from a password to 32 bytes. Knows no slots and no clock; choosing the cost by
//! measuring is in [`crate::unlock`].

use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroize;

use crate::secret::Secret;

/// The cost of one derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KdfParams {
    /// Memory in KiB: 8,192 (8 MiB) to 1,048,576 (1 GiB).
    pub memory_kib: u32,
    /// Passes over it: 1 to 16.
    pub passes: u32,
    /// Lanes: 1 to 16.
    pub lanes: u32,
}

/// Why a derivation was refused or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// One slot asks for less or more than is allowed.
    #[error("a key derivation of {} MiB, {} passes and {} lanes is out of bounds", .0.memory_kib / 1024, .0.passes, .0.lanes)]
    Bounds(KdfParams),
    /// The slots together ask for more than is allowed.
    #[error("the key derivations together ask for {0} MiB-passes, more than {max}", max = KdfParams::TOTAL_MAX >> 10)]
    Total(u64),
    /// The memory could not be had.
    #[error("there is not enough memory for the key derivation")]
    Memory,
}

impl KdfParams {
    /// What a new vault uses at least: 64 MiB, 3 passes, 4 lanes (the second choice of RFC 9106 section 4).
    pub const DEFAULT: Self = Self { memory_kib: 65_536, passes: 3, lanes: 4 };
    /// The least that is accepted; for tests.
    pub const WEAKEST: Self = Self { memory_kib: 8_192, passes: 1, lanes: 1 };
    /// KiB times passes that all slots of a file may ask for together: what the costliest single slot may.
    pub const TOTAL_MAX: u64 = 1_048_576 * 16;

    /// Checks the bounds. Costs nothing.
    ///
    /// # Errors
    /// [`KdfError::Bounds`].
    pub fn check(self) -> Result<(), KdfError> {
        let fits = (8_192..=1_048_576).contains(&self.memory_kib)
            && (1..=16).contains(&self.passes)
            && (1..=16).contains(&self.lanes);
        if fits { Ok(()) } else { Err(KdfError::Bounds(self)) }
    }

    /// KiB times passes: what a guess costs, and what opening costs.
    pub const fn cost(self) -> u64 {
        self.memory_kib as u64 * self.passes as u64
    }

    /// True when it asks for less than `other` in memory or in all.
    pub const fn weaker_than(self, other: Self) -> bool {
        self.memory_kib < other.memory_kib || self.cost() < other.cost()
    }

    /// Checks each of a file's derivations and their sum. Costs nothing.
    ///
    /// # Errors
    /// [`KdfError::Bounds`], [`KdfError::Total`].
    pub fn check_all(all: impl IntoIterator<Item = Self>) -> Result<(), KdfError> {
        let mut total = 0;
        for params in all {
            params.check()?;
            total += params.cost();
        }
        if total > Self::TOTAL_MAX { Err(KdfError::Total(total >> 10)) } else { Ok(()) }
    }
}

impl Default for KdfParams {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Argon2id version 0x13 over the password in Unicode form NFKC as UTF-8, so that it opens whatever way a keyboard
/// composes its letters.
///
/// # Errors
/// [`KdfError::Bounds`] before anything runs, [`KdfError::Memory`].
pub fn argon2id(password: &Secret<String>, salt: &[u8; 32], params: KdfParams) -> Result<Secret<[u8; 32]>, KdfError> {
    params.check()?;
    let normal = Secret::new(password.expose().nfkc().collect::<String>());
    let shape =
        Params::new(params.memory_kib, params.passes, params.lanes, Some(32)).map_err(|_| KdfError::Bounds(params))?;
    let mut out = Secret::new([0; 32]);
    let derived = Argon2::new(Algorithm::Argon2id, Version::V0x13, shape).hash_password_into(
        normal.expose().as_bytes(),
        salt,
        out.expose_mut(),
    );
    if derived.is_err() {
        out.expose_mut().zeroize();
        return Err(KdfError::Memory);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(password: &str) -> Secret<[u8; 32]> {
        argon2id(&Secret::new(password.to_owned()), &[7; 32], KdfParams::WEAKEST).unwrap()
    }

    #[test]
    fn bounds_are_refused_in_no_time_each_and_together() {
        let tries = std::iter::repeat_with(|| {
            let started = std::time::Instant::now();
            bounds_are_refused();
            started.elapsed()
        });
        // Whatever else the machine does only adds to a time.
        let shortest = tries.take(50).min();
        assert!(shortest < Some(std::time::Duration::from_millis(1)), "{shortest:?}");
    }

    fn bounds_are_refused() {
        let good = KdfParams::DEFAULT;
        for bad in [
            KdfParams { memory_kib: 8_191, ..good },
            KdfParams { memory_kib: 1_048_577, ..good },
            KdfParams { memory_kib: u32::MAX, ..good },
            KdfParams { passes: 0, ..good },
            KdfParams { passes: 17, ..good },
            KdfParams { passes: u32::MAX, ..good },
            KdfParams { lanes: 0, ..good },
            KdfParams { lanes: 17, ..good },
        ] {
            assert_eq!(bad.check(), Err(KdfError::Bounds(bad)));
            assert!(argon2id(&Secret::new(String::new()), &[0; 32], bad).is_err());
        }
        let most = KdfParams { memory_kib: 1_048_576, passes: 16, lanes: 16 };
        assert_eq!(KdfParams::check_all([most]), Ok(()));
        assert_eq!(KdfParams::check_all([most, KdfParams::WEAKEST]), Err(KdfError::Total(16_392)));
    }

    #[test]
    fn the_same_password_typed_in_composed_and_decomposed_letters_gives_the_same_key() {
        assert_eq!(derive("Caf\u{e9}").expose(), derive("Cafe\u{301}").expose());
        assert_ne!(derive("Cafe").expose(), derive("Caf\u{e9}").expose());
    }

    #[test]
    fn weaker_is_less_memory_or_less_in_all() {
        let good = KdfParams::DEFAULT;
        assert!(KdfParams { passes: 2, ..good }.weaker_than(good));
        assert!(KdfParams { memory_kib: 32_768, passes: 16, ..good }.weaker_than(good));
        assert!(!KdfParams { memory_kib: 131_072, passes: 2, ..good }.weaker_than(good));
        assert!(!good.weaker_than(good));
    }
}
