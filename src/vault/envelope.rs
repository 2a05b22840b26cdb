//! The file's outer form: header, slots, MAC, sealed payload (`docs/vault.md`). Bytes to [`Locked`] to [`Unlocked`] and
//! back, with every bound checked first. Pure: salts and ids come from the caller.
//!
//! Nothing is trusted before its tag has been checked: parsing looks at lengths and slots alone, opening checks the MAC over
//! both, then the payload's tag, and only then reads the payload.

use std::sync::Arc;

use super::crypto::{self, DataKey, TAG_LEN};
use super::entry::{Register, SlotId, Stamp, State, Value, VaultId};
use super::kdf::{KdfError, KdfParams};
use super::payload::{self, PayloadError};
pub use super::slots::Key;
use super::slots::{Slot, SlotKind};
use crate::secret::Secret;

const MAGIC: [u8; 8] = [0x89, b'O', b'T', b'P', b'V', 0x0d, 0x0a, 0x1a];
const MAJOR: u16 = 1;
const MINOR: u16 = 0;
const HEADER_LEN: usize = 92;
const MAC_LEN: usize = 32;
const RESERVED_AT: usize = 72;
const SLOT_HEAD_LEN: usize = 20;

/// The longest slots section, in bytes.
pub const MAX_SLOTS_LEN: usize = 65_536;
/// The most slots of a file.
pub const MAX_SLOTS: usize = 32;
/// The longest sealed payload, in bytes.
pub const MAX_PAYLOAD_LEN: usize = 64 << 20;
/// The longest file, in bytes: nothing longer is read.
pub const MAX_FILE_LEN: usize = HEADER_LEN + MAX_SLOTS_LEN + MAC_LEN + MAX_PAYLOAD_LEN;
/// The smallest padded payload: all vaults up to about a dozen accounts look alike.
const FLOOR: usize = 4096;

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
    bytes: Vec<u8>,
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
        Ok(Self { bytes, slots, mac_at })
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

    fn unseal(&self, dek: DataKey, opened_by: Option<SlotId>) -> Result<Unlocked, Error> {
        let salt = array_at(&self.bytes, 40);
        let (head, rest) = self.bytes.split_at(self.mac_at);
        let (mac, sealed) = rest.split_at(MAC_LEN);
        if !crypto::hmac_matches(&header_key(&dek, &salt), head, mac) {
            return Err(Error::Altered);
        }
        let mut text = Secret::new(sealed.to_vec());
        let before = &self.bytes[..self.mac_at + MAC_LEN];
        if !crypto::open(&payload_key(&dek, &salt), before, text.expose_mut()) {
            return Err(Error::Altered);
        }
        let state = payload::decode(unpad(text.expose())?)?;
        let mut unlocked = Unlocked {
            state: Arc::new(state),
            vault_id: self.vault_id(),
            minor: u16_at(&self.bytes, 10),
            reserved: array_at(&self.bytes, RESERVED_AT),
            slots: self.slots.clone(),
            dek,
            opened_by,
            known: Some(self.digest()),
        };
        unlocked.slots.sort_unstable_by_key(|slot| slot.id);
        unlocked.drop_removed_slots();
        Ok(unlocked)
    }
}

/// A vault that is open: its state, its slots, its key. No `Debug`, no `Clone`.
pub struct Unlocked {
    /// What the vault says. Shared cheaply with jobs on other threads; edited by `Arc::make_mut`.
    pub state: Arc<State>,
    vault_id: VaultId,
    minor: u16,
    reserved: [u8; 20],
    /// By id.
    slots: Vec<Slot>,
    dek: DataKey,
    opened_by: Option<SlotId>,
    /// SHA-256 of a file whose whole content this state includes; spares opening that file again.
    known: Option<[u8; 32]>,
}

impl Unlocked {
    /// A new vault.
    pub fn create(vault_id: VaultId, dek: DataKey, mut slots: Vec<Slot>, state: State) -> Self {
        slots.sort_unstable_by_key(|slot| slot.id);
        Self {
            state: Arc::new(state),
            vault_id,
            minor: MINOR,
            reserved: [0; 20],
            slots,
            dek,
            opened_by: None,
            known: None,
        }
    }

