//! Where two snapshots differ.

use serde_json::Value;

/// Every difference between what is expected and what is there, as `path: expected, found`. A key
/// that is not expected is not judged; an absent label of an object counts as 0.
pub fn differences(expected: &Value, found: &Value, seconds_within: f64) -> Vec<String> {
    let mut out = Vec::new();
    compare(expected, found, "", seconds_within, &mut out);
    out
}

/// What a row is known by.
fn name(row: &Value) -> String {
    ["client_id", "queue_id", "channel", "group"]
        .iter()
        .filter_map(|field| row[*field].as_str())
        .collect::<Vec<_>>()
        .join("/")
}

fn compare(expected: &Value, found: &Value, path: &str, within: f64, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(want), Value::Object(have)) => {
            for (key, value) in want {
                let labels = LABELLED.iter().any(|labelled| path.ends_with(labelled));
                let missing = if labels { Value::from(0) } else { Value::Null };
                let there = have.get(key).unwrap_or(&missing);
                compare(value, there, &format!("{path} {key}"), within, out);
            }
            for (key, value) in have {
                let labels = LABELLED.iter().any(|labelled| path.ends_with(labelled));
                if labels
                    && !want.contains_key(key)
                    && value.as_f64().is_some_and(|value| value.abs() > within)
                {
                    out.push(format!("{path} {key}: expected nothing, found {value}"));
                }
            }
        }
        (Value::Array(want), Value::Array(have)) => {
            for row in want {
                match have.iter().find(|other| name(other) == name(row)) {
                    Some(other) => {
                        compare(row, other, &format!("{path} {}", name(row)), within, out);
                    }
                    None => out.push(format!("{path}: no row {}", name(row))),
                }
            }
        }
        _ if same(expected, found, path, within) => {}
        _ => out.push(format!("{path}: expected {expected}, found {found}")),
    }
}

/// Objects whose keys are labels: one that is absent is 0.
const LABELLED: [&str; 4] = [
    "agents_aux",
    "agents_aux_seconds",
    "agent_contacts",
    "agents_seconds",
];

fn same(expected: &Value, found: &Value, path: &str, within: f64) -> bool {
    match (expected.as_f64(), found.as_f64()) {
        (Some(want), Some(have)) => {
            let last = path.rsplit(' ').next().unwrap_or_default();
            let percentile = last.contains("_p5") || last.contains("_p9");
            let allowed = if percentile {
                want.abs() * 0.01
            } else {
                within.max(want.abs() * 1e-12)
            };
            (want - have).abs() <= allowed
        }
        _ => expected == found,
    }
}
