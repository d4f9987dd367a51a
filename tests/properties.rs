//! Properties over generated logs. `QUEUEPULSE_CASES` sets how many logs each property tries; a
//! failure prints the smallest log found, and its seed goes to `proptest-regressions`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

mod engine;
#[path = "properties/logs.rs"]
mod logs;
mod oracle;
#[path = "properties/posts.rs"]
mod posts;

use logs::{LONG, SHORT, Sent, arrivals, instants, partitions};
use oracle::record::Record;
use oracle::{Settings, Window, compare::differences, lives};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError};
use serde_json::Value;

fn config() -> Config {
    let cases = std::env::var("QUEUEPULSE_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(48),
        // `least` makes a failing log small, faster and further.
        max_shrink_iters: 0,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/properties/regressions.txt",
        ))),
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

fn same(expected: &[Value], found: &[Value], log: &[Value]) -> Result<(), TestCaseError> {
    prop_assert_eq!(expected.len(), found.len());
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
    prop_assert!(
        faults.is_empty(),
        "{} differences\n{}\nof the log\n{}",
        faults.len(),
        faults[..faults.len().min(12)].join("\n"),
        lines.join("\n")
    );
    Ok(())
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
        same(&by_oracle(&[sorted], &at), &by_oracle(std::slice::from_ref(&arrived), &at), &arrived)?;
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
        same(&one, &by_oracle(&partitions(&arrived, 3, spread), &at), &arrived)?;
    }

    /// A partition posts what the oracle says, whatever the order of arrival: contacts.
    #[test]
    fn contacts_within_minutes_are_folded_as_the_oracle_folds_them(
        contacts in logs::contacts(&SHORT),
        picks in picks(),
    ) {
        folded(&contacts, &picks)?;
    }

    /// The same over hours: settled, swept, forgotten.
    #[test]
    fn contacts_over_hours_are_folded_as_the_oracle_folds_them(
        contacts in logs::contacts(&LONG),
        picks in picks(),
    ) {
        folded(&contacts, &picks)?;
    }

    /// Agents.
    #[test]
    fn agents_within_minutes_are_folded_as_the_oracle_folds_them(
        agents in logs::agents(&SHORT),
        picks in picks(),
    ) {
        folded(&agents, &picks)?;
    }

    /// Agents over hours: late facts, time-outs, ghosts.
    #[test]
    fn agents_over_hours_are_folded_as_the_oracle_folds_them(
        agents in logs::agents(&LONG),
        picks in picks(),
    ) {
        folded(&agents, &picks)?;
    }

    /// Every figure of every row, window and instant: the engine's snapshot is the oracle's.
    #[test]
    fn the_engine_shows_what_the_oracle_shows_over_hours(
        contacts in logs::contacts(&LONG),
        agents in logs::agents(&LONG),
        picks in picks(),
        spread in 0..100usize,
    ) {
        shown(&both(contacts, agents), &picks, spread)?;
    }

    /// The same within minutes, where nothing is settled and everything collides.
    #[test]
    fn the_engine_shows_what_the_oracle_shows_within_minutes(
        contacts in logs::contacts(&SHORT),
        agents in logs::agents(&SHORT),
        picks in picks(),
        spread in 0..100usize,
    ) {
        shown(&both(contacts, agents), &picks, spread)?;
    }

    /// Partitions fed one after the other give what partitions fed together give.
    #[test]
    fn partitions_one_after_the_other(
        contacts in logs::contacts(&LONG),
        agents in logs::agents(&LONG),
        spread in 0..100usize,
        after in 0..4usize,
    ) {
        let log = both(contacts, agents);
        let at = log.last().map_or(0, |sent| sent.time) + [0, 1, 20_000, 3_600_000][after];
        no_faults(fed(&log, spread), |fed| {
            let together = at_end(fed, None, at);
            let mut in_turn = fed.to_vec();
            in_turn.sort_by_key(|(part, _)| *part);
            differences(&together, &at_end(&in_turn, None, at), 1e-6)
        })?;
    }

    /// A log split at any place into two runs over one state gives what one run gives.
    #[test]
    fn two_runs_over_one_state(
        contacts in logs::contacts(&LONG),
        agents in logs::agents(&LONG),
        spread in 0..100usize,
        split in 0..100usize,
        after in 0..4usize,
    ) {
        let log = both(contacts, agents);
        let at = log.last().map_or(0, |sent| sent.time) + [0, 1, 20_000, 3_600_000][after];
        no_faults(fed(&log, spread), |fed| {
            let split = fed.len() * split / 100;
            differences(&at_end(fed, None, at), &at_end(fed, Some(split), at), 1e-6)
        })?;
    }
}

const PARTITIONS: usize = 3;

/// In order of arrival, each event with the number of its partition.
fn fed(log: &[Sent], spread: usize) -> Vec<(usize, Value)> {
    let part = |event: Value| (logs::partition(&event, PARTITIONS, spread), event);
    arrivals(log).into_iter().map(part).collect()
}

/// The snapshot at `at` of an engine with windows on and off edges. With `split`, a second run
/// begins there over the same partitions.
fn at_end(fed: &[(usize, Value)], split: Option<usize>, at: i64) -> Value {
    // Not `all`: of what left the log a partition keeps the distributions of the day only.
    let mut windows = windows();
    windows.retain(|window| window.key != "all");
    let mut engine = engine::Engine::new(&Settings::default(), &windows, PARTITIONS);
    for (number, (part, event)) in fed.iter().enumerate() {
        if Some(number) == split {
            engine.second_run();
        }
        engine.apply(*part, event);
    }
    engine.snapshot(at)
}

