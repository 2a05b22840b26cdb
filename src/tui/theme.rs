//! Colours and marks by role, read from `assets/themes/*.ron`. Nothing is said by colour alone.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// The styles by role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// All letters without a role, and the background.
    pub text: Style,
    /// Titles.
    pub strong: Style,
    /// Accounts, next codes, words of the footer.
    pub dim: Style,
    /// The selection's mark, keys.
    pub accent: Style,
    /// Codes.
    pub code: Style,
    /// The selected row, on top of what it shows.
    pub selected: Style,
    /// Letters that a search matched.
    pub matched: Style,
    /// The last seconds, ages that are old.
    pub warn: Style,
    /// What failed.
    pub error: Style,
    /// What is done.
    pub good: Style,
    /// Boxes.
    pub border: Style,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    text: String,
    strong: String,
    dim: String,
    accent: String,
    code: String,
    selected: String,
    matched: String,
    warn: String,
    error: String,
    good: String,
    border: String,
}

/// Why a theme could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// Not RON, or a role is missing or unknown.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// A word that is neither a colour nor a modifier.
    #[error("`{0}` is neither a colour nor a modifier")]
    Word(String),
    /// No theme has this name.
    #[error("there is no theme `{0}`; there are {names}", names = NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))]
    Unknown(String),
}

/// The themes that come with the program.
pub const NAMES: &[(&str, &str)] = &[
    ("terminal", include_str!("../../assets/themes/terminal.ron")),
    ("dark", include_str!("../../assets/themes/dark.ron")),
    ("light", include_str!("../../assets/themes/light.ron")),
    ("high_contrast", include_str!("../../assets/themes/high_contrast.ron")),
    ("mono", include_str!("../../assets/themes/mono.ron")),
    ("catppuccin", include_str!("../../assets/themes/catppuccin.ron")),
    ("catppuccin_latte", include_str!("../../assets/themes/catppuccin_latte.ron")),
    ("gruvbox", include_str!("../../assets/themes/gruvbox.ron")),
    ("gruvbox_light", include_str!("../../assets/themes/gruvbox_light.ron")),
    ("nord", include_str!("../../assets/themes/nord.ron")),
    ("solarized", include_str!("../../assets/themes/solarized.ron")),
    ("solarized_light", include_str!("../../assets/themes/solarized_light.ron")),
    ("tokyo_night", include_str!("../../assets/themes/tokyo_night.ron")),
];

impl Theme {
    /// A theme that comes with the program, by name.
    ///
    /// # Errors
    /// [`ThemeError::Unknown`] with the names that there are.
    pub fn named(name: &str) -> Result<Self, ThemeError> {
        // `Tokyo Night` and `tokyo-night` are meant as well.
        let plain = name.trim().to_lowercase().replace([' ', '-'], "_");
        let known = NAMES.iter().find(|(known, _)| *known == plain);
        Self::parse(known.ok_or_else(|| ThemeError::Unknown(name.to_owned()))?.1)
    }

    /// Reads a theme's text.
    ///
    /// # Errors
    /// With the place, or the word that is no style.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        let words: Words = ron::from_str(text).map_err(|e| ThemeError::Syntax {
            line: e.span.start.line,
            column: e.span.start.col,
            message: e.code.to_string(),
        })?;
        Ok(Self {
            text: style(&words.text)?,
            strong: style(&words.strong)?,
            dim: style(&words.dim)?,
            accent: style(&words.accent)?,
            code: style(&words.code)?,
            selected: evenly(style(&words.selected)?),
            matched: style(&words.matched)?,
            warn: style(&words.warn)?,
            error: style(&words.error)?,
            good: style(&words.good)?,
            border: style(&words.border)?,
        })
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::named("terminal").expect("a test holds that the themes that come along are right")
    }
}

/// A reversed row is reversed evenly: dim letters would make a background of their own there.
fn evenly(selected: Style) -> Style {
    if selected.add_modifier.contains(Modifier::REVERSED) { selected.remove_modifier(Modifier::DIM) } else { selected }
}

/// Reads `bold #eceff4 on 236`.
fn style(words: &str) -> Result<Style, ThemeError> {
    let mut style = Style::new();
    let mut background = false;
    for word in words.split_whitespace() {
        let modifier = match word {
            "on" => {
                background = true;
                continue;
            }
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            _ => {
                let colour: Color = word.parse().map_err(|_| ThemeError::Word(word.to_owned()))?;
                style = if background { style.bg(colour) } else { style.fg(colour) };
                background = false;
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    Ok(style)
}

/// The number of one of the sixteen colours that a terminal names, the light ones from 8 on; none for all others.
pub const fn basic(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => return None,
    })
}

/// Relative luminance of a colour (WCAG 2.2), from 0 to 1; none where the terminal decides how it looks.
fn luminance(colour: Color) -> Option<f64> {
    let Color::Rgb(r, g, b) = colour else { return None };
    let [r, g, b] = [r, g, b].map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    Some(0.2126 * r + 0.7152 * g + 0.0722 * b)
}

/// The contrast of two colours (WCAG 2.2), from 1 to 21; 1 where one of them is the terminal's own.
pub fn contrast(one: Color, other: Color) -> f64 {
    let (Some(a), Some(b)) = (luminance(one), luminance(other)) else { return 1.0 };
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_that_comes_along_can_be_read() {
        for (name, _) in NAMES {
            assert!(Theme::named(name).is_ok(), "{name}: {:?}", Theme::named(name));
        }
    }

    #[test]
    fn words_become_styles() {
        let expected = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(236)).add_modifier(Modifier::BOLD);
        assert_eq!(style("bold #010203 on 236"), Ok(expected));
        assert_eq!(style("blod"), Err(ThemeError::Word("blod".into())));
    }

    #[test]
    fn a_theme_without_a_name_says_which_there_are() {
        let message = Theme::named("neon").unwrap_err().to_string();
        assert!(
            message.starts_with("there is no theme `neon`; there are terminal, dark, light, high_contrast, mono, ")
        );
    }

    #[test]
    fn a_name_is_found_with_blanks_and_capitals_too() {
        assert_eq!(Theme::named("Tokyo Night"), Theme::named("tokyo_night"));
    }

    #[test]
    fn every_text_of_a_theme_with_a_background_has_the_contrast_of_wcag_aa_selected_or_not() {
        let mut low = Vec::new();
        let mut checked = 0;
        for (name, _) in NAMES {
            let theme = Theme::named(name).unwrap();
            let Some(own) = theme.text.bg else { continue };
            checked += 1;
            let roles = [
                ("text", theme.text),
                ("strong", theme.strong),
                ("dim", theme.dim),
                ("accent", theme.accent),
                ("code", theme.code),
                ("matched", theme.matched),
                ("warn", theme.warn),
                ("error", theme.error),
                ("good", theme.good),
                ("border", theme.border),
            ];
            for (ground, behind) in [("its background", own), ("the selection", theme.selected.bg.unwrap())] {
                for (role, style) in roles {
                    assert!(!style.add_modifier.contains(Modifier::DIM), "{name}: {role}: how dim is not known");
                    assert!(luminance(style.fg.unwrap()).is_some() && luminance(behind).is_some(), "{name}: {role}");
                    let contrast = contrast(style.fg.unwrap(), behind);
                    if contrast < 4.5 {
                        low.push(format!("{name}: {role} on {ground}: {contrast:.2}"));
                    }
                }
            }
        }
        assert!(checked >= 10 && low.is_empty(), "{checked} checked\n{}", low.join("\n"));
    }
}
