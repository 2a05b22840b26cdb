//! A screen as an SVG picture, as a terminal would show it: for the README. Pure: a buffer in, text out.
//!
//! Every run of cells of one style is one text, stretched to exactly its columns, so that no font moves a code. Blocks, bars
//! and frames are drawn, not written: a font's would leave gaps.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use otpanel::text::width;
use otpanel::tui::Theme;
use otpanel::tui::theme::basic;

/// Pixels of a cell.
const WIDE: usize = 9;
/// Pixels of a cell.
const HIGH: usize = 20;
/// Pixels of a letter.
const FONT: usize = 15;
/// Pixels round the screen.
const EDGE: usize = 12;
/// Pixels of the window's title.
const BAR: usize = 32;

/// What a cell is drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ink {
    fg: (u8, u8, u8),
    bg: (u8, u8, u8),
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
}

/// Draws a screen in a window of this title. The theme names the colours of what has none of its own; one that leaves that to
/// the terminal is drawn on a dark one.
pub fn svg(buffer: &Buffer, theme: &Theme, title: &str) -> String {
    let (columns, rows) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let ground = (
        theme.text.fg.and_then(rgb).unwrap_or((0xd8, 0xde, 0xe9)),
        theme.text.bg.and_then(rgb).unwrap_or((0x16, 0x19, 0x1f)),
    );
    let (w, h) = (columns * WIDE + 2 * EDGE, rows * HIGH + BAR + EDGE);
    let dim = hex(theme.dim.fg.and_then(rgb).unwrap_or(ground.0));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"{FONT}\">\n<title>{}</title>\n",
        escape(title)
    );
    let _ = writeln!(
        out,
        "<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"9\" fill=\"{}\" stroke=\"{dim}\" \
         stroke-opacity=\"0.4\"/>",
        w - 1,
        h - 1,
        hex(ground.1)
    );
    for at in 0..3 {
        let _ =
            writeln!(out, "<circle cx=\"{}\" cy=\"16\" r=\"5\" fill=\"{dim}\" fill-opacity=\"0.5\"/>", 18 + at * 18);
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"21\" text-anchor=\"middle\" font-size=\"13\" fill=\"{dim}\">{}</text>",
        w / 2,
        escape(title)
    );
    for y in 0..rows {
        row(buffer, y, ground, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// A run of cells that are drawn as one.
struct Run {
    from: usize,
    to: usize,
    text: String,
    ink: Ink,
}

impl Run {
    /// Whether it is drawn from edge to edge, and more of the same follows.
    fn goes_on(&self, symbol: &str) -> bool {
        matches!(symbol, "█" | "▀" | "▄" | "─") && self.text.starts_with(symbol)
    }
}

fn row(buffer: &Buffer, y: usize, ground: ((u8, u8, u8), (u8, u8, u8)), out: &mut String) {
    let top = BAR + y * HIGH;
    let mut runs: Vec<Run> = Vec::new();
    let mut grounds: Vec<(usize, usize, (u8, u8, u8))> = Vec::new();
    let mut skip = 0;
    for x in 0..usize::from(buffer.area.width) {
        let cell = &buffer[(x as u16, y as u16)];
        let ink = ink(cell, ground);
        match grounds.last_mut() {
            Some((_, to, bg)) if *to == x && *bg == ink.bg => *to = x + 1,
            _ => grounds.push((x, x + 1, ink.bg)),
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let symbol = cell.symbol();
        let columns = width(symbol).max(1);
        skip = columns - 1;
        // Letters of an uncertain width and drawn signs stand alone.
        let alone = !symbol.is_ascii();
        match runs.last_mut() {
            Some(run) if run.to == x && run.ink == ink && (!alone && run.text.is_ascii() || run.goes_on(symbol)) => {
                run.text.push_str(symbol);
                run.to = x + 1;
            }
            _ => runs.push(Run { from: x, to: x + columns, text: symbol.to_owned(), ink }),
        }
    }
    for (from, to, bg) in grounds.into_iter().filter(|(_, _, bg)| *bg != ground.1) {
        rect(out, (EDGE + from * WIDE) as f64, top as f64, ((to - from) * WIDE) as f64, HIGH as f64, bg);
    }
    for run in runs {
        if !drawn(&run, top, out) {
            write(&run, top, out);
        }
    }
}

/// Writes the words of a run, each part between gaps for itself.
fn write(run: &Run, top: usize, out: &mut String) {
    let mut at = run.from;
    for part in run.text.split("  ") {
        let lead = part.len() - part.trim_start().len();
        let word = part.trim();
        if !word.is_empty() {
            let columns = if run.text.is_ascii() { word.len() } else { run.to - run.from };
            let ink = &run.ink;
            let mut style = format!("fill=\"{}\"", hex(ink.fg));
            for (on, words) in [
                (ink.bold, " font-weight=\"bold\""),
                (ink.dim, " fill-opacity=\"0.65\""),
                (ink.italic, " font-style=\"italic\""),
                (ink.underlined, " text-decoration=\"underline\""),
            ] {
                style.push_str(if on { words } else { "" });
            }
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" textLength=\"{}\" {style}>{}</text>",
                EDGE + (at + lead) * WIDE,
                top + 15,
                columns * WIDE,
                escape(word)
            );
        }
        at += part.len() + 2;
    }
}

/// Draws a run that is a block, a bar or a piece of a frame; says whether it is one.
fn drawn(run: &Run, top: usize, out: &mut String) -> bool {
    let (x, y, w, h) = ((EDGE + run.from * WIDE) as f64, top as f64, ((run.to - run.from) * WIDE) as f64, HIGH as f64);
    let mut sign = run.text.chars();
    let sign = sign.next().filter(|first| sign.all(|other| other == *first)).map(String::from);
    let sign = sign.as_deref().unwrap_or_default();
    let fg = run.ink.fg;
    // Quarters: upper left, upper right, lower left, lower right.
    let quarters: u8 = match sign {
        "█" => 0b1111,
        "▀" => 0b1100,
        "▄" => 0b0011,
        "▌" => 0b1010,
        "▐" => 0b0101,
        "▘" => 0b1000,
        "▝" => 0b0100,
        "▖" => 0b0010,
        "▗" => 0b0001,
        "▚" => 0b1001,
        "▞" => 0b0110,
        "▙" => 0b1011,
        "▛" => 0b1110,
        "▜" => 0b1101,
        "▟" => 0b0111,
        "▏" => {
            rect(out, x, y, 1.5, h, fg);
            return true;
        }
        "▰" | "▱" => {
            let fill = if sign == "▰" { hex(fg) } else { String::from("none") };
            let _ = writeln!(
                out,
                "<path d=\"M{} {}h6.5l-2.5 7h-6.5z\" fill=\"{fill}\" stroke=\"{}\"/>",
                x + 2.0,
                y + 7.0,
                hex(fg)
            );
            return true;
        }
        "─" | "│" | "╭" | "╮" | "╰" | "╯" => {
            let (cx, cy, right, bottom) = (x + w / 2.0, y + h / 2.0, x + w, y + h);
            let path = match sign {
                "─" => format!("M{x} {cy}H{right}"),
                "│" => format!("M{cx} {y}V{bottom}"),
                "╭" => format!("M{cx} {bottom}Q{cx} {cy} {right} {cy}"),
                "╮" => format!("M{x} {cy}Q{cx} {cy} {cx} {bottom}"),
                "╰" => format!("M{cx} {y}Q{cx} {cy} {right} {cy}"),
                _ => format!("M{x} {cy}Q{cx} {cy} {cx} {y}"),
            };
            let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{}\"/>", hex(fg));
            return true;
        }
        _ => return false,
    };
    if let Some((dy, part)) = [(0b1111, (0.0, 1.0)), (0b1100, (0.0, 0.5)), (0b0011, (0.5, 0.5))]
        .into_iter()
        .find_map(|(whole, half)| (quarters == whole).then_some(half))
    {
        rect(out, x, y + dy * h, w, part * h, fg);
    } else {
        for (bit, dx, dy) in [(0b1000, 0.0, 0.0), (0b0100, 1.0, 0.0), (0b0010, 0.0, 1.0), (0b0001, 1.0, 1.0)] {
            if quarters & bit != 0 {
                rect(out, x + dx * w / 2.0, y + dy * h / 2.0, w / 2.0, h / 2.0, fg);
            }
        }
    }
    true
}

fn rect(out: &mut String, x: f64, y: f64, w: f64, h: f64, fill: (u8, u8, u8)) {
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{}\" shape-rendering=\"crispEdges\"/>",
        hex(fill)
    );
}

