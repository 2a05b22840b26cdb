//! What an entry says, read without copying its secret; and [`Entry::account`], the one place that judges whether an
//! entry makes codes.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use super::entry::{Core, Entry, EntryId, Life, State, Value, field};
use crate::otp::account::title;
use crate::otp::{Account, Algorithm, Digits, Kind, ParamError, Period, Pin, Seed};
use crate::secret::Secret;

/// Why an entry makes no codes. It is kept verbatim and listed all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// A kind that a newer version knows.
    #[error("its kind is unknown to this version")]
    UnknownKind(String),
    /// Its secret was never stored here: it came from a backup of names only, and has to be enrolled again.
    #[error("its secret was not in the backup that it came from: enrol it again")]
    NameOnly,
    /// A secret or a parameter that cannot be used.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// Gone for good.
    #[error("it was deleted for good")]
    Purged,
}

impl Entry {
    /// The entry as an account, with its own copy of the seed.
    ///
    /// # Errors
    /// [`Unusable`] with the reason.
    pub fn account(&self) -> Result<Account, Unusable> {
        let kind = match self.kind() {
            // A kind of the future is told first: here it cannot be enrolled again.
            Err(Unusable::Param(_)) if self.is_name_only() => return Err(Unusable::NameOnly),
            kind => kind?,
        };
        let seed = self.seed()?;
        let icon = self.text(field::ICON);
        Ok(Account {
            issuer: self.issuer().to_owned(),
            account: self.name().to_owned(),
            kind,
            seed,
            groups: self.tags().map(str::to_owned).collect(),
            note: self.note().to_owned(),
            favourite: self.favourite(),
            icon: (!icon.is_empty()).then(|| icon.to_owned()),
        })
    }

    /// The kind of code with its parameters; for HOTP with the counter to use next.
    ///
    /// # Errors
    /// [`Unusable`] with the reason; a broken seed is not looked at.
    pub fn kind(&self) -> Result<Kind, Unusable> {
        let core = self.core().ok_or(Unusable::Purged)?;
        let pin = || match &core.pin {
            Some(pin) => Pin::new(pin.expose().clone()),
            None => Err(ParamError::MissingPin),
        };
        Ok(match core.kind.as_str() {
            "totp" => Kind::Totp { algorithm: self.algorithm()?, digits: self.digits()?, period: self.period()? },
            "hotp" => Kind::Hotp { algorithm: self.algorithm()?, digits: self.digits()?, counter: self.counter.next },
            "steam" => Kind::Steam,
            "motp" => Kind::Motp { pin: pin()? },
            "yandex" => Kind::Yandex { pin: pin()? },
            other => return Err(Unusable::UnknownKind(other.to_owned())),
        })
    }

    /// The seed, decoded.
    ///
    /// # Errors
    /// [`Unusable`] when it is not base32, empty or too long.
    pub fn seed(&self) -> Result<Seed, Unusable> {
        let core = self.core().ok_or(Unusable::Purged)?;
        if self.is_name_only() {
            return Err(Unusable::NameOnly);
        }
        let bytes = BASE32_NOPAD
            .decode(core.secret.expose().as_bytes())
            .map_err(|e| ParamError::Base32 { at: e.position + 1 })?;
        Ok(Seed::new(bytes)?)
    }

    /// What never changes; none when purged.
    pub fn core(&self) -> Option<&Core> {
        self.body.as_ref().map(|body| &*body.core)
    }

    /// In use: neither in the trash nor gone.
    pub fn is_live(&self) -> bool {
        self.life == Life::Live
    }

    /// `totp`, `hotp`, `steam`, `motp`, `yandex` or what a newer version wrote; empty when purged.
    pub fn kind_name(&self) -> &str {
        self.core().map_or("", |core| &core.kind)
    }

    /// `personal` or `managed/NAME`; empty when purged.
    pub fn identity(&self) -> &str {
        self.core().map_or("", |core| &core.identity)
    }

