//! One month of a real bank's call centre (the Technion's "Anonymous Bank", February 1999), against
//! figures worked out from the records themselves. The events lie outside the project: their folder
//! is in `QUEUEPULSE_BANK`, with `events.ndjson` and, one file for each telephone line, `split/`.
//! Without it these tests say that they are skipped.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test's helpers may fail loudly, and say that they are skipped"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The end of the month, local midnight.
const END: &str = "1999-03-01T00:00:00+02:00";

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("QUEUEPULSE_BANK").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: QUEUEPULSE_BANK does not name the folder of the bank's events");
    }
    folder
}

/// The month as one file, and as one for each telephone line.
fn inputs(folder: &Path) -> [Vec<PathBuf>; 2] {
    let mut lines: Vec<PathBuf> = std::fs::read_dir(folder.join("split"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    lines.sort();
    assert_eq!(lines.len(), 27, "telephone lines");
    [vec![folder.join("events.ndjson")], lines]
}

fn replay(files: &[PathBuf], arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_queuepulse"))
        .args(["replay", "--format", "json", "--zone", "Asia/Jerusalem"])
        .args(arguments)
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A row of the table: the counts of [`COUNTS`]; SL1 to SL5 and abandonment in per
/// cent; ASA, time to abandon, service time in seconds.
struct Expected {
    set: &'static str,
    counts: [i64; 5],
    per_cent: [f64; 6],
    seconds: [f64; 3],
}

const TABLE: [Expected; 5] = [
    Expected {
        set: "all",
        counts: [27162, 3963, 16210, 1257, 274],
        per_cent: [52.0803, 54.2721, 56.1189, 59.6790, 52.5429, 12.7325],
        seconds: [40.7733, 65.5299, 176.3530],
    },
    Expected {
        set: "PS",
        counts: [18349, 1678, 11080, 603, 74],
        per_cent: [55.3253, 57.0428, 58.3362, 60.3848, 55.5305, 8.3787],
        seconds: [35.9183, 53.5268, 184.3375],
    },
    Expected {
        set: "NW",
        counts: [4990, 1969, 2858, 597, 191],
        per_cent: [41.0691, 44.9230, 49.6479, 57.2745, 42.2281, 28.2943],
        seconds: [55.4100, 70.7257, 106.8134],
    },
    Expected {
        set: "NE",
        counts: [2520, 182, 1329, 30, 2],
        per_cent: [49.1858, 49.7380, 50.2961, 52.7381, 49.2222, 6.7358],
        seconds: [50.8012, 90.9615, 275.1829],
    },
    Expected {
        set: "3 Feb",
        counts: [1319, 227, 789, 107, 32],
        per_cent: [51.0349, 54.8297, 57.9560, 59.8180, 52.1136, 14.6831],
        seconds: [37.2434, 36.8811, 171.6649],
    },
];

const COUNTS: [&str; 5] = [
    "answered",
    "abandoned",
    "answered_within_threshold",
    "abandoned_within_threshold",
    "short_abandoned",
];

/// The window of a set: the month of everything or of a queue, or one day.
fn window<'a>(snapshots: &'a Value, set: &str) -> &'a Value {
    match set {
        "all" => &snapshots[0]["total"]["windows"]["all"],
        "3 Feb" => &snapshots[1]["total"]["windows"]["today"],
        queue => {
            let rows = snapshots[0]["queues"].as_array().unwrap();
            let row = rows.iter().find(|row| row["queue_id"] == queue).unwrap();
            &row["windows"]["all"]
        }
    }
}

/// To the digits of the table.
fn assert_digits(what: &str, found: &Value, expected: f64, scale: f64) {
    let found = found.as_f64().unwrap() * scale;
    assert!(
        (found - expected).abs() < 0.5e-4 + 1e-9,
        "{what}: {found}, expected {expected}"
    );
}

#[test]
fn february_to_the_last_digit() {
    let Some(folder) = folder() else { return };
    let day_end = "1999-02-04T00:00:00+02:00";
    for files in inputs(&folder) {
        for (variant, place) in ["sl1", "sl2", "sl3", "sl4", "sl5"].into_iter().zip(0..) {
            let snapshots = replay(
                &files,
                &[
                    "--at",
                    END,
                    "--at",
                    day_end,
                    "--window",
                    "all",
                    "--window",
                    "today",
                    "--threshold",
                    "20s",
                    "--short-abandon",
                    "5s",
                    "--service-level-variant",
                    variant,
                ],
            );
            for row in &TABLE {
                let figures = window(&snapshots, row.set);
                let what = format!("{} {variant}", row.set);
                for (key, expected) in COUNTS.iter().zip(row.counts) {
                    assert_eq!(figures[key], expected, "{what} {key}");
                }
                let ratio = &figures["service_level_ratio"];
                assert_digits(&what, ratio, row.per_cent[place], 100.0);
                assert_digits(&what, &figures["abandonment_ratio"], row.per_cent[5], 100.0);
                let service = figures["talk_seconds"].as_f64().unwrap()
                    / figures["handled"].as_f64().unwrap();
                for (found, expected) in [
                    (&figures["answer_speed_average_seconds"], row.seconds[0]),
                    (&figures["abandon_time_average_seconds"], row.seconds[1]),
                    (&service.into(), row.seconds[2]),
                ] {
                    assert_digits(&what, found, expected, 1.0);
                }
            }
        }
    }
}

#[test]
fn the_service_level_event_on_3_february() {
    let Some(folder) = folder() else { return };
    for files in inputs(&folder) {
        let snapshots = replay(
            &files,
            &[
                "--at",
                "1999-02-04T00:00:00+02:00",
                "--at",
                "1999-02-03T13:30:00+02:00",
                "--at",
                "1999-02-03T16:30:00+02:00",
                "--window",
                "today",
                "--window",
                "30m",
            ],
        );
        for (place, window, expected) in [
            (0, "today", [789, 107, 649]),
            (1, "30m", [9, 26, 45]),
            (2, "30m", [33, 1, 0]),
        ] {
            let figures = &snapshots[place]["total"]["windows"][window];
            let found = [
                "service_level_met",
                "abandoned_within_threshold",
                "service_level_missed",
            ]
            .map(|key| figures[key].as_i64().unwrap());
            assert_eq!(found, expected, "snapshot {place}");
        }
        assert_digits(
            "13:00",
            &snapshots[1]["total"]["windows"]["30m"]["service_level_ratio"],
            16.6667,
            100.0,
        );
    }
}

#[test]
fn most_contacts_waiting_at_once() {
    let Some(folder) = folder() else { return };
    for files in inputs(&folder) {
        let snapshots = replay(&files, &["--at", "1999-02-03T13:27:21+02:00"]);
        assert_eq!(snapshots[0]["total"]["now"]["waiting"], 17);
    }
}

#[test]
fn percentiles_of_the_month() {
    let Some(folder) = folder() else { return };
    for files in inputs(&folder) {
        let snapshots = replay(&files, &["--at", END, "--window", "all"]);
        let figures = &snapshots[0]["total"]["windows"]["all"];
        for (key, expected) in [
            ("wait_seconds_p50", 6.0),
            ("wait_seconds_p95", 189.0),
            ("wait_seconds_max", 908.0),
            ("handle_seconds_p50", 107.0),
            ("handle_seconds_p95", 582.0),
        ] {
            let found = figures[key].as_f64().unwrap();
            assert!(
                (found - expected).abs() <= 0.01 * expected,
                "{key}: {found}, expected {expected}"
            );
        }
    }
}
