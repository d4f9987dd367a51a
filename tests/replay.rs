//! `queuepulse replay`, `check-config` and `metrics-doc` as they are typed: output, notes, status.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's helpers may fail loudly"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// One contact: offered at 09:00:00, answered at 09:00:20, ended at 09:02:00; and another that
/// waits from 09:03:00 on.
const EVENTS: &str = r#"{"id":"1","type":"contact.queued","time":"2026-01-05T09:00:00.600Z","contact_id":"a","queue_id":"q"}
{"id":"2","type":"contact.answered","time":"2026-01-05T09:00:20.900Z","contact_id":"a","agent_id":"x"}
{"id":"3","type":"contact.ended","time":"2026-01-05T09:02:00.000Z","contact_id":"a","agent_id":"x"}
{"id":"4","type":"contact.queued","time":"2026-01-05T09:03:00.000Z","contact_id":"b","queue_id":"q"}
"#;

fn queuepulse(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_queuepulse"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("a status")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The snapshots of a replay of standard input, and what was said.
fn snapshots(arguments: &[&str], input: &str) -> (Value, String) {
    let all: Vec<&str> = ["replay", "-", "--format", "json"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let output = queuepulse(&all, input.as_bytes());
    assert_eq!(status(&output), 0, "{}", said(&output));
    (
        serde_json::from_slice(&output.stdout).unwrap(),
        said(&output),
    )
}

#[test]
fn windows_are_keyed_as_typed_and_instants_come_in_their_order() {
    let (snapshots, said) = snapshots(
        &[
            "--at",
            "2026-01-05T11:03:00.001+02:00",
            "--at",
            "2026-01-05T09:00:20.899Z",
            "--window",
            "1h30m",
            "--window",
            "90s",
            "--window",
            "today",
            "--window",
            "all",
        ],
        EVENTS,
    );
    assert_eq!(said, "");
    assert_eq!(snapshots[0]["at"], "2026-01-05T09:03:00.001Z");
    assert_eq!(snapshots[1]["at"], "2026-01-05T09:00:20.899Z");
    assert_eq!(snapshots[0]["data_age_seconds"], Value::Null);
    let total = &snapshots[0]["total"];
    let windows = total["windows"].as_object().unwrap();
    assert_eq!(windows.len(), 4);
    assert_eq!(windows["1h30m"]["answered"], 1);
    assert_eq!(windows["90s"]["answered"], 0);
    assert_eq!(windows["90s"]["handled"], 1);
    assert_eq!(windows["90s"]["complete"], true);
    assert_eq!(windows["today"]["complete"], false);
    assert_eq!(windows["all"]["from"], Value::Null);
    assert_eq!(windows["all"]["complete"], true);
    assert_eq!(total["now"]["waiting"], 1);
    assert_eq!(snapshots[1]["total"]["now"]["waiting"], 1);
    assert_eq!(snapshots[1]["total"]["windows"]["all"]["answered"], 0);
}

#[test]
fn without_an_instant_the_last_event_s_time_is_taken() {
    let (snapshots, _) = snapshots(&[], EVENTS);
    assert_eq!(snapshots.as_array().unwrap().len(), 1);
    assert_eq!(snapshots[0]["at"], "2026-01-05T09:03:00.000Z");
    assert!(snapshots[0]["total"]["windows"]["interval"].is_object());
}

#[test]
fn thresholds_variants_and_seconds_are_overridden_for_all_queues() {
    let window = |arguments: &[&str]| {
        let all: Vec<&str> = ["--window", "all"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        snapshots(&all, EVENTS).0[0]["total"]["windows"]["all"].clone()
    };
    assert_eq!(window(&[])["answered_within_threshold"], 0);
    assert_eq!(
        window(&["--truncate-seconds"])["answered_within_threshold"],
        1
    );
    assert_eq!(
        window(&["--truncate-seconds"])["answered_wait_seconds"],
        20.0
    );
    assert_eq!(
        window(&["--threshold", "21s"])["answered_within_threshold"],
        1
    );
    assert_eq!(window(&["--threshold", "21s"])["service_level_ratio"], 1.0);
    assert_eq!(
        window(&["--service-level-variant", "sl4"])["service_level_ratio"],
        0.0
    );
}

#[test]
fn what_comes_too_late_for_its_instant_is_counted_and_said_once() {
    let late = r#"{"id":"5","type":"contact.queued","time":"2026-01-05T08:59:00Z","contact_id":"c","queue_id":"q"}"#;
    let input = format!("{EVENTS}{late}\n");
    let asked = [
        "--at",
        "2026-01-05T09:01:00Z",
        "--at",
        "2026-01-05T09:05:00Z",
        "--window",
        "all",
    ];
    let with = |max_disorder: &str| {
        let all: Vec<&str> = asked
            .into_iter()
            .chain(["--max-disorder", max_disorder])
            .collect();
        let (snapshots, said) = snapshots(&all, &input);
        let offered = |place: usize| snapshots[place]["total"]["windows"]["all"]["offered"].clone();
        (offered(0), offered(1), said)
    };
    let (first, second, said) = with("10s");
    assert_eq!((first, second), (1.into(), 3.into()));
    assert!(said.contains("too late for an instant: 1;"), "{said}");
    let (first, second, said) = with("10m");
    assert_eq!((first, second), (2.into(), 3.into()));
    assert!(!said.contains("too late for an instant"), "{said}");
}

#[test]
fn broken_lines_are_counted_by_reason_and_never_shown() {
    let input =
        format!("not json\n[]\n{EVENTS}{{\"id\":\"secret\",\"type\":\"contact.queued\"}}\n");
    let (_, said) = snapshots(&[], &input);
    assert!(
        said.contains("not counted: json_syntax 1, not_object 1, missing_field 1"),
        "{said}"
    );
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn the_table_writes_out_what_cannot_be_seen_in_a_name() {
    let event = |id: &str, queue: &str| {
        format!(
            r#"{{"id":"{id}","type":"contact.queued","time":1767603600000,"contact_id":"{id}","queue_id":"{queue}"}}"#
        )
    };
    let log = [
        event("1", r"\u001b]0;x\u0007a"),
        event("2", r"\u202eevil"),
        event("3", r"a\nb"),
    ];
    let output = queuepulse(&["replay", "-"], log.join("\n").as_bytes());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        !table.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "{table:?}"
    );
    for name in [
        r"\u{001B}]0;x\u{0007}a/voice",
        r"\u{202E}evil/voice",
        r"a\u{000A}b/voice",
    ] {
        assert!(table.contains(name), "{name}\n{table}");
    }
}

#[test]
fn each_file_is_a_partition_plain_or_gzip() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed) = (
        folder.path().join("a.ndjson"),
        folder.path().join("b.ndjson.gz"),
    );
    std::fs::write(&plain, EVENTS).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(
            EVENTS
                .replace("\"a\"", "\"c\"")
                .replace("\"b\"", "\"d\"")
                .as_bytes(),
        )
        .unwrap();
    std::fs::write(&packed, encoder.finish().unwrap()).unwrap();
    let files = [&plain, &packed].map(|path: &std::path::PathBuf| path.to_str().unwrap());
    let output = queuepulse(
        &[
            "replay", files[0], files[1], "--format", "json", "--window", "all",
        ],
        b"",
    );
    assert_eq!(status(&output), 0, "{}", said(&output));
    let snapshots: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(snapshots[0]["total"]["windows"]["all"]["offered"], 4);
    assert_eq!(snapshots[0]["total"]["now"]["waiting"], 2);
}

#[test]
fn queue_events_change_what_is_shown_from_their_time_on() {
    let configured = r#"{"id":"6","type":"queue.configured","time":"2026-01-05T09:02:30Z","queue_id":"q","targets":{"threshold_ms":30000}}"#;
    let input = EVENTS.replacen("{\"id\":\"4\"", &format!("{configured}\n{{\"id\":\"4\""), 1);
    let (snapshots, _) = snapshots(
        &[
            "--at",
            "2026-01-05T09:02:00Z",
            "--at",
            "2026-01-05T09:03:00Z",
            "--window",
            "all",
        ],
        &input,
    );
    let within = |place: usize| {
        snapshots[place]["total"]["windows"]["all"]["answered_within_threshold"].clone()
    };
    assert_eq!((within(0), within(1)), (0.into(), 1.into()));
}

#[test]
fn wrong_usage_is_64_nothing_accepted_65_no_input_66_wrong_configuration_78() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let wrong = folder.join("unknown-key.toml");
    let wrong = wrong.to_str().unwrap();
    for (arguments, expected, says) in [
        (&["replay"][..], 64, "<FILE>"),
        (
            &["replay", "-", "--at", "2026-01-05T09:00:00"],
            64,
            "give an offset too",
        ),
        (
            &["replay", "-", "--window", "5"],
            64,
            "such as 90s, 30m or 1h30m",
        ),
        (
            &["replay", "-", "--window", "5m", "--window", "5m"],
            64,
            "name each window once",
        ),
        (&["replay", "-", "--threshold", "0s"], 64, "more than 0"),
        (
            &["replay", "-", "--threshold", "5s", "--short-abandon", "9s"],
            64,
            "at most the --threshold",
        ),
        (&["replay", "-", "--zone", "Mars"], 64, "IANA time zone"),
        (
            &["replay", "-", "--service-level-variant", "sl12"],
            64,
            "sl1 to sl11",
        ),
        (&["replay", "-", "-"], 64, "only be read once"),
        (&["rerun"], 64, "unrecognized subcommand"),
        (
            &["replay", "-"],
            65,
            "no event was accepted: the input is empty",
        ),
        (&["replay", "no/such/file"], 66, "cannot open no/such/file"),
        (
            &["replay", "-", "--config", wrong],
            78,
            "did you mean settle_after?",
        ),
        (
            &["check-config", "--config", wrong],
            78,
            "did you mean queue?",
        ),
        (
            &["check-config", "--config", "no/such.toml"],
            78,
            "cannot read",
        ),
    ] {
        let output = queuepulse(arguments, b"");
        assert_eq!(
            status(&output),
            expected,
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(says),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let output = queuepulse(&["replay", "-"], b"no event\n\n");
    assert_eq!(status(&output), 65);
    assert!(
        said(&output).contains("empty 1, json_syntax 1"),
        "{}",
        said(&output)
    );
}

#[test]
fn the_right_configuration_and_the_metrics_are_told() {
    let output = queuepulse(&["check-config"], b"");
    assert_eq!(status(&output), 0);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("the configuration is right"));
    let output = queuepulse(&["metrics-doc"], b"");
    assert_eq!(status(&output), 0);
    assert!(String::from_utf8_lossy(&output.stdout).contains("queuepulse_waiting"));
}

#[test]
fn an_exposition_shows_the_windows_asked_for() {
    let output = queuepulse(
        &["replay", "-", "--format", "prometheus", "--window", "30m"],
        EVENTS.as_bytes(),
    );
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(status(&output), 0, "{}", said(&output));
    assert!(
        text.contains("queuepulse_waiting{client=\"default\",queue=\"q\",channel=\"voice\"} 1")
    );
    assert!(
        text.contains("window=\"30m\"") && !text.contains("window=\"5m\""),
        "{text}"
    );
}

#[test]
fn the_tables_headings_are_of_the_zone_that_is_asked_for() {
    for (zone, at, window) in [
        (
            "Asia/Kolkata",
            "at 2026-01-05T14:33:00.000+05:30",
            "today: after 2026-01-05T00:00:00.000+05:30 up to 2026-01-05T14:33:00.000+05:30",
        ),
        (
            "UTC",
            "at 2026-01-05T09:03:00.000Z",
            "today: after 2026-01-05T00:00:00.000Z up to 2026-01-05T09:03:00.000Z",
        ),
    ] {
        let arguments = ["replay", "-", "--zone", zone, "--window", "today"];
        let output = queuepulse(&arguments, EVENTS.as_bytes());
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(table.starts_with(at), "{table}");
        assert!(table.contains(window), "{table}");
    }
}
