//! `backup`: how it stands, doing it, checking it, getting everything back; and what every command that saved does last.

mod restore;

use std::path::Path;

use serde::Serialize;

use super::args::{Backup, BackupCommand};
use super::failure::{Doing, Failure};
use super::output::{answer, columns, json, say};
use super::prompt;
use super::recover::{rfc3339, shown, when};
use super::session::{Session, World};
use crate::backup::ledger::Ledger;
use crate::backup::place::{self, BackupError, Destination, Here, InFile, Store, Verified};
use crate::backup::round::{Device, Known};
use crate::backup::standing::{self, Status, cause};
use crate::keychain::{Keychain, Probe};
use crate::policy::{self, PERSONAL};
use crate::report::{Exit, Report};
use crate::text::{clean, count};
use crate::vault::file::Place;
use crate::vault::{DeviceId, VaultId};

/// `backup`.
///
/// # Errors
/// When the vault cannot be opened, nobody said yes, or the backup cannot be done.
pub fn backup(world: &World, args: &Backup) -> Result<(), Failure> {
    match &args.command {
        None => status(world, false),
        Some(BackupCommand::Status { json }) => status(world, *json),
        Some(BackupCommand::Now) => now(world),
        Some(BackupCommand::Verify { json }) => verify(world, *json),
        Some(BackupCommand::Restore { folder, vault_id, yes }) => {
            restore::get_back(world, folder.as_deref(), vault_id.as_deref(), *yes)
        }
        Some(BackupCommand::Enable { folder }) => enable(world, folder.as_deref()),
        Some(BackupCommand::Disable { wipe, yes }) => disable(world, *wipe, *yes),
        Some(BackupCommand::Devices { json }) => devices(world, *json),
        Some(BackupCommand::Forget { device, yes }) => forget(world, device, *yes),
    }
}

/// Whatever kept a backup from being made, as a report.
fn failed(error: &BackupError) -> Failure {
    let next = "`otpanel backup status` tells how it stands; the vault itself is untouched.";
    Report::new(Exit::Failed, "The backup was not done", cause(error), next).into()
}

/// A yes: given with the command, or on a terminal as the answer to a question.
fn agreed(yes: bool, what: &str, question: &str, default: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !prompt::interactive() {
        return Err(Failure::NeedsYes { what: what.to_owned() });
    }
    if prompt::yes(question, default)? { Ok(()) } else { Err(Failure::Cancelled) }
}

fn remember(place: &Place, vault: VaultId, change: impl FnOnce(&mut Ledger)) -> Result<(), Failure> {
    Ledger::change(&place.state_dir, vault, change).map_err(|source| Failure::File {
        path: place.state_dir.join("backup"),
        doing: Doing::Write,
        source,
    })
}

/// A vault that is made without a backup.
///
/// # Errors
/// When that cannot be remembered.
pub fn never(place: &Place, vault: VaultId) -> Result<(), Failure> {
    remember(place, vault, |ledger| ledger.off = true)
}

fn ledger(session: &Session) -> Ledger {
    Ledger::load(&session.place.state_dir, session.unlocked.vault_id())
}

fn destinations(session: &Session) -> Vec<Destination> {
    place::destinations(&ledger(session), session.backup, &session.policy)
}

fn wanted(session: &Session) -> Vec<Destination> {
    standing::wanted(&session.unlocked.state, &ledger(session), session.backup, &session.policy)
}

/// One round to a destination; the accounts that it holds then. The words of a failure are kept for `backup status`.
fn round(session: &mut Session, to: &Destination, keychain: &dyn Keychain) -> Result<usize, BackupError> {
    let here = Here::new(&session.place);
    let known = ledger(session).done.get(&to.id()).map(|done| done.went_back.clone()).unwrap_or_default();
    let mut vault = InFile { place: &session.place, unlocked: &mut session.unlocked, device: here.device };
    let backed = here.back_up(to, keychain, &mut vault, &mut Known::default(), true)?;
    // The device's own is mended by now and is told at this moment only; others' stand in `backup status` as well.
    if let Some(words) = standing::went_back(backed.went_back.iter().map(|head| head.label.as_str()))
        && (known.is_empty() || backed.went_back.iter().any(|head| head.device == here.device))
    {
        say(&format!("otpanel: {}: {words}", to.store_name()));
    }
    Ok(backed.accounts)
}

