//! The orders of the list, what they need to know of the user's habits, and the keys of the user's own order.
//!
//! Habits (what was used how often, which order was chosen) belong to this machine alone: the runtime reads and keeps
//! them in the local state, never in the vault. The own order lies in the vault, as a fractional index in each entry.

use std::collections::{BTreeMap, HashMap};

use crate::time::UnixTime;
use crate::vault::EntryId;

/// How the list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By issuer, then account.
    #[default]
    Issuer,
    /// By account, then issuer.
    Name,
    /// The most often copied first.
    MostUsed,
    /// The last copied first.
    Recent,
    /// As the user put them; what was never moved follows by issuer.
    Own,
}

impl Order {
    /// All, in the order of the key that goes through them.
    pub const ALL: [Self; 5] = [Self::Issuer, Self::Name, Self::MostUsed, Self::Recent, Self::Own];

    /// The name under which the local state keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Name => "name",
            Self::MostUsed => "most used",
            Self::Recent => "recent",
            Self::Own => "own",
        }
    }

    /// The order of a name; none of one that a newer version chose.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    /// The one after it, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|order| *order == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// In a sentence: sorted `by issuer`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Issuer => "by issuer",
            Self::Name => "by account name",
            Self::MostUsed => "by use, the most used first",
            Self::Recent => "by use, the last used first",
            Self::Own => "in your own order",
        }
    }
}

/// How an account was used on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Use {
    /// How often a code of it was copied.
    pub count: u64,
    /// When the last time.
    pub last: UnixTime,
}

/// What is known of the accounts of one vault, by their ids.
pub type Uses = HashMap<EntryId, Use>;

/// The habits in each vault, by the vault's id in hex.
#[derive(Debug, Clone, Default)]
pub struct Habits(pub BTreeMap<String, (Order, Uses)>);

/// What the local state shall keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// A code of this account was copied.
    Used(EntryId),
    /// This order was chosen.
    Chose(Order),
}

/// The letters of an index, in their order as bytes.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The longest index that is taken for one.
const LONGEST: usize = 256;

/// An index as an entry holds it, read as a fraction between 0 and 1; none where the text is no index.
pub fn index(text: &str) -> Option<&str> {
    let good =
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) && !text.ends_with('0');
    good.then_some(text)
}

/// An index strictly between two others (none: the beginning, the end). None where there is nothing between them.
pub fn between(below: Option<&str>, above: Option<&str>) -> Option<String> {
    let (low, high) = (below.unwrap_or("").as_bytes(), above.map(str::as_bytes));
    if high.is_some_and(|high| low >= high) {
        return None;
    }
    let place = |byte: u8| LETTERS.iter().position(|letter| *letter == byte);
    let (mut out, mut at, mut high) = (String::new(), 0, high);
    loop {
        let from = low.get(at).map_or(Some(0), |b| place(*b))?;
        let to = match high {
            Some(high) => high.get(at).map_or(Some(0), |b| place(*b))?,
            None => LETTERS.len(),
        };
        if to > from + 1 {
            out.push(LETTERS[usize::midpoint(from, to)] as char);
            break;
        }
        out.push(LETTERS[from] as char);
        if to > from {
            // Whatever follows is below the upper one now.
            high = None;
        }
        at += 1;
        if at > 2 * LONGEST {
            return None;
        }
    }
    Some(out)
}

/// So many indices in a row between two others, spread so that they stay short. None where there is no room.
pub fn spread(below: Option<&str>, above: Option<&str>, n: usize) -> Option<Vec<String>> {
    if n == 0 {
        return Some(Vec::new());
    }
    let middle = between(below, above)?;
    let left = (n - 1) / 2;
    let mut all = spread(below, Some(&middle), left)?;
    let right = spread(Some(&middle), above, n - 1 - left)?;
    all.push(middle);
    all.extend(right);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_lies_strictly_between_its_neighbours_and_is_one_itself() {
        for (low, high) in
            [("", "~"), ("", "1"), ("", "01"), ("V", "W"), ("Vz", "W"), ("V", "V1"), ("V", "V01"), ("z", "~")]
        {
            let (below, above) = ((!low.is_empty()).then_some(low), (high != "~").then_some(high));
            let made = between(below, above).unwrap();
            assert!(low < made.as_str() && made.as_str() < high, "{low} < {made} < {high}");
            assert_eq!(index(&made), Some(made.as_str()), "{made}");
        }
        assert_eq!(between(Some("V"), Some("V")), None);
        assert_eq!(between(Some("W"), Some("V")), None);
    }

    #[test]
    fn ten_thousand_in_a_row_are_in_order_and_short() {
        let all = spread(None, None, 10_000).unwrap();
        assert!(all.is_sorted_by(|a, b| a < b));
        assert!(all.iter().all(|key| key.len() <= 5), "{:?}", all.iter().map(String::len).max());
    }

    #[test]
    fn moving_between_the_same_two_again_and_again_grows_slowly() {
        let (low, mut high) = (String::from("V"), String::from("W"));
        for _ in 0..200 {
            high = between(Some(&low), Some(&high)).unwrap();
        }
        assert!(index(&high).is_some() && high.len() < 50, "{}", high.len());
    }

    #[test]
    fn a_text_that_is_no_index_is_none() {
        for text in ["", "a0", "ä", "a b", "-", &"z".repeat(LONGEST + 1)] {
            assert_eq!(index(text), None, "{text}");
        }
    }
}
