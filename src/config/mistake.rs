//! What is wrong in a settings file, and where, in words that lead to the right ones. ron's own messages speak of
//! structs and variants; these speak of settings and choices.

use std::fmt;

use ron::error::{Error, Position, SpannedError};

/// What is wrong in a settings file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What stands there.
    pub problem: String,
    /// What was expected there.
    pub expected: String,
    /// The known name that is nearest to the one that stands there, when it looks like a slip.
    pub nearest: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; ", self.line, self.column, self.problem)?;
        match &self.nearest {
            Some(name) => write!(f, "did you mean `{name}`?"),
            None => write!(f, "expected {}", self.expected),
        }
    }
}

/// Bytes as text.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Mistake> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        Mistake::at(&good, good.len(), "this is not UTF-8 text", "text")
    })
}

/// Whether the text ended before any setting came: nothing but blanks and comments.
pub(crate) fn says_nothing(error: &SpannedError, text: &str) -> bool {
    matches!(error.code, Error::ExpectedNamedStructLike(_)) && offset(text, error.span.end) == text.len()
}

impl Mistake {
    /// A mistake at a place of the text, in bytes.
    pub(crate) fn at(text: &str, offset: usize, problem: impl Into<String>, expected: impl Into<String>) -> Self {
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
            problem: problem.into(),
            expected: expected.into(),
            nearest: None,
        }
    }

    /// A name that is not among the known ones.
    fn unknown(text: &str, offset: usize, found: &str, what: &str, known: &[&str]) -> Self {
        let found = clip(found);
        Self {
            nearest: nearest(&found, known),
            ..Self::at(text, offset, format!("`{found}` is not {what}"), list(known))
        }
    }

    /// Profiles inside a profile, where they can mean nothing.
    pub(super) fn nested_profiles(text: &str) -> Self {
        let at = text.rfind("profiles").unwrap_or(0);
        Self::at(text, at, "a profile cannot have profiles", "the settings that differ in the profile")
    }

    /// What ron found, in our words.
    pub(crate) fn from_ron(error: &SpannedError, text: &str) -> Self {
        let (start, end) = (offset(text, error.span.start), offset(text, error.span.end));
        // A number is refused when the cursor is inside or behind it.
        let number = text[..start].trim_end_matches(|c: char| c.is_alphanumeric() || "_+-.".contains(c)).len();
        // A text is refused when the cursor is in it or behind it.
        let number = opening_quote(&text[..number]).unwrap_or(number);
        let value = |expected: &str| Self::at(text, end, cannot_be(text, end), expected);
        let plain = |at: usize, problem: &str, expected: &str| Self::at(text, at, problem, expected);
        match &error.code {
            Error::NoSuchStructField { expected, found, outer } => {
                let what = match outer.as_deref() {
                    None | Some("Config" | "Policy") => String::from("a setting"),
                    Some(group) => format!("a setting of `{}`", group.to_lowercase()),
                };
                Self::unknown(text, start, found, &what, expected)
            }
            Error::NoSuchEnumVariant { expected, found, .. } => {
                let what = setting_before(text, start)
                    .map_or_else(|| "a choice here".into(), |s| format!("a choice for `{s}`"));
                Self::unknown(text, start, found, &what, expected)
            }
            Error::MissingStructField { field, .. } => {
                plain(end, &format!("`{field}` is missing"), &format!("`{field}: …` before the `)`"))
            }
            Error::DuplicateStructField { field, .. } => {
                plain(start, &format!("`{field}` is set a second time"), "each setting once")
            }
            Error::InvalidValueForType { expected, .. } => Self::at(text, number, cannot_be(text, number), expected),
            Error::IntegerOutOfBounds => plain(number, &cannot_be(text, number), "a smaller whole number"),
            Error::ExpectedInteger => value("a whole number"),
            Error::ExpectedBoolean => value("`true` or `false`"),
            Error::ExpectedString => value("text in double quotes"),
            Error::ExpectedArray => value("a list: `[…]`"),
            Error::ExpectedMap => value("names with values: `{ \"name\": … }`"),
            Error::ExpectedIdentifier if setting_before(text, end).is_some() => {
                value("one of its choices, without quotes")
            }
            Error::ExpectedIdentifier => plain(end, &unexpected(text, end), "the name of a setting"),
            Error::ExpectedComma => plain(end, &unexpected(text, end), "a comma after the value before"),
            Error::ExpectedMapColon => plain(end, &unexpected(text, end), "a colon after the name"),
            Error::ExpectedNamedStructLike("Config" | "Policy") | Error::ExpectedDifferentStructName { .. } => {
                let expected = "`(` before the first setting and `)` after the last";
                plain(start, &unexpected(text, start), expected)
            }
            Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) => plain(end, &unexpected(text, end), "`(`"),
            Error::ExpectedStructLikeEnd => plain(end, &unexpected(text, end), "`)`"),
            Error::ExpectedArrayEnd => plain(end, &unexpected(text, end), "`]`"),
            Error::ExpectedMapEnd => plain(end, &unexpected(text, end), "`}`"),
            Error::ExpectedStringEnd => plain(start, "a text begins here and does not end", "a closing double quote"),
            Error::UnclosedBlockComment => plain(start, "a comment begins here and does not end", "`*/`"),
            Error::TrailingCharacters => plain(end, &unexpected(text, end), "nothing after the last `)`"),
            Error::Eof => plain(end, "the file ends here", "`)` after the last setting"),
            other => {
                let expected = other.to_string();
                plain(start, &unexpected(text, start), expected.strip_prefix("expected ").unwrap_or(&expected))
            }
        }
    }
}

