//! `queuepulse simulate` as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test's helpers may end the test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_queuepulse"))
        .args([
            "simulate",
            "--from",
            "2026-01-05T09:00:00Z",
            "--duration",
            "10m",
        ])
        .args(arguments)
        .output()
        .unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn a_seed_gives_the_same_events_on_standard_output_each_time() {
    let first = simulate(&["--seed", "5"]);
    assert!(first.status.success());
    assert!(first.stdout.len() > 100_000);
    assert_eq!(first.stdout, simulate(&["--seed", "5"]).stdout);
    assert_ne!(first.stdout, simulate(&["--seed", "6"]).stdout);
}

#[test]
fn a_folder_gets_a_file_for_each_topic_and_partition_and_keeps_an_id_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert!(
        simulate(&["--folder", path, "--partitions", "3"])
            .status
            .success()
    );
    let again = simulate(&["--folder", path, "--partitions", "2"]);
    assert_eq!(again.status.code(), Some(64));
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("it is not empty"), "{told}");
    let files = files(folder.path());
    assert_eq!(files.len(), 9);
    let mut homes: BTreeMap<String, &str> = BTreeMap::new();
    for (name, text) in files
        .iter()
        .filter(|(name, _)| name.starts_with("contact-events"))
    {
        assert!(!text.is_empty());
        for line in text.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            let contact = event["contact_id"].as_str().unwrap().to_owned();
            assert_eq!(*homes.entry(contact).or_insert(name), name);
        }
    }
}

#[test]
fn what_cannot_be_simulated_is_said_in_one_line() {
    for (arguments, status, said) in [
        (
            &["--scale", "huge"][..],
            64,
            "not demo, largest or QUEUESxAGENTS",
        ),
        (&["--max-delay", "soon"][..], 64, "no duration"),
        (&["--duplicates", "2"][..], 64, "not a number from 0 to 1"),
        (&["--disorder", "NaN"][..], 64, "not a number from 0 to 1"),
        (&["--rate", "0"][..], 64, "0 is not in 1.."),
        (
            &["--brokers", "127.0.0.1:1"][..],
            69,
            "cannot produce to 127.0.0.1:1",
        ),
        (
            &["--folder", "/dev/null/x"][..],
            74,
            "cannot write /dev/null/x",
        ),
    ] {
        let output = simulate(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{text}");
        assert!(text.contains(said), "{text}");
    }
}
