//! A recovery key on the screen, once, and the check that it was written down.

use crossterm::event::{KeyCode, KeyEvent};

use super::input::Input;
use crate::secret::Secret;
use crate::vault::{SlotId, SlotKind, Unlocked};

/// The key in groups, and its check.
pub struct Sheet {
    /// The key as it is written down.
    pub key: Secret<String>,
    /// The check, while the key is out of sight.
    pub check: Option<Check>,
    /// Leaving was asked for, and is asked for once more before it is done.
    pub leaving: bool,
}

/// The user types a group of the key, so that it is known to be written down.
#[derive(Default)]
pub struct Check {
    /// Which group is asked for, from 1: the one before it is shown.
    pub group: usize,
    /// What is typed.
    pub line: Input,
    /// The last answer was wrong.
    pub wrong: bool,
}

/// What a key press did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// It goes on.
    On,
    /// The check is passed.
    Written,
    /// Esc on the key itself: whoever shows it decides.
    Left,
}

impl Sheet {
    /// Shows a key.
    pub const fn new(key: Secret<String>) -> Self {
        Self { key, check: None, leaving: false }
    }

    /// A key press. `chance` chooses the group that is asked for.
    pub fn press(&mut self, key: KeyEvent, chance: u8) -> Pressed {
        if std::mem::take(&mut self.leaving) {
            return Pressed::On;
        }
        let Some(check) = &mut self.check else {
            match key.code {
                KeyCode::Enter => {
                    // A group from the middle: nobody learns to write one group down.
                    let n = groups(self.key.expose()).len().max(2);
                    self.check = Some(Check { group: 1 + usize::from(chance) % (n - 1), ..Check::default() });
                }
                KeyCode::Esc => return Pressed::Left,
                _ => {}
            }
            return Pressed::On;
        };
        match key.code {
            KeyCode::Esc => self.check = None,
            KeyCode::Enter => {
                let typed = check.line.text().trim().to_lowercase();
                let all = groups(self.key.expose());
                if all.get(check.group).is_some_and(|g| *g == typed) || all.concat() == groups(&typed).concat() {
                    return Pressed::Written;
                }
                check.wrong = true;
                check.line.clear();
            }
            _ => {
                if check.line.key(key) {
                    check.wrong = false;
                }
            }
        }
        Pressed::On
    }

    /// The slot of a recovery key in an open vault.
    pub fn slot_in(vault: &Unlocked) -> Option<SlotId> {
        vault.slots().iter().find(|slot| slot.kind() == SlotKind::Recovery).map(|slot| slot.id)
    }

    /// The line that is typed into.
    pub fn line_mut(&mut self) -> Option<&mut Input> {
        self.check.as_mut().map(|check| &mut check.line)
    }
}

/// The groups of a recovery key as it is shown.
pub fn groups(key: &str) -> Vec<&str> {
    key.split_whitespace().flat_map(|word| word.split('-')).filter(|g| !g.is_empty()).collect()
}