    /// The file's bytes. The salt must be fresh from the operating system every time: the payload's key hangs on it.
    ///
    /// # Errors
    /// [`Error::Limits`] when the vault has outgrown the format, [`Error::Slots`] when nothing could open it again.
    pub fn seal(&self, salt: [u8; 32]) -> Result<Vec<u8>, Error> {
        let slots_len: usize = self.slots.iter().map(|slot| SLOT_HEAD_LEN + slot.body.len()).sum();
        if self.slots.is_empty() {
            return Err(Error::Slots("there is none"));
        }
        if self.slots.len() > MAX_SLOTS || slots_len > MAX_SLOTS_LEN {
            return Err(Error::Limits("there are too many key slots"));
        }
        KdfParams::check_all(self.slots.iter().filter_map(Slot::kdf))?;
        let mut text = pad(payload::encode(&self.state))?;
        let payload_len = text.expose().len() + TAG_LEN;

        let mut out = Vec::with_capacity(HEADER_LEN + slots_len + MAC_LEN + payload_len);
        out.extend(MAGIC);
        out.extend(MAJOR.to_le_bytes());
        out.extend(self.minor.to_le_bytes());
        out.extend((slots_len as u32).to_le_bytes());
        out.extend((payload_len as u64).to_le_bytes());
        out.extend(self.vault_id.0);
        out.extend(salt);
        out.extend(self.reserved);
        for slot in self.slots.iter() {
            out.extend(slot.kind.to_le_bytes());
            out.extend((slot.body.len() as u16).to_le_bytes());
            out.extend(slot.id.0);
            out.extend(&slot.body);
        }
        let mac = crypto::hmac(&header_key(&self.dek, &salt), &out);
        out.extend(mac);
        crypto::seal(&payload_key(&self.dek, &salt), &out, text.expose_mut());
        out.extend(text.expose());
        Ok(out)
    }

    /// The vault's name.
    pub const fn vault_id(&self) -> VaultId {
        self.vault_id
    }

    /// The slots, by id.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The slot that the key opened, where a key did.
    pub fn opened_by(&self) -> Option<&Slot> {
        self.slots.iter().find(|slot| Some(slot.id) == self.opened_by)
    }

    /// Adds a slot, and notes when it was made.
    ///
    /// # Errors
    /// [`Error::Limits`] when there are 32 already.
    pub fn add_slot(&mut self, slot: Slot, stamp: Stamp) -> Result<(), Error> {
        if self.slots.len() >= MAX_SLOTS {
            return Err(Error::Limits("there are too many key slots"));
        }
        Arc::make_mut(&mut self.state).set_meta(&created_name(slot.id), number(stamp), stamp);
        self.insert_slot(slot);
        Ok(())
    }

    /// Removes a slot on every device. The removal is kept in the vault's meta values for ever, so that an old copy does
    /// not bring it back. False when there is no such slot, or nothing but it opens the vault.
    pub fn remove_slot(&mut self, id: SlotId, stamp: Stamp) -> bool {
        let others = self.slots.iter().filter(|slot| slot.id != id && is_known(slot)).count();
        if others == 0 || !self.slots.iter().any(|slot| slot.id == id) {
            return false;
        }
        Arc::make_mut(&mut self.state).set_meta(&removed_name(id), Value::Flag(false), stamp);
        self.slots.retain(|slot| slot.id != id);
        true
    }

