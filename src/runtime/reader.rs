//! What a terminal sends, as keys, mouse and pastes. Ours and not crossterm's, because passwords come this way: crossterm
//! keeps what was typed in buffers that nobody can reach, until the program ends. Here nothing is kept once it was told.
//!
//! Sequences as ECMA-48, xterm's control sequences and the Linux console give them. Pure; the types are crossterm's.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::background::light;
use super::input::Input;
use crate::secret::Secret;

const ESC: u8 = 0x1b;
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// The longest answer of a terminal that is waited for; what goes on beyond is taken as keys.
const LONGEST_ANSWER: usize = 4096;

/// What was sent and not yet understood.
pub struct Reader {
    waiting: Secret<Vec<u8>>,
    /// In a paste: how far its end was looked for.
    paste: Option<usize>,
}

/// What the first bytes are: so many of them, and what they mean, if anything.
type Token = (usize, Option<Input>);

impl Reader {
    /// One that has read nothing.
    pub fn new() -> Self {
        Self { waiting: Secret::new(Vec::new()), paste: None }
    }

    /// Takes in what was read, and gives what it means in the order in which it was sent. `more` says that the terminal
    /// has more to give at once: then an escape character at the end is not yet the key.
    pub fn feed(&mut self, bytes: &[u8], more: bool) -> Vec<Input> {
        self.waiting.expose_mut().extend_from_slice(bytes);
        let (mut told, mut at) = (Vec::new(), 0);
        loop {
            let rest = &self.waiting.expose()[at..];
            if let Some(searched) = self.paste {
                let from = searched.saturating_sub(PASTE_ENDS.len());
                let Some(end) = rest[from..].windows(PASTE_ENDS.len()).position(|six| six == PASTE_ENDS) else {
                    self.paste = Some(rest.len());
                    break;
                };
                let text = String::from_utf8_lossy(&rest[..from + end]).into_owned();
                told.push(Input::Paste(Secret::new(text)));
                at += from + end + PASTE_ENDS.len();
                self.paste = None;
            } else if rest.starts_with(b"\x1b[200~") {
                at += PASTE_ENDS.len();
                self.paste = Some(0);
            } else if let Some((len, input)) = token(rest, more) {
                told.extend(input);
                at += len;
            } else {
                break;
            }
        }
        // A new buffer, so that the old one is wiped.
        if at > 0 {
            self.waiting = Secret::new(self.waiting.expose()[at..].to_vec());
        }
        told
    }
}

impl Reader {
    /// Whether something has begun that is no paste and is not complete.
    pub fn is_open(&self) -> bool {
        self.paste.is_none() && !self.waiting.expose().is_empty()
    }

    /// Whether what was read ends in what may be the beginning of an answer, or else is a key by itself.
    pub fn may_go_on(&self, read: &[u8]) -> bool {
        read.ends_with(&[ESC]) || read.ends_with(&[ESC, b']']) || (read == b"]" && self.waiting.expose() == &[ESC])
    }

    /// Whether what was held back goes on as an answer does.
    pub fn goes_on(&self, read: &[u8]) -> bool {
        let next = if self.waiting.expose() == &[ESC] { b']' } else { b'1' };
        read.first() == Some(&next)
    }

