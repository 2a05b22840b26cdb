//! What to watch for some files: which folders, and what an event in them means. Looks at the disk, watches nothing.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// A symbolic link that leads on to more links than this is a circle.
const MAX_LINKS: usize = 16;

/// The files to watch.
#[derive(Debug, Clone)]
pub struct Targets {
    /// The vault, which need not exist yet.
    pub vault: PathBuf,
    /// The config file, which need not exist yet.
    pub config: Option<PathBuf>,
    /// The machine's policy, which need not exist.
    pub policy: Option<PathBuf>,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// The vault file.
    Vault,
    /// The config file.
    Config,
    /// The machine's policy.
    Policy,
    /// A file beside the vault that has its ending and a name that begins like its own: perhaps a conflict copy.
    Copy(PathBuf),
}

/// What an event means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Changed(Changed),
    /// A folder or link on the way to a file: look anew what to watch.
    Way,
}

/// The folders to watch and the names in them that matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) folders: Vec<PathBuf>,
    files: Vec<(PathBuf, Changed)>,
    ways: Vec<PathBuf>,
    /// The folder, the beginning and the ending of copies.
    copies: Vec<(PathBuf, OsString, Option<OsString>)>,
}

impl Plan {
    pub(super) fn make(targets: &Targets) -> Self {
        let mut plan = Self::default();
        plan.follow(&targets.vault, &Changed::Vault);
        if let Some(config) = &targets.config {
            plan.follow(config, &Changed::Config);
        }
        // Where its folder is missing nothing waits for it: that would be in the system's own, where every program that starts
        // opens something, and wakes who watches.
        if let Some(policy) = targets.policy.as_ref().filter(|policy| policy.parent().is_some_and(Path::is_dir)) {
            plan.follow(policy, &Changed::Policy);
        }
        plan.folders.sort_unstable();
        plan.folders.dedup();
        plan
    }

    /// Adds a file, and each link on the way to it.
    fn follow(&mut self, file: &Path, meaning: &Changed) {
        let mut file = file.to_owned();
        for _ in 0..MAX_LINKS {
            let (Some(parent), Some(name)) = (parent(&file), file.file_name()) else { return };
            let Ok(folder) = fs::canonicalize(&parent) else {
                self.wait_for(&parent);
                return;
            };
            let here = folder.join(name);
            self.files.push((here.clone(), meaning.clone()));
            if *meaning == Changed::Vault
                && let Some(stem) = here.file_stem()
            {
                self.copies.push((folder.clone(), stem.to_owned(), here.extension().map(OsStr::to_owned)));
            }
            self.ways.push(folder.clone());
            self.folders.push(folder.clone());
            match fs::read_link(&here) {
                Ok(target) => file = folder.join(target),
                Err(_) => return,
            }
        }
    }

    /// Watches the nearest folder that exists for the one that is missing.
    fn wait_for(&mut self, missing: &Path) {
        let mut missing = missing.to_owned();
        while let (Some(parent), Some(name)) = (parent(&missing), missing.file_name()) {
            if let Ok(folder) = fs::canonicalize(&parent) {
                self.ways.extend([folder.join(name), folder.clone()]);
                self.folders.push(folder);
                return;
            }
            missing = parent;
        }
    }

    /// What an event on this path means, if anything.
    pub(super) fn meaning(&self, path: &Path) -> Option<Meaning> {
        if let Some((_, changed)) = self.files.iter().find(|(file, _)| file == path) {
            return Some(Meaning::Changed(changed.clone()));
        }
        if self.ways.iter().any(|way| way == path) {
            return Some(Meaning::Way);
        }
        self.is_copy(path).then(|| Meaning::Changed(Changed::Copy(path.to_owned())))
    }

    fn is_copy(&self, path: &Path) -> bool {
        let Some(stem) = path.file_stem() else { return false };
        self.copies.iter().any(|(folder, start, ending)| {
            path.parent() == Some(folder)
                && path.extension() == ending.as_deref()
                && stem.as_encoded_bytes().starts_with(start.as_encoded_bytes())
        })
    }

    /// The files that are watched and the copies that are there, each with what its change means.
    pub(super) fn present(&self) -> Vec<(PathBuf, Changed)> {
        let mut present = self.files.clone();
        for (folder, ..) in &self.copies {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if self.is_copy(&path) && !self.files.iter().any(|(file, _)| *file == path) {
                    present.push((path.clone(), Changed::Copy(path)));
                }
            }
        }
        present
    }
}

