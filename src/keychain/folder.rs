//! A folder of small sealed files as a credential store: for machines without a keychain, and for a backup that goes
//! wherever the folder goes (Syncthing, a cloud drive, git). It knows names and bytes; what it is given is sealed already.
//!
//! An item lies in `FOLDER/SERVICE/USER`, where a `/` in the user makes folders. Each is written beside and renamed, so a
//! sync tool never sees half of one.

use std::any::Any;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyring_core::api::{Credential, CredentialApi, CredentialStoreApi};
use keyring_core::{Entry, Error as StoreError, Result as StoreResult};

use super::{Keychain, KeychainError, Probe};
use crate::paths;
use crate::secret::Secret;

/// More than any item of ours has.
const LONGEST: u64 = 1 << 20;
/// Folders below the service: more than any name of ours has.
const DEEPEST: usize = 8;

/// A folder as a credential store for keyring-core.
#[derive(Debug, Clone)]
pub struct FolderStore {
    root: PathBuf,
}

/// One item of it.
#[derive(Debug, Clone)]
struct FolderCredential {
    path: PathBuf,
    service: String,
    user: String,
}

impl FolderStore {
    /// The store in a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn credential(&self, service: &str, user: &str) -> StoreResult<FolderCredential> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        if !plain(service) || !user.split('/').all(plain) || user.split('/').count() > DEEPEST {
            return Err(StoreError::Invalid(
                "service or user".into(),
                "holds what cannot name a file everywhere".into(),
            ));
        }
        let path = user.split('/').fold(self.root.join(service), |path, part| path.join(part));
        Ok(FolderCredential { path, service: service.into(), user: user.into() })
    }
}

fn failed(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::NoEntry,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::NoStorageAccess(error.into())
        }
        _ => StoreError::PlatformFailure(error.into()),
    }
}

impl CredentialApi for FolderCredential {
    fn set_secret(&self, secret: &[u8]) -> StoreResult<()> {
        if let Some(folder) = self.path.parent() {
            paths::private_dir(folder).map_err(failed)?;
        }
        paths::replace_private(&self.path, secret).map_err(failed)
    }

    fn get_secret(&self) -> StoreResult<Vec<u8>> {
        let about = fs::metadata(&self.path).map_err(failed)?;
        if !about.is_file() || about.len() > LONGEST {
            return Err(StoreError::BadStoreFormat(
                "something that is no item of otpanel lies in the place of one".into(),
            ));
        }
        fs::read(&self.path).map_err(failed)
    }

