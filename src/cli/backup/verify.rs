//! `backup verify`: every item opened, and whether all accounts could come back.

use serde::Serialize;

use super::super::failure::Failure;
use super::super::output::{answer, json, say};
use super::super::prompt;
use super::super::session::World;
use super::{destinations, failed, wanted};
use crate::backup::place::{Here, Store, Verified};
use crate::backup::standing;
use crate::keychain::Probe;
use crate::report::{Exit, Report};

/// What `backup verify --json` prints, one for each place.
#[derive(Serialize)]
struct VerifyRow {
    store: &'static str,
    items: usize,
    accounts: usize,
    lacking: usize,
    unread: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    went_back: Vec<String>,
}

/// `backup verify`.
///
/// # Errors
/// When the vault cannot be opened, a place cannot be read, or not all accounts could come back.
pub fn verify(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let here = Here::new(&session.place);
    let mut rows = Vec::new();
    let mut good = true;
    let has_folder = destinations(&session).iter().any(|to| matches!(to.store, Store::Folder(_)));
    for to in &wanted(&session) {
        let keychain = to.open(prompt::can_type_secrets());
        let probe = keychain.probe();
        if probe != Probe::Ready && to.store.is_keychain() && has_folder {
            say(&format!("otpanel: keychain: not looked at. {}", probe.describe()));
            continue;
        }
        let Verified { items, accounts, lacking, unread, went_back, .. } =
            here.verify(to, &*keychain, &session.unlocked).map_err(|error| failed(&error))?;
        good &= lacking == 0 && unread == 0;
        let went_back = went_back.into_iter().map(|head| head.label).collect();
        rows.push(VerifyRow { store: to.store_name(), items, accounts, lacking, unread, went_back });
    }
    if as_json {
        json(&rows)?;
    } else {
        let of = |row: &VerifyRow| {
            format!(
                "{}: {} items opened, {} accounts can be restored, {} lacking or older, {} items missing or unreadable\n",
                row.store, row.items, row.accounts, row.lacking, row.unread
            )
        };
        answer(&rows.iter().map(of).collect::<String>())?;
        for row in &rows {
            if let Some(words) = standing::went_back(row.went_back.iter().map(String::as_str)) {
                say(&format!("otpanel: {}: {words}", row.store));
            }
        }
    }
    if rows.is_empty() || !good {
        return Err(Report::new(
            Exit::Failed,
            "The backup does not hold everything",
            if rows.is_empty() { "It is off, or cannot be had here." } else { "See the figures above." },
            "`otpanel backup now` writes what is lacking.",
        )
        .into());
    }
    Ok(())
}
