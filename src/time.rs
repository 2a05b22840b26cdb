//! A moment in wall-clock time, as the rest of the program passes it about.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds that a clock may be behind the newest change of a vault without a word. Other devices' clocks are minutes off at
/// most; what is set wrong by hand is an hour off (a time zone, summer time) or days, and a code lives for half a minute.
const BEHIND: u64 = 3_600;

/// Seconds from which it is the change that is dated wrong: once a clock has stood far ahead, or somebody wrote such a date, all
/// later changes of the vault are dated after it, and a word about it would never end.
const FAR_BEHIND: u64 = 5 * 366 * 86_400;

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// 2025-01-01: this program is not older, so a clock that stands before it is wrong.
    pub const PROGRAM_MADE: Self = Self::from_secs(1_735_689_600);

    /// The moment that the given whole second begins.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole seconds since the epoch.
    pub const fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// Whole seconds from `earlier` to here, 0 when the clock went back.
    pub const fn secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1000
    }

    /// This moment and `secs` more.
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1000)))
    }

    /// How far this moment is behind a vault's newest change, in words, where that is too far for a right clock.
    pub fn behind(self, newest: Self) -> Option<String> {
        match newest.secs_since(self) {
            ..=BEHIND => None,
            secs @ ..7_200 => Some(format!("{} minutes", secs / 60)),
            secs @ ..172_800 => Some(format!("{} hours", secs / 3_600)),
            secs @ ..FAR_BEHIND => Some(format!("{} days", secs / 86_400)),
            _ => None,
        }
    }

    /// Reads the wall clock. For the floors that touch the world only.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_millis() as u64)
    }
}
