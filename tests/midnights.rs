//! Restarts around local midnights and clock changes: a queue in Auckland and one in New York, each
//! day with a change of clocks of 2026 in either zone. The process ends just before, at and just after
//! each edge; `today` and every other figure must be that of the run that never ended, and what
//! happened since midnight must be in it to the unit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

mod engine;
mod oracle;

use engine::Engine;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use oracle::compare::differences;
use oracle::{HOUR, MINUTE, Pattern, Settings, Window};
use serde_json::{Value, json};

/// The queues and their zones.
const QUEUES: [(&str, &str); 2] = [
    ("auckland", "Pacific/Auckland"),
    ("new_york", "America/New_York"),
];

/// The days on which clocks change: whose, the day, and how many hours it has.
const CHANGES: [(&str, &str, i64); 4] = [
    ("Pacific/Auckland", "2026-04-05", 25),
    ("Pacific/Auckland", "2026-09-27", 23),
    ("America/New_York", "2026-03-08", 23),
    ("America/New_York", "2026-11-01", 25),
];

fn settings() -> Settings {
    let of_queue = |(queue, zone): (&str, &str)| {
        let covers = Pattern {
            client: None,
            queue: Some(queue.to_owned()),
            channel: None,
        };
        (covers, zone.to_owned())
    };
    Settings {
        zone_by_queue: QUEUES.map(of_queue).to_vec(),
        ..Settings::default()
    }
}

fn windows() -> Vec<Window> {
    ["300s", "30m", "today"].map(Window::parse).to_vec()
}

/// The instant of a local time; the earlier of two.
fn instant(local: &str, zone: &str) -> i64 {
    let local: DateTime = local.parse().unwrap();
    let zoned = local
        .to_zoned_datetime(TimeZone::get(zone).unwrap())
        .unwrap();
    zoned.timestamp().as_millisecond()
}

/// A day's beginning, the change of clocks in it and its end.
fn edges(zone: &str, day: &str, hours: i64) -> [i64; 3] {
    let begin = instant(&format!("{day}T00:00:00"), zone);
    // At 2:00 both change: in spring at 2:00 sharp, in autumn an hour after the first 2:00 or 1:00.
    let zone = TimeZone::get(zone).unwrap();
    let after = jiff::Timestamp::from_millisecond(begin).unwrap();
    let change = zone.following(after).next().unwrap();
    let change = change.timestamp().as_millisecond();
    assert!(change > begin && change < begin + 4 * HOUR, "{day}");
    [begin, change, begin + hours * HOUR]
}

/// Every contact that enters a queue, in order: queue and entry.
fn entries(edges: [i64; 3]) -> Vec<(&'static str, i64)> {
    let mut entries = Vec::new();
    for (shift, (queue, _)) in (0_i64..).zip(QUEUES) {
        let every = (edges[0] - 3 * HOUR..edges[2] + 3 * HOUR).step_by(11 * 60_000);
        entries.extend(every.map(|at| (queue, at + shift * MINUTE + 7)));
        for edge in edges {
            entries.extend([-1, 0, 1].map(|off| (queue, edge + off)));
        }
    }
    entries.sort_unstable_by_key(|(queue, at)| (*at, *queue));
    entries
}

/// The life of each contact, and an agent's day, in order of time.
fn events(entries: &[(&str, i64)]) -> Vec<Value> {
    let mut events = Vec::new();
    for (number, (queue, at)) in entries.iter().enumerate() {
        let mut event = |kind: &str, after: i64, rest: Value| {
            let mut event = json!({
                "id": format!("{number}{kind}"),
                "type": format!("contact.{kind}"),
                "time": at + after,
                "contact_id": format!("c{number}"),
            });
            event
                .as_object_mut()
                .unwrap()
                .extend(rest.as_object().unwrap().clone());
            events.push(event);
        };
        event("queued", 0, json!({"queue_id": queue}));
        if number % 5 == 4 {
            event("dequeued", 31_000, json!({"outcome": "abandoned"}));
            continue;
        }
        let wait = 1000 * i64::try_from(number % 40).unwrap();
        event("answered", wait, json!({"agent_id": "a"}));
        event("ended", wait + 200_000, json!({"agent_id": "a"}));
        event(
            "wrapped_up",
            wait + 215_000,
            json!({"agent_id": "a", "acw_ms": 15_000}),
        );
    }
    for (number, (queue, at)) in entries.iter().enumerate().step_by(3) {
        let states = ["available", "aux", "available", "offline"];
        let state = states[number / 3 % 4];
        events.push(json!({
            "id": format!("s{number}"), "type": "agent.snapshot", "time": at + 400,
            "agent_id": "a", "presence": state, "queues": [{"queue_id": queue}],
        }));
    }
    events.sort_by_key(|event| event["time"].as_i64());
    events
}

