//! A line in which a path is typed, completed and chosen: one for the import, the export and the folders of a backup.

use std::ops::{Deref, DerefMut};

use crossterm::event::{KeyCode, KeyEvent};

use super::event::Effect;
use super::input::Input;

/// A path that is typed. It is a line with more to it.
#[derive(Default)]
pub struct PathLine {
    line: Input,
    /// Only folders are meant.
    folders: bool,
    /// What it could become.
    completions: Vec<String>,
    /// What is offered while nothing is typed.
    recent: Vec<String>,
    /// Which of the offered paths is selected.
    chosen: Option<usize>,
}

/// What came of a key.
pub enum Pressed {
    /// The path is to be taken as it stands.
    Submit,
    /// Something is to be asked of the world.
    Ask(Effect),
    /// The text changed.
    Typed,
    /// Nothing that concerns anybody else.
    Nothing,
}

impl Deref for PathLine {
    type Target = Input;

    fn deref(&self) -> &Input {
        &self.line
    }
}

impl DerefMut for PathLine {
    fn deref_mut(&mut self) -> &mut Input {
        &mut self.line
    }
}

impl PathLine {
    /// A line for a file's path, with what stands in it already.
    pub fn file(path: &str) -> Self {
        Self { line: Input::with(path), ..Self::default() }
    }

    /// A line for a folder's.
    pub fn folder(path: &str) -> Self {
        Self { folders: true, ..Self::file(path) }
    }

    /// Offers paths for as long as nothing is typed.
    pub fn offer(&mut self, recent: Vec<String>) {
        self.recent = recent;
    }

    /// The paths that are offered now: completions, or else what was offered while nothing is typed.
    pub fn offered(&self) -> &[String] {
        if !self.completions.is_empty() {
            &self.completions
        } else if self.line.is_empty() {
            &self.recent
        } else {
            &[]
        }
    }

    /// Whether what is offered are no completions.
    pub fn offers_recent(&self) -> bool {
        self.completions.is_empty()
    }

    /// The selected one among them.
    pub fn chosen(&self) -> Option<usize> {
        self.chosen
    }

    /// A key; `attempt` names the one who asks for completions.
    pub fn press(&mut self, key: KeyEvent, attempt: u64) -> Pressed {
        let offered = self.offered().len();
        match key.code {
            KeyCode::Down if offered > 0 => {
                self.chosen = Some(self.chosen.map_or(0, |at| (at + 1).min(offered - 1)));
                Pressed::Nothing
            }
            KeyCode::Up if offered > 0 => {
                self.chosen = self.chosen.and_then(|at| at.checked_sub(1));
                Pressed::Nothing
            }
            KeyCode::Enter => {
                let Some(path) = self.chosen.and_then(|at| self.offered().get(at).cloned()) else {
                    return Pressed::Submit;
                };
                self.line = Input::with(&path);
                self.completions.clear();
                self.chosen = None;
                // A folder is gone into where a file is wanted.
                if path.ends_with('/') && !self.folders {
                    Pressed::Ask(Effect::Complete(attempt, path))
                } else if self.folders {
                    Pressed::Typed
                } else {
                    Pressed::Submit
                }
            }
            KeyCode::Tab => Pressed::Ask(Effect::Complete(attempt, self.line.text().to_owned())),
            _ if self.line.key(key) => {
                self.completions.clear();
                self.chosen = None;
                Pressed::Typed
            }
            _ => Pressed::Nothing,
        }
    }

    /// What the path could become: what all of them begin with is taken at once.
    pub fn completed(&mut self, mut names: Vec<String>) {
        if self.folders {
            names.retain(|name| name.ends_with('/'));
        }
        let common = common_start(&names);
        if common.len() > self.line.text().len() {
            self.line = Input::with(&common);
        }
        self.completions = if names.len() == 1 { Vec::new() } else { names };
        self.chosen = None;
    }
}

fn common_start(names: &[String]) -> String {
    let Some(first) = names.first() else { return String::new() };
    let mut end = first.len();
    for name in &names[1..] {
        end = first
            .char_indices()
            .zip(name.chars())
            .take_while(|((_, a), b)| a == b)
            .last()
            .map_or(0, |((at, a), _)| (at + a.len_utf8()).min(end));
    }
    first[..end].to_owned()
}
