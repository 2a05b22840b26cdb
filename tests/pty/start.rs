//! From nothing to codes, and back again at the next start.

use std::fs;

use crate::home::{Home, PASSWORD, SECRET, link, oathtool, secret};
use crate::panel::{LIMIT, Panel};
use crate::support::{installed, memory_costs, wait_until, weaken};

/// The recovery key's groups as they stand on the screen.
fn recovery_key(panel: &Panel) -> Vec<String> {
    let rows = panel.rows();
    let begin = rows.iter().position(|row| row.contains("shown once")).unwrap() + 1;
    let end = rows.iter().position(|row| row.contains("it is written down")).unwrap();
    rows[begin..end].iter().flat_map(|row| row.split_whitespace()).map(str::to_owned).collect()
}

/// Goes through the first start from the choice of a password to the empty list; gives the recovery key.
pub fn make_vault(panel: &mut Panel) -> String {
    panel.see("A password for the vault");
    panel.press(PASSWORD).press("\r");
    panel.see("again");
    panel.press(PASSWORD).press("\r");
    let recovery = written_down(panel);
    panel.see("No accounts yet.");
    recovery
}

/// Goes from a recovery key that is shown through its check; gives the key.
pub fn written_down(panel: &mut Panel) -> String {
    panel.see("shown once");
    let groups = recovery_key(panel);
    assert!(groups.len() > 8 && groups.concat().starts_with("otpanel1"), "{}", panel.screen());
    panel.press("\r");
    panel.see("Type the group that comes after ");
    let row = panel.row("Type the group that comes after ");
    let before = row.trim().trim_end_matches('.').rsplit(' ').next().unwrap().to_owned();
    let after = groups.iter().position(|group| *group == before).map(|at| groups[at + 1].clone()).unwrap();
    panel.press(if after == "qqqq" { "pppp" } else { "qqqq" }).press("\r");
    panel.see("That is not it");
    panel.press(&after).press("\r");
    groups.join(" ")
}

/// Waits until the row of GitHub shows what oathtool says.
#[track_caller]
pub fn codes_are_right(panel: &Panel) {
    if !installed(&["oathtool"]) {
        return;
    }
    let right = || panel.row("GitHub").contains(&oathtool(SECRET));
    assert!(wait_until(LIMIT, right), "{}\n{}", oathtool(SECRET), panel.screen());
}

#[test]
fn a_password_that_is_set_in_the_panel_opens_the_next_one_and_the_old_one_does_not() {
    const NEW: &str = "a quieter horse";
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    panel.press(":password\r");
    panel.see("in the place of the old one");
    panel.press(NEW).press("\r");
    panel.see("again");
    panel.press(NEW).press("\r");
    panel.see("the new password opens the vault from now on");
    assert!(!panel.said(b"quieter"), "it is never shown");
    panel.quit();
    let mut panel = Panel::start(&home);
    panel.see("otpanel is locked");
    panel.press(PASSWORD).press("\r");
    panel.see("The password is wrong");
    panel.press(NEW).press("\r");
    panel.see("GitHub");
    panel.quit();
}

#[test]
fn the_first_start_leads_from_nothing_to_codes_and_the_second_asks_for_the_password() {
    let home = Home::new();
    let mut panel = Panel::start(&home);
    panel.see("No vault yet.");
    assert!(!home.vault().exists(), "nothing is written before the choice");
    panel.press("\r");
    panel.see("▌ Password alone");
    panel.see("not here: no keychain answers");
    panel.press("\r");
    let recovery = make_vault(&mut panel);
    panel.paste(&link("GitHub", "octo@example.com", SECRET));
    panel.see("Add an account");
    panel.press("\r");
    panel.see("octo@example.com");
    codes_are_right(&panel);
    // The folder of the vault was not there when the panel began to watch.
    home.import(&[&link("Hetzner", "K0815", &secret('D'))]);
    panel.see("K0815");
    panel.quit();

    let mut panel = Panel::start(&home);
    panel.see("otpanel is locked");
    assert!(!panel.screen().contains("GitHub"));
    panel.press("not the password").press("\r");
    panel.see("The password is wrong");
    panel.press(PASSWORD);
    assert!(!panel.said(PASSWORD.as_bytes()), "a password is never shown");
    panel.press("\r");
    panel.see("octo@example.com");
    codes_are_right(&panel);
    panel.press("L");
    panel.see("otpanel is locked");
    assert!(!panel.screen().contains("GitHub"));
    panel.press("\x12");
    panel.see("recovery key ");
    panel.press(&recovery).press("\r");
    panel.see("octo@example.com");
    panel.quit();
}

#[test]
fn a_vault_made_by_init_opens_in_the_panel() {
    let home = Home::with_vault();
    let panel = Panel::opened(&home, &[]);
    panel.see("octo@example.com");
    panel.see("GitLab");
    codes_are_right(&panel);
    panel.quit();
}

