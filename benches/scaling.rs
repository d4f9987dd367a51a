//! How cost grows with queues, windows, partitions, contacts in flight, late events and workers.
//!
//!     cargo bench --bench scaling -- [SIZE…]
//!
//! Without a SIZE all of them. Each size takes its steps while the others stay at the usual: 1,000 queues, 10,000 agents,
//! 16 partitions of each topic, seven windows, nothing late, one worker. Prints a table, and writes a plot of each
//! size into benches/plots. Processor time; memory is the heap of the engine. Not a divan bench.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/costs.rs"]
mod costs;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/plot.rs"]
mod plot;
mod support;

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread::spawn;

use costs::{BATCH, Costs};
use memory::{Counting, live, processor_time};
use plot::{Plot, svg};
use queuepulse::config::Config;
use queuepulse::event::{Millis, Span};
use queuepulse::simulate::{Faults, Options, Scale, Simulation};
use queuepulse::windows::frame::{WindowKind, WindowSpec};
use support::engine::{Engine, Records};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Minutes of the centre before anything is timed, and seconds that are.
const WARM_UP: i64 = 5;
const TIMED: i64 = 60;
/// Views that are timed.
const VIEWS: i64 = 5;
/// How late an event comes at most that comes late.
const LATE_WITHIN: Span = Span::minutes(2);

/// Everything that may be large.
#[derive(Clone, Copy)]
struct Setup {
    queues: u32,
    agents: u32,
    partitions: usize,
    windows: usize,
    late: f64,
    workers: usize,
}

const USUAL: Setup = Setup {
    queues: 1_000,
    agents: 10_000,
    partitions: 16,
    windows: 7,
    late: 0.0,
    workers: 1,
};

/// What it costs.
#[derive(Clone, Copy, Default)]
struct Point {
    in_flight: usize,
    costs: Costs,
    /// Milliseconds, the median.
    view: f64,
    /// Bytes of the engine's heap.
    held: i64,
    /// Nanoseconds of the busiest worker, views included.
    busiest: u64,
}

impl Point {
    /// Events a second if every worker has a core to itself.
    fn a_second(&self) -> f64 {
        self.costs.events as f64 * 1e9 / self.busiest.max(1) as f64
    }
}

/// A size: its name, how its steps are written, and each step.
struct Size {
    key: &'static str,
    name: &'static str,
    steps: Vec<Setup>,
    step: fn(&Setup, &Point) -> String,
}

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|text| !text.starts_with('-'))
        .collect();
    for size in sizes() {
        if asked.is_empty() || asked.iter().any(|key| key == size.key) {
            run(&size);
        }
    }
}

fn sizes() -> [Size; 6] {
    fn steps<T>(values: impl IntoIterator<Item = T>, set: fn(&mut Setup, T)) -> Vec<Setup> {
        let setup = |value| {
            let mut setup = USUAL;
            set(&mut setup, value);
            setup
        };
        values.into_iter().map(setup).collect()
    }
    [
        Size {
            key: "queues",
            name: "queues",
            steps: steps([10, 100, 1_000, 10_000, 100_000], |setup, queues| {
                setup.queues = queues;
            }),
            step: |setup, _| setup.queues.to_string(),
        },
        Size {
            key: "windows",
            name: "windows",
            steps: steps([1, 4, 7, 12], |setup, windows| setup.windows = windows),
            step: |setup, _| setup.windows.to_string(),
        },
        Size {
            key: "partitions",
            name: "partitions of each topic",
            steps: steps([1, 4, 16, 64], |setup, count| setup.partitions = count),
            step: |setup, _| setup.partitions.to_string(),
        },
        Size {
            key: "contacts",
            name: "contacts in flight",
            steps: steps([1_000, 3_000, 10_000, 30_000, 100_000], |setup, agents| {
                setup.agents = agents;
            }),
            step: |_, point| point.in_flight.to_string(),
        },
        Size {
            key: "late",
            name: "out of order by up to 2 min, %",
            steps: steps([0.0, 0.05, 0.1, 0.2], |setup, late| setup.late = late),
            step: |setup, _| format!("{:.0}", setup.late * 100.0),
        },
        Size {
            key: "workers",
            name: "workers",
            steps: steps([1, 2], |setup, workers| setup.workers = workers),
            step: |setup, _| setup.workers.to_string(),
        },
    ]
}

