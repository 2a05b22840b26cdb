//! The fuzzy search over the rows: ranked, and with the letters that matched.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::rows::{Row, Tab};

/// A matcher that is kept while a session lasts: it owns some 100 KiB of scratch memory.
pub struct Searcher {
    matcher: Matcher,
    scratch: Vec<char>,
}

impl Default for Searcher {
    fn default() -> Self {
        Self { matcher: Matcher::new(Config::DEFAULT), scratch: Vec::new() }
    }
}

impl Searcher {
    /// Indices into `rows` of those that a tab holds and a query matches: the best first, in their order where equal. An
    /// empty query keeps the order.
    pub fn rank(&mut self, rows: &[Row], tab: &Tab, query: &str) -> Vec<usize> {
        let held = rows.iter().enumerate().filter(|(_, row)| tab.holds(row));
        if query.trim().is_empty() {
            return held.map(|(i, _)| i).collect();
        }
        let pattern = pattern(query);
        let mut hits: Vec<(u32, usize)> = held
            .filter_map(|(i, row)| {
                let haystack = Utf32Str::new(&row.haystack, &mut self.scratch);
                pattern.score(haystack, &mut self.matcher).map(|score| (score, i))
            })
            .collect();
        hits.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        hits.into_iter().map(|(_, i)| i).collect()
    }
}

/// Indices into `rows` of those that a tab holds and that are like a query in which letters were mistyped: each of its words is one
/// letter off from a word, or the beginning of one, two where it is long; the likest first. For a query that matches nothing.
/// Among more than [`MOST`] rows nothing is looked for: a key would wait for it.
pub fn alike(rows: &[Row], tab: &Tab, query: &str) -> Vec<usize> {
    let query = query.to_lowercase();
    let wanted: Vec<&str> = words(&query).collect();
    if rows.len() > MOST || wanted.iter().all(|word| word.chars().count() < FEWEST) {
        return Vec::new();
    }
    let mut hits: Vec<(usize, usize)> = Vec::new();
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| tab.holds(row)) {
        let haystack = row.haystack.to_lowercase();
        let off = |wanted: &&str| words(&haystack).filter_map(|word| distance(wanted, word)).min();
        if let Some(off) = wanted.iter().map(off).sum::<Option<usize>>() {
            hits.push((off, i));
        }
    }
    hits.sort_unstable();
    hits.into_iter().map(|(_, i)| i).collect()
}

/// The rows that are compared between two keys.
const MOST: usize = 1_000;
/// A word of fewer letters is like too much.
const FEWEST: usize = 4;
/// From so many letters on two may be wrong.
const LONG: usize = 8;

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// How many letters a word is off from the beginning of another, where they are few.
fn distance(wanted: &str, word: &str) -> Option<usize> {
    if word.starts_with(wanted) {
        return Some(0);
    }
    // Nearly always one of the first two letters is right, or they are swapped: the rest need not be compared.
    let two = |text: &str| [text.chars().next(), text.chars().nth(1)];
    let (ours, theirs) = (two(wanted), two(word));
    let alike = ours[0] == theirs[0] || ours[1] == theirs[1] || ours == [theirs[1], theirs[0]];
    let n = wanted.chars().count();
    if n < FEWEST || !alike {
        return None;
    }
    // A letter too few or too many moves the end.
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8()).skip(n.saturating_sub(2)).take(3);
    let off = ends.map(|end| strsim::osa_distance(wanted, &word[..end])).min()?;
    (off <= 1 + usize::from(n >= LONG)).then_some(off)
}

/// Indices into `texts` of those that hold the letters of a query in order, the best first.
pub fn rank_texts(texts: &[String], query: &str) -> Vec<usize> {
    let (pattern, mut matcher, mut scratch) = (pattern(query), Matcher::new(Config::DEFAULT), Vec::new());
    let mut hits: Vec<(u32, usize)> = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        if let Some(score) = pattern.score(Utf32Str::new(text, &mut scratch), &mut matcher) {
            hits.push((score, i));
        }
    }
    hits.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    hits.into_iter().map(|(_, i)| i).collect()
}

