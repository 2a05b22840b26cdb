//! From nothing to codes, and back again at the next start.

use crate::home::{Home, PASSWORD, SECRET, link, oathtool};
use crate::panel::{LIMIT, Panel};
use crate::support::{installed, wait_until};

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
    panel.see("No accounts yet.");
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
