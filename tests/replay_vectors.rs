//! Recorded events and the figures they must give, through the real `replay`. The vectors lie outside
//! the project: their folder is in `QUEUEPULSE_VECTORS`; without it these tests say that they are
//! skipped.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test's helpers may fail loudly, and say that they are skipped"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::Value;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("QUEUEPULSE_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: QUEUEPULSE_VECTORS does not name the folder of the vectors");
    }
    folder
}

fn read(path: &Path) -> Value {
    let file = File::open(path).unwrap();
    if path.extension().is_some_and(|kind| kind == "gz") {
        serde_json::from_reader(GzDecoder::new(file)).unwrap()
    } else {
        serde_json::from_reader(file).unwrap()
    }
}

/// Runs `replay` and returns its snapshots.
fn replay(arguments: &[String], input: Option<&str>) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_queuepulse"))
        .args(["replay", "--format", "json"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(input.unwrap_or_default().as_bytes())
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn lines(events: &Value) -> String {
    let mut text = String::new();
    for event in events.as_array().unwrap() {
        writeln!(text, "{event}").unwrap();
    }
    text
}

/// `--name value` for each.
fn flags(pairs: &[(&str, &Value)]) -> Vec<String> {
    let mut flags = Vec::new();
    for (name, value) in pairs {
        let values = match value {
            Value::Null => Vec::new(),
            Value::Array(values) => values.clone(),
            single => vec![(*single).clone()],
        };
        for value in values {
            flags.push(format!("--{name}"));
            flags.push(value.as_str().unwrap().to_owned());
        }
    }
    flags
}

/// How close numbers must be: absolutely, and relative to the expected one.
#[derive(Clone, Copy)]
struct Tolerance(f64);

/// Notes every expected figure that is not there. What is missing counts as 0, as do labels without
/// a number.
fn compare(
    place: &str,
    expected: &Value,
    found: &Value,
    tolerance: Tolerance,
    wrong: &mut Vec<String>,
) {
    let same = match (expected, found) {
        (Value::Object(expected), Value::Object(_) | Value::Null) => {
            // The vectors call every window but `all` incomplete, also where an accepted event lies
            // before its `from`: not judged.
            for (key, value) in expected.iter().filter(|(key, _)| *key != "complete") {
                let found = found.get(key).unwrap_or(&Value::Null);
                compare(&format!("{place}/{key}"), value, found, tolerance, wrong);
            }
            true
        }
        (Value::Array(expected), Value::Array(found)) => {
            compare_rows(place, expected, found, tolerance, wrong);
            true
        }
        (Value::Number(expected), _) => {
            let missing_is_zero = if found.is_null() {
                Some(0.0)
            } else {
                found.as_f64()
            };
            let expected = expected.as_f64().unwrap();
            let allowed = if place.contains("_seconds_p") {
                0.01 * expected + 0.0005
            } else {
                tolerance.0 * expected.abs().max(1.0)
            };
            missing_is_zero.is_some_and(|found| (found - expected).abs() <= allowed)
        }
        _ => expected == found,
    };
    if !same {
        wrong.push(format!("{place}: expected {expected}, found {found}"));
    }
}

/// Rows are matched by their names, snapshots by their place.
fn compare_rows(
    place: &str,
    expected: &[Value],
    found: &[Value],
    tolerance: Tolerance,
    wrong: &mut Vec<String>,
) {
    const NAMES: [&str; 4] = ["client_id", "queue_id", "channel", "group"];
    let name = |row: &Value| NAMES.map(|key| row.get(key).cloned());
    for (index, row) in expected.iter().enumerate() {
        let names = name(row);
        let has_name = names.iter().any(Option::is_some);
        let counterpart = if has_name {
            found.iter().find(|other| name(other) == names)
        } else {
            found.get(index)
        };
        let label: Vec<&str> = names.iter().flatten().filter_map(Value::as_str).collect();
        let label = if has_name {
            label.join(",")
        } else {
            index.to_string()
        };
        match counterpart {
            Some(other) => compare(&format!("{place}/{label}"), row, other, tolerance, wrong),
            None => wrong.push(format!("{place}/{label}: there is no such row")),
        }
    }
}

/// How many wrong figures a failure shows.
const SHOWN: usize = 12;

/// Fails with the first few figures that are wrong.
fn assert_none(what: &str, wrong: &[String]) {
    let shown: Vec<&String> = wrong.iter().take(SHOWN).collect();
    assert!(
        wrong.is_empty(),
        "{what}: {} figures are wrong\n{shown:#?}",
        wrong.len()
    );
}

#[test]
fn single_contacts() {
    let Some(folder) = folder() else { return };
    let lives = read(&folder.join("contact-lives.json"));
    let mut wrong = Vec::new();
    for life in lives.as_array().unwrap() {
        let mut arguments = flags(&[
            ("at", &life["at"]),
            ("window", &life["window"]),
            ("threshold", &life["threshold"]),
            ("short-abandon", &life["short_abandon"]),
            ("service-level-variant", &life["service_level_variant"]),
        ]);
        arguments.push("-".to_owned());
        let snapshots = replay(&arguments, Some(&lines(&life["events"])));
        let window = life["window"].as_str().unwrap();
        let figures = &snapshots[0]["total"]["windows"][window];
        for (key, expected) in life["expect_of_total"].as_object().unwrap() {
            let pointer = format!("/{key}");
            let found = figures.pointer(&pointer).unwrap_or(&Value::Null);
            let place = format!("{}: {key}", life["life"]);
            compare(&place, expected, found, Tolerance(1e-9), &mut wrong);
        }
    }
    assert_none("contact lives", &wrong);
}

/// The row that a life's key names.
fn row<'a>(snapshot: &'a Value, name: &str) -> &'a Value {
    let find = |rows: &str, wanted: &[(&str, &str)]| {
        let rows = snapshot[rows].as_array().unwrap();
        rows.iter()
            .find(|row| wanted.iter().all(|(key, value)| row[*key] == **value))
            .unwrap_or(&Value::Null)
    };
    if name == "total" {
        return &snapshot["total"];
    }
    if let Some((kind, of)) = name.split_once(' ') {
        let key = if kind == "client" { "client_id" } else { kind };
        return find(&format!("{kind}s"), &[(key, of)]);
    }
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        [queue, channel] => find(
            "queues",
            &[
                ("client_id", "default"),
                ("queue_id", queue),
                ("channel", channel),
            ],
        ),
        [client, queue, channel] => find(
            "queues",
            &[
                ("client_id", client),
                ("queue_id", queue),
                ("channel", channel),
            ],
        ),
        _ => panic!("no row {name}"),
    }
}

