//! Values that must not leak: wiped when dropped, silent when printed, seen through [`Secret::expose`] alone.
//!
//! Everything secret in the program sits in a [`Secret`], so that a search for `expose` audits every use. The type has
//! no `Clone`, `Display`, `Serialize`, `PartialEq` or `Deref` on purpose.

mod page;

use std::fmt;

pub use page::{KeyPage, can_lock};
use zeroize::Zeroize;

/// Holds a secret value. Wiped on drop; `Debug` prints `Secret(..)`.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Shows the value. The only door to it.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Shows the value for filling in place (reading, decrypting into it).
    pub fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl Secret<String> {
    /// A second copy, for the few places that must hand one out (a job for another thread).
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

/// How much of a thread's stack is wiped: deeper than any cipher, parser or drawing of ours goes.
const SCRUBBED: usize = 192 << 10;

/// Wipes what calls that are over left on this thread's stack. To be called where a thread has nothing secret in hand,
/// from as high up as possible: what lies below the caller is wiped, nothing above.
#[inline(never)]
pub fn scrub_stack() {
    #[expect(clippy::large_stack_arrays, reason = "to lie over what was there is its purpose")]
    let mut blank = [0u8; SCRUBBED];
    std::hint::black_box(&mut blank);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let s = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{s:?}"), "Secret(..)");
    }
}
