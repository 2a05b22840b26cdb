//! What password managers have in common: an item with a title, a user name and a one-time password in some form.

use super::super::EntryError;
use crate::otp::{Account, Kind, base32, uri};

/// Placeholders that programs write where they have no account.
const PLACEHOLDERS: &[&str] = &["none", "Proton Pass"];

/// Reads an item's one-time password: a link, or a bare secret. The link's names come first, then title and user.
pub fn account(otp: &str, title: &str, user: &str) -> Result<Account, EntryError> {
    let otp = otp.trim();
    let mut account =
        if uri::is_link(otp) { uri::parse(otp)? } else { Account::new("", "", Kind::totp(), base32::decode(otp)?) };
    if account.issuer.is_empty() {
        title.trim().clone_into(&mut account.issuer);
    }
    if account.account.is_empty() || PLACEHOLDERS.contains(&account.account.as_str()) {
        user.trim().clone_into(&mut account.account);
    }
    Ok(account)
}
