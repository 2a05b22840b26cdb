//! Which key means what. One table: the panel acts by it, the help and the footers are read from it, and the config
//! overrides it.

use std::collections::{BTreeMap, HashMap};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key in the list can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Select the row above.
    Up,
    /// Select the row below.
    Down,
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// The first row.
    Top,
    /// The last row.
    Bottom,
    /// Copy the selected code (HOTP: make the next one).
    Copy,
    /// Copy the code that comes next.
    CopyNext,
    /// Search.
    Search,
    /// The next tab.
    NextTab,
    /// The tab before.
    PreviousTab,
    /// Add by a form.
    Add,
    /// Add from what is pasted.
    Paste,
    /// Import from another app.
    Import,
    /// Write accounts to another app's file.
    Export,
    /// Edit the selected account.
    Edit,
    /// Change the tags of the selected account.
    Tags,
    /// Move the selected account to the trash.
    Delete,
    /// Undo the last step.
    Undo,
    /// Mark or unmark as a favourite.
    Favourite,
    /// The selected code in big digits.
    Big,
    /// The account as a QR code.
    Qr,
    /// The next order of the list.
    Sort,
    /// Move the selected row up in the own order.
    MoveUp,
    /// Move the selected row down in the own order.
    MoveDown,
    /// Hide or show all codes.
    Hide,
    /// Show the selected code while codes are hidden.
    Reveal,
    /// Show the next code beside the current one, or the one before.
    ShowNext,
    /// The trash and the older copies.
    Trash,
    /// The backup.
    Backup,
    /// Save again after a failure.
    Save,
    /// Let this computer's keychain open the vault, or no more.
    Keychain,
    /// Make a new recovery key.
    RecoveryKey,
    /// Set a new password.
    Password,
    /// Lock.
    Lock,
    /// All actions.
    Palette,
    /// Help.
    Help,
    /// Stop for now, as other programs do on Ctrl-Z.
    Suspend,
    /// Draw the whole screen again.
    Redraw,
    /// Leave.
    Quit,
}

/// The parts of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Codes.
    Codes,
    /// Moving about.
    Moving,
    /// Accounts.
    Accounts,
    /// The program.
    Program,
}

impl Group {
    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Codes => "Codes",
            Self::Moving => "Moving",
            Self::Accounts => "Accounts",
            Self::Program => "Program",
        }
    }
}

/// One row of the table.
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Its name in the config.
    pub name: &'static str,
    /// The keys that it has by default; none where it is rare, and found by its name.
    pub keys: &'static [&'static str],
    /// Two or three words for a footer.
    pub short: &'static str,
    /// A line for the help.
    pub text: &'static str,
    /// Where the help lists it.
    pub group: Group,
}

macro_rules! table {
    ($($group:ident: { $( $action:ident $name:literal [$($key:literal)*] $short:literal $text:literal; )* })*) => {
        /// Every action with its default keys, in the order of the help.
        pub const TABLE: &[Binding] = &[$($(
            Binding { action: Action::$action, name: $name, keys: &[$($key),*], short: $short, text: $text, group: Group::$group },
        )*)*];
    };
}

