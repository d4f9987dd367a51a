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

#[test]
fn what_a_topic_falls_short_of_is_found_with_the_command_that_sets_it() {
    let table = [
        ("cleanup.policy", "compact,delete", true),
        ("cleanup.policy", "compact", true),
        ("cleanup.policy", "delete,compact", true),
        ("cleanup.policy", "delete", false),
        ("max.message.bytes", "1048588", true),
        ("max.message.bytes", "8000000", true),
        ("max.message.bytes", "500000", false),
        ("min.cleanable.dirty.ratio", "0.1", true),
        ("min.cleanable.dirty.ratio", "0.05", true),
        ("min.cleanable.dirty.ratio", "0.5", false),
        ("retention.ms", "-1", true),
        ("retention.ms", "604800001", true),
        ("retention.ms", "3600000", false),
        ("segment.bytes", "1048576", true),
        ("segment.bytes", "1073741824", false),
    ];
    for (key, value, does) in table {
        let has = |of: &str| (of == key).then(|| value.to_owned());
        let lacking = lacks(SNAPSHOTS, has);
        let wanted = SNAPSHOTS.iter().copied().filter(|(of, _)| *of == key);
        let expected: Vec<_> = wanted.filter(|_| !does).collect();
        assert_eq!(lacking, expected, "{key}={value}");
    }
    let other =
        |key: &str| (key == "cleanup.policy" || key == "retention.ms").then(|| "delete".to_owned());
    assert_eq!(
        alter_command("broker:9092", "t", &lacks(SNAPSHOTS, other)),
        "kafka-configs.sh --bootstrap-server broker:9092 --alter --entity-type topics --entity-name t \
         --add-config cleanup.policy=[compact,delete],retention.ms=604800000"
    );
}
