//! The `queuepulse` command.

fn main() {}
