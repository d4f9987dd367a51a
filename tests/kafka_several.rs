//! Several instances of one group against a real Apache Kafka, and a viewer. Run by
//! `tests/kafka/kafka.sh cargo test --release --test kafka_several -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "test code: a failure here is a failed test, and a real broker takes real time"
)]

#[path = "kafka/engine.rs"]
mod engine;
#[path = "kafka/prometheus.rs"]
mod prometheus;
#[path = "kafka/topics.rs"]
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use engine::{Engine, Env, reading};
use prometheus::Prometheus;
use queuepulse::event::{Millis, Span};
use queuepulse::simulate::{Faults, Options, OwnedEvent, Scale, Simulation, Topic};
use serde_json::Value;
use topics::{Sender, broker, create, now};

const PARTITIONS: i32 = 4;
const EVENTS: usize = 20_000;
/// Events a second while freshness is measured.
const RATE: i64 = 500;

fn simulation(from: Millis) -> Simulation {
    Simulation::new(&Options {
        seed: 11,
        from,
        time_of_day: Some(Span::hours(10)),
        scale: Scale {
            queues: 60,
            agents: 900,
            ..Scale::DEMO
        },
        faults: Faults {
            duplicates: 0.01,
            disorder: 0.02,
            within: Span::seconds(30),
        },
    })
}

/// Events of a day's piece that ends now.
fn events() -> Vec<OwnedEvent> {
    let first: Vec<OwnedEvent> = simulation(Millis(1_767_603_600_000)).take(EVENTS).collect();
    let length = first.last().unwrap().time - first[0].time;
    simulation(Millis(now()) - length).take(EVENTS).collect()
}

fn instance(brokers: &str, name: &str) -> Env {
    let mut env = reading(brokers, "several", "pair");
    env.push(("QUEUEPULSE__KAFKA__INSTANCE", name.to_owned()));
    env.push(("QUEUEPULSE__KAFKA__SESSION_TIMEOUT", "6s".to_owned()));
    env.push(("QUEUEPULSE__ENGINE__WORKERS", "2".to_owned()));
    env
}

fn viewer(brokers: &str) -> Env {
    let mut env = instance(brokers, "viewer");
    env.push(("QUEUEPULSE__EXPORT__ROWS", "all".to_owned()));
    env
}

fn wait_for(what: &str, at_most: Duration, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < at_most, "{what}: not within {at_most:?}");
        sleep(Duration::from_millis(100));
    }
    println!("{what}: after {:?}", begun.elapsed());
}

/// What an engine shows at whole seconds over some time, by the instant.
fn watch(engines: &[&Engine], over: Duration) -> Vec<BTreeMap<String, Value>> {
    let mut seen = vec![BTreeMap::new(); engines.len()];
    let begun = Instant::now();
    while begun.elapsed() < over {
        for (engine, seen) in engines.iter().zip(&mut seen) {
            let Some(mut snapshot) = engine.snapshot() else {
                continue;
            };
            let at = snapshot["at"].as_str().unwrap().to_owned();
            if at.contains(".000") {
                for key in ["data_age_seconds", "source_silence_seconds"] {
                    snapshot.as_object_mut().unwrap().remove(key);
                }
                seen.insert(at, snapshot);
            }
        }
        sleep(Duration::from_millis(20));
    }
    seen
}

/// Compares what was seen at equal instants with what the first has seen; how many there were.
fn same(seen: &[BTreeMap<String, Value>]) -> usize {
    let mut common = 0;
    let (single, others) = seen.split_first().unwrap();
    for (at, expected) in single {
        let there: Vec<&Value> = others.iter().filter_map(|other| other.get(at)).collect();
        if there.len() < others.len() {
            continue;
        }
        common += 1;
        for (number, found) in there.into_iter().enumerate() {
            assert!(
                found == expected,
                "{at}, {number}:\n{}",
                first_difference(expected, found)
            );
        }
    }
    common
}

fn first_difference(expected: &Value, found: &Value) -> String {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => left
            .iter()
            .find(|(key, value)| right.get(*key) != Some(value))
            .map_or("more keys".to_owned(), |(key, value)| {
                let there = right.get(key).unwrap_or(&Value::Null);
                format!("{key} {}", first_difference(value, there))
            }),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .find(|(left, right)| left != right)
            .map_or(String::new(), |(left, right)| {
                format!(
                    "{} {} {}: {}",
                    left["client_id"],
                    left["queue_id"],
                    left["channel"],
                    first_difference(left, right)
                )
            }),
        _ => format!("expected {expected}, found {found}"),
    }
}

