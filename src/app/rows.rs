//! The accounts as the list shows them: names cleaned once, order and tabs made, nothing secret kept.
//!
//! Rows are made anew when the vault's state changes, not while drawing. A code is asked for by [`code`] at the moment it
//! is drawn.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use super::order::{Order, Uses, index};
use crate::otp::account::listed;
use crate::otp::{self, Code};
use crate::policy::organisation;
use crate::text::{clean, collated};
use crate::time::UnixTime;
use crate::vault::{Entry, EntryId, State, Unusable, field};

/// What a row's code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// A code that changes every so many seconds.
    Timed {
        /// Seconds.
        period: u64,
    },
    /// A counter: the next code is made by a key. Holds the counter to use next.
    Counter(u64),
    /// The secret never came along: it has to be enrolled again.
    EnrolAgain,
    /// No code, and why.
    Nothing(String),
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Whose.
    pub id: EntryId,
    /// Cleaned for display; what stands for a name where the account has none that can be seen.
    pub issuer: String,
    /// Cleaned for display.
    pub account: String,
    /// Cleaned for display, sorted.
    pub tags: Vec<String>,
    /// Marked as a favourite.
    pub favourite: bool,
    /// The organisation that it belongs to, cleaned for display; none where it is personal.
    pub organisation: Option<String>,
    /// What stands in the code's place.
    pub shows: Shows,
    /// What a search looks in: issuer, account, tags.
    pub haystack: String,
}

impl Row {
    fn new(entry: &Entry) -> Self {
        let (issuer, account) = listed(entry.issuer(), entry.name());
        let tags: Vec<String> = entry.tags().map(|t| clean(t).into_owned()).collect();
        let shows = match entry.account() {
            Err(Unusable::NameOnly) => Shows::EnrolAgain,
            Err(why) => Shows::Nothing(why.to_string()),
            Ok(account) => match account.kind.period() {
                Some(period) => Shows::Timed { period },
                None => Shows::Counter(entry.counter.next),
            },
        };
        let mut haystack = format!("{issuer} {account}");
        for tag in &tags {
            haystack.push(' ');
            haystack.push_str(tag);
        }
        let organisation = organisation(entry.identity()).map(|name| clean(name).into_owned());
        Self { id: entry.id, issuer, account, tags, favourite: entry.favourite(), organisation, shows, haystack }
    }

    /// How notices name it.
    pub fn title(&self) -> String {
        otp::account::title(&self.issuer, &self.account)
    }

    /// The one name that short notices use: the issuer, or the account where there is none.
    pub fn short(&self) -> &str {
        match (self.issuer.as_str(), self.account.as_str()) {
            ("", account) => account,
            (issuer, _) => issuer,
        }
    }
}

/// The sign of an account that belongs to an organisation.
pub const fn mark(ascii: bool) -> &'static str {
    if ascii { "@" } else { "◆" }
}

/// Which accounts are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tab {
    /// All.
    All,
    /// Those marked.
    Favourites,
    /// The user's own.
    Personal,
    /// Those of an organisation.
    Organisation(String),
    /// Those with this tag.
    Tag(String),
}

impl Tab {
    /// Whether a row belongs to it.
    pub fn holds(&self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Favourites => row.favourite,
            Self::Personal => row.organisation.is_none(),
            Self::Organisation(name) => row.organisation.as_ref() == Some(name),
            Self::Tag(tag) => row.tags.contains(tag),
        }
    }
}

/// All rows, sorted, with the tabs that they give.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// By issuer, then account, as people sort: without regard to case; rows without an issuer by their account. Or in
    /// another order, and so where it leaves rows equal.
    pub all: Vec<Row>,
    /// All, favourites where there are any, personal ones and those of each organisation where there are both, then tags by
    /// name, each with its count.
    pub tabs: Vec<(Tab, usize)>,
    /// The period that most rows share, in seconds: the header counts it down.
    pub period: u64,
}

