//! What must be shown: the oracle asked about the events that were produced.

#![allow(
    dead_code,
    reason = "each integration test uses a part of this shared module"
)]

use std::collections::BTreeMap;

use queuepulse::ingest::partitioner::partition_of;
use queuepulse::simulate::{OwnedEvent, Topic};
use serde_json::Value;

use crate::oracle::figures::Counters;
use crate::oracle::record::{Record, accept};
use crate::oracle::{Kind, MINUTE, Pattern, Row, Settings, Window};

/// The oracle's settings: the defaults, with what the queue events say over them.
pub fn settings(events: &[OwnedEvent]) -> Settings {
    let queues = events.iter().filter(|event| event.topic == Topic::Queues);
    settings_by(queues.map(|event| serde_json::from_slice(&event.json).unwrap()))
}

/// The same of the queue events alone.
pub fn settings_by(queues: impl Iterator<Item = Value>) -> Settings {
    let mut settings = Settings::default();
    for said in queues {
        if said["type"] != "queue.configured" {
            continue;
        }
        let text = |field: &str| said[field].as_str().map(str::to_owned);
        let mut shown = settings.shown.clone();
        if let Some(threshold) = said["targets"]["threshold_ms"].as_i64() {
            shown.threshold = threshold;
        }
        if let Some(short) = said["short_abandon_ms"].as_i64() {
            shown.short_abandon = short;
        }
        if let Some(variant) = text("service_level_variant") {
            shown.variant = variant;
        }
        shown.group = text("group");
        let pattern = Pattern {
            client: text("client_id"),
            queue: text("queue_id"),
            channel: text("channel"),
        };
        settings.shown_by_queue.push((pattern, shown));
    }
    settings
}

/// By partition, what is counted: contacts' partitions first, then agents'.
pub fn accepted(events: &[OwnedEvent], partitions: i32) -> Vec<Vec<Record>> {
    let count = usize::try_from(partitions).unwrap();
    let mut logs = vec![Vec::new(); 2 * count];
    for event in events {
        let topic = match event.topic {
            Topic::Contacts => 0,
            Topic::Agents => count,
            Topic::Queues => continue,
        };
        let partition = usize::try_from(partition_of(&event.key, partitions)).unwrap();
        let value: Value = serde_json::from_slice(&event.json).unwrap();
        logs[topic + partition].extend(accept(&value));
    }
    logs
}

/// The windows of a default configuration.
pub fn windows() -> Vec<Window> {
    let sliding = |(key, minutes): (&str, i64)| (key.to_owned(), Kind::Sliding(minutes * MINUTE));
    [("1m", 1), ("5m", 5), ("15m", 15), ("30m", 30), ("60m", 60)]
        .map(sliding)
        .into_iter()
        .chain([
            ("interval".to_owned(), Kind::Interval(30 * MINUTE)),
            ("today".to_owned(), Kind::Today),
        ])
        .map(|(key, kind)| Window { key, kind })
        .collect()
}

/// Recorded events have no age, and are complete by another rule.
pub fn leave_out_what_only_a_live_engine_knows(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.remove("complete");
            entries.remove("data_age_seconds");
            entries.remove("source_silence_seconds");
            let values = entries.values_mut();
            values.for_each(leave_out_what_only_a_live_engine_knows);
        }
        Value::Array(entries) => {
            let values = entries.iter_mut();
            values.for_each(leave_out_what_only_a_live_engine_knows);
        }
        _ => {}
    }
}

/// Where the counters of an exposition are not the oracle's totals. What corrections took is told per
/// figure over all queues, so a queue's counter is at least its total, and the sums are equal.
pub fn counter_faults(expected: &Counters, exposition: &str) -> Vec<String> {
    let (counters, corrections) = counters(exposition);
    let mut faults = Vec::new();
    let mut surplus: BTreeMap<&str, f64> = BTreeMap::new();
    for ((row, figure), total) in expected {
        let counter = counters.get(&(row.clone(), figure.clone())).copied();
        let counter = counter.unwrap_or(0.0);
        if counter < total - 1e-6 {
            faults.push(format!(
                "{row:?} {figure}: counter {counter}, total {total}"
            ));
        }
        let family = figure.split('/').next().unwrap_or_default();
        *surplus.entry(family).or_default() += counter - total;
    }
    for (family, surplus) in &surplus {
        let corrected = corrections.get(*family).copied().unwrap_or(0.0);
        if (surplus - corrected).abs() > 1e-3 {
            faults.push(format!(
                "{family}: counters exceed totals by {surplus}, corrections say {corrected}"
            ));
        }
    }
    let unknown = counters
        .iter()
        .filter(|(key, counter)| **counter != 0.0 && !expected.contains_key(key));
    faults.extend(unknown.map(|(key, counter)| format!("{key:?}: counter {counter}, no total")));
    faults
}

/// Counters of queues, and what corrections took back, by figure.
fn counters(exposition: &str) -> (Counters, BTreeMap<String, f64>) {
    let (mut counters, mut corrections) = (Counters::new(), BTreeMap::new());
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, rest)) = line.split_once('{') else {
            continue;
        };
        let Some((labels, value)) = rest.rsplit_once("} ") else {
            continue;
        };
        let Some(figure) = name
            .strip_prefix("queuepulse_")
            .and_then(|name| name.strip_suffix("_total"))
        else {
            continue;
        };
        let value: f64 = value.parse().unwrap();
        let label = |label: &str| {
            let parts = labels.split(',').filter_map(|part| part.split_once('='));
            let mut of = parts.filter(|(name, _)| *name == label);
            of.next().map(|(_, text)| text.trim_matches('"').to_owned())
        };
        if figure == "corrections" {
            corrections.insert(label("figure").unwrap(), value);
        } else if let (Some(client), Some(queue), Some(channel)) =
            (label("client"), label("queue"), label("channel"))
        {
            let row = Row {
                client,
                queue,
                channel,
            };
            let outcome = label("outcome").map(|outcome| format!("/{outcome}"));
            let figure = format!("{figure}{}", outcome.unwrap_or_default());
            counters.insert((row, figure), value);
        }
    }
    (counters, corrections)
}
