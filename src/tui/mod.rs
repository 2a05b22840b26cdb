//! How a model looks: `view(&Model, &Theme, &mut Frame)`, one file per part of the screen. Never changes anything.

mod backup;
mod big;
mod canvas;
mod choice;
mod detail;
mod export;
mod foot;
mod form;
mod import;
mod list;
mod lock;
mod modal;
mod monogram;
mod past;
pub mod picture;
mod prompt;
mod qr;
mod restore;
mod spoken;
mod tags;
pub mod theme;
mod welcome;

use ratatui::Frame;
pub use theme::Theme;

use self::canvas::Canvas;
use crate::app::Model;
use crate::app::model::Stage;
use crate::app::session::Modal;
use crate::config::Glyphs;

/// Draws the whole screen.
pub fn view(model: &Model, theme: &Theme, frame: &mut Frame) {
    let mut canvas = if model.config.accessible {
        Canvas::spoken(frame.buffer_mut(), theme)
    } else {
        Canvas::new(frame.buffer_mut(), theme, model.config.glyphs == Glyphs::Ascii)
    };
    canvas.fill();
    if canvas.width() < 2 || canvas.height() < 1 {
        return;
    }
    draw(model, &mut canvas);
    if let Some(focus) = canvas.finish() {
        frame.set_cursor_position(focus);
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