    /// The site or service; may be empty.
    pub fn issuer(&self) -> &str {
        self.text(field::ISSUER)
    }

    /// The user's name there; may be empty.
    pub fn name(&self) -> &str {
        self.text(field::ACCOUNT)
    }

    /// Free text; may be empty.
    pub fn note(&self) -> &str {
        self.text(field::NOTE)
    }

    /// Marked as a favourite.
    pub fn favourite(&self) -> bool {
        self.flag(field::FAVOURITE)
    }

    /// The tags that are set, in order.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.body.iter().flat_map(|body| body.tags.iter().filter(|(_, (on, _))| *on).map(|(tag, _)| tag.as_str()))
    }

    /// The hash of a TOTP or HOTP entry; SHA-1 where nothing is said.
    ///
    /// # Errors
    /// [`ParamError::Algorithm`].
    pub fn algorithm(&self) -> Result<Algorithm, ParamError> {
        Algorithm::parse(self.text(field::ALGORITHM))
    }

    /// Digits of a TOTP or HOTP code; six where nothing is said.
    ///
    /// # Errors
    /// [`ParamError::Digits`].
    pub fn digits(&self) -> Result<Digits, ParamError> {
        match self.number(field::DIGITS) {
            None => Ok(Digits::SIX),
            Some(n) => u64::try_from(n).map_err(|_| ParamError::Digits(n.to_string())).and_then(Digits::new),
        }
    }

    /// Seconds that a TOTP code lives; thirty where nothing is said.
    ///
    /// # Errors
    /// [`ParamError::Period`].
    pub fn period(&self) -> Result<Period, ParamError> {
        match self.number(field::PERIOD) {
            None => Ok(Period::THIRTY),
            Some(n) => u64::try_from(n).map_err(|_| ParamError::Period(n.to_string())).and_then(Period::new),
        }
    }

    /// A field by name, whatever it holds.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.body.as_ref()?.fields.get(name).map(|register| &register.value)
    }

    /// A field that holds text; empty when it is absent or holds something else.
    pub fn text(&self, name: &str) -> &str {
        match self.field(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// A field that holds a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.field(name) {
            Some(Value::Number(n)) => Some(*n),
            _ => None,
        }
    }

    /// A field that holds yes or no; no when it is absent or holds something else.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.field(name), Some(Value::Flag(true)))
    }
}

impl State {
    /// The entries in use, by id.
    pub fn live(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.life == Life::Live)
    }

    /// The entries in the trash, by id.
    pub fn trashed(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.life == Life::Trashed)
    }

    /// An entry by id, whatever its life.
    pub fn get(&self, id: &EntryId) -> Option<&Entry> {
        self.entries.get(id)
    }
}

impl Entry {
    /// As [`fingerprint`], of an entry; none when it is unusable.
    pub fn fingerprint(&self) -> Option<[u8; 32]> {
        Some(print(&self.kind().ok()?, &self.seed().ok()?))
    }
}

/// SHA-256 over kind, secret and parameters, but not the HOTP counter: equal exactly for accounts that make the same
/// codes. As secret as the seed: keep it in memory only.
pub fn fingerprint(account: &Account) -> [u8; 32] {
    print(&account.kind, &account.seed)
}

fn print(kind: &Kind, seed: &Seed) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [kind.name(), kind.algorithm_name(), &kind.digits().to_string()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.update(kind.period().unwrap_or(0).to_le_bytes());
    hash.update((seed.expose().len() as u64).to_le_bytes());
    hash.update(seed.expose());
    if let Kind::Motp { pin } | Kind::Yandex { pin } = kind {
        hash.update(pin.expose());
    }
    hash.finalize().into()
}

/// The text that an entry's core keeps of a seed: base32 in capitals without padding (RFC 4648 section 6).
pub fn seed_text(seed: &Seed) -> Secret<String> {
    Secret::new(BASE32_NOPAD.encode(seed.expose()))
}

