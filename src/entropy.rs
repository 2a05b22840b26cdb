//! Randomness from the operating system. For the floors that touch the world; the pure ones take bytes as arguments.

use crate::secret::Secret;

/// Random bytes from the operating system.
///
/// # Panics
/// When the operating system has none to give: nothing safe can be done then.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    getrandom::fill(&mut out).expect("the operating system gives random bytes");
    out
}

/// Random bytes that are a secret.
///
/// # Panics
/// As [`bytes`].
pub fn secret<const N: usize>() -> Secret<[u8; N]> {
    let mut out = Secret::new([0; N]);
    getrandom::fill(out.expose_mut()).expect("the operating system gives random bytes");
    out
}