/// Fails with the least part of the log for which there are faults.
fn no_faults(
    fed: Vec<(usize, Value)>,
    faults: impl Fn(&[(usize, Value)]) -> Vec<String>,
) -> Result<(), TestCaseError> {
    if faults(&fed).is_empty() {
        return Ok(());
    }
    let before = |(_, event): &(usize, Value)| event["time"].as_i64() < Some(logs::START);
    let least = least(fed, before, |fed| !faults(fed).is_empty());
    let lines: Vec<String> = least
        .iter()
        .map(|(part, event)| format!("{part} {event}"))
        .collect();
    let faults = faults(&least);
    let some = faults[..faults.len().min(20)].join("\n");
    prop_assert!(
        false,
        "{} differences\n{some}\nof the log\n{}",
        faults.len(),
        lines.join("\n")
    );
    Ok(())
}

/// Compares the snapshots at each instant, each from the state and the tables of the one before.
fn shown(log: &[Sent], picks: &[(usize, usize)], spread: usize) -> Result<(), TestCaseError> {
    let instants = instants(log, picks);
    let settings = Settings::default();
    let buffer = 10 * oracle::HOUR;
    no_faults(fed(log, spread), |fed| {
        let mut parts = vec![Vec::new(); PARTITIONS];
        for (part, event) in fed {
            parts[*part].push(event.clone());
        }
        let records: Vec<Vec<Record>> = parts.iter().map(|part| posts::records(part)).collect();
        let mut engine = engine::Engine::new(&settings, &windows(), PARTITIONS);
        let mut done = i64::MIN;
        let mut faults = Vec::new();
        for &at in &instants {
            for (number, part) in records.iter().enumerate() {
                let applied = oracle::record::applied(part, at, buffer);
                // What the documents leave open is not compared.
                if lives::in_doubt(&applied, &settings) {
                    return faults;
                }
                let news = applied.iter().filter(|record| record.time > done);
                news.for_each(|record| engine.apply(number, &record.value));
            }
            done = at;
            let expected =
                oracle::snapshots(&parts, &settings, &[at], &windows(), buffer).remove(0);
            let mut here = differences(&expected, &engine.snapshot(at), 1e-6);
            // A largest wait that has left the log is not lowered when it is taken back.
            here.retain(|fault| {
                let reaches_back = fault.contains(" today ") || fault.contains(" all ");
                !(reaches_back && fault.contains(" wait_seconds_max"))
            });
            faults.extend(
                here.into_iter()
                    .map(|fault| format!("{}{fault}", expected["at"])),
            );
        }
        faults
    })
}

/// Feeds a partition up to each instant and compares what it posted.
fn folded(log: &[Sent], picks: &[(usize, usize)]) -> Result<(), TestCaseError> {
    let arrived = arrivals(log);
    let records = posts::records(&arrived);
    for at in instants(log, picks) {
        let sorted = oracle::record::applied(&records, at, 10 * oracle::HOUR);
        let as_sent: Vec<&Record> = records.iter().filter(|record| record.time <= at).collect();
        for applied in [sorted, as_sent] {
            let differs = |applied: &[&Record]| {
                // What the documents leave open is not compared.
                if lives::in_doubt(applied, &Settings::default()) {
                    Vec::new()
                } else {
                    posts::differences(applied, at)
                }
            };
            if differs(&applied).is_empty() {
                continue;
            }
            let least = least(
                applied,
                |record| record.time < logs::START,
                |applied| !differs(applied).is_empty(),
            );
            let lines: Vec<String> = least
                .iter()
                .map(|record| record.value.to_string())
                .collect();
            let faults = differs(&least).join("\n");
            prop_assert!(
                false,
                "at +{} ms\n{faults}\nof the log\n{}",
                at - logs::START,
                lines.join("\n")
            );
        }
    }
    Ok(())
}

/// A log without any record that the failure does not need; some are kept.
fn least<T: Clone>(
    mut log: Vec<T>,
    keep: impl Fn(&T) -> bool,
    fails: impl Fn(&[T]) -> bool,
) -> Vec<T> {
    let mut at = 0;
    let mut removed = false;
    loop {
        if at >= log.len() {
            if !removed {
                return log;
            }
            (at, removed) = (0, false);
            continue;
        }
        let mut fewer = log.clone();
        fewer.remove(at);
        if !keep(&log[at]) && fails(&fewer) {
            log = fewer;
            removed = true;
        } else {
            at += 1;
        }
    }
}

/// A life to look at: `QUEUEPULSE_LIFE` names a file of events, one JSON object a line. Says where
/// engine and oracle differ after its last event, and what the oracle posts.
#[test]
fn a_life_from_a_file() {
    let Some(file) = std::env::var_os("QUEUEPULSE_LIFE") else {
        return;
    };
    let text = std::fs::read_to_string(file).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let records = posts::records(&events);
    let applied: Vec<&Record> = records.iter().collect();
    let at = applied.iter().map(|record| record.time).max().unwrap();
    let faults = posts::differences(&applied, at);
    let posted = posts::of_oracle(&applied, &Settings::default(), at);
    assert!(
        faults.is_empty(),
        "{}\n\noracle: {posted:#?}",
        faults.join("\n")
    );
}
