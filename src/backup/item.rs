//! The items of a backup: how they are named, and what each holds once it is open. Knows no store and no cipher.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::secret::Secret;
use crate::time::UnixTime;
use crate::vault::{DataKey, DeviceId, Slot, State};

/// Names a backup key: random 64 bits. Shown as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid(pub [u8; 8]);

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Kid {
    type Err = crate::vault::entry::BadId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<DeviceId>().map(|id| Self(id.0))
    }
}

/// A backup key: 32 random bytes under which the bundles of one identity are sealed. No `Clone`, no `Debug`.
pub struct BackupKey(pub Secret<[u8; 32]>);

impl BackupKey {
    /// A second copy.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(Secret::new(*self.0.expose()))
    }
}

/// Backup keys by their names.
pub type Keys = BTreeMap<Kid, BackupKey>;

/// The name of an item within its vault. Only random ids and numbers: names lie readable in most stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A backup key, as one device keeps it.
    Key {
        /// Which key.
        kid: Kid,
        /// Its writer.
        device: DeviceId,
    },
    /// Sealed records.
    Bundle {
        /// Its writer.
        device: DeviceId,
        /// There are 2^epoch buckets.
        epoch: u8,
        /// Of those, this one.
        bucket: u16,
    },
    /// What a device says of its bundles.
    Head {
        /// Its writer.
        device: DeviceId,
    },
}

impl Name {
    /// The one device that writes it.
    pub const fn device(self) -> DeviceId {
        match self {
            Self::Key { device, .. } | Self::Bundle { device, .. } | Self::Head { device } => device,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { kid, device } => write!(f, "key/{kid}/{device}"),
            Self::Bundle { device, epoch, bucket } => write!(f, "b/{device}/{epoch}/{bucket}"),
            Self::Head { device } => write!(f, "head/{device}"),
        }
    }
}

impl Name {
    /// Reads what `Display` writes; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let name = match parts[..] {
            ["key", kid, device] => Self::Key { kid: kid.parse().ok()?, device: device.parse().ok()? },
            ["b", device, epoch, bucket] => Self::Bundle {
                device: device.parse().ok()?,
                epoch: epoch.parse().ok().filter(|epoch| *epoch <= MAX_EPOCH)?,
                bucket: bucket.parse().ok()?,
            },
            ["head", device] => Self::Head { device: device.parse().ok()? },
            _ => return None,
        };
        (name.to_string() == text).then_some(name)
    }
}

/// The highest epoch: 4,096 buckets.
pub const MAX_EPOCH: u8 = 12;

/// SHA-256 over an item's bytes.
pub type Digest = [u8; 32];

/// A key item, open.
pub struct KeyItem {
    /// Counts the writes.
    pub revision: u64,
    /// The vault's slots as the writer had them: whoever opens one of them has the data key, and with it the backup key.
    pub slots: Vec<Slot>,
    /// The data key lies in the item: the store itself is the protection.
    pub by_itself: bool,
    /// The data key that the backup key is wrapped under.
    pub data: DataKey,
    /// The backup key.
    pub key: BackupKey,
}

/// A bundle, open.
pub struct Bundle {
    /// The key that sealed it.
    pub kid: Kid,
    /// Counts the writes.
    pub revision: u64,
    /// Entries with nothing but what a backup may hold.
    pub records: State,
}

/// A head, open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The key that sealed it, and that its writer seals with.
    pub kid: Kid,
    /// Counts the writes.
    pub revision: u64,
    /// What the writer calls itself: the machine's name.
    pub label: String,
    /// When it was written.
    pub time: UnixTime,
    /// Live accounts in the bundles.
    pub accounts: usize,
    /// Of the bundles.
    pub epoch: u8,
    /// Digest of each bundle by its bucket.
    pub digests: BTreeMap<u16, Digest>,
}

/// What an item is, once it was read.
pub enum Item {
    /// See [`KeyItem`].
    Key(KeyItem),
    /// See [`Bundle`].
    Bundle(Bundle),
    /// See [`Head`].
    Head(Head),
    /// Sealed under a key that is not known here.
    Foreign,
    /// It may not be read here.
    Closed,
    /// Its key is known and does not open it, or it is nothing of ours.
    Damaged,
}

/// An item that was read.
pub struct Read {
    /// Of its bytes.
    pub digest: Digest,
    /// What it holds.
    pub item: Item,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_in_no_other_form() {
        let (kid, device) = (Kid([0xab; 8]), DeviceId([1; 8]));
        for name in [
            Name::Key { kid, device },
            Name::Bundle { device, epoch: 0, bucket: 0 },
            Name::Bundle { device, epoch: 12, bucket: 4095 },
            Name::Head { device },
        ] {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
        for bad in [
            "",
            "head",
            "head/0101010101010101/",
            "head/../../etc",
            "b/0101010101010101/0",
            "b/0101010101010101/00/0",
            "b/0101010101010101/13/0",
            "b/0101010101010101/0/65536",
            "key/0101010101010101",
            "HEAD/0101010101010101",
            "head/ABCDEFABCDEFABCD",
        ] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }
}
