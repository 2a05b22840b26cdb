//! `copy` and the holder that it leaves behind.

use super::failure::Failure;
use super::session::World;
use crate::config::Config;
use crate::otp::code::Code;

/// Copies a code and leaves a holder behind that clears it.
///
/// # Errors
/// When no way to a clipboard works.
pub fn leave(_world: &World, _code: &Code, _title: &str) -> Result<(), Failure> {
    Err(Failure::usage("There is no clipboard yet", "Use `otpanel code`."))
}

/// What `doctor` says about the clipboard: a thing, whether it works, and a sentence.
pub fn findings(_config: &Config) -> impl Iterator<Item = (&'static str, bool, String)> {
    std::iter::empty()
}

/// Holds what stdin brings until another program takes the clipboard, or clears it after a time.
///
/// # Errors
/// When no way to a clipboard works.
pub fn hold(_args: &super::args::Holder) -> Result<(), Failure> {
    Ok(())
}
