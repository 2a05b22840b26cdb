//! A home with a vault in it, made anew for each fault, and the saves that are spoiled in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use otpanel::entropy;
use otpanel::local::Local;
use otpanel::otp::{Account, Algorithm, Digits, Kind, Seed};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::unlock;
use otpanel::vault::recovery;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{DataKey, DeviceId, EntryId, KdfParams, Key, Locked, Place, SlotId, State, Unlocked, VaultId};

const DEK: [u8; 32] = [0xd; 32];
const VAULT: VaultId = VaultId([3; 16]);
const PASSWORD_SLOT: SlotId = SlotId([1; 16]);
const RECOVERY_SLOT: SlotId = SlotId([2; 16]);
const PASSWORD: &str = "correct horse battery 42";

/// A command that saves.
pub struct Op {
    pub name: &'static str,
    pub args: &'static [&'static str],
    pub stdin: &'static str,
    /// The file in the home with what opens the vault.
    pub key: &'static str,
    /// It derives a key at full cost each time.
    pub slow: bool,
    pub prepare: fn(&World),
}

const LINKS: &str = "otpauth://totp/New:four?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=New\n\
                     otpauth://totp/New:five?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR&issuer=New\n";

const fn op(name: &'static str, args: &'static [&'static str]) -> Op {
    Op { name, args, stdin: "", key: "rec", slow: false, prepare: |_| {} }
}

/// The saves.
pub const OPS: &[Op] = &[
    Op { stdin: LINKS, ..op("import", &["import", "-"]) },
    op("edit", &["edit", "one", "--issuer", "Forge", "--note", "changed"]),
    op("remove", &["rm", "--yes", "two"]),
    op("bring back", &["restore", "three"]),
    op("counter", &["code", "bank"]),
    op("new recovery key", &["vault", "recovery-key", "--recovery-key-file", "new.rec"]),
    Op { prepare: older_copy, ..op("restore a copy", &["vault", "restore", "--yes", "copy.otpv"]) },
    Op { prepare: older_copy, ..op("git's merge", &["vault", "merge", "base", "data/vault.otpv", "copy.otpv"]) },
    Op { prepare: conflict_copy, stdin: LINKS, ..op("import beside a conflict copy", &["import", "-"]) },
    Op { prepare: leftover, ..op("edit after a crash", &["edit", "one", "--note", "changed"]) },
    Op { prepare: no_state, ..op("edit on a new machine", &["edit", "one", "--note", "changed"]) },
    Op { slow: true, ..op("new password", &["vault", "passwd", "--new-password-file", "new.pw"]) },
    Op { slow: true, key: "pw", ..op("new key", &["vault", "rekey", "--yes", "--recovery-key-file", "new.rec"]) },
    Op {
        slow: true,
        key: "pw",
        prepare: empty,
        ..op("init", &["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "new.rec"])
    },
];

/// What a vault says, without what differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub accounts: BTreeSet<String>,
    /// Whether the old password and the old recovery key open it, and how many slots there are.
    slots: (bool, bool, usize),
}

impl Summary {
    /// The same, had a copy beside the vault not been readable: then it stays where it is, for a later save.
    pub fn without_beside(&self) -> Self {
        let mut other = self.clone();
        other.accounts.retain(|account| !account.starts_with("Site beside "));
        other
    }
}

/// A home for one run.
pub struct World {
    folder: tempfile::TempDir,
    place: Place,
}

impl World {
    pub fn for_op(op: &Op) -> Self {
        let world = Self::bare();
        copy_all(template(), world.root());
        (op.prepare)(&world);
        world
    }

    fn bare() -> Self {
        // In memory where that is to be had: hundreds of thousands of syncs need no disk.
        let memory = Path::new("/dev/shm");
        let mut named = tempfile::Builder::new();
        let named = named.prefix("otpanel-faults-");
        let folder = named.tempdir_in(memory).or_else(|_| named.tempdir()).unwrap();
        let root = folder.path().join("home");
        fs::create_dir(&root).unwrap();
        let place = Place::new(root.join("data/vault.otpv"), root.join(".local/state/otpanel"));
        Self { folder, place }
    }

    /// The home on another disk, as a power cut left it.
    pub fn from_files(write: impl FnOnce(&Path)) -> Self {
        let world = Self::bare();
        write(world.root());
        world
    }

    pub fn root(&self) -> &Path {
        self.place.path.parent().unwrap().parent().unwrap()
    }

    pub fn vault(&self) -> &Path {
        &self.place.path
    }

    /// A file that is not in the home.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn summary(&self) -> Option<Summary> {
        self.try_summary().unwrap()
    }

    /// What the vault says; none when there is none.
    pub fn try_summary(&self) -> Result<Option<Summary>, String> {
        Ok(self.open()?.map(|open| summary(&open)))
    }

    fn open(&self) -> Result<Option<Unlocked>, String> {
        if !self.place.path.exists() {
            return Ok(None);
        }
        let locked = self.place.load().map_err(|e| format!("it does not open: {e}"))?;
        if locked.vault_id() == VAULT
            && let Ok(open) = locked.open_with(&dek())
        {
            return Ok(Some(open));
        }
        let password = Secret::new(PASSWORD.to_owned());
        unlock::with_password(&locked, &password).map(Some).map_err(|e| format!("it does not open: {e}"))
    }

    /// Every account that there was before lies in the vault or in a copy beside it.
    pub fn nothing_lost(&self) -> Result<(), String> {
        let Some(mut open) = self.open()? else { return Ok(()) };
        if open.vault_id() != VAULT {
            return Ok(());
        }
        self.place.gather(&mut open);
        let names: BTreeSet<&str> = open.state.entries.values().map(otpanel::vault::Entry::name).collect();
        match self.wanted().into_iter().find(|name| !names.contains(name)) {
            None => Ok(()),
            Some(name) => Err(format!("{name} is lost; there are {names:?}")),
        }
    }

    /// Every account that there was before in the world that was traced lies in some file of this one.
    pub fn nothing_lost_anywhere(&self, traced: &Self) -> Result<(), String> {
        if !template_has_run(traced) {
            return Ok(());
        }
        let mut names = BTreeSet::new();
        for path in self.files() {
            let Ok(locked) = Locked::parse(fs::read(path).unwrap()) else { continue };
            // A vault that was given a new key has the password still.
            let by_password = || unlock::with_password(&locked, &Secret::new(PASSWORD.to_owned())).ok();
            if let Some(open) = locked.open_with(&dek()).ok().or_else(by_password) {
                names.extend(open.state.entries.values().map(|entry| entry.name().to_owned()));
            }
        }
        match traced.wanted().into_iter().find(|name| !names.contains(*name)) {
            None => Ok(()),
            Some(name) => Err(format!("{name} is lost; there are {names:?}")),
        }
    }

    /// The accounts that must never be lost.
    fn wanted(&self) -> Vec<&'static str> {
        let mut wanted = vec!["one", "two", "three", "bank"];
        if self.outside("copy").exists() {
            wanted.push("beside");
        }
        wanted
    }

    /// A later save works and leaves no temporary file, once what was left behind is old enough to be known as such.
    pub fn saves_again_and_is_clean(&self) -> Result<(), String> {
        for path in self.files().into_iter().filter(|path| is_unfinished(path)) {
            let two_hours_ago = SystemTime::now() - Duration::from_secs(7200);
            fs::File::options().write(true).open(&path).unwrap().set_modified(two_hours_ago).unwrap();
        }
        let mut open = match self.open()? {
            Some(open) => open,
            None => {
                let mut fresh = fixture();
                self.place.create_known(&mut fresh).map_err(|e| format!("no new vault can be made: {e}"))?;
                fresh
            }
        };
        let before = open.state.entries.len();
        add(&mut open, "later", Kind::totp(), 9);
        self.place.save(&mut open).map_err(|e| format!("the next save fails: {e}"))?;
        if open.state.entries.len() <= before {
            return Err("the next save lost something".to_owned());
        }
        let mut local = Local::open(&self.place.state_dir).map_err(|e| e.to_string())?;
        local.note_notice("later");
        local.save().map_err(|e| e.to_string())?;
        // What a later backup would remember.
        let vault = open.vault_id();
        let ledger = otpanel::backup::ledger::Ledger::change(&self.place.state_dir, vault, |_| {});
        ledger.map_err(|e| e.to_string())?;
        // What a later merge of git's would write.
        let merged = self.place.path.with_file_name("merged");
        otpanel::paths::replace_private(&merged, b"").map_err(|e| e.to_string())?;
        let left: Vec<_> = self.files().into_iter().filter(|path| is_unfinished(path)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
    }

    fn files(&self) -> Vec<PathBuf> {
        let (mut folders, mut files) = (vec![self.root().to_owned()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
                if entry.file_type().unwrap().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
            }
        }
        files
    }
}

fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    name.starts_with('.')
}

