//! Many at once on one vault, and one panel through many changes. Short here; a minute and 10,000 changes with
//! `OTPANEL_TEST_LONG=1`.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use otpanel::entropy;
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::unlock;
use otpanel::vault::{DeviceId, Place, Unlocked, Value, field};

use crate::home::{Home, PASSWORD, link};
use crate::panel::{LIMIT, Panel};
use crate::support::wait_until;

const COMMANDS: usize = 10;

fn long() -> bool {
    std::env::var_os("OTPANEL_TEST_LONG").is_some_and(|value| value == "1")
}

/// A secret of 20 bytes that no other account has.
fn fresh_secret() -> String {
    data_encoding::BASE32_NOPAD.encode(&entropy::bytes::<20>())
}

fn accounts(home: &Home) -> BTreeSet<String> {
    let rows: serde_json::Value = serde_json::from_str(&home.run(&["list", "--json"], "")).unwrap();
    rows.as_array().unwrap().iter().map(|row| row["account"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_panels_and_ten_command_lines_at_once_lose_nothing() {
    let home = Home::with_vault();
    let end = Instant::now() + if long() { Duration::from_secs(60) } else { Duration::from_secs(6) };
    let mut wanted = accounts(&home);
    let (mut by_panels, mut by_commands) = (0, 0);
    thread::scope(|scope| {
        let home = &home;
        let commands: Vec<_> = (0..COMMANDS)
            .map(|who| {
                scope.spawn(move || {
                    let mut added = Vec::new();
                    while added.is_empty() || Instant::now() < end {
                        let name = format!("c{who}-{}", added.len());
                        home.import(&[&link("Command", &name, &fresh_secret())]);
                        added.push(name);
                    }
                    added
                })
            })
            .collect();
        let panels: Vec<_> = (0..2)
            .map(|who| {
                scope.spawn(move || {
                    let mut panel = Panel::opened(home, &[]);
                    let mut added = Vec::new();
                    while added.is_empty() || Instant::now() < end {
                        let name = format!("p{who}-{}", added.len());
                        panel.paste(&link("Panel", &name, &fresh_secret()));
                        panel.wait(LIMIT, "the form", |screen| screen.contains("Add an account"));
                        panel.press("\r");
                        panel.wait(LIMIT, "the list", |screen| !screen.contains("Add an account"));
                        added.push(name);
                    }
                    panel.quit();
                    added
                })
            })
            .collect();
        for command in commands {
            let added = command.join().unwrap();
            by_commands += added.len();
            wanted.extend(added);
        }
        for panel in panels {
            let added = panel.join().unwrap();
            by_panels += added.len();
            wanted.extend(added);
        }
    });
    let found = accounts(&home);
    println!("{by_commands} accounts by {COMMANDS} command lines and {by_panels} by 2 panels, {} found", found.len());
    assert_eq!(wanted.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(by_panels >= 2 && by_commands >= COMMANDS);
    let beside: Vec<_> =
        fs::read_dir(home.vault().parent().unwrap()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(beside.len(), 1, "{beside:?}");
}

/// Resident memory in KiB, open descriptors, threads.
fn costs(panel: &Panel) -> (u64, usize, usize) {
    let proc = format!("/proc/{}", panel.pid().as_raw_nonzero());
    let status = fs::read_to_string(format!("{proc}/status")).unwrap();
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    let count = |what: &str| fs::read_dir(format!("{proc}/{what}")).unwrap().count();
    (resident.unwrap(), count("fd"), count("task"))
}

/// The same once the panel has come to rest: nothing is opened or started any more for a second.
fn rested(panel: &Panel) -> (u64, usize, usize) {
    let (mut now, mut looks) = (costs(panel), 0);
    let rest = || {
        let before = std::mem::replace(&mut now, costs(panel));
        looks = if (now.1, now.2) == (before.1, before.2) { looks + 1 } else { 0 };
        looks > 50
    };
    assert!(wait_until(LIMIT, rest), "it has no rest");
    now
}

/// Changes the note of an account so many times, as a sync tool writes: beside, then renamed.
fn change(home: &Home, open: &mut Unlocked, times: usize) {
    for n in 0..times {
        let state = Arc::make_mut(&mut open.state);
        let id = state.live().next().unwrap().id;
        let stamp = state.next_stamp(UnixTime::now(), DeviceId([9; 8]));
        state.set(id, field::NOTE, Value::Text(format!("note {n:06}")), stamp);
        let beside = home.vault().with_file_name("incoming");
        fs::write(&beside, open.seal(entropy::bytes()).unwrap()).unwrap();
        fs::rename(&beside, home.vault()).unwrap();
        thread::sleep(Duration::from_millis(3));
    }
}

#[test]
fn a_panel_through_many_changes_costs_no_more_than_at_first() {
    let times = if long() { 10_000 } else { 600 };
    let home = Home::with_vault();
    let place = Place::new(home.vault(), home.path(".local/state/otpanel"));
    let mut open = unlock::with_password(&place.load().unwrap(), &Secret::new(PASSWORD.to_owned())).unwrap();
    let panel = Panel::opened(&home, &[]);
    change(&home, &mut open, times / 4);
    let before = rested(&panel);
    change(&home, &mut open, times);
    let after = rested(&panel);
    println!("KiB, descriptors, threads after {} changes: {before:?}, after {times} more: {after:?}", times / 4);
    assert!(after.0 <= before.0 + 2048, "memory grew: {before:?}, {after:?}");
    assert_eq!((after.1, after.2), (before.1, before.2), "descriptors and threads");
    panel.quit();
}

#[test]
fn a_vault_that_becomes_a_folder_or_another_vault_or_goes_is_told_and_nothing_is_lost() {
    let home = Home::with_vault();
    let mut panel = Panel::opened(&home, &[]);
    let good = fs::read(home.vault()).unwrap();
    let aside = home.path("aside.otpv");

    fs::rename(home.vault(), &aside).unwrap();
    panel.see("has vanished");
    panel.press("s");
    panel.see("saved anew");
    assert_eq!(accounts(&home).len(), 2);

    let other = Home::new();
    other.run(&["init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery"], "");
    let foreign = fs::read(other.vault()).unwrap();
    fs::copy(other.vault(), home.path("incoming")).unwrap();
    fs::rename(home.path("incoming"), home.vault()).unwrap();
    panel.see("another vault lies in its place");
    panel.press("f");
    panel.see("Not saved");
    assert_eq!(fs::read(home.vault()).unwrap(), foreign, "another vault is never written over");

    fs::remove_file(home.vault()).unwrap();
    fs::create_dir(home.vault()).unwrap();
    panel.see("place is taken");
    fs::remove_dir(home.vault()).unwrap();
    fs::write(home.path("incoming"), good).unwrap();
    fs::rename(home.path("incoming"), home.vault()).unwrap();
    panel.press("s");
    panel.wait(LIMIT, "it is saved", |screen| !screen.contains("ot saved"));
    panel.quit();
    let rows: serde_json::Value = serde_json::from_str(&home.run(&["list", "--json"], "")).unwrap();
    assert!(rows.as_array().unwrap().iter().any(|row| row["favourite"] == true), "the change that waited is there");
}
