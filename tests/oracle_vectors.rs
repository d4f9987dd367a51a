//! The recorded test vectors, through the oracle. Their folder comes from the environment:
//! `QUEUEPULSE_VECTORS`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code: a failure here is a failed test, and a skip is told"
)]

mod oracle;

use std::io::Read;
use std::path::{Path, PathBuf};

use oracle::{Settings, Window, compare::differences, duration, record, snapshots};
use serde_json::Value;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("QUEUEPULSE_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: QUEUEPULSE_VECTORS does not name the folder of the test vectors");
    }
    folder
}

fn json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .unwrap();
        return serde_json::from_str(&text).unwrap();
    }
    serde_json::from_slice(&bytes).unwrap()
}

fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn instant(text: &str) -> i64 {
    record::time(&Value::from(text)).unwrap()
}

fn settings(run: &Value) -> Settings {
    let mut settings = Settings::default();
    if let Some(zone) = run["zone"].as_str() {
        zone.clone_into(&mut settings.zone);
    }
    if let Some(threshold) = run["threshold"].as_str() {
        settings.shown.threshold = duration(threshold);
    }
    if let Some(short) = run["short_abandon"].as_str() {
        settings.shown.short_abandon = duration(short);
    }
    if let Some(variant) = run["service_level_variant"].as_str() {
        variant.clone_into(&mut settings.shown.variant);
    }
    settings
}

#[test]
fn contact_lives() {
    let Some(folder) = folder() else { return };
    let mut faults = Vec::new();
    for life in json(&folder.join("contact-lives.json")).as_array().unwrap() {
        let window = Window::parse(life["window"].as_str().unwrap());
        let events = vec![life["events"].as_array().unwrap().clone()];
        let at = [instant(life["at"].as_str().unwrap())];
        let found = snapshots(
            &events,
            &settings(life),
            &at,
            std::slice::from_ref(&window),
            0,
        );
        for (path, want) in life["expect_of_total"].as_object().unwrap() {
            let have = found[0]["total"]["windows"][&window.key]
                .pointer(&format!("/{path}"))
                .unwrap();
            faults.extend(
                differences(want, have, 1e-9)
                    .iter()
                    .map(|fault| format!("{}: {path}{fault}", life["life"])),
            );
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn agent_lives() {
    let Some(folder) = folder() else { return };
    let mut faults = Vec::new();
    for life in json(&folder.join("agent-lives.json")).as_array().unwrap() {
        let events = vec![life["events"].as_array().unwrap().clone()];
        let at = [instant(life["at"].as_str().unwrap())];
        for (path, want) in life["expect"].as_object().unwrap() {
            let words: Vec<&str> = path.split(' ').collect();
            let [row @ .., block, figure] = words.as_slice() else {
                panic!("{path}")
            };
            let windows: Vec<Window> = (*block != "now")
                .then(|| Window::parse(block))
                .into_iter()
                .collect();
            let found = snapshots(&events, &settings(life), &at, &windows, 0).remove(0);
            let row = row_of(&found, row);
            let block = if *block == "now" {
                &row["now"]
            } else {
                &row["windows"][block]
            };
            if block.is_null() && *want == serde_json::json!({}) {
                continue; // no such row: nothing in it
            }
            let here = differences(&serde_json::json!({*figure: want}), block, 1e-6);
            faults.extend(
                here.iter()
                    .map(|fault| format!("{}: {path}{fault}", life["case"])),
            );
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// `total`, `client X`, `channel X`, `queue/channel` or `client/queue/channel`.
fn row_of<'a>(snapshot: &'a Value, words: &[&str]) -> &'a Value {
    let find = |list: &str, wanted: &[(&str, &str)]| {
        let is = |row: &&Value| wanted.iter().all(|(field, value)| row[*field] == *value);
        snapshot[list]
            .as_array()
            .unwrap()
            .iter()
            .find(is)
            .unwrap_or(&Value::Null)
    };
    match words {
        ["total"] => &snapshot["total"],
        ["client", client] => find("clients", &[("client_id", client)]),
        ["channel", channel] => find("channels", &[("channel", channel)]),
        [queue] => match queue.split('/').collect::<Vec<_>>().as_slice() {
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
            _ => panic!("{queue}"),
        },
        _ => panic!("{words:?}"),
    }
}

/// The vectors call every window but `all` incomplete, also where accepted events lie before its
/// `from`. Replay's own rule says otherwise, so this one key is judged in scenarios instead.
fn leave_out_complete(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.remove("complete");
            entries.values_mut().for_each(leave_out_complete);
        }
        Value::Array(entries) => entries.iter_mut().for_each(leave_out_complete),
        _ => {}
    }
}

/// Every folder of one kind: its log, each run's arguments and what is expected of it.
fn logs(kind: &str, within: f64) {
    logs_with(kind, within, None);
}

/// With a buffer given, only the instants after the log's end are judged.
fn logs_with(kind: &str, within: f64, buffer: Option<i64>) {
    let Some(folder) = folder() else { return };
    let mut faults = Vec::new();
    for number in 9001.. {
        let log = folder.join(format!("{kind}-{number}"));
        if !log.exists() {
            break;
        }
        for run_name in ["run", "run-1", "run-2"] {
            if !log.join(format!("{run_name}.json")).exists() {
                continue;
            }
            let run = json(&log.join(format!("{run_name}.json")));
            let texts = |field: &str| -> Vec<String> {
                run[field]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|text| text.as_str().unwrap().to_owned())
                    .collect()
            };
            let partitions: Vec<Vec<Value>> = texts("files")
                .iter()
                .map(|file| events(&log.join(file)))
                .collect();
            let windows: Vec<Window> = texts("window")
                .iter()
                .map(|text| Window::parse(text))
                .collect();
            let instants: Vec<i64> = texts("at").iter().map(|text| instant(text)).collect();
            let disorder =
                buffer.unwrap_or_else(|| duration(run["max_disorder"].as_str().unwrap()));
            let times = partitions
                .iter()
                .flatten()
                .filter_map(|event| record::time(&event["time"]));
            let end = times.max().unwrap_or(0);
            let mut expected = json(&log.join(format!("{run_name}.expected.json.gz")));
            leave_out_complete(&mut expected);
            let found = snapshots(&partitions, &settings(&run), &instants, &windows, disorder);
            let judged = expected
                .as_array()
                .unwrap()
                .iter()
                .zip(&found)
                .zip(&instants);
            let judged = judged.filter(|(_, at)| buffer.is_none() || **at >= end);
            for ((want, have), _) in judged {
                let here = differences(want, have, within);
                faults.extend(
                    here.iter()
                        .map(|fault| format!("{kind}-{number} {run_name} {}{fault}", want["at"])),
                );
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults[..faults.len().min(60)].join("\n")
    );
}

#[test]
fn contact_logs() {
    logs("contacts", 1e-9);
}

#[test]
fn agent_logs() {
    logs("agents", 1e-6);
}

/// The same figures come out of the files as they are, without a buffer, after the log's end.
#[test]
fn agent_logs_without_a_buffer() {
    logs_with("agents", 1e-6, Some(0));
}
