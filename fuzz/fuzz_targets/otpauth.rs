//! A link that is read makes codes without a panic, and what is written of it reads as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::otp::{code, uri};
use otpanel::time::UnixTime;

fuzz_target!(|text: &str| {
    let Ok(account) = uri::parse(text) else { return };
    for secs in [0, 59, 1_111_111_109, 20_000_000_000, u64::MAX / 1000] {
        let _ = code::code_at(&account, UnixTime::from_secs(secs));
        let _ = code::next_code_at(&account, UnixTime::from_secs(secs));
    }
    let _ = code::hotp_code(&account, u64::MAX);
    let once = uri::write(&account);
    let again = uri::parse(once.expose()).map(|account| uri::write(&account));
    assert!(again.is_ok_and(|again| again.expose() == once.expose()), "what was written reads as the same");
});
