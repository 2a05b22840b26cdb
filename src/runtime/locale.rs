//! What the environment says of the terminal's abilities: its charset, and whether it can draw a panel at all.

use crate::config::{Config, Glyphs};

/// The locale in force for characters (POSIX: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that says anything); empty where
/// none does.
pub fn locale() -> String {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty()).unwrap_or_default()
}

/// Whether a locale names UTF-8: `C.UTF-8`, `de_DE.utf8@euro`.
pub fn is_utf8(locale: &str) -> bool {
    let small = locale.to_ascii_lowercase();
    small.contains("utf-8") || small.contains("utf8")
}

/// The settings with the signs that the locale can show, where they leave that open. No locale at all says nothing: over
/// SSH and in containers it is often missing, and the terminal shows UTF-8 all the same. Windows has no such variables.
pub fn fitted(mut config: Config) -> Config {
    let locale = locale();
    if config.glyphs == Glyphs::Auto && !cfg!(windows) && !locale.is_empty() && !is_utf8(&locale) {
        config.glyphs = Glyphs::Ascii;
    }
    config
}

/// Whether the terminal can move its cursor. Unix alone asks `TERM`.
pub fn can_draw() -> bool {
    cfg!(not(unix)) || std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb")
}
