//! Presses keys, reads the screen: the panel without a terminal. Effects are answered inline, as the world would.

use std::sync::{Arc, OnceLock};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use otpanel::app::event::{Aside, Effect, Event, Stored, With};
use otpanel::app::import::Origin;
use otpanel::app::model::{Stage, Start};
use otpanel::app::past::Kept;
use otpanel::app::session::Session;
use otpanel::app::{Model, keys, update};
use otpanel::backup::restore::Offer;
use otpanel::config::Config;
use otpanel::keychain::Probe;
use otpanel::keychain::memory::MemoryKeychain;
use otpanel::otp::{Account, uri};
use otpanel::rollback::WentBack;
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::transfer::{self, Source};
use otpanel::tui::{Theme, view};
use otpanel::unlock;
use otpanel::vault::envelope::{Locked, Unlocked};
use otpanel::vault::file::FileError;
use otpanel::vault::kdf::KdfParams;
use otpanel::vault::{DataKey, DeviceId, EntryId, SlotKind, State, VaultId, changes};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::ways;

/// Where the journeys begin: a whole half minute, so that a code has its 30 seconds before it.
pub const BEGIN: UnixTime = UnixTime::from_secs(1_795_500_000);
pub const DEVICE: DeviceId = DeviceId([7; 8]);
pub const PASSWORD: &str = "correct horse battery";

pub struct Journey {
    pub model: Model,
    /// What lies in the clipboard.
    pub clipboard: Option<String>,
    /// The vault as it lies in the file.
    pub file: Option<Unlocked>,
    /// Older copies of it, the newest first, and how many seconds old they are.
    pub history: Vec<(u64, Unlocked)>,
    /// What the next reading finds out about a file that went back.
    pub went_back: Option<WentBack>,
    /// What could not be saved and was kept in the history, or is refused there too.
    pub aside: Option<Unlocked>,
    pub history_fails: bool,
    /// What the next saves answer instead of saving.
    pub save_fails: Option<fn() -> FileError>,
    pub saves: usize,
    pub probe: Probe,
    /// What the next look for backups finds.
    pub backups: Vec<Offer>,
    pub quit: bool,
    pub suspended: bool,
    /// Effects that are not answered by themselves are kept here.
    pub kept: Vec<Effect>,
    pub answer_imports: bool,
    pub answer_keys: bool,
    /// This computer's keychain, for what opens the vault.
    pub keychain: MemoryKeychain,
    theme: Theme,
}

pub fn accounts() -> Vec<Account> {
    [
        "otpauth://totp/GitHub:octo%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=GitHub",
        "otpauth://totp/GitHub:ci-bot?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=GitHub",
        "otpauth://totp/GitLab:ada?secret=MFRGGZDFMZTWQ2LK&issuer=GitLab&codeDisplay=%7B%22tags%22%3A%5B%22work%22%5D%7D",
        "otpauth://totp/Contoso%20VPN:ada.l?secret=NNJVMAE6MMKFRYMG&issuer=Contoso%20VPN&digits=8&period=60&codeDisplay=%7B%22tags%22%3A%5B%22work%22%5D%2C%22pinned%22%3Atrue%7D",
        "otpauth://hotp/HOTP%20token:bank?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=HOTP%20token&counter=7",
        "otpauth://steam/Steam:ada_1815?secret=JBSWY3DPEHPK3PXP&issuer=Steam",
        "otpauth://totp/%E6%97%A5%E6%9C%AC%E8%AA%9E%E3%81%AE%E9%8A%80%E8%A1%8C:%E5%B1%B1%E7%94%B0?secret=JBSWY3DPEHPK3PXQ&issuer=%E6%97%A5%E6%9C%AC%E8%AA%9E%E3%81%AE%E9%8A%80%E8%A1%8C",
        "otpauth://totp/Amazon%20Web%20Services:root%20%C2%B7%20prod-eu?secret=JBSWY3DPEHPK3PXR&issuer=Amazon%20Web%20Services",
    ]
    .iter()
    .map(|link| uri::parse(link).expect("a right link"))
    .collect()
}

pub fn vault(accounts: &[Account]) -> Unlocked {
    let mut state = State::default();
    for (n, account) in accounts.iter().enumerate() {
        let stamp = state.next_stamp(BEGIN, DEVICE);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        state.add(EntryId(id), account, "personal", "a test", stamp);
    }
    let mut vault = base().duplicate();
    vault.state = Arc::new(state);
    vault
}

