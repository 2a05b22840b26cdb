//! What comes in and what goes out. Neither has `Debug`: both carry secrets; logs use [`Event::name`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use super::access::{Answer, Job};
use super::backup::{News, Task};
use super::import::{Origin, Recent};
use super::order::Habit;
use super::past::Kept;
use super::rekey::{InForce, Made, NotInForce, Password};
use crate::backup::restore::Offer;
use crate::backup::standing::Status;
use crate::config::{Config, ConfigError};
use crate::keychain::Probe;
use crate::otp::Account;
use crate::policy::Policy;
use crate::rollback::WentBack;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::transfer::{Format, Import, ImportError};
use crate::unlock::renewal::NewRecoveryKey;
use crate::unlock::{Mode, UnlockError};
use crate::vault::envelope::{Locked, Unlocked};
use crate::vault::file::FileError;
use crate::vault::history::Reason;
use crate::vault::{DataKey, DeviceId, EntryId, SlotId, VaultId};

/// Something that happened.
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(Secret<String>),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// It is this late now.
    Tick(UnixTime),
    /// The machine slept and woke, or the terminal hung up: lock.
    LockNow,
    /// The program is told to end, or the terminal is gone.
    EndNow,
    /// The terminal's window has the keys again.
    Focused,
    /// The vault file (or a copy beside it) changed.
    VaultChanged,
    /// Another device wrote its backup to the keychain.
    BackupChanged,
    /// Whether the vault's file may not be written, as far as permissions tell.
    ReadOnly(bool),
    /// The config file was read again.
    Config(Result<Box<Config>, ConfigError>),
    /// The machine's policy was read again, with the settings that it limits where they can be read; or what is wrong
    /// with it.
    Policy(Result<(Box<Policy>, Option<Box<Config>>), String>),
    /// The vault file was looked at.
    Looked(Result<Option<Arc<Locked>>, FileError>),
    /// The open vault was read again, with what lies beside it; none where nothing changed. The number is the session's.
    Reread(u64, Result<Option<Stored>, FileError>),
    /// A save ended; the vault as it lies in the file now.
    Saved(u64, Result<Box<Unlocked>, FileError>),
    /// What could not be saved is kept elsewhere, so that the session may be dropped.
    KeptAside(u64, Aside),
    /// The older copies were read and compared.
    History(u64, Result<Vec<Kept>, FileError>),
    /// An older copy was read and opened.
    CopyRead(u64, Result<Box<Unlocked>, FileError>),
    /// How the backups of the vault that this attempt opened stood last; it comes right before [`Event::Unlocked`].
    BackupStood(u64, Vec<Status>),
    /// A try to unlock ended. The number is the attempt's.
    Unlocked(u64, Result<Box<Unlocked>, UnlockError>),
    /// The key cannot be kept for the next program, for this reason.
    NotRemembered(String),
    /// The keychain was probed.
    Probed(Probe),
    /// A new vault was made; with the recovery key.
    Created(Result<(Box<Unlocked>, Secret<String>), UnlockError>),
    /// A copy to the clipboard ended: how, or why not.
    Copied(Result<String, String>),
    /// What the clipboard holds, or why nothing was read.
    ClipboardText(Result<Secret<String>, String>),
    /// A picture was in the clipboard, and its QR codes were read or not, with the reason.
    ClipboardPicture(Result<Box<Import>, ImportError>),
    /// Exports that lie among the downloads, the newest first.
    Recent(Vec<Recent>),
    /// An export was read.
    Imported(u64, Result<Box<Import>, ImportTrouble>),
    /// What a typed path could become.
    Completed(u64, Vec<String>),
    /// A task of the backup ended. The number is the session's.
    BackedUp(u64, Box<News>),
    /// Backups were looked for: those in reach, or why nothing can be said.
    BackupsFound(u64, Result<Vec<Offer>, String>),
    /// A vault was made anew from its backup.
    MadeAgain(Result<Box<Unlocked>, UnlockError>),
    /// An export was written, or not.
    Exported(u64, Result<Wrote, ExportTrouble>),
    /// What was to be done with this computer's keychain and the open vault. The number is the session's.
    Access(u64, Result<Answer, UnlockError>),
    /// New keys were made, or not, in the session and as the attempt of these numbers. They are not in force yet.
    KeyMade(u64, u64, Result<Box<Made>, UnlockError>),
    /// They were put in force, or not.
    InForce(u64, Result<InForce, Box<NotInForce>>),
    /// A new recovery key was made, or not. It is not in force yet. The number is the session's.
    RecoveryKeyMade(u64, Result<Box<NewRecoveryKey>, UnlockError>),
    /// It was put in force in the vault as it was saved; or not, with the key for another try.
    RecoveryKeyPut(u64, Result<Box<Unlocked>, (Box<NewRecoveryKey>, UnlockError)>),
    /// The vault was saved with a new password, or not. The number is the session's.
    PasswordSet(u64, Result<Box<Unlocked>, UnlockError>),
}

