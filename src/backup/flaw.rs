//! Mistakes that the protocol makes on purpose, in tests only: the model check must catch each.

/// Ways to be wrong that look right; the model check shows that each loses something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code, reason = "only tests are wrong on purpose"))]
pub(super) enum Flaw {
    /// Opens a bundle only where its head announces it so.
    TiedToHead,
    /// Deletes the old epoch before the new one stands.
    OldEpochFirst,
    /// Takes a bundle that is gone for a deletion.
    MissingMeansDeleted,
    /// Forgets a device whose password is newer.
    ForgetNewer,
    /// One key item for all devices.
    SharedKey,
    /// Reads back only what it wrote just now.
    ReadBackChanged,
    /// Reads only the bundles that a head names.
    HeadsChoose,
    /// Trusts digests for ever: never reads what it has read once, and keeps that knowledge while the vault goes back.
    NeverWhole,
    /// Takes the slots when the round begins, and accounts and keys later.
    SlotsEarlier,
    /// Writes the head before the bundles that it announces.
    HeadFirst,
}

#[cfg(test)]
thread_local! {
    pub(super) static FLAW: std::cell::Cell<Option<Flaw>> = const { std::cell::Cell::new(None) };
}

/// Whether this run is wrong in that way.
#[cfg(test)]
pub(super) fn flaw(which: Flaw) -> bool {
    FLAW.with(std::cell::Cell::get) == Some(which)
}

#[cfg(not(test))]
pub(super) const fn flaw(_: Flaw) -> bool {
    false
}
