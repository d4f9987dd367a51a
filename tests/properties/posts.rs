//! What a partition posts, against what the oracle says should be posted: contact by contact and
//! agent by agent, before windows add anything up. Where this differs, folding differs.

use std::collections::BTreeMap;
use std::sync::Arc;

use queuepulse::decode::{Limits, decode};
use queuepulse::engine::facts::{Count, Fact, Post};
use queuepulse::engine::names::{Activity, Names, RowNo, SetNo};
use queuepulse::engine::partition::Partition;
use queuepulse::engine::settings::StateSettings;
use queuepulse::event::{Millis, Presence};
use serde_json::Value;

use crate::oracle::agents::{self, State};
use crate::oracle::posts;
use crate::oracle::{Settings, record};

/// By what is posted: the net amount at each stamp; nothing that is 0.
pub type Steps = BTreeMap<String, BTreeMap<i64, i64>>;

fn step(steps: &mut Steps, what: String, at: i64, by: i64) {
    let sum = steps.entry(what).or_default().entry(at).or_default();
    *sum += by;
}

fn without_zeros(mut steps: Steps) -> Steps {
    for stamps in steps.values_mut() {
        stamps.retain(|_, sum| *sum != 0);
    }
    steps.retain(|_, stamps| !stamps.is_empty());
    steps
}

/// Feeds a partition, up to the instant, in the order given.
pub fn feed(partition: &mut Partition, records: &[&record::Record]) {
    for record in records {
        let bytes = record.value.to_string();
        let event = decode(bytes.as_bytes(), &Limits::default()).expect("generated events decode");
        let _ = partition.apply(&event);
    }
}

/// Everything in force in a fed partition at `at`.
pub fn of_engine(partition: &mut Partition, at: i64) -> Steps {
    let mut posts: Vec<Post> = partition.ledger().outbox().to_vec();
    partition.due(Millis(at), &mut posts);
    let names = partition.names();
    let mut steps = Steps::new();
    for post in posts.iter().filter(|post| post.stamp.0 <= at) {
        if let Some(what) = told(&post.fact, names) {
            // A state of now is compared as it is at `at`, whenever it began.
            let now = matches!(post.fact, Fact::State(..));
            let stamp = if now { at } else { post.stamp.0 };
            step(&mut steps, what, stamp, i64::from(post.sign));
        }
    }
    without_zeros(steps)
}

fn row(names: &Names, row: RowNo) -> String {
    let info = names.row_info(row);
    let queue = info.queue.map_or("-", |queue| names.queues.text(queue.0));
    format!(
        "{}/{queue}/{}",
        names.clients.text(info.client.0),
        names.channels.text(info.channel.0)
    )
}

fn rows(names: &Names, set: SetNo) -> String {
    let mut rows: Vec<String> = names
        .set_info(set)
        .rows
        .iter()
        .map(|at| row(names, *at))
        .collect();
    rows.sort();
    rows.dedup();
    rows.join(",")
}

fn told(fact: &Fact, names: &Names) -> Option<String> {
    Some(match fact {
        Fact::Count(at, count) => {
            let what = match count {
                Count::Offered => "offered".to_owned(),
                Count::Answered { wait } => format!("answered after {}", wait.0),
                Count::Abandoned { wait } => format!("abandoned after {}", wait.0),
                Count::FlowedOut { how, wait } => {
                    format!("{} after {:?}", how.name(), wait.map(|wait| wait.0))
                }
                Count::Callback { wait } => format!("callback after {}", wait.0),
                Count::Passed { rung } => {
                    let rung = names.row_info(*at).rungs[usize::from(*rung)];
                    if rung.0 != 20_000 {
                        return None;
                    }
                    "passed 20000".to_owned()
                }
                Count::AlertFailed => "alert_failed".to_owned(),
                Count::Transferred => "transferred".to_owned(),
                Count::Handled { talk, hold } => format!("handled talk {} hold {}", talk.0, hold.0),
                Count::AfterContact { acw } => format!("acw {}", acw.0),
                Count::Rated => "rated".to_owned(),
                Count::Complained => "complained".to_owned(),
                Count::Resolved => "resolved".to_owned(),
            };
            format!("{} {what}", row(names, *at))
        }
        Fact::State(at, state) => format!("{} now {state:?}", row(names, *at)),
        Fact::WaitingPast(..) | Fact::PassCounted(..) => return None,
        Fact::Staff(set, profile) => {
            let profile = names.profile_info(*profile);
            let presence = match (profile.presence, profile.reason) {
                (Presence::Available, _) => "available".to_owned(),
                (Presence::Offline, _) => "offline".to_owned(),
                (Presence::Aux, reason) => format!(
                    "aux {}",
                    reason.map_or("", |reason| names.reasons.text(reason.0))
                ),
            };
            let activity = match profile.activity {
                Activity::NotResponding => "not_responding",
                Activity::OnContact => "on_contact",
                Activity::Acw => "acw",
                Activity::Alerting => "alerting",
                Activity::Idle => "idle",
            };
            if presence == "offline" && !["on_contact", "acw"].contains(&activity) {
                return None;
            }
            let clients = names
                .set_info(*set)
                .clients
                .iter()
                .map(|client| names.clients.text(client.0).to_owned());
            let mut clients: Vec<String> = clients.collect();
            clients.sort();
            let slots = if presence == "available" {
                (profile.used, profile.usable)
            } else {
                (0, 0)
            };
            format!(
                "serves [{}] of [{}] {presence} {activity} busy {} slots {}/{}",
                rows(names, *set),
                clients.join(","),
                profile.busy_contacts,
                slots.0,
                slots.1
            )
        }
        Fact::Here { serves, here } => format!(
            "serves [{}] here [{}]",
            rows(names, *serves),
            rows(names, *here)
        ),
        Fact::Work(at, state) => format!("{} work {state:?}", row(names, *at)),
    })
}

