//! What a vault holds: entries whose every part knows how to be joined with another copy of itself.
//!
//! Shapes only, and the edits a user makes; the join is in [`super::merge`], the text form in [`super::payload`].
//! Nothing here judges whether an entry makes codes: an entry of a kind that this version does not know, or with a secret
//! that it cannot read, is kept verbatim and joined like any other. [`Entry::account`] is
//! the one place that judges.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::secret::Secret;

/// Random 128 bits that name an entry for ever. Shown as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub [u8; 16]);

/// Random 64 bits that name a device; local state, never copied. Shown as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub [u8; 8]);

/// Random 128 bits that name a vault: all copies of one vault carry the same. Shown as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultId(pub [u8; 16]);

/// Random 128 bits that name a slot for ever; a slot never changes. Shown as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub [u8; 16]);

/// Gives a type over an array of bytes its hex form, both ways.
macro_rules! hex_id {
    ($name:ident, $len:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| BadId)?;
                <[u8; $len]>::try_from(bytes.as_slice()).map(Self).map_err(|_| BadId)
            }
        }
    };
}

hex_id!(EntryId, 16);
hex_id!(DeviceId, 8);
hex_id!(VaultId, 16);
hex_id!(SlotId, 16);

/// A text that should name an entry, a device, a vault or a slot and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct BadId;

/// When and where an edit was made: hybrid time first, then the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Hybrid time in milliseconds: the greater of the wall clock and every stamp known, and one more.
    pub time: u64,
    /// The device that edited.
    pub device: DeviceId,
}

/// How alive an entry is. Only rises within an incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Life {
    /// In use.
    Live,
    /// In the trash, whole.
    Trashed,
    /// Gone for good: a tombstone without a body.
    Purged,
}

/// The value of an editable field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text, as the user wrote it.
    Text(String),
}

/// A last-writer-wins register: the greater (stamp, value) wins, so the join is total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Register {
    /// When it was written, and by which device.
    pub stamp: Stamp,
    /// What was written.
    pub value: Value,
}

/// The HOTP counter: the greater (epoch, next) wins; a user's reset raises the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Counter {
    /// Raised by a reset.
    pub epoch: u32,
    /// The counter to use next.
    pub next: u64,
}

/// What never changes in an entry's life. Texts as stored, whether or not this version can use them.
pub struct Core {
    /// `totp`, `hotp`, `steam`, `motp`, `yandex`, or a name that a newer version knows.
    pub kind: String,
    /// The seed in base32 without padding.
    pub secret: Secret<String>,
    /// The PIN of mOTP and Yandex.
    pub pin: Option<Secret<String>>,
    /// `personal`, or `managed/NAME`.
    pub identity: String,
}

/// The name of a field: one of [`field`], or a name that a newer version writes.
pub type FieldName = Cow<'static, str>;

/// Names of the fields that this version writes.
pub mod field {
    /// Text: the site or service.
    pub const ISSUER: &str = "issuer";
    /// Text: the user's name there.
    pub const ACCOUNT: &str = "account";
    /// Text: free.
    pub const NOTE: &str = "note";
    /// Text: `SHA1`, `SHA256`, `SHA512`; absent means SHA1.
    pub const ALGORITHM: &str = "algorithm";
    /// Number: digits of a code; absent means 6.
    pub const DIGITS: &str = "digits";
    /// Number: seconds that a code lives; absent means 30.
    pub const PERIOD: &str = "period";
    /// Text: an icon's name.
    pub const ICON: &str = "icon";
    /// Text: a colour's name.
    pub const COLOUR: &str = "colour";
    /// Flag.
    pub const FAVOURITE: &str = "favourite";
    /// Text: a fractional index for the user's own order.
    pub const POSITION: &str = "position";
    /// Number: milliseconds since the epoch at which the entry was made.
    pub const ADDED: &str = "added";
    /// Text: where it came from (`Aegis`, `a link`).
    pub const SOURCE: &str = "source";
    /// Number: milliseconds since the epoch at which it went to the trash (for emptying it after 30 days).
    pub const TRASHED_AT: &str = "trashed_at";

    /// Every name above.
    const KNOWN: [&str; 13] = [
        ISSUER, ACCOUNT, NOTE, ALGORITHM, DIGITS, PERIOD, ICON, COLOUR, FAVOURITE, POSITION, ADDED, SOURCE, TRASHED_AT,
    ];

    /// The name as the map of fields holds it: borrowed where this version knows it, so that a vault of thousands of
    /// entries does not hold each name thousands of times.
    pub fn name(text: &str) -> super::FieldName {
        match KNOWN.iter().find(|known| **known == text) {
            Some(known) => std::borrow::Cow::Borrowed(known),
            None => std::borrow::Cow::Owned(text.to_owned()),
        }
    }
}

/// Everything of an entry that a purge drops.
#[derive(Clone)]
pub struct Body {
    /// Write-once.
    pub core: Arc<Core>,
    /// Editable values by name; names that this version does not know are kept.
    pub fields: BTreeMap<FieldName, Register>,
    /// Tag to (set or taken away, when).
    pub tags: BTreeMap<String, (bool, Stamp)>,
}

/// One account's whole state.
#[derive(Clone)]
pub struct Entry {
    /// Its name.
    pub id: EntryId,
    /// How often it was brought back; a higher one replaces the whole body.
    pub incarnation: u32,
    /// Within this incarnation.
    pub life: Life,
    /// HOTP only; joined by itself, so that no restore takes it back.
    pub counter: Counter,
    /// None exactly when purged.
    pub body: Option<Body>,
}

/// All that a vault's payload says.
#[derive(Clone, Default)]
pub struct State {
    /// The entries, tombstones among them.
    pub entries: BTreeMap<EntryId, Entry>,
    /// Values of the vault itself by name (`slot/<id>` gone, backup keys, a name), kept whether known or not.
    pub meta: BTreeMap<String, Register>,
    /// The version vector: the highest stamp seen of each device.
    pub seen: BTreeMap<DeviceId, u64>,
}
