//! What it costs to write down the state of every partition, and to take it up again.
//!
//!     cargo bench --bench snapshot -- [QUEUES] [MINUTES]
//!
//! 16 partitions of each topic in one worker, 100,000 agents, after so many minutes of a rush hour.
//! Prints processor time and bytes. Not a divan bench: one run is one long input.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/memory.rs"]
mod memory;
mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use memory::processor_time;
use queuepulse::engine::partition::Partition;
use queuepulse::event::{Millis, Span};
use queuepulse::recovery::cadence::{RATE, SHORTEST};
use queuepulse::recovery::encoding::{decode, encode};
use queuepulse::simulate::{Scale, Simulation};
use support::engine::{Engine, Records, warm_of};

const PARTITIONS: usize = 16;
/// Seconds of log that two engines ingest.
const BESIDE: i64 = 300;

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let queues = numbers.next().unwrap_or(10_000);
    let minutes = numbers.next().unwrap_or(20);
    let scale = Scale {
        queues,
        clients: Scale::of(queues, 1).clients,
        ..Scale::LARGEST
    };
    let (mut engine, mut simulation, now) = warm_of(scale, PARTITIONS, i64::from(minutes));
    held(&engine);
    let states = written(&engine);
    let bytes = compressed(&states);
    let mut other = Engine::new(PARTITIONS);
    other.partitions = decoded(&engine, &states);
    other.rebuild();
    other.view(now);
    let now = beside(&mut engine, &mut other, &mut simulation, now, bytes);
    drop(other);
    let states = written(&engine);
    taken_up(&mut engine, &states, now);
}

/// Two engines of one state ingest the same log, one of them with snapshots at the cadence of a live
/// engine, its processor time being the clock: so it is when it catches up.
fn beside(
    without: &mut Engine,
    with: &mut Engine,
    simulation: &mut Simulation,
    mut now: Millis,
    bytes: usize,
) -> Millis {
    let interval = SHORTEST.max(Duration::from_millis(bytes as u64 * 1000 / RATE));
    let pause = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX) / (2 * PARTITIONS as u64);
    let (mut alone, mut ingest, mut encoding) = (0, 0, 0);
    let (mut records, mut encoded, mut buffer) = (Records::default(), 0, Vec::new());
    for second in 1..=BESIDE {
        now = now + Span::seconds(1);
        records.fill(simulation, now, PARTITIONS);
        // the first of two has the records' bytes brought to the caches for the other
        if second % 2 == 0 {
            alone += ingested(without, &records);
        }
        ingest += ingested(with, &records);
        if second % 2 == 1 {
            alone += ingested(without, &records);
        }
        if ingest + encoding >= (encoded + 1) * pause {
            let place = usize::try_from(encoded).unwrap_or(0) * 7 % with.partitions.len();
            encoded += 1;
            buffer.clear();
            encoding += timed(|| encode(&with.partitions[place], &mut buffer)).0;
        }
        if second % 60 == 0 {
            for engine in [&mut *without, &mut *with] {
                let frame = engine.view(now);
                engine.publish(frame);
            }
        }
    }
    println!(
        "ingest of {BESIDE} s of log: {:.0} ms without, {:.0} ms with snapshots every {:.0} s, {encoded} encoded in {:.0} ms of it: {:+.1} %",
        ms(alone),
        ms(ingest + encoding),
        interval.as_secs_f64(),
        ms(encoding),
        ((ingest + encoding) as f64 / alone as f64 - 1.0) * 100.0,
    );
    now
}

fn ingested(engine: &mut Engine, records: &Records) -> u64 {
    let work = || {
        for (partition, record) in records.iter() {
            engine.apply(partition, record);
            engine.absorb(partition);
        }
    };
    timed(work).0
}

fn decoded(engine: &Engine, states: &[Vec<u8>]) -> Vec<Partition> {
    let settings = engine.partitions[0].names().settings();
    let state = |bytes: &Vec<u8>| decode(bytes, Arc::clone(settings)).ok();
    states.iter().filter_map(state).collect()
}

fn ms(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

/// How long something takes this thread.
fn timed<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let begin = processor_time();
    let result = work();
    (processor_time() - begin, result)
}

