//! Takes the terminal over and gives it back as it was, whatever ends the program; reads keys and signals on threads.
//!
//! Only plain switches are used, which a terminal that does not know them ignores, and one question that need not be answered:
//! for the background, where the theme depends on it. The mouse is asked for clicks and the wheel alone: a
//! program that hears every movement wakes up for each.

use std::io::{self, Write};
use std::panic;
#[cfg(unix)]
use std::sync::atomic::AtomicU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
#[cfg(unix)]
use std::time::Duration;

use super::background;
use super::input::Input;
#[cfg(unix)]
use super::input::Signal;
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
/// A signal to end has come.
#[cfg(unix)]
static ENDING: AtomicBool = AtomicBool::new(false);

/// Alternate screen, bracketed paste, cleared, cursor hidden; and word of the window that gets the keys, which a console of
/// Windows gives unasked.
#[cfg(unix)]
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[m\x1b[2J\x1b[?25l";
#[cfg(not(unix))]
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[m\x1b[2J\x1b[?25l";
/// Clicks and wheel, in the form that knows no limit of columns.
#[cfg(unix)]
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
#[cfg(unix)]
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// Everything back, in reverse.
#[cfg(unix)]
const LEAVE: &[u8] = b"\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[m\x1b[?25h\x1b[?1049l";
#[cfg(not(unix))]
const LEAVE: &[u8] = b"\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[m\x1b[?25h\x1b[?1049l";

/// Asks for the mouse, or no longer.
#[cfg(unix)]
fn hear_mouse(out: &mut Out, on: bool) -> io::Result<()> {
    out.write_all(if on { MOUSE } else { MOUSE_OFF })
}

/// Asks for the mouse, or no longer: on Windows by the console's mode, not by an escape sequence.
#[cfg(not(unix))]
fn hear_mouse(out: &mut Out, on: bool) -> io::Result<()> {
    use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
    if on { crossterm::execute!(out, EnableMouseCapture) } else { crossterm::execute!(out, DisableMouseCapture) }
}

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
        // A console of Windows takes escape sequences as text until it is told otherwise, which asking for them does.
        #[cfg(windows)]
        if !crossterm::ansi_support::supports_ansi() {
            return Err(io::Error::other(
                "this console takes no escape sequences; Windows 10 and later have one that does",
            ));
        }
        crossterm::terminal::enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        let mut out = out()?;
        out.write_all(ENTER)?;
        if self.mouse {
            hear_mouse(&mut out, true)?;
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
            hear_mouse(&mut out, mouse)?;
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

    /// Gives the terminal to the shell and stops, as Ctrl-Z does; comes back when continued in the foreground, with
    /// everything to be drawn anew, or when told to end.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn suspend(&self) -> io::Result<Stopped> {
        #[cfg(unix)]
        {
            use std::time::{Duration, Instant};

            use rustix::process::{Signal, kill_current_process_group};
            if !can_suspend() {
                return Ok(Stopped::Never);
            }
            restore();
            loop {
                let before = CONTINUED.load(Ordering::SeqCst);
                // Everybody in the foreground, as the terminal's own key does it: a wrapper must not go on waiting.
                kill_current_process_group(Signal::STOP)?;
                // The stop may reach this thread a moment later, the terminal being the shell's by then: no step before
                // the signal that ends it, which the signals' thread hears.
                let end = Instant::now() + Duration::from_secs(1);
                while CONTINUED.load(Ordering::SeqCst) == before && Instant::now() < end {
                    thread::sleep(Duration::from_millis(2));
                }
                if in_foreground() {
                    self.take()?;
                    return Ok(Stopped::Back);
                }
                // Continued behind the shell's back: to end, if the signal for it came too; else only to stop again, as
                // touching the terminal would.
                let end = Instant::now() + Duration::from_millis(100);
                while Instant::now() < end {
                    if ENDING.load(Ordering::SeqCst) {
                        return Ok(Stopped::ToEnd);
                    }
                    thread::sleep(Duration::from_millis(2));
                }
            }
        }
        #[cfg(not(unix))]
        Ok(Stopped::Never)
    }
}

/// What came of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// No shell could have continued the program: nothing was done.
    Never,
    /// It was continued, and the terminal is ours again.
    Back,
    /// It is to end; the terminal is the shell's.
    ToEnd,
}

/// Whether the terminal is ours to touch: a program behind the shell's back that does so is stopped.
pub fn in_foreground() -> bool {
    #[cfg(unix)]
    {
        let group = rustix::process::getpgrp();
        // Who cannot tell has no shell beside it.
        rustix::termios::tcgetpgrp(io::stdout()).map_or(true, |foreground| foreground == group)
    }
    #[cfg(not(unix))]
    true
}

/// Whether a shell could continue the program after a stop: a terminal's first program has nobody behind it, and would
/// stand still for ever.
pub fn can_suspend() -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{getpgid, getsid};
        getpgid(None).is_ok_and(|group| getsid(None).is_ok_and(|session| group != session))
    }
    #[cfg(not(unix))]
    false
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
            #[cfg(windows)]
            drop(hear_mouse(&mut out, false));
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

/// Turns what crossterm says into what the panel wants to know.
#[cfg(not(unix))]
fn input(event: crossterm::event::Event) -> Option<Input> {
    use crossterm::event::{Event, KeyEventKind, MouseEventKind};
    match event {
        Event::Key(key) => (key.kind != KeyEventKind::Release).then_some(Input::Key(key)),
        // A console tells every movement.
        Event::Mouse(mouse) if matches!(mouse.kind, MouseEventKind::Moved | MouseEventKind::Drag(_)) => None,
        Event::Mouse(mouse) => Some(Input::Mouse(mouse)),
        Event::Paste(text) => Some(Input::Paste(Secret::new(text))),
        Event::Resize(width, height) => Some(Input::Resize(width, height)),
        Event::FocusGained => Some(Input::Focus),
        Event::FocusLost => None,
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
                _ => {
                    ENDING.store(true, Ordering::SeqCst);
                    Input::Signal(Signal::Quit)
                }
            };
            if !send(input) {
                return;
            }
        }
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}

/// Waits until the terminal hangs up: a read that waits for a key is not always told.
#[cfg(unix)]
fn watch_hang_up(send: impl Fn(Input) -> bool + Send + 'static) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};

    let tty = keyboard()?;
    let wait = move || {
        // Asked for nothing, poll tells of the end alone.
        while poll(&mut [PollFd::new(&tty, PollFlags::empty())], None) == Err(rustix::io::Errno::INTR) {}
        send(Input::Gone);
    };
    thread::Builder::new().name("hang-up".into()).spawn(wait)?;
    Ok(())
}

/// The terminal that keys come from.
#[cfg(unix)]
fn keyboard() -> io::Result<std::fs::File> {
    use std::io::IsTerminal;
    use std::os::fd::AsFd;

    if io::stdin().is_terminal() {
        return Ok(io::stdin().as_fd().try_clone_to_owned()?.into());
    }
    std::fs::File::open("/dev/tty")
}

/// How long an escape character may be the beginning of the terminal's answer, once it was asked.
#[cfg(unix)]
const BEGINS: Duration = Duration::from_millis(30);
/// How often it is looked whether the terminal is ours again.
#[cfg(unix)]
const BACKGROUND: Duration = Duration::from_millis(50);
/// How long what has begun may stay open.
#[cfg(unix)]
const OPEN: Duration = Duration::from_secs(1);

/// Reads until the terminal is gone or nobody listens. Nothing of what was typed stays here: it may be a password.
#[cfg(unix)]
fn read_keys(send: &impl Fn(Input) -> bool) {
    use std::io::Read;

    use super::reader::Reader;

    let Ok(mut tty) = keyboard() else { return };
    let mut reader = Reader::new();
    // On the heap and not in a frame, whose copies nobody wipes.
    let mut chunk = Secret::new(vec![0; 4096]);
    let mut held = false;
    loop {
        if reader.is_open() && !more_within(&tty, Some(OPEN)) {
            reader.give_up();
        }
        // Behind the shell's back, reading would stop the program before any signal is heard that tells it to end.
        more_within(&tty, None);
        if !in_foreground() {
            thread::sleep(BACKGROUND);
            continue;
        }
        match tty.read(chunk.expose_mut()) {
            Ok(0) => return,
            Ok(n) => {
                let read = &chunk.expose()[..n];
                // What was held back and goes on otherwise is a key by itself.
                let before = if held && !reader.goes_on(read) { reader.feed(&[], false) } else { Vec::new() };
                held = ASKED.load(Ordering::SeqCst) && reader.may_go_on(read) && more_within(&tty, Some(BEGINS));
                let more = held || n == chunk.expose().len();
                for input in before.into_iter().chain(reader.feed(read, more)) {
                    if matches!(input, Input::Light(_)) {
                        ASKED.store(false, Ordering::SeqCst);
                    }
                    if !send(input) {
                        return;
                    }
                }
                chunk.expose_mut()[..n].fill(0);
                crate::secret::scrub_stack();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Whether the terminal has something to read within a time, or at all.
#[cfg(unix)]
fn more_within(tty: &std::fs::File, time: Option<Duration>) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let time = time.map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
    poll(&mut [PollFd::new(tty, PollFlags::IN)], time.as_ref()).is_ok_and(|ready| ready > 0)
}

/// Reads until the terminal is gone or nobody listens.
#[cfg(not(unix))]
fn read_keys(send: &impl Fn(Input) -> bool) {
    while let Ok(event) = crossterm::event::read() {
        if input(event).is_some_and(|input| !send(input)) {
            return;
        }
    }
}
