//! What comes: from the user, the clock, the file, other devices, and the answers to what the panel asked for.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use otpanel::app::backup::{News, Seen};
use otpanel::app::event::{Aside, Effect, Event, ImportTrouble, Stored, With};
use otpanel::app::model::Stage;
use otpanel::app::past::Kept;
use otpanel::app::recovery::groups;
use otpanel::app::rekey::{InForce, Made, NotInForce, Password, Step as RekeyStep};
use otpanel::app::session::Modal;
use otpanel::backup::round::Device;
use otpanel::config;
use otpanel::keychain::{KeychainError, Probe};
use otpanel::otp::uri;
use otpanel::runtime::rekey::put_in_force;
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::transfer::{self, Source};
use otpanel::unlock::UnlockError;
use otpanel::unlock::rekey::{Keychains, NewKey};
use otpanel::vault::envelope::Locked;
use otpanel::vault::file::FileError;
use otpanel::vault::{DeviceId, EntryId, envelope};

use super::Walk;
use crate::harness::{BEGIN, DEVICE, PASSWORD};

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
    /// The next step of the flow that makes new keys, which is long for keys by chance.
    pub fn led(&self) -> Option<Event> {
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

    pub fn event(&mut self) -> Event {
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
    pub fn other_device(&mut self) {
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
    pub fn answer(&mut self) -> Option<Event> {
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
                let seen = |n| Seen { device: device(n), store: "keychain", identity: "personal".into(), this: n == 7 };
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
}
