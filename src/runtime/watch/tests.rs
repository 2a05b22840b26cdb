//! The watch against a real folder, in the ways in which editors, sync tools and people change files.

use std::path::Path;

use super::*;

/// How long a word may take on a busy machine: it ends a hang, and is no claim.
const LIMIT: Duration = Duration::from_secs(30);
/// Longer than a burst lasts.
const SILENCE: Duration = Duration::from_millis(600);

struct Scene {
    dir: tempfile::TempDir,
    heard: Receiver<Changed>,
    watch: Watch,
}

fn scene(prepare: impl FnOnce(&Path), vault: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    let (say, heard) = channel();
    let targets = Targets { vault: dir.path().join(vault), config: Some(dir.path().join("config.ron")), policy: None };
    let watch = Watch::start(Since::now(targets), move |changed| drop(say.send(changed))).unwrap();
    Scene { dir, heard, watch }
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What is told until no more comes, in its order.
    fn all_told(&self) -> Vec<Changed> {
        let mut told: Vec<_> = self.heard.recv_timeout(LIMIT).into_iter().collect();
        while let Ok(more) = self.heard.recv_timeout(SILENCE) {
            told.push(more);
        }
        told
    }

    /// The same as a set: a machine that is busy may make two bursts of one.
    fn told(&self) -> Vec<Changed> {
        let told: BTreeSet<_> = self.all_told().into_iter().collect();
        told.into_iter().collect()
    }

    /// Whether a change of the vault is told by one word: where the machine is not busy, and one of some tries meets that.
    fn told_once(&self, change: impl Fn()) -> bool {
        (0..10).any(|_| {
            change();
            let told = self.all_told();
            assert!(!told.is_empty() && told.iter().all(|changed| *changed == Changed::Vault), "{told:?}");
            told.len() == 1
        })
    }

    fn quiet(&self) -> bool {
        self.heard.recv_timeout(SILENCE).is_err()
    }
}

fn vault(dir: &Path) {
    fs::write(dir.join("vault.otpv"), "one").unwrap();
}

#[test]
fn what_changes_between_the_reading_and_the_watch_is_told_when_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    vault(dir.path());
    let config = Some(dir.path().join("config.ron"));
    let targets = || Targets { vault: dir.path().join("vault.otpv"), config: config.clone(), policy: None };
    let (say, heard) = channel();
    let since = Since::now(targets());
    fs::write(dir.path().join(".new"), "another").unwrap();
    fs::rename(dir.path().join(".new"), dir.path().join("vault.otpv")).unwrap();
    let watch = Watch::start(since, move |changed| drop(say.send(changed))).unwrap();
    assert_eq!(heard.recv_timeout(LIMIT), Ok(Changed::Vault));
    assert!(heard.recv_timeout(SILENCE).is_err(), "told once");
    drop(watch);
    let (say, heard) = channel();
    let _watch = Watch::start(Since::now(targets()), move |changed| drop(say.send(changed))).unwrap();
    assert!(heard.recv_timeout(SILENCE).is_err(), "nothing changed, nothing is told");
}

#[test]
fn a_rewritten_and_a_replaced_vault_are_told_once_each() {
    let scene = scene(vault, "vault.otpv");
    assert_eq!(scene.watch.how(), How::Native);
    for _ in 0..2 {
        assert!(scene.told_once(|| fs::write(scene.path("vault.otpv"), "two").unwrap()));
        assert!(scene.told_once(|| {
            fs::write(scene.path(".vault.tmp"), "three").unwrap();
            fs::rename(scene.path(".vault.tmp"), scene.path("vault.otpv")).unwrap();
        }));
    }
    fs::remove_file(scene.path("vault.otpv")).unwrap();
    assert_eq!(scene.told(), [Changed::Vault]);
}

#[test]
fn reading_and_other_files_are_not_told() {
    let scene = scene(vault, "vault.otpv");
    fs::read(scene.path("vault.otpv")).unwrap();
    fs::write(scene.path("notes.txt"), "x").unwrap();
    fs::write(scene.path(".vault.otpv.tmp"), "x").unwrap();
    assert!(scene.quiet());
}

#[test]
fn a_burst_is_told_once() {
    let scene = scene(vault, "vault.otpv");
    assert!(scene.told_once(|| {
        for n in 0..6 {
            fs::write(scene.path("vault.otpv"), n.to_string()).unwrap();
            thread::sleep(Duration::from_millis(20));
        }
    }));
}

