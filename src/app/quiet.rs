//! When the screen of a screen reader changes by itself: never by the second, only when what is said is no longer so.

use super::model::{KEYCHAIN_SILENT_MS, Model, Stage, Waiting};
use super::rows::Shows;
use super::session::PATIENCE_SECS;
use super::session::{Modal, Session};
use crate::time::UnixTime;

impl Model {
    /// The next moment at which something that is read aloud changes by itself, or something is to be done.
    pub(super) fn next_spoken_change(&self) -> Option<UnixTime> {
        let until = self.notice.as_ref().and_then(|notice| notice.until);
        let by_stage = match &self.stage {
            Stage::Opening => Some(UnixTime::from_secs(self.now.secs() + 1)),
            Stage::Open(session) => self.next_of(session),
            Stage::Locked(lock) => match lock.waiting {
                Waiting::Keychain(since) => Some(UnixTime(since.0 + KEYCHAIN_SILENT_MS)).filter(|at| *at > self.now),
                Waiting::No | Waiting::Derivation => None,
            },
            Stage::Welcome(_) | Stage::Broken(_) => None,
        };
        until.into_iter().chain(by_stage).min()
    }

    fn next_of(&self, session: &Session) -> Option<UnixTime> {
        let ends = |period: u64| {
            let (period, time) = (period.max(1) * 1000, self.code_time().0);
            UnixTime(self.now.0 + period - time % period)
        };
        let code = match &session.modal {
            Some(Modal::Form(form)) => form.account().and_then(|account| account.kind.period()).map(ends),
            _ => match session.selected_row().map(|row| &row.shows) {
                Some(Shows::Timed { period }) => Some(ends(*period)),
                _ => None,
            },
        };
        let idle = u64::from(self.config.idle_lock_secs);
        // One that waits for its save is due already.
        let waits = self.demo || session.saving.then.is_some();
        let lock = (idle > 0 && !waits).then(|| session.touched.plus_secs(idle));
        let save = session.saving.then.map(|(_, since)| since.plus_secs(PATIENCE_SECS));
        let copied = session.copied.map(|(_, until)| until);
        let revealed = session.revealed.map(|(_, until)| until);
        let counter = session.counter_code.map(|made| made.until);
        let backup = session.backup.next();
        [code, lock, save, session.saving.retry, backup, copied, revealed, counter].into_iter().flatten().min()
    }
}