    fn delete_credential(&self) -> StoreResult<()> {
        fs::remove_file(&self.path).map_err(failed)?;
        // Folders that are empty now go too; one that is not stays.
        for folder in self.path.ancestors().skip(1).take(self.user.split('/').count()) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn get_credential(&self) -> StoreResult<Option<Arc<Credential>>> {
        fs::metadata(&self.path).map_err(failed).map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.user.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl CredentialStoreApi for FolderStore {
    fn vendor(&self) -> String {
        "otpanel folder".into()
    }

    fn id(&self) -> String {
        self.root.display().to_string()
    }

    fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> StoreResult<Entry> {
        Ok(Entry::new_with_credential(Arc::new(self.credential(service, user)?)))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> StoreResult<Vec<Entry>> {
        let Some(service) = spec.get("service") else {
            return Err(StoreError::Invalid("service".into(), "must be given".into()));
        };
        let mut users = Vec::new();
        walk(&self.root.join(service), "", 0, &mut users).map_err(failed)?;
        // Whatever a sync tool left there beside our items has names that we never give.
        Ok(users
            .iter()
            .filter_map(|user| self.credential(service, user).ok())
            .map(|found| Entry::new_with_credential(Arc::new(found)))
            .collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn walk(folder: &Path, before: &str, depth: usize, users: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEEPEST {
            walk(&entry.path(), &format!("{before}{name}/"), depth + 1, users)?;
        } else if kind.is_file() {
            users.push(format!("{before}{name}"));
        }
    }
    Ok(())
}

/// A folder as our own kind of keychain, over its store.
pub struct FolderKeychain(FolderStore);

impl FolderKeychain {
    /// The one in a folder; where that is not there nothing is written, since nobody but the user may make it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(FolderStore::new(root))
    }

    /// Refuses to work where the folder is not: written to, it would be made anew, below the place of a disk that is not
    /// connected, and called a backup; read, it would be taken for empty.
    fn is_there(&self) -> Result<(), KeychainError> {
        match self.probe() {
            Probe::Ready => Ok(()),
            other => Err(KeychainError::Unavailable(other)),
        }
    }

    fn entry(&self, service: &str, user: &str) -> Result<Entry, KeychainError> {
        self.is_there()?;
        self.0.build(service, user, None).map_err(|error| self.told(service, user, &error))
    }

    /// A failure at an item, or, without a user, at all of a service, with its path: only there it can be mended.
    fn told(&self, service: &str, user: &str, error: &StoreError) -> KeychainError {
        let at =
            [service, user].iter().filter(|part| !part.is_empty()).fold(self.0.root.clone(), |at, part| at.join(part));
        let why = match error {
            StoreError::PlatformFailure(cause) | StoreError::NoStorageAccess(cause) => {
                let words = cause.to_string();
                words.split(" (os error").next().unwrap_or_default().to_owned()
            }
            StoreError::Invalid(what, why) => format!("{what} {why}"),
            _ => "it cannot be used".into(),
        };
        KeychainError::Folder(format!("{}: {why}", at.display()))
    }
}

impl Keychain for FolderKeychain {
    fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError> {
        self.entry(service, user)?.set_secret(secret).map_err(|error| self.told(service, user, &error))
    }

    fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError> {
        match self.entry(service, user)?.get_secret() {
            Ok(bytes) => Ok(Some(Secret::new(bytes))),
            Err(StoreError::NoEntry) => Ok(None),
            // Anybody may have put it there who can write to the folder: an item without a byte opens nowhere and stops nothing.
            Err(StoreError::BadStoreFormat(_)) => Ok(Some(Secret::new(Vec::new()))),
            Err(StoreError::NoStorageAccess(_)) => Err(KeychainError::Closed),
            Err(error) => Err(self.told(service, user, &error)),
        }
    }

    fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError> {
        match self.entry(service, user)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(StoreError::NoEntry) => Ok(false),
            Err(error) => Err(self.told(service, user, &error)),
        }
    }

    fn search(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        self.is_there()?;
        let found =
            self.0.search(&HashMap::from([("service", service)])).map_err(|error| self.told(service, "", &error))?;
        let mut users: Vec<String> = found.iter().filter_map(Entry::get_specifiers).map(|(_, user)| user).collect();
        users.sort_unstable();
        Ok(users)
    }

    fn guards(&self) -> bool {
        false
    }

    fn probe(&self) -> Probe {
        let root = &self.0.root;
        match fs::metadata(root) {
            Ok(about) if about.is_dir() => Probe::Ready,
            Ok(_) => Probe::Unsupported(format!("{} is no folder", root.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Probe::NoFolder(root.display().to_string()),
            Err(error) => Probe::Unsupported(format!("the folder {} cannot be used ({error})", root.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_finds_and_deletes_and_leaves_no_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderKeychain::new(folder.path());
        store.set("s.x", "ab/key/1", b"one").unwrap();
        store.set("s.x", "ab/head", b"two").unwrap();
        store.set("s.x", "ab/head", b"three").unwrap();
        fs::write(folder.path().join("s.x/ab/head.sync conflict (1)"), "x").unwrap();
        assert_eq!(store.search("s.x").unwrap(), ["ab/head", "ab/key/1"]);
        assert_eq!(store.get("s.x", "ab/head").unwrap().unwrap().expose(), b"three");
        assert!(store.get("s.x", "ab/none").unwrap().is_none() && store.search("other").unwrap().is_empty());
        assert!(store.delete("s.x", "ab/key/1").unwrap() && !store.delete("s.x", "ab/key/1").unwrap());
        assert!(!folder.path().join("s.x/ab/key").exists() && folder.path().join("s.x/ab").exists());
    }

    #[test]
    fn a_folder_that_is_gone_is_neither_made_anew_nor_taken_for_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stick");
        let store = FolderKeychain::new(&path);
        let gone = KeychainError::Unavailable(Probe::NoFolder(path.display().to_string()));
        assert_eq!(store.set("s", "a", b"x"), Err(gone.clone()));
        assert_eq!(store.get("s", "a").err(), Some(gone.clone()));
        assert_eq!(store.search("s"), Err(gone));
        assert!(!path.exists());
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let store = FolderKeychain::new(folder.path().join("in"));
        for user in ["../x", "a/../../x", "/etc/x", "a//b", "", ".git/x", "a/b\\c", "a/b/c/d/e/f/g/h/i"] {
            assert!(store.set("s", user, b"x").is_err(), "{user}");
        }
        assert!(store.set("..", "x", b"x").is_err());
        assert!(!folder.path().join("x").exists());
    }

    #[cfg(unix)]
    #[test]
    fn items_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        FolderKeychain::new(folder.path()).set("s", "a/b", b"x").unwrap();
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("s/a/b"), mode("s/a")), (0o600, 0o700));
    }
}
