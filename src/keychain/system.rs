//! The machine's own keychain: the Secret Service, the Apple login keychain or the Windows Credential Manager.
//!
//! The stores know no time limit, and one stuck behind a dialog blocks all its callers. So every call to a store runs on
//! one thread of its own, and callers wait for its answer only so long; what is stuck then is left behind, and a new
//! thread with a new store takes its place. On Linux reading, searching and the look that never prompts do not need the
//! store at all (see `secret_service.rs`); it serves for writing and wherever a prompt may have to be shown.
//!
//! On the Secret Service secrets are base64url text (KWallet damages bytes), elsewhere bytes (Windows takes 2,560).

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error as StoreError};
use zeroize::Zeroizing;

#[cfg(all(unix, not(target_vendor = "apple")))]
use super::secret_service::{self, Direct};
use super::{Keychain, KeychainError, Probe};
use crate::secret::{Secret, scrub_stack};

/// How long background work waits for an answer.
const QUIET_LIMIT: Duration = Duration::from_secs(3);
/// How long a call waits that may show a dialog: a password has to be typed.
const ASKING_LIMIT: Duration = Duration::from_secs(120);

/// How long a keychain that has just been started may take to open its default keyring.
const JUST_STARTED: Duration = Duration::from_secs(2);

/// The least time between two writes to KeePassXC: many new items in a row end the whole program (2.7.4, with its saving
/// after every change). This makes it rarer, and is no promise.
#[cfg(all(unix, not(target_vendor = "apple")))]
const KEEPASSXC_PAUSE: Duration = Duration::from_millis(250);

/// The machine's keychain for background work: shows no dialog where that can be known beforehand, waits 3 seconds.
pub fn system() -> SystemKeychain {
    SystemKeychain::new(false, QUIET_LIMIT)
}

/// The machine's keychain for what the user has just asked for: may show the keychain's dialog, waits 2 minutes.
pub fn asking() -> SystemKeychain {
    SystemKeychain::new(true, ASKING_LIMIT)
}

/// The machine's keychain. Connects with the first call that needs a connection.
pub struct SystemKeychain {
    may_prompt: bool,
    limit: Duration,
    /// The label of the keyring (collection) that everything lies in; the default one where there is none.
    keyring: Option<String>,
    /// When KeePassXC may be written to again; nothing where another answers.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    next_write: Mutex<Pace>,
    /// A connection that [`SystemKeychain::begin`] made.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    begun: Mutex<Option<secret_service::Greeting>>,
    worker: Mutex<Option<Sender<Job>>>,
}

/// How fast the one who answers may be written to.
#[cfg(all(unix, not(target_vendor = "apple")))]
enum Pace {
    /// Nobody has looked yet who it is.
    Unknown,
    /// As fast as it answers.
    AtOnce,
    /// It is KeePassXC: not before then.
    NotBefore(Instant),
}

type Store = Arc<CredentialStore>;

/// Work for the thread that owns the store.
struct Job {
    /// After this moment nobody waits any more, and nothing may be written.
    until: Instant,
    work: Work,
}

type Work = Box<dyn FnOnce(&mut Option<Store>) + Send>;

impl SystemKeychain {
    /// One that may or may not show a dialog and waits so long for each answer.
    pub fn new(may_prompt: bool, limit: Duration) -> Self {
        Self {
            may_prompt,
            limit,
            keyring: None,
            #[cfg(all(unix, not(target_vendor = "apple")))]
            next_write: Mutex::new(Pace::Unknown),
            #[cfg(all(unix, not(target_vendor = "apple")))]
            begun: Mutex::new(None),
            worker: Mutex::new(None),
        }
    }

    /// Connects for the next [`Keychain::get`], which then finds the connection ready, and does not wait: the caller has
    /// something else to do before it. What fails here fails again there.
    pub fn begin(&self) {
        #[cfg(all(unix, not(target_vendor = "apple")))]
        if self.keyring.is_none() {
            *self.begun.lock().unwrap_or_else(PoisonError::into_inner) =
                secret_service::greeting(self.quick_deadline()).ok();
        }
    }

