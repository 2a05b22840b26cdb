//! Mobile-OTP: the first six hex digits of MD5(tens of seconds, secret as lower-case hex, PIN).

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use zeroize::Zeroize;

use super::params::{ParamError, Seed};

/// The code for a moment, given as seconds since 1970.
pub(super) fn text(seed: &[u8], pin: &str, secs: u64) -> String {
    let mut hex = HEXLOWER.encode(seed);
    let mut input = format!("{}{hex}{pin}", secs / 10);
    let digest = Md5::digest(input.as_bytes());
    input.zeroize();
    hex.zeroize();
    HEXLOWER.encode(&digest[..3])
}

/// Reads a secret as mOTP writes it: hexadecimal of any case; blanks do not matter.
///
/// # Errors
/// [`ParamError::Hex`], [`ParamError::EmptySecret`], [`ParamError::LongSecret`].
pub fn seed(hex: &str) -> Result<Seed, ParamError> {
    let mut plain: String = hex.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let bytes = HEXLOWER.decode(plain.as_bytes()).map_err(|_| ParamError::Hex);
    plain.zeroize();
    Seed::new(bytes?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_as_phones_showed_them() {
        let secret = seed("E3152AFEE62599C8").expect("hex");
        for (secs, code) in [(165_892_298, "e7d8b6"), (123_456_789, "4ebfb2")] {
            assert_eq!(text(secret.expose(), "1234", secs), code);
        }
    }

    #[test]
    fn a_secret_that_is_not_hex_is_refused() {
        assert_eq!(seed("xyz").err(), Some(ParamError::Hex));
        assert_eq!(seed("abc").err(), Some(ParamError::Hex));
        assert_eq!(seed("").err(), Some(ParamError::EmptySecret));
    }
}
