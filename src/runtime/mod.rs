//! The loop: wait, update, perform, draw. The only place where the panel meets the world.
//!
//! It wakes for events and at the moments at which something visible changes by itself ([`Model::next_change`]): once a
//! second while codes are shown, never while the panel is locked.

mod access;
mod background;
mod backup;
pub mod clipboard;
mod demo;
mod ear;
pub mod export;
pub mod input;
mod lanes;
mod leave;
pub mod locale;
mod perform;
#[cfg(unix)]
mod reader;
pub mod rekey;
mod rules;
pub mod screen;
mod surface;
pub mod terminal;
pub mod theme;
mod wait;
pub mod watch;
mod world;

pub use leave::PanelError;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::app::event::{Effect, Event};
use crate::app::model::{Stage, Start, Tone};
use crate::app::order::Habits;
use crate::app::still::Still;
use crate::app::{Model, update};
use crate::config::Config;
use crate::entropy;
use crate::local::Local;
use crate::paths::Paths;
use crate::policy::Found;
use crate::secret;
use crate::time::UnixTime;
use crate::tui::{Theme, paint, paint_above};
use crate::vault::{DeviceId, SlotId};
use clipboard::{Clipboard, Report as ClipboardReport, Surroundings};
use demo::demo_vault;
use input::{Input, Signal};
use screen::Screen;
use surface::Surface;
use terminal::{Out, Stopped, Terminal};
use wait::{Woken, wait};
use watch::{Since, Targets};
use world::World;

/// How long a stop waits for what was copied to be handed over.
const LEND: Duration = Duration::from_secs(1);

/// What a panel is opened on.
pub struct Panel {
    /// Where things lie.
    pub paths: Paths,
    /// The settings in force.
    pub config: Config,
    /// What an organisation set on this machine.
    pub policy: Found,
    /// Sample accounts instead of the vault.
    pub demo: bool,
}

/// What arrives at the loop.
enum Incoming {
    Event(Box<Event>),
    /// Boxed: what lies in the queue itself stays there after it was taken out.
    Input(Box<Input>),
    Clipboard(ClipboardReport),
}

/// Opens the panel and stays until the user leaves.
///
/// # Errors
/// [`PanelError`]; the terminal is given back first.
pub fn run(panel: &Panel) -> Result<(), PanelError> {
    use std::io::IsTerminal;
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(PanelError::NoTerminal);
    }
    if !locale::can_draw() {
        return Err(PanelError::DumbTerminal);
    }
    let (send, receive) = channel();
    let world = World::new(panel, send);
    let (vault, config) = (panel.paths.vault_file.clone(), panel.paths.config_file.clone());
    let targets = Targets { vault, config: Some(config), policy: Some(panel.policy.path.clone()) };
    let since = (!panel.demo).then(|| Since::now(targets));
    // The vault is read while the terminal is set up.
    if !panel.demo {
        world.perform_in_background(Effect::Look);
    }
    let colours = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    terminal::install_panic_hook();
    let terminal = Terminal::enter(panel.config.mouse)?;
    let asked = colours && theme::is_auto(&panel.config.theme) && terminal.ask_background()?;
    let awaited = asked.then(|| Instant::now() + background::PATIENCE);
    let screen = Surface::new(Screen::new(terminal::out()?, colours))?;
    let inputs = world.send.clone();
    terminal::listen(move |input| inputs.send(Incoming::Input(Box::new(input))).is_ok())?;
    let (theme, trouble) = theme::find(&panel.config.theme, &panel.paths.config_file, colours, None);
    let clips = world.send.clone();
    let clipboard = Clipboard::start(Surroundings::here(), move |report| {
        drop(clips.send(Incoming::Clipboard(report)));
    });
    let watch = since.and_then(|since| world.watch(since, &panel.paths));
    let clipboard = Some(clipboard);
    let mut show = Show {
        terminal,
        screen,
        still: None,
        theme,
        colours,
        light: None,
        awaited,
        world,
        clipboard,
        inbox: receive,
        clear_at: None,
        leaving: false,
    };
    let ended = show.run(panel, trouble);
    drop(watch);
    ended
}

/// The panel while it is up.
struct Show {
    terminal: Terminal,
    screen: Surface<Out>,
    /// What the rows on the screen were drawn from.
    still: Option<Still>,
    theme: Theme,
    colours: bool,
    /// What the terminal said of its background.
    light: Option<bool>,
    /// Until when the first frame waits for that.
    awaited: Option<Instant>,
    world: World,
    clipboard: Option<Clipboard>,
    inbox: Receiver<Incoming>,
    /// When what was copied last is to be cleared, by the clock on the wall.
    clear_at: Option<UnixTime>,
    leaving: bool,
}

