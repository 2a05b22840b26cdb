//! What must hold after every event.

use otpanel::app::event::{Aside, Effect};
use otpanel::app::model::Stage;
use otpanel::app::session::Then;
use otpanel::otp::code;
use otpanel::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::Walk;

impl Walk {
    /// Everything that the last session held is in the file, or in a save under way, or was given up by the user.
    pub fn nothing_unsaved_is_lost(&mut self, name: &str) {
        let Some(last) = self.last.take() else { return };
        let mut safe = self.file.state.as_ref().clone();
        for effect in &self.asked {
            if let Effect::Save(_, vault, _) | Effect::Recreate(_, vault) = effect {
                safe.join(&vault.state);
            }
        }
        if let Stage::Locked(lock) = &self.model.stage
            && let Some(Aside::Memory(kept)) = &lock.aside
        {
            safe.join(&kept.open_with(self.file.data_key()).unwrap().state);
        }
        assert!(!safe.join(&last) || self.given_up, "{name}: a change was forgotten");
    }

    /// What holds after every event.
    pub fn hold(&mut self, name: &str) {
        let running =
            self.asked.iter().filter(|effect| matches!(effect, Effect::Save(g, ..) if *g == self.model.generation));
        assert!(running.count() <= 1, "{name}: two saves of one session at once");
        if let Stage::Open(session) = &self.model.stage {
            let rows = session.rows.all.len();
            assert!(session.visible.iter().all(|row| *row < rows), "{name}: a row in view that is not there");
            let most = session.visible.len().max(1);
            assert!(session.selected < most && session.offset < most, "{name}: the selection is outside of the list");
            assert!(session.tab < session.rows.tabs.len().max(1), "{name}: the tab is outside of the tabs");
            let entries = session.state().live().count();
            assert_eq!(rows, entries, "{name}: the list and the vault differ");
            if !session.saving.pending() {
                let mut safe = self.file.state.as_ref().clone();
                assert!(!safe.join(session.state()), "{name}: a change is neither in the file nor on its way");
            }
            if matches!(session.saving.then, Some((Then::Lock, _))) {
                assert!(session.hidden, "{name}: waiting for the lock, codes are shown");
            }
        }
        let (width, height) = self.model.size;
        // The screen is looked at after every other event: it costs more than all the rest.
        self.looks = !self.looks;
        if !self.looks {
            return;
        }
        let area = self.terminal.backend().buffer().area;
        if (area.width, area.height) != (width, height) {
            self.terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        }
        let (model, theme) = (&self.model, &self.theme);
        self.terminal.draw(|frame| view(model, theme, frame)).unwrap();
        let cells = self.terminal.backend().buffer().content();
        let acts = |symbol: &str| symbol.chars().any(|c| c.is_control() || c == '\u{202e}');
        assert!(!cells.iter().any(|cell| acts(cell.symbol())), "{name}: a character that acts is on the screen");
        // Closed, or hidden with nothing over the list that shows one on purpose: no code, no secret.
        let closed = match &self.model.stage {
            Stage::Open(session) => {
                session.hidden
                    && session.revealed.is_none()
                    && session.modal.is_none()
                    && session.counter_code.is_none()
            }
            _ => true,
        };
        if closed && width > 0 {
            let mut screen = String::with_capacity(cells.len());
            for line in cells.chunks(width.into()) {
                for cell in line {
                    screen.push_str(cell.symbol());
                }
                screen.push('\n');
            }
            for secret in self.shown() {
                assert!(!screen.contains(&secret), "{name}: hidden, and yet there is {secret}:\n{screen}");
            }
        }
    }

    /// The texts that would give a secret away at this moment: codes as the list shows them, and seeds. Of at least six
    /// digits, so that none stands on the screen by chance. What was pasted into a name is a name.
    fn shown(&self) -> Vec<String> {
        let at = self.model.code_time();
        let mut all = Vec::new();
        for entry in self.file.state.live() {
            let Ok(account) = entry.account() else { continue };
            all.push(otpanel::otp::base32::encode(account.seed.expose()).expose().clone());
            for code in [code::code_at(&account, at), code::next_code_at(&account, at)].into_iter().flatten() {
                all.push(code.grouped().expose().clone());
            }
        }
        let names: String = self.model.session().map_or_else(String::new, |session| {
            session.state().live().flat_map(|entry| [entry.issuer(), " ", entry.name(), " "]).collect()
        });
        // A recovery key is typed in clear, and so is whatever else is pasted there.
        let typed = match &self.model.stage {
            Stage::Locked(lock) if lock.recovery => lock.line.text(),
            _ => "",
        };
        all.retain(|text| !names.contains(text.as_str()) && !typed.contains(text.as_str()));
        all.retain(|text| text.chars().filter(|c| c.is_alphanumeric()).count() >= 5);
        all
    }
}
