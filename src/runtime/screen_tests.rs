//! What the bytes of [`Screen`] look like in a terminal, by the vt100 parser, and how many they are.

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::*;

fn terminal(width: u16, height: u16) -> Terminal<Screen<Vec<u8>>> {
    Terminal::new(Screen::fixed(Vec::new(), width, height)).unwrap()
}

/// Draws a buffer and returns the bytes of this frame alone.
fn draw(terminal: &mut Terminal<Screen<Vec<u8>>>, wanted: &Buffer) -> Vec<u8> {
    let before = terminal.backend().to.len();
    terminal.draw(|frame| frame.buffer_mut().clone_from(wanted)).unwrap();
    terminal.backend().to[before..].to_vec()
}

/// Panics where the terminal shows something else than the buffer; blanks' attributes count where `blanks` says so.
fn assert_shown(parser: &vt100::Parser, wanted: &Buffer, blanks: bool) {
    let area = wanted.area;
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let (cell, shown) = (&wanted[(x, y)], parser.screen().cell(y, x).unwrap());
            let symbol = cell.symbol();
            let contents = if shown.contents().is_empty() { " " } else { shown.contents() };
            assert_eq!(contents, symbol, "at {x},{y}");
            if symbol != " " || blanks {
                assert_eq!(shown.bgcolor(), expected_colour(cell.bg), "behind {symbol:?} at {x},{y}");
                assert_eq!(
                    shown.inverse(),
                    cell.modifier.contains(Modifier::REVERSED),
                    "inverse {symbol:?} at {x},{y}"
                );
                assert_eq!(
                    shown.underline(),
                    cell.modifier.contains(Modifier::UNDERLINED),
                    "under {symbol:?} at {x},{y}"
                );
            }
            if symbol != " " {
                assert_eq!(shown.fgcolor(), expected_colour(cell.fg), "{symbol:?} at {x},{y}");
                assert_eq!(shown.bold(), cell.modifier.contains(Modifier::BOLD), "bold {symbol:?} at {x},{y}");
                assert_eq!(shown.dim(), cell.modifier.contains(Modifier::DIM), "dim {symbol:?} at {x},{y}");
                assert_eq!(shown.italic(), cell.modifier.contains(Modifier::ITALIC), "italic {symbol:?} at {x},{y}");
            }
            x += symbol.width().max(1) as u16;
        }
    }
}

#[test]
fn a_flag_that_gives_way_has_all_drawn_anew_since_nobody_knows_how_far_it_reached() {
    let mut terminal = terminal(20, 2);
    let line = |text: &str| Buffer::with_lines([text, ""]);
    let area = Rect::new(0, 0, 20, 2);
    for (first, second, stale) in
        [("mum 🇩🇪 1", "dad    1", true), ("ada 👩‍💻 1", "ada 👩‍💻 2", false), ("日本 1", "     1", false)]
    {
        let resized = |text: &str| {
            let mut buffer = line(text);
            buffer.resize(area);
            buffer
        };
        draw(&mut terminal, &resized(first));
        terminal.backend_mut().take_stale();
        draw(&mut terminal, &resized(second));
        assert_eq!(terminal.backend_mut().take_stale(), stale, "{first}");
        terminal.clear().unwrap();
    }
}

fn expected_colour(colour: Color) -> vt100::Color {
    match colour {
        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Red => vt100::Color::Idx(1),
        Color::LightBlue => vt100::Color::Idx(12),
        _ => vt100::Color::Default,
    }
}

/// A header as the panel has it: a bar and the seconds left.
fn header(seconds: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    buffer.set_string(1, 0, "otpanel", Style::new().add_modifier(Modifier::BOLD));
    for x in 0..30 {
        let full = x < seconds;
        let style = Style::new().fg(if full { Color::Green } else { Color::DarkGray });
        buffer.set_string(42 + x, 0, if full { "━" } else { "─" }, style);
    }
    buffer.set_string(74, 0, format!("{seconds:>2}s"), Style::new());
    for row in 2..22 {
        buffer.set_string(2, row, "GitHub    octocat   123 456", Style::new().fg(Color::Cyan));
    }
    buffer
}

