//! The program: parses the command line and runs one command.

use clap::Parser;
use premium_ledger::command::{Cli, run};
use std::process::ExitCode;

/// Groups of thousands of orders are freed at once and made again: the system's allocator gave their pages back each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run(Cli::parse())
}
