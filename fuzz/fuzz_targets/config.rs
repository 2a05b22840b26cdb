//! Settings of any text are read, or refused with a place in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::config::parse;

fuzz_target!(|text: &str| {
    if let Err(mistake) = parse(text) {
        let lines = text.split('\n').count();
        assert!((1..=lines).contains(&mistake.line) && mistake.column >= 1, "{mistake}");
    }
});
