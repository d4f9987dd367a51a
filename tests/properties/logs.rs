//! Logs for the properties: small, adversarial lives of a few contacts and agents that share
//! instants, repeat themselves, lack facts and contradict themselves.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// 2026-01-05T09:00:00Z.
pub const START: i64 = 1_767_603_600_000;

/// One event before it has a time: `gap` after the one before.
#[derive(Clone, Debug)]
pub struct Step {
    gap: i64,
    who: usize,
    kind: &'static str,
    visit: Option<i64>,
    queue: Option<&'static str>,
    agent: Option<&'static str>,
    channel: Option<&'static str>,
    direction: Option<&'static str>,
    word: usize,
    number: Option<i64>,
    queued_at: Option<i64>,
    /// Delivered twice.
    twice: bool,
}

/// An event and how much later than its time it is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub event: Value,
    pub time: i64,
    pub late: i64,
}

/// What a log is made of.
#[derive(Clone, Debug)]
pub struct Shape {
    pub gaps: &'static [i64],
    pub steps: std::ops::Range<usize>,
    /// At most this much later than its time is an event sent.
    pub late: i64,
}

/// All within five minutes: nothing is settled, so any order gives the same figures.
pub const SHORT: Shape = Shape {
    gaps: &[0, 0, 0, 1, 999, 1000, 4000, 5000, 5001, 7000],
    steps: 1..40,
    late: 280_000,
};

/// Hours: contacts are settled, swept and forgotten, agents time out.
pub const LONG: Shape = Shape {
    gaps: &[
        0, 0, 1, 1000, 20_000, 20_001, 60_000, 240_000, 300_000, 600_000, 3_600_000, 14_400_000,
    ],
    steps: 1..60,
    late: 290_000,
};

fn contact_kind() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just("queued"),
        6 => Just("answered"),
        4 => Just("dequeued"),
        5 => Just("ended"),
        2 => Just("alerting"),
        2 => Just("alert_failed"),
        2 => Just("held"),
        2 => Just("resumed"),
        2 => Just("transferred"),
        2 => Just("wrapped_up"),
        1 => Just("closed"),
        1 => Just("created"),
        1 => Just("rated"),
        1 => Just("complained"),
        1 => Just("resolved"),
    ]
}

fn step(shape: &Shape, kind: impl Strategy<Value = &'static str> + 'static) -> BoxedStrategy<Step> {
    let places = (
        select(shape.gaps),
        0..4usize,
        kind,
        1..4i64,
        weighted(0.5, select(&["q1", "q2"][..])),
        weighted(0.6, select(&["a", "b"][..])),
    );
    let facts = (
        weighted(0.1, select(&["voice", "chat", "callback", "email"][..])),
        weighted(0.08, select(&["inbound", "outbound", "consult"][..])),
        any::<u16>(),
        of(select(&[-7i64, 0, 1, 3000, 60_000][..])),
        weighted(0.15, select(&[-20_001i64, -20_000, -3000, 0, 2000][..])),
        proptest::bool::weighted(0.08),
    );
    (places, facts)
        .prop_map(|((gap, who, kind, visit, queue, agent), facts)| {
            let (channel, direction, word, number, queued_at, twice) = facts;
            let word = usize::from(word);
            Step {
                gap,
                who,
                kind,
                visit: Some(visit),
                queue,
                agent,
                channel,
                direction,
                word,
                number,
                queued_at,
                twice,
            }
        })
        .boxed()
}

/// A log of contacts, in order of time; half of the contacts number their visits.
pub fn contacts(shape: &Shape) -> BoxedStrategy<Vec<Sent>> {
    let late = shape.late;
    let steps = vec(
        (step(shape, contact_kind()), 0..=late, any::<bool>()),
        shape.steps.clone(),
    );
    (steps, any::<u8>())
        .prop_map(|(steps, numbered)| {
            let mut time = START;
            let mut out = Vec::new();
            for (at, (step, late, is_late)) in steps.into_iter().enumerate() {
                time += step.gap;
                let late = if is_late { late } else { 0 };
                let event = contact_event(&step, at, time, numbered >> step.who & 1 == 1);
                let copies = if step.twice { 2 } else { 1 };
                for copy in 0..copies {
                    out.push(Sent {
                        event: event.clone(),
                        time,
                        late: late * (1 - copy),
                    });
                }
            }
            out
        })
        .boxed()
}

