//! A full disk: the change is kept and told, and saved when there is room.

use std::fs;
use std::path::{Path, PathBuf};

use crate::home::{Home, PASSWORD};
use crate::panel::{LIMIT, Panel};
use crate::support::{left_out, output};

/// A small file system in memory, taken away with its guard.
struct Small(PathBuf);

impl Small {
    /// `None` where this user may mount nothing.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs"]).arg(at);
        let done = mount.output().is_ok_and(|out| out.status.success());
        done.then(|| Self(at.to_owned()))
    }

    /// The same with the vault of a home on it: `None`, and said, where this user may mount nothing.
    fn with_vault_of(home: &Home) -> Option<(Self, PathBuf)> {
        let Some(disk) = Self::mount(&home.path("small")) else {
            left_out("mounting a small disk needs root");
            return None;
        };
        let vault = disk.0.join("vault.otpv");
        fs::copy(home.vault(), &vault).unwrap();
        Some((disk, vault))
    }

    /// Lets nothing be written any more, or everything again.
    fn set(&self, how: &str) {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-o", &format!("remount,{how}")]).arg(&self.0);
        assert!(mount.status().unwrap().success(), "{how}");
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        for n in 0..64 {
            let full = fs::write(self.0.join(format!("ballast{n}")), vec![0; 8192]).is_err();
            if full {
                break;
            }
        }
    }

    fn make_room(&self) {
        for entry in fs::read_dir(&self.0).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("ballast") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        output(std::process::Command::new("umount").arg("-l").arg(&self.0));
    }
}

fn opened(home: &Home, vault: &str) -> Panel {
    let mut panel = Panel::start_with(home, &["--vault", vault], &[]);
    panel.see("otpanel is locked");
    panel.press(PASSWORD).press("\r");
    panel.see("GitHub");
    panel
}

#[test]
fn on_a_full_disk_a_change_is_kept_told_and_saved_when_there_is_room() {
    let home = Home::with_vault();
    let Some((disk, vault)) = Small::with_vault_of(&home) else { return };
    let path = vault.to_str().unwrap();
    let mut panel = opened(&home, path);
    let before = fs::read(&vault).unwrap();
    disk.fill();
    panel.press("f");
    panel.see("Not saved: the disk is full. It is kept here; s saves again.");
    panel.see("★ 1");
    assert_eq!(fs::read(&vault).unwrap(), before, "the file is as it was");
    // It does not leave without a word.
    panel.press("q");
    panel.see("leave, keep it in the history");
    panel.press("\x1b");
    panel.see_no("leave, keep it in the history");
    disk.make_room();
    panel.press("s");
    panel.see("saved: there is room again");
    panel.wait(LIMIT, "no banner", |screen| !screen.contains("Not saved"));
    panel.quit();
    assert!(home.run(&["--vault", path, "list", "--json"], "").contains("\"favourite\":true"));
    let names: Vec<_> = fs::read_dir(&disk.0).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["vault.otpv"], "no half file is left");
}

#[test]
fn a_read_only_vault_opens_says_so_and_takes_changes_once_it_may_be_written() {
    let home = Home::with_vault();
    let Some((disk, vault)) = Small::with_vault_of(&home) else { return };
    let before = fs::read(&vault).unwrap();
    disk.set("ro");
    let mut panel = opened(&home, vault.to_str().unwrap());
    panel.see("read-only");
    panel.press("f");
    panel.see("not saved");
    assert_eq!(fs::read(&vault).unwrap(), before);
    disk.set("rw");
    panel.press("s");
    panel.see_no("not saved");
    panel.see_no("read-only");
    assert_ne!(fs::read(&vault).unwrap(), before);
}
