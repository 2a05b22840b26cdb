//! The items as they lie in a store: sealed, padded, bound to their place. `docs/vault.md` gives the bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::item::{BackupKey, Bundle, Digest, Head, Item, KeyItem, Kid, Name, Read};
use super::record;
use super::round::{Items, Ring};
use crate::entropy;
use crate::keychain::{Keychain, KeychainError};
use crate::policy::PERSONAL;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::{DataKey, DeviceId, Slot, State, VaultId, crypto, envelope, payload};

const KEY_MAGIC: &[u8; 5] = b"OTPK\x01";
const MAGIC: &[u8; 5] = b"OTPB\x01";
/// Magic, kid, salt, revision.
const HEAD_LEN: usize = 5 + 8 + 32 + 8;
/// Padding hides the exact length: sealed texts are multiples of this.
const STEP: usize = 256;

/// The services: of the user's own accounts, and of an organisation's.
const SERVICES: [&str; 2] = ["otpanel.backup.personal", "otpanel.backup.managed"];

/// The service under which the items of an identity lie.
pub fn service(identity: &str) -> &'static str {
    SERVICES[usize::from(identity != PERSONAL)]
}

/// The beginning of the names of a vault's items, before the first `/`.
pub fn vault8(vault: VaultId) -> String {
    data_encoding::HEXLOWER.encode(&vault.0[..8])
}

/// Where the heads of all devices lie in a folder that keeps items as files.
pub fn heads_in(folder: &Path, vault: VaultId, identity: &str) -> PathBuf {
    folder.join(service(identity)).join(vault8(vault)).join("head")
}

/// The device whose head an item is, by its service and its user; none where it is no head of this vault.
pub fn writer_of_head(vault: VaultId, service: &str, user: &str) -> Option<DeviceId> {
    match user.strip_prefix(&vault8(vault))?.strip_prefix('/').and_then(Name::parse) {
        Some(Name::Head { device }) if SERVICES.contains(&service) => Some(device),
        _ => None,
    }
}

/// The items of one vault and identity in a keychain.
pub struct Sealed<'a> {
    /// Where they lie.
    pub keychain: &'a dyn Keychain,
    /// `personal` or `managed/NAME`.
    pub identity: &'a str,
    /// Whose items.
    pub vault: VaultId,
    /// The most bytes that one item may have here.
    pub item_len: usize,
    /// Key items that hold their own data key are believed. Never in a folder: whoever carries that could put one there,
    /// with keys that he knows.
    pub by_itself: bool,
}