/// Where in the text a place of ron's is, in bytes; at most its end.
fn offset(text: &str, place: Position) -> usize {
    let line: usize = text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
    let within = text[line..].chars().take(place.col.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    line + within
}

/// What stands at a place, up to the end of the value or the name; none at the end of the file.
fn token(text: &str, at: usize) -> Option<String> {
    let rest = &text[at..];
    let first = rest.chars().next()?;
    let long = match first {
        '"' => rest[1..].find(['"', '\n']).map_or(rest.len(), |n| n + 2),
        c if c.is_alphanumeric() || "_+-.".contains(c) => {
            rest.find(|c: char| !(c.is_alphanumeric() || "_+-.".contains(c))).unwrap_or(rest.len())
        }
        c => c.len_utf8(),
    };
    Some(clip(rest[..long.min(rest.len())].trim_end()))
}

/// Where the text in quotes begins in which a place is, or that ends there, if one does.
fn opening_quote(before: &str) -> Option<usize> {
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let inside = before[line..].matches('"').count() % 2 == 1;
    if inside { before.rfind('"') } else { before.strip_suffix('"')?.rfind('"') }
}

/// At most 40 characters of a file's text.
fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// The name of the setting whose value begins at a place.
fn setting_before(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].trim_end().strip_suffix(':')?.trim_end();
    // By what is left when it is taken away: the character before it may be of several bytes.
    let rest = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    Some(&before[rest.len()..]).filter(|name| !name.is_empty())
}

fn cannot_be(text: &str, at: usize) -> String {
    match (setting_before(text, at), token(text, at)) {
        (Some(setting), Some(value)) => format!("`{setting}` cannot be `{value}`"),
        _ => unexpected(text, at),
    }
}

fn unexpected(text: &str, at: usize) -> String {
    token(text, at)
        .map_or_else(|| String::from("the file ends here"), |found| format!("`{found}` does not belong here"))
}

/// The names as a sentence says them.
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::from("nothing"),
    }
}

/// The known name that the one found is a slip for: a few letters off, or a beginning of it.
fn nearest(found: &str, known: &[&str]) -> Option<String> {
    let plain = found.to_lowercase();
    let distance = |name: &str| {
        let name = name.to_lowercase();
        let begins = plain.len() >= 3 && (name.starts_with(&plain) || plain.starts_with(&name));
        if begins { 0 } else { strsim::damerau_levenshtein(&name, &plain) }
    };
    let (best, name) = known.iter().map(|name| (distance(name), name)).min_by_key(|(distance, _)| *distance)?;
    (best <= 1 + plain.chars().count() / 4).then(|| (*name).to_owned())
}
