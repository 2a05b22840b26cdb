//! A panel on a machine that an organisation manages; accounts of which the name alone came back.

use std::sync::Arc;

use otpanel::backup::standing::{Standing, Status};
use otpanel::config::Config;
use otpanel::otp::uri;
use otpanel::policy::{self, Policy};
use otpanel::secret::Secret;
use otpanel::vault::{Core, Entry, EntryId, Life};

use crate::harness::{BEGIN, DEVICE, Journey, accounts};

pub const CONTOSO: &str =
    "(identity: (name: \"Contoso\"), export: Forbidden, max_idle_lock_secs: 120, max_clipboard_secs: 15)";
const LINK: &str = "otpauth://totp/Fastmail:ada?secret=JBSWY3DPEHPK3PXZ&issuer=Fastmail";

fn policy(text: &str) -> Policy {
    policy::parse(text, "ada").expect("a right policy")
}

fn under(text: &str, mut journey: Journey) -> Journey {
    journey.model.govern(policy(text));
    journey
}

/// Five personal accounts, and GitLab, the VPN and Steam of Contoso's.
pub fn mixed(text: &str) -> Journey {
    let mut journey = Journey::unlocked(&accounts());
    let session = journey.model.session_mut().unwrap();
    let managed = ["GitLab", "Contoso VPN", "Steam"];
    let ids: Vec<EntryId> = session.state().live().filter(|e| managed.contains(&e.issuer())).map(|e| e.id).collect();
    for (n, id) in ids.into_iter().enumerate() {
        let stamp = session.stamp(BEGIN, DEVICE);
        session.state_mut().move_to(id, EntryId([100 + n as u8; 16]), "managed/Contoso", stamp);
    }
    session.refresh();
    journey.file = Some(journey.session().vault.duplicate());
    under(text, journey)
}

/// The same, and what is known of GitLab is its name alone.
fn name_only() -> Journey {
    let mut journey = mixed(CONTOSO);
    let session = journey.model.session_mut().unwrap();
    let id = session.state().live().find(|e| e.issuer() == "GitLab").unwrap().id;
    let body = session.state_mut().entries.get_mut(&id).unwrap().body.as_mut().unwrap();
    body.core = Arc::new(Core {
        kind: String::from("totp"),
        secret: Secret::new(String::new()),
        pin: None,
        identity: String::from("managed/Contoso"),
    });
    session.refresh();
    journey.file = Some(journey.session().vault.duplicate());
    journey
}

fn identity(journey: &Journey, issuer: &str) -> Vec<String> {
    let live = journey.session().state().live();
    live.filter(|e| e.issuer() == issuer).map(|e| e.identity().to_owned()).collect()
}

#[test]
fn accounts_of_both_are_marked_and_have_a_tab_each() {
    insta::assert_snapshot!("managed_80x24", mixed(CONTOSO).styled());
    insta::assert_snapshot!("managed_40x10", mixed(CONTOSO).size(40, 10).styled());
    insta::assert_snapshot!("managed_30x5", mixed(CONTOSO).size(30, 5).styled());
    insta::assert_snapshot!("managed_120x40", mixed(CONTOSO).size(120, 40).styled());
    let journey = mixed(CONTOSO).keys("<tab><tab>");
    assert!(journey.screen().contains("personal 5") && !journey.screen().contains("Steam"), "{}", journey.screen());
    let journey = journey.keys("<tab>");
    assert!(journey.screen().contains("Steam") && !journey.screen().contains("GitHub"), "{}", journey.screen());
    assert!(!Journey::unlocked(&accounts()).screen().contains('◆'));
}

#[test]
fn signs_are_plain_where_that_is_asked_for() {
    let mut journey = mixed(CONTOSO);
    journey.model.config.glyphs = otpanel::config::Glyphs::Ascii;
    let screen = journey.screen();
    assert!(screen.contains("@ Contoso 3") && !screen.contains('◆'), "{screen}");
}

#[test]
fn a_new_account_belongs_to_the_organisation_unless_the_form_says_personal() {
    let journey = under(CONTOSO, Journey::unlocked(&[])).paste(LINK);
    assert!(journey.screen().contains("belongs to Contoso"), "{}", journey.screen());
    insta::assert_snapshot!("managed_form_80x24", journey.styled());
    let journey = journey.keys("<enter>");
    assert_eq!(identity(&journey, "Fastmail"), ["managed/Contoso"]);
    assert!(journey.screen().contains("it belongs to Contoso"), "{}", journey.screen());
    let journey = under(CONTOSO, Journey::unlocked(&[])).paste(LINK);
    let journey = journey.keys(&"<tab>".repeat(7)).keys(" <enter>");
    assert_eq!(identity(&journey, "Fastmail"), ["personal"]);
    // A link pasted after the choice does not undo it.
    let journey = under(CONTOSO, Journey::unlocked(&[])).keys("a").keys(&"<tab>".repeat(7)).keys(" ").paste(LINK);
    assert_eq!(identity(&journey.keys("<enter>"), "Fastmail"), ["personal"]);
}

