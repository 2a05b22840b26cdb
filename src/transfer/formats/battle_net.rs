//! Battle.net's preferences: hexadecimal text under a fixed mask.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{Format, Import};
use crate::otp::ParamError;

/// How the name of the secret's preference ends.
pub const KEY: &str = "AUTHENTICATOR_DEVICE_SECRET";
const SERIAL: &str = "AUTHENTICATOR_SERIAL";
const MASK: [u8; 57] = [
    0x39, 0x8e, 0x27, 0xfc, 0x50, 0x27, 0x6a, 0x65, 0x60, 0x65, 0xb0, 0xe5, 0x25, 0xf4, 0xc0, 0x6c, 0x04, 0xc6, 0x10,
    0x75, 0x28, 0x6b, 0x8e, 0x7a, 0xed, 0xa5, 0x9d, 0xa9, 0x81, 0x3b, 0x5d, 0xd6, 0xc8, 0x0d, 0x2f, 0xb3, 0x80, 0x68,
    0x77, 0x3f, 0xa5, 0x9b, 0xa4, 0x7c, 0x17, 0xca, 0x6c, 0x64, 0x79, 0x01, 0x5c, 0x1d, 0x5b, 0x8b, 0x8f, 0x6b, 0x9a,
];

/// Reads the preferences.
pub fn read(pairs: &[(String, String)]) -> Import {
    let mut import = Import::new(Format::BattleNet);
    let find = |end: &str| pairs.iter().find(|(name, _)| name.ends_with(end)).map(|(_, value)| unmask(value));
    let serial = find(SERIAL).flatten().unwrap_or_default();
    let serial = String::from_utf8_lossy(&serial);
    let secret = find(KEY).flatten().and_then(|hex| HEXLOWER_PERMISSIVE.decode(&hex).ok()).ok_or(ParamError::Hex);
    let parts = Parts { issuer: "Battle.net", label: &serial, digits: &Json::Int(8), secret, ..Parts::default() };
    import.take("Battle.net", &serial, parts.account());
    import
}

/// Takes the mask off; none when the text is longer than it, or no hexadecimal.
fn unmask(hex: &str) -> Option<Vec<u8>> {
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.trim().as_bytes()).ok().filter(|b| b.len() <= MASK.len())?;
    Some(bytes.iter().zip(MASK).map(|(b, m)| b ^ m).collect())
}
