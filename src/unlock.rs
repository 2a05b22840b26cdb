//! The ways to make a vault and to open one: password, keychain, recovery key; and to change them later.
//!
//! Knows the vault and the keychain, no screen. A key that lies in the keychain is 32 random bytes at service `otpanel`,
//! user `<vault id>/<slot id>` in hex.

use std::time::{Duration, Instant};

use unicode_normalization::UnicodeNormalization;

use crate::entropy;
use crate::keychain::{Keychain, KeychainError};
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::entry::{DeviceId, SlotId, Stamp, State, VaultId};
use crate::vault::envelope::{self, Key, Locked, Unlocked};
use crate::vault::file::{FileError, Place};
use crate::vault::kdf::{KdfError, KdfParams};
use crate::vault::recovery::{self, BadRecoveryKey};
use crate::vault::slots::{Fresh, Slot, SlotKind};
use crate::vault::{DataKey, kdf};

/// The keychain's service name of keys that open vaults.
pub const SERVICE: &str = "otpanel";

/// How a vault is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By a password.
    Password,
    /// By the platform's keychain, without typing.
    Keychain,
    /// By either.
    Both,
}

/// What a new vault is made from.
pub struct New {
    /// How it is opened.
    pub mode: Mode,
    /// The password, where the mode wants one.
    pub password: Option<Secret<String>>,
    /// The cost of deriving from it.
    pub kdf: KdfParams,
}

/// A vault that was just made.
pub struct Created {
    /// Open already.
    pub unlocked: Unlocked,
    /// The recovery key as the user writes it down. Shown once, kept nowhere.
    pub recovery_key: Secret<String>,
}

/// Why a vault was not made, not opened or not changed.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The mode wants a password, and there is none or an empty one.
    #[error("a password is needed")]
    NoPassword,
    /// The vault does not open, or was refused.
    #[error(transparent)]
    Vault(#[from] envelope::Error),
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The keychain failed.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The vault can be opened by a keychain, but this one does not hold its key.
    #[error("this keychain does not hold the vault's key")]
    NotInKeychain,
    /// The keychain said that it kept the key, and does not give it back.
    #[error("the keychain does not keep what it is given")]
    KeychainForgets,
    /// The text is no recovery key.
    #[error(transparent)]
    RecoveryKey(#[from] BadRecoveryKey),
}

impl From<KdfError> for UnlockError {
    fn from(error: KdfError) -> Self {
        Self::Vault(error.into())
    }
}

/// Makes a vault: key, slots and file. The keychain's item is written, and read back, before the file is.
///
/// # Errors
/// [`UnlockError`]; then neither a file nor an item in the keychain is left behind.
pub fn create(place: &Place, new: New, keychain: &dyn Keychain) -> Result<Created, UnlockError> {
    let unlocked = bare(new.mode, new.password.as_ref(), new.kdf, keychain)?;
    let (mut unlocked, recovery_key) = unlocked;
    if let Err(error) = place.create_known(&mut unlocked) {
        for slot in unlocked.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
            let _ = keychain.delete(SERVICE, &user_of(unlocked.vault_id(), slot.id));
        }
        return Err(error.into());
    }
    Ok(Created { unlocked, recovery_key })
}

fn bare(
    mode: Mode,
    password: Option<&Secret<String>>,
    kdf: KdfParams,
    keychain: &dyn Keychain,
) -> Result<(Unlocked, Secret<String>), UnlockError> {
    let (vault, dek) = (VaultId(entropy::bytes()), DataKey::new(entropy::secret()));
    let mut slots = Vec::new();
    if mode != Mode::Keychain {
        let password = password.filter(|password| !is_empty(password)).ok_or(UnlockError::NoPassword)?;
        slots.push(Slot::wrap(&dek, vault, Key::Password(password), kdf, &fresh())?);
    }
    let recovery_bytes = entropy::secret();
    slots.push(Slot::wrap(&dek, vault, Key::Recovery(&recovery_bytes), kdf, &fresh())?);
    if mode != Mode::Password {
        slots.push(keychain_slot(&dek, vault, keychain)?);
    }
    // There is no device yet; zeros stand for "when it was made".
    let stamp = Stamp { time: UnixTime::now().0, device: DeviceId([0; 8]) };
    let mut state = State::default();
    state.meta.extend(slots.iter().map(|slot| envelope::created_note(slot.id, stamp)));
    state.note(stamp);
    Ok((Unlocked::create(vault, dek, slots, state), recovery::write(&recovery_bytes)))
}

