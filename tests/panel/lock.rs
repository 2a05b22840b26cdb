//! Opening, locking, the first start, and vaults that cannot be opened.

use crossterm::event::KeyCode;
use otpanel::app::event::{Effect, Event, With};
use otpanel::app::model::Stage;
use otpanel::app::update;
use otpanel::config::{Config, LockUnlocksWith};
use otpanel::keychain::Probe;
use otpanel::unlock::UnlockError;
use otpanel::vault::file::FileError;

use crate::harness::{Journey, PASSWORD, accounts, vault};

fn started(journey: &mut Journey) {
    let found = match &journey.file {
        None => Event::Looked(Ok(None)),
        Some(vault) => {
            let bytes = vault.seal([5; 32]).unwrap();
            let locked = otpanel::vault::envelope::Locked::parse(bytes).unwrap();
            Event::Looked(Ok(Some(std::sync::Arc::new(locked))))
        }
    };
    journey.event(found);
}

fn locked() -> Journey {
    let mut journey = Journey::fresh(Config::default());
    journey.file = Some(vault(&accounts()));
    started(&mut journey);
    journey
}

#[test]
fn a_locked_panel_shows_no_name_no_count_and_no_code() {
    let journey = locked();
    let screen = journey.screen();
    assert!(screen.contains("otpanel is locked"));
    assert!(!screen.contains("GitHub") && !screen.contains('8'), "{screen}");
}

#[test]
fn the_password_opens_it_and_is_never_shown() {
    let typed = locked().keys(PASSWORD);
    assert!(typed.screen().contains("•••••"));
    assert!(!typed.screen().contains("horse"));
    assert!(typed.keys("<enter>").screen().contains("GitHub"));
}

/// A locked panel on a vault that the keychain of here opens, and no password.
fn locked_without_a_password() -> Journey {
    Journey::losing_its_password(&accounts()).keys("L")
}

#[test]
fn without_a_password_nothing_is_typed_into_a_line_that_nobody_sees() {
    let journey = locked_without_a_password();
    assert!(journey.words().contains("the keychain opens this vault"), "{}", journey.screen());
    let typed = journey.keys("secret").paste("words");
    let Stage::Locked(lock) = &typed.model.stage else { panic!("locked") };
    assert!(lock.line.is_empty() && !typed.screen().contains('•'));
    let screen = typed.screen();
    assert!(screen.contains("use the keychain") && screen.contains("q quit"), "{screen}");
    assert!(typed.keys("q").quit);
    // What was typed while nobody knew is forgotten.
    let mut journey = locked_without_a_password();
    journey.model.stage = Stage::Locked(Box::new(otpanel::app::model::Lock::new(None)));
    let mut journey = journey.keys("secret");
    started(&mut journey);
    let Stage::Locked(lock) = &journey.model.stage else { panic!("locked") };
    assert!(lock.line.is_empty());
}

#[test]
fn the_best_way_to_open_a_new_vault_is_selected_however_late_the_keychain_answers() {
    let mut journey = Journey::fresh(Config::default());
    // It is asked, and answers nothing yet.
    update(&mut journey.model, Event::Looked(Ok(None)));
    update(&mut journey.model, Event::Key(KeyCode::Char('n').into()));
    let selected = |journey: &Journey| journey.screen().lines().find(|line| line.contains('▌')).unwrap().to_owned();
    assert!(selected(&journey).contains("Password alone"), "{}", journey.screen());
    journey.event(Event::Probed(Probe::Ready));
    assert!(selected(&journey).contains("Keychain and password"), "{}", journey.screen());
    // What the user chose stays.
    let mut journey = journey.keys("<down>");
    journey.event(Event::Probed(Probe::Ready));
    assert!(selected(&journey).contains("Keychain alone"), "{}", journey.screen());
    // It is gone meanwhile.
    journey.event(Event::Probed(Probe::NoBus));
    assert!(selected(&journey).contains("Password alone"), "{}", journey.screen());
}

#[test]
fn the_settings_want_the_password_only_where_there_is_one() {
    let config = Config { lock_unlocks_with: LockUnlocksWith::Password, ..Config::default() };
    let mut journey = Journey::with(config.clone(), &accounts()).keys(":keychain<enter><enter>L");
    assert!(!journey.screen().contains("use the keychain"), "{}", journey.screen());
    journey = locked_without_a_password();
    *journey.model.config = config;
    assert!(journey.screen().contains("use the keychain"), "{}", journey.screen());
    let effects = update(&mut journey.model, Event::Key(KeyCode::Enter.into()));
    assert!(matches!(effects.as_slice(), [Effect::Unlock(_, _, With::Keychain { .. })]));
}