fn ink(cell: &Cell, (fg, bg): ((u8, u8, u8), (u8, u8, u8))) -> Ink {
    let (mut fg, mut bg) = (rgb(cell.fg).unwrap_or(fg), rgb(cell.bg).unwrap_or(bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut fg, &mut bg);
    }
    Ink {
        fg,
        bg,
        bold: cell.modifier.contains(Modifier::BOLD),
        dim: cell.modifier.contains(Modifier::DIM),
        italic: cell.modifier.contains(Modifier::ITALIC),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
    }
}

/// The first sixteen colours.
const BASIC: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (204, 204, 204),
    (118, 118, 118),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (242, 242, 242),
];

/// A colour as xterm has it; none for the terminal's own.
fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    let index = match colour {
        Color::Rgb(r, g, b) => return Some((r, g, b)),
        Color::Indexed(index) => index,
        named => basic(named)?,
    };
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    Some(match index {
        0..16 => BASIC[usize::from(index)],
        16..232 => {
            let cube = index - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        _ => [8 + 10 * (index - 232); 3].into(),
    })
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A text as XML takes it.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // No other control character may stand in XML.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn words_stand_at_their_columns_in_their_styles_and_nothing_of_them_is_markup() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        let style = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(196)).add_modifier(Modifier::BOLD);
        buffer.set_string(2, 1, "a<b&\"c\"", style);
        buffer.set_string(12, 1, "日本", Style::new().add_modifier(Modifier::REVERSED));
        let svg = svg(&buffer, &Theme::named("dark").expect("it comes along"), "a & b");
        let (x, y) = (EDGE + 2 * WIDE, BAR + HIGH + 15);
        let words = format!(
            "<text x=\"{x}\" y=\"{y}\" textLength=\"63\" fill=\"#010203\" font-weight=\"bold\">a&lt;b&amp;&quot;c&quot;</text>"
        );
        assert!(svg.contains(&words), "{svg}");
        assert!(svg.contains("<title>a &amp; b</title>"), "{svg}");
        assert!(svg.contains("width=\"63\" height=\"20\" fill=\"#ff0000\""), "{svg}");
        assert_eq!(svg.matches("textLength=\"18\" fill=\"#16191f\"").count(), 2, "wide and reversed: {svg}");
    }

    #[test]
    fn blocks_bars_and_frames_are_drawn() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "█▀▚▰▱╭─╮│", Style::new());
        let svg = svg(&buffer, &Theme::default(), "");
        assert_eq!(svg.matches("<path").count(), 6, "{svg}");
        assert_eq!(svg.matches("crispEdges").count(), 1 + 1 + 2, "{svg}");
        assert!(!svg.contains('█'));
    }
}
