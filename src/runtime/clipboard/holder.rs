//! What the holder does, in its own process; [`super::hold()`] starts it.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Duration;

use super::hands::Hands;
use super::hold::name;
use super::ways::{Surroundings, Way};
use crate::secret::Secret;

/// The holder itself: call it first thing in `main` with the arguments after [`HOLD`](super::HOLD), and end afterwards. `false` when
/// it could not copy.
pub fn hold(args: &[String]) -> bool {
    #[cfg(unix)]
    {
        // Away from the terminal and its signals; from any folder that somebody may want to unmount.
        let _ = rustix::process::setsid();
        drop(std::env::set_current_dir("/"));
    }
    let secs = args.first().and_then(|secs| secs.parse().ok()).unwrap_or(30);
    let mut ways = Vec::new();
    for (at, word) in args.iter().enumerate().skip(1) {
        match word.as_str() {
            "native" => ways.push(Way::Native),
            "tmux" => ways.push(Way::Tmux),
            _ => {
                ways.push(Way::Command(args[at + 1..].to_vec()));
                break;
            }
        }
    }
    let mut text = Secret::new(String::new());
    if std::io::stdin().read_to_string(text.expose_mut()).is_err() {
        return false;
    }
    let mut hands = Hands::new(Surroundings::here());
    let result = hands.copy(text, (ways, vec![]));
    let line = match &result {
        Ok(copied) => format!("copied {}\n", copied.ways.iter().map(name).collect::<Vec<_>>().join(",")),
        Err(error) => format!("failed {}\n", error.to_string().replace('\n', " ")),
    };
    drop(std::io::stdout().write_all(line.as_bytes()).and_then(|()| std::io::stdout().flush()));
    let Ok(copied) = result else { return false };
    let native = copied.ways.contains(&Way::Native);
    if secs > 0 {
        thread::sleep(Duration::from_secs(secs));
        drop(hands.clear());
    } else if native {
        // Until something else is copied. The library can wait for that, but not on every system.
        while hands.still_ours() {
            thread::sleep(Duration::from_secs(10));
        }
    }
    true
}
