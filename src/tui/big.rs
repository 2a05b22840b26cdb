//! The selected code in big digits, over the whole screen: readable across a room, and on 20 columns by 3 rows still.
//!
//! Glyphs are drawn from dots, three wide (a few letters more) and five high, as large as the screen takes. A letter has
//! the same shape in both cases, so a code of letters stands beside it as plain text as well.

use super::Canvas;
use crate::app::Model;
use crate::app::rows::{Row, Shows, code, next_code};
use crate::app::session::Session;
use crate::otp::remaining;
use crate::text::width;

/// Rows of dots in a glyph.
const HIGH: usize = 5;

/// The dots of a glyph, rows from the top divided by `/`.
const fn glyph(c: char) -> Option<&'static str> {
    Some(match c.to_ascii_uppercase() {
        '0' => "###/#.#/#.#/#.#/###",
        '1' => ".#./##./.#./.#./###",
        '2' => "###/..#/###/#../###",
        '3' => "###/..#/###/..#/###",
        '4' => "#.#/#.#/###/..#/..#",
        '5' => "###/#../###/..#/###",
        '6' => "###/#../###/#.#/###",
        '7' => "###/..#/..#/..#/..#",
        '8' => "###/#.#/###/#.#/###",
        '9' => "###/#.#/###/..#/###",
        'A' => ".#./#.#/###/#.#/#.#",
        'B' => "##./#.#/##./#.#/##.",
        'C' => ".##/#../#../#../.##",
        'D' => "##./#.#/#.#/#.#/##.",
        'E' => "###/#../##./#../###",
        'F' => "###/#../##./#../#..",
        'G' => ".###/#.../#.##/#..#/.###",
        'H' => "#.#/#.#/###/#.#/#.#",
        'I' => "###/.#./.#./.#./###",
        'J' => "..#/..#/..#/#.#/.#.",
        'K' => "#.#/#.#/##./#.#/#.#",
        'L' => "#../#../#../#../###",
        'M' => "#...#/##.##/#.#.#/#...#/#...#",
        'N' => "#..#/##.#/#.##/#..#/#..#",
        'O' => ".##./#..#/#..#/#..#/.##.",
        'P' => "##./#.#/##./#../#..",
        'Q' => ".##./#..#/#..#/#.#./.#.#",
        'R' => "##./#.#/##./#.#/#.#",
        'S' => ".##/#../.#./..#/##.",
        'T' => "###/.#./.#./.#./.#.",
        'U' => "#.#/#.#/#.#/#.#/###",
        'V' => "#...#/#...#/.#.#./.#.#./..#..",
        'W' => "#...#/#...#/#.#.#/##.##/#...#",
        'X' => "#.#/#.#/.#./#.#/#.#",
        'Y' => "#.#/#.#/.#./.#./.#.",
        'Z' => "###/..#/.#./#../###",
        ' ' => "./././././.",
        _ => return None,
    })
}

/// A text as rows of dots; none where a character has no glyph.
fn dots(text: &str) -> Option<Vec<Vec<bool>>> {
    let mut rows = vec![Vec::new(); HIGH];
    for (at, c) in text.chars().enumerate() {
        let glyph = glyph(c)?;
        for (row, line) in rows.iter_mut().zip(glyph.split('/')) {
            if at > 0 {
                row.push(false);
            }
            row.extend(line.bytes().map(|b| b == b'#'));
        }
    }
    Some(rows)
}

/// How dots become cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cells {
    /// Two by two dots in a cell.
    Quarters,
    /// One dot wide, two high, each dot enlarged so many times.
    Halves(usize),
    /// ASCII: a cell or so many of them for a dot, one row high.
    Whole(usize),
}

