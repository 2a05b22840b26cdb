//! The short way to one code: for a vault that opens without typing and an account that is there. It looks at the names
//! and opens one entry; the rest of the vault is decrypted and not decoded.
//!
//! It says nothing but the code. Whenever anything is not as usual (a password to read, a locked keychain, a file that went
//! back, a query that names no one account, a counter to save) it gives up, and the whole way says or does what is needed.

use super::args::Code as Args;
use super::clock::say_clock_trouble;
use super::failure::Failure;
use super::found::{Found, Pair, tell};
use super::query::{self, Named};
use super::session::World;
use crate::keychain::system::{self, SystemKeychain};
use crate::local::Local;
use crate::otp::{Account, Kind};
use crate::rollback;
use crate::unlock;
use crate::vault::payload::glance::Glance;
use crate::vault::{DataKey, Entry, Locked, VaultId};

/// Prints the code; nothing was said or done where it gives none.
pub fn code(world: &World, args: &Args) -> Option<Result<(), Failure>> {
    let keychain = system::system();
    if !world.config.unlock.remember.is_on() && !world.names_password() {
        // It answers while the file is read.
        keychain.begin();
    }
    let locked = world.place().load().ok()?;
    let dek = key(world, &locked, &keychain)?;
    let vault = locked.vault_id();
    let found = locked.glance(&dek, |glance| find(world, vault, glance, &args.query))??;
    Some(tell(args, &found))
}

fn key(world: &World, locked: &Locked, keychain: &SystemKeychain) -> Option<DataKey> {
    world.remembered(locked).or_else(|| {
        if world.names_password() {
            return None;
        }
        let dek = unlock::key_of_keychain(locked, keychain)?;
        world.remember(locked.vault_id(), &dek);
        Some(dek)
    })
}

fn find(world: &World, vault: VaultId, glance: &Glance<'_>, text: &str) -> Option<Found> {
    let names: Vec<Named<'_>> =
        glance.live.iter().map(|one| Named { id: one.id, issuer: &one.issuer, account: &one.account }).collect();
    let [place] = query::find(text, &names).places[..] else { return None };
    let entry = glance.entry(place)?;
    let account = usable(&entry)?;
    if let Ok(mut local) = Local::open(&world.paths.state_dir) {
        if rollback::is_behind(vault, &glance.seen, &local) {
            return None;
        }
        rollback::note_seen(vault, &glance.seen, &mut local);
    }
    say_clock_trouble(world.now, glance.seen.values().copied().max());
    let pair = Pair::of(&account, world.now);
    Some(Found { id: entry.id, account, pair })
}

/// The account of an entry, unless its codes are used up by being shown.
fn usable(entry: &Entry) -> Option<Account> {
    entry.account().ok().filter(|account| !matches!(account.kind, Kind::Hotp { .. }))
}
