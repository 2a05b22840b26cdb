//! Password managers with JSON of their own: Proton Pass, 1Password, Keeper, Enpass.

use super::super::json::Json;
use super::super::{Format, Import};
use super::item;
use crate::otp::Account;

/// Reads Proton Pass's `data.json`.
pub fn proton_pass(doc: &Json) -> Import {
    let mut import = Import::new(Format::ProtonPass);
    for (_, vault) in doc.get("vaults").object() {
        for item in vault.get("items").list() {
            let data = item.get("data");
            let (content, meta) = (data.get("content"), data.get("metadata"));
            let title = meta.str("name");
            let user = [content.str("itemUsername"), content.str("itemEmail")].into_iter().find(|u| !u.is_empty());
            let user = user.unwrap_or_default();
            let custom = data.get("extraFields").list().iter().filter(|f| f.str("type") == "totp");
            let codes = std::iter::once(content.str("totpUri")).chain(custom.map(|f| f.get("data").str("totpUri")));
            for code in codes.filter(|c| !c.is_empty()) {
                if matches!(item.get("state").number(), Ok(Some(2))) {
                    import.skip(title, "it is in the trash");
                    continue;
                }
                let finish = |mut account: Account| {
                    account.groups.extend(Some(vault.str("name")).filter(|n| !n.is_empty()).map(str::to_owned));
                    meta.get("note").text().clone_into(&mut account.note);
                    account
                };
                import.take(title, user, item::account(code, title, user).map(finish));
            }
        }
    }
    import
}

/// Reads 1Password's `export.data`.
pub fn one_password(doc: &Json) -> Import {
    let mut import = Import::new(Format::OnePassword);
    let vaults = doc.get("accounts").list().iter().flat_map(|account| account.get("vaults").list());
    for entry in vaults.flat_map(|vault| vault.get("items").list()) {
        // Older files wrap each item once more.
        let entry = if entry.has("item") { entry.get("item") } else { entry };
        let (overview, details) = (entry.get("overview"), entry.get("details"));
        let title = overview.str("title");
        let user = details.get("loginFields").list().iter().find(|f| f.str("designation") == "username");
        let user = user.map(|f| f.str("value")).unwrap_or_default();
        let fields = details.get("sections").list().iter().flat_map(|s| s.get("fields").list());
        for code in fields.map(|f| f.get("value").str("totp")).filter(|c| !c.is_empty()) {
            if entry.str("state") == "trashed" {
                import.skip(title, "it is in the trash");
                continue;
            }
            let finish = |mut account: Account| {
                account.groups = overview.get("tags").list().iter().map(|t| t.text().to_owned()).collect();
                account.favourite = entry.get("favIndex").flag();
                account
            };
            import.take(title, user, item::account(code, title, user).map(finish));
        }
    }
    import
}

/// Reads Keeper's JSON.
pub fn keeper(doc: &Json) -> Import {
    let mut import = Import::new(Format::Keeper);
    for record in doc.get("records").list() {
        let (title, user) = (record.str("title"), record.str("login"));
        let fields = record.get("custom_fields").object().iter();
        let codes = fields.filter(|(key, _)| key.starts_with("$oneTimeCode") || &**key == "TFC:Keeper");
        for code in codes.flat_map(|(_, value)| texts(value)).filter(|c| !c.is_empty()) {
            let finish = |mut account: Account| {
                let folders = record.get("folders").list().iter().map(|f| f.str("folder").to_owned());
                account.groups = folders.filter(|f| !f.is_empty()).collect();
                account
            };
            import.take(title, user, item::account(code, title, user).map(finish));
        }
    }
    import
}

/// A text, or the texts of a list.
fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::List(items) => items.iter().map(Json::text).collect(),
        other => vec![other.text()],
    }
}

/// Reads Enpass's JSON.
pub fn enpass(doc: &Json) -> Import {
    let mut import = Import::new(Format::Enpass);
    let folders = doc.get("folders").names("uuid", "title");
    for entry in doc.get("items").list() {
        let fields = || entry.get("fields").list().iter().filter(|f| !f.get("deleted").flag());
        let value =
            |kind: &str| fields().find(|f| f.str("type") == kind && !f.str("value").is_empty()).map(|f| f.str("value"));
        let title = entry.str("title");
        let user = value("username").or_else(|| value("email")).unwrap_or_default();
        for code in fields().filter(|f| f.str("type") == "totp").map(|f| f.str("value")).filter(|c| !c.is_empty()) {
            if entry.get("trashed").flag() {
                import.skip(title, "it is in the trash");
                continue;
            }
            let finish = |mut account: Account| {
                let ids = entry.get("folders").list().iter().map(Json::text);
                account.groups = ids.filter_map(|id| folders.get(id)).map(|name| (*name).to_owned()).collect();
                account.favourite = entry.get("favorite").flag();
                entry.get("note").text().clone_into(&mut account.note);
                account
            };
            import.take(title, user, item::account(code, title, user).map(finish));
        }
    }
    import
}