impl Sealed<'_> {
    fn user(&self, name: Name) -> String {
        format!("{}/{name}", vault8(self.vault))
    }

    /// What an item is bound to: it opens nowhere else.
    fn aad(&self, name: Name, head: &[u8]) -> Vec<u8> {
        let mut aad = b"otpanel/v1/backup".to_vec();
        aad.extend((self.identity.len() as u32).to_le_bytes());
        aad.extend(self.identity.as_bytes());
        aad.extend(self.vault.0);
        aad.extend(name.to_string().as_bytes());
        aad.extend(head);
        aad
    }

    fn seal_text(&self, name: Name, kid: Kid, revision: u64, text: &Secret<Vec<u8>>, key: &BackupKey) -> Vec<u8> {
        let salt = entropy::bytes::<32>();
        let mut out = MAGIC.to_vec();
        out.extend(kid.0);
        out.extend(salt);
        out.extend(revision.to_le_bytes());
        let len = text.expose().len();
        let padded = (4 + len).next_multiple_of(STEP);
        // Sized at once, tag and all: a buffer that grows would leave its content behind.
        let mut sealed = Vec::with_capacity(padded + crypto::TAG_LEN);
        sealed.extend((len as u32).to_le_bytes());
        sealed.extend(text.expose());
        sealed.resize(padded, 0);
        let wrap = crypto::hkdf(key.0.expose(), &salt, "otpanel/v1/backup/item");
        crypto::seal(&wrap, &self.aad(name, &out), &mut sealed);
        out.append(&mut sealed);
        out
    }

    fn open_text(&self, name: Name, bytes: &[u8], ring: &Ring) -> Opened {
        if bytes.len() < HEAD_LEN + crypto::TAG_LEN || !bytes.starts_with(MAGIC) {
            return Opened::Damaged;
        }
        let (head, sealed) = bytes.split_at(HEAD_LEN);
        let kid = Kid(array(&head[5..13]));
        let Some(key) = ring.keys.get(&kid) else { return Opened::Foreign };
        let revision = u64::from_le_bytes(array(&head[45..53]));
        let wrap = crypto::hkdf(key.0.expose(), &array(&head[13..45]), "otpanel/v1/backup/item");
        let mut text = Secret::new(sealed.to_vec());
        if !crypto::open(&wrap, &self.aad(name, head), text.expose_mut()) {
            return Opened::Damaged;
        }
        let bytes = text.expose_mut();
        let len = bytes.first_chunk::<4>().map_or(usize::MAX, |len| u32::from_le_bytes(*len) as usize);
        if len > bytes.len().saturating_sub(4) {
            return Opened::Damaged;
        }
        bytes.truncate(4 + len);
        bytes.drain(..4);
        Opened::Yes { kid, revision, text }
    }

    fn seal_key(&self, name: Name, item: &KeyItem) -> Vec<u8> {
        let salt = entropy::bytes::<32>();
        let mut slots = Vec::new();
        envelope::write_slots(&item.slots, &mut slots);
        let mut out = Vec::with_capacity(KEY_MAGIC.len() + 8 + 16 + 1 + 32 + 4 + slots.len() + 32 + 48);
        out.extend(KEY_MAGIC);
        out.extend(item.revision.to_le_bytes());
        out.extend(self.vault.0);
        out.push(u8::from(item.by_itself));
        if item.by_itself {
            out.extend(item.data.expose());
        }
        out.extend((slots.len() as u32).to_le_bytes());
        out.extend(&slots);
        out.extend(salt);
        let mut sealed = Vec::with_capacity(48);
        sealed.extend(item.key.0.expose());
        let wrap = crypto::hkdf(item.data.expose(), &salt, "otpanel/v1/backup/key");
        crypto::seal(&wrap, &self.aad(name, &out), &mut sealed);
        out.append(&mut sealed);
        out
    }

    fn open_key(&self, name: Name, bytes: &[u8], ring: &Ring) -> Item {
        let Some(outer) = OuterKey::parse(bytes).filter(|outer| outer.vault == self.vault) else {
            return Item::Damaged;
        };
        if outer.data.is_some() && !self.by_itself && !ring.data.iter().any(|key| outer.holds(key)) {
            return Item::Damaged;
        }
        let at = bytes.len() - 48;
        let salt: [u8; 32] = array(&bytes[at - 32..at]);
        let mut knows = false;
        for dek in ring.data.iter().chain(outer.data.as_ref()) {
            knows |= outer.data.is_none() || outer.holds(dek);
            let wrap = crypto::hkdf(dek.expose(), &salt, "otpanel/v1/backup/key");
            let mut text = Secret::new(bytes[at..].to_vec());
            if crypto::open(&wrap, &self.aad(name, &bytes[..at]), text.expose_mut()) {
                let key = BackupKey(Secret::new(array(text.expose())));
                let (data, by_itself) = (dek.duplicate(), outer.data.is_some());
                return Item::Key(KeyItem { revision: outer.revision, slots: outer.slots, by_itself, data, key });
            }
        }
        // An item that opens by itself and does not is broken; another may be of a data key that came later or before.
        if outer.data.is_some() && knows { Item::Damaged } else { Item::Foreign }
    }
}

enum Opened {
    Yes { kid: Kid, revision: u64, text: Secret<Vec<u8>> },
    Foreign,
    Damaged,
}

/// What of a key item can be read without any key.
pub struct OuterKey {
    /// Counts the writes.
    pub revision: u64,
    /// Whose.
    pub vault: VaultId,
    /// The data key, where the store itself protects it.
    pub data: Option<DataKey>,
    /// The vault's slots.
    pub slots: Vec<Slot>,
}

impl OuterKey {
    fn holds(&self, key: &DataKey) -> bool {
        self.data.as_ref().is_some_and(|own| own.expose() == key.expose())
    }

    /// Reads it; none where it is no key item, or goes beyond the bounds of a vault.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(KEY_MAGIC)?;
        let (revision, rest) = rest.split_first_chunk::<8>()?;
        let (vault, rest) = rest.split_first_chunk::<16>()?;
        let (flag, rest) = rest.split_first()?;
        let (data, rest) = match flag {
            0 => (None, rest),
            1 => rest.split_first_chunk::<32>().map(|(key, rest)| (Some(DataKey::new(Secret::new(*key))), rest))?,
            _ => return None,
        };
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (slots, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let slots = envelope::parse_slots(slots).ok()?;
        (rest.len() == 32 + 48).then(|| Self {
            revision: u64::from_le_bytes(*revision),
            vault: VaultId(*vault),
            data,
            slots,
        })
    }
}

