//! Foreign text made safe and made to fit: every name passes [`clean`] once before it is drawn or printed.
//!
//! Names come from other people's files. A control character could move the cursor, a bidi override could swap an issuer
//! and an account, a zero-width character could make two names look alike. The stored value keeps all of them; only what
//! is shown is cleaned.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most graphemes of a name that are shown.
const MOST_GRAPHEMES: usize = 256;
/// The most combining marks on one character that are shown.
const MOST_MARKS: usize = 4;
/// Zero-width joiner: kept between emoji, dropped elsewhere.
const ZWJ: char = '\u{200d}';

/// Makes a name safe to draw: no control, format, bidi, tag or invisible characters, no towers of marks, at most 256
/// graphemes. Line breaks and tabs become blanks. Borrows where nothing had to change.
pub fn clean(name: &str) -> Cow<'_, str> {
    if name.len() <= MOST_GRAPHEMES && name.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(name);
    }
    let mut out = cleaned_once(name);
    if out == name {
        return Cow::Borrowed(name);
    }
    // What was dropped may have held two characters together, or apart: each time less is left.
    loop {
        let again = cleaned_once(&out);
        if again == out {
            return Cow::Owned(out);
        }
        out = again;
    }
}

fn cleaned_once(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for grapheme in name.graphemes(true).take(MOST_GRAPHEMES) {
        clean_grapheme(grapheme, &mut out);
    }
    out
}

/// Whether nothing of a name can be seen: it is empty, or blanks, control and invisible characters alone.
pub fn is_blank(name: &str) -> bool {
    clean(name).trim().is_empty()
}

/// A line as it is typed into, made safe to draw: what shows nothing, or would act on the terminal, stands as a dot, so
/// that the cursor moves over it as over any other character.
pub fn typed(line: &str) -> Cow<'_, str> {
    if line.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(line);
    }
    let acts = |c: char| matches!(c, ZWJ | '\u{2028}' | '\u{2029}') || is_invisible(c);
    Cow::Owned(line.chars().map(|c| if acts(c) { '·' } else { c }).collect())
}

fn clean_grapheme(grapheme: &str, out: &mut String) {
    let mut marks = 0;
    let mut selectors = 0;
    let mut chars = grapheme.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => {
                if last.is_none() {
                    out.push(' ');
                    last = Some(' ');
                }
                continue;
            }
            // Joins two emoji into one; anywhere else it is invisible.
            ZWJ => {
                if !(last.is_some_and(is_pictograph) && chars.peek().copied().is_some_and(is_pictograph)) {
                    continue;
                }
            }
            '\u{fe00}'..='\u{fe0f}' => {
                selectors += 1;
                if selectors > 1 || last.is_none() {
                    continue;
                }
            }
            c if is_invisible(c) => continue,
            c if c.width() == Some(0) => {
                marks += 1;
                if marks > MOST_MARKS || last.is_none() {
                    continue;
                }
            }
            _ => selectors = 0,
        }
        out.push(c);
        // A selector or a skin tone belongs to the pictograph before it.
        if !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}') {
            last = Some(c);
        }
    }
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' | '©' | '®' | '\u{3030}' | '\u{303d}')
}

/// Control (Cc) and format (Cf) characters, tags, fillers and other code points that show nothing or act on the text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}' | '\u{115f}' | '\u{1160}'
            | '\u{600}'..='\u{605}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// JSON in which no character acts on a terminal or hides: such stand as `\u…`, which every reader takes for the same.
pub fn json(text: &str) -> Cow<'_, str> {
    let acts = |c: char| matches!(c, '\u{2028}' | '\u{2029}') || is_invisible(c);
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// What names are sorted by: small letters without their accents, so that É stands among E and not behind Z.
pub fn collated(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).flat_map(char::to_lowercase).collect()
}

/// A number of things: `1 account`, `2 accounts`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// Columns that a text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// As much of a text as fits into `columns`, cut between graphemes and ended by `…` where something was cut.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let w = width(grapheme);
        if used + w > columns - 1 {
            break;
        }
        out.push_str(grapheme);
        used += w;
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    Cow::Owned(out)
}

