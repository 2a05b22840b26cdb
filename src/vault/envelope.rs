//! The file's outer form: header, slots, MAC, sealed payload (`docs/vault.md`). Bytes to [`Locked`] to [`Unlocked`] and
//! back, with every bound checked first. Pure: salts and ids come from the caller.
//!
//! Nothing is trusted before its tag has been checked: parsing looks at lengths and slots alone, opening checks the MAC over
//! both, then the payload's tag, and only then reads the payload.

use std::sync::Arc;

use super::crypto::{self, DataKey, TAG_LEN};
use super::entry::{SlotId, VaultId};
pub use super::layout::{Error, MAX_FILE_LEN};
use super::layout::{
    FLOOR, HEADER_LEN, MAC_LEN, MAGIC, MAJOR, MAX_PAYLOAD_LEN, MAX_SLOTS_LEN, RESERVED_AT, array_at, header_key,
    payload_key, u16_at, u32_at,
};
pub(crate) use super::layout::{parse_slots, write_slots};
use super::payload::glance::{Glance, glance};
use super::payload::{self, PayloadError};
pub use super::slots::Key;
use super::slots::Slot;
use super::unlocked::Parts;
pub use super::unlocked::Unlocked;
use crate::secret::Secret;

/// A vault file that was parsed but not opened.
pub struct Locked {
    bytes: Arc<Vec<u8>>,
    slots: Vec<Slot>,
    mac_at: usize,
}

