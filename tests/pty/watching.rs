//! What changes outside shows inside: the vault in every way in which files change, and the config.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::home::{Home, PASSWORD, link, secret};
use crate::panel::{LIMIT, Panel};

/// Waits until this stands on the screen, though nobody touches the panel: no regular look would bring it. How soon it comes is
/// measured where nothing else runs (`alone`).
#[track_caller]
fn told(panel: &Panel, text: &str) {
    let took = panel.see_within(LIMIT, text);
    println!("{text} after {} ms", took.as_millis());
}

#[test]
fn a_vault_that_is_replaced_shows_at_once() {
    let home = Home::with_vault();
    let panel = Panel::opened(&home, &[]);
    let bytes = home.vault_with(&link("Hetzner", "K0815", &secret('D')));
    fs::write(home.path("new"), bytes).unwrap();
    fs::rename(home.path("new"), home.vault()).unwrap();
    told(&panel, "K0815");
    panel.see("Hetzner");
    // And again: the watch is not deaf after a rename.
    let bytes = home.vault_with(&link("Mastodon", "@ada", &secret('E')));
    fs::write(home.path("new"), bytes).unwrap();
    fs::rename(home.path("new"), home.vault()).unwrap();
    told(&panel, "@ada");
    panel.quit();
}

#[test]
fn a_vault_that_is_truncated_and_written_shows_at_once() {
    let home = Home::with_vault();
    let panel = Panel::opened(&home, &[]);
    let bytes = home.vault_with(&link("Hetzner", "K0815", &secret('D')));
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut file = fs::File::create(home.vault()).unwrap();
    std::io::Write::write_all(&mut file, first).unwrap();
    std::thread::sleep(Duration::from_millis(250));
    std::io::Write::write_all(&mut file, second).unwrap();
    drop(file);
    told(&panel, "K0815");
    assert!(!panel.screen().contains("damaged"), "{}", panel.screen());
    panel.quit();
}

#[test]
fn a_symlink_that_points_elsewhere_shows_at_once_and_so_does_a_change_behind_it() {
    let home = Home::with_vault();
    fs::create_dir_all(home.path("a")).unwrap();
    fs::create_dir_all(home.path("b")).unwrap();
    fs::write(home.path("b/vault.otpv"), home.vault_with(&link("Hetzner", "K0815", &secret('D')))).unwrap();
    fs::rename(home.vault(), home.path("a/vault.otpv")).unwrap();
    symlink(home.path("a/vault.otpv"), home.vault()).unwrap();
    let panel = Panel::opened(&home, &[]);
    symlink(home.path("b/vault.otpv"), home.path("link")).unwrap();
    fs::rename(home.path("link"), home.vault()).unwrap();
    told(&panel, "K0815");
    let bytes = home.vault_with(&link("Mastodon", "@ada", &secret('E')));
    fs::write(home.path("b/new"), bytes).unwrap();
    fs::rename(home.path("b/new"), home.path("b/vault.otpv")).unwrap();
    told(&panel, "@ada");
    assert!(home.vault().is_symlink());
    panel.quit();
}

#[test]
fn what_another_otpanel_saves_shows_at_once_and_so_back() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    let mut other = Panel::opened(&home, &[]);
    home.import(&[&link("Hetzner", "K0815", &secret('D'))]);
    told(&panel, "K0815");
    panel.see("from elsewhere: Hetzner");
    told(&other, "K0815");
    // Both panels edit; nobody's change is lost.
    panel.press("f");
    other.press("G").press("f");
    for panel in [&panel, &other] {
        panel.wait(LIMIT, "two favourites", |screen| screen.contains("★ 2"));
    }
    panel.quit();
    other.quit();
}

#[test]
fn a_locked_panel_opens_what_lies_there_by_then() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    panel.press("L");
    panel.see("otpanel is locked");
    home.import(&[&link("Hetzner", "K0815", &secret('D'))]);
    panel.press(crate::home::PASSWORD).press("\r");
    panel.see("K0815");
    panel.quit();
}

#[test]
fn a_vault_that_vanishes_is_told_and_taken_up_when_it_is_back() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    let bytes = home.vault_with(&link("Hetzner", "K0815", &secret('D')));
    fs::remove_file(home.vault()).unwrap();
    panel.see("file has vanished");
    panel.see("GitHub");
    fs::write(home.vault(), &bytes).unwrap();
    told(&panel, "K0815");
    // Locked, it cannot be opened without its file.
    panel.press("L");
    panel.see("otpanel is locked");
    fs::remove_file(home.vault()).unwrap();
    panel.see("The vault is gone");
    fs::write(home.vault(), &bytes).unwrap();
    panel.see("otpanel is locked");
    panel.press(crate::home::PASSWORD).press("\r");
    panel.see("K0815");
    panel.quit();
}

#[test]
fn a_vault_that_another_made_during_the_first_start_is_never_overwritten() {
    let home = Home::with_vault();
    let bytes = fs::read(home.vault()).unwrap();
    fs::remove_file(home.vault()).unwrap();
    let mut panel = Panel::start(&home);
    panel.see("No vault yet.");
    panel.press("n");
    panel.see("▌ Password alone");
    panel.press("\r");
    panel.see("A password for the vault");
    fs::write(home.vault(), &bytes).unwrap();
    panel.press("something else").press("\r");
    panel.see("again");
    panel.press("something else").press("\r");
    panel.see("otpanel is locked");
    assert_eq!(fs::read(home.vault()).unwrap(), bytes);
    panel.press(crate::home::PASSWORD).press("\r");
    panel.see("GitHub");
    panel.quit();
}