/// Breaks a text into lines of at most `columns` (at least 1) at blanks; a word that is longer is cut. A character that is
/// wider than a whole line stands as `…`.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let gap = usize::from(!line.is_empty());
            if width(&line) + gap + width(word) <= columns {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            // One grapheme may be wider than any line: a cluster of Hangul's leading letters has no end.
            let whole = |grapheme: &&str| width(grapheme) <= columns;
            for grapheme in word.graphemes(true) {
                let parts = if whole(&grapheme) { vec![grapheme] } else { grapheme.split("").collect() };
                for part in parts.into_iter().filter(|part| !part.is_empty()) {
                    let part = if width(part) <= columns { part } else { "…" };
                    if !line.is_empty() && width(&line) + width(part) > columns {
                        lines.push(std::mem::take(&mut line));
                    }
                    line.push_str(part);
                }
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_clean_stays_as_it_is_where_a_filler_held_a_syllable_together() {
        let shown = clean(&"\u{114d}\u{1160}\u{11a8}".repeat(200)).into_owned();
        assert!(shown.graphemes(true).count() <= MOST_GRAPHEMES);
        assert_eq!(clean(&shown), shown);
    }

    #[test]
    fn a_character_wider_than_the_line_is_never_in_it() {
        // Khmer's sign beyyal is three columns wide, by the Unicode standard's own lists.
        assert_eq!((wrap("a៘b", 2), wrap("日", 1)), (vec!["a…".to_owned(), "b".to_owned()], vec!["…".to_owned()]));
    }

    #[test]
    fn plain_names_are_borrowed_as_they_are() {
        assert!(matches!(clean("GitHub (octo@example.com)"), Cow::Borrowed("GitHub (octo@example.com)")));
        assert_eq!(clean("Čeština 日本語 Ἀθῆναι"), "Čeština 日本語 Ἀθῆναι");
    }

    #[test]
    fn a_cluster_that_is_wider_than_a_line_is_cut() {
        // Found by fuzzing: Hangul's leading letters make one grapheme of any width.
        assert_eq!(wrap("\u{1103}\u{1103}", 2), ["\u{1103}", "\u{1103}"]);
        assert!(wrap(&"\u{1103}".repeat(50), 7).iter().all(|line| width(line) <= 7));
    }

    #[test]
    fn json_says_the_same_with_nothing_in_it_that_acts() {
        let value = "a\u{9b}b\u{202e}c\u{e0041}d\u{ad}é\u{2028}日";
        let safe = json(&serde_json::to_string(value).unwrap()).into_owned();
        assert_eq!(safe, "\"a\\u009bb\\u202ec\\udb40\\udc41d\\u00adé\\u2028日\"");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), value);
        assert!(matches!(json("{\"é\":1}"), Cow::Borrowed(_)));
    }

    #[test]
    fn control_bidi_and_invisible_characters_are_dropped() {
        assert_eq!(clean("a\x1b[31mb\u{202e}c\u{200b}d\u{9b}e\u{2066}f\u{e0041}g\u{feff}"), "a[31mbcdefg");
        assert_eq!(clean("one\ntwo\tthree\r\nfour"), "one two three four");
        assert_eq!(clean("x\u{2028}y"), "x y");
    }

    #[test]
    fn emoji_sequences_stay_whole_and_lone_joiners_go() {
        assert_eq!(clean("👩‍💻 work"), "👩‍💻 work");
        assert_eq!(clean("👩🏽‍💻"), "👩🏽‍💻");
        assert_eq!(clean("❤️‍🔥"), "❤️‍🔥");
        assert_eq!(clean("a\u{200d}b"), "ab");
    }

    #[test]
    fn towers_of_marks_and_runs_of_selectors_are_cut() {
        let tower = format!("e{}", "\u{301}".repeat(40));
        assert_eq!(clean(&tower), format!("e{}", "\u{301}".repeat(4)));
        assert_eq!(clean("❤\u{fe0f}\u{fe0f}\u{fe0f}"), "❤\u{fe0f}");
    }

    #[test]
    fn long_names_are_capped() {
        assert_eq!(clean(&"é".repeat(10_000)).chars().count(), 256);
        assert_eq!(clean(&"a".repeat(10_000)).len(), 256);
    }

    #[test]
    fn cutting_respects_wide_characters() {
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("GitHub", 4), "Git…");
        assert_eq!(fit("GitHub", 0), "");
    }

    #[test]
    fn wrapping_keeps_every_word_and_the_width() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_nothing_dangerous_comes_out(name in any::<String>(), columns in 0usize..40) {
            let shown = clean(&name);
            let dangerous = shown.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            prop_assert!(!dangerous, "{:?}", shown);
            prop_assert!(width(&fit(&shown, columns)) <= columns);
            prop_assert_eq!(clean(&shown), shown.clone());
        }
    }

    #[test]
    fn accents_and_capitals_do_not_move_a_name_in_the_list() {
        let mut names = ["Zoom", "Émilie", "Ebay", "étoile", "Ezra", "E\u{301}lan"];
        names.sort_by_key(|name| collated(name));
        assert_eq!(names, ["Ebay", "E\u{301}lan", "Émilie", "étoile", "Ezra", "Zoom"]);
        assert_eq!(collated("हिन्दी"), "हिन्दी", "marks that are vowels stay");
    }
}
