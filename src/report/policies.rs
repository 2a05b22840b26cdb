//! The policy of the machine: why it is not obeyed, and what it does not allow.

use std::path::Path;

use super::ground::system;
use super::{Exit, Report};
use crate::config::Mistake;
use crate::policy::{PolicyError, Refusal};
use crate::text::clean;

told! {
    PolicyError => policy;
    Refusal => refusal;
}

/// Accounts that a refusal names.
const NAMED: usize = 3;
/// Where to read what holds.
const WHO: &str = "`otpanel policy` tells what is set and where.";

fn policy(error: &PolicyError) -> Report {
    let shown = |path: &Path| clean(&path.display().to_string()).into_owned();
    let ignored = "The policy of this machine is ignored";
    let told = |cause: String, next: &str| Report::new(Exit::Failed, ignored, cause, next);
    match error {
        PolicyError::Read { path, source } => told(
            format!("{}: {}.", shown(path), system(source)),
            if cfg!(windows) {
                "It has to be a text that everybody can read; tell who looks after this machine."
            } else {
                "It has to be readable by everybody (chmod a+r); tell who looks after this machine."
            },
        ),
        PolicyError::NotPlain(path) => told(
            format!("{} is a link, or not what it should be: a plain file in a plain folder.", shown(path)),
            "Put the file itself there; tell who looks after this machine.",
        ),
        PolicyError::Owner { path, owner } => told(
            format!("{} belongs to user {owner}, and only root may write a policy.", shown(path)),
            "If it is meant, chown root makes it hold; if not, delete it.",
        ),
        PolicyError::Writable { path, mode } => told(
            format!("{} can be written by others than root ({mode:04o}), so anybody may have written it.", shown(path)),
            "If it is meant, chmod go-w makes it hold; if not, delete it.",
        ),
        PolicyError::File(path) => told(
            format!(
                "{} is a file that anybody may have put there. On Windows the registry sets the policy.",
                shown(path)
            ),
            r"If it is meant, its text belongs in the value `policy` of HKLM\SOFTWARE\Policies\otpanel; if not, delete it.",
        ),
        PolicyError::TooLong(path) => told(
            format!("{} is longer than 64 KiB, which no policy is.", shown(path)),
            "Look at what it is; tell who looks after this machine.",
        ),
        PolicyError::Text { path, mistake } => {
            let Mistake { line, column, problem, expected, nearest } = &**mistake;
            let hint = match nearest {
                Some(name) => format!("Did you mean `{name}`?"),
                None => format!("Expected: {}.", clean(expected)),
            };
            let place = format!("{}, line {line}, column {column}", shown(path));
            told(format!("{place}: {}.", clean(problem)), &format!("{hint} Nothing of it holds until that is mended."))
        }
    }
}

fn refusal(refusal: &Refusal) -> Report {
    match refusal {
        Refusal::Export { organisation, accounts, of } => {
            let mut names: Vec<String> = accounts.iter().take(NAMED).map(|name| clean(name).into_owned()).collect();
            if accounts.len() > NAMED {
                names.push(format!("{} more", accounts.len() - NAMED));
            }
            let names = match names.split_last() {
                Some((last, [])) => last.clone(),
                Some((last, others)) => format!("{} and {last}", others.join(", ")),
                None => String::new(),
            };
            let whose = if accounts.len() == 1 { "belongs" } else { "belong" };
            let next = if accounts.len() < *of {
                format!("Personal accounts may go: name them, or add --personal. {WHO}")
            } else {
                WHO.to_owned()
            };
            let name = clean(organisation);
            Report::new(
                Exit::Failed,
                format!("{name} does not allow the secrets of its accounts to leave"),
                format!("{names} {whose} to it. Nothing was written or shown."),
                next,
            )
        }
        Refusal::Leave { organisation } => Report::new(
            Exit::Failed,
            format!("{} does not allow its accounts to become personal", clean(organisation)),
            "Its secret would leave with it. Nothing was changed.",
            WHO,
        ),
        Refusal::Personal { organisation } => Report::new(
            Exit::Failed,
            format!("{} does not allow personal accounts to be added here", clean(organisation)),
            "It is set by the policy of this machine. Nothing was changed.",
            format!("Keep it in another authenticator, or add it as an account of the organisation. {WHO}"),
        ),
        Refusal::NoIdentity => Report::new(
            Exit::Usage,
            "No organisation manages this machine",
            "There is no policy that names one, so every account here is personal.",
            WHO,
        ),
    }
}
