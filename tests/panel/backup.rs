//! The backup in the panel: when rounds are made, what the header and the screen say, turning off, restoring.

use std::path::PathBuf;
use std::sync::Arc;

use otpanel::app::backup::{News, Seen, Task};
use otpanel::app::event::{Effect, Event};
use otpanel::app::model::Tone;
use otpanel::backup::here::Verified;
use otpanel::backup::item::{Keys, Kid};
use otpanel::backup::place::{Destination, Store};
use otpanel::backup::restore::{Offer, Restored};
use otpanel::backup::round::Device;
use otpanel::backup::standing::{Standing, Status};
use otpanel::config::Config;
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::vault::{DataKey, DeviceId, State, Unlocked, Value, VaultId, field};

use crate::harness::{BEGIN, DEVICE, Journey, PASSWORD, accounts, vault};

/// How the keychain stands in a news.
pub fn keychain(standing: Standing, brief: &'static str) -> Status {
    Status {
        to: Destination {
            identity: "personal".into(),
            store: Store::KEYCHAIN,
            on: standing != Standing::Off,
            names_only: false,
        },
        standing,
        accounts: 8,
        pending: if standing == Standing::On { 0 } else { 3 },
        last: Some(BEGIN),
        brief,
        reason: (!brief.is_empty()).then(|| format!("Because: {brief}.")),
        went_back: Vec::new(),
    }
}

fn device(n: u8, label: &str, age_secs: u64) -> Seen {
    let time = UnixTime(BEGIN.0 - age_secs * 1000);
    let device = Device { id: DeviceId([n; 8]), label: label.into(), accounts: 8, time };
    Seen { device, store: "keychain", identity: "personal".into(), this: DeviceId([n; 8]) == DEVICE }
}

pub fn news(standing: Vec<Status>) -> News {
    let failed = standing.iter().any(|status| status.standing == Standing::Waiting);
    let devices = Some(vec![device(7, "ada-laptop", 0), device(8, "old-desktop", 40 * 86_400)]);
    News { standing, devices, failed, ..News::default() }
}

pub fn answer(journey: &mut Journey, news: News) {
    let generation = journey.model.generation;
    journey.event(Event::BackedUp(generation, Box::new(news)));
}

/// All is kept, by this device and an old one.
pub fn news_of_two() -> News {
    news(vec![keychain(Standing::On, "")])
}

/// A panel whose so many accounts lie in the keychain, and in a folder.
pub fn kept_in(journey: &mut Journey, accounts: usize, folder: Option<&str>) {
    let keychain = Status { accounts, ..keychain(Standing::On, "") };
    let mut all = vec![keychain.clone()];
    if let Some(folder) = folder {
        let to = Destination { store: Store::Folder(folder.into()), ..keychain.to.clone() };
        all.push(Status { to, ..keychain });
    }
    let mut news = news(all);
    news.devices.iter_mut().flatten().for_each(|seen| seen.device.accounts = accounts);
    answer(journey, news);
}

/// The tasks that were sent off since the last look.
pub fn tasks(journey: &mut Journey) -> Vec<Task> {
    let mut tasks = Vec::new();
    for effect in std::mem::take(&mut journey.kept) {
        if let Effect::Backup(_, _, task) = effect {
            tasks.push(task);
        }
    }
    tasks
}

/// A panel that was opened by its password, the first round due.
fn opened() -> Journey {
    let mut journey = Journey::fresh(Config::default());
    journey.file = Some(vault(&accounts()));
    let bytes = journey.file.as_ref().unwrap().seal([5; 32]).unwrap();
    let locked = otpanel::vault::envelope::Locked::parse(bytes).unwrap();
    journey.event(Event::Looked(Ok(Some(Arc::new(locked)))));
    journey.keys(PASSWORD).keys("<enter>")
}

/// The same after its first round was good.
pub fn kept() -> Journey {
    let mut journey = opened().seconds(2);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: true }]));
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    journey
}

