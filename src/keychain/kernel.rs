//! Keys that the kernel keeps for the programs of one login session, for a time: Linux's own keyring. They lie in the
//! kernel's memory alone, never on a disk; only what runs in the session can read them, root aside; the kernel drops them
//! when their time is over and when the session ends. Elsewhere there is none.
//!
//! Where no session keyring was made at login (`pam_keyinit`), the kernel uses the one that all sessions of the user share.

use std::time::Duration;

use crate::secret::Secret;

/// Why a key cannot be kept, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoKeyring(String);

/// What all names begin with.
const PREFIX: &str = "otpanel:";

/// Keeps a key under a name, over one before it, for so long.
///
/// # Errors
/// [`NoKeyring`] where there is no such keyring; nothing is kept then.
pub fn keep(name: &str, key: &[u8; 32], time: Duration) -> Result<(), NoKeyring> {
    imp::keep(&format!("{PREFIX}{name}"), key, time)
}

/// The key that is kept under a name.
pub fn find(name: &str) -> Option<Secret<[u8; 32]>> {
    imp::find(&format!("{PREFIX}{name}"))
}

/// Drops the key that is kept under a name. True when there was one.
pub fn forget(name: &str) -> bool {
    imp::forget(&|kept| kept.strip_prefix(PREFIX) == Some(name)) > 0
}

/// Drops all keys that otpanel keeps in this session, and says how many there were.
pub fn forget_all() -> usize {
    imp::forget(&|kept| kept.starts_with(PREFIX))
}

/// Whether keys can be kept here; tries nothing.
///
/// # Errors
/// [`NoKeyring`] with the reason.
pub fn probe() -> Result<(), NoKeyring> {
    imp::probe()
}

#[cfg(target_os = "linux")]
mod imp {
    use std::time::Duration;

    use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier};
    use zeroize::Zeroize as _;

    use super::NoKeyring;
    use crate::secret::Secret;

    /// Links of a session's keyring that are looked at.
    const MOST: usize = 200;

    fn session() -> Result<KeyRing, KeyError> {
        KeyRing::from_special_id(KeyRingIdentifier::Session, false)
    }

    fn told(error: KeyError) -> NoKeyring {
        NoKeyring(match error {
            KeyError::OperationNotSupported => String::from("this kernel has no keyring"),
            KeyError::KeyRevoked => String::from("the login session that this began in has ended"),
            KeyError::QuotaExceeded => String::from("the kernel's keyring is full"),
            KeyError::AccessDenied => String::from("the kernel's keyring is closed here, as in many containers"),
            other => format!("the kernel's keyring said {other:?}"),
        })
    }

    pub fn probe() -> Result<(), NoKeyring> {
        session().and_then(|ring| ring.metadata()).map(drop).map_err(told)
    }

    pub fn keep(name: &str, key: &[u8; 32], time: Duration) -> Result<(), NoKeyring> {
        // First where it goes with this process, so that it is never in the session without its time.
        KeyRing::from_special_id(KeyRingIdentifier::Process, true)
            .and_then(|own| own.add_key(name, key))
            .and_then(|kept| {
                kept.set_timeout(time.as_secs().max(1) as usize)?;
                session()?.link_key(kept)
            })
            .map_err(told)
    }

    pub fn find(name: &str) -> Option<Secret<[u8; 32]>> {
        let mut bytes = Secret::new([0; 33]);
        let len = session().ok()?.search(name).ok()?.read(bytes.expose_mut()).ok()?;
        let mut key = Secret::new([0; 32]);
        (len == 32).then(|| key.expose_mut().copy_from_slice(&bytes.expose()[..32]))?;
        bytes.expose_mut().zeroize();
        Some(key)
    }

    pub fn forget(which: &dyn Fn(&str) -> bool) -> usize {
        let Ok(links) = session().and_then(|ring| ring.get_links(MOST)) else { return 0 };
        let ours = links
            .iter()
            .filter_map(linux_keyutils::LinkNode::as_key)
            .filter(|key| key.metadata().is_ok_and(|about| which(about.get_description())));
        ours.filter(|key| key.invalidate().or_else(|_| key.revoke()).is_ok()).count()
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::time::Duration;

    use super::NoKeyring;
    use crate::secret::Secret;

    pub fn probe() -> Result<(), NoKeyring> {
        Err(NoKeyring(String::from("only Linux has such a keyring")))
    }

    pub fn keep(_: &str, _: &[u8; 32], _: Duration) -> Result<(), NoKeyring> {
        probe()
    }

    pub fn find(_: &str) -> Option<Secret<[u8; 32]>> {
        None
    }

    pub fn forget(_: &dyn Fn(&str) -> bool) -> usize {
        0
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A name of this test alone; none where the kernel gives no keyring.
    fn name() -> Option<String> {
        probe().ok().map(|()| data_encoding::HEXLOWER.encode(&crate::entropy::bytes::<16>()))
    }

    #[test]
    fn a_key_is_kept_replaced_and_dropped() {
        let Some(name) = name() else { return };
        assert!(find(&name).is_none());
        for byte in [1, 2] {
            keep(&name, &[byte; 32], Duration::from_secs(60)).unwrap();
            assert_eq!(find(&name).unwrap().expose(), &[byte; 32]);
        }
        assert!(find(&name[..31]).is_none());
        assert!(forget(&name));
        assert!(find(&name).is_none() && !forget(&name));
    }

    #[test]
    fn a_key_goes_when_its_time_is_over() {
        let Some(name) = name() else { return };
        // The kernel counts whole seconds: a key of one may be gone at once.
        keep(&name, &[7; 32], Duration::from_secs(3)).unwrap();
        assert!(find(&name).is_some());
        let end = std::time::Instant::now() + Duration::from_secs(30);
        while find(&name).is_some() {
            assert!(std::time::Instant::now() < end, "its time is over, and it is kept");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
