//! ZIP files: which program made one is told by the names of its members.

use super::super::container::zip::Archive;
use super::super::guess::{Guess, guess};
use super::super::{Format, Import, ImportError, Source};

/// Archives inside archives that are opened.
const MAX_DEPTH: usize = 2;
/// Members that are tried where no name is known.
const MAX_TRIES: usize = 16;

/// Members that tell the program.
const KNOWN: &[(&str, Format)] = &[
    ("export.data", Format::OnePassword),
    ("Proton Pass/data.json", Format::ProtonPass),
    ("raivo-otp-export.json", Format::Raivo),
    ("data.json", Format::Bitwarden),
    ("Accounts.txt", Format::AuthenticatorPlus),
    ("credentials.csv", Format::Dashlane),
];

/// The format by the members' names.
pub fn format(bytes: &[u8]) -> Option<Format> {
    let archive = Archive::open(bytes).ok()?;
    KNOWN.iter().find(|(name, _)| archive.find(name).is_some()).map(|(_, format)| *format)
}

/// Reads an archive.
pub fn read(source: &Source<'_>, depth: usize) -> Result<Import, ImportError> {
    let mut archive = Archive::open(source.bytes)?;
    if archive.find("data.pgp").is_some() {
        let reason = "This Proton Pass export is sealed with PGP. Export again as an unencrypted ZIP.";
        return Err(ImportError::Refused { format: Format::ProtonPass, reason: reason.to_owned() });
    }
    for (name, format) in KNOWN {
        if let Some(member) = archive.find(name) {
            return inner(&mut archive, &member, *format, source, depth);
        }
    }
    let names = archive.names();
    // WinAuth writes one text; anything else is looked into.
    let mut refusal = ImportError::Unknown;
    for name in names.iter().take(MAX_TRIES) {
        match inner(&mut archive, name, Format::WinAuth, source, depth) {
            Ok(import) => return Ok(import),
            Err(ImportError::Unknown | ImportError::Empty) => {}
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Reads a member as if it were a file.
fn inner(
    archive: &mut Archive<'_>,
    member: &str,
    format: Format,
    source: &Source<'_>,
    depth: usize,
) -> Result<Import, ImportError> {
    let content = archive.read(member, format, source.password)?;
    let name = member.rsplit('/').next();
    let inside = Source { bytes: content.expose(), name, password: source.password, ..Source::new(&[]) };
    if matches!(guess(inside.bytes), Some(Guess::Zip)) {
        return if depth < MAX_DEPTH { read(&inside, depth + 1) } else { Err(ImportError::Unknown) };
    }
    let mut import = super::super::import(inside)?;
    // The list of links inside says nothing of its program.
    if matches!(import.format, Format::UriList) {
        import.format = format;
    }
    Ok(import)
}