fn dek() -> DataKey {
    DataKey::new(Secret::new(DEK))
}

fn summary(open: &Unlocked) -> Summary {
    let accounts = open.state.entries.values().map(|entry| {
        let seed = entry.seed().map(|seed| seed.expose().to_vec());
        let tags: Vec<_> = entry.tags().collect();
        format!(
            "{} {} {:?} {:?} {} {tags:?} {} {seed:?}",
            entry.issuer(),
            entry.name(),
            entry.note(),
            entry.life,
            entry.favourite(),
            entry.counter.next,
        )
    });
    let has = |id| open.slots().iter().any(|slot| slot.id == id);
    Summary { accounts: accounts.collect(), slots: (has(PASSWORD_SLOT), has(RECOVERY_SLOT), open.slots().len()) }
}

fn recovery_bytes() -> Secret<[u8; 20]> {
    Secret::new([7; 20])
}

fn fixture() -> Unlocked {
    let password = Secret::new(PASSWORD.to_owned());
    // A password that costs less would be wrapped anew first.
    let cost = KdfParams::DEFAULT;
    let wrap = |key: Key, id: SlotId| Slot::wrap(&dek(), VAULT, key, cost, &Fresh { id, salt: id_salt(id) }).unwrap();
    let slots =
        vec![wrap(Key::Password(&password), PASSWORD_SLOT), wrap(Key::Recovery(&recovery_bytes()), RECOVERY_SLOT)];
    let mut open = Unlocked::create(VAULT, dek(), slots, State::default());
    add(&mut open, "one", Kind::totp(), 1);
    add(&mut open, "two", Kind::totp(), 2);
    let three = add(&mut open, "three", Kind::totp(), 3);
    add(&mut open, "bank", Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 5 }, 4);
    let state = Arc::make_mut(&mut open.state);
    let stamp = state.next_stamp(UnixTime::now(), DeviceId([1; 8]));
    state.trash(three, stamp);
    open
}

