//! Decoded events to changed state, and its posts into the tables, with 200,000 contacts in flight.
//!
//!     cargo bench --bench apply -- [PARTITIONS] [MINUTES]
//!
//! Prints processor time per event. Events come as a worker that catches up gets them: 512 of one
//! partition at a time. Not a divan bench, which would time the simulation with it.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/memory.rs"]
mod memory;
mod support;

use std::hint::black_box;

use memory::{lap, processor_time};
use queuepulse::decode::decode;
use queuepulse::event::{Discard, Event, Span};
use support::engine::{Engine, Records, warm};

/// Records of a partition in a batch.
const BATCH: usize = 512;
/// So many seconds of the centre are gathered, then grouped by partition.
const GATHERED: i64 = 30;
/// How often.
const ROUNDS: usize = 8;

/// Processor time in nanoseconds, and what it was spent on.
#[derive(Default)]
struct Costs {
    events: u64,
    decode: u64,
    apply: u64,
    absorb: u64,
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<usize>().ok());
    let partitions = numbers.next().unwrap_or(16);
    let minutes = i64::try_from(numbers.next().unwrap_or(17)).unwrap_or(17);
    let (mut engine, mut simulation, mut now) = warm(partitions, minutes);
    let mut records = Records::default();
    let mut contacts = Costs::default();
    let mut agents = Costs::default();
    for _ in 0..ROUNDS {
        now = now + Span::seconds(GATHERED);
        records.fill(&mut simulation, now, partitions);
        for (partition, batch) in records.batches(BATCH) {
            let costs = if partition < partitions {
                &mut contacts
            } else {
                &mut agents
            };
            timed(&mut engine, partition, &batch, costs);
        }
        let frame = engine.view(now);
        engine.publish(frame);
    }
    contacts.tell("contact");
    agents.tell("agent");
}

/// Each step over a whole batch, so that reading the clock costs nothing.
fn timed(engine: &mut Engine, partition: usize, batch: &[&[u8]], costs: &mut Costs) {
    costs.events += batch.len() as u64;
    let mut start = processor_time();
    let events: Vec<Result<Event<'_>, Discard>> = batch
        .iter()
        .map(|record| decode(black_box(record), &engine.limits))
        .collect();
    lap(&mut start, &mut costs.decode);
    for event in events.iter().flatten() {
        let _ = engine.partitions[partition].apply(event);
    }
    lap(&mut start, &mut costs.apply);
    engine.absorb(partition);
    lap(&mut start, &mut costs.absorb);
}

impl Costs {
    fn tell(&self, kind: &str) {
        let event = |nanos: u64| nanos as f64 / self.events.max(1) as f64;
        println!(
            "{kind}: decode {:.0}, apply {:.0}, absorb {:.0} ns an event, {} events",
            event(self.decode),
            event(self.apply),
            event(self.absorb),
            self.events
        );
    }
}