#[test]
fn a_second_on_the_shared_countdown_costs_less_than_40_bytes() {
    let mut terminal = terminal(80, 24);
    draw(&mut terminal, &header(19));
    for seconds in (11..=18).rev() {
        let bytes = draw(&mut terminal, &header(seconds));
        assert!(bytes.len() < 40, "{} bytes: {:?}", bytes.len(), String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn an_unchanged_frame_costs_nothing() {
    let mut terminal = terminal(80, 24);
    draw(&mut terminal, &header(19));
    assert_eq!(draw(&mut terminal, &header(19)), b"");
}

#[test]
fn only_large_frames_are_synchronised() {
    let mut terminal = terminal(200, 50);
    let mut full = Buffer::empty(Rect::new(0, 0, 200, 50));
    for row in 0..50 {
        full.set_string(0, row, "x".repeat(200), Style::new());
    }
    let bytes = draw(&mut terminal, &full);
    assert!(bytes.starts_with(b"\x1b[?2026h") && bytes.ends_with(b"\x1b[?2026l"));
    full[(3, 3)].set_symbol("y");
    assert_eq!(draw(&mut terminal, &full), b"\x1b[4;4Hy");
}

#[test]
fn after_a_wide_cluster_the_move_is_absolute() {
    let mut terminal = terminal(20, 2);
    let mut wanted = Buffer::empty(Rect::new(0, 0, 20, 2));
    wanted.set_string(0, 0, "東x", Style::new());
    let bytes = draw(&mut terminal, &wanted);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("東\x1b[;3Hx"), "{text:?}");
}

#[test]
fn after_the_last_column_the_move_is_absolute() {
    let mut terminal = terminal(10, 2);
    let mut wanted = Buffer::empty(Rect::new(0, 0, 10, 2));
    wanted[(9, 0)].set_symbol("x");
    wanted[(8, 1)].set_symbol("y");
    let bytes = draw(&mut terminal, &wanted);
    assert!(bytes.starts_with(b"\x1b[;10Hx\x1b[2;9Hy"), "{:?}", String::from_utf8_lossy(&bytes));
}

#[test]
fn without_colours_only_the_weight_is_written() {
    let mut screen = Screen { colours: false, ..Screen::fixed(Vec::new(), 10, 1) };
    let mut cell = Cell::new("x");
    cell.set_style(Style::new().fg(Color::Red).bg(Color::Blue).add_modifier(Modifier::BOLD));
    screen.draw([(0, 0, &cell)].into_iter()).unwrap();
    screen.flush().unwrap();
    assert_eq!(screen.to, b"\x1b[H\x1b[1mx");
}

#[test]
fn what_is_passed_through_is_sent_as_it_is() {
    let mut screen = Screen::fixed(Vec::new(), 10, 1);
    screen.pass(b"\x1b]52;c;eA==\x1b\\").unwrap();
    assert_eq!(screen.to, b"\x1b]52;c;eA==\x1b\\");
}

fn any_colour() -> impl Strategy<Value = Color> {
    prop_oneof![
        3 => Just(Color::Reset),
        1 => Just(Color::Red),
        1 => Just(Color::LightBlue),
        1 => any::<u8>().prop_map(Color::Indexed),
        1 => any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
    ]
}

fn any_modifier() -> impl Strategy<Value = Modifier> {
    const USED: [Modifier; 5] =
        [Modifier::BOLD, Modifier::DIM, Modifier::ITALIC, Modifier::UNDERLINED, Modifier::REVERSED];
    proptest::collection::vec(0..8_usize, 0..3)
        .prop_map(|picked| picked.iter().filter_map(|i| USED.get(*i)).fold(Modifier::empty(), |all, one| all | *one))
}

type Piece = (u16, u16, String, Color, Color, Modifier);

fn any_piece(wide: &'static str) -> impl Strategy<Value = Piece> {
    let text = proptest::collection::vec(prop_oneof!["[a-z0-9 ]", "[é─━█]", wide, Just("e\u{301}".to_owned())], 1..12);
    (0..30_u16, 0..8_u16, text.prop_map(|parts| parts.concat()), any_colour(), any_colour(), any_modifier())
}

fn paint(pieces: &[Piece]) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 8));
    for (x, y, text, fg, bg, modifier) in pieces {
        // The vt100 parser takes bold and dim for one thing.
        let both = modifier.contains(Modifier::BOLD | Modifier::DIM);
        let modifier = if both { &modifier.difference(Modifier::DIM) } else { modifier };
        buffer.set_string(*x, *y, text, Style::reset().fg(*fg).bg(*bg).add_modifier(*modifier));
    }
    // ratatui asks for buffers in which nothing stands behind the second half of a wide character.
    for y in 0..8 {
        for x in 0..30 {
            if buffer[(x, y)].symbol().width() == 2 && (x == 29 || buffer[(x + 1, y)].symbol() != " ") {
                buffer[(x, y)].reset();
            }
        }
    }
    buffer
}

fn assert_all_shown(frames: &[Vec<Piece>], blanks: bool) {
    let mut terminal = terminal(30, 8);
    let mut parser = vt100::Parser::new(8.try_into().unwrap(), 30.try_into().unwrap(), 0);
    for pieces in frames {
        let wanted = paint(pieces);
        parser.process(&draw(&mut terminal, &wanted));
        assert_shown(&parser, &wanted, blanks);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_terminal_shows_what_was_drawn_frame_after_frame(
        frames in proptest::collection::vec(proptest::collection::vec(any_piece("[a-z]"), 0..8), 1..5)
    ) {
        assert_all_shown(&frames, true);
    }

    /// ratatui does not draw the blank again that is left where a wide character lost its second half; terminals differ
    /// in the attributes that they give to it.
    #[test]
    fn wide_characters_shift_nothing(
        frames in proptest::collection::vec(proptest::collection::vec(any_piece("[東京]"), 0..8), 1..5)
    ) {
        assert_all_shown(&frames, false);
    }
}
