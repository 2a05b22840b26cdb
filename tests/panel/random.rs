//! A model of everything that can come: keys, ticks, pastes, clicks, resizes, jumps of the clock, changed files, other
//! devices, keychains that answer or not, saves that fail, answers in any order and late. After every event the panel must
//! hold what is said in [`Walk::hold`], whatever came before.
//!
//! 100,000 steps, a million with `OTPANEL_TEST_LONG=1`, over walks that are each made of a number: a walk that breaks is
//! told by its number and the step, and can be taken again.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use otpanel::app::backup::{News, Seen};
use otpanel::app::event::{Aside, Effect, Event, ImportTrouble, Stored, With};
use otpanel::app::model::{Stage, Start};
use otpanel::app::past::Kept;
use otpanel::app::recovery::groups;
use otpanel::app::rekey::{InForce, Made, NotInForce, Password, Step as RekeyStep};
use otpanel::app::session::{Modal, Then};
use otpanel::app::{Model, update};
use otpanel::backup::round::Device;
use otpanel::config;
use otpanel::keychain::{KeychainError, Probe};
use otpanel::otp::{code, uri};
use otpanel::runtime::rekey::put_in_force;
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::transfer::{self, Source};
use otpanel::tui::{Theme, view};
use otpanel::unlock::UnlockError;
use otpanel::unlock::rekey::{Keychains, NewKey};
use otpanel::vault::envelope::{Locked, Unlocked};
use otpanel::vault::file::FileError;
use otpanel::vault::{DeviceId, EntryId, Life, State, envelope};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::harness::{BEGIN, DEVICE, PASSWORD, accounts, vault};
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

const PASTES: [&str; 6] = [
    "otpauth://totp/Pasted:ada?secret=MFRGGZDFMZTWQ2LKNNWG&issuer=Pasted",
    "jbsw y3dp ehpk 3pxq",
    "otpauth://totp/A:a?secret=MFRGGZDF&issuer=A\notpauth://hotp/B:b?secret=MFRGGZDG&issuer=B&counter=3\notpauth://totp/Bad?secret=0",
    "\u{1b}]0;owned\u{7}\u{202e}",
    "/tmp/no such file.json",
    "",
];

