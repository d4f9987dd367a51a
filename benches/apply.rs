//! Decoded events to changed state, and its posts into the tables, with 200,000 contacts in flight;
//! or of a centre that is small enough for the caches: what is left then is not waiting for memory.
//!
//!     cargo bench --bench apply -- [PARTITIONS] [MINUTES] [QUEUES] [AGENTS] [SECONDS]
//!     cargo bench --bench apply -- 1 4 10 100 3600
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
use queuepulse::simulate::Scale;
use support::engine::{Records, warm_of};

/// So often some seconds of the centre are gathered, then grouped by partition.
const ROUNDS: usize = 8;

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u32>().ok());
    let mut next = |otherwise: u32| numbers.next().unwrap_or(otherwise);
    let (partitions, minutes) = (next(16) as usize, i64::from(next(17)));
    let scale = match (next(0), next(0)) {
        (0, _) | (_, 0) => Scale::LARGEST,
        (queues, agents) => Scale::of(queues, agents),
    };
    let gathered = Span::seconds(i64::from(next(30)));
    let (mut engine, mut simulation, mut now) = warm_of(scale, partitions, minutes);
    let mut records = Records::default();
    let mut contacts = Costs::default();
    let mut agents = Costs::default();
    for _ in 0..ROUNDS {
        now = now + gathered;
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
