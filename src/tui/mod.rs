//! How a model looks: `view(&Model, &Theme, &mut Frame)`, one file per part of the screen. Never changes anything.

mod backup;
mod big;
mod canvas;
mod detail;
mod form;
mod import;
mod list;
mod lock;
mod modal;
mod past;
mod qr;
mod restore;
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
    let mut canvas = Canvas::new(frame.buffer_mut(), theme, model.config.glyphs == Glyphs::Ascii);
    canvas.fill();
    if canvas.width() < 2 || canvas.height() < 1 {
        return;
    }
    match &model.stage {
        Stage::Opening => lock::opening(&mut canvas),
        Stage::Broken(report) => lock::broken(report, &mut canvas),
        Stage::Locked(lock) => lock::locked(lock, model, &mut canvas),
        Stage::Welcome(welcome) => welcome::view(welcome, model, &mut canvas),
        Stage::Open(session) => match &session.modal {
            Some(Modal::Import(flow)) => import::view(flow, model, &mut canvas),
            Some(Modal::Form(form)) => form::view(form, model, &mut canvas),
            Some(Modal::Qr(id, Some(shown))) => qr::view(shown, *id, session, &mut canvas),
            Some(Modal::Backup(shown)) => backup::view(shown, session, model, &mut canvas),
            Some(Modal::Restore(shown)) => restore::view(shown, model, &mut canvas),
            Some(Modal::Past(shown)) => past::view(shown, session, model, &mut canvas),
            over => {
                if session.big && session.selected_row().is_some() {
                    big::view(session, model, &mut canvas);
                } else {
                    list::view(session, model, &mut canvas);
                }
                if let Some(over) = over {
                    modal::view(over, session, model, &mut canvas);
                }
            }
        },
    }
}
