//! `vault rekey`: a new data key for the vault and new keys for its backups.

use std::fs::{self, File};
use std::path::Path;

use super::args::Rekey;
use super::failure::Failure;
use super::output::say;
use super::session::{Session, World, read_password};
use super::{init, prompt};
use crate::keychain::Keychain;
use crate::keychain::system::{self, SystemKeychain};
use crate::runtime;
use crate::runtime::rekey::make;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::unlock;
use crate::unlock::rekey::{Keychains, NewKey, is_password};
use crate::vault::history::Reason;

/// `vault rekey`.
///
/// # Errors
/// When nobody said yes, a way in cannot be made anew, or the vault cannot be saved; then it opens as before.
pub fn rekey(world: &World, args: &Rekey) -> Result<(), Failure> {
    if !args.yes && !prompt::interactive() {
        return Err(Failure::NeedsYes { what: "Giving the vault a new key".to_owned() });
    }
    let mut session = world.open()?;
    if !args.yes {
        say("A new key shuts out whoever has seen the old one, from everything that is written from now on.");
        say("The recovery key is replaced; other computers ask for the password once more.");
        if !prompt::yes("Give the vault a new key?", false)? {
            return Err(Failure::Cancelled);
        }
    }
    let password = password(world, &session, args.new_password_file.as_deref())?;
    let keychain = keychain(&session, password.is_some())?;
    let keychain = keychain.as_ref().map(|keychain| keychain as &dyn Keychain);
    // Taken first: a key that cannot be handed over would be worth nothing.
    let file = args.recovery_key_file.as_deref();
    let file = file.map(|path| init::reserve(path).map(|file| (path, file))).transpose()?;
    let path = file.as_ref().map(|(path, _)| *path);
    let key = match put_in_force(world, &mut session, password.as_ref(), keychain, file) {
        Ok(key) => key,
        Err(Stopped { failure, in_force }) => {
            // Where the new key may stand in the vault's place all the same, its recovery key is needed.
            if let Some(path) = path.filter(|_| !in_force) {
                let _ = fs::remove_file(path);
            }
            return Err(failure);
        }
    };
    unlock::forget(session.unlocked.vault_id());
    world.remember(session.unlocked.vault_id(), session.unlocked.data_key());
    if let Some(Err(error)) = keychain.map(|keychain| key.clear_old(keychain)) {
        say(&format!("otpanel: the keychain still has the old key, which opens older copies alone: {error}"));
    }
    tell();
    if let Some(path) = path {
        init::written_to(path);
    }
    session.back_up_anew();
    Ok(())
}

/// Why no new key is in force, as far as is known.
struct Stopped {
    failure: Failure,
    /// The new key may be in force all the same.
    in_force: bool,
}

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self { failure: error.into(), in_force: false }
    }
}

/// Makes the key and saves the vault under it. The recovery key is handed over before: what fails between the two leaves a
/// recovery key that opens nothing, and not a vault whose new one nobody has.
fn put_in_force(
    world: &World,
    session: &mut Session,
    password: Option<&Secret<String>>,
    keychain: Option<&dyn Keychain>,
    file: Option<(&Path, File)>,
) -> Result<NewKey, Stopped> {
    let mut key = make(&session.unlocked, password, world.config.kdf.target_ms)?;
    init::hand_over(&key.recovery_key, file)?;
    keychain.map_or(Ok(()), |keychain| key.let_in(keychain))?;
    let device = session.stamp(world).device;
    let saved = session.save_changing(Reason::Password, &mut |vault| {
        runtime::rekey::put_in_force(&key, vault, UnixTime::now(), device)
    });
    let Err(failure) = saved else { return Ok(key) };
    let in_force = key.after_failure(&session.place, keychain).is_some();
    Err(Stopped { failure, in_force })
}

/// The password from now on: a new one, or the one of now, which must be given since every way in is made anew. None where
/// the vault has none.
fn password(world: &World, session: &Session, new: Option<&Path>) -> Result<Option<Secret<String>>, Failure> {
    let vault = &session.unlocked;
    if let Some(path) = new {
        return init::long_enough(read_password(path, "new password")?).map(Some);
    }
    if !vault.has_password() {
        return Ok(None);
    }
    if let Some(given) = world.given_password()?
        && is_password(vault, &given)?
    {
        return Ok(Some(given));
    }
    if !prompt::can_type_secrets() {
        return Err(Failure::usage(
            "The vault's password is needed",
            "Give it by --password-file FILE, where it is to stay; or a new one by --new-password-file FILE.",
        ));
    }
    say("If somebody may know the password, take a new one.");
    if !prompt::yes("Keep the password that the vault has?", true)? {
        return prompt::new_password("New password").map(Some);
    }
    for _ in 0..3 {
        let typed = prompt::secret("Password of the vault")?;
        if is_password(vault, &typed)? {
            return Ok(Some(typed));
        }
        say("That is not the vault's password. Try again.");
    }
    Err(crate::vault::Error::WrongKey.into())
}

/// The keychain of this machine, where it opens the vault and so is to open it from now on.
fn keychain(session: &Session, has_password: bool) -> Result<Option<SystemKeychain>, Failure> {
    let keychain = if prompt::can_type_secrets() { system::asking() } else { system::system() };
    let all = Keychains::of(&session.unlocked, &keychain, has_password)?;
    all.words().iter().for_each(|words| say(words));
    Ok(all.kept().then_some(keychain))
}

/// What is true from now on.
fn tell() {
    say("The vault has a new key. Whoever has the old one reads nothing that is written from now on.");
    say("Copies from before, here and elsewhere, still open as they did: with the old key, password and recovery key.");
    say("If somebody may have read the vault, change the secrets of its accounts at their issuers too.");
}