/// Opens by a password.
///
/// # Errors
/// [`UnlockError::Vault`]: [`envelope::Error::NoSlot`] where no password was set, [`envelope::Error::WrongKey`].
pub fn with_password(locked: &Locked, password: &Secret<String>) -> Result<Unlocked, UnlockError> {
    Ok(locked.open(&Key::Password(password))?)
}

/// Opens by a recovery key as it was typed.
///
/// # Errors
/// [`UnlockError::RecoveryKey`] with the slip, [`UnlockError::Vault`].
pub fn with_recovery_key(locked: &Locked, text: &Secret<String>) -> Result<Unlocked, UnlockError> {
    let key = recovery::read(text.expose())?;
    Ok(locked.open(&Key::Recovery(&key))?)
}

/// Opens by the keychain, trying the vault's keychain slots one after another. May raise the keychain's own dialog.
///
/// # Errors
/// [`UnlockError::Vault`] with [`envelope::Error::NoSlot`] where there is none, [`UnlockError::NotInKeychain`],
/// [`UnlockError::Keychain`], and [`UnlockError::Vault`].
pub fn with_keychain(locked: &Locked, keychain: &dyn Keychain) -> Result<Unlocked, UnlockError> {
    let mut answer = UnlockError::Vault(envelope::Error::NoSlot(SlotKind::Keychain));
    for slot in locked.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
        let Some(bytes) = keychain.get(SERVICE, &user_of(locked.vault_id(), slot.id))? else {
            if !matches!(answer, UnlockError::Vault(envelope::Error::WrongKey)) {
                answer = UnlockError::NotInKeychain;
            }
            continue;
        };
        match array(&bytes).map_or(Err(envelope::Error::WrongKey), |key| locked.open(&Key::Keychain(&key))) {
            Ok(unlocked) => return Ok(unlocked),
            Err(envelope::Error::WrongKey) => answer = UnlockError::Vault(envelope::Error::WrongKey),
            Err(error) => return Err(error.into()),
        }
    }
    Err(answer)
}

/// Puts a new password in the place of every one before it. The caller saves.
///
/// # Errors
/// [`UnlockError::NoPassword`], [`UnlockError::Vault`]; nothing changed then.
pub fn change_password(
    unlocked: &mut Unlocked,
    new: &Secret<String>,
    kdf: KdfParams,
    stamp: Stamp,
) -> Result<(), UnlockError> {
    if is_empty(new) {
        return Err(UnlockError::NoPassword);
    }
    let slot = Slot::wrap(unlocked.data_key(), unlocked.vault_id(), Key::Password(new), kdf, &fresh())?;
    Ok(replace(unlocked, slot, stamp)?)
}

/// Makes a new recovery key; the old one opens nothing from the next save on. The caller saves, then shows the text once.
///
/// # Errors
/// [`UnlockError::Vault`]; nothing changed then.
pub fn new_recovery_key(unlocked: &mut Unlocked, stamp: Stamp) -> Result<Secret<String>, UnlockError> {
    let bytes = entropy::secret();
    let (vault, dek) = (unlocked.vault_id(), unlocked.data_key());
    let slot = Slot::wrap(dek, vault, Key::Recovery(&bytes), KdfParams::DEFAULT, &fresh())?;
    replace(unlocked, slot, stamp)?;
    Ok(recovery::write(&bytes))
}

