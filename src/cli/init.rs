//! `init`: making a vault, by options alone or by asking, and handing over the recovery key.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::args::{Init, UnlockWith};
use super::failure::{Doing, Failure};
use super::output::{answer, say};
use super::prompt;
use super::recover::shown;
use super::session::World;
use crate::keychain::{Keychain as _, Probe, system};
use crate::paths;
use crate::report::OTHERWISE;
use crate::secret::Secret;
use crate::unlock::{self, Mode, New};
use crate::vault::FileError;

/// Said before a keychain key is made (it is turned on plainly or not at all).
pub const KEYCHAIN_WORDS: &str = "With the keychain, any program of yours can ask for the key while you are logged in, \
                              as with your browser's passwords.";

/// `init`.
///
/// # Errors
/// When there is a vault already, no way to unlock it was given, or something cannot be written.
pub fn init(world: &World, args: &Init) -> Result<(), Failure> {
    let place = world.place();
    let file = &world.paths.vault_file;
    match file.symlink_metadata() {
        Ok(about) if about.is_dir() => return Err(FileError::NotAFile(file.clone()).into()),
        Ok(_) => return Err(Failure::VaultExists(file.clone())),
        Err(_) => {}
    }
    let keychain = system::system();
    let mode = match args.unlock {
        Some(UnlockWith::Password) => Mode::Password,
        Some(UnlockWith::Keychain) => Mode::Keychain,
        Some(UnlockWith::Both) => Mode::Both,
        None if prompt::interactive() => ask_mode(&keychain.probe())?,
        None => {
            return Err(Failure::usage(
                "How the vault should open was not said",
                "Add --unlock password, --unlock keychain or --unlock both.",
            ));
        }
    };
    if !matches!(mode, Mode::Password) {
        say(KEYCHAIN_WORDS);
    }
    let password = match mode {
        Mode::Keychain => None,
        Mode::Password | Mode::Both => Some(new_password(world)?),
    };
    // What can be known to fail fails before the key is handed over.
    if let Some(folder) = world.paths.vault_file.parent() {
        paths::private_dir(folder).map_err(|source| Failure::File {
            path: world.paths.vault_file.clone(),
            doing: Doing::Write,
            source,
        })?;
    }
    let key_file = args.recovery_key_file.as_deref().map(|path| reserve(path).map(|file| (path, file))).transpose()?;
    let kdf = match password {
        Some(_) => unlock::calibrate(Duration::from_millis(u64::from(world.config.kdf.target_ms))),
        None => crate::vault::kdf::KdfParams::DEFAULT,
    };
    if !matches!(mode, Mode::Password) {
        keychain.wait_for_keyring();
    }
    let key_path = key_file.as_ref().map(|(path, _)| *path);
    let new = New { mode, password, kdf };
    let made = unlock::create_after(&place, new, &keychain, |key| hand_over(key, key_file));
    let created = made.map_err(|failure| {
        if let Some(path) = key_path {
            let _ = fs::remove_file(path);
        }
        without_keychain(failure)
    })?;
    say(&format!("Made {}.", shown(&world.paths.vault_file)));
    if let Some(path) = key_path {
        written_to(path);
    }
    if args.no_backup {
        super::backup::never(&place, created.unlocked.vault_id())?;
    }
    Ok(())
}

/// Names the way that needs no keychain, where one was the trouble.
fn without_keychain(failure: Failure) -> Failure {
    match failure.report() {
        Some(mut report) if report.next.contains(OTHERWISE) => {
            report.next =
                report.next.replace(OTHERWISE, "A password needs no keychain: `otpanel init --unlock password`.");
            report.into()
        }
        _ => failure,
    }
}

/// The password for a new key: from the file that was given, or typed twice.
///
/// # Errors
/// When there is none and nobody can be asked.
pub fn new_password(world: &World) -> Result<Secret<String>, Failure> {
    match world.given_password()? {
        Some(password) => long_enough(password),
        None if prompt::can_type_secrets() => prompt::new_password("New password"),
        None => Err(Failure::usage(
            "There is no password for the new vault",
            "Give --password-file FILE ('-' is stdin), or choose --unlock keychain.",
        )),
    }
}

