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
    #[error("there is no theme `{0}`; there are {names}", names = NAMES.map(|(name, _)| name).join(", "))]
    Unknown(String),
}

/// The themes that come with the program.
pub const NAMES: [(&str, &str); 4] = [
    ("terminal", include_str!("../../assets/themes/terminal.ron")),
    ("dark", include_str!("../../assets/themes/dark.ron")),
    ("light", include_str!("../../assets/themes/light.ron")),
    ("mono", include_str!("../../assets/themes/mono.ron")),
];

impl Theme {
    /// A theme that comes with the program, by name.
    ///
    /// # Errors
    /// [`ThemeError::Unknown`] with the names that there are.
    pub fn named(name: &str) -> Result<Self, ThemeError> {
        let (_, text) =
            NAMES.iter().find(|(known, _)| *known == name).ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
        Self::parse(text)
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
            selected: style(&words.selected)?,
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
        assert_eq!(message, "there is no theme `neon`; there are terminal, dark, light, mono");
    }
}
