//! Hears that other devices wrote their backups to the keychain, while the panel is open. Own writes, other vaults and other
//! programs' items are not passed on: nothing that this device writes makes it look again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::lanes::spawn;
use crate::backup::sealed::writer_of_head;
use crate::keychain::changes::{self, Change, Changes};
use crate::vault::{DeviceId, VaultId};

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
    /// Says that another device wrote; `false` when nobody wants to know any more.
    tell: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Ear {
    /// One that tells by this.
    pub fn new(tell: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { open: AtomicBool::new(false), ours: Mutex::new(None), tell: Box::new(tell) }))
    }

    /// Listens from now on for what devices other than this one write of the vault. Where that fails, or ends since the bus is
    /// gone, the next call tries again: with the next look, and not before.
    pub fn open(&self, vault: VaultId, device: DeviceId) {
        *self.0.ours.lock().unwrap_or_else(PoisonError::into_inner) = Some((vault, device));
        if self.0.open.swap(true, Ordering::SeqCst) {
            return;
        }
        let opened = Opened(Arc::clone(&self.0));
        match changes::listen() {
            Ok(changes) => spawn("ear", move || opened.0.hear(changes)),
            Err(error) => tracing::debug!(%error, "no change is heard"),
        }
    }
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
