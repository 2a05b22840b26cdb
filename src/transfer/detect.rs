//! Tells a format by its content, in the order of FORMATS 0.7. The name of a file counts for nothing.

use super::json::Json;
use super::{Format, text};
use crate::otp::uri;

/// The format of a file's content; none when nothing matches. For containers without a mark (andOTP and others) this is
/// the first guess, and the import tries the rest.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    let text = text::decode(bytes);
    match text.trim_start().as_bytes().first()? {
        b'{' | b'[' => Json::parse(&text, Format::Csv).ok().as_ref().and_then(json),
        _ => lines(&text),
    }
}

/// The format of a JSON document by its keys.
pub(super) fn json(doc: &Json) -> Option<Format> {
    if doc.has("header") && doc.has("db") {
        return Some(Format::Aegis);
    }
    None
}

/// The format of a text by its lines.
pub(super) fn lines(text: &str) -> Option<Format> {
    let mut found = None;
    for (_, line) in text::lines(text) {
        if line.get(..18).is_some_and(|start| start.eq_ignore_ascii_case("otpauth-migration:")) {
            return Some(Format::GoogleMigration);
        }
        if found.is_none() && uri::is_link(line) {
            found = Some(Format::UriList);
        }
    }
    found
}