/// What every command that saved does last. It never fails the command and never prompts; what it has to say is said once.
pub fn after_saving(session: &mut Session) {
    session.unseen = false;
    for to in &wanted(session) {
        let keychain = to.open(false);
        let (topic, words) = match keychain.probe() {
            Probe::Ready => match round(session, to, &*keychain) {
                Ok(accounts) => (format!("on {}", to.id()), notice(to, accounts)),
                Err(error) => (format!("failed {}", to.id()), not_done(&cause(&error))),
            },
            other => (format!("without {}", to.id()), not_done(&other.describe())),
        };
        if Ledger::is_news(&session.place.state_dir, session.unlocked.vault_id(), &topic) {
            say(&words);
        }
    }
}

/// What a new key of the vault does last: all that is on is sealed anew, and what cannot be is said each time.
pub fn after_rekey(session: &mut Session) {
    session.unseen = false;
    for to in &wanted(session) {
        let keychain = to.open(prompt::can_type_secrets());
        let why = match keychain.probe() {
            Probe::Ready | Probe::Locked => round(session, to, &*keychain).err().map(|error| cause(&error)),
            other => Some(other.describe()),
        };
        say(&match why {
            None => format!("Its backup in the {} is sealed under a new key.", to.store_name()),
            Some(why) => format!(
                "otpanel: its backup in the {} is still under the old key: {} `otpanel backup now` tries again.",
                to.store_name(),
                clean(&why)
            ),
        });
    }
    if !wanted(session).is_empty() {
        say(
            "Other computers' copies in it stay until they open the vault; forget those that are lost: `otpanel backup devices`.",
        );
    }
}

fn not_done(why: &str) -> String {
    format!("otpanel: not backed up: {} (said once; see `otpanel backup`)", clean(why))
}

/// The one-time notice: what is stored, where, how far it reaches, and how to turn it off.
fn notice(to: &Destination, accounts: usize) -> String {
    let (place, who) = match &to.store {
        Store::Keychain { keyring: None } => (String::from("this session's keychain"), "your login opens"),
        Store::Keychain { keyring: Some(label) } => {
            (format!("the keyring {} of this session", clean(label)), "whoever may unlock that keyring opens")
        }
        Store::Folder(path) => (shown(path), "your password or recovery key opens"),
    };
    format!(
        "otpanel: backed up {} to {place}, sealed: secrets, names and code settings, nothing else. \
         What {who} there reaches {}. `otpanel backup disable` turns it off. (said once)",
        count(accounts, "account"),
        clean(&to.reach())
    )
}

/// What `backup status --json` prints.
#[derive(Serialize)]
struct StatusRow {
    state: &'static str,
    identity: Identity,
    store: String,
    reach: String,
    accounts: usize,
    pending: usize,
    last_success: Option<String>,
    reason: Option<String>,
    /// Devices of which an older copy was put back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    went_back: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<Vec<StatusRow>>,
}

#[derive(Serialize)]
struct Identity {
    kind: &'static str,
    name: String,
}

impl From<&Status> for StatusRow {
    fn from(status: &Status) -> Self {
        let identity = match policy::organisation(&status.to.identity) {
            Some(name) => Identity { kind: "managed", name: name.to_owned() },
            None => Identity { kind: PERSONAL, name: std::env::var("USER").unwrap_or_default() },
        };
        Self {
            state: status.standing.name(),
            identity,
            store: status.to.store_name().to_owned(),
            reach: status.to.reach(),
            accounts: status.accounts,
            pending: status.pending,
            last_success: status.last.and_then(|last| rfc3339(last.0)),
            reason: status.reason.clone(),
            went_back: status.went_back.clone(),
            others: None,
        }
    }
}

fn status(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let all = standing::all(&session.unlocked, &ledger(&session), session.backup, &session.policy);
    if as_json {
        let mut rows: Vec<StatusRow> = all.iter().map(StatusRow::from).collect();
        let mut first = rows.remove(0);
        first.others = Some(rows);
        return json(&first);
    }
    let mut text = String::new();
    for status in &all {
        let name = match &status.to.store {
            Store::Keychain { keyring: None } => String::from("keychain"),
            Store::Keychain { keyring: Some(label) } => format!("keychain, keyring {}", clean(label)),
            Store::Folder(path) => format!("folder {}", shown(path)),
        };
        let last = status.last.map_or_else(|| String::from("never"), |last| when(last.0));
        text.push_str(&format!("{name}: {}\n", status.standing.name()));
        if let Some(reason) = &status.reason {
            text.push_str(&format!("  why        {}\n", clean(reason)));
        }
        text.push_str(&format!("  accounts   {} (last good backup: {last})\n", status.accounts));
        if status.pending > 0 {
            text.push_str(&format!("  waiting    {}\n", status.pending));
        }
        text.push_str(&format!("  reach      {}\n", clean(&status.to.reach())));
        if let Some(words) = standing::went_back(status.went_back.iter().map(String::as_str)) {
            text.push_str(&format!("  note       {words}\n"));
        }
    }
    text.push_str(
        "Stored: secrets, account names and code settings, sealed. Not stored: notes, tags, favourites, order.\n",
    );
    answer(&text)
}