    /// Waits for the default keyring for a moment: a daemon that has just been started, as at a login, answers before it has
    /// opened it.
    pub fn wait_for_keyring(&self) {
        let until = Instant::now() + JUST_STARTED;
        while self.probe() == Probe::NoCollection && Instant::now() < until {
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits where the one who answers bears few writes at a time.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    fn pace(&self) {
        let mut next = self.next_write.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*next, Pace::Unknown) {
            let careful = secret_service::is_keepassxc(self.quick_deadline());
            *next = if careful { Pace::NotBefore(Instant::now()) } else { Pace::AtOnce };
        }
        if let Pace::NotBefore(at) = &mut *next {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            *at = Instant::now() + KEEPASSXC_PAUSE;
        }
    }

    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    #[expect(clippy::unused_self, reason = "elsewhere it has something to wait for")]
    const fn pace(&self) {}

    /// The same, for items that lie in the keyring (Secret Service collection) of this label. It is never made here, since
    /// that would take a dialog: while there is none, [`Probe::NoKeyring`] is all that comes of any call. Systems that know
    /// no such thing keep everything in their one keychain.
    #[must_use]
    pub fn within(mut self, keyring: Option<&str>) -> Self {
        // The general store means the default one by that name, whatever its label.
        self.keyring = keyring.filter(|label| *label != "default" && has_keyrings()).map(str::to_owned);
        self
    }

    /// What an item of the service is found by; one user's, or all.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    fn attributes<'a>(&'a self, service: &'a str, user: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
        let mut all = vec![("service", service)];
        all.extend(user.map(|user| ("username", user)));
        all.extend(self.keyring.as_deref().map(|label| ("target", label)));
        all
    }

    /// Runs `work` on the store's thread and waits for its answer, at most until the limit.
    fn on_store<T: Send + 'static>(
        &self,
        work: impl Fn(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let until = Instant::now() + self.limit;
        let (answer, answered) = channel();
        let work = move |store: &mut Option<Store>| {
            let mut result = attempt(store, &work);
            if store.is_none() && result.is_err() && Instant::now() < until {
                // The daemon behind an open store may have died: once more, on a new one.
                result = attempt(store, &work);
            }
            drop(answer.send(result.map_err(|error| translate(&error))));
        };
        self.send(Job { until, work: Box::new(work) })?;
        answered.recv_timeout(self.limit).map_err(|error| {
            self.abandon();
            match error {
                RecvTimeoutError::Timeout => KeychainError::Timeout,
                RecvTimeoutError::Disconnected => KeychainError::Other("its thread ended".into()),
            }
        })?
    }

