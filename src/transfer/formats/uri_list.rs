//! Lists of links, one a line or with commas between, of one kind or mixed: the text exports of many.

use super::super::writer::{Groups, Sealing, Writer};
use super::super::{EntryError, Format, Import, ImportError, Skipped, text};
use super::migration::Batches;
use crate::otp::{Account, Kind, uri};
use crate::secret::Secret;

/// Characters of a bad line that the report for scripts quotes.
const QUOTED: usize = 200;

/// Reads a list. A line that is no link is reported by its number.
pub fn read(text: &str) -> Result<Import, ImportError> {
    let mut import = Import::new(Format::UriList);
    let mut batches = Batches::default();
    for (number, line) in text::lines(text) {
        if import.is_full() {
            break;
        }
        for link in links(line) {
            one(link, number, &mut import, &mut batches);
        }
    }
    if batches.any() {
        import.format = Format::GoogleMigration;
        import.notes.extend(batches.notes());
    }
    if import.entries.is_empty() && import.format == Format::GoogleMigration && batches.only_damaged() {
        let reason = String::from("no data of a Google export in the link");
        return Err(ImportError::Damaged { format: Format::GoogleMigration, reason });
    }
    Ok(import)
}

/// Reads one link of a list into an import.
fn one(link: &str, number: usize, import: &mut Import, batches: &mut Batches) {
    let result = match uri::parse(link) {
        Err(uri::UriError::Migration) => batches.read(link, import).map_err(EntryError::Other),
        Ok(account) => {
            import.add(named(account));
            return;
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = result {
        let name = uri::label(link).unwrap_or_else(|| format!("line {number}"));
        let line = Some(Secret::new(link.chars().take(QUOTED).collect()));
        import.report(Skipped { name, reason: error.to_string(), line });
    }
}

/// Gives the nameless kinds the name of their only issuer.
fn named(mut account: Account) -> Account {
    if account.issuer.is_empty() {
        match account.kind {
            Kind::Steam if account.account.is_empty() => account.issuer = String::from("Steam"),
            Kind::Yandex { .. } => account.issuer = String::from("Yandex"),
            _ => {}
        }
    }
    account
}

/// The links of a line: Ente also writes commas between them.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let here = rest?;
        let next = here.match_indices(',').find(|(at, _)| uri::is_link(&here[at + 1..])).map(|(at, _)| at);
        rest = next.map(|at| &here[at + 1..]);
        Some(next.map_or(here, |at| &here[..at]))
    })
    .filter(|link| !link.trim().is_empty())
}

/// One link a line. Every kind has one; a Mobile-OTP link carries the PIN.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Never,
    groups: Groups::None,
    note: false,
    favourite: false,
    twins: true,
    refusal: |_| None,
    write: |accounts, _, _| text::one_a_line(accounts.iter().map(|account| uri::write(account))),
};
