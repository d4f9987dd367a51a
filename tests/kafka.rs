//! The engine against a real Apache Kafka. Run by `tests/kafka/kafka.sh cargo test --release --test
//! kafka -- --ignored`, which says where the broker is in `QUEUEPULSE_KAFKA`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "test code: a failure here is a failed test, and a real broker takes real time"
)]

#[path = "kafka/engine.rs"]
mod engine;
#[path = "kafka/expected.rs"]
mod expected;
mod oracle;
#[path = "kafka/recovery.rs"]
mod recovery;
#[path = "kafka/topics.rs"]
mod topics;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use engine::{Engine, Env, reading};
use expected::{
    accepted, counter_faults, leave_out_what_only_a_live_engine_knows, settings, windows,
};
use oracle::compare::differences;
use oracle::figures::Log;
use oracle::record::{Record, time};
use queuepulse::event::{Millis, Span};
use queuepulse::ingest::partitioner::partition_of;
use queuepulse::simulate::{Faults, Options, OwnedEvent, Scale, Simulation, Topic};
use serde_json::Value;
use topics::{Sender, broker, create, create_one, now};

/// `QUEUEPULSE_KAFKA_EVENTS` takes another number.
const EVENTS: usize = if cfg!(debug_assertions) {
    20_000
} else {
    1_000_000
};
const PARTITIONS: i32 = 4;
const INSTANTS: usize = 20;
/// Between instants, so that windows drain.
const PAUSE: Duration = Duration::from_secs(4);
const WORKERS: [usize; 3] = [1, 2, 4];

/// Events of a day's piece that ends now.
fn events() -> Vec<OwnedEvent> {
    let other = std::env::var("QUEUEPULSE_KAFKA_EVENTS").ok();
    some_events(other.and_then(|count| count.parse().ok()).unwrap_or(EVENTS))
}

fn some_events(wanted: usize) -> Vec<OwnedEvent> {
    // Once to see how long so many events take, then so that the last of them happens now.
    let length = {
        let first = simulate(Millis(1_767_603_600_000), wanted);
        first.last().unwrap().time - first[0].time
    };
    simulate(Millis(now()) - length, wanted)
}

fn simulate(from: Millis, count: usize) -> Vec<OwnedEvent> {
    let simulation = Simulation::new(&Options {
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
    });
    simulation.take(count).collect()
}

/// One snapshot of each engine, all of one whole second.
fn at_one_second(engines: &[Engine]) -> (i64, Vec<Value>) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(2) {
        let into_second = now().rem_euclid(1000);
        let to_next = u64::try_from(1020 - into_second).unwrap();
        sleep(Duration::from_millis(to_next));
        let second = now() - now().rem_euclid(1000);
        let within = |_: &Instant| now() < second + 240;
        let mut found: Vec<Option<Value>> = engines.iter().map(|_| None).collect();
        while within(&begun) && found.iter().any(Option::is_none) {
            for (engine, found) in engines.iter().zip(&mut found) {
                if found.is_none() {
                    let at = |snapshot: &Value| time(&snapshot["at"]) == Some(second);
                    *found = engine.snapshot().filter(at);
                }
            }
        }
        if let Some(all) = found.into_iter().collect() {
            return (second, all);
        }
    }
    panic!("the engines never showed one and the same second")
}

/// Produces while engines with 1, 2 and 4 workers read; then, while the windows drain, every figure of
/// theirs at 20 instants must be the oracle's, and every counter at the end.
#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_million_events_give_the_oracles_figures_with_1_2_and_4_workers() {
    let brokers = broker();
    let events = events();
    create(&brokers, "million", PARTITIONS);
    let engines = WORKERS.map(|workers| Engine::start(&with_workers(&brokers, workers)));
    let began = Instant::now();
    produce(&brokers, &events);
    println!("{} events produced in {:?}", events.len(), began.elapsed());
    let counted = events.iter().filter(|event| event.topic != Topic::Queues);
    let counted = counted.count();
    for engine in &engines {
        engine.wait_until_read(counted);
    }
    println!("read after {:?}", began.elapsed());
    let shown = shown_while_it_drains(&engines, &events);

    let (settings, windows) = (settings(&events), windows());
    let logs = accepted(&events, PARTITIONS);
    let logs: Vec<Vec<&Record>> = logs.iter().map(|log| log.iter().collect()).collect();
    let began = Instant::now();
    let log = Log::read(&logs, &settings);
    println!("the oracle read them in {:?}", began.elapsed());
    for engine in &engines {
        judge_counters(&log, engine);
    }
    let statuses = engines.map(Engine::end);
    assert_eq!(statuses, [0, 0, 0]);
    let began = Instant::now();
    let expected: Vec<Value> = shown
        .iter()
        .map(|(at, _)| log.snapshot(*at, &windows))
        .collect();
    println!("{} instants took it {:?}", shown.len(), began.elapsed());
    judge(&expected, &shown);
    judge_replay(&events, &expected, &shown);
}

/// Each has a group of its own, so each reads everything.
fn with_workers(brokers: &str, workers: usize) -> Env {
    let mut env = reading(brokers, "million", &format!("million-{workers}"));
    env.push(("QUEUEPULSE__ENGINE__WORKERS", workers.to_string()));
    let families = ["rated", "complained", "resolved"];
    let families = families.map(|figure| format!("queuepulse_{figure}_total"));
    env.push(("QUEUEPULSE__EXPORT__FAMILIES", families.join(",")));
    env
}

