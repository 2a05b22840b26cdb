//! Edits of the open vault, each with its step back.

use crate::app::keys::Action;
use crate::app::model::{Model, Tone};
use crate::app::rows::Row;
use crate::app::session::{Session, Undo};
use crate::otp::{Account, Kind};
use crate::text::fit;
use crate::time::UnixTime;
use crate::vault::{DeviceId, EntryId, Value, field};

/// Columns of an account's name in a notice.
pub const NAMED: usize = 40;
/// The most steps that can be undone.
const MOST_STEPS: usize = 50;

/// Adds accounts of an identity and remembers how to take them back.
pub fn add(model: &mut Model, accounts: &[&Account], identity: &str, source: &str, what: String) {
    let ids: Vec<EntryId> = accounts.iter().map(|_| model.new_id()).collect();
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    for (id, account) in ids.iter().zip(accounts) {
        let stamp = session.stamp(now, device);
        session.state_mut().add(*id, account, identity, source, stamp);
    }
    let stamp = session.stamp(now, device);
    session.state_mut().settle(&ids, stamp);
    if let Some(first) = ids.first() {
        session.refresh();
        session.select(*first);
    }
    remember(session, Undo::Trash(ids, what));
}

/// Moves an account to the trash.
pub fn trash(session: &mut Session, id: EntryId, now: UnixTime, device: DeviceId) -> bool {
    let stamp = session.stamp(now, device);
    session.state_mut().trash(id, stamp)
}

/// Moves an account to the trash, with its step back.
pub fn delete(model: &mut Model, id: EntryId) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    // A name without end would hide what became of it.
    let title = session.row(id).map_or_else(String::new, Row::title);
    let title = fit(&title, NAMED).into_owned();
    if trash(session, id, now, device) {
        session.refresh();
        remember(session, Undo::Restore(vec![id], format!("{title} is back")));
        session.changed();
        let undo = model.keymap.keys(Action::Undo).first().cloned().unwrap_or_else(|| String::from("undo"));
        let short = format!("in the trash; {undo} undoes");
        let text = format!("{title} moved to the trash; {undo} brings it back");
        // Two rows hold all of it but in the narrowest windows.
        if model.panes().keys.is_some() { model.say(Tone::Good, text) } else { model.say_or(Tone::Good, text, short) }
    }
}

/// Brings an account back from the trash.
pub fn restore(session: &mut Session, id: EntryId, now: UnixTime, device: DeviceId) -> bool {
    let stamp = session.stamp(now, device);
    session.state_mut().restore(id, stamp)
}

/// Remembers a step.
pub fn remember(session: &mut Session, step: Undo) {
    session.undo.push(step);
    if session.undo.len() > MOST_STEPS {
        session.undo.remove(0);
    }
}

/// The editable fields of an account as the vault keeps them.
fn fields(account: &Account) -> Vec<(&'static str, Value)> {
    let mut fields = vec![
        (field::ISSUER, Value::Text(account.issuer.clone())),
        (field::ACCOUNT, Value::Text(account.account.clone())),
        (field::NOTE, Value::Text(account.note.clone())),
    ];
    match &account.kind {
        Kind::Totp { algorithm, digits, period } => fields.extend([
            (field::ALGORITHM, Value::Text(algorithm.name().to_owned())),
            (field::DIGITS, Value::Number(i64::from(digits.get()))),
            (field::PERIOD, Value::Number(period.secs() as i64)),
        ]),
        Kind::Hotp { algorithm, digits, .. } => fields.extend([
            (field::ALGORITHM, Value::Text(algorithm.name().to_owned())),
            (field::DIGITS, Value::Number(i64::from(digits.get()))),
        ]),
        Kind::Steam | Kind::Motp { .. } | Kind::Yandex { .. } => {}
    }
    fields
}

/// Whether two accounts share what is written once: kind, secret, PIN.
fn same_core(a: &Account, b: &Account) -> bool {
    use subtle::ConstantTimeEq;
    let pins = match (&a.kind, &b.kind) {
        (Kind::Motp { pin: a }, Kind::Motp { pin: b }) | (Kind::Yandex { pin: a }, Kind::Yandex { pin: b }) => {
            a.expose() == b.expose()
        }
        _ => true,
    };
    a.kind.name() == b.kind.name() && pins && bool::from(a.seed.expose().ct_eq(b.seed.expose()))
}

