//! Puts the panel under the policy of the machine, and under what becomes of it while the panel is open.

use std::path::Path;
#[cfg(windows)]
use std::{thread, time::Duration};

#[cfg(windows)]
use super::lanes;
use crate::app::Model;
use crate::app::event::Event;
use crate::app::model::Tone;
use crate::config::Config;
use crate::local::Local;
use crate::policy::{Found, Policy};
use crate::report::Report;
use crate::text::clean;

/// How often the registry is read.
#[cfg(windows)]
const LOOK: Duration = Duration::from_secs(20);

/// What has become of the policy, read anew, with the settings that it limits.
pub fn again(config: Option<Config>) -> Event {
    let found = Policy::read();
    Event::Policy(match &found.trouble {
        None => Ok((Box::new(found.in_force()), config.map(Box::new))),
        Some(trouble) => Err(Report::from(trouble).problem),
    })
}

/// Tells of each change of the registry's policy, until nobody hears it: nothing tells of one there that safe code can hear, so
/// it is read anew.
#[cfg(windows)]
pub fn look_for_changes(told: impl Fn() -> bool + Send + 'static) {
    let now = || Policy::registered().map_err(|error| error.kind());
    let mut known = now();
    lanes::spawn("policy", move || {
        loop {
            thread::sleep(LOOK);
            let found = now();
            if found != known && !told() {
                return;
            }
            known = found;
        }
    });
}

/// The panel obeys what was found, and says at its opening what is new: that a policy is ignored, each time; whose new
/// accounts are, once on this machine.
pub fn govern(model: &mut Model, found: &Found, state_dir: &Path, profile: Option<&str>) {
    let policy = found.in_force();
    if let Some(managed) = &policy.identity {
        let name = clean(&managed.name).into_owned();
        let first = Local::open(state_dir).is_ok_and(|mut local| {
            let first = local.note_notice(&managed.identity());
            first && local.save().is_ok()
        });
        if first {
            let choice = if policy.offers().is_some() { ", unless you choose personal" } else { "" };
            let text = format!("{name} manages this machine: new accounts belong to it{choice}");
            model.tell_at_opening(Tone::Info, text);
        }
        if profile.is_none() {
            model.profile = name;
        }
    }
    model.govern(policy);
    if let Some(trouble) = &found.trouble {
        let problem = Report::from(trouble).problem;
        model.tell_at_opening(Tone::Warn, format!("{problem}: `otpanel policy` says why"));
    }
}
