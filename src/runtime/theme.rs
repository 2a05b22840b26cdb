//! Finds the theme that the config names: one of those that come along, a file of the user's, or light or dark by what
//! the terminal says of itself.

use std::path::Path;

use crate::paths;
use crate::report::system;
use crate::tui::Theme;

/// A theme's file is a few hundred bytes; one of more is not read.
const MOST_BYTES: u64 = 64 * 1024;

/// The theme in force, and why it is not the one that was asked for.
///
/// A name with a slash or ending in `.ron` is a file, from the config's folder on; any other is one that comes along, or
/// else `themes/NAME.ron` in that folder. Without colours (`NO_COLOR`) it is `mono`, whatever is asked for.
/// `light` is what the terminal said of its background, if it answered.
pub fn find(name: &str, config_file: &Path, colours: bool, light: Option<bool>) -> (Theme, Option<String>) {
    if !colours {
        return (Theme::named("mono").unwrap_or_default(), None);
    }
    let found = if is_auto(name) {
        let light = light.unwrap_or_else(|| is_light(std::env::var("COLORFGBG").ok().as_deref()));
        Theme::named(if light { "light" } else { "dark" }).map_err(|e| e.to_string())
    } else {
        let folder = config_file.parent().unwrap_or(Path::new(""));
        if name.contains(std::path::is_separator) || name.to_ascii_lowercase().ends_with(".ron") {
            read(&folder.join(paths::from_home(Path::new(name))))
        } else {
            let own = folder.join("themes").join(format!("{name}.ron"));
            Theme::named(name).map_err(|e| e.to_string()).or_else(|e| if own.is_file() { read(&own) } else { Err(e) })
        }
    };
    match found {
        Ok(theme) => (theme, None),
        Err(why) => (Theme::default(), Some(format!("theme: {why}"))),
    }
}

/// Whether a theme's name means light or dark by the terminal's background.
pub fn is_auto(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("auto")
}

/// Whether the terminal says that its background is light. `COLORFGBG` ends in the number of the background's colour; 7
/// and 9 to 15 are light. Most terminals say nothing, and most are dark.
fn is_light(colorfgbg: Option<&str>) -> bool {
    let last = colorfgbg.and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
    matches!(last, Some(7 | 9..=15))
}

fn read(path: &Path) -> Result<Theme, String> {
    let shown = path.display();
    let unread = |error| format!("{shown} cannot be read: {}", system(&error));
    let about = std::fs::metadata(path).map_err(unread)?;
    if !about.is_file() || about.len() > MOST_BYTES {
        return Err(format!("{shown} is no theme"));
    }
    let text = std::fs::read_to_string(path).map_err(unread)?;
    Theme::parse(&text).map_err(|e| format!("{shown}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_of_the_users_own_is_found_by_name_and_by_path_and_its_mistake_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("config.ron");
        std::fs::create_dir(folder.path().join("themes")).expect("made");
        let file = folder.path().join("themes/mine.ron");
        std::fs::write(&file, include_str!("../../assets/themes/nord.ron")).expect("written");
        let nord = Theme::named("nord").expect("it comes along");
        for name in ["mine", "themes/mine.ron", file.to_str().expect("text")] {
            assert_eq!(find(name, &config, true, None), (nord.clone(), None), "{name}");
        }
        std::fs::write(&file, "(text: \"purplish\")").expect("written");
        let (theme, why) = find("mine", &config, true, None);
        assert_eq!(theme, Theme::default());
        assert!(why.is_some_and(|why| why.contains("mine.ron: line 1")));
        assert!(find("neon", &config, true, None).1.is_some_and(|why| why.contains("there is no theme `neon`")));
        let (_, why) = find("themes/gone.ron", &config, true, None);
        assert!(
            why.as_ref().is_some_and(|why| why.ends_with("gone.ron cannot be read: No such file or directory")),
            "{why:?}"
        );
        for (light, name) in [(Some(true), "light"), (Some(false), "dark")] {
            assert_eq!(find("auto", &config, true, light).0, Theme::named(name).expect("it comes along"), "{name}");
        }
        assert_eq!(find("neon", &config, false, None), (Theme::named("mono").expect("it comes along"), None));
    }

    #[test]
    fn the_variable_that_some_terminals_set_tells_light_from_dark() {
        for (value, light) in [("0;15", true), ("0;7", true), ("15;default;0", false), ("15;8", false), ("x", false)] {
            assert_eq!(is_light(Some(value)), light, "{value}");
        }
        assert!(!is_light(None));
    }
}
