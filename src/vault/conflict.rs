//! Names: which files beside a vault may be copies of it that a sync tool made, and how our own temporary files are
//! called. Pure; a name alone proves nothing, so a copy counts only when it opens with the vault's key (`docs/vault.md`, "Copies beside the vault").

/// Words that people put into the names of copies they made themselves. Those are not the sync tool's, and stay.
const BY_HAND: [&str; 9] = ["backup", "bak", "old", "copy", "export", "save", "orig", "before", "test"];

/// True when a sync tool may have made `other` of the vault `name` (both without folders):
///
/// | by | name |
/// |---|---|
/// | Syncthing | `NAME.sync-conflict-20260730-101112-ABCDEFG.otpv` |
/// | Nextcloud, ownCloud | `NAME (conflicted copy 2026-07-30 101112).otpv` |
/// | Dropbox | `NAME (HOST's conflicted copy 2026-07-30).otpv`, with a number when there are more |
/// | OneDrive | `NAME-HOST.otpv` |
/// | iCloud, Finder | `NAME 2.otpv` |
/// | Google Drive | `NAME (1).otpv` |
pub fn is_copy(name: &str, other: &str) -> bool {
    let (stem, extension) = split(name);
    let Some(middle) = other.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension)) else { return false };
    if middle.starts_with(".sync-conflict-") {
        return true;
    }
    if let Some(inner) = middle.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')')) {
        return is_number(inner) || inner.to_lowercase().contains("conflicted copy");
    }
    if let Some(number) = middle.strip_prefix(' ') {
        return is_number(number);
    }
    middle.strip_prefix('-').is_some_and(is_host)
}

/// A host's name as OneDrive appends it, perhaps with a number.
fn is_host(text: &str) -> bool {
    let fits = text.len() <= 63 && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let small = text.to_lowercase();
    let by_hand =
        small.split(['-', '_']).any(|word| BY_HAND.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())));
    // A date is what a person appends; a host has a letter.
    fits && text.chars().any(char::is_alphabetic) && !by_hand
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// `vault.otpv` is `vault` and `.otpv`.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The name of a temporary file of a save: hidden, tied to the vault's name and to the writer's state folder (`tag`), so
/// that only the writer that left it behind clears it away.
pub fn temporary_name(name: &str, tag: u32, random: u64) -> String {
    format!(".{name}.{tag:08x}-{random:016x}.tmp")
}

/// True for what [`temporary_name`] made with this name and tag.
pub fn is_temporary(name: &str, tag: u32, other: &str) -> bool {
    let random = other.strip_prefix(&format!(".{name}.{tag:08x}-")).and_then(|rest| rest.strip_suffix(".tmp"));
    random.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copies_of_every_sync_tool_are_known_by_name() {
        for copy in [
            "vault.sync-conflict-20260730-101112-ABCDEFG.otpv",
            "vault (conflicted copy 2026-07-30 101112).otpv",
            "vault (Ann's conflicted copy 2026-07-30).otpv",
            "vault (Ann's Laptop's conflicted copy 2026-07-30 (1)).otpv",
            "vault (Case Conflicted Copy 2026-07-30).otpv",
            "vault-DESKTOP-7FGH2.otpv",
            "vault-Anns-MacBook-Pro-2.otpv",
            "vault 2.otpv",
            "vault (1).otpv",
        ] {
            assert!(is_copy("vault.otpv", copy), "{copy}");
        }
    }

    #[test]
    fn what_people_name_themselves_is_left_alone() {
        for other in [
            "vault.otpv",
            "vault.otpv.bak",
            "vault-backup.otpv",
            "vault-old2.otpv",
            "vault-2026-07-30.otpv",
            "vault-copy.otpv",
            "vault (before import).otpv",
            "vaults.otpv",
            "other.otpv",
            "other (1).otpv",
            "vault (1).txt",
            "vault .otpv",
            "vault-.otpv",
            "vault ().otpv",
            "vault 12345.otpv",
        ] {
            assert!(!is_copy("vault.otpv", other), "{other}");
        }
        assert!(is_copy("vault", "vault (1)"), "a vault without an extension");
        assert!(is_copy(".otpv", ".otpv (1)"));
    }

    #[test]
    fn a_temporary_file_is_known_by_the_one_who_made_it() {
        let temporary = temporary_name("vault.otpv", 0xabc, 7);
        assert_eq!(temporary, ".vault.otpv.00000abc-0000000000000007.tmp");
        assert!(is_temporary("vault.otpv", 0xabc, &temporary));
        assert!(!is_temporary("vault.otpv", 0xabd, &temporary));
        assert!(!is_temporary("other.otpv", 0xabc, &temporary));
        assert!(!is_temporary("vault.otpv", 0xabc, ".vault.otpv.00000abc-07.tmp"));
        assert!(!is_copy("vault.otpv", &temporary));
    }
}
