//! Raivo: a list in which every value is text, often inside an AES-sealed ZIP.

use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{Format, Import};
use crate::otp::base32;

/// Reads a list.
pub fn read(doc: &Json) -> Import {
    let mut import = Import::new(Format::Raivo);
    for entry in doc.list() {
        let (issuer, label) = (entry.str("issuer"), entry.str("account"));
        let parts = Parts {
            issuer,
            label,
            kind: entry.str("kind"),
            algorithm: entry.str("algorithm"),
            digits: entry.get("digits"),
            period: entry.get("timer"),
            counter: entry.get("counter"),
            secret: base32::bytes(entry.get("secret").text()),
            pin: "",
        };
        let result = parts.account().map(|mut account| {
            account.favourite = entry.get("pinned").flag();
            account
        });
        import.take(issuer, label, result);
    }
    import
}
