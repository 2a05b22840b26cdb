//! The list: moving, searching, copying, hiding, tabs, mouse.

use otpanel::app::event::Event;
use otpanel::app::session::Modal;
use otpanel::config::Config;
use otpanel::otp::code_at;
use otpanel::time::UnixTime;
use otpanel::vault::file::FileError;

use crate::harness::{BEGIN, Journey, accounts, many};

fn selected(journey: &Journey) -> String {
    journey.session().selected_row().map_or_else(String::new, otpanel::app::rows::Row::title)
}

#[test]
fn twenty_codes_stand_on_a_screen_of_24_lines() {
    let screen = Journey::unlocked(&many(100)).screen();
    let code = code_at(&many(1)[0], BEGIN).unwrap().grouped();
    assert_eq!(screen.matches(code.expose().as_str()).count(), 20);
}

#[test]
fn every_code_on_the_screen_is_the_one_of_its_moment() {
    let journey = Journey::unlocked(&accounts());
    for account in accounts() {
        if let Some(code) = code_at(&account, BEGIN) {
            let code = code.grouped();
            assert!(journey.screen().contains(code.expose().as_str()), "{}", account.title());
        }
    }
    let later = journey.seconds(61);
    let fresh = code_at(&accounts()[0], BEGIN.plus_secs(61)).unwrap().grouped();
    assert!(later.screen().contains(fresh.expose().as_str()));
}

#[test]
fn rows_are_sorted_by_issuer_then_account_without_regard_to_case() {
    let journey = Journey::unlocked(&accounts());
    let titles: Vec<String> = journey.session().rows.all.iter().map(|row| row.short().to_owned()).collect();
    assert_eq!(
        titles,
        ["Amazon Web Services", "Contoso VPN", "GitHub", "GitHub", "GitLab", "HOTP token", "Steam", "日本語の銀行"]
    );
}

#[test]
fn keys_move_the_selection_and_stop_at_the_ends() {
    let journey = Journey::unlocked(&accounts()).keys("jjk");
    assert_eq!(selected(&journey), "Contoso VPN (ada.l)");
    assert_eq!(selected(&journey.keys("<up><up><up>")), "Amazon Web Services (root · prod-eu)");
    let journey = Journey::unlocked(&accounts()).keys("G<down>");
    assert_eq!(selected(&journey), "日本語の銀行 (山田)");
    assert_eq!(selected(&journey.keys("g")), "Amazon Web Services (root · prod-eu)");
}

#[test]
fn a_long_list_scrolls_with_the_selection() {
    let journey = Journey::unlocked(&many(100)).keys("<pgdn><pgdn>");
    assert_eq!(selected(&journey), "Service00038 (user00038@example.com)");
    assert!(journey.screen().contains("Service00038"));
    let journey = journey.keys("G");
    assert!(journey.screen().contains("Service00099"));
    assert_eq!(journey.session().offset, 80);
}

#[test]
fn enter_copies_the_code_and_the_row_counts_down_to_the_clearing() {
    let journey = Journey::unlocked(&accounts()).keys("/octo<enter>");
    let code = code_at(&accounts()[0], BEGIN).unwrap();
    assert_eq!(journey.clipboard.as_deref(), Some(code.expose()));
    let screen = journey.screen();
    assert!(screen.contains("GitHub copied, clears in 30 s"), "{screen}");
    assert!(screen.contains("✓ 30s"), "{screen}");
    let journey = journey.seconds(6);
    assert!(journey.screen().contains("✓ 24s"));
    assert!(!journey.seconds(25).screen().contains("✓ 24s"));
}

#[test]
fn the_next_code_can_be_copied() {
    let journey = Journey::unlocked(&accounts()).keys("/octo<tab>");
    let next = code_at(&accounts()[0], BEGIN.plus_secs(30)).unwrap();
    assert_eq!(journey.clipboard.as_deref(), Some(next.expose()));
}

#[test]
fn a_digit_copies_the_row_of_that_number() {
    let journey = Journey::unlocked(&accounts()).keys("5");
    let code = code_at(&accounts()[2], BEGIN).unwrap();
    assert_eq!(journey.clipboard.as_deref(), Some(code.expose()));
    assert_eq!(selected(&journey), "GitLab (ada)");
    let nowhere = Journey::unlocked(&accounts()).keys("9");
    assert_eq!(nowhere.clipboard, None);
}

#[test]
fn a_search_narrows_as_it_is_typed_and_escape_keeps_the_place() {
    let journey = Journey::unlocked(&accounts()).keys("/glab");
    assert_eq!(journey.session().visible.len(), 1);
    assert!(journey.screen().contains("1 of 8"));
    let journey = journey.keys("<esc>");
    assert_eq!(journey.session().visible.len(), 8);
    assert_eq!(selected(&journey), "GitLab (ada)");
}

#[test]
fn a_search_without_hits_says_so() {
    assert!(Journey::unlocked(&accounts()).keys("/zzzz").screen().contains("Nothing matches."));
}