fn produce(brokers: &str, events: &[OwnedEvent]) {
    let sender = Sender::new(brokers, "million", PARTITIONS);
    for event in events {
        sender.send(event);
    }
    sender.flush();
}

/// What each engine shows at instants after the last event: *now* figures are of everything applied.
fn shown_while_it_drains(engines: &[Engine], events: &[OwnedEvent]) -> Vec<(i64, Vec<Value>)> {
    let last = events.iter().map(|event| event.time.0).max().unwrap();
    while now() <= last + 1000 {
        sleep(Duration::from_millis(100));
    }
    let mut shown = Vec::new();
    for _ in 0..INSTANTS {
        shown.push(at_one_second(engines));
        sleep(PAUSE);
    }
    shown
}

fn judge_counters(log: &Log<'_>, engine: &Engine) {
    let expected = log.counters();
    let faults = counter_faults(&expected, &engine.get("/metrics").unwrap());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{} counters equal the oracle's totals", expected.len());
}

fn judge(expected: &[Value], shown: &[(i64, Vec<Value>)]) {
    let mut faults = Vec::new();
    for (expected, (at, found)) in expected.iter().zip(shown) {
        let mut expected = expected.clone();
        leave_out_what_only_a_live_engine_knows(&mut expected);
        for (workers, found) in WORKERS.iter().zip(found) {
            let here = differences(&expected, found, 1e-6);
            let named = |fault| format!("{at} {workers} workers{fault}");
            faults.extend(here.into_iter().map(named));
            let offered = &found["total"]["windows"]["60m"]["offered"];
            assert!(offered.as_i64().is_some_and(|count| count > 0));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults[..faults.len().min(60)].join("\n")
    );
}

/// `replay` of the same events says the same.
fn judge_replay(events: &[OwnedEvent], expected: &[Value], shown: &[(i64, Vec<Value>)]) {
    let instants: Vec<i64> = shown.iter().map(|(at, _)| *at).collect();
    let began = Instant::now();
    let found = replayed(events, &instants);
    println!("replay took {:?}", began.elapsed());
    for (expected, found) in expected.iter().zip(&found) {
        let faults = differences(expected, found, 1e-6);
        assert!(
            faults.is_empty(),
            "replay\n{}",
            faults[..faults.len().min(20)].join("\n")
        );
    }
}

/// What `replay` makes of the same events, a file for each partition.
fn replayed(events: &[OwnedEvent], instants: &[i64]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = std::collections::BTreeMap::new();
    for event in events {
        let partition = partition_of(&event.key, PARTITIONS);
        let file = files.entry((event.topic, partition)).or_insert_with(|| {
            let name = format!("{}-{partition}.ndjson", event.topic.name());
            BufWriter::new(File::create(folder.path().join(name)).unwrap())
        });
        file.write_all(&event.json).unwrap();
        file.write_all(b"\n").unwrap();
    }
    for file in files.values_mut() {
        file.flush().unwrap();
    }
    let mut replay = Command::new(env!("CARGO_BIN_EXE_queuepulse"));
    replay.args(["replay", "--format", "json"]);
    for at in instants {
        replay.args(["--at", &queuepulse::live::rfc3339(Millis(*at))]);
    }
    let entries = std::fs::read_dir(folder.path()).unwrap();
    replay.args(entries.map(|entry| entry.unwrap().path()));
    let output = replay.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_topic_that_does_not_exist_is_named_and_waited_for() {
    let brokers = broker();
    let mut engine = Engine::start(&reading(&brokers, "absent", "absent"));
    engine.wait_for("topic absent-contacts does not exist");
    assert!(engine.get("/readyz").is_err());
    create(&brokers, "absent", PARTITIONS);
    engine.wait_for("all partitions are assigned");
    let begun = Instant::now();
    while engine.get("/readyz").is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:#?}",
            engine.seen
        );
        sleep(Duration::from_millis(50));
    }
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "takes seconds"]
fn without_a_broker_one_line_says_so_and_it_ends_when_asked() {
    let mut engine = Engine::start(&reading("127.0.0.1:1", "none", "none"));
    engine.wait_for("no broker answers at 127.0.0.1:1");
    assert!(engine.get("/readyz").is_err());
    sleep(Duration::from_secs(4));
    engine.seen.extend(engine.lines.try_iter());
    let told = engine.seen.iter().filter(|line| line.contains("no broker"));
    assert_eq!(told.count(), 1, "{:#?}", engine.seen);
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "takes seconds"]
fn a_port_in_use_is_one_line_and_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut engine = Engine::launch(&reading("127.0.0.1:1", "none", "none"), &address);
    let status = engine.child.wait().unwrap();
    let lines: Vec<String> = engine.lines.iter().collect();
    assert_eq!(status.code(), Some(69));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains(&format!("http.listen: cannot listen on {address}")));
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_second_member_of_the_group_is_warned_of() {
    let brokers = broker();
    create(&brokers, "shared", PARTITIONS);
    let mut first = Engine::start(&reading(&brokers, "shared", "shared"));
    first.wait_for("all partitions are assigned");
    let mut other = reading(&brokers, "shared", "shared");
    other.push(("QUEUEPULSE__KAFKA__INSTANCE", "other".to_owned()));
    let mut second = Engine::start(&other);
    second.wait_for("the group has another member");
    first.wait_for("the group has another member");
    assert_eq!((first.end(), second.end()), (0, 0));
}
