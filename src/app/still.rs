//! Whether a second that passes changes anything but the countdown and the state above the list: nearly all do not, so that
//! the loop need not draw the rows again. Pure.

use super::Model;
use super::model::Stage;
use super::rows::Shows;
use crate::otp::remaining;

/// All in the list's rows that time alone can change. While it stays equal, and nothing arrives, the rows stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Still {
    /// The time step of the codes (RFC 6238's T).
    step: u64,
    /// The codes end soon, and warn of it.
    late: bool,
    /// The rows at the top that change by the second.
    pub above: u16,
}

impl Still {
    /// Looks at a model; nothing where more than what stands above the list may change by itself.
    pub fn of(model: &Model) -> Option<Self> {
        let Stage::Open(session) = &model.stage else { return None };
        let panes = model.panes();
        let is_plain = !model.config.accessible
            && model.notice.is_none()
            && session.modal.is_none()
            && !session.big
            && session.query.is_none()
            && session.revealed.is_none()
            && session.counter_code.is_none()
            && session.copied.is_none()
            && panes.header.is_some()
            && panes.detail.is_none();
        let period = session.rows.period;
        // A row of another period counts down by itself.
        let shared = |shows: &Shows| !matches!(shows, Shows::Timed { period: own } if *own != period);
        if !is_plain || !session.on_screen(panes.list_height).all(|(_, row)| shared(&row.shows)) {
            return None;
        }
        let now = model.code_time();
        let late = remaining(period, now) <= u64::from(model.config.warn_secs);
        Some(Self { step: now.secs() / period, late, above: panes.list_top })
    }
}