impl Show {
    /// Stays until the user leaves; `trouble` is what is wrong with the theme.
    fn run(&mut self, panel: &Panel, trouble: Option<String>) -> Result<(), PanelError> {
        let size = self.screen.size()?;
        let (start, habits, unwritten) = start(panel, (size.width, size.height));
        let mut model = if panel.demo { Model::demo(start, demo_vault()) } else { Model::new(start) };
        model.habits = habits;
        model.unwritten = unwritten;
        if !panel.demo {
            rules::govern(&mut model, &panel.policy, &panel.paths.state_dir, panel.paths.profile.as_deref());
        }
        if let Some(trouble) = trouble {
            model.tell_at_opening(Tone::Warn, trouble);
        }
        let (mut drawn_once, mut was_open) = (false, false);
        // Nothing but time has passed since the last drawing.
        let mut calm = false;
        while !self.leaving {
            // Nothing is known for the first milliseconds: an empty frame would only flicker.
            self.awaited = self.awaited.filter(|until| Instant::now() < *until);
            if drawn_once || self.awaited.is_none() && !matches!(model.stage, Stage::Opening) {
                drawn_once = true;
                self.show(&mut model, calm)?;
            }
            // Just opened, what was typed has served; locked, nothing at all is to be left.
            let open = model.session().is_some();
            if !(open && was_open) {
                secret::scrub_stack();
            }
            was_open = open;
            let mut next = match wait(&self.inbox, &model, self.awaited) {
                Woken::Event(incoming) => Some(incoming),
                Woken::Time => None,
                Woken::End => break,
            };
            let mut effects = update(&mut model, Event::Tick(UnixTime::now()));
            self.clear_when_due();
            calm = next.is_none() && effects.is_empty();
            // Whatever else has arrived meanwhile is drawn in the same frame.
            while let Some(incoming) = next {
                effects.extend(self.take_in(&mut model, incoming)?);
                next = self.inbox.try_recv().ok();
            }
            for effect in effects {
                self.perform(&mut model, effect)?;
            }
        }
        self.last_words(&model)
    }

    /// Draws what differs: all of it, or in a calm second what stands above the rows.
    fn show(&mut self, model: &mut Model, calm: bool) -> io::Result<()> {
        let (still, theme) = (Still::of(model), &self.theme);
        let stays = still.filter(|_| calm && still == self.still);
        self.still = still;
        if let Some(Still { above, .. }) = stays
            && self.screen.draw_above(above, |cells| paint_above(model, theme, cells))?
        {
            return Ok(());
        }
        self.draw(model)
    }

    /// Draws the model in the size that the terminal has by now: it may have changed since its last word.
    fn draw(&mut self, model: &mut Model) -> io::Result<()> {
        self.draw_once(model)?;
        if self.screen.screen().take_stale() {
            self.redraw()?;
            self.draw_once(model)?;
        }
        Ok(())
    }

    fn draw_once(&mut self, model: &mut Model) -> io::Result<()> {
        let theme = &self.theme;
        self.screen.draw(|cells| {
            model.resize(cells.area.width, cells.area.height);
            paint(model, theme, cells)
        })
    }

    /// Turns what arrived into effects.
    fn take_in(&mut self, model: &mut Model, incoming: Incoming) -> Result<Vec<Effect>, PanelError> {
        let event = match incoming {
            Incoming::Event(event) => *event,
            Incoming::Clipboard(report) => return self.clipboard_said(model, report),
            Incoming::Input(input) => match *input {
                Input::Key(key) => {
                    #[cfg(debug_assertions)]
                    panic_if_told(key);
                    Event::Key(key)
                }
                Input::Light(light) => {
                    self.light = Some(light);
                    self.awaited = None;
                    self.dress(model);
                    return Ok(Vec::new());
                }
                Input::Focus => Event::Focused,
                Input::Mouse(mouse) => Event::Mouse(mouse),
                Input::Paste(text) => Event::Paste(text),
                Input::Resize(width, height) => Event::Resize(width, height),
                Input::Gone | Input::Signal(Signal::Quit) => Event::EndNow,
                Input::Signal(Signal::HangUp) => Event::LockNow,
                Input::Signal(Signal::Suspend) => return Ok(vec![Effect::Suspend]),
                // Stopped from outside and continued behind the shell's back: as after Ctrl-Z.
                Input::Signal(Signal::Continue) if !terminal::in_foreground() => return Ok(vec![Effect::Suspend]),
                Input::Signal(Signal::Continue) => {
                    self.terminal.take()?;
                    return Ok(vec![Effect::Redraw]);
                }
            },
        };
        tracing::debug!(event = event.name(), "event");
        let config_changed = matches!(event, Event::Config(Ok(_)));
        let governed = matches!(event, Event::Policy(Ok(_)));
        let effects = update(model, event);
        if governed {
            self.world.policy = Arc::new(model.policy.clone());
        }
        if config_changed {
            if self.light.is_none() && self.colours && theme::is_auto(&model.config.theme) {
                self.terminal.ask_background()?;
            }
            self.dress(model);
            self.world.config = Arc::new((*model.config).clone());
        }
        Ok(effects)
    }

    /// Takes up the theme that the config names.
    fn dress(&mut self, model: &mut Model) {
        let (theme, trouble) = theme::find(&model.config.theme, &self.world.config_file, self.colours, self.light);
        self.theme = theme;
        if let Some(trouble) = trouble {
            model.tell_at_opening(Tone::Warn, trouble);
        }
    }

