//! The policy of a machine with Windows: one value of the registry, in the branch that Windows keeps for policies.
//!
//! Windows itself lets administrators, group policy and device management write there, and nobody else; so, as with the
//! policies of other programs, what is read there is obeyed. A file is not: anybody may make folders in `%ProgramData%`.
//! Source: Microsoft, "Implementing Registry-Based Policy".

use std::io;

use windows_registry::{LOCAL_MACHINE, Type};

/// The key, below the machine's.
const KEY: &str = r"SOFTWARE\Policies\otpanel";
/// The value: the text of the policy, in one string or a line in each of several.
const VALUE: &str = "policy";

/// The value's whole name.
pub(super) fn place() -> String {
    format!(r"HKEY_LOCAL_MACHINE\{KEY}\{VALUE}")
}

/// The text; none where the registry says nothing.
///
/// # Errors
/// The system's, or [`io::ErrorKind::InvalidData`] where it is no text.
pub(super) fn text() -> io::Result<Option<String>> {
    let value = match LOCAL_MACHINE.open(KEY).and_then(|key| key.get_value(VALUE)).map_err(|e| system(e.code().0)) {
        Ok(value) => value,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = match value.ty() {
        Type::MultiString => Vec::<String>::try_from(value)?.join("\n"),
        Type::String => value.try_into()?,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no text (REG_SZ or REG_MULTI_SZ)")),
    };
    Ok(Some(text))
}

/// The system's error in the number that the library gives, which wraps it.
fn system(wrapped: i32) -> io::Error {
    /// Where the wrapped number is one of the system's (`FACILITY_WIN32`).
    const SYSTEM: i32 = 0x8007_0000_u32.cast_signed();
    io::Error::from_raw_os_error(if wrapped & !0xFFFF == SYSTEM { wrapped & 0xFFFF } else { wrapped })
}
