//! Where the backups of a vault go: the keychain, a folder, that of the organisation.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::gather::Items as _;
use super::item::Name;
use super::ledger::{Done, Ledger};
use super::round::RoundError;
use super::sealed::{self, Sealed};
use crate::keychain::folder::FolderKeychain;
use crate::keychain::{Keychain, system};
use crate::paths;
use crate::policy::{self, ManagedStore, PERSONAL, Policy};
use crate::vault::{DeviceId, SlotKind, Unlocked, VaultId};

/// The most bytes of one item: what Windows takes, what Apple syncs well, and on the Secret Service large ones, since
/// gnome-keyring writes its whole file twice for each item, however small, and KeePassXC bears few at a time. 10,000 accounts are
/// 16 bundles of this size; as 128 of 32 KiB they made gnome-keyring write 402 MB instead.
const ITEM_LEN: usize = if cfg!(windows) {
    2_400
} else if cfg!(target_vendor = "apple") {
    16 << 10
} else {
    256 << 10
};
/// In a folder each change is one file that is carried elsewhere: small ones travel better.
const FOLDER_ITEM_LEN: usize = 32 << 10;

/// The kind of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// The platform's keychain; in the keyring of this label, where one is named.
    Keychain {
        /// The label of a Secret Service collection.
        keyring: Option<String>,
    },
    /// A folder.
    Folder(PathBuf),
}

impl Store {
    /// The keychain as it comes, in no keyring of its own.
    pub const KEYCHAIN: Self = Self::Keychain { keyring: None };

    /// It is the platform's keychain.
    pub const fn is_keychain(&self) -> bool {
        matches!(self, Self::Keychain { .. })
    }
}

/// A backup of one identity in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Whose accounts: `personal` or `managed/NAME`.
    pub identity: String,
    /// Where.
    pub store: Store,
    /// It is wanted.
    pub on: bool,
    /// Leave the secrets out.
    pub names_only: bool,
}

impl Destination {
    /// A name for remembering it by.
    pub fn id(&self) -> String {
        match &self.store {
            Store::Keychain { keyring: Some(label) } => format!("{} keychain/{label}", self.identity),
            _ => format!("{} {}", self.identity, self.store_name()),
        }
    }

