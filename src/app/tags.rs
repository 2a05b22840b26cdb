//! Changing the tags of an account: a line with what it has, and what other accounts have as suggestions.

use std::collections::BTreeMap;

use super::input::Input;
use crate::text::clean;
use crate::vault::{EntryId, State};

/// Tags of one account while they are changed.
pub struct Tags {
    /// Whose.
    pub id: EntryId,
    /// What is typed: tags, separated by commas.
    pub line: Input,
    /// The suggestion that is chosen, an index into [`Tags::offered`].
    pub chosen: Option<usize>,
    /// What other accounts have, the most used first, with how many have it.
    known: Vec<(String, usize)>,
}

impl Tags {
    /// The tags of an account of this state.
    pub fn new(state: &State, id: EntryId) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for tag in state.live().flat_map(crate::vault::Entry::tags) {
            *counts.entry(tag).or_default() += 1;
        }
        let mut known: Vec<(String, usize)> = counts.into_iter().map(|(tag, n)| (tag.to_owned(), n)).collect();
        known.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let mut own: Vec<&str> = state.get(&id).into_iter().flat_map(crate::vault::Entry::tags).collect();
        own.sort_unstable();
        let mut line = own.join(", ");
        if !line.is_empty() {
            line.push_str(", ");
        }
        Self { id, line: Input::with(&line), chosen: None, known }
    }

    /// The tags as typed: each once, without blanks round it.
    pub fn typed(&self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for tag in self.line.text().split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            if !tags.iter().any(|held| held == tag) {
                tags.push(tag.to_owned());
            }
        }
        tags
    }

    /// What the last word may become, with how many accounts have it: what the line does not hold yet.
    pub fn offered(&self) -> Vec<(&str, usize)> {
        let (held, part) = self.last();
        let held: Vec<&str> = held.split(',').map(str::trim).collect();
        let part = part.to_lowercase();
        let fits = |tag: &str| !held.contains(&tag) && tag.to_lowercase().starts_with(&part);
        self.known.iter().filter(|(tag, _)| fits(tag)).map(|(tag, n)| (tag.as_str(), *n)).collect()
    }

    /// Chooses the next suggestion, or the one before.
    pub fn choose(&mut self, back: bool) {
        let n = self.offered().len();
        self.chosen = match (self.chosen, back) {
            _ if n == 0 => None,
            (None, false) => Some(0),
            (None | Some(0), true) => None,
            (Some(at), true) => Some(at - 1),
            (Some(at), false) => Some((at + 1).min(n - 1)),
        };
    }

    /// Takes the chosen suggestion, or the first, in place of the last word. Says whether there was one.
    pub fn take(&mut self) -> bool {
        let at = self.chosen.take().unwrap_or(0);
        let Some(tag) = self.offered().get(at).map(|(tag, _)| (*tag).to_owned()) else { return false };
        let held = self.last().0.trim_end();
        let gap = if held.is_empty() { "" } else { " " };
        self.line = Input::with(&format!("{held}{gap}{tag}, "));
        true
    }

    /// What stands up to the last comma, and the word after it.
    fn last(&self) -> (&str, &str) {
        let text = self.line.text();
        let at = text.rfind(',').map_or(0, |at| at + 1);
        (&text[..at], text[at..].trim())
    }
}

/// Tags as a notice says them.
pub fn words(tags: &[String]) -> String {
    let all: Vec<_> = tags.iter().map(|tag| clean(tag)).collect();
    all.join(", ")
}
