//! A line that is typed into: text with a cursor, wiped when dropped since it may hold a password or a seed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

use crate::secret::Secret;

/// The most bytes that a line takes: long enough for a migration link, short enough for any paste by mistake.
const MOST_BYTES: usize = 16 * 1024;

/// One line of typed text.
pub struct Input {
    text: Secret<String>,
    /// Byte offset of the cursor, always between graphemes.
    cursor: usize,
}

impl Default for Input {
    fn default() -> Self {
        Self::with("")
    }
}

impl Input {
    /// A line that holds a text already, the cursor at its end.
    pub fn with(text: &str) -> Self {
        let mut line = Self { text: Secret::new(String::with_capacity(text.len().max(128))), cursor: 0 };
        line.insert(text);
        line
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// The text before the cursor and after it.
    pub fn halves(&self) -> (&str, &str) {
        self.text().split_at(self.cursor)
    }

    /// Takes the text out and leaves the line empty.
    pub fn take(&mut self) -> Secret<String> {
        self.cursor = 0;
        std::mem::replace(&mut self.text, Secret::new(String::with_capacity(128)))
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        drop(self.take());
    }

    /// Inserts a text at the cursor; control characters (a pasted line break) are left out.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text().len() + c.len_utf8() > MOST_BYTES {
                break;
            }
            self.text.expose_mut().insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// Edits by a key. Says whether the key meant something here.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if ctrl => self.cursor = 0,
            KeyCode::Char('e') if ctrl => self.cursor = self.text().len(),
            KeyCode::Char('u') if ctrl => self.remove(0, self.cursor),
            KeyCode::Char('k') if ctrl => self.remove(self.cursor, self.text().len()),
            KeyCode::Char('w') if ctrl => self.remove(self.word_start(), self.cursor),
            KeyCode::Backspace if alt || ctrl => self.remove(self.word_start(), self.cursor),
            KeyCode::Char(c) if !ctrl && !alt => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => self.remove(self.previous(), self.cursor),
            KeyCode::Delete => self.remove(self.cursor, self.next()),
            KeyCode::Left => self.cursor = self.previous(),
            KeyCode::Right => self.cursor = self.next(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text().len(),
            _ => return false,
        }
        true
    }

    fn previous(&self) -> usize {
        self.halves().0.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        self.cursor + self.halves().1.graphemes(true).next().map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let before = self.halves().0.trim_end();
        before.rfind(' ').map_or(0, |at| at + 1)
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.expose_mut().replace_range(from..to, "");
        self.cursor = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(line: &mut Input, code: KeyCode) {
        assert!(line.key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    #[test]
    fn typing_moving_and_deleting_respect_graphemes() {
        let mut line = Input::with("ae\u{301}z");
        press(&mut line, KeyCode::Left);
        press(&mut line, KeyCode::Backspace);
        assert_eq!(line.text(), "az");
        press(&mut line, KeyCode::Char('ß'));
        assert_eq!(line.halves(), ("aß", "z"));
        press(&mut line, KeyCode::Home);
        press(&mut line, KeyCode::Delete);
        assert_eq!(line.text(), "ßz");
    }

    #[test]
    fn control_w_deletes_a_word_and_control_u_the_line() {
        let mut line = Input::with("one two ");
        line.key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(line.text(), "one ");
        line.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(line.text(), "");
    }

    #[test]
    fn a_pasted_line_break_is_left_out_and_a_flood_is_cut() {
        let mut line = Input::default();
        line.insert("JBSW\r\nY3DP");
        assert_eq!(line.text(), "JBSWY3DP");
        line.insert(&"x".repeat(100_000));
        assert_eq!(line.text().len(), MOST_BYTES);
    }
}
