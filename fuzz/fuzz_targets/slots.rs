//! Slots of any bytes, in a file that is whole but for them, are refused or parsed within the bounds, and none opens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::backup::sealed::OuterKey;
use otpanel::secret::Secret;
use otpanel::vault::slots::Key;
use otpanel::vault::{KdfParams, Locked};

fuzz_target!(|slots: &[u8]| {
    let mut file = vec![0x89, b'O', b'T', b'P', b'V', 0x0D, 0x0A, 0x1A, 1, 0, 0, 0];
    file.extend((slots.len() as u32).to_le_bytes());
    file.extend(4112u64.to_le_bytes());
    file.resize(92, 7);
    file.extend(slots);
    file.resize(file.len() + 32 + 4112, 7);
    // The same bytes stand in a backup's key item, behind a head of its own.
    let mut item = b"OTPK\x01".to_vec();
    item.extend([0; 8 + 16 + 1]);
    item.extend((slots.len() as u32).to_le_bytes());
    item.extend(slots);
    item.extend([7; 80]);
    let in_item = OuterKey::parse(&item).map(|item| item.slots);
    let Ok(locked) = Locked::parse(file) else {
        return assert!(in_item.is_none() || slots.len() > 65_536, "one reader takes what the other refuses");
    };
    assert!(in_item.is_some_and(|in_item| in_item == locked.slots()), "both readers see the same slots");
    assert!(locked.slots().len() <= 32);
    assert!(KdfParams::check_all(locked.slots().iter().filter_map(|slot| slot.kdf())).is_ok(), "costs are bounded");
    let (keychain, recovery) = (Secret::new([3; 32]), Secret::new([3; 20]));
    for slot in locked.slots() {
        for key in [Key::Keychain(&keychain), Key::Recovery(&recovery)] {
            assert!(slot.unwrap(locked.vault_id(), key).is_ok_and(|opened| opened.is_none()), "nothing was wrapped");
        }
    }
});
