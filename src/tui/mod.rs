//! How a model looks: `paint(&Model, &Theme, &mut Buffer)`, one file per part of the screen. Never changes anything.

mod backup;
mod big;
mod canvas;
mod choice;
mod detail;
mod export;
mod foot;
mod form;
mod head;
mod import;
mod list;
mod lock;
mod modal;
mod monogram;
mod password;
mod past;
mod prompt;
mod qr;
mod recovery;
mod rekey;
mod renewal;
mod restore;
mod spoken;
mod tags;
pub mod theme;
mod welcome;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
pub use theme::Theme;

use self::canvas::Canvas;
use crate::app::Model;
use crate::app::model::Stage;
use crate::app::session::Modal;
use crate::config::Glyphs;

/// As [`paint`], into a frame of ratatui with its cursor: for a screen that a ratatui backend holds.
pub fn view(model: &Model, theme: &Theme, frame: &mut Frame) {
    if let Some(focus) = paint(model, theme, frame.buffer_mut()) {
        frame.set_cursor_position(focus);
    }
}

/// Draws the whole screen into its cells, and tells where the terminal's cursor belongs, if anywhere.
pub fn paint(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let mut canvas = canvas(model, theme, buffer);
    canvas.fill();
    if canvas.width() < 2 || canvas.height() < 1 {
        return None;
    }
    draw(model, &mut canvas);
    canvas.finish()
}

/// Draws the rows above the list alone, where [`Still`](crate::app::still::Still) says that nothing else changes.
pub fn paint_above(model: &Model, theme: &Theme, buffer: &mut Buffer) {
    let mut canvas = canvas(model, theme, buffer);
    for y in 0..model.panes().list_top {
        canvas.restyle(0, y, canvas.width(), theme.text);
    }
    if let Stage::Open(session) = &model.stage {
        head::above(session, model, &mut canvas);
    }
}

fn canvas<'a>(model: &Model, theme: &'a Theme, buffer: &'a mut Buffer) -> Canvas<'a> {
    if model.config.accessible {
        Canvas::spoken(buffer, theme)
    } else {
        Canvas::new(buffer, theme, model.config.glyphs == Glyphs::Ascii)
    }
}

fn draw(model: &Model, canvas: &mut Canvas) {
    match &model.stage {
        Stage::Opening => lock::opening(canvas),
        Stage::Broken(report) => lock::broken(report, canvas),
        Stage::Locked(lock) => lock::locked(lock, model, canvas),
        Stage::Welcome(welcome) => welcome::view(welcome, model, canvas),
        Stage::Open(session) => match &session.modal {
            Some(Modal::Import(flow)) => import::view(flow, model, canvas),
            Some(Modal::Export(flow)) => export::view(flow, model, canvas),
            Some(Modal::Form(form)) => form::view(form, model, canvas),
            Some(Modal::Qr(id, Some(shown))) => qr::view(shown, *id, session, canvas),
            Some(Modal::Backup(shown)) => backup::view(shown, session, model, canvas),
            Some(Modal::Rekey(flow)) => rekey::view(flow, model, canvas),
            Some(Modal::Renewal(flow)) => renewal::view(flow, model, canvas),
            Some(Modal::Password(flow)) => password::view(flow, session, model, canvas),
            Some(Modal::Restore(shown)) => restore::view(shown, model, canvas),
            Some(Modal::Past(shown)) => past::view(shown, session, model, canvas),
            over => {
                if session.big && session.selected_row().is_some() {
                    big::view(session, model, canvas);
                } else {
                    list::view(session, model, canvas);
                }
                if let Some(over) = over {
                    modal::view(over, session, model, canvas);
                }
            }
        },
    }
}
