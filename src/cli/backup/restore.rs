//! `backup restore`: on a new machine, or into a vault that is here.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::super::failure::{Doing, Failure};
use super::super::output::{json, say};
use super::super::prompt;
use super::super::recover::{shown, when};
use super::super::session::{Session, World};
use super::{agreed, failed, remember};
use crate::backup::here::Here;
use crate::backup::place::Destination;
use crate::backup::restore::{self, Offer, Way};
use crate::keychain::{Keychain, Probe, system};
use crate::paths;
use crate::report::{Exit, Report};
use crate::text::{clean, count};
use crate::time::UnixTime;
use crate::unlock;
use crate::vault::file::Place;
use crate::vault::{Unlocked, VaultId, recovery};

/// `backup restore`.
///
/// # Errors
/// When no backup is found or opens, nobody said yes, or the vault cannot be written.
pub fn get_back(
    world: &World,
    folder: Option<&Path>,
    vault_id: Option<&str>,
    yes: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let folder = folder.map(|path| {
        let whole = paths::real(path)
            .and_then(|path| if path.is_dir() { Ok(path) } else { Err(io::ErrorKind::NotADirectory.into()) });
        whole.map_err(|source| Failure::File { path: path.to_owned(), doing: Doing::Read, source })
    });
    let folder = folder.transpose()?;
    let from = restore::sources(&world.policy, folder.as_deref());
    if from.is_empty() {
        world.policy.identity_for(true)?;
    }
    // A restore is asked for by the user: the keychain may show its dialog, where somebody can see it.
    let probes: Vec<Probe> = from.iter().map(|to| to.open(prompt::can_type_secrets()).probe()).collect();
    if let Some(probe) = probes.first()
        && !probes.iter().any(|probe| matches!(probe, Probe::Ready | Probe::Locked))
    {
        let next = "A backup in a folder is restored by `otpanel backup restore --folder DIR`.";
        return Err(Report::new(Exit::Failed, "No backup can be looked for", probe.describe(), next).into());
    }
    let place = world.place();
    if world.paths.vault_file.symlink_metadata().is_ok() {
        return join_in(world, &from, vault_id, yes, as_json);
    }
    let offer = choose(open(world, &from)?, vault_id, None)?;
    let accounts = offer.accounts();
    told_of(&from, &offer);
    if offer.is_bare() {
        return Err(Report::new(
            Exit::Failed,
            "The backup opens, and no account is in reach",
            "Its key is there; what holds the accounts is missing or damaged. No vault was made.",
            "Let the folder or the keychain be synced whole, then try again; or run `otpanel backup now` on a machine that has the\n\
             vault.",
        )
        .into());
    }
    let question = format!("Make {} with these accounts?", shown(&world.paths.vault_file));
    agreed(yes, "Restoring a backup", &question, true)?;
    let unlocked = new_vault(world, &place, &offer, folder.is_none())?;
    say(&format!("Restored {} into {}.", count(accounts, "account"), shown(&world.paths.vault_file)));
    let vault = unlocked.vault_id();
    if folder.is_some() {
        remember(&place, vault, |ledger| ledger.folder = folder)?;
    }
    // This machine backs up from now on too.
    let (backup, policy) = (world.config.backup.enabled, world.policy.clone());
    drop(Session { place, unlocked, backup, policy, unseen: true });
    restored(world, true, accounts, as_json)
}

fn told_of(from: &[Destination], offer: &Offer) {
    let devices = offer.opened.iter().flat_map(|part| &part.devices);
    let names: Vec<String> = devices
        .map(|device| {
            // What its head would tell is not there.
            if device.time.0 == 0 {
                return format!("a machine of id {}", device.id);
            }
            format!("{} ({}, {})", clean(&device.label), count(device.accounts, "account"), when(device.time.0))
        })
        .collect();
    let store = from.last().map_or("keychain", Destination::store_name);
    say(&format!("A backup lies in the {store}: {}.", names.join(", ")));
    let unread = offer.unread();
    if unread > 0 {
        say(&format!("{} of it missing or not to be opened; what can be is restored.", count(unread, "item")));
    }
    if offer.sealed > 0 {
        say("A part of it does not open with this key, and stays there.");
    }
}

/// Whose backup: that of the named vault, else of the one that is here, else the only one, else the only one that the typed
/// key opened; a question where it is not clear.
fn choose(mut offers: Vec<Offer>, named: Option<&str>, here: Option<VaultId>) -> Result<Offer, Failure> {
    let unclear = |problem: &str, offers: &[Offer]| {
        let candidates: Vec<String> = offers.iter().map(candidate).collect();
        Report::new(
            Exit::NotFound,
            problem,
            candidates.join("\n"),
            "Say which: `otpanel backup restore --vault-id ID`.",
        )
    };
    let place = match named {
        Some(named) => {
            let named = named.to_ascii_lowercase();
            let fits = |offer: &Offer| !named.is_empty() && offer.vault.to_string().starts_with(&named);
            if !one(&offers, fits) {
                return Err(unclear("No one vault of this id has a backup there", &offers).into());
            }
            offers.iter().position(fits)
        }
        None => {
            let typed = || Some(offers.iter().position(Offer::by_way)?).filter(|_| one(&offers, Offer::by_way));
            offers.iter().position(|offer| Some(offer.vault) == here).or_else(typed)
        }
    };
    let place = match place {
        Some(place) => place,
        None if offers.len() == 1 => 0,
        None if prompt::interactive() => {
            for (n, offer) in offers.iter().enumerate() {
                say(&format!("  {}  {}", n + 1, candidate(offer)));
            }
            let typed = prompt::line("Backups of several vaults lie there. Which one? (number)")?;
            let n = typed.parse().ok().filter(|n| (1..=offers.len()).contains(n));
            n.ok_or_else(|| unclear("That is none of them", &offers))? - 1
        }
        None => return Err(unclear("Backups of several vaults lie there", &offers).into()),
    };
    Ok(offers.swap_remove(place))
}

