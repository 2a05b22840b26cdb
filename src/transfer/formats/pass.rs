//! Entries of pass and gopass, already decrypted: a password, then fields, one of them a link or `totp:`.

use super::super::{Format, Import, Source, text};
use super::item;
use crate::otp::{base32, uri};

/// Whether a text is such an entry: one link among other lines, or a field with a secret.
pub fn is_entry(text: &str) -> bool {
    let links = text::lines(text).filter(|(_, line)| uri::is_link(line)).take(2).count();
    match links {
        0 => text::lines(text).any(|(_, line)| field(line).is_some()),
        1 => {
            let fields = |(_, line): (usize, &str)| !uri::is_link(line) && line.contains(": ");
            let first_is_password =
                text::lines(text).next().is_some_and(|(_, line)| !uri::is_link(line) && !line.contains(' '));
            first_is_password && text::lines(text).any(fields)
        }
        _ => false,
    }
}

/// The secret of gopass's `totp:` or `otpauth:` field.
fn field(line: &str) -> Option<&str> {
    let (key, value) = line.split_once(':')?;
    let known = key.trim().eq_ignore_ascii_case("totp") || key.trim().eq_ignore_ascii_case("otpauth");
    let value = value.trim();
    let secret = || value.len() >= 8 && base32::decode(value).is_ok();
    (known && (uri::is_link(value) || secret())).then_some(value)
}

/// Reads an entry. The file's name is its title.
pub fn read(text: &str, source: &Source<'_>) -> Import {
    let mut import = Import::new(Format::Pass);
    let name = source.name.unwrap_or_default();
    let title = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let user = text::lines(text).find_map(|(_, line)| {
        let (key, value) = line.split_once(':')?;
        let key = key.trim().to_ascii_lowercase();
        ["login", "username", "user", "email"].contains(&key.as_str()).then(|| value.trim())
    });
    let user = user.unwrap_or_default();
    let code = text::lines(text).find_map(|(_, line)| if uri::is_link(line) { Some(line) } else { field(line) });
    if let Some(code) = code {
        import.take(title, user, item::account(code, title, user));
    }
    import
}