fn contact_event(step: &Step, at: usize, time: i64, numbered: bool) -> Value {
    let mut event = Map::new();
    let mut put = |field: &str, value: Value| event.insert(field.to_owned(), value);
    put("id", json!(format!("c{at:03}")));
    put("type", json!(format!("contact.{}", step.kind)));
    put("time", json!(time));
    put("contact_id", json!(format!("contact-{}", step.who)));
    let plain = ["closed", "created"].contains(&step.kind);
    let queue = if step.kind == "queued" {
        Some(step.queue.unwrap_or("q1"))
    } else {
        step.queue
    };
    let agent = match step.kind {
        "alerting" | "alert_failed" => Some(step.agent.unwrap_or("a")),
        _ => step.agent,
    };
    let mut text = |field: &str, value: Option<&str>| {
        if let Some(value) = value {
            put(field, json!(value));
        }
    };
    text(
        "queue_id",
        queue.filter(|_| step.kind == "queued" || !plain && step.word.is_multiple_of(3)),
    );
    text("agent_id", agent);
    text("channel", step.channel.filter(|_| !plain));
    text("direction", step.direction.filter(|_| !plain));
    match step.kind {
        "dequeued" => {
            text(
                "outcome",
                Some(["abandoned", "timeout", "callback", "overflow"][step.word % 4]),
            );
        }
        "transferred" => text("kind", Some(["blind", "attended"][step.word % 2])),
        "ended" => text(
            "by",
            [None, Some("customer"), Some("agent"), Some("transfer")][step.word % 4],
        ),
        _ => {}
    }
    if numbered && !plain {
        event.insert("visit".to_owned(), json!(step.visit));
    }
    let number = step.number.filter(|_| step.word.is_multiple_of(4));
    let stated = match step.kind {
        "ended" if step.word.is_multiple_of(8) => Some("talk_ms"),
        "ended" => Some("hold_ms"),
        "wrapped_up" => Some("acw_ms"),
        _ => None,
    };
    if let (Some(field), Some(number)) = (stated, number) {
        event.insert(field.to_owned(), json!(number));
    }
    if let (Some(before), "answered" | "dequeued") = (step.queued_at, step.kind) {
        event.insert("queued_at".to_owned(), json!(time + before));
    }
    event.into()
}

fn agent_kind() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        2 => Just("logged_in"),
        1 => Just("logged_out"),
        4 => Just("state"),
        2 => Just("queues"),
        2 => Just("capacity"),
        10 => Just("contact"),
        4 => Just("snapshot"),
    ]
}

/// A log of agents, in order of time; not all are known before it begins.
pub fn agents(shape: &Shape) -> BoxedStrategy<Vec<Sent>> {
    let late = shape.late;
    let steps = vec(
        (step(shape, agent_kind()), 0..=late, any::<bool>()),
        shape.steps.clone(),
    );
    (steps, subsequence(vec!["anna", "bob"], 0..=2))
        .prop_map(|(steps, known)| {
            let mut time = START;
            let mut out: Vec<Sent> = known.into_iter().map(logged_in).collect();
            for (at, (step, late, is_late)) in steps.into_iter().enumerate() {
                time += step.gap;
                let late = if is_late { late } else { 0 };
                let event = agent_event(&step, at, time);
                let copies = if step.twice { 2 } else { 1 };
                for copy in 0..copies {
                    out.push(Sent {
                        event: event.clone(),
                        time,
                        late: late * (1 - copy),
                    });
                }
            }
            out
        })
        .boxed()
}

fn logged_in(agent: &str) -> Sent {
    let time = START - 100_000;
    let event = json!({"id": format!("in {agent}"), "type": "agent.logged_in", "time": time, "agent_id": agent});
    Sent {
        event,
        time,
        late: 0,
    }
}

const QUEUES: [&[(&str, &str)]; 4] = [
    &[],
    &[("q1", "voice")],
    &[("q1", "voice"), ("q2", "chat")],
    &[("q2", "chat"), ("q1", "chat")],
];

fn memberships(word: usize) -> Value {
    let entries = QUEUES[word % 4].iter().map(|(queue, channel)| {
        let mut entry = json!({"queue_id": queue, "channel": channel});
        if word.is_multiple_of(5) {
            entry["client_id"] = json!("acme");
        }
        entry
    });
    entries.collect()
}