    fn send(&self, job: Job) -> Result<(), KeychainError> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match worker.as_ref() {
            None => job,
            Some(sender) => match sender.send(job) {
                Ok(()) => return Ok(()),
                Err(returned) => returned.0,
            },
        };
        start(&mut worker, job)
    }

    /// Leaves a stuck thread to itself; it ends when its call does.
    fn abandon(&self) {
        *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Refuses what could raise a dialog where none may be raised.
    fn may_use(&self) -> Result<(), KeychainError> {
        // The general store would make a keyring that is missing, with a dialog: it is never let near that.
        match if self.may_prompt && self.keyring.is_none() { Probe::Ready } else { self.probe() } {
            Probe::Ready => Ok(()),
            Probe::Locked if self.may_prompt => Ok(()),
            Probe::Locked => Err(KeychainError::Locked),
            other => Err(KeychainError::Unavailable(other)),
        }
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    fn quick_deadline(&self) -> Instant {
        Instant::now() + self.limit.min(QUIET_LIMIT)
    }

    /// Asks directly first; lets the store unlock what is locked where a dialog may be shown, then asks again.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    fn ask<T>(
        &self,
        spec: &[(&'static str, &str)],
        direct: impl Fn(Instant) -> Direct<T>,
        nothing: impl Fn(&T) -> bool,
        store: impl FnOnce() -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        if self.keyring.is_some()
            && let missing @ Probe::NoKeyring(_) = self.probe()
        {
            return Err(KeychainError::Unavailable(missing));
        }
        let mut asked = direct(self.quick_deadline());
        // The look unlocks what can be unlocked without a dialog.
        if matches!(asked, Direct::Locked) && self.probe() == Probe::Ready {
            asked = direct(self.quick_deadline());
        }
        if self.may_prompt && matches!(asked, Direct::Locked) {
            let spec: HashMap<&'static str, String> =
                spec.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
            self.on_store(move |store| {
                store.search(&spec.iter().map(|(key, value)| (*key, value.as_str())).collect()).map(drop)
            })?;
            asked = direct(self.quick_deadline());
        }
        match asked {
            // KeePassXC says that nothing is there while it is locked: that is no answer.
            Direct::Done(value) if nothing(&value) && self.probe() == Probe::Locked => Err(KeychainError::Locked),
            Direct::Done(value) => Ok(value),
            Direct::Locked => Err(KeychainError::Locked),
            Direct::Failed(error) => Err(error),
            Direct::AskStore => match self.may_use() {
                // Without one, reading finds nothing or what lies in others.
                Ok(()) | Err(KeychainError::Unavailable(Probe::NoCollection)) => store(),
                Err(error) => Err(error),
            },
        }
    }

    fn get_from_store(&self, service: &str, user: &str) -> Result<Option<Vec<u8>>, KeychainError> {
        let (service, user, keyring) = (service.to_owned(), user.to_owned(), self.keyring.clone());
        self.on_store(move |store| {
            match entries(store, &service, &user, keyring.as_deref())?.first().map(Entry::get_secret) {
                None | Some(Err(StoreError::NoEntry)) => Ok(None),
                Some(secret) => secret.map(Some),
            }
        })
    }

    fn search_in_store(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        let (service, keyring) = (service.to_owned(), self.keyring.clone());
        self.on_store(move |store| {
            let pattern = format!("@{}$", service.replace('.', r"\."));
            let spec = if cfg!(windows) { ("pattern", pattern.as_str()) } else { ("service", service.as_str()) };
            let spec = std::iter::once(spec).chain(keyring.as_deref().map(|label| ("target", label)));
            let found = store.search(&spec.collect())?;
            let mut users: Vec<String> = found.iter().filter_map(Entry::get_specifiers).map(|(_, user)| user).collect();
            users.sort_unstable();
            users.dedup();
            Ok(users)
        })
    }
}

/// Starts the thread that owns the store. It ends when the sender is gone.
fn start(worker: &mut Option<Sender<Job>>, job: Job) -> Result<(), KeychainError> {
    let (sender, jobs): (Sender<Job>, Receiver<Job>) = channel();
    thread::Builder::new()
        .name("keychain".into())
        .spawn(move || {
            let mut store = None;
            for job in jobs {
                if Instant::now() < job.until {
                    (job.work)(&mut store);
                    scrub_stack();
                }
            }
        })
        .map_err(|error| KeychainError::Other(error.to_string()))?;
    drop(sender.send(job));
    *worker = Some(sender);
    Ok(())
}

/// Does the work on the store, which is opened first if need be and dropped when it fails in a way a new one may not.
fn attempt<T>(slot: &mut Option<Store>, work: &impl Fn(&Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let store = match slot {
        Some(store) => store,
        None => slot.insert(open()?),
    };
    let result = work(store);
    if matches!(result, Err(StoreError::PlatformFailure(_))) {
        *slot = None;
    }
    result
}

#[cfg(all(unix, not(target_vendor = "apple")))]
fn open() -> Result<Store, StoreError> {
    let store: Store = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(windows)]
fn open() -> Result<Store, StoreError> {
    // The name is `{user}@{service}`; our services hold no `@`, so it cannot be read in two ways.
    let config = HashMap::from([("divider", "@"), ("service_no_divider", "true")]);
    let store: Store = windows_native_keyring_store::Store::new_with_configuration(&config)?;
    Ok(store)
}

/// The store that iCloud carries to the user's other devices, in the access group that the build was given.
#[cfg(all(target_vendor = "apple", feature = "icloud"))]
fn open() -> Result<Store, StoreError> {
    let group = option_env!("OTPANEL_ACCESS_GROUP").map(|group| ("access-group", group));
    let config = [("cloud-sync", "true")].into_iter().chain(group).collect();
    let store: Store = apple_native_keyring_store::protected::Store::new_with_configuration(&config)?;
    Ok(store)
}

#[cfg(all(target_vendor = "apple", not(feature = "icloud")))]
fn open() -> Result<Store, StoreError> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(StoreError::PlatformFailure(error.to_string().into()));
    }
    keyring_core::get_default_store().ok_or(StoreError::NoDefaultStore)
}

/// Whether keyrings of names of their own are known here: elsewhere the store means something else by `target`.
const fn has_keyrings() -> bool {
    cfg!(all(unix, not(target_vendor = "apple")))
}

/// The items stored under the pair: one, or more where something outside has copied them.
fn entries(store: &Store, service: &str, user: &str, keyring: Option<&str>) -> Result<Vec<Entry>, StoreError> {
    let mut modifiers = if cfg!(windows) { HashMap::from([("persistence", "Local")]) } else { HashMap::new() };
    modifiers.extend(keyring.map(|label| ("target", label)));
    let entry = store.build(service, user, Some(&modifiers))?;
    match entry.get_credential() {
        Ok(_) | Err(StoreError::NoEntry) => Ok(vec![entry]),
        Err(StoreError::Ambiguous(all)) => Ok(all),
        Err(error) => Err(error),
    }
}

fn encode(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    #[cfg(all(unix, not(target_vendor = "apple")))]
    return Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(secret).into_bytes());
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    return Zeroizing::new(secret.to_vec());
}

#[cfg_attr(
    not(all(unix, not(target_vendor = "apple"))),
    expect(clippy::unnecessary_wraps, reason = "text from the Secret Service may be anything")
)]
fn decode(stored: Vec<u8>) -> Result<Secret<Vec<u8>>, KeychainError> {
    #[cfg(all(unix, not(target_vendor = "apple")))]
    return data_encoding::BASE64URL_NOPAD
        .decode(&Zeroizing::new(stored))
        .map(Secret::new)
        .map_err(|_| KeychainError::Other("the item holds something that otpanel did not write".into()));
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    return Ok(Secret::new(stored));
}

