//! A keychain in memory that can be told to misbehave as real ones do: fail, be locked, hang, lose, forget, replay.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Keychain, KeychainError, Probe};
use crate::secret::Secret;

type Pair = (String, String);

#[derive(Default)]
struct Inner {
    /// Every value ever stored under a pair; the last one is the current one.
    items: BTreeMap<Pair, Vec<Vec<u8>>>,
    state: Option<Probe>,
    failures: BTreeMap<usize, KeychainError>,
    lose: usize,
    hang: bool,
    limit: Option<usize>,
    calls: usize,
    announced: Vec<(String, u64)>,
}

/// A keychain for tests. Share it by `Arc` to have two devices on one keychain.
#[derive(Default)]
pub struct MemoryKeychain {
    inner: Mutex<Inner>,
    released: Condvar,
}

impl MemoryKeychain {
    /// An empty keychain that works.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts it in a state; in any but [`Probe::Ready`] every call fails as the real one would.
    pub fn put_in(&self, state: Probe) {
        self.lock().state = Some(state);
    }

    /// Lets the call with this number from now (0: the next one) fail, after which things work again.
    pub fn fail_call(&self, from_now: usize, error: KeychainError) {
        let mut inner = self.lock();
        let at = inner.calls + from_now;
        inner.failures.insert(at, error);
    }

    /// The next `n` writes are answered with success and lost.
    pub fn lose_writes(&self, n: usize) {
        self.lock().lose = n;
    }

    /// Calls block, as behind a dialog that nobody answers, until [`Self::release`], at most a minute.
    pub fn hang(&self) {
        self.lock().hang = true;
    }

    /// Lets the blocked calls go on.
    pub fn release(&self) {
        self.lock().hang = false;
        self.released.notify_all();
    }

    /// Refuses secrets above so many bytes.
    pub fn limit(&self, bytes: usize) {
        self.lock().limit = Some(bytes);
    }

    /// An item is gone as if never stored; `false` when there was none.
    pub fn forget(&self, service: &str, user: &str) -> bool {
        self.lock().items.remove(&pair(service, user)).is_some()
    }

    /// Everything is gone.
    pub fn forget_all(&self) {
        self.lock().items.clear();
    }

    /// An item has the value before its last one again (a keychain restored from an old copy).
    pub fn replay(&self, service: &str, user: &str) -> bool {
        match self.lock().items.get_mut(&pair(service, user)) {
            Some(values) if values.len() > 1 => values.pop().is_some(),
            _ => false,
        }
    }

    /// All items as (service, user, secret), sorted.
    pub fn items(&self) -> Vec<(String, String, Vec<u8>)> {
        let inner = self.lock();
        let current = |values: &Vec<Vec<u8>>| values.last().cloned().unwrap_or_default();
        inner.items.iter().map(|((service, user), values)| (service.clone(), user.clone(), current(values))).collect()
    }

    /// How many calls were made, probes left out.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// The users that others were told of, with their revisions, in order.
    pub fn announced(&self) -> Vec<(String, u64)> {
        self.lock().announced.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call in and lets it go wrong where it was told to.
    fn call(&self) -> Result<MutexGuard<'_, Inner>, KeychainError> {
        let (mut inner, _) = self
            .released
            .wait_timeout_while(self.lock(), Duration::from_secs(60), |inner| inner.hang)
            .unwrap_or_else(PoisonError::into_inner);
        let at = inner.calls;
        inner.calls += 1;
        if let Some(error) = inner.failures.remove(&at) {
            return Err(error);
        }
        match &inner.state {
            None | Some(Probe::Ready) => Ok(inner),
            Some(Probe::Locked) => Err(KeychainError::Locked),
            Some(other) => Err(KeychainError::Unavailable(other.clone())),
        }
    }
}

fn pair(service: &str, user: &str) -> Pair {
    (service.to_owned(), user.to_owned())
}

impl Keychain for MemoryKeychain {
    fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError> {
        let mut inner = self.call()?;
        if let Some(limit) = inner.limit.filter(|limit| secret.len() > *limit) {
            return Err(KeychainError::TooLarge { limit });
        }
        if inner.lose > 0 {
            inner.lose -= 1;
            return Ok(());
        }
        inner.items.entry(pair(service, user)).or_default().push(secret.to_vec());
        Ok(())
    }

    fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError> {
        let inner = self.call()?;
        Ok(inner.items.get(&pair(service, user)).and_then(|values| values.last()).cloned().map(Secret::new))
    }

    fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError> {
        Ok(self.call()?.items.remove(&pair(service, user)).is_some())
    }

    fn search(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        let inner = self.call()?;
        Ok(inner.items.keys().filter(|(s, _)| s == service).map(|(_, user)| user.clone()).collect())
    }

    fn announce(&self, _: &str, user: &str, revision: u64) {
        self.lock().announced.push((user.to_owned(), revision));
    }

    fn probe(&self) -> Probe {
        self.lock().state.clone().unwrap_or(Probe::Ready)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn read(keychain: &MemoryKeychain, user: &str) -> Option<Vec<u8>> {
        keychain.get("s", user).unwrap().map(|secret| secret.expose().clone())
    }

    #[test]
    fn stores_finds_and_deletes() {
        let keychain = MemoryKeychain::new();
        keychain.set("s", "b", b"2").unwrap();
        keychain.set("s", "a", b"1").unwrap();
        keychain.set("other", "c", b"3").unwrap();
        assert_eq!(keychain.search("s").unwrap(), ["a", "b"]);
        assert_eq!(read(&keychain, "a"), Some(b"1".to_vec()));
        assert!(keychain.delete("s", "a").unwrap());
        assert!(!keychain.delete("s", "a").unwrap());
        assert_eq!(read(&keychain, "a"), None);
    }

    #[test]
    fn misbehaves_as_told_and_recovers() {
        let keychain = MemoryKeychain::new();
        keychain.fail_call(1, KeychainError::Dismissed);
        keychain.set("s", "a", b"1").unwrap();
        assert_eq!(keychain.set("s", "a", b"2"), Err(KeychainError::Dismissed));
        keychain.set("s", "a", b"2").unwrap();
        assert!(keychain.replay("s", "a"));
        assert_eq!(read(&keychain, "a"), Some(b"1".to_vec()));
        keychain.lose_writes(1);
        keychain.set("s", "b", b"3").unwrap();
        assert_eq!(read(&keychain, "b"), None);
        keychain.limit(2);
        assert_eq!(keychain.set("s", "a", b"123"), Err(KeychainError::TooLarge { limit: 2 }));
        keychain.put_in(Probe::Locked);
        assert_eq!((keychain.probe(), keychain.search("s").unwrap_err()), (Probe::Locked, KeychainError::Locked));
    }

    #[test]
    fn hangs_until_released() {
        let keychain = Arc::new(MemoryKeychain::new());
        keychain.hang();
        let other = Arc::clone(&keychain);
        let waiting = std::thread::spawn(move || other.set("s", "a", b"1"));
        std::thread::sleep(Duration::from_millis(30));
        assert!(!waiting.is_finished());
        keychain.release();
        waiting.join().unwrap().unwrap();
    }
}
