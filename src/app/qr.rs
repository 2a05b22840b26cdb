//! An account as a QR code. The only door to the crate that makes the pattern.

use qrcode::{EcLevel, QrCode};

use crate::otp::{Account, uri};
use crate::secret::Secret;

/// What every reader takes for granted: without it the pattern is smaller by a quarter, and fits on more screens.
const USUAL: &str = "&algorithm=SHA1&digits=6&period=30";

/// The pattern of an account's link. As secret as the seed; wiped when dropped (the crate's own copy, which lives for a
/// moment, is not).
pub struct Qr {
    side: usize,
    dark: Secret<Vec<u8>>,
}

impl Qr {
    /// Makes the pattern, as small as can be: a screen has no dirt that more correction would be for. None where the link
    /// is too long for any.
    pub fn of(account: &Account) -> Option<Self> {
        let link = uri::write(account);
        let short = link.expose().strip_suffix(USUAL).unwrap_or(link.expose());
        let code = QrCode::with_error_correction_level(short.as_bytes(), EcLevel::L).ok()?;
        let side = code.width();
        let dark = code.into_colors().into_iter().map(|colour| colour.select(1, 0)).collect();
        Some(Self { side, dark: Secret::new(dark) })
    }

    /// Dots along a side, without the quiet zone.
    pub const fn side(&self) -> usize {
        self.side
    }

    /// Whether a dot is dark; what lies outside is light.
    pub fn is_dark(&self, x: isize, y: isize) -> bool {
        let inside = |at: isize| usize::try_from(at).ok().filter(|at| *at < self.side);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => self.dark.expose().get(y * self.side + x) == Some(&1),
            _ => false,
        }
    }
}
