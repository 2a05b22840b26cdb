//! The file's layout and its bounds (`docs/vault.md`, "Envelope"), and why bytes are no vault or do not open.

use super::crypto::{self, DataKey};
use super::entry::SlotId;
use super::kdf::{KdfError, KdfParams};
use super::payload::PayloadError;
use super::slots::{Slot, SlotKind};
use crate::secret::Secret;

/// How a vault begins: bytes that show whether it was sent through something that takes it for text.
pub const MAGIC: [u8; 8] = [0x89, b'O', b'T', b'P', b'V', 0x0d, 0x0a, 0x1a];
pub(super) const MAJOR: u16 = 1;
pub(super) const MINOR: u16 = 0;
pub(super) const HEADER_LEN: usize = 92;
pub(super) const MAC_LEN: usize = 32;
pub(super) const RESERVED_AT: usize = 72;
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

/// The key of the MAC over header and slots.
pub(super) fn header_key(dek: &DataKey, salt: &[u8; 32]) -> Secret<[u8; 32]> {
    crypto::hkdf(dek.expose(), salt, "otpanel/v1/header")
}

/// The key that the payload is sealed under.
pub(super) fn payload_key(dek: &DataKey, salt: &[u8; 32]) -> Secret<[u8; 32]> {
    crypto::hkdf(dek.expose(), salt, "otpanel/v1/payload")
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

/// So many bytes at a place, which must be there.
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}
