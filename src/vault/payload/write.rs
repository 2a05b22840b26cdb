//! The state as text. One state has one text, so equal texts mean equal states.

use std::fmt;

use super::{all_stamps, body_stamps};
use crate::secret::Secret;
use crate::vault::entry::{Body, Counter, DeviceId, Entry, Life, Stamp, State, Value};

/// Writes a payload.
pub fn encode(state: &State) -> Secret<Vec<u8>> {
    let mut devices: Vec<DeviceId> = state.seen.keys().copied().collect();
    devices.extend(all_stamps(state).map(|stamp| stamp.device));
    devices.sort_unstable();
    devices.dedup();
    let mut out = Writer { out: String::with_capacity(256 + state.entries.len() * 512), devices: &devices };
    out.raw("(\ndevices: [");
    out.list(devices.iter(), |out, device| out.show(format_args!("\"{device}\"")));
    out.raw("],\nseen: [");
    out.list(state.seen.iter(), |out, (device, time)| out.stamp(Stamp { time: *time, device: *device }));
    out.raw("],\nmeta: {");
    out.list(state.meta.iter(), |out, (name, register)| {
        out.text(name);
        out.raw(": (");
        out.stamp(register.stamp);
        out.raw(", ");
        out.value(&register.value);
        out.raw(")");
    });
    out.raw("},\nentries: [\n");
    for entry in state.entries.values() {
        out.entry(entry);
    }
    out.raw("],\n)\n");
    Secret::new(out.out.into_bytes())
}

struct Writer<'a> {
    out: String,
    devices: &'a [DeviceId],
}

impl Writer<'_> {
    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn show(&mut self, text: fmt::Arguments<'_>) {
        fmt::Write::write_fmt(&mut self.out, text).expect("a String takes everything");
    }

    fn list<T>(&mut self, items: impl Iterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.raw(", ");
            }
            each(self, item);
        }
    }

    fn stamp(&mut self, stamp: Stamp) {
        let device = self.devices.binary_search(&stamp.device).expect("the table was made from all stamps");
        self.show(format_args!("({device}, {})", stamp.time));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Flag(on) => self.show(format_args!("Flag({on})")),
            Value::Number(n) => self.show(format_args!("Number({n})")),
            Value::Text(text) => {
                self.raw("Text(");
                self.text(text);
                self.raw(")");
            }
        }
    }

    /// Quotes text. What is not meant to be seen is written by its number, so that the text stays one that can be read
    /// and printed.
    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\n' => self.raw("\\n"),
                c if is_unseen(c) => self.show(format_args!("\\u{{{:x}}}", u32::from(c))),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn entry(&mut self, entry: &Entry) {
        self.show(format_args!("(id: \"{}\"", entry.id));
        if entry.incarnation != 0 {
            self.show(format_args!(", incarnation: {}", entry.incarnation));
        }
        match entry.life {
            Life::Live => {}
            Life::Trashed => self.raw(", life: Trashed"),
            Life::Purged => self.raw(", life: Purged"),
        }
        if entry.counter != Counter::default() {
            self.show(format_args!(", counter: ({}, {})", entry.counter.epoch, entry.counter.next));
        }
        if let Some(body) = &entry.body {
            self.body(body);
        }
        self.raw("),\n");
    }

    fn body(&mut self, body: &Body) {
        let core = &body.core;
        self.raw(", kind: ");
        self.text(&core.kind);
        self.raw(", secret: ");
        self.text(core.secret.expose());
        if let Some(pin) = &core.pin {
            self.raw(", pin: ");
            self.text(pin.expose());
        }
        self.raw(", identity: ");
        self.text(&core.identity);
        // The oldest stamp: that of the moment when the entry was added, until every field of then was edited.
        let common = body_stamps(body).min();
        if let Some(at) = common {
            self.raw(", at: ");
            self.stamp(at);
        }
        self.map("fields", body.fields.iter(), |out, register| out.value(&register.value));
        let later = body.fields.iter().filter(|(_, register)| Some(register.stamp) != common);
        self.map("later", later, |out, register| out.stamp(register.stamp));
        self.map("tags", body.tags.iter(), |out, (on, _)| out.show(format_args!("{on}")));
        let later = body.tags.iter().filter(|(_, (_, stamp))| Some(*stamp) != common);
        self.map("tags_later", later, |out, (_, stamp)| out.stamp(*stamp));
    }

    fn map<'m, K: AsRef<str> + 'm, V: 'm>(
        &mut self,
        name: &str,
        pairs: impl Iterator<Item = (&'m K, &'m V)>,
        mut each: impl FnMut(&mut Self, &V),
    ) {
        let mut pairs = pairs.peekable();
        if pairs.peek().is_none() {
            return;
        }
        self.show(format_args!(", {name}: {{"));
        self.list(pairs, |out, (key, value)| {
            out.text(key.as_ref());
            out.raw(": ");
            each(out, value);
        });
        self.raw("}");
    }
}

/// Control characters, and the format characters that could make the text look like another one.
pub(super) const fn is_unseen(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
