//! The command line: one file per family of commands. stdout carries only the answer.

pub mod args;
pub mod failure;
pub mod harden;
pub mod output;
pub mod prompt;
pub mod query;