fn now(world: &World) -> Result<(), Failure> {
    let mut session = world.open()?;
    session.unseen = false;
    if !destinations(&session).iter().any(|to| to.on) {
        return Err(Report::new(
            Exit::Failed,
            "The backup is off",
            if world.config.backup.enabled { "It was turned off on this machine." } else { "The config turns it off." },
            "`otpanel backup enable` turns it on; where the config says `backup: (enabled: false)`, change that first.",
        )
        .into());
    }
    let wanted = wanted(&session);
    if wanted.is_empty() {
        say("There is no account yet; the backup starts with the first.");
        return Ok(());
    }
    let (mut good, mut bad) = (0, None);
    for to in &wanted {
        let keychain = to.open(prompt::can_type_secrets());
        match round(&mut session, to, &*keychain) {
            Ok(accounts) => {
                good += 1;
                let place = match &to.store {
                    Store::Keychain { keyring: None } => String::from("the keychain"),
                    Store::Keychain { keyring: Some(label) } => format!("the keyring {}", clean(label)),
                    Store::Folder(path) => shown(path),
                };
                let accounts = count(accounts, "account");
                say(&format!("Backed up {accounts} to {place}; that reaches {}.", clean(&to.reach())));
            }
            Err(error) => {
                if wanted.len() > 1 {
                    say(&format!("otpanel: {}: {}", to.store_name(), clean(&cause(&error))));
                }
                bad = Some(error);
            }
        }
    }
    match bad {
        Some(error) if good == 0 => Err(failed(&error)),
        _ => Ok(()),
    }
}

#[derive(Serialize)]
struct VerifyRow {
    store: &'static str,
    items: usize,
    accounts: usize,
    lacking: usize,
    unread: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    went_back: Vec<String>,
}

fn verify(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let here = Here::new(&session.place);
    let mut rows = Vec::new();
    let mut good = true;
    let has_folder = destinations(&session).iter().any(|to| matches!(to.store, Store::Folder(_)));
    for to in &wanted(&session) {
        let keychain = to.open(prompt::can_type_secrets());
        let probe = keychain.probe();
        if probe != Probe::Ready && to.store.is_keychain() && has_folder {
            say(&format!("otpanel: keychain: not looked at. {}", probe.describe()));
            continue;
        }
        let Verified { items, accounts, lacking, unread, went_back, .. } =
            here.verify(to, &*keychain, &session.unlocked).map_err(|error| failed(&error))?;
        good &= lacking == 0 && unread == 0;
        let went_back = went_back.into_iter().map(|head| head.label).collect();
        rows.push(VerifyRow { store: to.store_name(), items, accounts, lacking, unread, went_back });
    }
    if as_json {
        json(&rows)?;
    } else {
        let of = |row: &VerifyRow| {
            format!(
                "{}: {} items opened, {} accounts can be restored, {} lacking or older, {} items missing or unreadable\n",
                row.store, row.items, row.accounts, row.lacking, row.unread
            )
        };
        answer(&rows.iter().map(of).collect::<String>())?;
        for row in &rows {
            if let Some(words) = standing::went_back(row.went_back.iter().map(String::as_str)) {
                say(&format!("otpanel: {}: {words}", row.store));
            }
        }
    }
    if rows.is_empty() || !good {
        return Err(Report::new(
            Exit::Failed,
            "The backup does not hold everything",
            if rows.is_empty() { "It is off, or cannot be had here." } else { "See the figures above." },
            "`otpanel backup now` writes what is lacking.",
        )
        .into());
    }
    Ok(())
}

fn enable(world: &World, folder: Option<&Path>) -> Result<(), Failure> {
    if !world.config.backup.enabled {
        return Err(Report::new(
            Exit::Failed,
            "The backup stays off",
            format!("{} says `backup: (enabled: false)`.", shown(&world.paths.config_file)),
            "Change it there, then try again.",
        )
        .into());
    }
    let folder = folder.map(absolute).transpose()?;
    let session = world.open()?;
    remember(&session.place, session.unlocked.vault_id(), |ledger| {
        ledger.off = false;
        if folder.is_some() {
            ledger.folder.clone_from(&folder);
        }
    })?;
    drop(session);
    now(world)
}

/// A folder that is there, or can be made, by its whole path.
fn absolute(path: &Path) -> Result<std::path::PathBuf, Failure> {
    place::folder(path).map_err(|source| Failure::File { path: path.to_owned(), doing: Doing::Write, source })
}

