//! A peak hour of the largest centre through one worker, stage by stage.
//!
//!     cargo bench --bench peak -- [PARTITIONS] [MINUTES]
//!
//! Prints processor time per event and per tick, and the bytes that the engine holds at the end. Not
//! a divan bench: one run is one long input, and its stages are timed on their own.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/memory.rs"]
mod memory;
mod support;

use std::hint::black_box;

use memory::{Counting, lap, live, processor_time, resident_peak};
use queuepulse::decode::decode;
use queuepulse::engine::partition::Partition;
use queuepulse::event::{Millis, Span};
use queuepulse::live::Share;
use queuepulse::simulate::Simulation;
use queuepulse::telemetry::{ExportOptions, Exposition};
use support::engine::{Engine, Records};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How long the stages are timed, at the end, when the engine is full.
const TIMED_SECONDS: i64 = 300;

/// Processor time of each stage in nanoseconds, and what it was spent on.
#[derive(Default)]
struct Costs {
    events: u64,
    ticks: u64,
    decode: u64,
    apply: u64,
    absorb: u64,
    view: u64,
    view_now: u64,
    publish: u64,
    merge: u64,
    merge_between: u64,
    exposition: u64,
    samples: u64,
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<usize>().ok());
    let partitions = numbers.next().unwrap_or(16);
    let minutes = i64::try_from(numbers.next().unwrap_or(60)).unwrap_or(60);
    let mut simulation = support::largest();
    let before = live();
    let mut engine = Engine::new(partitions);
    let mut held = live() - before;
    let mut records = Records::default();
    let mut costs = Costs::default();
    for second in 1..=minutes * 60 {
        let now = support::FROM + Span::seconds(second);
        records.fill(&mut simulation, now, partitions);
        let before = live();
        if second > minutes * 60 - TIMED_SECONDS {
            timed(&mut engine, &records, now, &mut costs);
        } else {
            untimed(&mut engine, &records, now);
        }
        held += live() - before;
        if second % 600 == 0 {
            tell(second / 60, &simulation, &engine, held);
        }
    }
    costs.tell();
    println!(
        "resident at most {} MiB, simulation included",
        resident_peak("self") / 1024
    );
}

fn untimed(engine: &mut Engine, records: &Records, now: Millis) {
    for (partition, record) in records.iter() {
        engine.apply(partition, record);
        engine.absorb(partition);
    }
    let frame = engine.view(now);
    engine.publish(frame);
}

fn timed(engine: &mut Engine, records: &Records, now: Millis, costs: &mut Costs) {
    costs.events += records.len() as u64;
    costs.ticks += 1;
    let mut start = processor_time();
    for (_, record) in records.iter() {
        let _ = black_box(decode(black_box(record), &engine.limits));
    }
    lap(&mut start, &mut costs.decode);
    for (partition, record) in records.iter() {
        engine.apply(partition, record);
    }
    lap(&mut start, &mut costs.apply);
    for partition in 0..engine.partitions.len() {
        engine.absorb(partition);
    }
    lap(&mut start, &mut costs.absorb);
    let frame = engine.view_now(now);
    lap(&mut start, &mut costs.view_now);
    drop(frame);
    let frame = engine.view(now);
    lap(&mut start, &mut costs.view);
    engine.publish(frame);
    lap(&mut start, &mut costs.publish);
    if costs.ticks.is_multiple_of(60) {
        let before = engine.merge();
        start = processor_time();
        let merged = engine.merge_after(Some(&before));
        lap(&mut start, &mut costs.merge_between);
        drop(before);
        let frame = engine.view(now + Span::seconds(1));
        engine.publish(frame);
        start = processor_time();
        let merged = engine.merge_after(Some(&merged));
        lap(&mut start, &mut costs.merge);
        let windows = ["5m", "30m", "today"].map(str::to_owned).to_vec();
        let mut exposition = Exposition::new(ExportOptions {
            windows,
            ..ExportOptions::default()
        });
        exposition.write(&merged, &engine.registry, &Share::All);
        start = processor_time();
        let text = exposition.write(&merged, &engine.registry, &Share::All);
        lap(&mut start, &mut costs.exposition);
        costs.samples += text.lines().filter(|line| !line.starts_with('#')).count() as u64;
    }
}

impl Costs {
    fn tell(&self) {
        let event = |nanos: u64| nanos as f64 / self.events.max(1) as f64;
        let tick = |nanos: u64| nanos as f64 / self.ticks.max(1) as f64 / 1e6;
        let scrapes = (self.ticks / 60).max(1) as f64;
        println!("{} events a second", self.events / self.ticks.max(1));
        println!("decode     {:8.0} ns an event", event(self.decode));
        println!(
            "apply      {:8.0} ns an event",
            event(self.apply.saturating_sub(self.decode))
        );
        println!("absorb     {:8.0} ns an event", event(self.absorb));
        println!("view now   {:8.2} ms a tick", tick(self.view_now));
        println!("view       {:8.2} ms a tick", tick(self.view));
        println!("publish    {:8.2} ms a tick", tick(self.publish));
        println!(
            "merge      {:8.2} ms a second with readers",
            self.merge as f64 / scrapes / 1e6
        );
        println!(
            "between    {:8.2} ms a tick with readers",
            self.merge_between as f64 / scrapes / 1e6
        );
        println!(
            "exposition {:8.2} ms a scrape",
            self.exposition as f64 / scrapes / 1e6
        );
        println!(
            "           {:8.2} M samples a second",
            self.samples as f64 * 1e3 / self.exposition.max(1) as f64
        );
    }
}

fn tell(minute: i64, simulation: &Simulation, engine: &Engine, held: i64) {
    let sum = |of: fn(&Partition) -> usize| -> usize { engine.partitions.iter().map(of).sum() };
    println!(
        "minute {minute}: {} in flight, {} held, {} settled, {} agents; {} MiB held, of it {} MiB log of {} facts",
        simulation.in_flight(),
        sum(Partition::contacts_held),
        sum(Partition::prints_held),
        sum(Partition::agents_known),
        held >> 20,
        sum(|state| state.ledger().log().bytes()) >> 20,
        engine.facts
    );
}
