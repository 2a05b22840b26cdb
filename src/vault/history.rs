//! The history of a vault: its older versions, sealed as they were, in the state folder. One of the two files of this floor
//! that touch the world.
//!
//! What stays (`docs/vault.md`, "History"): the last 20; the first of every hour for a day, of every day for 30 days and of every month
//! for a year, so that a burst of small edits cannot push out the good ones; what stood before an import, a restore or a new
//! password; at most 64 MiB.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::crypto;
use super::entry::VaultId;
use super::envelope::{Locked, MAX_FILE_LEN};
use super::file::{FileError, Place, disk, refused};
pub use super::reason::Reason;
use crate::time::UnixTime;
use crate::{entropy, paths};

/// The last so many are kept.
const LAST: usize = 20;
/// Of those that stood before an import and the like, so many.
const TAGGED: usize = 40;
/// Bytes of all versions together.
const TOTAL: u64 = 64 << 20;

/// One version in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its file.
    pub path: PathBuf,
    /// When it was kept.
    pub time: UnixTime,
    /// Counts up with every version kept: the order, whatever the clock did.
    pub number: u64,
    /// Bytes.
    pub size: u64,
    /// Why it was kept.
    pub reason: Reason,
    digest: [u8; 8],
}

impl Version {
    /// The version, parsed and not opened.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn load(&self) -> Result<Locked, FileError> {
        let bytes = disk::read(&self.path, MAX_FILE_LEN)?.ok_or_else(|| FileError::Missing(self.path.clone()))?;
        Locked::parse(bytes).map_err(|error| refused(&self.path, error))
    }

    /// `20260730T101112.345Z-000042-import-0123456789abcdef.otpv`.
    fn name(&self) -> String {
        let digest = data_encoding::HEXLOWER.encode(&self.digest);
        format!("{}-{:06}-{}-{digest}.otpv", date(self.time), self.number, self.reason.name())
    }

    fn parse(path: PathBuf, size: u64) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".otpv")?;
        let mut parts = stem.split('-');
        let (time, number, reason, digest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let reason = Reason::ALL.into_iter().find(|known| known.name() == reason)?;
        let digest = data_encoding::HEXLOWER.decode(digest.as_bytes()).ok()?.try_into().ok()?;
        let (time, number) = (read_date(time)?, number.parse().ok()?);
        parts.next().is_none().then_some(Self { path, time, number, size, reason, digest })
    }
}

impl Place {
    /// The folder of a vault's history.
    pub fn history_dir(&self, vault: VaultId) -> PathBuf {
        self.state_dir.join("history").join(vault.to_string())
    }

    /// The versions of a vault, newest first.
    ///
    /// # Errors
    /// [`FileError`] when the folder cannot be read; a folder that is not there is an empty history.
    pub fn history(&self, vault: VaultId) -> Result<Vec<Version>, FileError> {
        let folder = self.history_dir(vault);
        let names = match paths::names(&folder) {
            Ok(names) => names,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(FileError::Io { path: folder, source }),
        };
        let mut versions: Vec<_> = (names.into_iter().map(|name| folder.join(name)))
            .filter_map(|path| {
                let about = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
                Version::parse(path, about.len())
            })
            .collect();
        versions.sort_by_key(|version| std::cmp::Reverse((version.number, version.time)));
        Ok(versions)
    }

    /// Keeps bytes in a vault's history, unless they are there already, and clears away what need not stay.
    ///
    /// # Errors
    /// [`FileError`]; what was kept before is kept still.
    pub fn keep(&self, vault: VaultId, bytes: &[u8], reason: Reason) -> Result<(), FileError> {
        self.keep_at(vault, bytes, reason, UnixTime::now())
    }

