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
    fn matched_letters_are_told_for_issuer_and_account_apart() {
        let hub = row("GitHub", "octo");
        assert_eq!(matched(&[&hub], "git oc"), [(vec![0, 1, 2], vec![0, 1])]);
    }
}
