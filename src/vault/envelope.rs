//! The file's outer form: header, slots, MAC, sealed payload (`docs/vault.md`). Bytes to [`Locked`] to [`Unlocked`] and
//! back, with every bound checked first. Pure: salts and ids come from the caller.
//!
//! Nothing is trusted before its tag has been checked: parsing looks at lengths and slots alone, opening checks the MAC over
//! both, then the payload's tag, and only then reads the payload.

use std::sync::Arc;

use super::crypto::{self, DataKey, TAG_LEN};
use super::entry::{SlotId, VaultId};
use super::kdf::{KdfError, KdfParams};
use super::payload::glance::{Glance, glance};
use super::payload::{self, PayloadError};
pub use super::slots::Key;
use super::slots::{Slot, SlotKind};
use super::unlocked::Parts;
pub use super::unlocked::Unlocked;
use crate::secret::Secret;

pub(super) const MAGIC: [u8; 8] = [0x89, b'O', b'T', b'P', b'V', 0x0d, 0x0a, 0x1a];
pub(super) const MAJOR: u16 = 1;
pub(super) const MINOR: u16 = 0;
pub(super) const HEADER_LEN: usize = 92;
pub(super) const MAC_LEN: usize = 32;
const RESERVED_AT: usize = 72;
pub(super) const SLOT_HEAD_LEN: usize = 20;

/// The longest slots section, in bytes.
pub const MAX_SLOTS_LEN: usize = 65_536;
/// The most slots of a file.
pub const MAX_SLOTS: usize = 32;
/// The longest sealed payload, in bytes.
pub const MAX_PAYLOAD_LEN: usize = 64 << 20;
/// The longest file, in bytes: nothing longer is read.
pub const MAX_FILE_LEN: usize = HEADER_LEN + MAX_SLOTS_LEN + MAC_LEN + MAX_PAYLOAD_LEN;
/// The smallest padded payload: all vaults up to about a dozen accounts look alike.
pub(super) const FLOOR: usize = 4096;

/// Why bytes are no vault, or do not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No bytes at all: a sync tool at work, or a disk that was full.
    #[error("the file is empty")]
    Empty,
    /// Not an otpanel vault.
    #[error("the file is not an otpanel vault")]
    NotAVault,
    /// A vault whose line ends or bytes were converted as if it were text.
    #[error("the vault was changed by a transfer as text (line ends or characters were converted)")]
    TextDamaged,
    /// Shorter than it says.
    #[error("the vault is cut short: {found} bytes of {expected}")]
    Truncated {
        /// Bytes that it should have, as far as can be told.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// Longer than it says.
    #[error("the vault has {0} bytes after its end")]
    Trailing(u64),
    /// Made by a version that this one cannot read.
    #[error("the vault was made by a newer otpanel (format {major}.{minor})")]
    Newer {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// A length or count beyond the limits of the format.
    #[error("the vault is beyond the limits of the format: {0}")]
    Limits(&'static str),
    /// Slots that contradict themselves.
    #[error("the vault's key slots are damaged: {0}")]
    Slots(&'static str),
    /// A key derivation beyond the bounds, refused before it ran; or no memory for it.
    #[error(transparent)]
    Kdf(#[from] KdfError),
    /// No slot of the kind that this key opens.
    #[error("the vault has no {} slot", .0.name())]
    NoSlot(SlotKind),
    /// Slots of this kind are there, and the key opens none.
    #[error("the key does not open the vault")]
    WrongKey,
    /// The key is right and the file is not as it was written.
    #[error("the vault was altered or damaged since it was written")]
    Altered,
    /// The key is right, the file is as it was written, and its content is not what this version reads.
    #[error("the vault's content cannot be read: {0}")]
    Payload(#[from] PayloadError),
}

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

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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
        let state = payload::decode(unpad(text.expose())?)?;
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

pub(super) fn header_key(dek: &DataKey, salt: &[u8; 32]) -> Secret<[u8; 32]> {
    crypto::hkdf(dek.expose(), salt, "otpanel/v1/header")
}

pub(super) fn payload_key(dek: &DataKey, salt: &[u8; 32]) -> Secret<[u8; 32]> {
    crypto::hkdf(dek.expose(), salt, "otpanel/v1/payload")
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

/// Writes slots one behind the other.
pub(crate) fn write_slots(slots: &[Slot], out: &mut Vec<u8>) {
    for slot in slots {
        out.extend(slot.kind.to_le_bytes());
        out.extend((slot.body.len() as u16).to_le_bytes());
        out.extend(slot.id.0);
        out.extend(&slot.body);
    }
}

/// Reads what [`write_slots`] wrote, within the bounds of a vault.
pub(crate) fn parse_slots(mut rest: &[u8]) -> Result<Vec<Slot>, Error> {
    let mut slots: Vec<Slot> = Vec::new();
    while !rest.is_empty() {
        if slots.len() == MAX_SLOTS {
            return Err(Error::Limits("there are too many key slots"));
        }
        let (head, tail) = rest.split_at_checked(SLOT_HEAD_LEN).ok_or(Error::Slots("one is cut short"))?;
        let body_len = usize::from(u16_at(head, 2));
        let (body, tail) = tail.split_at_checked(body_len).ok_or(Error::Slots("one is cut short"))?;
        let slot = Slot { kind: u16_at(head, 0), id: SlotId(array_at(head, 4)), body: body.to_vec() };
        if !slot.is_well_formed() {
            return Err(Error::Slots("one has the wrong length"));
        }
        if slots.iter().any(|other| other.id == slot.id) {
            return Err(Error::Slots("two have the same id"));
        }
        slots.push(slot);
        rest = tail;
    }
    KdfParams::check_all(slots.iter().filter_map(Slot::kdf))?;
    Ok(slots)
}

fn unpad(text: &[u8]) -> Result<&[u8], Error> {
    let (len, rest) = text.split_first_chunk::<8>().ok_or(PayloadError::LENGTH)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| PayloadError::LENGTH)?;
    Ok(rest.get(..len).ok_or(PayloadError::LENGTH)?)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}
