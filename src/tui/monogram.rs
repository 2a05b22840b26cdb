//! An issuer's monogram: a letter or two in a colour of its own, so that the eye finds a row before it reads. The colour
//! is the issuer's where that is known, else one by its name, made light or dark enough to be read on the theme.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ratatui::style::{Color, Style};
use unicode_segmentation::UnicodeSegmentation;

use super::theme::{Theme, contrast};
use crate::text::width;

/// Columns that a monogram takes, with the gap after it.
pub const COLUMNS: u16 = 3;
/// The contrast of WCAG AA for text.
const READABLE: f64 = 4.5;
/// Colours for issuers that are not known, of about one lightness.
const BY_NAME: [Color; 8] = [
    Color::Rgb(0x4c, 0x8d, 0xd6),
    Color::Rgb(0x3f, 0xa4, 0xa0),
    Color::Rgb(0x5d, 0xa8, 0x5a),
    Color::Rgb(0xb0, 0x93, 0x3a),
    Color::Rgb(0xc9, 0x77, 0x4a),
    Color::Rgb(0xc4, 0x68, 0x86),
    Color::Rgb(0x9a, 0x73, 0xc8),
    Color::Rgb(0x7d, 0x88, 0x98),
];
/// The same where the terminal's own colours serve.
const BASIC: [Color; 3] = [Color::Cyan, Color::Magenta, Color::Green];

/// The colours that issuers are known by.
static KNOWN: LazyLock<BTreeMap<String, Color>> = LazyLock::new(|| {
    let words: BTreeMap<String, String> =
        ron::from_str(include_str!("../../assets/issuers.ron")).expect("a test reads what comes along");
    words.into_iter().filter_map(|(name, colour)| Some((name, colour.parse().ok()?))).collect()
});

/// The letters: the capitals of the first two words, or the first two of one; a single wide sign.
pub fn letters(name: &str) -> String {
    let starts =
        |word: &str| word.graphemes(true).find(|g| g.chars().any(char::is_alphanumeric)).map(str::to_uppercase);
    let words: Vec<&str> = name.split([' ', '-', '_', '.', ':', '@', '/']).filter(|w| starts(w).is_some()).collect();
    let first = words.first().copied().unwrap_or_default();
    let inner = || first.graphemes(true).skip(1).find(|g| g.chars().all(char::is_uppercase)).map(str::to_owned);
    let second = words.get(1).and_then(|word| starts(word)).or_else(inner);
    let all = [starts(first), second].into_iter().flatten();
    let mut mark = String::new();
    for letter in all {
        if width(&mark) + width(&letter) < usize::from(COLUMNS) {
            mark.push_str(&letter);
        }
    }
    mark
}

/// How the letters of an issuer are drawn.
pub fn style(issuer: &str, theme: &Theme) -> Style {
    if theme.accent.fg.is_none() {
        // Without colours.
        return theme.dim;
    }
    let key: String = issuer.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let Some(own @ Color::Rgb(..)) = theme.text.bg else {
        return Style::new().fg(BASIC[hash as usize % BASIC.len()]);
    };
    let word = issuer.split_whitespace().next().unwrap_or_default().to_lowercase();
    let known = KNOWN.get(&key).or_else(|| KNOWN.get(&word)).copied();
    let colour = known.unwrap_or(BY_NAME[hash as usize % BY_NAME.len()]);
    Style::new().fg(readable(colour, own, theme.selected.bg.unwrap_or(own)))
}

/// A colour made lighter or darker, as little as it takes to be read on both grounds.
fn readable(colour: Color, own: Color, selected: Color) -> Color {
    let reads = |colour: Color| [own, selected].iter().all(|ground| contrast(colour, *ground) >= READABLE);
    let (white, black) = (Color::Rgb(255, 255, 255), Color::Rgb(0, 0, 0));
    let end = if contrast(white, own) > contrast(black, own) { white } else { black };
    (0..=20).map(|step| mixed(colour, end, step)).find(|mixed| reads(*mixed)).unwrap_or(end)
}

/// So many twentieths on the way from one colour to another.
fn mixed(from: Color, to: Color, step: u32) -> Color {
    let parts = |colour| if let Color::Rgb(red, green, blue) = colour { Some([red, green, blue]) } else { None };
    let (Some(from), Some(to)) = (parts(from), parts(to)) else { return from };
    let [red, green, blue] =
        std::array::from_fn(|n| ((u32::from(from[n]) * (20 - step) + u32::from(to[n]) * step) / 20) as u8);
    Color::Rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::NAMES;

    #[test]
    fn letters_are_those_that_a_reader_would_take() {
        for (name, mark) in [
            ("GitHub", "GH"),
            ("Amazon Web Services", "AW"),
            ("npm", "N"),
            ("1Password", "1P"),
            ("日本の銀行", "日"),
            ("Café 🏳️‍🌈", "C"),
            ("ada@example.com", "AE"),
            ("", ""),
            ("🏳️‍🌈", ""),
        ] {
            assert_eq!(letters(name), mark, "{name}");
        }
    }

    #[test]
    fn every_colour_is_read_on_every_theme_selected_or_not() {
        assert!(KNOWN.len() > 30);
        let own = |name: &String| KNOWN.contains_key(name);
        assert!(own(&String::from("github")));
        for (name, _) in NAMES {
            let theme = Theme::named(name).unwrap();
            let Some(ground @ Color::Rgb(..)) = theme.text.bg else { continue };
            for issuer in KNOWN.keys().map(String::as_str).chain(["Contoso", "a", "b", "c", "d", "e", "f", "g", "h"]) {
                let colour = style(issuer, &theme).fg.unwrap();
                for behind in [ground, theme.selected.bg.unwrap()] {
                    assert!(contrast(colour, behind) >= READABLE, "{name}: {issuer}: {colour} on {behind}");
                }
            }
        }
    }

    #[test]
    fn one_issuer_has_one_colour_however_it_is_written() {
        let theme = Theme::named("dark").unwrap();
        assert_eq!(style("GitHub", &theme), style("git-hub", &theme));
        assert_eq!(style("Google", &theme), style("Google Workspace", &theme));
        assert_eq!(style("GitHub", &Theme::named("mono").unwrap()), Theme::named("mono").unwrap().dim);
    }
}
