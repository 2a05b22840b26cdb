//! The command line from outside: the program is run in private homes, and what it prints and leaves behind is looked at.

mod bad_input;
mod codes;
mod edits;
mod home;
mod import;
mod init;
mod places;
mod vault;
mod writers;