/// The accounts of entries, and the names of those that make no account here, with the reason.
pub fn accounts_of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> (Vec<Account>, Vec<(String, String)>) {
    let (mut accounts, mut unusable) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry.account() {
            Ok(account) => accounts.push(account),
            Err(why) => unusable.push((title(entry.issuer(), entry.name()), why.to_string())),
        }
    }
    (accounts, unusable)
}

#[cfg(test)]
mod tests {
    use super::super::entry::{DeviceId, Stamp};
    use super::*;

    const STAMP: Stamp = Stamp { time: 5, device: DeviceId([1; 8]) };

    fn account(kind: Kind) -> Account {
        Account::new("Site", "me", kind, Seed::new(b"12345678901234567890".to_vec()).unwrap())
    }

    fn entry_of(account: &Account) -> Entry {
        let mut state = State::default();
        state.add(EntryId([7; 16]), account, "personal", "a test", STAMP);
        state.entries.remove(&EntryId([7; 16])).unwrap()
    }

    #[test]
    fn an_account_of_every_kind_comes_back_as_it_was_added() {
        let pin = || Pin::new(String::from("1234")).unwrap();
        let kinds = [
            Kind::totp(),
            Kind::Totp { algorithm: Algorithm::Sha512, digits: Digits::EIGHT, period: Period::new(60).unwrap() },
            Kind::Hotp { algorithm: Algorithm::Sha256, digits: Digits::new(7).unwrap(), counter: 41 },
            Kind::Steam,
            Kind::Motp { pin: pin() },
            Kind::Yandex { pin: pin() },
        ];
        for kind in kinds {
            let mut before = account(kind);
            before.note = String::from("a note");
            before.favourite = true;
            before.groups = vec![String::from("work")];
            before.icon = Some(String::from("site"));
            let after = entry_of(&before).account().unwrap();
            assert_eq!(format!("{before:?}"), format!("{after:?}"));
            assert_eq!(after.seed.expose(), before.seed.expose());
        }
    }

    #[test]
    fn an_entry_of_a_newer_kind_or_with_a_broken_secret_is_unusable_and_says_why() {
        let body = |kind: &str, secret: &str| {
            let mut entry = entry_of(&account(Kind::totp()));
            entry.body.as_mut().unwrap().core = std::sync::Arc::new(Core {
                kind: kind.to_owned(),
                secret: Secret::new(secret.to_owned()),
                pin: None,
                identity: String::from("personal"),
            });
            entry.account().unwrap_err()
        };
        assert_eq!(body("fido9", "MFRGG"), Unusable::UnknownKind(String::from("fido9")));
        assert_eq!(body("totp", "MFR1G"), Unusable::Param(ParamError::Base32 { at: 4 }));
        assert_eq!(body("totp", ""), Unusable::NameOnly);
        assert_eq!(body("motp", ""), Unusable::NameOnly, "and has no PIN either");
        assert_eq!(body("motp", "MFRGG"), Unusable::Param(ParamError::MissingPin));
    }

    #[test]
    fn a_duplicate_is_known_by_kind_secret_and_parameters_alone() {
        let mut state = State::default();
        state.add(EntryId([7; 16]), &account(Kind::totp()), "personal", "", STAMP);
        let mut renamed = account(Kind::totp());
        renamed.issuer = String::from("Other");
        let same = |state: &State, account: &Account| {
            state.live().find(|e| e.fingerprint() == Some(fingerprint(account))).map(|e| e.id)
        };
        assert_eq!(same(&state, &renamed), Some(EntryId([7; 16])));
        assert_eq!(same(&state, &account(Kind::Steam)), None);
        let longer = Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::EIGHT, period: Period::THIRTY };
        assert_eq!(same(&state, &account(longer)), None);
        state.trash(EntryId([7; 16]), STAMP);
        assert_eq!(same(&state, &renamed), None, "what lies in the trash is no duplicate");
    }
}
