//! A vault file of any bytes is refused or parsed, and never opened by a key that is not its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::secret::Secret;
use otpanel::vault::{DataKey, Locked};

fuzz_target!(|bytes: &[u8]| {
    let Ok(locked) = Locked::parse(bytes.to_vec()) else { return };
    for slot in locked.slots() {
        let _ = slot.kdf();
    }
    let other = DataKey::new(Secret::new([7; 32]));
    assert!(locked.open_with(&other).is_err(), "a key that sealed nothing opens nothing");
});
