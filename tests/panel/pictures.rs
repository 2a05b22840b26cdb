//! The README's pictures are the screens as they are today, of made-up accounts at a moment that stands still.

use std::path::{Path, PathBuf};

use otpanel::app::model::{Lock, Stage};
use otpanel::config::Config;
use otpanel::otp::Account;
use otpanel::transfer::{self, Format, Source};

use crate::backup;
use crate::harness::Journey;
use crate::picture::svg;

/// The folder of the pictures.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures")
}

/// The accounts of `otpanel demo` with names that every font has.
fn samples() -> Vec<Account> {
    let demo = include_bytes!("../../assets/demo.txt");
    let mut all = transfer::import(Source::new(demo)).expect("they can be read").entries;
    all.retain(|account| account.title().is_ascii() && account.title().len() < 60 && !account.issuer.is_empty());
    all
}

/// A panel whose accounts are backed up: into the keychain, and into a folder where one is named.
fn panel(theme: &str) -> Journey {
    let mut journey = Journey::with(Config::default(), &samples()).themed(theme);
    backup::kept_in(&mut journey, samples().len(), None);
    journey
}

fn backup_screen() -> Journey {
    let mut journey = panel("dark");
    backup::kept_in(&mut journey, samples().len(), Some("/home/ada/Sync/otpanel"));
    journey.seconds(140).keys("b")
}

/// An export of another app: accounts that are new, that are here, that differ and that cannot be read.
fn export() -> String {
    let accounts = &samples()[4..];
    let made = transfer::export(Format::Aegis, accounts, None, &mut |bytes| bytes.fill(7)).expect("it is written");
    let text = String::from_utf8(made.bytes.expose().clone()).expect("JSON");
    text.replace("ABVYJ3YUVBXVLWG43QK2IQ24QUFJKVSQHZUGVUWO6Z7DUG4EWTBQ", "none, it is in the other phone")
        .replace("ci-bot", "builds")
}

fn import() -> Journey {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("aegis-export.json");
    std::fs::write(&file, export()).expect("written");
    let journey = Journey::with(Config::default(), &samples()[..9]).themed("dark");
    journey.keys("i").paste(file.to_str().expect("text"))
}

fn unlock() -> Journey {
    let mut journey = panel("dark").size(80, 14);
    let sealed = journey.file.as_ref().and_then(|vault| vault.seal([5; 32]).ok()).expect("it is sealed");
    let locked = otpanel::vault::envelope::Locked::parse(sealed).expect("it is a vault");
    journey.model.stage = Stage::Locked(Box::new(Lock::new(Some(locked.into()))));
    journey.keys("correct horse")
}

fn first_start() -> Journey {
    let mut journey = Journey::fresh(Config::default()).themed("dark").size(80, 18);
    journey.event(otpanel::app::Event::Looked(Ok(None)));
    journey
}

fn pictures() -> Vec<(&'static str, Journey)> {
    vec![
        ("panel-dark", panel("dark").keys("/github<esc>").seconds(13).keys("<enter>").seconds(5)),
        ("panel-light", panel("light").keys("/hetzner<esc>").seconds(26)),
        ("first-start", first_start()),
        ("unlock", unlock()),
        ("backup", backup_screen()),
        ("import", import()),
        ("big-digits", panel("dark").keys("/github<esc>z").size(80, 16).seconds(9)),
    ]
}

#[test]
fn the_pictures_are_current_and_the_readme_shows_them() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let mut old = Vec::new();
    for (name, journey) in pictures() {
        let file = folder().join(format!("{name}.svg"));
        let picture = svg(&journey.buffer(), journey.theme(), "otpanel");
        if std::env::var_os("OTPANEL_UPDATE_README").is_some() {
            std::fs::create_dir_all(folder()).expect("made");
            std::fs::write(&file, &picture).expect("written");
        }
        if std::fs::read_to_string(&file).ok().is_none_or(|found| found.replace("\r\n", "\n") != picture) {
            old.push(name);
        }
        assert!(readme.contains(&format!("docs/pictures/{name}.svg")), "the README does not show {name}");
    }
    assert!(old.is_empty(), "{old:?}: OTPANEL_UPDATE_README=1 cargo test --test panel pictures writes them anew");
}
