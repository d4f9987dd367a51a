//! The recorded logs and lives of the test vectors: whole figures, computed from an agent's posts by
//! a small, slow evaluator of its own.
//!
//! The vectors' folder comes from `QUEUEPULSE_VECTORS`; without it these tests are skipped.
#![allow(
    clippy::cast_precision_loss,
    reason = "figures are shown as JSON numbers"
)]

mod board;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::board::{Board, Name};
use self::read::{Record, millis};
use super::testing::Partition;
use crate::event::{Millis, Span};

/// How a log is read.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Sorted by time first, as a wide enough reorder buffer does.
    sorted: bool,
    /// Agents spread over so many partitions; `None`: as the files have them.
    partitions: Option<usize>,
    /// As the engine does, else without checkpoints.
    checkpoints: bool,
}

fn board(records: &[Record], at: Millis, way: Way) -> Board {
    let mut partitions: BTreeMap<usize, Partition> = BTreeMap::new();
    let mut records: Vec<_> = records.iter().collect();
    if way.sorted {
        records.sort_by_key(|record| record.time);
        records.retain(|record| record.time <= at);
    }
    for record in records {
        let place = match way.partitions {
            None => record.partition,
            Some(count) => record.spread % count,
        };
        let new = || Partition::new(way.checkpoints);
        let partition = partitions.entry(place).or_insert_with(new);
        match &record.event {
            Some(event) => partition.apply(event),
            None => partition.go_on(record.time),
        }
    }
    let mut board = Board::new(at);
    for partition in partitions.values_mut() {
        let posts = partition.posts(at);
        board.add(&posts, &partition.names);
    }
    board
}

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("QUEUEPULSE_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: QUEUEPULSE_VECTORS names no folder");
    }
    folder
}

/// Compares a block of figures with what the board shows; returns the faults.
fn compare(expected: &Value, shown: &BTreeMap<&'static str, Value>, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, expected) in expected.as_object().unwrap() {
        if ["from", "to", "complete"].contains(&key.as_str()) {
            continue;
        }
        let Some(shown) = shown.get(key.as_str()) else {
            faults.push(format!("{at} {key}: not computed"));
            continue;
        };
        if !same(expected, shown) {
            faults.push(format!("{at} {key}: expected {expected}, shown {shown}"));
        }
    }
    faults
}

/// Equal to 1e-6; in objects a missing label is 0.
fn same(expected: &Value, shown: &Value) -> bool {
    match (expected, shown) {
        (Value::Object(a), Value::Object(b)) => a.keys().chain(b.keys()).all(|key| {
            let zero = Value::from(0);
            same(a.get(key).unwrap_or(&zero), b.get(key).unwrap_or(&zero))
        }),
        (Value::Null, Value::Null) => true,
        _ => match (expected.as_f64(), shown.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-6,
            _ => false,
        },
    }
}

fn check_snapshot(board: &Board, snapshot: &Value) -> Vec<String> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let mut rows = vec![(Name::Total, &snapshot["total"])];
    for row in snapshot["queues"].as_array().unwrap() {
        let queue = (
            text(row, "client_id"),
            text(row, "queue_id"),
            text(row, "channel"),
        );
        rows.push((Name::Queue(queue.0, queue.1, queue.2), row));
    }
    for row in snapshot["clients"].as_array().unwrap() {
        rows.push((Name::Client(text(row, "client_id")), row));
    }
    for row in snapshot["channels"].as_array().unwrap() {
        rows.push((Name::Channel(text(row, "channel")), row));
    }
    let at = snapshot["at"].as_str().unwrap();
    let mut faults = Vec::new();
    for (name, row) in rows {
        let place = format!("{at} {name:?}");
        faults.extend(compare(
            &row["now"],
            &board.now(&name),
            &format!("{place} now"),
        ));
        for (key, window) in row["windows"].as_object().unwrap() {
            let from = window["from"].as_str().map(|_| millis(&window["from"]));
            let shown = board.window(&name, from.flatten());
            faults.extend(compare(window, &shown, &format!("{place} {key}")));
        }
    }
    faults
}

