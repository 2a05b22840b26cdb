//! What the terminal says of its background (OSC 11), taken out of the keys: crossterm hands it over as if it were typed, and
//! no letter of it may reach a password. A terminal may answer at once, late, in pieces or never.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Asks for the colour of the background.
pub const ASK: &[u8] = b"\x1b]11;?\x1b\\";
/// How long the first frame waits for the answer.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// How long an Esc may be the beginning of an answer.
const ESC: Duration = Duration::from_millis(30);
/// How long what begins as an answer may stay open.
const BEGUN: Duration = Duration::from_millis(100);
/// How long what can be nothing but an answer may stay open.
const SURE: Duration = Duration::from_secs(1);
/// What every answer begins with, after its `ESC ]`.
const HEAD: &str = "11;rgb";
/// The longest answer: `rgba:` and four parts of four digits.
const LONGEST: usize = HEAD.len() + 2 + 19;

/// What is held back because it may be an answer.
#[derive(Default)]
pub struct Answers {
    keys: Vec<KeyEvent>,
    /// The letters after `ESC ]`; none where that is not complete.
    letters: Option<String>,
    /// An Esc came in it, which may begin its end.
    closing: bool,
}

/// What came of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// These keys were typed; none while one is held back.
    Keys(Vec<KeyEvent>),
    /// The background is light, or not.
    Light(bool),
    /// An answer that says nothing.
    Nothing,
}

impl Answers {
    /// Takes a key while an answer is awaited.
    pub fn key(&mut self, key: KeyEvent) -> Told {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let plain = !key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::CONTROL);
        let esc = key.code == KeyCode::Esc && key.modifiers.is_empty();
        let Some(letters) = &mut self.letters else {
            let opened = match key.code {
                KeyCode::Char(']') if alt => true,
                KeyCode::Char(']') if plain => !self.keys.is_empty(),
                _ => false,
            };
            if opened {
                self.letters = Some(String::new());
            } else if !esc || !self.keys.is_empty() {
                self.keys.push(key);
                return Told::Keys(self.let_go());
            }
            self.keys.push(key);
            return Told::Keys(Vec::new());
        };
        let bell = key.code == KeyCode::Char('g') && key.modifiers == KeyModifiers::CONTROL;
        let ends = bell || key.code == KeyCode::Char('\\') && (alt || self.closing && plain);
        if ends && begins(letters) && letters.len() > HEAD.len() {
            let light = light(letters);
            drop(self.let_go());
            return light.map_or(Told::Nothing, Told::Light);
        }
        self.keys.push(key);
        if esc && !self.closing {
            self.closing = true;
            return Told::Keys(Vec::new());
        }
        match key.code {
            KeyCode::Char(c) if plain && !self.closing => {
                letters.push(c);
                if begins(letters) {
                    return Told::Keys(Vec::new());
                }
            }
            _ => {}
        }
        Told::Keys(self.let_go())
    }

    /// How long to wait for what follows; none where nothing is held back.
    pub fn patience(&self) -> Option<Duration> {
        match &self.letters {
            _ if self.keys.is_empty() => None,
            None => Some(ESC),
            Some(letters) if letters.len() < HEAD.len() => Some(BEGUN),
            Some(_) => Some(SURE),
        }
    }

    /// Nothing followed: what was typed after all. A piece of what can be nothing but an answer is nobody's.
    pub fn give_up(&mut self) -> Vec<KeyEvent> {
        let answer = self.letters.as_ref().is_some_and(|letters| letters.len() >= HEAD.len());
        let keys = self.let_go();
        if answer { Vec::new() } else { keys }
    }

    fn let_go(&mut self) -> Vec<KeyEvent> {
        self.letters = None;
        self.closing = false;
        std::mem::take(&mut self.keys)
    }
}

/// Whether letters are an answer as far as they go.
fn begins(letters: &str) -> bool {
    match letters.strip_prefix(HEAD) {
        None => HEAD.starts_with(letters),
        Some(rest) => {
            let rest = rest.strip_prefix('a').unwrap_or(rest);
            let value = rest.strip_prefix(':');
            letters.len() <= LONGEST
                && (rest.is_empty()
                    || value.is_some_and(|value| value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'/')))
        }
    }
}