    /// What has begun will not be completed: it is nobody's.
    pub fn give_up(&mut self) {
        self.waiting = Secret::new(Vec::new());
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

/// The first thing in the bytes; none where the rest of it must still come.
fn token(bytes: &[u8], more: bool) -> Option<Token> {
    match bytes {
        [] => None,
        [ESC] => (!more).then(|| (1, Some(key(KeyCode::Esc, KeyModifiers::NONE)))),
        [ESC, ESC, ..] => Some((1, Some(key(KeyCode::Esc, KeyModifiers::NONE)))),
        [ESC, b'[', ..] => control(bytes),
        [ESC, b'O', ..] => {
            let end = *bytes.get(2)?;
            Some((3, named(end).map(|code| key(code, KeyModifiers::NONE))))
        }
        // The terminal's answer to a question: of its background, or of something that nobody waits for any more.
        [ESC, b']'] if more => None,
        [ESC, b']' | b'P' | b'_' | b'^', _, ..] => {
            let bell = bytes.iter().position(|byte| *byte == 7).map(|at| (at, at + 1));
            let end = bytes[1..].windows(2).position(|two| two == b"\x1b\\").map(|at| (at + 1, at + 3));
            match bell.into_iter().chain(end).min() {
                Some((to, end)) => {
                    let letters = std::str::from_utf8(&bytes[2..to.max(2)]).unwrap_or_default();
                    Some((end, light(letters).filter(|_| bytes[1] == b']').map(Input::Light)))
                }
                None if bytes.len() < LONGEST_ANSWER => None,
                None => Some((2, None)),
            }
        }
        [ESC, rest @ ..] => {
            let (len, input) = plain(rest)?;
            let with_alt = |input| match input {
                Input::Key(mut event) => {
                    event.modifiers |= KeyModifiers::ALT;
                    Input::Key(event)
                }
                other => other,
            };
            Some((len + 1, input.map(with_alt)))
        }
        _ => plain(bytes),
    }
}

/// A character, or a key that is sent as a control character.
fn plain(bytes: &[u8]) -> Option<Token> {
    let ctrl = |c: u8| key(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    let first = *bytes.first()?;
    let input = match first {
        b'\r' => key(KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => key(KeyCode::Tab, KeyModifiers::NONE),
        0x7f => key(KeyCode::Backspace, KeyModifiers::NONE),
        0 => ctrl(b' '),
        0x01..=0x1a => ctrl(first - 1 + b'a'),
        0x1c..=0x1f => ctrl(first - 0x1c + b'4'),
        _ => {
            let len = match first {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => 1,
            };
            // As far as the bytes go on the character; one that breaks off is dropped.
            let goes_on = bytes.iter().take(len).skip(1).take_while(|byte| (0x80..0xc0).contains(*byte)).count() + 1;
            if goes_on < len && goes_on == bytes.len() {
                return None;
            }
            let c = std::str::from_utf8(&bytes[..goes_on]).ok().and_then(|text| text.chars().next());
            let shift = |c: char| if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
            return Some((goes_on, c.map(|c| key(KeyCode::Char(c), shift(c)))));
        }
    };
    Some((1, Some(input)))
}

/// A control sequence: `ESC [`, parameters, a letter.
fn control(bytes: &[u8]) -> Option<Token> {
    // The Linux console's F1 to F5.
    if bytes.get(2) == Some(&b'[') {
        let end = *bytes.get(3)?;
        let code = (b'A'..=b'E').contains(&end).then(|| KeyCode::F(end - b'A' + 1));
        return Some((4, code.map(|code| key(code, KeyModifiers::NONE))));
    }
    let end = bytes.iter().skip(2).position(|byte| !(0x20..0x40).contains(byte))? + 2;
    if !(0x40..0x7f).contains(&bytes[end]) {
        return Some((end, None));
    }
    let parameters = std::str::from_utf8(&bytes[2..end]).unwrap_or_default();
    let (len, last) = (end + 1, bytes[end]);
    // The mouse of terminals that know no other form.
    if last == b'M' && parameters.is_empty() {
        let three = bytes.get(len..len + 3)?;
        let event =
            click(three[0].wrapping_sub(32), three[1].wrapping_sub(33).into(), three[2].wrapping_sub(33).into(), false);
        return Some((len + 3, event));
    }
    // The window has the keys again (xterm's focus reporting); that it lost them is `O`, which names nothing.
    if last == b'I' && parameters.is_empty() {
        return Some((len, Some(Input::Focus)));
    }
    if let Some(mouse) = parameters.strip_prefix('<') {
        let mut numbers = mouse.split(';').map(|number| number.parse::<u16>().ok());
        let mut next = || numbers.next().flatten();
        let event =
            (|| click(next()?.try_into().ok()?, next()?.checked_sub(1)?, next()?.checked_sub(1)?, last == b'm'))();
        return Some((len, event));
    }
    let mut numbers = parameters.split(';').map(|number| {
        let mut parts = number.split(':').map(|part| part.parse::<u32>().ok());
        (parts.next().flatten(), parts.next().flatten())
    });
    let (first, (held, kind)) = (numbers.next().and_then(|one| one.0), numbers.next().unwrap_or_default());
    // 3: the key was let go.
    if kind == Some(3) {
        return Some((len, None));
    }
    let mut modifiers = held.map_or(KeyModifiers::NONE, modifiers);
    let code = match last {
        b'~' => first.and_then(numbered),
        b'Z' => {
            modifiers |= KeyModifiers::SHIFT;
            Some(KeyCode::BackTab)
        }
        b'u' => first.and_then(char::from_u32).and_then(|c| match plain(c.encode_utf8(&mut [0; 4]).as_bytes())?.1? {
            Input::Key(event) if c == '\u{1b}' || event.modifiers == KeyModifiers::CONTROL => Some(KeyCode::Esc),
            Input::Key(event) => Some(event.code),
            _ => None,
        }),
        // An answer to where the cursor is, unless it is F3.
        b'R' if first != Some(1) => None,
        _ => named(last),
    };
    Some((len, code.map(|code| key(code, modifiers))))
}

/// The key of a last letter.
fn named(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => return None,
    })
}

/// The key of a number before `~`.
fn numbered(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F((number - 10) as u8),
        17..=21 => KeyCode::F((number - 11) as u8),
        23..=26 => KeyCode::F((number - 12) as u8),
        28 | 29 => KeyCode::F((number - 13) as u8),
        31..=34 => KeyCode::F((number - 14) as u8),
        _ => return None,
    })
}