/// Lets this keychain open the vault: writes an item, reads it back, adds a slot. The caller saves. True when a slot was
/// added; false when this keychain opens the vault already.
///
/// # Errors
/// [`UnlockError::Keychain`], [`UnlockError::KeychainForgets`], [`UnlockError::Vault`]; nothing changed then.
pub fn add_keychain(unlocked: &mut Unlocked, keychain: &dyn Keychain, stamp: Stamp) -> Result<bool, UnlockError> {
    let vault = unlocked.vault_id();
    for slot in unlocked.slots().iter().filter(|slot| slot.kind() == SlotKind::Keychain) {
        let held = keychain.get(SERVICE, &user_of(vault, slot.id))?;
        if let Some(key) = held.as_ref().and_then(array)
            && slot.unwrap(vault, Key::Keychain(&key))?.is_some()
        {
            return Ok(false);
        }
    }
    let slot = keychain_slot(unlocked.data_key(), vault, keychain)?;
    let id = slot.id;
    if let Err(error) = unlocked.add_slot(slot, stamp) {
        let _ = keychain.delete(SERVICE, &user_of(vault, id));
        return Err(error.into());
    }
    Ok(true)
}

/// Takes the keychain slots away: those of this keychain with their items, and those of other machines too. The caller
/// saves. True when a slot was taken away; the last slot that opens the vault stays.
///
/// # Errors
/// [`UnlockError::Keychain`] when an item could not be deleted; its slot is gone all the same, so it opens nothing.
pub fn remove_keychain(unlocked: &mut Unlocked, keychain: &dyn Keychain, stamp: Stamp) -> Result<bool, UnlockError> {
    let mut removed = false;
    let mut failed = None;
    for id in ids_of(unlocked, SlotKind::Keychain) {
        if unlocked.remove_slot(id, stamp) {
            removed = true;
            failed = keychain.delete(SERVICE, &user_of(unlocked.vault_id(), id)).err().or(failed);
        }
    }
    failed.map_or(Ok(removed), |error| Err(error.into()))
}

/// Wraps the key anew where the password slot that opened the vault costs less than today's default. The caller saves
/// when it says true.
///
/// # Errors
/// [`UnlockError::Vault`]; nothing changed then.
pub fn stronger_slot(unlocked: &mut Unlocked, password: &Secret<String>, stamp: Stamp) -> Result<bool, UnlockError> {
    let Some(old) = unlocked.opened_by().filter(|slot| slot.kind() == SlotKind::Password) else { return Ok(false) };
    let id = old.id;
    if !old.kdf().is_some_and(|kdf| kdf.weaker_than(KdfParams::DEFAULT)) {
        return Ok(false);
    }
    let (vault, dek) = (unlocked.vault_id(), unlocked.data_key());
    let slot = Slot::wrap(dek, vault, Key::Password(password), KdfParams::DEFAULT, &fresh())?;
    unlocked.add_slot(slot, stamp)?;
    unlocked.remove_slot(id, stamp);
    Ok(true)
}

/// The cost that takes about `target` on this machine: the default or more, at most 256 MiB of memory. Takes about as long
/// as one derivation of the default cost.
pub fn calibrate(target: Duration) -> KdfParams {
    let started = Instant::now();
    let probe = kdf::argon2id(&Secret::new(String::from("calibration")), &[0; 32], KdfParams::DEFAULT);
    if probe.is_err() {
        return KdfParams::DEFAULT;
    }
    scaled(started.elapsed(), target)
}

/// The default cost takes `measured`: which takes `target`? Memory first, as it hurts a guesser most; then passes.
fn scaled(measured: Duration, target: Duration) -> KdfParams {
    let base = KdfParams::DEFAULT;
    let factor = (target.as_secs_f64() / measured.as_secs_f64().max(0.001)).clamp(1.0, 20.0);
    let memory_factor = factor.min(4.0);
    // In steps of 16 MiB, for numbers that a person can read.
    let memory_kib = (f64::from(base.memory_kib) * memory_factor) as u32 / 16_384 * 16_384;
    let passes = (f64::from(base.passes) * factor / memory_factor) as u32;
    KdfParams { memory_kib, passes: passes.clamp(base.passes, 16), ..base }
}

