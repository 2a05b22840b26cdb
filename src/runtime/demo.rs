//! The vault of `otpanel demo`.

use crate::entropy;
use crate::otp::Account;
use crate::time::UnixTime;
use crate::transfer::{self, Source};
use crate::vault::envelope::Unlocked;
use crate::vault::{DataKey, DeviceId, EntryId, State, VaultId};

/// A vault of the sample accounts, in memory only.
pub fn demo_vault() -> Unlocked {
    let accounts: Vec<Account> = transfer::import(Source::new(include_bytes!("../../assets/demo.txt")))
        .map(|import| import.entries)
        .unwrap_or_default();
    let mut state = State::default();
    let device = DeviceId(entropy::bytes());
    for account in &accounts {
        let stamp = state.next_stamp(UnixTime::now(), device);
        state.add(EntryId(entropy::bytes()), account, "personal", "a sample", stamp);
    }
    Unlocked::create(VaultId(entropy::bytes()), DataKey::new(entropy::secret()), Vec::new(), state)
}
