//! A vault that is open: what can be done with it, and how it is sealed again. Pure: salts, ids and times come from the caller.

mod keys;

pub use keys::had_another_key;

use std::sync::Arc;

use super::crypto::{self, DataKey, TAG_LEN};
use super::entry::{DeviceId, EntryId, Register, SlotId, Stamp, State, Value, VaultId};
use super::kdf::KdfParams;
use super::layout::{
    Error, FLOOR, HEADER_LEN, MAC_LEN, MAGIC, MAJOR, MAX_PAYLOAD_LEN, MAX_SLOTS, MAX_SLOTS_LEN, MINOR, SLOT_HEAD_LEN,
    header_key, payload_key, write_slots,
};
use super::payload;
use super::slots::{Slot, SlotKind};
use crate::secret::Secret;
use crate::time::UnixTime;

/// What a file gives when it is opened.
pub(super) struct Parts {
    pub state: State,
    pub vault_id: VaultId,
    pub minor: u16,
    pub reserved: [u8; 20],
    pub slots: Vec<Slot>,
    pub dek: DataKey,
    pub opened_by: Option<SlotId>,
    pub file: Arc<Vec<u8>>,
}

/// What is known of the file that a vault was opened from or written to.
#[derive(Clone)]
enum Known {
    /// There is none yet.
    Nothing,
    /// Its SHA-256.
    Digest([u8; 32]),
    /// Itself: most commands never need the digest, so it is not made before it is asked for.
    File(Arc<Vec<u8>>),
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
    /// A file whose whole content this state includes; spares opening that file again.
    known: Known,
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
            known: Known::Nothing,
        }
    }

    /// A vault that was read from a file.
    pub(super) fn opened(parts: Parts) -> Self {
        let Parts { state, vault_id, minor, reserved, mut slots, dek, opened_by, file } = parts;
        slots.sort_unstable_by_key(|slot| slot.id);
        let state = Arc::new(state);
        let mut unlocked = Self { state, vault_id, minor, reserved, slots, dek, opened_by, known: Known::File(file) };
        unlocked.drop_removed_slots();
        unlocked
    }

    /// The file's bytes. The salt must be fresh from the operating system every time: the payload's key hangs on it.
    ///
    /// # Errors
    /// [`Error::Limits`] when the vault has outgrown the format, [`Error::Slots`] when nothing could open it again.
    pub fn seal(&self, salt: [u8; 32]) -> Result<Vec<u8>, Error> {
        let slots_len = self.slots_len()?;
        let mut text = pad(&payload::encode(&self.state))?;
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
        write_slots(&self.slots, &mut out);
        let mac = crypto::hmac(&header_key(&self.dek, &salt), &out);
        out.extend(mac);
        crypto::seal(&payload_key(&self.dek, &salt), &out, text.expose_mut());
        out.extend(text.expose());
        Ok(out)
    }

    fn slots_len(&self) -> Result<usize, Error> {
        let len = self.slots.iter().map(|slot| SLOT_HEAD_LEN + slot.body.len()).sum();
        if self.slots.is_empty() {
            return Err(Error::Slots("there is none"));
        }
        if self.slots.len() > MAX_SLOTS || len > MAX_SLOTS_LEN {
            return Err(Error::Limits("there are too many key slots"));
        }
        KdfParams::check_all(self.slots.iter().filter_map(Slot::kdf))?;
        Ok(len)
    }

    /// The vault's name.
    pub const fn vault_id(&self) -> VaultId {
        self.vault_id
    }

    /// The slots, by id.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Whether a password opens it, alone or with a keychain.
    pub fn has_password(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot.kind(), SlotKind::Password | SlotKind::PasswordAndKeychain))
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

    /// True when a slot was there once and was removed.
    pub fn was_removed(&self, id: SlotId) -> bool {
        self.state.meta.contains_key(&removed_name(id))
    }

    /// The slots that were there once and were removed.
    pub fn removed_slots(&self) -> impl Iterator<Item = SlotId> {
        let names = self.state.meta.range(SLOT.to_owned()..).map(|(name, _)| name);
        names.take_while(|name| name.starts_with(SLOT)).filter_map(|name| name[SLOT.len()..].parse().ok())
    }

    /// When a slot was made, in milliseconds since the epoch, where that is known.
    pub fn slot_created(&self, id: SlotId) -> Option<u64> {
        match self.state.meta.get(&created_name(id))?.value {
            Value::Number(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    /// Takes the next counter of a live HOTP entry and moves on; none as [`State::advance`]. Two programs would take the same one:
    /// call it within a save ([`super::file::Place::save_changing`]).
    pub fn take_counter(&mut self, id: EntryId, now: UnixTime, device: DeviceId) -> Option<u64> {
        let state = Arc::make_mut(&mut self.state);
        let stamp = state.next_stamp(now, device);
        let taken = state.advance(id)?;
        state.note(stamp);
        Some(taken)
    }

    /// Joins another copy of this vault into this one, state and slots. True when something changed. A copy of another
    /// vault changes nothing. Of one under an older key only its accounts are taken; one under a later key brings that key.
    pub fn absorb(&mut self, other: &Self) -> bool {
        if self.vault_id != other.vault_id {
            return false;
        }
        if !self.shares_key(other) {
            return self.absorb_other_key(other);
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

    /// As [`Self::absorb`], unless both together are more than one vault may hold: then nothing changes, for what cannot be
    /// written is no place to keep anything in.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn absorb_fitting(&mut self, other: &Self) -> Result<bool, Error> {
        let Some(both) = self.with(other)? else { return Ok(false) };
        *self = both;
        Ok(true)
    }

    /// Both together, where the other brings something.
    ///
    /// # Errors
    /// As [`Self::seal`], where they are more than one vault may hold.
    pub fn with(&self, other: &Self) -> Result<Option<Self>, Error> {
        let mut both = self.duplicate();
        if !both.absorb(other) {
            return Ok(None);
        }
        both.slots_len()?;
        padded_len(payload::encode(&both.state).expose().len())?;
        Ok(Some(both))
    }

    /// The vault's key in force. [`Self::open_copy`] opens other copies.
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
            known: self.known.clone(),
        }
    }

    /// True when everything in the file with this digest is in this state already.
    pub fn knows(&self, digest: &[u8; 32]) -> bool {
        match &self.known {
            Known::Nothing => false,
            Known::Digest(known) => known == digest,
            Known::File(bytes) => crypto::digest(bytes) == *digest,
        }
    }

    /// Keeps the digest of the file that this was opened from in place of its bytes: for who stays open.
    pub fn settle(&mut self) {
        if let Known::File(bytes) = &self.known {
            self.known = Known::Digest(crypto::digest(bytes));
        }
    }

    /// Records that the file with this digest holds nothing that this state lacks.
    pub(super) fn set_known(&mut self, digest: [u8; 32]) {
        self.known = Known::Digest(digest);
    }

    /// True when it was opened from, or written to, a file before.
    pub(super) const fn has_file(&self) -> bool {
        !matches!(self.known, Known::Nothing)
    }

    fn insert_slot(&mut self, slot: Slot) {
        let at = self.slots.partition_point(|other| other.id < slot.id);
        self.slots.insert(at, slot);
    }

    /// Two devices may each have removed what the other kept. A vault that nothing opens would be lost, and one that opens by the
    /// recovery key alone to whoever lacks that, so then all stay.
    fn drop_removed_slots(&mut self) {
        let stays = |slot: &Slot| !self.state.meta.contains_key(&removed_name(slot.id));
        let opens = |slot: &Slot| is_known(slot) && slot.kind() != SlotKind::Recovery;
        let has_others = self.slots.iter().any(opens);
        if self.slots.iter().any(|slot| stays(slot) && if has_others { opens(slot) } else { is_known(slot) }) {
            let state = Arc::clone(&self.state);
            self.slots.retain(|slot| !state.meta.contains_key(&removed_name(slot.id)));
        }
    }
}

/// The beginning of the meta names that tell of slots.
const SLOT: &str = "slot/";

fn removed_name(id: SlotId) -> String {
    format!("{SLOT}{id}")
}

fn created_name(id: SlotId) -> String {
    format!("{SLOT}{id}/created")
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

fn padded_len(text: usize) -> Result<usize, Error> {
    let padded = padme(8 + text);
    if padded + TAG_LEN > MAX_PAYLOAD_LEN { Err(Error::Limits("the content is too long")) } else { Ok(padded) }
}

fn pad(text: &Secret<Vec<u8>>) -> Result<Secret<Vec<u8>>, Error> {
    let len = text.expose().len();
    let padded = padded_len(len)?;
    // Sized at once for the tag too: a buffer that grows would leave its content behind.
    let mut out = Secret::new(Vec::with_capacity(padded + TAG_LEN));
    out.expose_mut().extend((len as u64).to_le_bytes());
    out.expose_mut().extend(text.expose());
    out.expose_mut().resize(padded, 0);
    Ok(out)
}
