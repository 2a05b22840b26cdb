//! The inside of a Google migration link may be any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::transfer::{Source, import};

fuzz_target!(|bytes: &[u8]| {
    let link = format!("otpauth-migration://offline?data={}", data_encoding::BASE64URL_NOPAD.encode(bytes));
    let _ = import(Source::new(link.as_bytes()));
});
