//! What an import would do to a vault, entry by entry. Pure; the command line and the panel show and apply the same plan.
//!
//! Nothing is ever replaced. What is here already, names included, is not taken twice; the same secret under another name
//! is kept beside the old one, since only the user knows which name is right.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use crate::otp::Account;
use crate::vault::view::fingerprint;
use crate::vault::{EntryId, State};

/// What becomes of one imported entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is added.
    New,
    /// The same secret is in the vault under another name: it is added beside it.
    Differs(EntryId),
    /// It is in the vault: not added.
    Here(EntryId),
    /// It stood in this import before: not added.
    Twice,
}

impl Fate {
    /// Whether an entry comes into the vault.
    pub const fn comes(self) -> bool {
        matches!(self, Self::New | Self::Differs(_))
    }
}

/// How many of a plan's entries have each fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// New ones.
    pub added: usize,
    /// In the vault, or twice in the import.
    pub already_here: usize,
    /// In the vault under another name.
    pub changed: usize,
}

/// The fate of each account, in their order.
pub fn plan<A: Borrow<Account>>(state: &State, accounts: &[A]) -> Vec<Fate> {
    let mut here: HashMap<[u8; 32], Vec<EntryId>> = HashMap::new();
    for entry in state.live() {
        if let Some(print) = entry.fingerprint() {
            here.entry(print).or_default().push(entry.id);
        }
    }
    let named = |id: &EntryId, account: &Account| {
        state.get(id).is_some_and(|e| e.issuer() == account.issuer && e.name() == account.account)
    };
    let mut seen = HashSet::new();
    let mut fates = Vec::with_capacity(accounts.len());
    for account in accounts.iter().map(Borrow::borrow) {
        let print = fingerprint(account);
        let ids = here.get(&print).map(Vec::as_slice).unwrap_or_default();
        let fate = if let Some(id) = ids.iter().find(|id| named(id, account)) {
            Fate::Here(*id)
        } else if !seen.insert((print, account.issuer.as_str(), account.account.as_str())) {
            Fate::Twice
        } else if let Some(id) = ids.first() {
            Fate::Differs(*id)
        } else {
            Fate::New
        };
        fates.push(fate);
    }
    fates
}

/// Counts the fates.
pub fn counts(fates: &[Fate]) -> Counts {
    let mut counts = Counts::default();
    for fate in fates {
        match fate {
            Fate::New => counts.added += 1,
            Fate::Differs(_) => counts.changed += 1,
            Fate::Here(_) | Fate::Twice => counts.already_here += 1,
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Kind, Seed};
    use crate::time::UnixTime;
    use crate::vault::DeviceId;

    fn account(issuer: &str, seed: u8) -> Account {
        Account::new(issuer, "me", Kind::totp(), Seed::new(vec![seed; 20]).unwrap())
    }

    fn vault_with(accounts: &[Account]) -> State {
        let mut state = State::default();
        for (i, a) in accounts.iter().enumerate() {
            let stamp = state.next_stamp(UnixTime(1), DeviceId([1; 8]));
            state.add(EntryId([i as u8; 16]), a, "personal", "test", stamp);
        }
        state
    }

    #[test]
    fn what_is_here_by_secret_and_name_does_not_come_again() {
        let state = vault_with(&[account("A", 1)]);
        assert_eq!(plan(&state, &[account("A", 1)]), [Fate::Here(EntryId([0; 16]))]);
    }

    #[test]
    fn the_same_secret_under_another_name_comes_too() {
        let state = vault_with(&[account("A", 1)]);
        let fates = plan(&state, &[account("B", 1)]);
        assert_eq!(fates, [Fate::Differs(EntryId([0; 16]))]);
        assert!(fates[0].comes());
    }

    #[test]
    fn within_one_import_only_a_full_repetition_is_left_out() {
        let fates = plan(&State::default(), &[account("A", 1), account("B", 1), account("A", 1), account("C", 2)]);
        assert_eq!(fates, [Fate::New, Fate::New, Fate::Twice, Fate::New]);
        assert_eq!(counts(&fates), Counts { added: 3, already_here: 1, changed: 0 });
    }

    #[test]
    fn what_lies_in_the_trash_comes_again() {
        let mut state = vault_with(&[account("A", 1)]);
        let stamp = state.next_stamp(UnixTime(1), DeviceId([1; 8]));
        state.trash(EntryId([0; 16]), stamp);
        assert_eq!(plan(&state, &[account("A", 1)]), [Fate::New]);
    }
}