#[test]
fn single_agents() {
    let Some(folder) = folder() else { return };
    let lives = read(&folder.join("agent-lives.json"));
    let mut wrong = Vec::new();
    for life in lives.as_array().unwrap() {
        let expect = life["expect"].as_object().unwrap();
        let part = |key: &str, place: usize| key.rsplit(' ').nth(place).unwrap().to_owned();
        let windows: BTreeSet<String> = expect.keys().map(|key| part(key, 1)).collect();
        let windows = windows.into_iter().filter(|window| window != "now");
        let windows: Value = windows.map(Value::from).collect();
        let mut arguments = flags(&[
            ("at", &life["at"]),
            ("zone", &life["zone"]),
            ("window", &windows),
        ]);
        arguments.push("-".to_owned());
        let snapshots = replay(&arguments, Some(&lines(&life["events"])));
        for (key, expected) in expect {
            let (figure, block) = (part(key, 0), part(key, 1));
            let name = key.strip_suffix(&format!(" {block} {figure}")).unwrap();
            let row = row(&snapshots[0], name);
            let block = match &*block {
                "now" => &row["now"],
                window => &row["windows"][window],
            };
            let place = format!("{}: {key}", life["case"]);
            compare(
                &place,
                expected,
                &block[&figure],
                Tolerance(1e-6),
                &mut wrong,
            );
        }
    }
    assert_none("agent lives", &wrong);
}