#[test]
fn a_mistyped_search_finds_what_is_like_it_and_says_that_it_is_only_alike() {
    let journey = Journey::unlocked(&accounts()).keys("/gihtub octo");
    assert!(journey.screen().lines().nth(1).unwrap().contains("1 alike"), "{}", journey.screen());
    assert_eq!(selected(&journey), "GitHub (octo@example.com)");
    let journey = journey.keys("<ctrl-u>git");
    assert!(journey.screen().contains("3 of 8"), "{}", journey.screen());
}

#[test]
fn a_counter_is_saved_before_its_code_is_shown() {
    let mut journey = Journey::unlocked(&accounts());
    journey.save_fails = Some(|| otpanel::vault::file::FileError::DiskFull("/x".into()));
    let failed = journey.keys("/hotp<enter>");
    assert_eq!(failed.clipboard, None);
    assert!(!failed.screen().contains("162 583"), "{}", failed.screen());

    let journey = Journey::unlocked(&accounts()).keys("/hotp<enter>");
    assert_eq!(journey.saves, 1);
    // RFC 4226 appendix D: count 7.
    assert_eq!(journey.clipboard.as_deref(), Some("162583"));
    assert!(journey.screen().contains("#7 162 583"), "{}", journey.screen());
    let stored = journey.file.as_ref().unwrap().state.live().find(|e| e.issuer() == "HOTP token").unwrap().counter;
    assert_eq!(stored.next, 8);
    let again = journey.keys("<enter>");
    assert_eq!(again.clipboard.as_deref(), Some("399871"));
    assert!(!again.seconds(61).screen().contains("399 871"));
}

#[test]
fn a_counter_that_another_program_took_meanwhile_is_not_shown_a_second_time() {
    let mut journey = Journey::unlocked(&accounts());
    let file = journey.file.as_mut().unwrap();
    let id = file.state.live().find(|e| e.issuer() == "HOTP token").unwrap().id;
    assert_eq!(file.take_counter(id, otpanel::time::UnixTime(1), otpanel::vault::DeviceId([9; 8])), Some(7));
    let journey = journey.keys("/hotp<enter>");
    // RFC 4226 appendix D: count 8.
    assert_eq!(journey.clipboard.as_deref(), Some("399871"));
}

#[test]
fn hidden_codes_show_one_for_ten_seconds_on_request() {
    let code = code_at(&accounts()[7], BEGIN).unwrap().grouped();
    let code = code.expose().as_str();
    let journey = Journey::unlocked(&accounts()).keys("h");
    assert!(!journey.screen().contains(code));
    let journey = journey.keys("r");
    assert!(journey.screen().contains(code));
    assert!(!journey.seconds(10).screen().contains(code));
}

#[test]
fn codes_can_start_hidden_by_the_config() {
    let config = Config { hide_codes: true, ..Config::default() };
    assert!(Journey::with(config, &accounts()).screen().contains("••• •••"));
}

#[test]
fn tabs_show_favourites_and_tags() {
    let journey = Journey::unlocked(&accounts());
    assert!(journey.screen().contains("All 8   ★ 1   work 2"));
    let journey = journey.keys("<tab>");
    assert_eq!(journey.session().visible.len(), 1);
    let journey = journey.keys("<tab>");
    assert_eq!(journey.session().visible.len(), 2);
    assert_eq!(journey.keys("<tab>").session().visible.len(), 8);
}

#[test]
fn the_next_code_stands_dim_beside_the_last_seconds() {
    let journey = Journey::unlocked(&accounts()).seconds(25);
    let next = code_at(&accounts()[0], BEGIN.plus_secs(30)).unwrap().grouped();
    assert!(journey.screen().contains(&format!("{} ›", next.expose())), "{}", journey.screen());
    let early = Journey::unlocked(&accounts()).seconds(24);
    assert!(!early.screen().contains(next.expose().as_str()));
}

#[test]
fn n_shows_the_next_codes_then_those_before_then_neither() {
    let at = |secs: u64| code_at(&accounts()[0], otpanel::time::UnixTime::from_secs(secs)).unwrap().grouped();
    let (next, before) = (at(BEGIN.secs() + 30), at(BEGIN.secs() - 30));
    let journey = Journey::unlocked(&accounts()).keys("n");
    assert!(journey.screen().contains(&format!("{} ›", next.expose())), "{}", journey.screen());
    let journey = journey.keys("n");
    assert!(journey.screen().contains(&format!("{} ‹", before.expose())), "{}", journey.screen());
    let screen = journey.keys("n").screen();
    assert!(!screen.contains(before.expose().as_str()) && !screen.contains(next.expose().as_str()));
}

#[test]
fn a_click_selects_a_double_click_copies_and_the_wheel_scrolls() {
    let journey = Journey::unlocked(&accounts()).click(10, 4);
    assert_eq!(selected(&journey), "GitHub (ci-bot)");
    assert_eq!(journey.clipboard, None);
    assert!(journey.click(10, 4).clipboard.is_some());
    let journey = Journey::unlocked(&many(100)).wheel(true);
    assert_eq!(journey.session().selected, 3);
    assert_eq!(journey.wheel(false).session().selected, 0);
}

