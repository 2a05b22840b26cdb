//! One account with its codes, and how it is answered.

use std::io::{self, IsTerminal as _};

use serde::Serialize;

use super::args::Code as Args;
use super::failure::Failure;
use super::output::{answer, json, say};
use crate::otp::Account;
use crate::otp::account::title;
use crate::otp::code::{Code, code_at, next_code_at, remaining};
use crate::text::clean;
use crate::time::UnixTime;
use crate::vault::EntryId;

/// What `--codes` adds; all empty for HOTP, whose codes are used up by being shown.
#[derive(Serialize, Default)]
pub struct Codes<'a> {
    pub code: Option<&'a str>,
    pub next: Option<&'a str>,
    pub remaining: Option<u64>,
}

/// A code with the one after it, as far as they can be known without using them up.
pub struct Pair {
    pub code: Option<Code>,
    pub next: Option<Code>,
    pub remaining: Option<u64>,
}

impl Pair {
    /// Of this moment.
    pub fn of(account: &Account, now: UnixTime) -> Self {
        Self {
            code: code_at(account, now),
            next: next_code_at(account, now),
            remaining: account.kind.period().map(|p| remaining(p, now)),
        }
    }

    /// As `list --json` prints it.
    pub fn view(&self) -> Codes<'_> {
        Codes {
            code: self.code.as_ref().map(Code::expose),
            next: self.next.as_ref().map(Code::expose),
            remaining: self.remaining,
        }
    }
}

/// The code that is asked for: of now, or the next.
///
/// # Errors
/// [`Failure::NoNextCode`].
pub fn chosen(pair: &Pair, next: bool) -> Result<&Code, Failure> {
    let code = if next { pair.next.as_ref() } else { pair.code.as_ref() };
    code.ok_or(Failure::NoNextCode)
}

/// What `code --json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    id: String,
    issuer: &'a str,
    account: &'a str,
    code: &'a str,
    next: Option<&'a str>,
    remaining: Option<u64>,
    period: Option<u64>,
}

/// An account and its codes.
pub struct Found {
    /// Its entry.
    pub id: EntryId,
    /// The account.
    pub account: Account,
    /// Its codes.
    pub pair: Pair,
}

/// Answers `code`.
pub fn tell(args: &Args, Found { id, account, pair }: &Found) -> Result<(), Failure> {
    let shown = chosen(pair, args.next)?;
    if args.json {
        return json(&Answer {
            id: id.to_string(),
            issuer: &account.issuer,
            account: &account.account,
            code: shown.expose(),
            next: pair.next.as_ref().map(Code::expose),
            remaining: pair.remaining,
            period: account.kind.period(),
        });
    }
    // Part of a name is enough, so a person is told whose code it is.
    let title = title(&account.issuer, &account.account);
    let names = [&account.issuer, &account.account, &title].map(|name| name.to_lowercase());
    let is_named = names.contains(&args.query.to_lowercase()) || args.query == id.to_string();
    if !is_named && io::stderr().is_terminal() {
        say(&clean(&title));
    }
    answer(&format!("{}\n", shown.expose()))
}