/// The snapshots at each instant of a run that ends and begins again after what came up to
/// `restart`.
fn run(events: &[Value], instants: &[i64], restart: Option<i64>) -> Vec<Value> {
    let mut engine = Engine::new(&settings(), &windows(), 2);
    let mut left = events.iter().enumerate().peekable();
    let mut stops: Vec<(i64, bool)> = instants.iter().map(|at| (*at, false)).collect();
    stops.extend(restart.map(|at| (at, true)));
    stops.sort_unstable();
    let mut snapshots = Vec::new();
    for (at, is_restart) in stops {
        while let Some((_, event)) =
            left.next_if(|(_, event)| event["time"].as_i64().unwrap() <= at)
        {
            let is_agent = event["agent_id"].is_string() && event["contact_id"].is_null();
            engine.apply(usize::from(is_agent), event);
        }
        if is_restart {
            engine.restart();
        } else {
            snapshots.push(engine.snapshot(at));
        }
    }
    snapshots
}

/// How many entered a queue since its local midnight, counted by hand.
fn since_midnight(entries: &[(&str, i64)], queue: &str, zone: &str, at: i64) -> u64 {
    let zone = TimeZone::get(zone).unwrap();
    let last = jiff::Timestamp::from_millisecond(at - 1).unwrap();
    let midnight = last.to_zoned_datetime(zone).start_of_day().unwrap();
    let midnight = midnight.timestamp().as_millisecond();
    let today = entries
        .iter()
        .filter(|(other, entry)| *other == queue && *entry > midnight && *entry <= at);
    today.count() as u64
}

fn offered_today(snapshot: &Value, queue: &str) -> u64 {
    let mut queues = snapshot["queues"].as_array().unwrap().iter();
    let row = queues.find(|row| row["queue_id"] == queue);
    row.map_or(0, |row| {
        row["windows"]["today"]["offered"].as_u64().unwrap()
    })
}

#[test]
fn a_restart_around_midnights_and_clock_changes_loses_nothing() {
    for (zone, day, hours) in CHANGES {
        let edges = edges(zone, day, hours);
        let entries = entries(edges);
        let events = events(&entries);
        let mut instants: Vec<i64> = edges
            .iter()
            .flat_map(|edge| [-1, 0, 1, 1000, 20 * MINUTE].map(|after| edge + after))
            .collect();
        instants.extend([edges[1] + 12 * HOUR, edges[2] + 2 * HOUR]);
        instants.sort_unstable();
        let whole = run(&events, &instants, None);
        for (snapshot, at) in whole.iter().zip(&instants) {
            for (queue, zone) in QUEUES {
                let expected = since_midnight(&entries, queue, zone, *at);
                assert_eq!(
                    offered_today(snapshot, queue),
                    expected,
                    "{day} {queue} {at}"
                );
            }
        }
        for restart in edges
            .iter()
            .flat_map(|edge| [-1, 0, 1].map(|off| edge + off))
        {
            let broken = run(&events, &instants, Some(restart));
            for ((want, have), at) in whole.iter().zip(&broken).zip(&instants) {
                let faults = differences(want, have, 1e-9);
                let faults = faults.join("\n");
                assert!(
                    faults.is_empty(),
                    "{day}, restart at {restart}, seen at {at}\n{faults}"
                );
            }
        }
    }
}
