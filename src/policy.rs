//! What an organisation asks of this machine (`docs/policy.md`): the settings of `policy.ron`, what they allow, and the
//! words of each refusal. It knows identities by their names alone, and no account, vault or keychain.
//!
//! A policy governs well-meaning use, as a managed phone does. It cannot hold back somebody who builds another program
//! and has the key of the vault.

mod found;
#[cfg(windows)]
mod registry;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected};

use crate::config::layer::{Within, options};
use crate::config::{Config, Mistake, mistake};
use crate::text::clean;
pub use found::{Found, PolicyError};

/// The identity of accounts that belong to no organisation.
pub const PERSONAL: &str = "personal";
/// What the identity of an organisation's accounts begins with.
const MANAGED: &str = "managed/";
/// The most characters of an organisation's name.
const LONGEST_NAME: usize = 64;
/// What stands for the user's name in a folder.
const USER: &str = "{user}";

/// What holds on this machine. The default is what holds without a policy: everything is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The organisation's identity, where there is one.
    pub identity: Option<Managed>,
    /// Whether accounts of that identity are backed up; [`Backup::Allowed`] where nothing is said.
    pub backup: Backup,
    /// What a backup of them holds; [`Secrets::Included`] where nothing is said.
    pub secrets: Secrets,
    /// Whether their secrets may leave; [`Export::Allowed`] where nothing is said.
    pub export: Export,
    /// The most seconds until an idle panel locks, 1 to 86,400; no limit where there is none.
    pub max_idle_lock_secs: Option<u32>,
    /// The most seconds until a copied code is cleared, 1 to 3,600; no limit where there is none.
    pub max_clipboard_secs: Option<u32>,
    /// Whether personal accounts may be added and backed up here; [`Personal::Allowed`] where nothing is said.
    pub personal: Personal,
}

/// An organisation's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// The organisation: 1 to 64 characters that can be shown, without `/`.
    pub name: String,
    /// Where its backup goes.
    pub store: ManagedStore,
}

/// Where the backup of an organisation's accounts goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManagedStore {
    /// The platform's keychain; in a collection of this name where one is said.
    Keychain {
        /// The collection's label.
        collection: Option<String>,
    },
    /// A folder, absolute, with the user's name in place of `{user}`.
    Folder(PathBuf),
}

/// Whether an organisation's accounts are backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Backup {
    /// Always; it cannot be turned off.
    Required,
    /// As the user likes.
    #[default]
    Allowed,
    /// Never.
    Forbidden,
}

/// What a backup of an organisation's accounts holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Secrets {
    /// The secrets too.
    #[default]
    Included,
    /// The names alone: a restored account has to be enrolled again.
    NamesOnly,
}

/// Whether the secrets of an organisation's accounts may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Export {
    /// They may.
    #[default]
    Allowed,
    /// They are neither shown nor written, and no account is moved to the personal ones.
    Forbidden,
}

/// Whether personal accounts may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Personal {
    /// They may.
    #[default]
    Allowed,
    /// None may come; those that are here stay.
    Forbidden,
}

/// What a policy does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Secrets would have left.
    #[error("{organisation} does not allow the secrets of its accounts to leave")]
    Export {
        /// Who does not allow it.
        organisation: String,
        /// Of which accounts, as messages name them.
        accounts: Vec<String>,
        /// How many were asked for together.
        of: usize,
    },
    /// An account would have become personal.
    #[error("{organisation} does not allow its accounts to become personal")]
    Leave {
        /// Who does not allow it.
        organisation: String,
    },
    /// A personal account would have come.
    #[error("{organisation} does not allow personal accounts here")]
    Personal {
        /// Who does not allow it.
        organisation: String,
    },
    /// There is no organisation whose account it could be.
    #[error("no organisation manages this machine")]
    NoIdentity,
}

impl Policy {
    /// Reads the policy of this machine, if it has one that may be obeyed.
    pub fn read() -> Found {
        Found::of_this_machine()
    }

    /// The text in the registry, whether it may be obeyed or not; none where it says nothing.
    ///
    /// # Errors
    /// The system's, or [`std::io::ErrorKind::InvalidData`] where it is no text.
    #[cfg(windows)]
    pub fn registered() -> std::io::Result<Option<String>> {
        registry::text()
    }

