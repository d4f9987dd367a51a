//! Properties over generated logs. `QUEUEPULSE_CASES` sets how many logs each property tries; a
//! failure prints the smallest log found, and its seed goes to `proptest-regressions`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

#[path = "properties/logs.rs"]
mod logs;
mod oracle;

use logs::{LONG, SHORT, Sent, arrivals, instants, partitions};
use oracle::{Settings, Window, compare::differences};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

fn config() -> Config {
    let cases = std::env::var("QUEUEPULSE_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(48),
        max_shrink_iters: 4000,
        ..Config::default()
    }
}

fn windows() -> Vec<Window> {
    ["1s", "20s", "300s", "30m", "today", "all"]
        .map(Window::parse)
        .to_vec()
}

/// Contacts and agents of one log, in order of time.
fn both(contacts: Vec<Sent>, agents: Vec<Sent>) -> Vec<Sent> {
    let mut log: Vec<Sent> = contacts.into_iter().chain(agents).collect();
    log.sort_by_key(|sent| sent.time);
    log
}

/// Instants: which event, and how far off it.
fn picks() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((any::<usize>(), any::<usize>()), 1..4)
}

fn by_oracle(partitions: &[Vec<Value>], instants: &[i64]) -> Vec<Value> {
    oracle::snapshots(
        partitions,
        &Settings::default(),
        instants,
        &windows(),
        10 * oracle::HOUR,
    )
}

fn same(expected: &[Value], found: &[Value], log: &[Value]) {
    assert_eq!(expected.len(), found.len());
    let faults: Vec<String> = expected
        .iter()
        .zip(found)
        .flat_map(|(want, have)| {
            let faults = differences(want, have, 1e-6);
            faults
                .into_iter()
                .map(|fault| format!("{}{fault}", want["at"]))
        })
        .collect();
    let lines: Vec<String> = log.iter().map(Value::to_string).collect();
    assert!(
        faults.is_empty(),
        "{} differences\n{}\nof the log\n{}",
        faults.len(),
        faults[..faults.len().min(12)].join("\n"),
        lines.join("\n")
    );
}

proptest! {
    #![proptest_config(config())]

    /// What a contact and an agent come to does not depend on the order of arrival.
    #[test]
    fn the_oracle_does_not_care_about_order(
        contacts in logs::contacts(&SHORT),
        agents in logs::agents(&SHORT),
        picks in picks(),
    ) {
        let log = both(contacts, agents);
        let at = instants(&log, &picks);
        let arrived = arrivals(&log);
        let sorted: Vec<Value> = log.iter().map(|sent| sent.event.clone()).collect();
        same(&by_oracle(&[sorted], &at), &by_oracle(std::slice::from_ref(&arrived), &at), &arrived);
    }

    /// Nor on how contacts and agents are spread over partitions.
    #[test]
    fn the_oracle_does_not_care_about_partitions(
        contacts in logs::contacts(&SHORT),
        agents in logs::agents(&SHORT),
        picks in picks(),
        spread in 0..100usize,
    ) {
        let log = both(contacts, agents);
        let at = instants(&log, &picks);
        let arrived = arrivals(&log);
        let one = by_oracle(std::slice::from_ref(&arrived), &at);
        same(&one, &by_oracle(&partitions(&arrived, 3, spread), &at), &arrived);
    }
}