#[test]
fn what_is_no_terminal_is_told_so() {
    let home = Home::with_vault();
    let out = home.command(crate::home::PROGRAM).output().unwrap();
    assert!(!out.status.success());
    assert!(out.stdout.is_empty());
    assert!(String::from_utf8_lossy(&out.stderr).contains("terminal"), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn what_is_no_vault_is_told_and_looked_at_again_on_request() {
    let home = Home::with_vault();
    let vault = fs::read(home.vault()).unwrap();
    for (what, bytes) in
        [("This file is no vault", &b"not a vault at all, but long enough to be one of them"[..]), ("empty", b"")]
    {
        fs::write(home.vault(), bytes).unwrap();
        let mut panel = Panel::start(&home);
        panel.see("look again");
        panel.see(what);
        assert_eq!(fs::read(home.vault()).unwrap(), bytes, "what is there is left alone");
        fs::write(home.vault(), &vault).unwrap();
        panel.press("r");
        panel.see("otpanel is locked");
        panel.press("\x03");
        panel.given_back();
    }
}

#[test]
fn the_sample_accounts_touch_nothing() {
    let home = Home::new();
    let files = || {
        let all = crate::support::output(home.command("find").arg(home.path("")).args(["-type", "f"]));
        let mut all: Vec<String> = all.lines().map(str::to_owned).collect();
        all.sort();
        all
    };
    let before = files();
    let mut panel = Panel::start_with(&home, &["demo"], &[]);
    panel.see("nothing is kept");
    panel.press("fd");
    panel.see("keep it");
    panel.press("\r");
    panel.see("trash");
    panel.quit();
    // From the first start, too.
    let mut panel = Panel::start(&home);
    panel.see("No vault yet.");
    panel.press("d");
    panel.see("nothing is kept");
    panel.press("fL");
    panel.see("nothing to lock");
    panel.quit();
    assert!(!home.vault().exists());
    let new: Vec<String> = files().into_iter().filter(|file| !before.contains(file)).collect();
    // The panel that might have made a vault knows its device by then.
    assert!(new.iter().all(|file| file.ends_with("local.ron")), "{new:?}");
}

#[test]
fn it_locks_by_itself_after_the_idle_time() {
    let home = Home::with_vault();
    home.settings("idle_lock_secs: 4");
    let panel = Panel::start(&home);
    panel.see("otpanel is locked");
    let mut panel = panel;
    panel.press(PASSWORD).press("\r");
    panel.see("GitHub");
    panel.see("otpanel is locked");
    assert!(!panel.screen().contains("GitHub"));
}

#[test]
fn the_mouse_selects_copies_and_presses_keys_in_the_last_line() {
    let home = Home::with_vault();
    let got = home.path("got");
    home.settings(&format!("clipboard: (method: Command([\"sh\", \"-c\", \"cat > {}\"]))", got.display()));
    let mut panel = Panel::opened(&home, &[]);
    let click = |column: usize, row: usize| format!("\x1b[<0;{};{}M\x1b[<0;{0};{1}m", column + 1, row + 1);
    let place = |panel: &Panel, text: &str| {
        panel.see(text);
        let rows = panel.rows();
        let row = rows.iter().position(|row| row.contains(text)).unwrap();
        (rows[row].split(text).next().unwrap().chars().count(), row)
    };
    let (x, y) = place(&panel, "GitLab");
    panel.press(&click(x, y));
    panel.see("▌GitLab");
    panel.press(&click(x, y)).press(&click(x, y));
    panel.see("copied by your command");
    let (x, y) = place(&panel, "search");
    panel.press(&click(x, y));
    panel.see("2 of 2");
    panel.press("\x1b");
    panel.see_no("2 of 2");
    let (x, y) = place(&panel, "quit");
    panel.press(&click(x, y));
    panel.given_back();
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_is_refused_and_another_charset_gets_plain_signs() {
    let home = Home::with_vault();
    for term in ["dumb", ""] {
        let panel = Panel::start_with(&home, &[], &[("TERM", term.as_ref())]);
        panel.see("This terminal cannot show the panel");
    }
    let panel = Panel::start_with(&home, &[], &[("LC_ALL", "C".as_ref())]);
    panel.see("otpanel is locked");
    assert!(panel.screen().is_ascii(), "{}", panel.screen());
}

#[test]
fn a_slot_weaker_than_a_new_one_is_wrapped_anew_by_whoever_types_its_password() {
    let home = Home::with_vault();
    weaken(&home.vault(), &home.path(".local/state/otpanel"), PASSWORD);
    let panel = Panel::opened(&home, &[]);
    let costs = || memory_costs(&home.vault());
    assert!(wait_until(LIMIT, || costs() == [65_536]), "{:?}", costs());
    panel.quit();
    Panel::opened(&home, &[]).quit();
}
