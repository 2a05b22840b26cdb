//! Reads exactly the text that [`super::encode`] writes, in one pass and without a copy but of what is kept. It judges
//! nothing: on the first byte that it does not expect it declines, and the reader of all RON says what that means.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Body, Core, Counter, DeviceId, Entry, EntryId, Life, Register, Stamp, State, Value};
use super::{LATEST_STAMP, field_name};
use crate::secret::Secret;

/// About the length of an entry's text, in bytes: for sizing the list at once.
pub(super) const USUAL_ENTRY: usize = 256;
/// What stands after the last entry.
pub(super) const END: &str = "],\n)\n";

/// The state, or nothing where the text is not what [`super::encode`] would write. The version vector is as written: the
/// caller lets it cover all stamps.
pub fn read(text: &[u8]) -> Option<State> {
    Reader { rest: std::str::from_utf8(text).ok()?, devices: Vec::new() }.state()
}

/// A place in a text, and the table of devices once it was read.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a str,
    pub(super) devices: Vec<DeviceId>,
}

impl<'a> Reader<'a> {
    fn state(mut self) -> Option<State> {
        let mut state = self.head()?;
        let mut entries: Vec<(EntryId, Entry)> = Vec::with_capacity(self.rest.len() / USUAL_ENTRY + 1);
        while !self.skip(END) {
            let entry = self.entry()?;
            rises(entries.last().map(|(id, _)| id), &entry.id)?;
            entries.push((entry.id, entry));
        }
        state.entries = entries.into_iter().collect();
        self.rest.is_empty().then_some(state)
    }

    /// All that stands before the entries.
    pub(super) fn head(&mut self) -> Option<State> {
        let mut state = State::default();
        self.expect("(\ndevices: [")?;
        while !self.skip("],\nseen: [") {
            self.comma(self.devices.is_empty())?;
            let id = DeviceId(self.hex()?);
            rises(self.devices.last(), &id)?;
            self.devices.push(id);
        }
        while !self.skip("],\nmeta: {") {
            self.comma(state.seen.is_empty())?;
            let stamp = self.stamp()?;
            rises(state.seen.last_key_value().map(|(device, _)| device), &stamp.device)?;
            state.seen.insert(stamp.device, stamp.time);
        }
        while !self.skip("},\nentries: [\n") {
            self.comma(state.meta.is_empty())?;
            let name = self.text()?;
            rises(state.meta.last_key_value().map(|(name, _)| name), &name)?;
            self.expect(": (")?;
            let stamp = self.stamp()?;
            self.expect(", ")?;
            let value = self.value()?;
            self.expect(")")?;
            state.meta.insert(name, Register { stamp, value });
        }
        Some(state)
    }

    pub(super) fn entry(&mut self) -> Option<Entry> {
        self.expect("(id: ")?;
        let id = EntryId(self.hex()?);
        let incarnation = if self.skip(", incarnation: ") { self.number()? } else { 0 };
        let life = match self.skip(", life: ") {
            false => Life::Live,
            true if self.skip("Trashed") => Life::Trashed,
            true => {
                self.expect("Purged")?;
                Life::Purged
            }
        };
        let mut counter = Counter::default();
        if self.skip(", counter: (") {
            counter.epoch = self.number()?;
            self.expect(", ")?;
            counter.next = self.number()?;
            self.expect(")")?;
        }
        let body = if life == Life::Purged { None } else { Some(self.body()?) };
        self.expect("),\n")?;
        Some(Entry { id, incarnation, life, counter, body })
    }

    fn body(&mut self) -> Option<Body> {
        self.expect(", kind: ")?;
        let kind = self.text()?;
        self.expect(", secret: ")?;
        let secret = Secret::new(self.text()?);
        let pin = if self.skip(", pin: ") { Some(Secret::new(self.text()?)) } else { None };
        self.expect(", identity: ")?;
        let identity = self.text()?;
        let core = Arc::new(Core { kind, secret, pin, identity });
        let common = if self.skip(", at: ") { Some(self.stamp()?) } else { None };
        let (mut fields, mut tags) = (BTreeMap::new(), BTreeMap::new());
        // Without a stamp for all, every field would need one of its own; the writer never writes that.
        if self.skip(", fields: {") {
            let stamp = common?;
            self.map(|from, name| {
                let name = field_name(name);
                rises(fields.last_key_value().map(|(name, _)| name), &name)?;
                let value = from.value()?;
                fields.insert(name, Register { stamp, value });
                Some(())
            })?;
        }
        if self.skip(", later: {") {
            self.stamps(|name, stamp| {
                fields.get_mut(name)?.stamp = stamp;
                Some(())
            })?;
        }
        if self.skip(", tags: {") {
            let stamp = common?;
            self.map(|from, name| {
                rises(tags.last_key_value().map(|(name, _)| name), &name)?;
                let on = from.flag()?;
                tags.insert(name, (on, stamp));
                Some(())
            })?;
        }
        if self.skip(", tags_later: {") {
            self.stamps(|name, stamp| {
                tags.get_mut(name)?.1 = stamp;
                Some(())
            })?;
        }
        Some(Body { core, fields, tags })
    }

    /// The pairs of a map that is not empty, up to its end; `each` reads the value.
    fn map(&mut self, mut each: impl FnMut(&mut Self, String) -> Option<()>) -> Option<()> {
        loop {
            let name = self.text()?;
            self.expect(": ")?;
            each(self, name)?;
            if self.skip("}") {
                return Some(());
            }
            self.expect(", ")?;
        }
    }