#[test]
fn esc_clears_what_is_typed_and_never_leaves_so_that_no_password_ends_in_the_shell() {
    let journey = locked().keys("half a pass<esc>");
    assert!(!journey.screen().contains('•') && journey.screen().contains("^C quit"), "{}", journey.screen());
    let journey = journey.keys("<esc><esc>");
    assert!(!journey.quit);
    assert!(journey.keys("<ctrl-c>").quit);
}

#[test]
fn a_vault_that_was_given_a_new_key_elsewhere_is_locked_and_asks_for_the_password_of_now() {
    let rekeyed = || FileError::Rekeyed("/home/ada/vault.otpv".into());
    // Nothing waits to be saved: it locks as soon as the file is read.
    let mut journey = Journey::unlocked(&accounts());
    let generation = journey.model.generation;
    journey.event(Event::Reread(generation, Err(rekeyed())));
    let screen = journey.screen();
    assert!(screen.contains("given a new key") && !screen.contains("GitHub"), "{screen}");
    assert!(journey.keys(PASSWORD).keys("<enter>").screen().contains("GitHub"));
    // A change goes to its save first, which keeps it for later.
    let mut journey = Journey::unlocked(&accounts());
    journey.save_fails = Some(|| FileError::DiskFull("/home/ada/vault.otpv".into()));
    let mut journey = journey.keys("f");
    let (generation, saves) = (journey.model.generation, journey.saves);
    journey.save_fails = Some(|| FileError::Rekeyed("/home/ada/vault.otpv".into()));
    journey.event(Event::Reread(generation, Err(rekeyed())));
    assert_eq!(journey.saves, saves + 1);
    assert!(journey.screen().contains("given a new key"), "{}", journey.screen());
    // Who was leaving leaves.
    let mut journey = Journey::unlocked(&accounts());
    let generation = journey.model.generation;
    journey.model.session_mut().unwrap().saving.running = true;
    let mut journey = journey.keys("q");
    journey.event(Event::Saved(generation, Err(rekeyed())));
    assert!(journey.quit);
}

#[test]
fn a_wrong_password_says_so_and_asks_again() {
    let journey = locked().keys("wrong password<enter>");
    let screen = journey.screen();
    assert!(screen.contains("The password is wrong"), "{screen}");
    assert!(journey.keys(PASSWORD).keys("<enter>").screen().contains("GitHub"));
}

#[test]
fn what_is_typed_while_the_file_is_read_again_is_not_lost() {
    let mut journey = locked();
    let reading = || Stage::Locked(Box::new(otpanel::app::model::Lock::new(None)));
    journey.model.stage = reading();
    let mut journey = journey.keys(PASSWORD).keys("<enter>");
    started(&mut journey);
    assert!(journey.screen().contains("GitHub"), "Enter counts once there is something to open");

    let mut journey = locked();
    journey.model.stage = reading();
    let mut journey = journey.keys("<ctrl-r>");
    let asked = |journey: &Journey| matches!(&journey.model.stage, Stage::Locked(lock) if lock.recovery);
    assert!(asked(&journey), "{}", journey.screen());
    started(&mut journey);
    assert!(!asked(&journey), "this vault has no recovery key");
}

#[test]
fn an_answer_to_a_cancelled_try_is_dropped() {
    let mut journey = locked();
    let attempt = journey.model.generation;
    let vault = journey.file.as_ref().unwrap().duplicate();
    journey.event(Event::Unlocked(attempt + 7, Ok(Box::new(vault))));
    assert!(matches!(journey.model.stage, Stage::Locked(_)));
}

#[test]
fn the_lock_key_drops_the_session_and_clears_the_clipboard() {
    let journey = Journey::unlocked(&accounts()).keys("<enter>");
    assert!(journey.clipboard.is_some());
    let journey = journey.keys("L");
    assert!(matches!(journey.model.stage, Stage::Locked(_)));
    assert_eq!(journey.clipboard, None);
}

#[test]
fn five_idle_minutes_lock_and_a_key_press_begins_them_anew() {
    let journey = Journey::unlocked(&accounts()).seconds(299).keys("j").seconds(299);
    assert!(matches!(journey.model.stage, Stage::Open(_)));
    assert!(matches!(journey.seconds(1).model.stage, Stage::Locked(_)));
}

