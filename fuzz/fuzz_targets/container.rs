//! Each container, opened past its seal: the first byte chooses which, the rest lies inside.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otpanel::secret::Secret;
use otpanel::transfer::{Format, ImportError, Source, fuzzing, import, to_json};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, inside)) = bytes.split_first() else { return };
    match choice % 16 {
        0 => fuzzing::zip(inside),
        1 => fuzzing::sqlite(inside, None),
        2 => {
            // A database and its write-ahead log, parted where the second byte says.
            let Some((part, inside)) = inside.split_first() else { return };
            let at = inside.len() * usize::from(*part) / 256;
            fuzzing::sqlite(&inside[..at], Some(&inside[at..]));
        }
        3 => fuzzing::kdbx(inside, false),
        4 => fuzzing::kdbx(inside, true),
        5 => fuzzing::kdbx_header(inside),
        6 => fuzzing::secretstream(inside),
        7 => fuzzing::java(inside),
        8 => fuzzing::migration(inside),
        9 => fuzzing::xml(inside),
        10 => {
            let bytes = [b"PK\x03\x04", inside].concat();
            let password = Secret::new(String::from("x"));
            let _ = import(Source { password: Some(&password), ..Source::new(&bytes) });
        }
        // Text and JSON, read as the format that the next byte names.
        _ => {
            let Some((format, inside)) = inside.split_first() else { return };
            let format = Format::ALL[usize::from(*format) % Format::ALL.len()];
            match import(Source { format: Some(format), name: Some("x"), ..Source::new(inside) }) {
                Ok(import) => drop(to_json(&[&import])),
                Err(error @ ImportError::Damaged { .. }) => assert!(!error.to_string().contains('\x1b')),
                Err(_) => {}
            }
        }
    }
});
