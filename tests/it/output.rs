//! Commands whose output nobody reads, or that no disk has room for.

use std::fs::OpenOptions;
use std::process::{Command, Output, Stdio};

/// A command that needs no server.
fn told_to(stdout: impl Into<Stdio>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_premium-ledger"))
        .args(["order-hash", "MEITUAN", "order-1", "--trace-key", "secret"])
        .stdout(stdout)
        .output()
        .unwrap()
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = told_to(writer);
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let output = told_to(OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("premium-ledger: No space left on device"));
}
