//! Where things stand on a screen of a given size. Shared by the drawing and by the mouse, so that both agree.

/// The parts of the list screen. Rows are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panes {
    /// Title and state; none on tiny screens.
    pub header: Option<u16>,
    /// Tabs or the search line, and the countdown; none below 60 columns.
    pub tabs: Option<u16>,
    /// The first row of the list.
    pub list_top: u16,
    /// Rows of the list.
    pub list_height: u16,
    /// Columns of the list.
    pub list_width: u16,
    /// The first column of the detail pane, from 110 columns.
    pub detail: Option<u16>,
    /// What just happened.
    pub notice: Option<u16>,
    /// The keys.
    pub keys: Option<u16>,
    /// On tiny screens one line for state, notice and countdown.
    pub status: Option<u16>,
}

/// From this width on the account has its own column and the bar is drawn.
pub const WIDE: u16 = 60;
/// From this width on there is a detail pane.
pub const DETAIL: u16 = 110;
/// The width of the list beside a detail pane.
const LIST_BESIDE_DETAIL: u16 = 82;

/// Composes the list screen for a size in columns and rows.
pub fn panes(width: u16, height: u16) -> Panes {
    let detail = (width >= DETAIL).then_some(LIST_BESIDE_DETAIL.max(width / 2).min(100));
    let list_width = detail.unwrap_or(width);
    if height < 7 {
        return Panes {
            header: None,
            tabs: None,
            list_top: 0,
            list_height: height.saturating_sub(1),
            list_width,
            detail,
            notice: None,
            keys: None,
            status: height.checked_sub(1),
        };
    }
    let tabs = (width >= WIDE).then_some(1);
    let list_top = 1 + u16::from(tabs.is_some());
    Panes {
        header: Some(0),
        tabs,
        list_top,
        list_height: height - list_top - 2,
        list_width,
        detail,
        notice: Some(height - 2),
        keys: Some(height - 1),
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_accounts_fit_on_24_lines() {
        assert_eq!(panes(80, 24).list_height, 20);
    }

    #[test]
    fn tiny_screens_keep_one_line_for_the_state() {
        assert_eq!(panes(30, 5).list_height, 4);
        assert_eq!(panes(20, 3).list_height, 2);
        assert_eq!(panes(20, 3).status, Some(2));
    }

    #[test]
    fn narrow_screens_drop_the_tabs_and_wide_ones_gain_a_pane() {
        assert_eq!((panes(40, 10).tabs, panes(40, 10).list_height), (None, 7));
        assert!(panes(120, 40).detail.is_some());
        assert!(panes(80, 24).detail.is_none());
    }

    #[test]
    fn no_size_is_too_small() {
        for width in 0..250 {
            for height in 0..60 {
                let p = panes(width, height);
                assert!(p.list_top + p.list_height <= height.max(1));
            }
        }
    }
}
