//! What the terminal says of its background (OSC 11): asked once, where the theme depends on it. A terminal may answer at
//! once, late, in pieces or never; [`super::reader`] keeps every letter of it from what is typed.

use std::time::Duration;

/// Asks for the colour of the background.
pub const ASK: &[u8] = b"\x1b]11;?\x1b\\";
/// How long the first frame waits for the answer.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// Whether the colour of an answer is light: `11;rgb:ffff/ffff/ffff`, one to four digits for a part; none where the letters
/// are another answer.
#[cfg(unix)]
pub fn light(letters: &str) -> Option<bool> {
    let colour = letters.strip_prefix("11;rgb")?;
    let parts = colour.split_once(':')?.1.split('/').map(|part| {
        let most = 16u32.checked_pow(u32::try_from(part.len()).ok().filter(|n| (1..=4).contains(n))?)? - 1;
        Some(f64::from(u32::from_str_radix(part, 16).ok()?) / f64::from(most))
    });
    let parts: Vec<f64> = parts.collect::<Option<_>>()?;
    let [r, g, b] = parts.get(..3)?.try_into().ok()?;
    Some(0.299 * r + 0.587 * g + 0.114 * b > 0.5)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_light_or_not_in_every_form() {
        for (answer, is) in [
            ("11;rgb:ffff/ffff/ffff", Some(true)),
            ("11;rgb:16/19/1F", Some(false)),
            ("11;rgba:fbfb/fbfb/fafa/ffff", Some(true)),
            ("11;rgb:f/f", None),
            ("10;rgb:ffff/ffff/ffff", None),
            ("11;rgb:fffff/0/0", None),
            ("11;?", None),
        ] {
            assert_eq!(light(answer), is, "{answer}");
        }
    }
}
