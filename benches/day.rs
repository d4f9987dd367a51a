//! A whole day of a centre through one worker.
//!
//!     cargo bench --bench day -- [CONTACTS] [HOURS]
//!
//! From midnight, with the shifts and rush hours of a day, for 20,000,000 contacts by default; another thread
//! simulates. Events come as a worker that catches up gets them, and windows move once a simulated minute. Prints,
//! for each simulated hour, what an event costs the worker in processor time, what the engine holds, and
//! what the process has resident, simulation included. Not a divan bench: one run is one long input.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/costs.rs"]
mod costs;
#[path = "support/memory.rs"]
mod memory;
mod support;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::spawn;
use std::time::Instant;

use costs::Costs;
use memory::{Counting, lap, live, processor_time, resident, resident_peak};
use queuepulse::engine::partition::Partition;
use queuepulse::event::{Millis, Span};
use queuepulse::simulate::{Faults, Options, Scale, Simulation};
use support::engine::{Engine, Records};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PARTITIONS: usize = 16;
/// 2026-01-05 00:00 UTC.
const MIDNIGHT: Millis = Millis(1_767_571_200_000);
/// Contacts that one agent more brings to the simulated day.
const BY_AGENT: u32 = 179;
/// Contacts of a day that one queue more stands for.
const BY_QUEUE: u32 = 2_000;
/// Seconds of the centre that are handed over at once.
const PIECE: i64 = 20;
/// Windows move once in so many pieces.
const VIEW_EVERY: i64 = 3;

/// What the simulating thread hands over.
#[derive(Default)]
struct Piece {
    records: Records,
    in_flight: usize,
    /// Bytes that the simulation holds, records included.
    held: i64,
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u32>().ok());
    let contacts = numbers.next().unwrap_or(20_000_000);
    let hours = numbers.next().unwrap_or(24);
    let (pieces, used) = simulated(contacts);
    let before = live();
    let mut engine = Engine::new(PARTITIONS);
    let mut day = Hour::default();
    let mut now = MIDNIGHT;
    let mut last = Piece::default();
    for number in 1..=hours {
        let mut hour = Hour::default();
        let begun = Instant::now();
        for piece in 1..=3600 / PIECE {
            now = now + Span::seconds(PIECE);
            let Ok(next) = pieces.recv() else { return };
            let done = std::mem::replace(&mut last, next);
            let _ = used.try_send(done);
            hour.costs.take(&mut engine, &last.records);
            if piece % VIEW_EVERY == 0 {
                let mut start = processor_time();
                let frame = engine.view(now);
                engine.publish(frame);
                lap(&mut start, &mut hour.view);
                // As between two whole seconds: then no frame holds the windows before the latest.
                let frame = engine.view_now(now);
                engine.publish(frame);
            }
        }
        hour.wall = begun.elapsed().as_secs_f64();
        hour.tell(number, &engine, &last, live() - before);
        day.add(&hour);
    }
    day.summary(&engine);
}

/// A thread that simulates a day of so many contacts; used pieces go back to it.
fn simulated(contacts: u32) -> (Receiver<Piece>, SyncSender<Piece>) {
    let queues = (contacts / BY_QUEUE).max(1);
    let mut simulation = Simulation::new(&Options {
        seed: 1,
        from: MIDNIGHT,
        time_of_day: None,
        scale: Scale {
            agents: (contacts / BY_AGENT).max(1),
            load: 0.92,
            shifts: true,
            queues,
            clients: Scale::of(queues, 1).clients,
            ..Scale::LARGEST
        },
        faults: Faults::default(),
    });
    let (send, pieces) = sync_channel(1);
    let (used, spare) = sync_channel::<Piece>(8);
    spawn(move || {
        let mut to = MIDNIGHT;
        loop {
            to = to + Span::seconds(PIECE);
            let mut piece = spare.try_recv().unwrap_or_default();
            piece.records.fill(&mut simulation, to, PARTITIONS);
            piece.in_flight = simulation.in_flight();
            piece.held = live();
            if send.send(piece).is_err() {
                return;
            }
        }
    });
    (pieces, used)
}

/// What an hour took: processor time of the worker in nanoseconds, and seconds of wall clock.
#[derive(Default)]
struct Hour {
    costs: Costs,
    view: u64,
    wall: f64,
}

impl Hour {
    fn add(&mut self, other: &Self) {
        self.costs.add(&other.costs);
        self.view += other.view;
        self.wall += other.wall;
    }

    fn tell(&self, number: u32, engine: &Engine, last: &Piece, held: i64) {
        let costs = &self.costs;
        let sum = |of: fn(&Partition) -> usize| engine.partitions.iter().map(of).sum::<usize>();
        println!(
            "hour {number}: {} events a second; decode {:.0}, apply {:.0}, absorb {:.0} ns an event, view {:.0} ms; \
             {:.0} events/s by wall clock; {} in flight, {} held, {} settled, {} agents; \
             {} MiB held, of it {} MiB log; {} MiB resident, of it {} MiB the simulation's",
            costs.events / 3600,
            costs.each(costs.decode),
            costs.each(costs.apply),
            costs.each(costs.absorb),
            self.view as f64 / 60e6,
            costs.events as f64 / self.wall,
            last.in_flight,
            sum(Partition::contacts_held),
            sum(Partition::prints_held),
            sum(Partition::agents_known),
            held >> 20,
            sum(|state| state.ledger().log().bytes()) >> 20,
            resident("self") / 1024,
            last.held >> 20,
        );
    }

    fn summary(&self, engine: &Engine) {
        let (costs, took) = (&self.costs, self.costs.sum() + self.view);
        let today = engine.merge().total.windows.last().cloned();
        let counts = today.unwrap_or_default().contacts.counts;
        println!(
            "{} events in {:.0} s of processor time: {:.0} events/s a core, {:.0} by wall clock; at most {} MiB resident, \
             simulation included; today {} offered, {} answered, {} abandoned, {} handled",
            costs.events,
            took as f64 / 1e9,
            costs.events as f64 * 1e9 / took.max(1) as f64,
            costs.events as f64 / self.wall,
            resident_peak("self") / 1024,
            counts.offered,
            counts.answered,
            counts.abandoned,
            counts.handled,
        );
    }
}
