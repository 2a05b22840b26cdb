//! A model of everything that can come: keys, ticks, pastes, clicks, resizes, jumps of the clock, changed files, other
//! devices, keychains that answer or not, saves that fail, answers in any order and late. After every event the panel must
//! hold what is said in [`holds`], whatever came before; [`comes`] draws what comes.
//!
//! 100,000 steps, a million with `OTPANEL_TEST_LONG=1`, over walks that are each made of a number: a walk that breaks is
//! told by its number and the step, and can be taken again.

mod comes;
mod holds;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use otpanel::app::event::{Effect, Event};
use otpanel::app::model::{Stage, Start};
use otpanel::app::session::Modal;
use otpanel::app::{Model, update};
use otpanel::secret::Secret;
use otpanel::tui::Theme;
use otpanel::vault::envelope::Unlocked;
use otpanel::vault::{EntryId, Life, State};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::harness::{BEGIN, DEVICE, accounts, vault};
use crate::numbers::Numbers;

const WALK: u64 = 1_000;

fn steps() -> u64 {
    if std::env::var_os("OTPANEL_TEST_LONG").is_some_and(|value| value == "1") { 1_000_000 } else { 100_000 }
}

/// The panel, and the world around it.
struct Walk {
    model: Model,
    numbers: Numbers,
    theme: Theme,
    terminal: Terminal<TestBackend>,
    looks: bool,
    /// The vault as it lies in the file.
    file: Unlocked,
    /// What the panel asked for and was not answered yet.
    asked: Vec<Effect>,
    clipboard: bool,
    /// What could not be in the file yet when the user said to leave all the same, or when the end came from outside.
    given_up: bool,
    /// The panel's state when it was last open.
    last: Option<Arc<State>>,
    saves: u64,
    rekeyed: u64,
    made: u64,
}

fn start(size: (u16, u16), seed: u8) -> Model {
    Model::new(Start {
        config: Box::default(),
        device: DEVICE,
        seed: Secret::new([seed; 32]),
        now: BEGIN,
        size,
        profile: String::from("personal"),
        vault_path: String::from("/home/ada/vault.otpv"),
    })
}

impl Walk {
    fn new(number: u64) -> Self {
        let mut numbers = Numbers(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let few = accounts().into_iter().take(numbers.below(9) as usize).collect::<Vec<_>>();
        let mut walk = Self {
            model: start((80, 24), number as u8),
            numbers,
            theme: Theme::default(),
            terminal: Terminal::new(TestBackend::new(80, 24)).unwrap(),
            looks: false,
            file: vault(&few),
            asked: Vec::new(),
            clipboard: false,
            given_up: false,
            last: None,
            saves: 0,
            rekeyed: 0,
            made: 0,
        };
        walk.asked.push(Effect::Look);
        walk
    }

    /// Takes one step and holds the panel to what must always be true.
    fn step(&mut self) {
        let event = self.event();
        let (name, by_user) = (event.name(), matches!(event, Event::Key(_) | Event::Mouse(_) | Event::Paste(_)));
        let ticked = matches!(event, Event::Tick(_));
        let foreign = matches!(event, Event::Saved(..) | Event::Reread(..) | Event::CopyRead(..) | Event::InForce(..));
        let (was_open, was_leaving) = match &self.model.stage {
            Stage::Open(session) => (true, matches!(session.modal, Some(Modal::Leave))),
            _ => (false, false),
        };
        let before = self.model.session().map(|session| Arc::clone(&session.vault.state));
        self.given_up |= was_leaving && by_user || name == "end now";
        let waited = self.model.session().is_some_and(|s| s.saving.then.is_some());
        let effects = update(&mut self.model, event);
        let mut left = false;
        for effect in effects {
            match effect {
                Effect::ClearClipboard => self.clipboard = false,
                Effect::Quit => left = true,
                Effect::Copy(..) => {
                    self.clipboard = true;
                    self.asked.push(effect);
                }
                other => self.asked.push(other),
            }
        }
        let now = self.model.session().map(|session| Arc::clone(&session.vault.state));
        // A change that no user made and no file brought takes no account away.
        if let (Some(before), Some(now)) = (&before, &now)
            && !by_user
            && !foreign
        {
            assert_eq!(live(before), live(now), "{name} changed which accounts there are");
        }
        if let (Some(before), Some(now)) = (&before, &now) {
            for (id, old) in &before.entries {
                let new = now.entries.get(id).unwrap_or_else(|| panic!("{name}: an entry is gone"));
                assert!((new.incarnation, new.life) >= (old.incarnation, old.life), "{name}: an entry went back");
                assert!(new.counter >= old.counter, "{name}: a counter went back");
            }
        }
        if now.is_some() {
            self.last = now;
        }
        if was_open && (left || self.model.session().is_none()) {
            if !waited || self.model.session().is_none() {
                assert!(left || !self.clipboard, "{name}: locked, and the code is still in the clipboard");
            }
            self.nothing_unsaved_is_lost(name);
        }
        if left {
            let number = self.numbers.0 as u8;
            self.model = start(self.model.size, number);
            // Saves that were under way when it left get there (the loop waits for them).
            self.finish_saves();
            self.asked = vec![Effect::Look];
            (self.clipboard, self.given_up) = (false, false);
        }
        if ticked && let Some(at) = self.model.next_change() {
            let (at, now) = (at.0, self.model.now.0);
            assert!(at > now, "{name}: it would wake again and again at the same moment: {at} at {now}");
        }
        self.hold(name);
    }

    fn finish_saves(&mut self) {
        for effect in std::mem::take(&mut self.asked) {
            if let Effect::Save(_, mut vault, _) | Effect::Recreate(_, mut vault) = effect {
                vault.absorb(&self.file);
                self.file = *vault;
            }
        }
    }
}

fn live(state: &State) -> BTreeSet<EntryId> {
    state.entries.values().filter(|entry| entry.life == Life::Live).map(|entry| entry.id).collect()
}

#[test]
fn whatever_comes_in_whatever_order_the_panel_holds() {
    let walks = steps() / WALK;
    let threads = 2;
    let (saves, rekeyed): (u64, u64) = std::thread::scope(|scope| {
        let take = |first: u64| {
            let (mut saves, mut rekeyed) = (0, 0);
            for number in (first..walks).step_by(threads as usize) {
                let mut walk = Walk::new(number);
                for step in 0..WALK {
                    let done = catch_unwind(AssertUnwindSafe(|| walk.step()));
                    assert!(done.is_ok(), "walk {number} broke at step {step}");
                }
                saves += walk.saves;
                rekeyed += walk.rekeyed;
            }
            (saves, rekeyed)
        };
        let hands: Vec<_> = (0..threads).map(|first| scope.spawn(move || take(first))).collect();
        hands
            .into_iter()
            .map(|hand| hand.join().expect("every walk held"))
            .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    assert!(saves > walks, "the walks do something: {saves} saves");
    assert!(rekeyed > 0, "no walk made new keys");
    println!("{} steps, {saves} saves, {rekeyed} times new keys", walks * WALK);
}
