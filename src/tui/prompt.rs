//! Something to type in: a title, a sentence, one line or two, what is wrong with it. In a low window the lines stay, then
//! what is wrong with them, then the keys, the sentence and the title, as far as there are rows.

use super::Canvas;
use crate::app::input::Input;
use crate::text::wrap;

/// So many rows at most have none to spare.
const LOW: usize = 8;

/// A line that is typed into.
pub struct Line<'a> {
    /// What stands before it.
    pub label: &'a str,
    /// What is typed.
    pub input: &'a Input,
    /// Whether dots are shown for it.
    pub masked: bool,
    /// Whether keys go there.
    pub focus: bool,
}

/// The prompt.
pub struct Prompt<'a> {
    /// What all of it is about; drawn in the first row.
    pub title: &'a str,
    /// What is asked for.
    pub text: &'a str,
    /// Where it is typed.
    pub lines: &'a [Line<'a>],
    /// What is wrong with it.
    pub problem: Option<&'a str>,
}

/// The lines of a new password, which is typed a second time once the first stands.
pub fn twice<'a>(first: &'a Input, second: &'a Input, repeat: bool) -> Vec<Line<'a>> {
    let mut lines = vec![Line { label: "password  ", input: first, masked: true, focus: !repeat }];
    if repeat {
        lines.push(Line { label: "again     ", input: second, masked: true, focus: true });
    }
    lines
}

impl Prompt<'_> {
    /// Draws it from column `x` and hands back the row after it, and whether the last row is free for the keys.
    pub fn draw(&self, canvas: &mut Canvas, x: u16, columns: u16) -> (u16, bool) {
        self.over(0, canvas, x, columns)
    }

    /// The same above so many lines that are offered, of which a low window shows two before all that is said.
    pub fn over(&self, offered: usize, canvas: &mut Canvas, x: u16, columns: u16) -> (u16, bool) {
        let high = usize::from(canvas.height());
        let text = wrap(self.text, columns.into());
        let problem: Vec<String> =
            self.problem.map_or_else(Vec::new, |why| wrap(why, usize::from(columns.saturating_sub(2).max(1))));
        // Where not all lines fit, the one that keys go to does.
        let typed = self.lines.len().min((high - 1).max(1));
        let first = self.lines.iter().position(|line| line.focus).map_or(0, |at| (at + 1).saturating_sub(typed));
        let wrong = problem.len().min(high - typed);
        let keys = usize::from(high > typed + wrong);
        let free = high - typed - wrong - keys;
        let spare = if high > LOW { 0 } else { offered.min(2).min(free.saturating_sub(1)) };
        let said = text.len().min(free - spare);
        let left = free - spare - said;
        let (titled, gap) = (left > 0, left > 4);

        let mut y = 0;
        if titled {
            canvas.text(x, 0, columns, self.title, canvas.theme.strong);
            y = 1 + u16::from(gap);
        }
        y = canvas.lines(x, y, columns, said, &text, canvas.theme.text);
        y += u16::from(gap && self.lines.iter().any(|line| !line.label.is_empty()));
        for line in self.lines.iter().skip(first).take(typed) {
            let at = canvas.text(x, y, columns, line.label, canvas.theme.dim);
            canvas.input(at, y, columns.saturating_sub(at - x), line.input, line.masked, line.focus);
            y += 1;
        }
        if wrong > 0 {
            let at = canvas.put(x, y, canvas.cross(), canvas.theme.error) + 1;
            y = canvas.lines(at, y, columns.saturating_sub(at - x), wrong, &problem, canvas.theme.error);
        }
        (y, keys > 0)
    }
}
