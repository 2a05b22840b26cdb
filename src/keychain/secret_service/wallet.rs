//! KWallet's wallets: open, and yet called locked.
//!
//! To KWallet a collection is locked until some program has unlocked it over this interface, and so at the beginning of every
//! session, though its wallet has been open since the login. Unlocking an open wallet raises no dialog; a closed one would ask for
//! its password. So KWallet is asked first, over its own interface, on the connection that it answers on anyway.
//! Source: `org.kde.KWallet.xml`, and KWallet 5.103 as it runs.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Arg, BUS, Bus, BusError, Call, Reader, SERVICE, is_locked, label_of};

/// Where KWallet answers by its own interface: since 6.13, in 6 before, in 5.
const PLACES: [&str; 3] = ["/ksecretd", "/modules/kwalletd6", "/modules/kwalletd5"];
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
/// Whether a wallet that is open has not come unlocked: it was set to ask for each program, and is left to its user from then on.
static ASKS: AtomicBool = AtomicBool::new(false);

/// Unlocks a collection where it is a wallet that is open. Says whether it is unlocked now.
pub(super) fn unlock_open(bus: &mut Bus, collection: &str) -> bool {
    if ASKS.load(Ordering::Relaxed) || !is_open(bus, collection).unwrap_or(false) {
        return false;
    }
    let unlocked = unlock(bus, collection);
    tracing::debug!(?unlocked, "an open wallet is unlocked");
    ASKS.store(unlocked.is_err(), Ordering::Relaxed);
    unlocked.is_ok()
}

fn is_open(bus: &mut Bus, collection: &str) -> Result<bool, BusError> {
    let wallet = label_of(bus, collection)?;
    for path in PLACES {
        match bus.call(Call { path, interface: "org.kde.KWallet", member: "isOpen", ..SERVICE }, &[Arg::Str(&wallet)]) {
            Ok(answer) => return answer.read().bool(),
            // Not KWallet, or another of its versions.
            Err(BusError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

fn unlock(bus: &mut Bus, collection: &str) -> Result<(), BusError> {
    let rule = format!("type='signal',interface='{PROMPT}',member='Completed'");
    bus.call(Call { member: "AddMatch", ..BUS }, &[Arg::Str(&rule)])?;
    let answer = bus.call(Call { member: "Unlock", ..SERVICE }, &[Arg::Paths(&[collection])])?;
    let mut answer = answer.read();
    answer.array(4, Reader::str)?;
    let prompt = answer.str()?;
    if prompt != "/" {
        bus.call(Call { path: prompt, interface: PROMPT, member: "Prompt", ..SERVICE }, &[Arg::Str("")])?;
    }
    // Others' dialogs may end, too.
    while is_locked(bus, collection)? {
        bus.signal()?;
    }
    Ok(())
}
