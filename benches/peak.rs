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
use std::sync::Arc;

use memory::{Counting, live, processor_time, resident_peak};
use queuepulse::config::Config;
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::event::{Millis, Span};
use queuepulse::ingest::partitioner::partition_of;
use queuepulse::simulate::{Simulation, Topic};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The records of one second.
#[derive(Default)]
struct Second {
    bytes: Vec<u8>,
    /// Partition, and where the record ends.
    records: Vec<(usize, usize)>,
}

impl Second {
    fn fill(&mut self, simulation: &mut Simulation, to: Millis, partitions: i32) {
        self.bytes.clear();
        self.records.clear();
        loop {
            let event = simulation.next_event();
            if event.topic == Topic::Queues {
                continue;
            }
            let partition = partition_of(event.key, partitions).unsigned_abs() as usize;
            let side = if event.topic == Topic::Agents {
                partitions.unsigned_abs() as usize
            } else {
                0
            };
            self.bytes.extend_from_slice(event.json);
            self.records.push((partition + side, self.bytes.len()));
            if event.sent > to {
                return;
            }
        }
    }

    fn records(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let starts = std::iter::once(0).chain(self.records.iter().map(|(_, end)| *end));
        self.records
            .iter()
            .zip(starts)
            .map(|((partition, end), start)| (*partition, &self.bytes[start..*end]))
    }
}

#[derive(Default)]
struct Costs {
    events: u64,
    decode: u64,
    apply: u64,
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<i32>().ok());
    let partitions = numbers.next().unwrap_or(16);
    let minutes = numbers.next().unwrap_or(60);
    let Ok(config) = Config::defaults() else {
        return;
    };
    let settings = Arc::new(config.state);
    let limits = Limits::default();
    let mut simulation = support::largest();
    let mut second = Second::default();
    let before = live();
    let mut state: Vec<Partition> = (0..partitions * 2)
        .map(|_| Partition::new(Arc::clone(&settings)))
        .collect();
    let mut held = live() - before;
    let mut costs = Costs::default();
    for passed in 1..=i64::from(minutes) * 60 {
        second.fill(
            &mut simulation,
            support::FROM + Span::seconds(passed),
            partitions,
        );
        // The last ten minutes are measured: the engine is full by then.
        let measured = passed > i64::from(minutes) * 60 - 600;
        let start = processor_time();
        if measured {
            for (_, record) in second.records() {
                let _ = black_box(decode(black_box(record), &limits));
            }
        }
        let decoded = processor_time();
        let before = live();
        for (partition, record) in second.records() {
            if let Ok(event) = decode(record, &limits) {
                let _ = state[partition].apply(&event);
                state[partition].clear_outbox();
            }
        }
        held += live() - before;
        let applied = processor_time();
        if measured {
            costs.events += second.records.len() as u64;
            costs.decode += decoded - start;
            costs.apply += (applied - decoded).saturating_sub(decoded - start);
        }
        if passed % 300 == 0 {
            tell(passed / 60, simulation.in_flight(), &state, held);
        }
    }
    let each = |nanos: u64| nanos as f64 / costs.events.max(1) as f64;
    println!("{} events a second", costs.events / 600);
    println!("decode {:.0} ns an event", each(costs.decode));
    println!("apply  {:.0} ns an event", each(costs.apply));
    println!(
        "resident at most {} MiB, simulation included",
        resident_peak() / 1024
    );
}

fn tell(minute: i64, in_flight: usize, state: &[Partition], held: i64) {
    let contacts: usize = state.iter().map(Partition::contacts_held).sum();
    let agents: usize = state.iter().map(Partition::agents_known).sum();
    let prints: usize = state.iter().map(Partition::prints_held).sum();
    let log: usize = state
        .iter()
        .map(|partition| partition.ledger().log().bytes())
        .sum();
    println!(
        "minute {minute}: {in_flight} in flight, {contacts} held, {prints} settled, {agents} agents; \
         {} MiB held, of it {} MiB log",
        held >> 20,
        log >> 20
    );
}