fn disable(world: &World, wipe: bool, yes: bool) -> Result<(), Failure> {
    let session = world.open()?;
    if let (Some(managed), policy::Backup::Required) = (&session.policy.identity, session.policy.backup) {
        let next = "Your own accounts alone: `backup: (enabled: false)` in the config.";
        let cause = format!("The policy of {} requires it.", clean(&managed.name));
        return Err(Report::new(Exit::Failed, "The backup stays on", cause, next).into());
    }
    let question = if wipe {
        "Turn the backup off and delete what this machine has stored?"
    } else {
        "Turn the backup off? What is stored stays."
    };
    agreed(yes, "Turning the backup off", question, false)?;
    let vault = session.unlocked.vault_id();
    let all = destinations(&session);
    remember(&session.place, vault, |ledger| ledger.off = true)?;
    let mut bad = None;
    if wipe {
        for (to, wiped) in Here::new(&session.place).wipe_all(&all, prompt::can_type_secrets(), vault) {
            match wiped {
                Ok(()) => say(&format!("Deleted what this machine had in the {}.", to.store_name())),
                Err(error) => bad = Some(error),
            }
        }
    }
    say("The backup is off. `otpanel backup enable` turns it on again.");
    bad.map_or(Ok(()), |error| Err(failed(&error)))
}

#[derive(Serialize)]
struct DeviceRow {
    id: String,
    name: String,
    store: &'static str,
    accounts: usize,
    last: Option<String>,
    this: bool,
}

fn device_rows(session: &Session) -> Result<Vec<(Destination, Device)>, Failure> {
    let here = Here::new(&session.place);
    let mut rows = Vec::new();
    for to in destinations(session) {
        let keychain = to.open(prompt::can_type_secrets());
        if keychain.probe() == Probe::Ready {
            let found = here.verify(&to, &*keychain, &session.unlocked).map_err(|error| failed(&error))?;
            rows.extend(found.devices.into_iter().map(|device| (to.clone(), device)));
        }
    }
    Ok(rows)
}

fn devices(world: &World, as_json: bool) -> Result<(), Failure> {
    let session = world.open()?;
    let own = Here::new(&session.place).device;
    let row = |(to, device): (Destination, Device)| DeviceRow {
        id: device.id.to_string(),
        this: device.id == own,
        store: to.store_name(),
        accounts: device.accounts,
        last: (device.time.0 > 0).then(|| rfc3339(device.time.0)).flatten(),
        name: device.label,
    };
    let rows: Vec<DeviceRow> = device_rows(&session)?.into_iter().map(row).collect();
    if as_json {
        return json(&rows);
    }
    if rows.is_empty() {
        say("No machine backs up there.");
        return Ok(());
    }
    let line = |row: &DeviceRow| {
        let this = if row.this { "this one" } else { "" };
        let last = row.last.clone().unwrap_or_else(|| "unknown".into());
        vec![
            row.id.clone(),
            clean(&row.name).into_owned(),
            row.store.into(),
            row.accounts.to_string(),
            last,
            this.into(),
        ]
    };
    answer(&columns(&rows.iter().map(line).collect::<Vec<_>>()))
}

fn forget(world: &World, named: &str, yes: bool) -> Result<(), Failure> {
    let mut session = world.open()?;
    let here = Here::new(&session.place);
    let matching: Vec<(Destination, Device)> = (device_rows(&session)?.into_iter())
        .filter(|(_, device)| device.id.to_string() == named || device.label == named)
        .collect();
    let mut ids: Vec<DeviceId> = matching.iter().map(|(_, device)| device.id).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids[..] {
        [] => {
            return Err(Failure::usage(
                format!("No machine `{named}` backs up there"),
                "See `otpanel backup devices`.",
            ));
        }
        [id] if id == here.device => {
            return Err(Failure::usage(
                "That is this machine",
                "`otpanel backup disable --wipe` deletes what it stored.",
            ));
        }
        [_] => {}
        _ => {
            return Err(Failure::usage(
                "Several machines have that name",
                "Give the id from `otpanel backup devices`.",
            ));
        }
    }
    let question =
        format!("Delete what {} has stored there? Its accounts are joined into this vault first.", clean(named));
    agreed(yes, "Forgetting a machine", &question, false)?;
    for (to, device) in &matching {
        let keychain = to.open(prompt::can_type_secrets());
        let mut vault = InFile { place: &session.place, unlocked: &mut session.unlocked, device: here.device };
        here.forget(to, &*keychain, &mut vault, device.id).map_err(|error| failed(&error))?;
        say(&format!(
            "Forgot {} in the {}. If it is still in use, it writes itself back.",
            clean(named),
            to.store_name()
        ));
    }
    Ok(())
}