    /// The identity of a new account: `managed/NAME` where an organisation manages the machine, else, or if the user chose
    /// so, `personal`.
    ///
    /// # Errors
    /// [`Refusal::Personal`] where personal accounts are not allowed.
    pub fn identity_for(&self, personal: bool) -> Result<String, Refusal> {
        match &self.identity {
            Some(managed) if !personal => Ok(managed.identity()),
            _ if self.personal == Personal::Forbidden => Err(Refusal::Personal { organisation: self.organisation() }),
            _ => Ok(PERSONAL.to_owned()),
        }
    }

    /// The organisation to offer a choice against personal accounts, where there is one to make.
    pub fn offers(&self) -> Option<&str> {
        self.identity.as_ref().filter(|_| self.personal == Personal::Allowed).map(|managed| managed.name.as_str())
    }

    /// The organisation that requires the backup of its accounts, where one does.
    pub fn requires_backup(&self) -> Option<&str> {
        self.identity.as_ref().filter(|_| self.backup == Backup::Required).map(|managed| managed.name.as_str())
    }

    /// Who forbids that the secret of an account of this identity is shown or written; nobody where it may.
    pub fn forbids_export(&self, identity: &str) -> Option<String> {
        let organisation = organisation(identity).filter(|_| self.export == Export::Forbidden)?;
        Some(self.identity.as_ref().map_or_else(|| organisation.to_owned(), |managed| managed.name.clone()))
    }

    /// Whether secrets may leave together, each with its account's identity and name.
    ///
    /// # Errors
    /// [`Refusal::Export`] with the names of those that may not.
    pub fn may_leave<'a>(&self, accounts: impl Iterator<Item = (&'a str, String)>) -> Result<(), Refusal> {
        let mut refused = (String::new(), Vec::new());
        let mut of = 0;
        for (identity, name) in accounts {
            of += 1;
            if let Some(organisation) = self.forbids_export(identity) {
                refused.0 = organisation;
                refused.1.push(name);
            }
        }
        if refused.1.is_empty() {
            return Ok(());
        }
        Err(Refusal::Export { organisation: refused.0, accounts: refused.1, of })
    }

    /// The identity that an account of one identity may be moved to.
    ///
    /// # Errors
    /// [`Refusal`] where it may not, or there is no such identity.
    pub fn may_move(&self, from: &str, to_personal: bool) -> Result<String, Refusal> {
        if !to_personal {
            return self.identity.as_ref().map(Managed::identity).ok_or(Refusal::NoIdentity);
        }
        if let Some(organisation) = self.forbids_export(from) {
            return Err(Refusal::Leave { organisation });
        }
        self.identity_for(true)
    }

    /// The settings as they hold under this policy: idle lock and clipboard within its limits. Never (0) is above any.
    #[must_use]
    pub fn cap(&self, mut config: Config) -> Config {
        let within = |secs: &mut u32, most: Option<u32>| {
            if let Some(most) = most.filter(|most| *secs == 0 || *secs > *most) {
                *secs = most;
            }
        };
        within(&mut config.idle_lock_secs, self.max_idle_lock_secs);
        within(&mut config.clipboard.clear_secs, self.max_clipboard_secs);
        config
    }

    fn organisation(&self) -> String {
        self.identity.as_ref().map_or_else(|| String::from("This machine's policy"), |managed| managed.name.clone())
    }
}

impl Managed {
    /// The identity as an account keeps it: `managed/NAME`.
    pub fn identity(&self) -> String {
        format!("{MANAGED}{}", self.name)
    }
}

/// The organisation that accounts of an identity belong to; none for personal ones.
pub fn organisation(identity: &str) -> Option<&str> {
    identity.strip_prefix(MANAGED)
}

/// What the file says. The store is read in two forms, since RON has no variant with fields that may all be left out.
#[derive(Deserialize)]
#[serde(rename = "Policy", deny_unknown_fields, default, bound(deserialize = "S: Deserialize<'de>"))]
struct Text<S> {
    identity: Option<IdentityText<S>>,
    backup: Option<Backup>,
    secrets: Option<Secrets>,
    export: Option<Export>,
    max_idle_lock_secs: Within<1, 86_400>,
    max_clipboard_secs: Within<1, 3_600>,
    personal: Option<Personal>,
}

