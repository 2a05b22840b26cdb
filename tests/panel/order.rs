//! The orders of the list: chosen, remembered, and moved in by keys.

use otpanel::app::event::Effect;
use otpanel::app::order::{Habit, Order};

use crate::harness::{Journey, PASSWORD, accounts, many};

fn shorts(journey: &Journey) -> Vec<String> {
    let session = journey.session();
    session.visible.iter().map(|at| session.rows.all[*at].title()).collect()
}

#[test]
fn o_goes_through_the_orders_and_says_which() {
    let journey = Journey::unlocked(&accounts()).keys("o");
    assert!(journey.screen().contains("sorted by account name"), "{}", journey.screen());
    assert_eq!(shorts(&journey)[0], "GitLab (ada)");
    let journey = journey.keys("oooo");
    assert_eq!(journey.session().order, Order::Issuer);
    assert_eq!(shorts(&journey), shorts(&Journey::unlocked(&accounts())));
}

#[test]
fn the_most_and_the_last_used_come_first_and_a_copied_row_does_not_jump_away() {
    let journey = Journey::unlocked(&accounts()).keys("/steam<enter>/steam<enter>").seconds(2).keys("/glab<enter>");
    assert_eq!(shorts(&journey)[0], "Amazon Web Services (root · prod-eu)");
    let journey = journey.keys("oo");
    assert_eq!(shorts(&journey)[..2], ["Steam (ada_1815)", "GitLab (ada)"]);
    let journey = journey.keys("o");
    assert_eq!(shorts(&journey)[..2], ["GitLab (ada)", "Steam (ada_1815)"]);
    let journey = journey.seconds(2).keys("/ci-bot<enter>");
    assert_eq!(shorts(&journey)[0], "GitLab (ada)", "sorted by what was used up to the choice");
}

#[test]
fn uses_and_the_order_are_kept_on_this_machine_and_come_back_after_a_lock() {
    let journey = Journey::unlocked(&accounts()).keys("/steam<enter>oo");
    let habits: Vec<Habit> = journey
        .kept
        .iter()
        .filter_map(|effect| if let Effect::Remember(_, habit, _) = effect { Some(*habit) } else { None })
        .collect();
    assert!(matches!(habits[..], [Habit::Used(_), Habit::Chose(Order::Name), Habit::Chose(Order::MostUsed)]));
    let journey = journey.keys(&format!("L{PASSWORD}<enter>"));
    assert_eq!(shorts(&journey)[0], "Steam (ada_1815)");
    let detail = journey.size(120, 40).screen();
    assert!(detail.contains("used     once, last just now"), "{detail}");
}

#[test]
fn rows_are_moved_by_keys_in_the_own_order_which_is_saved_and_undone() {
    let journey = Journey::unlocked(&accounts()).keys("J");
    assert!(journey.screen().contains("in your own order; K and J move a row"), "{}", journey.screen());
    let before = shorts(&journey);
    let journey = journey.keys("J");
    assert_eq!(shorts(&journey)[..2], [before[1].clone(), before[0].clone()]);
    assert_eq!(journey.session().selected, 1);
    let journey = journey.keys("JJ");
    assert_eq!(shorts(&journey)[3], before[0]);
    let up = journey.keys("G<alt-up>");
    assert_eq!(shorts(&up)[6], before[7]);
    assert_eq!(shorts(&up)[7], before[6]);
    let stored = up.file.as_ref().unwrap().state.live().filter(|e| !e.text("position").is_empty()).count();
    assert!(stored >= 7, "{stored}");
    let undone = Journey::unlocked(&accounts()).keys("JJu");
    assert_eq!(undone.session().selected_row().unwrap().title(), before[0]);
}

#[test]
fn at_the_ends_nothing_moves_and_moving_in_a_tab_passes_the_neighbour_seen() {
    let journey = Journey::unlocked(&accounts()).keys("KKK");
    let fresh = Journey::unlocked(&accounts()).keys("J");
    assert_eq!(shorts(&journey), shorts(&fresh));
    let journey = journey.keys("<tab><tab>");
    assert_eq!(shorts(&journey), ["Contoso VPN (ada.l)", "GitLab (ada)"]);
    let journey = journey.keys("J");
    assert_eq!(shorts(&journey), ["GitLab (ada)", "Contoso VPN (ada.l)"]);
}

#[test]
fn a_row_far_down_can_be_moved_among_ten_thousand() {
    let journey = Journey::unlocked(&many(10_000)).keys("KGK");
    assert_eq!(shorts(&journey)[9_998], "Service09999 (user09999@example.com)");
    let longest = journey.session().state().live().map(|e| e.text("position").len()).max();
    assert!(longest <= Some(5), "{longest:?}");
}