#[test]
fn a_round_follows_the_opening_and_every_save_but_not_at_once_and_not_twice() {
    let mut journey = opened();
    assert!(tasks(&mut journey).is_empty(), "the first frame goes first");
    let mut journey = journey.seconds(1);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: true }]));
    // While it runs no other begins, whatever is saved.
    let mut journey = journey.keys("f").seconds(20);
    assert!(tasks(&mut journey).is_empty());
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    let mut journey = journey.seconds(1);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: false }]), "what was saved meanwhile");
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    // A burst of edits is one round, five seconds after the last.
    let mut journey = journey.keys("f").seconds(1).keys("f").seconds(1).keys("f").seconds(2);
    assert!(tasks(&mut journey).is_empty());
    let mut journey = journey.seconds(2);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: false }]));
}

#[test]
fn without_changes_it_looks_every_five_minutes_and_reads_everything_once_a_day() {
    let mut journey = kept().seconds(290);
    journey.model.config.idle_lock_secs = 0;
    assert!(tasks(&mut journey).is_empty());
    let mut rounds = [0, 0];
    for _ in 0..(25 * 12) {
        journey = journey.seconds(1);
        journey.event(Event::Tick(journey.model.now.plus_secs(301)));
        for task in tasks(&mut journey) {
            if let Task::Round { whole } = task {
                rounds[usize::from(whole)] += 1;
                answer(&mut journey, news(vec![keychain(Standing::On, "")]));
            }
        }
    }
    assert_eq!(rounds[1], 1, "{rounds:?}");
    assert!((280..=300).contains(&rounds[0]), "{rounds:?}");
}

#[test]
fn a_failed_round_is_told_and_tried_again_later_and_later() {
    let mut journey = kept().keys("f").seconds(6);
    journey.model.config.idle_lock_secs = 0;
    assert_eq!(tasks(&mut journey).len(), 1);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        answer(&mut journey, news(vec![keychain(Standing::Waiting, "keychain locked")]));
        assert!(journey.screen().contains("! 3 waiting: keychain locked"), "{}", journey.screen());
        let before = journey.model.now;
        while tasks(&mut journey).is_empty() {
            journey = journey.seconds(1);
        }
        pauses.push(journey.model.now.secs_since(before));
    }
    assert_eq!(pauses, [60, 120, 240, 480, 600, 600]);
}

#[test]
fn a_look_in_between_is_not_the_round_that_reads_everything() {
    let mut journey = opened().keys("b");
    assert!(matches!(tasks(&mut journey)[..], [Task::Look]));
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    let mut journey = journey.seconds(1);
    assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: true }]));
}

#[test]
fn what_a_look_at_every_item_found_stays_until_the_next_wish() {
    let mut journey = kept().keys("b");
    journey.model.config.idle_lock_secs = 0;
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    let mut journey = journey.keys("v");
    let found =
        Verified { items: 3, accounts: 8, lacking: 0, unread: Vec::new(), devices: Vec::new(), went_back: Vec::new() };
    answer(&mut journey, News { verified: vec![("keychain", found)], ..news(vec![keychain(Standing::On, "")]) });
    let words = "all 3 items opened, 8 accounts can be restored";
    assert!(journey.screen().contains(words), "{}", journey.screen());
    let mut journey = journey.seconds(301);
    assert!(matches!(tasks(&mut journey)[..], [Task::Look, Task::Verify, Task::Round { .. }]));
    answer(&mut journey, news(vec![keychain(Standing::On, "")]));
    assert!(journey.screen().contains(words), "{}", journey.screen());
    assert!(!journey.keys("n").screen().contains(words));
}

