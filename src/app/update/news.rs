//! A vault that was stored elsewhere, joined into the open one: what came with it is told by name.

use crate::app::model::{Model, Tone};
use crate::app::session::Session;
use crate::otp::account::title;
use crate::text::clean;
use crate::vault::EntryId;
use crate::vault::envelope::Unlocked;
use crate::vault::merge::{Changes, changes};

/// Takes in a vault that was saved by a round of the backup, with what other devices had stored.
pub fn take_in(model: &mut Model, stored: Unlocked) {
    let Some(session) = model.session_mut() else { return };
    let news = absorb(session, stored);
    tell(model, &news);
}

/// Takes in a vault that was saved with other ways in. Its backup, which they open too, is made anew.
pub fn take_in_ways(model: &mut Model, stored: Unlocked) {
    let now = model.now;
    take_in(model, stored);
    if let Some(session) = model.session_mut() {
        session.backup.saved(now);
    }
}

/// Joins a stored vault into the open one and says what came with it.
pub fn absorb(session: &mut Session, mut stored: Unlocked) -> Changes {
    let before = session.vault.state.clone();
    // The stored one takes in ours, not the other way round: it knows which file holds it.
    stored.absorb(&session.vault);
    session.vault = stored;
    let news = changes(&before, &session.vault.state);
    if !news.is_empty() {
        session.refresh();
    }
    news
}

/// Tells what others changed, by name where it is one account.
pub fn tell(model: &mut Model, news: &Changes) {
    let Some(session) = model.session() else { return };
    let name = |ids: &[EntryId], verb: &str| match ids {
        [] => None,
        [one] => {
            // Not by its row: what is in the trash has none.
            let entry = session.state().get(one);
            let title =
                entry.map_or_else(|| String::from("an account"), |e| clean(&title(e.issuer(), e.name())).into_owned());
            Some(format!("{title} {verb}"))
        }
        many => Some(format!("{} accounts {verb}", many.len())),
    };
    let parts: Vec<String> = [
        name(&news.added, "added"),
        name(&news.changed, "changed"),
        name(&news.restored, "brought back"),
        name(&news.trashed, "moved to the trash"),
        name(&news.purged, "deleted for good"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !parts.is_empty() {
        model.say(Tone::Info, format!("from elsewhere: {}", parts.join(", ")));
    }
}
