//! Hears that other devices wrote their backups to the keychain, or that a sync tool brought them into the folder, while the panel
//! is open, and that the session bus is gone. Own writes, other vaults and other programs' items are not passed on: nothing that
//! this device writes makes it look again.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::lanes::spawn;
use super::watch::Heads;
use crate::backup::sealed::{heads_in, writer_of_head};
use crate::keychain::changes::{Change, Changes};
use crate::keychain::listen::listen;
use crate::vault::{DeviceId, VaultId};

/// Ends are told of so far apart at least.
const ENDS_APART: Duration = Duration::from_secs(60);
/// So many heads are remembered; a vault has few devices.
const MOST_HEADS: usize = 64;

/// An ear at the keychain, deaf until it is opened.
#[derive(Clone)]
pub struct Ear(Arc<Inner>);

struct Inner {
    /// A thread listens.
    open: AtomicBool,
    /// The vault whose heads matter, and the device whose own does not.
    ours: Mutex<Option<(VaultId, DeviceId)>>,
    /// The folders that are watched.
    folders: Mutex<BTreeMap<PathBuf, Heads>>,
    /// When it was told last that there is nothing to be heard any more.
    ended: Mutex<Option<Instant>>,
    /// Says that a look is worth while; `false` when nobody wants to know any more.
    tell: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Ear {
    /// One that tells by this.
    pub fn new(tell: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            open: AtomicBool::new(false),
            ours: Mutex::new(None),
            folders: Mutex::default(),
            ended: Mutex::new(None),
            tell: Box::new(tell),
        }))
    }

    /// Listens from now on for what comes into a folder of what devices other than this one write of the vault. To be called after
    /// each round: a folder that was made anew meanwhile is watched anew.
    pub fn watch(&self, folder: &Path, identity: &str, vault: VaultId, device: DeviceId) {
        *self.0.ours.lock().unwrap_or_else(PoisonError::into_inner) = Some((vault, device));
        let heads = heads_in(folder, vault, identity);
        let mut folders = self.0.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if folders.get_mut(&heads).is_some_and(Heads::renew) {
            return;
        }
        // Not kept alive by what it keeps itself.
        let (inner, root) = (Arc::downgrade(&self.0), folder.to_owned());
        let watch = Heads::start(&heads, move |path| {
            if let (Some(inner), Some(change)) = (inner.upgrade(), item_at(&root, path))
                && inner.other(&change).is_some()
            {
                (inner.tell)();
            }
        });
        match watch {
            Some(watch) => folders.insert(heads, watch),
            None => folders.remove(&heads),
        };
    }

    /// Listens from now on for what devices other than this one write of the vault. Where that fails, or ends since the bus is
    /// gone, the next call tries again: with the next look, which such an end asks for.
    pub fn open(&self, vault: VaultId, device: DeviceId) {
        *self.0.ours.lock().unwrap_or_else(PoisonError::into_inner) = Some((vault, device));
        if self.0.open.swap(true, Ordering::SeqCst) {
            return;
        }
        let opened = Opened(Arc::clone(&self.0));
        match listen() {
            Ok(changes) => spawn("ear", move || {
                let inner = Arc::clone(&opened.0);
                inner.hear(changes);
                // Closed first: the look that it asks for may open it again.
                drop(opened);
                inner.tell_the_end(Instant::now());
            }),
            Err(error) => tracing::debug!(%error, "no change is heard"),
        }
    }
}

/// What is heard of a folder: `None` where the path is that of no item.
fn item_at(folder: &Path, path: &Path) -> Option<Change> {
    let names = path.strip_prefix(folder).ok()?.iter().map(OsStr::to_str);
    let names: Vec<&str> = names.collect::<Option<_>>()?;
    let (service, user) = names.split_first()?;
    Some(Change { service: (*service).to_owned(), user: user.join("/"), revision: String::new() })
}

/// The ear while it is open, or is being opened; whatever ends that closes it.
struct Opened(Arc<Inner>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.open.store(false, Ordering::SeqCst);
    }
}

impl Inner {
    fn hear(&self, changes: Changes) {
        // What was told of already: KeePassXC says the same several times over.
        let mut heads = BTreeMap::new();
        for change in changes {
            let Some(device) = self.other(&change) else { continue };
            if heads.len() >= MOST_HEADS {
                heads.clear();
            }
            let before = heads.insert((change.service, device), change.revision.clone());
            if before.as_ref() != Some(&change.revision) && !(self.tell)() {
                return;
            }
        }
    }

