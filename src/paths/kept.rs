//! Paths in our own files of local state. As text, and where a path is none (Unix takes any bytes) as its bytes in hex behind a
//! mark with which no whole path begins: a home of any name can be remembered.

use std::path::{Path, PathBuf};

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

#[cfg(unix)]
const BYTES: &str = "bytes:";

/// A whole path as text that [`from_text`] reads.
pub fn to_text(path: &Path) -> String {
    #[cfg(unix)]
    if path.to_str().is_none() {
        let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
        return format!("{BYTES}{}", data_encoding::HEXLOWER.encode(bytes));
    }
    path.to_string_lossy().into_owned()
}

/// The path that a text stands for.
pub fn from_text(text: &str) -> PathBuf {
    #[cfg(unix)]
    if let Some(bytes) = text.strip_prefix(BYTES).and_then(|hex| data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()) {
        return std::ffi::OsString::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&bytes)).into();
    }
    text.into()
}

/// For serde: writes a path that may be there.
///
/// # Errors
/// The format's.
#[allow(clippy::ref_option, reason = "serde gives a reference to the field")]
pub fn serialize<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
    path.as_deref().map(to_text).serialize(to)
}

/// For serde: reads a path that may be there.
///
/// # Errors
/// The format's.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.as_deref().map(from_text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back_as_it_was() {
        for path in ["/home/ada/vault.otpv", "/home/ünï/ \n", "/bytes:00"] {
            assert_eq!((to_text(Path::new(path)).as_str(), from_text(path)), (path, PathBuf::from(path)));
        }
        assert_eq!(from_text("bytes:no hex"), Path::new("bytes:no hex"));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_comes_back_as_it_was() {
        let path = Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/home/\xff\xfe/v"));
        assert_eq!(from_text(&to_text(path)), path);
    }
}
