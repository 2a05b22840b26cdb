//! A file of any bytes is recognised or not, and imported or refused, without a password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::transfer::{Source, detect, import, to_json};

fuzz_target!(|bytes: &[u8]| {
    let _ = detect(bytes);
    if let Ok(import) = import(Source::new(bytes)) {
        let _ = to_json(&[&import]);
    }
});