/// Measures every step, prints them and plots them.
fn run(size: &Size) {
    let points: Vec<Point> = size.steps.iter().map(measure).collect();
    let both = size.steps.iter().zip(&points);
    let names: Vec<String> = both
        .map(|(setup, point)| (size.step)(setup, point))
        .collect();
    println!("{}", size.name);
    for (name, point) in names.iter().zip(&points) {
        let costs = &point.costs;
        println!(
            "{name:>8}: decode {:4.0}, apply {:5.0}, absorb {:4.0} ns an event; view {:7.2} ms; {:6.1} MiB; {:8.0} events/s",
            costs.each(costs.decode),
            costs.each(costs.apply),
            costs.each(costs.absorb),
            point.view,
            mib(point.held),
            point.a_second(),
        );
    }
    let of = |value: fn(&Point) -> f64| points.iter().map(value).collect();
    let mut plots = vec![
        Plot {
            title: "processor time, ns an event",
            lines: vec![
                ("decode", of(|point| point.costs.each(point.costs.decode))),
                ("apply", of(|point| point.costs.each(point.costs.apply))),
                ("absorb", of(|point| point.costs.each(point.costs.absorb))),
            ],
        },
        Plot {
            title: "view at a whole second, ms",
            lines: vec![("view", of(|point| point.view))],
        },
        Plot {
            title: "heap, MiB",
            lines: vec![("held", of(|point| mib(point.held)))],
        },
    ];
    if size.key == "workers" {
        plots.push(Plot {
            title: "thousands of events a second, a core each",
            lines: vec![("all workers", of(|point| point.a_second() / 1e3))],
        });
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/plots");
    std::fs::create_dir_all(&folder).unwrap();
    let text = svg(size.name, &names, &plots);
    std::fs::write(folder.join(format!("{}.svg", size.key)), text).unwrap();
}

fn mib(bytes: i64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What all workers do is made first, so that they need not share it out while they are timed.
struct Input {
    warm_up: Vec<(Millis, Records)>,
    timed: Vec<(Millis, Records)>,
    in_flight: usize,
}

impl Input {
    fn new(setup: &Setup) -> Self {
        let mut simulation = Simulation::new(&Options {
            seed: 1,
            from: support::FROM,
            time_of_day: Some(Span::hours(10)),
            scale: Scale {
                queues: setup.queues,
                agents: setup.agents,
                clients: Scale::of(setup.queues, 1).clients,
                ..Scale::LARGEST
            },
            faults: Faults {
                disorder: setup.late,
                within: LATE_WITHIN,
                ..Faults::default()
            },
        });
        let mut now = support::FROM;
        let mut pieces = |count, seconds| {
            let piece = |_| {
                now = now + Span::seconds(seconds);
                let mut records = Records::default();
                records.fill(&mut simulation, now, setup.partitions);
                (now, records)
            };
            (0..count).map(piece).collect()
        };
        Self {
            warm_up: pieces(WARM_UP, 60),
            timed: pieces(VIEWS, TIMED / VIEWS),
            in_flight: simulation.in_flight(),
        }
    }
}

fn measure(setup: &Setup) -> Point {
    let setup = *setup;
    let input = Arc::new(Input::new(&setup));
    let together = Arc::new(Barrier::new(setup.workers));
    let worker = |number| {
        let (input, together) = (Arc::clone(&input), Arc::clone(&together));
        spawn(move || work(setup, number, &input, &together))
    };
    let workers: Vec<_> = (0..setup.workers).map(worker).collect();
    let mut all = Point {
        in_flight: input.in_flight,
        ..Point::default()
    };
    for worker in workers {
        let point = worker.join().unwrap();
        all.costs.add(&point.costs);
        all.view = all.view.max(point.view);
        all.held += point.held;
        all.busiest = all.busiest.max(point.busiest);
    }
    all
}

/// One worker with its share of the partitions.
fn work(setup: Setup, number: usize, input: &Input, together: &Barrier) -> Point {
    let before = live();
    let mut engine = engine(&setup);
    let mut warm_up = Costs::default();
    let take = |engine: &mut Engine, records: &Records, costs: &mut Costs| {
        for (partition, batch) in records.batches(BATCH) {
            if partition % setup.workers == number {
                costs.batch(engine, partition, &batch);
            }
        }
    };
    for (now, records) in &input.warm_up {
        take(&mut engine, records, &mut warm_up);
        show(&mut engine, *now);
    }
    together.wait();
    let mut costs = Costs::default();
    let mut views = Vec::new();
    let begun = processor_time();
    for (now, records) in &input.timed {
        take(&mut engine, records, &mut costs);
        views.push(show(&mut engine, *now));
    }
    let busiest = processor_time() - begun;
    views.sort_by(f64::total_cmp);
    Point {
        in_flight: 0,
        costs,
        view: views[views.len() / 2],
        held: live() - before,
        busiest,
    }
}

/// Publishes the figures of a whole second; how many milliseconds the view took.
fn show(engine: &mut Engine, now: Millis) -> f64 {
    let start = processor_time();
    let frame = engine.view(now);
    let took = processor_time() - start;
    engine.publish(frame);
    took as f64 / 1e6
}

fn engine(setup: &Setup) -> Engine {
    let mut config = Config::defaults().unwrap();
    let sliding = [1, 5, 15, 30, 60, 2, 3, 10, 20, 45].map(|minutes| WindowSpec {
        key: format!("{minutes}m"),
        kind: WindowKind::Sliding(Span::minutes(minutes)),
    });
    let calendar = config.windows.split_off(config.windows.len() - 2);
    let mut windows: Vec<WindowSpec> = sliding.into();
    windows.splice(5..5, calendar);
    windows.truncate(setup.windows);
    config.windows = windows;
    Arc::make_mut(&mut config.state).max_queues = 200_000;
    Engine::of(setup.partitions, config)
}