/// Says in our words what the store said, without the bytes that some of its errors carry.
fn translate(error: &StoreError) -> KeychainError {
    match error {
        StoreError::PlatformFailure(cause) | StoreError::NoStorageAccess(cause) => {
            #[cfg(all(unix, not(target_vendor = "apple")))]
            match secret_service::probe(None, Instant::now() + QUIET_LIMIT) {
                Probe::Ready | Probe::Locked => {}
                other => return KeychainError::Unavailable(other),
            }
            let text = cause.to_string();
            match error {
                // The store has no other word for it. Without a display the daemon itself gives up the dialog.
                _ if text.contains("prompt dismissed") && has_display() => KeychainError::Dismissed,
                StoreError::NoStorageAccess(_) => KeychainError::Locked,
                _ => KeychainError::Other(text),
            }
        }
        StoreError::TooLong(_, limit) => KeychainError::TooLarge { limit: *limit as usize },
        StoreError::NoEntry => KeychainError::Other("the item vanished".into()),
        StoreError::NoDefaultStore => KeychainError::Unavailable(Probe::Unsupported("this system has none".into())),
        StoreError::NotSupportedByStore(what) => KeychainError::Unavailable(Probe::Unsupported(what.clone())),
        StoreError::Invalid(what, why) => KeychainError::Other(format!("{what} {why}")),
        _ => KeychainError::Other("its answer makes no sense".into()),
    }
}

fn has_display() -> bool {
    cfg!(not(all(unix, not(target_vendor = "apple"))))
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

impl Keychain for SystemKeychain {
    fn set(&self, service: &str, user: &str, secret: &[u8]) -> Result<(), KeychainError> {
        self.may_use()?;
        self.pace();
        let (service, user, stored) = (service.to_owned(), user.to_owned(), encode(secret));
        let keyring = self.keyring.clone();
        self.on_store(move |store| {
            entries(store, &service, &user, keyring.as_deref())?.iter().try_for_each(|entry| entry.set_secret(&stored))
        })
    }

    fn get(&self, service: &str, user: &str) -> Result<Option<Secret<Vec<u8>>>, KeychainError> {
        #[cfg(all(unix, not(target_vendor = "apple")))]
        let stored = self.ask(
            &self.attributes(service, Some(user)),
            |deadline| {
                let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
                secret_service::get(&self.attributes(service, Some(user)), begun, deadline)
            },
            Option::is_none,
            || self.get_from_store(service, user).map(|stored| stored.map(Secret::new)),
        )?;
        #[cfg(not(all(unix, not(target_vendor = "apple"))))]
        let stored = self.get_from_store(service, user)?.map(Secret::new);
        stored.map(|mut stored| decode(std::mem::take(stored.expose_mut()))).transpose()
    }

    fn delete(&self, service: &str, user: &str) -> Result<bool, KeychainError> {
        self.may_use()?;
        let (service, user, keyring) = (service.to_owned(), user.to_owned(), self.keyring.clone());
        self.on_store(move |store| {
            let mut any = false;
            for entry in entries(store, &service, &user, keyring.as_deref())? {
                match entry.delete_credential() {
                    Ok(()) => any = true,
                    Err(StoreError::NoEntry) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(any)
        })
    }

    fn search(&self, service: &str) -> Result<Vec<String>, KeychainError> {
        // As it comes, a locked KeePassXC answers a search by its dialog: where none may be shown it is not asked.
        #[cfg(all(unix, not(target_vendor = "apple")))]
        if !self.may_prompt && self.probe() == Probe::Locked {
            return Err(KeychainError::Locked);
        }
        #[cfg(all(unix, not(target_vendor = "apple")))]
        return self.ask(
            &self.attributes(service, None),
            |deadline| secret_service::search(&self.attributes(service, None), deadline),
            Vec::is_empty,
            || self.search_in_store(service),
        );
        #[cfg(not(all(unix, not(target_vendor = "apple"))))]
        return self.search_in_store(service);
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    fn announce(&self, service: &str, user: &str, revision: u64) {
        // A locked KeePassXC answers a search by its dialog.
        if self.probe() != Probe::Ready {
            return;
        }
        self.pace();
        let found_by = self.attributes(service, Some(user));
        let told = secret_service::signals::announce(&found_by, &revision.to_string(), self.quick_deadline());
        tracing::debug!(?told, "others are told");
    }

    fn probe(&self) -> Probe {
        #[cfg(all(unix, not(target_vendor = "apple")))]
        return secret_service::probe(self.keyring.as_deref(), self.quick_deadline());
        #[cfg(not(all(unix, not(target_vendor = "apple"))))]
        return if cfg!(any(windows, target_vendor = "apple")) {
            Probe::Ready
        } else {
            Probe::Unsupported("otpanel knows none on this system".into())
        };
    }
}
