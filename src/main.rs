//! The `queuepulse` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    queuepulse::cli::run(std::env::args_os())
}
