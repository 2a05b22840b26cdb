//! The program: parse, run, print the report, exit code.

use std::process::ExitCode;

use otpanel::cli::{self, args, harden, output};
use otpanel::runtime::clipboard;

/// Wipes every block of memory when it is freed: strings inside libraries too.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    harden::harden();
    harden::quiet_panics();
    // As they come: a word need not be text.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|first| first == clipboard::HOLD) {
        let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        return if clipboard::hold(&words) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let cli = args::parse();
    let style = output::Style::of(cli.global.color);
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => match failure.report() {
            Some(report) => {
                output::complain(&report, style);
                ExitCode::from(report.exit.code())
            }
            None => ExitCode::SUCCESS,
        },
    }
}
