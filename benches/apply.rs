//! Decoded events to changed state, and its posts into the tables, with 200,000 contacts in flight.
//!
//!     cargo bench --bench apply -- [PARTITIONS] [MINUTES]
//!
//! Prints processor time per event. Events come as a worker that catches up gets them: 512 of one
//! partition at a time. Not a divan bench, which would time the simulation with it.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]

#[path = "support/costs.rs"]
mod costs;
#[path = "support/memory.rs"]
mod memory;
mod support;

use costs::{BATCH, Costs};
use queuepulse::event::Span;
use support::engine::{Records, warm};

/// So many seconds of the centre are gathered, then grouped by partition.
const GATHERED: i64 = 30;
/// How often.
const ROUNDS: usize = 8;

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
            costs.batch(&mut engine, partition, &batch);
        }
        let frame = engine.view(now);
        engine.publish(frame);
    }
    tell("contact", &contacts);
    tell("agent", &agents);
}

fn tell(kind: &str, costs: &Costs) {
    println!(
        "{kind}: decode {:.0}, apply {:.0}, absorb {:.0} ns an event, {} events",
        costs.each(costs.decode),
        costs.each(costs.apply),
        costs.each(costs.absorb),
        costs.events
    );
}