const CONFIGS: [&str; 6] = [
    "()",
    "(codes: (hidden: true))",
    "(lock: (after_secs: 10))",
    "(accessible: true)",
    "(mouse: false, theme: \"mono\")",
    "(this is no config",
];

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

    /// The next step of the flow that makes new keys, which is long for keys by chance.
    fn led(&self) -> Option<Event> {
        let key = |code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        match self.model.session()?.modal.as_ref()? {
            Modal::Backup(view) => Some(key(KeyCode::Char(if view.ask.is_some() { 'k' } else { 'x' }))),
            Modal::Rekey(flow) => Some(match &flow.step {
                RekeyStep::Present(line) if line.is_empty() => Event::Paste(Secret::new(PASSWORD.to_owned())),
                RekeyStep::Recovery(made, sheet) => match &sheet.check {
                    Some(check) if check.line.is_empty() => {
                        let all = groups(made.key.recovery_key.expose());
                        Event::Paste(Secret::new(all[check.group].to_owned()))
                    }
                    _ => key(KeyCode::Enter),
                },
                _ => key(KeyCode::Enter),
            }),
            _ => None,
        }
    }

    fn event(&mut self) -> Event {
        if self.numbers.once_in(2)
            && let Some(event) = self.led()
        {
            return event;
        }
        let locked = matches!(self.model.stage, Stage::Locked(_));
        match self.numbers.below(100) {
            0..50 => self.key(),
            50..62 => Event::Tick(self.model.now.plus_secs(self.numbers.below(3))),
            62 => {
                // The clock jumps: back, ahead, to the end of days.
                let now = self.model.now.0;
                let jumps = [now.saturating_sub(90_000_000), now + 40_000, now + 90_000_000, 0, u64::MAX / 2, BEGIN.0];
                Event::Tick(UnixTime(*self.numbers.of(&jumps)))
            }
            63..66 => Event::Paste(Secret::new((*self.numbers.of(&PASTES)).to_owned())),
            66..70 => self.mouse(),
            70..73 => Event::Resize(self.numbers.below(200) as u16, self.numbers.below(60) as u16),
            73 => Event::Resize(80, 24),
            74..77 => {
                self.other_device();
                Event::VaultChanged
            }
            77 => Event::VaultChanged,
            78 => Event::LockNow,
            79 => {
                let text = *self.numbers.of(&CONFIGS);
                match config::parse(text) {
                    Ok(config) => Event::Config(Ok(Box::new(config))),
                    Err(_) => Event::Tick(self.model.now),
                }
            }
            80 if self.numbers.once_in(4) => Event::EndNow,
            81..84 if locked => Event::Paste(Secret::new(PASSWORD.to_owned())),
            // Answers that nobody asked for, of sessions that are over.
            84 => {
                Event::Saved(self.numbers.below(self.model.generation + 2) + 1_000, Ok(Box::new(self.file.duplicate())))
            }
            85 => Event::Probed(self.probe()),
            _ => self.answer().unwrap_or(Event::Tick(self.model.now)),
        }
    }

    fn key(&mut self) -> Event {
        let locked = matches!(self.model.stage, Stage::Locked(_));
        let special = [
            KeyCode::Enter,
            KeyCode::Enter,
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Esc,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::F(1),
        ];
        let letters: Vec<char> =
            "aAbcCdeEfgGhHijJkKlLmnNopqQrRsStTuUvxXyz123456789/:?[]{} é日\u{202e}".chars().collect();
        let (code, modifiers) = match self.numbers.below(10) {
            // A locked panel is left again, most of the time.
            _ if locked && self.numbers.once_in(2) => (KeyCode::Enter, KeyModifiers::NONE),
            0..4 => (*self.numbers.of(&special), KeyModifiers::NONE),
            9 => (
                KeyCode::Char(*self.numbers.of(&['p', 'u', 'r', 'k', 'a', 'e', 'z', 'l', 's', 'd', 'w'])),
                KeyModifiers::CONTROL,
            ),
            _ => (KeyCode::Char(*self.numbers.of(&letters)), KeyModifiers::NONE),
        };
        Event::Key(KeyEvent::new(code, modifiers))
    }

    fn mouse(&mut self) -> Event {
        let kinds = [
            MouseEventKind::Down(MouseButton::Left),
            MouseEventKind::Down(MouseButton::Left),
            MouseEventKind::Up(MouseButton::Left),
            MouseEventKind::Down(MouseButton::Right),
            MouseEventKind::ScrollUp,
            MouseEventKind::ScrollDown,
        ];
        let (column, row) = (self.numbers.below(90) as u16, self.numbers.below(30) as u16);
        Event::Mouse(MouseEvent { kind: *self.numbers.of(&kinds), column, row, modifiers: KeyModifiers::NONE })
    }

    fn probe(&mut self) -> Probe {
        let all = [Probe::Ready, Probe::Locked, Probe::NoBus, Probe::NoProvider, Probe::Unsupported("x".into())];
        self.numbers.of(&all).clone()
    }

    /// Another device adds, trashes or brings back an account in the file.
    fn other_device(&mut self) {
        let ids: Vec<EntryId> = self.file.state.entries.keys().copied().collect();
        let state = Arc::make_mut(&mut self.file.state);
        let stamp = state.next_stamp(BEGIN, DeviceId([8; 8]));
        let chosen = (!ids.is_empty()).then(|| *self.numbers.of(&ids));
        match (self.numbers.below(4), chosen) {
            (0, Some(id)) => drop(state.trash(id, stamp)),
            (1, Some(id)) => drop(state.restore(id, stamp)),
            _ => {
                self.made += 1;
                let secret = otpanel::otp::base32::encode(&[self.made.to_be_bytes(), [7; 8]].concat());
                let link = format!("otpauth://totp/Other{}:eve?secret={}", self.made, secret.expose());
                let account = uri::parse(&link).unwrap();
                let id = EntryId(std::array::from_fn(|i| if i < 8 { self.made.to_be_bytes()[i] } else { 9 }));
                state.add(id, &account, "personal", "a test", stamp);
            }
        }
    }

    /// Answers one of the things that were asked, in any order; but what touches the file in its own.
    fn answer(&mut self) -> Option<Event> {
        if self.asked.is_empty() {
            return None;
        }
        let mut at = self.numbers.below(self.asked.len() as u64) as usize;
        let file = |effect: &Effect| {
            matches!(
                effect,
                Effect::Save(..)
                    | Effect::Recreate(..)
                    | Effect::KeepAside(..)
                    | Effect::Reread(..)
                    | Effect::Look
                    | Effect::PutInForce(..)
            )
        };
        if file(&self.asked[at]) {
            at = self.asked.iter().position(file).unwrap();
        }
        let path = || "/home/ada/vault.otpv".into();
        let counter = match &self.asked[at] {
            Effect::Save(_, _, saving) => saving.counter,
            _ => None,
        };
        Some(match self.asked.remove(at) {
            Effect::Save(generation, mut vault, _) | Effect::Recreate(generation, mut vault) => {
                if self.numbers.once_in(8) {
                    let fails =
                        [FileError::DiskFull(path()), FileError::Vanished(path()), FileError::WrongVault(path())];
                    let fails = fails.into_iter().nth(self.numbers.below(3) as usize).unwrap();
                    return Some(Event::Saved(generation, Err(fails)));
                }
                vault.absorb(&self.file);
                assert!(!vault.state.as_ref().clone().join(&self.file.state), "a save takes nothing back");
                if let Some((id, device)) = counter {
                    vault.take_counter(id, self.model.now, device);
                }
                self.file = vault.duplicate();
                self.saves += 1;
                Event::Saved(generation, Ok(vault))
            }
            Effect::KeepAside(generation, vault) => {
                let kept = Locked::parse(vault.seal([6; 32]).unwrap()).unwrap();
                Event::KeptAside(generation, Aside::Memory(Arc::new(kept)))
            }
            Effect::Look => Event::Looked(if self.numbers.once_in(40) {
                Err(FileError::NotAFile(path()))
            } else {
                Ok(Some(Arc::new(Locked::parse(self.file.seal([5; 32]).unwrap()).unwrap())))
            }),
            Effect::Reread(generation, _) => Event::Reread(
                generation,
                match self.numbers.below(12) {
                    0 => Err(FileError::Vanished(path())),
                    1 => Err(FileError::NotAFile(path())),
                    2 => Ok(None),
                    n => Ok(Some(Stored { vault: Box::new(self.file.duplicate()), copies: n == 3, went_back: None })),
                },
            ),
            Effect::Unlock(attempt, locked, with) => {
                let right = match with {
                    With::Password(password) => password.expose().contains(PASSWORD),
                    With::Start { .. } | With::Keychain { .. } | With::RecoveryKey(_) => false,
                };
                let opened = if right {
                    locked.open_with(self.file.data_key()).map(Box::new).map_err(UnlockError::from)
                } else if self.numbers.once_in(3) {
                    Err(UnlockError::Keychain(KeychainError::Timeout))
                } else {
                    Err(UnlockError::Vault(envelope::Error::WrongKey))
                };
                Event::Unlocked(attempt, opened)
            }
            Effect::Probe => Event::Probed(self.probe()),
            Effect::History(generation, _) => {
                let kept = Kept {
                    path: "0".into(),
                    time: BEGIN,
                    reason: "save",
                    accounts: Some(1),
                    back: Vec::new(),
                    changed: 0,
                };
                Event::History(generation, Ok(vec![kept]))
            }
            Effect::ReadCopy(generation, ..) => Event::CopyRead(generation, Ok(Box::new(self.file.duplicate()))),
            Effect::Copy(..) => {
                Event::Copied(if self.numbers.once_in(4) { Err("no display".into()) } else { Ok(String::new()) })
            }
            Effect::ReadClipboard => Event::ClipboardText(Ok(Secret::new((*self.numbers.of(&PASTES)).to_owned()))),
            Effect::Import(attempt, ..) => Event::Imported(attempt, {
                let text = *self.numbers.of(&PASTES);
                let import = transfer::import(Source::new(text.as_bytes()));
                import.map(Box::new).map_err(ImportTrouble::Import)
            }),
            Effect::Recent => Event::Recent(Vec::new()),
            Effect::Complete(attempt, typed) => {
                Event::Completed(attempt, vec![format!("{typed}x"), format!("{typed}y")])
            }
            Effect::Backup(generation, ..) => {
                let device = |n| Device { id: DeviceId([n; 8]), label: "lost".into(), accounts: 1, time: BEGIN };
                let seen = |n| Seen { device: device(n), store: "keychain", this: n == 7 };
                let devices = Some(vec![seen(8), seen(7)]);
                Event::BackedUp(generation, Box::new(News { devices, ..News::default() }))
            }
            Effect::MakeKey { generation, attempt, vault, password } => {
                let wrong = matches!(&password, Password::Present(words) if !words.expose().contains(PASSWORD));
                let made = if wrong && self.numbers.once_in(2) {
                    Err(envelope::Error::WrongKey.into())
                } else {
                    NewKey::make(&vault, None).map(|key| Box::new(Made { key, keychains: Keychains::None }))
                };
                Event::KeyMade(generation, attempt, made)
            }
            Effect::PutInForce(generation, mut vault, made) => {
                if self.numbers.once_in(4) {
                    let error = FileError::DiskFull(path()).into();
                    return Some(Event::InForce(generation, Err(Box::new(NotInForce { made, error }))));
                }
                vault.absorb(&self.file);
                put_in_force(&made.key, &mut vault, self.model.now, DEVICE).unwrap();
                self.file = vault.duplicate();
                self.rekeyed += 1;
                Event::InForce(generation, Ok(InForce { vault, confirmed: true, words: None }))
            }
            _ => return None,
        })
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

    /// Everything that the last session held is in the file, or in a save under way, or was given up by the user.
    fn nothing_unsaved_is_lost(&mut self, name: &str) {
        let Some(last) = self.last.take() else { return };
        let mut safe = self.file.state.as_ref().clone();
        for effect in &self.asked {
            if let Effect::Save(_, vault, _) | Effect::Recreate(_, vault) = effect {
                safe.join(&vault.state);
            }
        }
        if let Stage::Locked(lock) = &self.model.stage
            && let Some(Aside::Memory(kept)) = &lock.aside
        {
            safe.join(&kept.open_with(self.file.data_key()).unwrap().state);
        }
        assert!(!safe.join(&last) || self.given_up, "{name}: a change was forgotten");
    }

    /// What holds after every event.
    fn hold(&mut self, name: &str) {
        let running =
            self.asked.iter().filter(|effect| matches!(effect, Effect::Save(g, ..) if *g == self.model.generation));
        assert!(running.count() <= 1, "{name}: two saves of one session at once");
        if let Stage::Open(session) = &self.model.stage {
            let rows = session.rows.all.len();
            assert!(session.visible.iter().all(|row| *row < rows), "{name}: a row in view that is not there");
            let most = session.visible.len().max(1);
            assert!(session.selected < most && session.offset < most, "{name}: the selection is outside of the list");
            assert!(session.tab < session.rows.tabs.len().max(1), "{name}: the tab is outside of the tabs");
            let entries = session.state().live().count();
            assert_eq!(rows, entries, "{name}: the list and the vault differ");
            if !session.saving.pending() {
                let mut safe = self.file.state.as_ref().clone();
                assert!(!safe.join(session.state()), "{name}: a change is neither in the file nor on its way");
            }
            if matches!(session.saving.then, Some((Then::Lock, _))) {
                assert!(session.hidden, "{name}: waiting for the lock, codes are shown");
            }
        }
        let (width, height) = self.model.size;
        // The screen is looked at after every other event: it costs more than all the rest.
        self.looks = !self.looks;
        if !self.looks {
            return;
        }
        let area = self.terminal.backend().buffer().area;
        if (area.width, area.height) != (width, height) {
            self.terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        }
        let (model, theme) = (&self.model, &self.theme);
        self.terminal.draw(|frame| view(model, theme, frame)).unwrap();
        let cells = self.terminal.backend().buffer().content();
        let acts = |symbol: &str| symbol.chars().any(|c| c.is_control() || c == '\u{202e}');
        assert!(!cells.iter().any(|cell| acts(cell.symbol())), "{name}: a character that acts is on the screen");
        // Closed, or hidden with nothing over the list that shows one on purpose: no code, no secret.
        let closed = match &self.model.stage {
            Stage::Open(session) => {
                session.hidden
                    && session.revealed.is_none()
                    && session.modal.is_none()
                    && session.counter_code.is_none()
            }
            _ => true,
        };
        if closed && width > 0 {
            let mut screen = String::with_capacity(cells.len());
            for line in cells.chunks(width.into()) {
                for cell in line {
                    screen.push_str(cell.symbol());
                }
                screen.push('\n');
            }
            for secret in self.shown() {
                assert!(!screen.contains(&secret), "{name}: hidden, and yet there is {secret}:\n{screen}");
            }
        }
    }

    /// The texts that would give a secret away at this moment: codes as the list shows them, and seeds. Of at least six
    /// digits, so that none stands on the screen by chance. What was pasted into a name is a name.
    fn shown(&self) -> Vec<String> {
        let at = self.model.code_time();
        let mut all = Vec::new();
        for entry in self.file.state.live() {
            let Ok(account) = entry.account() else { continue };
            all.push(otpanel::otp::base32::encode(account.seed.expose()).expose().clone());
            for code in [code::code_at(&account, at), code::next_code_at(&account, at)].into_iter().flatten() {
                all.push(code.grouped().expose().clone());
            }
        }
        let names: String = self.model.session().map_or_else(String::new, |session| {
            session.state().live().flat_map(|entry| [entry.issuer(), " ", entry.name(), " "]).collect()
        });
        // A recovery key is typed in clear, and so is whatever else is pasted there.
        let typed = match &self.model.stage {
            Stage::Locked(lock) if lock.recovery => lock.line.text(),
            _ => "",
        };
        all.retain(|text| !names.contains(text.as_str()) && !typed.contains(text.as_str()));
        all.retain(|text| text.chars().filter(|c| c.is_alphanumeric()).count() >= 5);
        all
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