/// A vault without accounts that [`PASSWORD`] opens, cheap to derive and derived once.
fn base() -> &'static Unlocked {
    static BASE: OnceLock<Unlocked> = OnceLock::new();
    BASE.get_or_init(|| {
        let state = State::default();
        let stamp = state.next_stamp(BEGIN, DEVICE);
        let mut vault = Unlocked::create(VaultId([9; 16]), DataKey::new(Secret::new([3; 32])), Vec::new(), state);
        let kdf = KdfParams::WEAKEST;
        unlock::change_password(&mut vault, &Secret::new(PASSWORD.to_owned()), kdf, stamp).expect("it can be set");
        vault
    })
}

/// Many plain accounts.
pub fn many(n: usize) -> Vec<Account> {
    (0..n)
        .map(|i| {
            let link = format!(
                "otpauth://totp/Service{i:05}:user{i:05}%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Service{i:05}"
            );
            uri::parse(&link).expect("a right link")
        })
        .collect()
}

fn start(config: Config) -> Start {
    Start {
        config: Box::new(config),
        device: DEVICE,
        seed: Secret::new([1; 32]),
        now: BEGIN,
        size: (80, 24),
        profile: String::from("personal"),
        vault_path: String::from("/home/ada/.local/share/otpanel/vault.otpv"),
    }
}

impl Journey {
    /// An open panel on a vault that the keychain of here opens, and whose file has no password any more.
    pub fn losing_its_password(accounts: &[Account]) -> Self {
        let mut journey = Self::unlocked(accounts).keys(":keychain<enter><enter>");
        let mut file = journey.file.take().expect("it was saved");
        let password = file.slots().iter().find(|slot| slot.kind() == SlotKind::Password).expect("a password").id;
        let stamp = file.state.next_stamp(BEGIN, DEVICE);
        assert!(file.remove_slot(password, stamp));
        journey.file = Some(file);
        journey
    }

    /// A panel whose vault is open.
    pub fn unlocked(accounts: &[Account]) -> Self {
        Self::with(Config::default(), accounts)
    }

    pub fn with(config: Config, accounts: &[Account]) -> Self {
        let vault = vault(accounts);
        let mut journey = Self::fresh(config);
        journey.file = Some(vault.duplicate());
        journey.model.stage = Stage::Open(Box::new(Session::new(vault, &journey.model.config, BEGIN)));
        journey
    }

    /// A panel that has just been started, with no vault.
    pub fn fresh(config: Config) -> Self {
        Self {
            model: Model::new(start(config)),
            clipboard: None,
            file: None,
            history: Vec::new(),
            went_back: None,
            aside: None,
            history_fails: false,
            save_fails: None,
            saves: 0,
            probe: Probe::Ready,
            backups: Vec::new(),
            quit: false,
            suspended: false,
            kept: Vec::new(),
            answer_imports: true,
            answer_keys: true,
            keychain: MemoryKeychain::new(),
            theme: Theme::default(),
        }
    }

    pub fn size(mut self, width: u16, height: u16) -> Self {
        self.event(Event::Resize(width, height));
        self
    }

    /// Handles an event and carries out what follows from it.
    pub fn event(&mut self, event: Event) {
        let effects = update(&mut self.model, event);
        self.follow(effects);
    }

    /// Carries out an effect that was kept.
    pub fn perform(&mut self, effect: Effect) {
        self.follow(vec![effect]);
    }

    fn follow(&mut self, mut effects: Vec<Effect>) {
        while !effects.is_empty() {
            let effect = effects.remove(0);
            if let Some(answer) = self.answer(effect) {
                effects.extend(update(&mut self.model, answer));
            }
        }
    }

    fn kept_copies(&self, open: &Unlocked) -> Vec<Kept> {
        let stamp = open.state.next_stamp(BEGIN, DEVICE);
        let kept = |(at, (age, copy)): (usize, &(u64, Unlocked))| {
            let news = changes(&open.state, &open.state.restored(&copy.state, stamp));
            let back = news.added.iter().chain(&news.restored);
            Kept {
                path: at.to_string().into(),
                time: UnixTime(self.model.now.0 - age * 1000),
                reason: "save",
                accounts: Some(copy.state.live().count()),
                back: back.map(|id| copy.state.get(id).unwrap().issuer().to_owned()).collect(),
                changed: news.changed.len(),
            }
        };
        self.history.iter().enumerate().map(kept).collect()
    }

