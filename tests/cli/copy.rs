//! `copy` on a real X server: the code outlives the command, and is cleared.

use crate::home::{Home, finish, link};
use crate::support::displays::XServer;
use crate::support::{LIMIT, answer, installed, wait_until};

#[test]
fn a_copied_code_outlives_the_command_and_is_cleared_after_its_time() {
    if !installed(&["Xvfb", "xclip"]) {
        return;
    }
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    home.write(".config/otpanel/config.ron", "(clipboard: (clear_secs: 7))");
    let server = XServer::start();
    let args = ["--password-file", "recovery", "--vault", "vault.otpv", "copy", "octo"];
    let mut copy = server.command(assert_cmd::cargo::cargo_bin!("otpanel"), home.root());
    copy.args(args).current_dir(home.root());
    let ran = finish(&mut copy, b"");
    assert!(ran.err.contains("copied, cleared in 7 s"), "{}", ran.err);
    assert_eq!(ran.ok(), "", "the code is not printed");
    let paste = || {
        let mut xclip = server.command("xclip", home.root());
        answer(xclip.args(["-selection", "clipboard", "-o"])).trim().to_owned()
    };
    let code = paste();
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code:?}");
    assert!(wait_until(LIMIT, || paste() != code), "it was not cleared");
}

#[test]
fn without_any_clipboard_the_way_out_is_told() {
    let home = Home::with_vault();
    home.import(&[&link("GitHub", "octo", 1)]);
    home.write(".config/otpanel/config.ron", "(clipboard: (method: Off))");
    assert!(home.run(&["copy", "octo"]).fails(1).contains("turned off"));
}