    fn keep_at(&self, vault: VaultId, bytes: &[u8], reason: Reason, now: UnixTime) -> Result<(), FileError> {
        let folder = self.history_dir(vault);
        let failed = |e| disk::failure(&folder, e);
        disk::private_folder(&folder).map_err(failed)?;
        let versions = self.history(vault)?;
        let digest = crypto::digest(bytes).first_chunk().copied().expect("32 bytes have a first eight");
        let size = bytes.len() as u64;
        let mut version = Version { path: folder.clone(), time: now, number: 1, size, reason, digest };
        version.number += versions.iter().map(|other| other.number).max().unwrap_or(0);
        version.path = folder.join(version.name());
        let same = versions.iter().find(|other| other.digest == digest && other.size == size);
        match same.map(|same| (same, fs::read(&same.path).is_ok_and(|kept| kept == bytes))) {
            // The same version for a better reason.
            Some((same, true)) if same.reason.is_plain() && !reason.is_plain() => {
                fs::rename(&same.path, &version.path).map_err(failed)?;
            }
            Some((_, true)) => return Ok(()),
            _ => {
                let temporary = folder.join(format!(".new-{:016x}", u64::from_le_bytes(entropy::bytes())));
                disk::write_new(&temporary, bytes, None).map_err(failed)?;
                fs::rename(&temporary, &version.path).map_err(|e| {
                    let _ = fs::remove_file(&temporary);
                    failed(e)
                })?;
            }
        }
        paths::sync_folder(&folder).map_err(failed)?;
        // The version is safe; that an older one could not be cleared away is no reason to stop a save.
        for old in doomed(&self.history(vault)?) {
            let _ = fs::remove_file(&old.path);
        }
        clear_unfinished(&folder);
        Ok(())
    }
}

/// Removes what a crash left half written, once it is an hour old.
fn clear_unfinished(folder: &Path) {
    let names = paths::names(folder).unwrap_or_default();
    for path in names.iter().filter(|name| name.to_string_lossy().starts_with(".new-")).map(|name| folder.join(name)) {
        let age = fs::symlink_metadata(&path).and_then(|about| about.modified()).map(|time| time.elapsed());
        if age.is_ok_and(|age| age.is_ok_and(|age| age.as_secs() > 3600)) {
            let _ = fs::remove_file(path);
        }
    }
}

/// The versions that need not stay, of a list that is newest first.
fn doomed(versions: &[Version]) -> Vec<&Version> {
    // How dear each is: 0 goes, 1 is one of the last or of an hour, 2 of a day or a month, 3 was kept for a reason.
    let mut worth = vec![0; versions.len()];
    let raise = |worth: &mut u8, to: u8| *worth = (*worth).max(to);
    for worth in worth.iter_mut().take(LAST) {
        raise(worth, 1);
    }
    // The first of each of the last hours, days and months in which there is one. They are counted, and not told by their age: a
    // clock that stands years ahead once takes the place of one, and not of all.
    for (name, most, value) in [("yyyymmddThh".len(), 24, 1), ("yyyymmdd".len(), 30, 2), ("yyyymm".len(), 13, 2)] {
        let mut first = BTreeMap::new();
        for (at, version) in versions.iter().enumerate() {
            let span = date(version.time)[..name].to_owned();
            if first.len() < most || first.contains_key(&span) {
                first.insert(span, at);
            }
        }
        for at in first.into_values() {
            raise(&mut worth[at], value);
        }
    }
    let tagged = |version: &&Version| {
        !version.reason.is_plain() && !matches!(version.reason, Reason::Conflict | Reason::Unreadable)
    };
    for (at, _) in versions.iter().enumerate().filter(|(_, version)| tagged(version)).take(TAGGED) {
        raise(&mut worth[at], 3);
    }
    // What this machine wrote last, whatever others put in its place since: it heals a vault that went back.
    let written = versions.iter().position(|version| version.reason == Reason::Saved);
    if let Some(at) = written {
        raise(&mut worth[at], 3);
    }
    // Over the limit the cheapest go first, of those the oldest; never the newest, which is what the vault is now, and what
    // stood there before it.
    let mut total: u64 =
        versions.iter().zip(&worth).filter(|(_, worth)| **worth > 0).map(|(version, _)| version.size).sum();
    for level in 1..=3 {
        for at in (2..versions.len()).rev() {
            if total > TOTAL && worth[at] == level && Some(at) != written {
                worth[at] = 0;
                total -= versions[at].size;
            }
        }
    }
    versions.iter().zip(worth).filter(|(_, worth)| *worth == 0).map(|(version, _)| version).collect()
}

