//! LastPass Authenticator's JSON. The vault's CSV is read by [`super::csv`].

use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{Format, Import};
use crate::otp::base32;

/// Reads an export of Android (version 3) or iOS (version 1).
pub fn read(doc: &Json) -> Import {
    let mut import = Import::new(Format::LastPass);
    let folders = doc.get("folders").names("id", "name");
    for entry in doc.get("accounts").list() {
        let (issuer, label) = (entry.str("issuerName"), entry.str("userName"));
        let parts = Parts {
            issuer,
            label,
            algorithm: entry.str("algorithm"),
            digits: entry.get("digits"),
            period: entry.get("timeStep"),
            secret: base32::bytes(entry.get("secret").text()),
            ..Parts::default()
        };
        let result = parts.account().map(|mut account| {
            account.favourite = entry.get("isFavorite").flag();
            // Folder 0 is none and folder 1 the favourites.
            let id = entry.get("folderData").get("folderId").loose();
            let folder = folders.get(&id).filter(|_| id != "0" && id != "1");
            account.groups.extend(folder.map(|name| (*name).to_owned()));
            account
        });
        import.take(issuer, label, result);
    }
    import
}