    /// Asks for a look, since the bus is gone: how the backup stands has changed with it. On a bus that ends every connection that
    /// would be without an end.
    fn tell_the_end(&self, now: Instant) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_none_or(|before| now.saturating_duration_since(before) >= ENDS_APART) {
            *ended = Some(now);
            (self.tell)();
        }
    }

    /// The other device whose head of our vault was written.
    fn other(&self, change: &Change) -> Option<DeviceId> {
        let (vault, own) = (*self.ours.lock().unwrap_or_else(PoisonError::into_inner))?;
        writer_of_head(vault, &change.service, &change.user).filter(|device| *device != own)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// How often another device's writing is told of after these changes, as `(service, user, revision)`.
    fn told(changes: &[(&str, &str, &str)]) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let ear = Ear::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            true
        });
        *ear.0.ours.lock().unwrap() = Some((VaultId([1; 16]), DeviceId([2; 8])));
        let all: Vec<Change> = changes
            .iter()
            .map(|(service, user, revision)| Change {
                service: (*service).into(),
                user: (*user).into(),
                revision: (*revision).into(),
            })
            .collect();
        ear.0.hear(Box::new(all.into_iter()));
        count.load(Ordering::SeqCst)
    }

    #[test]
    fn another_devices_head_is_told_of_once_for_each_writing() {
        let (service, head) = ("otpanel.backup.personal", "0101010101010101/head/0303030303030303");
        assert_eq!(told(&[(service, head, "1")]), 1);
        assert_eq!(told(&[(service, head, "1"), (service, head, "1"), (service, head, "2")]), 2);
        // A keychain put back to an old state counts down, and is looked at too.
        assert_eq!(told(&[(service, head, "2"), (service, head, "1")]), 2);
        assert_eq!(told(&[("otpanel.backup.managed", head, "1"), (service, head, "1")]), 2);
    }

    #[test]
    fn own_writes_other_vaults_and_other_items_are_nobodys_business() {
        let service = "otpanel.backup.personal";
        for (service, user) in [
            (service, "0101010101010101/head/0202020202020202"),
            (service, "0909090909090909/head/0303030303030303"),
            (service, "0101010101010101/b/0303030303030303/0/0"),
            (service, "0101010101010101/head/0303030303030303/x"),
            (service, ""),
            ("otpanel", "0101010101010101/head/0303030303030303"),
            ("Chromium Safe Storage", "Chromium"),
        ] {
            assert_eq!(told(&[(service, user, "1")]), 0, "{service} {user}");
        }
    }

    #[test]
    fn an_end_is_told_of_but_not_one_after_another() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let ear = Ear::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            true
        });
        let start = Instant::now();
        for (secs, told) in [(0, 1), (5, 1), (59, 1), (60, 2), (61, 2)] {
            ear.0.tell_the_end(start + Duration::from_secs(secs));
            assert_eq!(count.load(Ordering::SeqCst), told, "{secs}");
        }
    }

    #[test]
    fn a_path_in_a_folder_is_the_item_that_the_store_keeps_there() {
        let (folder, vault, device) = (Path::new("/sync"), VaultId([1; 16]), DeviceId([3; 8]));
        let item = item_at(folder, &heads_in(folder, vault, "personal").join(device.to_string())).unwrap();
        assert_eq!(writer_of_head(vault, &item.service, &item.user), Some(device));
        let part =
            item_at(folder, &heads_in(folder, vault, "personal").join(format!(".syncthing.{device}.tmp"))).unwrap();
        assert_eq!(writer_of_head(vault, &part.service, &part.user), None);
        assert_eq!(item_at(folder, Path::new("/elsewhere/x")), None);
    }

    #[test]
    fn an_ear_that_nobody_wants_closes() {
        let ear = Ear::new(|| false);
        *ear.0.ours.lock().unwrap() = Some((VaultId([1; 16]), DeviceId([2; 8])));
        let change = |n: u64| Change {
            service: "otpanel.backup.personal".into(),
            user: "0101010101010101/head/0303030303030303".into(),
            revision: n.to_string(),
        };
        // Without an end, were nobody to close.
        ear.0.hear(Box::new((0..).map(change)));
    }
}