/// The samples of queues, clients and all.
fn samples(engine: &Engine) -> Vec<String> {
    let text = engine.get("/metrics").unwrap_or_default();
    let own = [
        "queuepulse_records",
        "queuepulse_discarded",
        "queuepulse_irregular",
        "queuepulse_bad",
        "queuepulse_broker",
        "queuepulse_data_age",
        "queuepulse_source",
        "queuepulse_stream",
        "queuepulse_poll",
        "queuepulse_lag",
        "queuepulse_partitions",
        "queuepulse_catching",
        "queuepulse_group",
        "queuepulse_queues",
        "queuepulse_resident",
        "queuepulse_build",
        "queuepulse_rows",
        "queuepulse_beats",
        "queuepulse_instance",
        "queuepulse_lease",
        "queuepulse_snapshot",
        "queuepulse_restore",
        "queuepulse_replayed",
        "queuepulse_gap",
        "queuepulse_offset",
        "queuepulse_assignment",
    ];
    let is_own = |line: &&str| own.iter().any(|own| line.starts_with(own));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter(|line| !is_own(line))
        .map(str::to_owned)
        .collect()
}

/// Every sample of the viewer is exported by exactly one of the instances.
fn shared_out(instances: &[&Engine], viewer: &Engine) {
    let begun = Instant::now();
    loop {
        let all: Vec<Vec<String>> = instances.iter().map(|engine| samples(engine)).collect();
        let expected: BTreeSet<String> = samples(viewer).into_iter().collect();
        let count: usize = all.iter().map(Vec::len).sum();
        let found: BTreeSet<String> = all.iter().flatten().cloned().collect();
        let series = |line: &String| line.rsplit_once(' ').map(|(series, _)| series.to_owned());
        let names: BTreeSet<String> = found.iter().filter_map(series).collect();
        assert_eq!(names.len(), count, "no series twice");
        if found == expected && count > 1000 {
            println!(
                "{count} samples: {:?}",
                all.iter().map(Vec::len).collect::<Vec<_>>()
            );
            return;
        }
        let odd: Vec<&String> = expected.symmetric_difference(&found).take(10).collect();
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "{} and {}: {odd:#?}",
            found.len(),
            expected.len()
        );
        sleep(Duration::from_millis(30));
    }
}

/// Sends events; how many of them are of contacts and agents.
fn send(sender: &Sender, events: &[OwnedEvent]) -> usize {
    for event in events {
        sender.send(event);
    }
    sender.flush();
    let counted = |event: &&OwnedEvent| event.topic != Topic::Queues;
    events.iter().filter(counted).count()
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn two_instances_and_a_viewer_show_what_one_engine_shows() {
    let brokers = broker();
    create(&brokers, "several", PARTITIONS);
    let events = events();
    let single = Engine::start(&reading(&brokers, "several", "sole"));
    let mut first = Engine::start(&instance(&brokers, "first"));
    let viewer = Engine::start_viewer(&viewer(&brokers));
    let second = Engine::start(&instance(&brokers, "second"));
    first.wait_for("the group has another member");
    let sender = Sender::new(&brokers, "several", PARTITIONS);
    let counted = send(&sender, &events);
    single.wait_until_read(counted);
    let ready = |engine: &Engine| engine.get("/readyz").is_ok();
    wait_for("all ready", Duration::from_mins(2), || {
        [&first, &second, &viewer].into_iter().all(ready)
    });
    // The first may have read all before the second came: what counts is that nothing more comes.
    let last = events.iter().map(|event| event.time.0).max().unwrap();
    wait_for("at rest", Duration::from_mins(2), || {
        now() > last + 3000 && first.records_read() + second.records_read() >= counted
    });
    sleep(Duration::from_secs(2));
    let engines = [&single, &first, &second, &viewer];
    let common = same(&watch(&engines, Duration::from_secs(30)));
    println!("{common} instants equal");
    assert!(common >= 5);
    shared_out(&[&first, &second], &viewer);
    Prometheus::scraping(&[&first, &second], &viewer).agrees(&viewer);

    let freshness = freshness(&viewer, sender, last);
    println!("under load the viewer's instant is {freshness:?} old (p50, p99, most)");

    drop(first);
    takes_over(&single, &second, &viewer);
    let statuses = [single.end(), second.end(), viewer.end()];
    assert_eq!(statuses, [0, 0, 0]);
}

/// What is shown of the whole centre is read from the rows topic: without it nothing new is shown, and
/// once it is there again everything is, though no process was started anew.
#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_rows_topic_that_was_deleted_and_made_anew_is_taken_up_by_all() {
    let brokers = broker();
    create(&brokers, "rows-anew", PARTITIONS);
    let events = events();
    let single = Engine::start(&reading(&brokers, "rows-anew", "rows-anew-sole"));
    let sender = Sender::new(&brokers, "rows-anew", PARTITIONS);
    let counted = send(&sender, &events);
    single.wait_until_read(counted);
    // Made anew by an engine, and by hand with another number of partitions.
    taken_up(&single, "by-engine", true);
    taken_up(&single, "by-hand", false);
    assert_eq!(single.end(), 0);
}