#[test]
fn a_vault_that_appears_during_the_first_start_is_opened() {
    let home = Home::with_vault();
    let kept = home.path("kept");
    fs::rename(home.vault(), &kept).unwrap();
    let panel = Panel::start(&home);
    panel.see("No vault yet.");
    fs::rename(&kept, home.vault()).unwrap();
    panel.see("otpanel is locked");
}

#[test]
fn changed_settings_are_in_force_at_once_and_a_mistake_names_its_place() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    let colours = |panel: &Panel| {
        panel.look(|screen| {
            let (rows, cols) = (screen.size().0.get(), screen.size().1.get());
            let cells = (0..rows).flat_map(|y| (0..cols).map(move |x| (y, x)));
            // What colour a blank has cannot be seen.
            let coloured = |c: &vt100::Cell| c.contents().trim() != "" && c.fgcolor() != vt100::Color::Default;
            cells.filter(|(y, x)| screen.cell(*y, *x).is_some_and(coloured)).count()
        })
    };
    assert!(colours(&panel) > 0);
    home.settings("theme: \"mono\", keys: { \"lock\": [\"X\"] }");
    told(&panel, "the changed settings are in force");
    panel.wait(LIMIT, "no colour", |_| colours(&panel) == 0);

    home.write(".config/otpanel/config.ron", "(\n  kdf: (target_ms: 50),\n  idle_lock_secs: \"soon\",\n)");
    told(&panel, "`idle_lock_secs` cannot be `\"soon\"`: line 3, column ");
    // Put right as editors do it, by a new file in place of the old.
    home.write("new.ron", "(kdf: (target_ms: 50), keys: { \"lock\": [\"X\"] }, glyphs: Ascii)");
    fs::rename(home.path("new.ron"), home.path(".config/otpanel/config.ron")).unwrap();
    told(&panel, ">GitHub");
    home.write(".config/otpanel/config.ron", "(no_such_setting: 1)");
    told(&panel, "no_such_setting");
    // The last good ones stay in force: X locks, L does not.
    panel.press("L");
    panel.press("X");
    panel.see("otpanel is locked");
    panel.press("\x03");
    panel.given_back();
}

#[test]
fn a_config_that_is_made_later_is_in_force_at_once() {
    let home = Home::with_vault();
    fs::remove_dir_all(home.path(".config")).unwrap();
    let panel = Panel::opened(&home, &[]);
    panel.see("▌GitHub");
    fs::create_dir_all(home.path(".config/otpanel")).unwrap();
    home.settings("glyphs: Ascii");
    told(&panel, ">GitHub");
    panel.quit();
}

#[test]
fn a_new_key_that_another_otpanel_gives_locks_the_panel_until_the_password_is_typed_again() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    home.run(&["vault", "rekey", "--yes", "--recovery-key-file", "second"], "");
    told(&panel, "given a new key");
    panel.see_no("GitHub");
    panel.press(crate::home::PASSWORD).press("\r");
    panel.see("GitHub");
    panel.press("f");
    panel.wait(LIMIT, "a favourite", |screen| screen.contains("★ 1"));
    panel.quit();
}

#[test]
fn a_file_of_before_a_new_key_is_taken_in_by_the_open_panel_and_goes_again() {
    let home = Home::with_vault();
    let before = home.vault_with(&link("Hetzner", "K0815", &secret('D')));
    home.run(&["vault", "rekey", "--yes", "--recovery-key-file", "second"], "");
    let panel = Panel::opened(&home, &[]);
    fs::write(home.vault(), &before).unwrap();
    told(&panel, "K0815");
    panel.see("before its new key");
    let deadline = std::time::Instant::now() + LIMIT;
    let opens = || {
        let now = fs::read(home.vault()).unwrap();
        otpanel::vault::Locked::parse(now).is_ok_and(|now| {
            let slots = otpanel::vault::Locked::parse(before.clone()).unwrap();
            now.slots().iter().any(|slot| slots.slots().contains(slot))
        })
    };
    while opens() {
        assert!(std::time::Instant::now() < deadline, "the old key is still in the vault's place");
        std::thread::sleep(Duration::from_millis(20));
    }
    panel.quit();
}

#[test]
fn a_policy_that_changes_is_obeyed_by_an_open_panel() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::with_vault();
    let (folder, file) = (home.path("etc"), home.path("etc/policy.ron"));
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let put = |text: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    };
    let mut panel = Panel::start_with(&home, &[], &[("OTPANEL_TEST_POLICY", file.as_os_str())]);
    panel.see("password");
    panel.press(PASSWORD).press("\r");
    panel.see("octo@example.com");
    put("Policy(identity: (name: \"Contoso\"))");
    panel.see("Contoso manages this machine now");
    panel.paste(&link("Hetzner", "K0815", &secret('D')));
    panel.see("belongs to Contoso");
    panel.press("\x1b");
    put("Policy(identity: oh no");
    panel.see("what held before holds on");
    fs::remove_file(&file).unwrap();
    panel.see("Contoso does not manage this machine any more");
    panel.quit();
}
