//! The files that ship with the program are what they say.

use std::collections::BTreeSet;

use otpanel::transfer::{Source, import};

#[test]
fn every_sample_account_can_be_used_and_every_kind_is_among_them() {
    let text = include_str!("../assets/demo.txt");
    let found = import(Source::new(text.as_bytes())).expect("a list of links");
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    assert_eq!(found.entries.len(), text.lines().filter(|line| !line.starts_with('#')).count());

    let kinds: BTreeSet<_> = found.entries.iter().map(|account| account.kind.name()).collect();
    assert_eq!(kinds, BTreeSet::from(["hotp", "motp", "steam", "totp", "yandex"]));
    let names: BTreeSet<_> = found.entries.iter().map(|account| (&account.issuer, &account.account)).collect();
    assert_eq!(names.len(), found.entries.len(), "no name twice");
    assert!(found.entries.iter().any(|account| account.favourite));
    assert!(found.entries.iter().any(|account| account.groups.iter().any(|group| group == "work")));
    assert!(found.entries.iter().any(|account| !account.note.is_empty()));
    for (issuer, account) in
        [("日本の銀行", "山田花子@例え.example"), ("Mastodon", "@ada@hachy.example"), ("", "just-a-name")]
    {
        assert!(names.contains(&(&issuer.to_owned(), &account.to_owned())), "{issuer} {account}");
    }
}