#[test]
fn a_clock_that_is_set_back_neither_locks_nor_unlocks() {
    let mut journey = Journey::unlocked(&accounts());
    journey.event(Event::Tick(otpanel::time::UnixTime::from_secs(1_000_000)));
    assert!(matches!(journey.model.stage, Stage::Open(_)));
    assert!(matches!(journey.seconds(300).model.stage, Stage::Locked(_)));
}

/// A panel whose change the full disk did not take, locked.
fn locked_unsaved(history_fails: bool) -> Journey {
    let mut journey = Journey::unlocked(&accounts());
    journey.save_fails = Some(|| FileError::DiskFull("/x".into()));
    journey.history_fails = history_fails;
    let journey = journey.keys("/glab<esc>f").keys("L");
    assert!(matches!(journey.model.stage, Stage::Locked(_)), "{}", journey.screen());
    let words = journey.words();
    assert!(words.contains("comes back when you unlock") && !words.contains("GitHub"), "{words}");
    journey
}

fn favourites(journey: &Journey) -> usize {
    journey.file.as_ref().unwrap().state.live().filter(|entry| entry.favourite()).count()
}

#[test]
fn a_change_that_could_not_be_saved_is_kept_sealed_by_locking_and_comes_back() {
    for history_fails in [false, true] {
        let mut journey = locked_unsaved(history_fails);
        journey.save_fails = None;
        let journey = journey.keys(PASSWORD).keys("<enter>");
        assert!(matches!(journey.model.stage, Stage::Open(_)));
        assert_eq!(favourites(&journey), 2, "{}", journey.screen());
    }
}

#[test]
fn nothing_is_shown_or_copied_until_a_change_that_could_not_be_saved_is_kept() {
    let mut journey = Journey::unlocked(&accounts());
    journey.save_fails = Some(|| FileError::DiskFull("/x".into()));
    let mut journey = journey.keys("/glab<esc>f");
    // The disk takes its time: what is to be kept is not answered yet.
    let effects = update(&mut journey.model, Event::LockNow);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::KeepAside(..))));
    let journey = journey.keys("hrcq<enter>");
    assert!(matches!(journey.model.stage, Stage::Open(_)) && !journey.quit);
    assert_eq!(journey.clipboard, None);
    assert!(journey.screen().contains("••• •••"), "{}", journey.screen());
}

#[test]
fn what_memory_alone_keeps_opens_where_the_file_does_not_and_is_not_left_unasked() {
    let mut journey = locked_unsaved(true);
    let asked = journey.keys("<ctrl-c>");
    assert!(!asked.quit && asked.words().contains("is lost when you leave"), "{}", asked.words());
    assert!(asked.keys("<ctrl-c>").quit);
    journey = locked_unsaved(true);
    journey.event(Event::Looked(Err(FileError::NotAFile("/x".into()))));
    let journey = journey.keys(PASSWORD).keys("<enter>");
    assert_eq!(journey.session().state().live().filter(|entry| entry.favourite()).count(), 2);
}

#[test]
fn a_new_user_gets_from_nothing_to_an_empty_list() {
    let mut journey = Journey::fresh(Config::default());
    started(&mut journey);
    assert!(journey.screen().contains("Nothing is written before you choose."));
    let journey = journey.keys("n");
    assert!(journey.screen().contains("Keychain and password"));
    let journey = journey.keys("<enter>short<enter>");
    assert!(journey.screen().contains("at least 8 characters"));
    let mut journey = journey.keys("er than it was<enter>other<enter>");
    assert!(journey.screen().contains("not the same"), "{}", journey.screen());
    journey = journey.keys("shorter than it was<enter>");
    assert!(matches!(journey.kept.as_slice(), [Effect::Create(..)]));
    let key = "otpanel1 qqqq wwww eeee rrrr tttt yyyy uuuu";
    let made = (Box::new(vault(&[])), otpanel::secret::Secret::new(key.to_owned()));
    journey.event(Event::Created(Ok(made)));
    assert!(journey.screen().contains("eeee"));
    // The vault's id begins with 9: of eight groups the fourth is asked for.
    let journey = journey.keys("<enter>");
    assert!(journey.screen().contains("comes after wwww."), "{}", journey.screen());
    let wrong = journey.keys("zzzz<enter>");
    assert!(wrong.screen().contains("That is not it"));
    let journey = wrong.keys("eeee<enter>");
    assert!(journey.screen().contains("No accounts yet."), "{}", journey.screen());
}

