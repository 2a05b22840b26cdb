//! Takes the terminal over and gives it back as it was, whatever ends the program; reads keys and signals on threads.
//!
//! Only plain switches are used, and one question that need not be answered: for the background, where the theme depends on
//! it. The mouse is asked for clicks and the wheel alone: a
//! program that hears every movement wakes up for each.

use std::io::{self, Write};
use std::panic;
#[cfg(unix)]
use std::sync::atomic::AtomicU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseEvent};

use super::background::{self, Answers, Told};
use crate::secret::Secret;

/// Whether the terminal is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// The thread that took it: its end is the panel's end.
static PANEL: Mutex<Option<ThreadId>> = Mutex::new(None);
/// Whether the terminal was asked for its background and has not answered.
static ASKED: AtomicBool = AtomicBool::new(false);
/// How often the program has been continued after a stop.
#[cfg(unix)]
static CONTINUED: AtomicU32 = AtomicU32::new(0);

/// Alternate screen, bracketed paste, cleared, cursor hidden.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[m\x1b[2J\x1b[?25l";
/// Clicks and wheel, in the form that knows no limit of columns.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// Everything back, in reverse.
const LEAVE: &[u8] = b"\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[m\x1b[?25h\x1b[?1049l";

/// Where the panel writes to: a frame goes out in one piece.
#[cfg(unix)]
pub type Out = std::fs::File;
/// Where the panel writes to.
#[cfg(not(unix))]
pub type Out = io::Stdout;

/// The terminal on standard output, unbuffered.
///
/// # Errors
/// When standard output is closed.
#[cfg(unix)]
pub fn out() -> io::Result<Out> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// The terminal on standard output.
///
/// # Errors
/// Never on this system.
#[cfg(not(unix))]
pub fn out() -> io::Result<Out> {
    Ok(io::stdout())
}

/// The terminal while it is ours. Given back on drop.
pub struct Terminal {
    mouse: bool,
}

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When standard output is no terminal.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        let terminal = Self { mouse };
        *PANEL.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        terminal.take()?;
        Ok(terminal)
    }

    /// Sets up the terminal again: after a stop from outside, when the shell has changed it. Everything must be drawn
    /// anew afterwards.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn take(&self) -> io::Result<()> {
        crossterm::terminal::enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        let mut out = out()?;
        out.write_all(ENTER)?;
        if self.mouse {
            out.write_all(MOUSE)?;
        }
        out.flush()
    }

    /// Listens to the mouse or no longer (live config).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn set_mouse(&mut self, mouse: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.mouse, mouse) != mouse {
            let mut out = out()?;
            out.write_all(if mouse { MOUSE } else { b"\x1b[?1006l\x1b[?1000l" })?;
            out.flush()?;
        }
        Ok(())
    }

    /// Asks for the background's colour, where a terminal may answer: [`Input::Light`] tells. Says whether it was asked.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn ask_background(&self) -> io::Result<bool> {
        // The kernel's own console writes the question on the screen; a dumb one, too.
        let mute = |term: std::ffi::OsString| term == "linux" || term == "dumb";
        if cfg!(not(unix)) || std::env::var_os("TERM").is_none_or(mute) {
            return Ok(false);
        }
        ASKED.store(true, Ordering::SeqCst);
        let mut out = out()?;
        out.write_all(background::ASK)?;
        out.flush()?;
        Ok(true)
    }

    /// Gives the terminal to the shell and stops, as Ctrl-Z does; comes back when continued, with everything to be
    /// drawn anew. `false` where no shell could continue the program, and nothing was done.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn suspend(&self) -> io::Result<bool> {
        #[cfg(unix)]
        {
            use std::time::{Duration, Instant};

            use rustix::process::{Signal, getpgid, getsid, kill_current_process_group};
            // A terminal's first program has nobody behind it: it would stand still for ever.
            if getpgid(None)? == getsid(None)? {
                return Ok(false);
            }
            restore();
            let before = CONTINUED.load(Ordering::SeqCst);
            // Everybody in the foreground, as the terminal's own key does it: a wrapper must not go on waiting.
            kill_current_process_group(Signal::STOP)?;
            // The stop may reach this thread a moment later, the terminal being the shell's by then: no step before
            // the signal that ends it, which the signals' thread hears.
            let end = Instant::now() + Duration::from_secs(1);
            while CONTINUED.load(Ordering::SeqCst) == before && Instant::now() < end {
                thread::sleep(Duration::from_millis(2));
            }
            self.take()?;
            Ok(true)
        }
        #[cfg(not(unix))]
        Ok(false)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back if it is ours. Safe to call at any time, from any thread, more than once.
pub fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // Nothing can be done for a terminal that is gone.
        if let Ok(mut out) = out() {
            drop(out.write_all(LEAVE).and_then(|()| out.flush()));
        }
        // An answer that is on its way must not be typed into the shell.
        #[cfg(unix)]
        if ASKED.swap(false, Ordering::SeqCst) {
            let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
        }
        drop(crossterm::terminal::disable_raw_mode());
    }
}

