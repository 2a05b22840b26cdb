//! The memory of a running program, and a search for what must not be in it.
//!
//! A secret is found in any of the shapes that a program gives it: the bytes, base32 in either case, a text one character
//! to a cell of a screen or to a key event (any stride up to 96 bytes), the block that an HMAC makes of a key; and in
//! parts, should something have written over the rest.

#![allow(dead_code, clippy::unwrap_used, reason = "a toolbox of which each test takes a part")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};

/// Consecutive bytes of a secret that tell it: no other memory holds them by chance.
const PART: usize = 8;
/// How far apart the characters of a text may stand.
const STRIDES: [usize; 14] = [1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 96];

/// One mapping of a process: what it is, where it begins, what stands there.
pub struct Part {
    pub name: String,
    pub start: u64,
    pub bytes: Vec<u8>,
}

/// Everything that a process can write to, and its own anonymous memory. Needs root where the process is not dumpable.
pub fn of(pid: i32) -> Vec<Part> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut parts = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let name = words.nth(3).unwrap_or("anonymous").to_owned();
        let anonymous = name == "anonymous" || name.starts_with('[');
        if !rights.starts_with('r') || !(anonymous || rights.contains('w')) || name.starts_with("[v") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; (end - start) as usize];
        memory.seek(SeekFrom::Start(start)).unwrap();
        // A mapping may go away while it is looked at.
        if memory.read_exact(&mut bytes).is_ok() {
            parts.push(Part { name, start, bytes });
        }
    }
    assert!(parts.iter().any(|part| part.name == "[heap]" || part.bytes.len() > 1 << 16), "no memory was read");
    parts
}

/// What to look for.
#[derive(Default)]
pub struct Wanted {
    /// First two bytes to (a part of a secret, the secret's name).
    bytes: BTreeMap<[u8; 2], Vec<(Vec<u8>, String)>>,
    texts: BTreeMap<[u8; 2], Vec<(Vec<u8>, String)>>,
    codes: HashSet<[u8; 8]>,
}

impl Wanted {
    /// A key or a seed, in bytes; also as HMAC pads it.
    pub fn key(&mut self, name: &str, key: &[u8]) -> &mut Self {
        for (what, mask) in [("", 0), (" in an inner HMAC block", 0x36), (" in an outer HMAC block", 0x5c)] {
            let masked: Vec<u8> = key.iter().map(|byte| byte ^ mask).collect();
            for part in masked.windows(PART) {
                self.bytes.entry([part[0], part[1]]).or_default().push((part.to_vec(), format!("{name}{what}")));
            }
        }
        self
    }

    /// A text that was typed, pasted or shown.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        for text in BTreeSet::from([text.to_owned(), text.to_lowercase(), text.to_uppercase()]) {
            for part in text.as_bytes().windows(PART) {
                self.texts.entry([part[0], part[1]]).or_default().push((part.to_vec(), name.to_owned()));
            }
        }
        self
    }

    /// A code of eight digits; none is looked for that a table reads as whose entries are counted: a pointer that ends in a `0`
    /// beside a number from 0x33 on reads as 03040506, 8 apart, and that was the code of 05:14 one day.
    pub fn code(&mut self, code: &str) -> &mut Self {
        let digits: [u8; 8] = code.as_bytes().try_into().unwrap();
        let counted = |first: usize| digits[first..].windows(5).step_by(2).all(|five| five[0] + five[4] == five[2] * 2);
        if !(counted(0) && counted(1)) {
            self.codes.insert(digits);
        }
        self
    }

    /// Where what stands in an image: `name, in mapping, at stride`, with how often, one place of it, and what stands there.
    pub fn found(&self, image: &[Part]) -> Vec<String> {
        let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
        for part in image {
            for stride in STRIDES {
                for (at, name) in self.look(&part.bytes, stride) {
                    let key = format!("{name}, in {}, {stride} apart", part.name);
                    let place = || {
                        let bytes = &part.bytes[at..(at + PART * stride).min(part.bytes.len())];
                        (0, format!("{:#x}: {}", part.start + at as u64, bytes.escape_ascii()))
                    };
                    found.entry(key).or_insert_with(place).0 += 1;
                }
            }
        }
        found.into_iter().map(|(key, (times, at))| format!("{key}: {times} times, at {at}")).collect()
    }

    fn look<'a>(&'a self, bytes: &'a [u8], stride: usize) -> Vec<(usize, &'a str)> {
        let mut heads = vec![false; 1 << 16];
        for head in self.texts.keys().chain(self.bytes.keys().filter(|_| stride == 1)) {
            heads[usize::from(u16::from_be_bytes(*head))] = true;
        }
        let (mut found, last) = (Vec::new(), (PART - 1) * stride);
        for at in 0..bytes.len().saturating_sub(last) {
            // Most of memory is empty; the other parts of a key that begins with a zero are found.
            if bytes[at] == 0 {
                continue;
            }
            let head = [bytes[at], bytes[at + stride]];
            if heads[usize::from(u16::from_be_bytes(head))] {
                let lists = self.texts.get(&head).into_iter().chain(self.bytes.get(&head).filter(|_| stride == 1));
                for (part, name) in lists.flatten() {
                    if part.iter().enumerate().all(|(i, byte)| bytes[at + i * stride] == *byte) {
                        found.push((at, name.as_str()));
                    }
                }
            }
            if head.iter().all(u8::is_ascii_digit) && self.is_code(bytes, at, stride) {
                found.push((at, "a code"));
            }
        }
        found
    }

    /// Eight digits from here, with blanks between groups or without.
    fn is_code(&self, bytes: &[u8], at: usize, stride: usize) -> bool {
        let mut digits = [0; 8];
        let mut place = at;
        for digit in &mut digits {
            if bytes.get(place) == Some(&b' ') {
                place += stride;
            }
            match bytes.get(place) {
                Some(byte) if byte.is_ascii_digit() => *digit = *byte,
                _ => return false,
            }
            place += stride;
        }
        self.codes.contains(&digits)
    }
}
