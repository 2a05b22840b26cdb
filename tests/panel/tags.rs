//! Tags: changed for one account by a line with suggestions, taken back, and shown as tabs.

use otpanel::app::rows::Tab;

use crate::harness::{Journey, accounts};

fn tags_of(journey: &Journey, issuer: &str) -> Vec<String> {
    let session = journey.session();
    session.rows.all.iter().find(|row| row.issuer == issuer).expect("it is there").tags.clone()
}

#[test]
fn a_line_with_the_tags_of_others_as_suggestions_changes_those_of_the_selected_account() {
    let journey = Journey::unlocked(&accounts()).keys("/steam<esc>t");
    insta::assert_snapshot!("tags_80x24", journey.styled());
    insta::assert_snapshot!("tags_30x5", journey.size(30, 5).styled());
    let journey = Journey::unlocked(&accounts()).keys("/steam<esc>t").keys("w<tab>");
    assert!(journey.screen().contains("work, "), "{}", journey.screen());
    let journey = journey.keys("games, games,  ,<enter>");
    assert_eq!(tags_of(&journey, "Steam"), ["games", "work"]);
    assert!(journey.screen().contains("Steam: work, games"), "{}", journey.screen());
    assert_eq!(journey.saves, 1);
    let journey = journey.keys("u");
    assert_eq!(tags_of(&journey, "Steam"), Vec::<String>::new());
    assert!(journey.screen().contains("undone: the tags of Steam"));
}

#[test]
fn a_suggestion_can_be_chosen_with_the_arrows_and_what_is_held_is_not_offered() {
    let journey = Journey::unlocked(&accounts()).keys("/steam<esc>t").keys("games<enter>");
    let journey = journey.keys("/gitlab<esc>t");
    assert!(!journey.screen().lines().any(|line| line.contains("│ work ")), "{}", journey.screen());
    let journey = journey.keys("<down><enter>");
    assert!(journey.screen().contains("work, games, "), "{}", journey.screen());
    assert_eq!(tags_of(&journey.keys("<enter>"), "GitLab"), ["games", "work"]);
}

#[test]
fn leaving_changes_nothing_and_the_last_tag_takes_its_tab_along() {
    let journey = Journey::unlocked(&accounts()).keys("/gitlab<esc>t").keys("<ctrl-u><esc>");
    assert_eq!((tags_of(&journey, "GitLab"), journey.saves), (vec![String::from("work")], 0));
    let mut journey = journey;
    for _ in 0..journey.session().rows.tabs.len() - 1 {
        journey = journey.keys("<tab>");
    }
    assert!(matches!(journey.session().rows.tabs[journey.session().tab].0, Tab::Tag(_)));
    while journey.session().rows.tabs.iter().any(|(tab, _)| *tab == Tab::Tag("work".into())) {
        journey = journey.keys("t<ctrl-u><enter>");
    }
    assert_eq!(journey.session().tab, 0, "all are shown then");
    assert_eq!(journey.session().visible.len(), accounts().len());
}

#[test]
fn the_tab_in_view_is_named_however_many_there_are_and_however_narrow_it_is() {
    let mut journey = Journey::unlocked(&accounts());
    for at in 0..accounts().len() {
        let down = "<down>".repeat(at);
        journey = journey.keys(&format!("g{down}t")).keys(&format!("topic number {at}<enter>"));
    }
    let tabs = journey.session().rows.tabs.clone();
    for (tab, _) in &tabs[1..] {
        journey = journey.keys("<tab>");
        let name = match tab {
            Tab::Favourites => "★ 1",
            Tab::Tag(tag) => tag,
            other => panic!("{other:?}"),
        };
        let line = journey.screen().lines().nth(1).map(str::to_owned).unwrap_or_default();
        assert!(line.contains(name), "{name}: {line}");
    }
    // The first one in the line is clicked.
    let last = journey.session().tab;
    let journey = journey.click(4, 1);
    assert!(journey.session().tab != last && journey.session().tab > 0, "the first of those in view");
    let name = match &tabs[last].0 {
        Tab::Tag(tag) => tag.clone(),
        other => panic!("{other:?}"),
    };
    let journey = journey.keys("<shift-tab>").size(40, 10);
    let mut journey = journey;
    while journey.session().tab != last {
        journey = journey.keys("<tab>");
    }
    assert!(journey.screen().lines().next().is_some_and(|line| line.contains(&name)), "{}", journey.screen());
}