#[test]
fn a_fault_of_its_own_is_told_and_does_not_end_the_rounds() {
    let mut journey = kept().keys("f").seconds(6);
    assert_eq!(tasks(&mut journey).len(), 1);
    let said = Some((Tone::Error, "not backed up: a mistake in otpanel itself".into()));
    answer(&mut journey, News { said, failed: true, ..News::default() });
    assert!(journey.screen().contains("a mistake in otpanel itself"), "{}", journey.screen());
    assert!(!journey.screen().contains("✓ 8 backed up"), "{}", journey.screen());
    let mut journey = journey.seconds(60);
    assert_eq!(tasks(&mut journey).len(), 1);
}

#[test]
fn what_is_not_backed_up_yet_is_flushed_before_locking_and_leaving() {
    for key in ["L", "q"] {
        let mut journey = kept().keys("f");
        tasks(&mut journey);
        let mut journey = journey.keys(key);
        assert!(matches!(tasks(&mut journey)[..], [Task::Round { whole: false }]), "{key}");
        let mut journey = kept().keys(key);
        assert!(tasks(&mut journey).is_empty(), "nothing changed: {key}");
    }
}

#[test]
fn an_answer_of_before_the_lock_is_dropped() {
    let journey = kept();
    let generation = journey.model.generation;
    let mut journey = journey.keys("L").keys(PASSWORD).keys("<enter>");
    let mut late = news(vec![keychain(Standing::Waiting, "keychain locked")]);
    late.vault = Some(Box::new(vault(&accounts()[..1])));
    late.said = Some((Tone::Error, "late".into()));
    journey.event(Event::BackedUp(generation, Box::new(late)));
    assert!(!journey.screen().contains("late") && !journey.screen().contains("waiting"), "{}", journey.screen());
}

#[test]
fn accounts_of_other_devices_come_in_with_a_round() {
    let mut journey = Journey::unlocked(&accounts()[..2]);
    let mut found = news(vec![keychain(Standing::On, "")]);
    found.vault = Some(Box::new(vault(&accounts()[..3])));
    answer(&mut journey, found);
    assert!(journey.screen().contains("GitLab"), "{}", journey.screen());
    assert!(journey.screen().contains("from elsewhere: GitLab (ada) added"), "{}", journey.screen());
}

#[test]
fn the_header_says_how_it_stands() {
    let mut folder = keychain(Standing::On, "");
    folder.to.store = Store::Folder(PathBuf::from("/home/ada/Sync"));
    let mut none = keychain(Standing::Unavailable, "no keychain");
    none.last = None;
    let mut first = keychain(Standing::Waiting, "backup starts with the first account");
    (first.last, first.pending) = (None, 0);
    let failing = keychain(Standing::Waiting, "the last try failed");
    for (standing, says, short) in [
        (vec![keychain(Standing::On, "")], "✓ 8 backed up just now · this computer", "✓ just now"),
        (vec![keychain(Standing::Waiting, "keychain locked")], "! 3 waiting: keychain locked", "! 3 waiting"),
        (vec![none.clone()], "! not backed up: no keychain", "! no backup"),
        (vec![keychain(Standing::Off, "off")], "backup off", "backup off"),
        (vec![folder.clone(), none], "✓ 8 backed up just now · folder", "✓ just now"),
        // What was good once and is not any more is never hidden behind what is.
        (vec![folder, failing], "! 3 waiting: the last try failed", "! 3 waiting"),
    ] {
        let mut journey = Journey::unlocked(&accounts());
        answer(&mut journey, news(standing));
        let wide = journey.screen();
        let header = wide.lines().next().unwrap();
        assert!(header.ends_with(says), "{header}");
        let narrow = journey.size(40, 10).screen();
        let header = narrow.lines().next().unwrap();
        assert!(header.contains(short), "{header}");
    }
    let mut journey = Journey::unlocked(&[]);
    answer(&mut journey, news(vec![first.clone()]));
    assert!(journey.screen().lines().next().unwrap().ends_with("backup starts with the first account"));
    // Once there are accounts it is at it, or will be in two seconds.
    let mut journey = Journey::unlocked(&accounts());
    answer(&mut journey, News { failed: false, ..news(vec![first]) });
    let journey = journey.keys("f");
    assert!(journey.screen().lines().next().unwrap().ends_with(" backing up"), "{}", journey.screen());
    let mut journey = kept();
    kept_in(&mut journey, 8, Some("/home/ada/Sync"));
    let screen = journey.screen();
    assert!(screen.lines().next().unwrap().ends_with("✓ 8 backed up just now · this computer, folder"), "{screen}");
    let mut journey = kept().seconds(240);
    assert!(journey.screen().contains("8 backed up 4 min ago"), "{}", journey.screen());
    journey.event(Event::Tick(journey.model.now));
    let journey = journey.keys("f");
    assert!(journey.screen().lines().next().unwrap().ends_with("backing up a change"), "{}", journey.screen());
}