/// An export that is to be written.
pub struct ExportJob {
    /// As which app's file.
    pub format: Format,
    /// Whose secrets.
    pub accounts: Vec<Account>,
    /// The names of those that have no secret that can be used, and why.
    pub unusable: Vec<(String, String)>,
    /// Seals it.
    pub password: Option<Secret<String>>,
    /// Where to, as typed.
    pub path: PathBuf,
    /// What is there may give way.
    pub over: bool,
}

/// An export that was written.
pub struct Wrote {
    /// How many accounts are in it.
    pub count: usize,
    /// Where it lies.
    pub path: String,
    /// What is not in it, a sentence each.
    pub left_out: Vec<String>,
}

/// Why an export was not written.
pub enum ExportTrouble {
    /// A file is there already.
    Exists,
    /// It failed, for this reason.
    Failed(String),
}

/// A vault as it was found in its file.
pub struct Stored {
    /// With everything that was joined to it.
    pub vault: Box<Unlocked>,
    /// Conflict copies were joined, so that a save is due.
    pub copies: bool,
    /// The file had gone back.
    pub went_back: Option<WentBack>,
}

/// Why an export was not read.
pub enum ImportTrouble {
    /// The file could not be read.
    File(String),
    /// It was read and not understood.
    Import(ImportError),
}

impl Event {
    /// A name for logs, without content.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Mouse(_) => "mouse",
            Self::Paste(_) => "paste",
            Self::Resize(..) => "resize",
            Self::Tick(_) => "tick",
            Self::LockNow => "lock now",
            Self::EndNow => "end now",
            Self::Focused => "focused",
            Self::VaultChanged => "vault changed",
            Self::BackupChanged => "backup changed",
            Self::ReadOnly(_) => "read-only",
            Self::Config(_) => "config",
            Self::Policy(_) => "policy",
            Self::Looked(_) => "looked",
            Self::Reread(..) => "reread",
            Self::Saved(..) => "saved",
            Self::KeptAside(..) => "kept aside",
            Self::History(..) => "history",
            Self::CopyRead(..) => "copy read",
            Self::BackupStood(..) => "backup stood",
            Self::Unlocked(..) => "unlocked",
            Self::NotRemembered(_) => "not remembered",
            Self::Probed(_) => "probed",
            Self::Created(_) => "created",
            Self::Copied(_) => "copied",
            Self::ClipboardText(_) => "clipboard text",
            Self::ClipboardPicture(_) => "clipboard picture",
            Self::Recent(_) => "recent",
            Self::Imported(..) => "imported",
            Self::Completed(..) => "completed",
            Self::BackedUp(..) => "backed up",
            Self::BackupsFound(..) => "backups found",
            Self::MadeAgain(_) => "made again",
            Self::Exported(..) => "exported",
            Self::Access(..) => "access",
            Self::KeyMade(..) => "key made",
            Self::InForce(..) => "in force",
            Self::RecoveryKeyMade(..) => "recovery key made",
            Self::RecoveryKeyPut(..) => "recovery key put",
            Self::PasswordSet(..) => "password set",
        }
    }
}

/// Where what could not be saved is kept.
pub enum Aside {
    /// In the history: whoever opens the vault next takes it in.
    History,
    /// Here, sealed: the disk took nothing.
    Memory(Arc<Locked>),
    /// It could not even be sealed.
    Nowhere,
}

/// What a save is to do beside writing what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saving {
    /// Goes with the history copy.
    pub reason: Reason,
    /// The HOTP entry whose counter is taken, and by which device: within the save, so that no other program takes the same.
    pub counter: Option<(EntryId, DeviceId)>,
}