/// The keys that are held, as xterm counts them: one more than the sum.
fn modifiers(number: u32) -> KeyModifiers {
    let held = number.saturating_sub(1);
    let all = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ];
    all.into_iter().filter(|(bit, _)| held & bit != 0).map(|(_, modifier)| modifier).collect()
}

/// A click, a release or a turn of the wheel, at a column and row from 0.
fn click(button: u8, column: u16, row: u16, released: bool) -> Option<Input> {
    let moved = button & 0x20 != 0;
    let which = button & 0b11 | (button & 0b1100_0000) >> 4;
    let held = match which {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (held, which) {
        (Some(button), _) if released => MouseEventKind::Up(button),
        (Some(button), _) if moved => MouseEventKind::Drag(button),
        (Some(button), _) => MouseEventKind::Down(button),
        (None, 3) if !moved => MouseEventKind::Up(MouseButton::Left),
        (None, 3..=5) if moved => MouseEventKind::Moved,
        (None, 4) => MouseEventKind::ScrollUp,
        (None, 5) => MouseEventKind::ScrollDown,
        (None, 6) => MouseEventKind::ScrollLeft,
        (None, 7) => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let bits = [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)];
    let modifiers = bits.into_iter().filter(|(bit, _)| button & bit != 0).map(|(_, modifier)| modifier).collect();
    Some(Input::Mouse(MouseEvent { kind, column, row, modifiers }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(inputs: Vec<Input>) -> Vec<String> {
        let word = |input| match input {
            Input::Key(event) if event.modifiers.is_empty() => format!("{:?}", event.code),
            Input::Key(event) => format!("{:?} {}", event.code, event.modifiers),
            Input::Mouse(mouse) => format!("{:?} {} {} {}", mouse.kind, mouse.column, mouse.row, mouse.modifiers),
            Input::Paste(text) => format!("paste {:?}", text.expose()),
            Input::Light(is) => format!("light {is}"),
            Input::Focus => String::from("focus"),
            _ => unreachable!("nothing else is read"),
        };
        inputs.into_iter().map(word).collect()
    }

    fn read(bytes: &[u8]) -> Vec<String> {
        words(Reader::new().feed(bytes, false))
    }

    #[test]
    fn letters_and_control_characters_are_the_keys_that_send_them() {
        assert_eq!(read("aÄ\u{1f511}".as_bytes()), ["Char('a')", "Char('Ä') Shift", "Char('\u{1f511}')"]);
        assert_eq!(read(b"\r\t\x7f"), ["Enter", "Tab", "Backspace"]);
        assert_eq!(
            read(b"\x03\n\0\x1f"),
            ["Char('c') Control", "Char('j') Control", "Char(' ') Control", "Char('7') Control"]
        );
    }

    #[test]
    fn escape_is_a_key_by_itself_and_alt_before_another() {
        assert_eq!(read(b"\x1b"), ["Esc"]);
        assert_eq!(read(b"\x1b\x1b"), ["Esc", "Esc"]);
        assert_eq!(read(b"\x1bx\x1b\r"), ["Char('x') Alt", "Enter Alt"]);
        assert_eq!(read(b"\x1b\x1b[A"), ["Esc", "Up"]);
        let mut reader = Reader::new();
        assert!(reader.feed(b"\x1b", true).is_empty(), "more is to come");
        assert_eq!(words(reader.feed(b"[B", false)), ["Down"]);
    }

    #[test]
    fn every_key_that_has_a_name_is_known_in_each_of_its_forms() {
        let arrows = ["Up", "Down", "Right", "Left"];
        assert_eq!(read(b"\x1b[A\x1b[B\x1b[C\x1b[D"), arrows);
        assert_eq!(read(b"\x1bOA\x1bOB\x1bOC\x1bOD"), arrows);
        assert_eq!(read(b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~"), ["Home", "End", "Home", "End", "Home", "End"]);
        assert_eq!(read(b"\x1b[2~\x1b[3~\x1b[5~\x1b[6~"), ["Insert", "Delete", "PageUp", "PageDown"]);
        assert_eq!(
            read(b"\x1bOP\x1bOS\x1b[15~\x1b[17~\x1b[24~\x1b[[A\x1b[34~"),
            ["F(1)", "F(4)", "F(5)", "F(6)", "F(12)", "F(1)", "F(20)"]
        );
        assert_eq!(
            read(b"\x1b[1;5C\x1b[3;2~\x1b[Z\x1b[1;2R"),
            ["Right Control", "Delete Shift", "BackTab Shift", "F(3) Shift"]
        );
        assert_eq!(read(b"\x1b[97;5u\x1b[27u\x1b[13;2u\x1b[97;1:3u"), ["Char('a') Control", "Esc", "Enter Shift"]);
    }

    #[test]
    fn the_mouse_is_read_in_both_forms() {
        assert_eq!(read(b"\x1b[<0;10;5M\x1b[<0;10;5m"), ["Down(Left) 9 4 ", "Up(Left) 9 4 "]);
        assert_eq!(read(b"\x1b[<64;1;1M\x1b[<81;300;2M"), ["ScrollUp 0 0 ", "ScrollDown 299 1 Control"]);
        assert_eq!(read(b"\x1b[M !!\x1b[M#!\""), ["Down(Left) 0 0 ", "Up(Left) 0 1 "]);
        assert!(read(b"\x1b[<0;0;0M\x1b[<;M\x1b[<999;1;1M").is_empty(), "what makes no sense is nothing");
    }

    #[test]
    fn a_paste_is_one_text_whatever_is_in_it_and_wherever_it_is_cut() {
        let sent = "\x1b[200~a\x1b[Bé\r\n\x1b[201~x".as_bytes();
        let expected = ["paste \"a\\u{1b}[Bé\\r\\n\"", "Char('x')"];
        assert_eq!(read(sent), expected);
        for cut in 1..sent.len() {
            let mut reader = Reader::new();
            let mut told = words(reader.feed(&sent[..cut], true));
            told.extend(words(reader.feed(&sent[cut..], false)));
            assert_eq!(told, expected, "cut at {cut}");
        }
    }

    #[test]
    fn the_focus_that_comes_is_told_and_the_one_that_goes_is_no_key() {
        assert_eq!(read(b"\x1b[I\x1b[Oa\x1b[I"), ["focus", "Char('a')", "focus"]);
        assert!(read(b"\x1b[O").is_empty());
        for cut in 1..3 {
            let mut reader = Reader::new();
            assert!(reader.feed(&b"\x1b[I"[..cut], true).is_empty(), "cut at {cut}");
            assert_eq!(words(reader.feed(&b"\x1b[I"[cut..], false)), ["focus"], "cut at {cut}");
        }
    }

    #[test]
    fn answers_and_broken_sequences_are_no_keys() {
        assert_eq!(
            read(b"\x1b]11;rgb:0000/0000/0000\x1b\\a\x1b]11;rgb:f/f/f\x07b"),
            ["light false", "Char('a')", "light true", "Char('b')"]
        );
        assert_eq!(read(b"\x1b]52;c;eA==\x07\x1bP1$r0m\x1b\\a\x1b]\x07"), ["Char('a')"]);
        assert_eq!(read(b"\x1b[?64;1c\x1b[24;80R\x1b[1Ia"), ["Char('a')"]);
        assert_eq!(read(b"\x1b[12\x1b[A"), ["Up"]);
        assert_eq!(read(b"\xff\xc3(a\xe2\x82b"), ["Char('(')", "Char('a')", "Char('b')"]);
        assert_eq!(read(b"\x1b]"), ["Char(']') Alt"]);
        let mut reader = Reader::new();
        assert!(reader.feed(b"\xe2\x82", false).is_empty());
        assert_eq!(words(reader.feed(b"\xac", false)), ["Char('€')"]);
    }

    #[test]
    fn an_answer_is_one_however_it_is_cut_and_what_breaks_off_is_nobodys() {
        let sent = b"p\x1b]11;rgb:ffff/ffff/ffff\x1b\\w";
        for cut in 1..sent.len() {
            let mut reader = Reader::new();
            let more = reader.may_go_on(&sent[..cut]);
            let mut told = words(reader.feed(&sent[..cut], more));
            assert!(!more || cut > 20 || reader.goes_on(&sent[cut..]), "cut at {cut}");
            told.extend(words(reader.feed(&sent[cut..], false)));
            assert_eq!(told, ["Char('p')", "light true", "Char('w')"], "cut at {cut}");
        }
        let mut reader = Reader::new();
        assert!(reader.feed(b"\x1b]11;rgb:ff", false).is_empty() && reader.is_open());
        reader.give_up();
        assert_eq!(words(reader.feed(b"a", false)), ["Char('a')"]);
    }

    #[test]
    fn a_long_paste_in_small_pieces_costs_its_length() {
        let mut reader = Reader::new();
        assert!(reader.feed(b"\x1b[200~", false).is_empty());
        let began = std::time::Instant::now();
        for _ in 0..4_000 {
            assert!(reader.feed(&[b'x'; 1024], true).is_empty());
        }
        let Some(Input::Paste(text)) = reader.feed(PASTE_ENDS, false).pop() else { panic!("a paste") };
        assert_eq!(text.expose().len(), 4_096_000);
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