#[test]
fn a_place_that_is_away_is_looked_for_every_minute_and_one_that_fails_ever_less() {
    for (away, pauses) in [(true, &[60, 60, 60, 60][..]), (false, &[60, 120])] {
        let mut journey = kept();
        for &pause in pauses {
            let status = keychain(Standing::Unavailable, "no keychain");
            answer(&mut journey, News { failed: true, away, ..news(vec![status]) });
            journey = journey.seconds(pause - 1);
            assert!(tasks(&mut journey).is_empty(), "{away} {pause}");
            journey = journey.seconds(1);
            assert!(matches!(tasks(&mut journey)[..], [Task::Round { .. }]), "{away} {pause}");
        }
    }
}

#[test]
fn what_cannot_be_looked_at_now_but_lacks_nothing_waits_for_nothing() {
    let mut journey = kept();
    let status = Status { pending: 0, ..keychain(Standing::Waiting, "keychain locked") };
    answer(&mut journey, news(vec![status]));
    let words = journey.keys("b").words();
    assert!(words.contains("8 accounts, just now") && words.contains("Because: keychain locked."), "{words}");
    assert!(!words.contains("0 waiting"), "{words}");
}

#[test]
fn the_question_for_a_folder_has_its_keys_in_the_last_line() {
    let last = |journey: &Journey| journey.screen().lines().last().unwrap_or_default().to_owned();
    let journey = kept().keys("bf");
    assert_eq!(last(&journey).trim(), "↵ keep it there   ⇥ complete   esc back");
    let journey = journey.keys("<esc>");
    assert!(last(&journey).contains("f folder"), "{}", last(&journey));
}

#[test]
fn a_long_word_on_the_backup_screen_takes_a_second_row_where_the_page_leaves_one() {
    let mut journey = kept().keys("b");
    let why = "not verified: the keychain did not answer in time. It is tried again with the next change, in a minute at most.";
    let generation = journey.model.generation;
    let said = Some((Tone::Error, why.to_owned()));
    journey.event(Event::BackedUp(generation, Box::new(News { said, ..News::default() })));
    assert!(journey.words().contains("in a minute at most."), "{}", journey.screen());
}

#[test]
fn the_backup_screen_looks_like_this() {
    let journey = kept().keys("b");
    insta::assert_snapshot!("backup_80x24", journey.styled());
    for (width, height) in [(30, 5), (40, 10), (120, 40), (200, 50)] {
        let journey = kept().keys("b").size(width, height);
        insta::assert_snapshot!(format!("backup_{width}x{height}"), journey.styled());
    }
    let mut journey = Journey::unlocked(&accounts()).keys("b");
    let mut none = keychain(Standing::Unavailable, "no keychain");
    none.last = None;
    none.reason = Some("No session bus is running here, so no keychain can be reached. Or choose a folder.".into());
    answer(&mut journey, news(vec![none]));
    insta::assert_snapshot!("backup_unavailable_80x24", journey.styled());
}

