//! The program: parses the command line and runs one command.

use clap::Parser;
use premium_ledger::command::{Cli, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    run(Cli::parse())
}
