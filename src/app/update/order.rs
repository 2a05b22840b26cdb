//! Choosing the list's order, moving rows in the user's own, counting what is used.

use crate::app::event::Effect;
use crate::app::keys::Action;
use crate::app::model::{Model, Tone};
use crate::app::order::{Habit, Order, between, spread};
use crate::app::session::{Session, Undo};
use crate::vault::{EntryId, Value, field};

/// Takes up what this machine remembers of the vault that was just opened.
pub fn recall(model: &mut Model) {
    let Some(vault) = model.session().map(|s| s.vault.vault_id().to_string()) else { return };
    let known = model.habits.0.get(&vault).cloned();
    if let (Some((order, uses)), Some(session)) = (known, model.session_mut()) {
        session.uses = uses;
        session.sort(order);
        session.selected = 0;
    }
}

/// Goes on to the next order.
pub fn turn(model: &mut Model) -> Vec<Effect> {
    let Some(session) = model.session() else { return Vec::new() };
    let order = session.order.next();
    choose(model, order)
}

fn choose(model: &mut Model, order: Order) -> Vec<Effect> {
    let Some(session) = model.session_mut() else { return Vec::new() };
    session.sort(order);
    let up = model.key_name(Action::MoveUp);
    let down = model.key_name(Action::MoveDown);
    let how = if order == Order::Own { format!("; {up} and {down} move a row") } else { String::new() };
    model.say(Tone::Info, format!("sorted {}{how}", order.words()));
    keep(model, Habit::Chose(order))
}

/// Counts a use.
pub fn used(model: &mut Model, id: EntryId) -> Vec<Effect> {
    let now = model.now;
    let Some(session) = model.session_mut() else { return Vec::new() };
    session.uses.entry(id).or_default().again(now);
    keep(model, Habit::Used(id))
}

/// Remembers a habit here, for after the next lock, and on this machine.
fn keep(model: &mut Model, habit: Habit) -> Vec<Effect> {
    if model.demo {
        return Vec::new();
    }
    let now = model.now;
    let Some(session) = model.session() else { return Vec::new() };
    let vault = session.vault.vault_id();
    let (order, uses) = model.habits.0.entry(vault.to_string()).or_default();
    match habit {
        Habit::Used(id) => uses.entry(id).or_default().again(now),
        Habit::Chose(chosen) => *order = chosen,
    }
    vec![Effect::Remember(vault, habit, now)]
}

/// Moves the selected row one up or down in the user's own order. From another order it goes to the own one first.
pub fn shift(model: &mut Model, up: bool) -> Vec<Effect> {
    let (now, device) = (model.now, model.device);
    let Some(session) = model.session_mut() else { return Vec::new() };
    if session.order != Order::Own {
        return choose(model, Order::Own);
    }
    let Some(row) = session.selected_row() else { return Vec::new() };
    let (id, title) = (row.id, row.short().to_owned());
    let other = if up { session.selected.checked_sub(1) } else { Some(session.selected + 1) };
    let Some(other) = other.and_then(|at| session.visible.get(at)).copied() else { return Vec::new() };
    let other = session.rows.all[other].id;
    // The list as it shall be, by ids.
    let mut ids: Vec<EntryId> = session.rows.all.iter().map(|row| row.id).filter(|held| *held != id).collect();
    let Some(at) = ids.iter().position(|held| *held == other) else { return Vec::new() };
    let to = if up { at } else { at + 1 };
    ids.insert(to, id);
    let before = position(session, id).unwrap_or_default();
    let set = |session: &mut Session, id: EntryId, key: String| {
        let stamp = session.stamp(now, device);
        session.state_mut().set(id, field::POSITION, Value::Text(key), stamp);
    };
    // What stands above the row gets a place, too, as far as it has none: what has none follows what has one.
    let placed = ids[..to].iter().take_while(|held| position(session, **held).is_some()).count();
    let last = placed.checked_sub(1).and_then(|at| position(session, ids[at]));
    let next = ids.get(to + 1).and_then(|held| position(session, *held));
    let fits = if placed == to {
        between(last.as_deref(), next.as_deref()).map(|key| vec![key])
    } else {
        spread(last.as_deref(), None, to - placed + 1)
    };
    match fits {
        Some(keys) => {
            for (held, key) in ids[placed..=to].iter().zip(keys) {
                set(session, *held, key);
            }
        }
        // Two devices gave the same place: all get theirs anew.
        None => {
            let keys = spread(None, None, ids.len()).unwrap_or_default();
            for (held, key) in ids.iter().zip(keys) {
                set(session, *held, key);
            }
        }
    }
    session.refresh();
    session.select(id);
    let step = vec![(field::POSITION, Value::Text(before))];
    super::change::remember(session, Undo::Set(id, step, Vec::new(), format!("the move of {title}")));
    session.changed();
    Vec::new()
}

fn position(session: &Session, id: EntryId) -> Option<String> {
    crate::app::order::index(session.state().get(&id)?.text(field::POSITION)).map(str::to_owned)
}