    /// When a slot was made, in milliseconds since the epoch, where that is known.
    pub fn slot_created(&self, id: SlotId) -> Option<u64> {
        match self.state.meta.get(&created_name(id))?.value {
            Value::Number(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    /// Joins another copy of this vault into this one, state and slots. True when something changed. A copy of another
    /// vault changes nothing.
    pub fn absorb(&mut self, other: &Self) -> bool {
        if self.vault_id != other.vault_id {
            return false;
        }
        let before = self.slots.clone();
        let mut changed = false;
        if !Arc::ptr_eq(&self.state, &other.state) {
            changed = Arc::make_mut(&mut self.state).join(&other.state);
        }
        for theirs in &other.slots {
            match self.slots.iter_mut().find(|ours| ours.id == theirs.id) {
                // They never differ, as slots never change; should they, every device keeps the same one.
                Some(ours) if *ours < *theirs => ours.clone_from(theirs),
                Some(_) => {}
                None => self.insert_slot(theirs.clone()),
            }
        }
        self.drop_removed_slots();
        changed |= self.slots != before;
        if self.minor < other.minor {
            self.minor = other.minor;
            changed = true;
        }
        for (ours, theirs) in self.reserved.iter_mut().zip(other.reserved) {
            changed |= *ours < theirs;
            *ours = (*ours).max(theirs);
        }
        changed
    }

    /// The vault's key, for opening other copies.
    pub const fn data_key(&self) -> &DataKey {
        &self.dek
    }

    /// A second handle for a job on another thread. The state is shared until one of the two edits it.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            vault_id: self.vault_id,
            minor: self.minor,
            reserved: self.reserved,
            slots: self.slots.clone(),
            dek: self.dek.duplicate(),
            opened_by: self.opened_by,
            known: self.known,
        }
    }

    /// True when everything in the file with this digest is in this state already.
    pub fn knows(&self, digest: &[u8; 32]) -> bool {
        self.known.as_ref() == Some(digest)
    }

    /// Records that the file with this digest holds nothing that this state lacks.
    pub(super) const fn set_known(&mut self, digest: [u8; 32]) {
        self.known = Some(digest);
    }

    /// True when it was opened from, or written to, a file before.
    pub(super) const fn has_file(&self) -> bool {
        self.known.is_some()
    }

    fn insert_slot(&mut self, slot: Slot) {
        let at = self.slots.partition_point(|other| other.id < slot.id);
        self.slots.insert(at, slot);
    }

    /// Two devices may each have removed what the other kept. A vault that nothing opens would be lost, so then all stay.
    fn drop_removed_slots(&mut self) {
        let stays = |slot: &Slot| !self.state.meta.contains_key(&removed_name(slot.id));
        if self.slots.iter().any(|slot| is_known(slot) && stays(slot)) {
            let state = Arc::clone(&self.state);
            self.slots.retain(|slot| !state.meta.contains_key(&removed_name(slot.id)));
        }
    }
}

fn removed_name(id: SlotId) -> String {
    format!("slot/{id}")
}

fn created_name(id: SlotId) -> String {
    format!("slot/{id}/created")
}

fn number(stamp: Stamp) -> Value {
    Value::Number(i64::try_from(stamp.time).unwrap_or(i64::MAX))
}

/// The note of when a slot was made, for a vault that is being created and has no device yet.
pub fn created_note(id: SlotId, stamp: Stamp) -> (String, Register) {
    (created_name(id), Register { stamp, value: number(stamp) })
}

fn is_known(slot: &Slot) -> bool {
    !matches!(slot.kind(), SlotKind::Unknown(_))
}

fn header_key(dek: &DataKey, salt: &[u8; 32]) -> Secret<[u8; 32]> {
    crypto::hkdf(dek.expose(), salt, "otpanel/v1/header")
}

fn payload_key(dek: &DataKey, salt: &[u8; 32]) -> Secret<[u8; 32]> {
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

fn parse_slots(mut rest: &[u8]) -> Result<Vec<Slot>, Error> {
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

/// The padded length (Padmé, PURBs, Nikitin et al. 2019): at most 12 % more, and only O(log log n) bits of the length
/// shine through.
const fn padme(len: usize) -> usize {
    if len <= FLOOR {
        return FLOOR;
    }
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1 << (exponent - kept)) - 1;
    (len + mask) & !mask
}

fn pad(text: Secret<Vec<u8>>) -> Result<Secret<Vec<u8>>, Error> {
    let len = text.expose().len();
    let padded = padme(8 + len);
    if padded + TAG_LEN > MAX_PAYLOAD_LEN {
        return Err(Error::Limits("the content is too long"));
    }
    // Sized at once for the tag too: a buffer that grows would leave its content behind.
    let mut out = Secret::new(Vec::with_capacity(padded + TAG_LEN));
    out.expose_mut().extend((len as u64).to_le_bytes());
    out.expose_mut().extend(text.expose());
    out.expose_mut().resize(padded, 0);
    Ok(out)
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
