//! `backup`: how it stands, doing it, checking it, getting everything back; and what every command that saved does last.

mod devices;
mod restore;
mod verify;

use std::path::Path;

use serde::Serialize;

use super::args::{Backup, BackupCommand};
use super::failure::{Doing, Failure};
use super::output::{answer, json, say};
use super::prompt;
use super::recover::{rfc3339, shown, when};
use super::session::{Session, World};
use crate::backup::ledger::Ledger;
use crate::backup::place::{self, BackupError, Destination, Here, InFile, Store};
use crate::backup::round::Known;
use crate::backup::standing::{self, Standing, Status, cause};
use crate::keychain::{Keychain, Probe};
use crate::policy::{self, PERSONAL};
use crate::report::{Exit, Report};
use crate::text::{clean, count};
use crate::vault::VaultId;
use crate::vault::file::Place;

/// `backup`.
///
/// # Errors
/// When the vault cannot be opened, nobody said yes, or the backup cannot be done.
pub fn backup(world: &World, args: &Backup) -> Result<(), Failure> {
    match &args.command {
        None | Some(BackupCommand::Status) => status(world, args.json),
        Some(BackupCommand::Now) => now(world, args.json),
        Some(BackupCommand::Verify) => verify::verify(world, args.json),
        Some(BackupCommand::Restore { folder, vault_id, yes }) => {
            restore::get_back(world, folder.as_deref(), vault_id.as_deref(), *yes, args.json)
        }
        Some(BackupCommand::Enable { folder }) => enable(world, folder.as_deref(), args.json),
        Some(BackupCommand::Disable { wipe, yes }) => disable(world, *wipe, *yes, args.json),
        Some(BackupCommand::Devices) => devices::devices(world, args.json),
        Some(BackupCommand::Forget { device, yes }) => devices::forget(world, device, *yes, args.json),
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
        let [without, failing] = Ledger::topics(&to.id());
        let (topic, words) = match keychain.probe() {
            Probe::Ready => match round(session, to, &*keychain) {
                Ok(accounts) => (format!("on {}", to.id()), notice(to, accounts)),
                Err(error) => (failing, not_done(&cause(&error))),
            },
            other => (without, not_done(&other.describe())),
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

/// What `backup now --json` and `backup enable --json` print.
#[derive(Serialize, Default)]
struct NowRow {
    backed_up: Vec<DoneRow>,
    failed: Vec<FailedRow>,
}

#[derive(Serialize)]
struct DoneRow {
    store: &'static str,
    reach: String,
    accounts: usize,
}

#[derive(Serialize)]
struct FailedRow {
    store: &'static str,
    reason: String,
}

fn now(world: &World, as_json: bool) -> Result<(), Failure> {
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
    let mut row = NowRow::default();
    if wanted.is_empty() {
        say("There is no account yet; the backup starts with the first.");
    }
    let mut bad = None;
    for to in &wanted {
        make_first(&session, to);
        let keychain = to.open(prompt::can_type_secrets());
        match round(&mut session, to, &*keychain) {
            Ok(accounts) => {
                row.backed_up.push(DoneRow { store: to.store_name(), reach: to.reach(), accounts });
                let place = match &to.store {
                    Store::Keychain { keyring: None } => String::from("the keychain"),
                    Store::Keychain { keyring: Some(label) } => format!("the keyring {}", clean(label)),
                    Store::Folder(path) => shown(path),
                };
                let accounts = count(accounts, "account");
                say(&format!("Backed up {accounts} to {place}; that reaches {}.", clean(&to.reach())));
            }
            Err(error) => {
                row.failed.push(FailedRow { store: to.store_name(), reason: cause(&error) });
                if wanted.len() > 1 {
                    say(&format!("otpanel: {}: {}", to.store_name(), clean(&cause(&error))));
                }
                bad = Some(error);
            }
        }
    }
    match bad {
        Some(error) if row.backed_up.is_empty() => Err(failed(&error)),
        _ if as_json => json(&row),
        _ => Ok(()),
    }
}

/// A folder that a policy names is made at its first backup; nobody has said `enable` for it. What fails is told by the round.
fn make_first(session: &Session, to: &Destination) {
    if let Store::Folder(path) = &to.store
        && to.identity != PERSONAL
        && !ledger(session).done.contains_key(&to.id())
        && let Err(error) = place::folder(path)
    {
        tracing::warn!(%error, "the folder of the policy cannot be made");
    }
}

fn enable(world: &World, folder: Option<&Path>, as_json: bool) -> Result<(), Failure> {
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
    remember(&session.place, session.unlocked.vault_id(), |ledger| place::enable(ledger, folder.as_deref()))?;
    drop(session);
    now(world, as_json)
}

/// A folder that is there, or can be made, by its whole path.
fn absolute(path: &Path) -> Result<std::path::PathBuf, Failure> {
    place::folder(path).map_err(|source| Failure::File { path: path.to_owned(), doing: Doing::Write, source })
}

/// What `backup disable --json` prints.
#[derive(Serialize)]
struct OffRow {
    state: &'static str,
    wiped: Vec<&'static str>,
}

fn disable(world: &World, wipe: bool, yes: bool, as_json: bool) -> Result<(), Failure> {
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
    let (mut bad, mut wiped) = (None, Vec::new());
    if wipe {
        for (to, result) in Here::new(&session.place).wipe_all(&all, prompt::can_type_secrets(), vault) {
            match result {
                Ok(()) => {
                    wiped.push(to.store_name());
                    say(&format!("Deleted what this machine had in the {}.", to.store_name()));
                }
                Err(error) => bad = Some(error),
            }
        }
    }
    say("The backup is off. `otpanel backup enable` turns it on again.");
    match bad {
        Some(error) => Err(failed(&error)),
        None if as_json => json(&OffRow { state: Standing::Off.name(), wiped }),
        None => Ok(()),
    }
}
