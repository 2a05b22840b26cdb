//! The command line from outside: the program is run in private homes, and what it prints and leaves behind is looked at.

mod backup;
mod bad_input;
mod codes;
#[cfg(target_os = "linux")]
mod copy;
mod edits;
mod export;
mod home;
mod import;
mod init;
#[cfg(target_os = "linux")]
mod keychain;
#[cfg(unix)]
mod managed;
#[cfg(target_os = "linux")]
mod pictures;
mod places;
mod rekey;
#[cfg(target_os = "linux")]
mod remember;
#[cfg(target_os = "linux")]
mod slots;
#[cfg(target_os = "linux")]
#[path = "../support/mod.rs"]
mod support;
#[cfg(unix)]
mod terminal;
mod vault;
mod writers;
