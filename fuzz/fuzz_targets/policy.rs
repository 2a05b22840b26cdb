//! A policy of any text is obeyed whole, or refused with a place in the text; and capped settings stay within it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::config::Config;
use otpanel::policy::parse;

fuzz_target!(|text: &str| {
    match parse(text, "user") {
        Ok(policy) => {
            let config = policy.cap(Config::default());
            if let Some(most) = policy.max_clipboard_secs {
                assert!(config.clipboard.clear_secs <= most.max(1), "the clipboard is capped");
            }
            let _ = policy.identity_for(false);
        }
        Err(mistake) => {
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&mistake.line) && mistake.column >= 1, "{mistake}");
        }
    }
});