#[test]
fn the_recovery_key_is_shown_whole_or_not_at_all() {
    let key = "otpanel1 aaaa cccc dddd eeee ffff gggg hhhh jjjj kk";
    for (width, height) in
        [(200, 50), (80, 24), (60, 15), (40, 10), (30, 8), (30, 5), (20, 6), (20, 3), (10, 12), (2, 2)]
    {
        let mut journey = Journey::fresh(Config::default()).size(width, height);
        started(&mut journey);
        journey = journey.keys("n<enter>long enough<enter>long enough<enter>");
        let made = (Box::new(vault(&[])), otpanel::secret::Secret::new(key.to_owned()));
        journey.event(Event::Created(Ok(made)));
        let screen = journey.screen();
        let shown = key.split(' ').filter(|group| screen.contains(group)).count();
        assert!(shown == 10 || shown == 0, "{shown} of 10 groups at {width}x{height}:\n{screen}");
        assert!(shown == 10 || height < 5 || width < 20, "{width}x{height}:\n{screen}");
    }
}

#[test]
fn without_a_keychain_the_password_is_chosen_and_the_reason_is_said() {
    let mut journey = Journey::fresh(Config::default());
    journey.probe = Probe::NoBus;
    started(&mut journey);
    let journey = journey.keys("n");
    let screen = journey.screen();
    assert!(screen.contains("▌ Password alone"), "{screen}");
    assert!(screen.contains("No session bus"), "{screen}");
}

#[test]
fn a_damaged_vault_says_what_to_do_and_looks_again_on_request() {
    let mut journey = Journey::fresh(Config::default());
    journey.event(Event::Looked(Err(FileError::NotAVault("/home/ada/vault.otpv".into()))));
    assert!(matches!(journey.model.stage, Stage::Broken(_)));
    assert!(journey.screen().contains("look again"));
    journey.file = Some(vault(&accounts()));
    assert!(matches!(journey.keys("r").model.stage, Stage::Locked(_)));
}

/// A change whose save is under way, and another behind it.
fn two_changes(end: &str) -> (Journey, Vec<Effect>) {
    let mut journey = Journey::unlocked(&accounts());
    let mut effects = Vec::new();
    for c in format!("fjf{end}").chars() {
        let key =
            crossterm::event::KeyEvent::new(crossterm::event::KeyCode::Char(c), crossterm::event::KeyModifiers::NONE);
        effects.extend(otpanel::app::update(&mut journey.model, Event::Key(key)));
    }
    (journey, effects)
}

fn count(effects: &[Effect], right: impl Fn(&Effect) -> bool) -> usize {
    effects.iter().filter(|effect| right(effect)).count()
}

/// Answers the one save among the effects; gives what follows.
fn answer_save(journey: &mut Journey, effects: Vec<Effect>) -> Vec<Effect> {
    let saves: Vec<_> = effects.into_iter().filter(|effect| matches!(effect, Effect::Save(..))).collect();
    assert_eq!(saves.len(), 1);
    let Some(Effect::Save(generation, vault, _)) = saves.into_iter().next() else { panic!("a save") };
    otpanel::app::update(&mut journey.model, Event::Saved(generation, Ok(vault)))
}

#[test]
fn locking_waits_for_what_is_being_saved_with_the_codes_hidden() {
    let (mut journey, effects) = two_changes("L");
    assert!(matches!(journey.model.stage, Stage::Open(_)) && journey.session().hidden);
    let effects = answer_save(&mut journey, effects);
    assert!(matches!(journey.model.stage, Stage::Open(_)), "the second change is not saved yet");
    let effects = answer_save(&mut journey, effects);
    assert!(matches!(journey.model.stage, Stage::Locked(_)));
    assert_eq!(count(&effects, |e| matches!(e, Effect::Look)), 1);
}