/// From now on a panic first gives the terminal back, so that its report can be read. One on another thread than the
/// panel's leaves the panel up and goes to the log, by place alone.
pub fn install_panic_hook() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let panel = *PANEL.lock().unwrap_or_else(PoisonError::into_inner) == Some(thread::current().id());
        if panel || !ENTERED.load(Ordering::SeqCst) {
            restore();
            report(info);
        } else {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(thread = thread::current().name(), place, "panic");
        }
    }));
}

/// What comes in from the terminal and from signals.
pub enum Input {
    /// A key, pressed or repeated.
    Key(KeyEvent),
    /// The terminal's background is light, or not.
    Light(bool),
    /// A click, a release or the wheel.
    Mouse(MouseEvent),
    /// Text pasted as a whole.
    Paste(Secret<String>),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// A request from outside.
    Signal(Signal),
    /// The terminal is gone: nothing can be read or shown any more.
    Gone,
}

/// Requests from outside that the panel answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// TERM, INT, QUIT: end, with everything saved.
    Quit,
    /// HUP: the session ends; lock and end.
    HangUp,
    /// TSTP: call [`Terminal::suspend`].
    Suspend,
    /// CONT: the shell may have changed the terminal; call [`Terminal::take`] and draw anew.
    Continue,
}

/// Turns what crossterm says into what the panel wants to know.
fn input(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => (key.kind != KeyEventKind::Release).then_some(Input::Key(key)),
        Event::Mouse(mouse) => Some(Input::Mouse(mouse)),
        Event::Paste(text) => Some(Input::Paste(Secret::new(text))),
        // On Unix the signal says it, and says it once.
        Event::Resize(width, height) => (!cfg!(unix)).then_some(Input::Resize(width, height)),
        Event::FocusGained | Event::FocusLost => None,
    }
}

/// Starts the threads that read keys and signals. `send` answers `false` when nobody listens any more.
///
/// # Errors
/// When a thread or a signal handler cannot be set up.
pub fn listen(send: impl Fn(Input) -> bool + Clone + Send + 'static) -> io::Result<()> {
    #[cfg(unix)]
    {
        signals(send.clone())?;
        watch_hang_up(send.clone())?;
    }
    thread::Builder::new().name("input".into()).spawn(move || {
        read_keys(&send);
        send(Input::Gone);
    })?;
    Ok(())
}

#[cfg(unix)]
fn signals(send: impl Fn(Input) -> bool + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
    let all = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH];
    let mut signals = signal_hook::iterator::Signals::new(all)?;
    let wait = move || {
        for signal in signals.forever() {
            let input = match signal {
                SIGHUP => Input::Signal(Signal::HangUp),
                SIGTSTP => Input::Signal(Signal::Suspend),
                SIGCONT => {
                    CONTINUED.fetch_add(1, Ordering::SeqCst);
                    Input::Signal(Signal::Continue)
                }
                SIGWINCH => match crossterm::terminal::size() {
                    Ok((width, height)) => Input::Resize(width, height),
                    Err(_) => continue,
                },
                _ => Input::Signal(Signal::Quit),
            };
            if !send(input) {
                return;
            }
        }
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}

/// Waits until the terminal hangs up. crossterm does not notice that and spins for ever on what is left (its issue 793):
/// the program must end then, which takes the spinning thread with it.
#[cfg(unix)]
fn watch_hang_up(send: impl Fn(Input) -> bool + Send + 'static) -> io::Result<()> {
    use std::io::IsTerminal;
    use std::os::fd::{AsFd, OwnedFd};

    use rustix::event::{PollFd, PollFlags, poll};

    // The file that crossterm reads, too.
    let tty: OwnedFd = if io::stdin().is_terminal() {
        io::stdin().as_fd().try_clone_to_owned()?
    } else {
        std::fs::File::open("/dev/tty")?.into()
    };
    let wait = move || {
        // Asked for nothing, poll tells of the end alone.
        while poll(&mut [PollFd::new(&tty, PollFlags::empty())], None) == Err(rustix::io::Errno::INTR) {}
        send(Input::Gone);
    };
    thread::Builder::new().name("hang-up".into()).spawn(wait)?;
    Ok(())
}

/// Reads until the terminal is gone or nobody listens.
fn read_keys(send: &impl Fn(Input) -> bool) {
    let mut answers = Answers::default();
    loop {
        if let Some(patience) = answers.patience() {
            match crossterm::event::poll(patience) {
                Ok(true) => {}
                Ok(false) => {
                    if answers.give_up().into_iter().any(|key| !send(Input::Key(key))) {
                        return;
                    }
                    continue;
                }
                Err(_) => return,
            }
        }
        let Ok(event) = crossterm::event::read() else { return };
        let heard = match input(event) {
            Some(Input::Key(key)) if ASKED.load(Ordering::SeqCst) => match answers.key(key) {
                Told::Keys(keys) => keys.into_iter().map(Input::Key).collect(),
                told => {
                    ASKED.store(false, Ordering::SeqCst);
                    if let Told::Light(light) = told { vec![Input::Light(light)] } else { Vec::new() }
                }
            },
            other => other.into_iter().collect(),
        };
        if heard.into_iter().any(|input| !send(input)) {
            return;
        }
    }
}