/// A drawing: its rows as text, all of one width.
fn drawing(dots: &[Vec<bool>], cells: Cells) -> Vec<String> {
    let wide = dots.first().map_or(0, Vec::len);
    let (across, down, scale) = match cells {
        Cells::Quarters => (2, 2, 1),
        Cells::Halves(n) => (1, 2, n),
        Cells::Whole(_) => (1, 1, 1),
    };
    let on = |x: usize, y: usize| dots.get(y / scale).and_then(|row| row.get(x / scale)).copied().unwrap_or(false);
    let (columns, rows) = ((wide * scale).div_ceil(across), (HIGH * scale).div_ceil(down));
    let cell = |x: usize, y: usize| match cells {
        Cells::Whole(n) => {
            if on(x, y) {
                "#".repeat(n)
            } else {
                " ".repeat(n)
            }
        }
        Cells::Halves(_) => {
            [" ", "▄", "▀", "█"][usize::from(on(x, 2 * y)) * 2 + usize::from(on(x, 2 * y + 1))].to_owned()
        }
        Cells::Quarters => {
            let (x, y) = (2 * x, 2 * y);
            let bits = [on(x, y), on(x + 1, y), on(x, y + 1), on(x + 1, y + 1)];
            let at = bits.iter().fold(0, |sum, bit| sum * 2 + usize::from(*bit));
            [" ", "▗", "▖", "▄", "▝", "▐", "▞", "▟", "▘", "▚", "▌", "▙", "▀", "▜", "▛", "█"][at].to_owned()
        }
    };
    (0..rows).map(|y| (0..columns).map(|x| cell(x, y)).collect()).collect()
}

/// The largest drawing of a text that fits; none where not even the smallest does.
fn largest(text: &str, columns: u16, rows: u16, ascii: bool) -> Option<Vec<String>> {
    let dots = dots(text)?;
    let fits = |cells: &Cells| {
        let drawn = drawing(&dots, *cells);
        drawn.len() <= rows as usize && drawn.iter().all(|row| width(row) <= columns as usize)
    };
    // Letters of so few dots are harder to read than plain ones.
    let digits = !text.bytes().any(|b| b.is_ascii_alphabetic());
    let smallest = digits.then_some(Cells::Quarters);
    let best = if ascii {
        [2, 1].map(Cells::Whole).into_iter().find(fits)
    } else {
        [5, 4, 3, 2, 1].map(Cells::Halves).into_iter().chain(smallest).find(fits)
    };
    best.map(|cells| drawing(&dots, cells))
}

/// What is to be read, and whether it is a code.
fn shown(session: &Session, model: &Model, row: &Row) -> (crate::secret::Secret<String>, bool) {
    let words = |text: &str| (crate::secret::Secret::new(text.to_owned()), false);
    let Some(entry) = session.state().get(&row.id) else { return words("") };
    match &row.shows {
        Shows::EnrolAgain => words("enrol again: Enter takes a new secret"),
        Shows::Nothing(why) => words(&format!("no code: {why}")),
        Shows::Timed { .. } if !session.shows_code(row.id, model.now) => words("the code is hidden"),
        Shows::Timed { .. } => match code(entry, model.code_time()) {
            Some(code) => (code.grouped(), true),
            None => words("no code"),
        },
        Shows::Counter(next) => {
            let made = session.counter_code.filter(|c| c.id == row.id && c.saved && model.now < c.until);
            let account = made.and_then(|_| entry.account().ok());
            match made.zip(account).and_then(|(made, account)| crate::otp::hotp_code(&account, made.counter)) {
                Some(code) => (code.grouped(), true),
                None => words(&format!("Enter makes code #{next}")),
            }
        }
    }
}

