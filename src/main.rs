//! The program: parse, run, print the report, exit code.

fn main() {}