impl Items for Sealed<'_> {
    fn list(&self) -> Result<BTreeSet<Name>, KeychainError> {
        let prefix = format!("{}/", vault8(self.vault));
        let users = self.keychain.search(service(self.identity))?;
        Ok(users.iter().filter_map(|user| Name::parse(user.strip_prefix(&prefix)?)).collect())
    }

    fn read(&self, name: Name, ring: &Ring) -> Result<Option<Read>, KeychainError> {
        let bytes = match self.keychain.get(service(self.identity), &self.user(name)) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            // The others are no worse for it.
            Err(KeychainError::Closed) => return Ok(Some(Read { digest: [0; 32], item: Item::Closed })),
            Err(error) => return Err(error),
        };
        let bytes = bytes.expose();
        let item = match name {
            Name::Key { .. } => self.open_key(name, bytes, ring),
            Name::Bundle { .. } => match self.open_text(name, bytes, ring) {
                Opened::Yes { kid, revision, text } => payload::decode(text.expose())
                    .ok()
                    .map(believed)
                    .and_then(|state| record::accept(&state, self.identity))
                    .map_or(Item::Damaged, |records| Item::Bundle(Bundle { kid, revision, records })),
                Opened::Foreign => Item::Foreign,
                Opened::Damaged => Item::Damaged,
            },
            Name::Head { .. } => match self.open_text(name, bytes, ring) {
                Opened::Yes { kid, revision, text } => {
                    read_head(kid, revision, text.expose()).map_or(Item::Damaged, Item::Head)
                }
                Opened::Foreign => Item::Foreign,
                Opened::Damaged => Item::Damaged,
            },
        };
        Ok(Some(Read { digest: Sha256::digest(bytes).into(), item }))
    }

    fn write(&self, name: Name, item: &Item, ring: &Ring) -> Result<Digest, KeychainError> {
        let no_key = || KeychainError::Other("its key is gone".into());
        let bytes = match item {
            Item::Key(key) => self.seal_key(name, key),
            Item::Bundle(bundle) => {
                let key = ring.keys.get(&bundle.kid).ok_or_else(no_key)?;
                self.seal_text(name, bundle.kid, bundle.revision, &payload::encode(&bundle.records), key)
            }
            Item::Head(head) => {
                let key = ring.keys.get(&head.kid).ok_or_else(no_key)?;
                self.seal_text(name, head.kid, head.revision, &write_head(head), key)
            }
            Item::Foreign | Item::Closed | Item::Damaged => return Err(no_key()),
        };
        self.keychain.set(service(self.identity), &self.user(name), &bytes)?;
        Ok(Sha256::digest(&bytes).into())
    }

    fn delete(&self, name: Name) -> Result<(), KeychainError> {
        self.keychain.delete(service(self.identity), &self.user(name)).map(drop)
    }

    fn announce(&self, name: Name, revision: u64) {
        self.keychain.announce(service(self.identity), &self.user(name), revision);
    }

    fn fits(&self, records: &State) -> bool {
        let len = payload::encode(records).expose().len();
        HEAD_LEN + (4 + len).next_multiple_of(STEP) + crypto::TAG_LEN <= self.item_len
    }
}

fn believed(mut records: State) -> State {
    records.believe();
    records
}

/// A head's text, as RON.
#[derive(serde::Serialize, serde::Deserialize)]
struct HeadText {
    label: String,
    time: u64,
    accounts: usize,
    epoch: u8,
    /// Bucket to digest in hex.
    digests: BTreeMap<u16, String>,
}

fn write_head(head: &Head) -> Secret<Vec<u8>> {
    let digests = head.digests.iter().map(|(n, digest)| (*n, data_encoding::HEXLOWER.encode(digest))).collect();
    let (label, time, accounts, epoch) = (head.label.clone(), head.time.0, head.accounts, head.epoch);
    let text = HeadText { label, time, accounts, epoch, digests };
    Secret::new(ron::to_string(&text).expect("texts and numbers can be written as RON").into_bytes())
}

fn read_head(kid: Kid, revision: u64, text: &[u8]) -> Option<Head> {
    let text: HeadText = ron::de::from_bytes(text).ok()?;
    let digest = |hex: &String| {
        data_encoding::HEXLOWER.decode(hex.as_bytes()).ok().and_then(|bytes| Digest::try_from(bytes.as_slice()).ok())
    };
    let digests = text.digests.iter().map(|(n, hex)| Some((*n, digest(hex)?))).collect::<Option<_>>()?;
    let (label, time, accounts, epoch) = (text.label, UnixTime(text.time), text.accounts, text.epoch);
    Some(Head { kid, revision, label, time, accounts, epoch, digests })
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests;