fn taken_up(single: &Engine, group: &str, by_an_engine: bool) {
    let brokers = broker();
    let rows = format!("{group}-rows");
    let env = |name: &str| {
        let mut env = reading(&brokers, "rows-anew", group);
        env.push(("QUEUEPULSE__KAFKA__INSTANCE", format!("{group}-{name}")));
        env.push(("QUEUEPULSE__KAFKA__SESSION_TIMEOUT", "6s".to_owned()));
        env.push(("QUEUEPULSE__KAFKA__CREATE_TOPICS", by_an_engine.to_string()));
        env
    };
    if !by_an_engine {
        topics::create_one(&brokers, &rows, 1);
    }
    let first = Engine::start(&env("first"));
    let second = Engine::start(&env("second"));
    let viewer = Engine::start_viewer(&env("viewer"));
    let all = [&first, &second, &viewer];
    let at = |engine: &Engine| Some(engine.snapshot()?["at"].as_str()?.to_owned());
    let ready = || all.iter().all(|engine| engine.get("/readyz").is_ok());
    wait_for("all ready", Duration::from_mins(2), ready);
    wait_for("read and shared out", Duration::from_mins(1), || {
        let common = watch(&[single, &first, &second, &viewer], Duration::from_secs(2));
        common.iter().all(|seen| !seen.is_empty()) && viewer.get("/metrics").is_ok()
    });
    topics::delete_one(&brokers, &rows);
    if !by_an_engine {
        sleep(Duration::from_secs(20));
        let before = at(&viewer);
        sleep(Duration::from_secs(2));
        assert_eq!(at(&viewer), before, "shown though there is no rows topic");
        topics::create_one(&brokers, &rows, 3);
    }
    let again = Millis(now());
    wait_for("shown again", Duration::from_mins(1), || {
        let later = |engine: &&Engine| {
            let shown: Option<jiff::Timestamp> = at(engine).and_then(|at| at.parse().ok());
            shown.is_some_and(|shown| shown.as_millisecond() > again.0)
        };
        all.iter().all(later) && ready()
    });
    sleep(Duration::from_secs(2));
    let common = same(&watch(
        &[single, &first, &second, &viewer],
        Duration::from_secs(20),
    ));
    println!("{group}: {common} instants equal after the rows topic was made anew");
    assert!(common >= 10);
    // Each says that it is gone, and does not go on saying so.
    for engine in [first, second, viewer] {
        let warned = engine.lines.try_iter().collect::<Vec<_>>();
        let warned: Vec<&String> = warned.iter().filter(|line| line.contains("WARN")).collect();
        let about = warned.iter().filter(|line| line.contains(&rows));
        // A topic made by hand lacks its settings, which is told each time.
        let about = about.filter(|line| !line.contains("is not set")).count();
        assert!((1..=4).contains(&about), "{warned:#?}");
        assert_eq!(engine.end(), 0);
    }
}

/// How old the instant is that the viewer shows while events come: p50, p99, most, in ms.
fn freshness(viewer: &Engine, sender: Sender, after: i64) -> [i64; 3] {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let produces = spawn(move || {
        let mut events = simulation(Millis(now())).filter(|event| event.sent.0 > after);
        while !stopped.load(Ordering::Relaxed) {
            for _ in 0..RATE / 20 {
                sender.send(&events.next().unwrap());
            }
            sender.serve();
            sleep(Duration::from_millis(50));
        }
        sender.flush();
    });
    let mut ages = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(40) {
        let snapshot = viewer.snapshot().unwrap();
        let at: jiff::Timestamp = snapshot["at"].as_str().unwrap().parse().unwrap();
        ages.push(now() - at.as_millisecond());
        sleep(Duration::from_millis(50));
    }
    stop.store(true, Ordering::Relaxed);
    produces.join().unwrap();
    ages.sort_unstable();
    let at = |share: usize| ages[(ages.len() - 1) * share / 100];
    [at(50), at(99), at(100)]
}

/// One has died: what was shown stands, then the other covers its partitions.
fn takes_over(single: &Engine, second: &Engine, viewer: &Engine) {
    let at = |engine: &Engine| {
        engine.snapshot().unwrap()["at"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    sleep(Duration::from_secs(3));
    let stood = at(viewer);
    let age = viewer.snapshot().unwrap()["data_age_seconds"]
        .as_f64()
        .unwrap();
    assert!(age > 1.5, "{age}");
    wait_for("taken over", Duration::from_mins(1), || at(viewer) > stood);
    sleep(Duration::from_secs(8));
    let common = same(&watch(&[single, second, viewer], Duration::from_secs(20)));
    println!("{common} instants equal after the takeover");
    assert!(common >= 3);
    shared_out(&[second], viewer);
}