#[test]
fn tabs_and_footer_keys_can_be_clicked() {
    let journey = Journey::unlocked(&accounts()).click(9, 1);
    assert_eq!(journey.session().tab, 1);
    let help = Journey::unlocked(&accounts());
    let item = help.model.footer().into_iter().find(|i| i.word == "help").unwrap();
    let help = help.click(item.from, 23);
    assert!(matches!(help.session().modal, Some(Modal::Palette(_))));
}

#[test]
fn the_palette_finds_an_action_and_does_it() {
    let journey = Journey::unlocked(&accounts()).keys("<ctrl-p>hide or show all<enter>");
    assert!(journey.session().hidden);
}

#[test]
fn help_lists_every_action_with_its_keys_from_the_table() {
    let mut seen = String::new();
    let mut journey = Journey::unlocked(&accounts()).size(120, 60).keys("?");
    for _ in 0..60 {
        seen += &journey.screen();
        journey = journey.keys("<down>");
    }
    for binding in otpanel::app::keys::TABLE {
        assert!(seen.contains(binding.text), "{}", binding.text);
    }
}

#[test]
fn rebound_keys_are_in_force_at_once_when_the_config_changes() {
    let mut journey = Journey::unlocked(&accounts());
    let config = otpanel::config::parse("(keys: {\"copy\": [\"y\"]})").unwrap();
    journey.event(otpanel::app::Event::Config(Ok(Box::new(config))));
    assert!(journey.screen().contains("y copy"), "{}", journey.screen());
    assert!(journey.keys("y").clipboard.is_some());
}

#[test]
fn a_clock_that_cannot_be_right_is_told_calmly_and_an_offset_mends_it() {
    let mut journey = Journey::unlocked(&accounts());
    assert!(!journey.screen().contains("clock"));
    journey.model.now = otpanel::time::UnixTime(BEGIN.0 - 3 * 3_600_000);
    assert!(journey.screen().contains("the clock is 3 hours behind the vault's last change"), "{}", journey.screen());
    let copied = journey.keys("<enter>");
    assert!(copied.screen().contains("copied, clears in"), "what just happened goes first");
    let mut mended = copied.seconds(7);
    mended.model.config.clock_offset_secs = 3 * 3_600;
    assert!(!mended.screen().contains("the clock"), "{}", mended.screen());
    mended.model.now = otpanel::time::UnixTime::from_secs(1_600_000_000);
    assert!(mended.screen().contains("before this program was made"));
}

#[test]
fn the_panel_needs_one_change_a_second_and_none_while_locked() {
    let journey = Journey::unlocked(&accounts());
    assert_eq!(journey.model.next_change(), Some(BEGIN.plus_secs(1)));
    assert_eq!(journey.keys("L").model.next_change(), None);
}

#[test]
fn the_help_begins_with_what_is_wrong_with_the_keys_of_the_settings() {
    let keys = [("quit", "x"), ("lock", "x")].map(|(name, key)| (name.to_owned(), vec![key.to_owned()]));
    let config = otpanel::config::Config { keys: keys.into(), ..Default::default() };
    let journey = Journey::with(config, &accounts()).keys("?");
    assert!(journey.screen().contains("! keys: `x` is given to both lock and quit"), "{}", journey.screen());
    assert!(!Journey::unlocked(&accounts()).keys("?").screen().contains("keys: "));
}

#[test]
fn the_next_code_of_a_counter_is_refused_since_it_would_be_used_up() {
    let journey = Journey::unlocked(&accounts()).keys("/hotp<esc>C");
    assert!(journey.screen().contains("no next code"), "{}", journey.screen());
    assert_eq!((journey.saves, journey.clipboard.as_deref()), (0, None));
}

#[test]
fn mistakes_in_the_settings_are_told_when_the_panel_opens() {
    let mut config =
        otpanel::config::parse("(keys: {\"copy\": [\"foo-bar\"]}, clipboard: (method: Command([])))").unwrap();
    config.confirm_delete = true;
    let journey = Journey::fresh(config);
    assert_eq!(journey.model.keymap.keys(otpanel::app::keys::Action::Copy), ["enter", "c"]);
    let (_, told) = journey.model.at_opening.as_ref().expect("kept for the opening");
    assert!(told.contains("`foo-bar` is not a key (and 1 more)"), "{told}");
}

#[test]
fn what_was_to_end_ends_in_time_though_the_clock_is_set_back_by_days() {
    let mut journey = Journey::unlocked(&accounts()).keys("hr");
    assert!(journey.session().revealed.is_some());
    journey.save_fails = Some(|| FileError::DiskFull("/home/ada/vault.otpv".into()));
    let mut journey = journey.keys("f").seconds(3);
    assert!(journey.screen().contains("not saved"), "{}", journey.screen());
    journey.save_fails = None;
    let back = UnixTime(journey.model.now.0 - 2 * 86_400_000);
    journey.event(Event::Tick(back));
    let journey = journey.seconds(10);
    assert!(journey.session().revealed.is_none(), "{}", journey.screen());
    let journey = journey.seconds(25);
    assert!(!journey.screen().contains("not saved"), "{}", journey.screen());
    assert!(journey.model.notice.is_none());
}
