//! What the process does about itself before it holds a secret: no core dumps, no debugger of another program of the
//! same user, no file of ours that others can read.

/// Makes a panic tell its place and nothing else: its message may quote a value.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        super::output::say(&format!(
            "otpanel: A mistake in otpanel itself: it panicked{place}\n   \
             do: Run it again; what was saved is whole. Please report it with that place."
        ));
    }));
}

#[cfg(unix)]
/// Core limit 0, not dumpable (Linux), umask 077; a limit of file sizes is an error of the write, and no end without a word.
/// What the system refuses is left as it is: `doctor` tells.
pub fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

#[cfg(not(unix))]
/// Nothing to do here.
pub fn harden() {}

/// Whether core dumps are off, for `doctor`; none where the system decides.
#[cfg(unix)]
pub fn dumps_are_off() -> Option<bool> {
    Some(rustix::process::getrlimit(rustix::process::Resource::Core).current == Some(0))
}

/// Whether core dumps are off, for `doctor`; none where the system decides.
#[cfg(not(unix))]
pub fn dumps_are_off() -> Option<bool> {
    None
}
