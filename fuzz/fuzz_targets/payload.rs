//! A payload that decodes is written the same way again and again: what is read is what is kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::vault::payload::{decode, encode};

fuzz_target!(|bytes: &[u8]| {
    let Ok(state) = decode(bytes) else { return };
    let once = encode(&state);
    let again = decode(once.expose()).map(|state| encode(&state));
    assert!(again.is_ok_and(|again| again.expose() == once.expose()), "what was written reads as the same");
    for entry in state.live() {
        let _ = entry.account();
    }
});
