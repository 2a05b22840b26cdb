//! A line in which a path is typed, dropped, completed and chosen: one for the import, the export and the folders of a backup.

use std::ops::{Deref, DerefMut};

use crossterm::event::{KeyCode, KeyEvent};

use super::input::Input;

/// A path that is typed. It is a line with more to it.
#[derive(Default)]
pub struct PathLine {
    line: Input,
    /// It stands as it is on the disk: completed, chosen or dropped, not typed as a shell would have it.
    literal: bool,
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
    /// What this text could become is to be asked of the world; [`PathLine::completed`] takes the answer.
    Complete(String),
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
        Self { line: Input::with(path), literal: !path.is_empty(), ..Self::default() }
    }

    /// A line for a folder's.
    pub fn folder(path: &str) -> Self {
        Self { folders: true, ..Self::file(path) }
    }

    /// The path that is meant; empty where nothing is typed.
    pub fn path(&self) -> String {
        if self.literal { self.line.text().to_owned() } else { unquoted(self.line.text()) }
    }

    /// A paste. True where it is the path of something that was dropped, and is all that stands here.
    pub fn paste(&mut self, text: &str) -> bool {
        match path_of(text).filter(|_| self.line.is_empty()) {
            Some(path) => {
                self.take(&path);
                true
            }
            None => {
                self.line.insert(text.trim());
                self.literal = false;
                false
            }
        }
    }

    fn take(&mut self, path: &str) {
        self.line = Input::with(path);
        self.literal = true;
    }

    /// Offers paths for as long as nothing is typed; the first, which is the likeliest, is selected.
    pub fn offer(&mut self, recent: Vec<String>) {
        if self.line.is_empty() && self.completions.is_empty() && !recent.is_empty() {
            self.chosen = Some(0);
        }
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
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        let offered = self.offered().len();
        let before = self.line.text().to_owned();
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
                self.take(&path);
                self.completions.clear();
                self.chosen = None;
                // A folder is gone into where a file is wanted.
                if path.ends_with('/') && !self.folders {
                    Pressed::Complete(path)
                } else if self.folders {
                    Pressed::Typed
                } else {
                    Pressed::Submit
                }
            }
            KeyCode::Tab => Pressed::Complete(self.line.text().to_owned()),
            _ if self.line.key(key) => {
                // Moving about in it changes nothing.
                self.literal &= self.line.text() == before;
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
            self.take(&common);
        }
        self.completions = if names.len() == 1 { Vec::new() } else { names };
        self.chosen = None;
    }
}

/// A path that was dropped on the terminal or pasted, as it is on the disk; none where it is something else, or a relative
/// path that does not say so.
pub fn path_of(text: &str) -> Option<String> {
    Some(unquoted(text)).filter(|path| is_whole(path))
}

/// Whether a path says by itself from where it goes.
pub fn is_whole(path: &str) -> bool {
    path.starts_with('/') || path.starts_with("~/") || path.starts_with("./") || is_windows(path)
}

fn is_windows(path: &str) -> bool {
    let drive = path.starts_with(|c: char| c.is_ascii_alphabetic()) && matches!(path.get(1..3), Some(":\\" | ":/"));
    drive || path.starts_with(r"\\") || path.starts_with(r"~\")
}

/// Takes back how terminals write a path that is dropped: quoted or escaped as for a shell, or as a `file:` address. A path
/// that was typed without any of it stays as it is.
fn unquoted(text: &str) -> String {
    let text = text.trim();
    let quoted = |mark: char| text.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    let bare = quoted('\'').or_else(|| quoted('"')).unwrap_or(text);
    if let Some(address) = bare.strip_prefix("file://") {
        let path = percent_encoding::percent_decode_str(address).decode_utf8();
        return path.map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned);
    }
    if is_windows(bare) {
        return bare.to_owned();
    }
    // Without a sign of quoting it has several words because the path has blanks.
    let words = if text.contains(['\'', '"', '\\']) { shlex::split(text) } else { None };
    match words.as_deref() {
        Some([path]) => path.clone(),
        _ => text.to_owned(),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dropped_path_is_known_as_every_system_writes_it() {
        for path in ["/a/b c.json", "~/x", "~\\x", "./x", r"C:\Users\ada\x.json", "C:/x.json", r"\\server\share\x"] {
            assert_eq!(path_of(path).as_deref(), Some(path));
        }
        for (dropped, path) in [
            (r"/tmp/export\ \(1\).txt ", "/tmp/export (1).txt"),
            (r"/tmp/a\&b\'c", "/tmp/a&b'c"),
            (r"'/tmp/it'\''s'", "/tmp/it's"),
            (r#""/tmp/a \"b\".txt""#, r#"/tmp/a "b".txt"#),
            ("file:///a/b%20c", "/a/b c"),
            (r#""C:\a b\x.json""#, r"C:\a b\x.json"),
            // Typed, not dropped: a quote that does not end is a part of the name.
            ("/tmp/it's (1).txt", "/tmp/it's (1).txt"),
        ] {
            assert_eq!(path_of(dropped).as_deref(), Some(path), "{dropped}");
        }
        for other in ["otpauth://totp/x", "JBSWY3DPEHPK3PXP", "x.json", ""] {
            assert_eq!(path_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_that_was_dropped_or_completed_is_not_unquoted_again() {
        let mut line = PathLine::file("");
        assert!(line.paste(r"/tmp/a\\\ b"));
        assert_eq!(line.path(), r"/tmp/a\ b");
        line.press(KeyCode::End.into());
        assert_eq!(line.path(), r"/tmp/a\ b");
        let mut line = PathLine::file("");
        line.completed(vec![String::from(r"/tmp/c\d")]);
        assert_eq!(line.path(), r"/tmp/c\d");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_path_that_a_shell_quotes_comes_back(rest in "[^\\p{Cc}]{0,30}") {
            let path = format!("/{rest}");
            let quoted = shlex::try_quote(&path).expect("without NUL").into_owned();
            let single = format!("'{}'", path.replace('\'', r"'\''"));
            for text in [quoted, single] {
                prop_assert_eq!(path_of(&text), Some(path.clone()), "{}", text);
            }
            // A blank at the end, escaped alone, is taken for the one that terminals put after what is dropped.
            prop_assume!(!path.ends_with(char::is_whitespace));
            let escape = |c: char| if c.is_alphanumeric() || "/._-".contains(c) { c.to_string() } else { format!("\\{c}") };
            let escaped: String = path.chars().map(escape).collect();
            prop_assert_eq!(path_of(&escaped), Some(path.clone()), "{}", escaped);
        }
    }
}