#[test]
fn leaving_waits_for_what_is_being_saved_and_asks_where_that_fails() {
    let quits = |effects: &[Effect]| count(effects, |e| matches!(e, Effect::Quit));
    let (mut journey, effects) = two_changes("q");
    assert_eq!(quits(&effects), 0);
    let effects = answer_save(&mut journey, effects);
    assert_eq!(quits(&effects), 0);
    let effects = answer_save(&mut journey, effects);
    assert_eq!(quits(&effects), 1);

    let (mut journey, _) = two_changes("q");
    let failed = Event::Saved(journey.model.generation, Err(FileError::DiskFull("/home/ada/vault.otpv".into())));
    journey.event(failed);
    assert!(!journey.quit);
    assert!(journey.screen().contains("leave, keep it in the history"), "{}", journey.screen());
}

#[test]
fn a_save_that_hangs_keeps_nobody_for_ever() {
    let (journey, _) = two_changes("L");
    let journey = journey.seconds(9);
    assert!(matches!(journey.model.stage, Stage::Open(_)));
    let journey = journey.seconds(1);
    assert!(matches!(journey.model.stage, Stage::Locked(_)));
    assert_eq!(journey.saves, 1, "its thread has the second change, too");

    let (journey, effects) = two_changes("qq");
    assert_eq!(count(&effects, |e| matches!(e, Effect::Save(..))), 2);
    assert_eq!(count(&effects, |e| matches!(e, Effect::Quit)), 1);
    drop(journey);
}

#[test]
fn told_to_end_it_saves_first_what_is_in_memory_only() {
    let (mut journey, _) = two_changes("");
    journey.event(Event::EndNow);
    assert!(journey.quit);
    let favourites = |vault: &otpanel::vault::envelope::Unlocked| {
        vault.state.live().filter(|e| e.favourite()).map(|e| e.issuer().to_owned()).collect::<Vec<_>>()
    };
    let (stored, shown) = (favourites(journey.file.as_ref().unwrap()), favourites(&journey.session().vault));
    assert_eq!(stored, shown);
    assert_eq!(stored, ["Amazon Web Services"], "marked first; the second was one and is none any more");
}

#[test]
fn a_vault_that_changed_while_it_was_opened_is_read_again() {
    let mut journey = locked().keys(PASSWORD);
    let enter = crossterm::event::KeyEvent::new(crossterm::event::KeyCode::Enter, crossterm::event::KeyModifiers::NONE);
    let mut effects = otpanel::app::update(&mut journey.model, Event::Key(enter));
    let Some(Effect::Unlock(attempt, old, _)) = effects.pop() else { panic!("it is tried") };
    let opened = otpanel::unlock::with_password(&old, &otpanel::secret::Secret::new(PASSWORD.into())).unwrap();
    // Another file lies there before the answer comes, and another once it is open.
    journey.file = Some(vault(&accounts()[..3]));
    started(&mut journey);
    let effects = otpanel::app::update(&mut journey.model, Event::Unlocked(attempt, Ok(Box::new(opened))));
    assert_eq!(count(&effects, |e| matches!(e, Effect::Reread(..))), 1);
    journey.file = Some(vault(&accounts()[..2]));
    started(&mut journey);
    assert_eq!(journey.session().rows.all.len(), 8, "the answer joins what both hold");
    assert_eq!(journey.saves, 1, "and brings back what the file lacks");
}

#[test]
fn a_kept_key_is_asked_for_at_the_start_and_dropped_by_the_lock() {
    let mut config = Config::default();
    config.unlock.remember = "15m".parse().unwrap();
    let mut journey = Journey::fresh(config);
    journey.file = Some(vault(&accounts()));
    started(&mut journey);
    let Some(Effect::Unlock(attempt, _, With::Start { remembered: true, keychain: false })) = journey.kept.pop() else {
        panic!("it is asked for")
    };
    journey.event(Event::Unlocked(attempt, Err(UnlockError::NotRemembered)));
    let screen = journey.screen();
    assert!(screen.contains("otpanel is locked") && !screen.contains("No key is kept"), "{screen}");

    let mut journey = journey.keys(PASSWORD).keys("<enter>");
    let id = journey.file.as_ref().unwrap().vault_id();
    let kept = journey.kept.pop();
    assert!(matches!(kept, Some(Effect::KeepKey(vault, _, time)) if vault == id && time.as_secs() == 900));
    journey.event(Event::NotRemembered(String::from("this kernel has no keyring")));
    assert!(journey.screen().contains("the key is not remembered: this kernel has no keyring"));
    let mut journey = journey.keys("L");
    assert!(matches!(journey.kept.pop(), Some(Effect::ForgetKey(vault)) if vault == id));
    assert!(journey.screen().contains("otpanel is locked"));
}
