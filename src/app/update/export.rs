//! Keys of the export: nothing leaves where a policy forbids it, nothing is replaced or lies open without a yes.

use crossterm::event::{KeyCode, KeyEvent};

use crate::app::event::{Effect, ExportJob, ExportTrouble, Wrote};
use crate::app::export::{Export, Step, formats};
use crate::app::input::Input;
use crate::app::model::{Model, Tone};
use crate::app::path::{PathLine, Pressed};
use crate::app::rows::Tab;
use crate::app::session::Modal;
use crate::otp::account::title;
use crate::report::Report;
use crate::secret::Secret;
use crate::text::{clean, count};
use crate::transfer::export::Sealing;
use crate::vault::view::accounts_of;

/// Begins an export of the accounts in the tab in view.
pub fn open(model: &mut Model) {
    if model.demo {
        return model.say(Tone::Info, "sample accounts: there is nothing to export");
    }
    let Some(session) = model.session() else { return };
    let ids: Vec<_> = session.visible.iter().map(|at| session.rows.all[*at].id).collect();
    if ids.is_empty() {
        return model.say(Tone::Info, "there is nothing to export");
    }
    let entries = ids.iter().filter_map(|id| session.state().get(id));
    let names = entries.map(|entry| (entry.identity(), title(entry.issuer(), entry.name())));
    if let Err(refusal) = model.policy.may_leave(names) {
        return model.say_report(&Report::from(refusal));
    }
    let n = count(ids.len(), "account");
    let what = match session.rows.tabs.get(session.tab).map(|(tab, _)| tab) {
        Some(Tab::Favourites) => format!("{n}, the favourites"),
        Some(Tab::Personal) => format!("{n}, the personal ones"),
        Some(Tab::Organisation(name) | Tab::Tag(name)) => format!("{n} of {name}"),
        Some(Tab::All) | None => format!("all {n}").replace("all 1 account", "1 account"),
    };
    if let Some(session) = model.session_mut() {
        session.modal = Some(Modal::Export(Box::new(Export::new(ids, what))));
    }
}

fn flow(model: &mut Model) -> Option<&mut Export> {
    match model.session_mut()?.modal.as_mut()? {
        Modal::Export(flow) => Some(flow),
        _ => None,
    }
}

/// A key.
pub fn on_key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let generation = model.generation;
    let Some(flow) = flow(model) else { return Vec::new() };
    match (&flow.step, key.code) {
        (Step::Done(_), _) | (Step::Format, KeyCode::Esc) => model.uncover(),
        (Step::Format, KeyCode::Up | KeyCode::Char('k')) => flow.chosen = flow.chosen.saturating_sub(1),
        (Step::Format, KeyCode::Down | KeyCode::Char('j')) => flow.chosen = (flow.chosen + 1).min(formats().len() - 1),
        (Step::Format, KeyCode::Enter) => {
            if flow.format().1 == Sealing::Never {
                to_path(flow);
            } else {
                flow.step = Step::Password { first: Input::default(), second: Input::default(), repeat: false };
            }
        }
        (Step::Password { .. } | Step::Path, KeyCode::Esc) => {
            flow.password = None;
            flow.problem = None;
            flow.step = Step::Format;
        }
        (Step::Password { .. }, KeyCode::Enter) => password(flow),
        (Step::Path, _) => match flow.path.press(key) {
            Pressed::Submit => match flow.path.text().trim() {
                "" => flow.problem = Some(String::from("A file needs a name.")),
                path if path.ends_with('/') => {
                    flow.problem = Some(String::from("This is a folder: a name is missing."));
                }
                _ if flow.password.is_none() => flow.step = Step::Open,
                _ => return write(model, false),
            },
            Pressed::Complete(text) => return vec![Effect::Complete(generation, text)],
            Pressed::Typed => flow.problem = None,
            Pressed::Nothing => {}
        },
        (Step::Open, KeyCode::Char('y')) => return write(model, false),
        (Step::Replace, KeyCode::Char('y')) => return write(model, true),
        (Step::Open | Step::Replace, KeyCode::Esc | KeyCode::Char('n')) => flow.step = Step::Path,
        (Step::Password { .. }, _) => {
            if flow.line_mut().is_some_and(|line| line.key(key)) {
                flow.problem = None;
            }
        }
        // What is on its way to the file is told by the answer.
        (Step::Format | Step::Open | Step::Replace | Step::Writing, _) => {}
    }
    Vec::new()
}

fn to_path(flow: &mut Export) {
    flow.path = PathLine::file(&flow.usual_path());
    flow.problem = None;
    flow.step = Step::Path;
}

/// A password was typed: once more, or on to the path. None at all leaves a file open whose format allows that.
fn password(flow: &mut Export) {
    let optional = flow.format().1 == Sealing::Optional;
    let Step::Password { first, second, repeat } = &mut flow.step else { return };
    flow.problem = None;
    if !*repeat {
        match (first.is_empty(), optional) {
            (true, true) => to_path(flow),
            (true, false) => flow.problem = Some(String::from("An empty password protects nothing.")),
            (false, _) => *repeat = true,
        }
    } else if first.text() == second.text() {
        flow.password = Some(first.take());
        to_path(flow);
    } else {
        first.clear();
        second.clear();
        *repeat = false;
        flow.problem = Some(String::from("These two differ: type it again."));
    }
}

/// Hands the export over to be written.
fn write(model: &mut Model, over: bool) -> Vec<Effect> {
    let generation = model.generation;
    let Some(session) = model.session_mut() else { return Vec::new() };
    let state = session.vault.state.clone();
    let Some(Modal::Export(flow)) = &mut session.modal else { return Vec::new() };
    let mut entries: Vec<_> = flow.ids.iter().filter_map(|id| state.get(id)).collect();
    entries.sort_by_cached_key(|e| (e.issuer().to_lowercase(), e.name().to_lowercase(), e.id));
    let (accounts, unusable) = accounts_of(entries);
    flow.step = Step::Writing;
    let password = flow.password.as_ref().map(Secret::duplicate);
    let path = flow.path.text().trim().into();
    let job = ExportJob { format: flow.format().0, accounts, unusable, password, path, over };
    vec![Effect::Export(generation, Box::new(job))]
}

/// The export was written, or not.
pub fn exported(model: &mut Model, generation: u64, result: Result<Wrote, ExportTrouble>) -> Vec<Effect> {
    if generation != model.generation {
        return Vec::new();
    }
    let Some(flow) = flow(model).filter(|flow| matches!(flow.step, Step::Writing)) else {
        // Left meanwhile: a file with secrets is told of all the same.
        if let Ok(wrote) = result {
            model.say(Tone::Warn, format!("exported to {}", clean(&wrote.path)));
        }
        return Vec::new();
    };
    match result {
        Ok(wrote) => {
            let sealed = flow.password.is_some();
            let n = count(wrote.count, "account");
            let open = if sealed { "" } else { "; its secrets lie open: delete it after use" };
            let text = format!("{n} exported to {}{open}", clean(&wrote.path));
            if wrote.left_out.is_empty() {
                model.uncover();
            } else {
                flow.step = Step::Done(wrote.left_out);
            }
            model.say(if sealed { Tone::Good } else { Tone::Warn }, text);
        }
        Err(ExportTrouble::Exists) => flow.step = Step::Replace,
        Err(ExportTrouble::Failed(why)) => {
            flow.problem = Some(why);
            flow.step = Step::Path;
        }
    }
    Vec::new()
}
