//! What scrapes cost ingest: a worker takes in the largest centre's events flat out and publishes every
//! 250 ms, while /metrics is read over HTTP, as the process serves it, once a second.
//!
//!     cargo bench --bench scrapes -- [QUEUES] [MINUTES] [ROUNDS]
//!
//! After so many minutes of warm-up (10,000 queues, 6 minutes, 5 rounds unless said) each round is five seconds
//! of each: nobody reads, one reads, ten read at once, ten read at once with gzip. Medians over
//! the rounds; simulating the events is left out. Readers and server are threads of this process.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::disallowed_methods, reason = "a bench has a clock, and waits")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/costs.rs"]
mod costs;
#[path = "../tests/live/mod.rs"]
mod live;
#[path = "support/memory.rs"]
mod memory;
#[path = "../tests/kafka/engine.rs"]
mod running;
mod support;

use std::io::{copy, sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use costs::Costs;
use memory::{processor_time, resident};
use queuepulse::app::http::{Patience, listen, runtime, serve};
use queuepulse::event::{Millis, Span};
use queuepulse::live::Live;
use queuepulse::serve::router;
use queuepulse::simulate::{Scale, Simulation};
use queuepulse::telemetry::{EngineMetrics, ExportOptions};
use support::engine::{Engine, Records, warm_of};
use tokio::sync::oneshot;

const PARTITIONS: usize = 16;
const PHASE: Duration = Duration::from_secs(5);
const SCRAPE_EVERY: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(250);
/// Readers at once, and whether they ask for gzip.
const PHASES: [(usize, bool); 4] = [(0, false), (1, false), (10, false), (10, true)];

/// What the worker did in one phase.
#[derive(Default)]
struct Phase {
    costs: Costs,
    /// Processor time of views, in nanoseconds, and how many.
    view: u64,
    views: u64,
    /// Wall clock of ingest and views.
    wall: Duration,
    /// The longest that a second of the centre or a view took, by wall clock.
    longest: Duration,
    scrapes: usize,
    bytes: u64,
    /// The longest scrape.
    slowest: Duration,
    /// KiB resident, at the most.
    resident: u64,
    /// Processor time of the whole process, in seconds.
    process: f64,
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u32>().ok());
    let queues = numbers.next().unwrap_or(10_000);
    let minutes = i64::from(numbers.next().unwrap_or(6));
    let rounds = numbers.next().unwrap_or(5);
    let scale = Scale {
        queues,
        clients: Scale::of(queues, 1).clients,
        ..Scale::LARGEST
    };
    let (engine, simulation, now) = warm_of(scale, PARTITIONS, minutes);
    let address = served(&engine);
    let mut worker = Worker {
        engine,
        simulation,
        records: Records::default(),
        now,
        ticks: 0,
    };
    let mut found: [Vec<Phase>; 4] = Default::default();
    for _ in 0..rounds {
        for ((readers, gzip), found) in PHASES.into_iter().zip(&mut found) {
            found.push(worker.phase(&address, readers, gzip));
        }
    }
    for ((readers, gzip), phases) in PHASES.into_iter().zip(&found) {
        tell(readers, gzip, phases, &found[0]);
    }
}

/// Serves an engine's figures as the process does; where.
fn served(engine: &Engine) -> String {
    let live = Live::new(live::alone(&engine.registry, &engine.frames, &engine.specs));
    let windows = ["5m", "30m", "today"].map(str::to_owned).to_vec();
    let options = ExportOptions {
        windows,
        ..ExportOptions::default()
    };
    let metrics = EngineMetrics::new().unwrap();
    let router = router(Arc::new(live), Arc::new(metrics), options);
    let (listener, address) = listen(([127, 0, 0, 1], 0).into()).unwrap();
    spawn(move || {
        let runtime = runtime().unwrap();
        let (_open, close) = oneshot::channel();
        serve(&runtime, listener, &router, Patience::default(), close).unwrap();
    });
    format!("http://{address}/metrics")
}

struct Worker {
    engine: Engine,
    simulation: Simulation,
    records: Records,
    now: Millis,
    ticks: u32,
}

