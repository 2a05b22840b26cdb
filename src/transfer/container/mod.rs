//! What several formats are wrapped in, opened within bounds.

pub mod crypto;
pub mod kdf;
