//! Two measurements that need real processes: how fresh a viewer is, and what snapshots cost a whole process.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use queuepulse::simulate::Topic;

use crate::engine::{Engine, processor_time, reading};
use crate::fleet::{Fleet, scrape, until};
use crate::load::{Load, centre};
use crate::log::{Log, say};
use crate::topics::{Sender, create, now};

/// How long a viewer is watched.
const WATCHED: Duration = Duration::from_mins(2);
/// What is to hold, in milliseconds.
const FRESH: i64 = 2000;
/// Pairs of runs.
const PAIRS: usize = 7;
/// Seconds of log that each run reads.
const LOG: u32 = 400;

/// Two instances ingest, a viewer shows: how old its instant is under load.
pub fn freshness((seed, rate, partitions): (u64, u32, i32), brokers: &str, log: &Arc<Log>) {
    let topics = "fresh";
    create(brokers, topics, partitions);
    let mut load = Load::begin(brokers, topics, partitions, centre(seed, rate, now()));
    let mut fleet = Fleet::new(brokers, brokers, topics, 2, log);
    fleet.start_all();
    let viewer = Engine::start_viewer(&fleet.env(0));
    let ready = || scrape(&viewer.address).is_some_and(|shown| shown.ready);
    until(Duration::from_mins(2), ready).expect("never ready");
    sleep(Duration::from_secs(10));
    let (before, from) = (load.sent(), Instant::now());
    let mut ages = Vec::new();
    while from.elapsed() < WATCHED {
        let snapshot = viewer.snapshot().unwrap();
        let at: jiff::Timestamp = snapshot["at"].as_str().unwrap().parse().unwrap();
        ages.push(now() - at.as_millisecond());
        sleep(Duration::from_millis(50));
    }
    #[expect(clippy::cast_precision_loss, reason = "a result has three digits")]
    let a_second = (load.sent() - before) as f64 / from.elapsed().as_secs_f64();
    load.stop();
    ages.sort_unstable();
    let at = |share: usize| ages[(ages.len() - 1) * share / 100];
    say(&format!(
        "{a_second:.0} events a second; the viewer's instant is {} ms old (p50), {} (p99), {} at most, of {} looks",
        at(50),
        at(99),
        at(100),
        ages.len()
    ));
    if at(99) > FRESH {
        log.fault(format!("p99 {} ms", at(99)));
    }
    drop(viewer);
    fleet.end_all(Duration::from_secs(4));
}

/// One engine reads a log from its beginning, with snapshots and without in turn: seconds from its start
/// until it has read all and is ready, and its processor time.
pub fn snapshots((seed, rate, partitions): (u64, u32, i32), brokers: &str) {
    let topics = "beside";
    create(brokers, topics, partitions);
    let sender = Sender::new(brokers, topics, partitions);
    let events = centre(seed, rate, now() - i64::from(LOG) * 1000);
    let mut counted = 0;
    for (number, event) in events.take((LOG * rate) as usize).enumerate() {
        sender.send(&event);
        counted += usize::from(event.topic != Topic::Queues);
        if number % 1024 == 0 {
            sender.serve();
        }
    }
    sender.flush();
    say(&format!("{counted} records"));
    let mut found: [Vec<(f64, f64)>; 2] = Default::default();
    for pair in 0..PAIRS {
        // who is first has colder caches
        for with in [pair % 2 == 0, pair % 2 == 1] {
            let run = read(brokers, topics, counted, pair, with);
            found[usize::from(with)].push(run);
        }
    }
    let median = |with: bool, of: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = found[usize::from(with)].iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    for (what, of) in [
        ("wall", (|run| run.0) as fn(&(f64, f64)) -> f64),
        ("processor", |run| run.1),
    ] {
        let (without, with) = (median(false, of), median(true, of));
        say(&format!(
            "{what}: median of {PAIRS}: {without:.2} s without, {with:.2} s with snapshots: {:+.1} %",
            (with / without - 1.0) * 100.0
        ));
    }
}

fn read(brokers: &str, topics: &str, counted: usize, pair: usize, with: bool) -> (f64, f64) {
    let mut env = reading(brokers, topics, &format!("beside-{pair}-{with}"));
    env.push(("QUEUEPULSE__KAFKA__INSTANCE", "beside".to_owned()));
    if !with {
        env.push(("QUEUEPULSE__KAFKA__SNAPSHOT_TOPIC", String::new()));
    }
    let begun = Instant::now();
    let engine = Engine::start(&env);
    let read = || engine.records_read() >= counted && engine.get("/readyz").is_ok();
    until(Duration::from_mins(5), read).expect("not read");
    let wall = begun.elapsed().as_secs_f64();
    let cpu = processor_time(&engine.child.id().to_string());
    let text = engine.get("/metrics").unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("queuepulse_snapshots_written_total"));
    say(&format!(
        "{}: wall {wall:.2} s, processor {cpu:.2} s, {}",
        if with { "with" } else { "without" },
        line.unwrap_or_default()
    ));
    assert_eq!(engine.end_within(Duration::from_secs(10)), 0);
    (wall, cpu)
}