/// Draws the selected code over the whole screen.
pub fn view(session: &Session, model: &Model, canvas: &mut Canvas) {
    let Some(row) = session.selected_row() else { return };
    let (wide, high) = (canvas.width(), canvas.height());
    let (text, is_code) = shown(session, model, row);
    let text = text.expose();
    let (period, timed) = match row.shows {
        Shows::Timed { period } => (period, true),
        _ => (session.rows.period, false),
    };
    let left = remaining(period, model.code_time());
    let late = timed && left <= u64::from(model.config.warn_secs);
    let spoken = canvas.is_spoken();
    let late = late && !spoken;
    let secs = if timed && !spoken { format!("{left}s") } else { String::new() };
    let secs_style = if late { canvas.theme.warn } else { canvas.theme.text };
    let copied = session.copied.is_some_and(|(id, until)| id == row.id && model.now < until);
    let style = if late { canvas.theme.warn } else { canvas.theme.code };

    // On three rows the digits take all; name and seconds stand at their right.
    if high < 5 {
        let beside = 6.min(wide / 3);
        match largest(text, wide.saturating_sub(beside + 1), high, canvas.ascii).filter(|_| is_code && !spoken) {
            Some(lines) => {
                let right = lines.iter().map(|line| width(line)).max().unwrap_or(0) as u16 + 2;
                for (y, line) in (0..).zip(&lines) {
                    canvas.put(1, y, line, style);
                }
                canvas.text(right, 0, wide.saturating_sub(right), row.short(), canvas.theme.dim);
                canvas.right(wide.saturating_sub(1), high - 1, &secs, secs_style);
                if copied {
                    canvas.put(right, high - 1, canvas.mark("✓", "+"), canvas.theme.good);
                }
            }
            None => {
                canvas.text(1, 0, wide.saturating_sub(2), &row.title(), canvas.theme.strong);
                canvas.text(1, 1, wide.saturating_sub(2), text, if is_code { style } else { canvas.theme.dim });
                canvas.right(wide.saturating_sub(1), high - 1, &secs, secs_style);
            }
        }
        return;
    }

    let roomy = high >= 12;
    let below = 2 + u16::from(roomy);
    let lines = largest(text, wide.saturating_sub(2), high.saturating_sub(below + u16::from(roomy) * 2), canvas.ascii)
        .filter(|_| is_code && !spoken)
        .unwrap_or_else(|| vec![text.to_owned()]);
    let columns = lines.iter().map(|line| width(line)).max().unwrap_or(0) as u16;
    let middle = |columns: u16| (wide.saturating_sub(columns)) / 2;
    let block = lines.len() as u16 + if roomy { 4 } else { 1 };
    // The name and the keys take the last rows where there are not many.
    let room = if roomy { high.saturating_sub(1) } else { high.saturating_sub(below) + 1 };
    let mut y = room.saturating_sub(block) / 2;
    let title = row.title();
    let title_columns = (width(&title) as u16).min(wide.saturating_sub(2));
    let name_x = middle(title_columns);
    if roomy {
        canvas.text(name_x, y, title_columns, &title, canvas.theme.strong);
        y += 2;
    }
    for line in &lines {
        canvas.text(middle(columns), y, wide, line, if is_code { style } else { canvas.theme.dim });
        y += 1;
    }
    if roomy {
        y += 1;
        let letters = text.bytes().any(|b| b.is_ascii_alphabetic());
        let entry = session.state().get(&row.id);
        let next = if timed && is_code && letters {
            format!("{text}   {secs}")
        } else if let Some(next) = entry.filter(|_| timed && is_code).and_then(|e| next_code(e, model.code_time())) {
            format!("{secs}   next {}", next.grouped().expose())
        } else {
            secs
        };
        canvas.put(middle(width(&next) as u16), y, &next, if late { canvas.theme.warn } else { canvas.theme.dim });
    } else {
        canvas.text(1, high - 2, wide.saturating_sub(7), &title, canvas.theme.strong);
        canvas.right(wide.saturating_sub(1), high - 2, &secs, secs_style);
    }
    let keys = if high < 7 { None } else { Some([("up", "another"), ("enter", "copy"), ("esc", "list")]) };
    // Where there is room the keys stay below what just happened.
    if let Some(notice) = &model.notice {
        canvas.notice(1, high - 1 - u16::from(roomy), wide.saturating_sub(2), notice);
    }
    let free = roomy || model.notice.is_none();
    if let Some(keys) = keys.filter(|_| free) {
        let shown = keys.map(|(key, word)| (crate::app::keys::show(key, canvas.ascii), word));
        canvas.keys(high - 1, &shown.each_ref().map(|(key, word)| (key.as_str(), *word)));
    } else if copied && free {
        canvas.text(1, high - 1, wide, canvas.mark("✓ copied", "+ copied"), canvas.theme.good);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_and_digit_has_a_glyph_of_five_even_rows_and_no_two_are_alike() {
        let mut seen = std::collections::BTreeMap::new();
        for c in ('0'..='9').chain('A'..='Z') {
            let glyph = glyph(c).unwrap();
            let rows: Vec<&str> = glyph.split('/').collect();
            assert_eq!(rows.len(), HIGH, "{c}");
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{c}");
            assert_eq!(seen.insert(glyph, c), None, "{c} looks like another");
        }
    }

    #[test]
    fn six_digits_fit_on_twenty_columns_and_grow_with_the_screen() {
        let high = |columns, rows| largest("492 039", columns, rows, false).map(|drawn| drawn.len());
        assert_eq!(high(14, 3), Some(3));
        assert_eq!(high(28, 3), Some(3));
        assert_eq!(high(78, 20), Some(8));
        assert_eq!(high(8, 3), None);
    }
}
