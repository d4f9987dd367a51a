//! The script of deploy/ makes what the engine makes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;

/// What the script runs, with a stand-in for Kafka's own that writes down its arguments.
fn run_by_the_script(arguments: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let stand_in = folder.path().join("kafka-topics.sh");
    fs::write(&stand_in, "#!/bin/sh\necho \"kafka-topics.sh $*\"\n").unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let done = Command::new("sh")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/deploy/kafka/topics.sh"
        ))
        .args(arguments)
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let lines = String::from_utf8(done.stdout).unwrap();
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn the_script_makes_what_the_engine_makes() {
    let topics = |partitions| {
        [
            ("queuepulse-snapshots", partitions, SNAPSHOTS),
            ("queuepulse-rows", 1, ROWS),
            ("contact-events", partitions, EVENTS),
            ("agent-events", partitions, EVENTS),
            ("queue-events", 1, QUEUES),
        ]
    };
    let expected = |partitions, copies: &str| -> Vec<String> {
        let command = |(topic, partitions, settings)| {
            create_command("broker:9092", topic, partitions, settings) + copies
        };
        topics(partitions).into_iter().map(command).collect()
    };
    assert_eq!(
        run_by_the_script(&["broker:9092"]),
        expected(PARTITIONS, "")
    );
    assert_eq!(
        run_by_the_script(&["broker:9092", "12", "3"]),
        expected(12, " --replication-factor 3")
    );
}
