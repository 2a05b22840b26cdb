//! `backup verify`: every item opened, and whether all accounts could come back.

use serde::Serialize;

use super::super::failure::Failure;
use super::super::output::{answer, json, say};
use super::super::prompt;
use super::super::session::World;
use super::failed;
use crate::backup::here::{Here, Unread, Verified};
use crate::backup::place::Store;
use crate::backup::standing;
use crate::keychain::Probe;
use crate::report::{Exit, Report};
use crate::text::{clean, count};

/// What `backup verify --json` prints, one for each place.
#[derive(Serialize)]
struct VerifyRow {
    store: &'static str,
    items: usize,
    accounts: usize,
    lacking: usize,
    unread: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread_items: Vec<UnreadRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    went_back: Vec<String>,
}

#[derive(Serialize)]
struct UnreadRow {
    item: String,
    why: &'static str,
}

/// `backup verify`.
///
/// # Errors
/// When the vault cannot be opened, a place cannot be read, or not all accounts could come back.
pub fn verify(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let here = Here::new(&session.place);
    let mut rows = Vec::new();
    let mut unread_items = Vec::new();
    let has_folder = session.destinations().iter().any(|to| matches!(to.store, Store::Folder(_)));
    for to in &session.wanted() {
        let keychain = to.open(prompt::can_type_secrets());
        let probe = keychain.probe();
        if probe != Probe::Ready && to.store.is_keychain() && has_folder {
            say(&format!("otpanel: keychain: not looked at. {}", probe.describe()));
            continue;
        }
        let Verified { items, accounts, lacking, unread, went_back, .. } =
            here.verify(to, &*keychain, &session.unlocked).map_err(|error| failed(&error))?;
        let went_back = went_back.into_iter().map(|head| head.label).collect();
        let row = |item: &Unread| UnreadRow { item: item.at.clone(), why: item.why.name() };
        rows.push(VerifyRow {
            store: to.store_name(),
            items,
            accounts,
            lacking,
            unread: unread.len(),
            unread_items: unread.iter().map(row).collect(),
            went_back,
        });
        unread_items.extend(unread);
    }
    if as_json {
        json(&rows)?;
    } else {
        let of = |row: &VerifyRow| {
            format!(
                "{}: {} opened, {} can be restored, {} lacking or older, {} missing or unreadable\n",
                row.store,
                count(row.items, "item"),
                count(row.accounts, "account"),
                row.lacking,
                count(row.unread, "item")
            )
        };
        answer(&rows.iter().map(of).collect::<String>())?;
        for row in &rows {
            if let Some(words) = standing::went_back(row.went_back.iter().map(String::as_str)) {
                say(&format!("otpanel: {}: {words}", row.store));
            }
        }
    }
    for item in &unread_items {
        say(&format!("otpanel: {} {}", clean(&item.at), item.why.words()));
    }
    let lacking = rows.iter().any(|row| row.lacking > 0);
    if rows.is_empty() || lacking {
        return Err(Report::new(
            Exit::Failed,
            "The backup does not hold everything",
            if rows.is_empty() { "It is off, or cannot be had here." } else { "See the figures above." },
            "`otpanel backup now` writes what is lacking.",
        )
        .into());
    }
    if !unread_items.is_empty() {
        return Err(Report::new(
            Exit::Failed,
            format!("{} of the backup cannot be read", count(unread_items.len(), "item")),
            "All accounts of this vault can be restored without; what else lies there is not known.",
            "`otpanel backup now`, here and on your other machines, writes anew what is theirs. What is named above after that,\n\
             and none of your machines wrote, does no harm and can be deleted.",
        )
        .into());
    }
    Ok(())
}
