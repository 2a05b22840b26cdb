//! A disk that forgets: replays the calls of a traced save and tells what could lie on the disk if the power went at any
//! point between them.
//!
//! The model is harsher than any journal: bytes are on the disk only once their file was synced, names only once their
//! folder was. Until then any prefix of the changes of names may have got there, each with the bytes of its files, with
//! half of them, or with none.
#![allow(clippy::match_same_arms)]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::world::{self, Op, Summary, World};

#[derive(Clone)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Clone, Default)]
struct Content {
    on_disk: Vec<u8>,
    /// Writes since the last sync: where, and what.
    pending: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone)]
enum Change {
    Set(PathBuf, Node),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    Swap(PathBuf, PathBuf),
}

impl Change {
    fn folder(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Rename(_, path) | Self::Swap(_, path) => {
                path.parent().unwrap()
            }
        }
    }
}

type Names = BTreeMap<PathBuf, Node>;

/// The disk: what is on it, and what only the running system knows.
#[derive(Clone)]
pub struct Disk {
    names: Names,
    pending: Vec<Change>,
    files: Vec<Content>,
    at: BTreeMap<PathBuf, usize>,
}

/// What an unsynced file holds after the cut.
#[derive(Clone, Copy)]
enum Bytes {
    None,
    Half,
    All,
}

impl Disk {
    /// The files below a folder, all of them on the disk.
    pub fn read(root: &Path) -> Self {
        let mut disk = Self { names: Names::new(), pending: Vec::new(), files: Vec::new(), at: BTreeMap::new() };
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            disk.names.insert(folder.clone(), Node::Folder);
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    disk.files.push(Content { on_disk: fs::read(&path).unwrap(), pending: Vec::new() });
                    disk.names.insert(path, Node::File(disk.files.len() - 1));
                }
            }
        }
        disk
    }

    /// The names as the running system sees them.
    fn live(&self) -> Names {
        let mut names = self.names.clone();
        self.pending.iter().for_each(|change| apply(&mut names, change));
        names
    }

    fn file(&self, path: &Path) -> Option<usize> {
        match self.live().get(path) {
            Some(Node::File(at)) => Some(*at),
            _ => None,
        }
    }

    /// Carries out a line of the log. True when it changed something.
    fn carry_out(&mut self, line: &str, root: &Path) -> bool {
        let Some((name, rest)) = line.split_once(' ').and_then(|(_, rest)| rest.trim_start().split_once('(')) else {
            return false;
        };
        let Some((args, result)) = rest.rsplit_once(" = ") else { return false };
        if result.starts_with('-') || result.starts_with('?') {
            return false;
        }
        let texts = quoted(args);
        let path = |n: usize| root.join(PathBuf::from(String::from_utf8(texts[n].clone()).unwrap()));
        let fd = angled(args);
        match name {
            "openat" => {
                let Some(path) = angled(result).filter(|path| path.starts_with(root)) else { return false };
                self.at.insert(path.clone(), 0);
                if args.contains("O_CREAT") && self.file(&path).is_none() && !self.live().contains_key(&path) {
                    self.files.push(Content::default());
                    self.pending.push(Change::Set(path, Node::File(self.files.len() - 1)));
                    return true;
                }
                assert!(!args.contains("O_TRUNC"), "nothing of ours is cut: {args}");
                false
            }
            "write" => {
                let Some(file) = fd.as_ref().and_then(|path| self.file(path)) else { return false };
                let at = self.at.entry(fd.unwrap()).or_default();
                self.files[file].pending.push((*at, texts[0].clone()));
                *at += texts[0].len();
                true
            }
            "fsync" => {
                let Some(path) = fd.filter(|path| path.starts_with(root)) else { return false };
                if let Some(file) = self.file(&path) {
                    let file = &mut self.files[file];
                    file.on_disk = file.after_cut(Bytes::All);
                    file.pending.clear();
                } else {
                    let (synced, pending) =
                        std::mem::take(&mut self.pending).into_iter().partition(|c| c.folder() == path);
                    self.pending = pending;
                    let synced: Vec<Change> = synced;
                    for change in &synced {
                        apply(&mut self.names, change);
                    }
                }
                true
            }
            "mkdir" => self.change(Change::Set(path(0), Node::Folder), root),
            "unlink" => self.change(Change::Remove(path(0)), root),
            "rename" | "renameat" => self.change(Change::Rename(path(0), path(1)), root),
            "renameat2" if args.contains("RENAME_EXCHANGE") => self.change(Change::Swap(path(0), path(1)), root),
            "renameat2" => self.change(Change::Rename(path(0), path(1)), root),
            "link" | "ftruncate" | "pwrite64" | "fdatasync" => panic!("a call that the model does not know: {line}"),
            _ => false,
        }
    }

    fn change(&mut self, change: Change, root: &Path) -> bool {
        if !change.folder().starts_with(root) {
            return false;
        }
        self.pending.push(change);
        true
    }

    /// What may lie on the disk after a cut now: paths below `root` and their bytes, none for folders.
    fn after_cut(&self, root: &Path) -> Vec<BTreeMap<PathBuf, Option<Vec<u8>>>> {
        let mut names = self.names.clone();
        let mut states = Vec::new();
        for got_there in 0..=self.pending.len() {
            if let Some(change) = got_there.checked_sub(1).map(|at| &self.pending[at]) {
                apply(&mut names, change);
            }
            let unsynced = |node: &Node| matches!(node, Node::File(at) if !self.files[*at].pending.is_empty());
            let kinds =
                if names.values().any(unsynced) { &[Bytes::None, Bytes::Half, Bytes::All][..] } else { &[Bytes::All] };
            for bytes in kinds {
                let mut state = BTreeMap::new();
                for (path, node) in &names {
                    // What lies in a folder that is not there is not there either.
                    if path != root && !matches!(names.get(path.parent().unwrap()), Some(Node::Folder)) {
                        continue;
                    }
                    let content = match node {
                        Node::Folder => None,
                        Node::File(at) => Some(self.files[*at].after_cut(*bytes)),
                    };
                    state.insert(path.strip_prefix(root).unwrap().to_owned(), content);
                }
                states.push(state);
            }
        }
        states
    }
}

