//! Slots: each wraps the vault's data key under something that the user or the machine holds. `docs/vault.md` gives the
//! bodies byte by byte.
//!
//! A slot never changes: a new password is a new slot, so two devices always agree on what a slot id means. Kinds that
//! this version does not know are carried byte for byte.

use super::crypto::{self, DataKey};
use super::entry::{SlotId, VaultId};
use super::kdf::{KdfError, KdfParams, argon2id};
use crate::secret::Secret;

/// Bytes of a wrapped data key: 32 and a tag of 16.
const WRAPPED_LEN: usize = 48;
const SALT_LEN: usize = 32;
const KDF_LEN: usize = 12;

/// What a slot asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotKind {
    /// A password.
    Password,
    /// 32 random bytes in the platform's keychain.
    Keychain,
    /// The recovery key.
    Recovery,
    /// A password and the keychain's bytes together: a stolen file alone cannot be guessed at.
    PasswordAndKeychain,
    /// A kind of a newer version.
    Unknown(u16),
}

impl SlotKind {
    /// The kind of a number in a file.
    pub const fn of(number: u16) -> Self {
        match number {
            1 => Self::Password,
            2 => Self::Keychain,
            3 => Self::Recovery,
            4 => Self::PasswordAndKeychain,
            other => Self::Unknown(other),
        }
    }

    /// The number in a file.
    pub const fn number(self) -> u16 {
        match self {
            Self::Password => 1,
            Self::Keychain => 2,
            Self::Recovery => 3,
            Self::PasswordAndKeychain => 4,
            Self::Unknown(other) => other,
        }
    }

    /// A word for lists: `password`, `keychain`, `recovery`, `password-and-keychain`, `unknown`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Keychain => "keychain",
            Self::Recovery => "recovery",
            Self::PasswordAndKeychain => "password-and-keychain",
            Self::Unknown(_) => "unknown",
        }
    }

    /// True where a body begins with the cost of a key derivation.
    const fn derives(self) -> bool {
        matches!(self, Self::Password | Self::PasswordAndKeychain)
    }

    /// The one length that the body of a known kind has.
    const fn body_len(self) -> Option<usize> {
        match self {
            Self::Password | Self::PasswordAndKeychain => Some(KDF_LEN + SALT_LEN + WRAPPED_LEN),
            Self::Keychain | Self::Recovery => Some(SALT_LEN + WRAPPED_LEN),
            Self::Unknown(_) => None,
        }
    }

    /// The HKDF info of the wrap key.
    const fn info(self) -> &'static str {
        match self {
            Self::Password => "otpanel/v1/slot/password",
            Self::Keychain => "otpanel/v1/slot/keychain",
            Self::Recovery => "otpanel/v1/slot/recovery",
            Self::PasswordAndKeychain | Self::Unknown(_) => "otpanel/v1/slot/password+keychain",
        }
    }
}

/// What opens a vault. Password and keychain bytes open slots of their own kind, or both together one that wants both.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// A password slot.
    Password(&'a Secret<String>),
    /// A keychain slot.
    Keychain(&'a Secret<[u8; 32]>),
    /// A slot that wants both at once.
    PasswordAndKeychain(&'a Secret<String>, &'a Secret<[u8; 32]>),
    /// The recovery key.
    Recovery(&'a Secret<[u8; 20]>),
}

impl Key<'_> {
    /// The kind of slot that it opens.
    pub const fn kind(&self) -> SlotKind {
        match self {
            Self::Password(_) => SlotKind::Password,
            Self::Keychain(_) => SlotKind::Keychain,
            Self::PasswordAndKeychain(..) => SlotKind::PasswordAndKeychain,
            Self::Recovery(_) => SlotKind::Recovery,
        }
    }

    /// The wrap key under a slot's salt and cost.
    fn wrap_key(&self, salt: &[u8; 32], kdf: KdfParams) -> Result<Secret<[u8; 32]>, KdfError> {
        let info = self.kind().info();
        Ok(match self {
            Self::Password(password) => crypto::hkdf(argon2id(password, salt, kdf)?.expose(), salt, info),
            Self::Keychain(bytes) => crypto::hkdf(bytes.expose(), salt, info),
            Self::Recovery(bytes) => crypto::hkdf(bytes.expose(), salt, info),
            Self::PasswordAndKeychain(password, bytes) => {
                let mut both = Secret::new([0; 64]);
                both.expose_mut()[..32].copy_from_slice(argon2id(password, salt, kdf)?.expose());
                both.expose_mut()[32..].copy_from_slice(bytes.expose());
                crypto::hkdf(both.expose(), salt, info)
            }
        })
    }
}

/// One slot, as it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The kind's number; see [`SlotKind`].
    pub kind: u16,
    /// Its name for ever.
    pub id: SlotId,
    /// What follows, by kind.
    pub body: Vec<u8>,
}

/// The randomness of a new slot.
pub struct Fresh {
    /// Its id.
    pub id: SlotId,
    /// The salt of its derivations.
    pub salt: [u8; 32],
}

impl Slot {
    /// Wraps the data key of a vault under a key. `kdf` counts only where a password takes part.
    ///
    /// # Errors
    /// [`KdfError`] of the password's derivation.
    pub fn wrap(dek: &DataKey, vault: VaultId, key: Key<'_>, kdf: KdfParams, fresh: &Fresh) -> Result<Self, KdfError> {
        let kind = key.kind();
        let mut slot = Self { kind: kind.number(), id: fresh.id, body: Vec::new() };
        if kind.derives() {
            for number in [kdf.memory_kib, kdf.passes, kdf.lanes] {
                slot.body.extend(number.to_le_bytes());
            }
        }
        slot.body.extend(fresh.salt);
        let wrap_key = key.wrap_key(&fresh.salt, kdf)?;
        // Sized at once: a buffer that grows would leave the key behind.
        let mut text = Vec::with_capacity(WRAPPED_LEN);
        text.extend(dek.expose());
        crypto::seal(&wrap_key, &slot.aad(vault, slot.body.len()), &mut text);
        slot.body.append(&mut text);
        Ok(slot)
    }

