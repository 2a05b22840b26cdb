//! A length of time as people write it: `90s`, `15m`, `8h`, or `off`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// The longest that is taken: a day.
const MOST: u32 = 86_400;

/// A length of time of at most a day, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting(u32);

impl Lasting {
    /// None.
    pub const OFF: Self = Self(0);

    /// Whether it is any time at all.
    pub const fn is_on(self) -> bool {
        self.0 > 0
    }

    /// The time; none when it is off.
    pub fn time(self) -> Option<Duration> {
        self.is_on().then(|| Duration::from_secs(self.0.into()))
    }
}

impl FromStr for Lasting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "expected \"off\" or a time such as \"90s\", \"15m\" or \"8h\", at most \"24h\"";
        if text == "off" {
            return Ok(Self::OFF);
        }
        let unit = [("s", 1), ("m", 60), ("h", 3600)];
        let secs = unit.iter().find_map(|(unit, secs)| {
            let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
            digits.parse::<u32>().ok()?.checked_mul(*secs)
        });
        secs.filter(|secs| (1..=MOST).contains(secs)).map(Self).ok_or(WRONG)
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("off"),
            n if n % 3600 == 0 => write!(f, "{}h", n / 3600),
            n if n % 60 == 0 => write!(f, "{}m", n / 60),
            n => write!(f, "{n}s"),
        }
    }
}

impl Serialize for Lasting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them_and_written_back() {
        for (text, secs) in [("off", 0), ("90s", 90), ("15m", 900), ("8h", 28_800), ("24h", 86_400)] {
            let read: Lasting = text.parse().unwrap();
            assert_eq!((read.0, read.to_string().as_str()), (secs, text));
        }
        for wrong in
            ["", "15", "m", "0s", "-1m", "+1m", "1.5h", "25h", "1d", "15 m", "Off", "99999999999h", "4294967295h"]
        {
            assert!(wrong.parse::<Lasting>().is_err(), "{wrong}");
        }
    }
}
