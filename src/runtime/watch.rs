//! Tells when the vault, a copy of it, the config or the machine's policy changed, by whatever means: replaced, rewritten, linked elsewhere.
//!
//! Folders are watched, not files: after a rename over it a file watch is deaf. Events of a burst are gathered until
//! 100 ms pass without one. Where the system announces nothing (network folders, no more watches to be had) the files
//! are looked at every 2 seconds; otherwise nothing wakes up while nothing changes.

mod heads;
mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

pub use heads::Heads;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
pub use plan::{Changed, Targets};
use plan::{Meaning, Plan};

/// A burst is over after so long without an event.
const QUIET: Duration = Duration::from_millis(100);
/// A burst that does not end is told of after so long anyway.
const BURST: Duration = Duration::from_millis(400);
/// How often files are looked at where nothing is announced.
const POLL: Duration = Duration::from_secs(2);

/// How changes are noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The system announces them.
    Native,
    /// The files are looked at every 2 seconds, for the reason given.
    Polling(String),
}

/// A watch. Ends on drop.
pub struct Watch {
    news: Sender<News>,
    how: Arc<Mutex<How>>,
}

enum News {
    Seen(Meaning),
    /// Events were lost: everything may have changed.
    Lost,
    Stop,
}

/// How the files looked at a moment: what changes from then on is told by the watch that begins with it, however late it
/// begins.
pub struct Since {
    targets: Targets,
    looks: BTreeMap<PathBuf, (Changed, Look)>,
}

impl Since {
    /// Takes the look of all files now.
    pub fn now(targets: Targets) -> Self {
        let present = Plan::make(&targets).present().into_iter();
        let looks = present.map(|(path, changed)| (path.clone(), (changed, look_at(&path)))).collect();
        Self { targets, looks }
    }
}

impl Watch {
    /// Starts to watch; `changed` is called on the watch's own thread and must not block. What changed since the files were
    /// looked at is told first.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(since: Since, changed: impl Fn(Changed) + Send + 'static) -> io::Result<Self> {
        let Since { targets, looks } = since;
        let (news, heard) = channel();
        let how = Arc::new(Mutex::new(How::Native));
        let mut watcher = Watching {
            targets,
            plan: Arc::new(Mutex::new(Plan::default())),
            native: None,
            watched: BTreeSet::new(),
            looks,
            how: Arc::clone(&how),
            news: news.clone(),
        };
        watcher.renew();
        // From here on the system announces changes: what came before is found by looking once more.
        let mut missed = BTreeSet::new();
        watcher.look(&mut missed);
        let run = move || {
            missed.into_iter().for_each(&changed);
            watcher.run(&heard, &changed);
        };
        thread::Builder::new().name("watch".into()).spawn(run)?;
        Ok(Self { news, how })
    }

    /// How changes are noticed now.
    pub fn how(&self) -> How {
        self.how.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.news.send(News::Stop));
    }
}

/// What can be seen of a file without opening it.
type Look = Option<(u64, Option<SystemTime>, u64)>;

struct Watching {
    targets: Targets,
    plan: Arc<Mutex<Plan>>,
    native: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    looks: BTreeMap<PathBuf, (Changed, Look)>,
    how: Arc<Mutex<How>>,
    news: Sender<News>,
}

impl Watching {
    fn run(mut self, heard: &Receiver<News>, changed: &impl Fn(Changed)) {
        loop {
            let first = match self.wait(heard) {
                Ok(news) => Some(news),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut found = BTreeSet::new();
            if first.is_some_and(|first| !gather(first, heard, &mut found)) {
                return;
            }
            // A link may lead elsewhere now, a folder may have come or gone, and files in it with it.
            self.renew();
            self.look(&mut found);
            found.into_iter().for_each(changed);
        }
    }

    fn wait(&self, heard: &Receiver<News>) -> Result<News, RecvTimeoutError> {
        let native = *self.how.lock().unwrap_or_else(PoisonError::into_inner) == How::Native;
        if native { heard.recv().map_err(|_| RecvTimeoutError::Disconnected) } else { heard.recv_timeout(POLL) }
    }

    /// Plans anew and watches what the plan says.
    fn renew(&mut self) {
        let plan = Plan::make(&self.targets);
        let wanted: BTreeSet<PathBuf> = plan.folders.iter().cloned().collect();
        let deaf = wanted.iter().find_map(|folder| plan::deaf(folder));
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
        let how = match deaf {
            Some(kind) => How::Polling(format!("changes in a folder on {kind} are not announced")),
            None => match self.watch(&wanted) {
                Ok(()) => How::Native,
                Err(error) => How::Polling(format!("the system gives no watch: {error}")),
            },
        };
        if how != How::Native {
            self.native = None;
            self.watched.clear();
        }
        *self.how.lock().unwrap_or_else(PoisonError::into_inner) = how;
    }

    fn watch(&mut self, wanted: &BTreeSet<PathBuf>) -> notify::Result<()> {
        let watcher = match &mut self.native {
            Some(watcher) => watcher,
            empty => empty.insert(native(Arc::clone(&self.plan), self.news.clone())?),
        };
        for gone in self.watched.difference(wanted) {
            drop(watcher.unwatch(gone));
        }
        for folder in wanted {
            // Again for those that are watched: one deleted and made anew is another folder under the old name.
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        self.watched.clone_from(wanted);
        Ok(())
    }

    /// Looks at all files and adds those that look other than last time.
    fn look(&mut self, found: &mut BTreeSet<Changed>) {
        let present = self.plan.lock().unwrap_or_else(PoisonError::into_inner).present();
        let mut looks = BTreeMap::new();
        for (path, changed) in present {
            let look = look_at(&path);
            if self.looks.remove(&path).map_or(look.is_some(), |(_, before)| before != look) {
                found.insert(changed.clone());
            }
            looks.insert(path, (changed, look));
        }
        // What was there and is not even looked for any more: its file is gone.
        let gone = std::mem::replace(&mut self.looks, looks);
        found.extend(gone.into_values().filter(|(_, look)| look.is_some()).map(|(changed, _)| changed));
    }
}

/// Gathers a burst; `false` to stop.
fn gather(first: News, heard: &Receiver<News>, found: &mut BTreeSet<Changed>) -> bool {
    let end = Instant::now() + BURST;
    let mut next = Ok(first);
    while let Ok(news) = next {
        match news {
            News::Seen(Meaning::Changed(changed)) => drop(found.insert(changed)),
            News::Seen(Meaning::Way) => {}
            News::Lost => found.extend([Changed::Vault, Changed::Config, Changed::Policy]),
            News::Stop => return false,
        }
        next = heard.recv_timeout(QUIET.min(end.saturating_duration_since(Instant::now())));
    }
    true
}

/// The system's watcher; it passes on what the plan gives a meaning to.
fn native(plan: Arc<Mutex<Plan>>, news: Sender<News>) -> notify::Result<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else {
            drop(news.send(News::Lost));
            return;
        };
        if event.need_rescan() {
            drop(news.send(News::Lost));
        }
        // Reading makes events, too, our own reading among them.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        for path in &event.paths {
            if let Some(meaning) = plan.meaning(path) {
                drop(news.send(News::Seen(meaning)));
            }
        }
    })
}

fn look_at(path: &std::path::Path) -> Look {
    let meta = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let inode = 0;
    Some((meta.len(), meta.modified().ok(), inode))
}

#[cfg(test)]
mod tests;