    fn clipboard_said(&mut self, model: &mut Model, report: ClipboardReport) -> Result<Vec<Effect>, PanelError> {
        let event = match report {
            ClipboardReport::Copied(copied) => {
                // The plain case says nothing beyond what the panel says.
                let how = copied.describe();
                Event::Copied(Ok(if how == "copied" { String::new() } else { how.to_owned() }))
            }
            ClipboardReport::Failed(error) => Event::Copied(Err(error.to_string())),
            // Text comes first, then a picture. Some programs that offer a picture alone answer for text with nonsense.
            ClipboardReport::Text(Err(_)) => {
                if let Some(clipboard) = &mut self.clipboard {
                    clipboard.image();
                }
                return Ok(Vec::new());
            }
            ClipboardReport::Text(Ok(text)) => Event::ClipboardText(Ok(text)),
            ClipboardReport::Image(Ok(picture)) => {
                self.world.read_picture(picture);
                return Ok(Vec::new());
            }
            ClipboardReport::Image(Err(error)) => Event::ClipboardText(Err(error.to_string())),
            ClipboardReport::ToTerminal(bytes) => {
                self.screen.screen().pass(bytes.expose())?;
                return Ok(Vec::new());
            }
            ClipboardReport::Cleared(_) => return Ok(Vec::new()),
        };
        Ok(update(model, event))
    }

    fn perform(&mut self, model: &mut Model, effect: Effect) -> Result<(), PanelError> {
        match effect {
            Effect::Quit => self.leaving = true,
            Effect::Suspend if terminal::can_suspend() && !self.leaving => {
                // Stopped, nobody here could hand out what was copied, or clear it in time.
                let lent = self.clipboard.as_mut().is_none_or(|clipboard| clipboard.lend(LEND));
                let stopped = self.terminal.suspend()?;
                if stopped == Stopped::ToEnd {
                    for effect in update(model, Event::EndNow) {
                        self.perform(model, effect)?;
                    }
                }
                if stopped == Stopped::Back {
                    // Time went by: perhaps too much for anything but the lock screen to be drawn.
                    for effect in update(model, Event::Tick(UnixTime::now())) {
                        self.perform(model, effect)?;
                    }
                    if self.clear_when_due() && !lent {
                        model.say(Tone::Info, "what was copied is cleared only now: the panel stood still");
                    }
                    self.redraw()?;
                }
            }
            Effect::Suspend => {}
            Effect::Redraw => self.redraw()?,
            Effect::Mouse(on) => self.terminal.set_mouse(on)?,
            Effect::Demo => {
                let start = Start {
                    config: model.config.clone(),
                    device: model.device,
                    seed: entropy::secret(),
                    now: UnixTime::now(),
                    size: model.size,
                    profile: model.profile.clone(),
                    vault_path: model.vault_path.clone(),
                };
                *model = Model::demo(start, demo_vault());
            }
            Effect::Copy(text, secs) => {
                let method = &model.config.clipboard.method;
                if let Some(clipboard) = &mut self.clipboard {
                    clipboard.copy(text, secs.into(), method);
                    self.clear_at = (secs > 0).then(|| UnixTime::now().plus_secs(secs.into()));
                }
            }
            Effect::ClearClipboard => {
                self.clear_at = None;
                if let Some(clipboard) = &mut self.clipboard {
                    clipboard.clear_now();
                }
            }
            Effect::ReadClipboard => {
                if let Some(clipboard) = &mut self.clipboard {
                    clipboard.text();
                }
            }
            other => self.world.perform_in_background(other),
        }
        Ok(())
    }

    /// Clears what was copied if its time is over by the clock on the wall: the clipboard's own timer stands still while
    /// the computer sleeps. Whether it was.
    fn clear_when_due(&mut self) -> bool {
        let due = self.clear_at.is_some_and(|at| at <= UnixTime::now());
        if due {
            self.clear_at = None;
            if let Some(clipboard) = &mut self.clipboard {
                clipboard.clear_now();
            }
        }
        due
    }

    fn redraw(&mut self) -> io::Result<()> {
        self.screen.screen().forget();
        self.screen.clear()?;
        Ok(())
    }
}

/// Lets a test see what a fault in the panel does: a debug build panics at F12 where the variable is set.
#[cfg(debug_assertions)]
fn panic_if_told(key: crossterm::event::KeyEvent) {
    let told = key.code == crossterm::event::KeyCode::F(12) && std::env::var_os("OTPANEL_TEST_PANIC").is_some();
    assert!(!told, "on purpose");
}

fn start(panel: &Panel, size: (u16, u16)) -> (Start, Habits, BTreeSet<SlotId>) {
    let local = if panel.demo { Local::unkept() } else { Local::open_or_unkept(&panel.paths.state_dir) };
    let start = Start {
        config: Box::new(locale::fitted(panel.config.clone())),
        device: DeviceId(local.device()),
        seed: entropy::secret(),
        now: UnixTime::now(),
        size,
        profile: panel.paths.profile.clone().unwrap_or_else(|| String::from("personal")),
        vault_path: panel.paths.vault_file.display().to_string(),
    };
    (start, perform::habits(&local), perform::unwritten(&local))
}
