//! Any name is made safe to draw, once and for all, and fits where it is put.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::text::{clean, fit, typed, width, wrap};

fuzz_target!(|name: &str| {
    let shown = clean(name);
    assert!(shown.chars().all(harmless), "{shown:?}");
    assert_eq!(clean(&shown), shown, "what is clean stays as it is");
    let line = typed(name);
    assert!(line.chars().all(harmless), "{line:?}");
    assert_eq!(line.chars().count(), name.chars().count(), "the cursor moves over every character");
    for columns in [0, 1, 2, 7, 30] {
        assert!(width(&fit(&shown, columns)) <= columns, "{columns}: {shown:?}");
        for line in wrap(&shown, columns) {
            assert!(width(&line) <= columns.max(1), "{columns}: {line:?}");
        }
    }
});

/// Written here by itself, from the lists of the Unicode standard, not from the code that is tested.
fn harmless(c: char) -> bool {
    let bidi = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    let hidden = matches!(c, '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !bidi && !breaks && !hidden
}