table! {
    Codes: {
        Copy "copy" ["enter" "c"] "copy" "copy the code; for a counter code, make the next";
        CopyNext "copy_next" ["C"] "copy next" "copy the code that comes next";
        Search "search" ["/"] "search" "search issuers, accounts, tags; Enter copies";
        Hide "hide" ["h"] "hide codes" "hide or show all codes";
        Reveal "reveal" ["r"] "reveal" "show one hidden code for ten seconds";
        Big "big" ["z"] "big digits" "show the selected code in big digits, or the list again";
        ShowNext "next" ["n"] "next codes" "show the next codes beside, those before, or neither";
    }
    Moving: {
        Up "up" ["up" "k"] "up" "select the row above";
        Down "down" ["down" "j"] "down" "select the row below";
        PageUp "page_up" ["pgup" "ctrl-b"] "page up" "a screen up";
        PageDown "page_down" ["pgdn" "ctrl-f"] "page down" "a screen down";
        Top "top" ["g" "home"] "top" "the first row";
        Bottom "bottom" ["G" "end"] "bottom" "the last row";
        NextTab "next_tab" ["tab" "right" "l"] "next tab" "the next tab: all, favourites, tags";
        PreviousTab "previous_tab" ["shift-tab" "left"] "previous tab" "the tab before";
    }
    Accounts: {
        Add "add" ["a"] "add" "type an account in, with a live preview of its code";
        Paste "paste" ["p"] "paste" "add from a pasted link or secret";
        Import "import" ["i"] "import" "bring accounts from another app's export";
        Export "export" ["x"] "export" "write the accounts of this tab to another app's file";
        Edit "edit" ["e"] "edit" "edit the selected account";
        Delete "delete" ["d" "delete"] "delete" "move the selected account to the trash";
        Undo "undo" ["u"] "undo" "undo the last step";
        Favourite "favourite" ["f"] "favourite" "mark or unmark as a favourite";
        Tags "tags" ["t"] "tags" "change the tags of the selected account";
        Qr "qr" ["Q"] "QR code" "show the selected account as a QR code, for a phone";
        Sort "sort" ["o"] "sort" "sort by issuer, name, most used, last used, your order";
        MoveUp "move_up" ["K" "alt-up"] "move up" "move the selected row up in your own order";
        MoveDown "move_down" ["J" "alt-down"] "move down" "move the selected row down in your own order";
        Backup "backup" ["b"] "backup" "the backup: how it stands, where it lies, restore from it";
        Trash "trash" ["H"] "history" "the trash and older copies, and bring back from them";
    }
    Program: {
        Save "save" ["s"] "save again" "save again after a failure";
        Keychain "keychain" [] "keychain" "let this computer's keychain open the vault, or not";
        Password "password" [] "password" "set or change the password that opens the vault";
        RecoveryKey "recovery_key" [] "recovery key" "make a new recovery key, in the place of the old one";
        Lock "lock" ["L"] "lock" "lock: forget all keys and codes and blank the screen";
        Palette "palette" [":" "ctrl-p"] "actions" "every action, by name";
        Help "help" ["?" "f1"] "help" "this help";
        Suspend "suspend" ["ctrl-z"] "suspend" "stop for now and give the terminal back";
        Redraw "redraw" ["ctrl-l"] "redraw" "draw the whole screen again";
        Quit "quit" ["q" "ctrl-c"] "quit" "leave; what was copied is cleared";
    }
}

/// A key as the table compares it: upper-case letters carry no shift.
pub type Press = (KeyCode, KeyModifiers);

/// The press of a key event.
pub fn press(key: KeyEvent) -> Press {
    let mut mods = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
    match key.code {
        KeyCode::Char(_) => mods.remove(KeyModifiers::SHIFT),
        KeyCode::BackTab => return (KeyCode::Tab, KeyModifiers::SHIFT),
        _ => {}
    }
    (key.code, mods)
}

/// Reads a key's name: `q`, `G`, `ctrl-p`, `alt-x`, `shift-tab`, `enter`, `esc`, `space`, `up`, `pgup`, `f1`…
pub fn parse(text: &str) -> Option<Press> {
    let mut mods = KeyModifiers::NONE;
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('-').filter(|(_, tail)| !tail.is_empty()) {
        match head.to_ascii_lowercase().as_str() {
            "ctrl" | "control" | "c" => mods |= KeyModifiers::CONTROL,
            "alt" | "meta" => mods |= KeyModifiers::ALT,
            "shift" => mods |= KeyModifiers::SHIFT,
            _ => return None,
        }
        rest = tail;
    }
    let mut chars = rest.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        let c = if mods.contains(KeyModifiers::SHIFT) { c.to_ascii_uppercase() } else { c };
        mods.remove(KeyModifiers::SHIFT);
        return Some((KeyCode::Char(c), mods));
    }
    let code = match rest.to_ascii_lowercase().as_str() {
        "enter" | "return" => KeyCode::Enter,
        "esc" | "escape" => KeyCode::Esc,
        "space" => return Some((KeyCode::Char(' '), mods)),
        "tab" => KeyCode::Tab,
        "backspace" => KeyCode::Backspace,
        "delete" | "del" => KeyCode::Delete,
        "insert" => KeyCode::Insert,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pgup" | "pageup" => KeyCode::PageUp,
        "pgdn" | "pagedown" => KeyCode::PageDown,
        f => KeyCode::F(f.strip_prefix('f')?.parse().ok().filter(|n| (1..=24).contains(n))?),
    };
    Some((code, mods))
}

