//! Lists of other programs that differ in the names of their fields alone: tofa, 2FAuth, and OTPClient's plain list.

use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{Format, Import};
use crate::otp::base32;

/// Reads tofa's export, an object or its bare list.
pub fn tofa(doc: &Json) -> Import {
    let mut import = Import::new(Format::Tofa);
    let list = if doc.has("entries") { doc.get("entries").list() } else { doc.list() };
    for entry in list {
        let (issuer, label) = (entry.str("issuer"), entry.str("name"));
        let parts = Parts {
            issuer,
            label,
            algorithm: entry.str("algorithm"),
            digits: entry.get("digits"),
            period: entry.get("period"),
            secret: base32::bytes(entry.get("secret").text()),
            ..Parts::default()
        };
        import.take(issuer, label, parts.account());
    }
    import
}

/// Reads 2FAuth's export.
pub fn twofauth(doc: &Json) -> Import {
    let mut import = Import::new(Format::TwoFAuth);
    for entry in doc.get("data").list() {
        let (issuer, label) = (entry.str("service"), entry.str("account"));
        let parts = Parts {
            issuer,
            label,
            kind: entry.str("otp_type"),
            algorithm: entry.str("algorithm"),
            digits: entry.get("digits"),
            period: entry.get("period"),
            counter: entry.get("counter"),
            secret: base32::bytes(entry.get("secret").text()),
            pin: "",
        };
        import.take(issuer, label, parts.account());
    }
    import
}

/// Reads the list that OTPClient keeps in its database.
pub fn otpclient(doc: &Json) -> Import {
    let mut import = Import::new(Format::OtpClient);
    for entry in doc.list() {
        let (issuer, label) = (entry.str("issuer"), entry.str("label"));
        let parts = Parts {
            issuer,
            label,
            kind: entry.str("type"),
            algorithm: entry.str("algo"),
            digits: entry.get("digits"),
            period: entry.get("period"),
            counter: entry.get("counter"),
            secret: base32::bytes(entry.get("secret").text()),
            pin: "",
        };
        let result = parts.account().map(|mut account| {
            account.groups.extend(Some(entry.str("group")).filter(|g| !g.is_empty()).map(str::to_owned));
            account
        });
        import.take(issuer, label, result);
    }
    if import.entries.iter().any(|a| a.issuer.eq_ignore_ascii_case("steam") && a.kind.digits() == 5) {
        let note =
            "OTPClient keeps Steam accounts as codes of five digits: if Steam refuses them, change the kind to Steam.";
        import.notes.push(note.to_owned());
    }
    import
}
