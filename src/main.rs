//! The program: parse, run, print the report, exit code.

use std::process::ExitCode;

use clap::Parser;
use otpanel::cli::{self, args::Cli, harden, output};

/// Wipes every block of memory when it is freed: strings inside libraries too.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    harden::harden();
    let cli = Cli::parse();
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