/// The keys in force.
pub struct Keymap {
    actions: HashMap<Press, Action>,
    names: HashMap<Action, Vec<String>>,
    /// What is wrong with the config's keys; the help tells it.
    pub problems: Vec<String>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&BTreeMap::new()).0
    }
}

impl Keymap {
    /// The default keys with the config's in their place, and what is wrong with the config's: unknown actions, keys that
    /// cannot be read, keys that two actions claim (the first in the table keeps it).
    pub fn new(overrides: &BTreeMap<String, Vec<String>>) -> (Self, Vec<String>) {
        let mut problems: Vec<String> = overrides
            .keys()
            .filter(|name| !TABLE.iter().any(|b| b.name == name.as_str()))
            .map(|name| format!("keys: there is no action `{name}`"))
            .collect();
        let mut map = Self { actions: HashMap::new(), names: HashMap::new(), problems: Vec::new() };
        // The user's own keys first, so that a default yields to them without a conflict.
        let (own, default): (Vec<_>, Vec<_>) = TABLE.iter().partition(|b| overrides.contains_key(b.name));
        for binding in &own {
            for key in &overrides[binding.name] {
                match parse(key) {
                    None => problems.push(format!("keys: {}: `{key}` is not a key", binding.name)),
                    Some(p) => match map.actions.get(&p) {
                        Some(taken) if *taken != binding.action => problems.push(format!(
                            "keys: `{key}` is given to both {} and {}",
                            describe(*taken).name,
                            binding.name
                        )),
                        _ => map.bind(p, binding.action, key),
                    },
                }
            }
        }
        // Nor does a slip of the user's leave an action without any key; an empty list does, on purpose.
        let slipped: Vec<_> =
            own.into_iter().filter(|b| !overrides[b.name].is_empty() && map.keys(b.action).is_empty()).collect();
        for binding in slipped.into_iter().chain(default) {
            for key in binding.keys {
                if let Some(p) = parse(key)
                    && !map.actions.contains_key(&p)
                {
                    map.bind(p, binding.action, key);
                }
            }
        }
        let had_keys = |b: &&Binding| !b.keys.is_empty() && !overrides.contains_key(b.name);
        for binding in TABLE.iter().filter(had_keys).filter(|b| map.keys(b.action).is_empty()) {
            problems.push(format!("keys: {} has no key any more: give it another", binding.name));
        }
        map.problems.clone_from(&problems);
        (map, problems)
    }

    fn bind(&mut self, press: Press, action: Action, name: &str) {
        self.actions.insert(press, action);
        self.names.entry(action).or_default().push(name.to_owned());
    }

    /// What a key asks for.
    pub fn action(&self, key: KeyEvent) -> Option<Action> {
        self.actions.get(&press(key)).copied()
    }

    /// The names of an action's keys, as the help shows them; empty where it has none.
    pub fn keys(&self, action: Action) -> &[String] {
        self.names.get(&action).map_or(&[], Vec::as_slice)
    }
}

/// The problems with the config's keys in one line; none where there are none.
pub fn told(problems: Vec<String>) -> Option<String> {
    let more = problems.len().saturating_sub(1);
    let first = problems.into_iter().next()?;
    Some(if more == 0 { first } else { format!("{first} (and {more} more)") })
}