#[test]
fn without_a_policy_and_where_personal_ones_are_forbidden_there_is_no_choice() {
    let journey = Journey::unlocked(&[]).paste(LINK);
    assert!(!journey.screen().contains("belongs to"));
    assert_eq!(identity(&journey.keys("<enter>"), "Fastmail"), ["personal"]);
    let strict = "(identity: (name: \"Contoso\"), personal: Forbidden)";
    let journey = under(strict, Journey::unlocked(&[])).paste(LINK);
    assert!(!journey.screen().contains("belongs to"));
    assert_eq!(identity(&journey.keys("<enter>"), "Fastmail"), ["managed/Contoso"]);
}

#[test]
fn an_import_says_whose_the_accounts_will_be_and_lets_it_be_chosen() {
    let text = "otpauth://totp/A:a?secret=MFRGGZDF&issuer=A\notpauth://totp/B:b?secret=MFRGGZDG&issuer=B";
    let journey = under(CONTOSO, Journey::unlocked(&[])).paste(text);
    assert!(journey.screen().contains("→ for Contoso"), "{}", journey.screen());
    insta::assert_snapshot!("managed_import_80x24", journey.styled());
    let journey = journey.keys("o");
    assert!(journey.screen().contains("→ personal"), "{}", journey.screen());
    let journey = journey.keys("<enter>");
    assert_eq!(identity(&journey, "A"), ["personal"]);
    let journey = under(CONTOSO, Journey::unlocked(&[])).paste(text).keys("<enter>");
    assert_eq!(identity(&journey, "B"), ["managed/Contoso"]);
}

#[test]
fn the_secret_of_an_organisations_account_is_not_shown_but_kept_through_an_edit() {
    let journey = mixed(CONTOSO).keys("/glab<esc>e");
    let screen = journey.screen();
    assert!(screen.contains("Contoso does not allow it to be shown") && !screen.contains("MFRGG"), "{screen}");
    // Not by the key that shows secrets, and not in the line itself.
    let journey = journey.keys("<ctrl-r><tab><tab>");
    assert!(!journey.screen().contains("MFRGG"), "{}", journey.screen());
    let journey = journey.keys("<up><up><ctrl-u>Forge<enter>");
    assert_eq!(identity(&journey, "Forge"), ["managed/Contoso"]);
    let entry = journey.session().state().live().find(|e| e.issuer() == "Forge").unwrap();
    assert_eq!(entry.seed().unwrap().expose(), accounts()[2].seed.expose());
    assert_eq!(journey.session().state().trashed().count(), 0, "the secret did not change");
    // A personal one is shown as ever, and so is Contoso's where it allows that.
    assert!(mixed(CONTOSO).keys("/octo<esc>e<tab><tab><ctrl-r>").screen().contains("JBSWY3DPEHPK3PXP"));
    let open = "(identity: (name: \"Contoso\"))";
    assert!(mixed(open).keys("/glab<esc>e<tab><tab><ctrl-r>").screen().contains("MFRGGZDFMZTWQ2LK"));
}

#[test]
fn a_qr_code_of_an_organisations_account_is_refused_in_words() {
    let journey = mixed(CONTOSO).keys("/glab<esc>Q");
    assert!(journey.screen().contains("Contoso does not allow"), "{}", journey.screen());
    assert!(journey.session().modal.is_none());
    assert!(mixed(CONTOSO).keys("/octo<esc>Q").session().modal.is_some());
}

#[test]
fn no_key_carries_an_account_across() {
    let all = |journey: &Journey| {
        let mut all: Vec<(String, String)> =
            journey.session().state().live().map(|e| (e.issuer().to_owned(), e.identity().to_owned())).collect();
        all.sort();
        all
    };
    let journey = mixed(CONTOSO);
    let before = all(&journey);
    // Another secret and back, the trash and back, marks and their undoing.
    let journey = journey.keys("/glab<esc>e<tab><tab>GEZDGNBV<enter>");
    assert_eq!(identity(&journey, "GitLab"), ["managed/Contoso"], "a new secret stays with its owner");
    let journey = journey.keys("u");
    assert_eq!(all(&journey), before);
    let journey = journey.keys("/glab<esc>d<enter>u").keys("/glab<esc>d<enter>H<enter><esc>").keys("fu");
    assert_eq!(all(&journey), before);
    let journey = journey.keys("/octo<esc>e<tab><tab><ctrl-u>GEZDGNBW<enter>");
    assert!(identity(&journey, "GitHub").iter().all(|identity| identity == "personal"));
    assert_eq!(all(&journey), before);
}