fn id_salt(id: SlotId) -> [u8; 32] {
    [id.0[0]; 32]
}

fn add(open: &mut Unlocked, name: &str, kind: Kind, seed: u8) -> EntryId {
    let (id, state) = (EntryId(entropy::bytes()), Arc::make_mut(&mut open.state));
    let stamp = state.next_stamp(UnixTime::now(), DeviceId([1; 8]));
    state.add(id, &Account::new("Site", name, kind, Seed::new(vec![seed; 20]).unwrap()), "personal", "a test", stamp);
    id
}

/// The home that all begin with: a vault that was saved twice, and the state of its machine.
fn template() -> &'static Path {
    static MADE: OnceLock<World> = OnceLock::new();
    MADE.get_or_init(|| {
        let world = World::bare();
        let mut open = fixture();
        world.place.create_known(&mut open).unwrap();
        for _ in 0..2 {
            world.place.save(&mut open).unwrap();
        }
        Local::open(&world.place.state_dir).unwrap();
        let write = |name: &str, text: &str| fs::write(world.root().join(name), text).unwrap();
        write("pw", PASSWORD);
        write("rec", recovery::write(&recovery_bytes()).expose());
        write("new.pw", "another one 43");
        fs::create_dir_all(world.root().join(".config/otpanel")).unwrap();
        write(".config/otpanel/config.ron", "(kdf: (target_ms: 50))");
        world
    })
    .root()
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            fs::set_permissions(&target, fs::metadata(&path).unwrap().permissions()).unwrap();
            copy_all(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Another copy of the vault with one account more.
fn changed_copy(world: &World, name: &str) -> Vec<u8> {
    let mut copy = world.open().unwrap().unwrap();
    add(&mut copy, name, Kind::totp(), 8);
    copy.seal(entropy::bytes()).unwrap()
}

fn older_copy(world: &World) {
    fs::write(world.root().join("copy.otpv"), changed_copy(world, "from a copy")).unwrap();
}

fn conflict_copy(world: &World) {
    let name = "vault.sync-conflict-20260730-101112-ABCDEFG.otpv";
    fs::write(world.vault().with_file_name(name), changed_copy(world, "beside")).unwrap();
    fs::write(world.outside("copy"), b"").unwrap();
}

/// Whether a world began with the vault of the template.
fn template_has_run(world: &World) -> bool {
    !world.outside("empty").exists()
}

/// What a save that was killed between the swap and the look at what was displaced leaves behind.
fn leftover(world: &World) {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(world.place.state_dir.as_os_str().as_encoded_bytes());
    let tag = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let name = format!(".vault.otpv.{tag:08x}-0000000000000001.tmp");
    fs::write(world.vault().with_file_name(name), changed_copy(world, "beside")).unwrap();
    fs::write(world.outside("copy"), b"").unwrap();
}

fn no_state(world: &World) {
    fs::remove_dir_all(world.root().join(".local")).unwrap();
}

fn empty(world: &World) {
    no_state(world);
    fs::remove_dir_all(world.root().join("data")).unwrap();
    fs::write(world.outside("empty"), b"").unwrap();
}

/// The bytes of a whole vault parse; used on what a power cut leaves of the history.
pub fn parses(bytes: Vec<u8>) -> bool {
    Locked::parse(bytes).is_ok()
}
