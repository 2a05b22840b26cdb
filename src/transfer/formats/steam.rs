//! Steam's own file and Steam Desktop Authenticator's `.maFile`.

use super::super::container::base64;
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{Format, Import};
use crate::otp::ParamError;

/// Reads one account, or several by their Steam ids.
pub fn read(doc: &Json) -> Import {
    let mut import = Import::new(Format::Steam);
    let one = |import: &mut Import, entry: &Json| {
        let name = entry.str("account_name");
        let secret = base64(entry.get("shared_secret").text()).ok_or(ParamError::EmptySecret);
        let parts = Parts { issuer: "Steam", label: name, kind: "steam", secret, ..Parts::default() };
        import.take("Steam", name, parts.account());
    };
    if doc.has("shared_secret") {
        one(&mut import, doc);
    }
    for (_, entry) in doc.get("accounts").object() {
        one(&mut import, entry);
    }
    import
}
