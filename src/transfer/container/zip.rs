//! ZIP archives in memory: plain, ZipCrypto and WinZip AES. Nothing is ever unpacked to disk.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::{Format, ImportError, MAX_FILE};
use crate::secret::Secret;

/// Members that an archive may have.
const MAX_MEMBERS: usize = 4096;

/// An open archive.
pub struct Archive<'a>(ZipArchive<Cursor<&'a [u8]>>);

impl<'a> Archive<'a> {
    /// Reads the directory.
    ///
    /// # Errors
    /// [`ImportError::Unknown`] when it is damaged, empty or has too many members.
    pub fn open(bytes: &'a [u8]) -> Result<Self, ImportError> {
        match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) if (1..=MAX_MEMBERS).contains(&archive.len()) => Ok(Self(archive)),
            _ => Err(ImportError::Unknown),
        }
    }

    /// The members that are files, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.file_names().filter_map(Result::ok).filter(|n| !n.ends_with('/')).map(Cow::into_owned).collect()
    }

    /// The first member whose path ends in this one, on a whole name.
    pub fn find(&self, path: &str) -> Option<String> {
        self.names()
            .into_iter()
            .find(|n| n.strip_suffix(path).is_some_and(|before| before.is_empty() || before.ends_with('/')))
    }

    /// Unpacks a member.
    ///
    /// # Errors
    /// [`ImportError::PasswordNeeded`], [`ImportError::WrongPassword`], [`ImportError::TooLarge`] beyond 64 MiB unpacked,
    /// [`ImportError::Damaged`].
    pub fn read(
        &mut self,
        name: &str,
        format: Format,
        password: Option<&Secret<String>>,
    ) -> Result<Secret<Vec<u8>>, ImportError> {
        let damaged =
            || ImportError::Damaged { format, reason: String::from("a part of the archive cannot be unpacked") };
        let too_large = || ImportError::TooLarge { what: "a part of the archive", mib: MAX_FILE >> 20 };
        let at = self.0.index_for_name(name).ok_or_else(damaged)?;
        let encrypted = self.0.by_index_raw(at).map_err(|_| damaged())?.encrypted();
        let wrong = || if encrypted { ImportError::WrongPassword(format) } else { damaged() };
        let mut member = if encrypted {
            let password = password.filter(|p| !p.expose().is_empty()).ok_or(ImportError::PasswordNeeded(format))?;
            self.0.by_index_decrypt(at, password.expose().as_bytes())
        } else {
            self.0.by_index(at)
        }
        .map_err(|error| match error {
            ZipError::InvalidPassword => ImportError::WrongPassword(format),
            _ => wrong(),
        })?;
        if member.size() > MAX_FILE as u64 {
            return Err(too_large());
        }
        let mut out = Secret::new(Vec::with_capacity(member.size() as usize));
        // The directory may lie: what comes out is counted, too.
        let read = member.by_ref().take(MAX_FILE as u64 + 1).read_to_end(out.expose_mut());
        match read {
            Ok(n) if n > MAX_FILE => Err(too_large()),
            Ok(_) => Ok(out),
            Err(_) => Err(wrong()),
        }
    }
}
