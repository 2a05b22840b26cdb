//! Items of a backup, of any bytes and under any name, as they lie in a store, and of any content under a good seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::backup::item::{BackupKey, Item, Kid, Name};
use otpanel::backup::round::{Items, Ring};
use otpanel::backup::sealed::{Sealed, service, vault8};
use otpanel::keychain::{Keychain, memory::MemoryKeychain};
use otpanel::secret::Secret;
use otpanel::vault::{DataKey, DeviceId, VaultId, crypto};

const VAULT: VaultId = VaultId([1; 16]);
const KID: Kid = Kid([2; 8]);
const DEVICE: DeviceId = DeviceId([3; 8]);

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let names = [
        Name::Key { kid: KID, device: DEVICE },
        Name::Bundle { device: DEVICE, epoch: 0, bucket: 0 },
        Name::Head { device: DEVICE },
    ];
    let name = names[usize::from(choice % 3)];
    let keychain = MemoryKeychain::new();
    let items = Sealed { keychain: &keychain, identity: "personal", vault: VAULT, item_len: 32 << 10, by_itself: true };
    let ring = Ring {
        data: vec![DataKey::new(Secret::new([4; 32]))],
        keys: [(KID, BackupKey(Secret::new([5; 32])))].into(),
        old: None,
    };
    let user = format!("{}/{name}", vault8(VAULT));
    let put = |bytes: &[u8]| assert!(keychain.set(service("personal"), &user, bytes).is_ok());
    if choice & 0x80 == 0 {
        put(rest);
        match items.read(name, &ring).map(|read| read.map(|read| read.item)) {
            Ok(Some(Item::Foreign | Item::Damaged)) => {}
            _ => panic!("a store's bytes that nobody sealed were taken"),
        }
        if let Ok(text) = std::str::from_utf8(rest)
            && let Some(name) = Name::parse(text)
        {
            assert_eq!(name.to_string(), text);
        }
    } else {
        put(&sealed(name, rest));
        let Ok(Some(read)) = items.read(name, &ring) else { panic!("it is there") };
        if let Item::Bundle(bundle) = read.item {
            // What was accepted is written and read as the same.
            let written = Item::Bundle(bundle);
            assert!(items.write(name, &written, &ring).is_ok());
            assert!(matches!(items.read(name, &ring).map(|read| read.map(|read| read.item)), Ok(Some(Item::Bundle(_)))));
        }
    }
});

/// A text under a good seal of the backup key, as `docs/vault.md` gives it.
fn sealed(name: Name, text: &[u8]) -> Vec<u8> {
    let mut out = b"OTPB\x01".to_vec();
    out.extend(KID.0);
    out.extend([6; 32]);
    out.extend(9u64.to_le_bytes());
    let mut aad = b"otpanel/v1/backup".to_vec();
    aad.extend(8u32.to_le_bytes());
    aad.extend(b"personal");
    aad.extend(VAULT.0);
    aad.extend(name.to_string().as_bytes());
    aad.extend(&out);
    let mut inside = (text.len() as u32).to_le_bytes().to_vec();
    inside.extend(text);
    crypto::seal(&crypto::hkdf(&[5; 32], &[6; 32], "otpanel/v1/backup/item"), &aad, &mut inside);
    out.append(&mut inside);
    out
}