/// Whether the colour of an answer is light: `11;rgb:ffff/ffff/ffff`, one to four digits for a part.
fn light(letters: &str) -> Option<bool> {
    let parts = letters.split_once(':')?.1.split('/').map(|part| {
        let most = 16u32.checked_pow(u32::try_from(part.len()).ok().filter(|n| (1..=4).contains(n))?)? - 1;
        Some(f64::from(u32::from_str_radix(part, 16).ok()?) / f64::from(most))
    });
    let parts: Vec<f64> = parts.collect::<Option<_>>()?;
    let [r, g, b] = parts.get(..3)?.try_into().ok()?;
    Some(0.299 * r + 0.587 * g + 0.114 * b > 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    fn with(c: char, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), modifiers)
    }

    /// Feeds keys; gives what was typed and what was told.
    fn feed(keys: &[KeyEvent]) -> (String, Option<bool>, Answers) {
        let (mut answers, mut typed, mut light) = (Answers::default(), String::new(), None);
        for key in keys {
            match answers.key(*key) {
                Told::Keys(keys) => typed.extend(keys.iter().filter_map(|key| key.code.as_char())),
                Told::Light(is) => light = Some(is),
                Told::Nothing => {}
            }
        }
        (typed, light, answers)
    }

    fn answer(colour: &str, end: &[KeyEvent]) -> Vec<KeyEvent> {
        let mut keys = vec![plain('p'), with(']', KeyModifiers::ALT)];
        keys.extend(colour.chars().map(plain));
        keys.extend(end);
        keys.push(plain('w'));
        keys
    }

    #[test]
    fn an_answer_is_taken_out_of_what_is_typed_however_it_ends() {
        let esc = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        let st = [with('\\', KeyModifiers::ALT)];
        for end in [&st[..], &[with('g', KeyModifiers::CONTROL)], &[esc, plain('\\')]] {
            for (colour, is) in [
                ("11;rgb:ffff/ffff/ffff", Some(true)),
                ("11;rgb:16/19/1F", Some(false)),
                ("11;rgba:fbfb/fbfb/fafa/ffff", Some(true)),
                ("11;rgb:f/f", None),
            ] {
                let (typed, light, answers) = feed(&answer(colour, end));
                assert_eq!((typed.as_str(), light), ("pw", is), "{colour}");
                assert_eq!(answers.patience(), None);
            }
        }
    }

    #[test]
    fn an_answer_whose_first_byte_came_alone_is_one_too() {
        let mut keys = vec![KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), plain(']')];
        keys.extend("11;rgb:0000/0000/0000".chars().map(plain));
        keys.push(with('\\', KeyModifiers::ALT));
        let (typed, light, _) = feed(&keys);
        assert_eq!((typed.as_str(), light), ("", Some(false)));
    }

    #[test]
    fn what_only_looks_like_an_answer_is_typed_in_its_order() {
        let mut keys = vec![with(']', KeyModifiers::ALT)];
        keys.extend("11 then".chars().map(plain));
        let (typed, light, answers) = feed(&keys);
        assert_eq!((typed.as_str(), light, answers.patience()), ("]11 then", None, None));
        let (_, _, mut answers) = feed(&[KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)]);
        assert_eq!(answers.patience(), Some(ESC));
        assert_eq!(answers.give_up().len(), 1, "an Esc alone is the key");
        let (_, _, mut answers) = feed(&[with(']', KeyModifiers::ALT), plain('1')]);
        assert_eq!(answers.give_up().len(), 2);
        assert_eq!(answers.patience(), None);
    }

    #[test]
    fn the_rest_of_an_answer_that_breaks_off_is_never_typed() {
        let mut keys = vec![with(']', KeyModifiers::ALT)];
        keys.extend("11;rgb:ffff/ff".chars().map(plain));
        let (typed, _, mut answers) = feed(&keys);
        assert_eq!((typed.as_str(), answers.patience()), ("", Some(SURE)));
        assert_eq!(answers.give_up(), Vec::new());
    }
}
