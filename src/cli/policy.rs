//! `policy`: what an organisation set on this machine, or why its file is not obeyed.

use std::path::PathBuf;

use serde::Serialize;

use super::args::{Global, Policy as Args};
use super::failure::Failure;
use super::output::{answer, columns, json};
use super::session::places;
use crate::config::Config;
use crate::policy::{Backup, Export, Found, ManagedStore, Personal, Policy, Secrets};
use crate::report::Report;
use crate::text::clean;

/// What `policy --json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    state: &'static str,
    file: &'a PathBuf,
    reason: Option<String>,
    identity: Option<Identity<'a>>,
    backup: &'static str,
    secrets: &'static str,
    export: &'static str,
    max_idle_lock_secs: Option<u32>,
    max_clipboard_secs: Option<u32>,
    personal: &'static str,
}

#[derive(Serialize)]
struct Identity<'a> {
    name: &'a str,
    store: &'static str,
    place: Option<String>,
}

/// `policy`.
///
/// # Errors
/// When a policy is there and ignored, or the answer cannot be written.
pub fn policy(global: &Global, args: &Args) -> Result<(), Failure> {
    let found = Policy::read();
    let trouble = found.trouble.as_ref().map(Report::from);
    let policy = found.in_force();
    if args.json {
        json(&to_json(&found, &policy, trouble.as_ref()))?;
    }
    if let Some(report) = trouble {
        return Err(report.into());
    }
    if args.json {
        return Ok(());
    }
    if found.policy.is_none() {
        return answer(&format!("No policy is set on this machine: {} does not exist.\n", shown(&found)));
    }
    // The user's own settings stand beside the limits; a mistake in them is no matter of the policy's.
    let config = places(global).ok().and_then(|paths| Config::load(&paths.config_file).ok()).unwrap_or_default();
    let mut rows = vec![vec![
        "set by".to_owned(),
        format!("{}, which {} alone can write", shown(&found), if cfg!(windows) { "an administrator" } else { "root" }),
    ]];
    rows.extend(said(&policy, &config).into_iter().map(|(what, text)| vec![what.to_owned(), text]));
    answer(&columns(&rows))
}

fn shown(found: &Found) -> String {
    clean(&found.path.display().to_string()).into_owned()
}

fn to_json<'a>(found: &'a Found, policy: &'a Policy, trouble: Option<&Report>) -> Answer<'a> {
    Answer {
        state: match (&found.policy, trouble) {
            (_, Some(_)) => "ignored",
            (Some(_), None) => "in force",
            (None, None) => "none",
        },
        file: &found.path,
        reason: trouble.map(|report| report.cause.clone()),
        identity: policy.identity.as_ref().map(|managed| {
            let (store, place) = match &managed.store {
                ManagedStore::Keychain { collection } => ("keychain", collection.clone()),
                ManagedStore::Folder(folder) => ("folder", Some(folder.display().to_string())),
            };
            Identity { name: &managed.name, store, place }
        }),
        backup: backup(policy.backup),
        secrets: secrets(policy.secrets),
        export: export(policy.export),
        max_idle_lock_secs: policy.max_idle_lock_secs,
        max_clipboard_secs: policy.max_clipboard_secs,
        personal: personal(policy.personal),
    }
}

const fn backup(backup: Backup) -> &'static str {
    match backup {
        Backup::Required => "required",
        Backup::Allowed => "allowed",
        Backup::Forbidden => "forbidden",
    }
}

const fn secrets(secrets: Secrets) -> &'static str {
    match secrets {
        Secrets::Included => "included",
        Secrets::NamesOnly => "names only",
    }
}

const fn export(export: Export) -> &'static str {
    match export {
        Export::Allowed => "allowed",
        Export::Forbidden => "forbidden",
    }
}

const fn personal(personal: Personal) -> &'static str {
    match personal {
        Personal::Allowed => "allowed",
        Personal::Forbidden => "forbidden",
    }
}

/// What holds, line by line.
fn said(policy: &Policy, config: &Config) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    match &policy.identity {
        None => lines.push(("identity", "none: every account is personal".to_owned())),
        Some(managed) => {
            let whose = clean(&managed.name);
            let place = match &managed.store {
                ManagedStore::Keychain { collection: None } => "the keychain".to_owned(),
                ManagedStore::Keychain { collection: Some(name) } => {
                    format!("the keychain, in the collection {}", clean(name))
                }
                ManagedStore::Folder(folder) => clean(&folder.display().to_string()).into_owned(),
            };
            lines.push(("identity", format!("{whose}: new accounts belong to it, unless you choose personal")));
            lines.push(("backup", format!("{}, to {place}", backup(policy.backup))));
            lines.push(("secrets in it", secrets(policy.secrets).to_owned()));
            lines.push(("export", export(policy.export).to_owned()));
            lines.push(("personal", personal(policy.personal).to_owned()));
        }
    }
    let in_force = policy.cap(config.clone());
    let limit = |most: Option<u32>, own: u32, now: u32| match most {
        None => "no limit".to_owned(),
        Some(most) if own != now => {
            let own = if own == 0 { "never".to_owned() } else { format!("{own} s") };
            format!("after {most} s at most; your config says {own}, {now} s holds")
        }
        Some(most) => format!("after {most} s at most; your config says {own} s"),
    };
    lines.push(("idle lock", limit(policy.max_idle_lock_secs, config.idle_lock_secs, in_force.idle_lock_secs)));
    let (own, now) = (config.clipboard.clear_secs, in_force.clipboard.clear_secs);
    lines.push(("clipboard", limit(policy.max_clipboard_secs, own, now)));
    lines
}
