//! Duo Mobile.

use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{EntryError, Format, Import};
use crate::otp::base32;

/// Reads a list. A counter makes it HOTP; without a secret it is a push account.
pub fn read(doc: &Json) -> Import {
    let mut import = Import::new(Format::Duo);
    for entry in doc.list() {
        let (name, otp) = (entry.str("name"), entry.get("otpGenerator"));
        let secret = otp.get("otpSecret").text();
        let result = if secret.is_empty() {
            Err(EntryError::Other("it is a push account without a secret"))
        } else {
            let kind = if otp.has("counter") { "hotp" } else { "totp" };
            let secret = base32::bytes(secret);
            Parts { label: name, kind, counter: otp.get("counter"), secret, ..Parts::default() }.account()
        };
        import.take("", name, result);
    }
    import
}