/// Adds a slot and removes all others of its kind.
fn replace(unlocked: &mut Unlocked, slot: Slot, stamp: Stamp) -> Result<(), envelope::Error> {
    let old = ids_of(unlocked, slot.kind());
    unlocked.add_slot(slot, stamp)?;
    for id in old {
        unlocked.remove_slot(id, stamp);
    }
    Ok(())
}

fn ids_of(unlocked: &Unlocked, kind: SlotKind) -> Vec<SlotId> {
    unlocked.slots().iter().filter(|slot| slot.kind() == kind).map(|slot| slot.id).collect()
}

/// Writes a new random key to the keychain, reads it back and wraps the data key under it.
fn keychain_slot(dek: &DataKey, vault: VaultId, keychain: &dyn Keychain) -> Result<Slot, UnlockError> {
    let (key, fresh) = (entropy::secret::<32>(), fresh());
    let slot = Slot::wrap(dek, vault, Key::Keychain(&key), KdfParams::DEFAULT, &fresh)?;
    let user = user_of(vault, slot.id);
    keychain.set(SERVICE, &user, key.expose())?;
    match keychain.get(SERVICE, &user) {
        Ok(Some(held)) if held.expose().as_slice() == key.expose() => Ok(slot),
        answer => {
            let _ = keychain.delete(SERVICE, &user);
            Err(answer.err().map_or(UnlockError::KeychainForgets, UnlockError::Keychain))
        }
    }
}

fn user_of(vault: VaultId, slot: SlotId) -> String {
    format!("{vault}/{slot}")
}

fn fresh() -> Fresh {
    Fresh { id: SlotId(entropy::bytes()), salt: entropy::bytes() }
}

fn array(bytes: &Secret<Vec<u8>>) -> Option<Secret<[u8; 32]>> {
    <[u8; 32]>::try_from(bytes.expose().as_slice()).ok().map(Secret::new)
}