/// What the oracle says of the same records.
pub fn of_oracle(records: &[&record::Record], settings: &Settings, at: i64) -> Steps {
    let mut steps = Steps::new();
    for (what, stamp, by) in posts::posted(records, settings, at) {
        step(&mut steps, what, stamp, by);
    }
    for agent in agents::agents(records, settings, at) {
        for span in &agent.spans {
            for what in told_of(&span.state) {
                step(&mut steps, what.clone(), span.from, 1);
                step(&mut steps, what, span.until, -1);
            }
        }
        for what in agent.now.iter().flat_map(told_of) {
            step(&mut steps, what, at, 1);
        }
    }
    without_zeros(steps)
}

fn told_of(state: &State) -> Vec<String> {
    let name = |client: &str, queue: Option<&String>, channel: &str| {
        format!("{client}/{}/{channel}", queue.map_or("-", |queue| queue))
    };
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows.dedup();
        rows.join(",")
    };
    let serves = state.serves();
    let serves = sorted(
        serves
            .iter()
            .map(|row| name(&row.client, Some(&row.queue), &row.channel))
            .collect(),
    );
    let turn = |turn: &agents::Turn| name(&turn.client, turn.queue.as_ref(), &turn.channel);
    let mut told: Vec<String> = state
        .turns
        .values()
        .map(|at| {
            let mut work = at.state.clone();
            work[..1].make_ascii_uppercase();
            format!("{} work {work}", turn(at))
        })
        .collect();
    let activity = state.activity();
    if activity == "offline" {
        return told;
    }
    if activity == "on_contact" {
        let here = state
            .turns
            .values()
            .filter(|turn| ["connected", "held"].contains(&turn.state.as_str()));
        told.push(format!(
            "serves [{serves}] here [{}]",
            sorted(here.map(turn).collect())
        ));
    }
    let presence = match &state.presence {
        agents::Presence::Available => "available".to_owned(),
        agents::Presence::Offline => "offline".to_owned(),
        agents::Presence::Aux(reason) => format!("aux {reason}"),
    };
    let busy = state
        .turns
        .values()
        .filter(|turn| turn.state != "alerting")
        .count();
    let slots = if presence == "available" {
        (
            i64::try_from(state.turns.len()).expect("few"),
            state.usable_slots(),
        )
    } else {
        (0, 0)
    };
    let clients: Vec<String> = state.clients().into_iter().collect();
    told.push(format!(
        "serves [{serves}] of [{}] {presence} {activity} busy {busy} slots {}/{}",
        clients.join(","),
        slots.0,
        slots.1
    ));
    told
}

/// Where a partition fed with these records and the oracle differ at `at`.
pub fn differences(records: &[&record::Record], at: i64) -> Vec<String> {
    let mut partition = partition();
    feed(&mut partition, records);
    let engine = of_engine(&mut partition, at);
    let oracle = of_oracle(records, &Settings::default(), at);
    let mut out = Vec::new();
    for what in engine.keys().chain(oracle.keys()) {
        let (have, want) = (engine.get(what), oracle.get(what));
        if have != want {
            out.push(format!("{what}: oracle {want:?}, engine {have:?}"));
        }
    }
    out.sort();
    out.dedup();
    out
}

/// A new partition with the default settings.
pub fn partition() -> Partition {
    Partition::new(Arc::new(StateSettings::default()))
}

/// The records of a log that a partition accepts.
pub fn records(events: &[Value]) -> Vec<record::Record> {
    events.iter().filter_map(record::accept).collect()
}