fn check_log(folder: &Path, way: Way) -> Vec<String> {
    let run: Value =
        serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    let mut records = Vec::new();
    for (partition, file) in run["files"].as_array().unwrap().iter().enumerate() {
        let text = std::fs::read_to_string(folder.join(file.as_str().unwrap())).unwrap();
        records.extend(
            text.lines()
                .filter_map(|line| Record::read(line, partition)),
        );
    }
    let end = records.iter().map(|record| record.time).max().unwrap();
    let file = std::fs::File::open(folder.join("run.expected.json.gz")).unwrap();
    let expected: Value = serde_json::from_reader(flate2::read::GzDecoder::new(file)).unwrap();
    let (mut faults, mut checked) = (Vec::new(), 0);
    for snapshot in expected.as_array().unwrap() {
        let at = millis(&snapshot["at"]).unwrap();
        if way.sorted || at >= end {
            checked += 1;
            faults.extend(check_snapshot(&board(&records, at, way), snapshot));
        }
    }
    assert!(checked > 0, "{way:?} checks nothing");
    faults
}

#[test]
fn recorded_logs_give_the_expected_figures_however_they_are_read() {
    let Some(folder) = folder() else {
        return;
    };
    let mut faults = Vec::new();
    for number in 9001..=9004 {
        let log = folder.join(format!("agents-{number}"));
        for (sorted, partitions, checkpoints) in [
            (true, None, false),
            (true, None, true),
            (false, None, false),
            (false, None, true),
            (true, Some(1), true),
            (true, Some(3), true),
            (true, Some(7), true),
        ] {
            let way = Way {
                sorted,
                partitions,
                checkpoints,
            };
            let found = check_log(&log, way);
            println!("agents-{number} {way:?}: {} faults", found.len());
            faults.extend(found.iter().take(12).cloned());
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn lives_of_single_agents_show_what_they_must() {
    let Some(folder) = folder() else {
        return;
    };
    let text = std::fs::read(folder.join("agent-lives.json")).unwrap();
    let lives: Value = serde_json::from_slice(&text).unwrap();
    let mut faults = Vec::new();
    for life in lives.as_array().unwrap() {
        let events = life["events"].as_array().unwrap();
        let records: Vec<_> = events
            .iter()
            .filter_map(|event| Record::read(&event.to_string(), 0))
            .collect();
        let at = millis(&life["at"]).unwrap();
        for (sorted, checkpoints) in [(false, false), (false, true), (true, true)] {
            let way = Way {
                sorted,
                partitions: None,
                checkpoints,
            };
            let board = board(&records, at, way);
            for (key, expected) in life["expect"].as_object().unwrap() {
                let shown = life_figure(&board, key, at);
                if !same(expected, &shown) {
                    let case = &life["case"];
                    faults.push(format!("{case}: {key}: expected {expected}, shown {shown}"));
                }
            }
        }
    }
    println!("{} lives", lives.as_array().unwrap().len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A key of `expect` reads "row block figure".
fn life_figure(board: &Board, key: &str, at: Millis) -> Value {
    let words: Vec<_> = key.split(' ').collect();
    let (name, rest) = match words.as_slice() {
        ["total", rest @ ..] => (Name::Total, rest),
        ["client", client, rest @ ..] => (Name::Client((*client).to_owned()), rest),
        ["channel", channel, rest @ ..] => (Name::Channel((*channel).to_owned()), rest),
        [queue, rest @ ..] => {
            let mut parts: Vec<_> = queue.split('/').map(str::to_owned).collect();
            if parts.len() == 2 {
                parts.insert(0, "default".to_owned());
            }
            let [client, queue, channel] = parts.try_into().unwrap();
            (Name::Queue(client, queue, channel), rest)
        }
        [] => panic!("an empty key"),
    };
    let (block, figure) = (rest[0], rest[1]);
    let (count, unit) = block.split_at(block.len() - 1);
    let span = count.parse::<i64>().ok().map(|count| match unit {
        "m" => Span::minutes(count),
        _ => Span::seconds(count),
    });
    let mut shown = match block {
        "now" => board.now(&name),
        "all" => board.window(&name, None),
        _ => board.window(&name, Some(at - span.unwrap())),
    };
    shown.remove(figure).unwrap()
}