    /// `keychain` or `folder`.
    pub const fn store_name(&self) -> &'static str {
        match self.store {
            Store::Keychain { .. } => "keychain",
            Store::Folder(_) => "folder",
        }
    }

    /// How far a copy there reaches; "backed up" is never said without it.
    pub fn reach(&self) -> String {
        match &self.store {
            Store::Keychain { .. } if cfg!(all(target_vendor = "apple", feature = "icloud")) => {
                String::from("this account on all devices")
            }
            Store::Keychain { .. } => String::from("this computer"),
            Store::Folder(path) => format!("wherever {} goes", path.display()),
        }
    }

    /// Where an item of a vault lies there, for people.
    pub(super) fn at(&self, vault: VaultId, name: Name) -> String {
        let (service, user) = (sealed::service(&self.identity), format!("{}/{name}", sealed::vault8(vault)));
        match &self.store {
            Store::Folder(folder) => folder.join(service).join(user).display().to_string(),
            Store::Keychain { .. } => format!("{service} {user}"),
        }
    }

    /// The store itself: for what the user has just asked for it may show the keychain's dialog.
    pub fn open(&self, may_prompt: bool) -> Box<dyn Keychain> {
        match &self.store {
            Store::Folder(path) => Box::new(FolderKeychain::new(path)),
            Store::Keychain { keyring } => {
                let keychain = if may_prompt { system::asking() } else { system::system() };
                Box::new(keychain.within(keyring.as_deref()))
            }
        }
    }

    /// The items of a vault there. Where they may not open by themselves, none is believed that does: a vault that only a
    /// password opens would else take keys from any program that can write to the keychain.
    pub(super) fn items<'a>(&'a self, keychain: &'a dyn Keychain, vault: VaultId, by_itself: bool) -> Sealed<'a> {
        let item_len = if matches!(self.store, Store::Folder(_)) { FOLDER_ITEM_LEN } else { ITEM_LEN };
        Sealed { keychain, identity: &self.identity, vault, item_len, by_itself }
    }

    /// Refuses a folder that was backed up to and holds nothing of it any more: most often the place of a disk or a share that
    /// is not connected, which must not be filled in its stead.
    pub(super) fn still_holds(&self, items: &Sealed<'_>, seen: &BTreeMap<DeviceId, u64>) -> Result<(), RoundError> {
        match &self.store {
            Store::Folder(path) if !seen.is_empty() && items.list()?.is_empty() => {
                Err(RoundError::Emptied(path.display().to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Key items may hold the data key: in a keychain, of a vault that a keychain opens anyway.
    pub(super) fn by_itself(&self, vault: &Unlocked) -> bool {
        self.store.is_keychain() && vault.slots().iter().any(|slot| slot.kind() == SlotKind::Keychain)
    }
}

/// Where a vault's backups go: that of the organisation, where one manages the machine, then the user's own, the keychain
/// first. `enabled` is what the config says.
pub fn destinations(ledger: &Ledger, enabled: bool, policy: &Policy) -> Vec<Destination> {
    let wanted = enabled && !ledger.off;
    let managed = policy.identity.as_ref().map(|managed| Destination {
        identity: managed.identity(),
        store: match &managed.store {
            ManagedStore::Keychain { collection } => Store::Keychain { keyring: collection.clone() },
            ManagedStore::Folder(path) => Store::Folder(path.clone()),
        },
        on: match policy.backup {
            policy::Backup::Required => true,
            policy::Backup::Allowed => wanted,
            policy::Backup::Forbidden => false,
        },
        names_only: policy.secrets == policy::Secrets::NamesOnly,
    });
    let stores = std::iter::once(Store::KEYCHAIN).chain(ledger.folder.clone().map(Store::Folder));
    let on = wanted && policy.identity_for(true).is_ok();
    let own = stores.map(|store| Destination { on, ..own_in(store) });
    managed.into_iter().chain(own).collect()
}

/// Turns the backup on, and makes a folder one of its places. A folder that holds nothing yet is as new: that there was a
/// backup before, there or in another folder, says nothing of it.
///
/// What it replaced is handed back, for [`take_back_failed`].
pub fn enable(ledger: &mut Ledger, folder: Option<&Path>) -> Replaced {
    ledger.off = false;
    let id = own_in(Store::Folder(PathBuf::new())).id();
    let before = Replaced {
        folder: ledger.folder.clone(),
        done: ledger.done.get(&id).cloned(),
        failed: ledger.failed.get(&id).cloned(),
    };
    let Some(folder) = folder else { return before };
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if empty || ledger.folder.as_deref() != Some(folder) {
        ledger.done.remove(&id);
        ledger.failed.remove(&id);
    }
    ledger.folder = Some(folder.to_owned());
    before
}

/// What was remembered of the folder before another was made a place of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replaced {
    folder: Option<PathBuf>,
    done: Option<Done>,
    failed: Option<String>,
}

/// Puts back the folder of before where the first backup to the new one failed: a slip of the finger must not end the backup
/// that works. True where it was put back.
pub fn take_back_failed(ledger: &mut Ledger, before: Replaced) -> bool {
    let id = own_in(Store::Folder(PathBuf::new())).id();
    if ledger.folder == before.folder || ledger.failed.remove(&id).is_none() {
        return false;
    }
    ledger.folder = before.folder;
    ledger.done.remove(&id);
    ledger.done.extend(before.done.map(|done| (id.clone(), done)));
    ledger.failed.extend(before.failed.map(|why| (id, why)));
    true
}

/// A place of the user's own accounts.
fn own_in(store: Store) -> Destination {
    Destination { identity: PERSONAL.into(), store, on: true, names_only: false }
}

/// A folder to keep backups in, by its whole path: it is there, or is made.
///
/// # Errors
/// What the system says.
pub fn folder(path: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(path).and_then(|()| paths::real(path))
}