impl Worker {
    fn phase(&mut self, address: &str, readers: usize, gzip: bool) -> Phase {
        let stop = Arc::new(AtomicBool::new(false));
        let reader = |_| read_again_and_again(address.to_owned(), gzip, Arc::clone(&stop));
        let readers: Vec<_> = (0..readers).map(reader).collect();
        let mut phase = Phase::default();
        let (begun, before) = (Instant::now(), running::processor_time("self"));
        let mut tick = Instant::now();
        while begun.elapsed() < PHASE {
            self.now = self.now + Span::seconds(1);
            self.records
                .fill(&mut self.simulation, self.now, PARTITIONS);
            phase.wall(|phase| phase.costs.take(&mut self.engine, &self.records));
            if tick.elapsed() >= TICK {
                tick = Instant::now();
                phase.wall(|phase| self.tick(phase));
                phase.resident = phase.resident.max(resident("self"));
            }
        }
        stop.store(true, Relaxed);
        for reader in readers {
            let scrapes = reader.join().unwrap();
            phase.scrapes += scrapes.len();
            for (took, bytes) in scrapes {
                phase.slowest = phase.slowest.max(took);
                phase.bytes = bytes;
            }
        }
        phase.process = running::processor_time("self") - before;
        phase
    }

    /// As a live worker: windows move at every fourth tick.
    fn tick(&mut self, phase: &mut Phase) {
        let start = processor_time();
        self.ticks += 1;
        let frame = if self.ticks.is_multiple_of(4) {
            self.engine.view(self.now)
        } else {
            self.engine.view_now(self.now)
        };
        self.engine.publish(frame);
        phase.view += processor_time() - start;
        phase.views += 1;
    }
}

impl Phase {
    /// Does something by the clock on the wall.
    fn wall(&mut self, work: impl FnOnce(&mut Self)) {
        let begun = Instant::now();
        work(self);
        let took = begun.elapsed();
        self.wall += took;
        self.longest = self.longest.max(took);
    }

    /// Nanoseconds of the worker's processor time an event, views included.
    fn cost(&self) -> f64 {
        self.costs.each(self.costs.sum() + self.view)
    }

    fn rate(&self) -> f64 {
        self.costs.events as f64 / self.wall.as_secs_f64()
    }
}

/// A reader that asks once a second; how long each answer took, and its bytes.
fn read_again_and_again(
    address: String,
    gzip: bool,
    stop: Arc<AtomicBool>,
) -> JoinHandle<Vec<(Duration, u64)>> {
    spawn(move || {
        let mut scrapes = Vec::new();
        while !stop.load(Relaxed) {
            let begun = Instant::now();
            let encoding = if gzip { "gzip" } else { "identity" };
            let answer = ureq::get(&address).header("Accept-Encoding", encoding);
            let (_, body) = answer.call().unwrap().into_parts();
            let bytes = copy(&mut body.into_reader(), &mut sink()).unwrap();
            let took = begun.elapsed();
            scrapes.push((took, bytes));
            sleep(SCRAPE_EVERY.saturating_sub(took));
        }
        scrapes
    })
}

fn median(phases: &[Phase], of: fn(&Phase) -> f64) -> f64 {
    let mut sorted: Vec<f64> = phases.iter().map(of).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn tell(readers: usize, gzip: bool, phases: &[Phase], without: &[Phase]) {
    let more = |of| (median(phases, of) / median(without, of) - 1.0) * 100.0;
    let most = |of: fn(&Phase) -> Duration| phases.iter().map(of).max().unwrap_or_default();
    let residents: Vec<u64> = phases.iter().map(|phase| phase.resident / 1024).collect();
    println!(
        "{readers} readers{}: worker {:.0} ns an event ({:+.1} %), {:.2} ms a view, {:.0} events/s by wall clock ({:+.1} %), \
         longest pause {} ms; process {:.1} cores; {} scrapes of {:.1} MB, the slowest {} ms; resident at most in each round {residents:?} MiB",
        if gzip { " with gzip" } else { "" },
        median(phases, Phase::cost),
        more(Phase::cost),
        median(phases, |phase| phase.view as f64 / phase.views as f64) / 1e6,
        median(phases, Phase::rate),
        more(Phase::rate),
        most(|phase| phase.longest).as_millis(),
        median(phases, |phase| phase.process / PHASE.as_secs_f64()),
        phases.iter().map(|phase| phase.scrapes).sum::<usize>(),
        phases.last().map_or(0, |phase| phase.bytes) as f64 / 1e6,
        most(|phase| phase.slowest).as_millis(),
    );
}