    fn answer(&mut self, effect: Effect) -> Option<Event> {
        Some(match effect {
            Effect::Save(generation, mut vault, saving) => {
                self.saves += 1;
                if let Some(fails) = self.save_fails {
                    return Some(Event::Saved(generation, Err(fails())));
                }
                if let Some(stored) = &self.file {
                    vault.absorb(stored);
                }
                if let Some((id, device)) = saving.counter {
                    vault.take_counter(id, self.model.now, device);
                }
                self.file = Some(vault.duplicate());
                Event::Saved(generation, Ok(vault))
            }
            Effect::Look => Event::Looked(Ok(self.file.as_ref().map(|v| {
                let bytes = v.seal([5; 32]).expect("it can be sealed");
                Arc::new(Locked::parse(bytes).expect("it can be parsed"))
            }))),
            Effect::Reread(generation, _) => Event::Reread(
                generation,
                self.file.as_ref().ok_or_else(|| FileError::Vanished("/home/ada/vault.otpv".into())).map(|v| {
                    let mut vault = Box::new(v.duplicate());
                    let healed = self.aside.take().map(|aside| {
                        vault.absorb(&aside);
                        WentBack::Healed(1)
                    });
                    Some(Stored { vault, copies: false, went_back: self.went_back.take().or(healed) })
                }),
            ),
            Effect::KeepAside(generation, vault) if self.history_fails => {
                let kept = Locked::parse(vault.seal([6; 32]).expect("it can be sealed")).expect("it can be parsed");
                Event::KeptAside(generation, Aside::Memory(Arc::new(kept)))
            }
            Effect::KeepAside(generation, vault) => {
                self.aside = Some(*vault);
                Event::KeptAside(generation, Aside::History)
            }
            Effect::Recreate(generation, vault) => {
                self.file = Some(vault.duplicate());
                Event::Saved(generation, Ok(vault))
            }
            Effect::History(generation, open) => Event::History(generation, Ok(self.kept_copies(&open))),
            Effect::ReadCopy(generation, path, _) => {
                let at: usize = path.to_string_lossy().parse().expect("a number");
                Event::CopyRead(generation, Ok(Box::new(self.history[at].1.duplicate())))
            }
            Effect::Unlock(attempt, locked, With::Password(password)) => {
                Event::Unlocked(attempt, unlock::with_password(&locked, &password).map(Box::new))
            }
            Effect::Unlock(attempt, locked, With::RecoveryKey(key)) => {
                Event::Unlocked(attempt, unlock::with_recovery_key(&locked, &key).map(Box::new))
            }
            Effect::Probe => Event::Probed(self.probe.clone()),
            Effect::FindBackups { attempt, .. } => Event::BackupsFound(attempt, Ok(std::mem::take(&mut self.backups))),
            Effect::Copy(text, _) => {
                self.clipboard = Some(text.expose().clone());
                Event::Copied(Ok(String::new()))
            }
            Effect::ClearClipboard => {
                self.clipboard = None;
                return None;
            }
            Effect::Quit => {
                self.quit = true;
                return None;
            }
            Effect::Suspend => {
                self.suspended = true;
                return None;
            }
            Effect::Import(attempt, origin, password) if self.answer_imports => {
                let bytes = match &origin {
                    Origin::File(path) => std::fs::read(path).expect("the test wrote it"),
                    Origin::Pasted(text) => text.expose().clone().into_bytes(),
                };
                let source = Source { password: password.as_ref(), ..Source::new(&bytes) };
                let result = transfer::import(source).map(Box::new);
                Event::Imported(attempt, result.map_err(otpanel::app::event::ImportTrouble::Import))
            }
            Effect::Export(generation, job) => Event::Exported(generation, otpanel::runtime::export::write(&job)),
            other => {
                let answered = if self.answer_keys {
                    ways::answer(other, &mut self.file, &self.keychain, self.save_fails, self.model.now)
                } else {
                    Err(other)
                };
                return answered.map_err(|other| self.kept.push(other)).ok();
            }
        })
    }

