//! Tells which files come into a folder, or change there: the backups of other devices, which a sync tool brings. Folders of which
//! the system announces nothing (another machine's) are left to the regular look: nobody waits for a backup.

use std::path::{Path, PathBuf};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::plan::deaf;

/// A watch of one folder, not of those in it. Ends on drop.
pub struct Heads {
    folder: PathBuf,
    watcher: RecommendedWatcher,
}

impl Heads {
    /// Starts, where changes in the folder are announced; `came` is called on the system's own thread and must not block.
    pub fn start(folder: &Path, came: impl Fn(&Path) + Send + 'static) -> Option<Self> {
        if deaf(folder).is_some() {
            return None;
        }
        let told = move |event: notify::Result<notify::Event>| {
            // Reading makes events, too, our own reading among them.
            if let Some(event) = event.ok().filter(|event| !matches!(event.kind, EventKind::Access(_))) {
                event.paths.iter().for_each(|path| came(path));
            }
        };
        let watcher = notify::recommended_watcher(told).ok()?;
        let mut heads = Self { folder: folder.to_owned(), watcher };
        heads.renew().then_some(heads)
    }

    /// Watches again what lies under the name now: deleted and made anew it is another folder. Whether it is there.
    pub fn renew(&mut self) -> bool {
        let watched = self.watcher.watch(&self.folder, RecursiveMode::NonRecursive);
        watched.inspect_err(|error| tracing::debug!(%error, "no head that comes is heard")).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_that_is_renamed_into_the_folder_is_told_and_reading_it_is_not() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("head");
        assert!(Heads::start(&folder, |_| {}).is_none(), "it is not there yet");
        fs::create_dir(&folder).unwrap();
        let (send, told) = channel();
        let mut heads = Heads::start(&folder, move |path| drop(send.send(path.to_owned()))).unwrap();
        let put = |name: &str| {
            fs::write(home.path().join("new"), "x").unwrap();
            fs::rename(home.path().join("new"), folder.join(name)).unwrap();
        };
        put("a");
        assert_eq!(told.recv_timeout(Duration::from_secs(30)).unwrap(), folder.join("a"));
        while told.recv_timeout(Duration::from_millis(600)).is_ok() {}
        fs::read(folder.join("a")).unwrap();
        assert!(told.recv_timeout(Duration::from_millis(600)).is_err());
        // Made anew, it is watched again by name.
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        assert!(heads.renew());
        while told.recv_timeout(Duration::from_millis(600)).is_ok() {}
        put("b");
        assert_eq!(told.recv_timeout(Duration::from_secs(30)).unwrap(), folder.join("b"));
    }
}