#[test]
fn the_config_and_a_conflict_copy_are_told_apart() {
    let scene = scene(vault, "vault.otpv");
    fs::write(scene.path("config.ron"), "()").unwrap();
    assert_eq!(scene.told(), [Changed::Config]);
    let copy = scene.path("vault.sync-conflict-20260101-101010-ABCDEFG.otpv");
    fs::write(&copy, "x").unwrap();
    assert_eq!(scene.told(), [Changed::Copy(fs::canonicalize(copy).unwrap())]);
}

#[test]
fn a_folder_that_comes_later_is_watched_from_then_on() {
    let scene = scene(|_| {}, "a/b/vault.otpv");
    fs::create_dir_all(scene.path("a/b")).unwrap();
    vault(&scene.path("a/b"));
    assert_eq!(scene.told(), [Changed::Vault]);
    fs::write(scene.path("a/b/vault.otpv"), "two").unwrap();
    assert_eq!(scene.told(), [Changed::Vault]);
}

#[test]
fn a_folder_deleted_and_made_anew_is_watched_again() {
    let prepare = |dir: &Path| {
        fs::create_dir(dir.join("a")).unwrap();
        vault(&dir.join("a"));
    };
    let scene = scene(prepare, "a/vault.otpv");
    fs::remove_dir_all(scene.path("a")).unwrap();
    assert_eq!(scene.told(), [Changed::Vault]);
    fs::create_dir(scene.path("a")).unwrap();
    assert!(scene.quiet());
    vault(&scene.path("a"));
    assert_eq!(scene.told(), [Changed::Vault]);
}

#[cfg(unix)]
#[test]
fn a_linked_vault_is_watched_at_the_link_and_at_its_target() {
    use std::os::unix::fs::symlink;
    let prepare = |dir: &Path| {
        for name in ["here", "there", "elsewhere"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        vault(&dir.join("there"));
        fs::write(dir.join("elsewhere/vault.otpv"), "other").unwrap();
        symlink("../there/vault.otpv", dir.join("here/vault.otpv")).unwrap();
    };
    let scene = scene(prepare, "here/vault.otpv");
    fs::write(scene.path("there/vault.otpv"), "two").unwrap();
    assert_eq!(scene.told(), [Changed::Vault]);
    symlink("../elsewhere/vault.otpv", scene.path("here/new")).unwrap();
    fs::rename(scene.path("here/new"), scene.path("here/vault.otpv")).unwrap();
    assert_eq!(scene.told(), [Changed::Vault]);
    fs::write(scene.path("elsewhere/vault.otpv"), "three").unwrap();
    assert_eq!(scene.told(), [Changed::Vault]);
    fs::write(scene.path("there/vault.otpv"), "nobody's").unwrap();
    assert!(scene.quiet(), "the old target is nothing to us any more");
}

#[test]
fn where_nothing_is_announced_looking_finds_the_same() {
    let dir = tempfile::tempdir().unwrap();
    vault(dir.path());
    let (news, _heard) = channel();
    let mut watching = Watching {
        targets: Targets {
            vault: dir.path().join("vault.otpv"),
            config: Some(dir.path().join("config.ron")),
            policy: None,
        },
        plan: Arc::default(),
        native: None,
        watched: BTreeSet::new(),
        looks: BTreeMap::new(),
        how: Arc::new(Mutex::new(How::Native)),
        news,
    };
    watching.renew();
    watching.look(&mut BTreeSet::new());
    let mut look = || {
        let mut found = BTreeSet::new();
        watching.look(&mut found);
        found.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(look(), []);
    fs::write(dir.path().join("vault.otpv"), "longer").unwrap();
    fs::write(dir.path().join("config.ron"), "()").unwrap();
    assert_eq!(look(), [Changed::Vault, Changed::Config]);
    assert_eq!(look(), []);
    let copy = fs::canonicalize(dir.path()).unwrap().join("vault 2.otpv");
    fs::write(&copy, "x").unwrap();
    assert_eq!(look(), [Changed::Copy(copy.clone())]);
    fs::remove_file(dir.path().join("vault.otpv")).unwrap();
    assert_eq!(look(), [Changed::Vault]);
    fs::remove_file(copy).unwrap();
    fs::remove_file(dir.path().join("config.ron")).unwrap();
    assert!(look().contains(&Changed::Config));
}