impl Content {
    fn after_cut(&self, bytes: Bytes) -> Vec<u8> {
        let mut out = self.on_disk.clone();
        for (at, text) in &self.pending {
            let len = match bytes {
                Bytes::None => 0,
                Bytes::Half => text.len() / 2,
                Bytes::All => text.len(),
            };
            if len > 0 {
                out.resize(out.len().max(at + len), 0);
                out[*at..at + len].copy_from_slice(&text[..len]);
            }
        }
        out
    }
}

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Set(path, node) => drop(names.insert(path.clone(), node.clone())),
        Change::Remove(path) => drop(names.remove(path)),
        Change::Rename(from, to) => {
            if let Some(node) = names.remove(from) {
                names.insert(to.clone(), node);
            }
        }
        Change::Swap(one, other) => {
            if let (Some(a), Some(b)) = (names.get(one).cloned(), names.get(other).cloned()) {
                names.insert(one.clone(), b);
                names.insert(other.clone(), a);
            }
        }
    }
}

/// The strings of a line, which strace wrote in hex.
fn quoted(args: &str) -> Vec<Vec<u8>> {
    args.split('"').skip(1).step_by(2).map(bytes).collect()
}

/// The first path that stands behind a descriptor.
fn angled(args: &str) -> Option<PathBuf> {
    let (_, rest) = args.split_once('<')?;
    let (path, _) = rest.split_once('>')?;
    String::from_utf8(bytes(path)).ok().map(PathBuf::from)
}

fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4);
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match tail {
            [b'x', hex @ ..] if *first == b'\\' && hex.len() >= 2 => {
                out.push(u8::from_str_radix(std::str::from_utf8(&hex[..2]).unwrap(), 16).unwrap());
                &hex[2..]
            }
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    out
}

/// Cuts the power at every point of a save; gives how many cuts that were.
pub fn cut_everywhere(disk: &Disk, log: &str, traced: &World, op: &Op, old: Option<&Summary>, new: &Summary) -> usize {
    let (mut disk, root) = (disk.clone(), traced.root());
    let mut seen = HashSet::new();
    let mut cuts = 0;
    let lines: Vec<&str> = std::iter::once("").chain(log.lines()).collect();
    let last = lines.len() - 1;
    for (n, line) in lines.iter().enumerate() {
        if !disk.carry_out(line, root) && n > 0 && n < last {
            continue;
        }
        let after = crate::trace::unhex(line).chars().take(300).collect::<String>();
        for state in disk.after_cut(root) {
            cuts += 1;
            let is_new_to_us = seen.insert((n == last, digest(&state)));
            if is_new_to_us {
                let judged = judge(&state, traced, old, new, n == last);
                assert!(judged.is_ok(), "{}: a power cut after `{after}`: {}", op.name, judged.unwrap_err());
            }
        }
    }
    let live = disk.live();
    assert!(
        matches!(live.get(traced.vault()), Some(Node::File(_))),
        "{}: the replay followed the save\n{log}",
        op.name
    );
    cuts
}

fn digest(state: &BTreeMap<PathBuf, Option<Vec<u8>>>) -> Vec<u8> {
    let mut hash = Sha256::new();
    for (path, content) in state {
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update(content.as_ref().map_or(u64::MAX, |c| c.len() as u64).to_le_bytes());
        hash.update(content.as_deref().unwrap_or_default());
    }
    hash.finalize().to_vec()
}

/// What lay on the disk is read as the next start would.
fn judge(
    state: &BTreeMap<PathBuf, Option<Vec<u8>>>,
    traced: &World,
    old: Option<&Summary>,
    new: &Summary,
    done: bool,
) -> Result<(), String> {
    let world = World::from_files(|root| {
        for (path, content) in state {
            let path = root.join(path);
            match content {
                None if path == root => {}
                None => fs::create_dir_all(&path).unwrap(),
                Some(bytes) => fs::write(&path, bytes).unwrap(),
            }
        }
    });
    let now = world.try_summary()?;
    let is_new = now.as_ref() == Some(new);
    if done && !is_new {
        return Err(format!("it had said done, and is not: {now:#?}"));
    }
    if !is_new && now.as_ref() != old {
        return Err(format!("neither old nor new: {now:#?}"));
    }
    for (path, content) in state {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_version = path.starts_with(".local/state/otpanel/history") && !name.starts_with('.');
        if let Some(bytes) = content.clone().filter(|_| is_version)
            && !world::parses(bytes)
        {
            return Err(format!("the version {name} in the history is not whole"));
        }
    }
    world.nothing_lost_anywhere(traced)
}