/// Refuses a new password that would not protect.
///
/// # Errors
/// [`Failure::EmptyPassword`] or [`Failure::ShortPassword`].
pub fn long_enough(password: Secret<String>) -> Result<Secret<String>, Failure> {
    match password.expose().as_str() {
        "" => Err(Failure::EmptyPassword { least: unlock::SHORTEST_PASSWORD }),
        text if unlock::is_short(text) => Err(Failure::ShortPassword),
        _ => Ok(password),
    }
}

fn ask_mode(probe: &Probe) -> Result<Mode, Failure> {
    say("How should the vault open?");
    say("  1  keychain and password   no typing here; the password opens it anywhere");
    say("  2  keychain alone          no typing; keep the recovery key");
    say("  3  password alone          typed at every start");
    let ready = matches!(probe, Probe::Ready | Probe::Locked);
    if !ready {
        say(&format!("For 1 and 2: {}", probe.describe()));
    }
    let default = if ready { "1" } else { "3" };
    loop {
        let line = prompt::line(&format!("Type 1, 2 or 3 [{default}]:"))?;
        match if line.is_empty() { default } else { line.as_str() } {
            "1" => return Ok(Mode::Both),
            "2" => return Ok(Mode::Keychain),
            "3" => return Ok(Mode::Password),
            _ => say("Only 1, 2 and 3 mean something here."),
        }
    }
}

/// Makes the file that will hold a recovery key, for the owner alone.
///
/// # Errors
/// [`Failure::File`]: also when the file is there already.
pub fn reserve(path: &Path) -> Result<File, Failure> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| Failure::File { path: path.to_owned(), doing: Doing::Write, source })
}

/// Writes the recovery key to its file, or shows it once; on a terminal with a check that it was written down. Called before
/// anything opens by that key: what fails here has changed nothing.
///
/// # Errors
/// When it cannot be written, nobody reads it, or the terminal ends.
pub fn hand_over(key: &Secret<String>, file: Option<(&Path, File)>) -> Result<(), Failure> {
    if let Some((path, file)) = file {
        return write(key, path, file).map_err(|source| Failure::File {
            path: path.to_owned(),
            doing: Doing::Write,
            source,
        });
    }
    say("The recovery key opens the vault when everything else is lost. It is shown only now: write it down.");
    let printed = answer(key.expose()).and_then(|()| answer("\n"));
    printed.map_err(|failure| match failure {
        // Elsewhere a reader that has gone is no failure; here a key would be lost.
        Failure::Silent => Failure::Stdout(std::io::ErrorKind::BrokenPipe.into()),
        other => other,
    })?;
    if prompt::interactive() {
        check_written(key)?;
    }
    Ok(())
}

fn write(key: &Secret<String>, path: &Path, mut file: File) -> std::io::Result<()> {
    let text = Secret::new(format!("{}\n", key.expose()));
    file.write_all(text.expose().as_bytes())?;
    file.sync_all()?;
    // Its name as well; where the folder cannot be synced the key is readable all the same.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = paths::sync_folder(folder);
    Ok(())
}

/// Says where a recovery key was written.
pub fn written_to(path: &Path) {
    say(&format!("The recovery key is in {}. Keep it away from this computer.", shown(path)));
}

/// Asks for the last group of the key, until it is right or passed over.
fn check_written(key: &Secret<String>) -> Result<(), Failure> {
    let last = last_group(key.expose());
    loop {
        let typed = prompt::line("To check, type its last group (Enter passes over this):")?;
        if typed.is_empty() {
            say("Not checked. `otpanel vault recovery-key` makes a new one at any time.");
            return Ok(());
        }
        if typed.eq_ignore_ascii_case(last) {
            say("Right.");
            return Ok(());
        }
        say("That is not it; look again.");
    }
}

fn last_group(key: &str) -> &str {
    key.rsplit(|c: char| !c.is_ascii_alphanumeric()).find(|g| !g.is_empty()).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_group_is_what_stands_behind_the_last_blank() {
        assert_eq!(last_group("otpanel1 abcd efgh ij"), "ij");
        assert_eq!(last_group("otpanel1abcd"), "otpanel1abcd");
    }
}