fn one(offers: &[Offer], fits: impl Fn(&Offer) -> bool) -> bool {
    offers.iter().filter(|offer| fits(offer)).count() == 1
}

/// A backup to choose: its vault's id, how much is in it, who wrote it last and when.
fn candidate(offer: &Offer) -> String {
    let devices = offer.opened.iter().flat_map(|part| &part.devices);
    let newest = devices.max_by_key(|device| device.time);
    let from = newest.map_or_else(String::new, |d| format!(", from {}, {}", clean(&d.label), when(d.time.0)));
    format!("{}: {}{from}", offer.vault, count(offer.accounts(), "account"))
}

/// Finds the backups and opens those that open by what is at hand: at least one.
fn open(world: &World, from: &[Destination]) -> Result<Vec<Offer>, Failure> {
    let mut words = world.given_password()?;
    for attempt in 0..4 {
        let way = words.as_ref().map_or(Way::Alone, Way::typed);
        let mut offers =
            restore::look(from, prompt::can_type_secrets(), &way).map_err(|error| failed(&error.into()))?;
        if offers.is_empty() {
            let next = "Another folder: `otpanel backup restore --folder DIR`. A new vault: `otpanel init`.";
            let cause = "No item of otpanel was found.";
            return Err(Report::new(Exit::NotFound, "No backup lies there", cause, next).into());
        }
        offers.retain(|offer| !offer.opened.is_empty());
        if !offers.is_empty() {
            return Ok(offers);
        }
        if !prompt::can_type_secrets() || attempt == 3 {
            let (problem, cause) = if words.is_some() {
                (
                    "That key does not open the backup",
                    "The password or recovery key is not that of the vault backed up.",
                )
            } else {
                ("The backup needs a key", "It opens with the password or the recovery key of the vault backed up.")
            };
            return Err(Report::new(Exit::Locked, problem, cause, "Give it by --password-file FILE.").into());
        }
        if words.is_some() {
            say("That does not open it. Try again.");
        }
        words = Some(prompt::secret("Password or recovery key of the vault that was backed up")?);
    }
    unreachable!("the last attempt returns")
}

/// A vault that did not exist here: the one that was backed up, with its slots, and one that opens it here.
fn new_vault(world: &World, place: &Place, offer: &Offer, by_keychain: bool) -> Result<Unlocked, Failure> {
    let (now, device) = (UnixTime::now(), Here::new(place).device);
    let unlocked = offer.vault_again(now, device).expect("it was opened");
    let stamp = unlocked.state.next_stamp(now, device);
    let given = world.given_password()?.filter(|words| recovery::read(words.expose()).is_err());
    // The password that opened the backup opens the vault; another one becomes one more.
    let kdf = || unlock::calibrate(Duration::from_millis(u64::from(world.config.kdf.target_ms)));
    let password = given.as_ref().filter(|_| !offer.by_way());
    if password.is_some_and(|words| unlock::is_short(words.expose())) {
        return Err(Failure::ShortPassword);
    }
    let password = password.map(|words| (words, kdf()));
    let keychain = if prompt::can_type_secrets() { system::asking() } else { system::system() };
    let with =
        (given.is_none() && by_keychain && keychain.probe() == Probe::Ready).then_some(&keychain as &dyn Keychain);
    Ok(unlock::settle(place, unlocked, password, with, stamp)?)
}

/// Into a vault that is here: a restore joins, and replaces nothing.
fn join_in(
    world: &World,
    from: &[Destination],
    vault_id: Option<&str>,
    yes: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let mut session = world.open()?;
    let here = session.unlocked.vault_id();
    let offer = choose(open(world, from)?, vault_id, Some(here))?;
    told_of(from, &offer);
    let records = offer.records_for(&session.unlocked.state);
    let before = session.unlocked.state.live().count();
    let mut joined = (*session.unlocked.state).clone();
    joined.join(&records);
    let added = joined.live().count().saturating_sub(before);
    let question = format!("Join it into this vault? It brings {}; nothing is replaced.", count(added, "new account"));
    agreed(yes, "Restoring a backup", &question, true)?;
    session.edit(world, |state, stamp| {
        state.join(&records);
        state.note(stamp);
    });
    session.save_before(crate::vault::history::Reason::Restore)?;
    say(&format!("Restored: {} came in addition to {before}.", count(added, "account")));
    restored(world, false, added, as_json)
}

/// What `backup restore --json` prints.
#[derive(Serialize)]
struct RestoredRow {
    vault: String,
    made: bool,
    added: usize,
}

fn restored(world: &World, made: bool, added: usize, as_json: bool) -> Result<(), Failure> {
    if as_json { json(&RestoredRow { vault: shown(&world.paths.vault_file), made, added }) } else { Ok(()) }
}