    /// The data key, where the key is the right one; none where it is not, or is of another kind.
    ///
    /// # Errors
    /// [`KdfError`] of the password's derivation.
    pub fn unwrap(&self, vault: VaultId, key: Key<'_>) -> Result<Option<DataKey>, KdfError> {
        let kind = self.kind();
        if kind != key.kind() || Some(self.body.len()) != kind.body_len() {
            return Ok(None);
        }
        let wrapped_at = self.body.len() - WRAPPED_LEN;
        let mut salt = [0; SALT_LEN];
        salt.copy_from_slice(&self.body[wrapped_at - SALT_LEN..wrapped_at]);
        let wrap_key = key.wrap_key(&salt, self.kdf().unwrap_or_default())?;
        let mut text = Secret::new(self.body[wrapped_at..].to_vec());
        if !crypto::open(&wrap_key, &self.aad(vault, wrapped_at), text.expose_mut()) {
            return Ok(None);
        }
        let bytes = <[u8; 32]>::try_from(text.expose().as_slice()).expect("48 sealed bytes open to 32");
        Ok(Some(DataKey::new(Secret::new(bytes))))
    }

    /// The kind.
    pub const fn kind(&self) -> SlotKind {
        SlotKind::of(self.kind)
    }

    /// The cost of its key derivation, where it has one. Not checked.
    pub fn kdf(&self) -> Option<KdfParams> {
        let number = |at: usize| Some(u32::from_le_bytes(self.body.get(at..at + 4)?.try_into().ok()?));
        let derives = self.kind().derives();
        derives.then(|| Some(KdfParams { memory_kib: number(0)?, passes: number(4)?, lanes: number(8)? }))?
    }

    /// True when the body of a known kind has the length that it must have.
    pub(super) fn is_well_formed(&self) -> bool {
        self.kind().body_len().is_none_or(|len| len == self.body.len())
    }

    /// `"otpanel/v1/slot"`, vault id, kind, slot id and the parameters: so a slot opens only where and as it was made.
    fn aad(&self, vault: VaultId, parameters: usize) -> Vec<u8> {
        let mut aad = b"otpanel/v1/slot".to_vec();
        aad.extend(vault.0);
        aad.extend(self.kind.to_le_bytes());
        aad.extend(self.id.0);
        aad.extend(&self.body[..parameters]);
        aad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: VaultId = VaultId([3; 16]);

    fn fresh(n: u8) -> Fresh {
        Fresh { id: SlotId([n; 16]), salt: [n; 32] }
    }

    fn dek() -> DataKey {
        DataKey::new(Secret::new([0xd; 32]))
    }

    #[test]
    fn each_kind_opens_with_its_own_key_and_with_no_other() {
        let (word, other) = (Secret::new(String::from("word")), Secret::new(String::from("other")));
        let (chain, chain2) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let (recovery, recovery2) = (Secret::new([1; 20]), Secret::new([2; 20]));
        let keys = [
            Key::Password(&word),
            Key::Password(&other),
            Key::Keychain(&chain),
            Key::Keychain(&chain2),
            Key::Recovery(&recovery),
            Key::Recovery(&recovery2),
            Key::PasswordAndKeychain(&word, &chain),
            Key::PasswordAndKeychain(&other, &chain),
            Key::PasswordAndKeychain(&word, &chain2),
        ];
        for (i, right) in keys.iter().enumerate() {
            let slot = Slot::wrap(&dek(), VAULT, *right, KdfParams::WEAKEST, &fresh(i as u8)).unwrap();
            assert!(slot.is_well_formed());
            for (j, key) in keys.iter().enumerate() {
                let opened = slot.unwrap(VAULT, *key).unwrap();
                assert_eq!(opened.map(|dek| *dek.expose()), (i == j).then_some([0xd; 32]), "slot {i}, key {j}");
            }
        }
    }

    #[test]
    fn a_slot_opens_only_in_its_vault_and_as_it_was_made() {
        let chain = Secret::new([1; 32]);
        let slot = Slot::wrap(&dek(), VAULT, Key::Keychain(&chain), KdfParams::DEFAULT, &fresh(1)).unwrap();
        let opens = |slot: &Slot, vault| slot.unwrap(vault, Key::Keychain(&chain)).unwrap().is_some();
        assert!(opens(&slot, VAULT));
        assert!(!opens(&slot, VaultId([4; 16])), "carried into another vault");
        assert!(!opens(&Slot { id: SlotId([2; 16]), ..slot.clone() }, VAULT), "under another id");
        for at in 0..slot.body.len() {
            let mut bad = slot.clone();
            bad.body[at] ^= 0x80;
            assert!(!opens(&bad, VAULT), "byte {at} changed");
        }
    }

    #[test]
    fn a_slot_of_the_wrong_length_is_known_before_anything_runs() {
        let long = Slot { kind: 1, id: SlotId([1; 16]), body: vec![0xff; 93] };
        assert!(!long.is_well_formed());
        assert!(long.unwrap(VAULT, Key::Password(&Secret::new(String::new()))).unwrap().is_none());
        assert!(
            Slot { kind: 0x10, id: SlotId([1; 16]), body: vec![] }.is_well_formed(),
            "a newer kind may be anything"
        );
        assert_eq!(Slot { kind: 1, id: SlotId([1; 16]), body: vec![1, 2] }.kdf(), None);
    }
}
