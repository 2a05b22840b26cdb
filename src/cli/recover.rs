//! The way back from a damaged vault: which copies of the history are whole, and putting one in its place.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::report::{COPIES, Exit, Report};
use crate::rollback;
use crate::text::clean;
use crate::vault::file::{FileError, Place};
use crate::vault::{Locked, VaultId};

/// How many copies a report names.
const NAMED: usize = 5;

/// One whole copy.
pub struct Copy {
    /// Its file.
    pub path: PathBuf,
    /// When it was written, in milliseconds; 0 where it cannot be told.
    pub time: u64,
    /// Whose it is.
    pub vault: VaultId,
}

/// Every copy in the history that is a whole vault, newest first. A damaged file may not tell its own id any more, so all
/// vaults' histories are looked through unless `vault` names one.
pub fn whole_copies(place: &Place, vault: Option<VaultId>) -> Vec<Copy> {
    let root = place.state_dir.join("history");
    let folders: Vec<PathBuf> = match vault {
        Some(id) => vec![place.history_dir(id)],
        None => fs::read_dir(root).into_iter().flatten().flatten().map(|e| e.path()).collect(),
    };
    let ids = folders.iter().filter_map(|f| f.file_name()?.to_str()?.parse::<VaultId>().ok());
    let mut copies: Vec<Copy> = ids
        .flat_map(|id| place.history(id).unwrap_or_default().into_iter().map(move |version| (id, version)))
        .filter(|(_, version)| fs::read(&version.path).is_ok_and(|bytes| Locked::parse(bytes).is_ok()))
        .map(|(vault, version)| Copy { path: version.path, time: version.time.0, vault })
        .collect();
    copies.sort_by_key(|copy| std::cmp::Reverse(copy.time));
    copies
}

/// Reads the vault file.
///
/// # Errors
/// When there is none, or it is no vault, newer or damaged; then with the copies that would open.
pub fn load(place: &Place) -> Result<Locked, Failure> {
    place.load().map_err(|e| with_copies(place, e))
}

/// The failure of reading a damaged vault, with the copies that would open.
fn with_copies(place: &Place, error: FileError) -> Failure {
    let damaged = matches!(error, FileError::NotAVault(_) | FileError::Damaged { .. } | FileError::Vanished(_));
    let mut report = Report::from(error);
    if damaged {
        name_copies(place, &mut report);
    }
    report.into()
}

/// The failure of opening a vault; where it was found to be damaged, with the copies that would open.
pub fn copies_named(place: &Place, failure: Failure) -> Failure {
    match failure.report() {
        Some(mut report) if report.exit == Exit::Damaged && report.next.contains(COPIES) => {
            name_copies(place, &mut report);
            report.into()
        }
        _ => failure,
    }
}

fn name_copies(place: &Place, report: &mut Report) {
    // Those of other vaults would lead astray.
    let here = rollback::vaults_of(place);
    let copies: Vec<Copy> = whole_copies(place, None).into_iter().filter(|copy| here.contains(&copy.vault)).collect();
    if copies.is_empty() {
        report.next.push_str("\nNo whole copy of a vault that lay here is in the history.");
    } else {
        report.next.push_str("\nWhole copies, the newest first:");
        for copy in copies.iter().take(NAMED) {
            let _ = write!(report.next, "\n  {}  {}", when(copy.time), shown(&copy.path));
        }
    }
}

/// A moment as people write it, in local time.
pub fn when(ms: u64) -> String {
    match jiff::Timestamp::from_millisecond(ms as i64) {
        Ok(time) => time.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => "at an unknown time".to_owned(),
    }
}

/// A moment in RFC 3339, in UTC, always to the millisecond.
pub fn rfc3339(ms: u64) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms as i64).ok().map(|t| format!("{t:.3}"))
}

/// A path that is safe to print.
pub fn shown(path: &Path) -> String {
    clean(&path.display().to_string()).into_owned()
}
