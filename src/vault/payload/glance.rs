//! What one code needs of a payload: the names of all accounts, and one entry whole. Most of the text is passed over and
//! nothing of it is kept, so that a vault of thousands of accounts costs a command little more than its decryption.
//!
//! It judges nothing: on a text that [`super::encode`] would not write it declines, and [`super::decode`] says what that
//! means.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::fast::{END, Reader, USUAL_ENTRY, rises};
use super::{DeviceId, Entry, EntryId, field};

/// The names of an account that is in use.
pub struct Glimpse<'a> {
    /// The entry.
    pub id: EntryId,
    /// The site or service; empty where there is none.
    pub issuer: Cow<'a, str>,
    /// The user's name there; empty where there is none.
    pub account: Cow<'a, str>,
    /// From its beginning on.
    text: &'a str,
}

/// A payload, looked at.
pub struct Glance<'a> {
    /// The accounts in use, by id.
    pub live: Vec<Glimpse<'a>>,
    /// The version vector as written.
    pub seen: BTreeMap<DeviceId, u64>,
    devices: Vec<DeviceId>,
}

/// Looks at a payload's text; nothing where it is not what [`super::encode`] would write.
pub fn glance(text: &[u8]) -> Option<Glance<'_>> {
    let mut reader = Reader { rest: std::str::from_utf8(text).ok()?, devices: Vec::new() };
    let seen = reader.head()?.seen;
    // Room at once: a list that grows is copied, and wiped where it was.
    let mut live = Vec::with_capacity(reader.rest.len() / USUAL_ENTRY + 1);
    let mut last = None;
    while !reader.skip(END) {
        let text = reader.rest;
        let (id, names) = names(&mut reader)?;
        rises(last.as_ref(), &id)?;
        last = Some(id);
        live.extend(names.map(|(issuer, account)| Glimpse { id, issuer, account, text }));
    }
    reader.rest.is_empty().then_some(Glance { live, seen, devices: reader.devices })
}

impl Glance<'_> {
    /// One of the accounts in use, by its place in the list, whole.
    pub fn entry(&self, place: usize) -> Option<Entry> {
        Reader { rest: self.live.get(place)?.text, devices: self.devices.clone() }.entry()
    }
}

type Names<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The id of the next entry, and issuer and account where it is in use.
fn names<'a>(from: &mut Reader<'a>) -> Option<(EntryId, Option<Names<'a>>)> {
    from.expect("(id: ")?;
    let id = EntryId(from.hex()?);
    if from.skip(", incarnation: ") {
        from.number::<u32>()?;
    }
    let is_live = !from.skip(", life: ");
    let is_purged = !is_live && !from.skip("Trashed");
    if is_purged {
        from.expect("Purged")?;
    }
    if from.skip(", counter: (") {
        from.number::<u32>()?;
        from.expect(", ")?;
        from.number::<u64>()?;
        from.expect(")")?;
    }
    let mut names = (Cow::Borrowed(""), Cow::Borrowed(""));
    if !is_purged {
        body(from, &mut names)?;
    }
    from.expect("),\n")?;
    Some((id, is_live.then_some(names)))
}

fn body<'a>(from: &mut Reader<'a>, (issuer, account): &mut Names<'a>) -> Option<()> {
    from.expect(", kind: ")?;
    from.pass()?;
    from.expect(", secret: ")?;
    from.pass()?;
    if from.skip(", pin: ") {
        from.pass()?;
    }
    from.expect(", identity: ")?;
    from.pass()?;
    let is_stamped = from.skip(", at: ");
    if is_stamped {
        from.pass_stamp()?;
    }
    if from.skip(", fields: {") {
        map(from, |from, name| match name {
            field::ISSUER if from.skip("Text(") => put(from, issuer),
            field::ACCOUNT if from.skip("Text(") => put(from, account),
            _ => from.pass_value(),
        })?;
        is_stamped.then_some(())?;
    }
    if from.skip(", later: {") {
        map(from, |from, _| from.pass_stamp())?;
    }
    if from.skip(", tags: {") {
        map(from, |from, _| from.flag().map(drop))?;
        is_stamped.then_some(())?;
    }
    if from.skip(", tags_later: {") {
        map(from, |from, _| from.pass_stamp())?;
    }
    Some(())
}

fn put<'a>(from: &mut Reader<'a>, place: &mut Cow<'a, str>) -> Option<()> {
    *place = from.shown()?;
    from.expect(")")
}

/// The pairs of a map, each name higher than the one before; `each` reads the value.
fn map<'a>(from: &mut Reader<'a>, mut each: impl FnMut(&mut Reader<'a>, &str) -> Option<()>) -> Option<()> {
    let mut last: Option<Cow<'_, str>> = None;
    loop {
        let name = from.shown()?;
        rises(last.as_ref(), &name)?;
        from.expect(": ")?;
        each(from, &name)?;
        last = Some(name);
        if from.skip("}") {
            return Some(());
        }
        from.expect(", ")?;
    }
}

#[cfg(test)]
mod tests;