impl<S> Default for Text<S> {
    fn default() -> Self {
        Self {
            identity: None,
            backup: None,
            secrets: None,
            export: None,
            max_idle_lock_secs: Within::default(),
            max_clipboard_secs: Within::default(),
            personal: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename = "Identity", deny_unknown_fields, bound(deserialize = "S: Deserialize<'de>"))]
struct IdentityText<S> {
    name: Name,
    #[serde(default = "nothing")]
    store: Option<S>,
}

const fn nothing<S>() -> Option<S> {
    None
}

/// `Keychain(collection: "…")` or `Folder("…")`.
#[derive(Deserialize)]
#[serde(rename = "Store", deny_unknown_fields)]
enum Full {
    Keychain {
        #[serde(default)]
        collection: Option<Name>,
    },
    Folder(Folder),
}

/// `Keychain` or `Folder("…")`.
#[derive(Deserialize)]
#[serde(rename = "Store")]
enum Bare {
    Keychain,
    Folder(Folder),
}

/// A name that can be shown.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let good = (1..=LONGEST_NAME).contains(&text.chars().count())
            && text.trim() == text
            && clean(&text) == text
            && !text.contains('/');
        let expected = "a name of 1 to 64 characters, without `/`, blanks at its ends and signs that cannot be seen";
        if good { Ok(Self(text)) } else { Err(D::Error::invalid_value(Unexpected::Str(&text), &expected)) }
    }
}

/// A folder's path, absolute, `{user}` perhaps in it.
struct Folder(String);

impl<'de> Deserialize<'de> for Folder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.replace(USER, "user");
        let good = Path::new(&plain).is_absolute() && !plain.contains(['{', '}', '\0']);
        let expected = "the whole path of a folder, with `{user}` where the user's name belongs";
        if good { Ok(Self(text)) } else { Err(D::Error::invalid_value(Unexpected::Str(&text), &expected)) }
    }
}

impl Folder {
    fn of(self, user: &str) -> ManagedStore {
        ManagedStore::Folder(self.0.replace(USER, user).into())
    }
}

/// Reads a policy from text; `user` goes into folders.
///
/// # Errors
/// [`Mistake`] with line, column and what was expected.
pub fn parse(text: &str, user: &str) -> Result<Policy, Mistake> {
    let options = options();
    match options.from_str::<Text<Full>>(text) {
        Ok(file) => Policy::of(file, text, |store| match store {
            Full::Keychain { collection } => ManagedStore::Keychain { collection: collection.map(|name| name.0) },
            Full::Folder(folder) => folder.of(user),
        }),
        Err(error) if mistake::says_nothing(&error, text) => Ok(Policy::default()),
        Err(error) if error.code == ron::Error::ExpectedStructLike => match options.from_str::<Text<Bare>>(text) {
            Ok(file) => Policy::of(file, text, |store| match store {
                Bare::Keychain => ManagedStore::Keychain { collection: None },
                Bare::Folder(folder) => folder.of(user),
            }),
            Err(error) => Err(Mistake::from_ron(&error, text)),
        },
        Err(error) => Err(Mistake::from_ron(&error, text)),
    }
}

impl Policy {
    fn of<S>(file: Text<S>, text: &str, store: impl FnOnce(S) -> ManagedStore) -> Result<Self, Mistake> {
        let keychain = ManagedStore::Keychain { collection: None };
        let policy = Self {
            identity: file
                .identity
                .map(|said| Managed { name: said.name.0, store: said.store.map_or(keychain, store) }),
            backup: file.backup.unwrap_or_default(),
            secrets: file.secrets.unwrap_or_default(),
            export: file.export.unwrap_or_default(),
            max_idle_lock_secs: file.max_idle_lock_secs.said().map(|n| n as u32),
            max_clipboard_secs: file.max_clipboard_secs.said().map(|n| n as u32),
            personal: file.personal.unwrap_or_default(),
        };
        // What would leave no account at all that may be added, or rules for nobody's accounts, is a slip.
        let needs = [
            ("personal", policy.personal == Personal::Forbidden),
            ("backup", policy.backup != Backup::Allowed),
            ("secrets", policy.secrets != Secrets::Included),
        ];
        match needs.into_iter().find(|(_, set)| *set && policy.identity.is_none()) {
            Some((field, _)) => {
                let at = text.rfind(field).unwrap_or(0);
                let problem = format!("`{field}` means nothing here without an `identity`");
                Err(Mistake::at(text, at, problem, "`identity: (name: \"…\")` as well"))
            }
            None => Ok(policy),
        }
    }
}

#[cfg(test)]
mod tests;