#[test]
fn its_keys_ask_before_anything_is_deleted() {
    let mut journey = kept().keys("bd");
    tasks(&mut journey);
    assert!(journey.screen().contains("Turn the backup off"), "{}", journey.screen());
    let mut journey = journey.keys("<esc>");
    assert!(tasks(&mut journey).is_empty() && journey.screen().contains("kept in"));
    let mut journey = journey.keys("dk");
    assert!(matches!(tasks(&mut journey)[..], [Task::Disable { wipe: false }]));
    let mut journey = journey.keys("dw");
    assert!(matches!(tasks(&mut journey)[..], [Task::Disable { wipe: true }]));
    // This device is not forgotten, another after a yes.
    let mut journey = journey.keys("x");
    assert!(tasks(&mut journey).is_empty());
    let mut journey = journey.keys("<down>x");
    assert!(journey.screen().contains("Delete what old-desktop has stored"), "{}", journey.screen());
    assert!(tasks(&mut journey).is_empty());
    let mut journey = journey.keys("<enter>");
    assert!(matches!(tasks(&mut journey)[..], [Task::Forget(id)] if id == DeviceId([8; 8])));
}

#[test]
fn a_folder_is_asked_for_by_its_whole_path() {
    let mut journey = kept().keys("bfSync<enter>");
    tasks(&mut journey);
    assert!(journey.screen().contains("the whole path, please"), "{}", journey.screen());
    let journey = journey.keys("<esc>f");
    let mut journey = journey.paste("'/home/ada/My Sync'").keys("<enter>");
    assert!(matches!(&tasks(&mut journey)[..], [Task::Enable(Some(path))] if path.as_os_str() == "/home/ada/My Sync"));
}

#[test]
fn turned_off_by_the_config_the_keys_say_where() {
    let mut config = Config::default();
    config.backup.enabled = false;
    let mut journey = Journey::with(config, &accounts()).keys("b");
    answer(&mut journey, news(vec![keychain(Standing::Off, "off")]));
    tasks(&mut journey);
    let mut journey = journey.keys("d");
    assert!(journey.screen().contains("the config says"), "{}", journey.screen());
    assert!(tasks(&mut journey).is_empty());
}

#[test]
fn sample_accounts_are_never_backed_up() {
    let mut journey = Journey::unlocked(&accounts());
    journey.model.demo = true;
    let mut journey = journey.keys("f").seconds(600).keys("b").keys("q");
    assert!(tasks(&mut journey).is_empty());
}

fn under_a_key(vault: &Unlocked) -> Vec<(Kid, State)> {
    vec![(Kid([1; 8]), (*vault.state).clone())]
}

/// A backup of the eight accounts, opened, or sealed as of one device.
fn offer(opened: bool) -> Offer {
    let source = vault(&accounts());
    let restored = || Restored {
        identity: "personal".into(),
        data: DataKey::new(Secret::new([3; 32])),
        retired: Vec::new(),
        slots: source.slots().to_vec(),
        by_way: false,
        keys: Keys::new(),
        records: under_a_key(&source),
        devices: vec![device(8, "ada-laptop", 720).device],
        unread: 0,
    };
    let (opened, sealed) = if opened { (vec![restored()], 0) } else { (Vec::new(), 1) };
    Offer { vault: VaultId([9; 16]), opened, sealed, devices: 1 }
}

/// A first start that finds a backup.
pub fn first_start(opened: bool) -> Journey {
    let mut journey = Journey::fresh(Config::default());
    journey.backups = vec![offer(opened)];
    journey.event(Event::Looked(Ok(None)));
    journey
}

#[test]
fn a_new_machine_is_offered_what_lies_in_its_keychain_and_one_key_leads_to_it() {
    let journey = first_start(true);
    insta::assert_snapshot!("offered_80x24", journey.styled());
    assert!(journey.file.is_none(), "nothing is written before the choice");
    let journey = journey.keys("<enter>");
    insta::assert_snapshot!("restore_preview_80x24", journey.styled());
    let journey = journey.size(80, 7);
    assert!(journey.screen().lines().nth(1).unwrap().contains("   ↓ "), "{}", journey.screen());
    let journey = journey.size(80, 24);
    let mut journey = journey.keys("<enter>");
    let Some(Effect::MakeAgain(offer, None)) = journey.kept.pop() else { panic!("nothing was made") };
    let made = offer.vault_again(BEGIN, DEVICE).unwrap();
    journey.file = Some(made.duplicate());
    journey.event(Event::MadeAgain(Ok(Box::new(made))));
    assert!(journey.screen().contains("octo@example.com"), "{}", journey.screen());
    assert!(journey.screen().contains("8 accounts are here again"), "{}", journey.screen());
}

