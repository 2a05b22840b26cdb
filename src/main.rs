//! The program: parse, run, print the report, exit code.

use std::process::ExitCode;

use otpanel::runtime::clipboard;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == clipboard::HOLD) {
        return if clipboard::hold(&args[1..]) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    ExitCode::SUCCESS
}
