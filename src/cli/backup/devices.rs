//! `backup devices` and `backup forget`: the machines that back up there.

use serde::Serialize;

use super::super::failure::Failure;
use super::super::output::{answer, columns, json, say};
use super::super::prompt;
use super::super::recover::rfc3339;
use super::super::session::{Session, World};
use super::{agreed, failed};
use crate::backup::here::{Here, InFile};
use crate::backup::place::Destination;
use crate::backup::round::Device;
use crate::keychain::Probe;
use crate::report::{Exit, Report};
use crate::text::clean;
use crate::vault::DeviceId;

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
    for to in session.destinations() {
        let keychain = to.open(prompt::can_type_secrets());
        if keychain.probe() == Probe::Ready {
            let found = here.verify(&to, &*keychain, &session.unlocked).map_err(|error| failed(&error))?;
            rows.extend(found.devices.into_iter().map(|device| (to.clone(), device)));
        }
    }
    Ok(rows)
}

/// `backup devices`.
///
/// # Errors
/// When the vault cannot be opened or a place cannot be read.
pub fn devices(world: &World, as_json: bool) -> Result<(), Failure> {
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

/// What `backup forget --json` prints.
#[derive(Serialize)]
struct ForgottenRow<'a> {
    id: String,
    name: &'a str,
    stores: Vec<&'static str>,
}

fn not_one(problem: &str, cause: &str) -> Failure {
    Report::new(Exit::NotFound, problem, cause, "`otpanel backup devices` lists them; give an id.").into()
}

/// `backup forget`.
///
/// # Errors
/// When not exactly one other machine has that name, nobody said yes, or not everything of it can be brought here.
pub fn forget(world: &World, named: &str, yes: bool, as_json: bool) -> Result<(), Failure> {
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
            let problem = format!("No machine `{}` backs up there", clean(named));
            return Err(not_one(&problem, "None of them has this id or calls itself so."));
        }
        [id] if id == here.device => {
            return Err(Failure::usage(
                "That is this machine",
                "`otpanel backup disable --wipe` deletes what it stored.",
            ));
        }
        [_] => {}
        _ => {
            return Err(not_one("Several machines have that name", "A name need not be of one machine alone."));
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
    if let (true, Some((_, device))) = (as_json, matching.first()) {
        let stores = matching.iter().map(|(to, _)| to.store_name()).collect();
        return json(&ForgottenRow { id: device.id.to_string(), name: &device.label, stores });
    }
    Ok(())
}
