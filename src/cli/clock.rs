//! A clock that cannot be right: codes hang on it, so it is said.

use super::output;
use crate::time::UnixTime;

/// Says on stderr when the clock cannot be right. `newest` is the newest stamp in the vault, in milliseconds.
pub fn say_clock_trouble(now: UnixTime, newest: Option<u64>) {
    if let Some(text) = clock_trouble(now, newest) {
        output::say(&format!("otpanel: {text}"));
    }
}

/// Why the clock cannot be right, if it cannot. `newest` is the newest stamp in the vault, in milliseconds.
pub fn clock_trouble(now: UnixTime, newest: Option<u64>) -> Option<String> {
    if now < UnixTime::PROGRAM_MADE {
        return Some(String::from(
            "the clock says that it is before 2025, which cannot be. Codes will be wrong until it is set (for instance by \
             `timedatectl set-ntp true`).",
        ));
    }
    let time = now.behind(UnixTime(newest?))?;
    Some(format!(
        "the clock is {time} behind the newest change in this vault. If it is wrong, so are the codes, until it is set (for \
         instance by `timedatectl set-ntp true`)."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right_is_told() {
        let now = UnixTime::from_secs(1_800_000_000);
        assert_eq!(clock_trouble(now, None), None);
        assert_eq!(clock_trouble(now, Some(now.0 + 60_000)), None, "a minute is no news");
        let hours = clock_trouble(now, Some(now.0 + 3 * 3_600_000));
        assert!(hours.is_some_and(|t| t.contains("3 hours behind")), "as the panel says");
        assert!(clock_trouble(UnixTime::from_secs(12), None).is_some());
        assert!(clock_trouble(now, Some(now.0 + 3 * 86_400_000)).is_some_and(|t| t.contains("3 days behind")));
        let years = now.0 + 9 * 366 * 86_400_000;
        assert_eq!(
            clock_trouble(now, Some(years)),
            None,
            "a date that far ahead is wrong itself, and stays in the vault"
        );
    }
}