/// The folders whose names begin so.
fn logs(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut logs: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(prefix)
        })
        .collect();
    logs.sort();
    assert!(
        !logs.is_empty(),
        "there is no {prefix} in {}",
        folder.display()
    );
    logs
}

/// What a `run.json` asks for, at these instants and with this buffer.
fn arguments(log: &Path, run: &Value, at: &Value, max_disorder: &Value) -> Vec<String> {
    let mut arguments = flags(&[
        ("at", at),
        ("window", &run["window"]),
        ("zone", &run["zone"]),
        ("threshold", &run["threshold"]),
        ("short-abandon", &run["short_abandon"]),
        ("service-level-variant", &run["service_level_variant"]),
        ("max-disorder", max_disorder),
    ]);
    for file in run["files"].as_array().unwrap() {
        let path = log.join(file.as_str().unwrap());
        arguments.push(path.to_str().unwrap().to_owned());
    }
    arguments
}

#[test]
fn logs_of_contacts() {
    let Some(folder) = folder() else { return };
    for log in logs(&folder, "contacts-") {
        for name in ["run-1", "run-2"] {
            let run = read(&log.join(format!("{name}.json")));
            let expected = read(&log.join(format!("{name}.expected.json.gz")));
            let arguments = arguments(&log, &run, &run["at"], &run["max_disorder"]);
            let mut wrong = Vec::new();
            compare(
                name,
                &expected,
                &replay(&arguments, None),
                Tolerance(1e-9),
                &mut wrong,
            );
            assert_none(&log.display().to_string(), &wrong);
        }
    }
}

#[test]
fn logs_of_agents() {
    let Some(folder) = folder() else { return };
    for log in logs(&folder, "agents-") {
        let run = read(&log.join("run.json"));
        let expected = read(&log.join("run.expected.json.gz"));
        let in_order = arguments(&log, &run, &run["at"], &run["max_disorder"]);
        let mut wrong = Vec::new();
        compare(
            "run",
            &expected,
            &replay(&in_order, None),
            Tolerance(1e-6),
            &mut wrong,
        );
        assert_none(&log.display().to_string(), &wrong);
    }
}

/// Without a buffer every fact out of order goes through the engine's own correction, so the figures
/// after the log's end must be the same.
#[test]
fn logs_of_agents_as_they_are() {
    let Some(folder) = folder() else { return };
    for log in logs(&folder, "agents-") {
        let run = read(&log.join("run.json"));
        let expected = read(&log.join("run.expected.json.gz"));
        let end = last_time(&log, &run);
        let (mut at, mut after) = (Vec::new(), Vec::new());
        for (instant, snapshot) in run["at"]
            .as_array()
            .unwrap()
            .iter()
            .zip(expected.as_array().unwrap())
        {
            if millis(instant) >= end {
                at.push(instant.clone());
                after.push(snapshot.clone());
            }
        }
        assert!(
            !at.is_empty(),
            "{}: no instant lies after the end",
            log.display()
        );
        let as_is = arguments(&log, &run, &at.into(), &"0s".into());
        let mut wrong = Vec::new();
        compare(
            "as is",
            &after.into(),
            &replay(&as_is, None),
            Tolerance(1e-6),
            &mut wrong,
        );
        assert_none(&log.display().to_string(), &wrong);
    }
}

/// The latest time of a log's events.
fn last_time(log: &Path, run: &Value) -> i64 {
    let files = run["files"].as_array().unwrap().iter();
    let texts = files.map(|file| fs::read_to_string(log.join(file.as_str().unwrap())).unwrap());
    let text: String = texts.collect();
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events
        .filter(|event| event.get("time").is_some())
        .map(|event| millis(&event["time"]))
        .max()
        .unwrap()
}

fn millis(time: &Value) -> i64 {
    let text = |text: &str| queuepulse::decode::parse_instant(text).unwrap().0;
    time.as_i64()
        .unwrap_or_else(|| text(time.as_str().unwrap()))
}