fn slots(word: usize) -> Value {
    [
        json!({"voice": 1}),
        json!({"chat": 3}),
        json!({"voice": 1, "chat": 2}),
        json!({"voice": 0, "chat": 1}),
    ][word % 4]
        .clone()
}

const STATES: [&str; 8] = [
    "alerting",
    "connected",
    "held",
    "acw",
    "released",
    "missed",
    "rejected",
    "error",
];

fn agent_event(step: &Step, at: usize, time: i64) -> Value {
    let word = step.word;
    let mut event = json!({
        "id": format!("a{at:03}"),
        "type": format!("agent.{}", step.kind),
        "time": time,
        "agent_id": (["anna", "bob"][step.who % 2]),
    });
    if word.is_multiple_of(7) {
        event["client_id"] = json!("acme");
    }
    match step.kind {
        "state" => {
            event["state"] = json!(["available", "available", "aux", "offline"][word % 4]);
            if word % 8 == 2 {
                event["reason"] = json!("lunch");
            }
        }
        "queues" => event["queues"] = memberships(word),
        "capacity" => {
            event["slots"] = slots(word);
            if word.is_multiple_of(9) {
                event["shared"] = json!(true);
            }
        }
        "contact" => {
            event["contact_id"] = json!(["x", "y", "z"][word % 3]);
            event["state"] = json!(STATES[(word / 3) % 8]);
            if let Some(queue) = step.queue {
                event["queue_id"] = json!(queue);
            }
            if let Some(channel) = step.channel {
                event["channel"] = json!(channel);
            }
            if let (Some(number), "acw") = (step.number, STATES[(word / 3) % 8]) {
                event["for_ms"] = json!(number.max(0));
            }
        }
        "snapshot" => snapshot(&mut event, step, time),
        _ => {}
    }
    event
}

fn snapshot(event: &mut Value, step: &Step, time: i64) {
    let word = step.word;
    if word.is_multiple_of(2) {
        event["presence"] = json!(["available", "aux", "offline"][(word / 2) % 3]);
    }
    if word.is_multiple_of(11) {
        event["queues"] = memberships(word);
    }
    if word.is_multiple_of(13) {
        event["slots"] = slots(word);
    }
    if word.is_multiple_of(5) {
        return;
    }
    let listed = (0..word % 3).map(|which| {
        let mut contact = json!({
            "contact_id": (["x", "y", "z"][which]),
            "state": (STATES[(word / (which + 3)) % 8]),
            "channel": (["voice", "chat"][word % 2]),
        });
        if let Some(queue) = step.queue {
            contact["queue_id"] = json!(queue);
        }
        if let Some(before) = step.queued_at.or(step.number) {
            contact["since"] = json!(time - before.abs());
        }
        contact
    });
    event["contacts"] = listed.collect();
}

/// In the order in which the events are sent.
pub fn arrivals(log: &[Sent]) -> Vec<Value> {
    let mut log: Vec<&Sent> = log.iter().collect();
    log.sort_by_key(|sent| sent.time + sent.late);
    log.into_iter().map(|sent| sent.event.clone()).collect()
}

/// The partition of an event, by its contact or agent; `spread` says how.
pub fn partition(event: &Value, count: usize, spread: usize) -> usize {
    let of_contact = event["type"]
        .as_str()
        .is_some_and(|kind| kind.starts_with("contact."));
    let key = if of_contact { "contact_id" } else { "agent_id" };
    let bytes = event[key].as_str().unwrap_or_default().bytes();
    bytes.fold(spread, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(usize::from(byte))
    }) % count
}

/// Spread over partitions by contact and agent.
pub fn partitions(events: &[Value], count: usize, spread: usize) -> Vec<Vec<Value>> {
    let mut out = vec![Vec::new(); count];
    for event in events {
        out[partition(event, count, spread)].push(event.clone());
    }
    out
}

/// Instants worth asking: on, just before and just after what happened.
pub fn instants(log: &[Sent], picks: &[(usize, usize)]) -> Vec<i64> {
    let offsets = [
        0, 0, -1, 1, 20_000, 20_001, 15_000, 300_000, 14_400_000, 3_600_000,
    ];
    let mut instants: Vec<i64> = picks
        .iter()
        .map(|(event, offset)| log[event % log.len()].time + offsets[offset % offsets.len()])
        .collect();
    instants.sort_unstable();
    instants.dedup();
    instants
}
