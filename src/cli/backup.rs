//! `backup`: how it stands, doing it, checking it, getting everything back.

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
use crate::backup::here::{BackupError, Here};
use crate::backup::ledger::Ledger;
use crate::backup::place::{self, Destination, Replaced, Store};
use crate::backup::standing::{self, Standing, Status, cause};
use crate::policy::{self, PERSONAL};
use crate::report::{Exit, Report};
use crate::text::{clean, count, fit};
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
    let all = standing::all(&session.unlocked, &session.ledger(), session.backup, &session.policy);
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
    if all.iter().any(|status| matches!(status.standing, Standing::Waiting | Standing::Unavailable)) {
        text.push_str("`otpanel backup now` tries again; `otpanel backup enable --folder DIR` keeps it in a folder.\n");
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
    /// Accounts that are too large for it.
    #[serde(skip_serializing_if = "is_none")]
    left_out: usize,
    /// Items that lie there and cannot be read.
    #[serde(skip_serializing_if = "is_none")]
    unread: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_none(n: &usize) -> bool {
    *n == 0
}

#[derive(Serialize)]
struct FailedRow {
    store: &'static str,
    reason: String,
}

fn now(world: &World, as_json: bool) -> Result<(), Failure> {
    let mut session = world.open()?;
    let (row, bad) = rounds(world, &mut session)?;
    told(&row, bad, as_json)
}

/// What rounds came to: an error where none of them went well.
fn told(row: &NowRow, bad: Option<BackupError>, as_json: bool) -> Result<(), Failure> {
    match bad {
        Some(error) if row.backed_up.is_empty() => Err(failed(&error)),
        _ if as_json => json(row),
        _ => Ok(()),
    }
}

/// A round to every place that is on, and the last failure: the folder's, where it failed, since that comes last.
fn rounds(world: &World, session: &mut Session) -> Result<(NowRow, Option<BackupError>), Failure> {
    session.unseen = false;
    if !session.destinations().iter().any(|to| to.on) {
        return Err(Report::new(
            Exit::Failed,
            "The backup is off",
            if world.config.backup.enabled { "It was turned off on this machine." } else { "The config turns it off." },
            "`otpanel backup enable` turns it on; where the config says `backup: (enabled: false)`, change that first.",
        )
        .into());
    }
    let wanted = session.wanted();
    let mut row = NowRow::default();
    if wanted.is_empty() {
        say("There is no account yet; the backup starts with the first.");
    }
    let mut bad = None;
    for to in &wanted {
        make_first(session, to);
        let keychain = to.open(prompt::can_type_secrets());
        match session.round(to, &*keychain) {
            Ok(backed) => {
                let (accounts, left_out) = (backed.accounts, backed.left_out.len());
                let unread = backed.missing + backed.foreign + backed.damaged;
                row.backed_up.push(DoneRow { store: to.store_name(), reach: to.reach(), accounts, left_out, unread });
                let place = match &to.store {
                    Store::Keychain { keyring: None } => String::from("the keychain"),
                    Store::Keychain { keyring: Some(label) } => format!("the keyring {}", clean(label)),
                    Store::Folder(path) => shown(path),
                };
                let accounts = count(accounts, "account");
                say(&format!("Backed up {accounts} to {place}; that reaches {}.", clean(&to.reach())));
                if left_out > 0 {
                    let names =
                        backed.left_out.iter().take(3).map(|id| fit(&clean(&session.name(*id)), 30).into_owned());
                    let left_out = count(left_out, "account");
                    let names = names.collect::<Vec<_>>().join(", ");
                    say(&format!("otpanel: {left_out} not there, too large for it: {names}. Shorten the name."));
                }
                if unread > 0 {
                    let unread = count(unread, "item");
                    say(&format!(
                        "otpanel: {unread} there cannot be read; `otpanel backup verify` says which and why."
                    ));
                }
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
    Ok((row, bad))
}

/// A folder that a policy names is made at its first backup; nobody has said `enable` for it. What fails is told by the round.
fn make_first(session: &Session, to: &Destination) {
    if let Store::Folder(path) = &to.store
        && to.identity != PERSONAL
        && !session.ledger().done.contains_key(&to.id())
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
    let mut session = world.open()?;
    let vault = session.unlocked.vault_id();
    let mut before = Replaced::default();
    remember(&session.place, vault, |ledger| before = place::enable(ledger, folder.as_deref()))?;
    let (row, bad) = rounds(world, &mut session)?;
    let mut taken_back = false;
    remember(&session.place, vault, |ledger| taken_back = place::take_back_failed(ledger, before))?;
    if let (true, Some(error)) = (taken_back, &bad) {
        let next = match session.ledger().folder {
            Some(folder) => format!("The backup goes on into {}. Mend that or name another folder.", shown(&folder)),
            None => String::from("Mend that or name another folder."),
        };
        return Err(Report::new(Exit::Failed, "The folder is not taken for the backup", cause(error), next).into());
    }
    told(&row, bad, as_json)
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
    let all = session.destinations();
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