    /// A map from names, each higher than the one before, to stamps.
    fn stamps(&mut self, mut each: impl FnMut(&str, Stamp) -> Option<()>) -> Option<()> {
        let mut last: Option<String> = None;
        self.map(|from, name| {
            rises(last.as_ref(), &name)?;
            each(&name, from.stamp()?)?;
            last = Some(name);
            Some(())
        })
    }

    pub(super) fn skip(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn expect(&mut self, text: &str) -> Option<()> {
        self.skip(text).then_some(())
    }

    /// What stands between two of a list.
    fn comma(&mut self, is_first: bool) -> Option<()> {
        if is_first { Some(()) } else { self.expect(", ") }
    }

    pub(super) fn stamp(&mut self) -> Option<Stamp> {
        self.expect("(")?;
        let index: u32 = self.number()?;
        let device = *self.devices.get(index as usize)?;
        self.expect(", ")?;
        let time = self.number().filter(|time| *time <= LATEST_STAMP)?;
        self.expect(")")?;
        Some(Stamp { time, device })
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        let value = if self.skip("Text(") {
            Value::Text(self.text()?)
        } else if self.skip("Number(") {
            Value::Number(self.number()?)
        } else {
            self.expect("Flag(")?;
            Value::Flag(self.flag()?)
        };
        self.expect(")")?;
        Some(value)
    }

    /// Passes over a value.
    pub(super) fn pass_value(&mut self) -> Option<()> {
        if self.skip("Text(") {
            self.pass()?;
        } else if self.skip("Number(") {
            self.pass_number()?;
        } else {
            self.expect("Flag(")?;
            self.flag()?;
        }
        self.expect(")")
    }

    /// Passes over a stamp.
    pub(super) fn pass_stamp(&mut self) -> Option<()> {
        self.expect("(")?;
        self.pass_number()?;
        self.expect(", ")?;
        self.pass_number()?;
        self.expect(")")
    }

    fn pass_number(&mut self) -> Option<()> {
        let len = self.rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'-')).count();
        self.rest = self.rest.get(len..).filter(|_| len > 0)?;
        Some(())
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        let on = self.skip("true");
        if !on {
            self.expect("false")?;
        }
        Some(on)
    }

    /// A number as it is written by [`std::fmt::Display`], and no other spelling of it.
    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        let sign = usize::from(self.rest.starts_with('-'));
        let len = sign + self.rest.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(len)?;
        if digits.len() > 1 + sign && digits[sign..].starts_with('0') || digits == "-0" {
            return None;
        }
        self.rest = rest;
        digits.parse().ok()
    }

    pub(super) fn hex<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.expect("\"")?;
        let (digits, rest) = self.rest.split_at_checked(2 * N)?;
        let mut out = [0; N];
        data_encoding::HEXLOWER.decode_mut(digits.as_bytes(), &mut out).ok()?;
        self.rest = rest;
        self.expect("\"")?;
        Some(out)
    }

    /// Quoted text. What the writer would have escaped may stand there as it is, but for control characters.
    pub(super) fn text(&mut self) -> Option<String> {
        self.shown().map(Cow::into_owned)
    }

    /// As [`Self::text`], without a copy where nothing is escaped.
    pub(super) fn shown(&mut self) -> Option<Cow<'a, str>> {
        self.expect("\"")?;
        let end = self.plain();
        let (plain, rest) = self.rest.split_at_checked(end)?;
        if let Some(rest) = rest.strip_prefix('"') {
            self.rest = rest;
            return Some(Cow::Borrowed(plain));
        }
        // Room at once, up to the first quote: the text may be a secret, and one that grows is copied.
        let whole = rest.find('"').unwrap_or(0) + end;
        let mut out = Secret::new(String::with_capacity(whole));
        loop {
            let (plain, rest) = self.rest.split_at_checked(self.plain())?;
            out.expose_mut().push_str(plain);
            self.rest = rest;
            if self.skip("\"") {
                return Some(Cow::Owned(std::mem::take(out.expose_mut())));
            }
            out.expose_mut().push(self.escaped()?);
        }
    }

    /// Passes over quoted text, which is not looked at: it may be a secret.
    pub(super) fn pass(&mut self) -> Option<()> {
        self.expect("\"")?;
        loop {
            self.rest = self.rest.split_at_checked(self.plain())?.1;
            if self.skip("\"") {
                return Some(());
            }
            self.escaped()?;
        }
    }

    /// How many bytes of text are neither its end nor an escape nor a control character.
    fn plain(&self) -> usize {
        plain(self.rest.as_bytes())
    }

    fn escaped(&mut self) -> Option<char> {
        self.expect("\\")?;
        if self.skip("u{") {
            let len = self.rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
            let (digits, rest) = self.rest.split_at_checked(len)?;
            if !(1..=6).contains(&len) || len > 1 && digits.starts_with('0') {
                return None;
            }
            self.rest = rest.strip_prefix('}')?;
            return char::from_u32(u32::from_str_radix(digits, 16).ok()?);
        }
        let c = self.rest.chars().next().filter(|c| matches!(c, '"' | '\\' | 'n'))?;
        self.rest = &self.rest[1..];
        Some(if c == 'n' { '\n' } else { c })
    }
}

/// How many bytes come before the first quote, backslash or control character: eight at a time, as most of a vault is text.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // The high bit of each byte that is below `limit`; above the first such byte there may be false ones.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & (ONES << 7);
    let mut at = 0;
    while let Some(eight) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let escape = below(word ^ (ONES * u64::from(b'\\')), 1);
        let hits = below(word, 0x20) | quote | escape;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..].iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)).count()
}

/// Nothing unless `next` comes after the last: what is not in order may be there twice.
pub(super) fn rises<T: Ord>(last: Option<&T>, next: &T) -> Option<()> {
    last.is_none_or(|last| last < next).then_some(())
}

#[cfg(test)]
pub(super) mod tests;