impl Rows {
    /// Makes the rows of a state in an order.
    pub fn sorted(state: &State, order: Order, uses: &Uses) -> Self {
        let mut keyed: Vec<(String, Row)> = state
            .live()
            .map(|entry| {
                let row = Row::new(entry);
                let first = if row.issuer.is_empty() { &row.account } else { &row.issuer };
                (format!("{}\u{0}{}", collated(first), collated(&row.account)), row)
            })
            .collect();
        keyed.sort_by(|a, b| match a.0.cmp(&b.0) {
            Ordering::Equal => a.1.id.cmp(&b.1.id),
            other => other,
        });
        let mut all: Vec<Row> = keyed.into_iter().map(|(_, row)| row).collect();
        rearrange(&mut all, state, order, uses);

        let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
        let mut periods: BTreeMap<u64, usize> = BTreeMap::new();
        let mut organisations: BTreeMap<&str, usize> = BTreeMap::new();
        let mut favourites = 0;
        for row in &all {
            if let Some(name) = &row.organisation {
                *organisations.entry(name).or_default() += 1;
            }
            favourites += usize::from(row.favourite);
            for tag in &row.tags {
                *tags.entry(tag).or_default() += 1;
            }
            if let Shows::Timed { period } = row.shows {
                *periods.entry(period).or_default() += 1;
            }
        }
        let mut tabs = vec![(Tab::All, all.len())];
        if favourites > 0 {
            tabs.push((Tab::Favourites, favourites));
        }
        let personal = all.len() - organisations.values().sum::<usize>();
        if organisations.len() + usize::from(personal > 0) > 1 {
            if personal > 0 {
                tabs.push((Tab::Personal, personal));
            }
            tabs.extend(organisations.into_iter().map(|(name, n)| (Tab::Organisation(name.to_owned()), n)));
        }
        tabs.extend(tags.into_iter().map(|(tag, n)| (Tab::Tag(tag.to_owned()), n)));
        // Thirty where the counts are equal, else the commonest.
        let period = periods.into_iter().max_by_key(|&(p, n)| (n, p == 30)).map_or(30, |(p, _)| p);
        Self { all, tabs, period }
    }
}

/// Brings rows that are sorted by issuer into another order; equal ones stay as they are.
fn rearrange(rows: &mut [Row], state: &State, order: Order, uses: &Uses) {
    let used = |row: &Row| uses.get(&row.id).copied().unwrap_or_default();
    match order {
        Order::Issuer => {}
        Order::Name => rows.sort_by_cached_key(|row| {
            let first = if row.account.is_empty() { &row.issuer } else { &row.account };
            collated(first)
        }),
        Order::MostUsed => rows.sort_by_key(|row| {
            let used = used(row);
            Reverse((used.count, used.last))
        }),
        Order::Recent => rows.sort_by_key(|row| Reverse(used(row).last)),
        Order::Own => rows.sort_by_cached_key(|row| {
            let place = state.get(&row.id).and_then(|entry| index(entry.text(field::POSITION)));
            (place.is_none(), place.unwrap_or_default().to_owned())
        }),
    }
}

/// The code of an entry now, none for counters and for entries that cannot make one.
pub fn code(entry: &Entry, now: UnixTime) -> Option<Code> {
    code_shifted(entry, now, |now, _| now)
}

/// The code that came before the current one.
pub fn previous_code(entry: &Entry, now: UnixTime) -> Option<Code> {
    code_shifted(entry, now, |now, period| UnixTime(now.0.saturating_sub(period.saturating_mul(1000))))
}

/// The code that comes after the current one.
pub fn next_code(entry: &Entry, now: UnixTime) -> Option<Code> {
    code_shifted(entry, now, UnixTime::plus_secs)
}

/// The code at a moment that `shift` makes of now and the period. Drawn every second for every row: no account is made for it.
fn code_shifted(entry: &Entry, now: UnixTime, shift: impl FnOnce(UnixTime, u64) -> UnixTime) -> Option<Code> {
    let kind = entry.kind().ok()?;
    let at = shift(now, kind.period()?);
    otp::code::code_of(&kind, entry.seed().ok()?.expose(), at)
}