    /// Presses keys: letters as they are, others as `<enter>`, `<ctrl-p>`, `<lt>` for `<`.
    pub fn keys(mut self, text: &str) -> Self {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let press = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
                Some((name, after)) => {
                    rest = after;
                    if name == "lt" {
                        (KeyCode::Char('<'), KeyModifiers::NONE)
                    } else {
                        keys::parse(name).unwrap_or_else(|| panic!("no key {name}"))
                    }
                }
                None => {
                    rest = &rest[c.len_utf8()..];
                    (KeyCode::Char(c), KeyModifiers::NONE)
                }
            };
            self.event(Event::Key(KeyEvent::new(press.0, press.1)));
        }
        self
    }

    pub fn paste(mut self, text: &str) -> Self {
        self.event(Event::Paste(Secret::new(text.to_owned())));
        self
    }

    pub fn click(mut self, column: u16, row: u16) -> Self {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        self
    }

    pub fn wheel(mut self, down: bool) -> Self {
        let kind = if down { MouseEventKind::ScrollDown } else { MouseEventKind::ScrollUp };
        self.event(Event::Mouse(MouseEvent { kind, column: 5, row: 5, modifiers: KeyModifiers::NONE }));
        self
    }

    /// Lets time pass, second by second.
    pub fn seconds(mut self, n: u64) -> Self {
        for _ in 0..n {
            self.event(Event::Tick(self.model.now.plus_secs(1)));
        }
        self
    }

    pub fn session(&self) -> &Session {
        self.model.session().expect("the vault is open")
    }

    fn draw(&self) -> Terminal<TestBackend> {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a backend in memory");
        terminal.draw(|frame| view(&self.model, &self.theme, frame)).expect("a backend in memory");
        terminal
    }

    /// In the colours of a theme that comes along.
    pub fn themed(mut self, name: &str) -> Self {
        self.theme = Theme::named(name).expect("it comes along");
        self
    }

    pub const fn theme(&self) -> &Theme {
        &self.theme
    }

    /// The cells of the screen.
    pub fn buffer(&self) -> Buffer {
        self.draw().backend().buffer().clone()
    }

    /// Where the terminal's cursor is shown, if it is.
    pub fn cursor(&self) -> Option<(u16, u16)> {
        let terminal = self.draw();
        let backend = terminal.backend();
        backend.cursor_visible().then(|| backend.cursor_position()).map(|at| (at.x, at.y))
    }

    /// The screen as text, without blanks at the ends of lines.
    pub fn screen(&self) -> String {
        let terminal = self.draw();
        let buffer = terminal.backend().buffer();
        let mut lines = Vec::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                    skip = otpanel::text::width(symbol).saturating_sub(1);
                } else {
                    skip -= 1;
                }
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// The words on the screen in one line, wherever they wrap.
    pub fn words(&self) -> String {
        let screen = self.screen().replace(['│', '╭', '╮', '╰', '╯', '─'], " ");
        screen.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The screen with its styles: below each line that has any, the runs of styled cells.
    pub fn styled(&self) -> String {
        let terminal = self.draw();
        let buffer = terminal.backend().buffer();
        let text = self.screen();
        let mut out = String::new();
        for (y, line) in text.lines().enumerate() {
            out += &format!("|{line}\n");
            let mut runs: Vec<(u16, u16, String)> = Vec::new();
            for x in 0..buffer.area.width {
                let name = name(buffer[(x, y as u16)].style());
                match runs.last_mut() {
                    Some((_, end, last)) if *last == name && *end == x => *end = x + 1,
                    _ => runs.push((x, x + 1, name)),
                }
            }
            let runs: Vec<String> = runs
                .into_iter()
                .filter(|(_, _, name)| !name.is_empty())
                .map(|(from, to, name)| format!("{from}-{to} {name}"))
                .collect();
            if !runs.is_empty() {
                out += &format!("    {}\n", runs.join(", "));
            }
        }
        out
    }
}

fn name(style: Style) -> String {
    let mut words = Vec::new();
    for (modifier, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if style.add_modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    if let Some(fg) = style.fg.filter(|c| *c != Color::Reset) {
        words.push(fg.to_string().to_lowercase());
    }
    if let Some(bg) = style.bg.filter(|c| *c != Color::Reset) {
        words.push(format!("on {}", bg.to_string().to_lowercase()));
    }
    words.join(" ")
}
