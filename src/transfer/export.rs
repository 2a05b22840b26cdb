//! Exports: accounts in, another app's file out. Pure: randomness comes as an argument.
//!
//! Each format's writer stands beside its reader in `formats`. What a format cannot hold is named, never dropped in
//! silence: whole accounts in [`Exported::left_out`], notes, tags and favourites in [`Exported::lost`].

use std::collections::HashSet;

use super::writer::{Groups, Writer};
pub use super::writer::{Random, Sealing};
use super::{Format, formats};
use crate::otp::Account;
use crate::secret::Secret;

/// What an export brings.
#[derive(Debug)]
pub struct Exported {
    /// The file. Secrets lie open in it unless a password was given.
    pub bytes: Secret<Vec<u8>>,
    /// How many accounts are in it.
    pub count: usize,
    /// The accounts that the format cannot hold.
    pub left_out: Vec<LeftOut>,
    /// What accounts in it lose, each as a part of a sentence: `notes (2 accounts)`.
    pub lost: Vec<String>,
}

/// An account that an export leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its issuer and account. Raw: clean it before a terminal shows it.
    pub name: String,
    /// Why, as a part of a sentence.
    pub reason: &'static str,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// otpanel reads the format and does not write it.
    #[error("otpanel does not write {} files", .0.name())]
    NotWritten(Format),
    /// The format is always sealed, and no password was given.
    #[error("a {} file is always sealed and needs a password", .0.name())]
    PasswordNeeded(Format),
    /// The format is never sealed, and a password was given: the file would lie open against expectation.
    #[error("a {} file cannot be sealed with a password", .0.name())]
    NeverSealed(Format),
    /// There is no account at all.
    #[error("there is nothing to export")]
    Empty,
    /// The format can hold none of the accounts.
    #[error("a {} file can hold none of the accounts", format.name())]
    NothingFits {
        /// The format.
        format: Format,
        /// The accounts with their reasons.
        left_out: Vec<LeftOut>,
    },
}

/// The formats that are written, in the order of [`Format::ALL`].
pub fn written() -> impl Iterator<Item = Format> {
    Format::ALL.iter().copied().filter(|format| formats::writer(*format).is_some())
}

/// Whether files of a format are under a password; none where otpanel does not write it.
pub fn sealing(format: Format) -> Option<Sealing> {
    formats::writer(format).map(|writer| writer.sealing)
}

/// Writes accounts as another app's file, under a password where one is given. `random` fills what it is given with
/// random bytes from a source that is fit for keys.
///
/// # Errors
/// [`ExportError`] when nothing would be written, or when the password and the format do not go together.
pub fn export(
    format: Format,
    accounts: &[Account],
    password: Option<&Secret<String>>,
    random: Random<'_>,
) -> Result<Exported, ExportError> {
    let writer = formats::writer(format).ok_or(ExportError::NotWritten(format))?;
    let password = password.filter(|p| !p.expose().is_empty());
    match (writer.sealing, password) {
        (Sealing::Never, Some(_)) => return Err(ExportError::NeverSealed(format)),
        (Sealing::Always, None) => return Err(ExportError::PasswordNeeded(format)),
        _ => {}
    }
    if accounts.is_empty() {
        return Err(ExportError::Empty);
    }
    let mut secrets = HashSet::new();
    let mut kept = Vec::with_capacity(accounts.len());
    let mut left_out = Vec::new();
    for account in accounts {
        let mut twin = || !writer.twins && !secrets.insert(account.seed.expose());
        match (writer.refusal)(account) {
            Some(reason) => left_out.push(LeftOut { name: account.title(), reason }),
            None if twin() => {
                let reason = "the app keeps one account for a secret, and another one has the same";
                left_out.push(LeftOut { name: account.title(), reason });
            }
            None => kept.push(account),
        }
    }
    if kept.is_empty() {
        return Err(ExportError::NothingFits { format, left_out });
    }
    let bytes = (writer.write)(&kept, password, random);
    Ok(Exported { bytes, count: kept.len(), lost: lost(&writer, &kept), left_out })
}

fn lost(writer: &Writer, accounts: &[&Account]) -> Vec<String> {
    let count = |what: &str, loses: &dyn Fn(&Account) -> bool| {
        let n = accounts.iter().filter(|a| loses(a)).count();
        (n > 0).then(|| format!("{what} ({n} {})", if n == 1 { "account" } else { "accounts" }))
    };
    let groups = match writer.groups {
        Groups::None => count("tags", &|a| !a.groups.is_empty()),
        Groups::One => count("all tags but the first", &|a| a.groups.len() > 1),
        Groups::Many => None,
    };
    let note = count("notes", &|a| !writer.note && !a.note.is_empty());
    let favourite = count("favourite marks", &|a| !writer.favourite && a.favourite);
    [groups, note, favourite].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Kind, Seed};

    fn account() -> Account {
        Account::new("Acme", "bob", Kind::totp(), Seed::new(vec![7; 10]).expect("a seed"))
    }

    fn fails(format: Format, accounts: &[Account], password: Option<&str>) -> ExportError {
        let password = password.map(|p| Secret::new(p.to_owned()));
        export(format, accounts, password.as_ref(), &mut |bytes| bytes.fill(1)).expect_err("refused")
    }

    #[test]
    fn a_password_that_would_not_protect_is_refused_and_a_missing_one_too() {
        assert!(matches!(fails(Format::UriList, &[account()], Some("pw")), ExportError::NeverSealed(_)));
        assert!(matches!(fails(Format::Proton, &[account()], None), ExportError::PasswordNeeded(_)));
        assert!(matches!(fails(Format::Proton, &[account()], Some("")), ExportError::PasswordNeeded(_)));
    }

    #[test]
    fn an_export_of_nothing_and_one_in_a_format_that_is_only_read_are_refused() {
        assert!(matches!(fails(Format::UriList, &[], None), ExportError::Empty));
        assert!(matches!(fails(Format::Authy, &[account()], None), ExportError::NotWritten(_)));
    }
}
