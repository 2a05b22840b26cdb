//! How foreign labels become an issuer and an account. Nothing is invented.

/// Makes issuer and account of a format's own two fields, or of a link's issuer parameter and its label.
///
/// The account loses a prefix that repeats the issuer. Without an issuer the part before the label's first colon is the
/// issuer. A label with a different prefix stays whole, so that nothing is lost.
pub fn split(issuer: &str, label: &str) -> (String, String) {
    let (issuer, label) = (issuer.trim(), label.trim());
    if issuer.is_empty() {
        return match label.split_once(':') {
            Some((before, after)) => (before.trim().to_owned(), after.trim().to_owned()),
            None => (String::new(), label.to_owned()),
        };
    }
    let account = without_prefix(label, issuer).unwrap_or_else(|| label.strip_prefix(':').unwrap_or(label));
    (issuer.to_owned(), account.trim().to_owned())
}

/// The label after `issuer:`, compared without case; none when it starts otherwise.
fn without_prefix<'a>(label: &'a str, issuer: &str) -> Option<&'a str> {
    let mut rest = label.chars();
    for wanted in issuer.chars() {
        let got = rest.next()?;
        if got != wanted && !got.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    rest.as_str().trim_start().strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(issuer: &str, label: &str) -> (String, String) {
        split(issuer, label)
    }

    #[test]
    fn a_repeated_issuer_is_taken_off_the_account_in_any_case() {
        assert_eq!(pair("Acme", "acme: bob"), ("Acme".into(), "bob".into()));
        assert_eq!(pair("ÄRZTE", "ärzte:bob"), ("ÄRZTE".into(), "bob".into()));
        assert_eq!(pair(" Acme ", "Acme:Acme:bob"), ("Acme".into(), "Acme:bob".into()));
    }

    #[test]
    fn the_first_colon_splits_a_label_without_an_issuer() {
        assert_eq!(pair("", "Many:colons:in:label"), ("Many".into(), "colons:in:label".into()));
        assert_eq!(pair("", ":no issuer"), (String::new(), "no issuer".into()));
        assert_eq!(pair("", "plain"), (String::new(), "plain".into()));
    }

    #[test]
    fn a_different_prefix_stays_in_the_account() {
        assert_eq!(pair("Microsoft", "Contoso:ada"), ("Microsoft".into(), "Contoso:ada".into()));
        assert_eq!(pair("Acme", ":bob"), ("Acme".into(), "bob".into()));
        assert_eq!(pair("Acme", "Acmeology"), ("Acme".into(), "Acmeology".into()));
    }
}