#[test]
fn a_sealed_backup_asks_for_its_key_and_says_when_it_is_wrong() {
    let mut journey = first_start(false).keys("r");
    assert!(journey.screen().contains("recovery key:"), "{}", journey.screen());
    journey.backups = vec![offer(false)];
    let mut journey = journey.keys("wrong<enter>");
    assert!(journey.screen().contains("that is not its password or recovery key"), "{}", journey.screen());
    assert!(!journey.screen().contains("wrong<"));
    journey.backups = vec![offer(true)];
    let journey = journey.keys("right<enter>");
    assert!(journey.screen().contains("8 accounts from ada-laptop, 12 min ago"), "{}", journey.screen());
}

#[test]
fn a_locked_keychain_is_asked_on_a_key_only() {
    let mut journey = Journey::fresh(Config::default());
    journey.probe = otpanel::keychain::Probe::Locked;
    journey.event(Event::Looked(Ok(None)));
    assert!(journey.screen().contains("r  Unlock the keychain and look for a backup"), "{}", journey.screen());
    journey.backups = vec![offer(true)];
    assert!(journey.keys("r").screen().contains("8 accounts from ada-laptop, 12 min ago"));
}

#[test]
fn a_folder_without_a_backup_says_so_and_keeps_what_was_typed() {
    let mut journey = Journey::fresh(Config::default());
    journey.event(Event::Looked(Ok(None)));
    let journey = journey.keys("r/mnt/stick<enter>");
    assert!(journey.screen().contains("no backup of otpanel lies there"), "{}", journey.screen());
    assert!(journey.screen().contains("/mnt/stick"), "{}", journey.screen());
    assert!(journey.keys("<esc>").screen().contains("No vault yet."));
}

#[test]
fn in_an_open_vault_a_restore_joins_and_can_be_taken_back() {
    let mut journey = Journey::unlocked(&accounts()[..5]);
    journey.backups = vec![offer(true)];
    let journey = journey.keys("br");
    assert!(journey.screen().contains("3 new, 5 already here"), "{}", journey.screen());
    let journey = journey.keys("<enter>");
    assert_eq!(journey.session().state().live().count(), 8);
    assert_eq!(journey.file.as_ref().unwrap().state.live().count(), 8);
    assert!(journey.screen().contains("restored from the backup: 3 more"), "{}", journey.screen());
    let mut journey = journey.keys("u");
    assert_eq!(journey.session().state().live().count(), 5);
    // What the user deleted stays deleted.
    journey.backups = vec![offer(true)];
    let journey = journey.keys("br<enter>");
    assert_eq!(journey.session().state().live().count(), 5, "{}", journey.screen());
}

#[test]
fn of_several_vaults_backups_the_open_ones_comes_first_and_tab_shows_the_next() {
    let mut journey = Journey::unlocked(&accounts()[..5]);
    let own = journey.session().vault.vault_id();
    let (mut mine, mut other) = (offer(true), offer(true));
    mine.vault = own;
    other.vault = VaultId([7; 16]);
    other.opened[0].devices[0].label = "old-tower".into();
    journey.backups = vec![other, mine];
    let journey = journey.keys("br");
    let screen = journey.screen();
    assert!(
        screen.contains("from ada-laptop") && screen.contains("Another vault's backup lies there: Tab shows it."),
        "{screen}"
    );
    let journey = journey.keys("<tab>");
    assert!(journey.screen().contains("from old-tower"), "{}", journey.screen());
    let journey = journey.keys("<tab>");
    assert!(journey.screen().contains("from ada-laptop"), "{}", journey.screen());
}

