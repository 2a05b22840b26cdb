//! Adding, editing, deleting, undoing, importing; saving and its failures; changes from outside.

use otpanel::app::event::Event;
use otpanel::otp::code_at;
use otpanel::vault::file::FileError;
use otpanel::vault::{Value, field};

use crate::harness::{BEGIN, DEVICE, Journey, accounts};

fn titles(journey: &Journey) -> Vec<String> {
    journey.session().rows.all.iter().map(otpanel::app::rows::Row::title).collect()
}

fn stored(journey: &Journey) -> Vec<String> {
    let mut names: Vec<String> = journey.file.as_ref().unwrap().state.live().map(|e| e.name().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_pasted_link_opens_the_form_and_enter_adds_it() {
    let journey = Journey::unlocked(&[]).paste("otpauth://totp/Fastmail:ada?secret=JBSWY3DPEHPK3PXP&issuer=Fastmail\n");
    let screen = journey.screen();
    assert!(screen.contains("Add an account") && screen.contains("Fastmail"), "{screen}");
    let journey = journey.keys("<enter>");
    assert_eq!(titles(&journey), ["Fastmail (ada)"]);
    assert_eq!(stored(&journey), ["ada"]);
    assert!(journey.screen().contains("Fastmail (ada) added"));
}

#[test]
fn a_pasted_secret_asks_for_a_name_and_previews_its_code() {
    let journey = Journey::unlocked(&[]).paste("jbsw y3dp ehpk 3pxp");
    let account = otpanel::otp::uri::parse("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP").unwrap();
    let code = code_at(&account, BEGIN).unwrap().grouped();
    assert!(journey.screen().contains(code.expose().as_str()), "{}", journey.screen());
    let unnamed = journey.keys("<enter>");
    assert!(unnamed.screen().contains("a name is needed"));
    assert_eq!(titles(&unnamed.keys("npm<enter>")), ["npm"]);
}

#[test]
fn bad_links_say_what_is_wrong_and_add_nothing() {
    for (link, word) in [
        ("otpauth://totp/x?secret=JBSWY3DP&period=0", "period"),
        ("otpauth://totp/x?secret=JBSWY3DP&digits=100", "digits"),
        ("otpauth://totp/x?secret=JBSWY3D1", "place 8"),
        ("otpauth://push/x?secret=JBSWY3DP", "push"),
    ] {
        let journey = Journey::unlocked(&[]).paste(link);
        assert!(journey.screen().contains(word), "{link}: {}", journey.screen());
        assert_eq!(titles(&journey), Vec::<String>::new());
    }
}

#[test]
fn the_form_shows_errors_at_their_fields_and_the_code_as_soon_as_it_can() {
    let journey = Journey::unlocked(&[]).keys("aGitHub<tab>octo<tab>JBSWY3DPEHPK3PX1");
    assert!(journey.screen().contains("a character at place 16"), "{}", journey.screen());
    let journey = journey.keys("<backspace>P<tab><tab><tab><backspace>100<enter>");
    assert!(journey.screen().contains("100 digits: a code has 1 to 10"), "{}", journey.screen());
    let journey = journey.keys("<backspace><backspace><backspace>8<enter>");
    assert_eq!(titles(&journey), ["GitHub (octo)"]);
    assert_eq!(journey.session().state().live().next().unwrap().number(field::DIGITS), Some(8));
}

#[test]
fn adding_what_is_here_already_adds_nothing_and_shows_it() {
    let link = "otpauth://totp/GitHub:octo%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=GitHub";
    let journey = Journey::unlocked(&accounts()).paste(link).keys("<enter>");
    assert_eq!(titles(&journey).len(), 8);
    assert!(journey.screen().contains("not added: GitHub (octo@example.com) is here already"), "{}", journey.screen());
}

#[test]
fn the_same_secret_under_another_name_is_kept_beside_the_first_as_an_import_does() {
    let link = "otpauth://totp/Other:name?secret=JBSWY3DPEHPK3PXP&issuer=Other";
    let journey = Journey::unlocked(&accounts()).paste(link).keys("<enter>");
    assert_eq!(titles(&journey).len(), 9);
    assert!(journey.screen().contains("the same secret is also here as GitHub"), "{}", journey.screen());
}

#[test]
fn several_links_pasted_into_a_field_are_refused_with_the_way_to_import_them() {
    let links =
        "otpauth://totp/Q:a?secret=JBSWY3DPEHPK3PQQ&issuer=Q\notpauth://totp/R:a?secret=JBSWY3DPEHPK3PRR&issuer=R";
    for keys in ["a", "a<tab><tab>"] {
        let journey = Journey::unlocked(&[]).keys(keys).paste(links);
        let screen = journey.screen();
        assert!(screen.contains("several links"), "{screen}");
        assert!(!screen.contains("JBSW"), "{screen}");
        assert_eq!(titles(&journey.keys("<enter>")), Vec::<String>::new());
    }
    // Where the terminal made blanks of the breaks; and the next key takes the words away.
    let journey = Journey::unlocked(&[]).keys("a<tab><tab>").paste(&links.replace('\n', " "));
    assert!(journey.screen().contains("several links"), "{}", journey.screen());
    assert!(!journey.keys("<tab>").screen().contains("several links"));
}

#[test]
fn an_account_without_a_name_that_can_be_seen_has_a_stand_in_in_the_list() {
    let nameless = otpanel::otp::uri::parse("otpauth://totp/%E2%80%8B?secret=JBSWY3DPEHPK3PXP").unwrap();
    let journey = Journey::unlocked(&[nameless]);
    assert!(journey.screen().contains("an account without"), "{}", journey.screen());
}

#[test]
fn an_edit_changes_the_name_and_can_be_undone() {
    let journey = Journey::unlocked(&accounts()).keys("/glab<esc>e<ctrl-u>Forge<enter>");
    assert!(titles(&journey).contains(&String::from("Forge (ada)")));
    let journey = journey.keys("u");
    assert!(titles(&journey).contains(&String::from("GitLab (ada)")));
}

#[test]
fn a_stored_secret_is_dots_in_every_field_until_it_is_asked_for_and_a_new_one_can_be_read() {
    let mut journey = Journey::unlocked(&accounts()).keys("/glab<esc>e");
    for _ in 0..9 {
        assert!(!journey.screen().contains("MFRGGZDF"), "{}", journey.screen());
        journey = journey.keys("<tab>");
    }
    let journey = journey.keys("<ctrl-r>");
    assert!(journey.screen().contains("MFRGGZDFMZTWQ2LK"), "{}", journey.screen());
    assert!(journey.screen().contains("hide secret"), "{}", journey.screen());
    let journey = journey.keys("<ctrl-r>");
    assert!(!journey.screen().contains("MFRGGZDF"), "{}", journey.screen());
    let journey = Journey::unlocked(&accounts()).keys("a<tab><tab>MFRGGZDF");
    assert!(journey.screen().contains("MFRGGZDF"), "{}", journey.screen());
    assert!(!journey.keys("<tab>").screen().contains("MFRGGZDF"));
}

#[test]
fn an_account_that_was_deleted_elsewhere_while_it_is_edited_comes_back_only_when_asked() {
    let mut journey = Journey::unlocked(&accounts()).keys("/glab<esc>e<ctrl-u>Forge");
    let mut other = journey.file.as_ref().unwrap().duplicate();
    let id = other.state.live().find(|e| e.issuer() == "GitLab").unwrap().id;
    let stamp = other.state.next_stamp(BEGIN, DEVICE);
    std::sync::Arc::make_mut(&mut other.state).trash(id, stamp);
    journey.file = Some(other);
    journey.event(Event::VaultChanged);
    let journey = journey.keys("<enter>");
    assert!(journey.words().contains("deleted elsewhere meanwhile"), "{}", journey.screen());
    assert_eq!(journey.session().state().trashed().count(), 1, "not yet");
    let journey = journey.keys("<enter>");
    assert!(journey.screen().contains("is back from the trash, as edited"), "{}", journey.screen());
    assert!(titles(&journey).contains(&String::from("Forge (ada)")));
}

#[test]
fn an_edit_without_a_change_and_keys_without_an_account_say_so() {
    let journey = Journey::unlocked(&accounts()).keys("e<enter>");
    assert!(journey.screen().contains("is like that already"), "{}", journey.screen());
    for key in ["c", "d", "e", "t", "Q"] {
        let journey = Journey::unlocked(&[]).keys(key);
        assert!(journey.screen().contains("there is no account yet"), "{key}: {}", journey.screen());
    }
}

#[test]
fn what_goes_to_the_trash_elsewhere_is_named_and_a_clock_set_back_keeps_the_seconds_of_a_copy() {
    let mut journey = Journey::unlocked(&accounts());
    let mut other = journey.file.as_ref().unwrap().duplicate();
    let id = other.state.live().find(|e| e.issuer() == "GitLab").unwrap().id;
    let stamp = other.state.next_stamp(BEGIN, DEVICE);
    std::sync::Arc::make_mut(&mut other.state).trash(id, stamp);
    journey.file = Some(other);
    journey.event(Event::VaultChanged);
    assert!(journey.screen().contains("GitLab (ada) moved to the trash"), "{}", journey.screen());
    let mut journey = journey.keys("<enter>");
    let earlier = otpanel::time::UnixTime::from_secs(BEGIN.secs() - 3600);
    journey.event(Event::Tick(earlier));
    let (_, until) = journey.session().copied.expect("copied");
    let most = u64::from(journey.model.config.clipboard.clear_secs);
    assert!(until <= earlier.plus_secs(most));
}

#[test]
fn a_changed_secret_is_a_new_entry_and_the_old_one_goes_to_the_trash() {
    let journey = Journey::unlocked(&accounts()).keys("/glab<esc>e<tab><tab><ctrl-u>GEZDGNBV<enter>");
    assert_eq!(titles(&journey).len(), 8);
    assert_eq!(journey.session().state().trashed().count(), 1);
    let before = code_at(&accounts()[2], BEGIN).unwrap().grouped();
    assert!(!journey.screen().contains(before.expose().as_str()));
    assert!(journey.keys("u").screen().contains(before.expose().as_str()));
}

#[test]
fn deleting_names_the_account_goes_to_the_trash_and_comes_back() {
    let journey = Journey::unlocked(&accounts()).keys("/glab<esc>d");
    assert!(journey.screen().contains("Move GitLab (ada) to the trash?"), "{}", journey.screen());
    let kept = journey.keys("<esc>");
    assert_eq!(titles(&kept).len(), 8);
    let journey = kept.keys("d<enter>");
    assert_eq!(titles(&journey).len(), 7);
    assert!(journey.screen().contains("GitLab (ada) moved to the trash; u brings it back"));
    assert_eq!(titles(&journey.keys("u")).len(), 8);
}

#[test]
fn the_trash_lists_what_was_deleted_and_gives_it_back() {
    let journey = Journey::unlocked(&accounts()).keys("/glab<esc>d<enter>H");
    assert!(journey.screen().contains("GitLab"), "{}", journey.screen());
    let journey = journey.keys("<enter><esc>");
    assert_eq!(titles(&journey).len(), 8);
    assert_eq!(journey.file.as_ref().unwrap().state.live().count(), 8);
}

#[test]
fn several_pasted_links_are_previewed_chosen_and_imported_as_one_step() {
    let text = "otpauth://totp/A:a?secret=MFRGGZDF&issuer=A\notpauth://totp/B:b?secret=MFRGGZDG&issuer=B\n\
                otpauth://totp/GitHub:octo%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=GitHub\notpauth://totp/Bad?secret=0";
    let journey = Journey::unlocked(&accounts()).paste(text);
    let screen = journey.screen();
    assert!(screen.contains("2 to import   1 already here   1 not importable"), "{screen}");
    let journey = journey.keys(" <enter>");
    assert_eq!(titles(&journey).len(), 9);
    assert!(titles(&journey).contains(&String::from("B (b)")));
    assert_eq!(titles(&journey.keys("u")).len(), 8);
}

#[test]
fn a_dropped_file_is_read_and_its_preview_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my list.txt");
    std::fs::write(&path, "otpauth://totp/A:a?secret=MFRGGZDF&issuer=A\n").unwrap();
    let journey = Journey::unlocked(&[]).paste(&format!("'{}'", path.display()));
    assert!(journey.screen().contains("1 to import"), "{}", journey.screen());
    assert_eq!(titles(&journey.keys("<enter>")), ["A (a)"]);
}

#[test]
fn a_sealed_export_that_is_pasted_asks_for_its_password_and_opens_by_it() {
    let text = std::fs::read_to_string("tests/samples/aegis/aegis_v3_encrypted_three_slots.json").unwrap();
    for paste_box in ["", "p", "i"] {
        let journey = Journey::unlocked(&[]).keys(paste_box).paste(&text);
        assert!(journey.screen().contains("the pasted text is encrypted"), "{paste_box}: {}", journey.screen());
        let journey = journey.keys("not this one<enter>");
        assert!(journey.screen().contains("wrong password"), "{}", journey.screen());
        let journey = journey.keys("correct horse ☂<enter>");
        assert!(journey.screen().contains("to import"), "{}", journey.screen());
        assert!(!titles(&journey.keys("<enter>")).is_empty());
    }
    let journey = Journey::unlocked(&[]).paste(&text).keys("<esc>");
    assert!(journey.session().modal.is_none(), "{}", journey.screen());
}

#[test]
fn a_full_disk_keeps_the_change_says_so_retries_and_saves_when_there_is_room() {
    let mut journey = Journey::unlocked(&accounts());
    journey.save_fails = Some(|| FileError::DiskFull("/home/ada/vault.otpv".into()));
    let journey = journey.keys("/glab<esc>f");
    let screen = journey.screen();
    assert!(screen.contains("Not saved") && screen.contains("s save again"), "{screen}");
    let asked = journey.keys("q");
    assert!(!asked.quit);
    assert!(asked.screen().contains("leave, keep it in the history"), "{}", asked.screen());
    let mut journey = asked.keys("<esc>");
    journey.save_fails = None;
    let saves = journey.saves;
    let journey = journey.seconds(31);
    assert_eq!(journey.saves, saves + 1);
    assert!(journey.screen().contains("saved: there is room again"), "{}", journey.screen());
    let favourites = journey.file.as_ref().unwrap().state.live().filter(|e| e.favourite()).count();
    assert_eq!(favourites, 2);
    assert!(journey.keys("q").quit);
}

#[test]
fn what_keeps_a_change_from_being_saved_is_told_as_it_is_by_now() {
    let mut journey = Journey::unlocked(&accounts());
    journey.save_fails = Some(|| FileError::WrongVault("/home/ada/vault.otpv".into()));
    let mut journey = journey.keys("/glab<esc>f");
    assert!(journey.screen().contains("another vault"), "{}", journey.screen());
    let generation = journey.model.generation;
    journey.event(Event::Reread(generation, Err(FileError::NotAFile("/home/ada/vault.otpv".into()))));
    assert!(journey.words().contains("place is taken"), "{}", journey.screen());
}

#[test]
fn a_change_from_outside_shows_and_is_named() {
    let mut journey = Journey::unlocked(&accounts());
    let mut other = journey.file.as_ref().unwrap().duplicate();
    let id = other.state.live().find(|e| e.issuer() == "GitLab").unwrap().id;
    let state = std::sync::Arc::make_mut(&mut other.state);
    let stamp = state.next_stamp(BEGIN.plus_secs(5), DEVICE);
    state.set(id, field::ISSUER, Value::Text("Forge".into()), stamp);
    journey.file = Some(other);
    journey.event(Event::VaultChanged);
    assert!(titles(&journey).contains(&String::from("Forge (ada)")));
    assert!(journey.screen().contains("from elsewhere: Forge (ada) changed"), "{}", journey.screen());
}

#[test]
fn a_file_that_went_back_is_healed() {
    let journey = Journey::unlocked(&accounts());
    let old = journey.file.as_ref().unwrap().duplicate();
    let mut journey = journey.keys("/glab<esc>f");
    journey.file = Some(old);
    let saves = journey.saves;
    journey.event(Event::VaultChanged);
    assert_eq!(journey.saves, saves + 1);
    let favourites = journey.file.as_ref().unwrap().state.live().filter(|e| e.favourite()).count();
    assert_eq!(favourites, 2);
}

#[test]
fn a_picture_in_the_clipboard_opens_the_form_or_the_preview() {
    use otpanel::app::event::{Effect, Event};
    use otpanel::transfer::{self, ImportError, Source};
    let pasted = |text: &str| {
        let mut journey = Journey::unlocked(&accounts()).keys("p<enter>");
        assert!(matches!(journey.kept.pop(), Some(Effect::ReadClipboard)));
        journey.event(Event::ClipboardPicture(transfer::import(Source::new(text.as_bytes())).map(Box::new)));
        journey
    };
    let one = "otpauth://totp/Aardvark:ada?secret=MZTWQ2LKMZTWQ2LK&issuer=Aardvark";
    let journey = pasted(one);
    assert!(journey.screen().contains("Aardvark"), "{}", journey.screen());
    let journey = journey.keys("<enter>");
    assert!(journey.screen().contains("Aardvark"), "{}", journey.screen());
    let journey = pasted(&format!("{one}\n{}", one.replace("ada", "eve").replace("MZTW", "NZTW")));
    assert!(journey.screen().contains("2 to import"), "{}", journey.screen());

    let mut journey = Journey::unlocked(&accounts()).keys("p<enter>");
    let none = ImportError::Refused { format: transfer::Format::Picture, reason: String::from("No QR code is there.") };
    journey.event(Event::ClipboardPicture(Err(none)));
    assert!(journey.words().contains("No QR code is there"), "{}", journey.screen());
    let mut journey = journey.keys("<esc>");
    journey.event(Event::ClipboardPicture(transfer::import(Source::new(one.as_bytes())).map(Box::new)));
    assert!(!journey.screen().contains("Aardvark"), "an answer that comes too late is dropped");
}

#[test]
fn exports_among_the_downloads_are_offered_and_chosen_by_the_arrows() {
    use otpanel::app::event::{Effect, Event};
    use otpanel::app::import::{Origin, Recent};
    let mut journey = Journey::unlocked(&[]);
    journey.answer_imports = false;
    let mut journey = journey.keys("i");
    assert!(matches!(journey.kept.pop(), Some(Effect::Recent)));
    let found = |path: &str, app| Recent { path: path.to_owned(), app };
    journey
        .event(Event::Recent(vec![found("~/Downloads/aegis.json", "Aegis"), found("~/Downloads/2fas.2fas", "2FAS")]));
    let screen = journey.screen();
    assert!(screen.contains("~/Downloads/aegis.json") && screen.contains("2FAS"), "{screen}");
    let journey = journey.keys("x");
    assert!(!journey.screen().contains("aegis.json"), "what is typed comes first");
    let mut journey = journey.keys("<backspace><down><down><up><down><enter>");
    let Some(Effect::Import(_, Origin::File(path), None)) = journey.kept.pop() else { panic!("it is read") };
    assert_eq!(path.to_str(), Some("~/Downloads/2fas.2fas"));
    assert!(journey.screen().contains("reading 2fas.2fas"));
    // The first is selected by itself, as long as nothing is typed.
    let mut journey = journey.keys("<esc><ctrl-u><esc>i");
    journey.event(Event::Recent(vec![found("~/Downloads/aegis.json", "Aegis")]));
    assert!(journey.screen().contains("▌  ~/Downloads/aegis.json"), "{}", journey.screen());
    let mut journey = journey.keys("<enter>");
    let Some(Effect::Import(_, Origin::File(path), None)) = journey.kept.pop() else { panic!("it is read") };
    assert_eq!(path.to_str(), Some("~/Downloads/aegis.json"));
}

#[test]
fn an_answer_to_a_reading_that_was_given_up_is_dropped() {
    use otpanel::app::event::{Effect, Event};
    use otpanel::transfer::{self, Source};
    let read = |link: &str| Ok(Box::new(transfer::import(Source::new(link.as_bytes())).unwrap()));
    let mut journey = Journey::unlocked(&[]);
    journey.answer_imports = false;
    let mut journey = journey.keys("islow<enter>");
    let Some(Effect::Import(slow, ..)) = journey.kept.pop() else { panic!("it is read") };
    journey = journey.seconds(5);
    assert!(journey.screen().contains("reading slow… 5 s"), "{}", journey.screen());
    let mut journey = journey.keys("<esc><ctrl-u>quick<enter>");
    let Some(Effect::Import(quick, ..)) = journey.kept.pop() else { panic!("it is read") };
    journey.event(Event::Imported(slow, read("otpauth://totp/Slow?secret=MZTWQ2LKMZTWQ2LK")));
    assert!(journey.screen().contains("reading quick"), "{}", journey.screen());
    journey.event(Event::Imported(quick, read("otpauth://totp/Quick?secret=NZTWQ2LKMZTWQ2LK")));
    assert!(journey.screen().contains("1 to import") && journey.screen().contains("Quick"), "{}", journey.screen());
    journey.event(Event::Imported(quick, read("otpauth://totp/Slow?secret=MZTWQ2LKMZTWQ2LK")));
    assert!(!journey.screen().contains("Slow"));
}