/// `20260730T101112.345Z`, UTC. Days to dates after Hinnant, "chrono-compatible low-level date algorithms".
fn date(time: UnixTime) -> String {
    let (days, secs) = ((time.secs() / 86_400) as i64 + 719_468, time.secs() % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{:03}Z", time.0 % 1000)
}

fn read_date(text: &str) -> Option<UnixTime> {
    let number = |from: usize, len: usize| text.get(from..from + len)?.parse::<i64>().ok();
    let is_shaped = text.len() == 20 && text.is_ascii() && text.as_bytes()[8] == b'T' && text.ends_with('Z');
    let (month, day) = (number(4, 2).filter(|_| is_shaped)?, number(6, 2)?);
    let year = number(0, 4)? - i64::from(month <= 2);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;
    let days = year / 400 * 146_097 + day_of_era - 719_468;
    let secs = days * 86_400 + number(9, 2)? * 3600 + number(11, 2)? * 60 + number(13, 2)?;
    u64::try_from(secs * 1000 + number(16, 3)?).ok().map(UnixTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: VaultId = VaultId([5; 16]);
    const DAY: u64 = 86_400;

    fn place() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("vault.otpv"), folder.path().join("state"));
        (folder, place)
    }

    fn version(number: u64, secs: u64, reason: Reason, size: u64) -> Version {
        Version {
            path: PathBuf::from(number.to_string()),
            time: UnixTime::from_secs(secs),
            number,
            size,
            reason,
            digest: [0; 8],
        }
    }

    /// The numbers that stay, newest first, of versions given oldest first.
    fn stay(mut versions: Vec<Version>) -> Vec<u64> {
        versions.reverse();
        let gone: Vec<u64> = doomed(&versions).iter().map(|version| version.number).collect();
        versions.iter().map(|version| version.number).filter(|number| !gone.contains(number)).collect()
    }

    #[test]
    fn a_date_is_written_and_read_back() {
        for (ms, text) in [
            (0, "19700101T000000.000Z"),
            (951_782_399_999, "20000228T235959.999Z"),
            (951_782_400_000, "20000229T000000.000Z"),
            (1_785_406_272_345, "20260730T101112.345Z"),
            (4_107_542_400_000, "21000301T000000.000Z"),
        ] {
            assert_eq!(date(UnixTime(ms)), text);
            assert_eq!(read_date(text), Some(UnixTime(ms)));
        }
        for bad in
            ["", "20260730T101112.345", "2026073\u{e9}T101112.34Z", "20260730 101112.345Z", "99999999999999999999"]
        {
            assert_eq!(read_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn versions_are_listed_newest_first_with_their_reasons_and_bytes() {
        let (_folder, place) = place();
        for (n, reason) in Reason::ALL.into_iter().enumerate() {
            place.keep_at(VAULT, &[n as u8; 10], reason, UnixTime::from_secs(1000 - n as u64)).unwrap();
        }
        let versions = place.history(VAULT).unwrap();
        let reasons: Vec<_> = versions.iter().map(|version| version.reason).collect();
        assert_eq!(reasons, Reason::ALL.into_iter().rev().collect::<Vec<_>>(), "even where the clock went back");
        assert_eq!((versions[0].size, versions[0].time), (10, UnixTime::from_secs(994)));
        assert_eq!(fs::read(&versions[0].path).unwrap(), [6; 10]);
    }

    #[test]
    fn the_same_bytes_are_kept_once_and_under_the_better_reason() {
        let (_folder, place) = place();
        place.keep(VAULT, b"one", Reason::Save).unwrap();
        place.keep(VAULT, b"two", Reason::Save).unwrap();
        place.keep(VAULT, b"one", Reason::Import).unwrap();
        place.keep(VAULT, b"one", Reason::Save).unwrap();
        let reasons: Vec<_> = place.history(VAULT).unwrap().iter().map(|version| version.reason).collect();
        assert_eq!(reasons, [Reason::Import, Reason::Save]);
    }

    #[test]
    fn a_burst_of_small_edits_cannot_push_out_the_good_versions() {
        let now = 1000 * DAY;
        // One good version a day for forty days, then two hundred edits within a minute.
        let mut versions: Vec<_> = (0..40).map(|n| version(n, now - (40 - n) * DAY, Reason::Save, 10)).collect();
        versions.extend((40..240).map(|n| version(n, now - 60 + n / 4, Reason::Save, 10)));
        let left = stay(versions);
        assert!((220..240).all(|n| left.contains(&n)), "the last 20");
        assert!((11..40).all(|n| left.contains(&n)), "one a day for 30 days");
        assert!(left.contains(&40), "what stood there when the hour began");
        assert!(left.len() < 60, "{left:?}");
    }

    #[test]
    fn a_clock_that_stands_years_ahead_once_cannot_push_out_the_good_versions() {
        let today = 1000 * DAY;
        let mut versions: Vec<_> = (0..25).map(|n| version(n, today - (25 - n) * DAY, Reason::Save, 10)).collect();
        versions.extend((25..65).map(|n| version(n, today + 1200 * DAY + n, Reason::Save, 10)));
        let left = stay(versions);
        assert!((0..25).all(|n| left.contains(&n)), "{left:?}");
    }

    #[test]
    fn what_was_written_here_last_stays_whatever_others_write() {
        let now = 1000 * DAY;
        let mut versions: Vec<_> = (0..200).map(|n| version(n, now - 300 + n, Reason::Save, 10)).collect();
        versions[70].reason = Reason::Saved;
        versions[90].reason = Reason::Saved;
        let left = stay(versions.clone());
        assert!(left.contains(&90) && !left.contains(&70), "{left:?}");
        versions[90].size = 40 << 20;
        versions[199].size = 40 << 20;
        assert!(stay(versions).contains(&90), "nor does the limit take it");
    }

    #[test]
    fn months_and_tagged_versions_outlive_the_days() {
        let now = 2000 * DAY;
        let mut versions: Vec<_> = (0..400).map(|n| version(n, now - (400 - n) * DAY, Reason::Save, 10)).collect();
        versions[3].reason = Reason::Password;
        let left = stay(versions);
        assert!(left.contains(&3));
        let old = left.iter().filter(|n| **n < 370).count();
        assert!((11..=14).contains(&old), "about one a month for a year: {left:?}");
    }

    #[test]
    fn over_64_mib_the_cheapest_go_first_and_the_newest_never() {
        let now = 1000 * DAY;
        let mut versions: Vec<_> = (0..10).map(|n| version(n, now - 100 * DAY + n, Reason::Save, 10 << 20)).collect();
        versions[0].reason = Reason::Import;
        let left = stay(versions);
        assert_eq!(left, [9, 8, 7, 6, 5, 0]);
        assert_eq!(stay(vec![version(1, now, Reason::Save, 70 << 20)]), [1]);
    }

    #[test]
    fn foreign_files_in_the_history_are_neither_listed_nor_removed() {
        let (_folder, place) = place();
        place.keep(VAULT, b"one", Reason::Save).unwrap();
        let foreign = place.history_dir(VAULT).join("my notes.otpv");
        fs::write(&foreign, b"x").unwrap();
        place.keep(VAULT, b"two", Reason::Save).unwrap();
        assert_eq!(place.history(VAULT).unwrap().len(), 2);
        assert!(foreign.exists());
    }
}