/// The folder of a path; the current one for a bare name.
fn parent(path: &Path) -> Option<PathBuf> {
    path.parent().map(|parent| if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
}

/// Why a folder's changes are not announced by the system: it is another machine's, or some program's.
#[cfg(target_os = "linux")]
pub(super) fn deaf(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    #[allow(clippy::cast_lossless, clippy::unnecessary_cast, reason = "its width differs from machine to machine")]
    let kind = kind as u64 as u32;
    Some(match kind {
        0x6969 => "NFS",
        0xFF53_4D42 | 0xFE53_4D42 | 0x517B => "a Windows share",
        0x6573_5546 => "FUSE",
        0x0102_1997 => "9p",
        0x5346_414F => "AFS",
        0x00C3_6400 => "Ceph",
        0x786F_4256 => "a VirtualBox share",
        0x564C => "NetWare",
        _ => return None,
    })
}

/// Why a folder's changes are not announced by the system.
#[cfg(not(target_os = "linux"))]
pub(super) fn deaf(_folder: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_watched_where_its_folder_is_and_not_waited_for_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(real.join("home")).unwrap();
        let folders = || {
            let policy = Some(real.join("etc/otpanel/policy.ron"));
            Plan::make(&Targets { vault: real.join("home/vault.otpv"), config: None, policy }).folders
        };
        assert_eq!(folders(), [real.join("home")]);
        fs::create_dir(real.join("etc")).unwrap();
        assert_eq!(folders(), [real.join("home")]);
        fs::create_dir(real.join("etc/otpanel")).unwrap();
        assert_eq!(folders(), [real.join("etc/otpanel"), real.join("home")]);
    }

    fn plan(vault: &Path) -> Plan {
        Plan::make(&Targets { vault: vault.to_owned(), config: None, policy: None })
    }

    #[test]
    fn only_names_that_begin_like_the_vault_are_copies() {
        let dir = tempfile::tempdir().unwrap();
        let dir = fs::canonicalize(dir.path()).unwrap();
        let plan = plan(&dir.join("vault.otpv"));
        let copy = |name: &str| plan.is_copy(&dir.join(name));
        assert!(copy("vault.sync-conflict-20260101-101010-ABCDEFG.otpv"));
        assert!(copy("vault (conflicted copy 2026-01-01 101010).otpv"));
        assert!(copy("vault 2.otpv") && copy("vault-laptop.otpv"));
        assert!(!copy(".vault.otpv.tmp1") && !copy("vault.txt") && !copy("other.otpv"));
        assert_eq!(plan.meaning(&dir.join("vault.otpv")), Some(Meaning::Changed(Changed::Vault)));
        assert_eq!(plan.meaning(&dir.join("else")), None);
    }

    #[test]
    fn a_missing_folder_is_waited_for_at_the_nearest_that_exists() {
        let dir = tempfile::tempdir().unwrap();
        let dir = fs::canonicalize(dir.path()).unwrap();
        let plan = plan(&dir.join("a/b/vault.otpv"));
        assert_eq!(plan.folders, [dir.as_path()]);
        assert_eq!(plan.meaning(&dir.join("a")), Some(Meaning::Way));
        assert_eq!(plan.meaning(&dir.join("b")), None);
    }

    #[cfg(unix)]
    #[test]
    fn each_link_and_the_target_are_watched_and_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        let dir = fs::canonicalize(dir.path()).unwrap();
        for name in ["a", "b", "c"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        std::os::unix::fs::symlink("../b/vault.otpv", dir.join("a/vault.otpv")).unwrap();
        std::os::unix::fs::symlink(dir.join("c/real.otpv"), dir.join("b/vault.otpv")).unwrap();
        let linked = plan(&dir.join("a/vault.otpv"));
        assert_eq!(linked.folders, [dir.join("a"), dir.join("b"), dir.join("c")]);
        assert_eq!(linked.meaning(&dir.join("c/real.otpv")), Some(Meaning::Changed(Changed::Vault)));
        std::os::unix::fs::symlink("circle", dir.join("circle")).unwrap();
        assert_eq!(plan(&dir.join("circle")).folders, [dir.as_path()]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_ordinary_folder_announces_its_changes() {
        assert_eq!(deaf(Path::new("/proc")), None);
        assert_eq!(deaf(Path::new("/tmp")), None);
    }
}