/// Something to do in the world.
pub enum Effect {
    /// Read the vault file; answered by [`Event::Looked`].
    Look,
    /// Read the file of the open vault again and open it; answered by [`Event::Reread`].
    Reread(u64, Box<Unlocked>),
    /// Save; answered by [`Event::Saved`].
    Save(u64, Box<Unlocked>, Saving),
    /// Write the vault anew where its file has vanished; answered by [`Event::Saved`].
    Recreate(u64, Box<Unlocked>),
    /// Keep what could not be saved, sealed, for the next time the vault is opened; answered by [`Event::KeptAside`].
    KeepAside(u64, Box<Unlocked>),
    /// Read the older copies and compare them with what is open; answered by [`Event::History`].
    History(u64, Box<Unlocked>),
    /// Read one of them; answered by [`Event::CopyRead`].
    ReadCopy(u64, PathBuf, Box<Unlocked>),
    /// Make a new vault; answered by [`Event::Created`].
    Create(Mode, Option<Secret<String>>),
    /// Try to unlock; answered by [`Event::Unlocked`].
    Unlock(u64, Arc<Locked>, With),
    /// Keep the vault's key for the next program of this login session, for so long; answered only where that cannot be, by
    /// [`Event::NotRemembered`].
    KeepKey(VaultId, DataKey, Duration),
    /// Drop the key of this vault that is kept so.
    ForgetKey(VaultId),
    /// Ask whether a keychain can be had, without raising a prompt; answered by [`Event::Probed`].
    Probe,
    /// Copy to the clipboard and clear it after so many seconds (0: never); answered by [`Event::Copied`].
    Copy(Secret<String>, u32),
    /// Read the text in the clipboard, answered by [`Event::ClipboardText`], or else the QR codes of a picture there,
    /// answered by [`Event::ClipboardPicture`].
    ReadClipboard,
    /// Clear the clipboard now if it still holds what was copied.
    ClearClipboard,
    /// Read and recognise an export; answered by [`Event::Imported`].
    Import(u64, Origin, Option<Secret<String>>),
    /// Write an export; answered by [`Event::Exported`].
    Export(u64, Box<ExportJob>),
    /// Look for exports where downloads lie; answered by [`Event::Recent`].
    Recent,
    /// Say what a path could become; answered by [`Event::Completed`].
    Complete(u64, String),
    /// Keep a habit in the local state of this machine: in which vault, what, when.
    Remember(VaultId, Habit, UnixTime),
    /// Do something with the backups of the open vault; answered by [`Event::BackedUp`].
    Backup(u64, Box<Unlocked>, Task),
    /// Look for backups in the keychain or in this folder, and open them by this password or recovery key; answered by
    /// [`Event::BackupsFound`]. The keychain may show its dialog where the user pressed a key for it.
    FindBackups {
        /// The attempt's number.
        attempt: u64,
        /// The folder.
        folder: Option<PathBuf>,
        /// What was typed.
        key: Option<Secret<String>>,
        /// It may.
        may_prompt: bool,
    },
    /// Make a vault anew from its backup, which lies in this folder or in the keychain; answered by [`Event::MadeAgain`].
    MakeAgain(Box<Offer>, Option<PathBuf>),
    /// Do something with this computer's keychain and the open vault; answered by [`Event::Access`].
    Access(u64, Box<Unlocked>, Job),
    /// Make new keys for the vault, which derives from the password; answered by [`Event::KeyMade`].
    MakeKey {
        /// The session's number.
        generation: u64,
        /// The attempt's number.
        attempt: u64,
        /// The vault.
        vault: Box<Unlocked>,
        /// What opens it from then on.
        password: Password,
    },
    /// Save the vault under new keys; answered by [`Event::InForce`].
    PutInForce(u64, Box<Unlocked>, Box<Made>),
    /// Make a new recovery key; answered by [`Event::RecoveryKeyMade`].
    MakeRecoveryKey(u64, Box<Unlocked>),
    /// Save the vault with it in the place of the old one; answered by [`Event::RecoveryKeyPut`].
    PutRecoveryKey(u64, Box<Unlocked>, Box<NewRecoveryKey>),
    /// Save the vault with this password in the place of every one before; answered by [`Event::PasswordSet`].
    SetPassword(u64, Box<Unlocked>, Secret<String>),
    /// Keep in the local state of this machine that the recovery key of this slot was written down.
    RecoveryKeyWritten(SlotId),
    /// Open the sample accounts; answered by a new model.
    Demo,
    /// Stop as on Ctrl-Z.
    Suspend,
    /// Draw all again.
    Redraw,
    /// Turn the mouse on or off.
    Mouse(bool),
    /// Leave.
    Quit,
}

/// What to unlock with.
pub enum With {
    /// The password.
    Password(Secret<String>),
    /// The platform's keychain; whether it may raise a prompt, since the user pressed a key for it.
    Keychain {
        /// It may.
        may_prompt: bool,
    },
    /// The recovery key as typed.
    RecoveryKey(Secret<String>),
    /// What needs no key press: a key kept for this login session, then the keychain without a prompt.
    Start {
        /// Whether keys are kept.
        remembered: bool,
        /// Whether the vault has a slot for the keychain.
        keychain: bool,
    },
}
