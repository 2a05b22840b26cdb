//! The differences between the systems' clipboards.

/// Asks clipboard managers and histories not to keep what is set.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn without_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

/// Asks clipboard managers and histories not to keep what is set.
#[cfg(target_vendor = "apple")]
pub(super) fn without_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

/// Asks clipboard managers, the history and the cloud not to keep what is set.
#[cfg(windows)]
pub(super) fn without_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtWindows::exclude_from_monitoring(set)
}