fn pattern(query: &str) -> Pattern {
    Pattern::parse(query.trim(), CaseMatching::Ignore, Normalization::Smart)
}

/// For each of some rows the places (in characters) of its issuer and of its account that a query matched.
pub fn matched(rows: &[&Row], query: &str) -> Vec<(Vec<usize>, Vec<usize>)> {
    if query.trim().is_empty() {
        return vec![(Vec::new(), Vec::new()); rows.len()];
    }
    let (pattern, mut matcher, mut scratch) = (pattern(query), Matcher::new(Config::DEFAULT), Vec::new());
    rows.iter()
        .map(|row| {
            let mut places = Vec::new();
            pattern.indices(Utf32Str::new(&row.haystack, &mut scratch), &mut matcher, &mut places);
            places.sort_unstable();
            places.dedup();
            // The haystack is `issuer account tags`; a grapheme is one place in it.
            let issuer = graphemes(&row.issuer);
            let account = graphemes(&row.account);
            let mut out = (Vec::new(), Vec::new());
            for place in places.into_iter().map(|p| p as usize) {
                if place < issuer {
                    out.0.push(place);
                } else if place > issuer && place - issuer - 1 < account {
                    out.1.push(place - issuer - 1);
                }
            }
            out
        })
        .collect()
}

fn graphemes(text: &str) -> usize {
    let mut scratch = Vec::new();
    Utf32Str::new(text, &mut scratch).len()
}

#[cfg(test)]
mod tests {
    use super::super::rows::Shows;
    use super::*;
    use crate::vault::EntryId;

    fn row(issuer: &str, account: &str) -> Row {
        Row {
            id: EntryId([0; 16]),
            issuer: issuer.into(),
            account: account.into(),
            tags: Vec::new(),
            favourite: false,
            organisation: None,
            shows: Shows::Timed { period: 30 },
            haystack: format!("{issuer} {account}"),
        }
    }

    #[test]
    fn the_best_match_comes_first() {
        let rows = [row("Digital Ocean", "it"), row("GitHub", "octo"), row("GitLab", "ada")];
        assert_eq!(Searcher::default().rank(&rows, &Tab::All, "git"), [1, 2, 0]);
        assert_eq!(Searcher::default().rank(&rows, &Tab::All, "glab"), [2]);
        assert_eq!(Searcher::default().rank(&rows, &Tab::All, "git octo"), [1]);
        assert_eq!(Searcher::default().rank(&rows, &Tab::All, ""), [0, 1, 2]);
    }

    #[test]
    fn mistyped_words_find_what_is_like_them() {
        let names = [
            ("GitHub", "octo work"),
            ("Google", "ada"),
            ("Microsoft", "ada work"),
            ("Cloudflare", "ops"),
            ("Amazon", "ada"),
        ];
        let rows = names.map(|(issuer, account)| row(issuer, account));
        for (query, found) in [
            ("gihtub", &[0][..]),
            ("igthub", &[0]),
            ("guthub", &[0]),
            ("giithub", &[0]),
            ("googel", &[1]),
            ("mircosoft", &[2]),
            ("Micorsotf", &[2]),
            ("cluod", &[3]),
            ("amazno ada", &[4]),
            ("mircosoft work", &[2]),
            // One word is right, and nothing is like the other.
            ("mircosoft octo", &[]),
            ("xyz", &[]),
            ("ebay", &[]),
            ("paypal", &[]),
            ("été", &[]),
            ("ééééé", &[]),
        ] {
            assert_eq!(alike(&rows, &Tab::All, query), found, "{query}");
        }
    }

    #[test]
    fn matched_letters_are_told_for_issuer_and_account_apart() {
        let hub = row("GitHub", "octo");
        assert_eq!(matched(&[&hub], "git oc"), [(vec![0, 1, 2], vec![0, 1])]);
    }
}