fn held(engine: &Engine) {
    let sum = |of: fn(&Partition) -> usize| engine.partitions.iter().map(of).sum::<usize>();
    println!(
        "held: {} contacts, {} agents, {} prints; logs {:.0} MiB packed",
        sum(Partition::contacts_held),
        sum(Partition::agents_known),
        sum(Partition::prints_held),
        mib(sum(|partition| partition.ledger().log().packed_bytes())),
    );
}

/// Encodes every partition: as long as this takes, one worker does nothing else.
fn written(engine: &Engine) -> Vec<Vec<u8>> {
    let mut states = Vec::new();
    let mut times = Vec::new();
    for partition in &engine.partitions {
        let mut bytes = Vec::new();
        let (first, ()) = timed(|| encode(partition, &mut bytes));
        bytes.clear();
        let (again, ()) = timed(|| encode(partition, &mut bytes));
        times.push(first.min(again));
        states.push(bytes);
    }
    for (side, range) in [
        ("contacts", 0..PARTITIONS),
        ("agents", PARTITIONS..2 * PARTITIONS),
    ] {
        let largest = states[range.clone()].iter().map(Vec::len).max();
        println!(
            "encode, {side}: {:.1} ms all, {:.1} ms the longest; {:.1} MiB all, {:.2} MiB the largest",
            ms(times[range.clone()].iter().sum()),
            ms(times[range.clone()].iter().copied().max().unwrap_or(0)),
            mib(states[range].iter().map(Vec::len).sum()),
            mib(largest.unwrap_or(0)),
        );
    }
    states
}

/// The bytes that all have at the level that snapshots are written with.
fn compressed(states: &[Vec<u8>]) -> usize {
    let mut all = Vec::new();
    for level in [1, 3] {
        let (time, sizes) = timed(|| {
            let size =
                |bytes: &Vec<u8>| zstd::bulk::compress(bytes, level).map_or(0, |out| out.len());
            states.iter().map(size).collect::<Vec<_>>()
        });
        println!(
            "zstd {level}: {:.0} ms; {:.1} MiB all, {:.2} MiB the largest",
            ms(time),
            mib(sizes.iter().sum()),
            mib(sizes.iter().copied().max().unwrap_or(0)),
        );
        all.push(sizes.iter().sum());
    }
    all.first().copied().unwrap_or(0)
}

/// Partitions are given away, one as the tables do it, one by making them anew.
fn given_away(engine: &mut Engine, side: &str, now: Millis) {
    let mut second = 3;
    let mut view = |engine: &mut Engine| {
        second += 1;
        let at = now + Span::seconds(second);
        let (time, frame) = timed(|| black_box(engine.view(at)));
        engine.publish(frame);
        ms(time)
    };
    let before = view(engine);
    let (lost, ()) = timed(|| engine.lose());
    let after = view(engine);
    let (rebuilt, ()) = timed(|| engine.lose_by_rebuilding());
    println!(
        "a partition of {side} given away: {:.0} ms, the view after it {after:.0} ms (before {before:.0} ms); \
         by making the tables anew: {:.0} ms and {:.0} ms",
        ms(lost),
        ms(rebuilt),
        view(engine),
    );
}

/// A process that begins: every state decoded, the tables made of them, the first view. Then one
/// partition is given away.
fn taken_up(engine: &mut Engine, states: &[Vec<u8>], now: Millis) {
    let (time, partitions) = timed(|| decoded(engine, states));
    println!(
        "decode: {:.0} ms all {} partitions",
        ms(time),
        partitions.len()
    );
    drop(std::mem::replace(engine, Engine::new(PARTITIONS)));
    engine.partitions = partitions;
    let (time, ()) = timed(|| engine.rebuild());
    println!("tables of all: {:.0} ms", ms(time));
    let view = |engine: &mut Engine, seconds, what| {
        let (time, frame) = timed(|| black_box(engine.view(now + Span::seconds(seconds))));
        println!("{what}: {:.0} ms", ms(time));
        engine.publish(frame);
    };
    view(engine, 1, "first view");
    view(engine, 2, "second view");
    given_away(engine, "agents", now);
    engine.partitions.truncate(PARTITIONS);
    engine.rebuild();
    given_away(engine, "contacts", now);
}