impl Locked {
    /// Takes a file's bytes and checks every length and bound: in well under a millisecond, whatever the bytes.
    ///
    /// # Errors
    /// [`Error`], but for those that need a key.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Error> {
        check_magic(&bytes)?;
        let found = bytes.len() as u64;
        let truncated = |expected: usize| Error::Truncated { expected: expected as u64, found };
        if bytes.len() < 12 {
            return Err(truncated(HEADER_LEN + MAC_LEN + FLOOR + TAG_LEN));
        }
        let (major, minor) = (u16_at(&bytes, 8), u16_at(&bytes, 10));
        if major != MAJOR {
            return Err(Error::Newer { major, minor });
        }
        if bytes.len() < HEADER_LEN {
            return Err(truncated(HEADER_LEN + MAC_LEN + FLOOR + TAG_LEN));
        }
        let (slots_len, payload_len) = (u32_at(&bytes, 12) as usize, u64::from_le_bytes(array_at(&bytes, 16)));
        if slots_len > MAX_SLOTS_LEN {
            return Err(Error::Limits("the slots are too long"));
        }
        if payload_len > MAX_PAYLOAD_LEN as u64 {
            return Err(Error::Limits("the payload is too long"));
        }
        let payload_len = payload_len as usize;
        if payload_len < TAG_LEN + 8 {
            return Err(Error::Limits("the payload is too short"));
        }
        let mac_at = HEADER_LEN + slots_len;
        let expected = mac_at + MAC_LEN + payload_len;
        if bytes.len() < expected {
            return Err(truncated(expected));
        }
        if bytes.len() > expected {
            return Err(Error::Trailing((bytes.len() - expected) as u64));
        }
        let slots = parse_slots(&bytes[HEADER_LEN..mac_at])?;
        Ok(Self { bytes: Arc::new(bytes), slots, mac_at })
    }

    /// The name that all copies of this vault carry. Not authenticated before it is opened.
    pub fn vault_id(&self) -> VaultId {
        VaultId(array_at(&self.bytes, 24))
    }

    /// Major and minor version of the format.
    pub fn version(&self) -> (u16, u16) {
        (u16_at(&self.bytes, 8), u16_at(&self.bytes, 10))
    }

    /// The slots, in the file's order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// SHA-256 of the whole file.
    pub fn digest(&self) -> [u8; 32] {
        crypto::digest(&self.bytes)
    }

    /// Opens with what the user or the keychain holds, trying each slot of the fitting kind.
    ///
    /// # Errors
    /// [`Error::NoSlot`], [`Error::WrongKey`], [`Error::Kdf`], [`Error::Altered`], [`Error::Payload`].
    pub fn open(&self, key: &Key<'_>) -> Result<Unlocked, Error> {
        let kind = key.kind();
        if !self.slots.iter().any(|slot| slot.kind() == kind) {
            return Err(Error::NoSlot(kind));
        }
        for slot in &self.slots {
            if let Some(dek) = slot.unwrap(self.vault_id(), *key)? {
                return self.unseal(dek, Some(slot.id));
            }
        }
        Err(Error::WrongKey)
    }

    /// Opens another copy of a vault that is open already.
    ///
    /// # Errors
    /// [`Error::Altered`] (also when it is sealed under another data key), [`Error::Payload`].
    pub fn open_with(&self, dek: &DataKey) -> Result<Unlocked, Error> {
        self.unseal(dek.duplicate(), None)
    }

    /// Shows what one code needs, without decoding the rest; nothing where [`Self::open`] must say more. The file is
    /// decrypted where it stands.
    pub fn glance<T>(self, dek: &DataKey, look: impl FnOnce(&Glance<'_>) -> T) -> Option<T> {
        let mut bytes = Secret::new(Arc::unwrap_or_clone(self.bytes));
        let salt = array_at(bytes.expose(), 40);
        let (before, sealed) = bytes.expose_mut().split_at_mut(self.mac_at + MAC_LEN);
        let (head, mac) = before.split_at(self.mac_at);
        if !crypto::hmac_matches(&header_key(dek, &salt), head, mac) {
            return None;
        }
        let text = crypto::open_within(&payload_key(dek, &salt), before, sealed)?;
        glance(unpad(text).ok()?).map(|glance| look(&glance))
    }

    fn unseal(&self, dek: DataKey, opened_by: Option<SlotId>) -> Result<Unlocked, Error> {
        let text = self.plain(&dek)?;
        let mut state = payload::decode(unpad(text.expose())?)?;
        state.believe();
        Ok(Unlocked::opened(Parts {
            state,
            vault_id: self.vault_id(),
            minor: u16_at(&self.bytes, 10),
            reserved: array_at(&self.bytes, RESERVED_AT),
            slots: self.slots.clone(),
            dek,
            opened_by,
            file: Arc::clone(&self.bytes),
        }))
    }

    /// The padded payload, after every check.
    fn plain(&self, dek: &DataKey) -> Result<Secret<Vec<u8>>, Error> {
        let salt = array_at(&self.bytes, 40);
        let (head, rest) = self.bytes.split_at(self.mac_at);
        let (mac, sealed) = rest.split_at(MAC_LEN);
        if !crypto::hmac_matches(&header_key(dek, &salt), head, mac) {
            return Err(Error::Altered);
        }
        let mut text = Secret::new(sealed.to_vec());
        let before = &self.bytes[..self.mac_at + MAC_LEN];
        if !crypto::open(&payload_key(dek, &salt), before, text.expose_mut()) {
            return Err(Error::Altered);
        }
        Ok(text)
    }
}

fn check_magic(bytes: &[u8]) -> Result<(), Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if bytes.starts_with(&MAGIC) {
        return Ok(());
    }
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(Error::Truncated {
            expected: (HEADER_LEN + MAC_LEN + FLOOR + TAG_LEN) as u64,
            found: bytes.len() as u64,
        });
    }
    // The letters near their place, and something else than the magic around them: a lost high bit, a byte turned into
    // UTF-8, line ends added or taken away.
    let head = &bytes[..bytes.len().min(12)];
    let is_mangled = (1..=4).any(|at| head.get(at..).is_some_and(|rest| rest.starts_with(b"OTPV")));
    Err(if is_mangled { Error::TextDamaged } else { Error::NotAVault })
}

fn unpad(text: &[u8]) -> Result<&[u8], Error> {
    let (len, rest) = text.split_first_chunk::<8>().ok_or(PayloadError::LENGTH)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| PayloadError::LENGTH)?;
    Ok(rest.get(..len).ok_or(PayloadError::LENGTH)?)
}
