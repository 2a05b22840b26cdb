//! Aegis (FORMATS 3).

use super::super::json::Json;
use super::super::{Import, ImportError, Source};

/// Reads a vault file.
pub fn read(_doc: &Json, _source: &Source<'_>) -> Result<Import, ImportError> {
    Err(ImportError::Unknown)
}
