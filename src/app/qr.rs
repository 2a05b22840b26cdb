//! An account as a QR code in the panel; the pattern is made in `transfer/qr.rs`.

use crate::otp::Account;
use crate::transfer::qr::{self, Grid};

/// The pattern of an account's link. As secret as the seed; wiped when dropped.
pub struct Qr(Grid);

impl Qr {
    /// Makes the pattern. None where the link is too long for any.
    pub fn of(account: &Account) -> Option<Self> {
        qr::of(account).map(Self)
    }

    /// Dots along a side, without the quiet zone.
    pub const fn side(&self) -> usize {
        self.0.side()
    }

    /// Whether a dot is dark; what lies outside is light.
    pub fn is_dark(&self, x: isize, y: isize) -> bool {
        let inside = |at: isize| usize::try_from(at).ok();
        inside(x).zip(inside(y)).is_some_and(|(x, y)| self.0.is_dark(x, y))
    }
}