/// The table's row of an action.
///
/// # Panics
/// Never: a test holds that every action has its row.
pub fn describe(action: Action) -> &'static Binding {
    TABLE.iter().find(|b| b.action == action).expect("every action has its row")
}

/// A key's name as footers and help show it: `↵`, `⇥`, `^P`, or as it is.
pub fn show(name: &str, ascii: bool) -> String {
    match (name, ascii) {
        ("enter", false) => String::from("↵"),
        ("tab", false) => String::from("⇥"),
        ("up", false) => String::from("↑"),
        ("down", false) => String::from("↓"),
        ("left", false) => String::from("←"),
        ("right", false) => String::from("→"),
        _ => match name.strip_prefix("ctrl-") {
            Some(key) => format!("^{}", key.to_uppercase()),
            None => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: KeyCode, mods: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, mods)
    }

    #[test]
    fn every_default_key_is_readable_and_belongs_to_one_action() {
        let mut seen = HashMap::new();
        for binding in TABLE {
            for key in binding.keys {
                let p = parse(key).unwrap_or_else(|| panic!("{key} of {}", binding.name));
                assert_eq!(seen.insert(p, binding.name), None, "{key} twice");
            }
        }
    }

    #[test]
    fn keys_find_their_actions() {
        let map = Keymap::default();
        assert_eq!(map.action(event(KeyCode::Char('G'), KeyModifiers::SHIFT)), Some(Action::Bottom));
        assert_eq!(map.action(event(KeyCode::BackTab, KeyModifiers::SHIFT)), Some(Action::PreviousTab));
        assert_eq!(map.action(event(KeyCode::Char('p'), KeyModifiers::CONTROL)), Some(Action::Palette));
        assert_eq!(map.action(event(KeyCode::Char('%'), KeyModifiers::NONE)), None);
    }

    #[test]
    fn the_config_replaces_an_actions_keys_and_takes_them_from_others() {
        let own = BTreeMap::from([(String::from("quit"), vec![String::from("c")])]);
        let (map, problems) = Keymap::new(&own);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(map.action(event(KeyCode::Char('c'), KeyModifiers::NONE)), Some(Action::Quit));
        assert_eq!(map.action(event(KeyCode::Char('q'), KeyModifiers::NONE)), None);
        assert_eq!(map.keys(Action::Copy), ["enter"]);
    }

    #[test]
    fn an_action_that_lost_its_only_key_to_another_is_named() {
        let own = BTreeMap::from([(String::from("lock"), vec![String::from("/")])]);
        assert_eq!(Keymap::new(&own).1, ["keys: search has no key any more: give it another"]);
    }

    #[test]
    fn a_slip_leaves_an_action_its_default_keys_and_an_empty_list_takes_them() {
        let own =
            |keys: &[&str]| BTreeMap::from([(String::from("copy"), keys.iter().map(|k| (*k).to_owned()).collect())]);
        assert_eq!(Keymap::new(&own(&["foo-bar"])).0.keys(Action::Copy), describe(Action::Copy).keys);
        assert!(Keymap::new(&own(&[])).0.keys(Action::Copy).is_empty());
    }

    #[test]
    fn mistakes_in_the_config_are_named() {
        let own = BTreeMap::from([
            (String::from("quit"), vec![String::from("%")]),
            (String::from("lock"), vec![String::from("%"), String::from("hyper-q")]),
            (String::from("fly"), vec![]),
        ]);
        let (map, problems) = Keymap::new(&own);
        assert_eq!(
            map.keys(Action::Quit),
            describe(Action::Quit).keys,
            "its own key was taken, and it keeps the default"
        );
        assert_eq!(
            problems,
            [
                "keys: there is no action `fly`",
                "keys: lock: `hyper-q` is not a key",
                "keys: `%` is given to both lock and quit"
            ]
        );
    }
}