fn is_empty(password: &Secret<String>) -> bool {
    password.expose().nfkc().next().is_none()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::keychain::Probe;

    /// A keychain in memory that can be told to forget.
    #[derive(Default)]
    struct Chain {
        items: Mutex<BTreeMap<(String, String), Vec<u8>>>,
        forgets: bool,
    }

    impl Chain {
        fn len(&self) -> usize {
            self.items.lock().unwrap().len()
        }
    }

    impl Keychain for Chain {
        fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError> {
            if !self.forgets {
                self.items.lock().unwrap().insert((service.to_owned(), user.to_owned()), secret.to_vec());
            }
            Ok(())
        }

        fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError> {
            let items = self.items.lock().unwrap();
            Ok(items.get(&(service.to_owned(), user.to_owned())).cloned().map(Secret::new))
        }

        fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError> {
            Ok(self.items.lock().unwrap().remove(&(service.to_owned(), user.to_owned())).is_some())
        }

        fn search(&self, _service: &str) -> Result<Vec<String>, KeychainError> {
            Ok(self.items.lock().unwrap().keys().map(|(_, user)| user.clone()).collect())
        }

        fn probe(&self) -> Probe {
            Probe::Ready
        }
    }

    const STAMP: Stamp = Stamp { time: 1 << 50, device: DeviceId([1; 8]) };

    fn text(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn new(mode: Mode) -> New {
        New { mode, password: Some(text("word")), kdf: KdfParams::WEAKEST }
    }

    fn home() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("vault.otpv"), folder.path().join("state"));
        (folder, place)
    }

    /// The file as it would be after a save.
    fn saved(unlocked: &Unlocked) -> Locked {
        Locked::parse(unlocked.seal(entropy::bytes()).unwrap()).unwrap()
    }

    fn kinds(unlocked: &Unlocked) -> Vec<SlotKind> {
        let mut kinds: Vec<_> = unlocked.slots().iter().map(Slot::kind).collect();
        kinds.sort();
        kinds
    }

    fn is_wrong(opened: Result<Unlocked, UnlockError>) -> bool {
        matches!(opened.err(), Some(UnlockError::Vault(envelope::Error::WrongKey)))
    }

    #[test]
    fn a_vault_opens_by_what_its_mode_says_and_by_its_recovery_key() {
        for (mode, by_password, by_keychain) in
            [(Mode::Password, true, false), (Mode::Keychain, false, true), (Mode::Both, true, true)]
        {
            let ((_folder, place), chain) = (home(), Chain::default());
            let created = create(&place, new(mode), &chain).unwrap();
            let locked = place.load().unwrap();
            assert_eq!(with_password(&locked, &text("word")).is_ok(), by_password, "{mode:?}");
            assert_eq!(with_keychain(&locked, &chain).is_ok(), by_keychain, "{mode:?}");
            assert!(with_recovery_key(&locked, &created.recovery_key).is_ok(), "{mode:?}");
            assert_eq!(chain.len(), usize::from(by_keychain));
            let times = created.unlocked.slots().iter().map(|slot| created.unlocked.slot_created(slot.id));
            assert!(times.into_iter().all(|time| time.is_some()));
        }
    }

    #[test]
    fn the_item_in_the_keychain_is_named_by_vault_and_slot() {
        let ((_folder, place), chain) = (home(), Chain::default());
        let unlocked = create(&place, new(Mode::Keychain), &chain).unwrap().unlocked;
        let slot = unlocked.slots().iter().find(|slot| slot.kind() == SlotKind::Keychain).unwrap();
        let item = (String::from("otpanel"), format!("{}/{}", unlocked.vault_id(), slot.id));
        assert_eq!(chain.items.lock().unwrap()[&item].len(), 32);
    }

    #[test]
    fn a_failed_creation_leaves_nothing_behind() {
        let ((_folder, place), chain) = (home(), Chain::default());
        let no_password = New { password: None, ..new(Mode::Both) };
        assert!(matches!(create(&place, no_password, &chain), Err(UnlockError::NoPassword)));
        let empty = New { password: Some(text("")), ..new(Mode::Password) };
        assert!(matches!(create(&place, empty, &chain), Err(UnlockError::NoPassword)));
        let forgetful = Chain { forgets: true, ..Chain::default() };
        assert!(matches!(create(&place, new(Mode::Both), &forgetful), Err(UnlockError::KeychainForgets)));
        assert!(!place.path.exists());
        std::fs::write(&place.path, b"something").unwrap();
        assert!(matches!(create(&place, new(Mode::Keychain), &chain), Err(UnlockError::File(FileError::Exists(_)))));
        assert_eq!(chain.len(), 0, "no key of a vault that is not there");
    }

    #[test]
    fn every_way_that_does_not_open_says_why() {
        let ((_folder, place), chain) = (home(), Chain::default());
        let created = create(&place, new(Mode::Both), &chain).unwrap();
        let locked = place.load().unwrap();
        assert!(is_wrong(with_password(&locked, &text("other"))));
        assert!(matches!(with_recovery_key(&locked, &text("otpanel1 xyz")).err(), Some(UnlockError::RecoveryKey(_))));
        assert!(is_wrong(with_recovery_key(&locked, &recovery::write(&Secret::new([1; 20])))));
        assert!(matches!(with_keychain(&locked, &Chain::default()).err(), Some(UnlockError::NotInKeychain)));
        for secret in chain.items.lock().unwrap().values_mut() {
            secret[0] ^= 1;
        }
        assert!(is_wrong(with_keychain(&locked, &chain)));
        chain.items.lock().unwrap().values_mut().for_each(|secret| secret.truncate(31));
        assert!(is_wrong(with_keychain(&locked, &chain)));
        drop(created);
    }

    #[test]
    fn a_new_password_shuts_the_old_one_out_and_keeps_the_other_ways() {
        let ((_folder, place), chain) = (home(), Chain::default());
        let mut created = create(&place, new(Mode::Both), &chain).unwrap();
        let unlocked = &mut created.unlocked;
        assert!(matches!(
            change_password(unlocked, &text(""), KdfParams::WEAKEST, STAMP),
            Err(UnlockError::NoPassword)
        ));
        change_password(unlocked, &text("new"), KdfParams::WEAKEST, STAMP).unwrap();
        let locked = saved(unlocked);
        assert!(is_wrong(with_password(&locked, &text("word"))));
        assert!(with_password(&locked, &text("new")).is_ok());
        assert!(with_keychain(&locked, &chain).is_ok());
        assert!(with_recovery_key(&locked, &created.recovery_key).is_ok());
    }

    #[test]
    fn a_new_recovery_key_shuts_the_old_one_out() {
        let ((_folder, place), chain) = (home(), Chain::default());
        let mut created = create(&place, new(Mode::Password), &chain).unwrap();
        let key = new_recovery_key(&mut created.unlocked, STAMP).unwrap();
        let locked = saved(&created.unlocked);
        assert!(is_wrong(with_recovery_key(&locked, &created.recovery_key)));
        assert!(with_recovery_key(&locked, &key).is_ok());
        assert_eq!(locked.slots().len(), 2);
    }

    #[test]
    fn a_keychain_is_added_once_and_taken_away_with_its_item() {
        let ((_folder, place), chain) = (home(), Chain::default());
        let mut unlocked = create(&place, new(Mode::Password), &chain).unwrap().unlocked;
        assert!(add_keychain(&mut unlocked, &chain, STAMP).unwrap());
        assert!(!add_keychain(&mut unlocked, &chain, STAMP).unwrap(), "it opens already");
        let elsewhere = Chain::default();
        assert!(add_keychain(&mut unlocked, &elsewhere, STAMP).unwrap(), "another machine's keychain");
        assert!(with_keychain(&saved(&unlocked), &chain).is_ok());
        assert!(with_keychain(&saved(&unlocked), &elsewhere).is_ok());
        assert!(remove_keychain(&mut unlocked, &chain, STAMP).unwrap());
        assert_eq!((chain.len(), kinds(&unlocked)), (0, vec![SlotKind::Password, SlotKind::Recovery]));
        assert!(!remove_keychain(&mut unlocked, &chain, STAMP).unwrap());
    }

    #[test]
    fn a_weak_slot_is_made_stronger_by_the_one_who_knows_the_password() {
        let ((_folder, place), chain) = (home(), Chain::default());
        drop(create(&place, new(Mode::Both), &chain).unwrap());
        let mut by_keychain = with_keychain(&place.load().unwrap(), &chain).unwrap();
        assert!(!stronger_slot(&mut by_keychain, &text("word"), STAMP).unwrap());
        let mut unlocked = with_password(&place.load().unwrap(), &text("word")).unwrap();
        assert!(stronger_slot(&mut unlocked, &text("word"), STAMP).unwrap());
        let locked = saved(&unlocked);
        let costs: Vec<_> = locked.slots().iter().filter_map(Slot::kdf).collect();
        assert_eq!(costs, [KdfParams::DEFAULT]);
        let mut again = with_password(&locked, &text("word")).unwrap();
        assert!(!stronger_slot(&mut again, &text("word"), STAMP).unwrap());
    }

    #[test]
    fn the_cost_grows_with_the_machine_and_never_falls_below_the_default() {
        let (ms, default) = (Duration::from_millis, KdfParams::DEFAULT);
        assert_eq!(scaled(ms(5000), ms(500)), default, "a slow machine");
        assert_eq!(scaled(ms(500), ms(500)), default);
        assert_eq!(scaled(ms(200), ms(500)), KdfParams { memory_kib: 163_840, ..default });
        assert_eq!(scaled(ms(125), ms(500)), KdfParams { memory_kib: 262_144, ..default });
        assert_eq!(scaled(ms(50), ms(500)), KdfParams { memory_kib: 262_144, passes: 7, ..default });
        assert_eq!(scaled(ms(0), ms(500)), KdfParams { memory_kib: 262_144, passes: 15, ..default });
        assert!(scaled(ms(0), Duration::MAX).check().is_ok());
    }
}