#[test]
fn limits_hold_for_a_config_that_changes_too() {
    use otpanel::app::event::Event;
    let mut journey = mixed(CONTOSO);
    assert_eq!((journey.model.config.idle_lock_secs, journey.model.config.clipboard.clear_secs), (120, 15));
    let never = Config { idle_lock_secs: 0, ..Config::default() };
    journey.event(Event::Config(Ok(Box::new(never))));
    assert_eq!((journey.model.config.idle_lock_secs, journey.model.config.clipboard.clear_secs), (120, 15));
    let journey = journey.seconds(121);
    assert!(journey.model.session().is_none(), "locked");
}

#[test]
fn an_account_of_which_the_name_alone_came_back_says_so_and_takes_a_new_secret() {
    let journey = name_only().keys("/glab<esc>");
    insta::assert_snapshot!("enrol_80x24", journey.styled());
    insta::assert_snapshot!("enrol_120x40", journey.size(120, 40).styled());
    let old = name_only().session().state().live().find(|e| e.is_name_only()).unwrap().id;
    let journey = name_only().keys("/glab<esc><enter>");
    let screen = journey.screen();
    assert!(screen.contains("Enrol an account again") && screen.contains("GitLab"), "{screen}");
    insta::assert_snapshot!("enrol_form_80x24", journey.styled());
    let journey = journey.keys("GEZDGNBVGY3TQOJQ<enter>");
    assert_eq!(identity(&journey, "GitLab"), ["managed/Contoso"]);
    assert!(journey.screen().contains("is enrolled again"), "{}", journey.screen());
    let state = journey.session().state();
    assert_eq!(state.get(&old).unwrap().life, Life::Purged);
    assert!(!state.live().any(Entry::is_name_only));
    let new = state.live().find(|e| e.issuer() == "GitLab").unwrap();
    assert_eq!(new.tags().collect::<Vec<_>>(), ["work"]);
    assert_eq!(journey.file.as_ref().unwrap().state.get(&old).unwrap().life, Life::Purged, "and it is saved");
}

#[test]
fn a_link_pasted_into_the_enrolling_form_gives_the_secret_and_leaves_the_names() {
    let journey =
        name_only().keys("/glab<esc>e").paste("otpauth://totp/Forge:new?secret=GEZDGNBV&issuer=Forge&digits=8");
    let journey = journey.keys("<enter>");
    let entry = journey.session().state().live().find(|e| e.issuer() == "GitLab").unwrap();
    assert_eq!((entry.name(), entry.digits().unwrap().get()), ("ada", 8));
    assert_eq!(entry.seed().unwrap().expose(), uri::parse("otpauth://totp/x?secret=GEZDGNBV").unwrap().seed.expose());
}

#[test]
fn what_was_kept_for_the_opening_is_said_when_the_vault_opens() {
    let mut journey = Journey::fresh(Config::default());
    journey.file = Some(crate::harness::vault(&accounts()));
    journey.model.at_opening =
        Some((otpanel::app::model::Tone::Warn, String::from("The policy of this machine is ignored: who knows")));
    let sealed = journey.file.as_ref().unwrap().seal([5; 32]).unwrap();
    let locked = otpanel::vault::Locked::parse(sealed).unwrap();
    journey.event(otpanel::app::event::Event::Looked(Ok(Some(Arc::new(locked)))));
    let journey = journey.keys(crate::harness::PASSWORD).keys("<enter>");
    assert!(journey.screen().contains("The policy of this machine is ignored"), "{}", journey.screen());
}

/// A panel in which the organisation's accounts and the user's own are kept, each for itself, as the last two say.
fn kept_apart(policy: &str, managed: Standing, own: Standing) -> Journey {
    use crate::backup::{answer, keychain, news};
    let mut journey = mixed(policy);
    let brief = |standing| if standing == Standing::On { "" } else { "not yet backed up" };
    let mut theirs = Status { accounts: 3, ..keychain(managed, brief(managed)) };
    theirs.to.identity = String::from("managed/Contoso");
    let mut mine = Status { accounts: 5, ..keychain(own, brief(own)) };
    if own != Standing::On {
        mine.last = None;
    }
    let mut news = news(vec![theirs, mine]);
    for (seen, whose) in news.devices.iter_mut().flatten().zip(["managed/Contoso", "personal"]) {
        (seen.this, seen.device.label, seen.identity) = (true, String::from("vm"), String::from(whose));
    }
    answer(&mut journey, news);
    journey
}

