//! Finding the account that a QUERY names. Pure: names in, places out.
//!
//! Five ways, from the strictest; the first that finds anything decides, so an exact name always wins over a part of
//! another: the id; the account or `issuer:account`; the issuer; a part of the names; the letters in order (fuzzy).
//! Capitals matter only where two names differ by nothing else.

use crate::app::search::rank_texts;
use crate::vault::{Entry, EntryId};

/// The names by which one account can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// Its id.
    pub id: EntryId,
    /// The site or service.
    pub issuer: &'a str,
    /// The user's name there.
    pub account: &'a str,
}

impl<'a> From<&'a Entry> for Named<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self { id: entry.id, issuer: entry.issuer(), account: entry.name() }
    }
}

/// How sure a find is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sureness {
    /// The whole id, account, `issuer:account` or issuer.
    Exact,
    /// A part of the names.
    Part,
    /// Only the letters in order.
    Fuzzy,
}

/// What a query found: places in the list given, the best first.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Places.
    pub places: Vec<usize>,
    /// By which way.
    pub sureness: Sureness,
}

/// Finds the accounts that a query names; none: no places.
pub fn find(query: &str, list: &[Named<'_>]) -> Found {
    let query = query.trim();
    let exact = |places| Found { places, sureness: Sureness::Exact };
    if query.is_empty() {
        return exact(Vec::new());
    }
    if let Ok(id) = query.parse::<EntryId>() {
        let places: Vec<usize> = places(list, |n| n.id == id);
        if !places.is_empty() {
            return exact(places);
        }
    }
    let whole = |n: &Named<'_>| n.account == query || is_pair(query, n.issuer, n.account, |a, b| a == b);
    let whole_any_case = |n: &Named<'_>| same(n.account, query) || is_pair(query, n.issuer, n.account, same);
    let steps: [&dyn Fn(&Named<'_>) -> bool; 4] =
        [&whole, &whole_any_case, &|n| n.issuer == query, &|n| same(n.issuer, query)];
    for step in steps {
        let places = places(list, step);
        if !places.is_empty() {
            return exact(places);
        }
    }
    let small = query.to_lowercase();
    let part = places(list, |n| contains(n, &small));
    if !part.is_empty() {
        return Found { places: part, sureness: Sureness::Part };
    }
    Found { places: fuzzy(query, list), sureness: Sureness::Fuzzy }
}

fn places(list: &[Named<'_>], test: impl Fn(&Named<'_>) -> bool) -> Vec<usize> {
    list.iter().enumerate().filter(|(_, n)| test(n)).map(|(i, _)| i).collect()
}

/// Same but for capitals.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

/// Whether `query` is `issuer:account`, with or without a blank after the colon. Names may hold colons themselves.
fn is_pair(query: &str, issuer: &str, account: &str, same: impl Fn(&str, &str) -> bool) -> bool {
    let Some((head, tail)) = query.split_at_checked(issuer.len()) else { return false };
    !issuer.is_empty() && same(head, issuer) && tail.strip_prefix(':').is_some_and(|t| same(t.trim_start(), account))
}

fn contains(named: &Named<'_>, small: &str) -> bool {
    let issuer = named.issuer.to_lowercase();
    let account = named.account.to_lowercase();
    issuer.contains(small)
        || account.contains(small)
        || (small.contains([' ', ':'])
            && (format!("{issuer} {account}").contains(small) || format!("{issuer}:{account}").contains(small)))
}

fn fuzzy(query: &str, list: &[Named<'_>]) -> Vec<usize> {
    let texts: Vec<String> = list.iter().map(|n| format!("{} {}", n.issuer, n.account)).collect();
    rank_texts(&texts, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [(&str, &str); 6] = [
        ("GitHub", "octo@example.com"),
        ("GitHub", "ci-bot"),
        ("GitLab", "ada"),
        ("GitHub Enterprise", "ada"),
        ("", "GITHUB"),
        ("a:b", "c:d"),
    ];

    fn ask(query: &str) -> (Vec<usize>, Sureness) {
        let list: Vec<Named<'_>> = LIST
            .iter()
            .enumerate()
            .map(|(i, (issuer, account))| Named { id: EntryId([i as u8; 16]), issuer, account })
            .collect();
        let found = find(query, &list);
        (found.places, found.sureness)
    }

    #[test]
    fn an_id_names_one_account() {
        assert_eq!(ask("02020202020202020202020202020202"), (vec![2], Sureness::Exact));
    }

    #[test]
    fn an_exact_account_wins_over_parts_of_others() {
        assert_eq!(ask("ci-bot"), (vec![1], Sureness::Exact));
        assert_eq!(ask("ada"), (vec![2, 3], Sureness::Exact));
    }

    #[test]
    fn issuer_and_account_together_name_one() {
        assert_eq!(ask("GitLab:ada"), (vec![2], Sureness::Exact));
        assert_eq!(ask("gitlab: ada"), (vec![2], Sureness::Exact));
        assert_eq!(ask("a:b:c:d"), (vec![5], Sureness::Exact));
    }

    #[test]
    fn capitals_decide_only_where_nothing_else_does() {
        assert_eq!(ask("GITHUB"), (vec![4], Sureness::Exact));
        assert_eq!(ask("OCTO@EXAMPLE.COM"), (vec![0], Sureness::Exact));
    }

    #[test]
    fn an_exact_issuer_wins_over_a_longer_one() {
        assert_eq!(ask("GitHub"), (vec![4], Sureness::Exact), "the account of that name comes first");
        assert_eq!(ask("gitlab"), (vec![2], Sureness::Exact));
    }

    #[test]
    fn parts_come_before_letters_in_order() {
        assert_eq!(ask("enterprise"), (vec![3], Sureness::Part));
        assert_eq!(ask("github ci"), (vec![1], Sureness::Part));
        assert_eq!(ask("ghent"), (vec![3], Sureness::Fuzzy));
    }

    #[test]
    fn nothing_is_found_by_an_empty_or_strange_query() {
        assert_eq!(ask("  ").0, Vec::<usize>::new());
        assert_eq!(ask("zzzz").0, Vec::<usize>::new());
        assert_eq!(ask("日").0, Vec::<usize>::new());
    }
}
