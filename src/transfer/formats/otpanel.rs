//! otpanel's own vaults: somebody else's, or one of another machine, taken in as accounts. Joining two copies of the same
//! vault is [`crate::vault`]'s work; this copies what is live and leaves the rest.

use super::super::{EntryError, Format, Import, ImportError, Source};
use crate::policy::organisation;
use crate::secret::Secret;
use crate::text::clean;
use crate::vault::{Error, Key, Locked, Unlocked, recovery};

const FORMAT: Format = Format::Otpanel;
/// What a vault begins with.
pub const MAGIC: &[u8] = b"\x89OTPV";

/// Opens a vault with its password or its recovery key.
pub fn read(source: &Source<'_>) -> Result<Import, ImportError> {
    let locked = Locked::parse(source.bytes.to_vec()).map_err(refusal)?;
    let unlocked = open(&locked, source.need_password(FORMAT)?)?;
    let mut import = Import::new(FORMAT);
    for entry in unlocked.state.live() {
        // An import makes new entries of whoever imports: an organisation's account would change hands by it.
        let result = match organisation(entry.identity()) {
            Some(name) => Err(EntryError::Unusable(format!("it belongs to {}, and stays in that vault", clean(name)))),
            None => entry.account().map_err(|error| EntryError::Unusable(error.to_string())),
        };
        import.take(entry.issuer(), entry.name(), result);
    }
    Ok(import)
}

fn open(locked: &Locked, secret: &Secret<String>) -> Result<Unlocked, ImportError> {
    if let Ok(key) = recovery::read(secret.expose())
        && let Ok(unlocked) = locked.open(&Key::Recovery(&key))
    {
        return Ok(unlocked);
    }
    locked.open(&Key::Password(secret)).map_err(refusal)
}

fn refusal(error: Error) -> ImportError {
    match error {
        Error::WrongKey => ImportError::WrongPassword(FORMAT),
        Error::NoSlot(_) => {
            let reason = "This vault has no password. Give its recovery key instead.";
            ImportError::Refused { format: FORMAT, reason: reason.to_owned() }
        }
        error => ImportError::Damaged { format: FORMAT, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Account, Kind, Seed};
    use crate::vault::{DataKey, DeviceId, EntryId, KdfParams, Slot, SlotId, Stamp, State, VaultId};

    fn vault(keys: &[Key<'_>]) -> Vec<u8> {
        let mut state = State::default();
        let stamp = Stamp { time: 1, device: DeviceId([1; 8]) };
        for (id, name) in [(1, "bob"), (2, "gone")] {
            let seed = Seed::new(b"0123456789".to_vec()).expect("not empty");
            state.add(EntryId([id; 16]), &Account::new("Acme", name, Kind::totp(), seed), "", "", stamp);
        }
        let seed = Seed::new(b"9876543210".to_vec()).expect("not empty");
        state.add(EntryId([9; 16]), &Account::new("VPN", "bob", Kind::totp(), seed), "managed/Contoso", "", stamp);
        state.trash(EntryId([2; 16]), stamp);
        let (id, dek) = (VaultId([3; 16]), DataKey::new(Secret::new([4; 32])));
        let slots = keys.iter().zip(5..).map(|(key, n)| {
            let fresh = crate::vault::slots::Fresh { id: SlotId([n; 16]), salt: [n; 32] };
            Slot::wrap(&dek, id, *key, KdfParams::WEAKEST, &fresh).expect("wraps")
        });
        Unlocked::create(id, DataKey::new(Secret::new([4; 32])), slots.collect(), state).seal([9; 32]).expect("seals")
    }

    fn import(bytes: &[u8], password: &str) -> Result<Import, ImportError> {
        let password = Secret::new(password.to_owned());
        super::super::super::import(Source { password: Some(&password), ..Source::new(bytes) })
    }

    #[test]
    fn a_vault_opens_with_its_password_or_its_recovery_key() {
        let (password, recovery_key) = (Secret::new(String::from("pw")), Secret::new([6; 20]));
        let bytes = vault(&[Key::Password(&password), Key::Recovery(&recovery_key)]);
        for key in ["pw", recovery::write(&recovery_key).expose()] {
            let import = import(&bytes, key).expect("opens");
            assert_eq!(import.format, FORMAT);
            assert_eq!(import.entries.iter().map(Account::title).collect::<Vec<_>>(), ["Acme (bob)"]);
            assert_eq!(import.skipped.len(), 1, "an organisation's account is not taken over");
            assert!(import.skipped[0].reason.contains("Contoso"), "{}", import.skipped[0].reason);
        }
        assert!(matches!(import(&bytes, "other"), Err(ImportError::WrongPassword(_))));
        assert!(matches!(import(&bytes[..100], "pw"), Err(ImportError::Damaged { .. })));
    }

    #[test]
    fn a_vault_without_a_password_asks_for_the_recovery_key() {
        let bytes = vault(&[Key::Recovery(&Secret::new([6; 20]))]);
        assert!(matches!(import(&bytes, "pw"), Err(ImportError::Refused { .. })));
    }
}