#[test]
fn the_header_counts_the_accounts_of_all_owners_and_tells_of_those_that_are_not_kept() {
    let header = |journey: Journey| journey.screen().lines().next().unwrap().to_owned();
    let both = header(kept_apart(CONTOSO, Standing::On, Standing::On));
    assert!(both.ends_with("✓ 8 backed up just now · this computer"), "{both}");
    let one = header(kept_apart(CONTOSO, Standing::On, Standing::Unavailable));
    assert!(one.ends_with("! not backed up: not yet backed up"), "{one}");
}

#[test]
fn the_backup_screen_says_whose_each_device_is_and_what_the_policy_requires() {
    let strict = "(identity: (name: \"Contoso\"), backup: Required)";
    let screen = kept_apart(strict, Standing::On, Standing::On).size(100, 40).keys("b").screen();
    assert!(screen.contains("policy        Contoso requires it"), "{screen}");
    let devices: Vec<&str> = screen.lines().filter(|line| line.contains("vm (this one)")).collect();
    assert!(devices[0].contains("  Contoso  ") && devices[1].contains("  personal  "), "{screen}");
    let keys = screen.lines().last().unwrap();
    assert!(!keys.contains("turn off"), "{keys}");
    let allowed = kept_apart(CONTOSO, Standing::On, Standing::On).keys("b").screen();
    assert!(allowed.contains("Contoso allows it") && allowed.contains("d turn off"), "{allowed}");
    assert!(!crate::backup::kept().keys("b").screen().contains("policy"));
}

#[test]
fn the_first_start_says_who_manages_the_machine() {
    let journey = under(CONTOSO, Journey::fresh(Config::default()));
    let mut journey = journey;
    journey.event(otpanel::app::event::Event::Looked(Ok(None)));
    assert!(journey.screen().contains("Contoso manages this machine. No vault yet."), "{}", journey.screen());
}

#[test]
fn a_secret_that_may_not_be_shown_has_no_key_for_it_until_another_is_typed() {
    let keys = |journey: &Journey| journey.screen().lines().last().unwrap().to_owned();
    let journey = mixed(CONTOSO).keys("/glab<esc>e");
    assert!(!keys(&journey).contains("show secret"), "{}", keys(&journey));
    let journey = journey.keys("<tab><tab>GEZDGNBV");
    assert!(keys(&journey).contains("^R show secret"), "{}", keys(&journey));
}

/// The policy's file changed while the panel is open.
fn changes_to(text: &str, mut journey: Journey) -> Journey {
    use otpanel::app::event::Event;
    journey.event(Event::Policy(Ok((Box::new(policy(text)), Some(Box::new(Config::default()))))));
    journey
}

#[test]
fn a_policy_that_changes_is_obeyed_at_once_and_said() {
    let journey = changes_to(CONTOSO, Journey::unlocked(&accounts()));
    let says = "Contoso manages this machine now: new accounts belong to it";
    assert!(journey.screen().contains(says), "{}", journey.screen());
    assert_eq!(journey.model.config.idle_lock_secs, 120);
    let journey = journey.paste(LINK).keys("<enter>");
    assert_eq!(identity(&journey, "Fastmail"), ["managed/Contoso"]);
    let journey = journey.keys("/fastm<esc>Q");
    assert!(journey.screen().contains("Contoso does not allow"), "{}", journey.screen());
    // What a limit held back holds again, and another name is said like the first.
    let journey = changes_to("(identity: (name: \"Fabrikam\"))", journey.keys("<esc>"));
    assert!(journey.screen().contains("Fabrikam manages this machine now"), "{}", journey.screen());
    assert_eq!(journey.model.config.idle_lock_secs, Config::default().idle_lock_secs);
    let journey = changes_to("(identity: (name: \"Fabrikam\"), max_clipboard_secs: 9)", journey);
    assert!(journey.screen().contains("the policy of this machine changed"), "{}", journey.screen());
    assert_eq!(journey.model.config.clipboard.clear_secs, 9);
    let journey = changes_to("()", journey);
    assert!(journey.screen().contains("Fabrikam does not manage this machine any more"), "{}", journey.screen());
}

#[test]
fn a_policy_that_became_unreadable_takes_nothing_back() {
    let mut journey = mixed(CONTOSO);
    journey.event(otpanel::app::event::Event::Policy(Err("The policy of this machine is ignored".into())));
    assert!(journey.screen().contains("what held before holds on"), "{}", journey.screen());
    let journey = journey.keys("/glab<esc>Q");
    assert!(journey.screen().contains("Contoso does not allow"), "{}", journey.screen());
}