#[test]
fn a_restore_shows_what_changes_what_stays_and_what_goes() {
    // The same vault on two devices since the first five accounts.
    let there = {
        let mut there = vault(&accounts()[..6]);
        let state = Arc::make_mut(&mut there.state);
        let all: Vec<_> = state.live().map(|entry| (entry.issuer().to_owned(), entry.id)).collect();
        let id = |issuer: &str| all.iter().find(|(name, _)| name == issuer).expect("one").1;
        let later = UnixTime(BEGIN.0 + 60_000);
        let stamp = state.next_stamp(later, DeviceId([8; 8]));
        state.set(id("GitLab"), field::ISSUER, Value::Text("Forge".into()), stamp);
        state.purge(id("Contoso VPN"));
        there
    };
    let mut journey = Journey::unlocked(&accounts()[..5]);
    let mut offer = offer(true);
    offer.opened[0].records = under_a_key(&there);
    journey.backups = vec![offer];
    let journey = journey.keys("br");
    let screen = journey.screen();
    assert!(screen.contains("1 new, 1 newer there, 1 deleted elsewhere, 3 already here"), "{screen}");
    assert!(screen.contains("≠ GitLab (ada)  issuer GitLab → Forge"), "{screen}");
    assert!(screen.contains("deleted on another device: deleted here too"), "{screen}");
    insta::assert_snapshot!("restore_differs_80x24", journey.styled());
    insta::assert_snapshot!("restore_differs_40x10", journey.size(40, 10).styled());
}

#[test]
fn what_a_restore_would_find_older_or_deleted_here_stays_as_it_is() {
    let mut journey =
        Journey::unlocked(&accounts()[..3]).keys("/glab<esc>e<ctrl-u>Forge<enter>").keys("/octo<esc>d<enter>");
    let mut offer = offer(true);
    offer.opened[0].records = under_a_key(&vault(&accounts()[..3]));
    journey.backups = vec![offer];
    let journey = journey.keys("br");
    let screen = journey.screen();
    assert!(screen.contains("0 new, 3 already here; newer here stays"), "{screen}");
    assert!(screen.contains("newer here: stays as it is") && screen.contains("deleted here: stays so"), "{screen}");
    let journey = journey.keys("<enter>");
    assert!(journey.screen().contains("Forge"), "{}", journey.screen());
    assert_eq!(journey.session().state().live().count(), 2);
}

#[test]
fn every_line_and_every_device_can_be_reached_on_a_small_screen() {
    for (width, height) in [(30, 5), (40, 10), (80, 24)] {
        let mut journey = Journey::unlocked(&accounts()).size(width, height).keys("b");
        // Before a key is pressed a very small one shows the places alone.
        let mut found = news(vec![keychain(Standing::On, "")]);
        found.devices = Some((0..20).map(|n| device(n, &format!("machine-{n}"), 0)).collect());
        answer(&mut journey, found);
        let mut journey = journey.keys("<down><up>");
        for n in 0..20 {
            assert!(
                journey.screen().contains(&format!("machine-{n} ")),
                "{n} of {width}x{height}: {}",
                journey.screen()
            );
            journey = journey.keys("<down>");
        }
        let journey = journey.keys("<pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn>");
        assert!(journey.screen().contains("your password"), "{}", journey.screen());
        let journey = journey.keys(&"<up>".repeat(60));
        assert!(journey.screen().contains("kept in"), "{}", journey.screen());
    }
}

#[test]
fn a_copy_that_went_back_is_told_on_the_screen() {
    let mut journey = kept().keys("b");
    let back = Status { went_back: vec!["old-desktop".into()], ..keychain(Standing::On, "") };
    answer(&mut journey, news(vec![back]));
    assert!(journey.screen().contains("an older copy of old-desktop was put back"), "{}", journey.screen());
}
