//! One file per format.

mod aegis;
mod migration;
mod uri_list;

use super::json::Json;
use super::{Format, Import, ImportError, Source, detect, text};

/// Reads a source by its format, or by what its content says.
pub(super) fn read(source: Source<'_>) -> Result<Import, ImportError> {
    let text = text::decode(source.bytes);
    if let Some(b'{' | b'[') = text.trim_start().as_bytes().first() {
        let doc = Json::parse(&text, source.format.unwrap_or(Format::Csv))?;
        let format = source.format.or_else(|| detect::json(&doc)).ok_or(ImportError::Unknown)?;
        return match format {
            Format::Aegis => aegis::read(&doc, &source),
            _ => Err(ImportError::Unknown),
        };
    }
    match source.format.or_else(|| detect::lines(&text)).ok_or(ImportError::Unknown)? {
        Format::GoogleMigration | Format::UriList => uri_list::read(&text),
        _ => Err(ImportError::Unknown),
    }
}