/// Writes an edited account back. A changed kind, secret or PIN makes a new entry and moves the old one to the trash,
/// since those are written once (`docs/vault.md`, "Payload").
pub fn edit(model: &mut Model, id: EntryId, account: &Account) {
    let fresh = model.new_id();
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    let Some(entry) = session.state().get(&id) else { return };
    if entry.is_name_only() {
        enrol(model, id, account);
        return;
    }
    // A new secret stays with whoever the account belongs to.
    let identity = entry.identity().to_owned();
    let Some(before) = entry.account().ok() else { return };
    // The form asked first, where it went to the trash elsewhere meanwhile.
    let back = !entry.is_live();
    if back {
        restore(session, id, now, device);
        session.refresh();
    }
    let title = session.row(id).map_or_else(String::new, |row| row.short().to_owned());
    if !same_core(&before, account) {
        let stamp = session.stamp(now, device);
        session.state_mut().add(fresh, account, &identity, "edited", stamp);
        if before.favourite {
            let stamp = session.stamp(now, device);
            session.state_mut().set(fresh, field::FAVOURITE, Value::Flag(true), stamp);
        }
        trash(session, id, now, device);
        session.refresh();
        session.select(fresh);
        remember(session, Undo::Swap(fresh, id, format!("the change of {title}")));
        model.say(Tone::Good, format!("{title} changed; the old secret is in the trash"));
        return;
    }
    let mut old = Vec::new();
    for ((name, value), (_, previous)) in fields(account).into_iter().zip(fields(&before)) {
        if value != previous {
            let stamp = session.stamp(now, device);
            if session.state_mut().set(id, name, value, stamp) {
                old.push((name, previous));
            }
        }
    }
    let mut counted = false;
    if let (Kind::Hotp { counter: new, .. }, Kind::Hotp { counter, .. }) = (&account.kind, &before.kind)
        && new != counter
    {
        counted = true;
        let stamp = session.stamp(now, device);
        if session.state_mut().reset_counter(id, *new) {
            session.state_mut().note(stamp);
        }
    }
    let tags = retag(session, id, &before.groups, &account.groups, now, device);
    session.refresh();
    session.select(id);
    if old.is_empty() && tags.is_empty() && !counted && !back {
        model.say(Tone::Info, format!("{title} is like that already"));
        return;
    }
    if !old.is_empty() || !tags.is_empty() {
        remember(session, Undo::Set(id, old, tags, format!("the change of {title}")));
    }
    let words = if back { "is back from the trash, as edited" } else { "changed" };
    model.say(Tone::Good, format!("{title} {words}"));
}

/// Gives an account that came without its secret what was typed.
fn enrol(model: &mut Model, id: EntryId, account: &Account) {
    let fresh = model.new_id();
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    let stamp = session.stamp(now, device);
    if session.state_mut().enrol(id, fresh, account, stamp) {
        session.refresh();
        session.select(fresh);
        let title = session.row(fresh).map_or_else(String::new, crate::app::rows::Row::title);
        remember(session, Undo::Trash(vec![fresh], format!("{title} is in the trash")));
        model.say(Tone::Good, format!("{title} is enrolled again"));
    }
}

/// Sets the tags that are new and takes those away that are gone; hands back what undoes it.
pub fn retag(
    session: &mut Session,
    id: EntryId,
    before: &[String],
    after: &[String],
    now: UnixTime,
    device: DeviceId,
) -> Vec<(String, bool)> {
    let gone = before.iter().filter(|tag| !after.contains(tag)).map(|tag| (tag.clone(), false));
    let new = after.iter().filter(|tag| !before.contains(tag)).map(|tag| (tag.clone(), true));
    let mut undo = Vec::new();
    for (tag, on) in gone.chain(new).collect::<Vec<_>>() {
        let stamp = session.stamp(now, device);
        if session.state_mut().tag(id, &tag, on, stamp) {
            undo.push((tag, !on));
        }
    }
    undo
}

/// Marks or unmarks as a favourite.
pub fn favourite(model: &mut Model, id: EntryId) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    let Some(row) = session.row(id) else { return };
    let (was, title) = (row.favourite, row.short().to_owned());
    let stamp = session.stamp(now, device);
    session.state_mut().set(id, field::FAVOURITE, Value::Flag(!was), stamp);
    session.refresh();
    session.select(id);
    let step = vec![(field::FAVOURITE, Value::Flag(was))];
    remember(session, Undo::Set(id, step, Vec::new(), format!("the mark of {title}")));
    model.say(Tone::Good, if was { format!("{title} is no favourite now") } else { format!("{title} is a favourite") });
}

/// Takes the last step back.
pub fn undo(model: &mut Model) {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return };
    let Some(step) = session.undo.pop() else {
        model.say(Tone::Info, "nothing to undo since this panel was opened");
        return;
    };
    let (what, shown) = match step {
        Undo::Restore(ids, what) => {
            for id in &ids {
                restore(session, *id, now, device);
            }
            (what, ids.first().copied())
        }
        Undo::Trash(ids, what) => {
            for id in ids {
                trash(session, id, now, device);
            }
            (what, None)
        }
        Undo::Set(id, fields, tags, what) => {
            for (name, value) in fields {
                let stamp = session.stamp(now, device);
                session.state_mut().set(id, name, value, stamp);
            }
            for (tag, on) in tags {
                let stamp = session.stamp(now, device);
                session.state_mut().tag(id, &tag, on, stamp);
            }
            (what, Some(id))
        }
        Undo::Swap(new, old, what) => {
            trash(session, new, now, device);
            restore(session, old, now, device);
            (what, Some(old))
        }
    };
    session.refresh();
    if let Some(id) = shown {
        session.select(id);
    }
    model.say(Tone::Good, format!("undone: {what}"));
}
